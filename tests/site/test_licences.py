"""Whose work is in the site is said on the page of licences: no file is there that it does not account for."""

from importlib import metadata
from pathlib import Path

import pytest

import licences

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "_build" / "html" / "_static"
MADE = {"documentation_options.js", "language_data.js", "pygments.css", "formulas.css"}  # written for this book by Sphinx, and by MathJax


def test_every_file_comes_from_the_book_from_npm_or_from_a_package_that_is_named():
    ours = {path.name for folder in (ROOT / "book" / "_static", ROOT / "_build" / "assets" / "static") for path in folder.rglob("*")}
    theirs = {file.name.removesuffix("_t").removesuffix(".jinja") for name in licences.PYTHON for file in metadata.distribution(name).files}
    strangers = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file() and path.name not in ours | theirs | MADE]
    # What a package writes with a digest in the name.
    strangers = [name for name in strangers if not any(name.split(".")[0] == known.split(".")[0] and name.endswith(Path(known).suffix) for known in theirs)]
    assert strangers == []


@pytest.mark.parametrize("work", [*licences.from_npm(ROOT), *licences.from_pypi()], ids=lambda work: work.name)
def test_each_work_is_on_the_page_with_its_licence_in_full(visit, work):
    page = visit("book/licences.html")
    row = page.locator("tbody tr", has_text=work.name).first.locator("td").all_text_contents()
    assert row == [work.name, work.version, work.licence, work.purpose] and all(row)
    box = page.locator("details.licence", has=page.get_by_text(f"{work.name} {work.version}", exact=True))
    box.locator("summary").click()
    assert box.locator("pre").is_visible()
    text = box.locator("pre").text_content()
    assert len(work.text) > 300 and all(part.strip() in text for part in [work.text, *work.banners])
