"""Batch norm, layer norm, and batch norm with noise after it, against the learning rate.

Five hidden layers of 64 ReLU units (He) learn with plain SGD, batches of 100, 350 steps, on 3,500 signals of MNIST-1D.
`NoisyBatchNorm` is the experiment of Santurkar, Tsipras, Ilyas and Mądry (2018): what batch norm has standardized is moved and stretched
again, by other random numbers at every step. Besides the accuracies (NaN where a run diverged) each run says, as a mean over its epochs,

- ``moved``: by how many of its standard deviations the mean of a hidden layer's input moved in an epoch,
- ``turned``: ‖g(θ − ηg) − g(θ)‖ / ‖g(θ)‖ on a batch of 100, how far a gradient holds along its own step, with the noise held fixed;
- ``turned_anew``: the same with other noise for the second gradient, as the next step of training has it.
"""

import warnings

import numpy as np

from nnlib import datasets
from nnlib.backprop import value_and_grad
from nnlib.experiments.regularization_tuning import network
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import SGD
from nnlib.regularizers import BatchNorm, LayerNorm
from nnlib.search import grid_search
from nnlib.training import fit


class NoisyBatchNorm(BatchNorm):
    """Batch norm, and then noise that is another one at every step: y ← s y + m.

    The unit's own centres of m and s are drawn for each step, from ±0.5 and from 1 to 1.25; each example has its m and s within 0.1 of them.
    In inference there is no noise, and s is its mean.
    """

    def __init__(self, n, seed=0):
        self.rng = np.random.default_rng(seed)
        super().__init__(n)

    def forward(self, x, training=False):
        y, backward = super().forward(x, training)
        if not training:
            return 1.125 * y, lambda dy: backward(1.125 * dy)
        n, jitter = y.shape[1], self.rng.uniform(-0.1, 0.1, size=(2, *y.shape))
        m, s = self.rng.uniform(-0.5, 0.5, n) + jitter[0], self.rng.uniform(1, 1.25, n) + jitter[1]
        return s * y + m, lambda dy: backward(s * dy)


SPACE = {
    "norm": ["none", "batch", "layer", "noisy batch"],
    "rate": [0.1, 0.3, 1.0, 3.0, 10.0],
}
SEEDS = 10
NORMS = {"none": None, "batch": BatchNorm, "layer": LayerNorm, "noisy batch": NoisyBatchNorm}
EPOCHS = 10
CHECKPOINTS = 5
REPEATED = [(1, 0), (6, 1)]
TOLERANCE = {"validation": 0.04, "test": 0.04, "moved": 0.05, "turned": 0.1, "turned_anew": 0.1} | {f"loss_{k}": 0.1 for k in range(1, CHECKPOINTS + 1)}


def inputs_of_hidden_layers(model, x):
    """The mean and the deviation of what Dense 2, 3, … get, as in training; the model is left as it was."""
    state, found = model.state(), []
    for layer in model.layers:
        if isinstance(layer, Dense):
            found.append((x.mean(axis=0), x.std(axis=0)))
        x, _ = layer.forward(x, training=True)
    model.restore(state)
    return found[1:]


def turned(model, x, y, rate, anew):
    """How much the gradient changes over its own step, relative to its length; the model is left as it was."""
    state = model.state()
    g = value_and_grad(model, categorical_cross_entropy, x, y)[1].copy()
    if not anew:
        model.restore(state)                      # also the generator of the noise
    model.theta -= rate * g
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.linalg.norm(value_and_grad(model, categorical_cross_entropy, x, y)[1] - g) / np.linalg.norm(g)
    model.restore(state)
    return change


def objective(setting, seed):
    parts = datasets.mnist1d()
    model = network([40, *[64] * 5, 10], seed, norm=NORMS[setting["norm"]])
    probe, labels = parts.train.x[:100], parts.train.y[:100]
    seen, moves = [inputs_of_hidden_layers(model, probe)], []
    turns: dict[bool, list[float]] = {False: [], True: []}

    def watch(epoch, model):
        seen.append(inputs_of_hidden_layers(model, probe))
        steps = zip(*seen[-2:], strict=True)
        moves.append(np.mean([np.mean(np.abs(mean - before)[std > 1e-6] / std[std > 1e-6]) for (before, std), (mean, _) in steps]))
        for anew in turns:
            turns[anew].append(turned(model, probe, labels, setting["rate"], anew))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        history = fit(model, categorical_cross_entropy, parts.train, SGD(setting["rate"]), epochs=EPOCHS, batch_size=100, seed=seed, on_epoch=watch)
    if history.diverged_at is not None:
        return dict.fromkeys(TOLERANCE, np.nan)
    losses = [np.mean(part) for part in np.array_split(history.train_loss, CHECKPOINTS)]
    found = {
        "validation": accuracy(model(parts.validation.x), parts.validation.y),
        "test": accuracy(model(parts.test.x), parts.test.y),
        "moved": np.mean(moves),
        "turned": np.median(turns[False]),
        "turned_anew": np.median(turns[True]),
        **{f"loss_{k}": loss for k, loss in enumerate(losses, start=1)},
    }
    return {name: float(f"{value:.4g}") for name, value in found.items()}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
