"""What gradient descent makes of a wave on [0, 1] that a network 1-128-1 can represent: chapter 2.

Each target is learned from 257 equally spaced points, all in every step of Adam, from four starts: as `nnlib` begins (all biases 0, so that
every knot lies at the left end of the data), with the inputs scaled to [−1, 1], with the knots spread over the data, and with both. The
error is relative to that of the best constant, on the points that were given and on a grid of 2,001.
"""

import numpy as np

from nnlib.backprop import value_and_grad
from nnlib.losses import mse
from nnlib.mlp import MLP
from nnlib.optimizers import Adam
from nnlib.search import grid_search

TARGETS = {
    "4 waves": lambda x: np.sin(2 * np.pi * 4 * x),
    "10 waves": lambda x: np.sin(2 * np.pi * 10 * x),
    "32 pieces": lambda x: 1 - np.abs((32 * x) % 2 - 1),
}
WIDTH = 128
POINTS = np.arange(257)[:, None] / 256
FINE = np.arange(2001)[:, None] / 2000

STARTS = ["as it is", "scaled", "spread", "both"]
CASES = [f"4 waves, {start}" for start in STARTS] + [f"{target}, {start}" for target in ("10 waves", "32 pieces") for start in ("as it is", "both")]

SPACE = {"case": CASES, "rate": [0.003, 0.01], "steps": [1000, 10_000]}
REPEATED = [(0, 0), (14, 1), (30, 2)]
TOLERANCE = {"error": 0.05, "between": 0.05}


def relative_error(model, target, x, scaled=False):
    """‖F − g‖ / ‖g − ḡ‖ at the points x of [0, 1], with ḡ the mean of g: 0 is perfect, 1 is what the best constant reaches."""
    wanted = target(x)
    return float(np.sqrt(np.mean((model(2 * x - 1 if scaled else x) - wanted) ** 2) / np.var(wanted)))


def spread_knots(model, low, high, rng):
    """Put the knot −b/w of each hidden neuron at a random place between low and high."""
    hidden = model.layers[0]
    hidden.b = -hidden.W[:, 0] * rng.uniform(low, high, size=len(hidden.b))


def begin(start, seed, width=WIDTH):
    """A new network, and whether its inputs are to be scaled."""
    rng = np.random.default_rng(seed)
    model = MLP([1, width, 1], "relu", seed=rng)
    scaled = start in ("scaled", "both")
    if start in ("spread", "both"):
        spread_knots(model, -1 if scaled else 0, 1, rng)
    return model, scaled


def descend(model, x, y, rate, steps):
    """Adam on all parameters, all points in every step."""
    descend_from(model, Adam(rate), x, y, steps)


def descend_from(model, optimizer, x, y, steps):
    """The same, with an optimizer that may have steps behind it."""
    for _ in range(steps):
        _, grad = value_and_grad(model, mse, x, y)
        optimizer.step(model.theta, grad)


def objective(setting, seed):
    name, start = setting["case"].split(", ")
    target = TARGETS[name]
    model, scaled = begin(start, seed)
    descend(model, 2 * POINTS - 1 if scaled else POINTS, target(POINTS), setting["rate"], setting["steps"])
    return {name: round(relative_error(model, target, x, scaled), 4) for name, x in (("error", POINTS), ("between", FINE))}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
