"""Write tests/data/torch_reference.npz: what PyTorch computes for the same numbers as nnlib, in float64.

PyTorch is no dependency of the book. Run this by hand, in an environment of its own, when something is added here:

    python -m venv torch-env
    torch-env/bin/pip install torch==2.13.0 numpy
    torch-env/bin/python tools/torch_reference.py
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(2026)
found: dict[str, np.ndarray] = {"torch": np.array(torch.__version__)}


def normal(*shape):
    return torch.tensor(rng.normal(size=shape), requires_grad=True)


def store(name, **tensors):
    found.update({f"{name}/{key}": tensor.detach().numpy().copy() for key, tensor in tensors.items()})


def affine(x, W, b):
    return nn.functional.linear(x, W, b)


def gradients(name, y, inputs):
    """Store y, a random ∂L/∂y, and the gradients of all inputs that follow from it."""
    dy = normal(*y.shape)
    store(name, y=y, dy=dy, **inputs)
    found_gradients = torch.autograd.grad(y, list(inputs.values()), dy)
    store(name, **{f"d{key}": gradient for key, gradient in zip(inputs, found_gradients, strict=True)})


ACTIVATIONS = {
    "elu": nn.ELU(),
    "gelu": nn.GELU(),
    "identity": nn.Identity(),
    "leakyrelu": nn.LeakyReLU(),
    "relu": nn.ReLU(),
    "sigmoid": nn.Sigmoid(),
    "softplus": nn.Softplus(),
    "tanh": nn.Tanh(),
}

x, W, b = normal(4, 3), normal(5, 3), normal(5)
gradients("dense", affine(x, W, b), {"x": x, "W": W, "b": b})

for name, f in ACTIVATIONS.items():
    x = torch.linspace(-6, 6, 48, requires_grad=True)  # 48 points: none of them 0, where some have a kink
    gradients(f"activation/{name}", f(x), {"x": x})
    x, W1, b1, W2, b2 = normal(4, 3), normal(6, 3), normal(6), normal(2, 6), normal(2)
    gradients(f"mlp/{name}", affine(f(affine(x, W1, b1)), W2, b2), {"x": x, "W1": W1, "b1": b1, "W2": W2, "b2": b2})

x, W, b = normal(4, 3), normal(3, 3), normal(3)
gradients("residual", x + torch.tanh(affine(x, W, b)), {"x": x, "W": W, "b": b})

LOSSES = {
    "mse": (nn.functional.mse_loss, (6, 2), normal(6, 2).detach()),
    "binary_cross_entropy": (
        nn.functional.binary_cross_entropy_with_logits,
        (6, 2),
        torch.tensor(rng.uniform(size=(6, 2))),
    ),
    "categorical_cross_entropy": (nn.functional.cross_entropy, (6, 4), torch.tensor(rng.integers(0, 4, size=6))),
}
for name, (loss, shape, target) in LOSSES.items():
    for size in (1, 20):
        prediction = (size * normal(*shape)).detach().requires_grad_()
        value = loss(prediction, target)
        (gradient,) = torch.autograd.grad(value, prediction)
        store(f"loss/{name}/{size}", prediction=prediction, target=target, value=value, gradient=gradient)

OPTIMIZERS = {
    "sgd": lambda theta: torch.optim.SGD(theta, lr=0.05),
    "momentum": lambda theta: torch.optim.SGD(theta, lr=0.05, momentum=0.9),
    "nesterov": lambda theta: torch.optim.SGD(theta, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda theta: torch.optim.Adagrad(theta, lr=0.1),
    "rmsprop": lambda theta: torch.optim.RMSprop(theta, lr=0.01),
    "adam": lambda theta: torch.optim.Adam(theta, lr=0.05),
}
# Fifty steps on logistic regression, θ after each.
A, target, start = normal(12, 3).detach(), torch.tensor(rng.integers(0, 2, size=12) * 1.0), normal(3)
store("optimizer", A=A, target=target, start=start)
for name, make in OPTIMIZERS.items():
    theta = start.detach().clone().requires_grad_()
    optimizer, path = make([theta]), []
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(A @ theta, target).backward()
        optimizer.step()
        path.append(theta.detach().clone())
    store(f"optimizer/{name}", path=torch.stack(path))

file = Path(__file__).parents[1] / "tests" / "data" / "torch_reference.npz"
file.parent.mkdir(exist_ok=True)
np.savez_compressed(file, **found)
print(f"{file.name}: {len(found)} arrays, {file.stat().st_size / 1024:.0f} KB, PyTorch {torch.__version__}")
