"""`{gallery}`: every explorer of the book, chapter by chapter, as a picture of the state in which it opens."""

import html

from docutils import nodes
from reading import chapters, read, read_last
from sphinx.util.docutils import SphinxDirective

PAGE = "book/gallery"

CARD = """<li><a href="{address}">{title}</a>
<img src="{picture}" alt="{sentence}" width="{width}" height="{height}" loading="lazy" decoding="async"{photo}></li>"""


class Gallery(SphinxDirective):
    def run(self):
        sections = []
        for docname in chapters(self.env):
            if explorers := read(self.env, docname).explorers:
                cards = [self.card(docname, explorer) for explorer in explorers]
                title = self.env.titles[docname].deepcopy()
                grid = nodes.raw("", f'<ul class="nn-gallery">{"".join(cards)}</ul>', format="html")
                sections.append(nodes.section("", nodes.title("", "", *title.children), grid, ids=[docname.split("/")[1].replace("_", "-")]))
        return sections

    def card(self, docname, explorer):
        address = self.env.app.builder.get_relative_uri(PAGE, docname) + f"#{explorer.id}"
        words = {name: html.escape(getattr(explorer, name)) for name in ("title", "picture", "sentence", "width", "height")}
        return CARD.format(address=address, photo=' class="nn-photo"' * explorer.photo, **words)


def setup(app):
    app.add_directive("gallery", Gallery)
    read_last(app, PAGE)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
