"""Depth at equal numbers of parameters on real data, and what a linear classifier reads off each layer: chapter 2.

Networks with 0, 1, 2 or 4 hidden layers of equal width have at most 10,000 parameters (without a hidden layer: what a linear model has). Adam, batches of
50. Each run is judged after 20, 40 and 60 epochs; rate and epochs are chosen by the validation accuracy. The probes read the network after 60.
"""

from collections.abc import Callable

import numpy as np

from nnlib import datasets
from nnlib.approximation import least_squares
from nnlib.layers import Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import Adam
from nnlib.search import grid_search
from nnlib.training import fit

DATA: dict[str, Callable[[], datasets.Dataset]] = {"MNIST-1D": datasets.mnist1d, "digits": datasets.digits}

EPOCHS = [20, 40, 60]

SPACE = {"data": list(DATA), "hidden_layers": [0, 1, 2, 4], "rate": [0.003, 0.01, 0.03]}
REPEATED = [(12, 0), (18, 1)]
TOLERANCE = {f"{part}_{epochs}": 3.0 for part in ("validation", "test") for epochs in EPOCHS} | {
    f"{kind}_{layer}": 3.0 for layer in range(1, 5) for kind in ("random", "trained")
}


def width_for(n_in, hidden_layers, budget=10_000):
    """The largest width whose network has at most so many parameters."""
    widths = np.arange(1, 1000)
    sizes = (n_in + 1) * widths + (hidden_layers - 1) * (widths + 1) * widths + (widths + 1) * 10
    return int(widths[sizes <= budget][-1])


def probe(train, labels, test, test_labels):
    """Test accuracy (%) of a linear classifier on given features: least squares on the ten classes."""
    linear = Dense(train.shape[1], 10, seed=0)
    least_squares(Sequential(linear), train, np.eye(10)[labels])
    return round(100 * accuracy(linear(test), test_labels), 1)


def probes(model, data):
    """What a probe reads off each hidden layer, the first first."""
    inside = zip(model.outputs(data.train.x)[1::2], model.outputs(data.test.x)[1::2], strict=True)
    return [probe(train, data.train.y, test, data.test.y) for train, test in inside]


def objective(setting, seed):
    data, layers = DATA[setting["data"]](), setting["hidden_layers"]
    n_in = data.train.x.shape[1]
    hidden = [width_for(n_in, layers)] * layers if layers else []
    model = MLP([n_in, *hidden, 10], "relu", seed=seed)
    before = probes(model, data)
    found = {}

    def judge(epoch, model):
        if epoch in EPOCHS:
            for part in ("validation", "test"):
                x, y = getattr(data, part)
                found[f"{part}_{epoch}"] = round(100 * accuracy(model(x), y), 1)

    fit(model, categorical_cross_entropy, data.train, Adam(setting["rate"]), epochs=EPOCHS[-1], batch_size=50, seed=seed, on_epoch=judge)
    for kind, seen in (("random", before), ("trained", probes(model, data))):
        found |= {f"{kind}_{k}": seen[k - 1] if k <= layers else float("nan") for k in range(1, 5)}
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)
