"""Does a classifier need cross-entropy? Its strongest rival regresses on one-hot vectors with MSE: chapter 7.

The same network, starts and batches of 50; for each loss six learning rates of Adam. A network 64-64-10 learns the digits for 40 epochs, a
network 40-100-10 learns MNIST-1D for 32. Returned are the accuracies in per cent of the largest output, on the validation and on the test part,
after a quarter of the epochs (``early``) and after all of them.
"""

import warnings
from collections.abc import Callable

import numpy as np

from nnlib import datasets
from nnlib.losses import categorical_cross_entropy, mse
from nnlib.metrics import accuracy
from nnlib.mlp import MLP
from nnlib.optimizers import Adam
from nnlib.search import grid_search
from nnlib.training import fit

DATA: dict[str, tuple[Callable, list[int], int]] = {"digits": (datasets.digits, [64, 64, 10], 40), "MNIST-1D": (datasets.mnist1d, [40, 100, 10], 32)}
LOSSES = ["cross-entropy", "MSE on one-hot"]
SPACE = {"data": list(DATA), "loss": LOSSES, "rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]}
REPEATED = [(2, 0), (20, 1)]
TOLERANCE = {"validation_early": 2, "test_early": 2, "validation": 2, "test": 2}


def objective(setting, seed):
    load, sizes, epochs = DATA[setting["data"]]
    data, model, found = load(), MLP(sizes, "relu", seed=seed), {}
    x, y = data.train
    squared = setting["loss"] == "MSE on one-hot"
    looks = {epochs // 4: "_early", epochs: ""}

    def look(epoch, model):
        if epoch in looks:
            for name in ("validation", "test"):
                part = getattr(data, name)
                right = 100 * accuracy(model(part.x), part.y)
                found[name + looks[epoch]] = round(right, 2)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fit(
            model, mse if squared else categorical_cross_entropy,
            (x, np.eye(10)[y] if squared else y), Adam(setting["rate"]),
            epochs=epochs, batch_size=50, seed=seed, on_epoch=look,
        )
    for epoch, when in looks.items():
        if "test" + when not in found:  # it diverged: the best parameters
            look(epoch, model)
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
