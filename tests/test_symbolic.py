"""The twins themselves: named as they are, evaluated exactly, and a check that notices."""

import numpy as np
import pytest
import sympy as sp

from nnlib import symbolic
from nnlib.symbolic import check, dense, evaluate, matrix, mlp, vector

x, y = sp.symbols("x y", real=True)


def test_symbols_have_names_of_their_own():
    assert list(matrix("W", 2, 3)) == list(sp.symbols("W11 W12 W13 W21 W22 W23", real=True))
    assert list(vector("b", 2)) == list(sp.symbols("b1 b2", real=True))
    assert vector("b", 2).shape == (2, 1)
    for rows, columns in ((11, 11), (1, 111), (9, 9)):
        assert len(matrix("W", rows, columns).free_symbols) == rows * columns


def test_dense_and_mlp_are_their_equations():
    W, a, b = matrix("W", 2, 2), vector("a", 2), vector("b", 2)
    assert dense(W, a, b)[1] == sp.sympify("W21*a1 + W22*a2 + b2", locals={str(s): s for s in [*W, *a, *b]})
    V, c = matrix("V", 1, 2), vector("c", 1)
    hidden = [sp.tanh(z) for z in dense(W, a, b)]
    assert mlp([W, V], [b, c], a, "tanh")[0] == V[0] * hidden[0] + V[1] * hidden[1] + c[0]
    assert mlp([W], [b], a, "tanh") == dense(W, a, b)
    with pytest.raises(ValueError, match=r"shorter than|longer than"):
        mlp([W, W, V], [b, c], a, "tanh")


def test_an_activation_of_any_expression():
    assert symbolic.activation("sigmoid", x + y) == 1 / (1 + sp.exp(-x - y))
    assert symbolic.activation("step", sp.Integer(0)) == 0
    with pytest.raises(ValueError, match="unknown activation 'rellu'; known are elu, gelu"):
        symbolic.activation("rellu")


def test_evaluate_gives_the_shape_of_the_expression():
    W, a = matrix("W", 2, 3), vector("a", 3)
    numbers = {W: np.arange(6.0).reshape(2, 3), a: [1, 2, 3]}
    assert evaluate(W * a, numbers).tolist() == [8, 26]
    assert evaluate(W, numbers).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert evaluate((a.T * a)[0], numbers) == 14
    assert evaluate(a.T * a, numbers).tolist() == [14]
    assert evaluate(a.T, numbers).shape == (1, 3)
    assert evaluate(sp.pi, {}) == pytest.approx(np.pi)
    assert evaluate(x * y, {x: 2, y: 3.0}) == 6


def test_evaluate_wants_a_number_for_each_symbol():
    with pytest.raises(ValueError, match="no number is given for x, y"):
        evaluate(sp.Matrix([x, y]), {sp.Symbol("z"): 1.0})
    with pytest.raises(ValueError, match="has 3 symbols, got 2 numbers"):
        evaluate(vector("a", 3), {vector("a", 3): [1.0, 2.0]})
    with pytest.raises(ValueError, match="has 1 symbols, got 2 numbers"):
        evaluate(x, {x: [1.0, 2.0]})


def test_check_returns_the_largest_difference():
    assert check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.0 + 1e-13]) == pytest.approx(1e-13, rel=0.01)
    assert check(sp.Matrix([[x, y], [y, x]]), {x: 1.0, y: 2.0}, np.array([[1.0, 2.0], [2.0, 1.0]])) == 0


def test_check_is_relative_to_large_entries_and_absolute_for_small_ones():
    check(x, {x: 1e6}, 1e6 + 5e-7)
    check(x, {x: 1e-6}, 1e-6 + 5e-13)
    with pytest.raises(AssertionError):
        check(x, {x: 1e6}, 1e6 + 2e-6)
    with pytest.raises(AssertionError):
        check(x, {x: 1e-6}, 1e-6 + 2e-12)


def test_check_says_where_and_by_how_much():
    with pytest.raises(AssertionError, match=r"differ by 0.5 \(allowed 2e-12\) at entry 1: derived .*2\.0.*, computed .*2\.5"):
        check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.5])
    check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.5], tolerance=0.3)


@pytest.mark.parametrize("computed", [np.nan, np.inf])
def test_check_does_not_let_nan_through(computed):
    with pytest.raises(AssertionError, match="at entry 1"):
        check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, computed])


def test_check_wants_as_many_entries():
    with pytest.raises(ValueError, match="the expression has 2 entries, the computed array 3"):
        check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.0, 3.0])
