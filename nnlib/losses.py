"""Losses: how wrong a prediction is, and the way back.

    value, backward = loss(prediction, target)
    dprediction = backward()

``value`` is a float, the mean over the entries (`mse`, `binary_cross_entropy`) or the examples (`categorical_cross_entropy`).
``backward(dL=1.0)`` is ∂L/∂prediction, of the shape of the prediction. The two cross-entropies take **logits**, the outputs before
any sigmoid or softmax, so that they are exact for logits of any size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnlib.activations import Sigmoid, Softplus, softmax

__all__ = ["binary_cross_entropy", "categorical_cross_entropy", "mse"]

LossBackward = Callable[..., np.ndarray]


def mse(prediction: np.ndarray, target: np.ndarray) -> tuple[float, LossBackward]:
    """Mean squared error: L = (1/n) Σ (ŷ − y)², ∂L/∂ŷ = (2/n) (ŷ − y).

    Parameters
    ----------
    prediction : ndarray, any shape
        ŷ.
    target : ndarray, same shape
        y, finite.

    Returns
    -------
    value : float
        The mean over all n entries.
    backward : callable
        ``backward(dL=1.0)`` is dL · ∂L/∂ŷ, of the shape of ``prediction``.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, or a target is not finite.
    TypeError
        If the prediction is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import mse
    >>> value, backward = mse(np.array([[1.0], [4.0]]), np.array([[1.0], [2.0]]))
    >>> value
    2.0
    >>> backward()
    array([[0.],
           [2.]])
    """
    prediction, target = _checked_pair("mse", prediction, target)
    n = prediction.size
    difference = prediction - target

    def backward(dL=1.0):
        return dL * 2 / n * difference

    return float(np.mean(difference**2)), backward


def binary_cross_entropy(logits: np.ndarray, target: np.ndarray) -> tuple[float, LossBackward]:
    """Binary cross-entropy on logits: L = −(1/n) Σ [y log p + (1 − y) log(1 − p)] with p = σ(z), ∂L/∂z = (σ(z) − y)/n.

    No logarithm of 0 is taken: −log p = softplus(−z) and −log(1 − p) = softplus(z).

    Parameters
    ----------
    logits : ndarray, any shape
        z.
    target : ndarray, same shape
        y, each in [0, 1].

    Returns
    -------
    value : float
        In nats, the mean over all n entries.
    backward : callable
        ``backward(dL=1.0)`` is dL · ∂L/∂z, of the shape of ``logits``.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, or a target is outside [0, 1].
    TypeError
        If the logits are not floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import binary_cross_entropy
    >>> value, backward = binary_cross_entropy(np.array([0.0, 1e4]), np.array([1.0, 1.0]))
    >>> round(value, 4)                        # log(2) / 2
    0.3466
    >>> backward()
    array([-0.25,  0.  ])
    """
    z, y = _checked_pair("binary_cross_entropy", logits, target)
    if y.min() < 0 or y.max() > 1:
        raise ValueError(f"binary_cross_entropy expects targets in [0, 1], got {y.min()} to {y.max()}")
    n, softplus = z.size, Softplus().f

    def backward(dL=1.0):
        return dL / n * (Sigmoid().f(z) - y)

    return float(np.mean(y * softplus(-z) + (1 - y) * softplus(z))), backward


def categorical_cross_entropy(logits: np.ndarray, target: np.ndarray) -> tuple[float, LossBackward]:
    """Categorical cross-entropy on logits: L = (1/n) Σ [log Σ_j e^{z_j} − z_y], ∂L/∂z = (softmax(z) − onehot(y))/n.

    Parameters
    ----------
    logits : ndarray, shape (batch, classes)
        z.
    target : ndarray of integers, shape (batch,)
        y, the right class of each example, from 0 to classes − 1.

    Returns
    -------
    value : float
        In nats, the mean over the batch.
    backward : callable
        ``backward(dL=1.0)`` is dL · ∂L/∂z, of the shape of ``logits``.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no examples, or a label is out of range.
    TypeError
        If the labels are not integers, or the logits not floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import categorical_cross_entropy
    >>> value, backward = categorical_cross_entropy(np.zeros((1, 4)), np.array([2]))
    >>> round(value, 4)                        # log(4): four classes, no idea
    1.3863
    >>> backward()
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """
    z, y = _checked_labels(logits, target)
    n, rows = len(z), np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)       # the same for every class, so it changes no loss; e^z cannot overflow
    log_sum = np.log(np.exp(z).sum(axis=1))

    def backward(dL=1.0):
        dz = softmax(z)
        dz[rows, y] -= 1
        return dL / n * dz

    return float(np.mean(log_sum - z[rows, y])), backward


def _checked_pair(name, prediction, target):
    """Both as arrays of one shape, in the precision of the prediction."""
    prediction, target = np.asarray(prediction), np.asarray(target)
    _check_floating(name, prediction)
    if prediction.shape != target.shape:
        raise ValueError(f"{name} expects a target of the prediction's shape {prediction.shape}, got {target.shape}")
    if target.size == 0:
        raise ValueError(f"{name} expects at least one example, got shape {target.shape}")
    if not np.isfinite(target).all():
        raise ValueError(f"{name} expects finite targets, got {np.count_nonzero(~np.isfinite(target))} NaN or infinite")
    return prediction, target.astype(prediction.dtype, copy=False)


def _checked_labels(logits, target):
    logits, target = np.asarray(logits), np.asarray(target)
    name = "categorical_cross_entropy"
    _check_floating(name, logits)
    if logits.ndim != 2 or logits.size == 0 or target.shape != logits.shape[:1]:
        raise ValueError(f"{name} expects logits (batch, classes) and labels (batch,) with batch ≥ 1, got {logits.shape} and {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name} expects integer labels, got {target.dtype}")
    classes = logits.shape[1]
    if target.min() < 0 or target.max() >= classes:
        raise ValueError(f"{name} expects labels from 0 to {classes - 1}, got {target.min()} to {target.max()}")
    return logits, target


def _check_floating(name, prediction):
    if prediction.dtype.kind != "f":
        raise TypeError(f"{name} expects floating-point predictions, got {prediction.dtype}")
