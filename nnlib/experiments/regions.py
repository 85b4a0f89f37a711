"""How many flat pieces ReLU networks of 64 hidden neurons have in the square [−1, 1]², at a random start and after training: chapter 2.

Counted exactly, by `nnlib.approximation.linear_regions`. The networks learn two spirals, 60 epochs of Adam, from a start with random biases
(with biases 0 all lines of the first layer would meet in one point).
"""

import numpy as np

from nnlib import datasets
from nnlib.approximation import linear_regions
from nnlib.losses import binary_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP
from nnlib.optimizers import Adam
from nnlib.search import grid_search
from nnlib.training import fit

SHAPES = {"1 × 64": [64], "2 × 32": [32] * 2, "4 × 16": [16] * 4, "8 × 8": [8] * 8}
EPOCHS = 60

SPACE = {"shape": list(SHAPES)}
REPEATED = [(0, 0), (2, 1)]
TOLERANCE = {"start": 3, "trained": 150, "accuracy": 0.05}


def spirals():
    return datasets.spirals(300, noise=0.03, seed=0)


def begin(shape, seed):
    """A random network with random biases."""
    rng = np.random.default_rng(seed)
    model = MLP([2, *SHAPES[shape], 1], "relu", seed=rng)
    for layer in model.layers[:-1:2]:
        layer.b = rng.normal(scale=0.3, size=len(layer.b))
    return model


def train(model, seed, on_epoch=None):
    x, y = spirals()
    fit(model, binary_cross_entropy, (x, y[:, None]), Adam(0.01), epochs=EPOCHS, batch_size=20, seed=seed, on_epoch=on_epoch)


def objective(setting, seed):
    model = begin(setting["shape"], seed)
    start = len(linear_regions(model, low=-1, high=1))
    train(model, seed)
    x, y = spirals()
    return {"start": start, "trained": len(linear_regions(model, low=-1, high=1)), "accuracy": round(accuracy(model(x), y), 4)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
