"""Optimizers: how a gradient g = ∂L/∂θ becomes a step of the parameter vector θ.

Each is the book's equation on vectors: ``update`` returns the step u from the gradient and the optimizer's own vectors, and
θ ← θ − u. Where frameworks differ, the convention is PyTorch's and the docstring says which.

Decay that is *decoupled* from the gradient, θ ← θ − η λ θ, is what `SGDW` and `AdamW` do. The L2 penalty (λ/2) ‖θ‖², which PyTorch's
SGD and Adam call ``weight_decay``, is a part of the loss: it adds λ θ to g (``penalty`` of `nnlib.training.fit`).
"""

# mypy: disable-error-code=override
# Each `update` names the vectors that its equation has.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlib.layers import Layer

__all__ = ["SGD", "SGDW", "AdaGrad", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_norm", "clip_value", "decay_mask"]

# A block of θ and of the optimizer's vectors fits into the processor's cache, so the temporaries of an equation cost little.
BLOCK = 65536


class Optimizer:
    """θ ← θ − u(g).

    A subclass names its vectors (each of the size of θ, at first 0) in ``vectors`` and returns u from ``update(g, *vectors)``,
    changing the vectors in place.

    Attributes
    ----------
    learning_rate : float
        η; a schedule may change it between steps.
    t : int
        Number of steps taken.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def update(self, g):
    ...         return self.learning_rate * np.sign(g)
    >>> theta = np.array([1.0, 1.0])
    >>> SignDescent(0.25).step(theta, np.array([5.0, -0.001]))
    >>> theta
    array([0.75, 1.25])
    """

    vectors: tuple[str, ...] = ()
    weight_decay: float = 0.0
    decay_mask: np.ndarray | None = None

    def __init__(self, learning_rate: float):
        self.learning_rate = _at_least_zero("learning_rate", learning_rate)
        self.t = 0
        self._vectors: tuple[np.ndarray, ...] = ()

    def update(self, g: np.ndarray, *vectors: np.ndarray) -> np.ndarray:
        """The step u for one block of θ."""
        raise TypeError(f"{type(self).__name__} defines no update(g, ...)")

    def step(self, theta: np.ndarray, g: np.ndarray) -> None:
        """Take one step: θ ← θ − u(g), in place.

        Raises
        ------
        ValueError
            If θ and g have different shapes, or θ is not the one of the steps before.
        TypeError
            If θ and g are not floating-point numbers of one kind.
        """
        self._check(theta, g)
        if not self._vectors:
            self._vectors = tuple(np.zeros_like(theta) for _ in self.vectors)
        self.t += 1
        for start in range(0, theta.size, BLOCK):
            block = slice(start, start + BLOCK)
            if self.weight_decay:
                self._decay(theta, block)
            theta[block] -= self.update(g[block], *[vector[block] for vector in self._vectors])

    def _decay(self, theta, block):
        """θ ← θ − η λ θ, where the mask says so."""
        where = True if self.decay_mask is None else self.decay_mask[block]
        np.multiply(theta[block], 1 - self.learning_rate * self.weight_decay, out=theta[block], where=where)

    def _check(self, theta, g):
        if theta.ndim != 1 or theta.shape != g.shape:
            raise ValueError(f"step expects θ and its gradient as vectors of one size, got {theta.shape} and {g.shape}")
        if theta.dtype.kind != "f" or theta.dtype != g.dtype:
            raise TypeError(f"step expects θ and its gradient as floating-point numbers of one kind, got {theta.dtype} and {g.dtype}")
        for vector in self._vectors:
            if (vector.shape, vector.dtype) != (theta.shape, theta.dtype):
                works_on, got = f"{vector.size} parameters of {vector.dtype}", f"{theta.size} of {theta.dtype}"
                raise ValueError(f"this {type(self).__name__} works on {works_on}, got {got}; make a new one")
        if self.decay_mask is not None and self.decay_mask.shape != theta.shape:
            raise ValueError(f"decay_mask is for {self.decay_mask.size} parameters, got {theta.size}")
        self.learning_rate = _at_least_zero("learning_rate", self.learning_rate)  # a float: NumPy's would turn float32 into float64

    def state(self) -> dict[str, Any]:
        """Copy all that a run needs to go on: the kind, η, the number of steps, the vectors."""
        vectors = {name: vector.copy() for name, vector in zip(self.vectors, self._vectors, strict=False)}  # none before the first step
        return {"kind": type(self).__name__, "learning_rate": self.learning_rate, "t": self.t, **vectors}

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back. That of another kind of optimizer, or for another number of parameters, is refused.

        >>> import numpy as np
        >>> from nnlib.optimizers import Adam, RMSprop
        >>> RMSprop(0.1).restore(Adam(0.1).state())
        Traceback (most recent call last):
            ...
        ValueError: RMSprop expects the state of an RMSprop, got that of Adam
        """
        mine = type(self).__name__
        if state.get("kind") != mine:
            raise ValueError(f"{mine} expects the state of an {mine}, got that of {state.get('kind')}")
        names = ("kind", "learning_rate", "t", *(self.vectors if state.get("t") else ()))  # before the first step there are no vectors
        if set(state) != set(names):
            raise ValueError(f"{mine} has a state named {names}, got {tuple(state)}")
        t, learning_rate = state["t"], _at_least_zero("learning_rate", state["learning_rate"])
        if not isinstance(t, (int, np.integer)) or t < 0:
            raise ValueError(f"the number of steps t must be a whole number ≥ 0, got {t!r}")
        vectors = [state[name] for name in names[3:]]
        self._check_vectors(vectors)
        self.learning_rate, self.t, self._vectors = learning_rate, int(t), tuple(vector.copy() for vector in vectors)

    def _check_vectors(self, vectors):
        """All vectors of a state are arrays like those that are here, or at least like the first of them."""
        for vector in vectors:
            like = (*self._vectors, *vectors)[0]
            if not isinstance(vector, np.ndarray) or vector.ndim != 1 or vector.dtype.kind != "f":
                raise ValueError(f"{type(self).__name__} expects vectors of floating-point numbers, got {vector!r}")
            if (vector.shape, vector.dtype) != (like.shape, like.dtype):
                raise ValueError(f"{type(self).__name__} expects {like.size} numbers of {like.dtype}, got {vector.size} of {vector.dtype}")


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    v ← μ v + g, and u = η v; with Nesterov's look ahead, u = η (g + μ v). Without momentum u = η g.
    PyTorch's convention: v starts as the first g, and η multiplies v (not g).

    Parameters
    ----------
    learning_rate : float
        η ≥ 0.
    momentum : float
        μ in [0, 1).
    nesterov : bool
        Look ahead; needs momentum.

    Raises
    ------
    ValueError
        If a number is outside its range, or ``nesterov`` is asked for without momentum.

    References
    ----------
    Polyak (1964); Nesterov (1983); Sutskever, Martens, Dahl and Hinton (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import SGD
    >>> theta = np.array([1.0])
    >>> SGD(learning_rate=0.1).step(theta, np.array([5.0]))
    >>> theta
    array([0.5])
    """

    def __init__(self, learning_rate: float, momentum: float = 0.0, nesterov: bool = False):
        super().__init__(learning_rate)
        self.momentum = _fraction("momentum", momentum)
        if nesterov and momentum == 0:
            raise ValueError("nesterov needs momentum > 0, got momentum=0")
        self.nesterov = nesterov
        self.vectors = ("v",) if momentum else ()

    def update(self, g, *vectors):
        η, μ = self.learning_rate, self.momentum
        if not vectors:
            return η * g
        (v,) = vectors
        v *= μ
        v += g
        return η * (g + μ * v) if self.nesterov else η * v


class SGDW(SGD):
    """`SGD` with decoupled weight decay: θ ← θ − η λ θ − u.

    Without momentum this is SGD on the loss with the penalty (λ/2) ‖θ‖²; with momentum it is not, because v remembers gradients
    and no decay. As in PyTorch's AdamW, η multiplies λ (the paper has one factor for both that is not η).

    Parameters
    ----------
    learning_rate, momentum, nesterov
        As in `SGD`.
    weight_decay : float
        λ ≥ 0.
    decay_mask : ndarray of bool, shape (P,), optional
        Which parameters decay, by default all; see `decay_mask`.

    Raises
    ------
    ValueError
        If a number is outside its range, or the mask no vector of booleans.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled weight decay regularization.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import SGDW
    >>> theta = np.array([1.0, 1.0])
    >>> SGDW(0.1, weight_decay=0.5, decay_mask=np.array([True, False])).step(theta, np.array([0.0, 0.0]))
    >>> theta                                  # no gradient: what decays is (1 − η λ) times what it was
    array([0.95, 1.  ])
    """

    def __init__(self, learning_rate: float, momentum=0.0, nesterov=False, *, weight_decay: float = 0.01, decay_mask=None):
        super().__init__(learning_rate, momentum, nesterov)
        self.weight_decay, self.decay_mask = _at_least_zero("weight_decay", weight_decay), _mask(decay_mask)


class AdaGrad(Optimizer):
    """s ← s + g², u = η g / (√s + ε) (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    learning_rate : float
        η ≥ 0.
    eps : float
        ε > 0, outside the root.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import AdaGrad
    >>> theta = np.array([1.0, 1.0])
    >>> AdaGrad(learning_rate=0.1).step(theta, np.array([5.0, 0.001]))
    >>> theta.round(6)                         # the first step has the same length in every direction
    array([0.9, 0.9])
    """

    vectors = ("s",)

    def __init__(self, learning_rate: float, eps: float = 1e-10):
        super().__init__(learning_rate)
        self.eps = _positive("eps", eps)

    def update(self, g, s):
        η, ε = self.learning_rate, self.eps
        s += g * g
        return η * g / (np.sqrt(s) + ε)


class RMSprop(Optimizer):
    """s ← ρ s + (1 − ρ) g², u = η g / (√s + ε) (Tieleman and Hinton, 2012).

    Centered (Graves, 2013), with the mean m ← ρ m + (1 − ρ) g of the gradients: u = η g / (√(s − m²) + ε).

    Parameters
    ----------
    learning_rate : float
        η ≥ 0.
    rho : float
        ρ in [0, 1), how slowly s forgets; PyTorch calls it ``alpha``.
    eps : float
        ε > 0, outside the root, also when centered (there Graves has it inside).
    centered : bool
        Divide by the deviation of the gradients from their mean instead of their size.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import RMSprop
    >>> theta = np.array([1.0, 1.0])
    >>> RMSprop(learning_rate=0.01).step(theta, np.array([5.0, 0.001]))
    >>> theta.round(4)                         # η / √(1 − ρ) in both directions
    array([0.9, 0.9])
    """

    def __init__(self, learning_rate: float, rho: float = 0.99, eps: float = 1e-8, centered: bool = False):
        super().__init__(learning_rate)
        self.rho = _fraction("rho", rho)
        self.eps = _positive("eps", eps)
        self.centered = centered
        self.vectors = ("s", "m") if centered else ("s",)

    def update(self, g, s, *mean):
        η, ρ, ε = self.learning_rate, self.rho, self.eps
        s *= ρ
        s += (1 - ρ) * g * g
        if not mean:
            return η * g / (np.sqrt(s) + ε)
        (m,) = mean
        m *= ρ
        m += (1 - ρ) * g
        return η * g / (np.sqrt(np.maximum(s - m * m, 0)) + ε)  # s ≥ m², but for rounding


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², u = η m̂ / (√v̂ + ε) (Kingma and Ba, 2015).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) correct the bias of starting at 0.

    Parameters
    ----------
    learning_rate : float
        η ≥ 0.
    beta1, beta2 : float
        β₁ and β₂ in [0, 1).
    eps : float
        ε > 0, outside the root.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import Adam
    >>> theta = np.array([1.0, 1.0])
    >>> Adam(learning_rate=0.1).step(theta, np.array([5.0, 0.001]))
    >>> theta.round(4)                         # the first step is η long, whatever the gradient
    array([0.9, 0.9])
    """

    vectors = ("m", "v")

    def __init__(self, learning_rate: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8):
        super().__init__(learning_rate)
        self.beta1, self.beta2 = _fraction("beta1", beta1), _fraction("beta2", beta2)
        self.eps = _positive("eps", eps)

    def update(self, g, m, v):
        η, β1, β2, ε, t = self.learning_rate, self.beta1, self.beta2, self.eps, self.t
        m *= β1
        m += (1 - β1) * g                      # m ← β₁ m + (1 − β₁) g
        u = g * g
        u *= 1 - β2
        v *= β2
        v += u                                 # v ← β₂ v + (1 − β₂) g²
        # u = η m̂ / (√v̂ + ε), with both bias corrections in two numbers, so that only one vector is divided:
        root = math.sqrt(1 - β2**t)            # √v̂ + ε = (√v + ε root) / root
        np.sqrt(v, out=u)
        u += ε * root
        np.divide(m, u, out=u)
        u *= η * root / (1 - β1**t)
        return u


class AdamW(Adam):
    """`Adam` with decoupled weight decay: θ ← θ − η λ θ − u.

    The decay is not divided by √v̂ as the gradient of a penalty would be. As in PyTorch, η multiplies λ.

    Parameters
    ----------
    learning_rate, beta1, beta2, eps
        As in `Adam`.
    weight_decay : float
        λ ≥ 0.
    decay_mask : ndarray of bool, shape (P,), optional
        Which parameters decay, by default all; see `decay_mask`.

    Raises
    ------
    ValueError
        If a number is outside its range, or the mask no vector of booleans.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled weight decay regularization.

    Examples
    --------
    >>> from nnlib.mlp import MLP
    >>> from nnlib.optimizers import AdamW, decay_mask
    >>> model = MLP([2, 3, 1], seed=0)
    >>> optimizer = AdamW(1e-3, weight_decay=0.1, decay_mask=decay_mask(model))
    """

    def __init__(
        self, learning_rate: float = 1e-3, beta1=0.9, beta2=0.999, eps=1e-8, *, weight_decay: float = 0.01, decay_mask=None
    ):
        super().__init__(learning_rate, beta1, beta2, eps)
        self.weight_decay, self.decay_mask = _at_least_zero("weight_decay", weight_decay), _mask(decay_mask)


def decay_mask(model: Layer) -> np.ndarray:
    """Which parameters usually decay: weights (of two or more axes), not biases and the scales and shifts of norms (of one).

    Returns
    -------
    ndarray of bool, shape (P,)
        One for each entry of ``model.theta``.

    Examples
    --------
    >>> from nnlib.mlp import MLP
    >>> from nnlib.optimizers import decay_mask
    >>> decay_mask(MLP([2, 1, 1], seed=0))     # W (1, 2), b (1,), W (1, 1), b (1,)
    array([ True,  True, False,  True, False])
    """
    mask = [np.full(parameter.size, parameter.ndim >= 2) for parameter in model.named_parameters().values()]
    return np.concatenate([np.empty(0, bool), *mask])


def clip_norm(g: np.ndarray, max_norm: float) -> float:
    """Shorten g in place to the norm c where it is longer: g ← g · min(1, c / ‖g‖).

    PyTorch's convention: it is c / (‖g‖ + 1e-6). A norm that is not finite leaves g as it is, so that the run ends as diverged.

    Parameters
    ----------
    g : ndarray, shape (P,)
        The gradient of all parameters.
    max_norm : float
        c > 0.

    Returns
    -------
    float
        ‖g‖ before.

    Raises
    ------
    ValueError
        If c is not a finite number > 0.

    References
    ----------
    Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import clip_norm
    >>> g = np.array([3.0, 4.0])
    >>> clip_norm(g, max_norm=1.0), g.round(5)
    (5.0, array([0.6, 0.8]))
    """
    c = _positive("max_norm", max_norm)
    norm = float(np.linalg.norm(g))
    if math.isfinite(norm):
        g *= min(1.0, c / (norm + 1e-6))
    return norm


def clip_value(g: np.ndarray, max_value: float) -> None:
    """Bring each entry of g in place into [−c, c].

    Parameters
    ----------
    g : ndarray, shape (P,)
        The gradient of all parameters.
    max_value : float
        c > 0.

    Raises
    ------
    ValueError
        If c is not a finite number > 0.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.optimizers import clip_value
    >>> g = np.array([0.5, -3.0, 4.0])
    >>> clip_value(g, max_value=1.0)
    >>> g
    array([ 0.5, -1. ,  1. ])
    """
    c = _positive("max_value", max_value)
    np.clip(g, -c, c, out=g)


def _mask(mask) -> np.ndarray | None:
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.ndim != 1:
        raise ValueError(f"decay_mask must be a vector of booleans, one for each parameter, got {mask!r}")
    return mask.copy()


def _at_least_zero(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number ≥ 0, got {value}")
    return float(value)


def _positive(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number > 0, got {value}")
    return float(value)


def _fraction(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be in [0, 1), got {value}")
    return float(value)
