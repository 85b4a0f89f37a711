"""Sunspots a year ahead: an MLP, a simple RNN and a GRU, on the numbers themselves and on their square roots.

Each has 16 hidden units and sees the 9 or the 22 years before. Trained by Adam on the years up to 1920, stopped early by the years
1921 to 1955; errors are in sunspots, also where roots were predicted.
"""

import numpy as np

from nnlib import datasets
from nnlib.layers import Sequential
from nnlib.losses import mse
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import Adam
from nnlib.rnn import GRU, RNN
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"network": ["MLP", "RNN", "GRU"], "root": [False, True], "lags": [9, 22], "rate": [0.003, 0.01, 0.03]}


def network(name, lags, seed):
    rng = np.random.default_rng(seed)
    if name == "MLP":
        return MLP([lags, 16, 1], "tanh", seed=rng)
    return Sequential({"RNN": RNN, "GRU": GRU}[name](1, 16, seed=rng), Dense(16, 1, seed=rng))


def parts(name, lags, root):
    """Training, validation and test: an MLP sees the years side by side, the others one after the other; and the way to sunspots."""
    data = datasets.sunspots(lags, root=root)
    shaped = [(x if name == "MLP" else x[:, :, None], y) for x, y in (data.train, data.validation, data.test)]

    def in_sunspots(y):
        return np.maximum(y * data.std + data.mean, 0) ** (2 if root else 1)

    return shaped, in_sunspots


def objective(setting, seed):
    """Root mean squared errors in sunspots, and the epoch that validated best; the test years also split by what training had seen."""
    name, lags, root = setting["network"], setting["lags"], setting["root"]
    (train, validation, test), in_sunspots = parts(name, lags, root)
    model = network(name, lags, seed)
    history = fit(model, mse, train, Adam(setting["rate"]), epochs=400, batch_size=32, seed=seed, validation=validation, patience=50, clip_norm=1.0)
    squares = [(in_sunspots(model(x)) - in_sunspots(y)) ** 2 for x, y in (validation, test)]
    unseen = in_sunspots(test[1]) > in_sunspots(train[1]).max()  # years more active than any of the training years
    found = {"validation": squares[0], "test": squares[1], "within": squares[1][~unseen], "above": squares[1][unseen]}
    return {part: round(float(np.sqrt(np.mean(values))), 2) for part, values in found.items()} | {"epoch": history.best_epoch}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)


# An MLP and an RNN at the larger rate.
REPEATED = [(1, 0), (13, 0)]
TOLERANCE = {"validation": 1.5, "test": 2.5, "within": 2.5, "above": 10, "epoch": 150}
