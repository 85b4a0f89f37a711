"""Training too long for a page: what each experiment runs, and what it found.

An experiment is a module here, with its results beside it in a file of the same name. The module holds

- ``SPACE``, the settings, as in `nnlib.search`;
- ``objective(setting, seed)``, one run, which returns a dictionary of numbers;
- ``search(memory)``, the `nnlib.search.Runs` of all settings and seeds;
- ``REPEATED``, pairs (setting number, seed) that the tests run again, in a few seconds;
- ``TOLERANCE``, by the name of a value how far the second run may be from the first: 0 where only whole counts come out.

``python -m nnlib.experiments <name>`` runs one, in parallel, and writes its file; a run that was stopped goes on where it was.
"""

import importlib
import pkgutil
from pathlib import Path

from nnlib.search import Runs, _header

__all__ = ["load", "names", "runs"]

FOLDER = Path(__file__).parent


def names():
    """The experiments that there are.

    Examples
    --------
    >>> from nnlib import experiments
    >>> isinstance(experiments.names(), list)
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]) if not module.name.startswith("_"))


def load(name):
    """The module of an experiment.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> from nnlib import experiments
    >>> experiments.load("alchemy")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: expected one of the experiments [...], got 'alchemy'
    """
    if name not in names():
        raise ValueError(f"expected one of the experiments {names()}, got {name!r}")
    return importlib.import_module(f"nnlib.experiments.{name}")


def runs(name):
    """What an experiment found, as `nnlib.search.Runs`, read from its file.

    Raises
    ------
    ValueError
        If there is no such experiment, or its file was made with another ``SPACE`` than the module has now.

    Examples
    --------
    >>> from nnlib import experiments
    >>> [len(experiments.runs(name).seeds) > 0 for name in experiments.names()[:1]]
    [True]
    """
    module, found = load(name), Runs.load(FOLDER / f"{name}.jsonl")
    if _header(found.space) != _header(module.SPACE):
        raise ValueError(f"the results of {name} are those of another space: run `python -m nnlib.experiments {name}`")
    return found
