"""The committed form of a notebook: run from top to bottom, with its text and without its pictures.

    python tools/notebooks.py                  run every chapter and write it in this form
    python tools/notebooks.py 01_definition    only the chapters of which the path holds this word

A diff then shows what changed in the words, the code, the numbers and the formulas. The site has the pictures.
"""

import copy
import hashlib
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "notebooks"
TEXT = ("text/plain", "text/markdown", "text/latex", "text/html")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags", "jupyter", "mystnb")  # what a page is made with; the rest is a program's memory of its use


def chapters() -> list[Path]:
    """All notebooks of the book."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def run(nb: NotebookNode) -> NotebookNode:
    """Run all cells in a fresh kernel, in the notebook's folder; an error stops it."""
    nb = copy.deepcopy(nb)
    NotebookClient(nb, timeout=600, kernel_name="python3", coalesce_streams=True, resources={"metadata": {"path": FOLDER}}).execute()
    return nb


def clean(nb: NotebookNode) -> NotebookNode:
    """Keep what a reader of the file can read, and nothing that differs from run to run."""
    nb = copy.deepcopy(nb)
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = nbformat.from_dict(METADATA)
    seen: dict[str, int] = {}
    for cell in nb.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = [kept for kept in map(_clean_output, cell.outputs) if kept is not None]
    return nb


def _clean_output(output: NotebookNode) -> NotebookNode | None:
    if "data" not in output:
        return output
    data = {kind: output.data[kind] for kind in TEXT if kind in output.data}
    return nbformat.from_dict({**output, "data": data, "metadata": {}}) if data else None


def written(nb: NotebookNode) -> str:
    """The text of the file."""
    return nbformat.writes(nb, indent=1, ensure_ascii=False) + "\n"


def main(words: list[str]) -> None:
    for path in chapters():
        if not words or any(word in str(path) for word in words):
            start = time.perf_counter()
            text = written(clean(run(read(path))))
            path.write_text(text, encoding="utf-8")
            print(f"{path.name}: run in {time.perf_counter() - start:.0f} s, {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
