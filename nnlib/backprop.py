"""The gradient of a loss, and ways to check it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnlib.layers import Layer

__all__ = ["check_gradient", "numerical_gradient", "value_and_grad"]

Loss = Callable[..., tuple[float, Callable[..., np.ndarray]]]


def value_and_grad(model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """L(model(x), target) and ∂L/∂θ, by backpropagation, in training mode.

    Gradients add up wherever a way back is called; this is the one function that sets them to zero first.

    Parameters
    ----------
    model : Layer
    loss : callable
        From `nnlib.losses`.
    x, target : ndarray
        A batch and what it should give.

    Returns
    -------
    value : float
    grad : ndarray, shape (P,)
        ``model.grad`` itself; the next call changes it.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import value_and_grad
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import Dense
    >>> model = Dense(1, 1, seed=0)
    >>> model.theta = [3.0, 0.0]               # y = 3 x + 0
    >>> value_and_grad(model, mse, np.array([[1.0]]), np.array([[1.0]]))
    (4.0, array([4., 4.]))
    """
    prediction, backward = model.forward(x, training=True)
    value, way_back = loss(prediction, target)
    model.grad[:] = 0
    model._back(backward, way_back(), want_dx=False)
    return value, model.grad


def numerical_gradient(f: Callable[[np.ndarray], float], at: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences: ∂f/∂x_i ≈ (f(x + h e_i) − f(x − h e_i)) / 2h.

    Parameters
    ----------
    f : callable
        From an array to a number.
    at : ndarray
        x, of any shape; it is not changed.
    h : float
        Half the distance of the two points. The error falls as h² until rounding takes over.

    Returns
    -------
    ndarray
        Of the shape of ``at``.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import numerical_gradient
    >>> numerical_gradient(lambda x: float(x @ x), np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    if not h > 0:
        raise ValueError(f"numerical_gradient needs a step h > 0, got {h}")
    x = np.array(at, dtype=float)
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        here = x[i]
        x[i] = here + h
        above = f(x)
        x[i] = here - h
        slope[i] = (above - f(x)) / (2 * h)
        x[i] = here
    return slope


def check_gradient(model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray, h: float = 1e-5) -> float:
    """How far backpropagation is from central differences, over all of θ.

    Random layers (dropout) and running statistics are put back between the evaluations, so each sees the same noise; the
    model is left as it was.

    Returns
    -------
    float
        ``max |backprop − differences| / max |differences|``: some 1e-9 where all is right in float64, and near 1
        where a formula is wrong.

    Raises
    ------
    ValueError
        If the model has no parameters, or they are not float64: differences would drown in rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import check_gradient
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import MLP
    >>> error = check_gradient(MLP([2, 4, 1], "tanh", seed=0), mse, np.ones((3, 2)), np.zeros((3, 1)))
    >>> error < 1e-8
    True
    """
    if model.theta.size == 0 or model.theta.dtype != float:
        raise ValueError(f"check_gradient needs a model with float64 parameters, got {model.theta.size} of {model.theta.dtype}")
    before, grad_before = model.state(), model.grad.copy()

    def loss_at(theta):
        model.restore(before)
        model.theta = theta
        return loss(model.forward(x, training=True)[0], target)[0]

    try:
        grad = value_and_grad(model, loss, x, target)[1].copy()
        differences = numerical_gradient(loss_at, model.theta, h)
    finally:
        model.restore(before)
        model.grad = grad_before
    return float(np.abs(grad - differences).max() / max(np.abs(differences).max(), 1e-12))
