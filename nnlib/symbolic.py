"""The SymPy twin of each equation, and its check against the numbers.

A chapter derives a formula here with symbols, and `check` evaluates it on the numbers that `nnlib` computed with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

__all__ = ["ACTIVATIONS", "activation", "check", "dense", "evaluate", "matrix", "mlp", "vector"]

_z = sp.Symbol("z", real=True)

# f(z) for every name that nnlib.activations knows, with its usual constants.
ACTIVATIONS: dict[str, sp.Expr] = {
    "elu": sp.Piecewise((_z, _z > 0), (sp.exp(_z) - 1, True)),
    "gelu": _z * (1 + sp.erf(_z / sp.sqrt(2))) / 2,
    "identity": _z,
    "leakyrelu": sp.Piecewise((_z, _z > 0), (_z / 100, True)),
    "relu": sp.Piecewise((_z, _z > 0), (0, True)),
    "sigmoid": 1 / (1 + sp.exp(-_z)),
    "softplus": sp.log(1 + sp.exp(_z)),
    "step": sp.Piecewise((1, _z > 0), (0, True)),
    "tanh": sp.tanh(_z),
}


def activation(name: str, z: Any = _z) -> sp.Expr:
    """The activation f(z) as an expression.

    >>> import sympy as sp
    >>> from nnlib import symbolic
    >>> sp.diff(symbolic.activation("tanh"))
    1 - tanh(z)**2
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name].subs(_z, z)


def matrix(name: str, rows: int, columns: int) -> sp.Matrix:
    """A matrix of real symbols, counted from 1.

    >>> from nnlib import symbolic
    >>> symbolic.matrix("W", 2, 2)
    Matrix([
    [W11, W12],
    [W21, W22]])
    """
    between = "" if max(rows, columns) < 10 else "_"  # W111 could be W1,11 or W11,1
    return sp.ImmutableMatrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i + 1}{between}{j + 1}", real=True))


def vector(name: str, size: int) -> sp.Matrix:
    """A column of real symbols, counted from 1.

    >>> from nnlib import symbolic
    >>> symbolic.vector("b", 2).T
    Matrix([[b1, b2]])
    """
    return sp.ImmutableMatrix(size, 1, lambda i, j: sp.Symbol(f"{name}{i + 1}", real=True))


def dense(W: sp.Matrix, a: sp.Matrix, b: sp.Matrix) -> sp.Matrix:
    """The twin of `nnlib.mlp.Dense` for one example: z = W a + b, with a and b columns.

    >>> from nnlib.symbolic import dense, matrix, vector
    >>> dense(matrix("W", 1, 2), vector("a", 2), vector("b", 1))[0]
    W11*a1 + W12*a2 + b1
    """
    return W * a + b


def mlp(weights: list[sp.Matrix], biases: list[sp.Matrix], x: sp.Matrix, activation_name: str) -> sp.Matrix:
    """The twin of `nnlib.mlp.MLP` for one example: the activation after every layer but the last.

    >>> from nnlib.symbolic import matrix, mlp, vector
    >>> W, b = [matrix("W", 1, 1), matrix("V", 1, 1)], [vector("b", 1), vector("c", 1)]
    >>> mlp(W, b, vector("x", 1), "tanh")[0]
    V11*tanh(W11*x1 + b1) + c1
    """
    a = x
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        a = dense(W, a, b).applyfunc(lambda z: activation(activation_name, z))
    return dense(weights[-1], a, biases[-1])


def evaluate(expression: Any, at: Mapping[Any, Any]) -> np.ndarray:
    """The numbers of an expression or matrix of expressions, where ``at`` gives the numbers of its symbols.

    Parameters
    ----------
    expression : sympy expression or matrix
    at : mapping
        From a symbol to a number, or from a matrix of symbols to an array with as many entries.

    Returns
    -------
    ndarray
        Of the shape of the expression; a column has shape (rows,).

    Raises
    ------
    ValueError
        If a symbol has no number, or a matrix and its array differ in size.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.symbolic import evaluate, matrix, vector
    >>> W, a = matrix("W", 2, 2), vector("a", 2)
    >>> evaluate(W * a, {W: np.array([[1.0, 2.0], [3.0, 4.0]]), a: np.array([1.0, 1.0])})
    array([3., 7.])
    """
    numbers: dict[Any, float] = {}
    for key, value in at.items():
        names = list(key) if isinstance(key, sp.MatrixBase) else [key]
        values = np.ravel(value)
        if len(names) != values.size:
            raise ValueError(f"{key} has {len(names)} symbols, got {values.size} numbers")
        numbers.update(zip(names, values.tolist(), strict=True))
    whole = sp.ImmutableMatrix(expression) if isinstance(expression, sp.MatrixBase) else sp.ImmutableMatrix([[expression]])
    missing = whole.free_symbols - set(numbers)
    if missing:
        raise ValueError(f"no number is given for {', '.join(sorted(map(str, missing)))}")
    compute = sp.lambdify(list(numbers), whole, modules=["scipy", "numpy"], cse=True)
    result = np.asarray(compute(*numbers.values()), dtype=float)
    if not isinstance(expression, sp.MatrixBase):
        return result[0, 0]
    return result[:, 0] if result.shape[1] == 1 else result


def check(expression: Any, at: Mapping[Any, Any], computed: Any, tolerance: float = 1e-12) -> float:
    """Evaluate a derived expression and assert that the code computed the same.

    Parameters
    ----------
    expression : sympy expression or matrix
        What was derived.
    at : mapping
        The numbers of its symbols, as for `evaluate`.
    computed : array_like
        What the code gave, in as many entries.
    tolerance : float
        Largest difference allowed, relative to the largest entry, or to 1 if that is smaller.

    Returns
    -------
    float
        The largest difference.

    Raises
    ------
    AssertionError
        If they differ by more than ``tolerance``: with both values at the worst place.
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import sympy as sp
    >>> from nnlib.symbolic import check
    >>> x = sp.Symbol("x")
    >>> check(sp.diff(x**3, x), {x: 2.0}, 12.0)
    0.0
    """
    derived, computed = np.atleast_1d(evaluate(expression, at)), np.asarray(computed, dtype=float)
    if derived.size != computed.size:
        raise ValueError(f"the expression has {derived.size} entries, the computed array {computed.size}")
    difference = np.abs(derived.ravel() - computed.ravel())
    worst = int(np.argmax(difference))
    allowed = tolerance * max(1.0, float(np.abs(derived).max()))
    if not difference[worst] <= allowed:
        raise AssertionError(
            f"derived and computed values differ by {difference[worst]:.3g} (allowed {allowed:.3g}) at entry {worst}: "
            f"derived {derived.ravel()[worst]!r}, computed {computed.ravel()[worst]!r}"
        )
    return float(difference[worst])
