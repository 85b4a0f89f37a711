"""How good a prediction is, in the units that people report."""

from __future__ import annotations

import numpy as np

__all__ = ["accuracy"]


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of examples whose largest logit is that of the right class.

    Parameters
    ----------
    logits : ndarray, shape (batch, classes) or (batch, 1)
        With one column, class 1 is predicted where the logit is positive.
    labels : ndarray, shape (batch,) or (batch, 1)
        The right class of each example.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If the shapes do not fit, there are no examples, a logit is NaN, or a label is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import accuracy
    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    if logits.ndim != 2 or len(logits) == 0 or labels.shape not in [(len(logits),), (len(logits), 1)]:
        raise ValueError(f"accuracy expects logits (batch, classes) and labels (batch,) with batch ≥ 1, got {logits.shape} and {labels.shape}")
    if np.isnan(logits).any():
        raise ValueError(f"accuracy expects logits that can be compared, got {np.count_nonzero(np.isnan(logits))} NaN")
    classes = max(logits.shape[1], 2)
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"accuracy expects labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    predicted = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)
    return float(np.mean(predicted == labels.reshape(-1)))
