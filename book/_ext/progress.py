"""What book/_static/progress.js needs to know of a page to remember a reader's way through it: which answers there are, and which exercises.

An answer is known by its words, an exercise by its anchor, so that what a browser remembers outlives changes elsewhere on the page.
"""

import hashlib
import re
from collections import Counter

from docutils import nodes
from sphinx.transforms import SphinxTransform

ANSWER = re.compile(r"<details>(?=\s*<summary>(.*?)</summary>)", flags=re.DOTALL)
EXERCISE = re.compile(r"Exercise \d+\b")


def name_answers(html, seen):
    """Give each ``<details>`` a name made from its summary; `seen` counts those of the page, among which two may read alike."""

    def named(opening):
        seen[opening[1]] += 1
        name = hashlib.sha256(f"{opening[1]}{seen[opening[1]]}".encode()).hexdigest()[:8]
        return f'<details data-answer="{name}">'

    return ANSWER.sub(named, html)


class MarkQuestions(SphinxTransform):
    """Name the answers, and mark the exercises with a class."""

    default_priority = 878

    def apply(self, **kwargs):
        seen = Counter()
        for raw in list(self.document.findall(nodes.raw)):
            if "<details>" in raw.astext():
                raw.replace_self(nodes.raw("", name_answers(raw.astext(), seen), format="html"))
        for section in self.document.findall(nodes.section):
            if EXERCISE.match(section.next_node(nodes.title).astext()):
                section["classes"].append("exercise")


def setup(app):
    app.add_transform(MarkQuestions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
