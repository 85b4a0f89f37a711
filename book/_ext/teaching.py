"""The table on the teachers' page: what each chapter needs, how long it takes and what it asks, as `{chapters}`, read from the chapters themselves."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from reading import duration, read, read_last
from sphinx.util.docutils import SphinxDirective

NEEDS = re.compile(r"\*You need:\*\s+(.+?\.\)?)(?:\s|$)", flags=re.DOTALL)
QUESTION = re.compile(r"(?:<details><summary>.*?</details>\s*){2,}", flags=re.DOTALL)
EXERCISE = re.compile(r"^### (Exercise \d+\b.*)", flags=re.MULTILINE)
EXERCISES = re.compile(r"^## Exercises$", flags=re.MULTILINE)


class Chapter(NamedTuple):
    title: str
    needs: str
    questions: int
    exercises: list


def chapter(path):
    """What a notebook says of itself. Its links are those of its folder."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    title = re.search(r"^# (.+)", text)
    needs = NEEDS.search(text)
    if not title or not needs:
        raise ValueError(f"{path} expects a title in its first line, and further on '*You need:* … .'")
    before, *after = EXERCISES.split(text)
    return Chapter(title[1], needs[1].rstrip("."), len(QUESTION.findall(before)), EXERCISE.findall("".join(after)))


def from_the_pages(markdown):
    """Turn the links of a notebook into those of a page in book/."""
    return re.sub(r"\]\((?!\w+:|#)(\.\./book/)?", lambda link: "](" if link[1] else "](../notebooks/", markdown)


class Chapters(SphinxDirective):
    """One row for each chapter of the book that is a notebook."""

    def run(self):
        lines = ["| Chapter | What it needs | To read | Questions | Exercises |", "|---|---|---|--:|--:|"]
        for name in sorted(name for name in self.env.found_docs if name.startswith("notebooks/")):
            path = self.env.doc2path(name)
            self.env.note_dependency(path)
            title, needs, questions, exercises = chapter(path)
            time = duration(read(self.env, name).minutes)
            lines.append(f"| [{title}](/{self.env.doc2path(name, base=False)}) | {from_the_pages(needs)} | {time} | {questions} | {len(exercises)} |")
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app):
    app.add_directive("chapters", Chapters)
    read_last(app, "book/teaching")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
