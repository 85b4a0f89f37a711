"""He's variance against Xavier's in ReLU networks of 10 and 30 layers, followed for longer.

As `nnlib.experiments.deep_relu`, with momentum 0.9 at rate 0.003, looked at as the training goes on: the network of 10 layers
for 60 epochs (960 steps), that of 30 layers for 190 (3040 steps).
"""

import numpy as np

from nnlib import datasets
from nnlib.backprop import gradient_norms
from nnlib.experiments.deep_relu import BATCH, build
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import SGD
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"depth": [10, 30], "initializer": ["he", "xavier"]}
EPOCHS = [0, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 190]  # 16 steps in each
LAST = {10: 60, 30: 190}


def objective(setting, seed):
    """Train once, and look at the network after each of EPOCHS.

    ``test`` is the accuracy on the test set in per cent; ``flow`` is the decimal logarithm of the norm of the gradient by the z of
    the lowest layer, divided by that by the z of the last, on 200 training digits; ``norm`` is the mean over the layers of the
    norm of W, divided by what it was before the training.
    """
    data = datasets.digits()
    model = build("momentum", setting["initializer"], seed, depth=setting["depth"])
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    before = np.array([np.linalg.norm(layer.W) for layer in dense])
    seen = {}

    def look(epoch, model):
        if epoch in EPOCHS:
            outputs, _ = gradient_norms(model, categorical_cross_entropy, data.train.x[:200], data.train.y[:200])
            bottom, top = outputs["layers.0"], outputs[f"layers.{len(model.layers) - 1}"]
            seen[f"test{epoch}"] = round(100 * accuracy(model(data.test.x), data.test.y), 2)
            seen[f"flow{epoch}"] = round(float(np.log10(bottom / top)), 3)
            seen[f"norm{epoch}"] = round(float(np.mean([np.linalg.norm(layer.W) for layer in dense] / before)), 4)

    look(0, model)
    optimizer = SGD(0.003, momentum=0.9)
    epochs = LAST[setting["depth"]]
    fit(model, categorical_cross_entropy, data.train, optimizer, epochs=epochs, batch_size=BATCH, seed=seed, on_epoch=look)
    return {f"{kind}{epoch}": seen.get(f"{kind}{epoch}", float("nan")) for kind in ("test", "flow", "norm") for epoch in EPOCHS}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=3, memory=memory)


REPEATED = [(0, 0)]  # ten layers
TOLERANCE = {f"{kind}{epoch}": size for kind, size in {"test": 8, "flow": 0.5, "norm": 0.01}.items() for epoch in EPOCHS}
