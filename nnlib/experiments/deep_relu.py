"""He's variance against Xavier's in a 30-layer ReLU network, as He et al. (2015) asked, and where the difference goes away.

Digits (block split), 29 hidden layers of 64 ReLU units, batches of 64, 20 epochs (320 steps), biases from 0. Five ways to train:
SGD with momentum 0.9; Adam; momentum with batch normalization before each ReLU; momentum with a way around each pair of layers,
once as it is, once with the second layer of each pair starting at 0, so that each pair starts as the identity. Each has five learning
rates, so that each may be judged at its own best, chosen by the validation set: a base rate, a tenth and ten times of it, and one
beyond at each end, so that the best is not at the edge.
"""

import warnings

import numpy as np

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.layers import Residual, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import SGD, Adam
from nnlib.regularizers import BatchNorm
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {
    "way": ["momentum", "Adam", "batch norm", "residual", "residual from 0"],
    "initializer": ["he", "xavier"],
    "factor": [0.03, 0.1, 1, 10, 30],  # times 0.003 for momentum, 0.001 for Adam
}
DEPTH, WIDTH, EPOCHS, BATCH = 30, 64, 20, 64


def build(way, initializer, seed, depth=DEPTH, width=WIDTH):
    """A ReLU network of that many dense layers for digits."""
    if way in ("momentum", "Adam"):
        return MLP([64] + [width] * (depth - 1) + [10], "relu", seed=seed, initializer=initializer)
    rng = np.random.default_rng(seed)

    def dense(n_in, n_out, initializer=initializer):
        return Dense(n_in, n_out, seed=rng, initializer=initializer)

    if way == "batch norm":
        hidden = [layer for k in range(depth - 1) for layer in (dense(64 if k == 0 else width, width), BatchNorm(width), ReLU())]
        return Sequential(*hidden, dense(width, 10))
    # A layer, then pairs with a way around each, then the last: 1 + 2 · 14 + 1 layers where depth is 30.
    second = initializer if way == "residual" else "zeros"
    pairs = [Residual(Sequential(ReLU(), dense(width, width), ReLU(), dense(width, width, second))) for _ in range((depth - 2) // 2)]
    return Sequential(dense(64, width), *pairs, ReLU(), dense(width, 10))


def objective(setting, seed):
    """Train once; the accuracies in per cent and the training loss after the last epoch."""
    data = datasets.digits()
    model = build(setting["way"], setting["initializer"], seed)
    optimizer = Adam(0.001 * setting["factor"]) if setting["way"] == "Adam" else SGD(0.003 * setting["factor"], momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a run that diverges has its best state put back
        history = fit(model, categorical_cross_entropy, data.train, optimizer, epochs=EPOCHS, batch_size=BATCH, seed=seed)
    return {
        "validation": round(100 * accuracy(model(data.validation.x), data.validation.y), 2),
        "test": round(100 * accuracy(model(data.test.x), data.test.y), 2),
        "loss": round(history.train_loss[-1], 3) if history.train_loss else 99.0,
        "diverged": int(history.diverged_at is not None),
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=3, memory=memory)


# Plain from Xavier's weights, which stays at chance, and ways around that start at 0, which learn smoothly: chaos hardly matters.
REPEATED = [(7, 0), (42, 0)]
TOLERANCE = {"validation": 4, "test": 4, "loss": 0.1, "diverged": 0}
