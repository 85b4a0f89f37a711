"""What dropout does to a network: test error, correlations of the hidden units, and what deleting units costs.

500 signals of MNIST-1D; two hidden layers of 128 ReLU units with dropout after both, or with weight decay
instead (λ in the place of p), Adam at 1e-3 for 600 steps, with no early stop. Then a random part of the first hidden layer is
deleted, and the rest scaled up as dropout does it: the mean of ten masks.
"""

import numpy as np

from nnlib import datasets
from nnlib.experiments.regularization_tuning import TASKS, network
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.optimizers import AdamW, decay_mask
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"method": ["p = 0", "p = 0.2", "p = 0.5", "p = 0.8", "λ = 0.3", "λ = 1", "λ = 3"]}
SEEDS = 10
DELETED = {"lost_25": 0.25, "lost_50": 0.5, "lost_75": 0.75}
REPEATED = [(0, 0), (2, 1)]
TOLERANCE = {"validation": 0.02, "test": 0.02, "loss": 0.1, "train": 0.02, "correlation": 0.02, **dict.fromkeys(DELETED, 0.03)}


def trained(method, seed):
    """One network, the data, and which training examples it saw."""
    parts = datasets.mnist1d()
    n, batch_size, epochs = TASKS["mnist1d"]
    drawn = np.random.default_rng(seed).permutation(len(parts.train.x))[:n]
    strength = float(method[4:])
    model = network([parts.train.x.shape[1], 128, 128, 10], seed, p=strength if method[0] == "p" else 0)
    decay = strength if method[0] == "λ" else 0
    fit(
        model, categorical_cross_entropy, (parts.train.x[drawn], parts.train.y[drawn]),
        AdamW(1e-3, weight_decay=decay, decay_mask=decay_mask(model)), epochs=epochs, batch_size=batch_size, seed=seed,
    )
    return model, parts, drawn


def with_deleted(model, x, share, rng):
    """The logits when a random share of the first hidden layer is deleted and the rest scaled up."""
    hidden = model.layers[1](model.layers[0](x))
    n = hidden.shape[1]
    kept = rng.permutation(n) >= round(share * n)
    after = hidden * kept / kept.mean()
    for layer in model.layers[2:]:
        after = layer(after)
    return after


def correlation(hidden):
    """The mean |correlation| between two units that are not constant."""
    moving = hidden[:, hidden.std(axis=0) > 1e-9]
    c = np.abs(np.corrcoef(moving.T))
    return float((c.sum() - len(c)) / (c.size - len(c)))


def objective(setting, seed):
    model, parts, drawn = trained(setting["method"], seed)
    x, y = parts.test
    logits, rng = model(x), np.random.default_rng(seed)
    right = accuracy(logits, y)
    found = {
        "validation": accuracy(model(parts.validation.x), parts.validation.y),
        "test": right,
        "loss": categorical_cross_entropy(logits, y)[0],
        "train": accuracy(model(parts.train.x[drawn]), parts.train.y[drawn]),
        "correlation": correlation(model.layers[1](model.layers[0](x))),
    }
    for name, share in DELETED.items():
        found[name] = right - np.mean([accuracy(with_deleted(model, x, share, rng), y) for _ in range(10)])
    return {name: round(float(value), 4) for name, value in found.items()}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
