"""PyTorch as a third reference: tools/torch_reference.py stored what it computes for the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from nnlib import activations, losses
from nnlib.layers import Residual, Sequential
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import SGD, AdaGrad, Adam, RMSprop

STORED = np.load(Path(__file__).parent / "data" / "torch_reference.npz")


def below(name):
    """The arrays whose key starts with ``name/``, by the rest of the key."""
    return {key.removeprefix(name + "/"): STORED[key] for key in STORED.files if key.startswith(name + "/")}


def second_words(name):
    return sorted({key.split("/")[1] for key in STORED.files if key.startswith(name + "/")})


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def compare(model, stored, parameters):
    """Value, input gradient, and the gradient of each parameter, named as PyTorch's script names it."""
    for view, name in zip(model.named_parameters().values(), parameters, strict=True):
        view[...] = stored[name]
    y, backward = model.forward(stored["x"])
    dx = backward(stored["dy"])
    close(y, stored["y"])
    close(dx, stored["dx"])
    start = 0
    for name in parameters:
        size = stored[name].size
        close(model.grad[start : start + size].reshape(stored[name].shape), stored["d" + name])
        start += size


def test_dense():
    compare(Dense(3, 5, seed=0), below("dense"), ["W", "b"])


def test_residual():
    compare(Residual(Sequential(Dense(3, 3, seed=0), activations.Tanh())), below("residual"), ["W", "b"])


def test_every_activation_that_torch_has_is_stored():
    assert second_words("activation") == second_words("mlp") == sorted(set(activations.names()) - {"step"})


@pytest.mark.parametrize("name", second_words("activation"))
def test_activation(name):
    compare(activations.get(name), below(f"activation/{name}"), [])


@pytest.mark.parametrize("name", second_words("mlp"))
def test_mlp(name):
    compare(MLP([3, 6, 2], name, seed=0), below(f"mlp/{name}"), ["W1", "b1", "W2", "b2"])


@pytest.mark.parametrize("size", ["1", "20"])
def test_loss(loss_name, size):
    stored = below(f"loss/{loss_name}/{size}")
    value, backward = getattr(losses, loss_name)(stored["prediction"], stored["target"])
    close(value, stored["value"])
    close(backward(), stored["gradient"])


OPTIMIZERS = {
    "sgd": lambda: SGD(0.05),
    "momentum": lambda: SGD(0.05, momentum=0.9),
    "nesterov": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda: AdaGrad(0.1),
    "rmsprop": lambda: RMSprop(0.01),
    "adam": lambda: Adam(0.05),
}


def test_every_optimizer_is_compared(optimizer_class):
    assert optimizer_class in {type(make()) for make in OPTIMIZERS.values()}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps(name):
    problem, optimizer = below("optimizer"), OPTIMIZERS[name]()
    A, target, theta = problem["A"], problem["target"], problem["start"].copy()
    path = []
    for _ in range(50):
        optimizer.step(theta, A.T @ losses.binary_cross_entropy(A @ theta, target)[1]())
        path.append(theta.copy())
    close(path, problem[f"{name}/path"])
