"""Layers that hold signals or noise in check while a network learns, and penalties on the size of its parameters.

The norms give each feature the mean β and the spread γ, with means over the features of one position (`LayerNorm`, `RMSNorm`) or
over the batch (`BatchNorm`). `Dropout` silences units at random. A penalty is a function of θ that gives a value and its gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnlib.layers import Layer

__all__ = ["BatchNorm", "Dropout", "LayerNorm", "RMSNorm", "l1", "l2"]

Penalty = Callable[[np.ndarray], tuple[float, np.ndarray]]


class LayerNorm(Layer):
    """Layer normalization: y = γ x̂ + β with x̂ = (x − μ)/s and s = √(σ² + ε), over the features of each position.

    μ and σ² are the mean and the variance of the n entries of one row, so an example does not see its batch, and training and
    inference are the same. Since μ and s depend on x too, ∂L/∂x = (∂L/∂x̂ − mean(∂L/∂x̂) − x̂ mean(∂L/∂x̂ ⊙ x̂)) / s.

    Parameters
    ----------
    n : int
        Number of features, the last axis of the input. There may be any number of axes before it.
    eps : float
        ε, which keeps s from 0 where all features are equal.

    Attributes
    ----------
    gamma, beta : ndarray, shape (n,)
        γ and β, at first 1 and 0; ``dgamma`` and ``dbeta`` are their gradients.

    Raises
    ------
    ValueError
        If n or ε is not positive, or the input is not of shape (batch, …, n).
    TypeError
        If the input has another dtype than the parameters.

    References
    ----------
    Ba, Kiros and Hinton (2016), Layer normalization.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.regularizers import LayerNorm
    >>> LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 50.0]])).round(4)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    parameters = ("gamma", "beta")
    gamma: np.ndarray
    beta: np.ndarray
    dgamma: np.ndarray
    dbeta: np.ndarray

    def __init__(self, n: int, eps: float = 1e-5):
        self.eps = _positive("LayerNorm", "eps", eps)
        super().__init__(gamma=np.ones(_size("LayerNorm", n)), beta=np.zeros(n))

    def forward(self, x, training=False):
        _check_input(self, x)
        x_hat = x - _mean(x)                                   # x − μ
        s = np.sqrt(_mean_product(x_hat, x_hat) + self.eps)    # √(σ² + ε)
        x_hat /= s
        y = self.gamma * x_hat
        y += self.beta

        def backward(dy):
            self.dgamma += _sum_rows(dy * x_hat)               # ∂L/∂γ = Σ ∂L/∂y ⊙ x̂
            self.dbeta += _sum_rows(dy)                        # ∂L/∂β = Σ ∂L/∂y
            dx = self.gamma * dy                               # ∂L/∂x̂ = γ ⊙ ∂L/∂y
            through_s = x_hat * _mean_product(dx, x_hat)
            dx -= _mean(dx)                                    # μ depends on x,
            dx -= through_s                                    # and s
            dx /= s
            return dx

        return y, backward

    def __repr__(self):
        return f"LayerNorm({self.gamma.size})"

    @classmethod
    def example(cls, rng):
        layer = cls(4)
        layer.theta = rng.normal(size=8)
        return layer, rng.normal(size=(3, 2, 4))


class RMSNorm(Layer):
    """Layer normalization without the mean: y = γ x̂ with x̂ = x/s and s = √(mean(x²) + ε), over the features of each position.

    ∂L/∂x = (∂L/∂x̂ − x̂ mean(∂L/∂x̂ ⊙ x̂)) / s.

    Parameters
    ----------
    n : int
        Number of features, the last axis of the input. There may be any number of axes before it.
    eps : float
        ε, which keeps s from 0 where all features are 0.

    Attributes
    ----------
    gamma : ndarray, shape (n,)
        γ, at first 1; ``dgamma`` is its gradient.

    Raises
    ------
    ValueError
        If n or ε is not positive, or the input is not of shape (batch, …, n).
    TypeError
        If the input has another dtype than the parameters.

    References
    ----------
    Zhang and Sennrich (2019), Root mean square layer normalization.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.regularizers import RMSNorm
    >>> RMSNorm(2)(np.array([[1.0, 7.0]])).round(4)        # √((1 + 49)/2) = 5
    array([[0.2, 1.4]])
    """

    parameters = ("gamma",)
    gamma: np.ndarray
    dgamma: np.ndarray

    def __init__(self, n: int, eps: float = 1e-5):
        self.eps = _positive("RMSNorm", "eps", eps)
        super().__init__(gamma=np.ones(_size("RMSNorm", n)))

    def forward(self, x, training=False):
        _check_input(self, x)
        s = np.sqrt(_mean_product(x, x) + self.eps)
        x_hat = x / s

        def backward(dy):
            self.dgamma += _sum_rows(dy * x_hat)               # ∂L/∂γ = Σ ∂L/∂y ⊙ x̂
            dx = self.gamma * dy                               # ∂L/∂x̂ = γ ⊙ ∂L/∂y
            dx -= x_hat * _mean_product(dx, x_hat)             # s depends on x
            dx /= s
            return dx

        return self.gamma * x_hat, backward

    def __repr__(self):
        return f"RMSNorm({self.gamma.size})"

    @classmethod
    def example(cls, rng):
        layer = cls(4)
        layer.theta = rng.normal(size=4)
        return layer, rng.normal(size=(3, 2, 4))


class BatchNorm(Layer):
    """Batch normalization: y = γ x̂ + β with x̂ = (x − μ)/s and s = √(σ² + ε), for each feature over the batch.

    In training μ and σ² are the mean and the variance of a feature over all m rows (all axes but the last: examples, positions,
    pixels), and ∂L/∂x = (∂L/∂x̂ − mean(∂L/∂x̂) − x̂ mean(∂L/∂x̂ ⊙ x̂)) / s. In inference they are running averages, which
    training moves at each call by running ← (1 − momentum) running + momentum · batch, with the unbiased variance
    σ² m/(m − 1); then ∂L/∂x = ∂L/∂x̂ / s. These are PyTorch's conventions; the paper writes 1 − momentum for momentum.

    Parameters
    ----------
    n : int
        Number of features (channels), the last axis of the input. There may be any number of axes before it.
    momentum : float
        The weight of the present batch in the running averages, in (0, 1].
    eps : float
        ε, which keeps s from 0 where a feature is the same in all rows.

    Attributes
    ----------
    gamma, beta : ndarray, shape (n,)
        γ and β, at first 1 and 0; ``dgamma`` and ``dbeta`` are their gradients.
    running_mean, running_var : ndarray, shape (n,)
        The running averages of μ and σ², at first 0 and 1: buffers, part of `Layer.state`.

    Raises
    ------
    ValueError
        If n or ε is not positive, the momentum is out of range, the input is not of shape (batch, …, n), or there is only one
        row in training: it would be its own mean, and y = β whatever x is.
    TypeError
        If the input has another dtype than the parameters.

    References
    ----------
    Ioffe and Szegedy (2015), Batch normalization: accelerating deep network training by reducing internal covariate shift.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.regularizers import BatchNorm
    >>> norm = BatchNorm(2)
    >>> y, backward = norm.forward(np.array([[1.0, 10.0], [3.0, 50.0]]), training=True)
    >>> y.round(4)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> norm.running_mean, norm.running_var
    (array([0.2, 3. ]), array([ 1.1, 80.9]))
    """

    parameters = ("gamma", "beta")
    buffers = ("running_mean", "running_var")
    gamma: np.ndarray
    beta: np.ndarray
    dgamma: np.ndarray
    dbeta: np.ndarray
    running_mean: np.ndarray
    running_var: np.ndarray

    def __init__(self, n: int, momentum: float = 0.1, eps: float = 1e-5):
        if not 0 < momentum <= 1:
            raise ValueError(f"BatchNorm expects a momentum in (0, 1], got {momentum}")
        self.momentum, self.eps = float(momentum), _positive("BatchNorm", "eps", eps)
        ones = np.ones(_size("BatchNorm", n))
        super().__init__(gamma=ones, beta=np.zeros(n), running_mean=np.zeros(n), running_var=ones)

    def forward(self, x, training=False):
        _check_input(self, x)
        m = x.size // x.shape[-1]
        if training and m == 1:
            raise ValueError(f"{self!r} needs at least two values of each feature in training, got an input of shape {x.shape}")
        mean, var = self.running_mean, self.running_var
        if training:
            mean = _sum_rows(x) / m
            var = _sum_rows((x - mean) ** 2) / m
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (var * m / (m - 1) - self.running_var)
        s = np.sqrt(var + self.eps)
        x_hat = (x - mean) / s

        def backward(dy):
            dgamma, dbeta = _sum_rows(dy * x_hat), _sum_rows(dy)
            self.dgamma += dgamma                              # ∂L/∂γ = Σ ∂L/∂y ⊙ x̂
            self.dbeta += dbeta                                # ∂L/∂β = Σ ∂L/∂y
            if training:                                       # μ and s depend on x too
                dy = dy - dbeta / m - x_hat * (dgamma / m)
            return self.gamma / s * dy

        return self.gamma * x_hat + self.beta, backward

    def __repr__(self):
        return f"BatchNorm({self.gamma.size})"

    @classmethod
    def example(cls, rng):
        layer = cls(3)
        layer.theta = rng.normal(size=6)
        layer.running_mean, layer.running_var = rng.normal(size=3), rng.uniform(0.5, 2, size=3)
        return layer, rng.normal(size=(3, 4, 3))


class Dropout(Layer):
    """Inverted dropout: y = m ⊙ x / (1 − p) with m_i = 0 with probability p, else 1; in inference y = x.

    The division keeps the expectation, E[y] = x, so inference needs no scaling. Var[y_i] = x_i² p/(1 − p).

    Parameters
    ----------
    p : float
        The probability with which an entry is dropped, in [0, 1).
    seed : int or numpy.random.Generator
        Where the masks come from: each call in training draws a new one. `Layer.state` holds the state of the generator.

    Raises
    ------
    ValueError
        If p is out of range, or there is no seed.
    TypeError
        If the input is not an array of floating-point numbers.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout: a simple way to prevent neural networks from
    overfitting. They scale in inference instead.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.regularizers import Dropout
    >>> y, backward = Dropout(0.5, seed=1).forward(np.ones((2, 4)), training=True)
    >>> y
    array([[0., 2., 2., 2.],
           [0., 0., 2., 2.]])
    """

    def __init__(self, p: float, *, seed: int | np.random.Generator):
        if not 0 <= p < 1:
            raise ValueError(f"Dropout expects a probability p in [0, 1), got {p}")
        if seed is None:
            raise ValueError("Dropout needs a seed or a numpy.random.Generator: without one, no run could be repeated")
        self.p, self.rng = float(p), np.random.default_rng(seed)
        super().__init__()

    def forward(self, x, training=False):
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
            raise TypeError(f"{self!r} expects an array of floating-point numbers, got {getattr(x, 'dtype', type(x).__name__)}")
        if not training:
            return x, lambda dy: dy
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.p      # the same in every precision of x
        scale = np.divide(kept, 1 - self.p, dtype=x.dtype)               # m / (1 − p)

        def backward(dy):
            return scale * dy

        return scale * x, backward

    def __repr__(self):
        return f"Dropout({self.p:g})"

    @classmethod
    def example(cls, rng):
        return cls(0.4, seed=rng), rng.normal(size=(4, 5))


def l1(strength: float, mask: np.ndarray | None = None) -> Penalty:
    """The L1 penalty (lasso): λ Σ |θ_i|, with the gradient λ sign(θ).

    At θ_i = 0, where there is a kink, the gradient is 0.

    Parameters
    ----------
    strength : float
        λ ≥ 0.
    mask : ndarray of bool, shape (P,), optional
        Which entries of θ are penalized; by default all.

    Returns
    -------
    callable
        ``penalty(theta)`` is (value, gradient); ``fit`` adds both to those of the loss.

    Raises
    ------
    ValueError
        If λ is negative or not finite, or θ has another shape than the mask.
    TypeError
        If the mask is not of truth values.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.regularizers import l1
    >>> l1(0.5)(np.array([3.0, -1.0, 0.0]))
    (2.0, array([ 0.5, -0.5,  0. ]))
    """
    return _penalty("l1", strength, mask, lambda theta: float(np.abs(theta).sum()), np.sign)


def l2(strength: float, mask: np.ndarray | None = None) -> Penalty:
    """The L2 penalty (ridge): (λ/2) Σ θ_i², with the gradient λ θ.

    With plain gradient descent it is the same as weight decay: θ shrinks by the factor 1 − ηλ at each step.

    Parameters
    ----------
    strength : float
        λ ≥ 0.
    mask : ndarray of bool, shape (P,), optional
        Which entries of θ are penalized; by default all.

    Returns
    -------
    callable
        ``penalty(theta)`` is (value, gradient); ``fit`` adds both to those of the loss.

    Raises
    ------
    ValueError
        If λ is negative or not finite, or θ has another shape than the mask.
    TypeError
        If the mask is not of truth values.

    Examples
    --------
    Weights, the parameters with two axes or more, without biases:

    >>> from nnlib.mlp import MLP
    >>> from nnlib.optimizers import decay_mask
    >>> from nnlib.regularizers import l2
    >>> model = MLP([1, 2, 1], seed=0)
    >>> model.theta[:] = 2
    >>> l2(0.1, decay_mask(model))(model.theta)
    (0.8, array([0.2, 0.2, 0. , 0. , 0.2, 0.2, 0. ]))
    """
    return _penalty("l2", strength, mask, lambda theta: float(theta @ theta) / 2, lambda theta: theta)


def _penalty(name, strength, mask, value, gradient):
    if not 0 <= strength < math.inf:
        raise ValueError(f"{name} expects a finite strength ≥ 0, got {strength}")
    strength, mask = float(strength), None if mask is None else np.array(mask)
    if mask is not None and mask.dtype != bool:
        raise TypeError(f"{name} expects a mask of truth values, got {mask.dtype}")

    def penalty(theta):
        if mask is not None and theta.shape != mask.shape:
            raise ValueError(f"{name} has a mask of shape {mask.shape}, got θ of shape {theta.shape}")
        penalized = theta if mask is None else np.where(mask, theta, 0)
        return strength * value(penalized), strength * gradient(penalized)

    penalty.__qualname__ = f"{name}({strength})"      # by which `fit` knows it again when it goes on from a checkpoint
    return penalty


# Means over the last axis and sums over all others, as products with a vector of ones: in NumPy several times faster than
# mean() and sum() along a short axis.


def _mean(x):
    """mean(x) over the last axis, which stays with length 1."""
    n = x.shape[-1]
    return (x @ np.full(n, 1 / n, x.dtype))[..., None]


def _mean_product(x, y):
    """mean(x ⊙ y) over the last axis, which stays with length 1."""
    return np.einsum("...i,...i->...", x, y)[..., None] / x.shape[-1]


def _sum_rows(x):
    rows = x.reshape(-1, x.shape[-1])
    return np.ones(len(rows), x.dtype) @ rows


def _check_input(layer, x):
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{layer!r} expects an array, got {type(x).__name__}")
    n = layer.gamma.size
    if x.ndim < 2 or x.shape[-1] != n or x.size == 0:
        raise ValueError(f"{layer!r} expects inputs of shape (batch, …, {n}) with batch ≥ 1, got {x.shape}")
    if x.dtype != layer.gamma.dtype:
        raise TypeError(f"{layer!r} has {layer.gamma.dtype} parameters and expects {layer.gamma.dtype} inputs, got {x.dtype}")


def _size(name, n):
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{name} needs a whole number ≥ 1 of features, got n={n!r}")
    return n


def _positive(name, argument, value):
    if not 0 < value < math.inf:
        raise ValueError(f"{name} expects a finite {argument} > 0, got {value}")
    return float(value)
