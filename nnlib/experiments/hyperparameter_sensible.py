"""The same search in a narrow box: ranges that somebody who has trained such networks before would write down at once.

They were fixed before any of their runs was seen. All else is as in `hyperparameter_search`.
"""

from scipy.stats import loguniform, randint, uniform

from nnlib.experiments import hyperparameter_search as wide
from nnlib.search import random_search

SPACE = {
    "depth": randint(1, 4),
    "width": loguniform(64, 256),
    "rate": loguniform(0.003, 0.1),
    "schedule": ["constant", "cosine", "one-cycle"],
    "batch": [16, 32, 64],
    "activation": ["relu", "tanh"],
    "start": ["he", "xavier"],
    "dropout": uniform(0, 0.3),
    "decay": loguniform(1e-6, 1e-3),
}
SETTINGS, SEEDS = 160, 3
REPEATED = [(0, 0), (1, 1), (2, 2)]
TOLERANCE = wide.TOLERANCE
objective = wide.objective


def search(memory=None):
    return random_search(objective, SPACE, SETTINGS, seed=8, seeds=SEEDS, memory=memory)
