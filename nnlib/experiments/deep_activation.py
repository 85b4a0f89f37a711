"""Sigmoid, tanh and ReLU in a 20-layer network, each from Xavier's and from He's variance, at five learning rates.

Digits (block split), 19 hidden layers of 64 units, momentum 0.9, batches of 64, 20 epochs (320 steps), biases from 0. The learning
rate of each is chosen by the validation set.
"""

import warnings

from nnlib import datasets
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP
from nnlib.optimizers import SGD
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"f": ["sigmoid", "tanh", "relu"], "initializer": ["xavier", "he"], "rate": [0.001, 0.003, 0.01, 0.03, 0.1]}
DEPTH, EPOCHS = 20, 20


def objective(setting, seed):
    """Train once; the accuracies in per cent and the training loss after the last epoch."""
    data = datasets.digits()
    model = MLP([64] + [64] * (DEPTH - 1) + [10], setting["f"], seed=seed, initializer=setting["initializer"])
    optimizer = SGD(setting["rate"], momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a run that diverges has its best state put back
        history = fit(model, categorical_cross_entropy, data.train, optimizer, epochs=EPOCHS, batch_size=64, seed=seed)
    return {
        "validation": round(100 * accuracy(model(data.validation.x), data.validation.y), 2),
        "test": round(100 * accuracy(model(data.test.x), data.test.y), 2),
        "loss": round(history.train_loss[-1], 3) if history.train_loss else 99.0,
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)


REPEATED = [(12, 0)]  # tanh from Xavier's variance at 0.01
TOLERANCE = {"validation": 4, "test": 4, "loss": 0.1}
