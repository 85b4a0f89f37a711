"""Do the networks that fail at associative recall (`nnlib.experiments.recall`) fail because of their learning rate, or for want of steps?

One layer, two layers with MLPs and two without 1/√d_k, at a third of the rate, the same and three times it, and three times as long.
"end" is the share in percent of the answers to 1,000 new sequences that are right at the end, "best" the most at any of the looks.
"""

from typing import Any

import numpy as np

from nnlib import datasets
from nnlib.experiments import recall
from nnlib.search import grid_search

SPACE: dict[str, Any] = {
    "case": ["one layer", "two layers, MLPs", "two layers, unscaled"],
    "rate": [0.001, 0.003, 0.009],
    "steps": [60, 1440],
}
REPEATED = [(0, 0), (14, 1)]
TOLERANCE = {"end": 3, "best": 3}


def objective(setting, seed):
    """Accuracy in percent at the end, and the best on the way (twelve looks, after every twelfth part of the steps)."""
    x, y = datasets.recall(1000, distinct=recall.DISTINCT, vocabulary=recall.VOCABULARY, seed=np.random.default_rng([seed, 2]))
    every, seen = setting["steps"] // 12, []

    def look(t, model):
        if t and t % every == 0:
            seen.append(round(100 * float((model(x)[:, -1].argmax(axis=-1) == y).mean()), 1))

    recall.train(setting["case"], setting["steps"], seed, look, setting["rate"])
    return {"end": seen[-1], "best": max(seen)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=3, memory=memory)
