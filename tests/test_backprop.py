"""The gradient, whether the ways to check it would notice a wrong one, and what else the way back tells."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, check_grad

from nnlib import backprop
from nnlib.activations import Sigmoid, Tanh
from nnlib.backprop import (
    check_gradient,
    complex_step_gradient,
    gradient_norms,
    graph,
    hessian_vector_product,
    jacobian,
    jvp,
    numerical_gradient,
    parameter_jacobian,
    sharpness,
    value_and_grad,
)
from nnlib.layers import Layer, Residual, Sequential
from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse
from nnlib.mlp import MLP, Dense


class Mask(Layer):
    """Lets a random half through: a layer whose gradient is only right for the noise that was drawn."""

    buffers = ("calls",)

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        super().__init__(calls=np.zeros(1))

    def forward(self, x, training=False):
        mask = self.rng.integers(0, 2, size=x.shape) if training else np.ones_like(x)
        self.calls += training
        return x * mask, lambda dy: dy * mask


class WrongSign(Dense):
    def forward(self, a, training=False):
        y, backward = super().forward(a)

        def wrong(dy, want_dx=True):
            dx = backward(dy, want_dx)
            self.db -= 2 * dy.sum(axis=0)
            return dx

        return y, wrong


def test_value_and_grad_are_the_loss_and_its_slope(rng):
    model, x, target = MLP([2, 3, 1], "tanh", seed=0), rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    model.grad[:] = 99
    value, grad = value_and_grad(model, mse, x, target)
    assert grad is model.grad
    assert value == mse(model(x), target)[0]

    def at(theta):
        model.theta = theta
        return mse(model(x), target)[0]

    before = model.theta.copy()
    differences = numerical_gradient(at, before)
    np.testing.assert_allclose(grad, differences, atol=1e-9)


def test_value_and_grad_are_taken_in_training_mode(rng):
    model = Sequential(Dense(2, 4, seed=0), Mask())
    x, target = rng.normal(size=(5, 2)), np.zeros((5, 4))
    before = model.state()
    value, _ = value_and_grad(model, mse, x, target)
    model.restore(before)
    assert value == mse(model.forward(x, training=True)[0], target)[0] != mse(model(x), target)[0]


def test_gradients_of_parameters_leave_out_that_of_the_input(rng):
    asked = []

    class Asked(Dense):
        def forward(self, a, training=False):
            z, through = super().forward(a)
            return z, lambda dz, want_dx=True: asked.append(want_dx) or through(dz, want_dx)

    model, x = Asked(2, 1, seed=0), rng.normal(size=(3, 2))
    value_and_grad(model, mse, x, np.zeros((3, 1)))
    parameter_jacobian(model, x)
    assert asked == [False] * 4


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_numerical_gradient_of_a_quadratic_is_exact(rows, columns, seed):
    rng = np.random.default_rng(seed)
    x, A = rng.normal(size=(rows, columns)), rng.normal(size=(rows, rows))
    before = x.copy()
    slope = numerical_gradient(lambda x: float(np.sum(x * (A @ x))), x, h=0.5)
    np.testing.assert_allclose(slope, (A + A.T) @ x, atol=1e-12)
    np.testing.assert_array_equal(x, before)


def test_numerical_gradient_takes_whole_numbers_and_scalars():
    np.testing.assert_allclose(numerical_gradient(lambda x: float(x @ x), np.array([1, 2])), [2, 4], atol=1e-9)
    assert numerical_gradient(lambda x: float(x**3), np.array(2.0)) == pytest.approx(12)


def test_numerical_gradient_errs_as_h_squared():
    errors = [abs(numerical_gradient(lambda x: float(np.exp(x)), np.array(0.0), h) - 1) for h in (1e-1, 1e-2)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (mse, np.linspace(0, 1, 12).reshape(4, 3)),
        (binary_cross_entropy, np.eye(4, 3)),
        (categorical_cross_entropy, np.array([0, 1, 2, 0])),
    ],
)
def test_check_gradient_is_small_for_a_right_model_and_large_for_a_wrong_one(loss, target, rng):
    x = rng.normal(size=(4, 2))
    assert check_gradient(MLP([2, 5, 3], "tanh", seed=0), loss, x, target) < 1e-8
    assert check_gradient(MLP([2, 5, 3], "tanh", seed=0), loss, x, target, h=0.1) > 1e-5  # differences err as h²
    assert check_gradient(Sequential(MLP([2, 5, 4], "tanh", seed=0), WrongSign(4, 3, seed=1)), loss, x, target) > 0.1


def test_the_error_of_check_gradient_is_relative(rng):
    def small_mse(prediction, target):
        value, backward = mse(prediction, target)
        return 1e-4 * value, lambda: 1e-4 * backward()

    assert check_gradient(WrongSign(2, 3, seed=1), small_mse, rng.normal(size=(4, 2)), np.zeros((4, 3))) > 0.1


def test_check_gradient_sees_the_same_noise_each_time_and_leaves_the_model_as_it_was(rng):
    model = Sequential(MLP([2, 5, 3], "tanh", seed=0), Mask(), Dense(3, 1, seed=1))
    model.grad[:] = 7
    before = model.state()
    assert check_gradient(model, mse, rng.normal(size=(6, 2)), np.zeros((6, 1))) < 1e-8
    after = model.state()
    assert all(after[name] == before[name] if isinstance(before[name], dict) else (after[name] == before[name]).all() for name in before)
    assert (model.grad == 7).all()


def test_check_gradient_leaves_the_model_as_it_was_when_it_fails(rng):
    model = MLP([2, 3, 1], "tanh", seed=0)
    model.grad[:] = 7
    before, calls = model.theta.copy(), []

    def fails_later(prediction, target):
        calls.append(1)
        return mse(prediction, target if len(calls) < 4 else target[1:])

    with pytest.raises(ValueError, match="mse expects a target"):
        check_gradient(model, fails_later, rng.normal(size=(6, 2)), np.zeros((6, 1)))
    np.testing.assert_array_equal(model.theta, before)
    assert (model.grad == 7).all()


def test_check_gradient_wants_something_to_check():
    with pytest.raises(ValueError, match=r"^check_gradient needs a model with float64 parameters, got 0 of float64"):
        check_gradient(Sequential(), mse, np.ones((2, 1)), np.ones((2, 1)))
    with pytest.raises(ValueError, match="needs a model with float64 parameters, got 2 of float32"):
        check_gradient(Dense(1, 1, seed=0).astype(np.float32), mse, np.ones((2, 1), np.float32), np.ones((2, 1)))


@pytest.mark.parametrize("h", [0, -1e-5, float("nan")])
def test_differences_need_a_step(h):
    for function in (numerical_gradient, complex_step_gradient):
        with pytest.raises(ValueError, match=f"{function.__name__} needs a step h > 0, got {h}"):
            function(np.sum, np.ones(2), h)
    model, x = small()
    with pytest.raises(ValueError, match=f"hessian_vector_product needs a step h > 0, got {h}"):
        hessian_vector_product(model, mse, x, model(x), np.ones(model.theta.size), h)


def test_differences_are_those_of_scipy(rng):
    x, A = rng.normal(size=4), rng.normal(size=(4, 4))

    def f(x):
        return float(np.sin(x) @ A @ x)

    np.testing.assert_allclose(numerical_gradient(f, x), approx_fprime(x, f, 1e-8), rtol=1e-6)
    assert check_grad(f, lambda x: numerical_gradient(f, x), x) < 1e-6
    assert check_grad(f, lambda x: complex_step_gradient(lambda z: np.sin(z) @ A @ z, x), x) < 1e-6


# --- the model is left as it was --------------------------------------------------------------------------------------

USES = {
    "jacobian": lambda model, loss, x, target: jacobian(model, x),
    "parameter_jacobian": lambda model, loss, x, target: parameter_jacobian(model, x),
    "jvp": lambda model, loss, x, target: jvp(model, x, x, np.ones(model.theta.size)),
    "hessian_vector_product": lambda model, loss, x, target: hessian_vector_product(model, loss, x, target, np.ones(model.theta.size)),
    "sharpness": lambda model, loss, x, target: sharpness(model, loss, x, target, seed=0),
    "gradient_norms": lambda model, loss, x, target: gradient_norms(model, loss, x, target),
    "check_gradient": lambda model, loss, x, target: check_gradient(model, loss, x, target),
}


def small(seed=0):
    rng = np.random.default_rng(seed)
    return MLP([2, 3, 2], "tanh", seed=seed), rng.normal(size=(5, 2))


def memory(model):
    """All that a call might change: the state, the gradient, and what hangs on each layer."""
    return copy.deepcopy((model.state(), model.grad)), [sorted(vars(layer)) for layer in model.named_layers().values()]


def same(one, other):
    (state, grad), names = one
    (state2, grad2), names2 = other
    return names == names2 and np.array_equal(grad, grad2) and all(np.array_equal(state[k], state2[k]) for k in state)


@pytest.mark.parametrize("name", USES)
def test_the_model_is_left_as_it_was(name, rng):
    model = Sequential(MLP([2, 4, 3], "tanh", seed=0), Mask(), Dense(3, 1, seed=1))
    model.grad[:] = 7
    before, x = memory(model), rng.normal(size=(6, 2))
    USES[name](model, mse, x, np.zeros((6, 1)))
    assert same(memory(model), before)


@pytest.mark.parametrize("name", ["hessian_vector_product", "sharpness", "gradient_norms"])
def test_the_model_is_left_as_it_was_when_the_loss_refuses(name, rng):
    model = Sequential(MLP([2, 4, 3], "tanh", seed=0), Mask(), Dense(3, 1, seed=1))
    model.grad[:] = 7
    before = memory(model)
    with pytest.raises(ValueError, match="mse expects a target"):
        USES[name](model, mse, rng.normal(size=(6, 2)), np.zeros((5, 1)))
    assert same(memory(model), before)


# --- the complex step and forward mode --------------------------------------------------------------------------------


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_the_complex_step_has_all_digits(rows, columns, seed):
    rng = np.random.default_rng(seed)
    x, A = rng.normal(size=(rows, columns)), rng.normal(size=(rows, rows))
    before = x.copy()
    slope = complex_step_gradient(lambda x: np.sum(np.sin(x) * (A @ x)), x)
    np.testing.assert_allclose(slope, np.cos(x) * (A @ x) + A.T @ np.sin(x), rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(x, before)


def test_the_complex_step_of_squire_and_trapp():
    """Their example, f(x) = x^(9/2) at 1.5, whose slope they print: 18.600812734259759."""
    assert complex_step_gradient(lambda x: x**4.5, np.array(1.5)) == pytest.approx(18.600812734259759, rel=1e-15)
    assert abs(numerical_gradient(lambda x: float(x**4.5), np.array(1.5)) - 18.600812734259759) > 1e-12


def test_the_complex_step_takes_whole_numbers_and_functions_that_are_0():
    assert complex_step_gradient(lambda x: 0 * x.sum(), np.ones(2)).tolist() == [0, 0]
    np.testing.assert_allclose(complex_step_gradient(lambda x: x @ x / 4, np.array([1, 2])), [0.5, 1], rtol=1e-14)


def test_the_complex_step_errs_as_h_squared_where_h_is_large():
    errors = [abs(complex_step_gradient(lambda x: np.exp(x), np.array(0.0), h) - 1) for h in (1e-1, 1e-2)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


def test_the_complex_step_of_a_network_is_its_gradient_to_the_last_digit(rng):
    model, x = small()
    target = rng.normal(size=(5, 2))
    twin = model.astype(complex)

    def loss(theta):
        twin.theta = theta
        return np.mean((twin(x.astype(complex)) - target) ** 2)

    slope = complex_step_gradient(loss, model.theta)
    np.testing.assert_allclose(value_and_grad(model, mse, x, target)[1], slope, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.abs(x).sum(),
        lambda x: np.var(x),
        lambda x: np.real(x).sum() * x.sum(),
        lambda x: np.sum(x * np.abs(np.arange(3) == 1) + x.real * (np.arange(3) != 1)),
    ],
    ids=["abs", "var", "real", "real in some entries"],
)
@pytest.mark.parametrize("size", [1, 1e6])
def test_the_complex_step_is_refused_where_a_function_is_not_analytic(f, size):
    with pytest.raises(ValueError, match=r"f is not analytic here as it is computed: the complex step finds a slope that is .* away from"):
        complex_step_gradient(f, size * np.array([1.0, -2.0, 4.0]))


def test_the_check_of_the_complex_step_does_not_stumble_over_rounding():
    for x in (np.zeros(2), np.full(2, 1e6), np.full(2, 1e-6)):
        np.testing.assert_allclose(complex_step_gradient(lambda x: (x @ x), x), 2 * x, rtol=1e-14)
    assert complex_step_gradient(lambda x: x.sum() + 1e8, np.ones(3)).tolist() == [1, 1, 1]  # differences have two digits here


def test_forward_mode_agrees_with_reverse_mode_in_every_layer(layer_class, rng):
    """So every layer takes complex numbers and is analytic in them, as it is computed."""
    layer, x = layer_class.example(rng)
    dtheta = rng.normal(size=layer.theta.shape)
    dx = rng.normal(size=x.shape) if x.dtype.kind == "f" else None
    expected = parameter_jacobian(layer, x) @ dtheta
    if dx is not None:
        expected = expected + np.einsum("n...i,ni->n...", jacobian(layer, x).reshape(*expected.shape, -1), dx.reshape(len(x), -1))
    np.testing.assert_allclose(jvp(layer, x, dx, dtheta), expected, rtol=1e-11, atol=1e-12)


def test_forward_mode_along_x_or_theta_alone(rng):
    model, x = small()
    dx, dtheta = rng.normal(size=x.shape), rng.normal(size=model.theta.shape)
    np.testing.assert_array_equal(jvp(model, x), np.zeros((5, 2)))
    np.testing.assert_allclose(jvp(model, x, dx) + jvp(model, x, dtheta=dtheta), jvp(model, x, dx, dtheta), rtol=1e-13)
    np.testing.assert_allclose(jvp(model, x, dtheta=dtheta), parameter_jacobian(model, x) @ dtheta, rtol=1e-13)


def test_forward_mode_names_a_layer_that_is_not_analytic():
    class Modulus(Layer):
        def forward(self, x, training=False):
            return np.abs(x), lambda dy: dy * np.sign(x)

    x = np.ones((1, 2))
    message = r"Sequential\(Dense\(2, 3\), Modulus\(\)\) is not analytic here as it is computed: .* away from central differences, of size"
    with pytest.raises(ValueError, match=message):
        jvp(Sequential(Dense(2, 3, seed=0), Modulus()), x, x)


def test_forward_mode_wants_directions_of_the_right_shape():
    model, x = small()
    with pytest.raises(ValueError, match=r"jvp expects dx of shape \(5, 2\), got \(2,\)"):
        jvp(model, x, np.ones(2))
    with pytest.raises(ValueError, match=r"jvp expects dtheta of shape \(17,\), got \(16,\)"):
        jvp(model, x, dtheta=np.ones(16))


# --- Jacobians --------------------------------------------------------------------------------------------------------


class Softmax(Layer):
    """p = softmax(z) with ∂L/∂z = p ⊙ (dp − pᵀ dp), whose Jacobian is known: diag(p) − p pᵀ."""

    def forward(self, x, training=False):
        p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return p, lambda dy: p * (dy - (p * dy).sum(axis=1, keepdims=True))


def test_the_jacobian_of_softmax_is_the_known_one(rng):
    x = rng.normal(size=(4, 3))
    p = Softmax()(x)
    np.testing.assert_allclose(jacobian(Softmax(), x), [np.diag(row) - np.outer(row, row) for row in p], rtol=1e-14)


def test_the_jacobians_of_a_dense_layer_are_its_weights_and_its_input(rng):
    dense, x = Dense(3, 2, seed=0), rng.normal(size=(4, 3))
    np.testing.assert_array_equal(jacobian(dense, x), [dense.W] * 4)
    expected = [[[*a, 0, 0, 0, 1, 0], [0, 0, 0, *a, 0, 1]] for a in x]  # W row by row, then b
    np.testing.assert_array_equal(parameter_jacobian(dense, x), expected)


def test_jacobians_are_those_of_differences(layer_class, rng):
    layer, x = layer_class.example(rng)
    y, theta = layer(x), layer.theta.copy()
    i = tuple(rng.integers(n) for n in y.shape)  # one output is enough: all go the same way

    def output(theta, x):
        layer.theta = theta
        return float(layer(x)[i])

    by_theta = numerical_gradient(lambda at: output(at, x), theta)
    layer.theta = theta
    np.testing.assert_allclose(parameter_jacobian(layer, x)[i], by_theta, rtol=1e-6, atol=1e-8)
    if x.dtype.kind == "f":
        by_x = numerical_gradient(lambda at: output(theta, at), x)
        found = jacobian(layer, x)
        assert found.shape == y.shape + x.shape[1:]
        np.testing.assert_allclose(found[i], by_x[i[0]], rtol=1e-6, atol=1e-8)
        assert not np.delete(by_x, i[0], axis=0).any()
    else:
        with pytest.raises(TypeError, match=f"jacobian expects floating-point inputs, got {x.dtype}"):
            jacobian(layer, x)


def test_jacobians_keep_the_precision_of_the_model(rng):
    model, x = MLP([2, 3, 2], "tanh", seed=0).astype(np.float32), rng.normal(size=(5, 2)).astype(np.float32)
    assert jacobian(model, x).dtype == parameter_jacobian(model, x).dtype == np.float32


# --- Hessians ---------------------------------------------------------------------------------------------------------


def test_the_hessian_of_least_squares_is_the_known_one(rng):
    """L = mean (X w + b − t)² has H = (2/n) AᵀA with A = [X 1]."""
    x, target = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    A, model = np.c_[x, np.ones(6)], Dense(3, 1, seed=0)
    H = 2 / 6 * A.T @ A
    for v in (*np.eye(4), rng.normal(size=4), 1e6 * rng.normal(size=4), 1e-6 * rng.normal(size=4)):
        np.testing.assert_allclose(hessian_vector_product(model, mse, x, target, v), H @ v, rtol=1e-8, atol=1e-8 * np.linalg.norm(v))
    assert sharpness(model, mse, x, target, seed=0) == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=1e-8)
    np.testing.assert_array_equal(hessian_vector_product(model, mse, x, target, np.zeros(4)), np.zeros(4))


def test_the_sharpness_of_many_parameters_and_the_same_for_the_same_seed(rng, global_generators_rest):
    x, target = rng.normal(size=(300, 200)), rng.normal(size=(300, 1))
    A, model = np.c_[x, np.ones(300)], Dense(200, 1, seed=0)
    found = [sharpness(model, mse, x, target, seed=seed) for seed in (0, 0, 1)]
    np.testing.assert_allclose(found, np.linalg.eigvalsh(2 / 300 * A.T @ A)[-1], rtol=1e-6)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_whole_hessian_of_a_small_network_and_its_largest_eigenvalue(seed, rng):
    model, x = small(seed)
    target, theta = rng.integers(0, 2, 5), model.theta.copy()

    def loss(theta):
        model.theta = theta
        return categorical_cross_entropy(model(x), target)[0]

    H = np.array([hessian_vector_product(model, categorical_cross_entropy, x, target, e) for e in np.eye(theta.size)])
    differences = [numerical_gradient(lambda at, i=i: numerical_gradient(loss, at, 1e-3)[i], theta, 1e-3) for i in (0, 7)]
    model.theta = theta
    np.testing.assert_allclose(H, H.T, atol=1e-9)
    np.testing.assert_allclose(H[[0, 7]], differences, atol=1e-5)
    eigenvalues = np.linalg.eigvalsh((H + H.T) / 2)
    found = [sharpness(model, categorical_cross_entropy, x, target, seed=s) for s in (0, np.random.default_rng(1))]
    np.testing.assert_allclose(found, eigenvalues[-1], rtol=1e-6)


def test_sharpness_is_the_largest_eigenvalue_and_not_the_largest_in_size():
    """At a maximum of L all eigenvalues are negative; the largest is the one next to 0."""

    def downhill(prediction, target):
        value, backward = mse(prediction, target)
        return -value, lambda: -backward()

    x, target = np.array([[3.0], [1.0]]), np.zeros((2, 1))
    A = np.c_[x, np.ones(2)]
    assert sharpness(Dense(1, 1, seed=0), downhill, x, target, seed=0) == pytest.approx(np.linalg.eigvalsh(-A.T @ A)[-1], rel=1e-6)


def test_gradient_descent_is_stable_just_below_two_over_the_sharpness_and_not_above(rng):
    x, target = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    for factor, stable in ((1.95, True), (2.05, False)):
        model = Dense(3, 1, seed=0)
        rate = factor / sharpness(model, mse, x, target, seed=0)
        for _ in range(400):
            model.theta -= rate * value_and_grad(model, mse, x, target)[1]
        assert (mse(model(x), target)[0] < 10) == stable


def test_both_gradients_of_a_hessian_product_see_the_same_noise(rng):
    x, target = rng.normal(size=(6, 2)), np.zeros((6, 1))
    model = Sequential(Dense(2, 3, seed=0), Mask(), Dense(3, 1, seed=1))
    v = rng.normal(size=model.theta.size)
    once = hessian_vector_product(model, mse, x, target, v)
    np.testing.assert_array_equal(hessian_vector_product(model, mse, x, target, v), once)
    assert np.abs(once).max() < 100  # other noise at the two points would be divided by 2r


def test_hessian_products_refuse_what_they_cannot_do():
    model, x = small()
    target = np.zeros((5, 2))
    for v, shape in ((np.ones(16), r"\(16,\)"), (np.ones((17, 1)), r"\(17, 1\)"), (np.full(17, np.nan), r"\(17,\)")):
        with pytest.raises(ValueError, match=rf"hessian_vector_product expects a finite v of shape \(17,\), got shape {shape}"):
            hessian_vector_product(model, mse, x, target, v)
    for name in ("hessian_vector_product", "sharpness"):
        with pytest.raises(ValueError, match=f"{name} needs a model with float64 parameters, got 17 of float32"):
            USES[name](model.astype(np.float32), mse, x.astype(np.float32), target)
        with pytest.raises(ValueError, match=f"{name} needs a model with float64 parameters, got 0 of float64"):
            USES[name](Tanh(), mse, x, target)
    with pytest.raises(ValueError, match=r"^sharpness needs a seed or a numpy\.random\.Generator: without one, no run could be repeated$"):
        sharpness(model, mse, x, target, seed=None)

    class Scale(Layer):
        parameters = ("s",)

    with pytest.raises(ValueError, match=r"^sharpness needs a model with at least 2 parameters, got 1$"):
        sharpness(Scale(s=np.ones(1)), mse, x, target, seed=0)


# --- gradient norms ---------------------------------------------------------------------------------------------------


def test_gradient_norms_are_those_of_the_chain_rule_by_hand(rng):
    model, x, target = MLP([2, 3, 1], "tanh", seed=0), rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    dense, _, last = model.layers
    z = x @ dense.W.T + dense.b
    a = np.tanh(z)
    dy = 2 / 5 * (a @ last.W.T + last.b - target)
    da = dy @ last.W
    dz = da * (1 - a**2)
    outputs, parameters = gradient_norms(model, mse, x, target)
    assert outputs == pytest.approx({"layers.0": np.linalg.norm(dz), "layers.1": np.linalg.norm(da), "layers.2": np.linalg.norm(dy)})
    expected = {"0.W": dz.T @ x, "0.b": dz.sum(axis=0), "2.W": dy.T @ a, "2.b": dy.sum(axis=0)}
    assert parameters == pytest.approx({f"layers.{name}": np.linalg.norm(value) for name, value in expected.items()})
    assert list(outputs) == ["layers.0", "layers.1", "layers.2"] and list(parameters) == list(model.named_parameters())
    assert gradient_norms(model, mse, x, target) == (outputs, parameters)


def test_gradient_norms_reach_into_residual_blocks_and_count_each_call_of_a_shared_layer(rng):
    x, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    shared = Dense(2, 2, seed=0)
    model = Sequential(shared, Residual(Sequential(Tanh(), shared)))
    outputs, parameters = gradient_norms(model, mse, x, target)
    assert list(parameters) == ["layers.0.W", "layers.0.b"]
    assert list(outputs) == ["layers.0", "layers.1", "layers.1.layer", "layers.1.layer.layers.0"]
    h = shared(x)
    dy = 2 / 10 * (h + shared(np.tanh(h)) - target)
    da = dy @ shared.W
    dh = dy + da * (1 - np.tanh(h) ** 2)
    assert outputs["layers.1"] == outputs["layers.1.layer"] == pytest.approx(np.linalg.norm(dy))
    assert outputs["layers.1.layer.layers.0"] == pytest.approx(np.linalg.norm(da))
    assert outputs["layers.0"] == pytest.approx(np.hypot(np.linalg.norm(dy), np.linalg.norm(dh)))


def test_gradient_norms_leave_out_a_layer_that_was_not_used(rng):
    class Lazy(Layer):
        def __init__(self):
            self.used, self.unused = Dense(2, 1, seed=0), Dense(2, 1, seed=1)
            super().__init__()

        def forward(self, x, training=False):
            return self.used.forward(x)

    outputs, parameters = gradient_norms(Lazy(), mse, rng.normal(size=(5, 2)), np.zeros((5, 1)))
    assert list(outputs) == ["used"] and parameters["unused.W"] == 0 < parameters["used.W"]


def test_gradient_norms_of_every_layer(layer_class, rng):
    layer, x = layer_class.example(rng)
    before, target = memory(layer), np.zeros_like(layer(x))
    outputs, parameters = gradient_norms(layer, mse, x, target)
    assert same(memory(layer), before)
    value_and_grad(layer, mse, x, target)
    inside = layer.named_layers()
    expected = {path + name: np.linalg.norm(getattr(inner, "d" + name)) for path, inner in inside.items() for name in inner.parameters}
    assert parameters == pytest.approx(expected, rel=1e-12)
    assert set(outputs) < {path.rstrip(".") for path in inside} and np.isfinite([*outputs.values()]).all()


# --- the computational graph ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("loss", [mse, binary_cross_entropy])
def test_the_graph_is_what_backpropagation_walks_along(deep, loss, rng):
    model, x = MLP([2, 3, 1], "sigmoid", seed=0), rng.normal(size=(1, 2))
    if deep:
        model = Sequential(Dense(2, 4, seed=0), Tanh(), Dense(4, 3, seed=1), Dense(3, 2, seed=2), Tanh())
    model.theta += 0.1
    target = np.ones_like(model(x))
    nodes, edges = graph(model, loss, x, target)
    # The chain rule over the edges gives each gradient but that of the last node.
    for tail, (_, gradient) in nodes.items():
        leaving = [slope * nodes[head][1] for (t, head), (slope, _) in edges.items() if t == tail]
        assert gradient == (pytest.approx(sum(leaving), rel=1e-14) if tail != "L" else 1)
    # The weights, their gradients and the values are those of the model.
    value, _ = value_and_grad(model, loss, x, target)
    assert nodes["L"] == (value, 1)
    named = model.named_parameters()
    weights = [view for name, view in named.items() if name.endswith("W")]
    assert [slope for slope, dw in edges.values() if dw is not None] == [w for W in weights for w in W.ravel().tolist()]
    found = [dw for _, dw in edges.values() if dw is not None]
    expected = [getattr(layer, "dW").ravel().tolist() for layer in model.layers if isinstance(layer, Dense)]  # noqa: B009
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-14)
    biases = {name: node for name, node in nodes.items() if name.startswith("b")}
    layers_with_bias = [layer for layer in model.layers if isinstance(layer, Dense)]
    assert [b for b, _ in biases.values()] == np.concatenate([layer.b for layer in layers_with_bias]).tolist()
    np.testing.assert_allclose([db for _, db in biases.values()], np.concatenate([layer.db for layer in layers_with_bias]), rtol=1e-14)
    last = list(nodes)[-1 - model(x).size : -1]
    assert [nodes[name][0] for name in last] == model(x)[0].tolist()


def test_the_graph_of_the_2_3_1_network_has_all_names_in_the_order_of_the_pass():
    nodes, edges = graph(MLP([2, 3, 1], "tanh", seed=0), mse, np.ones((1, 2)), np.ones((1, 1)))
    assert list(nodes) == ["x₁", "x₂", *(f"{q}⁽¹⁾{j}" for q in "bza" for j in "₁₂₃"), "b⁽²⁾₁", "z⁽²⁾₁", "L"]
    assert len(edges) == 6 + 3 + 3 + 3 + 1 + 1
    assert edges["b⁽¹⁾₃", "z⁽¹⁾₃"] == (1, None)
    nodes, _ = graph(MLP([1, 11, 1], "relu", seed=0), mse, np.ones((1, 1)), np.ones((1, 1)))
    assert "a⁽¹⁾₁₁" in nodes


def test_the_graph_leaves_the_gradient_as_it_was_and_refuses_what_it_cannot_draw():
    model = MLP([2, 3, 1], "tanh", seed=0)
    model.grad[:] = 7
    graph(model, mse, np.ones((1, 2)), np.ones((1, 1)))
    assert (model.grad == 7).all()
    for x in (np.ones((2, 2)), np.ones(2)):
        with pytest.raises(ValueError, match=r"graph expects one example of shape \(1, n\), got \(2,"):
            graph(model, mse, x, np.ones((1, 1)))
    for wrong in (Tanh(), Sequential(Tanh()), Sequential(Dense(2, 1, seed=0), Tanh(), Sigmoid()), Sequential(Residual(Tanh()))):
        with pytest.raises(TypeError, match=r"graph expects a Sequential of Dense layers, each followed by at most one activation, got "):
            graph(wrong, mse, np.ones((1, 2)), np.ones((1, 1)))


def test_all_tools_are_tested_for_what_they_leave_behind():
    assert set(USES) == set(backprop.__all__) - {"value_and_grad", "numerical_gradient", "complex_step_gradient", "graph"}
