"""Do networks find the sawtooth by gradient descent? Shallow and deep, as large as a construction needs or many times as large: chapter 2.

The target is Telgarsky's sawtooth with 4 to 32 pieces, on 257 equally spaced points of [0, 1], scaled to [−1, 1]. A network such as ``"5 × 8"``
is five hidden layers of 8 neurons. All biases start at random, so that the knots of the first layer are spread. Many a network with two neurons
in a layer is then constant on the data before it begins; ``"5 × 2, alive"`` is drawn again until it is not. ``"sawtooth, 10 % off"`` starts
at the exact network, each parameter being multiplied by 1 + 0.1 times a normal random number.
"""

import numpy as np

from nnlib.approximation import sawtooth
from nnlib.backprop import value_and_grad
from nnlib.losses import mse
from nnlib.mlp import MLP
from nnlib.optimizers import Adam
from nnlib.search import grid_search

POINTS = np.arange(257)[:, None] / 256
SHALLOW = [16, 128]
NETS = [*(f"1 × {size}" for size in SHALLOW), "5 × 2", "5 × 2, alive", "5 × 8", "5 × 32", "sawtooth, 1 % off", "sawtooth, 10 % off"]

SPACE = {"pieces": [4, 8, 32], "net": NETS, "rate": [0.003, 0.01]}
REPEATED = [(0, 1), (4, 0), (12, 2)]
TOLERANCE = {"error": 0.1}


def draw(shape, rng):
    """A random network with random biases."""
    layers, size = map(int, shape.split(" × "))
    model = MLP([1, *[size] * layers, 1], "relu", seed=rng)
    for layer in model.layers[:-1:2]:
        layer.b = -layer.W.mean(axis=1) * rng.uniform(-1, 1, size=len(layer.b)) * layer.W.shape[1]
    return model


def begin(net, pieces, seed):
    """The network before training; its inputs are in [−1, 1]."""
    rng = np.random.default_rng(seed)
    shape, _, how = net.partition(", ")
    if shape == "sawtooth":
        model = sawtooth(int(np.log2(pieces)))
        first = model.layers[0]
        first.W, first.b = first.W / 2, first.b + first.W[:, 0] / 2
        model.theta = model.theta * (1 + float(how.split(" %")[0]) / 100 * rng.normal(size=model.theta.size))
        return model
    model = draw(shape, rng)
    while how == "alive" and np.ptp(model(2 * POINTS - 1)) < 0.1:
        model = draw(shape, rng)
    return model


def objective(setting, seed):
    """The relative error after 3,000 steps of Adam, all points in every step: 1 is that of the best constant."""
    model = begin(setting["net"], setting["pieces"], seed)
    x, y = 2 * POINTS - 1, sawtooth(int(np.log2(setting["pieces"])))(POINTS)
    optimizer = Adam(setting["rate"])
    for _ in range(3000):
        _, grad = value_and_grad(model, mse, x, y)
        optimizer.step(model.theta, grad)
    return {"error": round(float(np.sqrt(np.mean((model(x) - y) ** 2) / np.var(y))), 4)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)
