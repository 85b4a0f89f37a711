"""Dead units: a census over training time, for four activations and six ways to take steps.

Digits (block split), three hidden layers of 64 units, batches of 64, 32 epochs (512 steps), biases from 0. A unit is *off* when
its pre-activation is not positive for any training example; a ReLU that is off is dead: its slope is 0 on all of them. A unit
is *silent* when its slope f′(z) is below 1/1000 in size on all training examples, so also where f is no ReLU.
"""

import warnings

import numpy as np

from nnlib import datasets
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import MLP
from nnlib.optimizers import SGD, Adam
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {
    "f": ["relu", "leakyrelu", "elu", "gelu"],
    "rule": ["SGD 0.1", "SGD 1", "Adam 0.001", "Adam 0.01", "Adam 0.03", "Adam 0.1"],
}
EPOCHS = [0, 1, 2, 4, 8, 16, 32]


def census(model, x):
    """For each hidden unit, in the order of the layers, whether it is off and whether it is silent on the inputs x."""
    zs = model.outputs(x)[:-1:2]
    slopes = [f.derivative(z) for f, z in zip(model.layers[1::2], zs, strict=True)]
    off = np.concatenate([(z <= 0).all(axis=0) for z in zs])
    return off, np.concatenate([(np.abs(slope) < 1e-3).all(axis=0) for slope in slopes])


def objective(setting, seed):
    """Train once; shares in per cent of the 192 hidden units after each of EPOCHS, and the accuracy on the test set.

    Of the units that were silent at one of EPOCHS, ``revived`` counts those that were not at the end: ``revived1`` in the
    first hidden layer, ``revived23`` above it.
    """
    data = datasets.digits()
    model = MLP([64, 64, 64, 64, 10], setting["f"], seed=seed, initializer="he")
    for layer in model.layers[:-1:2]:
        layer.b[:] = setting.get("bias", 0.0)
    name, rate = setting.get("rule", "Adam 0.001").split()
    optimizer = {"SGD": SGD, "Adam": Adam}[name](float(rate))
    seen, silent = {}, []

    def look(epoch, model):
        if epoch in EPOCHS:
            off, now = census(model, data.train.x)
            seen[f"off{epoch}"], seen[f"silent{epoch}"] = (round(100 * float(share.mean()), 1) for share in (off, now))
            silent.append(now)

    look(0, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a run that diverges has its best state put back
        fit(model, categorical_cross_entropy, data.train, optimizer, epochs=EPOCHS[-1], batch_size=64, seed=seed, on_epoch=look)
    for epoch in EPOCHS:  # a run that diverged stays as it was
        seen.setdefault(f"off{epoch}", float("nan"))
        seen.setdefault(f"silent{epoch}", float("nan"))
    revived = np.any(silent, axis=0) & ~silent[-1]
    test = round(100 * accuracy(model(data.test.x), data.test.y), 2)
    return {**seen, "revived1": int(revived[:64].sum()), "revived23": int(revived[64:].sum()), "test": test}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)


# ReLU with Adam at 0.001, where hardly a unit dies, and leaky ReLU at the same rate.
REPEATED = [(2, 0), (8, 0)]
TOLERANCE = {f"{kind}{epoch}": 1.6 for kind in ("off", "silent") for epoch in EPOCHS} | {"revived1": 2, "revived23": 3, "test": 4}
