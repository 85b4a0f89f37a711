"""What there is to test: every layer, activation, loss, optimizer and initializer of nnlib, found by itself."""

import importlib
import importlib.util
import pkgutil
from pathlib import Path

import numpy as np

import nnlib

SHOWING = {"experiments", "explorers", "figures", "ledger", "page", "publishing"}  # what a page shows itself with; some are slow to import
MODULES = sorted(module.name for module in pkgutil.iter_modules(nnlib.__path__))
MATHEMATICS = sorted(set(MODULES) - SHOWING)
BASES = {"Layer", "Activation", "Optimizer", "Cell"}


def family(base):
    """All classes below ``base``, at any depth, of the mathematics; those that a test or an experiment defines are left out."""
    below = {cls for child in base.__subclasses__() for cls in (child, *family(child))}
    return sorted(
        (cls for cls in below if cls.__module__.removeprefix("nnlib.") in MATHEMATICS and cls.__name__ not in BASES and not cls.__name__.startswith("_")),
        key=lambda cls: cls.__name__,
    )


def found():
    """By the name of the fixture that runs a test once for each."""
    modules = {name: importlib.import_module(f"nnlib.{name}") for name in MATHEMATICS}
    return {
        "layer_class": family(modules["layers"].Layer),
        "activation_class": family(modules["activations"].Activation),
        "optimizer_class": family(modules["optimizers"].Optimizer),
        "loss_name": modules["losses"].__all__,
        "initializer_name": modules["initializers"].names(),
    }


def load(path):
    """A Python file that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Stored:
    """What PyTorch computed: the arrays of tests/data/torch_<name>.npz, written by tools/torch_reference/<name>.py."""

    def __init__(self, name):
        self.arrays = dict(np.load(Path(__file__).parent / "data" / f"torch_{name}.npz"))

    def below(self, path):
        """The arrays whose key starts with ``path/``, by the rest of the key."""
        return {key.removeprefix(path + "/"): array for key, array in self.arrays.items() if key.startswith(path + "/")}

    def names(self, path):
        """The next word of the keys that start with ``path/``."""
        return sorted({key.split("/")[0] for key in self.below(path)})


def compare_with_torch(model, stored, parameters, tolerance=1e-9):
    """Value, input gradient, and the gradient of each parameter, which ``parameters`` names in the order of θ."""
    for view, name in zip(model.named_parameters().values(), parameters, strict=True):
        view[...] = stored[name]
    y, backward = model.forward(stored["x"])
    dx = backward(stored["dy"])
    np.testing.assert_allclose(y, stored["y"], rtol=tolerance, atol=tolerance)
    if "dx" in stored:
        np.testing.assert_allclose(dx, stored["dx"], rtol=tolerance, atol=tolerance)
    start = 0
    for name in parameters:
        gradient = stored["d" + name]
        np.testing.assert_allclose(model.grad[start : start + gradient.size].reshape(gradient.shape), gradient, rtol=tolerance, atol=tolerance)
        start += gradient.size
