"""Layers of the MLP and activations."""

import torch
from common import Reference
from torch import nn

reference = Reference()
normal, gradients, affine = reference.normal, reference.gradients, nn.functional.linear

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

x, W, b = normal(4, 3), normal(3, 3), normal(3)
gradients("residual", x + torch.tanh(affine(x, W, b)), {"x": x, "W": W, "b": b})

for name, f in ACTIVATIONS.items():
    x = torch.linspace(-6, 6, 48, requires_grad=True)  # 48 points: none of them 0, where some have a kink
    gradients(f"activation/{name}", f(x), {"x": x})
    x, W1, b1, W2, b2 = normal(4, 3), normal(6, 3), normal(6), normal(2, 6), normal(2)
    gradients(f"mlp/{name}", affine(f(affine(x, W1, b1)), W2, b2), {"x": x, "W1": W1, "b1": b1, "W2": W2, "b2": b2})

reference.write("core")
