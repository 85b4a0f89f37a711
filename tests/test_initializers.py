"""Mean, variance and shape of first values."""

import math

import numpy as np
import pytest
import scipy.stats

from nnlib import activations, initializers

VARIANCE = {
    "he": lambda n_out, n_in: 2 / n_in,
    "he_uniform": lambda n_out, n_in: 2 / n_in,
    "identity": lambda n_out, n_in: 1 / max(n_in, n_out) - 1 / max(n_in, n_out) ** 2,
    "lecun": lambda n_out, n_in: 1 / n_in,
    "lecun_uniform": lambda n_out, n_in: 1 / n_in,
    "orthogonal": lambda n_out, n_in: 1 / max(n_in, n_out),
    "xavier": lambda n_out, n_in: 2 / (n_in + n_out),
    "xavier_uniform": lambda n_out, n_in: 2 / (n_in + n_out),
    "zeros": lambda n_out, n_in: 0,
}


@pytest.mark.parametrize("shape", [(300, 100), (100, 300)])
def test_mean_and_variance_are_what_the_paper_says(initializer_name, shape, rng):
    W = initializers.get(initializer_name)(shape, rng)
    assert W.shape == shape and W.dtype == np.float64
    variance = VARIANCE[initializer_name](*shape)
    # 30,000 entries: their variance is known to √(2/30000) = 0.8 %, their mean to σ/√30000.
    assert W.var() == pytest.approx(variance, rel=0.04)
    assert abs(W.mean() - (initializer_name == "identity") / max(shape)) <= 5 * np.sqrt(variance / W.size)


def test_the_generator_decides(initializer_name):
    make = initializers.get(initializer_name)
    one, same, other = (make((5, 4), np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert initializer_name in ("zeros", "identity") or (one != other).all()


@pytest.mark.parametrize("name", ["he", "lecun", "xavier"])
def test_the_distribution_is_normal_or_uniform(name, rng):
    std = np.sqrt(VARIANCE[name](100, 50))
    for distribution, suffix in (("norm", ""), ("uniform", "_uniform")):
        W = initializers.get(name + suffix)((100, 50), rng).ravel() / std
        at = () if distribution == "norm" else (-math.sqrt(3), 2 * math.sqrt(3))
        assert scipy.stats.kstest(W, distribution, at).pvalue > 0.01


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 1)])
def test_orthogonal_columns_or_rows(shape, rng):
    W = initializers.orthogonal(shape, rng)
    assert W.shape == shape
    W = W if shape[0] >= shape[1] else W.T
    np.testing.assert_allclose(W.T @ W, np.eye(min(shape)), atol=1e-14)


def test_orthogonal_matrices_are_uniform(rng):
    """The angle of the first column of a 2 × 2 is, and both determinants occur as often."""
    many = np.array([initializers.orthogonal((2, 2), rng) for _ in range(2000)])
    angle = np.arctan2(many[:, 1, 0], many[:, 0, 0])
    assert scipy.stats.kstest(angle, "uniform", (-np.pi, 2 * np.pi)).pvalue > 0.01
    assert abs((np.linalg.det(many) > 0).mean() - 0.5) < 0.05


def test_identity_keeps_what_fits(rng):
    np.testing.assert_array_equal(initializers.identity((2, 2), rng), np.eye(2))
    np.testing.assert_array_equal(initializers.identity((3, 2), rng), [[1, 0], [0, 1], [0, 0]])


def test_those_that_take_a_number(rng):
    np.testing.assert_array_equal(initializers.constant(-2)((2, 3), rng), np.full((2, 3), -2.0))
    assert initializers.constant(1)((2, 3), rng).dtype == float
    W = initializers.normal(0.5)((300, 100), rng)
    assert W.shape == (300, 100) and scipy.stats.kstest(W.ravel() / 0.5, "norm").pvalue > 0.01
    W = initializers.uniform(0.5)((300, 100), rng)
    assert W.shape == (300, 100) and scipy.stats.kstest(W.ravel(), "uniform", (-0.5, 1)).pvalue > 0.01


@pytest.mark.parametrize(("fan", "n"), [("in", 100), ("out", 300), ("mean", 200)])
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_scaled_has_the_variance_that_is_asked_for(fan, n, distribution, rng):
    W = initializers.scaled(3, fan, distribution)((300, 100), rng)
    assert W.var() == pytest.approx(9 / n, rel=0.04)
    assert (np.abs(W).max() <= 3 * math.sqrt(3 / n)) == (distribution == "uniform")


def test_scaled_is_lecun_by_default():
    one, other = (make((4, 3), np.random.default_rng(0)) for make in (initializers.scaled(), initializers.lecun))
    np.testing.assert_allclose(one, other, rtol=1e-14)


def test_gains_that_have_a_closed_form():
    for name, expected in (("relu", math.sqrt(2)), ("identity", 1), ("selu", 1), ("step", math.sqrt(2))):
        assert initializers.gain(name) == pytest.approx(expected, rel=1e-9)
    assert initializers.gain(activations.LeakyReLU(0.3)) == pytest.approx(math.sqrt(2 / (1 + 0.09)), rel=1e-9)


def test_the_gain_keeps_the_signal(activation_class, rng):
    """z stays at the variance 1 from layer to layer, for every activation."""
    f = activation_class()
    z = rng.normal(size=(400, 400))
    for _ in range(3):
        z = f(z) @ initializers.scaled(initializers.gain(f))((400, 400), rng).T
        assert (z**2).mean() == pytest.approx(1, rel=0.15)


def test_names_and_functions():
    others = {"constant", "gain", "get", "names", "normal", "scaled", "uniform"}
    assert initializers.names() == sorted(VARIANCE) == sorted(set(initializers.__all__) - others)
    assert all(initializers.get(name) is getattr(initializers, name) for name in initializers.names())
    assert initializers.get(np.ones) is np.ones
    with pytest.raises(ValueError, match="unknown initializer 'glorot'; known are he, he_uniform, identity, lecun, lecun_uniform, orthogonal, xavier"):
        initializers.get("glorot")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.constant(math.nan), "constant expects a finite number, got nan"),
        (lambda: initializers.constant(math.inf), "constant expects a finite number, got inf"),
        (lambda: initializers.normal(0), "normal expects a finite standard deviation > 0, got 0"),
        (lambda: initializers.normal(math.inf), "normal expects a finite standard deviation > 0, got inf"),
        (lambda: initializers.uniform(-1), "uniform expects a finite limit > 0, got -1"),
        (lambda: initializers.scaled(math.nan), "scaled expects a finite gain > 0, got nan"),
        (lambda: initializers.scaled(fan="both"), 'scaled expects fan "in", "out" or "mean" .* got \'both\' and \'normal\''),
        (lambda: initializers.scaled(distribution="cauchy"), "got 'in' and 'cauchy'"),
        (lambda: initializers.gain("rellu"), "unknown activation 'rellu'"),
    ],
)
def test_bad_numbers_and_names_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
