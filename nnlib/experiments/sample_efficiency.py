"""How many examples a network needs: digits and MNIST-1D, from 1/32 of the training part to all of it.

Two networks, each also with examples that are moved at random before every step, and two classical methods. All networks take as many
steps. Each method has three values to choose from, by the validation part, at each number of examples anew: the rate of a network, the
constant of the support vector machine (``VALUES``; the nearest neighbour has none). Each seed draws examples of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.cnn import Conv2D, Flatten, MaxPool2D
from nnlib.experiments import permutation, shift
from nnlib.layers import Layer, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.schedules import one_cycle
from nnlib.search import grid_search
from nnlib.training import fit

METHODS = ["MLP", "MLP, moved", "CNN", "CNN, moved", "SVM", "1-NN"]
SPACE: dict[str, Any] = {"data": ["MNIST-1D", "digits"], "method": METHODS, "of": [32, 8, 2, 1], "value": [0, 1, 2]}
SEEDS = 10
VALUES: dict[str, list[float]] = {"rate": [0.01, 0.03, 0.1], "constant": [1, 10, 100]}
STEPS, BATCH = 800, 50
FARTHEST = {"MNIST-1D": 8, "digits": 1}     # samples forth or back, in a circle; pixels down, up, right or left
REPEATED = [(1, 0), (85, 0), (141, 0)]
TOLERANCE = {"n": 0, "validation": 0.06, "test": 0.06}


def parts(name):
    """Training, validation and test, for a network: signals (batch, 40, 1), or digits in the middle of 10 × 10 pixels."""
    if name == "MNIST-1D":
        data = datasets.mnist1d()
        return [(part.x[..., None].astype(np.float32), part.y) for part in (data.train, data.validation, data.test)]
    data = datasets.digits("block")
    return [(shift.canvas(part, data, side=10).astype(np.float32), part.y) for part in (data.train, data.validation, data.test)]


def network(data, method, seed):
    """The MLP or the CNN for one of the two data sets."""
    if data == "MNIST-1D":
        return permutation.network(method, seed)
    rng = np.random.default_rng(seed)
    layers: tuple[Layer, ...]
    if method == "MLP":
        layers = Flatten(), Dense(100, 128, seed=rng), ReLU(), Dense(128, 10, seed=rng)
    else:
        layers = (
            Conv2D(1, 16, 3, padding=1, seed=rng), ReLU(), MaxPool2D(2), Conv2D(16, 32, 3, padding=1, seed=rng), ReLU(),
            Flatten(), Dense(5 * 5 * 32, 10, seed=rng),
        )
    return Sequential(*layers).astype(np.float32)


def stream(data, x, y, moved, rng):
    """Examples for all steps: epoch after epoch in a new order, each time somewhere else if they are to be moved."""
    n = STEPS * BATCH
    which = np.concatenate([rng.permutation(len(x)) for _ in range(-(-n // len(x)))])[:n]
    x, y, far = x[which], y[which], FARTHEST[data]
    if moved and data == "digits":
        x = shift.moved(x, *rng.integers(-far, far + 1, size=(2, n)))
    elif moved:
        later = rng.integers(-far, far + 1, size=n)
        x = x[np.arange(n)[:, None], (np.arange(40) - later[:, None]) % 40]
    return x, y


def classical(method, constant):
    """The method of scikit-learn."""
    return KNeighborsClassifier(n_neighbors=1) if method == "1-NN" else SVC(C=constant)


def objective(setting, seed):
    """Draw n training examples, learn from them, and return n and the accuracy on the validation and on the test part."""
    train, *rest = parts(setting["data"])
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(train[0]))[: len(train[0]) // setting["of"]]
    x, y = train[0][drawn], train[1][drawn]
    name, _, moved = setting["method"].partition(", ")
    if name in ("SVM", "1-NN"):
        model = classical(name, VALUES["constant"][setting["value"]]).fit(x.reshape(len(x), -1), y)
        found = [model.score(x.reshape(len(x), -1), y) for x, y in rest]
    else:
        model = network(setting["data"], name, seed)
        examples, optimizer = stream(setting["data"], x, y, bool(moved), rng), Adam(VALUES["rate"][setting["value"]])
        fit(model, categorical_cross_entropy, examples, optimizer, epochs=1, batch_size=BATCH, seed=seed, schedule=one_cycle(), clip_norm=1.0)
        found = [accuracy(model(x), y) for x, y in rest]
    return {"n": len(y), "validation": round(float(found[0]), 4), "test": round(float(found[1]), 4)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
