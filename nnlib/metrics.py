"""How good a prediction is, in the units that people report, and how sure one can be of it.

Scores are logits or any numbers that are larger where class 1 is more likely. What scikit-learn computes is asked of scikit-learn.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

__all__ = [
    "Difference",
    "accuracy",
    "accuracy_interval",
    "auc",
    "average_precision",
    "bits_per_character",
    "calibration",
    "calibration_error",
    "confusion_matrix",
    "crossed_difference",
    "f1",
    "paired_difference",
    "perplexity",
    "precision_recall",
    "roc",
]


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
        If the shapes do not fit, there are no examples, a logit is NaN, or a label is none of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import accuracy
    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    predicted, labels, _ = _predicted("accuracy", logits, labels)
    return float(np.mean(predicted == labels))


def confusion_matrix(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many examples of class i (row) were taken for class j (column).

    Parameters
    ----------
    logits : ndarray, shape (batch, classes) or (batch, 1)
    labels : ndarray, shape (batch,) or (batch, 1)

    Returns
    -------
    ndarray of integers, shape (classes, classes)
        Two classes where there is one logit.

    Raises
    ------
    ValueError
        As `accuracy`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import confusion_matrix
    >>> confusion_matrix(np.array([[2.0, 1.0], [0.0, 3.0], [0.0, 1.0]]), np.array([0, 0, 1]))
    array([[1, 1],
           [0, 1]])
    """
    predicted, labels, classes = _predicted("confusion_matrix", logits, labels)
    import sklearn.metrics

    return sklearn.metrics.confusion_matrix(labels, predicted, labels=np.arange(classes))


def roc(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The receiver operating characteristic: what share of each class is called 1 as the threshold comes down.

    Parameters
    ----------
    scores : ndarray, shape (batch,) or (batch, 1)
    labels : ndarray of 0 and 1, shape (batch,) or (batch, 1)

    Returns
    -------
    false_positive_rate, true_positive_rate : ndarray
        Of the examples of class 0, and of class 1, those whose score is at least the threshold.
    thresholds : ndarray
        Falling from infinity.

    Raises
    ------
    ValueError
        If the shapes do not fit, a score is not finite, a label is not 0 or 1, or one of the two classes has no example.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import roc
    >>> false_positive_rate, true_positive_rate, _ = roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    >>> false_positive_rate.tolist(), true_positive_rate.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    scores, labels = _binary("roc", scores, labels)
    import sklearn.metrics

    return sklearn.metrics.roc_curve(labels, scores)


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC: the probability that an example of class 1 has a higher score than one of class 0 (ties count half).

    Parameters
    ----------
    scores : ndarray, shape (batch,) or (batch, 1)
    labels : ndarray of 0 and 1, shape (batch,) or (batch, 1)

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, whatever the share of class 1.

    Raises
    ------
    ValueError
        As `roc`.

    References
    ----------
    Hanley and McNeil (1982), The meaning and use of the area under a receiver operating characteristic curve.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import auc
    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.75
    """
    scores, labels = _binary("auc", scores, labels)
    import sklearn.metrics

    return float(sklearn.metrics.roc_auc_score(labels, scores))


def precision_recall(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of those called 1, the share that are (precision), against the share of class 1 that is called so (recall).

    Parameters
    ----------
    scores : ndarray, shape (batch,) or (batch, 1)
    labels : ndarray of 0 and 1, shape (batch,) or (batch, 1)

    Returns
    -------
    precision, recall : ndarray
        One entry more than thresholds: the last is precision 1 at recall 0.
    thresholds : ndarray
        Rising; an example is called 1 where its score is at least the threshold.

    Raises
    ------
    ValueError
        As `roc`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import precision_recall
    >>> precision, recall, thresholds = precision_recall(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    >>> precision.round(2).tolist(), recall.tolist()
    ([0.5, 0.67, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 0.5, 0.0])
    """
    scores, labels = _binary("precision_recall", scores, labels)
    import sklearn.metrics

    return sklearn.metrics.precision_recall_curve(labels, scores)


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """AP = Σₙ (Rₙ − Rₙ₋₁) Pₙ, the mean precision over the recalls that the thresholds reach, without interpolation.

    Parameters
    ----------
    scores : ndarray, shape (batch,) or (batch, 1)
    labels : ndarray of 0 and 1, shape (batch,) or (batch, 1)

    Returns
    -------
    float
        In (0, 1]; chance is the share of class 1, so only sets of equal share can be compared.

    Raises
    ------
    ValueError
        As `roc`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import average_precision
    >>> round(average_precision(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])), 4)  # 1/2 · 1 + 1/2 · 2/3
    0.8333
    """
    scores, labels = _binary("average_precision", scores, labels)
    import sklearn.metrics

    return float(sklearn.metrics.average_precision_score(labels, scores))


def f1(scores: np.ndarray, labels: np.ndarray, threshold: float = 0.0) -> float:
    """F₁ = 2 P R / (P + R), the harmonic mean of precision and recall at one threshold; 0 where no positive is found.

    Parameters
    ----------
    scores : ndarray, shape (batch,) or (batch, 1)
    labels : ndarray of 0 and 1, shape (batch,) or (batch, 1)
    threshold : float
        An example is called 1 where its score is at least this: 0 for logits, 0.5 for probabilities, or what the validation set chose.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        As `roc`, and if the threshold is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import f1
    >>> round(f1(np.array([-3.0, 0.5, -0.2, 2.0]), np.array([0, 0, 1, 1])), 4), f1(np.array([-3.0, 0.5, -0.2, 2.0]), np.array([0, 0, 1, 1]), -0.2)
    (0.5, 0.8)
    """
    scores, labels = _binary("f1", scores, labels)
    if math.isnan(threshold):
        raise ValueError("f1 expects a threshold that can be compared, got nan")
    import sklearn.metrics

    return float(sklearn.metrics.f1_score(labels, scores >= threshold))


def calibration(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Is what is said to happen with 70 % seen in 70 % of the cases? The reliability diagram, in bins of equal width.

    For more than two classes, give the largest probability of each example, and as label whether that class was right.

    Parameters
    ----------
    probabilities : ndarray, shape (batch,) or (batch, 1)
        Of class 1.
    labels : ndarray of 0 and 1, shape (batch,) or (batch, 1)
        One of the two may be missing.
    bins : int
        Over [0, 1], each open at its left end; the first includes 0.

    Returns
    -------
    predicted, observed : ndarray, shape (bins that are not empty,)
        Mean probability and share of class 1 in each bin.
    count : ndarray of integers
        Examples in each bin.

    Raises
    ------
    ValueError
        If the shapes do not fit, a probability is outside of [0, 1], a label is not 0 or 1, or there is no bin.

    References
    ----------
    Niculescu-Mizil and Caruana (2005), Predicting good probabilities with supervised learning.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import calibration
    >>> predicted, observed, count = calibration(np.array([0.1, 0.2, 0.9, 0.7]), np.array([0, 1, 1, 1]), bins=2)
    >>> predicted.round(2).tolist(), observed.tolist(), count.tolist()
    ([0.15, 0.8], [0.5, 1.0], [2, 2])
    """
    p, y = _checked_binary("calibration", probabilities, labels)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"calibration expects probabilities in [0, 1], got {p.min()} to {p.max()}")
    if not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"calibration needs a whole number of bins ≥ 1, got {bins!r}")
    # As scikit-learn's calibration_curve, which does not say how many examples a bin has.
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p)
    count = np.bincount(place)
    filled = count > 0
    predicted, observed = (np.bincount(place, values)[filled] / count[filled] for values in (p, y))
    return predicted, observed, count[filled]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: ECE = Σ_b (n_b / n) |observed_b − predicted_b| over the bins of `calibration`.

    It depends on the number of bins, and is above 0 by chance alone: compare it only at the same size and bins.

    Parameters
    ----------
    probabilities, labels, bins
        As for `calibration`.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        As `calibration`.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.metrics import calibration_error
    >>> round(calibration_error(np.array([0.1, 0.2, 0.9, 0.7]), np.array([0, 1, 1, 1]), bins=2), 4)  # (0.35 + 0.2) / 2
    0.275
    """
    predicted, observed, count = calibration(probabilities, labels, bins)
    return float((count * abs(observed - predicted)).sum() / count.sum())


def perplexity(nats: float) -> float:
    """e^H of a mean cross-entropy H in nats: as unsure as a fair choice among so many tokens.

    Parameters
    ----------
    nats : float
        The mean loss per token, at least 0, as `nnlib.losses.categorical_cross_entropy` gives it.

    Returns
    -------
    float
        At least 1.

    Raises
    ------
    ValueError
        If the loss is negative or NaN.

    Examples
    --------
    >>> import math
    >>> from nnlib.metrics import perplexity
    >>> round(perplexity(math.log(27)), 9)
    27.0
    """
    _check_entropy("perplexity", nats)
    return math.exp(nats)


def bits_per_character(nats: float) -> float:
    """H / log 2: a mean cross-entropy per character, from nats to bits.

    Parameters
    ----------
    nats : float
        The mean loss per character, at least 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the loss is negative or NaN.

    Examples
    --------
    >>> import math
    >>> from nnlib.metrics import bits_per_character
    >>> bits_per_character(math.log(2))
    1.0
    """
    _check_entropy("bits_per_character", nats)
    return nats / math.log(2)


def accuracy_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Between which accuracies the true one lies, after ``correct`` of ``n`` independent test examples: Wilson's interval.

    It holds for this model and all examples like these; it says nothing about other seeds.

    Parameters
    ----------
    correct, n : int
        0 ≤ correct ≤ n, and n ≥ 1.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Examples
    --------
    >>> from nnlib.metrics import accuracy_interval
    >>> low, high = accuracy_interval(585, 597)
    >>> round(low, 3), round(high, 3)
    (0.965, 0.988)
    """
    whole = all(isinstance(count, (int, np.integer)) for count in (correct, n))
    if not whole or not 0 <= correct <= n or n < 1:
        raise ValueError(f"accuracy_interval expects whole numbers 0 ≤ correct ≤ n, n ≥ 1, got correct={correct!r}, n={n!r}")
    _check_confidence("accuracy_interval", confidence)
    from scipy.stats import binomtest

    low, high = binomtest(int(correct), int(n)).proportion_ci(confidence, method="wilson")
    return float(low), float(high)


class Difference(NamedTuple):
    """A mean difference d̄, its standard error, and the interval d̄ ± t · (standard error) from ``low`` to ``high``.

    >>> from nnlib.metrics import paired_difference
    >>> paired_difference([0.97, 0.98, 0.97], [0.95, 0.96, 0.95]).mean.round(4)
    np.float64(0.02)
    """

    mean: float
    standard_error: float
    low: float
    high: float


def paired_difference(a: np.ndarray, b: np.ndarray, confidence: float = 0.95) -> Difference:
    """By how much a is above b, when both were run with the same seeds: the mean of dᵢ = aᵢ − bᵢ with Student's interval.

    What a seed does to both falls out of the difference, so fewer seeds are enough. The interval assumes that the dᵢ are independent and
    about normal.

    Parameters
    ----------
    a, b : ndarray, shape (seeds,)
        Result i of both belongs to seed i; at least two.
    confidence : float
        In (0, 1): if the experiment were repeated, such a share of the intervals would hold the true mean.

    Returns
    -------
    Difference

    Raises
    ------
    ValueError
        If the shapes differ, there are fewer than two pairs, a result is not finite, or ``confidence`` is out of range.

    References
    ----------
    Student (1908), The probable error of a mean.

    Examples
    --------
    >>> from nnlib.metrics import paired_difference
    >>> d = paired_difference([0.97, 0.99, 0.98], [0.95, 0.96, 0.97])
    >>> [round(float(value), 4) for value in d]
    [0.02, 0.0058, -0.0048, 0.0448]
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise ValueError(f"paired_difference expects two rows of equally many results, at least two, got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError(f"paired_difference expects finite results, got {np.count_nonzero(~np.isfinite([a, b]))} NaN or infinite")
    _check_confidence("paired_difference", confidence)
    from scipy.stats import t

    d, n = a - b, len(a)
    mean, standard_error = d.mean(), d.std(ddof=1) / math.sqrt(n)
    half = t.ppf((1 + confidence) / 2, n - 1) * standard_error
    return Difference(mean, standard_error, mean - half, mean + half)


def crossed_difference(a: np.ndarray, b: np.ndarray, confidence: float = 0.95) -> Difference:
    """By how much a is above b, for other seeds **and** other test examples: seeds and parts of the test set are crossed.

    d_st = a_st − b_st = Δ + (seed s) + (part t) + (rest), so the mean of S × T differences has the variance σ_S²/S + σ_T²/T + σ_R²/(ST).
    (Variance of the means of the seeds)/S + (variance of the means of the parts)/T − (variance of the rest)/(ST) estimates it without bias:
    the rest is in both of the first two, so it is taken away once. But this can fall below each of the two, even below 0; so the larger of
    them is a floor. The floor, and min(S, T) − 1 degrees of freedom for Student's t, are choices on the safe side: there is no exact interval.

    Parameters
    ----------
    a, b : ndarray, shape (seeds, parts)
        A score on each part of the test set, with each seed; at least two of both. Parts must be of about one size, and independent:
        take blocks where neighbours are related (all images of one writer, all days of one season).
    confidence : float
        In (0, 1).

    Returns
    -------
    Difference

    Raises
    ------
    ValueError
        If the shapes differ, there are fewer than two seeds or parts, a result is not finite, or ``confidence`` is out of range.

    Examples
    --------
    All seeds agree that a is better by 1 on the first part of the test set, and by 3 on the second. Two parts say little:

    >>> import numpy as np
    >>> from nnlib.metrics import crossed_difference
    >>> d = crossed_difference(np.array([[1.0, 3.0], [1.0, 3.0], [1.0, 3.0]]), np.zeros((3, 2)))
    >>> [round(float(value), 1) for value in d]
    [2.0, 1.0, -10.7, 14.7]
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim != 2 or a.shape != b.shape or min(a.shape) < 2:
        raise ValueError(f"crossed_difference expects two tables of seeds × parts, at least two of both, got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError(f"crossed_difference expects finite results, got {np.count_nonzero(~np.isfinite([a, b]))} NaN or infinite")
    _check_confidence("crossed_difference", confidence)
    from scipy.stats import t

    d = a - b
    n_seeds, n_parts = d.shape
    by_seed, by_part = d.mean(axis=1), d.mean(axis=0)
    rest = d - by_seed[:, None] - by_part + d.mean()
    of_rest = (rest**2).sum() / ((n_seeds - 1) * (n_parts - 1))
    of_seeds, of_parts = by_seed.var(ddof=1) / n_seeds, by_part.var(ddof=1) / n_parts
    standard_error = math.sqrt(max(of_seeds + of_parts - of_rest / d.size, of_seeds, of_parts))
    half = t.ppf((1 + confidence) / 2, min(n_seeds, n_parts) - 1) * standard_error
    return Difference(d.mean(), standard_error, d.mean() - half, d.mean() + half)


def _predicted(name: str, logits, labels) -> tuple[np.ndarray, np.ndarray, int]:
    """The predicted and the right classes, and how many there are."""
    logits, labels = np.asarray(logits), np.asarray(labels)
    if logits.ndim != 2 or logits.size == 0 or labels.shape not in [(len(logits),), (len(logits), 1)]:
        raise ValueError(f"{name} expects logits (batch, classes) and labels (batch,) with batch ≥ 1, got {logits.shape} and {labels.shape}")
    if np.isnan(logits).any():
        raise ValueError(f"{name} expects logits that can be compared, got {np.count_nonzero(np.isnan(logits))} NaN")
    classes = max(logits.shape[1], 2)
    if not np.isin(labels, np.arange(classes)).all():
        raise ValueError(f"{name} expects whole labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    predicted = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)
    return predicted.astype(int), labels.reshape(-1).astype(int), classes


def _checked_binary(name: str, scores, labels) -> tuple[np.ndarray, np.ndarray]:
    scores, labels = np.asarray(scores), np.asarray(labels)
    shapes = [(scores.size,), (scores.size, 1)]
    if scores.size == 0 or scores.shape not in shapes or labels.shape not in shapes:
        raise ValueError(f"{name} expects scores and labels of shape (batch,) or (batch, 1) with batch ≥ 1, got {scores.shape} and {labels.shape}")
    if not np.isfinite(scores).all():
        raise ValueError(f"{name} expects finite scores, got {np.count_nonzero(~np.isfinite(scores))} NaN or infinite")
    if not np.isin(labels, [0, 1]).all():
        raise ValueError(f"{name} expects labels 0 and 1, got {np.unique(labels[~np.isin(labels, [0, 1])])[:3].tolist()}")
    return scores.reshape(-1), labels.reshape(-1).astype(int)


def _binary(name: str, scores, labels) -> tuple[np.ndarray, np.ndarray]:
    scores, labels = _checked_binary(name, scores, labels)
    if labels.min() == labels.max():
        raise ValueError(f"{name} expects examples of both classes, got {len(labels)} of class {labels[0]} alone")
    return scores, labels


def _check_entropy(name: str, nats: float) -> None:
    if not nats >= 0:
        raise ValueError(f"{name} expects a mean loss in nats ≥ 0, got {nats}")


def _check_confidence(name: str, confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"{name} expects a confidence in (0, 1), got {confidence}")
