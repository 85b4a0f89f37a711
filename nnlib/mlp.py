"""The multilayer perceptron: a^(l) = f(W^(l) a^(l−1) + b^(l))."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nnlib import activations, initializers
from nnlib.activations import Activation
from nnlib.layers import Layer, Sequential

__all__ = ["MLP", "Dense"]


class Dense(Layer):
    """A fully connected layer: z = W a + b, for each row a of the input.

    Parameters
    ----------
    n_in, n_out : int
        Number of inputs and outputs.
    seed : int or numpy.random.Generator
        Where the first weights come from. The bias starts at 0.
    initializer : str or callable
        A name from `nnlib.initializers`, or a function of the shape (n_out, n_in) and a generator.

    Attributes
    ----------
    W : ndarray, shape (n_out, n_in)
        Weights; ``dW`` is their gradient.
    b : ndarray, shape (n_out,)
        Biases; ``db`` is their gradient.

    Raises
    ------
    ValueError
        If a size is not positive, the initializer unknown, or the input not of shape (batch, n_in).
    TypeError
        If the input has another dtype than the weights.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.mlp import Dense
    >>> dense = Dense(2, 1, seed=0)
    >>> dense.W, dense.b = np.array([[2.0, 3.0]]), np.array([1.0])
    >>> z, backward = dense.forward(np.array([[1.0, 1.0], [0.0, 1.0]]))
    >>> z
    array([[6.],
           [4.]])
    >>> backward(np.ones((2, 1)))              # ∂L/∂a = Wᵀ δ for each row
    array([[2., 3.],
           [2., 3.]])
    >>> dense.dW, dense.db                     # ∂L/∂W = Σ δ aᵀ and ∂L/∂b = Σ δ
    (array([[1., 2.]]), array([2.]))
    """

    parameters = ("W", "b")
    skips_dx = True
    W: np.ndarray
    b: np.ndarray
    dW: np.ndarray
    db: np.ndarray

    def __init__(self, n_in: int, n_out: int, *, seed: int | np.random.Generator, initializer="he"):
        if not all(isinstance(n, (int, np.integer)) and n >= 1 for n in (n_in, n_out)):
            raise ValueError(f"Dense needs whole numbers ≥ 1 of inputs and outputs, got n_in={n_in!r}, n_out={n_out!r}")
        if seed is None:
            raise ValueError("Dense needs a seed or a numpy.random.Generator: without one, no run could be repeated")
        W = initializers.get(initializer)((n_out, n_in), np.random.default_rng(seed))
        if np.shape(W) != (n_out, n_in):
            raise ValueError(f"Dense expects initial weights of shape {(n_out, n_in)}, got {np.shape(W)} from {initializer!r}")
        super().__init__(W=W, b=np.zeros(n_out))

    def forward(self, a, training=False):
        self._check_input(a)
        z = a @ self.W.T + self.b            # z = W a + b, one row per example

        def backward(dz, want_dx=True):
            self.dW += dz.T @ a              # ∂L/∂W = Σ δ aᵀ
            self.db += dz.sum(axis=0)        # ∂L/∂b = Σ δ
            if want_dx:
                return dz @ self.W           # ∂L/∂a = Wᵀ δ

        return z, backward

    def _check_input(self, a):
        if not isinstance(a, np.ndarray):
            raise TypeError(f"{self!r} expects an array, got {type(a).__name__}")
        _, n_in = self.W.shape
        if a.ndim != 2 or a.shape[1] != n_in or a.shape[0] == 0:
            raise ValueError(f"{self!r} expects inputs of shape (batch, {n_in}) with batch ≥ 1, got {a.shape}")
        if a.dtype != self.W.dtype:
            raise TypeError(f"{self!r} has {self.W.dtype} weights and expects {self.W.dtype} inputs, got {a.dtype}")

    def __repr__(self):
        n_out, n_in = self.W.shape
        return f"Dense({n_in}, {n_out})"

    @classmethod
    def example(cls, rng):
        return cls(3, 5, seed=rng), rng.normal(size=(4, 3))


class MLP(Sequential):
    """A multilayer perceptron, a function from R^n to R^m.

    a⁽⁰⁾ = x, then a⁽ˡ⁾ = f(W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾) for each hidden layer; the last layer has no activation: its outputs are
    predictions (regression) or logits (classification).

    Parameters
    ----------
    sizes : sequence of int
        n, the sizes of the hidden layers, m.
    activation : str or Activation
        f, for every hidden layer.
    seed : int or numpy.random.Generator
        Where the first weights come from.
    initializer : str or callable, optional
        By default He for the ReLU family (all that let z < 0 hardly through, such as relu, elu, gelu, silu), else Xavier.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, a size is not positive, or a name is unknown.

    References
    ----------
    Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.mlp import MLP
    >>> model = MLP([64, 32, 10], activation="relu", seed=0)
    >>> model
    MLP(Dense(64, 32), ReLU(), Dense(32, 10))
    >>> model(np.zeros((5, 64))).shape
    (5, 10)
    >>> model.theta.size == (64 + 1) * 32 + (32 + 1) * 10
    True
    """

    def __init__(self, sizes: Sequence[int], activation: str | Activation = "relu", *, seed, initializer=None):
        if np.ndim(sizes) != 1 or len(sizes) < 2:
            raise ValueError(f"an MLP needs a list with the number of inputs and of outputs, got sizes={sizes!r}")
        if seed is None:
            raise ValueError("an MLP needs a seed or a numpy.random.Generator: without one, no run could be repeated")
        rng = np.random.default_rng(seed)
        f = activations.get(activation)
        half_open = ("ReLU", "ReLU6", "LeakyReLU", "ELU", "GELU", "GELUTanh", "SiLU", "Mish", "HardSwish", "Softplus")
        initializer = initializer or ("he" if type(f).__name__ in half_open else "xavier")
        layers: list[Layer] = []
        for n_in, n_out in pairwise(sizes):
            layers += [Dense(n_in, n_out, seed=rng, initializer=initializer), copy.deepcopy(f)]
        super().__init__(*layers[:-1])

    @classmethod
    def example(cls, rng):
        return cls([3, 5, 4, 2], activation="tanh", seed=rng), rng.normal(size=(4, 3))
