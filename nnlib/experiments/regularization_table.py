"""Every technique against overfitting, alone and all together, each in its best setting: ten new seeds meet the test set.

The setting is the one of six that the validation set chose (`regularization_tuning`). The test set is in parts: ten blocks of signals, or
five runs of digits. The digits' labels repeat a sequence of some 128, in which evidently one form per hand was read, and ``HANDS`` is where the
test set goes from one to the next. Each run says how many of a part are right: that is what the error of the test set is computed from.
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
HANDS = [87, 215, 345, 467]                    # of the 597 test digits, in the order of the data
REPEATED = [(1, 0), (13, 3)]
TOLERANCE = {"test": 0.02, "loss": 0.1, "train": 0.02} | {f"right_{k}": 10 for k in range(BLOCKS)}


def chosen(data, technique):
    """The number of the trial with the highest mean accuracy on the validation set."""
    tuning = experiments.runs("regularization_tuning")
    mine = [i for i, setting in enumerate(tuning.settings) if (setting["data"], setting["technique"]) == (data, technique)]
    return tuning.settings[max(mine, key=lambda i: tuning.mean("validation")[i])]["trial"]


def parts_of(data, right):
    """The answers (right or wrong) in the parts of the test set that are independent of each other."""
    return np.split(right, HANDS) if data == "digits" else np.array_split(right, BLOCKS)


def objective(setting, seed):
    data, technique = setting["data"], setting["technique"]
    model, parts, drawn = trained(data, technique, chosen(data, technique), seed)
    logits = model(parts.test.x)
    right = logits.argmax(axis=1) == parts.test.y
    counts = dict.fromkeys((f"right_{k}" for k in range(BLOCKS)), float("nan"))
    counts |= {f"right_{k}": int(part.sum()) for k, part in enumerate(parts_of(data, right))}
    return {
        "test": round(float(right.mean()), 5),
        "loss": round(categorical_cross_entropy(logits, parts.test.y)[0], 4),
        "train": round(accuracy(model(parts.train.x[drawn]), parts.train.y[drawn]), 4),
        **counts,
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
