"""One hyperparameter after the other: all others as in ``BASE``, the learning rate chosen anew, or not.

For each value five learning rates are tried (``test_0.03`` is the test accuracy with the rate 0.03), so that a page can show both what a value does at the
rate of the base setting and what it does at its own best rate by the validation part. Data, network and training are those of `hyperparameter_search`.
"""

from nnlib.experiments.hyperparameter_search import DATA, STARTS, trained
from nnlib.initializers import normal
from nnlib.metrics import accuracy
from nnlib.search import grid_search

BASE = {
    "depth": 2,
    "width": 64,
    "schedule": "constant",
    "batch": 32,
    "activation": "relu",
    "start": "he",
    "dropout": 0.0,
    "decay": 0.0,
}
VALUES: dict[str, list] = {
    "depth": [0, 1, 2, 3, 4, 6],
    "width": [4, 16, 64, 256],
    "schedule": ["constant", "step", "exponential", "cosine", "warm-up", "one-cycle"],
    "batch": [8, 16, 32, 64, 128, 256],
    "activation": ["relu", "leaky_relu", "gelu", "tanh", "sigmoid", "identity"],
    "start": ["zeros", "small", "xavier", "he", "orthogonal", "large"],
    "dropout": [0.0, 0.1, 0.2, 0.4, 0.6],
    "decay": [0.0, 0.0001, 0.001, 0.01, 0.1],
}
RATES = [0.003, 0.01, 0.03, 0.1, 0.3]
CASES = [f"{name}={value}" for name, values in VALUES.items() for value in values]
SPACE = {"data": ["digits", "signals"], "case": CASES}
SEEDS = 10
REPEATED = [(26, 0), (len(CASES) + 21, 1)]
TOLERANCE = {f"{part}_{rate}": 0.05 for rate in RATES for part in ("val", "test")}

ALL_STARTS = STARTS | {"large": normal(1.0)}


def setting_of(case):
    """``BASE`` with one value changed: ``depth=4``."""
    name, _, text = case.partition("=")
    return BASE | {name: next(value for value in VALUES[name] if str(value) == text)}


def objective(setting, seed):
    parts, found = DATA[setting["data"]](), {}
    case = setting_of(setting["case"])
    case["start"] = ALL_STARTS.get(case["start"], case["start"])
    for rate in RATES:
        model, _ = trained(parts, case | {"rate": rate}, seed)
        found[f"val_{rate}"] = round(accuracy(model(parts.validation.x), parts.validation.y), 4)
        found[f"test_{rate}"] = round(accuracy(model(parts.test.x), parts.test.y), 4)
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
