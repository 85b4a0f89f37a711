"""Activation functions: each f with its derivative f′.

An activation is a layer without parameters that acts on every entry by itself: a = f(z) and ∂L/∂z = ∂L/∂a ⊙ f′(z).
"""

from __future__ import annotations

import math

import numpy as np

from nnlib.layers import Layer

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "Sigmoid",
    "Softplus",
    "Step",
    "Tanh",
    "get",
    "names",
    "softmax",
]


class Activation(Layer):
    """An elementwise function a = f(z).

    A subclass gives ``f(z)`` and ``df(z, a)``, the derivative at z, where a = f(z) is already known.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.activations import Tanh
    >>> a, backward = Tanh().forward(np.array([0.0, 1.0]))
    >>> backward(np.ones(2)).round(2)          # f′(z) = 1 − tanh²(z)
    array([1.  , 0.42])
    """

    def f(self, z: np.ndarray) -> np.ndarray:
        """The value f(z)."""
        raise TypeError(f"{type(self).__name__} defines no f(z)")

    def df(self, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        """The derivative f′(z), given a = f(z)."""
        raise TypeError(f"{type(self).__name__} defines no df(z, a)")

    def derivative(self, z: np.ndarray) -> np.ndarray:
        """The derivative f′(z)."""
        return self.df(z, self.f(z))

    def forward(self, z, training=False):
        if not isinstance(z, np.ndarray) or z.dtype.kind not in "fc":
            raise TypeError(f"{self!r} expects an array of floating-point numbers, got {getattr(z, 'dtype', type(z).__name__)}")
        a = self.f(z)

        def backward(da):
            return da * self.df(z, a)

        return a, backward

    @classmethod
    def example(cls, rng):
        # Away from 0, where a kink has no derivative for differences to find.
        z = rng.uniform(0.1, 3, size=(4, 3)) * rng.choice([-1, 1], size=(4, 3))
        return cls(), z


class Identity(Activation):
    """f(z) = z, f′(z) = 1.

    >>> import numpy as np
    >>> from nnlib.activations import Identity
    >>> Identity()(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    def f(self, z):
        return z

    def df(self, z, a):
        return np.ones_like(z)


class Step(Activation):
    """f(z) = 1 if z > 0 else 0, f′(z) = 0: the threshold of McCulloch and Pitts (1943).

    Its derivative is 0 wherever it has one, so it cannot be trained by gradients. It is here for pictures.

    >>> import numpy as np
    >>> from nnlib.activations import Step
    >>> Step()(np.array([-1.0, 2.0]))
    array([0., 1.])
    """

    def f(self, z):
        return np.where(z > 0, np.ones_like(z), np.zeros_like(z))

    def df(self, z, a):
        return np.zeros_like(z)


class Sigmoid(Activation):
    """f(z) = 1 / (1 + e^−z), f′(z) = f(z) (1 − f(z)).

    >>> import numpy as np
    >>> from nnlib.activations import Sigmoid
    >>> Sigmoid()(np.array([0.0, np.log(3)]))
    array([0.5 , 0.75])
    """

    def f(self, z):
        e = np.exp(-np.abs(z))  # never overflows
        return np.where(z >= 0, 1 / (1 + e), e / (1 + e))

    def df(self, z, a):
        return a * (1 - a)


class Tanh(Activation):
    """f(z) = tanh z, f′(z) = 1 − tanh² z.

    >>> import numpy as np
    >>> from nnlib.activations import Tanh
    >>> Tanh()(np.array([0.0, 1e4]))
    array([0., 1.])
    """

    def f(self, z):
        return np.tanh(z)

    def df(self, z, a):
        return 1 - a * a


class ReLU(Activation):
    """f(z) = max(0, z), f′(z) = 1 if z > 0 else 0 (Nair and Hinton, 2010).

    At z = 0 the function has a kink and no derivative; 0 is used there.

    >>> import numpy as np
    >>> from nnlib.activations import ReLU
    >>> ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def f(self, z):
        return np.maximum(z, 0)

    def df(self, z, a):
        return (z > 0).astype(z.dtype)


class LeakyReLU(Activation):
    """f(z) = z if z > 0 else s z, f′(z) = 1 if z > 0 else s (Maas, Hannun and Ng, 2013).

    Parameters
    ----------
    negative_slope : float
        The slope s for z < 0.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.activations import LeakyReLU
    >>> LeakyReLU()(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """

    def __init__(self, negative_slope: float = 0.01):
        self.negative_slope = _finite("negative_slope", negative_slope)
        super().__init__()

    def f(self, z):
        return np.where(z > 0, z, self.negative_slope * z)

    def df(self, z, a):
        return np.where(z > 0, np.ones_like(z), self.negative_slope * np.ones_like(z))


class ELU(Activation):
    """f(z) = z if z > 0 else α (e^z − 1), f′(z) = 1 if z > 0 else α e^z (Clevert, Unterthiner and Hochreiter, 2016).

    Parameters
    ----------
    alpha : float
        α, the depth of the floor for z → −∞.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.activations import ELU
    >>> ELU()(np.array([-1e4, 2.0]))
    array([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = _finite("alpha", alpha)
        super().__init__()

    def f(self, z):
        return np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0)))

    def df(self, z, a):
        return np.where(z > 0, np.ones_like(z), self.alpha * np.exp(np.minimum(z, 0)))


class GELU(Activation):
    """f(z) = z Φ(z), f′(z) = Φ(z) + z φ(z), with Φ and φ the normal distribution and density (Hendrycks and Gimpel, 2016).

    >>> import numpy as np
    >>> from nnlib.activations import GELU
    >>> GELU()(np.array([0.0, 1e4]))
    array([    0., 10000.])
    """

    def f(self, z):
        return z * self._normal_cdf(z)

    def df(self, z, a):
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        return self._normal_cdf(z) + z * density

    @staticmethod
    def _normal_cdf(z):
        from scipy.special import ndtr

        return ndtr(z)


class Softplus(Activation):
    """f(z) = log(1 + e^z), f′(z) = 1 / (1 + e^−z): a smooth ReLU.

    >>> import numpy as np
    >>> from nnlib.activations import Softplus
    >>> Softplus()(np.array([-1e4, 1e4]))
    array([    0., 10000.])
    """

    def f(self, z):
        return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))  # never overflows

    def df(self, z, a):
        return Sigmoid().f(z)


def softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """Probabilities from logits: p_i = e^{z_i} / Σ_j e^{z_j}.

    Parameters
    ----------
    z : ndarray
        Logits; only their differences along ``axis`` matter, so the largest is taken off first and nothing overflows.
    axis : int
        The axis whose entries compete.

    Returns
    -------
    ndarray
        Same shape; sums to 1 along ``axis``.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.activations import softmax
    >>> softmax(np.array([1000.0, 1000.0, -1000.0]))
    array([0.5, 0.5, 0. ])
    """
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _classes() -> dict[str, type[Activation]]:
    """Those defined here; a reader's own activation is given as an instance."""
    return {cls.__name__.lower(): cls for cls in Activation.__subclasses__() if cls.__module__ == __name__}


def names() -> list[str]:
    """The names that `get` knows, in alphabetical order.

    >>> from nnlib import activations
    >>> activations.names()
    ['elu', 'gelu', 'identity', 'leakyrelu', 'relu', 'sigmoid', 'softplus', 'step', 'tanh']
    """
    return sorted(_classes())


def get(activation: str | Activation) -> Activation:
    """An activation by its name, with its usual constants; an `Activation` is returned as it is.

    Capitals and underscores do not matter: ``"ReLU"``, ``"leaky_relu"``.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from nnlib import activations
    >>> activations.get("relu")
    ReLU()
    """
    if isinstance(activation, Activation):
        return activation
    name = str(activation).lower().replace("_", "")
    if name not in names():
        raise ValueError(f"unknown activation {activation!r}; known are {', '.join(names())}")
    return _classes()[name]()


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value}")
    return float(value)
