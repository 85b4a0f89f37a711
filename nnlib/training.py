"""Training: mini-batches, a record of what happened, a run that can be taken up again, and an honest end when it diverges."""

from __future__ import annotations

import copy
import math
import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnlib import checkpoints, optimizers
from nnlib.backprop import Loss, value_and_grad
from nnlib.layers import Layer
from nnlib.optimizers import Optimizer
from nnlib.schedules import Schedule

__all__ = ["History", "RangeTest", "fit", "learning_rate_range"]

Data = tuple[np.ndarray, np.ndarray]
Metric = Callable[[np.ndarray, np.ndarray], float]
Penalty = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass
class History:
    """What happened, one entry per epoch.

    It is saved by ``checkpoints.save(path, vars(history))``, and is again ``History(**checkpoints.load(path))``.

    Attributes
    ----------
    train_loss : list of float
        Mean over the examples of the epoch, each measured before the step of its batch; without the penalty.
    validation_loss, validation_metric : list of float
        After the epoch; empty when there was no validation set, or no metric.
    learning_rate : list of float
        That of the last step of the epoch.
    gradient_norm : list of float
        ‖∂L/∂θ‖ before it was clipped, mean over the steps of the epoch; empty when nothing is clipped by norm.
    best_epoch : int
        After this epoch (0: before the first) the model was best: by the validation loss, without one by the training loss.
    stopped : str or None
        ``"patience"`` or ``"on_epoch"``, if one of these ended the run.
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
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    best_epoch: int = 0
    stopped: str | None = None
    diverged_at: int | None = None


def fit(
    model: Layer,
    loss: Loss,
    train: Data,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int,
    seed: int | np.random.Generator,
    validation: Data | None = None,
    metric: Metric | None = None,
    patience: int | None = None,
    schedule: Schedule | None = None,
    penalty: Penalty | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    on_epoch: Callable[[int, Layer], bool | None] | None = None,
    checkpoint: str | os.PathLike | None = None,
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
    patience : int, optional
        Early stopping (Prechelt, 1998): end when for so many epochs in a row the validation loss had no new minimum. The model and
        the optimizer end as they were at the minimum, also if the last epoch came first.
    schedule : callable, optional
        From `nnlib.schedules`: ``schedule(t, total, losses)`` times the optimizer's learning rate is that of step t = 0, 1, ….
        Afterwards the optimizer has its own again.
    penalty : callable, optional
        From `nnlib.regularizers`: ``penalty(theta)`` is the value and the gradient of what is added to the loss.
    clip_norm, clip_value : float, optional
        Limits for the gradient (with the penalty's); see `nnlib.optimizers`. By norm comes first.
    on_epoch : callable, optional
        ``on_epoch(epoch, model)`` after each epoch, from 1. If it returns True, the run ends.
    checkpoint : str or path, optional
        A file that holds the run after each epoch. If it is there, the run goes on from it, and ends as one that was never
        interrupted, bit for bit. The arguments must be those of the first call, but ``epochs`` may be another number.
    progress : bool
        Show a bar, with the validation loss, else the training loss.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If the inputs are empty, not finite, or not as many as the targets, if a number is out of range, if the model or the
        loss refuses the data, or if the checkpoint is that of another call. Nothing has changed then. Also, in the midst of
        a run, if the schedule gives a factor that is negative or not finite.

    Warns
    -----
    RuntimeWarning
        If the loss or a parameter stops being finite. Training ends there, and the model and the optimizer with the best loss so
        far are put back: those after the epoch of the lowest validation loss, else those before the epoch of the lowest
        training loss.

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
    _check_counts(epochs=epochs, batch_size=batch_size, patience=1 if patience is None else patience)
    _check_wishes(validation, metric, patience, checkpoint, {"clip_norm": clip_norm, "clip_value": clip_value})
    rng = _generator("fit", seed)
    train = _checked("train", train, model, loss)
    if validation is not None:
        validation = _checked("validation", validation, model, loss)
    if penalty is not None:
        _check_penalty(penalty, model)
    given = (model, loss, optimizer, train, batch_size, epochs, rng)
    run = _Run(*given, validation, metric, patience, schedule, penalty, clip_norm, clip_value, checkpoint)
    if checkpoint is not None and Path(checkpoint).exists():
        run.take_up(checkpoint)
    run.go(on_epoch, progress)
    if run.history.diverged_at is not None:
        warnings.warn(
            f"training diverged at step {run.history.diverged_at} (epoch {len(run.history.train_loss) + 1}): loss or parameters are "
            f"not finite; the parameters after epoch {run.history.best_epoch}, the best so far, are put back",
            RuntimeWarning,
            stacklevel=2,
        )
    return run.history


@dataclass
class _Run:
    """A call of `fit`: what it was given, and what changes from epoch to epoch."""

    model: Layer
    loss: Loss
    optimizer: Optimizer
    train: Data
    batch_size: int
    epochs: int
    rng: np.random.Generator
    validation: Data | None
    metric: Metric | None
    patience: int | None
    schedule: Schedule | None
    penalty: Penalty | None
    clip_norm: float | None
    clip_value: float | None
    checkpoint: str | os.PathLike | None
    history: History = field(default_factory=History)
    best_loss: float = math.inf

    def __post_init__(self):
        self.own_rate = self.optimizer.learning_rate
        self.best = self.now()
        self.steps = math.ceil(len(self.train[0]) / self.batch_size)
        self.call = {} if self.checkpoint is None else self._call()

    def now(self) -> dict[str, Any]:
        return {"model": self.model.state(), "optimizer": self.optimizer.state()}

    def put_back(self, state: dict[str, Any]) -> None:
        self.optimizer.restore(state["optimizer"])
        self.model.restore(state["model"])

    def go(self, on_epoch, progress: bool) -> None:
        history, first = self.history, len(self.history.train_loss) + 1
        bar = _epochs(first, first - 1 if history.stopped else self.epochs, progress)
        try:
            for epoch in bar:
                self.one_epoch(epoch)
                if history.diverged_at is not None:
                    break
                if progress:
                    bar.set_postfix(loss=f"{self.losses[-1]:.3g}")
                if on_epoch is not None and on_epoch(epoch, self.model):
                    history.stopped = history.stopped or "on_epoch"
                if self.checkpoint is not None:
                    checkpoints.save(self.checkpoint, self.state())
                if history.stopped:
                    break
            if history.diverged_at is not None or self.patience is not None:
                self.put_back(self.best)
        finally:
            if self.schedule is not None:
                self.optimizer.learning_rate = self.own_rate

    def one_epoch(self, epoch: int) -> None:
        """Take the steps of one epoch, judge the model, and write down what happened, if all numbers are finite."""
        history, done = self.history, (epoch - 1) * self.steps
        start = self.now() if self.validation is None else None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a run that diverges is reported once, by fit
            mean_loss, mean_norm, taken = self._walk(done)
            measured = {"train_loss": mean_loss}
            if self.validation is not None and math.isfinite(mean_loss):
                x, y = self.validation
                prediction = self.model(x)
                measured["validation_loss"] = float(self.loss(prediction, y)[0])
        if not all(map(math.isfinite, measured.values())):
            history.diverged_at = done + taken
            return
        if self.metric is not None:
            measured["validation_metric"] = float(self.metric(prediction, y))
        if self.clip_norm is not None:
            measured["gradient_norm"] = mean_norm
        measured["learning_rate"] = self.optimizer.learning_rate
        for name, value in measured.items():
            getattr(history, name).append(value)
        self._remember(epoch, start)

    def _walk(self, done: int) -> tuple[float, float, int]:
        """Mean loss and gradient norm over an epoch, and the steps taken; the loss is NaN if it ended in numbers that are not finite."""
        (x, y), total, norms, step = self.train, 0.0, 0.0, 0
        for step, batch in enumerate(_batches(self.rng, len(x), self.batch_size), start=1):
            self._set_rate(done + step - 1)
            value, norm = _step(self.model, self.loss, x[batch], y[batch], self.optimizer, self.penalty, self.clip_norm, self.clip_value)
            if not math.isfinite(value):
                return math.nan, math.nan, step
            total += value * len(batch)
            norms += norm
        return total / len(x), norms / step, step

    def _set_rate(self, t: int) -> None:
        if self.schedule is None:
            return
        total = self.epochs * self.steps
        factor = self.schedule(t, total, self.losses)
        if not 0 <= factor < math.inf:
            raise ValueError(f"a schedule gives finite factors ≥ 0, got {factor} at step {t} of {total}")
        self.optimizer.learning_rate = self.own_rate * factor

    @property
    def losses(self) -> list[float]:
        """After each epoch, that by which the model is judged."""
        return self.history.train_loss if self.validation is None else self.history.validation_loss

    def _remember(self, epoch: int, start: dict[str, Any] | None) -> None:
        """Keep the best state: as it is now, by a validation loss; from the start of the epoch, where the training loss was measured."""
        if self.losses[-1] < self.best_loss:
            self.best_loss = self.losses[-1]
            self.best, self.history.best_epoch = (self.now(), epoch) if start is None else (start, epoch - 1)
        elif self.patience is not None and epoch - self.history.best_epoch >= self.patience:
            self.history.stopped = "patience"

    # --- checkpoints: all that changes, and the call that it belongs to ---------------------------------------------------

    def state(self) -> dict[str, Any]:
        changing = {"history": vars(self.history), "best_loss": self.best_loss, "best": self.best}
        return {"call": self.call, "order": self.rng.bit_generator.state, "now": self.now(), **changing}

    def take_up(self, path: str | os.PathLike) -> None:
        """Go on from a checkpoint, if it is that of the same call."""
        state = checkpoints.load(path)
        if state.get("call", {}).keys() != self.call.keys():
            raise ValueError(f"{path} is no checkpoint of fit")
        for name, value in self.call.items():
            if state["call"][name] != value:
                raise ValueError(f"{path} is the checkpoint of another call of fit: {name} was {state['call'][name]}, is now {value}")
        self.put_back(state["now"])
        self.rng.bit_generator.state = state["order"]
        self.history, self.best_loss, self.best = History(**state["history"]), state["best_loss"], state["best"]

    def _call(self) -> dict[str, str]:
        """All that has to be the same in a call that goes on: large things by a check sum, functions by name."""
        shapes = {name: value.shape for name, value in self.model.state().items() if isinstance(value, np.ndarray)}
        settings = {name: value for name, value in vars(self.optimizer).items() if name not in ("learning_rate", "t", "_vectors")}
        return {
            "model": f"{self.model!r} with {self.model.theta.dtype} {shapes}",
            "optimizer": f"{type(self.optimizer).__name__} at rate {self.own_rate} with {_described(settings)}",
            "order of the batches": _described(self.rng.bit_generator.state),
            **{name: str(getattr(self, name)) for name in ("batch_size", "patience", "clip_norm", "clip_value")},
            **{name: _described(getattr(self, name)) for name in ("train", "validation", "loss", "metric", "schedule", "penalty")},
        }


def _described(value: Any) -> str:
    """A text that is the same in another process, and different for another value."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} with check sum {zlib.crc32(np.ascontiguousarray(value).tobytes())}"
    if isinstance(value, dict):
        return ", ".join(f"{name}={_described(item)}" for name, item in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_described, value))
    return getattr(value, "__qualname__", type(value).__name__) if callable(value) else repr(value)


def _step(model, loss, x, y, optimizer, penalty=None, clip_norm=None, clip_value=None) -> tuple[float, float]:
    """One step: the loss before it, which is NaN if any number is not finite, and the norm of the gradient if it is to be clipped."""
    value, g = value_and_grad(model, loss, x, y)
    added, norm = 0.0, 0.0
    if penalty is not None:
        added, slope = penalty(model.theta)
        g += slope
    if clip_norm is not None:
        norm = optimizers.clip_norm(g, clip_norm)
    if clip_value is not None:
        optimizers.clip_value(g, clip_value)
    optimizer.step(model.theta, g)
    return float(value) if math.isfinite(value + added) and _all_finite(model.theta) else math.nan, norm


def _all_finite(theta: np.ndarray) -> bool:
    # θ · θ is finite only if all of θ is, and faster than to look at each; large numbers may make it overflow.
    return math.isfinite(theta @ theta) or bool(np.isfinite(theta).all())


def _batches(rng: np.random.Generator, n: int, batch_size: int) -> Iterator[np.ndarray]:
    """Every number below n once, in random order, by the batch."""
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def _epochs(first: int, last: int, progress: bool):
    if not progress:
        return range(first, last + 1)
    from tqdm.auto import tqdm

    return tqdm(range(first, last + 1), desc="epochs")


class RangeTest(NamedTuple):
    """What `learning_rate_range` found.

    Attributes
    ----------
    rates, losses : ndarray, shape (steps,)
        The rate of each step, and the smoothed loss before it. After a divergence there are no more.
    diverged_at : float or None
        The rate at which the smoothed loss was four times its minimum, or a number not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.training import RangeTest
    >>> RangeTest(np.array([0.1, 1.0]), np.array([0.7, 0.6]), diverged_at=10.0).diverged_at
    10.0
    """

    rates: np.ndarray
    losses: np.ndarray
    diverged_at: float | None


def learning_rate_range(
    model: Layer,
    loss: Loss,
    train: Data,
    make_optimizer: Callable[[float], Optimizer],
    *,
    low: float,
    high: float,
    steps: int,
    batch_size: int,
    seed: int | np.random.Generator,
    smoothing: float = 0.9,
) -> RangeTest:
    """Which learning rates? Train a copy of the model while the rate grows from ``low`` to ``high`` by the same factor each step.

    Rates at which the loss falls fast are good; some way beyond, it rises. The loss is smoothed as Adam does it:
    s ← β s + (1 − β) L, and s / (1 − βᵗ). The test ends where that is four times its minimum.

    Parameters
    ----------
    model, loss, train, batch_size, seed
        As in `fit`. The model stays as it is.
    make_optimizer : callable
        From a rate to a new optimizer: ``Adam``, or ``lambda rate: SGD(rate, momentum=0.9)``.
    low, high : float
        0 < low < high.
    steps : int
        At least 2, one batch each.
    smoothing : float
        β in [0, 1).

    Returns
    -------
    RangeTest

    Raises
    ------
    ValueError
        If a number is outside its range, or the data are not as `fit` needs them.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks.

    Examples
    --------
    >>> from nnlib import datasets
    >>> from nnlib.losses import binary_cross_entropy
    >>> from nnlib.mlp import MLP
    >>> from nnlib.optimizers import SGD
    >>> from nnlib.training import learning_rate_range
    >>> x, y = datasets.moons(100, noise=0.1, seed=0)
    >>> model = MLP([2, 8, 1], seed=0)
    >>> test = learning_rate_range(model, binary_cross_entropy, (x, y[:, None]), SGD, low=1e-3, high=1e3, steps=60, batch_size=20, seed=0)
    >>> 1 < test.diverged_at < 1000
    True
    """
    _check_counts(steps=steps, batch_size=batch_size)
    if not (0 < low < high < math.inf and steps >= 2):
        raise ValueError(f"learning_rate_range needs rates 0 < low < high and 2 steps or more, got low={low}, high={high}, steps={steps}")
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must be in [0, 1), got {smoothing}")
    rng = _generator("learning_rate_range", seed)
    x, y = _checked("train", train, model, loss)
    model, optimizer = copy.deepcopy(model), make_optimizer(low)
    rates, smoothed = np.geomspace(low, high, steps), 0.0
    losses: list[float] = []
    for t, (rate, batch) in enumerate(zip(rates, _forever(rng, len(x), batch_size), strict=False), start=1):
        optimizer.learning_rate = float(rate)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, _ = _step(model, loss, x[batch], y[batch], optimizer)
        smoothed = smoothing * smoothed + (1 - smoothing) * value
        now = smoothed / (1 - smoothing**t)
        if not math.isfinite(now) or (losses and now > 4 * min(losses)):
            return RangeTest(rates[: t - 1], np.array(losses), float(rate))
        losses.append(now)
    return RangeTest(rates, np.array(losses), None)


def _forever(rng, n, batch_size) -> Iterator[np.ndarray]:
    while True:
        yield from _batches(rng, n, batch_size)


# --- at the door ------------------------------------------------------------------------------------------------------


def _checked(name: str, pair: Data, model: Layer, loss: Loss) -> Data:
    x, y = np.asarray(pair[0]), np.asarray(pair[1])
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"{name} needs as many targets as inputs, and at least one, got {len(x)} inputs and {len(y)} targets")
    for what, values in (("inputs", x), ("targets", y)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} {what} hold {np.count_nonzero(~np.isfinite(values))} NaN or infinite values")
    prediction = model(x[:1])                  # a wrong label is refused now, not when its batch comes
    loss(np.zeros((len(y), *prediction.shape[1:]), prediction.dtype), y)
    return x, y


def _check_wishes(validation, metric, patience, checkpoint, limits) -> None:
    if metric is not None and validation is None:
        raise ValueError("a metric is measured on the validation set, got metric without validation")
    if patience is not None and validation is None:
        raise ValueError("early stopping watches the validation loss, got patience without validation")
    for name, limit in limits.items():
        if limit is not None and not 0 < limit < math.inf:
            raise ValueError(f"{name} must be a finite number > 0, got {limit}")
    if checkpoint is not None and not Path(checkpoint).parent.is_dir():
        raise ValueError(f"there is no folder for the checkpoint {checkpoint}")


def _check_penalty(penalty: Penalty, model: Layer) -> None:
    value, slope = penalty(model.theta)
    if np.shape(value) != () or np.shape(slope) != model.theta.shape:
        raise ValueError(f"penalty(theta) is a number and a gradient of shape {model.theta.shape}, got {np.shape(value)} and {np.shape(slope)}")


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number ≥ 1, got {value!r}")


def _generator(name: str, seed: int | np.random.Generator) -> np.random.Generator:
    if seed is None:
        raise ValueError(f"{name} needs a seed or a numpy.random.Generator: without one, no run could be repeated")
    return np.random.default_rng(seed)
