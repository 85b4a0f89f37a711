"""Norms, in training and in inference, and the running statistics after each of three batches."""

import torch
from common import Reference
from torch import nn

reference = Reference()
normal, gradients = reference.normal, reference.gradients

for name, eps in (("small", 1e-5), ("large", 0.3)):
    x, gamma, beta = normal(3, 2, 5), normal(5), normal(5)
    gradients(f"layer_norm/{name}", nn.functional.layer_norm(x, (5,), gamma, beta, eps), {"x": x, "gamma": gamma, "beta": beta})
    x, gamma = normal(3, 2, 5), normal(5)
    gradients(f"rms_norm/{name}", nn.functional.rms_norm(x, (5,), gamma, eps), {"x": x, "gamma": gamma})

norm = nn.BatchNorm1d(5)  # channels second, so each input is turned
with torch.no_grad():
    norm.weight.copy_(normal(5))
    norm.bias.copy_(normal(5))
parameters = {"gamma": norm.weight, "beta": norm.bias}
for step in range(3):
    x = (2 * normal(4, 3, 5) + 1).detach().requires_grad_()
    gradients(f"batch_norm/{step}", norm(x.transpose(1, 2)).transpose(1, 2), {"x": x, **parameters})
    reference.store(f"batch_norm/{step}", mean=norm.running_mean, var=norm.running_var)
norm.eval()
x = normal(4, 3, 5)
gradients("batch_norm/inference", norm(x.transpose(1, 2)).transpose(1, 2), {"x": x, **parameters})

reference.write("regularizers")
