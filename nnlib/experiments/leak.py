"""A language model whose mask was forgotten: it is trained to tell a character that it can see.

One block on Python's source code, with the causal mask and without it. "training" is the mean bits per character over the last twentieth
of the steps; "honest" is measured on the validation part at the last position of each window, where the next character is not in sight.
"""

from typing import Any

import numpy as np

from nnlib import datasets
from nnlib.attention import GPT, Encoder
from nnlib.backprop import value_and_grad
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import bits_per_character
from nnlib.optimizers import Adam
from nnlib.search import grid_search

SPACE: dict[str, Any] = {"mask": ["causal", "none"], "steps": [40, 400]}
LENGTH = 32
REPEATED = [(0, 0), (2, 1)]
TOLERANCE = {"training": 0.05, "honest": 0.05, "next": 0.02}


def objective(setting, seed):
    """Bits per character in training and where it cannot peek, and the weight that the sharpest head gives to the next position."""
    text = datasets.text("python")
    x, y = datasets.windows(text.train, LENGTH, stride=1)
    kind = GPT if setting["mask"] == "causal" else Encoder
    model = kind(len(text.vocabulary), d=32, heads=2, layers=1, context=LENGTH, seed=seed).astype(np.float32)
    optimizer, rng, values = Adam(0.01), np.random.default_rng([seed, 1]), []
    for _ in range(setting["steps"]):
        batch = rng.integers(len(x), size=16)
        values.append(value_and_grad(model, categorical_cross_entropy, x[batch], y[batch])[0])
        optimizer.step(model.theta, model.grad)
    x, y = datasets.windows(text.validation, LENGTH)
    honest = categorical_cross_entropy(model(x)[:, -1], y[:, -1])[0]
    before = np.arange(LENGTH - 1)
    peek = model.weights(x[:50])[0][:, :, before, before + 1].mean(axis=(0, 2)).max()
    return {
        "training": round(bits_per_character(float(np.mean(values[-setting["steps"] // 20 :]))), 4),
        "honest": round(bits_per_character(honest), 4),
        "next": round(float(peek), 4),
    }


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)
