"""Inside a trained LSTM and a trained GRU: what keeps a number, an open gate or the whole step?

Both have 16 units and learn the adding problem of length 20. Before and after training, 100 new sequences tell how open the keeping
gate is (f or z), and what ten steps together do to a small change of the state.
"""

import numpy as np

from nnlib import datasets
from nnlib.layers import Sequential
from nnlib.losses import mse
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.rnn import GRU, LSTM
from nnlib.search import grid_search
from nnlib.training import fit

LAYERS, KEEPS, STEPS = {"LSTM": LSTM, "GRU": GRU}, {"LSTM": "f", "GRU": "z"}, {"LSTM": 1500, "GRU": 1000}
SPACE = {"network": list(LAYERS), "trained": [False, True]}
LENGTH = 20


def network(name, trained, seed):
    """A layer of 16 units and its output, before or after training, in float64."""
    rng = np.random.default_rng(seed)
    model = Sequential(LAYERS[name](2, 16, seed=rng), Dense(16, 1, seed=rng))
    if trained:
        sequences = datasets.adding(50 * STEPS[name], LENGTH, seed=rng)
        fit(model, mse, sequences, Adam(0.005), epochs=1, batch_size=50, seed=rng, clip_norm=1.0)
    return model


def step_jacobian(cell, x, state):
    """∂state′/∂state of one step, all states together, (batch, n, n), and the next state."""
    after, backward = cell.step(x, state)
    sizes = [part.shape[1] for part in state]
    rows = []
    for error in np.eye(sum(sizes)):  # the way back of a cell gives it row by row
        errors = np.split(np.tile(error, (len(x), 1)), np.cumsum(sizes)[:-1], axis=1)
        _, d_state = backward(tuple(errors))
        rows.append(np.hstack(d_state))
    return np.stack(rows, axis=1), after


def objective(setting, seed):
    """What the keeping gate of the most open unit leaves of a number in ten steps; the two
    largest singular values of the last ten steps together; and how the state, along the
    direction that they keep best, is correlated with the marked number before them."""
    name = setting["network"]
    model = network(name, setting["trained"], seed)
    x, y = datasets.adding(100, LENGTH, seed=12)
    cell, trace = model.layers[0].cell, model.layers[0].trace(x)
    gate = trace[KEEPS[name]]
    unmarked = np.log(gate[x[:, :, 1] == 0])  # (steps without a mark, units)
    state = tuple(trace[part][:, -11] for part in cell.states)
    begin, product = np.hstack(state), np.eye(sum(part.shape[1] for part in state))
    for t in range(LENGTH - 10, LENGTH):
        J, state = step_jacobian(cell, x[:, t], state)
        product = J @ product
    _, stretch, directions = np.linalg.svd(product)
    best = directions[:, 0]  # one for each sequence; the one they share:
    common = np.linalg.eigh(best.T @ best)[1][:, -1]
    number = (x[:, :-10, 0] * x[:, :-10, 1]).sum(axis=1)
    first, second = stretch[:, :2].mean(axis=0)
    found = {
        "error": mse(model(x), y)[0],
        "gate": gate.mean(),
        "open": np.exp(10 * unmarked.mean(axis=0).max()),
        "first": first,
        "second": second,
        "follows": abs(np.corrcoef(begin @ common, number)[0, 1]),
    }
    return {key: round(float(value), 3) for key, value in found.items()}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=5, memory=memory)


# Both networks before training.
REPEATED = [(0, 0), (2, 1)]
TOLERANCE = {"error": 0.01, "gate": 0.05, "open": 0.1, "first": 1, "second": 0.3, "follows": 0.3}
