"""The chapters as Colab needs them: with a first cell that installs nnlib, and with links that lead to the site.

    python tools/colab.py FOLDER     writes them into FOLDER/notebooks

The workflow that publishes the site also publishes FOLDER, as a branch of its own. The chapters that are committed know neither address, so that a fork, a
clone and the built pages need nothing taken out of them.
"""

import re
import sys
from pathlib import Path

import nbformat

import notebooks

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from repository import repository, site  # noqa: E402

INSTALL = """\
# Colab does not have the book's package. Anywhere else this cell does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "nnlib @ git+{url}@{branch}\""""
LINK = re.compile(r"\]\((?!\w+:|#)(?:\.\./)?([^)#\s]+)\.(?:md|ipynb)(#[^)\s]*)?\)")  # to another page of the book


def prepared(nb, place, address):
    """A chapter with the first cell and the links; `place` is the repository, `address` that of the site."""

    def lead_to_the_site(link):
        page = link[1] if link[1].startswith("book/") else f"notebooks/{link[1]}"
        return f"]({address}{page}.html{link[2] or ''})"

    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lead_to_the_site, cell.source)
    nb.cells.insert(0, nbformat.v4.new_code_cell(INSTALL.format(url=place.url, branch=place.branch), id="colab"))
    return nb


def main(folder):
    place = repository()
    if place is None:
        sys.exit("Nothing is written: this clone has no remote `origin` on a public forge, from which Colab could install nnlib.")
    target = Path(folder, "notebooks")
    target.mkdir(parents=True, exist_ok=True)
    for path in notebooks.chapters():
        (target / path.name).write_text(notebooks.written(prepared(notebooks.read(path), place, site())), encoding="utf-8")
    print(f"{len(notebooks.chapters())} chapters that install nnlib from {place.url}@{place.branch}")


if __name__ == "__main__":
    main(*sys.argv[1:])
