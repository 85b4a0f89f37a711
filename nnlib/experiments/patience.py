"""Is training stuck on a fine wave, or slow? Ten waves, the network 1-128-1 of `learnability`, prepared, up to 40,000 steps of Adam: chapter 2."""

from nnlib.experiments.learnability import POINTS, TARGETS, begin, descend_from, relative_error
from nnlib.optimizers import Adam
from nnlib.search import grid_search

MARKS = [1000, 3000, 10_000, 20_000, 40_000]

SPACE = {"rate": [0.003], "steps": [1000, 40_000]}
REPEATED = [(0, 0), (0, 1)]
TOLERANCE = {f"after_{mark}": 0.05 for mark in MARKS}


def objective(setting, seed):
    """The relative error at each of the marks that the steps reach."""
    target = TARGETS["10 waves"]
    model, _ = begin("both", seed)
    optimizer, done, found = Adam(setting["rate"]), 0, {}
    for mark in MARKS:
        if mark <= setting["steps"]:
            descend_from(model, optimizer, 2 * POINTS - 1, target(POINTS), mark - done)
            done = mark
        error = relative_error(model, target, POINTS, scaled=True) if mark <= setting["steps"] else float("nan")
        found[f"after_{mark}"] = round(error, 4)
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)
