"""Data: measured (digits), a benchmark (MNIST-1D), and toys for pictures. All offline, the same arrays every time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

__all__ = ["Dataset", "Split", "circles", "digits", "mnist1d", "moons", "spirals", "xor"]


class Split(NamedTuple):
    """Inputs ``x`` and targets ``y``; the first axis is the examples.

    >>> from nnlib import datasets
    >>> x, y = datasets.xor(4, noise=0.0, seed=0)
    >>> x.shape, y.shape
    ((4, 2), (4,))
    """

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """Three parts of one data set, standardized with the mean and deviation of the training part.

    Attributes
    ----------
    train, validation, test : Split
        To learn from, to choose with, and to touch once.
    mean, std : float
        What was taken off, and divided by.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.digits()
    >>> pixels = data.train.x * data.std + data.mean
    >>> pixels.min().round(9), pixels.max().round(9)
    (np.float64(0.0), np.float64(16.0))
    """

    train: Split
    validation: Split
    test: Split
    mean: float
    std: float


def digits(split: str = "block", seed: int | None = None) -> Dataset:
    """Handwritten digits: 1,797 images of 8 × 8 pixels, ten classes (Alpaydin and Kaynak, 1998).

    From scikit-learn: the test part of the UCI set "Optical recognition of handwritten digits".

    Parameters
    ----------
    split : {"block", "random"}
        ``"block"`` keeps the order of the file: 1,000 train, the next 200 validate, the last 597 test. Neighbours in the file seem to
        come from the same writers, so most test digits are by other hands than the training digits. ``"random"`` shuffles
        first (by ``seed``), which is easier.
    seed : int, optional
        For ``"random"``, and only there.

    Returns
    -------
    Dataset
        ``x`` of shape (examples, 64), rows of the image one after the other; ``y`` the digit.

    Raises
    ------
    ValueError
        If the split is unknown, or the seed missing or of no use.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.digits()
    >>> data.train.x.shape, data.validation.x.shape, data.test.x.shape
    ((1000, 64), (200, 64), (597, 64))
    """
    if split not in ("block", "random"):
        raise ValueError(f"digits are split by 'block' or 'random', got {split!r}")
    if (split == "random") != (seed is not None):
        raise ValueError(f"digits take a seed for the random split and only there, got split={split!r}, seed={seed}")
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.arange(len(x)) if seed is None else np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    return _standardized(x, y, 1000, 1200)


def mnist1d(validation: int = 500) -> Dataset:
    """MNIST-1D: 5,000 signals of 40 samples, ten classes, made from ten templates (Greydanus, 2020).

    A benchmark, not a measurement: each signal is a template shifted, scaled, sheared and noised. Linear models do badly on it, and
    convolutions well.

    Parameters
    ----------
    validation : int
        How many of the 4,000 training signals are set aside to choose with, from 0 to 3,999. The 1,000 test signals are those of the package (its seed, 42).

    Returns
    -------
    Dataset
        ``x`` of shape (examples, 40), ``y`` from 0 to 9.

    Raises
    ------
    ValueError
        If ``validation`` is out of range.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.mnist1d(validation=500)
    >>> data.train.x.shape, data.validation.x.shape, data.test.x.shape
    ((3500, 40), (500, 40), (1000, 40))
    """
    if not 0 <= validation < 4000:
        raise ValueError(f"validation must be from 0 to 3999 of the 4000 training signals, got {validation}")
    x, y = _mnist1d_arrays()
    return _standardized(x, y, 4000 - validation, 4000)


@lru_cache(maxsize=1)
def _mnist1d_arrays() -> tuple[np.ndarray, np.ndarray]:
    import random

    from mnist1d.data import get_dataset_args, make_dataset

    # The package seeds the two global generators with 42; they are given back as they were.
    before = np.random.get_state(), random.getstate()
    made = make_dataset(get_dataset_args())
    np.random.set_state(before[0])
    random.setstate(before[1])
    return np.concatenate([made["x"], made["x_test"]]), np.concatenate([made["y"], made["y_test"]])


def _standardized(x: np.ndarray, y: np.ndarray, n_train: int, n_seen: int) -> Dataset:
    mean, std = float(x[:n_train].mean()), float(x[:n_train].std())
    x, y = (x - mean) / std, y.copy()  # the caller's own: nobody else sees what is written there
    parts = slice(0, n_train), slice(n_train, n_seen), slice(n_seen, None)
    train, validation, test = (Split(x[part], y[part]) for part in parts)
    return Dataset(train, validation, test, mean, std)


def moons(n: int = 200, *, noise: float = 0.1, seed: int) -> Split:
    """Two interleaving half circles in the plane, classes 0 and 1 (scikit-learn's).

    >>> from nnlib import datasets
    >>> datasets.moons(100, noise=0.1, seed=0).x.shape
    (100, 2)
    """
    from sklearn.datasets import make_moons

    _check_toy(n, noise, seed)
    return Split(*make_moons(n, noise=noise, random_state=seed))


def circles(n: int = 200, *, noise: float = 0.05, seed: int) -> Split:
    """A small circle inside a large one, classes 1 and 0 (scikit-learn's): no straight line separates them.

    >>> from nnlib import datasets
    >>> datasets.circles(100, noise=0.05, seed=0).y.sum()
    np.int64(50)
    """
    from sklearn.datasets import make_circles

    _check_toy(n, noise, seed)
    return Split(*make_circles(n, noise=noise, factor=0.5, random_state=seed))


def spirals(n: int = 200, *, noise: float = 0.05, seed: int) -> Split:
    """Two spirals around each other, about one and a third turns, classes 0 and 1.

    >>> from nnlib import datasets
    >>> datasets.spirals(100, noise=0.0, seed=0).x.shape
    (100, 2)
    """
    _check_toy(n, noise, seed)
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 3 * np.pi * radius + np.pi * y
    x = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + noise * rng.normal(size=(n, 2))
    return Split(x, y)


def xor(n: int = 200, *, noise: float = 0.2, seed: int) -> Split:
    """Clouds around the corners of a square; class 1 where the signs of x₁ and x₂ differ.

    >>> from nnlib import datasets
    >>> x, y = datasets.xor(4, noise=0.0, seed=0)
    >>> x.tolist(), y.tolist()
    ([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    _check_toy(n, noise, seed)
    corner = np.arange(n) % 4
    x = np.column_stack([np.where(corner < 2, -1.0, 1.0), np.where(corner % 2 == 0, -1.0, 1.0)])
    y = (x[:, 0] != x[:, 1]).astype(int)
    return Split(x + noise * np.random.default_rng(seed).normal(size=(n, 2)), y)


def _check_toy(n: int, noise: float, seed: int) -> None:
    if n < 2:
        raise ValueError(f"a toy set needs at least two points, got n={n}")
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise must be a finite number ≥ 0, got {noise}")
    if seed is None:
        raise ValueError("a toy set needs a seed: without one, it could not be made again")
