"""Learning rate × batch size at equal numbers of epochs: plain SGD on two data sets.

Digits: a network 64-64-64-10, 1,000 examples. Signals (MNIST-1D): 40-64-64-10, 1,000 examples. Constant rate, 15 epochs, so that a batch twice as large
makes half as many steps. Rates are powers of two. ``loss`` is the mean training loss of the last epoch (99 where a run diverged).
"""

import warnings

import numpy as np

from nnlib.experiments.hyperparameter_search import DATA
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP
from nnlib.optimizers import SGD
from nnlib.search import grid_search
from nnlib.training import fit

RATES = [2.0**k for k in range(-7, 3)]
BATCHES = [4, 8, 16, 32, 64, 128, 256]
SPACE = {"data": ["digits", "signals"], "batch": BATCHES, "rate": RATES}
SEEDS = 10
REPEATED = [(33, 0), (44, 1), (113, 0)]
TOLERANCE = {"loss": 0.1, "validation": 0.05, "test": 0.05}


def objective(setting, seed):
    parts = DATA[setting["data"]]()
    model = MLP([parts.train.x.shape[1], 64, 64, 10], "relu", seed=seed).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a run that diverges has its best state put back
        history = fit(model, categorical_cross_entropy, parts.train, SGD(setting["rate"]), epochs=15, batch_size=setting["batch"], seed=seed)
    return {
        "loss": 99.0 if history.diverged_at else round(history.train_loss[-1], 4),
        "validation": round(accuracy(model(parts.validation.x), parts.validation.y), 4),
        "test": round(accuracy(model(parts.test.x), parts.test.y), 4),
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
