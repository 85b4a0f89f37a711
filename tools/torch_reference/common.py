"""What PyTorch computes for the same numbers as nnlib, in float64, written to tests/data/torch_<name>.npz.

PyTorch is no dependency of the book. Run a script by hand, in an environment of its own, when something is added to it:

    python -m venv torch-env
    torch-env/bin/pip install torch==2.13.0 numpy
    torch-env/bin/python tools/torch_reference/cnn.py
"""

from pathlib import Path

import numpy as np
import torch

torch.set_default_dtype(torch.float64)


class Reference:
    """The arrays of one file."""

    def __init__(self, seed=2026):
        self.rng = np.random.default_rng(seed)
        self.found: dict[str, np.ndarray] = {"torch": np.array(torch.__version__)}

    def normal(self, *shape):
        return torch.tensor(self.rng.normal(size=shape), requires_grad=True)

    def store(self, name, **tensors):
        self.found.update({f"{name}/{key}": tensor.detach().numpy().copy() for key, tensor in tensors.items()})

    def gradients(self, name, y, inputs):
        """Store y, a random ∂L/∂y, and the gradients of all inputs that follow from it."""
        dy = self.normal(*y.shape)
        self.store(name, y=y, dy=dy, **inputs)
        found = torch.autograd.grad(y, list(inputs.values()), dy)
        self.store(name, **{f"d{key}": gradient for key, gradient in zip(inputs, found, strict=True)})

    def write(self, name):
        file = Path(__file__).parents[2] / "tests" / "data" / f"torch_{name}.npz"
        np.savez_compressed(file, **self.found)
        print(f"{file.name}: {len(self.found)} arrays, {file.stat().st_size / 1024:.0f} KB, PyTorch {torch.__version__}")
