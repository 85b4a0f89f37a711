"""The gradient, and whether the ways to check it would notice a wrong one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlib.backprop import check_gradient, numerical_gradient, value_and_grad
from nnlib.layers import Layer, Sequential
from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse
from nnlib.mlp import MLP, Dense


class Mask(Layer):
    """Lets a random half through: a layer whose gradient is only right for the noise that was drawn."""

    buffers = ("calls",)

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        super().__init__(calls=np.zeros(1))

    def forward(self, x, training=False):
        mask = self.rng.integers(0, 2, size=x.shape) if training else np.ones_like(x)
        self.calls += training
        return x * mask, lambda dy: dy * mask


class WrongSign(Dense):
    def forward(self, a, training=False):
        y, backward = super().forward(a)

        def wrong(dy, want_dx=True):
            dx = backward(dy, want_dx)
            self.db -= 2 * dy.sum(axis=0)
            return dx

        return y, wrong


def test_value_and_grad_are_the_loss_and_its_slope(rng):
    model, x, target = MLP([2, 3, 1], "tanh", seed=0), rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    model.grad[:] = 99
    value, grad = value_and_grad(model, mse, x, target)
    assert grad is model.grad
    assert value == mse(model(x), target)[0]

    def at(theta):
        model.theta = theta
        return mse(model(x), target)[0]

    before = model.theta.copy()
    differences = numerical_gradient(at, before)
    np.testing.assert_allclose(grad, differences, atol=1e-9)


def test_value_and_grad_are_taken_in_training_mode(rng):
    model = Sequential(Dense(2, 4, seed=0), Mask())
    x, target = rng.normal(size=(5, 2)), np.zeros((5, 4))
    before = model.state()
    value, _ = value_and_grad(model, mse, x, target)
    model.restore(before)
    assert value == mse(model.forward(x, training=True)[0], target)[0] != mse(model(x), target)[0]


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_numerical_gradient_of_a_quadratic_is_exact(rows, columns, seed):
    rng = np.random.default_rng(seed)
    x, A = rng.normal(size=(rows, columns)), rng.normal(size=(rows, rows))
    before = x.copy()
    slope = numerical_gradient(lambda x: float(np.sum(x * (A @ x))), x, h=0.5)
    np.testing.assert_allclose(slope, (A + A.T) @ x, atol=1e-12)
    np.testing.assert_array_equal(x, before)


def test_numerical_gradient_takes_whole_numbers_and_scalars():
    np.testing.assert_allclose(numerical_gradient(lambda x: float(x @ x), np.array([1, 2])), [2, 4], atol=1e-9)
    assert numerical_gradient(lambda x: float(x**3), np.array(2.0)) == pytest.approx(12)


def test_numerical_gradient_errs_as_h_squared():
    errors = [abs(numerical_gradient(lambda x: float(np.exp(x)), np.array(0.0), h) - 1) for h in (1e-1, 1e-2)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (mse, np.linspace(0, 1, 12).reshape(4, 3)),
        (binary_cross_entropy, np.eye(4, 3)),
        (categorical_cross_entropy, np.array([0, 1, 2, 0])),
    ],
)
def test_check_gradient_is_small_for_a_right_model_and_large_for_a_wrong_one(loss, target, rng):
    x = rng.normal(size=(4, 2))
    assert check_gradient(MLP([2, 5, 3], "tanh", seed=0), loss, x, target) < 1e-8
    assert check_gradient(Sequential(MLP([2, 5, 4], "tanh", seed=0), WrongSign(4, 3, seed=1)), loss, x, target) > 0.1


def test_check_gradient_sees_the_same_noise_each_time_and_leaves_the_model_as_it_was(rng):
    model = Sequential(MLP([2, 5, 3], "tanh", seed=0), Mask(), Dense(3, 1, seed=1))
    model.grad[:] = 7
    before = model.state()
    assert check_gradient(model, mse, rng.normal(size=(6, 2)), np.zeros((6, 1))) < 1e-8
    after = model.state()
    assert all(after[name] == before[name] if isinstance(before[name], dict) else (after[name] == before[name]).all() for name in before)
    assert (model.grad == 7).all()


def test_check_gradient_leaves_the_model_as_it_was_when_it_fails(rng):
    model = MLP([2, 3, 1], "tanh", seed=0)
    model.grad[:] = 7
    before, calls = model.theta.copy(), []

    def fails_later(prediction, target):
        calls.append(1)
        return mse(prediction, target if len(calls) < 4 else target[1:])

    with pytest.raises(ValueError, match="mse expects a target"):
        check_gradient(model, fails_later, rng.normal(size=(6, 2)), np.zeros((6, 1)))
    np.testing.assert_array_equal(model.theta, before)
    assert (model.grad == 7).all()


def test_check_gradient_wants_something_to_check():
    with pytest.raises(ValueError, match="needs a model with float64 parameters, got 0 of float64"):
        check_gradient(Sequential(), mse, np.ones((2, 1)), np.ones((2, 1)))
    with pytest.raises(ValueError, match="needs a model with float64 parameters, got 2 of float32"):
        check_gradient(Dense(1, 1, seed=0).astype(np.float32), mse, np.ones((2, 1), np.float32), np.ones((2, 1)))


@pytest.mark.parametrize("h", [0, -1e-5, float("nan")])
def test_differences_need_a_step(h):
    with pytest.raises(ValueError, match=f"numerical_gradient needs a step h > 0, got {h}"):
        numerical_gradient(np.sum, np.ones(2), h)
