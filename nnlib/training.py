"""Training: mini-batches, a record of what happened, and an honest end when it diverges."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nnlib.backprop import Loss, value_and_grad
from nnlib.layers import Layer
from nnlib.optimizers import Optimizer

__all__ = ["History", "fit"]

Metric = Callable[[np.ndarray, np.ndarray], float]


@dataclass
class History:
    """What happened, one entry per epoch.

    Attributes
    ----------
    train_loss : list of float
        Mean over the examples of the epoch, each measured before the step of its batch.
    validation_loss, validation_metric : list of float
        After the epoch; empty when there was no validation set, or no metric.
    diverged_at : int or None
        The step (from 1) at which the loss or the parameters were no longer finite. That epoch has no entry.

    Examples
    --------
    >>> from nnlib.training import History
    >>> history = History(train_loss=[0.7, 0.4, 0.2])
    >>> len(history.train_loss), history.diverged_at
    (3, None)
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_metric: list[float] = field(default_factory=list)
    diverged_at: int | None = None


def fit(
    model: Layer,
    loss: Loss,
    train: tuple[np.ndarray, np.ndarray],
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int,
    seed: int | np.random.Generator,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    metric: Metric | None = None,
    on_epoch: Callable[[int, Layer], None] | None = None,
    progress: bool = False,
) -> History:
    """Train a model in place by mini-batches, in a new random order each epoch.

    Parameters
    ----------
    model : Layer
    loss : callable
        From `nnlib.losses`.
    train, validation : pair of ndarray
        Inputs and targets, the first axis being the examples.
    optimizer : Optimizer
    epochs : int
        How often each example is seen.
    batch_size : int
        Examples per step; the last batch of an epoch holds what is left.
    seed : int or numpy.random.Generator
        Orders the batches.
    metric : callable, optional
        For example `nnlib.metrics.accuracy`, measured on the validation set after each epoch.
    on_epoch : callable, optional
        ``on_epoch(epoch, model)`` after each epoch, from 1.
    progress : bool
        Show a bar, with the validation loss, else the training loss.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If the inputs are empty, not finite, or not as many as the targets, if a number is out of range, or if the model or the
        loss refuses the data. Nothing has changed then.

    Warns
    -----
    RuntimeWarning
        If the loss or a parameter stops being finite. Training ends there, and the parameters with the best loss so far are put
        back: those after the epoch of the lowest validation loss, else those before the epoch of the lowest training loss.

    Examples
    --------
    >>> from nnlib import datasets
    >>> from nnlib.losses import binary_cross_entropy
    >>> from nnlib.metrics import accuracy
    >>> from nnlib.mlp import MLP
    >>> from nnlib.optimizers import Adam
    >>> from nnlib.training import fit
    >>> x, y = datasets.moons(200, noise=0.1, seed=0)
    >>> model = MLP([2, 16, 1], "tanh", seed=0)
    >>> history = fit(model, binary_cross_entropy, (x, y[:, None]), Adam(0.05), epochs=30, batch_size=20, seed=0)
    >>> accuracy(model(x), y) > 0.95
    True
    """
    x, y = _checked("train", train)
    if validation is not None:
        validation = _checked("validation", validation)
    elif metric is not None:
        raise ValueError("a metric is measured on the validation set, got metric without validation")
    _check_count("epochs", epochs)
    _check_count("batch_size", batch_size)
    if seed is None:
        raise ValueError("fit needs a seed or a numpy.random.Generator: without one, no run could be repeated")
    for inputs, targets in filter(None, [(x, y), validation]):  # a wrong label is refused now, not when its batch comes
        prediction = model(inputs[:1])
        loss(np.zeros((len(targets), *prediction.shape[1:]), prediction.dtype), targets)
    rng = np.random.default_rng(seed)
    history = History()
    best_loss, best_epoch, best = math.inf, 0, model.state()
    bar = _epochs(epochs, progress)
    for epoch in bar:
        start = model.state()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a run that diverges is reported once, below
            mean_loss, steps = _one_epoch(model, loss, x, y, optimizer, batch_size, rng)
            judged = mean_loss
            if validation is not None and math.isfinite(mean_loss):
                prediction = model(validation[0])
                judged = loss(prediction, validation[1])[0]
        if not math.isfinite(judged):
            history.diverged_at = (epoch - 1) * math.ceil(len(x) / batch_size) + steps
            model.restore(best)
            warnings.warn(
                f"training diverged at step {history.diverged_at} (epoch {epoch}): loss or parameters are not finite; "
                f"the parameters after epoch {best_epoch}, the best so far, are put back",
                RuntimeWarning,
                stacklevel=2,
            )
            return history
        history.train_loss.append(mean_loss)
        if progress:
            bar.set_postfix(loss=f"{judged:.3g}")
        if validation is not None:
            history.validation_loss.append(judged)
            if metric is not None:
                history.validation_metric.append(metric(prediction, validation[1]))
        if judged < best_loss:
            # A validation loss is that of the parameters as they are now; a training loss was measured on the way from the start.
            now = validation is not None
            best_loss, best_epoch, best = judged, epoch if now else epoch - 1, model.state() if now else start
        if on_epoch is not None:
            on_epoch(epoch, model)
    return history


def _one_epoch(model, loss, x, y, optimizer, batch_size, rng) -> tuple[float, int]:
    """Mean loss over the epoch and the number of steps taken; the loss is NaN if it ended in numbers that are not finite."""
    order = rng.permutation(len(x))
    total = 0.0
    for step, start in enumerate(range(0, len(x), batch_size), start=1):
        batch = order[start : start + batch_size]
        value, grad = value_and_grad(model, loss, x[batch], y[batch])
        total += value * len(batch)
        optimizer.step(model.theta, grad)
        if not (math.isfinite(value) and np.isfinite(model.theta).all()):
            return math.nan, step
    return total / len(x), step


def _epochs(epochs: int, progress: bool):
    if not progress:
        return range(1, epochs + 1)
    from tqdm.auto import trange

    return trange(1, epochs + 1, desc="epochs")


def _checked(name: str, pair) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(pair[0]), np.asarray(pair[1])
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"{name} needs as many targets as inputs, and at least one, got {len(x)} inputs and {len(y)} targets")
    for what, values in (("inputs", x), ("targets", y)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} {what} hold {np.count_nonzero(~np.isfinite(values))} NaN or infinite values")
    return x, y


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")
