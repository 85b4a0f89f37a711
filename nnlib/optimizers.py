"""Optimizers: how a gradient g = ∂L/∂θ becomes a step of the parameter vector θ.

Each is the book's equation on vectors: ``update`` returns the step u from the gradient and the optimizer's own vectors, and
θ ← θ − u. Where frameworks differ, the convention is PyTorch's and the docstring says which.
"""

# mypy: disable-error-code=override
# Each `update` names the vectors that its equation has.

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["SGD", "AdaGrad", "Adam", "Optimizer", "RMSprop"]

# A block of θ and of the optimizer's vectors fits into the processor's cache, so the temporaries of an equation cost little.
BLOCK = 8192


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

    def __init__(self, learning_rate: float):
        self.learning_rate = _at_least_zero("learning_rate", learning_rate)
        self.t = 0
        self._vectors: dict[str, np.ndarray] = {}

    def update(self, g: np.ndarray, *vectors: np.ndarray) -> np.ndarray:
        """The step u for one block of θ."""
        raise TypeError(f"{type(self).__name__} defines no update(g, ...)")

    def step(self, theta: np.ndarray, g: np.ndarray) -> None:
        """Take one step: θ ← θ − u(g), in place.

        Raises
        ------
        ValueError
            If θ and g have different shapes, or θ is not the one of the steps before.
        """
        if theta.ndim != 1 or theta.shape != g.shape:
            raise ValueError(f"step expects θ and its gradient as vectors of one size, got {theta.shape} and {g.shape}")
        self.learning_rate = _at_least_zero("learning_rate", self.learning_rate)  # a float: NumPy's would turn float32 into float64
        if not self._vectors:
            self._vectors = {name: np.zeros_like(theta) for name in self.vectors}
        for vector in self._vectors.values():
            if vector.shape != theta.shape:
                raise ValueError(f"this {type(self).__name__} has worked on {vector.size} parameters, got {theta.size}; make a new one")
        self.t += 1
        for start in range(0, theta.size, BLOCK):
            block = slice(start, start + BLOCK)
            theta[block] -= self.update(g[block], *(vector[block] for vector in self._vectors.values()))

    def state(self) -> dict[str, Any]:
        """Copy all that a run needs to go on: η, the number of steps, the vectors."""
        return {"learning_rate": self.learning_rate, "t": self.t, **{name: v.copy() for name, v in self._vectors.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back. That of another kind of optimizer is refused."""
        names = ("learning_rate", "t", *(self.vectors if state.get("t") else ()))  # before the first step there are no vectors
        if set(state) != set(names):
            raise ValueError(f"{type(self).__name__} has a state named {names}, got {tuple(state)}")
        self.learning_rate, self.t = state["learning_rate"], state["t"]
        self._vectors = {name: state[name].copy() for name in names[2:]}


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
        v[:] = μ * v + g
        return η * (g + μ * v) if self.nesterov else η * v


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
        s[:] = s + g * g
        return η * g / (np.sqrt(s) + ε)


class RMSprop(Optimizer):
    """s ← ρ s + (1 − ρ) g², u = η g / (√s + ε) (Tieleman and Hinton, 2012).

    Parameters
    ----------
    learning_rate : float
        η ≥ 0.
    rho : float
        ρ in [0, 1), how slowly s forgets; PyTorch calls it ``alpha``.
    eps : float
        ε > 0, outside the root.

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

    vectors = ("s",)

    def __init__(self, learning_rate: float, rho: float = 0.99, eps: float = 1e-8):
        super().__init__(learning_rate)
        self.rho = _fraction("rho", rho)
        self.eps = _positive("eps", eps)

    def update(self, g, s):
        η, ρ, ε = self.learning_rate, self.rho, self.eps
        s[:] = ρ * s + (1 - ρ) * g * g
        return η * g / (np.sqrt(s) + ε)


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
        m[:] = β1 * m + (1 - β1) * g
        v[:] = β2 * v + (1 - β2) * g * g
        m_hat = m / (1 - β1**t)
        v_hat = v / (1 - β2**t)
        return η * m_hat / (np.sqrt(v_hat) + ε)


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
