"""The adding problem with both marks far from the end: what is learned when no marked number is near the answer?

As `nnlib.experiments.adding` at length 50, but both marks are among the first 10 steps, one in the first half of them and one in the
second: 40 unmarked numbers follow. No sequence is easy, so nothing can be learned from short ways first. A sixth network is the LSTM
with a forget bias of 4, about the logarithm of the length.
"""

import math

import numpy as np

from nnlib import datasets
from nnlib.experiments.adding import NETWORKS as FIVE
from nnlib.experiments.adding import SOLVED
from nnlib.layers import Sequential
from nnlib.losses import mse
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.rnn import LSTM
from nnlib.search import grid_search
from nnlib.training import fit

NETWORKS = FIVE | {"LSTM, forget bias 4": lambda seed: LSTM(2, 32, 4.0, seed=seed)}
SPACE = {"network": list(NETWORKS), "length": 50, "rate": [0.001, 0.002, 0.005, 0.01]}
LIMIT, EVERY, MARKED = 2000, 100, 10


def sequences(n, length, rng):
    """Those of `datasets.adding` with ``MARKED`` steps, and numbers without marks after them."""
    x, y = datasets.adding(n, MARKED, seed=rng)
    rest = np.stack([rng.uniform(size=(n, length - MARKED)), np.zeros((n, length - MARKED))], axis=2)
    return np.concatenate([x, rest], axis=1).astype("float32"), y.astype("float32")


def objective(setting, seed):
    """Steps until the problem is solved (NaN: not within the limit), and the last error."""
    rng = np.random.default_rng(seed)
    model = Sequential(NETWORKS[setting["network"]](rng), Dense(32, 1, seed=rng)).astype("float32")
    optimizer = Adam(setting["rate"])
    x_new, y_new = sequences(500, setting["length"], rng)
    for steps in range(EVERY, LIMIT + 1, EVERY):
        batches = sequences(50 * EVERY, setting["length"], rng)
        fit(model, mse, batches, optimizer, epochs=1, batch_size=50, seed=rng, clip_norm=1.0)
        error = float(mse(model(x_new), y_new)[0])
        if error < SOLVED:
            return {"steps": steps, "error": round(error, 4)}
    return {"steps": math.nan, "error": round(error, 4)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)


# The ReLU network at the identity, at two rates; on another processor it may need some hundred steps more or less.
REPEATED = [(10, 3), (11, 4)]
TOLERANCE = {"steps": 500, "error": 0.01}
