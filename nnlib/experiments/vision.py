"""Digits as sequences of 16 patches of 2 × 2 pixels: a small vision Transformer, with positions, without them, and on more images.

All are trained in 600 steps on the first 1,000 digits (block split). "shifts added": each image also stands in the training set one
pixel further up, down, left and right. The learning rate is to be chosen by the validation part, for each case.
"""

from typing import Any

import numpy as np

from nnlib import datasets
from nnlib.attention import LearnedPositions, PatchEmbedding, TransformerBlock
from nnlib.cnn import GlobalAverage
from nnlib.layers import Layer, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import AdamW
from nnlib.regularizers import LayerNorm
from nnlib.schedules import cosine, warm_up
from nnlib.search import grid_search
from nnlib.training import fit

SPACE: dict[str, Any] = {"case": ["positions", "no positions", "shifts added"], "rate": [0.001, 0.003, 0.01, 0.03], "length": ["short", "whole"]}
BATCH, STEPS = 50, {"short": 20, "whole": 600}
REPEATED = [(0, 0), (20, 1)]
TOLERANCE = {"validation": 3, "test": 3, "parameters": 0}


def load(case: str) -> datasets.Dataset:
    """The digits as images (8, 8, 1), for one of the cases."""
    data = datasets.digits("block")

    def images(part):
        return datasets.Split(part.x.reshape(-1, 8, 8, 1).astype(np.float32), part.y)

    train = images(data.train)
    if case == "shifts added":
        moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
        train = datasets.Split(np.concatenate([shifted(train.x, *move) for move in moves]), np.tile(train.y, len(moves)))
    return datasets.Dataset(train, images(data.validation), images(data.test), data.mean, data.std)


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Images moved by at most one pixel; what comes in is blank paper."""
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=images.min())
    return wide[:, 1 - down : 9 - down, 1 - right : 9 - right]


def make(positions: bool, seed, d: int = 32, heads: int = 2, layers: int = 2) -> Sequential:
    """A `nnlib.attention.VisionTransformer`, which may go without positions."""
    rng = np.random.default_rng(seed)
    return Sequential(
        PatchEmbedding(2, 1, d, seed=rng),
        *([LearnedPositions(16, d, seed=rng)] if positions else []),
        *(TransformerBlock(d, heads, hidden=2 * d, seed=rng) for _ in range(layers)),
        LayerNorm(d),
        GlobalAverage(),
        Dense(d, 10, seed=rng, initializer="lecun"),
    )


def train(setting: dict, seed: int) -> tuple[Layer, datasets.Dataset]:
    """A trained model and its data."""
    data, steps = load(setting["case"]), STEPS[setting["length"]]
    model = make(setting["case"] != "no positions", seed).astype(np.float32)
    epochs = -(-steps * BATCH // len(data.train.x))
    schedule = warm_up(steps // 10, cosine(0.02))
    fit(model, categorical_cross_entropy, data.train, AdamW(setting["rate"]), epochs=epochs, batch_size=BATCH, seed=seed, schedule=schedule)
    return model, data


def objective(setting, seed):
    """Accuracy in percent on the validation part and on the test part."""
    model, data = train(setting, seed)
    found = {name: round(100 * accuracy(model(part.x), part.y), 2) for name, part in (("validation", data.validation), ("test", data.test))}
    return found | {"parameters": model.theta.size}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=6, memory=memory)
