"""The factor of each schedule at each step; that of a plateau after each epoch."""

import torch
from common import Reference
from torch import nn, optim
from torch.optim import lr_scheduler

reference = Reference()
STEPS = 40


def factors(make, steps=STEPS, rate=0.8, losses=None):
    optimizer = optim.SGD([nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler, found = make(optimizer), []
    for t in range(steps):
        if losses is not None:
            scheduler.step(losses[t])
        found.append(optimizer.param_groups[0]["lr"] / rate)
        if losses is None:
            optimizer.step()
            scheduler.step()
    return torch.tensor(found)


def warmed_up(optimizer):
    linear = lr_scheduler.LinearLR(optimizer, start_factor=1 / 8, total_iters=7)
    return lr_scheduler.SequentialLR(optimizer, [linear, lr_scheduler.CosineAnnealingLR(optimizer, STEPS - 8, eta_min=0.08)], [8])


SCHEDULES = {
    "constant": lambda optimizer: lr_scheduler.ConstantLR(optimizer, factor=1.0),
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.3),
    "exponential": lambda optimizer: lr_scheduler.ExponentialLR(optimizer, gamma=0.9),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, STEPS, eta_min=0.08),
    "warm_up": warmed_up,
    "one_cycle": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.8, total_steps=STEPS, cycle_momentum=False),
    "short one_cycle": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.8, total_steps=STEPS, pct_start=0.01, cycle_momentum=False),
    "steep one_cycle": lambda optimizer: lr_scheduler.OneCycleLR(
        optimizer, 0.8, total_steps=STEPS, pct_start=0.6, div_factor=4, final_div_factor=25, cycle_momentum=False
    ),
}
for name, make in SCHEDULES.items():
    reference.store(name, factors=factors(make))

losses = torch.tensor(reference.rng.uniform(1, 1.2, size=STEPS) * [0.8**t + 0.3 for t in range(STEPS)])
for patience, threshold in ((0, 1e-4), (2, 1e-4), (2, 0.05)):
    settings = {"factor": 0.5, "patience": patience, "threshold": threshold}
    found = factors(lambda optimizer, settings=settings: lr_scheduler.ReduceLROnPlateau(optimizer, **settings), losses=losses.tolist())
    reference.store(f"on_plateau/{patience} {threshold}", losses=losses, factors=found)

reference.write("schedules")
