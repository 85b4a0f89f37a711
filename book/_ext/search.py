"""The search of the book: what the search page searches.

Sphinx's own index knows words between spaces, to which Korean joins its particles, and pages rather than places; and its excerpts are fetched, which a page
opened from a file may not do. So the places of all pages go into one script, `search-index.js`, and book/_static/search.js gives them to MiniSearch,
which ranks them. Sphinx's stemmer for English stays.
"""

import json
import shutil
import unicodedata
from pathlib import Path

import glossary
from docutils import nodes
from reading import contents, inline, read

from nnlib.ledger import STATEMENTS

LIBRARY = "node_modules/minisearch/dist/umd/index.js"


def lay_out(app, config):
    """Lay the library beside what else the pages load."""
    assets = Path(app.confdir, "_build", "assets")
    shutil.copy(assets / LIBRARY, assets / "static" / "minisearch.js")


def parents(node):
    """The nodes around a node, from the inside."""
    while node := node.parent:
        yield node


def places(env, links):
    """Every place of the book that can be found: its page's number, anchor, kind, title, what stands around it, words, and the terms first used there."""
    terms = {}
    for term, (docname, _, place) in glossary.first_uses(env).items():
        terms.setdefault((docname, place.id), []).append(" ".join([term.english, term.korean, term.symbol]))
    statements = dict(STATEMENTS)
    for number, docname in enumerate(links):
        page = read(env, docname)
        for place in page.places:
            is_top = place is page.places[0]
            first = " ".join(terms.get((docname, place.id), []))
            if place.text or is_top:
                text = place.text[:2] if place.kind == "code" else place.text  # of a function what it does; its parameters would weigh more than a chapter
                yield number, "" if is_top else place.id, "page" if is_top else place.kind, place.title, list(place.above[1:]), " ".join(text), first
        for explorer in page.explorers:
            yield number, explorer.id, "explorer", explorer.title, [], explorer.sentence, ""
        for anchor, place in page.anchors.items():
            if anchor in statements:
                korean, english = statements.pop(anchor)
                yield number, anchor, "statement", anchor, [place.title], glossary.said(f"{english} {korean}"), ""
    for row in env.get_doctree("book/notation").findall(nodes.row):
        symbol, *cells = map(inline, row)
        if not isinstance(row.parent, nodes.thead):
            section = next(it for it in parents(row) if isinstance(it, nodes.section))
            yield links.index("book/notation"), section["ids"][0], "symbol", symbol, [inline(section[0])], " · ".join(filter(None, cells)), ""
    ledger = read(env, "book/ledger")
    for name, (korean, english) in statements.items():  # not in a chapter yet
        chapter = next(place for place in ledger.places if place.title.startswith(f"{name[1]} · "))
        yield links.index("book/ledger"), chapter.id, "statement", name, [chapter.title], glossary.said(f"{english} {korean}"), ""


def write_index(app, exception):
    if exception or app.builder.format != "html":
        return
    links = contents(app.env)
    found = [[unicodedata.normalize("NFKC", it) if isinstance(it, str) and i != 1 else it for i, it in enumerate(place)] for place in places(app.env, links)]
    titles = [[app.builder.get_target_uri(page), app.env.titles[page].astext()] for page in links]
    data = json.dumps({"pages": titles, "places": found}, ensure_ascii=False, separators=(",", ":"))
    Path(app.outdir, "search-index.js").write_text(f"const BOOK = {data};\n", encoding="utf-8")
    for unused in ("searchindex.js", "_static/searchtools.js"):
        Path(app.outdir, unused).unlink()


def setup(app):
    app.connect("config-inited", lay_out, priority=900)  # after what npm brings has come
    app.connect("build-finished", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
