"""Activation functions: each f with its derivative f′.

An activation is a layer without parameters that acts on every entry by itself: a = f(z) and ∂L/∂z = ∂L/∂a ⊙ f′(z).
Its formulas hold for complex z near the real axis too, so derivatives can be checked by a complex step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlib.layers import Layer

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "GELUTanh",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
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
        self._check_input(z)
        a = self.f(z)

        def backward(da):
            return da * self.df(z, a)

        return a, backward

    def _check_input(self, z):
        if not isinstance(z, np.ndarray) or z.dtype.kind not in "fc":
            raise TypeError(f"{self!r} expects an array of floating-point numbers, got {getattr(z, 'dtype', type(z).__name__)}")

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
        return (z > 0).astype(z.dtype)

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
        with np.errstate(over="ignore"):       # where e^−z is too large for a number, 1/∞ = 0 is right
            return 1 / (1 + np.exp(-z))

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

    def forward(self, z, training=False):
        self._check_input(z)
        a = self.f(z)

        def backward(da):
            return da * (a > 0)                # f′ without an array for it, from a: so z need not be kept

        return a, backward


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
        return np.maximum(z, 0) + self.negative_slope * np.minimum(z, 0)

    def df(self, z, a):
        return np.where(z > 0, 1, self.negative_slope).astype(z.dtype)


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
        return np.maximum(z, 0) + self.alpha * np.expm1(np.minimum(z, 0))

    def df(self, z, a):
        return np.where(z > 0, 1, self.alpha * np.exp(np.minimum(z, 0)))


class SELU(Activation):
    """f(z) = λ z if z > 0 else λ α (e^z − 1), f′(z) = λ if z > 0 else λ α e^z (Klambauer et al., 2017).

    λ and α are the numbers for which z ~ N(0, 1) gives f(z) the mean 0 and the variance 1 again.

    >>> import numpy as np
    >>> from nnlib.activations import SELU
    >>> SELU()(np.array([-1e4, 1.0])).round(4)
    array([-1.7581,  1.0507])
    """

    scale, alpha = 1.0507009873554805, 1.6732632423543772

    def f(self, z):
        return self.scale * (np.maximum(z, 0) + self.alpha * np.expm1(np.minimum(z, 0)))

    def df(self, z, a):
        return self.scale * np.where(z > 0, 1, self.alpha * np.exp(np.minimum(z, 0)))


class _Gated:
    """f(z) = z g(z), f′(z) = g(z) + z g′(z), with a gate g from 0 (closed) to 1 (open); the way back keeps g."""

    _check_input: Any
    _g: Any
    _dg: Any

    def f(self, z):
        return z * self._g(z)

    def df(self, z, a):
        return self._slope(z, self._g(z))

    def forward(self, z, training=False):
        self._check_input(z)
        g = self._g(z)

        def backward(da):
            return da * self._slope(z, g)

        return z * g, backward

    def _slope(self, z, g):
        return g + z * self._dg(z, g)


class GELU(_Gated, Activation):
    """f(z) = z Φ(z), f′(z) = Φ(z) + z φ(z), with Φ and φ the normal distribution and density (Hendrycks and Gimpel, 2016).

    >>> import numpy as np
    >>> from nnlib.activations import GELU
    >>> GELU()(np.array([0.0, 1e4]))
    array([    0., 10000.])
    """

    def _g(self, z):
        from scipy.special import ndtr

        return ndtr(z)

    def _dg(self, z, g):
        return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


class GELUTanh(_Gated, Activation):
    """f(z) = z (1 + tanh u)/2 with u = √(2/π) (z + 0.044715 z³): GELU to three digits, cheaper (Hendrycks and Gimpel, 2016; GPT-2).

    (1 + tanh u)/2 = σ(2u) =: g, so f′(z) = g + z g (1 − g) 2u′ with u′ = √(2/π) (1 + 3 · 0.044715 z²).

    >>> import numpy as np
    >>> from nnlib.activations import GELU, GELUTanh
    >>> z = np.linspace(-6, 6, 1001)
    >>> bool(np.abs(GELUTanh()(z) - GELU()(z)).max() < 5e-4)
    True
    """

    def _g(self, z):
        return _sigmoid(2 * math.sqrt(2 / math.pi) * z * (1 + 0.044715 * z * z))

    def _dg(self, z, g):
        return g * (1 - g) * (2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z))


class SiLU(_Gated, Activation):
    """f(z) = z σ(z), f′(z) = σ + z σ (1 − σ), also called swish (Elfwing, Uchibe and Doya, 2017).

    >>> import numpy as np
    >>> from nnlib.activations import SiLU
    >>> SiLU()(np.array([0.0, np.log(3)])).round(4)        # 0.75 log 3
    array([0.   , 0.824])
    """

    def _g(self, z):
        return _sigmoid(z)

    def _dg(self, z, g):
        return g * (1 - g)


class Mish(_Gated, Activation):
    """f(z) = z t with t = tanh(softplus(z)), f′(z) = t + z (1 − t²) σ(z) (Misra, 2019).

    >>> import numpy as np
    >>> from nnlib.activations import Mish
    >>> Mish()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8651])
    """

    def _g(self, z):
        return np.tanh(_softplus(z))

    def _dg(self, z, g):
        return (1 - g * g) * _sigmoid(z)


class HardSwish(_Gated, Activation):
    """f(z) = z h(z), f′(z) = h(z) + z h′(z) with h = `HardSigmoid`: SiLU from straight pieces (Howard et al., 2019).

    >>> import numpy as np
    >>> from nnlib.activations import HardSwish
    >>> HardSwish()(np.array([-4.0, 1.5, 4.0]))
    array([-0.   ,  1.125,  4.   ])
    """

    def _g(self, z):
        return _hard_sigmoid.f(z)

    def _dg(self, z, g):
        return _hard_sigmoid.df(z, g)


class HardSigmoid(Activation):
    """f(z) = z/6 + 1/2, cut off at 0 and 1; f′(z) = 1/6 for −3 < z < 3, else 0: a sigmoid from straight pieces.

    >>> import numpy as np
    >>> from nnlib.activations import HardSigmoid
    >>> HardSigmoid()(np.array([-4.0, 1.5, 4.0]))
    array([0.  , 0.75, 1.  ])
    """

    def f(self, z):
        return np.clip(z / 6 + 0.5, 0, 1)

    def df(self, z, a):
        return _between(z, -3, 3) / 6


class HardTanh(Activation):
    """f(z) = z, cut off at −1 and 1; f′(z) = 1 for −1 < z < 1, else 0 (Collobert, 2004).

    >>> import numpy as np
    >>> from nnlib.activations import HardTanh
    >>> HardTanh()(np.array([-4.0, 0.5, 4.0]))
    array([-1. ,  0.5,  1. ])
    """

    def f(self, z):
        return np.clip(z, -1, 1)

    def df(self, z, a):
        return _between(z, -1, 1)


class ReLU6(Activation):
    """f(z) = z, cut off at 0 and 6; f′(z) = 1 for 0 < z < 6, else 0 (Krizhevsky, 2010).

    >>> import numpy as np
    >>> from nnlib.activations import ReLU6
    >>> ReLU6()(np.array([-4.0, 0.5, 8.0]))
    array([0. , 0.5, 6. ])
    """

    def f(self, z):
        return np.clip(z, 0, 6)

    def df(self, z, a):
        return _between(z, 0, 6)


class Softsign(Activation):
    """f(z) = z / (1 + |z|), f′(z) = 1 / (1 + |z|)² (Bergstra et al., 2009): tanh with heavier tails.

    >>> import numpy as np
    >>> from nnlib.activations import Softsign
    >>> Softsign()(np.array([-3.0, 1.0]))
    array([-0.75,  0.5 ])
    """

    def f(self, z):
        return z / (1 + np.maximum(z, -z))

    def df(self, z, a):
        return 1 / (1 + np.maximum(z, -z)) ** 2


class Softplus(Activation):
    """f(z) = log(1 + e^z), f′(z) = 1 / (1 + e^−z): a smooth ReLU.

    >>> import numpy as np
    >>> from nnlib.activations import Softplus
    >>> Softplus()(np.array([-1e4, 1e4]))
    array([    0., 10000.])
    """

    def f(self, z):
        return np.maximum(z, 0) + np.log1p(np.exp(np.minimum(z, -z)))  # −|z|: never overflows

    def df(self, z, a):
        return _sigmoid(z)


_sigmoid, _softplus, _hard_sigmoid = Sigmoid().f, Softplus().f, HardSigmoid()      # as parts of others


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
    >>> activations.names()                    # doctest: +NORMALIZE_WHITESPACE
    ['elu', 'gelu', 'gelutanh', 'hardsigmoid', 'hardswish', 'hardtanh', 'identity', 'leakyrelu', 'mish', 'relu', 'relu6', 'selu',
    'sigmoid', 'silu', 'softplus', 'softsign', 'step', 'tanh']
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


def _between(z, low, high):
    """1 where low < z < high, else 0."""
    return ((z > low) & (z < high)).astype(z.dtype)


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value}")
    return float(value)
