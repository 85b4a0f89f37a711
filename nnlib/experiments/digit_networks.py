"""Five small networks on 8 × 8 digits, split by blocks so that most test digits are by other hands.

The validation digits are there to choose the rate with, by the mean over all starts; the test digits to report.
"""

from __future__ import annotations

import numpy as np

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.cnn import Conv2D, Flatten, GlobalMax, MaxPool2D
from nnlib.layers import Layer, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.schedules import one_cycle
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {
    "network": ["linear", "MLP", "CNN", "CNN, filters frozen", "CNN, global maximum"],
    "rate": [0.003, 0.01, 0.03, 0.1, 0.3],
}
SEEDS = 13
EPOCHS = 12
BLOCKS = 5  # of the test set: neighbours are by one hand
REPEATED = [(6, 0), (15, 0)]
TOLERANCE = {"validation": 0.05} | {f"block {k}": 8 for k in range(BLOCKS)}


def front(rng):
    """The convolutions, from 8 × 8 pixels to 16 channels of 4 × 4 places."""
    return [
        Conv2D(1, 8, 3, padding="same", seed=rng), ReLU(), MaxPool2D(2),
        Conv2D(8, 16, 3, padding="same", seed=rng), ReLU(),
    ]


def network(name: str, seed: int) -> Layer:
    """One of the networks of ``SPACE``, with first weights; with frozen filters, all of its layers."""
    rng = np.random.default_rng(seed)
    layers = {
        "linear": lambda: [Flatten(), Dense(64, 10, seed=rng)],
        "MLP": lambda: [
            Flatten(), Dense(64, 128, seed=rng), ReLU(), Dense(128, 10, seed=rng)
        ],
        "CNN, global maximum": lambda: [
            *front(rng), GlobalMax(), Dense(16, 10, seed=rng)
        ],
    }
    layers["CNN"] = layers["CNN, filters frozen"] = lambda: [
        *front(rng), Flatten(), Dense(256, 10, seed=rng)
    ]
    return Sequential(*layers[name]())


def images(part):
    """The digits of a part as images of one channel, and their labels."""
    return part.x.reshape(-1, 8, 8, 1), part.y


def objective(setting, seed, on_epoch=None):
    """One training: the accuracy on the validation digits, and the right answers
    in each block of the test digits."""
    data, model = datasets.digits("block"), network(setting["network"], seed)
    names = "train", "validation", "test"
    parts = {name: images(getattr(data, name)) for name in names}
    if setting["network"] == "CNN, filters frozen":  # only the last layer learns
        rng = np.random.default_rng(seed)
        fixed = Sequential(*front(rng), Flatten())   # computed once
        model = Sequential(Dense(256, 10, seed=rng))
        parts = {name: (fixed(x), y) for name, (x, y) in parts.items()}
    fit(
        model, categorical_cross_entropy, parts["train"], Adam(setting["rate"]),
        epochs=EPOCHS, batch_size=50, seed=seed, schedule=one_cycle(),
        on_epoch=on_epoch,
    )
    x, y = parts["test"]
    right = np.array_split(model(x).argmax(axis=1) == y, BLOCKS)
    found = {f"block {k}": int(block.sum()) for k, block in enumerate(right)}
    x, y = parts["validation"]
    return {"validation": round(accuracy(model(x), y), 4)} | found


def search(memory=None):
    """All runs."""
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
