"""Each f and f′ against SymPy, against differences, and far out."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import sympy as sp
from discovery import Stored, compare_with_torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnlib import activations, symbolic
from nnlib.activations import ELU, Activation, LeakyReLU, ReLU, Sigmoid, Step, Tanh, softmax

POINTS = ["-30", "-7/2", "-1", "-1/3", "-1/1000", "1/1000", "1/2", "1", "3", "30"]
AT_ZERO = {
    "elu": 1,
    "gelu": 0.5,
    "gelutanh": 0.5,
    "hardsigmoid": 1 / 6,
    "hardswish": 0.5,
    "hardtanh": 1,
    "identity": 1,
    "leakyrelu": 0.01,
    "mish": 0.6,
    "relu": 0,
    "relu6": 0,
    "selu": 1.0507009873554805 * 1.6732632423543772,
    "sigmoid": 0.25,
    "silu": 0.5,
    "softplus": 0.5,
    "softsign": 1,
    "step": 0,
    "tanh": 1,
}


def test_every_activation_has_a_name_and_a_twin(activation_class):
    name = activation_class.__name__.lower()
    assert type(activations.get(name)) is activation_class
    assert name in symbolic.ACTIVATIONS
    assert activations.names() == sorted(symbolic.ACTIVATIONS)


def test_value_and_derivative_equal_those_of_the_twin_to_thirty_digits(activation_class):
    f, twin = activation_class(), symbolic.ACTIVATIONS[activation_class.__name__.lower()]
    (z,) = twin.free_symbols or {sp.Symbol("z", real=True)}
    exact = [sp.Rational(point) for point in POINTS]
    numbers = np.array([float(point) for point in exact])
    for ours, expression in ((f.f(numbers), twin), (f.derivative(numbers), sp.diff(twin, z))):
        theirs = [float(expression.subs(z, point).evalf(30)) for point in exact]
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)


def test_derivative_at_zero_is_the_one_that_is_documented(activation_class):
    """The derivative where there is one, and at a kink that of the branch z ≤ 0."""
    assert activation_class().derivative(np.zeros(1))[0] == pytest.approx(AT_ZERO[activation_class.__name__.lower()], rel=1e-15)


def test_derivative_equals_differences(activation_class, rng):
    f, h = activation_class(), 1e-5
    z = rng.uniform(0.1, 6, 40) * rng.choice([-1, 1], 40)
    np.testing.assert_allclose(f.derivative(z), (f.f(z + h) - f.f(z - h)) / (2 * h), atol=1e-9)


def test_derivative_equals_the_complex_step(activation_class, rng):
    """Im f(z + ih)/h has no difference in it, so nothing cancels: right to the last digits."""
    f = activation_class()
    z = rng.uniform(0.1, 8, 60) * rng.choice([-1, 1], 60)
    np.testing.assert_allclose(f.derivative(z), f.f(z + 1e-30j).imag / 1e-30, rtol=1e-13, atol=1e-15)


def test_the_way_back_multiplies_by_the_derivative(activation_class, rng):
    z, da = rng.normal(size=(2, 3, 4, 2))
    f = activation_class()
    a, backward = f.forward(z)
    np.testing.assert_array_equal(a, f.f(z))
    np.testing.assert_array_equal(backward(da), da * f.derivative(z))


# f and f′ at −10⁴ and at 10⁴; where nothing is said, f is 0 and 10⁴, f′ 0 and 1.
FAR_OUT = {
    "elu": [-1, 1e4, 0, 1],
    "hardsigmoid": [0, 1, 0, 0],
    "hardtanh": [-1, 1, 0, 0],
    "identity": [-1e4, 1e4, 1, 1],
    "leakyrelu": [-100, 1e4, 0.01, 1],
    "relu6": [0, 6, 0, 0],
    "selu": [-1.7580993408473766, 10507.009873554805, 0, 1.0507009873554805],
    "sigmoid": [0, 1, 0, 0],
    "softsign": [-1e4 / 10001, 1e4 / 10001, 10001**-2, 10001**-2],
    "step": [0, 1, 0, 0],
    "tanh": [-1, 1, 0, 0],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_all_is_finite_and_silent(activation_class, dtype):
    """±10⁴ give what the limit says; warnings are errors in these tests."""
    f, z = activation_class(), np.array([-1e4, 1e4], dtype)
    expected = np.array(FAR_OUT.get(activation_class.__name__.lower(), [0, 1e4, 0, 1]), dtype)
    np.testing.assert_allclose([*f.f(z), *f.derivative(z)], expected, rtol=2 * np.finfo(dtype).eps)


# The places where a piece ends, and f′ there: that of the outer piece.
KINKS = {
    "hardsigmoid": {-3: 0, 3: 0},
    "hardswish": {-3: 0, 3: 1},
    "hardtanh": {-1: 0, 1: 0},
    "leakyrelu": {0: 0.01},
    "relu": {0: 0},
    "relu6": {0: 0, 6: 0},
}


def test_the_step_is_still_zero_at_zero():
    np.testing.assert_array_equal(Step().f(np.array([-1e-300, 0.0, 1e-300])), [0, 0, 1])


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_the_derivative_is_that_of_the_outer_piece(name):
    f = activations.get(name)
    for kink, slope in KINKS[name].items():
        outward = 1e-3 if kink > 0 else -1e-3
        assert f.derivative(np.array([float(kink)])) == slope
        assert f.derivative(np.array([kink + outward])) == slope
        assert f.derivative(np.array([kink - outward])) != slope


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(max_dims=4, min_side=0),
        elements=st.floats(-20, 20, width=32),
    )
)
def test_shape_and_dtype_are_kept(z):
    for name in activations.names():
        a, backward = activations.get(name).forward(z)
        dz = backward(np.ones_like(z))
        assert a.shape == dz.shape == z.shape and a.dtype == dz.dtype == z.dtype


def test_nan_is_not_hidden(activation_class):
    if activation_class is not Step:
        assert np.isnan(activation_class().f(np.array([np.nan]))).all()


def test_sigmoid_and_tanh_keep_their_symmetries(rng):
    z = rng.normal(size=100) * 5
    sigmoid, tanh = Sigmoid().f, Tanh().f
    np.testing.assert_allclose(sigmoid(z), scipy.special.expit(z), rtol=1e-14)
    np.testing.assert_allclose(sigmoid(-z), 1 - sigmoid(z), atol=1e-15)
    np.testing.assert_allclose(tanh(z), 2 * sigmoid(2 * z) - 1, atol=1e-15)


def test_sigmoid_keeps_its_digits_where_it_is_small():
    z = -np.linspace(30, 700, 50)
    np.testing.assert_allclose(Sigmoid().f(z), np.exp(z), rtol=1e-12)
    np.testing.assert_allclose(Sigmoid().f(np.array([-80], np.float32)), np.exp(-80), rtol=1e-6)


def test_selu_keeps_mean_zero_and_variance_one():
    f, phi = activations.get("selu").f, scipy.stats.norm.pdf

    def mean(power):
        return sum(scipy.integrate.quad(lambda z: f(np.array([z]))[0] ** power * phi(z), *ends)[0] for ends in ((-np.inf, 0), (0, np.inf)))

    assert mean(1) == pytest.approx(0, abs=1e-9)
    assert mean(2) == pytest.approx(1, abs=1e-9)


def test_constants_change_the_function():
    z = np.array([-2.0, 2.0])
    np.testing.assert_array_equal(LeakyReLU(0.5).f(z), [-1, 2])
    np.testing.assert_array_equal(LeakyReLU(0.5).derivative(z), [0.5, 1])
    np.testing.assert_array_equal(LeakyReLU(-2).f(z), [4, 2])
    np.testing.assert_allclose(ELU(3).f(z), [3 * (np.exp(-2) - 1), 2])
    np.testing.assert_allclose(ELU(3).derivative(z), [3 * np.exp(-2), 1])
    np.testing.assert_array_equal(ELU(3).derivative(np.array([0.0, 0.5])), [3, 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_constants_are_finite(bad):
    with pytest.raises(ValueError, match=f"negative_slope must be a finite number, got {bad}"):
        LeakyReLU(bad)
    with pytest.raises(ValueError, match=f"alpha must be a finite number, got {bad}"):
        ELU(bad)


def test_whole_numbers_are_refused(activation_class):
    with pytest.raises(TypeError, match=r"\(\) expects an array of floating-point numbers, got int64"):
        activation_class().forward(np.array([1, 2]))
    with pytest.raises(TypeError, match=r"\(\) expects an array of floating-point numbers, got list"):
        activation_class().forward([1.0, 2.0])


def test_names_and_instances():
    relu = ReLU()
    assert activations.get(relu) is relu
    assert activations.get("relu") is not activations.get("relu")
    assert isinstance(activations.get("ReLU"), ReLU) and isinstance(activations.get("leaky_relu"), activations.LeakyReLU)
    for unknown in ("rellu", None, ReLU):
        with pytest.raises(ValueError, match=r"unknown activation .*; known are elu, gelu, gelutanh, hardsigmoid"):
            activations.get(unknown)


def test_an_activation_without_formula_says_so():
    class Unfinished(Activation):
        pass

    with pytest.raises(TypeError, match=r"Unfinished defines no f\(z\)"):
        Unfinished()(np.ones(1))
    with pytest.raises(TypeError, match=r"Unfinished defines no df\(z, a\)"):
        Unfinished().df(np.ones(1), np.ones(1))
    assert "unfinished" not in activations.names()


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(-1e4, 1e4)),
    st.floats(-1e4, 1e4),
)
def test_softmax_is_a_distribution_and_does_not_see_a_shift(z, shift):
    p = softmax(z)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(z + shift), p, atol=1e-11)
    np.testing.assert_allclose(p, scipy.special.softmax(z, axis=1), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(softmax(z.T, axis=0).T, p, rtol=1e-14)


def test_softmax_keeps_float32():
    assert softmax(np.ones((2, 3), np.float32)).dtype == np.float32


STORED = Stored("core")


def test_every_activation_that_pytorch_has_is_stored():
    assert STORED.names("activation") == sorted(set(activations.names()) - {"step"})


@pytest.mark.parametrize("name", STORED.names("activation"))
def test_value_and_derivative_are_those_of_pytorch(name):
    compare_with_torch(activations.get(name), STORED.below(f"activation/{name}"), [], tolerance=1e-12)
