"""Digits that are moved by up to three pixels: how many of the test digits a network still knows at each of 49 places.

The 8 × 8 digits stand in the middle of a canvas of 14 × 14 pixels. A network learns them there, or at places drawn at random
(``augmented``), in as many steps. Each has three rates to choose from, by validation digits that are placed as in training.
"""

from __future__ import annotations

import itertools

import numpy as np

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.cnn import AveragePool2D, Conv2D, Flatten, GlobalMax, MaxPool2D
from nnlib.layers import Layer, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.schedules import one_cycle
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"network": ["MLP", "flattened", "pooled", "blurred", "no stride"], "augmented": [False, True], "rate": [0.01, 0.03, 0.1]}
SEEDS = 10
EPOCHS = 16
SHIFTS = list(itertools.product(range(-3, 4), repeat=2))  # (down, right)
REPEATED = [(1, 0), (13, 1)]
TOLERANCE = {"validation": 0.1, "changed": 0.2} | {f"{down},{right}": 90 for down, right in SHIFTS}


def network(name, seed):
    """One of the five networks, for images of shape (batch, height, width, 1); all but the first two take any height and width."""
    rng = np.random.default_rng(seed)
    if name == "MLP":
        layers = [Flatten(), Dense(196, 128, seed=rng), ReLU(), Dense(128, 10, seed=rng)]
    else:
        # "no stride": every window of the pool, and a kernel that looks two places further
        dilation = 1
        pool: list[Layer] = [MaxPool2D(2)]
        if name == "no stride":
            dilation, pool = 2, [MaxPool2D(2, stride=1)]
        elif name == "blurred":     # the largest of all neighbours, then weights 1 2 1 down and right, then every second (Zhang, 2019)
            pool = [MaxPool2D(2, stride=1), AveragePool2D(2, stride=1), AveragePool2D(2)]
        first, second = Conv2D(1, 16, 3, padding=1, seed=rng), Conv2D(16, 32, 3, padding=dilation, dilation=dilation, seed=rng)
        end = [Flatten(), Dense(7 * 7 * 32, 10, seed=rng)] if name == "flattened" else [GlobalMax(), Dense(32, 10, seed=rng)]
        layers = [first, ReLU(), *pool, second, ReLU(), *end]
    return Sequential(*layers)


def canvas(part, data, side=14):
    """The digits of a part, ink from 0 to 1, in the middle of empty images of shape (side, side, 1)."""
    ink = np.rint(part.x * data.std + data.mean).reshape(-1, 8, 8, 1) / 16
    before = (side - 8) // 2
    after = side - 8 - before
    return np.pad(ink, ((0, 0), (before, after), (before, after), (0, 0)))


def moved(images, down, right):
    """Images moved down and to the right, all alike or each by its own numbers; nothing but empty canvas leaves the picture."""
    n, height, width, _ = images.shape
    rows = (np.arange(height) - np.reshape(down, (-1, 1))) % height
    columns = (np.arange(width) - np.reshape(right, (-1, 1))) % width
    return images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def stream(images, labels, epochs, augmented, seed):
    """So many epochs of images in one row, each in the middle, or each time somewhere else."""
    images, labels = np.tile(images, (epochs, 1, 1, 1)), np.tile(labels, epochs)
    if augmented:
        images = moved(images, *np.random.default_rng(seed).integers(-3, 4, size=(2, len(images))))
    return images, labels


def trained(name, augmented, rate, seed, dtype="float32"):
    """A network after its training."""
    data, model = datasets.digits("block"), network(name, seed).astype(dtype)
    images, labels = stream(canvas(data.train, data), data.train.y, EPOCHS, augmented, seed)
    examples = images.astype(dtype), labels
    fit(model, categorical_cross_entropy, examples, Adam(rate), epochs=1, batch_size=50, seed=seed, schedule=one_cycle())
    return model


def objective(setting, seed):
    """The accuracy on validation digits, the number of right answers for 597 test digits at each place, and the share of these answers that
    a move by one pixel changes."""
    data, model = datasets.digits("block"), trained(setting["network"], setting["augmented"], setting["rate"], seed)
    images, known = stream(canvas(data.validation, data).astype("float32"), data.validation.y, 4, setting["augmented"], seed)
    test, labels = canvas(data.test, data).astype("float32"), data.test.y
    answers = {at: model(moved(test, *at)).argmax(axis=1) for at in SHIFTS}
    changed = np.mean([answers[0, 0] != answers[at] for at in ((-1, 0), (1, 0), (0, -1), (0, 1))])
    right = {f"{down},{right}": int((answers[down, right] == labels).sum()) for down, right in SHIFTS}
    return {"validation": round(accuracy(model(images), known), 4), "changed": round(float(changed), 4)} | right


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
