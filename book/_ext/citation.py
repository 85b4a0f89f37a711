"""`{citation}` shows how to cite the book, as a sentence and as BibTeX, from CITATION.cff."""

from pathlib import Path

import yaml
from sphinx.util.docutils import SphinxDirective

from repository import repository, site


def citation(about, year, address):
    """The sentence and the BibTeX entry, lines of Markdown; `address` may be ``None``."""
    authors = " and ".join(author["name"] for author in about["authors"])
    where = f" <{address}>" if address else ""
    fields = {"author": f"{{{authors}}}", "title": about["title"], "year": year, "version": about["version"], "url": address}
    entry = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return [
        f"{authors} ({year}). *{about['title']}* (version {about['version']}).{where}",
        "",
        *("```bibtex", "@book{mathematics-of-neural-networks,", *entry, "}", "```"),
    ]


class Citation(SphinxDirective):
    def run(self):
        root = Path(self.env.app.confdir)
        about = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
        here = repository(root)
        address = site(root) or (here and here.url)
        return self.parse_text_to_nodes("\n".join(citation(about, self.config.copyright, address)))


def setup(app):
    app.add_directive("citation", Citation)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
