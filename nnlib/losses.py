"""Losses: how wrong a prediction is, and the way back.

    value, backward = loss(prediction, target)
    dprediction = backward()

``value`` is a float, a mean over entries, examples or pairs. ``backward(dL=1.0)`` is ∂L/∂prediction, of the shape of the
prediction. All losses for classes but `nll` take **logits** (scores), the outputs before any sigmoid or softmax, so that they are
exact for logits of any size; two classes are called 0 and 1. For other options than the usual ones, hand a
``functools.partial(huber, delta=0.1)`` to whatever wants a loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnlib.activations import Sigmoid, Softplus, softmax

__all__ = [
    "binary_cross_entropy",
    "binary_focal",
    "categorical_cross_entropy",
    "categorical_focal",
    "hinge",
    "huber",
    "mae",
    "mse",
    "nll",
    "pairwise_auc",
]

LossBackward = Callable[..., np.ndarray]

_sigmoid, _softplus = Sigmoid().f, Softplus().f


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


def mae(prediction: np.ndarray, target: np.ndarray) -> tuple[float, LossBackward]:
    """Mean absolute error: L = (1/n) Σ |ŷ − y|, ∂L/∂ŷ = (1/n) sign(ŷ − y), and 0 at the kink ŷ = y.

    Parameters, returns and errors are those of `mse`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import mae
    >>> value, backward = mae(np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    >>> value, backward()
    (1.0, array([0. , 0.5]))
    """
    prediction, target = _checked_pair("mae", prediction, target)
    n = prediction.size
    difference = prediction - target

    def backward(dL=1.0):
        return dL / n * np.sign(difference)

    return float(np.mean(np.abs(difference))), backward


def huber(prediction: np.ndarray, target: np.ndarray, *, delta: float = 1.0) -> tuple[float, LossBackward]:
    """Huber loss (1964): L = (1/n) Σ h(ŷ − y) with h(d) = d²/2 for |d| ≤ δ, else δ (|d| − δ/2), and ∂L/∂ŷ = (1/n) clip(ŷ − y, −δ, δ).

    Near the target it is a squared error, far off an absolute one: no outlier pulls harder than δ.

    Parameters
    ----------
    prediction, target : ndarray
        As for `mse`, with the same errors.
    delta : float
        δ > 0, in units of the target.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import huber
    >>> value, backward = huber(np.array([1.0, 4.0]), np.array([0.5, 0.0]))
    >>> value, backward()                      # (0.125 + 3.5) / 2
    (1.8125, array([0.25, 0.5 ]))
    """
    prediction, target = _checked_pair("huber", prediction, target)
    _check_number("huber", "delta", delta, 0 < delta < math.inf, "> 0")
    n = prediction.size
    difference = prediction - target
    clipped = np.clip(difference, -delta, delta)

    def backward(dL=1.0):
        return dL / n * clipped

    return float(np.mean(clipped * (difference - clipped / 2))), backward     # d · d/2, or ±δ (d ∓ δ/2)


def binary_cross_entropy(logits: np.ndarray, target: np.ndarray, *, positive_weight: float = 1.0) -> tuple[float, LossBackward]:
    """Binary cross-entropy on logits: L = −(1/n) Σ [y log p + (1 − y) log(1 − p)] with p = σ(z), ∂L/∂z = (σ(z) − y)/n.

    No logarithm of 0 is taken: −log p = softplus(−z) and −log(1 − p) = softplus(z). With a weight w for the positives,
    L = −(1/n) Σ [w y log p + (1 − y) log(1 − p)] and ∂L/∂z = (w y (σ(z) − 1) + (1 − y) σ(z))/n.

    Parameters
    ----------
    logits : ndarray, any shape
        z.
    target : ndarray, same shape
        y, each in [0, 1].
    positive_weight : float
        w > 0; the number of negatives for each positive makes both count the same.

    Returns
    -------
    value : float
        In nats, the mean over all n entries.
    backward : callable
        ``backward(dL=1.0)`` is dL · ∂L/∂z, of the shape of ``logits``.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, a target is outside [0, 1], or the weight is not positive.
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
    w = _check_number("binary_cross_entropy", "positive_weight", positive_weight, 0 < positive_weight < math.inf, "> 0")
    if y.min() < 0 or y.max() > 1:
        raise ValueError(f"binary_cross_entropy expects targets in [0, 1], got {y.min()} to {y.max()}")
    n = z.size

    def backward(dL=1.0):
        p = _sigmoid(z)
        return dL / n * (w * y * (p - 1) + (1 - y) * p)

    return float(np.mean(w * y * _softplus(-z) + (1 - y) * _softplus(z))), backward


def categorical_cross_entropy(
    logits: np.ndarray,
    target: np.ndarray,
    *,
    class_weights: np.ndarray | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> tuple[float, LossBackward]:
    """Categorical cross-entropy on logits: L = (1/n) Σ [log Σ_j e^{z_j} − z_y], ∂L/∂z = (softmax(z) − onehot(y))/n.

    In general L = −(1/N) Σ Σ_c w_c q_c log p_c with p = softmax(z), and ∂L/∂z = (1/N) [(Σ_c w_c q_c) p − w ⊙ q], for each example.
    The target q is onehot(y), or a distribution that is given. Label smoothing (Szegedy et al., 2016) replaces q by
    (1 − ε) q + ε/classes. N is the number of examples, but with labels and class weights it is Σ w_y, as in PyTorch: the mean
    is over the weights.

    Parameters
    ----------
    logits : ndarray, shape (…, classes)
        z, with one axis or more before the classes: (batch, classes), (batch, time, classes).
    target : ndarray of integers, shape (…), or of floats, shape (…, classes)
        y, the right class of each example, from 0 to classes − 1; or q, its probabilities.
    class_weights : ndarray, shape (classes,), optional
        w, each ≥ 0; by default 1.
    label_smoothing : float
        ε in [0, 1).
    ignore_index : int, optional
        Examples with this label do not count: padding, or tokens that were not masked.

    Returns
    -------
    value : float
        In nats, the mean over the examples.
    backward : callable
        ``backward(dL=1.0)`` is dL · ∂L/∂z, of the shape of ``logits``.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no examples, all are ignored or have the weight 0, or a number is out of range.
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
    name = "categorical_cross_entropy"
    z, q, w, N = _checked_classes(name, logits, target, class_weights, ignore_index, soft=True)
    epsilon = _check_number(name, "label_smoothing", label_smoothing, 0 <= label_smoothing < 1, "in [0, 1)")
    if epsilon:
        q = (1 - epsilon) * q + epsilon / z.shape[-1] * q.sum(axis=-1, keepdims=True)      # an ignored example keeps q = 0
    wq = w * q
    z = z - z.max(axis=-1, keepdims=True)      # the same for every class, so it changes no loss; e^z cannot overflow
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)

    def backward(dL=1.0):
        return dL / N * (wq.sum(axis=-1, keepdims=True) * (e / total) - wq)

    counts = wq > 0                            # where q_c = 0, p_c may be 0 too
    return float(wq[counts] @ (np.log(total) - z)[counts] / N), backward


def nll(
    log_probabilities: np.ndarray, target: np.ndarray, *, class_weights: np.ndarray | None = None, ignore_index: int | None = None
) -> tuple[float, LossBackward]:
    """Negative log-likelihood of the right classes: L = −(1/N) Σ w_y log p_y, with N = Σ w_y, and ∂L/∂log p = −(1/N) w ⊙ onehot(y).

    `categorical_cross_entropy` is this on log softmax(z), and more exact in one step.

    Parameters
    ----------
    log_probabilities : ndarray, shape (…, classes)
        log p.
    target, class_weights, ignore_index
        Labels, their weights and the label that does not count, as for `categorical_cross_entropy`, with the same errors.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import nll
    >>> value, backward = nll(np.log([[0.5, 0.25, 0.25]]), np.array([0]))
    >>> round(value, 4), backward()
    (0.6931, array([[-1., -0., -0.]]))
    """
    log_p, q, w, N = _checked_classes("nll", log_probabilities, target, class_weights, ignore_index)

    def backward(dL=1.0):
        return -dL / N * (w * q)

    counts = q > 0                             # where q_c = 0, p_c may be 0 too
    return float(-(w * q)[counts] @ log_p[counts] / N), backward


def hinge(scores: np.ndarray, target: np.ndarray, *, squared: bool = False) -> tuple[float, LossBackward]:
    """Hinge loss: L = (1/n) Σ max(0, 1 − s z) with the sign s = 2y − 1 of the label, ∂L/∂z = −s/n where s z < 1, else 0.

    Squared, L = (1/n) Σ max(0, 1 − s z)² and ∂L/∂z = −(2/n) s max(0, 1 − s z).

    Parameters
    ----------
    scores : ndarray, any shape
        z.
    target : ndarray, same shape
        y, each 0 or 1 as for `binary_cross_entropy`; the papers write s = −1 and 1.
    squared : bool
        Whether the margin's violation is squared.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, or a label is not 0 or 1.
    TypeError
        If the scores are not floating-point numbers.

    References
    ----------
    Cortes and Vapnik (1995), Support-vector networks.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import hinge
    >>> value, backward = hinge(np.array([0.5, 0.0]), np.array([0, 1]))
    >>> value, backward()                      # (1.5 + 1) / 2
    (1.25, array([ 0.5, -0.5]))
    """
    z, s = _checked_signs("hinge", scores, target)
    n = z.size
    violation = np.maximum(0, 1 - s * z)

    def backward(dL=1.0):
        return -dL / n * s * (2 * violation if squared else violation > 0)

    return float(np.mean(violation**2 if squared else violation)), backward


def binary_focal(logits: np.ndarray, target: np.ndarray, *, gamma: float = 2.0, alpha: float | None = None) -> tuple[float, LossBackward]:
    """Focal loss: L = −(1/n) Σ α_t (1 − p_t)^γ log p_t, where p_t is the probability that is given to the right class.

    With the logit u of the right class, z for y = 1 and −z for y = 0, p_t = σ(u), and dL/du = −α_t (1 − p_t)^γ [γ p_t (−log p_t) + 1 − p_t] / n.
    Examples that are right already hardly count. γ = 0 is `binary_cross_entropy`.

    Parameters
    ----------
    logits : ndarray, any shape
        z.
    target : ndarray, same shape
        y, each 0 or 1.
    gamma : float
        γ ≥ 0.
    alpha : float, optional
        α_t = α for the positives and 1 − α for the negatives, in [0, 1]; by default both 1. The paper has α = 0.25.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, a label is not 0 or 1, or a number is out of range.
    TypeError
        If the logits are not floating-point numbers.

    References
    ----------
    Lin, Goyal, Girshick, He and Dollár (2017), Focal loss for dense object detection.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import binary_focal
    >>> value, backward = binary_focal(np.array([0.0]), np.array([1]))
    >>> round(value, 4)                        # log(2) / 4
    0.1733
    """
    z, s = _checked_signs("binary_focal", logits, target)
    _check_number("binary_focal", "gamma", gamma, 0 <= gamma < math.inf, "≥ 0")
    n, alpha_t = z.size, np.ones_like(z)
    if alpha is not None:
        _check_number("binary_focal", "alpha", alpha, 0 <= alpha <= 1, "in [0, 1]")
        alpha_t = np.where(s > 0, alpha, 1 - alpha).astype(z.dtype)
    value, slope = _focal(s * z, gamma)

    def backward(dL=1.0):
        return dL / n * alpha_t * s * slope

    return float(np.mean(alpha_t * value)), backward


def categorical_focal(
    logits: np.ndarray, target: np.ndarray, *, gamma: float = 2.0, class_weights: np.ndarray | None = None, ignore_index: int | None = None
) -> tuple[float, LossBackward]:
    """Focal loss for several classes: L = −(1/N) Σ w_y (1 − p_y)^γ log p_y with p = softmax(z), and N = Σ w_y.

    p_y = σ(u) with u = z_y − log Σ_{j≠y} e^{z_j}, the logit of the right class against all others, so this is `binary_focal` in u,
    and ∂u/∂z_y = 1, ∂u/∂z_j = −softmax over the others. γ = 0 is `categorical_cross_entropy`.

    Parameters
    ----------
    logits : ndarray, shape (…, classes)
        z, of two classes or more.
    gamma : float
        γ ≥ 0.
    target, class_weights, ignore_index
        Labels, their weights (the α of the paper) and the label that does not count, as for `categorical_cross_entropy`, with the same errors.

    References
    ----------
    Lin, Goyal, Girshick, He and Dollár (2017), Focal loss for dense object detection.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import categorical_focal
    >>> value, backward = categorical_focal(np.zeros((1, 2)), np.array([1]))
    >>> round(value, 4)                        # log(2) / 4
    0.1733
    """
    z, q, w, N = _checked_classes("categorical_focal", logits, target, class_weights, ignore_index)
    _check_number("categorical_focal", "gamma", gamma, 0 <= gamma < math.inf, "≥ 0")
    if z.shape[-1] < 2:
        raise ValueError(f"categorical_focal expects two classes or more, got logits of shape {z.shape}")
    others = np.where(q, -np.inf, z)
    largest = others.max(axis=-1, keepdims=True)
    u = (z * q).sum(axis=-1, keepdims=True) - largest - np.log(np.exp(others - largest).sum(axis=-1, keepdims=True))
    weight = (w * q).sum(axis=-1, keepdims=True)
    value, slope = _focal(u, gamma)

    def backward(dL=1.0):
        return dL / N * weight * slope * (q - softmax(others))

    return float((weight * value).sum() / N), backward


def pairwise_auc(scores: np.ndarray, target: np.ndarray, *, surrogate: str = "logistic") -> tuple[float, LossBackward]:
    """A smooth stand-in for 1 − AUC: L = (1/(n₁ n₀)) Σ_{i: y=1} Σ_{j: y=0} φ(z_i − z_j), over all pairs of a positive and a negative.

    1 − AUC is this with φ(d) = 1 for d < 0 (½ for d = 0), the share of pairs in the wrong order, which has no slope. Here φ is the
    logistic log(1 + e^−d) of Burges et al. (2005), or the squared hinge max(0, 1 − d)² of Yan et al. (2003).
    ∂L/∂z_i = (1/(n₁ n₀)) Σ_j φ′(z_i − z_j) and ∂L/∂z_j = −(1/(n₁ n₀)) Σ_i φ′(z_i − z_j).
    A batch of one class has no pairs to put in order: L = 0 and ∂L/∂z = 0.

    Parameters
    ----------
    scores : ndarray, any shape
        z. All n₁ × n₀ differences are held at once.
    target : ndarray, same shape
        y, each 0 or 1.
    surrogate : "logistic" or "squared_hinge"
        φ.

    Raises
    ------
    ValueError
        If the shapes differ, there are no examples, a label is not 0 or 1, or the surrogate is unknown.
    TypeError
        If the scores are not floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.losses import pairwise_auc
    >>> value, backward = pairwise_auc(np.array([2.0, 1.0, 2.5]), np.array([1, 0, 0]), surrogate="squared_hinge")
    >>> value, backward()                      # (0² + 1.5²) / 2
    (1.125, array([-1.5,  0. ,  1.5]))
    """
    z, s = _checked_signs("pairwise_auc", scores, target)
    if surrogate not in ("logistic", "squared_hinge"):
        raise ValueError(f'pairwise_auc expects the surrogate "logistic" or "squared_hinge", got {surrogate!r}')
    positive = s > 0
    d = z[positive][:, None] - z[~positive]
    if d.size == 0:
        return 0.0, lambda dL=1.0: np.zeros_like(z)
    phi = _softplus(-d) if surrogate == "logistic" else np.maximum(0, 1 - d) ** 2

    def backward(dL=1.0):
        pull = _sigmoid(-d) if surrogate == "logistic" else 2 * np.maximum(0, 1 - d)      # −φ′
        dz = np.empty_like(z)
        dz[positive], dz[~positive] = -pull.sum(axis=1), pull.sum(axis=0)
        return dL / d.size * dz

    return float(np.mean(phi)), backward


def _focal(u, gamma):
    """(1 − p)^γ (−log p) with p = σ(u), and its derivative by u."""
    p, wrong, surprise = _sigmoid(u), _sigmoid(-u), _softplus(-u)
    return wrong**gamma * surprise, -(wrong**gamma) * (gamma * p * surprise + wrong)


def _checked_pair(name, prediction, target):
    """Both as arrays of one shape, in the precision of the prediction."""
    prediction, target = np.asarray(prediction), np.asarray(target)
    _check_kinds(name, prediction, target)
    if prediction.shape != target.shape:
        raise ValueError(f"{name} expects a target of the prediction's shape {prediction.shape}, got {target.shape}")
    if target.size == 0:
        raise ValueError(f"{name} expects at least one example, got shape {target.shape}")
    if not np.isfinite(target).all():
        raise ValueError(f"{name} expects finite targets, got {np.count_nonzero(~np.isfinite(target))} NaN or infinite")
    return prediction, target.astype(prediction.dtype, copy=False)


def _checked_signs(name, scores, target):
    """The scores, and s = −1 for the label 0 and 1 for the label 1."""
    z, y = _checked_pair(name, scores, target)
    if not ((y == 0) | (y == 1)).all():
        raise ValueError(f"{name} expects labels 0 and 1, got {y.min()} to {y.max()}")
    return z, 2 * y - 1


def _checked_classes(name, logits, target, class_weights, ignore_index, soft=False):
    """The logits, the target q as probabilities (all 0 for an ignored example), the weights w of the classes, and N."""
    z, y = np.asarray(logits), np.asarray(target)
    _check_kinds(name, z, y)
    *examples, classes = z.shape if z.ndim > 1 else (0, 0)
    is_soft = soft and y.shape == z.shape
    if z.size == 0 or z.ndim < 2 or not (is_soft or y.shape == tuple(examples)):
        expected = "labels (…) or probabilities (…, classes)" if soft else "labels (…)"
        raise ValueError(f"{name} expects logits (…, classes) and {expected} with at least one example, got {z.shape} and {y.shape}")
    w = np.ones(classes, z.dtype) if class_weights is None else _checked_weights(name, class_weights, classes).astype(z.dtype)
    if is_soft:
        if ignore_index is not None:
            raise ValueError(f"{name} ignores an index of labels, got probabilities and ignore_index={ignore_index}")
        sums = y.sum(axis=-1)
        if not (np.isfinite(y).all() and y.min() >= 0 and np.abs(sums - 1).max() < 1e-5):
            raise ValueError(f"{name} expects probabilities ≥ 0 with the sum 1, got from {y.min()}, with sums from {sums.min()} to {sums.max()}")
        return z, y.astype(z.dtype, copy=False), w, z.size // classes
    if y.dtype.kind not in "iu":
        raise TypeError(f"{name} expects integer labels, got {y.dtype}")
    counts = np.full(y.shape, True) if ignore_index is None else y != ignore_index
    labels = y[counts]
    if labels.size == 0:
        raise ValueError(f"{name} expects at least one example that counts, got ignore_index={ignore_index} for all {y.size} labels")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"{name} expects labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    N = float(w[labels].sum())
    if N == 0:
        raise ValueError(f"{name} expects an example of a class with a weight > 0, got only labels with the weight 0")
    q = np.zeros_like(z)
    q[counts, labels] = 1
    return z, q, w, N


def _checked_weights(name, class_weights, classes):
    w = np.asarray(class_weights, dtype=float)
    if w.shape != (classes,):
        raise ValueError(f"{name} expects {classes} class weights, got shape {w.shape}")
    if not (np.isfinite(w).all() and w.min() >= 0):
        raise ValueError(f"{name} expects finite class weights ≥ 0, got {w.tolist()}")
    return w


def _check_number(name, argument, value, holds, condition):
    if not holds:
        raise ValueError(f"{name} expects a finite {argument} {condition}, got {value}")
    return float(value)


def _check_kinds(name, prediction, target):
    if prediction.dtype.kind != "f":
        raise TypeError(f"{name} expects floating-point predictions, got {prediction.dtype}")
    if target.dtype.kind not in "fiub":
        raise TypeError(f"{name} expects real numbers as targets, got {target.dtype}")
