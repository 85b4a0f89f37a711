"""Schedules: the learning rate as training goes on.

    factor = schedule(t, total, losses)

The rate of step t = 0, …, total − 1 is η · factor, with the optimizer's own learning rate η. ``losses`` are those after each epoch
so far (by default none); only `on_plateau` looks at them. A schedule keeps nothing from call to call, so a run that was
interrupted goes on with the same rates. `nnlib.training.fit` asks before each step, one batch being one step.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence

__all__ = ["constant", "cosine", "exponential", "on_plateau", "one_cycle", "step", "warm_up"]

Schedule = Callable[..., float]


def _schedule(name: str, factor: Callable[[int, int, Sequence[float]], float]) -> Schedule:
    def schedule(t: int, total: int, losses: Sequence[float] = ()) -> float:
        if not 0 <= t < total:
            raise ValueError(f"a schedule of {total} steps has the steps 0 to {total - 1}, got step {t}")
        return factor(t, total, losses)

    schedule.__qualname__ = name               # by which `fit` knows it again when it goes on from a checkpoint
    return schedule


def constant() -> Schedule:
    """1: the learning rate stays as it is.

    Examples
    --------
    >>> from nnlib.schedules import constant
    >>> constant()(7, 10)
    1.0
    """
    return _schedule("constant()", lambda t, total, losses: 1.0)


def step(every: int, gamma: float = 0.1) -> Schedule:
    """γ^⌊t / every⌋: a jump down every so many steps.

    Parameters
    ----------
    every : int
        Steps between two jumps.
    gamma : float
        γ > 0.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> from nnlib.schedules import step
    >>> [step(every=2, gamma=0.5)(t, 6) for t in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    _check_steps("every", every)
    _check_positive("gamma", gamma)
    return _schedule(f"step({every}, {gamma})", lambda t, total, losses: gamma ** (t // every))


def exponential(gamma: float) -> Schedule:
    """γᵗ: the same factor at each step.

    Parameters
    ----------
    gamma : float
        γ > 0, as a rule a little below 1.

    Raises
    ------
    ValueError
        If γ is not a finite number > 0.

    Examples
    --------
    >>> from nnlib.schedules import exponential
    >>> [exponential(0.5)(t, 4) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    _check_positive("gamma", gamma)
    return _schedule(f"exponential({gamma})", lambda t, total, losses: gamma**t)


def cosine(last: float = 0.0) -> Schedule:
    """last + (1 − last) (1 + cos(π t / total)) / 2: half a wave down, without restarts (Loshchilov and Hutter, 2017).

    Parameters
    ----------
    last : float
        In [0, 1]; reached at t = total, one after the last step, as in PyTorch's CosineAnnealingLR.

    Raises
    ------
    ValueError
        If ``last`` is outside its range.

    Examples
    --------
    >>> from nnlib.schedules import cosine
    >>> [round(cosine()(t, 4), 3) for t in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    _check_share("last", last)
    return _schedule(f"cosine({last})", lambda t, total, losses: _wave(1, last, t / total))


def warm_up(steps: int, then: Schedule | None = None) -> Schedule:
    """(t + 1) / steps in the first steps (Goyal et al., 2017), then another schedule for the steps that are left.

    In PyTorch this is a SequentialLR of a LinearLR that starts at 1/steps, and the other one.

    Parameters
    ----------
    steps : int
        The last of them has the whole rate. If training has fewer, it ends on the way up.
    then : Schedule, optional
        By default `constant`. It counts from 0 again, to total − steps.

    Raises
    ------
    ValueError
        If ``steps`` is not a whole number ≥ 1.

    Examples
    --------
    >>> from nnlib.schedules import exponential, warm_up
    >>> [warm_up(4, then=exponential(0.5))(t, 7) for t in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    """
    _check_steps("steps", steps)
    after = then or constant()

    def factor(t, total, losses):
        return (t + 1) / steps if t < steps else after(t - steps, total - steps, losses)

    return _schedule(f"warm_up({steps}, {getattr(after, '__qualname__', type(after).__name__)})", factor)


def one_cycle(up: float = 0.3, first: float = 1 / 25, last: float = 1 / 25e4) -> Schedule:
    """Up from ``first`` to 1 along half a wave of the cosine, then down to ``last`` (Smith and Topin, 2018).

    PyTorch's OneCycleLR, with its defaults (there ``div_factor`` is 1/first), but momentum stays as it is. The learning rate of the
    optimizer is the highest.

    Parameters
    ----------
    up : float
        The share of the steps on the way up, in [0, 1). The top is at t = up · total − 1.
    first, last : float
        In [0, 1].

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> from nnlib.schedules import one_cycle
    >>> [round(one_cycle()(t, 10), 3) for t in range(10)]
    [0.04, 0.52, 1.0, 0.95, 0.812, 0.611, 0.389, 0.188, 0.05, 0.0]
    """
    _check_share("up", up, below_one=True)
    _check_share("first", first)
    _check_share("last", last)

    def factor(t, total, losses):
        top = up * total - 1
        return _wave(first, 1, t / top) if t < top else _wave(1, last, (t - top) / (total - 1 - top))

    return _schedule(f"one_cycle({up}, {first}, {last})", factor)


def on_plateau(gamma: float = 0.1, patience: int = 10, threshold: float = 1e-4) -> Schedule:
    """γ^k, k being how often the loss had stopped to fall.

    That is counted when for more than ``patience`` epochs in a row no loss was below (1 − threshold) times the best one; then
    the epochs are counted anew. PyTorch's ReduceLROnPlateau; but its state is here a function of the losses.

    Parameters
    ----------
    gamma : float
        γ > 0.
    patience : int
        Epochs ≥ 0.
    threshold : float
        In [0, 1).

    Raises
    ------
    ValueError
        If a number is outside its range.

    Examples
    --------
    >>> from nnlib.schedules import on_plateau
    >>> schedule = on_plateau(gamma=0.5, patience=1)
    >>> losses = [3.0, 2.0, 2.0, 2.1, 2.0]
    >>> [schedule(0, 1, losses[:epochs]) for epochs in range(6)]
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    """
    _check_positive("gamma", gamma)
    _check_steps("patience", patience, least=0)
    _check_share("threshold", threshold, below_one=True)

    def factor(t, total, losses):
        best, waited, k = math.inf, 0, 0
        for loss in losses:
            better = loss < best * (1 - threshold)
            best, waited = (loss, 0) if better else (best, waited + 1)
            if waited > patience:
                waited, k = 0, k + 1
        return float(gamma) ** k

    return _schedule(f"on_plateau({gamma}, {patience}, {threshold})", factor)


def _wave(start, stop, x):
    """From ``start`` at x = 0 to ``stop`` at x = 1 along half a wave of the cosine."""
    return stop + (start - stop) * (1 + math.cos(math.pi * x)) / 2


def _check_steps(name, value, least=1):
    if not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{name} must be a whole number ≥ {least}, got {value!r}")


def _check_positive(name, value):
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number > 0, got {value}")


def _check_share(name, value, below_one=False):
    if not 0 <= value <= 1 or (below_one and value == 1):
        raise ValueError(f"{name} must be in [0, 1{')' if below_one else ']'}, got {value}")
