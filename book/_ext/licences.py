"""The page of licences: `{licences}` lists whose work the site is made of besides the book's own, and shows each licence in full.

What is listed is computed from what was fetched (the dependencies of book/_assets/package.json) and installed (`PYTHON`); the texts are the packages' own.
"""

import html
import json
import re
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import sklearn.datasets
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from assets import fetch

# What the packages are for. The Python packages are all that put files into the site; one from npm that is not named here is shown with its own words.
NPM = {"mathjax": "the formulas and their font", "@fontsource-variable/source-serif-4": "the font of the text"}
PYTHON = {
    "sphinx": "search, icons and scripts of the pages",
    "pydata-sphinx-theme": "the frame of the pages",
    "sphinx-book-theme": "the frame of the pages",
    "sphinx-copybutton": "the buttons that copy code",
    "myst-nb": "the look of cells",
    "pygments": "the colours of code",
}
TEXT = re.compile(r"(licen[cs]e|copying)(\.\w+)?", flags=re.IGNORECASE)
BANNER = re.compile(r"/\*!(.*?)\*/", flags=re.DOTALL)  # by custom, what a bundled file says of its own licence


class Work(NamedTuple):
    name: str
    version: str
    licence: str
    purpose: str
    text: str
    banners: list  # of the works that it brings with it


def from_npm(root):
    """The packages whose files the site holds, or is made of."""
    modules = fetch(root) / "node_modules"
    for name in json.loads((modules.parent / "package.json").read_text(encoding="utf-8"))["dependencies"]:
        about = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))
        texts = [path.read_text(encoding="utf-8") for path in sorted((modules / name).iterdir()) if TEXT.fullmatch(path.name)]
        yield Work(name, about["version"], about["license"], NPM.get(name, about.get("description", "")), "\n".join(texts), [])


def from_pypi():
    for name, purpose in PYTHON.items():
        package = metadata.distribution(name)
        files = [Path(file.locate()) for file in package.files or []]
        texts = [path.read_text(encoding="utf-8") for path in files if TEXT.fullmatch(path.name) and any(part.endswith(".dist-info") for part in path.parts)]
        scripts = [path for path in files if path.suffix in (".js", ".css", ".txt") and re.search(r"static", str(path))]
        banners = [tidy(banner) for path in scripts for banner in BANNER.findall(path.read_text(encoding="utf-8"))]
        named = [banner for banner in dict.fromkeys(banners) if "please see" not in banner]
        yield Work(package.metadata["Name"], package.version, licence(package.metadata), purpose, "\n".join(texts), named)


def licence(about):
    """What a Python package says of its licence, in the newest form that it uses."""
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    return about.get("License-Expression") or ", ".join(classifiers) or about.get("License")


def tidy(banner):
    """The words of a comment on one line."""
    return " ".join(line.strip(" *") for line in banner.strip().splitlines() if line.strip(" *"))


def photographs():
    """What scikit-learn says of the two photographs that it brings."""
    return Path(sklearn.datasets.__file__).with_name("images").joinpath("README.txt").read_text(encoding="utf-8")


class Licences(SphinxDirective):
    """A table of the works, and below it each one's licence, folded; `{licences} photographs` shows those of the photographs."""

    optional_arguments = 1

    def run(self):
        if self.arguments:
            return [nodes.raw("", folded("The photographs", photographs()), format="html")]
        works = [*from_npm(self.env.app.confdir), *from_pypi()]
        lines = ["| Package | Version | Licence | For |", "|---|---|---|---|"]
        lines += [f"| {work.name} | {work.version} | {work.licence} | {work.purpose} |" for work in works]
        texts = "".join(folded(f"{work.name} {work.version}", "\n\n".join([*work.banners, work.text])) for work in works)
        return [*self.parse_text_to_nodes("\n".join(lines)), nodes.raw("", texts, format="html")]


def folded(title, text):
    return f'<details class="licence"><summary>{html.escape(title)}</summary>\n<pre>{html.escape(text.strip())}</pre></details>'


def setup(app):
    app.add_directive("licences", Licences)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
