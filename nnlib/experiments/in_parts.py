"""Do the leads of chapter 7 outlast other test examples? The runs that `onehot_regression` and `optimizer_race` chose, scored in ten parts.

The rate is the one with the highest validation accuracy, as a mean over the starts, of the stored runs; start, batches and epochs are theirs too.
Returned are the test accuracies in per cent on ten blocks of the test part, of neighbours in its order: with the digits, those share writers.
"""

import numpy as np

from nnlib import experiments
from nnlib.experiments import onehot_regression, optimizer_race
from nnlib.losses import categorical_cross_entropy, mse
from nnlib.mlp import MLP
from nnlib.optimizers import Adam
from nnlib.search import grid_search
from nnlib.training import fit

PARTS = 10
SPACE = {"data": list(optimizer_race.DATA), "rule": [*onehot_regression.LOSSES, *optimizer_race.OPTIMIZERS]}
REPEATED = [(0, 0), (8, 1)]
TOLERANCE = {f"part_{k}": 12 for k in range(PARTS)}  # seven of the 60 digits in a part


def chosen(data, rule):
    """The rate, or for an optimizer the factor on its centre, that the validation part chose."""
    key, name = ("loss", "onehot_regression") if rule in onehot_regression.LOSSES else ("optimizer", "optimizer_race")
    runs = experiments.runs(name)
    means = {i: runs.values["validation"][i].mean() for i, setting in enumerate(runs.settings) if (setting["data"], setting[key]) == (data, rule)}
    setting = runs.settings[max(means, key=lambda i: means[i])]
    return setting["rate" if key == "loss" else "factor"]


def objective(setting, seed):
    name, rule = setting["data"], setting["rule"]
    source = onehot_regression if rule in onehot_regression.LOSSES else optimizer_race
    load, sizes, epochs = source.DATA[name]
    data, model, rate = load(), MLP(sizes, "relu", seed=seed), chosen(name, rule)
    squared = rule == "MSE on one-hot"
    optimizer = Adam(rate) if source is onehot_regression else optimizer_race.OPTIMIZERS[rule](optimizer_race.CENTRE[rule] * rate)
    x, y = data.train
    fit(model, mse if squared else categorical_cross_entropy, (x, np.eye(10)[y] if squared else y), optimizer, epochs=epochs, batch_size=50, seed=seed)
    right = 100.0 * (model(data.test.x).argmax(axis=1) == data.test.y)
    return {f"part_{k}": round(float(block.mean()), 2) for k, block in enumerate(np.array_split(right, PARTS))}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
