"""Run experiments and write what they find: ``python -m nnlib.experiments <name> …``; without a name, all of them."""

import sys
import tempfile
from pathlib import Path

from nnlib.experiments import FOLDER, load, names


def main(words):
    for name in words or names():
        memory = Path(tempfile.gettempdir()) / f"nnlib_{name}.jsonl"
        load(name).search(memory).save(FOLDER / f"{name}.jsonl")
        memory.unlink()
        print(f"{name}.jsonl is written")


if __name__ == "__main__":
    main(sys.argv[1:])
