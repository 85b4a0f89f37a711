"""First values for weights.

Each takes the shape (n_out, n_in) of a weight matrix and a generator, and returns a matrix W for z = W a + b. They differ in the
variance of its entries; chapter 3 derives which variance keeps signals and gradients alive through many layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

__all__ = ["get", "he", "lecun", "names", "orthogonal", "xavier", "zeros"]

Initializer = Callable[[tuple[int, int], np.random.Generator], np.ndarray]


def zeros(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W = 0. All units of a hidden layer stay equal forever: useful to see why the others are random.

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> initializers.zeros((1, 2), np.random.default_rng(0))
    array([[0., 0.]])
    """
    return np.zeros(shape)


def lecun(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij ~ N(0, 1/n_in): z has the variance of a (LeCun, Bottou, Orr and Müller, 1998).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.lecun((400, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 100**0.5), 2)
    1.0
    """
    return rng.normal(0, math.sqrt(1 / shape[1]), shape)


def xavier(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij ~ N(0, 2/(n_in + n_out)): a compromise between the way forward and back (Glorot and Bengio, 2010).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.xavier((300, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 200**0.5), 2)
    1.0
    """
    return rng.normal(0, math.sqrt(2 / (shape[0] + shape[1])), shape)


def he(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W_ij ~ N(0, 2/n_in): for ReLU, which lets half of the signal through (He, Zhang, Ren and Sun, 2015).

    >>> import numpy as np
    >>> from nnlib import initializers
    >>> W = initializers.he((400, 100), np.random.default_rng(0))
    >>> round(float(W.std() * 50**0.5), 2)
    1.0
    """
    return rng.normal(0, math.sqrt(2 / shape[1]), shape)


def orthogonal(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """W Wᵀ = I or Wᵀ W = I, whichever fits the shape, uniform among all such W: no signal grows or shrinks (Saxe, McClelland and
    Ganguli, 2014).

    Q of the QR decomposition of a matrix of normal numbers, each column with the sign that makes the diagonal of R positive:
    without it the signs would be those of the algorithm (Mezzadri, 2007).

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


_BY_NAME: dict[str, Initializer] = {"he": he, "lecun": lecun, "orthogonal": orthogonal, "xavier": xavier, "zeros": zeros}


def names() -> list[str]:
    """The names that `get` knows.

    >>> from nnlib import initializers
    >>> initializers.names()
    ['he', 'lecun', 'orthogonal', 'xavier', 'zeros']
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
