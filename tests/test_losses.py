"""Each loss against differences, SymPy, SciPy and scikit-learn, at its extremes, and at the door."""

import math

import numpy as np
import pytest
import scipy.special
import sklearn.metrics
import sympy as sp
from discovery import Stored
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnlib import losses, symbolic
from nnlib.backprop import numerical_gradient
from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse

# A prediction and a target for each loss, and the twin of the loss: from two matrices of symbols to L.
EXAMPLES = {
    "mse": lambda rng: (rng.normal(size=(4, 3)), rng.normal(size=(4, 3))),
    "binary_cross_entropy": lambda rng: (rng.normal(size=(4, 3)), rng.uniform(size=(4, 3))),
    "categorical_cross_entropy": lambda rng: (rng.normal(size=(4, 3)), rng.integers(0, 3, size=4)),
}


def log_sum(row):
    return sp.log(sum(sp.exp(z) for z in row))


def sigmoid(z):
    return 1 / (1 + sp.exp(-z))


TWINS = {
    "mse": lambda p, y: sum((p[i, j] - y[i, j]) ** 2 for i in range(4) for j in range(3)) / 12,
    "binary_cross_entropy": lambda p, y: (
        -sum(y[i, j] * sp.log(sigmoid(p[i, j])) + (1 - y[i, j]) * sp.log(1 - sigmoid(p[i, j])) for i in range(4) for j in range(3)) / 12
    ),
    "categorical_cross_entropy": lambda p, y: -sum(sp.log(sp.exp(p[i, y[i]]) / sum(sp.exp(z) for z in p[i, :])) for i in range(4)) / 4,
}


def test_gradient_equals_differences(loss_name, rng):
    loss = getattr(losses, loss_name)
    prediction, target = EXAMPLES[loss_name](rng)
    value, backward = loss(prediction, target)
    assert type(value) is float and value > 0
    np.testing.assert_allclose(backward(), numerical_gradient(lambda p: loss(p, target)[0], prediction), atol=1e-10)
    np.testing.assert_allclose(backward(-2.5), -2.5 * backward(), rtol=1e-14)


def test_value_and_gradient_equal_those_of_the_twin(loss_name, rng):
    prediction, target = EXAMPLES[loss_name](rng)
    p = symbolic.matrix("p", 4, 3)
    if target.dtype.kind == "f":
        y = symbolic.matrix("y", 4, 3)
        twin, at = TWINS[loss_name](p, y), {p: prediction, y: target}
    else:
        twin, at = TWINS[loss_name](p, target), {p: prediction}
    value, backward = getattr(losses, loss_name)(prediction, target)
    symbolic.check(twin, at, value)
    symbolic.check(sp.Matrix(4, 3, lambda i, j: sp.diff(twin, p[i, j])), at, backward())


def test_nothing_is_written_to(loss_name, rng):
    arrays = EXAMPLES[loss_name](rng)
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.setflags(write=False)
    _, backward = getattr(losses, loss_name)(*arrays)
    np.testing.assert_array_equal(backward(), backward())
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_it_is_a_mean_over_examples(loss_name, rng):
    """Twice the batch: the same value, half the gradient for each; in another order: the same in that order."""
    loss = getattr(losses, loss_name)
    prediction, target = EXAMPLES[loss_name](rng)
    value, backward = loss(prediction, target)
    twice, backward_twice = loss(np.concatenate([prediction] * 2), np.concatenate([target] * 2))
    assert twice == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(backward_twice(), np.concatenate([backward()] * 2) / 2, rtol=1e-13)
    order = rng.permutation(4)
    shuffled, backward_shuffled = loss(prediction[order], target[order])
    assert shuffled == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(backward_shuffled(), backward()[order], rtol=1e-13)


@pytest.mark.parametrize("target_dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_the_precision_is_that_of_the_prediction(loss_name, rng, target_dtype):
    prediction, target = EXAMPLES[loss_name](rng)
    if loss_name == "categorical_cross_entropy":
        target_dtype = np.uint8
    _, backward = getattr(losses, loss_name)(prediction.astype(np.float32), target.astype(target_dtype))
    assert backward().dtype == np.float32


def test_nan_predictions_give_a_nan_loss(loss_name, rng):
    """A diverged model is noticed by its loss, in `fit`."""
    prediction, target = EXAMPLES[loss_name](rng)
    prediction[0, 0] = np.nan
    assert math.isnan(getattr(losses, loss_name)(prediction, target)[0])


def test_lists_are_taken_as_arrays():
    assert mse([[1.0], [4.0]], [[1], [2]])[0] == 2.0
    assert binary_cross_entropy([0.0], [1])[0] == pytest.approx(math.log(2))
    assert categorical_cross_entropy([[0.0, 0.0]], [1])[0] == pytest.approx(math.log(2))


def test_mse_is_zero_only_where_all_is_right():
    assert mse(np.ones((2, 2)), np.ones((2, 2)))[0] == 0
    assert mse(np.array([3.0, 0.0]), np.array([0.0, 0.0]))[0] == 4.5


# --- cross-entropies --------------------------------------------------------------------------------------------------


# scikit-learn takes probabilities, in which 1 − p is rounded: so the logits are moderate.
@given(hnp.arrays(float, 6, elements=st.floats(-8, 8)), hnp.arrays(int, 6, elements=st.integers(0, 1)))
def test_binary_cross_entropy_agrees_with_scikit_learn_and_scipy(z, y):
    value, backward = binary_cross_entropy(z, y)
    p = scipy.special.expit(z)
    assert value == pytest.approx(sklearn.metrics.log_loss(y, p, labels=[0, 1]), rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(backward(), (p - y) / 6, atol=1e-15)


@given(hnp.arrays(float, (5, 4), elements=st.floats(-8, 8)), hnp.arrays(int, 5, elements=st.integers(0, 3)))
def test_categorical_cross_entropy_agrees_with_scikit_learn_and_scipy(z, y):
    value, backward = categorical_cross_entropy(z, y)
    p = scipy.special.softmax(z, axis=1)
    p /= p.sum(axis=1, keepdims=True)
    assert value == pytest.approx(sklearn.metrics.log_loss(y, p, labels=[0, 1, 2, 3]), rel=1e-9, abs=1e-12)
    exact = np.mean(scipy.special.logsumexp(z, axis=1) - z[np.arange(5), y])
    assert value == pytest.approx(exact, rel=1e-13, abs=1e-14)
    np.testing.assert_allclose(backward().sum(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropies_of_huge_logits_are_exact(dtype):
    z = np.array([-1e4, -1e4, 1e4, 1e4], dtype)
    value, backward = binary_cross_entropy(z, np.array([0, 1, 0, 1]))
    assert value == (0 + 1e4 + 1e4 + 0) / 4
    np.testing.assert_array_equal(backward(), [0, -0.25, 0.25, 0])
    value, backward = categorical_cross_entropy(np.array([[1e4, -1e4, 0], [1e4, -1e4, 0]], dtype), np.array([0, 1]))
    assert value == (0 + 2e4) / 2
    np.testing.assert_array_equal(backward(), [[0, 0, 0], [0.5, -0.5, 0]])


def test_small_losses_are_exact_too():
    """log(1 + e^z) − z would be 0 or a multiple of the rounding of z; log(1 + e^−z) is right to the last digit."""
    for dtype, rel in ((np.float64, 1e-13), (np.float32, 1e-5)):
        for z in (10.0, 15.0, 30.0):
            for sign, y in ((1, 1.0), (-1, 0.0)):
                value, _ = binary_cross_entropy(np.array([sign * z], dtype), np.array([y], dtype))
                assert value == pytest.approx(math.log1p(math.exp(-z)), rel=rel)


@given(hnp.arrays(float, (3, 4), elements=st.integers(-50, 50).map(float)), st.integers(-(10**6), 10**6))
def test_categorical_cross_entropy_does_not_see_a_shift(z, shift):
    y = np.array([0, 1, 3])
    (value, backward), (shifted, backward_shifted) = (
        categorical_cross_entropy(z, y),
        categorical_cross_entropy(z + shift, y),
    )
    assert value == shifted
    np.testing.assert_array_equal(backward(), backward_shifted())


@given(hnp.arrays(float, 5, elements=st.floats(-50, 50)), hnp.arrays(float, 5, elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_binary_cross_entropy_does_not_care_which_class_is_called_one(z, y):
    value, backward = binary_cross_entropy(z, y)
    mirrored, backward_mirrored = binary_cross_entropy(-z, 1 - y)
    assert value == pytest.approx(mirrored, rel=1e-14)
    np.testing.assert_allclose(backward(), -backward_mirrored(), atol=1e-16)


def test_two_classes_are_the_binary_case(rng):
    z, y = rng.normal(size=6) * 3, rng.integers(0, 2, size=6)
    two, backward_two = categorical_cross_entropy(np.column_stack([np.zeros(6), z]), y)
    one, backward_one = binary_cross_entropy(z, y)
    assert two == pytest.approx(one, rel=1e-13)
    np.testing.assert_allclose(backward_two()[:, 1], backward_one(), atol=1e-16)


# --- at the door ------------------------------------------------------------------------------------------------------

z23 = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "error", "message"),
    [
        (mse, z23, np.zeros(2), ValueError, r"mse expects a target of the prediction's shape \(2, 3\), got \(2,\)"),
        (mse, z23, np.zeros((2, 1)), ValueError, r"got \(2, 1\)"),
        (mse, np.zeros((0, 3)), np.zeros((0, 3)), ValueError, r"mse expects at least one example, got shape \(0, 3\)"),
        (mse, z23, np.full((2, 3), np.nan), ValueError, "mse expects finite targets, got 6 NaN or infinite"),
        (mse, np.zeros(2), np.array([0, np.inf]), ValueError, "got 1 NaN or infinite"),
        (mse, np.zeros(2, int), np.zeros(2), TypeError, "mse expects floating-point predictions, got int64"),
        (
            binary_cross_entropy,
            z23,
            np.zeros(2),
            ValueError,
            r"binary_cross_entropy expects a target of the prediction's shape \(2, 3\), got",
        ),
        (
            binary_cross_entropy,
            np.zeros(0),
            np.zeros(0),
            ValueError,
            "binary_cross_entropy expects at least one example",
        ),
        (
            binary_cross_entropy,
            np.zeros(2),
            np.array([0, np.nan]),
            ValueError,
            "binary_cross_entropy expects finite targets, got 1 NaN",
        ),
        (binary_cross_entropy, np.zeros(2), np.array([-1, 1]), ValueError, r"targets in \[0, 1\], got -1.0 to 1.0"),
        (binary_cross_entropy, np.zeros(2), np.array([0, 1.5]), ValueError, r"targets in \[0, 1\], got 0.0 to 1.5"),
        (
            categorical_cross_entropy,
            z23,
            np.zeros((2, 3)),
            ValueError,
            r"labels \(batch,\) with batch ≥ 1, got \(2, 3\) and \(2, 3\)",
        ),
        (categorical_cross_entropy, z23, np.zeros(3, int), ValueError, r"got \(2, 3\) and \(3,\)"),
        (categorical_cross_entropy, np.zeros(2), np.zeros(2, int), ValueError, r"got \(2,\) and \(2,\)"),
        (categorical_cross_entropy, np.zeros((0, 3)), np.zeros(0, int), ValueError, r"got \(0, 3\) and \(0,\)"),
        (categorical_cross_entropy, np.zeros((2, 0)), np.zeros(2, int), ValueError, r"got \(2, 0\) and \(2,\)"),
        (
            categorical_cross_entropy,
            z23,
            np.zeros(2),
            TypeError,
            "categorical_cross_entropy expects integer labels, got float64",
        ),
        (categorical_cross_entropy, z23, np.array([0, 3]), ValueError, "labels from 0 to 2, got 0 to 3"),
        (categorical_cross_entropy, z23, np.array([-1, 1]), ValueError, "labels from 0 to 2, got -1 to 1"),
        (
            categorical_cross_entropy,
            np.zeros((2, 3), int),
            np.zeros(2, int),
            TypeError,
            "floating-point predictions, got int64",
        ),
    ],
)
def test_bad_input_is_refused(loss, prediction, target, error, message):
    with pytest.raises(error, match=message):
        loss(prediction, target)


@pytest.mark.parametrize("size", ["1", "20"])
def test_value_and_gradient_are_those_of_pytorch(loss_name, size):
    stored = Stored("losses").below(f"loss/{loss_name}/{size}")
    value, backward = getattr(losses, loss_name)(stored["prediction"], stored["target"])
    np.testing.assert_allclose(value, stored["value"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(backward(), stored["gradient"], rtol=1e-12, atol=1e-13)
