"""A fair race of optimizers: chapter 7. The same network, batches and starts; for each optimizer nine learning rates.

The rates span four powers of ten around a centre that suits each (``CENTRE``): the factor is what is searched. A network 64-64-64-10 learns the
digits for 20 epochs, a network 40-100-100-10 learns MNIST-1D for 12, both in batches of 50 at a constant rate. A run that diverges has its best
parameters put back.
"""

import warnings
from collections.abc import Callable

from nnlib import datasets
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP
from nnlib.optimizers import SGD, Adam, Optimizer, RMSprop
from nnlib.search import grid_search
from nnlib.training import fit

OPTIMIZERS: dict[str, Callable[[float], Optimizer]] = {
    "SGD": lambda rate: SGD(rate),
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "RMSprop": lambda rate: RMSprop(rate),
    "Adam": lambda rate: Adam(rate),
}
CENTRE = {"SGD": 0.1, "momentum": 0.01, "RMSprop": 0.001, "Adam": 0.001}
DATA: dict[str, tuple[Callable, list[int], int]] = {"digits": (datasets.digits, [64, 64, 64, 10], 20), "MNIST-1D": (datasets.mnist1d, [40, 100, 100, 10], 12)}
SPACE = {"data": list(DATA), "optimizer": list(OPTIMIZERS), "factor": [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]}
REPEATED = [(4, 0), (13, 0), (67, 1)]
TOLERANCE = {"loss": 0.1, "validation": 4, "test": 4, "diverged": 0}


def objective(setting, seed):
    """The mean training loss of the last epoch, and accuracies in per cent after it."""
    load, sizes, epochs = DATA[setting["data"]]
    data, model = load(), MLP(sizes, "relu", seed=seed)
    optimizer = OPTIMIZERS[setting["optimizer"]](CENTRE[setting["optimizer"]] * setting["factor"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a run that diverges has its best state put back
        history = fit(model, categorical_cross_entropy, data.train, optimizer, epochs=epochs, batch_size=50, seed=seed)
    return {
        "loss": min(99.0, round(history.train_loss[-1], 4)) if history.train_loss else 99.0,
        "validation": round(100 * accuracy(model(data.validation.x), data.validation.y), 2),
        "test": round(100 * accuracy(model(data.test.x), data.test.y), 2),
        "diverged": int(history.diverged_at is not None),
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
