"""How many threads multiply matrices changes nothing that matters: where sums come in another order, the results agree to 1e-12."""

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from nnlib.activations import ReLU
from nnlib.attention import TransformerBlock
from nnlib.backprop import value_and_grad
from nnlib.cnn import Conv2D, Flatten, MaxPool2D
from nnlib.layers import Sequential
from nnlib.losses import mse
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import SGD
from nnlib.rnn import LSTM

# Large enough for the library to share the products out among its threads.
MODELS = {
    "MLP": (lambda: MLP([256, 256, 8], "tanh", seed=0), (128, 256)),
    "CNN": (lambda: Sequential(Conv2D(4, 32, 5, seed=0), ReLU(), MaxPool2D(2), Flatten(), Dense(32 * 36, 8, seed=1)), (32, 16, 16, 4)),
    "LSTM": (lambda: Sequential(LSTM(64, 128, seed=0), Dense(128, 8, seed=1)), (64, 12, 64)),
    "Transformer": (lambda: TransformerBlock(64, 4, seed=0), (16, 32, 64)),
}


def trained(name, threads):
    """θ after a few steps. Not Adam's: it divides by √v, and where a gradient is 0 but for rounding that makes a whole step of it."""
    blas = ThreadpoolController().select(user_api="blas")
    with blas.limit(limits=threads):
        assert {library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()} == {threads}
        build, shape = MODELS[name]
        model, rng, optimizer = build(), np.random.default_rng(0), SGD(0.01, momentum=0.9)
        x = rng.normal(size=shape)
        target = rng.normal(size=model(x).shape)
        for _ in range(3):
            optimizer.step(model.theta, value_and_grad(model, mse, x, target)[1])
    return model.theta


@pytest.mark.parametrize("name", MODELS)
def test_threads_do_not_change_a_training(name):
    one, two = trained(name, 1), trained(name, 2)
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-12)
