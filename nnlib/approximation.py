"""Approximation: networks that are built by hand, fitted by least squares, and counted.

Chapter 2 builds a network for a given function in three ways: from bumps, from the corners of a polygon, and by solving for the last layer of
a random one. `linear_regions` counts the flat pieces of any ReLU network exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nnlib.activations import ReLU
from nnlib.layers import Sequential
from nnlib.mlp import MLP, Dense

__all__ = ["Region", "bumps", "interpolant", "least_squares", "linear_regions", "sawtooth"]


def bumps(f: Callable[[np.ndarray], np.ndarray], n: int, *, low: float, high: float, steepness: float) -> MLP:
    """One hidden layer of 2n sigmoids that add up to n bumps: F(x) = Σ_i f(m_i) [σ(s (x − l_i)) − σ(s (x − r_i))].

    Bump i stands on the i-th of n equal parts [l_i, r_i] of the interval, as high as f is in its middle m_i. The first and the last reach
    one part beyond the interval, or its ends would lie on an edge, where a bump has only half of its height. (Cybenko, 1989, proves
    that sums of sigmoids reach every continuous f; bumps are a way to see it.)

    Parameters
    ----------
    f : callable
        The target, from an array to an array of its shape.
    n : int
        Number of bumps.
    low, high : float
        The interval.
    steepness : float
        s times the width of a bump: 4 is soft, 100 nearly a box.

    Returns
    -------
    MLP
        Of sizes 1-2n-1.

    Raises
    ------
    ValueError
        If a number is out of range, or f is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.approximation import bumps
    >>> F = bumps(np.square, 100, low=0, high=1, steepness=100)
    >>> x = np.linspace(0, 1, 500)[:, None]
    >>> bool(np.abs(F(x) - x**2).max() < 0.02)
    True
    """
    low, high = _interval(low, high)
    if not (isinstance(n, (int, np.integer)) and n >= 1):
        raise ValueError(f"bumps needs a whole number n ≥ 1 of bumps, got {n!r}")
    if not (np.isfinite(steepness) and steepness > 0):
        raise ValueError(f"steepness must be a finite number > 0, got {steepness}")
    edges = np.linspace(low, high, n + 1)
    heights = _values(f, (edges[:-1] + edges[1:]) / 2)
    part = (high - low) / n
    s = steepness / part
    left, right = edges[:-1].copy(), edges[1:].copy()
    left[0] -= part
    right[-1] += part
    model = MLP([1, 2 * n, 1], "sigmoid", seed=0)
    hidden, output = model.layers[0], model.layers[2]
    hidden.W = np.full((2 * n, 1), s)
    hidden.b = -s * np.concatenate([left, right])
    output.W = np.concatenate([heights, -heights])[None]
    return model


def interpolant(f: Callable[[np.ndarray], np.ndarray], n: int, *, low: float, high: float) -> MLP:
    """One hidden layer of n ReLUs that meets f at n + 1 equally spaced points: F(x) = f(x_0) + Σ_i c_i ReLU(x − x_i).

    c_i is the change of slope at x_i. Between the points F is straight, so its error is at most max |f″| h²/8, with h the distance of the
    points.

    Parameters
    ----------
    f : callable
        The target, from an array to an array of its shape.
    n : int
        Number of neurons, and of straight pieces.
    low, high : float
        The interval.

    Returns
    -------
    MLP
        Of sizes 1-n-1.

    Raises
    ------
    ValueError
        If a number is out of range, or f is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.approximation import interpolant
    >>> F = interpolant(np.square, 10, low=0, high=1)
    >>> x = np.linspace(0, 1, 1001)[:, None]
    >>> print(f"{np.abs(F(x) - x**2).max():.4f} ≤ {2 * 0.1**2 / 8:.4f}")
    0.0025 ≤ 0.0025
    """
    low, high = _interval(low, high)
    if not (isinstance(n, (int, np.integer)) and n >= 1):
        raise ValueError(f"interpolant needs a whole number n ≥ 1 of neurons, got {n!r}")
    x = np.linspace(low, high, n + 1)
    y = _values(f, x)
    slopes = np.diff(y) / np.diff(x)
    model = MLP([1, n, 1], "relu", seed=0)
    hidden, output = model.layers[0], model.layers[2]
    hidden.W = np.ones((n, 1))
    hidden.b = -x[:-1]
    output.W = np.diff(slopes, prepend=0)[None]
    output.b = y[:1]
    return model


def sawtooth(depth: int) -> MLP:
    """Telgarsky's sawtooth: 2^depth straight pieces on [0, 1] from 2 · depth ReLUs.

    Each pair of neurons computes the tent t(a) = 2 ReLU(a) − 4 ReLU(a − ½), which folds [0, 1] in two; F = t ∘ … ∘ t.

    Parameters
    ----------
    depth : int
        Number of hidden layers, of two neurons each.

    Returns
    -------
    MLP
        Of sizes 1-2-…-2-1.

    Raises
    ------
    ValueError
        If the depth is not a whole number ≥ 1.

    References
    ----------
    Telgarsky (2016), Benefits of depth in neural networks.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.approximation import sawtooth
    >>> sawtooth(2)(np.array([[0.0], [0.25], [0.5], [0.75], [1.0]])).ravel()
    array([0., 1., 0., 1., 0.])
    """
    if not (isinstance(depth, (int, np.integer)) and depth >= 1):
        raise ValueError(f"sawtooth needs a whole number ≥ 1 of layers, got {depth!r}")
    model = MLP([1, *[2] * depth, 1], "relu", seed=0)
    tent = np.array([[2.0, -4.0]])
    for layer in model.layers[::2]:
        layer.W = np.ones_like(layer.W) if layer is model.layers[0] else np.tile(tent, (len(layer.b), 1))
        layer.b = [0.0, -0.5] if len(layer.b) == 2 else [0.0]
    return model


def least_squares(model: Sequential, x: np.ndarray, target: np.ndarray) -> None:
    """Solve for the last layer, with all others as they are: min over W and b of Σ ‖W a + b − y‖², of smallest norm where many reach it.

    Parameters
    ----------
    model : MLP
        Its hidden layers stay: a random model becomes a fit by *random features*.
    x : ndarray, shape (examples, n)
    target : ndarray, shape (examples, m)

    References
    ----------
    Rahimi and Recht (2008), Weighted sums of random kitchen sinks.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.approximation import least_squares
    >>> from nnlib.mlp import MLP
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> model = MLP([1, 40, 1], "tanh", seed=0)
    >>> least_squares(model, x, np.sin(3 * x))
    >>> bool(np.abs(model(x) - np.sin(3 * x)).max() < 1e-3)
    True
    """
    a = x
    for layer in model.layers[:-1]:
        a = layer(a)
    last = model.layers[-1]
    solution = np.linalg.lstsq(np.column_stack([a, np.ones(len(a))]), target, rcond=None)[0]
    last.W, last.b = solution[:-1].T, solution[-1]


class Region(NamedTuple):
    """A convex piece of the input on which a ReLU network is affine: F(x) = W x + b there.

    >>> from nnlib.approximation import linear_regions, sawtooth
    >>> [(region.corners.ravel().tolist(), region.W.item()) for region in linear_regions(sawtooth(1), low=0, high=1)]
    [([0.5, 1.0], -2.0), ([0.0, 0.5], 2.0)]
    """

    corners: np.ndarray
    W: np.ndarray
    b: np.ndarray


def linear_regions(model: MLP, *, low: float, high: float) -> list[Region]:
    """The pieces of a ReLU network on [low, high] or [low, high]², one for each pattern of neurons that are on, counted exactly.

    Each neuron of the first layer cuts the box along a line; within each piece each neuron of the next layer is again affine in x and
    cuts the piece along a line, and so on.

    Parameters
    ----------
    model : MLP
        With ReLU, and one or two inputs.
    low, high : float
        The box.

    Returns
    -------
    list of Region
        Each with its corners (2, 1) or (k, 2), in order around it. Together they fill the box.

    Raises
    ------
    ValueError
        If the model has other activations, or more than two inputs.

    References
    ----------
    Montúfar, Pascanu, Cho and Bengio (2014), On the number of linear regions of deep neural networks.

    Examples
    --------
    >>> from nnlib.approximation import linear_regions, sawtooth
    >>> [len(linear_regions(sawtooth(depth), low=0, high=1)) for depth in (1, 2, 3)]
    [2, 4, 8]
    """
    low, high = _interval(low, high)
    n_in = model.layers[0].W.shape[1]
    if n_in > 2 or not all(isinstance(f, ReLU) for f in model.layers[1::2]):
        raise ValueError(f"linear_regions counts for ReLU networks with one or two inputs, got {model!r}")
    box = np.array([[low], [high]]) if n_in == 1 else np.array([[low, low], [high, low], [high, high], [low, high]])
    regions = [Region(box, np.eye(n_in), np.zeros(n_in))]
    for layer in model.layers:
        if isinstance(layer, Dense):
            regions = [Region(corners, layer.W @ W, layer.W @ b + layer.b) for corners, W, b in regions]
        else:
            regions = [piece for region in regions for piece in _folded(region)]
    return regions


def _folded(region: Region) -> list[Region]:
    """Cut a region where one of its outputs is 0, and set the negative outputs of each piece to 0."""
    pieces = [region.corners]
    for w, b in zip(region.W, region.b, strict=True):
        pieces = [part for corners in pieces for part in _cut(corners, corners @ w + b)]
    folded = []
    for corners in pieces:
        on = corners.mean(axis=0) @ region.W.T + region.b > 0
        folded.append(Region(corners, region.W * on[:, None], region.b * on))
    return folded


def _cut(corners: np.ndarray, z: np.ndarray) -> list[np.ndarray]:
    """The two parts of a convex piece where z, affine and known at the corners, is positive and negative; one, if it is nowhere 0 inside."""
    z = np.where(np.abs(z) <= 1e-12 * np.abs(z).max(initial=0), 0, z)  # a corner that should lie on the line does
    if z.min() >= 0 or z.max() <= 0:
        return [corners]
    edges = range(len(corners)) if len(corners) > 2 else [0]  # a segment has one edge
    positive, negative = [], []
    for i in range(len(corners)):
        j = (i + 1) % len(corners)
        if z[i] >= 0:
            positive.append(corners[i])
        if z[i] <= 0:
            negative.append(corners[i])
        if i in edges and z[i] * z[j] < 0:
            crossing = corners[i] + z[i] / (z[i] - z[j]) * (corners[j] - corners[i])
            positive.append(crossing)
            negative.append(crossing)
    return [np.array(positive), np.array(negative)]


def _interval(low: float, high: float) -> tuple[float, float]:
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"an interval needs finite low < high, got low={low}, high={high}")
    return float(low), float(high)


def _values(f, x: np.ndarray) -> np.ndarray:
    y = np.asarray(f(x), dtype=float)
    if y.shape != x.shape or not np.isfinite(y).all():
        raise ValueError(f"f must give a finite value for each of {len(x)} points, got {y!r}")
    return y
