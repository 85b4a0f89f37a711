"""Layers of the MLP and activations."""

import torch
from common import Reference
from torch import nn

reference = Reference()
normal, gradients, affine = reference.normal, reference.gradients, nn.functional.linear

ACTIVATIONS = {
    "elu": nn.ELU(),
    "gelu": nn.GELU(),
    "gelutanh": nn.GELU(approximate="tanh"),
    "hardsigmoid": lambda z: nn.functional.relu6(z + 3) / 6,  # nn.Hardsigmoid has a derivative of 1/6 in float32
    "hardswish": nn.Hardswish(),
    "hardtanh": nn.Hardtanh(),
    "identity": nn.Identity(),
    "leakyrelu": nn.LeakyReLU(),
    "mish": nn.Mish(),
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "selu": nn.SELU(),
    "sigmoid": nn.Sigmoid(),
    "silu": nn.SiLU(),
    "softplus": nn.Softplus(),
    "softsign": nn.Softsign(),
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
