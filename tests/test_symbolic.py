"""The twins themselves: named as they are, evaluated exactly, and a check that notices."""

import inspect
import re

import numpy as np
import pytest
import sympy as sp

from nnlib import activations, attention, cnn, losses, optimizers, symbolic
from nnlib.cnn import Conv1D
from nnlib.mlp import MLP, Dense
from nnlib.regularizers import BatchNorm, Dropout, LayerNorm, RMSNorm, l1, l2
from nnlib.rnn import GRUCell, LSTMCell, RNNCell
from nnlib.symbolic import check, dense, evaluate, matrix, mlp, vector

x, y = sp.symbols("x y", real=True)


def test_symbols_have_names_of_their_own():
    assert list(matrix("W", 2, 3)) == list(sp.symbols("W11 W12 W13 W21 W22 W23", real=True))
    assert list(vector("b", 2)) == list(sp.symbols("b1 b2", real=True))
    assert vector("b", 2).shape == (2, 1)
    for rows, columns in ((11, 11), (1, 111), (9, 9)):
        assert len(matrix("W", rows, columns).free_symbols) == rows * columns


def test_dense_and_mlp_are_their_equations():
    W, a, b = matrix("W", 2, 2), vector("a", 2), vector("b", 2)
    assert dense(W, a, b)[1] == sp.sympify("W21*a1 + W22*a2 + b2", locals={str(s): s for s in [*W, *a, *b]})
    V, c = matrix("V", 1, 2), vector("c", 1)
    hidden = [sp.tanh(z) for z in dense(W, a, b)]
    assert mlp([W, V], [b, c], a, "tanh")[0] == V[0] * hidden[0] + V[1] * hidden[1] + c[0]
    assert mlp([W], [b], a, "tanh") == dense(W, a, b)
    with pytest.raises(ValueError, match=r"shorter than|longer than"):
        mlp([W, W, V], [b, c], a, "tanh")


def test_an_activation_of_any_expression():
    assert symbolic.activation("sigmoid", x + y) == 1 / (1 + sp.exp(-x - y))
    assert symbolic.activation("step", sp.Integer(0)) == 0
    with pytest.raises(ValueError, match="unknown activation 'rellu'; known are elu, gelu"):
        symbolic.activation("rellu")


def test_evaluate_gives_the_shape_of_the_expression():
    W, a = matrix("W", 2, 3), vector("a", 3)
    numbers = {W: np.arange(6.0).reshape(2, 3), a: [1, 2, 3]}
    assert evaluate(W * a, numbers).tolist() == [8, 26]
    assert evaluate(W, numbers).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert evaluate((a.T * a)[0], numbers) == 14
    assert evaluate(a.T * a, numbers).tolist() == [14]
    assert evaluate(a.T, numbers).shape == (1, 3)
    assert evaluate(sp.pi, {}) == pytest.approx(np.pi)
    assert evaluate(x * y, {x: 2, y: 3.0}) == 6


def test_evaluate_wants_a_number_for_each_symbol():
    with pytest.raises(ValueError, match="no number is given for x, y"):
        evaluate(sp.Matrix([x, y]), {sp.Symbol("z"): 1.0})
    with pytest.raises(ValueError, match=r"Matrix\(.*\) stands for a matrix of shape \(3, 1\), got numbers of shape \(2,\)"):
        evaluate(vector("a", 3), {vector("a", 3): [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"x stands for one number, got numbers of shape \(2,\)"):
        evaluate(x, {x: [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"stands for a matrix of shape \(2, 3\), got numbers of shape \(3, 2\)"):
        evaluate(matrix("W", 2, 3), {matrix("W", 2, 3): np.ones((3, 2))})


def test_check_returns_the_largest_difference():
    assert check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.0 + 1e-13]) == pytest.approx(1e-13, rel=0.01)
    assert check(sp.Matrix([[x, y], [y, x]]), {x: 1.0, y: 2.0}, np.array([[1.0, 2.0], [2.0, 1.0]])) == 0


def test_check_is_relative_to_large_entries_and_absolute_for_small_ones():
    check(x, {x: 1e6}, 1e6 + 5e-7)
    check(x, {x: 1e-6}, 1e-6 + 5e-13)
    with pytest.raises(AssertionError):
        check(x, {x: 1e6}, 1e6 + 2e-6)
    with pytest.raises(AssertionError):
        check(x, {x: 1e-6}, 1e-6 + 2e-12)


def test_check_says_where_and_by_how_much():
    with pytest.raises(AssertionError, match=r"differ by 0.5 \(allowed 2e-12\) at entry 1: derived .*2\.0.*, computed .*2\.5"):
        check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.5])
    check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, 2.5], tolerance=0.3)


@pytest.mark.parametrize("computed", [np.nan, np.inf])
def test_check_does_not_let_nan_through(computed):
    with pytest.raises(AssertionError, match="at entry 1"):
        check(sp.Matrix([x, y]), {x: 1.0, y: 2.0}, [1.0, computed])


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        (x, [(), (1,), (1, 1)]),
        (sp.Matrix([[x, x, x], [x, x, x]]), [(2, 3)]),
        (sp.Matrix([x, x, x]), [(3,), (3, 1), (1, 3)]),  # a row is an example
        (sp.Matrix([[x, x, x]]), [(3,), (1, 3)]),
        (sp.Matrix([x]), [(), (1,), (1, 1), (1, 1, 1)]),
    ],
    ids=["number", "matrix", "column", "row", "one entry"],
)
def test_check_compares_shapes(expression, fits):
    for shape in [(), (1,), (1, 1), (1, 1, 1), (3,), (3, 1), (1, 3), (2, 3), (3, 2), (6,), (2,), (2, 2)]:
        if shape in fits or (len(expression.free_symbols) and getattr(expression, "shape", (1, 1)) == (1, 1) and set(shape) <= {1}):
            assert check(expression, {x: 2.0}, np.full(shape, 2.0)) == 0
        else:
            stands = "one number" if expression is x else f"a matrix of shape {expression.shape}"
            with pytest.raises(ValueError, match=re.escape(f"the expression stands for {stands}, got numbers of shape {shape}")):
                check(expression, {x: 2.0}, np.full(shape, 2.0))


# --- each twin against the code ---------------------------------------------------------------------------------------


def slopes(F, dy, by):
    """∂L/∂by for L = Σ dy ⊙ F, in the shape of ``by``: what a way back gives."""
    L = sum(f * d for f, d in zip(sp.Matrix(F), np.ravel(dy).tolist(), strict=True))
    return sp.ImmutableMatrix(by.shape[0], by.shape[1], [sp.diff(L, symbol) for symbol in by])


def compare(layer, twin, x, symbols, rng, training=False, tolerance=1e-12):
    """Value, ∂L/∂x and the gradient of each parameter, of a layer and of its twin, a function of x and the parameters.

    ``x`` are the numbers and ``symbols`` the symbols of the input; the symbols of the parameters are made here.
    """
    layer.theta = rng.normal(size=layer.theta.shape)
    numbers, parameters = {symbols: x}, {}
    for name in layer.parameters:
        value = getattr(layer, name)
        parameters[name] = matrix(name, *value.shape) if value.ndim == 2 else vector(name, value.size)
        numbers[parameters[name]] = value.copy()
    y, backward = layer.forward(x, training=training)
    F = twin(symbols, **parameters)
    check(F, numbers, y, tolerance)
    dy = rng.normal(size=y.shape)
    dx = backward(dy)
    check(slopes(F, dy, symbols), numbers, dx, tolerance)
    for name, by in parameters.items():
        check(slopes(F, dy, by), numbers, getattr(layer, "d" + name), tolerance)


def rows(twin):
    """A twin for one example, a column, made one for a batch: rows in, rows out."""

    def batch(X, **parameters):
        return sp.ImmutableMatrix.vstack(*(twin(X[i, :].T, **parameters).T for i in range(X.rows)))

    return batch


def test_dense_is_its_twin(rng):
    compare(Dense(3, 2, seed=0), rows(lambda a, W, b: dense(W, a, b)), rng.normal(size=(2, 3)), matrix("a", 2, 3), rng)


def test_mlp_is_its_twin(rng):
    model, x = MLP([2, 2, 1], "tanh", seed=0), rng.normal(size=(1, 2))
    model.theta = rng.normal(size=9)
    names = [matrix("W", 2, 2), vector("b", 2), matrix("V", 1, 2), vector("c", 1)]
    numbers = dict(zip(names, (view.copy() for view in model.named_parameters().values()), strict=True)) | {vector("x", 2): x}
    F = mlp(names[::2], names[1::2], vector("x", 2), "tanh")
    y, backward = model.forward(x)
    check(F, numbers, y)
    check(slopes(F, 1.0, vector("x", 2)), numbers, backward(np.ones((1, 1))))
    whole = sp.ImmutableMatrix([symbol for name in names for symbol in name])
    check(slopes(F, 1.0, whole), numbers, model.grad)


def test_norms_are_their_twins(rng):
    x, X, eps = rng.normal(size=(1, 3)), matrix("x", 1, 3), sp.Float("1e-5", 30)
    compare(LayerNorm(3), rows(lambda x, gamma, beta: symbolic.layer_norm(x, gamma, beta, eps)), x, X, rng, tolerance=1e-11)
    compare(RMSNorm(3), rows(lambda x, gamma: symbolic.rms_norm(x, gamma, eps)), x, X, rng, tolerance=1e-11)
    x, X = rng.normal(size=(3, 2)), matrix("x", 3, 2)
    compare(BatchNorm(2), lambda X, gamma, beta: symbolic.batch_norm(X, gamma, beta, eps), x, X, rng, training=True, tolerance=1e-11)


def test_dropout_is_its_twin(rng):
    layer, x, X = Dropout(0.25, seed=1), rng.normal(size=(3, 2)), matrix("x", 3, 2)
    before = layer.state()
    mask = sp.ImmutableMatrix((layer.forward(np.ones((3, 2)), training=True)[0] > 0).astype(int))
    assert set(mask) == {0, 1}
    layer.restore(before)
    compare(layer, lambda X: symbolic.dropout(X, mask, sp.Rational(1, 4)), x, X, rng, training=True)


@pytest.mark.parametrize(("penalty", "twin"), [(l1, symbolic.l1), (l2, symbolic.l2)])
def test_penalties_are_their_twins(penalty, twin, rng):
    theta, symbols, strength = rng.normal(size=4), vector("θ", 4), sp.Rational(3, 10)
    value, gradient = penalty(0.3)(theta)
    expression = twin(symbols, strength)
    check(expression, {symbols: theta}, value)
    check(slopes([expression], 1, symbols), {symbols: theta}, gradient)


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 0, 1), (1, 2, 1), (1, 1, 2), (3, 2, 2)])
def test_convolution_is_its_twin_and_its_matrix(stride, padding, dilation, rng):
    layer = Conv1D(1, 1, 3, stride=stride, padding=padding, dilation=dilation, seed=0)
    layer.theta = rng.normal(size=4)
    x, w, b, xs = rng.normal(size=7), vector("w", 3), vector("b", 1), vector("x", 7)
    numbers = {w: layer.W.ravel().copy(), b: layer.b.copy(), xs: x}
    F = symbolic.conv1d(w, xs, b[0], stride, padding, dilation)
    y, backward = layer.forward(x[None, :, None])
    dy = rng.normal(size=y.shape)
    dx = backward(dy)
    check(F, numbers, y.ravel())
    for by, computed in ((xs, dx), (w, layer.dW), (b, layer.db)):
        check(slopes(F, dy, by), numbers, computed.ravel())
    T = cnn.toeplitz(layer.W.ravel(), 7, stride, padding, dilation)
    check(symbolic.toeplitz(w, 7, stride, padding, dilation), numbers, T)
    assert symbolic.toeplitz(w, 7, stride, padding, dilation) == F.jacobian(xs)


def test_a_convolution_of_one_entry_has_no_bias_by_default():
    assert symbolic.conv1d(vector("w", 1), vector("x", 2)) == sp.ImmutableMatrix([x_i * vector("w", 1)[0] for x_i in vector("x", 2)])


CELLS = {
    "RNNCell tanh": (lambda: RNNCell(1, 2, seed=0), lambda x, h, **θ: (symbolic.rnn_cell(x, h, **θ),)),
    "RNNCell relu": (lambda: RNNCell(1, 2, "relu", seed=0), lambda x, h, **θ: (symbolic.rnn_cell(x, h, f="relu", **θ),)),
    "LSTMCell": (lambda: LSTMCell(1, 2, seed=0), symbolic.lstm_cell),
    "GRUCell after": (lambda: GRUCell(1, 2, "after", seed=0), lambda x, h, **θ: (symbolic.gru_cell(x, h, **θ),)),
    "GRUCell before": (lambda: GRUCell(1, 2, "before", seed=0), lambda x, h, **θ: (symbolic.gru_cell(x, h, **θ),)),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_their_twins(name, rng):
    make, twin = CELLS[name]
    cell = make()
    cell.theta = rng.normal(size=cell.theta.shape)
    x = vector("x", 1)
    state = [vector(s, 2) for s in cell.states]
    parameters = {p: matrix(p, *getattr(cell, p).shape) if getattr(cell, p).ndim == 2 else vector(p, getattr(cell, p).size) for p in cell.parameters}
    numbers = {symbols: rng.normal(size=(1, len(symbols))) for symbols in (x, *state)}
    numbers |= {symbols: getattr(cell, p).copy() for p, symbols in parameters.items()}
    F = twin(x, *state, **parameters)
    new, backward = cell.step(numbers[x], tuple(numbers[s] for s in state))
    for derived, computed in zip(F, new, strict=True):
        check(derived, numbers, computed)
    dnew = tuple(rng.normal(size=(1, 2)) for _ in new)
    dx, dstate = backward(dnew)
    whole, dwhole = sp.Matrix.vstack(*F), np.concatenate(dnew, axis=1)
    computed = [dx, *dstate, *(getattr(cell, "d" + p) for p in parameters)]
    for by, gradient in zip((x, *state, *parameters.values()), computed, strict=True):
        check(slopes(whole, dwhole, by), numbers, gradient)


def test_softmax_is_its_twin(rng):
    z = rng.normal(size=3)
    check(symbolic.softmax(vector("z", 3)), {vector("z", 3): z}, activations.softmax(z))
    assert symbolic.softmax(matrix("z", 1, 2)).shape == (1, 2)


@pytest.mark.parametrize(("queries", "causal"), [(2, False), (2, True), (1, True)])
def test_attention_is_its_twin(queries, causal, rng):
    q, k, v = matrix("Q", queries, 2), matrix("K", 2, 2), matrix("V", 2, 1)
    numbers = {symbols: rng.normal(size=symbols.shape) for symbols in (q, k, v)}
    Y, A = symbolic.scaled_dot_product_attention(q, k, v, causal)
    y, a, backward = attention.scaled_dot_product_attention(*numbers.values(), causal=causal)
    check(Y, numbers, y)
    check(A, numbers, a)
    dy = rng.normal(size=y.shape)
    for by, computed in zip((q, k, v), backward(dy), strict=True):
        check(slopes(Y, dy, by), numbers, computed)


def test_a_gated_network_is_its_twin(rng):
    layer, x, X = attention.SwiGLU(2, 3, seed=0), rng.normal(size=(1, 2, 2)), matrix("x", 2, 2)
    parameters = {name: matrix(name, *getattr(layer, name).shape) for name in layer.parameters}
    F = rows(symbolic.swiglu)(X, **parameters)
    numbers = {X: x[0]} | {symbols: getattr(layer, name).copy() for name, symbols in parameters.items()}
    y, backward = layer.forward(x)
    check(F, numbers, y[0])
    dy = rng.normal(size=y.shape)
    check(slopes(F, dy, X), numbers, backward(dy)[0])
    for name, by in parameters.items():
        check(slopes(F, dy, by), numbers, getattr(layer, "d" + name))


def test_positions_are_their_twins(rng):
    check(symbolic.sinusoidal(5, 6), {}, attention.sinusoidal(5, 6))
    symbols, numbers = matrix("x", 3, 4), rng.normal(size=(3, 4))
    F = sp.ImmutableMatrix.vstack(*(symbolic.rotate(symbols[i, :].T, t).T for i, t in enumerate((0, 1, 7))))
    y, backward = attention.rotate(numbers, np.array([0, 1, 7]))
    check(F, {symbols: numbers}, y)
    dy = rng.normal(size=(3, 4))
    check(slopes(F, dy, symbols), {symbols: numbers}, backward(dy))


def test_what_a_query_and_a_key_say_to_each_other_depends_on_their_distance_alone():
    q, k = vector("q", 2), vector("k", 2)
    s, t = sp.symbols("s t", real=True)
    product = (symbolic.rotate(q, t).T * symbolic.rotate(k, s))[0]
    assert (sp.diff(product, s) + sp.diff(product, t)).expand() == 0 != sp.diff(product, t).expand()


# Which layer has which twin, or why none: a new layer must be entered here.
TWINS = {
    "Dense": "dense", "MLP": "mlp", "LayerNorm": "layer_norm", "BatchNorm": "batch_norm", "RMSNorm": "rms_norm", "Dropout": "dropout",
    "Conv1D": "conv1d", "RNNCell": "rnn_cell", "LSTMCell": "lstm_cell", "GRUCell": "gru_cell", "MultiHeadAttention": "scaled_dot_product_attention",
    "SwiGLU": "swiglu",
}  # fmt: skip
COMPOSED = {  # of layers that have one, or of the identity: no derivation of their own
    "Sequential", "Residual", "Positionwise", "Recurrent", "RNN", "LSTM", "GRU", "TransformerBlock", "Encoder", "GPT", "VisionTransformer",
    "PatchEmbedding", "LearnedPositions", "Embedding", "Flatten", "Conv2D", "GlobalAverage", "GlobalMax",
    "AveragePool1D", "AveragePool2D", "MaxPool1D", "MaxPool2D",
}  # fmt: skip


def test_every_layer_has_a_twin_or_needs_none(layer_class):
    name = layer_class.__name__
    if issubclass(layer_class, activations.Activation):
        assert name.lower() in symbolic.ACTIVATIONS
    else:
        assert (name in COMPOSED) != (TWINS.get(name) in symbolic.__all__), "give it a twin in nnlib.symbolic, or say that it needs none"


def test_every_activation_has_a_twin():
    assert set(symbolic.ACTIVATIONS) == set(activations.names())


# --- losses -----------------------------------------------------------------------------------------------------------

SIGNS = [1, 0, 0, 1]
CASES = [  # name, predictions, targets, constants of the twin (exact) and of the loss
    ("mse", (2, 2), [0.5, 0, -1, 2], {}),
    ("mae", (2, 2), [0.5, 0, -1, 2], {}),
    ("huber", (2, 2), [0.5, 0, -1, 2], {}),
    ("huber", (2, 2), [0.5, 0, -1, 2], {"delta": sp.Rational(1, 2)}),
    ("binary_cross_entropy", (4, 1), [0.5, 0, 1, 0.25], {}),
    ("binary_cross_entropy", (4, 1), [0.5, 0, 1, 0.25], {"positive_weight": 3}),
    ("hinge", (4, 1), SIGNS, {}),
    ("hinge", (4, 1), SIGNS, {"squared": True}),
    ("binary_focal", (4, 1), SIGNS, {}),
    ("binary_focal", (4, 1), SIGNS, {"gamma": sp.Rational(1, 2), "alpha": sp.Rational(1, 4)}),
    ("categorical_cross_entropy", (2, 3), [2, 0], {}),
    ("categorical_focal", (2, 3), [2, 0], {}),
    ("categorical_focal", (2, 3), [2, 0], {"gamma": sp.Integer(1)}),
    ("nll", (2, 3), [2, 0], {}),
    ("pairwise_auc", (4, 1), SIGNS, {}),
    ("pairwise_auc", (4, 1), SIGNS, {"surrogate": "squared_hinge"}),
]


@pytest.mark.parametrize(("name", "shape", "target", "constants"), CASES, ids=[f"{name}-{'-'.join(c)}" for name, _, _, c in CASES])
def test_losses_are_their_twins(name, shape, target, constants, rng):
    prediction, symbols = rng.normal(size=shape), matrix("z", *shape)
    twin_target = target if len(target) == shape[0] else [sp.nsimplify(t) for t in target]
    L = symbolic.loss(name, symbols, twin_target, **constants)
    target = np.array(target) if len(target) == shape[0] and isinstance(target[0], int) and shape[1] > 1 else np.reshape(target, shape)
    plain = {key: float(value) if isinstance(value, sp.Basic) else value for key, value in constants.items()}
    value, backward = getattr(losses, name)(prediction, target, **plain)
    check(L, {symbols: prediction}, value)
    check(slopes([L], 1, symbols), {symbols: prediction}, backward())


def test_every_loss_has_a_twin_that_is_tested(loss_name):
    assert loss_name in symbolic.LOSSES
    assert loss_name in {name for name, *_ in CASES}
    constants = set(inspect.signature(symbolic.LOSSES[loss_name]).parameters)
    tested = set().union(*(case[3] for case in CASES if case[0] == loss_name))
    assert tested == {name for name in constants if name in inspect.signature(getattr(losses, loss_name)).parameters} - {"target"}


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="unknown loss 'l3'; known are mse, mae"):
        symbolic.loss("l3", vector("z", 2), [1, 2])
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is shorter"):
        symbolic.loss("mse", vector("z", 2), [1])


# --- update rules -----------------------------------------------------------------------------------------------------

EPS = sp.Rational(1, 10**8)
RULES = {
    "SGD": ("sgd", {"learning_rate": sp.Rational(1, 20)}),
    "SGD momentum": ("sgd", {"learning_rate": sp.Rational(1, 20), "momentum": sp.Rational(9, 10)}),
    "SGD nesterov": ("sgd", {"learning_rate": sp.Rational(1, 20), "momentum": sp.Rational(9, 10), "nesterov": True}),
    "SGDW": ("sgd", {"learning_rate": sp.Rational(1, 20), "momentum": sp.Rational(9, 10), "weight_decay": sp.Rational(1, 10)}),
    "SGDW nesterov": ("sgd", {"learning_rate": sp.Rational(1, 20), "momentum": sp.Rational(1, 2), "nesterov": True, "weight_decay": sp.Integer(1)}),
    "AdaGrad": ("adagrad", {"learning_rate": sp.Rational(1, 10), "eps": EPS}),
    "RMSprop": ("rmsprop", {"learning_rate": sp.Rational(1, 100), "rho": sp.Rational(99, 100), "eps": EPS}),
    "RMSprop centered": ("rmsprop", {"learning_rate": sp.Rational(1, 100), "rho": sp.Rational(9, 10), "eps": EPS, "centered": True}),
    "Adam": ("adam", {"learning_rate": sp.Rational(1, 20), "beta1": sp.Rational(9, 10), "beta2": sp.Rational(999, 1000), "eps": EPS}),
    "AdamW": (
        "adam",
        {"learning_rate": sp.Rational(1, 20), "beta1": sp.Rational(4, 5), "beta2": sp.Rational(9, 10), "eps": EPS, "weight_decay": sp.Rational(1, 10)},
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_update_rules_are_their_twins_in_exact_arithmetic(name):
    twin, constants = RULES[name]
    gradients = [sp.Rational(3, 2), sp.Rational(-1, 4), sp.Rational(7, 1000), sp.Integer(0), sp.Integer(-20)]
    exact = [float(sp.N(theta, 30)) for theta in getattr(symbolic, twin)(sp.Integer(1), gradients, **constants)]
    plain = {key: float(value) if isinstance(value, sp.Basic) else value for key, value in constants.items()}
    optimizer, theta, path = getattr(optimizers, name.split()[0])(**plain), np.array([1.0]), []
    for g in gradients:
        optimizer.step(theta, np.array([float(g)]))
        path.append(theta[0])
    np.testing.assert_allclose(path, exact, rtol=1e-13)


def test_every_update_rule_has_a_twin_with_its_constants(optimizer_class):
    rules = [(twin, constants) for name, (twin, constants) in RULES.items() if name.split()[0] == optimizer_class.__name__]
    wanted = set(inspect.signature(optimizer_class).parameters) - {"decay_mask"}  # which entries decay is no part of the rule of one
    assert set().union(*(constants for _, constants in rules)) == wanted
    assert wanted <= set(inspect.signature(getattr(symbolic, rules[0][0])).parameters)
