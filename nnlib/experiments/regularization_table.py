"""Every technique against overfitting, alone and all together, each in its best setting: ten new seeds meet the test set.

The setting is the one of six that the validation set chose (`regularization_tuning`). The test set is in ten blocks of neighbours, and each
run says how many of a block are right: that is what the error of the test set is computed from.
"""

import numpy as np

from nnlib import experiments
from nnlib.experiments.regularization_tuning import TECHNIQUES, trained
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.search import grid_search

SPACE = {"data": ["digits", "mnist1d"], "technique": TECHNIQUES}
SEEDS = 10
BLOCKS = 10
REPEATED = [(1, 0), (13, 3)]
TOLERANCE = {"test": 0.02, "loss": 0.1, "train": 0.02} | {f"right_{k}": 10 for k in range(BLOCKS)}


def chosen(data, technique):
    """The number of the trial with the highest mean accuracy on the validation set."""
    tuning = experiments.runs("regularization_tuning")
    mine = [i for i, setting in enumerate(tuning.settings) if (setting["data"], setting["technique"]) == (data, technique)]
    return tuning.settings[max(mine, key=lambda i: tuning.mean("validation")[i])]["trial"]


def objective(setting, seed):
    data, technique = setting["data"], setting["technique"]
    model, parts, drawn = trained(data, technique, chosen(data, technique), seed)
    logits = model(parts.test.x)
    right = logits.argmax(axis=1) == parts.test.y
    return {
        "test": round(float(right.mean()), 5),
        "loss": round(categorical_cross_entropy(logits, parts.test.y)[0], 4),
        "train": round(accuracy(model(parts.train.x[drawn]), parts.train.y[drawn]), 4),
        **{f"right_{k}": int(block.sum()) for k, block in enumerate(np.array_split(right, BLOCKS))},
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
