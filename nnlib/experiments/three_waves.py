"""How many neurons does training take for three waves, when 16 chords have an error of 0.12? Prepared networks 1-H-1, ten starts: chapter 2."""

import numpy as np

from nnlib.experiments.learnability import POINTS, begin, descend, relative_error
from nnlib.search import grid_search

SPACE = {"neurons": [16, 32, 64], "steps": [1000, 4000]}
REPEATED = [(0, 0), (2, 1)]
TOLERANCE = {"error": 0.1}


def target(x):
    return np.sin(2 * np.pi * 3 * x)


def train(neurons, seed, steps):
    """Adam on every second point."""
    model, _ = begin("both", seed, neurons)
    descend(model, 2 * POINTS[::2] - 1, target(POINTS[::2]), 0.01, steps)
    return model


def objective(setting, seed):
    """The relative error on all points."""
    model = train(setting["neurons"], seed, setting["steps"])
    return {"error": round(relative_error(model, target, POINTS, scaled=True), 4)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
