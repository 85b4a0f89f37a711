"""What a loss buys on imbalanced data: chapter 7. Each is trained as `imbalance_tuning` chose for it, on twenty draws of each problem.

Returned are figures of the test part: average precision (``ap``), the area under the ROC curve (``auc``), F₁ and accuracy at the probability 0.5
(``f1``, ``accuracy``) and at the threshold of the highest F₁ on the validation part (``f1_moved``, ``accuracy_moved``), and the error of
calibration in ten bins (``ece``). A score that was trained for its order alone has no threshold of its own and gives no probabilities: what would
need them is NaN for the AUC loss.
"""

import math
from functools import cache

import numpy as np

from nnlib import experiments
from nnlib.activations import Sigmoid
from nnlib.experiments import imbalance_tuning
from nnlib.metrics import auc, average_precision, calibration_error, f1, precision_recall
from nnlib.search import grid_search

SPACE = {"problem": imbalance_tuning.PROBLEMS, "loss": imbalance_tuning.LOSSES}
REPEATED = [(0, 0), (13, 4), (20, 7)]
TOLERANCE = {"ap": 0.1, "auc": 0.05, "f1": 0.2, "f1_moved": 0.2, "accuracy": 0.05, "accuracy_moved": 0.05, "ece": 0.05}


@cache
def tuned():
    """By problem and loss: the rate and how long to train, as the validation parts of other draws chose them."""
    return imbalance_tuning.chosen(experiments.runs("imbalance_tuning"))


def best_threshold(scores, labels):
    """The threshold of the highest F₁: half-way between the lowest score that is called positive there and the next one."""
    precision, recall, thresholds = precision_recall(scores, labels)
    precision, recall = precision[:-1], recall[:-1]
    k = int(np.argmax(2 * precision * recall / np.maximum(precision + recall, 1e-12)))
    return float(thresholds[k] if k == 0 else (thresholds[k] + thresholds[k - 1]) / 2)


def objective(setting, seed):
    name, loss = setting["problem"], setting["loss"]
    data = imbalance_tuning.problem(name, seed)
    rate, look = tuned()[name, loss]
    model = imbalance_tuning.train(name, loss, rate, data, seed, until=look)
    validation, test, y = model(data.validation.x)[:, 0], model(data.test.x)[:, 0], data.test.y
    moved, ordered = best_threshold(validation, data.validation.y), loss == "AUC"
    found = {
        "ap": average_precision(test, y),
        "auc": auc(test, y),
        "f1": math.nan if ordered else f1(test, y),
        "f1_moved": f1(test, y, moved),
        "accuracy": math.nan if ordered else float(np.mean((test >= 0) == y)),
        "accuracy_moved": float(np.mean((test >= moved) == y)),
        "ece": math.nan if ordered else calibration_error(Sigmoid()(test), y),
    }
    return {key: round(float(value), 4) for key, value in found.items()}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=20, memory=memory)
