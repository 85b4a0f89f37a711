"""Fifty steps of each optimizer on logistic regression, θ after each; gradients before and after clipping."""

import torch
from common import Reference
from torch import nn, optim

reference = Reference()

OPTIMIZERS = {
    "sgd": lambda theta: optim.SGD([theta], lr=0.05),
    "momentum": lambda theta: optim.SGD([theta], lr=0.05, momentum=0.9),
    "nesterov": lambda theta: optim.SGD([theta], lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda theta: optim.Adagrad([theta], lr=0.1),
    "rmsprop": lambda theta: optim.RMSprop([theta], lr=0.01),
    "centered": lambda theta: optim.RMSprop([theta], lr=0.01, centered=True),
    "adam": lambda theta: optim.Adam([theta], lr=0.05),
    "adamw": lambda theta: optim.AdamW([theta], lr=0.05, weight_decay=0.1),
    "sgd with l2": lambda theta: optim.SGD([theta], lr=0.05, weight_decay=0.1),
    "momentum with l2": lambda theta: optim.SGD([theta], lr=0.05, momentum=0.9, weight_decay=0.1),
    "adam with l2": lambda theta: optim.Adam([theta], lr=0.05, weight_decay=0.1),
}
A, target = reference.normal(12, 3).detach(), torch.tensor(reference.rng.integers(0, 2, size=12) * 1.0)
start = reference.normal(3)
reference.store("problem", A=A, target=target, start=start)


def run(name, parts, optimizer):
    path = []
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(A @ torch.cat(parts), target).backward()
        optimizer.step()
        path.append(torch.cat(parts).detach().clone())
    reference.store(f"optimizer/{name}", path=torch.stack(path))


for name, make in OPTIMIZERS.items():
    theta = start.detach().clone().requires_grad_()
    run(name, [theta], make(theta))

# The last of the three parameters does not decay: a group of its own.
weight, bias = (part.detach().clone().requires_grad_() for part in (start[:2], start[2:]))
run("masked adamw", [weight, bias], optim.AdamW([{"params": weight}, {"params": bias, "weight_decay": 0}], lr=0.05, weight_decay=0.1))

for max_norm in (0.5, 2.0, 100.0):
    g = nn.Parameter(torch.zeros(7))
    g.grad = 3 * reference.normal(7).detach()
    before = g.grad.clone()
    norm = nn.utils.clip_grad_norm_([g], max_norm)
    reference.store(f"clip_norm/{max_norm}", before=before, norm=norm, after=g.grad)
    g.grad = before.clone()
    nn.utils.clip_grad_value_([g], max_norm)
    reference.store(f"clip_value/{max_norm}", before=before, after=g.grad)

reference.write("optimizers")
