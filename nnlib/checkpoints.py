"""States in one ``.npz`` file: models, optimizers, whole runs.

A state is a dictionary of arrays, numbers, texts, lists of these, and dictionaries. Each array is an array of the file, under its
name (``layers.0.W``; in a dictionary inside the state ``model/layers.0.W``); all else stands in ``state.json``. No pickle, so a file
from somebody else runs no code. Numbers come back bit for bit.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load", "save"]

REST = "state.json"  # all but the arrays


def save(path: str | os.PathLike, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all: until all is written, a file that was there stays.

    Parameters
    ----------
    path : str or path
        By custom with the ending ``.npz``.
    state : dict
        For example ``model.state()``, ``optimizer.state()``, or ``vars(history)``.

    Raises
    ------
    TypeError
        If something is neither array, number, text, None, nor a list or dictionary of these, or a name is no text.
    ValueError
        If a name is empty, holds ``/``, or is ``state.json``.

    Examples
    --------
    >>> import tempfile
    >>> from nnlib import checkpoints
    >>> from nnlib.mlp import MLP
    >>> model, other = MLP([2, 3, 1], seed=0), MLP([2, 3, 1], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoints.save(f"{folder}/model.npz", model.state())
    ...     other.restore(checkpoints.load(f"{folder}/model.npz"))
    >>> bool((model.theta == other.theta).all())
    True
    """
    arrays: dict[str, np.ndarray] = {}
    rest = json.dumps(_without_arrays(state, "", arrays))
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    with zipfile.ZipFile(unfinished, "w") as file:
        file.writestr(REST, rest)
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    os.replace(unfinished, path)


def load(path: str | os.PathLike) -> dict[str, Any]:
    """Read the state that `save` wrote; ``model.restore(state)`` puts it back, or refuses other names and shapes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it was not written by `save`, or not to its end.

    Examples
    --------
    >>> import tempfile
    >>> from nnlib import checkpoints
    >>> from nnlib.training import History
    >>> history = History(train_loss=[0.7, 0.1 + 0.2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoints.save(f"{folder}/history.npz", vars(history))
    ...     again = History(**checkpoints.load(f"{folder}/history.npz"))
    >>> again == history
    True
    """
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(f"{path} was not written by checkpoints.save, or not to its end: it is no .npz file")
    with np.load(path, allow_pickle=False) as stored:
        if REST not in stored:
            raise ValueError(f"{path} was not written by checkpoints.save: it has no {REST}, but {stored.files}")
        state = json.loads(stored[REST])
        for name in stored.files:
            if name != REST:
                *folders, last = name.split("/")
                inside = state
                for folder in folders:
                    inside = inside[folder]
                inside[last] = stored[name]
    return state


def _without_arrays(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """What JSON can hold of a state; its arrays go into ``arrays``."""
    if not isinstance(value, dict):
        return value
    rest = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"names in a state are texts, got {key!r}")
        if not key or "/" in key or key == REST:
            raise ValueError(f"{key!r} cannot be a name in a state: {REST} and / have a meaning of their own")
        if isinstance(item, np.ndarray):
            if item.dtype.hasobject:
                raise TypeError(f"{name}{key} is an array of Python objects, which only pickle could write")
            arrays[name + key] = item
        else:
            rest[key] = _without_arrays(item, f"{name}{key}/", arrays)
    return rest
