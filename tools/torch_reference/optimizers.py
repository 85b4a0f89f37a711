"""Fifty steps of each optimizer on logistic regression, θ after each."""

import torch
from common import Reference
from torch import nn

reference = Reference()

OPTIMIZERS = {
    "sgd": lambda theta: torch.optim.SGD(theta, lr=0.05),
    "momentum": lambda theta: torch.optim.SGD(theta, lr=0.05, momentum=0.9),
    "nesterov": lambda theta: torch.optim.SGD(theta, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda theta: torch.optim.Adagrad(theta, lr=0.1),
    "rmsprop": lambda theta: torch.optim.RMSprop(theta, lr=0.01),
    "adam": lambda theta: torch.optim.Adam(theta, lr=0.05),
}
A, target = reference.normal(12, 3).detach(), torch.tensor(reference.rng.integers(0, 2, size=12) * 1.0)
start = reference.normal(3)
reference.store("problem", A=A, target=target, start=start)
for name, make in OPTIMIZERS.items():
    theta = start.detach().clone().requires_grad_()
    optimizer, path = make([theta]), []
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(A @ theta, target).backward()
        optimizer.step()
        path.append(theta.detach().clone())
    reference.store(f"optimizer/{name}", path=torch.stack(path))

reference.write("optimizers")
