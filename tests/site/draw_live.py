"""Run a chapter in this process, live; describe every state of each explorer that it makes, and draw a sample.

    python draw_live.py chapter.ipynb count target

writes ``target.json`` (id of the explorer -> the sentence of every state) and ``target.npz`` (id/index -> pixels).
"""

import io
import json
import os
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image

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


def main(notebook, count, target):
    sentences, pictures = {}, {}
    for explorer in run(Path(notebook).resolve()):
        states = explorer.states()
        sentences[explorer.id] = [explorer.describe(**state) for state in states]
        for i in random.Random(explorer.id).sample(range(len(states)), min(int(count), len(states))):
            picture = explorer.picture(**states[i]).picture
            pictures[f"{explorer.id}/{i}"] = np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))
    Path(target).with_suffix(".json").write_text(json.dumps(sentences))
    np.savez(Path(target).with_suffix(".npz"), **pictures)


if __name__ == "__main__":
    main(*sys.argv[1:])
