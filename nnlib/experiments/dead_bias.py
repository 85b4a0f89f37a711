"""Units that are dead before the training begins: three hidden layers whose biases all start below 0.

As `nnlib.experiments.dead_relu`, with Adam at 0.001.
"""

from nnlib.experiments.dead_relu import TOLERANCE as TOLERANCE
from nnlib.experiments.dead_relu import objective
from nnlib.search import grid_search

SPACE = {"f": ["relu", "leakyrelu", "elu", "gelu"], "bias": [-0.5, -1.0, -2.0]}
REPEATED = [(0, 0)]  # ReLU from −0.5


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)
