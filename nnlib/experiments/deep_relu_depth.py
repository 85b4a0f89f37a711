"""He's variance against Xavier's in ReLU networks of 10 and 30 layers, followed for longer.

As `nnlib.experiments.deep_relu`, with momentum 0.9 at rate 0.003, looked at as the training goes on.
"""

from nnlib import datasets
from nnlib.experiments.deep_relu import BATCH, build
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.optimizers import SGD
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"depth": [10, 30], "initializer": ["he", "xavier"]}
EPOCHS = [0, 2, 5, 10, 15, 20, 30, 45, 60]  # 16 steps in each


def objective(setting, seed):
    """Train once; the accuracy on the test set in per cent after each of EPOCHS."""
    data = datasets.digits()
    model = build("momentum", setting["initializer"], seed, depth=setting["depth"])
    seen = {}

    def look(epoch, model):
        if epoch in EPOCHS:
            seen[f"test{epoch}"] = round(100 * accuracy(model(data.test.x), data.test.y), 2)

    look(0, model)
    optimizer = SGD(0.003, momentum=0.9)
    fit(model, categorical_cross_entropy, data.train, optimizer, epochs=EPOCHS[-1], batch_size=BATCH, seed=seed, on_epoch=look)
    return seen


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)


REPEATED = [(0, 0)]  # ten layers
TOLERANCE = {f"test{epoch}": 8 for epoch in EPOCHS}
