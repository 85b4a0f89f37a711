"""Settings crossed with the amount of data: thirty of the sensible settings learn from 125, 500 and 2,000 signals of MNIST-1D.

All make as many steps as with 1,000 signals in `hyperparameter_sensible`. ``n_500`` is the test accuracy after training on the first 500.
"""

from nnlib import datasets
from nnlib.datasets import Split
from nnlib.experiments.hyperparameter_crossed import setting_of
from nnlib.experiments.hyperparameter_search import EPOCHS, single, trained
from nnlib.metrics import accuracy
from nnlib.search import grid_search

AMOUNTS = [125, 500, 2000]
SPACE = {"number": list(range(30))}
REPEATED = [(3, 1), (7, 2)]
TOLERANCE = {f"n_{n}": 0.05 for n in AMOUNTS}


def objective(setting, seed):
    data, chosen, found = datasets.mnist1d(validation=500), setting_of("signals", "sensible", setting["number"]), {}
    for n in AMOUNTS:
        parts = single(Split(data.train.x[:n], data.train.y[:n]), data.validation, data.test)
        model, _ = trained(parts, chosen, seed, epochs=round(EPOCHS * 1000 / n))
        found[f"n_{n}"] = round(accuracy(model(parts.test.x), parts.test.y), 4)
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=3, memory=memory)
