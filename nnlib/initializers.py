"""First values for weights.

Each takes the shape (n_out, n_in) of a weight matrix and a generator, and returns a matrix W for z = W a + b. They differ in the
variance of its entries; chapter 3 derives which variance keeps signals and gradients alive through many layers. `constant`,
`normal`, `uniform` and `scaled` take a number first and return such a function.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnlib import activations
from nnlib.activations import Activation

__all__ = [
    "constant",
    "gain",
    "get",
    "he",
    "he_uniform",
    "identity",
    "lecun",
    "lecun_uniform",
    "names",
    "normal",
    "orthogonal",
    "scaled",
    "uniform",
    "xavier",
    "xavier_uniform",
    "zeros",
]

Initializer = Callable[[tuple[int, int], np.random.Generator], np.ndarray]


def zeros(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W = 0. All units of a hidden layer stay equal forever: useful to see why the others are random.

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> initializers.zeros((1, 2), np.random.default_rng(0))
    array([[0., 0.]])
    """
    return np.zeros(shape)


def identity(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij = 1 if i = j else 0: a recurrent layer of ReLUs that starts by keeping its state (Le, Jaitly and Hinton, 2015).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> initializers.identity((2, 3), np.random.default_rng(0))
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    return np.eye(*shape)


def orthogonal(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W Wᵀ = I or Wᵀ W = I, whichever fits the shape: no signal grows or shrinks (Saxe, McClelland and Ganguli, 2014).

    Q of the QR decomposition of a matrix of normal numbers, each column with the sign that makes the diagonal of R positive: so
    all such W are equally likely, whereas the signs would be those of the algorithm (Mezzadri, 2007).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.orthogonal((2, 3), np.random.default_rng(0))
    >>> bool(np.allclose(W @ W.T, np.eye(2)))
    True
    """
    n_out, n_in = shape
    if n_out < n_in:
        return orthogonal((n_in, n_out), rng).T
    Q, R = np.linalg.qr(rng.normal(size=shape))
    return Q * np.sign(np.diag(R))


def constant(value: float) -> Initializer:
    """W_ij = value.

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> initializers.constant(0.5)((1, 2), np.random.default_rng(0))
    array([[0.5, 0.5]])
    """
    if not math.isfinite(value):
        raise ValueError(f"constant expects a finite number, got {value}")
    return lambda shape, rng: np.full(shape, float(value))


def normal(std: float) -> Initializer:
    """W_ij ~ N(0, std²).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.normal(0.02)((400, 100), np.random.default_rng(0))
    >>> round(float(W.std()), 3)
    0.02
    """
    _check_positive("normal", "standard deviation", std)
    return lambda shape, rng: rng.normal(0, std, shape)


def uniform(limit: float) -> Initializer:
    """W_ij uniform between −limit and limit, with the variance limit²/3.

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.uniform(0.3)((400, 100), np.random.default_rng(0))
    >>> round(float(W.min()), 3), round(float(W.max()), 3)
    (-0.3, 0.3)
    """
    _check_positive("uniform", "limit", limit)
    return lambda shape, rng: rng.uniform(-limit, limit, shape)


def scaled(gain: float = 1.0, fan: str = "in", distribution: str = "normal") -> Initializer:
    """Random entries with the mean 0 and the variance gain² / fan, for a gain and a fan of one's own.

    Parameters
    ----------
    gain : float
        How much larger z shall be than a; see `gain`.
    fan : "in", "out" or "mean"
        n_in keeps the size of the signal on the way forward, n_out that of the gradient on the way back, and their mean is a
        compromise.
    distribution : "normal" or "uniform"
        N(0, σ²), or uniform between −√3 σ and √3 σ.

    Returns
    -------
    callable
        Of the shape (n_out, n_in) and a generator.

    Raises
    ------
    ValueError
        If the gain is not positive, or a name is unknown.

    Examples
    --------
    He initialization for the way back:

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.scaled(initializers.gain("relu"), fan="out")((100, 400), np.random.default_rng(0))
    >>> round(float(W.std() * 50**0.5), 2)
    1.0
    """
    _check_positive("scaled", "gain", gain)
    if fan not in ("in", "out", "mean") or distribution not in ("normal", "uniform"):
        raise ValueError(f'scaled expects fan "in", "out" or "mean" and distribution "normal" or "uniform", got {fan!r} and {distribution!r}')

    def initializer(shape, rng):
        n_out, n_in = shape
        std = gain / math.sqrt({"in": n_in, "out": n_out, "mean": (n_in + n_out) / 2}[fan])
        return (normal(std) if distribution == "normal" else uniform(math.sqrt(3) * std))(shape, rng)

    return initializer


def lecun(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij ~ N(0, 1/n_in): z has the variance of a (LeCun, Bottou, Orr and Müller, 1998).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.lecun((400, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 100**0.5), 2)
    1.0
    """
    return rng.normal(0, math.sqrt(1 / shape[1]), shape)


def lecun_uniform(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """`lecun` from a uniform distribution, between ±√(3/n_in).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.lecun_uniform((400, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 100**0.5), 2)
    1.0
    """
    return uniform(math.sqrt(3 / shape[1]))(shape, rng)


def xavier(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij ~ N(0, 2/(n_in + n_out)): a compromise between the way forward and back (Glorot and Bengio, 2010).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.xavier((300, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 200**0.5), 2)
    1.0
    """
    return rng.normal(0, math.sqrt(2 / (shape[0] + shape[1])), shape)


def xavier_uniform(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """`xavier` from a uniform distribution, between ±√(6/(n_in + n_out)): the form of the paper.

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.xavier_uniform((300, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 200**0.5), 2)
    1.0
    """
    return uniform(math.sqrt(6 / (shape[0] + shape[1])))(shape, rng)


def he(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij ~ N(0, 2/n_in): for ReLU, which lets half of the signal through (He, Zhang, Ren and Sun, 2015).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.he((400, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 50**0.5), 2)
    1.0
    """
    return rng.normal(0, math.sqrt(2 / shape[1]), shape)


def he_uniform(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """`he` from a uniform distribution, between ±√(6/n_in).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.he_uniform((400, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 50**0.5), 2)
    1.0
    """
    return uniform(math.sqrt(6 / shape[1]))(shape, rng)


def gain(activation: str | Activation) -> float:
    """1/√E[f(z)²] for z ~ N(0, 1), the factor that makes up for what f takes from the signal.

    With a = f(z), n_in inputs, and Var W_ij = gain²/n_in, the next z has the variance n_in Var(W_ij) E[a²] = 1 again.
    For relu it is √2, the number of He et al. (2015); for leakyrelu √(2/(1 + s²)). PyTorch has the same two, but for tanh
    5/3 (here 1.593), for selu 3/4 (here 1) and for sigmoid 1 (here 1.846), which are rules of thumb.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from nnlib import initializers
    >>> round(initializers.gain("relu"), 6), round(initializers.gain("tanh"), 3)
    (1.414214, 1.593)
    """
    from scipy.integrate import quad
    from scipy.stats import norm

    f = activations.get(activation).f

    def part(low, high):                       # pieces end at 0, where most activations have their kink
        return quad(lambda z: f(np.array([z]))[0] ** 2 * norm.pdf(z), low, high)[0]

    return 1 / math.sqrt(part(-np.inf, 0) + part(0, np.inf))


_BY_NAME: dict[str, Initializer] = {
    function.__name__: function for function in (he, he_uniform, identity, lecun, lecun_uniform, orthogonal, xavier, xavier_uniform, zeros)
}


def names() -> list[str]:
    """The names that `get` knows.

    >>> from nnlib import initializers
    >>> initializers.names()
    ['he', 'he_uniform', 'identity', 'lecun', 'lecun_uniform', 'orthogonal', 'xavier', 'xavier_uniform', 'zeros']
    """
    return list(_BY_NAME)


def get(initializer: str | Initializer) -> Initializer:
    """An initializer by its name; a function is returned as it is.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib import initializers
    >>> initializers.get("he")((3, 2), np.random.default_rng(0)).shape
    (3, 2)
    """
    if callable(initializer):
        return initializer
    if initializer not in _BY_NAME:
        raise ValueError(f"unknown initializer {initializer!r}; known are {', '.join(_BY_NAME)}")
    return _BY_NAME[initializer]


def _check_positive(name, what, value):
    if not 0 < value < math.inf:
        raise ValueError(f"{name} expects a finite {what} > 0, got {value}")
