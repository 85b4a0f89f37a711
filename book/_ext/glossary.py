"""The glossary: `{terms}` lists the terms that stand in it, each with the place where the book first uses it.

A line is `English | 한국어 | symbol | page | meaning`. The page is the number of a chapter ("6a") where an earlier mention would be only in passing; without
one, the first chapter counts that has the term. A term that does not stand where it is said to is a warning, and so an error of the build.
"""

import re
from typing import NamedTuple

from docutils import nodes
from reading import chapters, plain, read, read_last
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

PAGE = "book/glossary"


class Term(NamedTuple):
    english: str
    korean: str
    symbol: str
    page: str
    meaning: str

    @property
    def id(self):
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.english.lower()).strip("-")

    @property
    def pattern(self):
        """How it is written on a page: `Adam`, `learning rate / step size`, `rectified linear unit (ReLU)`, in the plural too."""
        names = [re.sub(r"[ -]", "[ -]", re.escape(name).replace(r"\ ", " ").replace(r"\-", "-")) for name in re.split(r" / | \(|\)", self.english) if name]
        return re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?:s|es)?(?!\w)", 0 if self.english.isupper() else re.IGNORECASE)


def parse(lines):
    """The terms of these lines, in the order of the alphabet."""
    terms = [Term(*(cell.strip() for cell in line.split("|", 4))) for line in lines if line.strip()]
    return sorted(terms, key=lambda term: term.english.lower())


def said(markdown):
    """A line with `$…$` as text."""
    return "".join(plain(part) if i % 2 else part for i, part in enumerate(markdown.split("$")))


def typeset(markdown):
    """A line with `$…$` as nodes."""
    parts = enumerate(markdown.split("$"))
    return [nodes.math(part, part, classes=[]) if i % 2 else nodes.Text(part) for i, part in parts if part]


def first_uses(env):
    """For each term the document, the number of its chapter, and the place that first use it.

    On the first page that has the term this is the section that is named after it, or else the first that has it. The opening of a page and its exercises come
    last: there a term is only announced, or used.
    """
    pages = [(docname, code, read(env, docname)) for docname, code in chapters(env).items()]
    found = {}
    for term in env.metadata[PAGE]["terms"]:
        for docname, code, page in pages:
            holding = [place for place in page.places if term.pattern.search("\n".join([place.title, *place.text]))]
            if holding and term.page in ("", code):
                first = min(holding, key=lambda place: ("Exercises" in place.above, not term.pattern.search(place.title), place is page.places[0]))
                found[term] = docname, code, first
                break
    return found


class Terms(SphinxDirective):
    has_content = True

    def run(self):
        terms = parse(self.content)
        self.env.metadata[PAGE]["terms"] = terms
        uses = first_uses(self.env)
        for term in terms:
            if term not in uses:
                logging.getLogger(__name__).warning("%r is nowhere in %s", term.english, term.page or "the chapters", location=self.get_location())
        sections = []
        for letter in sorted({term.english[0].upper() for term in terms}):
            items = [self.item(term, uses) for term in terms if term.english[0].upper() == letter]
            section = nodes.section("", nodes.title(letter, letter), nodes.definition_list("", *items), ids=[f"letter-{letter.lower()}"], names=[letter])
            sections.append(section)
        form = (
            '<form class="nn-filter" role="search" hidden><label for="glossary-filter">Show only terms with</label>'
            '<input type="search" id="glossary-filter" autocomplete="off" spellcheck="false"><p role="status"></p></form>'
        )
        return [nodes.raw("", form, format="html"), *sections]

    def item(self, term, uses):
        name = [nodes.strong("", term.english), nodes.Text(" "), nodes.raw("", f'<span lang="ko">{term.korean}</span>', format="html")]
        symbol = [nodes.Text(" "), *typeset(term.symbol)] if term.symbol else []
        meaning = nodes.paragraph("", "", *typeset(term.meaning[0].upper() + term.meaning[1:] + "."))
        if term in uses:
            docname, code, place = uses[term]
            uri = self.env.app.builder.get_relative_uri(PAGE, docname) + f"#{place.id}"
            title = f"{code} · {place.title}" if place.above else place.title
            meaning += [nodes.Text(" "), nodes.inline("", "", nodes.reference("", title, refuri=uri, internal=True), classes=["first-use"])]
        return nodes.definition_list_item("", nodes.term("", "", *name, *symbol, ids=[term.id]), nodes.definition("", meaning))


def add_filter(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        app.add_js_file("glossary.js", loading_method="defer")


def setup(app):
    app.add_directive("terms", Terms)
    read_last(app, PAGE)
    app.connect("html-page-context", add_filter)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
