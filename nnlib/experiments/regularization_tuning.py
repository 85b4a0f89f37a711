"""Every technique against overfitting, alone and all together: six settings each, judged by the validation set.

Few training examples, drawn anew for each seed from the training part: 500 signals of MNIST-1D, or 200 handwritten digits. The seed also
makes the first weights, the order of the batches and what is dropped, so that all techniques can be compared in pairs. The network has two
hidden layers of 128 ReLU units and learns with Adam. Trial k has the same learning rate, p, λ and patience in every technique that has them:
six learning rates, and with each another strength. The validation set chooses; the test accuracy is kept to see what choosing is worth.
"""

import itertools

import numpy as np

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.layers import Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import AdamW, decay_mask
from nnlib.regularizers import BatchNorm, Dropout, LayerNorm
from nnlib.search import grid_search
from nnlib.training import fit

TECHNIQUES = ["none", "dropout", "weight decay", "early stopping", "batch norm", "layer norm", "all"]
SPACE = {"data": ["digits", "mnist1d"], "technique": TECHNIQUES, "trial": [0, 1, 2, 3, 4, 5]}
SEEDS = 4
REPEATED = [(3, 0), (43, 1)]
TOLERANCE = {"validation": 0.03, "test": 0.03, "train": 0.02}

# By data set: training examples, batch size, epochs; and the sizes of the network.
TASKS = {"digits": (200, 50, 60), "mnist1d": (500, 100, 120)}
SIZES = {"digits": [64, 128, 128, 10], "mnist1d": [40, 128, 128, 10]}
NORMS = {"batch norm": BatchNorm, "layer norm": LayerNorm, "all": BatchNorm}

RATES = [0.05, 0.001, 0.002, 0.005, 0.01, 0.02]
DROPPED = [0.3, 0.1, 0.4, 0.2, 0.5, 0.6]
DECAYS = [0.1, 5.0, 1.0, 2.0, 0.5, 0.2]
PATIENCES = [20, 40, 10, 30, 15, 5]


def network(sizes, seed, norm=None, p=0.0):
    """Dense, norm, ReLU and dropout for each hidden layer, then a last Dense."""
    rng, layers = np.random.default_rng(seed), []
    for n_in, n_out in itertools.pairwise(sizes[:-1]):
        layers += [Dense(n_in, n_out, seed=rng), *([norm(n_out)] if norm else []), ReLU(), *([Dropout(p, seed=rng)] if p else [])]
    return Sequential(*layers, Dense(sizes[-2], sizes[-1], seed=rng))


def trained(data, technique, trial, seed):
    """One network, trained with a technique in the setting of a trial, and the data."""
    parts = datasets.digits() if data == "digits" else datasets.mnist1d()
    n, batch_size, epochs = TASKS[data]
    drawn = np.random.default_rng(seed).permutation(len(parts.train.x))[:n]
    model = network(
        SIZES[data], seed,
        norm=NORMS.get(technique),
        p=DROPPED[trial] if technique in ("dropout", "all") else 0,
    )
    decay = DECAYS[trial] if technique in ("weight decay", "all") else 0
    stops = technique in ("early stopping", "all")
    fit(
        model, categorical_cross_entropy, (parts.train.x[drawn], parts.train.y[drawn]),
        AdamW(RATES[trial], weight_decay=decay, decay_mask=decay_mask(model)),
        epochs=epochs, batch_size=batch_size, seed=seed,
        validation=parts.validation if stops else None, patience=PATIENCES[trial] if stops else None,
    )
    return model, parts, drawn


def objective(setting, seed):
    model, parts, drawn = trained(**setting, seed=1000 + seed)
    return {
        "validation": round(accuracy(model(parts.validation.x), parts.validation.y), 4),
        "test": round(accuracy(model(parts.test.x), parts.test.y), 4),
        "train": round(accuracy(model(parts.train.x[drawn]), parts.train.y[drawn]), 4),
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
