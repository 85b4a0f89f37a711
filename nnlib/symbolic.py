"""The SymPy twin of each equation, and its check against the numbers.

A chapter derives a formula here with symbols, and `check` evaluates it on the numbers that `nnlib` computed with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import sympy as sp

__all__ = [
    "ACTIVATIONS", "LOSSES", "activation", "adagrad", "adam", "batch_norm", "check", "conv1d", "dense", "dropout", "evaluate",
    "gru_cell", "l1", "l2", "layer_norm", "loss", "lstm_cell", "matrix", "mlp", "rms_norm", "rmsprop", "rnn_cell", "rotate",
    "scaled_dot_product_attention", "sgd", "sinusoidal", "softmax", "swiglu", "toeplitz", "vector",
]

_z = sp.Symbol("z", real=True)

# f(z) for every name that nnlib.activations knows, with its usual constants.
ACTIVATIONS: dict[str, sp.Expr] = {
    "elu": sp.Piecewise((_z, _z > 0), (sp.exp(_z) - 1, True)),
    "gelu": _z * (1 + sp.erf(_z / sp.sqrt(2))) / 2,
    "gelutanh": _z * (1 + sp.tanh(sp.sqrt(2 / sp.pi) * (_z + sp.Rational("0.044715") * _z**3))) / 2,
    "hardsigmoid": sp.Piecewise((0, _z <= -3), (1, _z >= 3), (_z / 6 + sp.Rational(1, 2), True)),
    "hardswish": sp.Piecewise((0, _z <= -3), (_z, _z >= 3), (_z * (_z + 3) / 6, True)),
    "hardtanh": sp.Piecewise((-1, _z <= -1), (1, _z >= 1), (_z, True)),
    "identity": _z,
    "leakyrelu": sp.Piecewise((_z, _z > 0), (_z / 100, True)),
    "mish": _z * sp.tanh(sp.log(1 + sp.exp(_z))),
    "relu": sp.Piecewise((_z, _z > 0), (0, True)),
    "relu6": sp.Piecewise((0, _z <= 0), (6, _z >= 6), (_z, True)),
    "selu": sp.Float("1.0507009873554805", 30) * sp.Piecewise((_z, _z > 0), (sp.Float("1.6732632423543772", 30) * (sp.exp(_z) - 1), True)),
    "sigmoid": 1 / (1 + sp.exp(-_z)),
    "silu": _z / (1 + sp.exp(-_z)),
    "softplus": sp.log(1 + sp.exp(_z)),
    "softsign": _z / (1 + sp.Abs(_z)),
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


def _right(z: Any, y: Any) -> Any:
    """σ(s z) with s = 2y − 1: the probability that a logit gives to the right one of two classes."""
    return 1 / (1 + sp.exp((1 - 2 * y) * z))


# One term of each loss: of a prediction and its target, of the logits of one example and its class, of a positive and a negative.
LOSSES: dict[str, Callable[..., Any]] = {
    "mse": lambda y_hat, y: (y_hat - y) ** 2,
    "mae": lambda y_hat, y: sp.Abs(y_hat - y),
    "huber": lambda y_hat, y, delta=1: sp.Piecewise(
        ((y_hat - y) ** 2 / 2, sp.Abs(y_hat - y) <= delta), (delta * (sp.Abs(y_hat - y) - sp.sympify(delta) / 2), True)
    ),
    "hinge": lambda z, y, squared=False: sp.Max(0, 1 - (2 * y - 1) * z) ** (2 if squared else 1),
    "binary_cross_entropy": lambda z, y, positive_weight=1: (
        positive_weight * y * sp.log(1 + sp.exp(-z)) + (1 - y) * sp.log(1 + sp.exp(z))
    ),
    "binary_focal": lambda z, y, gamma=2, alpha=None: (
        -(1 if alpha is None else alpha * y + (1 - alpha) * (1 - y)) * (1 - _right(z, y)) ** gamma * sp.log(_right(z, y))
    ),
    "categorical_cross_entropy": lambda z, y: sp.log(sum(z.applyfunc(sp.exp))) - z[y],
    "categorical_focal": lambda z, y, gamma=2: -((1 - softmax(z)[y]) ** gamma) * sp.log(softmax(z)[y]),
    "nll": lambda log_p, y: -log_p[y],
    "pairwise_auc": lambda z_positive, z_negative, surrogate="logistic": (
        sp.log(1 + sp.exp(z_negative - z_positive)) if surrogate == "logistic" else sp.Max(0, 1 - z_positive + z_negative) ** 2
    ),
}


def loss(name: str, prediction: sp.Matrix, target: Any, **constants: Any) -> sp.Expr:
    """The twin of a function of `nnlib.losses`, with its constants: the mean over entries, examples (rows) or pairs.

    Targets are a matrix like the predictions; labels of classes or of the pairwise loss are whole numbers, one for each row.

    >>> from nnlib.symbolic import loss, matrix, vector
    >>> loss("mse", vector("y", 2), vector("t", 2))
    (-t1 + y1)**2/2 + (-t2 + y2)**2/2
    >>> loss("categorical_cross_entropy", matrix("z", 1, 2), [0])
    -z11 + log(exp(z11) + exp(z12))
    """
    if name not in LOSSES:
        raise ValueError(f"unknown loss {name!r}; known are {', '.join(LOSSES)}")
    of_rows = name in ("categorical_cross_entropy", "categorical_focal", "nll")
    pairs = list(zip([prediction[i, :] for i in range(prediction.rows)] if of_rows else prediction, target, strict=True))
    if name == "pairwise_auc":
        pairs = [(z, z_other) for z, y in pairs for z_other, y_other in pairs if y > y_other]
    return sum(LOSSES[name](*pair, **constants) for pair in pairs) / sp.Integer(len(pairs))


def layer_norm(x: sp.Matrix, gamma: sp.Matrix, beta: sp.Matrix, eps: Any) -> sp.Matrix:
    """The twin of `nnlib.regularizers.LayerNorm` for one row, as columns: γ ⊙ (x − μ)/√(σ² + ε) + β.

    >>> from nnlib.symbolic import layer_norm, vector
    >>> layer_norm(vector("x", 1), vector("γ", 1), vector("β", 1), 1)       # a single feature is its own mean
    Matrix([[β1]])
    """
    return gamma.multiply_elementwise(_standardized(x, eps)) + beta


def batch_norm(X: sp.Matrix, gamma: sp.Matrix, beta: sp.Matrix, eps: Any) -> sp.Matrix:
    """The twin of `nnlib.regularizers.BatchNorm` in training, where each column of X holds one feature of all examples.

    >>> import sympy as sp
    >>> from nnlib.symbolic import batch_norm, matrix, vector
    >>> batch_norm(sp.Matrix([[1], [3]]), vector("γ", 1), vector("β", 1), 0).T
    Matrix([[β1 - γ1, β1 + γ1]])
    """
    columns = [gamma[j] * _standardized(X[:, j], eps) + beta[j] * sp.ones(X.rows, 1) for j in range(X.cols)]
    return sp.ImmutableMatrix.hstack(*columns)


def rms_norm(x: sp.Matrix, gamma: sp.Matrix, eps: Any) -> sp.Matrix:
    """The twin of `nnlib.regularizers.RMSNorm` for one row, as columns: γ ⊙ x/√(mean(x²) + ε).

    >>> from nnlib.symbolic import rms_norm, vector
    >>> rms_norm(vector("x", 1), vector("γ", 1), 1)[0]
    x1*γ1/sqrt(x1**2 + 1)
    """
    return gamma.multiply_elementwise(x) / sp.sqrt(sum(x.applyfunc(lambda xi: xi**2)) / len(x) + eps)


def _standardized(x: sp.Matrix, eps: Any) -> sp.Matrix:
    centred = x - sp.ones(len(x), 1) * sum(x) / len(x)
    return centred / sp.sqrt(sum(centred.applyfunc(lambda c: c**2)) / len(x) + eps)


def dropout(x: sp.Matrix, mask: sp.Matrix, p: Any) -> sp.Matrix:
    """The twin of `nnlib.regularizers.Dropout` for a mask of zeros and ones: m ⊙ x/(1 − p).

    >>> import sympy as sp
    >>> from nnlib.symbolic import dropout, vector
    >>> dropout(vector("x", 2), sp.Matrix([0, 1]), sp.Rational(1, 2)).T
    Matrix([[0, 2*x2]])
    """
    return mask.multiply_elementwise(x) / (1 - p)


def l1(theta: sp.Matrix, strength: Any) -> sp.Expr:
    """The twin of `nnlib.regularizers.l1`: λ Σ |θ_i|.

    >>> from nnlib.symbolic import l1, vector
    >>> l1(vector("θ", 2), 3)
    3*Abs(θ1) + 3*Abs(θ2)
    """
    return sum(strength * sp.Abs(t) for t in theta)


def l2(theta: sp.Matrix, strength: Any) -> sp.Expr:
    """The twin of `nnlib.regularizers.l2`: (λ/2) Σ θ_i².

    >>> from nnlib.symbolic import l2, vector
    >>> l2(vector("θ", 2), 4)
    2*θ1**2 + 2*θ2**2
    """
    return sum(strength * t**2 / 2 for t in theta)


def conv1d(w: sp.Matrix, x: sp.Matrix, b: Any = 0, stride: int = 1, padding: int = 0, dilation: int = 1) -> sp.Matrix:
    """The twin of `nnlib.cnn.Conv1D` for one channel, as columns: y_t = b + Σ_k w_k x_{ts + kd − p}, with zeros beyond the ends.

    >>> from nnlib.symbolic import conv1d, vector
    >>> conv1d(vector("w", 2), vector("x", 3)).T
    Matrix([[w1*x1 + w2*x2, w1*x2 + w2*x3]])
    """
    T = toeplitz(w, len(x), stride, padding, dilation)
    return T * x + b * sp.ones(T.rows, 1)


def toeplitz(w: sp.Matrix, n: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> sp.Matrix:
    """The twin of `nnlib.cnn.toeplitz` for one channel: the matrix T of a convolution of n entries, y = T x.

    >>> from nnlib.symbolic import toeplitz, vector
    >>> toeplitz(vector("w", 2), 3)
    Matrix([
    [w1, w2,  0],
    [ 0, w1, w2]])
    """
    places = range(-padding, n + padding - dilation * (len(w) - 1), stride)  # where the kernel begins
    at = {(t, start + k * dilation): w[k] for t, start in enumerate(places) for k in range(len(w))}
    return sp.ImmutableMatrix(len(places), n, lambda t, i: at.get((t, i), 0))


def rnn_cell(x: sp.Matrix, h: sp.Matrix, W: sp.Matrix, U: sp.Matrix, b: sp.Matrix, f: str = "tanh") -> sp.Matrix:
    """The twin of `nnlib.rnn.RNNCell` for one example: h′ = f(W x + U h + b).

    >>> from nnlib.symbolic import matrix, rnn_cell, vector
    >>> rnn_cell(vector("x", 1), vector("h", 1), matrix("W", 1, 1), matrix("U", 1, 1), vector("b", 1))[0]
    tanh(U11*h1 + W11*x1 + b1)
    """
    return _each(f, W * x + U * h + b)


def lstm_cell(x: sp.Matrix, h: sp.Matrix, c: sp.Matrix, W: sp.Matrix, U: sp.Matrix, b: sp.Matrix) -> tuple[sp.Matrix, sp.Matrix]:
    """The twin of `nnlib.rnn.LSTMCell` for one example: c′ = f ⊙ c + i ⊙ g, h′ = o ⊙ tanh c′; rows of W, U, b in the order i, f, g, o.

    >>> import sympy as sp
    >>> from nnlib.symbolic import lstm_cell, vector
    >>> c = vector("c", 1)
    >>> lstm_cell(vector("x", 1), vector("h", 1), c, sp.zeros(4, 1), sp.zeros(4, 1), sp.zeros(4, 1))[1]     # f = 1/2, g = 0
    Matrix([[c1/2]])
    """
    z, n = W * x + U * h + b, len(h)
    i, f, o = (_each("sigmoid", z[k * n : (k + 1) * n, :]) for k in (0, 1, 3))
    g = _each("tanh", z[2 * n : 3 * n, :])
    c_next = f.multiply_elementwise(c) + i.multiply_elementwise(g)
    return o.multiply_elementwise(_each("tanh", c_next)), c_next


def gru_cell(x: sp.Matrix, h: sp.Matrix, W: sp.Matrix, U: sp.Matrix, b: sp.Matrix, b_U: sp.Matrix | None = None) -> sp.Matrix:
    """The twin of `nnlib.rnn.GRUCell` for one example: h′ = (1 − z) ⊙ n + z ⊙ h; rows of W, U, b in the order r, z, n.

    With b_U the reset comes after the product with U, without it before, as in the paper.

    >>> import sympy as sp
    >>> from nnlib.symbolic import gru_cell, vector
    >>> h = vector("h", 1)
    >>> gru_cell(vector("x", 1), h, sp.zeros(3, 1), sp.zeros(3, 1), sp.zeros(3, 1))      # z = 1/2, n = 0
    Matrix([[h1/2]])
    """
    k = len(h)
    r, z = (_each("sigmoid", (W * x + U * h + b)[rows, :]) for rows in (slice(0, k), slice(k, 2 * k)))
    Wx, U = (W * x + b)[2 * k :, :], U[2 * k :, :]
    n = _each("tanh", Wx + (U * r.multiply_elementwise(h) if b_U is None else r.multiply_elementwise(U * h + b_U)))
    return n - z.multiply_elementwise(n) + z.multiply_elementwise(h)


def _each(name: str, z: sp.Matrix) -> sp.Matrix:
    return z.applyfunc(lambda zi: activation(name, zi))


def softmax(z: sp.Matrix) -> sp.Matrix:
    """The twin of `nnlib.activations.softmax`: p_i = e^{z_i} / Σ_j e^{z_j}, of the shape of z.

    >>> from nnlib.symbolic import softmax, vector
    >>> softmax(vector("z", 2))[0]
    exp(z1)/(exp(z1) + exp(z2))
    """
    e = z.applyfunc(sp.exp)
    return e / sum(e)


def scaled_dot_product_attention(Q: sp.Matrix, K: sp.Matrix, V: sp.Matrix, causal: bool = False) -> tuple[sp.Matrix, sp.Matrix]:
    """The twin of the function in `nnlib.attention`, one row for each position: A = softmax(Q Kᵀ/√d_k), Y = A V; gives Y and A.

    >>> from nnlib.symbolic import matrix, scaled_dot_product_attention
    >>> Q, K, V = (matrix(name, 2, 1) for name in "QKV")
    >>> Y, A = scaled_dot_product_attention(Q, K, V, causal=True)
    >>> A[0, :], Y[0]                          # the first position sees itself alone
    (Matrix([[1, 0]]), V11)
    """
    S = Q * K.T / sp.sqrt(Q.cols)
    seen = [K.rows - Q.rows + i + 1 if causal else K.rows for i in range(Q.rows)]
    A = sp.ImmutableMatrix.vstack(*(softmax(S[i, :n]).row_join(sp.zeros(1, K.rows - n)) for i, n in enumerate(seen)))
    return A * V, A


def swiglu(x: sp.Matrix, W_gate: sp.Matrix, W_up: sp.Matrix, W_out: sp.Matrix) -> sp.Matrix:
    """The twin of `nnlib.attention.SwiGLU` at one position: y = W_out (SiLU(W_gate x) ⊙ W_up x).

    >>> import sympy as sp
    >>> from nnlib.symbolic import swiglu, vector
    >>> swiglu(vector("x", 1), sp.eye(1), sp.eye(1), sp.eye(1))[0]
    x1**2/(1 + exp(-x1))
    """
    return W_out * _each("silu", W_gate * x).multiply_elementwise(W_up * x)


def sinusoidal(length: int, d: int) -> sp.Matrix:
    """The twin of `nnlib.attention.sinusoidal`: P[t, 2i] = sin(ω_i t), P[t, 2i+1] = cos(ω_i t), ω_i = 10000^(−2i/d).

    >>> from nnlib.symbolic import sinusoidal
    >>> sinusoidal(2, 4)[1, :]
    Matrix([[sin(1), cos(1), sin(1/100), cos(1/100)]])
    """
    return sp.ImmutableMatrix(length, d, lambda t, j: (sp.sin, sp.cos)[j % 2](_omega(j // 2, d) * t))


def rotate(x: sp.Matrix, t: Any) -> sp.Matrix:
    """The twin of `nnlib.attention.rotate` for one position t, as a column: the pair (x_2i, x_2i+1) turns by the angle ω_i t.

    >>> import sympy as sp
    >>> from nnlib.symbolic import rotate
    >>> rotate(sp.Matrix([1, 0]), sp.Symbol("t")).T
    Matrix([[cos(t), sin(t)]])
    """
    turns = [sp.rot_ccw_axis3(_omega(i, len(x)) * t)[:2, :2] for i in range(len(x) // 2)]
    return sp.ImmutableMatrix(sp.diag(*turns) * x)


def _omega(i: int, d: int) -> sp.Expr:
    return sp.Integer(10000) ** sp.Rational(-2 * i, d)


# The update rules give θ after each gradient, for one parameter, since each goes its own way.


def sgd(theta: Any, gradients: Iterable[Any], learning_rate: Any, momentum: Any = 0, nesterov: bool = False, weight_decay: Any = 0) -> Iterator[Any]:
    """The twin of `nnlib.optimizers.SGD`: v ← μ v + g, θ ← θ − η v, or with Nesterov's look ahead θ ← θ − η (g + μ v).

    With weight decay λ that of SGDW: θ ← θ − η λ θ first.

    >>> from sympy import symbols
    >>> from nnlib.symbolic import sgd
    >>> list(sgd(0, symbols("g1 g2"), 1, momentum=symbols("μ")))
    [-g1, -g1*μ - g1 - g2]
    """
    v = 0
    for g in gradients:
        v = momentum * v + g
        theta = theta - learning_rate * weight_decay * theta - learning_rate * (g + momentum * v if nesterov else v)
        yield theta


def adagrad(theta: Any, gradients: Iterable[Any], learning_rate: Any, eps: Any = 0) -> Iterator[Any]:
    """The twin of `nnlib.optimizers.AdaGrad`: s ← s + g², θ ← θ − η g/(√s + ε).

    >>> from nnlib.symbolic import adagrad
    >>> list(adagrad(0, [3, 4], 1))
    [-1, -9/5]
    """
    s = 0
    for g in map(sp.sympify, gradients):
        s = s + g**2
        theta = theta - learning_rate * g / (sp.sqrt(s) + eps)
        yield theta


def rmsprop(theta: Any, gradients: Iterable[Any], learning_rate: Any, rho: Any, eps: Any = 0, centered: bool = False) -> Iterator[Any]:
    """The twin of `nnlib.optimizers.RMSprop`: s ← ρ s + (1 − ρ) g², θ ← θ − η g/(√s + ε).

    Centered, with m ← ρ m + (1 − ρ) g, the root is of s − m².

    >>> from sympy import Rational
    >>> from nnlib.symbolic import rmsprop
    >>> list(rmsprop(0, [5], 1, rho=Rational(3, 4))), list(rmsprop(0, [5], 1, rho=Rational(1, 2), centered=True))
    ([-2], [-2])
    """
    m = s = 0
    for g in map(sp.sympify, gradients):
        m = rho * m + (1 - rho) * g
        s = rho * s + (1 - rho) * g**2
        theta = theta - learning_rate * g / (sp.sqrt(s - m**2 if centered else s) + eps)
        yield theta


def adam(theta: Any, gradients: Iterable[Any], learning_rate: Any, beta1: Any, beta2: Any, eps: Any = 0, weight_decay: Any = 0) -> Iterator[Any]:
    """The twin of `nnlib.optimizers.Adam`: m and v, means of g and g², m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), θ ← θ − η m̂/(√v̂ + ε).

    With weight decay λ, that of AdamW: θ ← θ − η λ θ − η m̂/(√v̂ + ε).

    >>> from sympy import symbols
    >>> from nnlib.symbolic import adam
    >>> g, β1, β2 = symbols("g β1 β2", positive=True)
    >>> [theta.simplify() for theta in adam(0, [g], 1, β1, β2)]       # the first step is η long
    [-1]
    """
    m = v = 0
    for t, g in enumerate(map(sp.sympify, gradients), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - learning_rate * weight_decay * theta - learning_rate * m_hat / (sp.sqrt(v_hat) + eps)
        yield theta


def evaluate(expression: Any, at: Mapping[Any, Any]) -> np.ndarray:
    """The numbers of an expression or of a matrix of expressions, in its shape; of a column, in the shape (rows,).

    ``at`` gives a number for each symbol, or an array for each matrix of symbols, of its shape. A vector may be flat, and a column
    one row, an example.

    >>> import numpy as np
    >>> from nnlib.symbolic import evaluate, matrix, vector
    >>> W, a = matrix("W", 2, 2), vector("a", 2)
    >>> evaluate(W * a, {W: np.array([[1.0, 2.0], [3.0, 4.0]]), a: np.array([1.0, 1.0])})
    array([3., 7.])
    """
    numbers: dict[Any, float] = {}
    for key, value in at.items():
        names = list(key) if isinstance(key, sp.MatrixBase) else [key]
        if not _fits(key, np.shape(value)):
            raise ValueError(f"{key} stands for {_shape(key)}, got numbers of shape {np.shape(value)}")
        numbers.update(zip(names, np.ravel(value).tolist(), strict=True))
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
        What the code gave, in the shape of the expression, as for `evaluate`.
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
        If shapes do not fit, or a symbol has no number.

    Examples
    --------
    >>> import sympy as sp
    >>> from nnlib.symbolic import check
    >>> x = sp.Symbol("x")
    >>> check(sp.diff(x**3, x), {x: 2.0}, 12.0)
    0.0
    """
    derived, computed = np.atleast_1d(evaluate(expression, at)), np.asarray(computed, dtype=float)
    if not _fits(expression, computed.shape):
        raise ValueError(f"the expression stands for {_shape(expression)}, got numbers of shape {computed.shape}")
    difference = np.abs(derived.ravel() - computed.ravel())
    worst = int(np.argmax(difference))
    allowed = tolerance * max(1.0, float(np.abs(derived).max()))
    if not difference[worst] <= allowed:
        raise AssertionError(
            f"derived and computed values differ by {difference[worst]:.3g} (allowed {allowed:.3g}) at entry {worst}: "
            f"derived {derived.ravel()[worst]!r}, computed {computed.ravel()[worst]!r}"
        )
    return float(difference[worst])


def _fits(expression: Any, shape: tuple[int, ...]) -> bool:
    """Whether numbers of this shape can be those of the expression: a vector may be flat, and a column one row, an example."""
    rows, columns = expression.shape if isinstance(expression, sp.MatrixBase) else (1, 1)
    if 1 in (rows, columns) and shape == (rows * columns,):
        return True
    return shape == (rows, columns) or (columns == 1 and shape == (1, rows)) or (rows == columns == 1 and set(shape) <= {1})


def _shape(expression: Any) -> str:
    return f"a matrix of shape {expression.shape}" if isinstance(expression, sp.MatrixBase) else "one number"
