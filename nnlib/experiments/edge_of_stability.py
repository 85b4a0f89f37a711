"""The edge of stability (Cohen et al., 2021): gradient descent on all examples at once, and the largest eigenvalue of the Hessian as it goes on.

A network 40-32-32-10 (tanh) learns 200 signals of MNIST-1D by the mean squared error on one-hot targets: 4,000 steps without momentum. Every 100 steps the
largest eigenvalue λ is found by the Lanczos method, begun at the last eigenvector; ``sharp_00`` is λ at the start, ``sharp_01`` after 100 steps;
``loss_00`` … are the losses. ``rises`` is the share of the last 3,000 steps that made the loss larger. Beyond the edge runs are chaotic: only those below it
are repeated.
"""

import math

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from nnlib import datasets
from nnlib.backprop import hessian_vector_product, value_and_grad
from nnlib.losses import mse
from nnlib.mlp import MLP
from nnlib.search import grid_search

STEPS, EVERY = 4000, 100
COUNT = STEPS // EVERY + 1
SPACE = {"rate": [0.3, 0.6, 0.9, 1.2, 1.8]}
REPEATED = [(0, 0)]
TOLERANCE = {f"loss_{k:02}": 0.01 for k in range(COUNT)} | {f"sharp_{k:02}": 0.2 for k in range(COUNT)} | {"rises": 0.01}


def sharpest(model, x, y, start):
    """The largest eigenvalue of ∂²L/∂θ² to three digits, and its eigenvector, from a vector to start with."""
    P = model.theta.size
    H = LinearOperator((P, P), matvec=lambda v: hessian_vector_product(model, mse, x, y, v), dtype=float)
    (value,), vectors = eigsh(H, k=1, which="LA", v0=start, tol=1e-3, ncv=12)
    return value, vectors[:, 0]


def objective(setting, seed):
    data, found = datasets.mnist1d(), dict.fromkeys(TOLERANCE, float("nan"))
    x, y = data.train.x[:200], np.eye(10)[data.train.y[:200]]
    model = MLP([40, 32, 32, 10], "tanh", seed=seed)
    vector, last, rises = np.random.default_rng(seed).normal(size=model.theta.size), math.inf, 0
    for step in range(STEPS + 1):
        loss, gradient = value_and_grad(model, mse, x, y)
        if not math.isfinite(loss) or loss > 1e3:
            return found
        if step % EVERY == 0:
            value, vector = sharpest(model, x, y, vector)
            found |= {f"loss_{step // EVERY:02}": round(float(loss), 5), f"sharp_{step // EVERY:02}": round(float(value), 3)}
        rises += step > 1000 and loss > last
        last = loss
        model.theta -= setting["rate"] * gradient
    return found | {"rises": round(rises / (STEPS - 1000), 4)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=3, memory=memory)
