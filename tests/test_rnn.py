"""Cells against SymPy and PyTorch, the fast layers against the plain loop, time cut in pieces, and bad input."""

import copy

import numpy as np
import pytest
import sympy as sp
from discovery import Stored
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from nnlib import symbolic
from nnlib.backprop import numerical_gradient, value_and_grad
from nnlib.layers import Sequential
from nnlib.losses import mse
from nnlib.mlp import Dense
from nnlib.rnn import GRU, LSTM, RNN, Cell, GRUCell, LSTMCell, Recurrent, RNNCell

# The fast layers, with what chooses their cell.
FAST = {
    "rnn_tanh": (RNN, "tanh"),
    "rnn_relu": (RNN, "relu"),
    "lstm": (LSTM, 0.5),
    "gru": (GRU, "after"),
    "gru_before": (GRU, "before"),
}
KINDS = pytest.mark.parametrize("kind", FAST)


def make(kind, n_in=2, n_hidden=3, *, dtype=np.float64, seed=0, **options):
    """A fast layer with all θ random, also the biases."""
    layer_class, choice = FAST[kind]
    layer = layer_class(n_in, n_hidden, choice, seed=seed, **options)
    layer.theta[:] = np.random.default_rng(seed).normal(size=layer.theta.shape) / 2
    return layer.astype(dtype)


def plain(layer):
    """Its twin: the same cell in the plain loop."""
    return Recurrent(copy.deepcopy(layer.cell), return_sequences=layer.return_sequences, bptt_steps=layer.bptt_steps)


def sequences(layer, rng, batch=3, time=5):
    """x, an initial state, ∂L/∂hs and ∂L/∂(final state); the layer may write to none of them."""
    n_hidden, n_in, dtype = layer.cell.U.shape[1], layer.cell.W.shape[1], layer.theta.dtype

    def normal(*shape):
        array = rng.normal(size=shape).astype(dtype)
        array.setflags(write=False)
        return array

    state, dstate = (tuple(normal(batch, n_hidden) for _ in layer.cell.states) for _ in range(2))
    return normal(batch, time, n_in), state, normal(batch, time, n_hidden), dstate


def all_of(layer, x, state, dhs, dstate):
    """hs, the final state, ∂L/∂x, ∂L/∂(initial state) and ∂L/∂θ."""
    layer.grad[:] = 0
    hs, final, backward = layer.run(x, state)
    dx, dinitial = backward(dhs, dstate)
    return [hs, *final, dx, *dinitial, layer.grad.copy()]


def same(one, other, tolerance=1e-12):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# --- the equations ----------------------------------------------------------------------------------------------------


# A cell, and its twin as a function of x, the state, and W, U, b (and b_U).
CELLS = {
    "rnn_tanh": (lambda: RNNCell(1, 2, "tanh", seed=0), lambda *of: (symbolic.rnn_cell(*of, "tanh"),)),
    "rnn_relu": (lambda: RNNCell(1, 2, "relu", seed=0), lambda *of: (symbolic.rnn_cell(*of, "relu"),)),
    "lstm": (lambda: LSTMCell(1, 2, seed=0), symbolic.lstm_cell),
    "gru": (lambda: GRUCell(1, 2, "after", seed=0), lambda *of: (symbolic.gru_cell(*of),)),
    "gru_before": (lambda: GRUCell(1, 2, "before", seed=0), lambda *of: (symbolic.gru_cell(*of),)),
}


@pytest.mark.parametrize("kind", CELLS)
def test_one_step_and_its_gradients_equal_those_of_its_twin(kind, rng):
    """state′, and its derivative by every weight, bias, input and entry of the state, derived by SymPy."""
    cell, twin = CELLS[kind][0](), CELLS[kind][1]
    cell.theta[:] = rng.normal(size=cell.theta.shape)
    theta = [symbolic.matrix("W", len(cell.W), 1), symbolic.matrix("U", len(cell.U), 2), symbolic.vector("b", len(cell.b))]
    theta += [symbolic.vector("d", 2)] if "b_U" in cell.parameters else []
    x, state = symbolic.vector("x", 1), [symbolic.vector(name, 2) for name in cell.states]
    after = twin(x, *state, *theta)

    numbers, dstate = (tuple(rng.normal(size=(len(state), 1, 2))) for _ in range(2))
    x_number = rng.normal(size=(1, 1))
    at = {x: x_number, **dict(zip([*state, *theta], [*numbers, *(getattr(cell, name) for name in cell.parameters)], strict=True))}
    state_next, backward = cell.step(x_number, numbers)
    symbolic.check(sp.Matrix.vstack(*after), at, np.concatenate(state_next, axis=None))
    dx, dinitial = backward(dstate)
    loss = sum(d * s for d, s in zip(np.ravel(dstate).tolist(), sp.Matrix.vstack(*after), strict=True))
    symbols = [s for part in (*theta, x, *state) for s in part]
    symbolic.check(sp.Matrix([sp.diff(loss, s) for s in symbols]), at, np.concatenate([cell.grad, *dx, *dinitial], axis=None))


STORED = Stored("rnn")


@pytest.mark.parametrize("kind", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
@pytest.mark.parametrize("twin", [False, True], ids=["fast", "plain"])
def test_layers_are_those_of_pytorch(kind, twin):
    """PyTorch has two biases: their sum is b, but for the part of the GRU's that the reset multiplies."""
    torch, n_in, n = STORED.below(kind), 2, 4
    layer = plain(make(kind, n_in, n)) if twin else make(kind, n_in, n)
    cell = layer.cell
    cell.W, cell.U, cell.b = torch["W"], torch["U"], torch["b"] + torch["b_U"]
    if kind == "gru":
        cell.b[2 * n :], cell.b_U = torch["b"][2 * n :], torch["b_U"][2 * n :]
    states = cell.states
    hs, final, backward = layer.run(torch["x"], tuple(torch[f"{name}_0"][0] for name in states))
    dx, dinitial = backward(torch["dhs"], tuple(torch[f"d{name}"][0] for name in states))
    same([hs, *final], [torch["hs"], *(torch[name][0] for name in states)])
    same([dx, *dinitial], [torch["dx"], *(torch[f"d{name}_0"][0] for name in states)])
    same([cell.dW, cell.dU, cell.db], [torch["dW"], torch["dU"], torch["db"]])
    if kind == "gru":
        same([cell.db_U], [torch["db_U"][2 * n :]])


@KINDS
def test_gradients_of_initial_and_final_state_are_those_of_central_differences(kind, rng):
    layer = make(kind)
    x, state, dhs, dstate = sequences(layer, rng)
    sizes = np.cumsum([part.size for part in (x, *state)])[:-1]

    def loss(flat):
        at, *start = (part.reshape(like.shape) for part, like in zip(np.split(flat, sizes), (x, *state), strict=True))
        hs, final, _ = layer.run(at, tuple(start))
        return float((hs * dhs).sum() + sum((a * b).sum() for a, b in zip(final, dstate, strict=True)))

    _, _, backward = layer.run(x, state)
    dx, dinitial = backward(dhs, dstate)
    flat = np.concatenate([part.ravel() for part in (x, *state)])
    differences = numerical_gradient(loss, flat)
    np.testing.assert_allclose(np.concatenate([part.ravel() for part in (dx, *dinitial)]), differences, rtol=1e-7, atol=1e-8)


# --- the fast layers and the plain loop -------------------------------------------------------------------------------


@given(
    st.sampled_from(sorted(FAST)),
    st.tuples(*[st.integers(1, 4)] * 2),
    st.tuples(st.integers(1, 4), st.integers(1, 7)),
    st.sampled_from([None, 1, 2, 3, 9]),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_fast_layers_equal_the_plain_loop(kind, sizes, shape, bptt_steps, dtype):
    layer = make(kind, *sizes, dtype=dtype, bptt_steps=bptt_steps)
    given = sequences(layer, np.random.default_rng(1), *shape)
    fast, slow = all_of(layer, *given), all_of(plain(layer), *given)
    same(fast, slow, tolerance=1e-12 if dtype == np.float64 else 2e-5)
    assert {array.dtype for array in (*fast, *slow)} == {np.dtype(dtype)}
    assert all(array.flags.c_contiguous for array in fast)


@KINDS
@pytest.mark.parametrize("twin", [False, True], ids=["fast", "plain"])
def test_return_sequences_gives_all_or_the_last(kind, twin, rng):
    for every in (False, True):
        layer = make(kind, return_sequences=every)
        layer = plain(layer) if twin else layer
        x, _, dhs, (dh, *more) = sequences(layer, rng)
        hs, final, through = layer.run(x)
        dx, _ = through(dhs) if every else through(None, (dh, *(0 * part for part in more)))
        grad = layer.grad.copy()
        same([final[0]], [hs[:, -1]], tolerance=0)

        y, backward = layer.forward(x)
        same([y], [hs if every else hs[:, -1]], tolerance=0)
        assert y.flags.c_contiguous
        for want_dx in (True, False):
            layer.grad[:] = 0
            found = backward(dhs if every else dh, want_dx=want_dx)
            same([layer.grad, found if want_dx else dx], [grad, dx], tolerance=0)
            assert want_dx or found is None


@KINDS
def test_what_is_not_given_counts_as_zero(kind, rng):
    layer = make(kind)
    x, state, dhs, _ = sequences(layer, rng)
    zero = tuple(0 * part for part in state)
    same(all_of(layer, x, None, dhs, None), all_of(layer, x, zero, dhs, zero), tolerance=0)
    for each in (layer, plain(layer)):
        same(all_of(each, x, state, None, state), all_of(each, x, state, 0 * dhs, state), tolerance=1e-14)
        dx, dinitial = each.run(x, state)[2](dhs, want_dx=False)
        assert dx is None
        same(dinitial, each.run(x, state)[2](dhs)[1], tolerance=0)


@KINDS
def test_gates_that_are_wide_open_or_shut_do_not_overflow(kind, rng):
    layer = make(kind)
    layer.theta[:] = 500 * rng.choice([-1, 1], layer.theta.shape)
    given = sequences(layer, rng, time=2)
    same(all_of(layer, *given), all_of(plain(layer), *given))


@KINDS
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 1), (1, 3, 1), (3, 5, 3)])
def test_what_was_given_back_belongs_to_the_caller(kind, sizes, rng):
    batch, time, n_hidden = sizes
    layer = make(kind, 2, n_hidden)
    x, state, dhs, dstate = sequences(layer, rng, batch, time)
    expected = all_of(layer, x, state, dhs, dstate)
    layer.grad[:] = 0
    hs, final, backward = layer.run(x, state)
    for array in (hs, *final):
        array[...] = 7.0
    dx, dinitial = backward(dhs, dstate)
    same([dx, *dinitial, layer.grad], expected[1 + len(state) :], tolerance=0)
    for every in (False, True):
        y, backward = (other := make(kind, 2, n_hidden, return_sequences=every)).forward(x)
        expected, other.grad[:] = backward(0 * y + 1), 0
        y[...] = 7.0
        same([backward(0 * y + 1)], [expected], tolerance=0)


# --- time cut in pieces -----------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("split", [1, 2, 4])
@pytest.mark.parametrize("twin", [False, True], ids=["fast", "plain"])
def test_two_halves_with_the_state_handed_over_are_the_whole(kind, split, twin, rng):
    layer = plain(make(kind)) if twin else make(kind)
    x, state, dhs, dstate = sequences(layer, rng)
    whole = all_of(layer, x, state, dhs, dstate)

    layer.grad[:] = 0
    first, middle, back_first = layer.run(x[:, :split], state)
    second, final, back_second = layer.run(x[:, split:], middle)
    dx_second, dmiddle = back_second(dhs[:, split:], dstate)
    dx_first, dinitial = back_first(dhs[:, :split], dmiddle)
    halves = [
        np.concatenate([first, second], axis=1),
        *final,
        np.concatenate([dx_first, dx_second], axis=1),
        *dinitial,
        layer.grad,
    ]
    same(halves, whole)


@KINDS
@pytest.mark.parametrize(("steps", "windows"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (5, [0, 5]), (6, [0, 6])])
@pytest.mark.parametrize("twin", [False, True], ids=["fast", "plain"])
def test_truncation_holds_the_state_constant_where_it_cuts(kind, steps, windows, twin, rng):
    """Seven steps: the sum over windows, each from the state that the one before has left, is what the cut way back gives."""
    whole = make(kind)
    layer = make(kind, bptt_steps=steps)
    layer = plain(layer) if twin else layer
    x, state, dhs, dstate = sequences(layer, rng, time=7)
    cut = all_of(layer, x, state, dhs, dstate)

    at, hs, dxs, starts = state, [], [], []
    for start, stop in zip(windows, [*windows[1:], 7], strict=True):
        h, at, backward = whole.run(x[:, start:stop], at)
        dx, dstart = backward(dhs[:, start:stop], dstate if stop == 7 else None)
        hs.append(h), dxs.append(dx), starts.append(dstart)
    expected = [np.concatenate(hs, axis=1), *at, np.concatenate(dxs, axis=1), *starts[0], whole.grad]
    same(cut, expected)
    full = all_of(make(kind), x, state, dhs, dstate)
    same(cut[: 1 + len(state)], full[: 1 + len(state)])
    assert np.abs(cut[-1] - full[-1]).max() > 1e-6


@KINDS
@pytest.mark.parametrize("steps", [7, 8])
def test_truncation_as_long_as_the_sequence_cuts_nothing(kind, steps, rng):
    given = sequences(make(kind), rng, time=7)
    for change in (lambda layer: layer, plain):
        same(all_of(change(make(kind, bptt_steps=steps)), *given), all_of(change(make(kind)), *given), tolerance=0)


# --- what it is for ---------------------------------------------------------------------------------------------------


def test_a_relu_network_that_starts_at_the_identity_adds_up_its_input(rng):
    rnn = RNN(1, 3, "relu", seed=0, initializer=lambda shape, rng: np.eye(*shape), return_sequences=True)
    rnn.cell.W = np.ones((3, 1))
    x = rng.uniform(size=(2, 200, 1))
    hs, backward = rnn.forward(x)
    np.testing.assert_allclose(hs, np.repeat(np.cumsum(x, axis=1), 3, axis=2), rtol=1e-12)
    dh = np.zeros_like(hs)
    dh[:, -1] = 1
    np.testing.assert_array_equal(backward(dh), np.full_like(x, 3))


def test_an_open_forget_gate_carries_the_error_without_loss(rng):
    lstm = LSTM(2, 3, forget_bias=100.0, seed=0, initializer="zeros")
    _, (_, c), backward = lstm.run(rng.normal(size=(1, 300, 2)))
    _, (_, dc) = backward(None, (np.zeros_like(c), np.ones_like(c)))
    np.testing.assert_array_equal(dc, np.ones_like(c))


@pytest.mark.parametrize("f", ["tanh", "relu"])
def test_the_product_of_the_state_jacobians_is_the_jacobian_of_the_last_state_by_the_first(f, rng):
    rnn = make(f"rnn_{f}", 2, 3)
    x, (h,), _, _ = sequences(rnn, rng, batch=2, time=4)
    J = rnn.state_jacobians(x, (h,))
    assert J.shape == (2, 4, 3, 3)
    for k in range(2):
        product = J[k, 3] @ J[k, 2] @ J[k, 1] @ J[k, 0]
        for i in range(3):
            by_differences = numerical_gradient(lambda at, k=k, i=i: rnn.run(x[k : k + 1], (at[None],))[1][0][0, i], h[k])
            np.testing.assert_allclose(product[i], by_differences, rtol=1e-7, atol=1e-9)
    same([rnn.state_jacobians(x)], [rnn.state_jacobians(x, (np.zeros((2, 3)),))], tolerance=0)


@KINDS
def test_a_trace_shows_each_gate_and_state(kind, rng):
    layer = make(kind)
    x, state, _, _ = sequences(layer, rng)
    trace = layer.trace(x, state)
    hs, final, _ = layer.run(x, state)
    same([trace["h"], *(trace[name][:, -1] for name in layer.cell.states)], [hs, *final])
    assert all(values.shape == hs.shape for values in trace.values())
    same([values[:, :1] for values in trace.values()], layer.trace(x[:, :1], state).values())
    same(layer.trace(x).values(), layer.trace(x, tuple(0 * part for part in state)).values(), tolerance=0)

    def before(name, initial):
        return np.concatenate([initial[:, None], trace[name][:, :-1]], axis=1)

    h = before("h", state[0])
    z = np.split(x @ layer.cell.W.T + h @ layer.cell.U.T + layer.cell.b, len(layer.cell.b) // 3, axis=2)
    if kind == "lstm":
        assert list(trace) == ["i", "f", "g", "o", "h", "c"]
        i, f, g, o = expit(z[0]), expit(z[1]), np.tanh(z[2]), expit(z[3])
        same([*trace.values()], [i, f, g, o, o * np.tanh(trace["c"]), f * before("c", state[1]) + i * g])
    elif kind.startswith("gru"):
        assert list(trace) == ["r", "z", "n", "h"]
        same([trace["r"], trace["z"]], [expit(z[0]), expit(z[1])])
        same([trace["h"]], [(1 - trace["z"]) * trace["n"] + trace["z"] * h])
    else:
        assert list(trace) == ["h"]


def test_a_network_that_must_remember_learns_to(rng):
    """The first of five numbers is asked for; what the last layer sees has gone through five steps."""
    x = rng.choice([-1.0, 1.0], size=(32, 5, 1))
    model = Sequential(GRU(1, 8, seed=0), Dense(8, 1, seed=1))
    before = value_and_grad(model, mse, x, x[:, 0])[0]
    for _ in range(300):
        model.theta -= 0.1 * value_and_grad(model, mse, x, x[:, 0])[1]
    assert mse(model(x), x[:, 0])[0] < 0.02 < before


# --- first values and names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell_class", "n_gates"), [(RNNCell, 1), (LSTMCell, 4), (GRUCell, 3)])
def test_each_gate_starts_by_itself(cell_class, n_gates):
    cell = cell_class(200, 100, seed=3)
    assert cell.W.shape == (n_gates * 100, 200) and cell.U.shape == (n_gates * 100, 100)
    for W, U in zip(np.split(cell.W, n_gates), np.split(cell.U, n_gates), strict=True):
        assert W.var() == pytest.approx(2 / 300, rel=0.04)
        np.testing.assert_allclose(U @ U.T, np.eye(100), atol=1e-12)
    assert len({U[0, 0] for U in np.split(cell.U, n_gates)}) == n_gates
    np.testing.assert_array_equal(cell.theta, cell_class(200, 100, seed=np.random.default_rng(3)).theta)
    assert (cell.W != cell_class(200, 100, seed=4).W).all()
    assert not cell_class(2, 3, seed=0, initializer="zeros").U.any()


def test_biases_start_at_zero_but_for_the_forget_gate():
    assert not RNNCell(2, 3, seed=0).b.any() and not GRUCell(2, 3, seed=0).b.any()
    assert LSTMCell(2, 3, seed=0).b.tolist() == [0] * 3 + [1] * 3 + [0] * 6
    assert LSTM(2, 3, -0.5, seed=0).cell.b.tolist() == [0] * 3 + [-0.5] * 3 + [0] * 6
    assert GRUCell(2, 3, seed=0).b_U.tolist() == [0] * 3
    assert GRUCell(2, 3, "before", seed=0).parameters == ("W", "U", "b")


def test_defaults_are_as_said():
    assert RNN(2, 3, seed=0).cell.f == "tanh" and GRU(2, 3, seed=0).cell.reset == "after"
    assert GRUCell(2, 3, seed=0).reset == "after" and RNNCell(2, 3, seed=0).f == "tanh"
    for layer in (RNN(2, 3, seed=0), LSTM(2, 3, seed=0), GRU(2, 3, seed=0), Recurrent(RNNCell(2, 3, seed=0))):
        assert layer.return_sequences is False and layer.bptt_steps is None
    for layer_class, cell_class in ((RNN, RNNCell), (LSTM, LSTMCell), (GRU, GRUCell)):
        layer = layer_class(2, 3, seed=5)
        np.testing.assert_array_equal(layer.theta, cell_class(2, 3, seed=5).theta)
        np.testing.assert_array_equal(layer_class(2, 3, seed=5, initializer="lecun").theta, cell_class(2, 3, seed=5, initializer="lecun").theta)
    assert repr(LSTM(2, 3, seed=0)) == "LSTM(LSTMCell(2, 3))"
    numbers = [np.int64(n) for n in (2, 3, 4)]
    assert GRU(*numbers[:2], seed=0, bptt_steps=numbers[2]).theta.shape == GRU(2, 3, seed=0).theta.shape


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_as_a_layer_takes_its_first_step(kind, rng):
    cell, x, dh = CELLS[kind][0](), rng.normal(size=(4, 1)), rng.normal(size=(4, 2))
    h, backward = cell.forward(x)
    state, through = cell.step(x, cell.start(4))
    assert [part.shape for part in cell.start(4)] == [(4, 2)] * len(cell.states) and not any(map(np.any, cell.start(4)))
    dx, _ = through((dh, *(np.zeros_like(dh) for _ in state[1:])))
    same([h, backward(dh)], [state[0], dx], tolerance=0)


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: RNNCell(0, 2, seed=0), ValueError, "RNNCell needs whole numbers ≥ 1 of inputs and hidden units, got n_in=0, n_hidden=2"),
        (lambda: LSTM(2, 2.5, seed=0), ValueError, "LSTMCell needs whole numbers ≥ 1 .*, got n_in=2, n_hidden=2.5"),
        (lambda: GRU(2, "3", seed=0), ValueError, "GRUCell needs whole numbers ≥ 1 .*, got n_in=2, n_hidden='3'"),
        (lambda: GRU(2, 0, seed=0), ValueError, "got n_in=2, n_hidden=0"),
        (lambda: RNN(2, 3, seed=None), ValueError, "RNNCell needs a seed"),
        (lambda: RNN(2, 3, "sigmoid", seed=0), ValueError, "unknown activation 'sigmoid' of an RNN; known are tanh, relu"),
        (lambda: GRU(2, 3, "during", seed=0), ValueError, "unknown reset 'during' of a GRU; known are after, before"),
        (lambda: LSTM(2, 3, np.nan, seed=0), ValueError, "forget_bias must be a finite number, got nan"),
        (lambda: LSTM(2, 3, seed=0, initializer="one"), ValueError, "unknown initializer 'one'; known are he"),
        (
            lambda: RNN(2, 3, seed=0, initializer=lambda shape, rng: np.ones(3)),
            ValueError,
            r"RNNCell expects initial weights of shape \(3, 3\), got \(3,\)",
        ),
        (lambda: Recurrent(Dense(2, 3, seed=0)), TypeError, r"Recurrent expects a cell, got Dense\(2, 3\)"),
        (lambda: RNN(2, 3, seed=0, bptt_steps=0), ValueError, "bptt_steps must be a whole number ≥ 1, or None, got 0"),
        (lambda: GRU(2, 3, seed=0, bptt_steps=1.5), ValueError, "bptt_steps must be a whole number ≥ 1, or None, got 1.5"),
    ],
)
def test_impossible_networks_are_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_a_cell_without_a_step_says_so():
    with pytest.raises(TypeError, match=r"Cell defines no step\(x, state\)"):
        Cell(2, 3, 1, seed=0, initializer="zeros")(np.ones((1, 2)))
    assert Cell(2, 3, 1, seed=0, initializer="zeros").gates(np.ones((1, 2)), ()) == {}


@pytest.mark.parametrize("kind", [*FAST, "plain"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((4, 0, 2)), ValueError, r"\(batch, time, 2\) with batch and time ≥ 1, got \(4, 0, 2\)"),
        (np.ones((0, 5, 2)), ValueError, r"got \(0, 5, 2\)"),
        (np.ones((4, 5, 3)), ValueError, r"Cell\(2, 3\)\) expects inputs of shape \(batch, time, 2\) .*, got \(4, 5, 3\)"),
        (np.ones((5, 2)), ValueError, r"got \(5, 2\)"),
        (np.ones((1, 4, 5, 2)), ValueError, r"got \(1, 4, 5, 2\)"),
        (np.ones((4, 5, 2), np.float32), TypeError, "has float64 weights and expects float64 inputs, got float32"),
        ([[[1.0, 2.0]]], TypeError, "expects an array, got list"),
    ],
)
def test_wrong_inputs_are_refused_and_nothing_changes(kind, x, error, message):
    layer = plain(make("lstm")) if kind == "plain" else make(kind)
    before = layer.theta.copy()
    for call in (layer, layer.forward, layer.run, layer.trace):
        with pytest.raises(error, match=message):
            call(x)
    np.testing.assert_array_equal(layer.theta, before)
    assert not layer.grad.any()


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (
            lambda h: (h,),
            ValueError,
            r"LSTM\(LSTMCell\(2, 3\)\) expects a state \('h', 'c'\) of shape \(4, 3\) each, got \[\(4, 3\)\]",
        ),
        (lambda h: (h, h, h), ValueError, r"got \[\(4, 3\), \(4, 3\), \(4, 3\)\]"),
        (lambda h: (h, h[:2]), ValueError, r"of shape \(4, 3\) each, got \[\(4, 3\), \(2, 3\)\]"),
        (lambda h: (h[:, :2], h), ValueError, r"got \[\(4, 2\), \(4, 3\)\]"),
        (lambda h: h, TypeError, r"expects its state as a tuple of arrays \('h', 'c'\), got array"),
        (lambda h: (h, None), TypeError, r"as a tuple of arrays \('h', 'c'\), got \(array"),
        (
            lambda h: (h, h.astype(np.float32)),
            TypeError,
            r"has float64 weights and expects a float64 state, got \['float64', 'float32'\]",
        ),
    ],
)
def test_wrong_states_are_refused(state, error, message):
    layer, h = make("lstm"), np.zeros((4, 3))
    for call in (layer.run, layer.trace):
        with pytest.raises(error, match=message):
            call(np.ones((4, 5, 2)), state(h))
    with pytest.raises(error, match=message.replace(r"LSTM\(LSTMCell\(2, 3\)\)", r"LSTMCell\(2, 3\)")):
        layer.cell.step(np.ones((4, 2)), state(h))


@pytest.mark.parametrize("kind", CELLS)
def test_wrong_inputs_of_a_cell_are_refused(kind):
    cell = CELLS[kind][0]()
    for x in (np.ones((4, 3)), np.ones((0, 1)), np.ones(1), np.ones((4, 5, 1))):
        for call in (cell, cell.forward, lambda x: cell.step(x, cell.start(4))):
            with pytest.raises(ValueError, match=r"Cell\(1, 2\) expects inputs of shape \(batch, 1\) with batch ≥ 1, got \("):
                call(x)
    with pytest.raises(TypeError, match="expects float64 inputs, got int64"):
        cell.step(np.ones((4, 1), int), cell.start(4))
    with pytest.raises(ValueError, match=r"of shape \(4, 2\) each, got"):
        cell.step(np.ones((4, 1)), cell.start(3))
