"""Batch norm and layer norm at small batch sizes, on 1,000 handwritten digits.

Two hidden layers of 64 ReLU units, plain SGD at two rates for each batch size, four epochs (so all see equally many examples). A network
with batch norm is also judged in training mode, with the mean and variance of batches of the size that it was trained with. For a batch of
one there is no batch norm (NaN).
"""

import warnings

import numpy as np

from nnlib import datasets
from nnlib.experiments.regularization_tuning import network
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.optimizers import SGD
from nnlib.regularizers import BatchNorm, LayerNorm
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"norm": ["batch", "layer"], "batch": [1, 2, 4, 8, 16], "rate": [0.01, 0.1]}
SEEDS = 10
NORMS = {"batch": BatchNorm, "layer": LayerNorm}
REPEATED = [(4, 0), (18, 0)]
TOLERANCE = {"validation": 0.05, "test": 0.05, "test_in_training_mode": 0.05}


def objective(setting, seed):
    parts, batch = datasets.digits(), setting["batch"]
    if setting == {**setting, "norm": "batch", "batch": 1}:
        return dict.fromkeys(TOLERANCE, np.nan)
    model = network([64, 64, 64, 10], seed, norm=NORMS[setting["norm"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        history = fit(model, categorical_cross_entropy, parts.train, SGD(setting["rate"]), epochs=4, batch_size=batch, seed=seed)
    if history.diverged_at is not None:
        return dict.fromkeys(TOLERANCE, np.nan)
    x, y = parts.test
    found = {"validation": accuracy(model(parts.validation.x), parts.validation.y), "test": accuracy(model(x), y)}
    n = len(x) - len(x) % batch                    # in training mode, after all else: it moves the running statistics
    order = np.random.default_rng(seed).permutation(len(x))[:n]
    right = [model.forward(x[part], training=True)[0].argmax(axis=1) == y[part] for part in order.reshape(-1, batch)]
    found["test_in_training_mode"] = float(np.mean(right))
    return {name: round(value, 4) for name, value in found.items()}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
