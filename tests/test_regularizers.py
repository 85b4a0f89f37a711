"""Norms against PyTorch, SymPy and what they promise; dropout against its distribution; penalties."""

import functools
import math

import numpy as np
import pytest
import scipy.stats
import sympy as sp
from discovery import Stored, compare_with_torch
from hypothesis import given
from hypothesis import strategies as st

from nnlib import symbolic
from nnlib.backprop import numerical_gradient
from nnlib.regularizers import BatchNorm, Dropout, LayerNorm, RMSNorm, l1, l2

STORED = Stored("regularizers")
NORMS = pytest.mark.parametrize("norm", [LayerNorm, RMSNorm, BatchNorm], ids=lambda norm: norm.__name__)


# --- against PyTorch --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "eps"), [("small", 1e-5), ("large", 0.3)])
def test_layer_norm_and_rms_norm_are_those_of_pytorch(name, eps):
    compare_with_torch(LayerNorm(5, eps=eps), STORED.below(f"layer_norm/{name}"), ["gamma", "beta"], tolerance=1e-12)
    compare_with_torch(RMSNorm(5, eps=eps), STORED.below(f"rms_norm/{name}"), ["gamma"], tolerance=1e-12)


def test_batch_norm_is_that_of_pytorch_step_for_step():
    norm = BatchNorm(5)
    norm.gamma, norm.beta = (STORED.below("batch_norm/0")[name] for name in ("gamma", "beta"))
    near = {"rtol": 1e-12, "atol": 1e-13}
    for step in range(3):
        stored = STORED.below(f"batch_norm/{step}")
        norm.grad[:] = 0
        y, backward = norm.forward(stored["x"], training=True)
        np.testing.assert_allclose(y, stored["y"], **near)
        np.testing.assert_allclose(backward(stored["dy"]), stored["dx"], **near)
        np.testing.assert_allclose(norm.grad, np.concatenate([stored["dgamma"], stored["dbeta"]]), **near)
        np.testing.assert_allclose(norm.running_mean, stored["mean"], **near)
        np.testing.assert_allclose(norm.running_var, stored["var"], **near)
    norm.grad[:] = 0
    compare_with_torch(norm, STORED.below("batch_norm/inference"), ["gamma", "beta"], tolerance=1e-12)


# --- against SymPy ----------------------------------------------------------------------------------------------------


def twin_of_norm(x, centred, eps, gamma, beta):
    """y of one set of numbers that are normalized together."""
    n = len(x)
    mean = sum(x) / n if centred else 0
    s = sp.sqrt(sum((entry - mean) ** 2 for entry in x) / n + eps)
    return [gamma[i] * (x[i] - mean) / s + beta[i] for i in range(n)]


@NORMS
def test_value_and_gradients_equal_those_of_the_twin(norm, rng):
    """Three numbers that are normalized together: a row, or for BatchNorm a column."""
    column = norm is BatchNorm
    layer = norm(1 if column else 3, eps=0.25)
    layer.theta = rng.normal(size=layer.theta.shape)
    gamma, beta = symbolic.vector("g", layer.gamma.size), symbolic.vector("c", layer.gamma.size)
    x, numbers, dy = symbolic.vector("x", 3), rng.normal(size=3), rng.normal(size=3)
    spread = list(gamma) * 3 if column else list(gamma)
    shift = [0] * 3 if norm is RMSNorm else list(beta) * 3 if column else list(beta)
    twin = twin_of_norm(x, norm is not RMSNorm, sp.Rational(1, 4), spread, shift)
    at = {x: numbers, gamma: layer.gamma, beta: np.zeros(3) if norm is RMSNorm else layer.beta}
    shape = (3, 1) if column else (1, 3)
    y, backward = layer.forward(numbers.reshape(shape), training=True)
    dx = backward(dy.reshape(shape))
    symbolic.check(sp.Matrix(twin), at, y.reshape(3, 1))
    scalar = sum(sp.Float(slope) * entry for slope, entry in zip(dy, twin, strict=True))
    symbolic.check(sp.Matrix([sp.diff(scalar, symbol) for symbol in x]), at, dx.reshape(3, 1))
    theta = [*gamma] if norm is RMSNorm else [*gamma, *beta]
    symbolic.check(sp.Matrix([sp.diff(scalar, symbol) for symbol in theta]), at, layer.grad.reshape(-1, 1))


# --- what they promise ------------------------------------------------------------------------------------------------


def test_layer_norm_gives_each_row_its_mean_and_spread(rng):
    x = 3 + 2 * rng.normal(size=(2, 4, 50))
    y = LayerNorm(50)(x)
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-4)
    np.testing.assert_allclose((RMSNorm(50)(x) ** 2).mean(axis=-1), 1, rtol=1e-5)


def test_layer_norm_sees_neither_shift_nor_scale_and_rms_norm_no_scale(rng):
    x = rng.normal(size=(4, 6))
    np.testing.assert_allclose(LayerNorm(6, eps=1e-12)(5 * x + 3), LayerNorm(6, eps=1e-12)(x), atol=1e-9)
    np.testing.assert_allclose(RMSNorm(6, eps=1e-12)(5 * x), RMSNorm(6, eps=1e-12)(x), atol=1e-9)


def test_equal_entries_have_no_spread_and_are_finite():
    for layer in (LayerNorm(4), RMSNorm(4)):
        y, backward = layer.forward(np.zeros((2, 4)))
        assert not y.any() and np.isfinite(backward(np.ones((2, 4)))).all()
    y, backward = BatchNorm(4).forward(np.full((3, 4), 7.0), training=True)
    assert not y.any() and np.isfinite(backward(np.ones((3, 4)))).all()


def test_batch_norm_in_training_and_in_inference(rng):
    x = [1, 100] + [2, 0.5] * rng.normal(size=(200, 5, 2))
    norm = BatchNorm(2, momentum=1)
    y = norm.forward(x, training=True)[0]
    np.testing.assert_allclose(y.mean(axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1)), 1, rtol=1e-4)
    np.testing.assert_allclose(norm.running_mean, x.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(norm.running_var, x.var(axis=(0, 1), ddof=1), rtol=1e-12)
    np.testing.assert_allclose(norm(x), y, atol=3e-3)      # n against n − 1
    np.testing.assert_allclose(norm(x[:1]), norm(x)[:1], rtol=1e-12)


def test_batch_norm_does_not_care_how_its_rows_are_arranged(rng):
    x, dy = rng.normal(size=(2, 4, 2, 3, 5))
    images, rows = BatchNorm(5), BatchNorm(5)
    y, backward = images.forward(x, training=True)
    flat, flat_backward = rows.forward(x.reshape(-1, 5), training=True)
    np.testing.assert_array_equal(y.reshape(-1, 5), flat)
    np.testing.assert_array_equal(backward(dy).reshape(-1, 5), flat_backward(dy.reshape(-1, 5)))
    np.testing.assert_array_equal(images.running_var, rows.running_var)


def test_batch_norm_forgets_by_its_momentum(rng):
    x = np.array([[1.0], [3.0]])
    norm = BatchNorm(1, momentum=0.25)
    for step in range(1, 4):
        norm.forward(x, training=True)
        assert norm.running_mean[0] == pytest.approx(2 * (1 - 0.75**step), rel=1e-14)
        assert norm.running_var[0] == pytest.approx(2 - 0.75**step, rel=1e-14)


def test_defaults():
    assert (BatchNorm(2).momentum, BatchNorm(2).eps, LayerNorm(2).eps, RMSNorm(2).eps) == (0.1, 1e-5, 1e-5, 1e-5)
    for norm in (BatchNorm(2), LayerNorm(2), RMSNorm(2)):
        np.testing.assert_array_equal(norm.gamma, [1, 1])
        assert norm.theta.sum() == 2
    np.testing.assert_array_equal(BatchNorm(2).running_mean, [0, 0])
    np.testing.assert_array_equal(BatchNorm(2).running_var, [1, 1])
    assert [repr(layer) for layer in (BatchNorm(2), LayerNorm(3), RMSNorm(4), Dropout(0.25, seed=0))] == [
        "BatchNorm(2)",
        "LayerNorm(3)",
        "RMSNorm(4)",
        "Dropout(0.25)",
    ]


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 5), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_shapes_and_dtypes(leading, n, dtype, training):
    x = np.linspace(-1, 2, math.prod(leading) * n, dtype=dtype).reshape(*leading, n)
    for layer in (LayerNorm(n), RMSNorm(n), BatchNorm(n), Dropout(0.3, seed=0)):
        if isinstance(layer, BatchNorm) and x.size == n and training:
            continue
        layer = layer.astype(dtype)
        y, backward = layer.forward(x, training=training)
        dx = backward(np.ones_like(y))
        assert y.shape == dx.shape == x.shape and y.dtype == dx.dtype == dtype


@NORMS
def test_the_complex_step_goes_through(norm, rng):
    """The formulas have no modulus and no conjugate in them, so a step along i gives the slope to the last digits."""
    layer, x = norm.example(rng)
    v, dy = rng.normal(size=(2, *x.shape))
    slope = layer.forward(x, training=True)[1](dy)
    stepped = layer.astype(complex).forward(x + 1e-30j * v, training=True)[0]
    assert (stepped.imag / 1e-30 * dy).sum() == pytest.approx((slope * v).sum(), rel=1e-12)


# --- dropout ----------------------------------------------------------------------------------------------------------


def test_dropout_keeps_the_expectation_and_drops_the_share_that_it_says(rng):
    for p in (0.1, 0.5, 0.9):
        y, backward = Dropout(p, seed=rng).forward(np.full((200, 500), 3.0), training=True)
        dropped = int((y == 0).sum())
        assert scipy.stats.binomtest(dropped, y.size, p).pvalue > 0.01
        np.testing.assert_allclose(y[y != 0], 3 / (1 - p), rtol=1e-14)
        assert y.mean() == pytest.approx(3, rel=0.03)
        assert y.var() == pytest.approx(9 * p / (1 - p), rel=0.03)
        np.testing.assert_array_equal(backward(np.ones_like(y)) != 0, y != 0)


def test_a_gradient_goes_where_the_signal_went(rng):
    x = rng.normal(size=(4, 5))
    y, backward = Dropout(0.5, seed=0).forward(x, training=True)
    np.testing.assert_allclose(backward(x), y, rtol=1e-15)


def test_dropout_is_the_identity_in_inference_and_with_p_zero(rng):
    x = rng.normal(size=(4, 5))
    y, backward = Dropout(0.5, seed=0).forward(x)      # inference, if nothing is said
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(backward(2 * x), 2 * x)
    np.testing.assert_array_equal(Dropout(0, seed=0).forward(x, training=True)[0], x)


def test_each_call_draws_another_mask_and_the_seed_decides_which(rng):
    x = np.ones((4, 50))
    layer, same = Dropout(0.5, seed=3), Dropout(0.5, seed=np.random.default_rng(3))
    one, other = (layer.forward(x, training=True)[0] for _ in range(2))
    assert (one != other).any()
    np.testing.assert_array_equal(same.forward(x, training=True)[0], one)
    single = Dropout(0.5, seed=3).forward(x.astype(np.float32), training=True)[0]
    np.testing.assert_array_equal(single, one)


# --- penalties --------------------------------------------------------------------------------------------------------


def test_penalties_and_their_gradients(rng):
    theta = rng.normal(size=7)
    for penalty, value, gradient in (
        (l1, 0.3 * np.abs(theta).sum(), 0.3 * np.sign(theta)),
        (l2, 0.15 * (theta**2).sum(), 0.3 * theta),
    ):
        found, slope = penalty(0.3)(theta)
        assert type(found) is float and found == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(slope, gradient, rtol=1e-15)
        np.testing.assert_allclose(slope, numerical_gradient(lambda at, penalty=penalty: penalty(0.3)(at)[0], theta), atol=1e-9)
        assert penalty(0)(theta)[0] == 0 and not penalty(0)(theta)[1].any()


def test_a_penalty_says_what_it_is():
    assert (l1(0.5).__qualname__, l2(3).__qualname__) == ("l1(0.5)", "l2(3.0)")


def test_a_mask_says_what_is_penalized(rng):
    theta, mask = rng.normal(size=4), np.array([True, False, True, True])
    for penalty in (l1, l2):
        value, gradient = penalty(2.0, mask)(theta)
        alone, gradient_alone = penalty(2.0)(theta[mask])
        assert value == pytest.approx(alone, rel=1e-15) and gradient[1] == 0
        np.testing.assert_array_equal(gradient[mask], gradient_alone)


def test_a_penalty_does_not_follow_its_mask_and_keeps_float32():
    theta, mask = np.ones(2, np.float32), np.array([True, False])
    theta.setflags(write=False)
    for penalty in (l1(0.5, mask), l2(0.5, mask), l1(0.5), l2(0.5)):
        value, gradient = penalty(theta)
        mask[:] = True
        assert penalty(theta)[0] == value and gradient.dtype == np.float32
        gradient += 1
        mask[:] = [True, False]


# --- at the door ------------------------------------------------------------------------------------------------------


@NORMS
def test_bad_input_is_refused_and_changes_nothing(norm):
    layer = norm(3)
    name = norm.__name__
    before = layer.state()
    for x, error, message in (
        ([[1.0, 2.0, 3.0]], TypeError, rf"{name}\(3\) expects an array, got list"),
        (np.ones(3), ValueError, rf"{name}\(3\) expects inputs of shape \(batch, …, 3\) with batch ≥ 1, got \(3,\)"),
        (np.ones((2, 4)), ValueError, r"got \(2, 4\)"),
        (np.ones((0, 3)), ValueError, r"got \(0, 3\)"),
        (np.ones((2, 0, 3)), ValueError, r"got \(2, 0, 3\)"),
        (np.ones((2, 3), np.float32), TypeError, rf"{name}\(3\) has float64 parameters and expects float64 inputs, got float32"),
        (np.ones((2, 3), int), TypeError, "expects float64 inputs, got int64"),
    ):
        for call in (layer, layer.forward, functools.partial(layer.forward, training=True)):
            with pytest.raises(error, match=message):
                call(x)
    assert all(np.array_equal(value, before[key]) for key, value in layer.state().items())


def test_a_batch_of_one_value_has_no_spread_to_learn_from():
    norm = BatchNorm(3)
    for shape in ((1, 3), (1, 1, 3)):
        with pytest.raises(ValueError, match=r"BatchNorm\(3\) needs at least two values of each feature in training, got an input of shape \(1,"):
            norm.forward(np.ones(shape), training=True)
        assert norm(np.ones(shape)).shape == shape
    assert not norm.running_mean.any()
    norm.forward(np.ones((1, 2, 3)), training=True)


@NORMS
def test_sizes_and_eps_are_positive(norm):
    for n in (0, -1, 2.0, "3", None):
        with pytest.raises(ValueError, match=f"{norm.__name__} needs a whole number ≥ 1 of features, got n={n!r}"):
            norm(n)
    for eps in (0, -1e-5, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"{norm.__name__} expects a finite eps > 0, got {eps}"):
            norm(2, eps=eps)
    assert norm(np.int64(2), eps=1).gamma.shape == (2,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: BatchNorm(2, momentum=0), ValueError, r"BatchNorm expects a momentum in \(0, 1\], got 0"),
        (lambda: BatchNorm(2, momentum=1.001), ValueError, r"got 1.001"),
        (lambda: BatchNorm(2, momentum=math.nan), ValueError, r"got nan"),
        (lambda: Dropout(1, seed=0), ValueError, r"Dropout expects a probability p in \[0, 1\), got 1"),
        (lambda: Dropout(-0.001, seed=0), ValueError, r"got -0.001"),
        (lambda: Dropout(math.nan, seed=0), ValueError, r"got nan"),
        (lambda: Dropout(0.5, seed=None), ValueError, "Dropout needs a seed or a numpy.random.Generator"),
        (lambda: Dropout(0.5, seed=0)([1.0]), TypeError, r"Dropout\(0.5\) expects an array of floating-point numbers, got list"),
        (lambda: Dropout(0.5, seed=0)(np.array([1])), TypeError, "got int64"),
        (lambda: l1(-1), ValueError, "l1 expects a finite strength ≥ 0, got -1"),
        (lambda: l2(math.inf), ValueError, "l2 expects a finite strength ≥ 0, got inf"),
        (lambda: l2(math.nan), ValueError, "got nan"),
        (lambda: l1(1, np.array([1, 0])), TypeError, "l1 expects a mask of truth values, got int64"),
        (lambda: l2(1, [True, 0.5]), TypeError, "l2 expects a mask of truth values, got float64"),
        (lambda: l2(1, [True, True])(np.ones(3)), ValueError, r"l2 has a mask of shape \(2,\), got θ of shape \(3,\)"),
    ],
)
def test_bad_numbers_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
