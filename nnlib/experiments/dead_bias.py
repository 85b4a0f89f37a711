"""Units that are dead before the training begins: three hidden layers whose biases all start below 0.

As `nnlib.experiments.dead_relu`, with Adam at 0.001.
"""

from nnlib.experiments import dead_relu
from nnlib.search import grid_search

SPACE = {"f": ["relu", "leakyrelu", "elu", "gelu"], "bias": [-0.5, -1.0, -2.0]}


def objective(setting, seed):
    return dead_relu.objective(setting, seed)


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)


REPEATED = [(0, 0)]  # ReLU from −0.5
TOLERANCE = dead_relu.TOLERANCE
