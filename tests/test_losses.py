"""Each loss against differences, SymPy, SciPy, scikit-learn and PyTorch, at its extremes, and at the door."""

import functools
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
from nnlib.activations import softmax
from nnlib.backprop import numerical_gradient
from nnlib.losses import (
    binary_cross_entropy,
    binary_focal,
    categorical_cross_entropy,
    categorical_focal,
    hinge,
    huber,
    mae,
    mse,
    nll,
    pairwise_auc,
)

STORED = Stored("losses")


# --- every loss, with its options -------------------------------------------------------------------------------------


def real(rng):
    return rng.normal(size=(4, 3)), rng.normal(size=(4, 3))


def shares(rng):
    return rng.normal(size=(4, 3)), rng.uniform(size=(4, 3))


def binary(rng):
    return 2 * rng.normal(size=(4, 3)), rng.permutation([0, 1] * 6).reshape(4, 3)


def labels(rng):
    return rng.normal(size=(4, 3)), rng.permutation([0, 1, 2, 1])


def soft(rng):
    return rng.normal(size=(4, 3)), rng.dirichlet([1.0] * 3, size=4)


def log_softmax(z):
    return z - sp.log(sum(sp.exp(entry) for entry in z))


def mean(terms, N=12):
    return sum(terms) / N


def entries(term):
    """From a function of an entry of the prediction and its target to the mean over all 12."""
    return lambda p, y: mean([term(p[i, j], y[i, j]) for i in range(4) for j in range(3)])


def sigmoid(z):
    return 1 / (1 + sp.exp(-z))


def log_p(p, i, c):
    return p[i, c] - sp.log(sum(sp.exp(z) for z in p[i, :]))


W = [0.5, 2.0, 1.25]


def weighted(p, y, w=W, smoothing=0, ignored=None, term=log_p):
    kept = [i for i in range(4) if y[i] != ignored]
    total = sum(w[y[i]] for i in kept)
    share = {True: 1 - smoothing + smoothing / 3, False: smoothing / 3}
    return -mean([w[c] * share[c == y[i]] * term(p, i, c) for i in kept for c in range(3) if smoothing or c == y[i]], total)


def focal(power):
    return lambda p, i, c: (1 - sp.exp(log_p(p, i, c))) ** power * log_p(p, i, c)


def right(z, y):
    """The probability that is given to the right class."""
    return sigmoid(z) if y == 1 else sigmoid(-z)


def pairs(phi):
    def twin(p, y):
        z, y = list(p), y.ravel()
        return mean([phi(z[i] - z[j]) for i in range(12) for j in range(12) if y[i] > y[j]], 36)

    return twin


# For each loss: options, an example of a prediction and a target, and the twin, from a matrix of symbols and the target to L.
CASES = {
    "mse": [({}, real, entries(lambda p, y: (p - y) ** 2))],
    "mae": [({}, real, entries(lambda p, y: sp.Abs(p - y)))],
    "huber": [
        ({}, real, entries(lambda p, y: sp.Piecewise(((p - y) ** 2 / 2, sp.Abs(p - y) <= 1), (sp.Abs(p - y) - sp.Rational(1, 2), True)))),
        ({"delta": 0.5}, real, entries(lambda p, y: sp.Piecewise(((p - y) ** 2 / 2, 2 * sp.Abs(p - y) <= 1), (sp.Abs(p - y) / 2 - sp.Rational(1, 8), True)))),
    ],
    "binary_cross_entropy": [
        ({}, shares, entries(lambda z, y: -y * sp.log(sigmoid(z)) - (1 - y) * sp.log(1 - sigmoid(z)))),
        ({"positive_weight": 3}, shares, entries(lambda z, y: -3 * y * sp.log(sigmoid(z)) - (1 - y) * sp.log(1 - sigmoid(z)))),
    ],
    "categorical_cross_entropy": [
        ({}, labels, functools.partial(weighted, w=[1, 1, 1])),
        ({"class_weights": W}, labels, weighted),
        ({"label_smoothing": 0.25}, labels, functools.partial(weighted, w=[1, 1, 1], smoothing=sp.Rational(1, 4))),
        (
            {"class_weights": W, "label_smoothing": 0.25, "ignore_index": 2},
            labels,
            functools.partial(weighted, smoothing=sp.Rational(1, 4), ignored=2),
        ),
        ({}, soft, lambda p, q: -mean([q[i, c] * log_p(p, i, c) for i in range(4) for c in range(3)], 4)),
        (
            {"class_weights": W, "label_smoothing": 0.25},
            soft,
            lambda p, q: -mean([W[c] * (0.75 * q[i, c] + sp.Rational(1, 12)) * log_p(p, i, c) for i in range(4) for c in range(3)], 4),
        ),
    ],
    "nll": [
        ({}, labels, functools.partial(weighted, w=[1, 1, 1], term=lambda p, i, c: p[i, c])),
        ({"class_weights": W, "ignore_index": 2}, labels, functools.partial(weighted, ignored=2, term=lambda p, i, c: p[i, c])),
    ],
    "hinge": [
        ({}, binary, entries(lambda z, y: sp.Max(0, 1 - (2 * int(y) - 1) * z))),
        ({"squared": True}, binary, entries(lambda z, y: sp.Max(0, 1 - (2 * int(y) - 1) * z) ** 2)),
    ],
    "binary_focal": [
        ({}, binary, entries(lambda z, y: -((1 - right(z, y)) ** 2) * sp.log(right(z, y)))),
        (
            {"gamma": 0.5, "alpha": 0.25},
            binary,
            entries(lambda z, y: -sp.Rational(1 if y == 1 else 3, 4) * sp.sqrt(1 - right(z, y)) * sp.log(right(z, y))),
        ),
    ],
    "categorical_focal": [
        ({}, labels, functools.partial(weighted, w=[1, 1, 1], term=focal(2))),
        (
            {"gamma": 0.5, "class_weights": W, "ignore_index": 2},
            labels,
            functools.partial(weighted, ignored=2, term=focal(sp.Rational(1, 2))),
        ),
    ],
    "pairwise_auc": [
        ({}, binary, pairs(lambda d: sp.log(1 + sp.exp(-d)))),
        ({"surrogate": "squared_hinge"}, binary, pairs(lambda d: sp.Max(0, 1 - d) ** 2)),
    ],
}


def cases(loss_name, rng):
    """The loss with each of its options, a prediction and a target for it, and its twin."""
    for options, example, twin in CASES[loss_name]:
        yield functools.partial(getattr(losses, loss_name), **options), *example(rng), twin


def test_gradient_equals_differences(loss_name, rng):
    for loss, prediction, target, _ in cases(loss_name, rng):
        value, backward = loss(prediction, target)
        assert type(value) is float and (loss_name == "nll" or value > 0)
        differences = numerical_gradient(lambda p, loss=loss, target=target: loss(p, target)[0], prediction)
        np.testing.assert_allclose(backward(), differences, atol=2e-9)
        np.testing.assert_allclose(backward(-2.5), -2.5 * backward(), rtol=1e-14)


def test_value_and_gradient_equal_those_of_the_twin(loss_name, rng):
    p = symbolic.matrix("p", 4, 3)
    for loss, prediction, target, make_twin in cases(loss_name, rng):
        at = {p: prediction}
        if target.dtype.kind == "f":
            y = symbolic.matrix("y", 4, 3)
            twin, at = make_twin(p, y), at | {y: target}
        else:
            twin = make_twin(p, target)
        value, backward = loss(prediction, target)
        symbolic.check(twin, at, value)
        symbolic.check(sp.Matrix(4, 3, [sp.diff(twin, symbol) for symbol in p]), at, backward())


def test_nothing_is_written_to(loss_name, rng):
    for loss, *arrays, _ in cases(loss_name, rng):
        before = [array.copy() for array in arrays]
        for array in arrays:
            array.setflags(write=False)
        _, backward = loss(*arrays)
        np.testing.assert_array_equal(backward(), backward())
        for array, old in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, old)


def test_it_is_a_mean_over_examples(loss_name, rng):
    """Twice the batch: the same value, half the gradient for each; in another order: the same in that order."""
    for loss, prediction, target, _ in cases(loss_name, rng):
        value, backward = loss(prediction, target)
        twice, backward_twice = loss(np.concatenate([prediction] * 2), np.concatenate([target] * 2))
        assert twice == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(backward_twice(), np.concatenate([backward()] * 2) / 2, rtol=1e-12)
        order = rng.permutation(4)
        shuffled, backward_shuffled = loss(prediction[order], target[order])
        assert shuffled == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(backward_shuffled(), backward()[order], rtol=1e-12)


@pytest.mark.parametrize("target_dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_the_precision_is_that_of_the_prediction(loss_name, rng, target_dtype):
    for loss, prediction, target, _ in cases(loss_name, rng):
        if CASES[loss_name][0][1] is labels:
            target_dtype = np.uint8 if target.ndim == 1 else np.float32
        value, backward = loss(prediction.astype(np.float32), target.astype(target_dtype))
        assert backward().dtype == np.float32
        exact, exact_backward = loss(prediction, target.astype(target_dtype).astype(float) if target.ndim == 2 else target)
        assert value == pytest.approx(exact, rel=1e-5)
        np.testing.assert_allclose(backward(), exact_backward(), rtol=1e-4, atol=1e-6)


def test_nan_predictions_give_a_nan_loss(loss_name, rng):
    """A diverged model is noticed by its loss, in `fit`."""
    for loss, prediction, target, _ in cases(loss_name, rng):
        prediction[:] = np.nan
        assert math.isnan(loss(prediction, target)[0])


def test_one_nan_is_enough(loss_name, rng):
    _, prediction, target, _ = next(cases(loss_name, rng))
    prediction[0, target[0] if loss_name == "nll" else 0] = np.nan
    assert math.isnan(getattr(losses, loss_name)(prediction, target)[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_gradient_are_finite_for_huge_predictions(loss_name, rng, dtype):
    for loss, prediction, target, _ in cases(loss_name, rng):
        for huge in (1e4 * np.sign(prediction), np.full((4, 3), 1e4), np.full((4, 3), -1e4), np.zeros((4, 3))):
            value, backward = loss(huge.astype(dtype), target)
            assert math.isfinite(value) and np.isfinite(backward()).all()


LOSS_CASES = [f"{name}/{case}/{size}" for name in STORED.names("loss") for case in STORED.names(f"loss/{name}") for size in (1, 20)]


def test_every_loss_is_stored(loss_name):
    assert loss_name in STORED.names("loss")


@pytest.mark.parametrize("case", LOSS_CASES)
def test_value_and_gradient_are_those_of_pytorch(case):
    stored = STORED.below(f"loss/{case}")
    options = {name.removeprefix("options/"): array for name, array in stored.items() if name.startswith("options/")}
    options = {name: array if array.ndim else array.item() for name, array in options.items()}
    value, backward = getattr(losses, case.split("/")[0])(stored["prediction"], stored["target"], **options)
    np.testing.assert_allclose(value, stored["value"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(backward(), stored["gradient"], rtol=1e-12, atol=1e-13)


def test_the_squared_hinge_of_pairs_is_that_of_pytorch():
    stored = STORED.below("squared_hinge")
    value, backward = pairwise_auc(stored["prediction"], stored["target"], surrogate="squared_hinge")
    np.testing.assert_allclose(value, stored["value"], rtol=1e-13)
    np.testing.assert_allclose(backward(), stored["gradient"], rtol=1e-12, atol=1e-15)


def test_lists_are_taken_as_arrays():
    assert mse([[1.0], [4.0]], [[1], [2]])[0] == 2.0
    assert mae([1.0, 4.0], [1, 2])[0] == 1.0
    assert huber([1.0, 4.0], [1, 2])[0] == 0.75
    assert hinge([0.0], [1])[0] == 1.0
    assert nll([[-1.0, -2.0]], [1], class_weights=[1, 2])[0] == 2.0
    assert binary_cross_entropy([0.0], [1])[0] == pytest.approx(math.log(2))
    assert categorical_cross_entropy([[0.0, 0.0]], [1])[0] == pytest.approx(math.log(2))


# --- regression -------------------------------------------------------------------------------------------------------


def test_losses_of_regression_are_zero_only_where_all_is_right():
    for loss, value in ((mse, 4.5), (mae, 1.5), (huber, 1.25)):
        assert loss(np.ones((2, 2)), np.ones((2, 2)))[0] == 0
        assert loss(np.array([3.0, 0.0]), np.array([0.0, 0.0]))[0] == value


def test_at_a_kink_the_gradient_is_zero():
    np.testing.assert_array_equal(mae(np.array([1.0, 2.0]), np.array([1.0, 1.0]))[1](), [0, 0.5])
    np.testing.assert_array_equal(hinge(np.array([1.0, -1.0, 0.5]), np.array([1, 0, 1]))[1](), [0, 0, -1 / 3])


@given(hnp.arrays(float, 5, elements=st.floats(-10, 10)), st.floats(0.1, 5))
def test_huber_lies_between_and_agrees_with_scipy(d, delta):
    value, backward = huber(d, np.zeros(5), delta=delta)
    assert value == pytest.approx(scipy.special.huber(delta, d).mean(), rel=1e-13, abs=1e-300)
    assert value <= mse(d, np.zeros(5))[0] / 2 + 1e-12 and value <= delta * mae(d, np.zeros(5))[0] + 1e-12
    assert np.abs(backward()).max() <= delta / 5 * (1 + 1e-15)


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
    for loss, gamma in ((categorical_cross_entropy, {}), (categorical_focal, {"gamma": 0.5}), (categorical_focal, {"gamma": 0})):
        value, backward = loss(np.array([[1e4, -1e4, 0], [1e4, -1e4, 0]], dtype), np.array([0, 1]), **gamma)
        assert value == (0 + 2e4) / 2
        np.testing.assert_array_equal(backward(), [[0, 0, 0], [0.5, -0.5, 0]])
    value, backward = binary_focal(z, np.array([0, 1, 0, 1]))
    assert value == (0 + 1e4 + 1e4 + 0) / 4
    np.testing.assert_array_equal(backward(), [0, -0.25, 0.25, 0])


def test_small_losses_are_exact_too():
    """log(1 + e^z) − z would be 0 or a multiple of the rounding of z; log(1 + e^−z) is right to the last digit."""
    for dtype, rel in ((np.float64, 1e-13), (np.float32, 1e-5)):
        for z in (10.0, 15.0, 30.0):
            for sign, y in ((1, 1.0), (-1, 0.0)):
                value, _ = binary_cross_entropy(np.array([sign * z], dtype), np.array([y], dtype))
                assert value == pytest.approx(math.log1p(math.exp(-z)), rel=rel)
            value, _ = categorical_focal(np.array([[0.0, z]], dtype), np.array([1]), gamma=0)
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
    for several, binary_case, options in ((categorical_cross_entropy, binary_cross_entropy, {}), (categorical_focal, binary_focal, {"gamma": 1.5})):
        two, backward_two = several(np.column_stack([np.zeros(6), z]), y, **options)
        one, backward_one = binary_case(z, y, **options)
        assert two == pytest.approx(one, rel=1e-13)
        np.testing.assert_allclose(backward_two()[:, 1], backward_one(), atol=1e-16)


def test_a_positive_weight_counts_like_so_many_positives(rng):
    z, y = rng.normal(size=6), np.array([1, 0, 0, 1, 0, 0])
    weighted_value, backward = binary_cross_entropy(z, y, positive_weight=3)
    repeated, backward_repeated = binary_cross_entropy(np.concatenate([z, z[y == 1], z[y == 1]]), np.concatenate([y, np.ones(4)]))
    assert 6 * weighted_value == pytest.approx(10 * repeated, rel=1e-14)
    np.testing.assert_allclose(6 * backward()[y == 1], 3 * 10 * backward_repeated()[:6][y == 1], rtol=1e-13)


def test_class_weights_count_like_so_many_examples(rng):
    z, y = rng.normal(size=(5, 3)), np.array([0, 1, 1, 2, 0])
    for loss in (categorical_cross_entropy, nll, categorical_focal):
        value, _ = loss(z, y, class_weights=[1, 3, 0])
        repeated, _ = loss(z[[0, 1, 1, 1, 2, 2, 2, 4]], y[[0, 1, 1, 1, 2, 2, 2, 4]])
        assert value == pytest.approx(repeated, rel=1e-13)


def test_ignored_examples_are_as_good_as_absent(rng):
    z, y = rng.normal(size=(2, 3, 4)), np.array([[0, -100, 2], [3, 1, -100]])
    kept = y != -100
    for loss in (categorical_cross_entropy, functools.partial(categorical_cross_entropy, label_smoothing=0.2), nll, categorical_focal):
        value, backward = loss(z, y, ignore_index=-100)
        alone, backward_alone = loss(z[kept], y[kept])
        assert value == pytest.approx(alone, rel=1e-14)
        np.testing.assert_allclose(backward()[kept], backward_alone(), rtol=1e-13)
        assert not backward()[~kept].any()


def test_labels_are_the_probabilities_that_are_one(rng):
    z, y = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, size=(2, 3))
    onehot = np.eye(4)[y]
    for options in ({}, {"label_smoothing": 0.3}):
        (value, backward), (soft_value, soft_backward) = (categorical_cross_entropy(z, target, **options) for target in (y, onehot))
        assert value == soft_value
        np.testing.assert_array_equal(backward(), soft_backward())
    assert categorical_cross_entropy(z, onehot.astype(int))[0] == categorical_cross_entropy(z, y)[0]


def test_smoothing_is_a_mixture_with_equal_shares(rng):
    z, q = soft(rng)
    one, _ = categorical_cross_entropy(z, q, label_smoothing=0.3)
    other, _ = categorical_cross_entropy(z, 0.7 * q + 0.1)
    assert one == pytest.approx(other, rel=1e-14)


def test_the_best_logits_of_soft_targets_are_their_logarithms(rng):
    _, q = soft(rng)
    value, backward = categorical_cross_entropy(np.log(q), q)
    assert value == pytest.approx(scipy.special.entr(q).sum(axis=1).mean(), rel=1e-13)
    np.testing.assert_allclose(backward(), 0, atol=1e-16)


def test_cross_entropy_is_the_likelihood_of_the_softmax(rng):
    z, y = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, size=(2, 3))
    one, _ = categorical_cross_entropy(z, y)
    other, backward = nll(np.log(softmax(z)), y)
    assert one == pytest.approx(other, rel=1e-13)
    assert np.count_nonzero(backward()) == 6 and backward().sum() == pytest.approx(-1)


def test_a_class_that_is_ruled_out_does_not_matter_to_the_others():
    z = np.array([[0.0, -np.inf, 0.0]])
    value, backward = categorical_cross_entropy(z, np.array([2]))
    assert value == pytest.approx(math.log(2))
    np.testing.assert_allclose(backward(), [[0.5, 0, -0.5]])
    assert nll(np.array([[math.log(0.5), -np.inf]]), np.array([0]))[0] == pytest.approx(math.log(2))


# --- hinge, focal, pairs ----------------------------------------------------------------------------------------------


@given(hnp.arrays(float, 6, elements=st.floats(-5, 5)), st.permutations([0, 0, 1, 1, 1, 0]))
def test_hinge_agrees_with_scikit_learn(z, y):
    assert hinge(z, y)[0] == pytest.approx(sklearn.metrics.hinge_loss(y, z), rel=1e-13, abs=1e-15)


def test_focal_without_gamma_is_the_cross_entropy(rng):
    z, y = 5 * rng.normal(size=(6, 4)), rng.integers(0, 4, size=6)
    value, backward = binary_focal(z[:, 0], y % 2, gamma=0)
    exact, exact_backward = binary_cross_entropy(z[:, 0], y % 2)
    assert value == pytest.approx(exact, rel=1e-15)
    np.testing.assert_allclose(backward(), exact_backward(), rtol=1e-14)
    for options in ({}, {"class_weights": [1, 2, 3, 0.5]}, {"ignore_index": y[0]}):
        value, backward = categorical_focal(z, y, gamma=0, **options)
        exact, exact_backward = categorical_cross_entropy(z, y, **options)
        assert value == pytest.approx(exact, rel=1e-14)
        np.testing.assert_allclose(backward(), exact_backward(), rtol=1e-12, atol=1e-16)


def test_alpha_is_the_weight_of_the_positives_and_the_rest_that_of_the_negatives():
    z, both = np.zeros(2), binary_focal(np.zeros(2), np.array([0, 1]))[1]()
    np.testing.assert_allclose(binary_focal(z, np.array([0, 1]), alpha=0.25)[1](), both * [0.75, 0.25], rtol=1e-15)
    for alpha, weights in ((0, [1, 0]), (1, [0, 1])):
        np.testing.assert_allclose(binary_focal(z, np.array([0, 1]), alpha=alpha)[1](), both * weights, rtol=1e-15)


def test_default_of_focal_is_two():
    z, y = np.array([[0.3, -0.7]]), np.array([1])
    assert categorical_focal(z, y)[0] == categorical_focal(z, y, gamma=2)[0]
    assert binary_focal(z[0], [0, 1])[0] == binary_focal(z[0], [0, 1], gamma=2)[0]


@given(st.lists(st.integers(-5, 5), min_size=4, max_size=9), st.randoms(use_true_random=False))
def test_pairs_in_the_wrong_order_make_it_large(z, random):
    """Between scores that differ by whole numbers, φ bounds the step of 1 − AUC from above."""
    y = np.array([0, 1] * len(z))[: len(z)]
    random.shuffle(y)
    z = np.array(z, float)
    error = 1 - sklearn.metrics.roc_auc_score(y, z)
    assert pairwise_auc(z, y)[0] / math.log(2) >= error - 1e-12
    assert pairwise_auc(z, y, surrogate="squared_hinge")[0] >= error - 1e-12
    separated = 100.0 * y
    assert pairwise_auc(separated, y)[0] < 1e-40 and pairwise_auc(separated, y, surrogate="squared_hinge")[0] == 0


def test_pairs_do_not_see_a_shift_and_their_gradient_sums_to_zero(rng):
    z, y = binary(rng)
    for surrogate in ("logistic", "squared_hinge"):
        value, backward = pairwise_auc(z, y, surrogate=surrogate)
        assert pairwise_auc(z + 7, y, surrogate=surrogate)[0] == pytest.approx(value, rel=1e-13)
        assert backward().sum() == pytest.approx(0, abs=1e-15)
        assert (backward()[y == 1] <= 0).all() and (backward()[y == 0] >= 0).all()


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_pairs(label):
    z = np.array([[1.0], [2.0]], np.float32)
    value, backward = pairwise_auc(z, np.full((2, 1), label))
    assert value == 0 and type(value) is float
    assert backward(3.0).dtype == np.float32
    np.testing.assert_array_equal(backward(3.0), np.zeros((2, 1)))


# --- at the door ------------------------------------------------------------------------------------------------------

z23, y2 = np.zeros((2, 3)), np.array([0, 2])


@pytest.mark.parametrize("loss", [mse, mae, huber, binary_cross_entropy, hinge, binary_focal, pairwise_auc], ids=lambda loss: loss.__name__)
def test_a_target_has_the_shape_of_the_prediction_and_is_finite(loss):
    for prediction, target, error, message in (
        (z23, np.zeros(2), ValueError, r" expects a target of the prediction's shape \(2, 3\), got \(2,\)"),
        (z23, np.zeros((2, 1)), ValueError, r"got \(2, 1\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), ValueError, r" expects at least one example, got shape \(0, 3\)"),
        (z23, np.full((2, 3), np.nan), ValueError, " expects finite targets, got 6 NaN or infinite"),
        (np.zeros(2), np.array([0, np.inf]), ValueError, " expects finite targets, got 1 NaN or infinite"),
        (np.zeros(2, int), np.zeros(2), TypeError, " expects floating-point predictions, got int64"),
        (np.zeros(2), np.zeros(2, complex), TypeError, " expects real numbers as targets, got complex128"),
    ):
        with pytest.raises(error, match=message) as caught:
            loss(prediction, target)
        assert str(caught.value).startswith(f"{loss.__name__} ")


@pytest.mark.parametrize("loss", [hinge, binary_focal, pairwise_auc], ids=lambda loss: loss.__name__)
def test_two_classes_are_called_zero_and_one(loss):
    for y, message in (([-1, 1], "-1.0 to 1.0"), ([0, 0.5], "0.0 to 0.5"), ([0, 2], "0.0 to 2.0")):
        with pytest.raises(ValueError, match=f"{loss.__name__} expects labels 0 and 1, got {message}"):
            loss(np.zeros(2), np.array(y))


@pytest.mark.parametrize("loss", [categorical_cross_entropy, nll, categorical_focal], ids=lambda loss: loss.__name__)
def test_labels_are_whole_numbers_one_for_each_row_of_logits(loss):
    for prediction, target, error, message in (
        (z23, np.zeros(3, int), ValueError, r" with at least one example, got \(2, 3\) and \(3,\)"),
        (z23, np.zeros((2, 2), int), ValueError, r"got \(2, 3\) and \(2, 2\)"),
        (z23, np.array(0), ValueError, r"got \(2, 3\) and \(\)"),
        (np.zeros(2), np.zeros(2, int), ValueError, r"got \(2,\) and \(2,\)"),
        (np.zeros(2), np.array(0), ValueError, r"got \(2,\) and \(\)"),
        (np.zeros(()), np.array(0), ValueError, r"got \(\) and \(\)"),
        (np.zeros((0, 3)), np.zeros(0, int), ValueError, r"got \(0, 3\) and \(0,\)"),
        (np.zeros((2, 0)), np.zeros(2, int), ValueError, r"got \(2, 0\) and \(2,\)"),
        (z23, np.zeros(2), TypeError, " expects integer labels, got float64"),
        (z23, np.array([True, False]), TypeError, " expects integer labels, got bool"),
        (z23, np.array([0, 3]), ValueError, " expects labels from 0 to 2, got 0 to 3"),
        (z23, np.array([-1, 1]), ValueError, " expects labels from 0 to 2, got -1 to 1"),
        (np.zeros((2, 3), int), np.zeros(2, int), TypeError, " expects floating-point predictions, got int64"),
        (z23, np.array(["a", "b"]), TypeError, " expects real numbers as targets, got <U1"),
    ):
        with pytest.raises(error, match=message) as caught:
            loss(prediction, target)
        assert str(caught.value).startswith(f"{loss.__name__} ")


@pytest.mark.parametrize("loss", [categorical_cross_entropy, nll, categorical_focal], ids=lambda loss: loss.__name__)
def test_weights_and_the_ignored_index_leave_something_to_average(loss):
    for options, message in (
        ({"class_weights": [1, 2]}, r" expects 3 class weights, got shape \(2,\)"),
        ({"class_weights": [[1, 2, 3]]}, r" expects 3 class weights, got shape \(1, 3\)"),
        ({"class_weights": [1, -1, 2]}, r" expects finite class weights ≥ 0, got \[1.0, -1.0, 2.0\]"),
        ({"class_weights": [1, np.nan, 2]}, r" expects finite class weights ≥ 0, got \[1.0, nan, 2.0\]"),
        ({"class_weights": [1, np.inf, 2]}, r" expects finite class weights ≥ 0, got \[1.0, inf, 2.0\]"),
        ({"class_weights": [0, 1, 0]}, " expects an example of a class with a weight > 0, got only labels with the weight 0"),
        ({"ignore_index": 1}, " expects labels from 0 to 2, got 3 to 3"),
        ({"ignore_index": 2, "class_weights": [0, 1, 1]}, "got only labels with the weight 0"),
    ):
        y = np.array([3, 1]) if options == {"ignore_index": 1} else y2
        with pytest.raises(ValueError, match=message) as caught:
            loss(z23, y, **options)
        assert str(caught.value).startswith(f"{loss.__name__} ")
    with pytest.raises(ValueError, match=f"{loss.__name__} expects at least one example that counts, got ignore_index=2 for all 2 labels"):
        loss(z23, np.array([2, 2]), ignore_index=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: binary_cross_entropy(np.zeros(2), np.array([-1, 1])), r"binary_cross_entropy expects targets in \[0, 1\], got -1.0 to 1.0"),
        (lambda: binary_cross_entropy(np.zeros(2), np.array([0, 1.5])), r"targets in \[0, 1\], got 0.0 to 1.5"),
        (lambda: categorical_cross_entropy(z23, z23), "probabilities ≥ 0 with the sum 1, got from 0.0, with sums from 0.0 to 0.0"),
        (lambda: categorical_cross_entropy(z23, [[0.5, 0.5, 0], [2, -1, 0]]), "got from -1.0, with sums from 1.0 to 1.0"),
        (lambda: categorical_cross_entropy(z23, np.full((2, 3), np.nan)), "probabilities ≥ 0 with the sum 1, got from nan"),
        (lambda: categorical_cross_entropy(z23, np.full((2, 3), 0.3333)), "sums from 0.9999"),
        (
            lambda: categorical_cross_entropy(z23, np.eye(3)[:2], ignore_index=2),
            "categorical_cross_entropy ignores an index of labels, got probabilities and ignore_index=2",
        ),
        (lambda: categorical_cross_entropy(z23, np.zeros(3, int)), r"labels \(…\) or probabilities \(…, classes\)"),
        (lambda: nll(z23, np.eye(3)[:2]), r"nll expects logits \(…, classes\) and labels \(…\) with at least one example, got \(2, 3\) and \(2, 3\)"),
        (lambda: categorical_focal(np.zeros((2, 1)), np.zeros(2, int)), r"two classes or more, got logits of shape \(2, 1\)"),
        (lambda: categorical_focal(np.zeros((2, 3, 1)), np.zeros((2, 3), int)), r"two classes or more, got logits of shape \(2, 3, 1\)"),
        (lambda: pairwise_auc(np.zeros(2), [0, 1], surrogate="hinge"), "surrogate \"logistic\" or \"squared_hinge\", got 'hinge'"),
        (lambda: pairwise_auc(np.zeros(2), [0, 0], surrogate="hinge"), "got 'hinge'"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("loss", "target", "option", "condition", "good", "bad"),
    [
        (huber, z23, "delta", "> 0", [1e-3, 1e3], [0, -1, math.nan, math.inf]),
        (binary_cross_entropy, z23, "positive_weight", "> 0", [1e-3, 1e3], [0, -1, math.nan, math.inf]),
        (binary_focal, z23, "gamma", "≥ 0", [0, 1e3], [-1e-3, math.nan, math.inf]),
        (binary_focal, z23, "alpha", r"in \[0, 1\]", [0, 1], [-1e-3, 1.001, math.nan]),
        (categorical_focal, y2, "gamma", "≥ 0", [0, 1e3], [-1e-3, math.nan, math.inf]),
        (categorical_cross_entropy, y2, "label_smoothing", r"in \[0, 1\)", [0, 0.999], [-1e-3, 1, math.nan]),
    ],
)
def test_numbers_are_in_their_range(loss, target, option, condition, good, bad):
    for value in good:
        assert math.isfinite(loss(z23, target, **{option: value})[0])
    for value in bad:
        with pytest.raises(ValueError, match=f"{loss.__name__} expects a finite {option} {condition}, got {value}"):
            loss(z23, target, **{option: value})
