"""Settings crossed with data splits and seeds: how much of the variance lies where?

Twenty settings of each of three kinds: the first of the wide box, the first of the sensible one, and the best of the wide one (by their mean accuracy on
the validation part in `hyperparameter_search`; for each data set its own). Each is trained on five splits of the data with three seeds: ``split_2`` is the
accuracy on the test part of the third split. Neither the splits nor the seeds are those that chose the best.
"""

import numpy as np

from nnlib import experiments
from nnlib.experiments.hyperparameter_search import DATA, trained
from nnlib.metrics import accuracy
from nnlib.search import grid_search

SPLITS = 5
SPACE = {"data": ["digits", "signals"], "kind": ["wide", "sensible", "best"], "number": list(range(20))}
REPEATED = [(41, 0), (100, 1)]
TOLERANCE = {f"split_{k}": 0.05 for k in range(SPLITS)}


def setting_of(data, kind, number):
    """A setting of one of the two searches."""
    runs = experiments.runs("hyperparameter_sensible" if kind == "sensible" else "hyperparameter_search")
    order = np.argsort(-runs.mean(f"{data}_validation"), kind="stable") if kind == "best" else range(len(runs.settings))
    return runs.settings[order[number]]


def objective(setting, seed):
    found, chosen = {}, setting_of(**setting)
    for k in range(SPLITS):
        parts = DATA[setting["data"]](split=k)
        model, _ = trained(parts, chosen, 1000 + seed)
        found[f"split_{k}"] = round(accuracy(model(parts.test.x), parts.test.y), 4)
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=3, memory=memory)
