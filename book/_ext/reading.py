"""What a page holds for its reader: its places with their words, its explorers and questions, and how long it takes.

The search, the glossary, the gallery and the previews of a page all ask `read`. A chapter says at its head where it stands and how long it takes
(`head_chapters`); so does the way to its neighbours (`name_neighbours`).
"""

import html
import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes

# How many minutes a reader takes. Words and formulas of the exercises are left out: exercises take as much time as the rest of a page.
MINUTES = {"words": 1 / 150, "formulas": 1 / 4, "explorers": 2, "questions": 3 / 4}

CHAPTER = re.compile(r"(?:notebooks|book)/0*(\d+)([a-z]?)_\w+")  # the page of a chapter: its number, and its letter where the chapter has several


class Explorer(NamedTuple):
    """A published explorer, in its starting state."""

    id: str
    title: str
    picture: str  # as seen from its page
    sentence: str
    width: str
    height: str
    photo: bool


@dataclass
class Place:
    """A part of a page that can be linked to."""

    id: str
    title: str
    kind: str = "section"  # or "term", "code"
    above: tuple = ()  # the titles of the sections around it
    text: list = field(default_factory=list)


@dataclass
class Page:
    """A page as it is read."""

    places: list = field(default_factory=list)  # the first is the page itself
    anchors: dict = field(default_factory=dict)  # what `<a id="…">` names, and the place it stands in
    explorers: list = field(default_factory=list)
    pictures: list = field(default_factory=list)  # all figures and explorers, as seen from the page
    about: str = ""  # its first paragraph
    words: int = 0
    formulas: int = 0
    questions: int = 0
    exercises: int = 0

    @property
    def minutes(self):
        counts = {"words": self.words, "formulas": self.formulas, "explorers": len(self.explorers), "questions": self.questions}
        return sum(minutes * counts[what] for what, minutes in MINUTES.items())


# --- a formula as text -----------------------------------------------------------------------------------------------

SIGNS = {
    **{"partial": "∂", "nabla": "∇", "cdot": "·", "times": "×", "le": "≤", "ge": "≥", "ne": "≠", "to": "→", "sum": "∑", "prod": "∏", "int": "∫"},
    **{"in": "∈", "infty": "∞", "odot": "⊙", "star": "⋆", "circ": "∘", "top": "ᵀ", "pm": "±", "approx": "≈", "sqrt": "√", "dots": "…", "ldots": "…"},
    **{"cdots": "…", "ell": "ℓ", "lVert": "‖", "rVert": "‖", "lvert": "|", "rvert": "|", "varepsilon": "ε", "varphi": "φ", "lambda": "λ", "Lambda": "Λ"},
    **{"mid": "|", "sim": "~", "propto": "∝", "quad": " ", "qquad": " ", "prime": "′", "leq": "≤", "geq": "≥", "Rightarrow": "⇒", "lfloor": "⌊", "rfloor": "⌋"},
}
SILENT = re.compile(
    r"\\(?:displaystyle|left|right|big|Big|bigl|bigr|mathrm|mathbf|mathcal|operatorname|text|tfrac|dfrac|frac|begin\{\w+\*?\}(?:\{[^}]*\})?|end\{\w+\*?\}|tag\{[^}]*\})(?![a-zA-Z])"
)


def plain(tex):
    r"""A formula as a line of text: ``\eta \le \frac12`` is "η ≤ 12". It is read beside words and searched, not computed with."""

    def sign(found):
        name = found[1]
        case = "CAPITAL" if name[0].isupper() else "SMALL"
        try:
            return SIGNS.get(name) or unicodedata.lookup(f"GREEK {case} LETTER {name}")
        except KeyError:
            return f"{name} "

    tex = re.sub(r"\\\\\[[^\]]*\]", " ", tex)  # the end of a line, with more room below
    tex = re.sub(r"\\mathbb\{?([ERN])\}?", lambda found: {"E": "𝔼", "R": "ℝ", "N": "ℕ"}[found[1]], tex)
    tex = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", tex)
    tex = re.sub(r"\\hat\s*\{?(\w)\}?", "\\1\u0302", tex)
    tex = re.sub(r"\\([a-zA-Z]+)\s*", sign, SILENT.sub("", tex))
    return " ".join(re.sub(r"\\[\[\]()]|\\\\|\\(.)|[{}$&]", lambda found: found[1] or "", tex).split()).replace("-", "−")


# --- reading a page --------------------------------------------------------------------------------------------------


def tags_away(markup):
    return html.unescape(re.sub(r"<[^>]*>", " ", markup))


def inline(node):
    """What a title or a paragraph says, with its formulas as text."""
    if isinstance(node, nodes.math | nodes.math_block):
        return plain(node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.raw):
        return tags_away(node.astext())
    return "".join(map(inline, node.children))


def explorer(markup):
    """The `Explorer` that nnlib.explorers wrote as this HTML."""

    def attribute(name, within):
        return html.unescape(re.search(rf'\b{name}="([^"]*)"', within)[1])

    picture = re.search(r'<img class="nn-picture.*?>', markup)[0]
    title = html.unescape(re.search(r'<p class="nn-title"[^>]*>(.*?)</p>', markup)[1])
    said = [attribute(name, picture) for name in ("src", "alt", "width", "height")]
    return Explorer(attribute("id", markup), title, *said, "nn-photo" in picture)


class Reader:
    def __init__(self):
        self.page = Page()
        self.open_details = 0  # within a question, a hint or a solution
        self.exercising = False

    def walk(self, node, place):
        """Add what a node holds to the place it stands in."""
        if isinstance(node, nodes.section):
            return self.section(node, place)
        if isinstance(node, addnodes.desc) and node[0].get("ids"):
            signature = node[0]
            place = self.place(Place(signature["ids"][0], signature["ids"][0], "code", (*place.above, place.title)))
            return self.walk(node[1], place)
        if isinstance(node, nodes.definition_list_item) and node[0].get("ids"):
            place = self.place(Place(node[0]["ids"][0], inline(node[0]), "term", (*place.above, place.title)))
            return self.walk(node[1], place)
        if isinstance(node, nodes.raw):
            return self.raw(node.astext(), place)
        if node.get("nb_element") == "mime_bundle":  # the same output in several forms: the last is plain text
            shown = [form for form in node if form["mime_type"] != "text/plain"]
            return self.walk(shown[0], place) if shown else None
        if node.get("nb_element") == "cell_code_source" or isinstance(node, nodes.literal_block | nodes.doctest_block | nodes.Invisible | nodes.topic):
            return None
        if isinstance(node, nodes.math_block):
            self.page.formulas += not self.exercising
        if isinstance(node, nodes.TextElement):
            return self.words(node, place)
        for child in node.children:
            self.walk(child, place)
        return None

    def section(self, node, place):
        title = inline(node[0])
        within = (*place.above, place.title) if place else ()
        place = self.place(Place(node["ids"][0], title, above=within))
        was, self.exercising = self.exercising, self.exercising or title == "Exercises"
        self.page.exercises += title.startswith("Exercise ")
        for child in node[1:]:
            self.walk(child, place)
        self.exercising = was

    def place(self, place):
        self.page.places.append(place)
        return place

    def words(self, node, place):
        said = " ".join(inline(node).split())
        for raw in node.findall(nodes.raw):
            self.anchors(raw.astext(), place)
        place.text.append(said)
        self.page.questions += bool(self.open_details) and said.startswith("Right")
        if self.exercising:
            return
        self.page.words += len(said.split())
        subtitle = (len(node) == 1 and isinstance(node[0], nodes.emphasis)) or "subtitle" in node.get("classes", ())
        if not self.page.about and not subtitle and isinstance(node, nodes.paragraph):
            self.page.about = said

    def raw(self, markup, place):
        if '<figure class="nn-explorer"' in markup:
            self.page.explorers.append(explorer(markup))
        self.page.pictures += re.findall(r'<figure class="nn-[^>]*>.*?<img[^>]* src="([^"]*)"', markup, flags=re.DOTALL)
        self.anchors(markup, place)
        self.open_details += markup.count("<details") - markup.count("</details>")
        place.text += [" ".join(tags_away(summary).split()) for summary in re.findall(r"<summary>(.*?)</summary>", markup, flags=re.DOTALL)]

    def anchors(self, markup, place):
        self.page.anchors.update(dict.fromkeys(re.findall(r'<a id="([^"]+)"', markup), place))


def read(env, docname):
    """Return the `Page` of a document that Sphinx has read."""
    reader = Reader()
    for section in env.get_doctree(docname).findall(nodes.section):
        reader.walk(section, None)  # the section of the page holds all others
        break
    return reader.page


# --- where a chapter stands ------------------------------------------------------------------------------------------


def contents(env):
    """All pages, in the order of the table of contents."""
    return [env.config.root_doc, *env.toctree_includes[env.config.root_doc]]


def chapters(env):
    """The pages of the chapters, in their order, each with its number and letter: "1", "6a"."""
    return {docname: found[1] + found[2] for docname in contents(env) if (found := CHAPTER.fullmatch(docname))}


def standing(env, docname):
    """Where a chapter's page stands, as "Chapter 6 of 8, page 2 of 4"; nothing for other pages."""
    numbers = {page: int(code.rstrip("abcdefgh")) for page, code in chapters(env).items()}
    if docname not in numbers:
        return ""
    number = numbers[docname]
    pages = [page for page in numbers if numbers[page] == number]
    part = f", page {pages.index(docname) + 1} of {len(pages)}" if len(pages) > 1 else ""
    return f"Chapter {number} of {max(numbers.values())}{part}"


def duration(minutes):
    """A time, to five minutes: "40 minutes", "1 hour 10 minutes"."""
    hours, minutes = divmod(max(5, 5 * round(minutes / 5)), 60)
    parts = [f"{hours} hour{'s' * (hours > 1)}" if hours else "", f"{minutes} minutes" if minutes else ""]
    return " ".join(filter(None, parts))


def head(env, docname):
    """The line at the head of a chapter: where it stands, how long it takes, and what is in it."""
    page = read(env, docname)
    counts = [(len(page.explorers), "explorer"), (page.questions, "question"), (page.exercises, "exercise")]
    counted = [f"{n} {what}{'s' * (n > 1)}" for n, what in counts if n]
    return " · ".join([standing(env, docname), f"about {duration(page.minutes)}{', as much again for the exercises' * bool(page.exercises)}", *counted])


def head_chapters(app, doctree, docname):
    """Put the line under the titles of a chapter."""
    if app.builder.format == "html" and standing(app.env, docname):
        section = next(doctree.findall(nodes.section))
        after = 2 if inline(section[1]) and not inline(section[1]).isascii() else 1  # the Korean title
        section.insert(after, nodes.paragraph("", head(app.env, docname), classes=["nn-head"]))


def name_neighbours(app, pagename, templatename, context, doctree):
    """Give the way to the previous and to the next page where that page stands."""
    for side in ("prev", "next"):
        if context.get(side):
            target = next((page for page in app.env.found_docs if app.builder.get_relative_uri(pagename, page) == context[side]["link"]), "")
            context[side]["standing"] = standing(app.env, target) if target else ""


# --- what looks into the chapters ------------------------------------------------------------------------------------


def read_last(app, page):
    """Let Sphinx read a page after all others: it gathers what they hold."""
    app.connect("env-before-read-docs", lambda app, env, docnames: docnames.sort(key=lambda name: name == page))


def setup(app):
    app.connect("doctree-resolved", head_chapters)
    app.connect("html-page-context", name_neighbours)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
