"""The ways from a page to its code: where they lead, and that none is there without a repository."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.interactiveshell import InteractiveShell

import colab
import launch
import notebooks
from repository import Repository

ROOT = Path(__file__).parents[1]
HERE = Repository("github.com", "someone", "book", "main")
CHAPTER = "notebooks/01_definition.ipynb"


def test_binder_opens_the_chapter_in_jupyterlab():
    assert launch.binder(HERE, CHAPTER) == f"https://mybinder.org/v2/gh/someone/book/main?urlpath=lab/tree/{CHAPTER}"
    there = Repository("gitlab.com", "group/team", "book", "a/branch")
    assert launch.binder(there, CHAPTER).startswith("https://mybinder.org/v2/gl/group%2Fteam%2Fbook/a%2Fbranch?")


def test_a_hub_fetches_the_repository_and_opens_the_chapter():
    address = urlparse(launch.hub("https://hub.example.org/", HERE, CHAPTER))
    assert address.geturl().startswith("https://hub.example.org/hub/user-redirect/git-pull?")
    assert parse_qs(address.query) == {"repo": [HERE.url], "branch": ["main"], "urlpath": [f"lab/tree/book/{CHAPTER}"]}


def test_a_way_that_nobody_has_opened_is_not_shown(monkeypatch):
    for name in ("COLAB_BRANCH", "JUPYTERHUB_URL"):
        monkeypatch.delenv(name, raising=False)
    assert [way["text"] for way in launch.ways(HERE, CHAPTER, "run.html")] == ["Binder", "JupyterLab"]
    monkeypatch.setenv("COLAB_BRANCH", "colab")
    monkeypatch.setenv("JUPYTERHUB_URL", "https://hub.example.org")
    ways = {way["text"]: way["url"] for way in launch.ways(HERE, CHAPTER, "run.html")}
    assert list(ways) == ["Binder", "Colab", "JupyterHub", "JupyterLab"]
    assert ways["Colab"] == f"https://colab.research.google.com/github/someone/book/blob/colab/{CHAPTER}"


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """Build a book of one chapter and one page, with or without a repository; the value is what stands in the header of each and on the page."""

    def build(address):
        root = tmp_path_factory.mktemp("book")
        (root / "book").mkdir()
        (root / "conf.py").write_text(
            'extensions = ["myst_nb", "sphinx_book_theme", "launch"]\nhtml_theme = "sphinx_book_theme"\nroot_doc = "book/run"\nnb_execution_mode = "off"\n'
        )
        (root / "book/run.md").write_text(
            "# Run\n\n```{with-repository}\n[There](REPOSITORY), in FOLDER, on [Binder](BINDER), at [home](SITE).\n```\n"
            "\n```{without-repository}\nNowhere.\n```\n\n```{toctree}\n../chapter\n```\n"
        )
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Chapter", id="a")])
        (root / "chapter.ipynb").write_text(nbformat.writes(nb))
        subprocess.run(["git", "-C", root, "init", "-q", "-b", "main"], check=True)
        if address:
            subprocess.run(["git", "-C", root, "remote", "add", "origin", address], check=True)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", root, root / "html"]
        environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "PYTHONPATH": str(ROOT / "book" / "_ext")}
        subprocess.run(command, check=True, env=environment)
        return {name: BeautifulSoup((root / "html" / f"{name}.html").read_text("utf-8"), "html.parser") for name in ("book/run", "chapter")}

    return build


def texts(page, menu):
    return [item.get_text(strip=True) for item in page.select(f".dropdown-{menu} .dropdown-item")]


def test_with_a_repository_each_page_leads_to_it(small_book):
    pages = small_book("https://github.com/someone/book.git")
    assert texts(pages["chapter"], "launch-buttons") == ["Binder", "JupyterLab"]
    assert texts(pages["book/run"], "launch-buttons") == [], "there is nothing to run on a page that is no chapter"
    for name, page in pages.items():
        assert texts(page, "source-buttons") == ["Repository", "Report an error"]
        links = [link["href"] for link in page.select(".dropdown-source-buttons a")]
        assert links[0] == HERE.url
        assert parse_qs(urlparse(links[1]).query)["title"][0].split() == ["On", "the", "page", f"{name}:"]
    said = pages["book/run"].select_one("article").get_text()
    assert "There, in book, on Binder, at home." in said and "Nowhere" not in said
    assert [link["href"] for link in pages["book/run"].select("article p a")] == [HERE.url, launch.binder(HERE, "notebooks"), "https://someone.github.io/book/"]


def test_without_a_repository_no_page_says_anything_of_it(small_book):
    pages = small_book(None)
    for page in pages.values():
        assert texts(page, "launch-buttons") == texts(page, "source-buttons") == []
        assert "mybinder" not in str(page) and "REPOSITORY" not in str(page)
    assert "Nowhere." in pages["book/run"].select_one("article").get_text()


# --- Colab ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=notebooks.chapters(), ids=lambda path: path.stem)
def prepared(request):
    return colab.prepared(notebooks.read(request.param), HERE, "https://someone.github.io/book/")


def test_the_first_cell_installs_the_package_on_colab_and_does_nothing_elsewhere(prepared, monkeypatch):
    nbformat.validate(prepared)
    installed, shell = [], InteractiveShell()
    shell.register_magic_function(installed.append, magic_name="pip")
    shell.run_cell(prepared.cells[0].source).raise_error()
    assert installed == []
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    shell.run_cell(prepared.cells[0].source).raise_error()
    assert installed == ['install --quiet "nnlib @ git+https://github.com/someone/book@main"']


def test_links_between_chapters_and_pages_lead_to_the_site(prepared):
    text = "\n".join(cell.source for cell in prepared.cells if cell.cell_type == "markdown")
    assert "](https://someone.github.io/book/book/references.html#" in text
    assert not [ending for ending in (".md)", ".md#", ".ipynb)", ".ipynb#") if ending in text]


def test_what_colab_needs_stands_in_no_committed_chapter():
    assert not [path.name for path in notebooks.chapters() if "google.colab" in path.read_text("utf-8")]


def test_the_chapters_for_colab_are_written_where_there_is_a_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(colab, "repository", lambda: HERE)
    monkeypatch.setattr(colab, "site", lambda: "https://someone.github.io/book/")
    colab.main(tmp_path)
    written = sorted((tmp_path / "notebooks").glob("*.ipynb"))
    assert [path.name for path in written] == [path.name for path in notebooks.chapters()]
    assert all(json.loads(path.read_text("utf-8"))["cells"][0]["id"] == "colab" for path in written)
    monkeypatch.setattr(colab, "repository", lambda: None)
    with pytest.raises(SystemExit, match="no remote"):
        colab.main(tmp_path)
