"""Dense and MLP against loops, SymPy, and bad input."""

import numpy as np
import pytest
import sympy as sp
from discovery import Stored, compare_with_torch
from hypothesis import given
from hypothesis import strategies as st

from nnlib import activations, symbolic
from nnlib.mlp import MLP, Dense


@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 7), st.sampled_from([np.float32, np.float64]))
def test_dense_is_the_sum_over_its_inputs(n_in, n_out, batch, dtype):
    rng = np.random.default_rng(0)
    dense = Dense(n_in, n_out, seed=rng).astype(dtype)
    dense.b = rng.normal(size=n_out)
    a, dz = rng.normal(size=(batch, n_in)).astype(dtype), rng.normal(size=(batch, n_out)).astype(dtype)
    z, backward = dense.forward(a)
    da = backward(dz)
    near = {"rtol": 1e-12, "atol": 1e-13} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-5}
    for k in range(batch):
        for i in range(n_out):
            np.testing.assert_allclose(z[k, i], sum(dense.W[i, j] * a[k, j] for j in range(n_in)) + dense.b[i], **near)
        for j in range(n_in):
            np.testing.assert_allclose(da[k, j], sum(dz[k, i] * dense.W[i, j] for i in range(n_out)), **near)
    for i in range(n_out):
        np.testing.assert_allclose(dense.db[i], sum(dz[k, i] for k in range(batch)), **near)
        for j in range(n_in):
            np.testing.assert_allclose(dense.dW[i, j], sum(dz[k, i] * a[k, j] for k in range(batch)), **near)


@pytest.mark.parametrize("name", activations.names())
def test_mlp_and_its_gradients_equal_those_of_its_twin(name, rng):
    """Each entry of the network's output, and of its derivatives by every weight, bias and input, derived by SymPy."""
    model = MLP([2, 3, 2], name, seed=rng)
    model.theta = rng.uniform(0.2, 1, model.theta.shape) * rng.choice([-1, 1], model.theta.shape)
    weights, biases = (
        [symbolic.matrix("W", 3, 2), symbolic.matrix("V", 2, 3)],
        [symbolic.vector("b", 3), symbolic.vector("c", 2)],
    )
    x = symbolic.vector("x", 2)
    twin = symbolic.mlp(weights, biases, x, name)
    numbers = rng.normal(size=2)
    at = dict(zip([weights[0], biases[0], weights[1], biases[1]], model.named_parameters().values(), strict=True)) | {x: numbers}
    y, backward = model.forward(numbers[None, :])
    symbolic.check(twin, at, y)
    dy = np.array([[0.7, -1.3]])
    scalar = sp.Float(0.7) * twin[0] - sp.Float(1.3) * twin[1]
    dx = backward(dy)
    theta = [*weights[0], *biases[0], *weights[1], *biases[1]]
    symbolic.check(sp.Matrix([sp.diff(scalar, symbol) for symbol in theta]), at, model.grad)
    symbolic.check(sp.Matrix([sp.diff(scalar, symbol) for symbol in x]), at, dx)


def test_mlp_has_an_activation_after_every_layer_but_the_last():
    model = MLP([2, 3, 4, 1], activations.LeakyReLU(0.2), seed=0)
    assert repr(model) == "MLP(Dense(2, 3), LeakyReLU(), Dense(3, 4), LeakyReLU(), Dense(4, 1))"
    assert [layer.negative_slope for layer in model.layers[1::2]] == [0.2, 0.2]
    assert model.layers[1] is not model.layers[3]
    assert repr(MLP([2, 1], seed=0)) == "MLP(Dense(2, 1))"


def test_first_values_follow_the_seed_and_the_activation():
    same, again, other = (
        MLP([100, 300, 1], seed=3),
        MLP([100, 300, 1], seed=np.random.default_rng(3)),
        MLP([100, 300, 1], seed=4),
    )
    np.testing.assert_array_equal(same.theta, again.theta)
    assert (same.layers[0].W != other.layers[0].W).all()
    for name in activations.names():
        bounded = ("hardsigmoid", "hardtanh", "sigmoid", "softsign", "step", "tanh")
        expected = 2 / 400 if name in (*bounded, "identity", "selu") else 2 / 100
        assert MLP([100, 300, 1], name, seed=0).layers[0].W.var() == pytest.approx(expected, rel=0.03), name
    assert MLP([100, 300, 1], "tanh", seed=0, initializer="lecun").layers[0].W.var() == pytest.approx(1 / 100, rel=0.03)
    assert not same.layers[0].b.any() and not same.layers[2].b.any()


def test_any_function_initializes():
    dense = Dense(2, 3, seed=0, initializer=lambda shape, rng: np.full(shape, rng.uniform(5, 6)))
    assert dense.W.shape == (3, 2) and 5 < dense.W[0, 0] < 6
    with pytest.raises(ValueError, match=r"Dense expects initial weights of shape \(3, 2\), got \(2, 3\)"):
        Dense(2, 3, seed=0, initializer=lambda shape, rng: np.ones(shape[::-1]))


def test_global_random_numbers_are_left_alone(global_generators_rest):
    MLP([3, 4, 2], seed=0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(0, 2, seed=0), ValueError, "whole numbers ≥ 1 of inputs and outputs, got n_in=0, n_out=2"),
        (lambda: Dense(2, -1, seed=0), ValueError, "got n_in=2, n_out=-1"),
        (lambda: Dense("2", 1, seed=0), ValueError, "got n_in='2', n_out=1"),
        (lambda: Dense(2.5, 1, seed=0), ValueError, "got n_in=2.5, n_out=1"),
        (lambda: Dense(2, 1, seed=None), ValueError, "Dense needs a seed"),
        (lambda: Dense(2, 1, seed=0, initializer="hee"), ValueError, "unknown initializer 'hee'; known are he, he_uniform, identity, lecun"),
        (lambda: MLP([3], seed=0), ValueError, r"number of inputs and of outputs, got sizes=\[3\]"),
        (lambda: MLP(3, seed=0), ValueError, "number of inputs and of outputs, got sizes=3"),
        (lambda: MLP([3, 0, 2], seed=0), ValueError, "got n_in=3, n_out=0"),
        (lambda: MLP([3, 2], seed=None), ValueError, "an MLP needs a seed"),
        (lambda: MLP([3, 2], "rellu", seed=0), ValueError, "unknown activation 'rellu'; known are elu, gelu"),
    ],
)
def test_impossible_networks_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("a", "error", "message"),
    [
        (
            np.ones((4, 2)),
            ValueError,
            r"Dense\(3, 5\) expects inputs of shape \(batch, 3\) with batch ≥ 1, got \(4, 2\)",
        ),
        (np.ones(3), ValueError, r"got \(3,\)"),
        (np.ones((2, 4, 3)), ValueError, r"got \(2, 4, 3\)"),
        (np.ones((0, 3)), ValueError, r"got \(0, 3\)"),
        (
            np.ones((4, 3), np.float32),
            TypeError,
            r"Dense\(3, 5\) has float64 weights and expects float64 inputs, got float32",
        ),
        (np.ones((4, 3), int), TypeError, "got int64"),
        ([[1.0, 2.0, 3.0]], TypeError, r"Dense\(3, 5\) expects an array, got list"),
    ],
)
def test_wrong_inputs_are_refused_and_nothing_changes(a, error, message):
    model = MLP([3, 5, 2], seed=0)
    model.grad[:] = 1
    before = model.theta.copy()
    for call in (model, model.forward, lambda a: model.forward(a, training=True)):
        with pytest.raises(error, match=message):
            call(a)
    np.testing.assert_array_equal(model.theta, before)
    assert (model.grad == 1).all()


STORED = Stored("core")


def test_dense_is_that_of_pytorch():
    compare_with_torch(Dense(3, 5, seed=0), STORED.below("dense"), ["W", "b"], tolerance=1e-12)


@pytest.mark.parametrize("name", STORED.names("mlp"))
def test_mlp_is_that_of_pytorch(name):
    compare_with_torch(MLP([3, 6, 2], name, seed=0), STORED.below(f"mlp/{name}"), ["W1", "b1", "W2", "b2"], tolerance=1e-12)
