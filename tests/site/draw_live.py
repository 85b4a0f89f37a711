"""Run a chapter in this process, live, and draw every state of each explorer that it makes.

    python draw_live.py chapter.ipynb target.json

writes for each explorer, by its id, the sentence of every state and the SHA-256 of its picture.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

from nnlib import explorers


def run(notebook):
    """Execute the code cells of a notebook in its folder, and return the explorers they made."""
    made, explore = [], explorers.explore
    explorers.explore = lambda *arguments, **options: made.append(explore(*arguments, **options)) or made[-1]
    os.chdir(notebook.parent)
    names = {"__name__": "__main__"}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), str(notebook), "exec"), names)
    return made


def main(notebook, target):
    told = {}
    for explorer in run(Path(notebook).resolve()):
        drawn = explorers.draw_all(explorer)
        told[explorer.id] = [[sentence, hashlib.sha256(picture.data).hexdigest()] for picture, sentence in drawn]
    Path(target).write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
