"""MNIST-1D for several networks, with the samples in their order and with all of them shuffled alike.

The networks are those of the repository of MNIST-1D (Greydanus, 2020), with an attention beside them: 43 epochs of 35 batches, Adam, the
rate going up and down once. The validation part is there to choose the rate with, the test part to report.
"""

from __future__ import annotations

import numpy as np

from nnlib import datasets
from nnlib.activations import ReLU
from nnlib.attention import LearnedPositions, TransformerBlock
from nnlib.cnn import Conv1D, Flatten
from nnlib.layers import Layer, Residual, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.rnn import GRU
from nnlib.schedules import one_cycle
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {
    "network": ["linear", "MLP", "CNN", "GRU", "attention"],
    "shuffled": [False, True],
    "rate": [0.003, 0.01, 0.03, 0.1],
}
SEEDS = 5
REPEATED = [(2, 0), (18, 0)]
TOLERANCE = {"validation": 0.05, "test": 0.05}


class _BothWays(Layer):
    """Two layers on a sequence, one of which reads it backwards: their outputs beside each other."""

    def __init__(self, forth: Layer, back: Layer):
        self.forth, self.back = forth, back
        super().__init__()

    def forward(self, x, training=False):
        y, through = self.forth.forward(x, training)
        z, back_through = self.back.forward(x[:, ::-1], training)

        def backward(dy):
            half = y.shape[-1]
            return through(dy[..., :half]) + back_through(dy[:, ::-1, half:])[:, ::-1]

        return np.concatenate([y, z[:, ::-1]], axis=-1), backward


def network(name: str, seed: int) -> Layer:
    """One of the networks of ``SPACE``, with first weights."""
    rng = np.random.default_rng(seed)

    def convolution(n_in, kernel_size):
        return Conv1D(n_in, 25, kernel_size, stride=2, padding=1, seed=rng), ReLU()

    layers = {
        "linear": lambda: (Flatten(), Dense(40, 10, seed=rng)),
        "MLP": lambda: (
            Flatten(), Dense(40, 100, seed=rng), ReLU(), Residual(Sequential(Dense(100, 100, seed=rng), ReLU())), Dense(100, 10, seed=rng)
        ),
        "CNN": lambda: (*convolution(1, 5), *convolution(25, 3), *convolution(25, 3), Flatten(), Dense(125, 10, seed=rng)),
        "GRU": lambda: (
            _BothWays(GRU(1, 6, return_sequences=True, seed=rng), GRU(1, 6, return_sequences=True, seed=rng)), Flatten(), Dense(480, 10, seed=rng)
        ),
        "attention": lambda: (
            Conv1D(1, 24, 4, stride=4, seed=rng), LearnedPositions(10, 24, seed=rng), TransformerBlock(24, 4, hidden=48, seed=rng),
            Flatten(), Dense(240, 10, seed=rng),
        ),
    }
    return Sequential(*layers[name]())


def objective(setting, seed):
    """Train one network from one start; its accuracy on the validation and on the test part."""
    data = datasets.mnist1d()
    order = np.random.default_rng(0).permutation(40) if setting["shuffled"] else np.arange(40)
    parts = {name: (part.x[:, order, None], part.y) for name, part in vars(data).items() if name in ("train", "validation", "test")}
    model = network(setting["network"], seed)
    fit(
        model, categorical_cross_entropy, parts["train"], Adam(setting["rate"]),
        epochs=43, batch_size=100, seed=seed, schedule=one_cycle(),
    )
    return {name: round(accuracy(model(parts[name][0]), parts[name][1]), 4) for name in ("validation", "test")}


def search(memory=None):
    """All runs."""
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
