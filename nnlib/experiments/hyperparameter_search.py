"""All hyperparameters together, in a wide box: 300 settings drawn at random, each with three seeds, on two data sets.

Every run trains an MLP with SGD and momentum 0.9 for 15 epochs, in float32, once on 1,000 handwritten digits and once on 1,000 signals of MNIST-1D.
The seed draws the first weights, the order of the batches and what is dropped; the data stay. The box is as wide as ranges in first tries are: its rates
span four powers of ten. A run that diverges has its best parameters put back (`nnlib.training.fit`), and counts as it is.
"""

import itertools
import math
import warnings
from typing import NamedTuple

import numpy as np
from scipy.stats import loguniform, randint, uniform

from nnlib import activations, datasets, initializers, schedules
from nnlib.datasets import Split
from nnlib.layers import Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import SGDW, decay_mask
from nnlib.regularizers import Dropout
from nnlib.search import random_search
from nnlib.training import fit

EPOCHS = 15

SPACE = {
    "depth": randint(1, 5),
    "width": loguniform(8, 256),
    "rate": loguniform(1e-4, 1),
    "schedule": ["constant", "cosine", "one-cycle"],
    "batch": [16, 32, 64, 128, 256],
    "activation": ["relu", "tanh", "sigmoid"],
    "start": ["he", "xavier", "small"],
    "dropout": uniform(0, 0.6),
    "decay": loguniform(1e-6, 1e-1),
}
SETTINGS, SEEDS = 300, 3
REPEATED = [(2, 0), (7, 1), (9, 2)]
TOLERANCE = {"digits_validation": 0.05, "digits": 0.04, "signals_validation": 0.05, "signals": 0.05, "diverged": 0}

STARTS = {"he": "he", "xavier": "xavier", "small": initializers.normal(0.01)}


class Parts(NamedTuple):
    train: Split
    validation: Split
    test: Split


def single(*splits):
    """The same data in float32."""
    return Parts(*(Split(part.x.astype(np.float32), part.y) for part in splits))


def digits(split=None):
    """1,000 digits to learn from, 200 to choose with and 597 to test; in the order of the file, or shuffled by the number of a split."""
    data = datasets.digits() if split is None else datasets.digits("random", seed=split)
    return single(data.train, data.validation, data.test)


def signals(split=None):
    """1,000, 500 and 1,000 signals of MNIST-1D; those of `datasets.mnist1d`, or all 5,000 shuffled by the number of a split."""
    data = datasets.mnist1d(validation=500)
    if split is None:
        return single(Split(data.train.x[:1000], data.train.y[:1000]), data.validation, data.test)
    x, y = (np.concatenate([part[k] for part in (data.train, data.validation, data.test)]) for k in (0, 1))
    order = np.random.default_rng(split).permutation(len(x))
    return single(*(Split(x[rows], y[rows]) for rows in np.split(order[:2500], [1000, 1500])))


DATA = {"digits": digits, "signals": signals}


def schedule(name, steps):
    """By name; `steps` is how many there will be."""
    return {
        "constant": schedules.constant(),
        "step": schedules.step(max(1, steps // 3)),
        "exponential": schedules.exponential(0.01 ** (1 / steps)),
        "cosine": schedules.cosine(),
        "warm-up": schedules.warm_up(max(1, steps // 10), then=schedules.cosine()),
        "one-cycle": schedules.one_cycle(),
    }[name]


def network(sizes, setting, seed):
    """Dense, activation and dropout for each hidden layer, then a last Dense."""
    rng, layers, start = np.random.default_rng(seed), [], STARTS.get(setting["start"], setting["start"])
    for n_in, n_out in itertools.pairwise(sizes[:-1]):
        layers += [Dense(n_in, n_out, seed=rng, initializer=start), activations.get(setting["activation"])]
        layers += [Dropout(setting["dropout"], seed=rng)] if setting["dropout"] else []
    return Sequential(*layers, Dense(*sizes[-2:], seed=rng, initializer=start)).astype(np.float32)


def trained(parts, setting, seed, epochs=EPOCHS):
    """A network in a setting, and what happened when it was trained."""
    n, n_in = parts.train.x.shape
    model = network([n_in, *[round(setting["width"])] * setting["depth"], 10], setting, seed)
    optimizer = SGDW(setting["rate"], 0.9, weight_decay=setting["decay"], decay_mask=decay_mask(model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        history = fit(
            model,
            categorical_cross_entropy,
            parts.train,
            optimizer,
            epochs=epochs,
            batch_size=setting["batch"],
            seed=seed,
            schedule=schedule(setting["schedule"], epochs * math.ceil(n / setting["batch"])),
        )
    return model, history


def objective(setting, seed):
    found, diverged = {}, 0
    for name, load in DATA.items():
        parts = load()
        model, history = trained(parts, setting, seed)
        found[f"{name}_validation"] = round(accuracy(model(parts.validation.x), parts.validation.y), 4)
        found[name] = round(accuracy(model(parts.test.x), parts.test.y), 4)
        diverged += history.diverged_at is not None
    return found | {"diverged": diverged}


def search(memory=None):
    return random_search(objective, SPACE, SETTINGS, seed=8, seeds=SEEDS, memory=memory)
