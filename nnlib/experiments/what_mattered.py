"""What decides the accuracy on MNIST-1D: the network, the algorithm that trains it, or the number of examples? All crossed.

Three networks, five algorithms, three amounts of data. Four algorithms train all of θ; the fifth is Adam again, but it moves the last
layer only, and the hidden layers stay as they were drawn. All take as many steps on mini-batches, and each has five rates to choose from
by the validation part, for each network and amount anew (``RATES``). A seed draws the start, the examples and their order, the same for
all algorithms.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from nnlib import datasets
from nnlib.cnn import Flatten
from nnlib.experiments import permutation
from nnlib.layers import Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import SGD, Adam, RMSprop
from nnlib.schedules import one_cycle
from nnlib.search import grid_search
from nnlib.training import fit

NETWORKS = ["linear", "MLP", "CNN"]
RATES: dict[str, list[float]] = {
    "last layer only": [0.003, 0.01, 0.03, 0.1, 0.3],
    "SGD": [0.03, 0.1, 0.3, 1, 3],
    "momentum": [0.01, 0.03, 0.1, 0.3, 1],
    "RMSprop": [0.001, 0.003, 0.01, 0.03, 0.1],
    "Adam": [0.001, 0.003, 0.01, 0.03, 0.1],
}
SPACE: dict[str, Any] = {"network": NETWORKS, "algorithm": list(RATES), "of": [16, 4, 1], "rate": [0, 1, 2, 3, 4]}
SEEDS = 5
STEPS, BATCH = 800, 50
REPEATED = [(2, 0), (97, 0), (212, 0)]
TOLERANCE = {"n": 0, "validation": 0.06, "test": 0.06}


def network(name, seed):
    """One of the three networks, for signals of shape (batch, 40, 1)."""
    if name == "linear":
        return Sequential(Flatten(), Dense(40, 10, seed=seed)).astype(np.float32)
    return permutation.network(name, seed)


def train(model, optimizer, x, y, rng):
    """Train all of θ, epoch after epoch in a new order; a run that diverges ends where it was best."""
    n = STEPS * BATCH
    order = np.concatenate([rng.permutation(len(x)) for _ in range(-(-n // len(x)))])[:n]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fit(model, categorical_cross_entropy, (x[order], y[order]), optimizer, epochs=1, batch_size=BATCH, seed=rng, schedule=one_cycle())


def objective(setting, seed):
    """Draw n examples, learn from them, and return n and the accuracy on the validation and on the test part."""
    data, model, algorithm = datasets.mnist1d(), network(setting["network"], seed), setting["algorithm"]
    parts = [(part.x[..., None].astype(np.float32), part.y) for part in (data.train, data.validation, data.test)]
    if algorithm == "last layer only":
        for layer in model.layers[:-1]:
            parts = [(layer(x), y) for x, y in parts]
        model = copy.deepcopy(model.layers[-1])
    rate = RATES[algorithm][setting["rate"]]
    optimizer = {"SGD": SGD(rate), "momentum": SGD(rate, momentum=0.9), "RMSprop": RMSprop(rate)}.get(algorithm, Adam(rate))
    (x, y), *rest = parts
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(x))[: len(x) // setting["of"]]
    train(model, optimizer, x[drawn], y[drawn], rng)
    found = [round(float(accuracy(model(x), y)), 4) for x, y in rest]
    return {"n": len(drawn), "validation": found[0], "test": found[1]}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
