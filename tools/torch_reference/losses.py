"""Value and gradient of each loss, on small and on large predictions."""

import torch
from common import Reference
from torch import nn

reference = Reference()
normal, rng = reference.normal, reference.rng

LOSSES = {
    "mse": (nn.functional.mse_loss, (6, 2), normal(6, 2).detach()),
    "binary_cross_entropy": (nn.functional.binary_cross_entropy_with_logits, (6, 2), torch.tensor(rng.uniform(size=(6, 2)))),
    "categorical_cross_entropy": (nn.functional.cross_entropy, (6, 4), torch.tensor(rng.integers(0, 4, size=6))),
}
for name, (loss, shape, target) in LOSSES.items():
    for size in (1, 20):
        prediction = (size * normal(*shape)).detach().requires_grad_()
        value = loss(prediction, target)
        (gradient,) = torch.autograd.grad(value, prediction)
        reference.store(f"loss/{name}/{size}", prediction=prediction, target=target, value=value, gradient=gradient)

reference.write("losses")
