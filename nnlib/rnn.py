"""Recurrence: the same cell at every step of a sequence, with a state that it hands on to itself.

A cell is one step of time, and has a small contract of its own:

    state′, backward = cell.step(x, state)
    dx, dstate = backward(dstate′)

A state is a tuple, ``(h,)`` or ``(h, c)``. `Recurrent` runs any cell through time in a plain loop, and its way back is
backpropagation through time: the same loop in reverse. `RNN`, `LSTM` and `GRU` compute the same faster, with all gates in one product
and ∂L/∂θ of all steps in another; each step is a column of numbers there, so that U h stands in the code as it stands on the page.
"""

from __future__ import annotations

import numpy as np

from nnlib import initializers
from nnlib.activations import ReLU, Sigmoid, Tanh
from nnlib.layers import Layer

__all__ = ["GRU", "LSTM", "RNN", "Cell", "GRUCell", "LSTMCell", "RNNCell", "Recurrent"]

State = tuple[np.ndarray, ...]

ACTIVATIONS = {"tanh": Tanh(), "relu": ReLU()}  # both have f′(z) = f′(f(z)), so a step need not keep z
RESETS = ("after", "before")

_sigmoid = Sigmoid().f


class Cell(Layer):
    """One step of time: state′ = F(x, state; θ).

    A subclass computes ``step`` (and ``gates``, if it has any) from W x + U h + b, where W, U and b hold one block of rows for each
    gate. As a layer it takes its first step: x ↦ h′ from the state 0.

    Attributes
    ----------
    W : ndarray, shape (gates · hidden, n_in)
    U : ndarray, shape (gates · hidden, hidden)
    b : ndarray, shape (gates · hidden,)
    states : tuple of str
        What the state holds; ``h``, the output, stands first.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import Cell
    >>> class Integrator(Cell):
    ...     def step(self, x, state):
    ...         return (state[0] + x,), lambda dstate: (dstate[0], dstate)
    >>> cell = Integrator(1, 1, 1, seed=0, initializer="zeros")
    >>> state, backward = cell.step(np.array([[2.0]]), (np.array([[3.0]]),))
    >>> state
    (array([[5.]]),)
    """

    parameters: tuple[str, ...] = ("W", "U", "b")
    states: tuple[str, ...] = ("h",)
    W: np.ndarray
    U: np.ndarray
    b: np.ndarray
    dW: np.ndarray
    dU: np.ndarray
    db: np.ndarray

    def __init__(self, n_in: int, n_hidden: int, n_gates: int, *, seed, initializer):
        name = type(self).__name__
        if not all(isinstance(n, (int, np.integer)) and n >= 1 for n in (n_in, n_hidden)):
            raise ValueError(f"{name} needs whole numbers ≥ 1 of inputs and hidden units, got n_in={n_in!r}, n_hidden={n_hidden!r}")
        if seed is None:
            raise ValueError(f"{name} needs a seed or a numpy.random.Generator: without one, no run could be repeated")
        rng = np.random.default_rng(seed)
        W = [initializers.xavier((n_hidden, n_in), rng) for _ in range(n_gates)]
        U = [initializers.get(initializer)((n_hidden, n_hidden), rng) for _ in range(n_gates)]
        if {np.shape(block) for block in U} != {(n_hidden, n_hidden)}:
            raise ValueError(f"{name} expects initial weights of shape {(n_hidden, n_hidden)}, got {np.shape(U[0])} from {initializer!r}")
        more = {name: np.zeros(n_hidden) for name in self.parameters if name not in Cell.parameters}
        super().__init__(W=np.concatenate(W), U=np.concatenate(U), b=np.zeros(n_gates * n_hidden), **more)

    def step(self, x: np.ndarray, state: State):
        """Take x (batch, n_in) and a state of arrays (batch, hidden); return state′ and the function that maps ∂L/∂state′ to ∂L/∂x and
        ∂L/∂state, and adds ∂L/∂θ."""
        raise TypeError(f"{type(self).__name__} defines no step(x, state)")

    def gates(self, x: np.ndarray, state: State) -> dict[str, np.ndarray]:
        """The gates of one step by name, each (batch, hidden); a cell without gates has none."""
        return {}

    def start(self, batch: int) -> State:
        """The state 0 for so many sequences."""
        return tuple(np.zeros((batch, self.U.shape[1]), self.U.dtype) for _ in self.states)

    def forward(self, x, training=False):
        _check(self, self, x, ("batch",))
        (h, *rest), through = self.step(x, self.start(len(x)))

        def backward(dh):
            return through((dh, *map(np.zeros_like, rest)))[0]

        return h, backward

    def __repr__(self):
        return f"{type(self).__name__}({self.W.shape[1]}, {self.U.shape[1]})"


class RNNCell(Cell):
    """The simple recurrent cell: h′ = f(W x + U h + b).

    Parameters
    ----------
    n_in, n_hidden : int
        Sizes of x and of h.
    f : {"tanh", "relu"}
        The activation.
    seed : int or numpy.random.Generator
        Where the first W (Xavier) and U come from; b starts at 0.
    initializer : str or callable
        The first U: a name from `nnlib.initializers`, or a function of the shape and a generator. An orthogonal U keeps lengths. A ReLU
        network that starts at the identity, ``lambda shape, rng: np.eye(*shape)``, keeps h itself (Le, Jaitly and Hinton, 2015).

    Raises
    ------
    ValueError
        If a size is not positive, a name unknown, or an input or state not of the right shape.
    TypeError
        If an input or a state has another dtype than the weights.

    References
    ----------
    Elman (1990), Finding structure in time. Le, Jaitly and Hinton (2015), A simple way to initialize recurrent networks of rectified
    linear units.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import RNNCell
    >>> cell = RNNCell(1, 1, "relu", seed=0)
    >>> cell.theta = [2.0, 0.5, 0.0]           # h′ = relu(2 x + h / 2)
    >>> (h,), backward = cell.step(np.array([[1.0]]), (np.array([[4.0]]),))
    >>> h
    array([[4.]])
    >>> backward((np.ones((1, 1)),))           # ∂h′/∂x and ∂h′/∂h
    (array([[2.]]), (array([[0.5]]),))
    >>> cell.dW, cell.dU
    (array([[1.]]), array([[4.]]))
    """

    def __init__(self, n_in: int, n_hidden: int, f: str = "tanh", *, seed, initializer="orthogonal"):
        if f not in ACTIVATIONS:
            raise ValueError(f"unknown activation {f!r} of an RNN; known are {', '.join(ACTIVATIONS)}")
        self.f = f
        super().__init__(n_in, n_hidden, 1, seed=seed, initializer=initializer)

    def step(self, x, state):
        _check(self, self, x, ("batch",), state)
        (h,), f = state, ACTIVATIONS[self.f]
        h_next = f.f(x @ self.W.T + h @ self.U.T + self.b)  # h′ = f(W x + U h + b)

        def backward(dstate):
            (dh_next,) = dstate
            δ = dh_next * f.df(h_next, h_next)   # ∂L/∂z = ∂L/∂h′ ⊙ f′(z)
            self.dW += δ.T @ x                   # ∂L/∂W = Σ δ xᵀ
            self.dU += δ.T @ h                   # ∂L/∂U = Σ δ hᵀ
            self.db += δ.sum(axis=0)             # ∂L/∂b = Σ δ
            return δ @ self.W, (δ @ self.U,)     # ∂L/∂x = Wᵀ δ, ∂L/∂h = Uᵀ δ

        return (h_next,), backward

    @classmethod
    def example(cls, rng):
        return cls(2, 3, seed=rng), rng.normal(size=(4, 2))


class LSTMCell(Cell):
    """Long short-term memory: c′ = f ⊙ c + i ⊙ g, h′ = o ⊙ tanh c′.

    The gates i, f, o = σ(W x + U h + b) say what is written, kept and shown; g = tanh(W x + U h + b) is what may be written. Each has
    its own rows of W, U and b, in this order (PyTorch's): i, f, g, o. Along c the error is only multiplied: ∂c′/∂c = f.

    Parameters
    ----------
    n_in, n_hidden : int
        Sizes of x, and of h and c.
    forget_bias : float
        First value of b for the gate f: at 1, most is kept at first.
    seed, initializer
        As in `RNNCell`, for each gate by itself.

    Raises
    ------
    ValueError, TypeError
        As in `RNNCell`; if ``forget_bias`` is not finite.

    References
    ----------
    Hochreiter and Schmidhuber (1997), Long short-term memory. Gers, Schmidhuber and Cummins (2000), Learning to forget.
    Jozefowicz, Zaremba and Sutskever (2015), An empirical exploration of recurrent network architectures: forget bias 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import LSTMCell
    >>> cell = LSTMCell(1, 1, forget_bias=40.0, seed=0)
    >>> h, c = np.zeros((1, 1)), np.array([[2.0]])
    >>> _, backward = cell.step(np.zeros((1, 1)), (h, c))
    >>> dx, (dh, dc) = backward((np.zeros((1, 1)), np.ones((1, 1))))
    >>> dc                                     # an open gate f: the error goes through unchanged
    array([[1.]])
    """

    states = ("h", "c")

    def __init__(self, n_in: int, n_hidden: int, forget_bias: float = 1.0, *, seed, initializer="orthogonal"):
        if not np.isfinite(forget_bias):
            raise ValueError(f"forget_bias must be a finite number, got {forget_bias}")
        super().__init__(n_in, n_hidden, 4, seed=seed, initializer=initializer)
        self.b[n_hidden : 2 * n_hidden] = forget_bias

    def gates(self, x, state):
        h, _ = state
        zi, zf, zg, zo = np.split(x @ self.W.T + h @ self.U.T + self.b, 4, axis=1)
        return {"i": _sigmoid(zi), "f": _sigmoid(zf), "g": np.tanh(zg), "o": _sigmoid(zo)}

    def step(self, x, state):
        _check(self, self, x, ("batch",), state)
        h, c = state
        i, f, g, o = self.gates(x, state).values()
        c_next = f * c + i * g
        tanh_c = np.tanh(c_next)
        h_next = o * tanh_c

        def backward(dstate):
            dh_next, dc_next = dstate
            dc_next = dc_next + dh_next * o * (1 - tanh_c**2)  # by itself, and through h′
            di, df, dg, do = dc_next * g, dc_next * c, dc_next * i, dh_next * tanh_c
            δ_i, δ_f = di * i * (1 - i), df * f * (1 - f)
            δ_g, δ_o = dg * (1 - g**2), do * o * (1 - o)
            δ = np.hstack([δ_i, δ_f, δ_g, δ_o])
            self.dW += δ.T @ x                             # ∂L/∂W = Σ δ xᵀ
            self.dU += δ.T @ h                             # ∂L/∂U = Σ δ hᵀ
            self.db += δ.sum(axis=0)                       # ∂L/∂b = Σ δ
            dh, dc = δ @ self.U, dc_next * f               # ∂L/∂h = Uᵀ δ, ∂L/∂c = ∂L/∂c′ ⊙ f
            return δ @ self.W, (dh, dc)                    # ∂L/∂x = Wᵀ δ

        return (h_next, c_next), backward

    @classmethod
    def example(cls, rng):
        return cls(2, 2, seed=rng), rng.normal(size=(4, 2))


class GRUCell(Cell):
    """The gated recurrent unit: h′ = (1 − z) ⊙ n + z ⊙ h.

    The gates r, z = σ(W x + U h + b) reset and keep; n is what is new. Each has its own rows of W, U and b, in the order r, z, n. There
    are two conventions for the reset, before or after the product with U:

    - ``"before"``, the paper's: n = tanh(W x + U (r ⊙ h) + b);
    - ``"after"``, PyTorch's and cuDNN's: n = tanh(W x + r ⊙ (U h + b_U) + b), with one bias more.

    Parameters
    ----------
    n_in, n_hidden : int
        Sizes of x and of h.
    reset : {"after", "before"}
        The convention.
    seed, initializer
        As in `RNNCell`, for each gate by itself.

    Attributes
    ----------
    b_U : ndarray, shape (hidden,)
        Only with ``reset="after"``.

    Raises
    ------
    ValueError, TypeError
        As in `RNNCell`; if ``reset`` is unknown.

    References
    ----------
    Cho et al. (2014), Learning phrase representations using RNN encoder–decoder for statistical machine translation.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import GRUCell
    >>> cell = GRUCell(1, 1, "before", seed=0)
    >>> cell.theta[:] = 0                      # r = z = 1/2, n = 0
    >>> (h,), backward = cell.step(np.zeros((1, 1)), (np.array([[2.0]]),))
    >>> h
    array([[1.]])
    """

    b_U: np.ndarray
    db_U: np.ndarray

    def __init__(self, n_in: int, n_hidden: int, reset: str = "after", *, seed, initializer="orthogonal"):
        if reset not in RESETS:
            raise ValueError(f"unknown reset {reset!r} of a GRU; known are {', '.join(RESETS)}")
        self.reset = reset
        self.parameters = ("W", "U", "b", "b_U") if reset == "after" else ("W", "U", "b")
        super().__init__(n_in, n_hidden, 3, seed=seed, initializer=initializer)

    def gates(self, x, state):
        (h,), (U, U_n), (W, W_n), (b, b_n) = state, *map(self._rz_and_n, (self.U, self.W, self.b))
        r, z = np.split(_sigmoid(x @ W.T + h @ U.T + b), 2, axis=1)
        Uh = r * (h @ U_n.T + self.b_U) if self.reset == "after" else (r * h) @ U_n.T
        return {"r": r, "z": z, "n": np.tanh(x @ W_n.T + Uh + b_n)}

    def _rz_and_n(self, rows):
        """The rows of the gates r and z, and those of n."""
        return np.split(rows, [2 * self.U.shape[1]])

    def step(self, x, state):
        _check(self, self, x, ("batch",), state)
        (h,) = state
        r, z, n = self.gates(x, state).values()
        h_next = (1 - z) * n + z * h

        def backward(dstate):
            (dh_next,) = dstate
            (U, U_n), (dU, dU_n) = self._rz_and_n(self.U), self._rz_and_n(self.dU)
            dz, dn, dh = dh_next * (h - n), dh_next * (1 - z), dh_next * z
            δ_n = dn * (1 - n**2)
            if self.reset == "after":              # n = tanh(W x + b + r ⊙ q) with q = U h + b_U
                dr, dq = δ_n * (h @ U_n.T + self.b_U), δ_n * r
                dU_n += dq.T @ h
                self.db_U += dq.sum(axis=0)
                dh = dh + dq @ U_n
            else:                                  # n = tanh(W x + b + U q) with q = r ⊙ h
                dq = δ_n @ U_n
                dr = dq * h
                dU_n += δ_n.T @ (r * h)
                dh = dh + dq * r
            δ_rz = np.hstack([dr * r * (1 - r), dz * z * (1 - z)])
            δ = np.hstack([δ_rz, δ_n])
            self.dW += δ.T @ x                     # ∂L/∂W = Σ δ xᵀ
            dU += δ_rz.T @ h                       # ∂L/∂U = Σ δ hᵀ
            self.db += δ.sum(axis=0)               # ∂L/∂b = Σ δ
            return δ @ self.W, (dh + δ_rz @ U,)    # ∂L/∂x = Wᵀ δ, ∂L/∂h by all its ways

        return (h_next,), backward

    @classmethod
    def example(cls, rng):
        return cls(2, 2, seed=rng), rng.normal(size=(4, 2))


class Recurrent(Layer):
    """A cell through time: state_t = F(x_t, state_{t−1}), with the same θ at each t.

    As a layer it maps x (batch, time, n_in) to all h_t (batch, time, hidden) or to the last one (batch, hidden). `run` takes and gives
    states too.

    Parameters
    ----------
    cell : Cell
        F.
    return_sequences : bool
        Whether the layer returns h_t for all t, or the last.
    bptt_steps : int, optional
        Truncated backpropagation through time: the way back is cut every so many steps. The sequence is taken in windows of k steps from
        its start, and the state that enters a window counts there as a constant; all values stay as they are. ``dstate`` of the
        initial state then comes from the first window alone.

    Raises
    ------
    ValueError
        If an input is not of shape (batch, time, n_in) with batch and time ≥ 1, a state not of shape (batch, hidden), or ``bptt_steps``
        not a whole number ≥ 1.
    TypeError
        If the cell is none, or an input or a state has another dtype than the weights.

    References
    ----------
    Werbos (1990), Backpropagation through time: what it does and how to do it. Williams and Peng (1990), An efficient
    gradient-based algorithm for on-line training of recurrent network trajectories: the truncation.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import Recurrent, RNNCell
    >>> layer = Recurrent(RNNCell(1, 1, "relu", seed=0), return_sequences=True)
    >>> layer.theta = [1.0, 0.5, 0.0]          # h_t = relu(x_t + h_{t−1} / 2)
    >>> x = np.array([[[4.0], [0.0], [0.0]]])
    >>> hs, backward = layer.forward(x)
    >>> hs[0].T
    array([[4., 2., 1.]])
    >>> backward(np.array([[[0.0], [0.0], [1.0]]]))[0].T       # ∂h_3/∂x_t
    array([[0.25, 0.5 , 1.  ]])
    """

    skips_dx = True

    def __init__(self, cell: Cell, *, return_sequences: bool = False, bptt_steps: int | None = None):
        if not isinstance(cell, Cell):
            raise TypeError(f"{type(self).__name__} expects a cell, got {cell!r}")
        if bptt_steps is not None and not (isinstance(bptt_steps, (int, np.integer)) and bptt_steps >= 1):
            raise ValueError(f"bptt_steps must be a whole number ≥ 1, or None, got {bptt_steps!r}")
        self.cell = cell
        self.return_sequences = return_sequences
        self.bptt_steps = bptt_steps
        super().__init__()

    def forward(self, x, training=False):
        _check(self, self.cell, x, ("batch", "time"))
        hs, state, through = self._loop(x, self.cell.start(len(x)))
        nothing = tuple(map(np.zeros_like, state))

        def backward(dy, want_dx=True):
            given = (dy, nothing) if self.return_sequences else (None, (dy, *nothing[1:]))
            return through(*given, want_dx)[0]

        return (hs.copy() if self.return_sequences else state[0]), backward

    def run(self, x: np.ndarray, state: State | None = None):
        """The full form, with states: ``hs, state, backward = layer.run(x, state)``.

        Parameters
        ----------
        x : ndarray, shape (batch, time, n_in)
        state : tuple of ndarray, each of shape (batch, hidden)
            The initial state, by default 0.

        Returns
        -------
        hs : ndarray, shape (batch, time, hidden)
            h_t for all t.
        state : tuple of ndarray
            The final state; a sequence that goes on starts from it.
        backward : callable
            ``dx, dstate = backward(dhs, dstate=None, want_dx=True)`` takes ∂L/∂hs and ∂L/∂(final state), None where L has none, gives
            ∂L/∂x and ∂L/∂(initial state), and adds ∂L/∂θ.

        Examples
        --------
        >>> import numpy as np
        >>> from nnlib.rnn import GRU
        >>> gru, x = GRU(2, 3, seed=0), np.ones((1, 5, 2))
        >>> hs, state, backward = gru.run(x)
        >>> first, handed_over, _ = gru.run(x[:, :2])
        >>> rest, _, _ = gru.run(x[:, 2:], handed_over)
        >>> np.allclose(np.concatenate([first, rest], axis=1), hs)
        True
        """
        state = self._checked(x, state)
        hs, final, through = self._loop(x, state)

        def backward(dhs, dstate=None, want_dx=True):
            return through(dhs, dstate or tuple(map(np.zeros_like, final)), want_dx)

        return hs.copy(), final, backward

    def trace(self, x: np.ndarray, state: State | None = None) -> dict[str, np.ndarray]:
        """Each gate and each part of the state by name, (batch, time, hidden), for looking inside.

        >>> import numpy as np
        >>> from nnlib.rnn import LSTM
        >>> {name: values.shape for name, values in LSTM(2, 3, seed=0).trace(np.ones((1, 5, 2))).items()}
        {'i': (1, 5, 3), 'f': (1, 5, 3), 'g': (1, 5, 3), 'o': (1, 5, 3), 'h': (1, 5, 3), 'c': (1, 5, 3)}
        """
        state, found = self._checked(x, state), []
        for t in range(x.shape[1]):
            gates = self.cell.gates(x[:, t], state)
            state, _ = self.cell.step(x[:, t], state)
            found.append(gates | dict(zip(self.cell.states, state, strict=True)))
        return {name: np.stack([now[name] for now in found], axis=1) for name in found[0]}

    def _loop(self, x, state):
        """All h_t (batch, time, hidden), the final state, and backpropagation through time."""
        time, hs, ways_back = x.shape[1], [], []
        for t in range(time):
            state, way_back = self.cell.step(x[:, t], state)
            hs.append(state[0])
            ways_back.append(way_back)

        def backward(dhs, dstate, want_dx):
            dx, cuts = np.empty_like(x), self._cuts(time)
            for t in reversed(range(time)):
                dh, *rest = dstate
                dx[:, t], dstate = ways_back[t]((dh if dhs is None else dh + dhs[:, t], *rest))
                if t in cuts:
                    dstate = tuple(map(np.zeros_like, dstate))
            return dx if want_dx else None, dstate

        return np.stack(hs, axis=1), state, backward

    def _cuts(self, time):
        """The steps whose incoming state counts as a constant: k, 2k, … below ``time``."""
        k = self.bptt_steps or time
        return range(k, time, k)

    def _checked(self, x, state):
        _check(self, self.cell, x, ("batch", "time"), state)
        return self.cell.start(len(x)) if state is None else state

    @classmethod
    def example(cls, rng):
        return cls(LSTMCell(2, 2, seed=rng), return_sequences=True), rng.normal(size=(3, 4, 2))


class RNN(Recurrent):
    """The simple recurrent network: h_t = f(W x_t + U h_{t−1} + b).

    `Recurrent` of an `RNNCell`, faster.

    Parameters
    ----------
    n_in, n_hidden, f, seed, initializer
        As in `RNNCell`.
    return_sequences, bptt_steps
        As in `Recurrent`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.layers import Sequential
    >>> from nnlib.mlp import Dense
    >>> from nnlib.rnn import RNN
    >>> model = Sequential(RNN(2, 16, return_sequences=True, seed=0), RNN(16, 16, "relu", seed=1), Dense(16, 1, seed=2))
    >>> model(np.zeros((5, 20, 2))).shape
    (5, 1)
    """

    def __init__(
        self, n_in: int, n_hidden: int, f: str = "tanh", *, seed, initializer="orthogonal", return_sequences=False, bptt_steps=None
    ):
        cell = RNNCell(n_in, n_hidden, f, seed=seed, initializer=initializer)
        super().__init__(cell, return_sequences=return_sequences, bptt_steps=bptt_steps)

    def state_jacobians(self, x: np.ndarray, state: State | None = None) -> np.ndarray:
        """∂h_t/∂h_{t−1} = diag(f′(z_t)) U for each t, of shape (batch, time, hidden, hidden).

        Their product from t = 1 to T is ∂h_T/∂h_0, which vanishes or explodes with T (Bengio, Simard and Frasconi, 1994).

        >>> import numpy as np
        >>> from nnlib.rnn import RNN
        >>> rnn = RNN(1, 1, "relu", seed=0)
        >>> rnn.theta = [1.0, 0.5, 0.0]
        >>> rnn.state_jacobians(np.ones((1, 3, 1))).ravel()
        array([0.5, 0.5, 0.5])
        """
        hs, _, _ = self.run(x, state)
        return ACTIVATIONS[self.cell.f].df(hs, hs)[..., None] * self.cell.U

    def _loop(self, x, state):
        A, S = _stacked(self.cell, x, state)
        n, time, f = len(A), x.shape[1], ACTIVATIONS[self.cell.f]
        h = S[:, :n]
        for t in range(time):
            h[t + 1] = f.f(A @ S[t])           # h_t = f(U h_{t−1} + W x_t + b)

        def backward(dhs, dstate, want_dx):
            (dh, dhs), cuts = _columns(dstate[0], dhs), self._cuts(time)
            δ = f.df(h[1:], h[1:])             # f′(z_t), to become δ_t
            for t in reversed(range(time)):
                if dhs is not None:
                    dh += dhs[t]
                np.multiply(dh, δ[t], out=δ[t])  # δ_t = ∂L/∂h_t ⊙ f′(z_t)
                dh = self.cell.U.T @ δ[t]      # ∂L/∂h_{t−1} = Uᵀ δ_t
                if t in cuts:
                    dh[:] = 0
            return _add(self.cell, _outer(δ, S), δ, want_dx), _rows(dh)

        return h[1:].transpose(2, 0, 1), _rows(h[time]), backward

    @classmethod
    def example(cls, rng):
        return cls(2, 3, seed=rng), rng.normal(size=(3, 4, 2))


class LSTM(Recurrent):
    """Long short-term memory through time: c_t = f ⊙ c_{t−1} + i ⊙ g, h_t = o ⊙ tanh c_t.

    `Recurrent` of an `LSTMCell`, faster.

    Parameters
    ----------
    n_in, n_hidden, forget_bias, seed, initializer
        As in `LSTMCell`.
    return_sequences, bptt_steps
        As in `Recurrent`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import LSTM
    >>> lstm = LSTM(2, 16, seed=0)
    >>> lstm(np.zeros((5, 20, 2))).shape
    (5, 16)
    >>> hs, (h, c), backward = lstm.run(np.zeros((5, 20, 2)))
    >>> hs.shape, c.shape
    ((5, 20, 16), (5, 16))
    """

    def __init__(
        self, n_in: int, n_hidden: int, forget_bias: float = 1.0, *, seed, initializer="orthogonal", return_sequences=False, bptt_steps=None
    ):
        cell = LSTMCell(n_in, n_hidden, forget_bias, seed=seed, initializer=initializer)
        super().__init__(cell, return_sequences=return_sequences, bptt_steps=bptt_steps)

    def _loop(self, x, state):
        A, S = _stacked(self.cell, x, state)
        (batch, time), n = x.shape[:2], self.cell.U.shape[1]
        # One exponential for all gates: σ(z) = 1 / (1 + e^−z) and tanh z = 2 σ(2z) − 1.
        A *= np.repeat(np.array([-1, -1, -2, -1], A.dtype), n)[:, None]
        kept = np.empty((time + 1, 7, n, batch), x.dtype)
        i, f, s, o, g, tanh_c, c = kept.swapaxes(0, 1)  # s is σ(2z) of the gate g
        h, c[0] = S[:, :n], state[1].T
        with np.errstate(over="ignore"):       # e^−z = ∞ gives the right σ = 0
            for t in range(time):
                z = kept[t, :4].reshape(4 * n, batch)
                np.matmul(A, S[t], out=z)
                np.exp(z, out=z)
                z += 1
                np.divide(1, z, out=z)
                g_t, c_t = g[t], c[t + 1]
                np.multiply(s[t], 2, out=g_t)
                g_t -= 1
                np.multiply(f[t], c[t], out=c_t)
                c_t += i[t] * g_t              # c_t = f ⊙ c_{t−1} + i ⊙ g
                np.tanh(c_t, out=tanh_c[t])
                np.multiply(o[t], tanh_c[t], out=h[t + 1])

        def backward(dhs, dstate, want_dx):
            (dh, dhs), cuts = _columns(dstate[0], dhs), self._cuts(time)
            dc, UT = dstate[1].T.copy(), self.cell.U.T
            δ = np.empty((4 * n, time, batch), x.dtype)
            δ_t = np.empty((4, n, batch), x.dtype)
            (di, df, dg, do), difg, column = δ_t, δ_t[:3], δ_t.reshape(4 * n, batch)
            for t in reversed(range(time)):
                if dhs is not None:
                    dh += dhs[t]
                np.subtract(1, kept[t, :4], out=δ_t)
                δ_t *= kept[t, :4]             # σ′ = σ (1 − σ)
                dg *= 4                        # tanh′ z = 4 σ′(2z)
                dh_tanh = dh * tanh_c[t]       # ∂L/∂o
                do *= dh_tanh
                dh_tanh *= tanh_c[t]
                dh -= dh_tanh
                dh *= o[t]
                dc += dh                       # ∂L/∂c_t = … + ∂L/∂h_t ⊙ (1 − tanh² c_t) ⊙ o
                di *= g[t]
                df *= c[t]
                dg *= i[t]
                difg *= dc
                δ[:, t] = column
                dh = UT @ column               # ∂L/∂h_{t−1} = Uᵀ δ_t
                dc *= f[t]                     # ∂L/∂c_{t−1} = ∂L/∂c_t ⊙ f, the constant error path
                if t in cuts:
                    dh[:] = dc[:] = 0
            δ = δ.transpose(1, 0, 2)
            return _add(self.cell, _outer(δ, S), δ, want_dx), _rows(dh, dc)

        return h[1:].transpose(2, 0, 1), _rows(h[time], c[time]), backward

    @classmethod
    def example(cls, rng):
        return cls(2, 2, seed=rng), rng.normal(size=(3, 4, 2))


class GRU(Recurrent):
    """The gated recurrent unit through time: h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}.

    `Recurrent` of a `GRUCell`, faster.

    Parameters
    ----------
    n_in, n_hidden, reset, seed, initializer
        As in `GRUCell`.
    return_sequences, bptt_steps
        As in `Recurrent`.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.rnn import GRU
    >>> GRU(2, 16, return_sequences=True, seed=0)(np.zeros((5, 20, 2))).shape
    (5, 20, 16)
    """

    def __init__(
        self, n_in: int, n_hidden: int, reset: str = "after", *, seed, initializer="orthogonal", return_sequences=False, bptt_steps=None
    ):
        cell = GRUCell(n_in, n_hidden, reset, seed=seed, initializer=initializer)
        super().__init__(cell, return_sequences=return_sequences, bptt_steps=bptt_steps)

    def _loop(self, x, state):
        A, S = _stacked(self.cell, x, state)
        (batch, time), m, after = x.shape[:2], self.cell.U.shape[1], self.cell.reset == "after"
        U, U_n = np.split(self.cell.U, [2 * m])
        b_U = self.cell.b_U[:, None] if after else 0
        A[2 * m :, :m] = 0                     # n has a product with U of its own, q or U q
        A[: 2 * m] *= -1                       # σ(z) = 1 / (1 + e^−z)
        kept = np.empty((time, 4, m, batch), x.dtype)
        (r, z, n, q), h = kept.swapaxes(0, 1), S[:, :m]
        with np.errstate(over="ignore"):       # e^−z = ∞ gives the right σ = 0
            for t in range(time):
                rz, n_t = kept[t, :2], n[t]
                np.matmul(A, S[t], out=kept[t, :3].reshape(3 * m, batch))
                np.exp(rz, out=rz)
                rz += 1
                np.divide(1, rz, out=rz)
                q[t] = U_n @ h[t] + b_U if after else r[t] * h[t]
                n_t += r[t] * q[t] if after else U_n @ q[t]
                np.tanh(n_t, out=n_t)
                h[t + 1] = n_t + z[t] * (h[t] - n_t)  # h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}

        def backward(dhs, dstate, want_dx):
            (dh, dhs), cuts = _columns(dstate[0], dhs), self._cuts(time)
            δ, dq = np.empty((3 * m, time, batch), x.dtype), np.empty_like(q)
            δ_t = np.empty((3, m, batch), x.dtype)
            (δ_r, δ_z, δ_n), δ_rz, column = δ_t, δ_t[:2].reshape(2 * m, batch), δ_t.reshape(3 * m, batch)
            for t in reversed(range(time)):
                if dhs is not None:
                    dh += dhs[t]
                np.subtract(1, kept[t, :3], out=δ_t)
                δ_n *= 1 + n[t]                # tanh′ = (1 − tanh) (1 + tanh)
                δ_n *= δ_z                     # times 1 − z
                δ_n *= dh
                δ_t[:2] *= kept[t, :2]         # σ′ = σ (1 − σ)
                δ_z *= h[t] - n[t]
                δ_z *= dh
                dq[t] = δ_n * r[t] if after else U_n.T @ δ_n
                δ_r *= δ_n * q[t] if after else dq[t] * h[t]
                dh *= z[t]                     # ∂L/∂h_{t−1}: as it is, …
                dh += U_n.T @ dq[t] if after else dq[t] * r[t]  # … through n, …
                dh += U.T @ δ_rz               # … through r and z
                δ[:, t] = column
                if t in cuts:
                    dh[:] = 0
            δ = δ.transpose(1, 0, 2)
            dA = _outer(δ, S)
            dA[2 * m :, :m] = _outer(dq, h) if after else _outer(δ[:, 2 * m :], q)
            if after:
                self.cell.db_U += dq.sum(axis=(0, 2))
            return _add(self.cell, dA, δ, want_dx), _rows(dh)

        return h[1:].transpose(2, 0, 1), _rows(h[time]), backward

    @classmethod
    def example(cls, rng):
        return cls(2, 2, seed=rng), rng.normal(size=(3, 4, 2))


# --- what the fast loops share: time first, each example a column ---------------------------------------------------------


def _stacked(cell, x, state):
    """A = [U W b] and room for S_t = [h_{t−1}; x_t; 1], so that A S_t = U h_{t−1} + W x_t + b in one product."""
    (batch, time, _), n = x.shape, cell.U.shape[1]
    A = np.hstack([cell.U, cell.W, cell.b[:, None]])
    S = np.empty((time + 1, A.shape[1], batch), A.dtype)
    S[0, :n] = state[0].T
    S[:time, n:-1] = x.transpose(1, 2, 0)
    S[:, -1] = 1
    return A, S


def _outer(δ, S):
    """Σ δ sᵀ over all steps and examples, in one product; S may hold one step more."""
    δ, S = (part.transpose(1, 0, 2).reshape(part.shape[1], -1) for part in (δ, S[: len(δ)]))
    return δ @ S.T


def _add(cell, dA, δ, want_dx):
    """Add ∂L/∂[U W b] to the cell's gradients; return ∂L/∂x = Wᵀ δ."""
    n = cell.U.shape[1]
    cell.dU += dA[:, :n]
    cell.dW += dA[:, n:-1]
    cell.db += dA[:, -1]
    return np.ascontiguousarray((cell.W.T @ δ).transpose(2, 0, 1)) if want_dx else None


def _columns(dh, dhs):
    """∂L/∂h of the last step to add to, and of all steps, time first, each example a column."""
    return dh.T.copy(), None if dhs is None else np.ascontiguousarray(dhs.transpose(1, 2, 0))


def _rows(*parts):
    """A copy of a state, each example a row again."""
    return tuple(part.T.copy() for part in parts)


def _check(owner, cell, x, axes, state=None):
    """Refuse inputs and states that do not fit the cell."""
    n, dtype = cell.U.shape[1], cell.W.dtype
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{owner!r} expects an array, got {type(x).__name__}")
    if x.ndim != len(axes) + 1 or x.shape[-1] != cell.W.shape[1] or x.size == 0:
        raise ValueError(f"{owner!r} expects inputs of shape ({', '.join(axes)}, {cell.W.shape[1]}) with {' and '.join(axes)} ≥ 1, got {x.shape}")
    if x.dtype != dtype:
        raise TypeError(f"{owner!r} has {dtype} weights and expects {dtype} inputs, got {x.dtype}")
    if state is None:
        return
    if not isinstance(state, tuple) or not all(isinstance(part, np.ndarray) for part in state):
        raise TypeError(f"{owner!r} expects its state as a tuple of arrays {cell.states}, got {state!r}")
    if [part.shape for part in state] != [(len(x), n)] * len(cell.states):
        raise ValueError(f"{owner!r} expects a state {cell.states} of shape {(len(x), n)} each, got {[part.shape for part in state]}")
    if {part.dtype for part in state} != {dtype}:
        raise TypeError(f"{owner!r} has {dtype} weights and expects a {dtype} state, got {[str(part.dtype) for part in state]}")
