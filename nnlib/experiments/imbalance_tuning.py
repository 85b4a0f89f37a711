"""Which rate and which length of training suit each loss on each imbalanced problem: chapter 7, before `imbalance`.

A network with 32 hidden neurons tells one class from the rest. Every loss gets the same budget: four rates, each looked at four times while it
trains. What is returned is the average precision on the validation part. A seed is a draw of the problem (which examples are kept, in each of the
three fixed parts), a start and an order of the batches; the draws here, 100 and on, are not those of `imbalance`.
"""

import warnings
from functools import partial

import numpy as np

from nnlib import datasets
from nnlib.losses import binary_cross_entropy, binary_focal, pairwise_auc
from nnlib.metrics import average_precision
from nnlib.mlp import MLP
from nnlib.optimizers import Adam
from nnlib.search import grid_search
from nnlib.training import fit

PROBLEMS = ["digits 1:10", "digits 1:100", "MNIST-1D 1:10"]
LOSSES = ["cross-entropy", "class weights", "focal 1", "focal 2", "focal 5", "focal 2, α 0.75", "AUC"]
SPACE = {"problem": PROBLEMS, "loss": LOSSES, "rate": [0.003, 0.01, 0.03, 0.1]}
STEPS, BATCH, LOOKS = {"digits": 400, "MNIST-1D": 800}, 256, 4  # looks after an eighth, a quarter, a half and all of the steps
REPEATED = [(1, 0), (58, 3)]
TOLERANCE = {f"look_{k}": 0.1 for k in range(LOOKS)}


def problem(name, seed):
    """One draw of a problem: digit 8, or the eighth template of MNIST-1D, against the rest."""
    source, ratio = name.split(" 1:")
    data = datasets.digits() if source == "digits" else datasets.mnist1d(1000)
    return datasets.imbalanced(data, 8, int(ratio), seed=seed)


def loss_of(name, ratio):
    """The loss of that name; class weights make both classes count the same."""
    if name == "cross-entropy":
        return binary_cross_entropy
    if name == "class weights":
        return partial(binary_cross_entropy, positive_weight=float(ratio))
    if name == "AUC":
        return pairwise_auc
    gamma = float(name.split()[1].strip(","))
    return partial(binary_focal, gamma=gamma, alpha=0.75 if "α" in name else None)


def train(name, loss, rate, data, seed, look=None, until=LOOKS - 1):
    """Train a network up to a look; ``look(number, model)`` is called at each."""
    x, y = data.train
    model = MLP([x.shape[1], 32, 1], "relu", seed=seed)
    source, ratio = name.split(" 1:")
    epochs = round(STEPS[source] / -(-len(x) // BATCH))
    at = {epochs // 2 ** (LOOKS - 1 - k): k for k in range(LOOKS)}
    last = next(epoch for epoch, k in at.items() if k == until)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fit(
            model, loss_of(loss, ratio), (x, y[:, None]), Adam(rate), epochs=last, batch_size=BATCH, seed=seed,
            on_epoch=lambda epoch, model: look(at[epoch], model) if look and epoch in at else None,
        )
    return model


def objective(setting, seed):
    data, found = problem(setting["problem"], 100 + seed), {}

    def look(k, model):
        found[f"look_{k}"] = round(average_precision(model(data.validation.x), data.validation.y), 3)

    train(setting["problem"], setting["loss"], setting["rate"], data, 100 + seed, look)
    return found


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)


def chosen(runs):
    """By problem and loss: the rate and the look with the highest validation average precision, as a mean over the draws."""
    best: dict[tuple[str, str], tuple[float, float, int]] = {}
    for i, setting in enumerate(runs.settings):
        key = setting["problem"], setting["loss"]
        for k in range(LOOKS):
            mean = float(np.mean(runs.values[f"look_{k}"][i]))
            if key not in best or mean > best[key][0]:
                best[key] = mean, setting["rate"], k
    return {key: (rate, k) for key, (_, rate, k) in best.items()}
