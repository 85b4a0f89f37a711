"""Find every layer, activation, loss, optimizer and initializer of nnlib, so that none goes untested.

A test that asks for a ``layer_class``, ``activation_class``, ``loss_name``, ``optimizer_class`` or ``initializer_name``
runs once for each.
"""

import importlib
import pkgutil
import random

import hypothesis
import numpy as np
import pytest

import nnlib

# These define no mathematics, and some are slow to import.
SHOWING = {"explorers", "figures", "ledger", "page", "publishing"}
BASES = {"Layer", "Activation", "Optimizer"}

# The same examples on every machine, and no time limit on a machine that is busy.
hypothesis.settings.register_profile("book", deadline=None, derandomize=True, database=None, max_examples=40)
hypothesis.settings.load_profile("book")


def mathematics():
    """Every module of nnlib that computes."""
    names = [module.name for module in pkgutil.iter_modules(nnlib.__path__) if module.name not in SHOWING]
    return [importlib.import_module(f"nnlib.{name}") for name in names]


def family(base):
    """All classes below ``base``, at any depth, that nnlib defines; those that a test defines are left out."""
    below = {cls for child in base.__subclasses__() for cls in (child, *family(child))}
    return sorted(
        (cls for cls in below if cls.__module__.startswith("nnlib.") and cls.__name__ not in BASES),
        key=lambda cls: cls.__name__,
    )


def found():
    modules = {module.__name__.removeprefix("nnlib."): module for module in mathematics()}
    return {
        "layer_class": family(modules["layers"].Layer),
        "activation_class": family(modules["activations"].Activation),
        "optimizer_class": family(modules["optimizers"].Optimizer),
        "loss_name": modules["losses"].__all__,
        "initializer_name": modules["initializers"].names(),
    }


def pytest_generate_tests(metafunc):
    wanted = {"layer_class", "activation_class", "optimizer_class", "loss_name", "initializer_name"} & set(metafunc.fixturenames)
    for name in wanted:
        things = found()[name]
        metafunc.parametrize(name, things, ids=[getattr(thing, "__name__", thing) for thing in things])


@pytest.fixture
def rng():
    return np.random.default_rng(2026)


@pytest.fixture
def global_generators_rest():
    """Fail where NumPy's or Python's global generator is not afterwards as it was before."""

    def states():
        _, numbers, *rest = np.random.get_state()  # noqa: NPY002
        return numbers.tolist(), rest, random.getstate()

    before = states()
    yield
    assert states() == before


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """A page in the folder ``notebooks`` of a book that is being built; the value is the folder of its pictures."""
    monkeypatch.setenv("NNLIB_PUBLISH", str(tmp_path / "site" / "_media"))
    monkeypatch.setenv("NNLIB_SOURCE", str(tmp_path / "source"))
    (tmp_path / "source" / "notebooks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "source" / "notebooks")
    return tmp_path / "site" / "_media"
