"""A state comes back bit for bit, whole or not at all, and without pickle."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnlib import checkpoints
from nnlib.layers import Sequential
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import Adam
from nnlib.regularizers import BatchNorm, Dropout

names = st.text(min_size=1, max_size=5).filter(lambda name: "/" not in name and name != checkpoints.REST and name.isprintable())
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.floats(allow_nan=False))
array = arrays.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.bool_]), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))
states = st.recursive(st.dictionaries(names, plain | array), lambda inside: st.dictionaries(names, inside | plain | array), max_leaves=6)


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return type(one) is type(other) and one == other


@given(state=states)
def test_a_state_comes_back(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("states") / "state.npz"
    checkpoints.save(path, state)
    assert same(checkpoints.load(path), state)
    assert os.listdir(path.parent) == ["state.npz"]


def test_numbers_that_are_not_finite_come_back(tmp_path):
    state = {"x": np.array([np.nan, np.inf, -0.0]), "loss": [float("inf"), float("nan")]}
    checkpoints.save(tmp_path / "odd.npz", state)
    again = checkpoints.load(tmp_path / "odd.npz")
    assert again["x"].tobytes() == state["x"].tobytes() and repr(again["loss"]) == "[inf, nan]"


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_a_generator_goes_on(kind, tmp_path):
    generator, other = np.random.Generator(kind(5)), np.random.Generator(kind(6))
    generator.random(3), generator.integers(2, dtype=np.uint32)
    checkpoints.save(tmp_path / "generator.npz", generator.bit_generator.state)
    other.bit_generator.state = checkpoints.load(tmp_path / "generator.npz")
    assert other.random(5).tolist() == generator.random(5).tolist()


def net(seed, hidden=4):
    return Sequential(Dense(3, hidden, seed=seed), BatchNorm(hidden), Dropout(0.5, seed=seed), Dense(hidden, 2, seed=seed))


def test_a_model_and_its_optimizer_go_on_by_name(tmp_path, rng):
    x, model, optimizer = rng.normal(size=(6, 3)), net(0), Adam(0.1)

    def train(model, optimizer):
        y, backward = model.forward(x, training=True)
        backward(np.ones_like(y))
        optimizer.step(model.theta, model.grad)

    train(model, optimizer)
    checkpoints.save(tmp_path / "model.npz", {"model": model.state(), "optimizer": optimizer.state()})
    assert "model/layers.0.W" in np.load(tmp_path / "model.npz").files
    other, again = net(1), Adam()
    state = checkpoints.load(tmp_path / "model.npz")
    other.restore(state["model"]), again.restore(state["optimizer"])
    model.grad[:] = 0
    train(model, optimizer), train(other, again)
    np.testing.assert_array_equal(other.theta, model.theta)
    assert same(other.state(), model.state()) and same(again.state(), optimizer.state())


@pytest.mark.parametrize("other", [net(1, hidden=5), MLP([3, 4, 2], seed=0)], ids=["shapes", "names"])
def test_another_model_refuses_and_is_as_it_was(other, tmp_path):
    checkpoints.save(tmp_path / "model.npz", net(0).state())
    before = other.state()
    with pytest.raises(ValueError, match=r"layers.0.W has shape \(5, 3\), got \(4, 3\)|MLP has a state named"):
        other.restore(checkpoints.load(tmp_path / "model.npz"))
    assert same(other.state(), before)


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({"a": object()}, TypeError, "object is not JSON serializable"),
        ({"a": [np.ones(2)]}, TypeError, "ndarray is not JSON serializable"),
        ({"in": {"a": np.array([None])}}, TypeError, "in/a is an array of Python objects, which only pickle could write"),
        ({1: 2}, TypeError, "names in a state are texts, got 1"),
        ({"a/b": 2}, ValueError, "'a/b' cannot be a name in a state"),
        ({"": 2}, ValueError, "'' cannot be a name in a state"),
        ({"state.json": np.ones(2)}, ValueError, "'state.json' cannot be a name in a state"),
    ],
)
def test_what_cannot_be_written_is_refused_and_the_file_stays(state, error, message, tmp_path):
    checkpoints.save(tmp_path / "state.npz", {"x": 1})
    with pytest.raises(error, match=message):
        checkpoints.save(tmp_path / "state.npz", state)
    assert checkpoints.load(tmp_path / "state.npz") == {"x": 1}
    assert os.listdir(tmp_path) == ["state.npz"]


def test_a_write_that_is_cut_off_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    checkpoints.save(tmp_path / "state.npz", {"x": np.zeros(3)})

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(tmp_path / "state.npz", {"x": np.ones(3)})
    assert checkpoints.load(tmp_path / "state.npz")["x"].tolist() == [0, 0, 0]
    assert sorted(os.listdir(tmp_path)) == ["state.npz", "state.npz.unfinished"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "file.npz"
    with pytest.raises(FileNotFoundError):
        checkpoints.load(path)
    path.write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(ValueError, match=r"file.npz was not written by checkpoints.save, or not to its end: it is no .npz file"):
        checkpoints.load(path)
    np.savez(path, x=np.ones(2))
    with pytest.raises(ValueError, match=r"file.npz was not written by checkpoints.save: it has no state.json, but \['x'\]"):
        checkpoints.load(path)
    checkpoints.save(path, {"x": np.ones(2)})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="or not to its end"):
        checkpoints.load(path)


def test_no_pickle_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "state.npz", "w") as file:
        file.writestr("state.json", "{}")
        with file.open("x.npy", "w") as member:
            np.lib.format.write_array(member, np.array([print]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        checkpoints.load(tmp_path / "state.npz")
