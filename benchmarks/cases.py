"""The networks that `nox -s bench` races, as nnlib builds them. No PyTorch is needed to import this."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnlib.activations import ReLU
from nnlib.attention import TransformerBlock
from nnlib.backprop import value_and_grad
from nnlib.cnn import Conv2D, Flatten, MaxPool2D
from nnlib.layers import Layer, Sequential
from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import Adam
from nnlib.rnn import LSTM, RNN

DTYPES = ("float64", "float32")


class Case(NamedTuple):
    """A network and its loss, with the shapes of a batch of inputs and of outputs; without a loss the race is inference.

    For the memory of a training step the batch is ``large`` times as large, so that it needs some 100 MB.
    """

    name: str
    model: Callable[[np.random.Generator], Layer]
    x: tuple[int, ...]
    y: tuple[int, ...]
    loss: Callable | None
    large: int = 1

    def enlarged(self) -> Case:
        """The same with the large batch."""
        return self._replace(x=(self.large * self.x[0], *self.x[1:]), y=(self.large * self.y[0], *self.y[1:]))

    def build(self, dtype: str):
        """The network, its inputs, and targets of the kind that the loss expects."""
        rng = np.random.default_rng(0)
        model, x = self.model(rng).astype(dtype), rng.normal(size=self.x).astype(dtype)
        if self.loss is categorical_cross_entropy:
            return model, x, rng.integers(0, self.y[1], size=self.y[0])
        if self.loss is binary_cross_entropy:
            return model, x, rng.integers(0, 2, size=self.y).astype(dtype)
        return model, x, rng.normal(size=self.y).astype(dtype)

    def run(self, dtype: str) -> Callable[[], object]:
        """What nnlib repeats in the race: a training step with Adam, or inference."""
        model, x, target = self.build(dtype)
        if self.loss is None:
            return lambda: model(x)
        optimizer = Adam()
        return lambda: optimizer.step(model.theta, value_and_grad(model, self.loss, x, target)[1])


def lenet(rng):
    return Sequential(
        *(Conv2D(1, 6, 5, padding=2, seed=rng), ReLU(), MaxPool2D(2), Conv2D(6, 16, 5, seed=rng), ReLU(), MaxPool2D(2), Flatten()),
        *(Dense(400, 120, seed=rng), ReLU(), Dense(120, 84, seed=rng), ReLU(), Dense(84, 10, seed=rng)),
    )


def small_cnn(rng):
    return Sequential(
        *(Conv2D(1, 16, 3, padding="same", seed=rng), ReLU(), MaxPool2D(2)),
        *(Conv2D(16, 32, 3, padding="same", seed=rng), ReLU(), MaxPool2D(2)),
        *(Flatten(), Dense(128, 10, seed=rng)),
    )


CASES = [
    Case("MLP 2-32-32-1", lambda rng: MLP([2, 32, 32, 1], seed=rng), (128, 2), (128, 1), binary_cross_entropy, 1024),
    Case("MLP 784-256-128-10", lambda rng: MLP([784, 256, 128, 10], seed=rng), (64, 784), (64, 10), categorical_cross_entropy, 128),
    Case("LeNet, 28×28", lenet, (64, 28, 28, 1), (64, 10), categorical_cross_entropy, 16),
    Case("CNN, 8×8", small_cnn, (64, 8, 8, 1), (64, 10), categorical_cross_entropy, 64),
    Case("RNN, 50 steps, 8-64-1", lambda rng: Sequential(RNN(8, 64, seed=rng), Dense(64, 1, seed=rng)), (32, 50, 8), (32, 1), mse, 32),
    Case("LSTM, 50 steps, 8-64-1", lambda rng: Sequential(LSTM(8, 64, seed=rng), Dense(64, 1, seed=rng)), (32, 50, 8), (32, 1), mse, 8),
    Case("Transformer block, 16×64, 4 heads", lambda rng: TransformerBlock(64, 4, seed=rng), (16, 64, 64), (16, 64, 64), mse, 8),
    Case("Inference, MLP 2-64-64-3", lambda rng: MLP([2, 64, 64, 3], seed=rng), (40_000, 2), (40_000, 3), None),
]
