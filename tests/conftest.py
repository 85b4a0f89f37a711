"""Find every layer, activation, loss, optimizer and initializer of nnlib, so that none goes untested.

A test that asks for a ``layer_class``, ``activation_class``, ``loss_name``, ``optimizer_class`` or ``initializer_name``
runs once for each.
"""

import random

import hypothesis
import numpy as np
import pytest
from discovery import found
from joblib.externals.loky import get_reusable_executor

# The same examples on every machine, and no time limit on a machine that is busy.
hypothesis.settings.register_profile("book", deadline=None, derandomize=True, database=None, max_examples=40)
hypothesis.settings.load_profile("book")


def pytest_sessionfinish():
    """Let no worker process outlive the tests: a program that runs them within itself would take its end for that of its own children."""
    get_reusable_executor().shutdown()


def pytest_xdist_make_scheduler(config, log):
    """The tests of one file share a process, but for the chapters in JupyterLab: they are long, and the processes take one at a time, last of all."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return nodeid if "test_lab.py::" in nodeid else super()._split_scope(nodeid)

    return Scheduling(config, log)


def pytest_generate_tests(metafunc):
    for name, things in found().items():
        if name not in metafunc.fixturenames:
            continue
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
