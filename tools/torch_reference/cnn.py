"""Convolutions and pooling, with channels first as PyTorch has them; the tests turn the axes."""

import torch
from common import Reference
from torch.nn import functional

reference = Reference()
normal, gradients = reference.normal, reference.gradients


def pad(x, *pads):
    """((top, bottom), (left, right)), which functional.pad wants from the last axis on."""
    return functional.pad(x, [p for pair in reversed(pads) for p in pair])


# name: sizes of x, kernel, pads of each axis, stride, dilation
CONVOLUTIONS = {
    "plain1": ((7,), (3,), [(0, 0)], 1, 1),
    "all1": ((11,), (3,), [(2, 1)], 2, 2),
    "skips1": ((9,), (2,), [(0, 0)], 4, 1),
    "same1": ((8,), (4,), "same", 1, 3),
    "plain2": ((5, 6), (3, 2), [(0, 0), (0, 0)], 1, 1),
    "all2": ((8, 7), (3, 2), [(0, 2), (1, 0)], (2, 3), (1, 2)),
    "same2": ((4, 5), (2, 3), "same", 1, (2, 1)),
}
for name, (sizes, kernel, pads, stride, dilation) in CONVOLUTIONS.items():
    x, W, b = normal(3, 2, *sizes), normal(4, 2, *kernel), normal(4)
    convolve = functional.conv1d if len(sizes) == 1 else functional.conv2d
    padding, padded = ("same", x) if pads == "same" else (0, pad(x, *pads))
    gradients(f"conv/{name}", convolve(padded, W, b, stride=stride, padding=padding, dilation=dilation), {"x": x, "W": W, "b": b})

# name: sizes of x, size of the pool, padding on both sides, stride
POOLS = {
    "plain1": ((7,), 2, 0, 2),
    "overlap1": ((8,), 3, 1, 2),
    "plain2": ((5, 6), (2, 2), 0, (2, 2)),
    "overlap2": ((6, 7), (3, 2), (1, 1), (2, 1)),
}
for name, (sizes, size, padding, stride) in POOLS.items():
    of = "1d" if len(sizes) == 1 else "2d"
    largest, average = getattr(functional, f"max_pool{of}"), getattr(functional, f"avg_pool{of}")
    # Few whole numbers: most windows have several largest entries. All below 0: padding must not be the largest.
    for kind, x in {"normal": normal(3, 2, *sizes), "ties": torch.tensor(reference.rng.integers(-3, 0, (3, 2, *sizes)) * 1.0, requires_grad=True)}.items():
        gradients(f"max/{name}-{kind}", largest(x, size, stride, padding), {"x": x})
    for count_padding in (True, False):
        x = normal(3, 2, *sizes)
        gradients(f"average/{name}-{count_padding}", average(x, size, stride, padding, count_include_pad=count_padding), {"x": x})

x = normal(3, 2, 5, 4)
gradients("global/average", functional.adaptive_avg_pool2d(x, 1)[:, :, 0, 0], {"x": x})
x = torch.tensor(reference.rng.integers(-3, 0, (3, 2, 5, 4)) * 1.0, requires_grad=True)
gradients("global/max", functional.adaptive_max_pool2d(x, 1)[:, :, 0, 0], {"x": x})

reference.write("cnn")
