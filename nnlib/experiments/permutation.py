"""MNIST-1D with the samples of every signal moved to other places, alike in all signals: within blocks of 1 (as it was) to 40 samples.

Each seed has a permutation of its own. Three networks: one that connects everything, one that shares its weights in space, one that
shares them in time. Each has four rates to choose from, by the validation part, at each block anew (`nnlib.search.Runs.mean`).
"""

from __future__ import annotations

import numpy as np

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.cnn import Conv1D, Flatten
from nnlib.layers import Layer, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.rnn import GRU
from nnlib.schedules import one_cycle
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"network": ["MLP", "CNN", "GRU"], "block": [1, 2, 4, 10, 40], "rate": [0.003, 0.01, 0.03, 0.1]}
SEEDS = 10
EPOCHS = {"MLP": 20, "CNN": 30, "GRU": 20}
REPEATED = [(2, 0), (20, 0)]
TOLERANCE = {"validation": 0.06, "test": 0.06}


def shuffled_within(block, rng):
    """A permutation of 40 places that leaves each sample in its block of so many."""
    return np.concatenate([start + rng.permutation(block) for start in range(0, 40, block)])


def network(name, seed):
    """One of the three networks, for signals of shape (batch, 40, 1)."""
    rng = np.random.default_rng(seed)
    layers: tuple[Layer, ...]
    if name == "MLP":
        layers = Flatten(), Dense(40, 128, seed=rng), ReLU(), Dense(128, 128, seed=rng), ReLU(), Dense(128, 10, seed=rng)
    elif name == "CNN":
        layers = (
            Conv1D(1, 25, 5, stride=2, padding=1, seed=rng), ReLU(), Conv1D(25, 25, 3, stride=2, padding=1, seed=rng), ReLU(),
            Conv1D(25, 25, 3, stride=2, padding=1, seed=rng), ReLU(), Flatten(), Dense(125, 10, seed=rng),
        )
    else:
        layers = GRU(1, 24, seed=rng), Dense(24, 10, seed=rng)
    return Sequential(*layers).astype(np.float32)


def objective(setting, seed):
    """Move the samples, train, and return the accuracy on the validation and on the test part."""
    places = shuffled_within(setting["block"], np.random.default_rng(seed))
    data = datasets.mnist1d()
    train, validation, test = (
        (part.x[:, places, None].astype(np.float32), part.y)
        for part in (data.train, data.validation, data.test)
    )
    model = network(setting["network"], seed)
    fit(
        model, categorical_cross_entropy, train, Adam(setting["rate"]),
        epochs=EPOCHS[setting["network"]], batch_size=100, seed=seed,
        schedule=one_cycle(), clip_norm=1.0,
    )
    return {
        "validation": round(accuracy(model(validation[0]), validation[1]), 4),
        "test": round(accuracy(model(test[0]), test[1]), 4),
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
