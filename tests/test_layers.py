"""What every layer promises, for every layer that there is, and the one vector θ."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from discovery import Stored, compare_with_torch
from hypothesis import given
from hypothesis import strategies as st

from nnlib import layers
from nnlib.activations import Identity, ReLU, Tanh
from nnlib.backprop import numerical_gradient, value_and_grad
from nnlib.layers import Layer, Positionwise, Residual, Sequential
from nnlib.losses import mse
from nnlib.mlp import MLP, Dense

MODES = pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])


class Noisy(Layer):
    """Multiplies by s and a random mask, and keeps a running mean: a parameter, a buffer and a generator."""

    parameters = ("s",)
    buffers = ("mean",)

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        super().__init__(s=np.ones(3), mean=np.zeros(3))

    def forward(self, x, training=False):
        mask = np.ones_like(x)
        if training:
            mask = self.rng.integers(0, 2, size=x.shape).astype(x.dtype)
            self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)

        def backward(dy):
            self.ds += (dy * mask * x).sum(axis=0)
            return dy * mask * self.s

        return x * mask * self.s, backward


def read_only(array):
    array = np.array(array)
    array.setflags(write=False)
    return array


def same_state(one, other):
    return one.keys() == other.keys() and all(
        one[name] == other[name] if isinstance(one[name], dict) else np.array_equal(one[name], other[name]) for name in one
    )


def is_tied(model):
    """Whether each parameter and its gradient is a view of θ and of the gradient of its own model."""
    names = [(layer, name) for layer in model.named_layers().values() for name in layer.parameters]
    total = sum(getattr(layer, name).size for layer, name in names)
    return total == model.theta.size == model.grad.size and all(
        np.shares_memory(getattr(layer, name), model.theta) and np.shares_memory(getattr(layer, "d" + name), model.grad) for layer, name in names
    )


def has_gradient(x):
    """Tokens are whole numbers: there is no slope between them."""
    return x.dtype.kind == "f"


def relative(error, scale):
    return np.abs(error).max(initial=0) / max(np.abs(scale).max(initial=0), 1)


# --- every layer ------------------------------------------------------------------------------------------------------


def test_every_layer_brings_an_example_of_itself(layer_class, rng):
    layer, x = layer_class.example(rng)
    assert type(layer) is layer_class
    assert len(x) > 1 and layer(x).shape[0] == len(x)


@MODES
def test_gradients_are_those_of_central_differences(layer_class, rng, training):
    layer, x = layer_class.example(rng)
    before = layer.state()
    y, backward = layer.forward(x, training=training)
    dy = rng.normal(size=y.shape)

    def loss(theta, x):
        layer.restore(before)
        layer.theta = theta
        return float((layer.forward(x, training=training)[0] * dy).sum())

    theta = layer.theta.copy()
    dx, dtheta = backward(dy), layer.grad.copy()
    by_theta = numerical_gradient(lambda at: loss(at, x), theta)
    assert relative(dtheta - by_theta, by_theta) < 1e-8
    if has_gradient(x):
        by_x = numerical_gradient(lambda at: loss(theta, at), x)
        assert relative(dx - by_x, by_x) < 1e-8
    else:
        assert dx is None

    # One step of all at once, in random directions: what a gradient check of a large model does.
    for _ in range(3):
        u, v, h = rng.normal(size=theta.shape), rng.normal(size=x.shape), 1e-5
        if not has_gradient(x):
            slope, expected = (loss(theta + h * u, x) - loss(theta - h * u, x)) / (2 * h), dtheta @ u
        else:
            slope, expected = (loss(theta + h * u, x + h * v) - loss(theta - h * u, x - h * v)) / (2 * h), dtheta @ u + (dx * v).sum()
        assert slope == pytest.approx(float(expected), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer)), "joblib"],
    ids=["deepcopy", "pickle", "joblib"],
)
def test_a_copy_is_tied_to_its_own_theta(layer_class, rng, duplicate, tmp_path):
    layer, x = layer_class.example(rng)
    if duplicate == "joblib":
        joblib.dump(layer, tmp_path / "layer")
        other = joblib.load(tmp_path / "layer")
    else:
        other = duplicate(layer)
    y, theta = layer(x), layer.theta.copy()
    assert is_tied(layer) and is_tied(other)
    assert not np.shares_memory(layer.theta, other.theta)
    assert np.array_equal(other.theta, theta) and np.array_equal(other(x), y)
    assert list(other.named_parameters()) == list(layer.named_parameters())

    other.theta[:] = 0.5
    assert np.array_equal(layer.theta, theta)
    assert all((view == 0.5).all() for view in other.named_parameters().values())
    prediction, backward = other.forward(x, training=True)
    backward(np.ones_like(prediction))
    assert not layer.grad.any()


def test_a_pickle_holds_each_number_once():
    dense = Dense(100, 100, seed=0)
    assert len(pickle.dumps(dense)) < 1.1 * dense.theta.nbytes


def test_gradients_add_where_a_way_back_is_called_twice(layer_class, rng):
    layer, x = layer_class.example(rng)
    y, backward = layer.forward(x, training=True)
    dy = rng.normal(size=y.shape)
    dx, once = backward(dy), layer.grad.copy()
    again = backward(dy)
    np.testing.assert_allclose(layer.grad, 2 * once, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(again, dx)


def test_the_gradient_of_the_input_is_left_out_where_nobody_wants_it(layer_class, rng):
    layer, x = layer_class.example(rng)
    if not layer.skips_dx:
        with pytest.raises(TypeError, match="want_dx"):
            layer.forward(x)[1](layer(x), want_dx=False)
        return
    y, backward = layer.forward(x)
    dy = rng.normal(size=y.shape)
    backward(dy)
    grad = layer.grad.copy()
    layer.grad[:] = 0
    assert backward(dy, want_dx=False) is None
    np.testing.assert_allclose(layer.grad, grad, rtol=1e-13, atol=1e-13)


def test_the_way_back_is_linear(layer_class, rng):
    layer, x = layer_class.example(rng)
    y, backward = layer.forward(x, training=True)
    one, other = rng.normal(size=(2, *y.shape))

    def gradients(dy):
        layer.grad[:] = 0
        dx = backward(dy)
        return np.concatenate([layer.grad, np.ravel(dx) if has_gradient(x) else []])

    np.testing.assert_allclose(gradients(one) - 3 * gradients(other), gradients(one - 3 * other), atol=1e-12)


@MODES
def test_no_layer_writes_to_its_input_or_its_gradient(layer_class, rng, training):
    layer, x = layer_class.example(rng)
    y, backward = layer.forward(read_only(x), training=training)
    dx = backward(read_only(rng.normal(size=y.shape)))
    assert dx.shape == x.shape if has_gradient(x) else dx is None


def test_two_calls_do_not_disturb_each_other(layer_class, rng):
    """Nothing of a call is kept on the layer: the way back of the first call is still right after the second."""
    layer, x = layer_class.example(rng)
    before = layer.state()
    y, backward = layer.forward(x)
    dy = rng.normal(size=y.shape)
    dx, dtheta = backward(dy), layer.grad.copy()
    layer.restore(before)
    layer.grad[:] = 0
    _, first = layer.forward(x)
    layer.forward(x[::-1] * 2 if has_gradient(x) else x[::-1])
    np.testing.assert_array_equal(first(dy), dx)
    np.testing.assert_array_equal(layer.grad, dtheta)


@MODES
def test_float32_stays_float32(layer_class, rng, training):
    layer, x = layer_class.example(rng)
    layer, x32 = layer.astype(np.float32), x.astype(np.float32) if has_gradient(x) else x
    y, backward = layer.forward(x32, training=training)
    dx = backward(np.ones_like(y))
    assert y.dtype == layer(x32).dtype == np.float32
    assert not has_gradient(x) or dx.dtype == np.float32
    if layer.theta.size:
        assert layer.theta.dtype == layer.grad.dtype == np.float32


def test_inference_changes_nothing(layer_class, rng):
    layer, x = layer_class.example(rng)
    before = layer.state()
    y, backward = layer.forward(x)
    backward(np.ones_like(y))
    layer(x)
    assert same_state(layer.state(), before)


def test_a_call_is_plain_inference(layer_class, rng):
    layer, x = layer_class.example(rng)
    np.testing.assert_array_equal(layer(x), layer.forward(x)[0])
    np.testing.assert_array_equal(layer(x), layer.forward(x, training=False)[0])


def test_a_state_can_be_put_back(layer_class, rng):
    layer, x = layer_class.example(rng)
    before, y = layer.state(), layer(x)
    layer.theta[:] = rng.normal(size=layer.theta.shape)
    layer.forward(x, training=True)
    layer.restore(before)
    assert same_state(layer.state(), before) and is_tied(layer)
    np.testing.assert_array_equal(layer(x), y)


def test_examples_in_another_order_give_the_same_in_that_order(layer_class, rng):
    layer, x = layer_class.example(rng)
    order = rng.permutation(len(x))
    np.testing.assert_allclose(layer(x[order]), layer(x)[order], rtol=1e-13, atol=1e-13)


def test_one_example_alone_gives_what_it_gives_in_company(layer_class, rng):
    layer, x = layer_class.example(rng)
    np.testing.assert_allclose(layer(x[:1]), layer(x)[:1], rtol=1e-13, atol=1e-13)
    y, backward = layer.forward(x[:1], training=True)
    dx = backward(np.ones_like(y))
    assert dx.shape == x[:1].shape if has_gradient(x) else dx is None


def test_assignment_writes_into_theta(layer_class, rng):
    layer, _ = layer_class.example(rng)
    for inner in layer.named_layers().values():
        for name in inner.parameters:
            setattr(inner, name, np.full(getattr(inner, name).shape, 7.0))
            before = layer.theta.copy()
            with pytest.raises(ValueError, match=rf"{type(inner).__name__}\.{name} has shape .*, got \(2, 9, 2\)"):
                setattr(inner, name, np.zeros((2, 9, 2)))
            np.testing.assert_array_equal(layer.theta, before)
    assert (layer.theta == 7).all() and is_tied(layer)


def test_its_name_says_what_it_is(layer_class, rng):
    layer, _ = layer_class.example(rng)
    assert repr(layer).startswith(layer_class.__name__ + "(")


# --- one vector θ -----------------------------------------------------------------------------------------------------


def test_a_layer_inside_another_model_is_refused_and_stays_there():
    dense = Dense(2, 2, seed=0)
    model = Sequential(dense, Tanh())
    before = model.theta.copy()
    with pytest.raises(ValueError, match=r"Dense\(2, 2\) already lives in the θ of another model; give copy.deepcopy"):
        Sequential(dense)
    with pytest.raises(ValueError, match="already lives"):
        Residual(dense)
    assert is_tied(model) and np.array_equal(model.theta, before)
    assert is_tied(Sequential(copy.deepcopy(dense)))


def test_a_model_inside_a_model_lives_in_its_theta():
    inner = MLP([2, 3, 2], seed=0)
    outer = Sequential(Dense(2, 2, seed=1), Residual(inner), Dense(2, 1, seed=2))
    assert is_tied(outer) and is_tied(inner)
    assert np.shares_memory(inner.theta, outer.theta)
    assert list(outer.named_parameters())[2:4] == ["layers.1.layer.layers.0.W", "layers.1.layer.layers.0.b"]
    inner.theta[:] = 0
    assert not outer.theta[6 : 6 + inner.theta.size].any()
    with pytest.raises(ValueError, match="already lives"):
        Sequential(inner)


def test_theta_holds_the_parameters_in_the_order_of_their_names():
    model = MLP([2, 3, 1], seed=0)
    np.testing.assert_array_equal(model.theta, np.concatenate([view.ravel() for view in model.named_parameters().values()]))


def test_a_tied_weight_stands_in_theta_once_and_gets_both_gradients(rng):
    shared = Dense(3, 3, seed=0)
    model = Sequential(shared, Tanh(), shared)
    apart = Sequential(copy.deepcopy(shared), Tanh(), copy.deepcopy(shared))
    assert model.theta.size == shared.theta.size == apart.theta.size // 2
    x = rng.normal(size=(4, 3))
    for net in (model, apart):
        y, backward = net.forward(x)
        backward(np.ones_like(y))
    np.testing.assert_allclose(model.grad, apart.grad[:12] + apart.grad[12:], rtol=1e-13)
    other = copy.deepcopy(model)
    assert other.layers[0] is other.layers[2] and other.theta.size == model.theta.size


def test_a_composite_that_holds_a_layer_tied_to_an_earlier_place_has_no_vector_of_its_own(rng):
    shared = Dense(3, 3, seed=0)
    second = Sequential(Tanh(), shared)
    model = Sequential(shared, second, Dense(3, 1, seed=1))
    assert is_tied(model) and is_tied(shared) and model.theta.size == 16
    for name in ("theta", "grad"):
        with pytest.raises(AttributeError, match=f"Sequential shares parameters with another layer of its model, whose {name} has them all"):
            getattr(second, name)
    with pytest.raises(AttributeError, match="shares parameters"):
        second.theta = np.zeros(12)
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute 'weights'"):
        getattr(second, "weights")  # noqa: B009
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert is_tied(other) and other.layers[0] is other.layers[1].layers[1]
    assert is_tied(copy.deepcopy(second)) and is_tied(Sequential(copy.deepcopy(model), Tanh()))
    x = rng.normal(size=(4, 3))
    y, backward = model.forward(x)
    dy = rng.normal(size=y.shape)
    backward(dy)

    def loss(theta):
        model.theta = theta
        return float((model(x) * dy).sum())

    np.testing.assert_allclose(model.grad, numerical_gradient(loss, model.theta.copy()), atol=1e-9)


def test_layers_without_parameters_may_be_shared_by_models():
    tanh = Tanh()
    assert Sequential(tanh).theta.size == Sequential(tanh, Dense(1, 1, seed=0)).theta.size - 2 == 0


def test_theta_itself_can_be_assigned_and_stepped():
    model = MLP([2, 3, 1], seed=0)
    theta = model.theta
    model.theta = np.arange(13.0)
    model.theta += 1
    model.theta *= 2
    assert model.theta is theta
    np.testing.assert_array_equal(model.layers[2].b, [26.0])
    with pytest.raises(ValueError, match=r"MLP.theta has shape \(13,\), got \(14,\)"):
        model.theta = np.zeros(14)
    model.grad = np.ones(13)
    np.testing.assert_array_equal(model.layers[0].dW, np.ones((3, 2)))


def test_the_layers_of_a_model_are_fixed():
    model = Sequential(Dense(2, 2, seed=0))
    for name, value in (
        ("layers", (Tanh(),)),
        ("layers", 3),
        ("more", Dense(2, 2, seed=1)),
        ("more", (Dense(2, 2, seed=1),)),
    ):
        with pytest.raises(TypeError, match=r"the layers of a model are fixed.* build a new Sequential"):
            setattr(model, name, value)
    model.note = "free to set"
    assert is_tied(model) and model.note == "free to set"


def test_layers_in_a_list_are_refused_since_they_would_not_be_found():
    class Stack(Layer):
        def __init__(self):
            self.blocks = [Dense(2, 2, seed=0)]
            super().__init__()

    with pytest.raises(TypeError, match=r"Stack.blocks: give layers in a tuple, got a list"):
        Stack()


def test_layers_want_the_values_that_they_declare():
    with pytest.raises(TypeError, match=r"Noisy declares \('s', 'mean'\), got values for \('s',\)"):
        Layer.__init__(Noisy.__new__(Noisy), s=np.ones(3))


def test_parameters_are_floating_point():
    class Whole(Layer):
        parameters = ("s",)

    with pytest.raises(TypeError, match="parameters must be floating point, got int64"):
        Whole(s=np.array([1, 2]))


def test_a_layer_without_forward_says_so():
    with pytest.raises(TypeError, match="Layer defines no forward"):
        Layer().forward(np.ones(2))


def test_initial_values_are_copied():
    s, mean = np.ones(3), np.zeros(3)
    layer = Noisy()
    Layer.__init__(layer, s=s, mean=mean)
    layer.s[0] = layer.mean[0] = 5
    assert s[0] == 1 and mean[0] == 0


def test_a_shallow_copy_of_a_model_would_share_its_layers_and_is_refused():
    model = MLP([2, 3, 1], seed=0)
    with pytest.raises(ValueError, match=r"give copy.deepcopy"):
        copy.copy(model)
    assert is_tied(model)


def test_a_copied_inner_layer_stands_alone():
    model = MLP([2, 3, 1], seed=0)
    dense = copy.deepcopy(model.layers[0])
    assert is_tied(dense) and dense.theta.size == 9
    dense.theta[:] = 0
    assert model.layers[0].W.any()


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(1, 4), st.sampled_from([np.float32, np.float64]))
def test_shapes_and_dtypes_of_any_stack(sizes, batch, dtype):
    model = Sequential(Residual(MLP([sizes[0], 3, sizes[0]], "tanh", seed=0)), MLP(sizes, "gelu", seed=1)).astype(dtype)
    x = np.linspace(-1, 1, batch * sizes[0], dtype=dtype).reshape(batch, sizes[0])
    y, backward = model.forward(x, training=True)
    dx = backward(np.ones_like(y))
    assert y.shape == (batch, sizes[-1]) and dx.shape == x.shape
    assert {y.dtype, dx.dtype, model.theta.dtype, model.grad.dtype, model(x).dtype} == {np.dtype(dtype)}
    assert model.theta.size == sum(view.size for view in model.named_parameters().values())


# --- states -----------------------------------------------------------------------------------------------------------


def test_a_state_holds_buffers_and_generators_too(rng):
    model = Sequential(Noisy(seed=1), Noisy(seed=2))
    before, x = model.state(), rng.normal(size=(5, 3))
    assert list(before) == [f"layers.{i}.{name}" for i in (0, 1) for name in ("s", "mean", "rng")]
    first = model.forward(x, training=True)[0]
    assert not same_state(model.state(), before)
    model.theta[:] = 3
    model.restore(before)
    assert same_state(model.state(), before)
    np.testing.assert_array_equal(model.forward(x, training=True)[0], first)


def test_a_state_is_a_copy():
    model = Noisy()
    state = model.state()
    model.s[:] = 9
    model.rng.random()
    model.restore(state)
    model.s[:] = 8
    model.rng.random()
    np.testing.assert_array_equal(state["s"], np.ones(3))
    assert state["rng"] == np.random.default_rng(0).bit_generator.state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("layers.1.mean"), r"Sequential has a state named \[.*'layers.1.mean'.*\], got \["),
        (lambda state: state.update(more=np.ones(3)), r"got \[.*'more'\]"),
        (lambda state: state.update({"layers.1.s": np.ones(4)}), r"layers.1.s has shape \(3,\), got \(4,\)"),
        (
            lambda state: state.update({"layers.1.mean": np.ones((3, 1))}),
            r"layers.1.mean has shape \(3,\), got \(3, 1\)",
        ),
        (
            lambda state: state.update({"layers.1.rng": np.ones(3)}),
            r"layers.1.rng is the state of a PCG64 generator, got",
        ),
        (
            lambda state: state.update({"layers.1.rng": np.random.MT19937(0).state}),
            r"layers.1.rng is the state of a PCG64 generator, got",
        ),
    ],
    ids=["missing", "unknown", "parameter", "buffer", "generator", "other generator"],
)
def test_another_state_is_refused_before_anything_has_changed(change, message):
    model = Sequential(Noisy(seed=1), Noisy(seed=2))
    before = model.state()
    wrong = Sequential(Noisy(seed=3), Noisy(seed=4)).state()
    wrong["layers.0.s"] = np.full(3, 99.0)
    change(wrong)
    with pytest.raises(ValueError, match=message):
        model.restore(wrong)
    assert same_state(model.state(), before)


def test_a_buffer_is_written_in_place_and_keeps_shape_and_dtype():
    layer = Noisy().astype(np.float32)
    mean = layer.mean
    layer.mean = np.ones(3)
    assert layer.mean is mean and mean.dtype == np.float32
    with pytest.raises(ValueError, match=r"Noisy.mean has shape \(3,\), got \(\)"):
        layer.mean = 0.0


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["deepcopy", "pickle"])
def test_a_copy_has_its_own_buffers_and_generator(duplicate, rng):
    model, x = Sequential(Noisy(seed=1)), rng.normal(size=(5, 3))
    other, before = duplicate(model), model.state()
    y = other.forward(x, training=True)[0]
    assert same_state(model.state(), before)
    np.testing.assert_array_equal(model.forward(x, training=True)[0], y)


def test_astype_leaves_the_original_alone():
    model = Sequential(Noisy(), Dense(3, 1, seed=0))
    other = model.astype("float32")
    assert model.theta.dtype == model.layers[0].mean.dtype == np.float64
    assert other.theta.dtype == other.layers[0].mean.dtype == other.layers[1].dW.dtype == np.float32
    assert is_tied(other)
    with pytest.raises(TypeError, match="parameters must be floating point, got int32"):
        model.astype("int32")


# --- Sequential and Residual ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [Sequential, Residual, Positionwise, lambda layer: Sequential(Residual(Sequential(layer)))])
def test_composites_pass_training_on(wrap, rng):
    x = rng.normal(size=(5, 2, 3) if wrap is Positionwise else (5, 3))
    inner = Noisy()
    model = wrap(inner)
    before = model.state()
    model.forward(x)
    model.forward(x, training=False)
    model(x)
    assert same_state(model.state(), before)
    model.forward(x, training=True)
    assert inner.mean.any() and inner.rng.bit_generator.state != np.random.default_rng(0).bit_generator.state


def test_sequential_shows_the_output_of_each_layer(rng):
    model, x = MLP([2, 3, 1], "tanh", seed=0), rng.normal(size=(4, 2))
    z, a, y = model.outputs(x)
    np.testing.assert_array_equal(z, x @ model.layers[0].W.T + model.layers[0].b)
    np.testing.assert_array_equal(a, np.tanh(z))
    np.testing.assert_array_equal(y, model(x))


def test_many_examples_go_through_in_blocks_and_come_out_in_order(rng, monkeypatch):
    model, x = MLP([2, 5, 3], "tanh", seed=0), rng.normal(size=(23, 2))
    whole, seen = model.forward(x)[0], []
    monkeypatch.setattr(layers, "BLOCK", 10)

    class Watched(Identity):
        def __call__(self, x):
            seen.append(len(x))
            return super().__call__(x)

    np.testing.assert_allclose(Sequential(model, Watched())(x), whole, rtol=1e-13)
    assert seen == [10, 10, 3]
    np.testing.assert_allclose(model(x[:10]), whole[:10], rtol=1e-13)
    assert Sequential(Watched())(x[:10]) is not None and seen == [10, 10, 3, 10]
    np.testing.assert_array_equal(Sequential(Watched())(x[:, 0]), x[:, 0])
    assert seen == [10, 10, 3, 10, 10, 10, 3]


def test_only_the_first_layer_leaves_out_the_gradient_of_its_input(rng):
    asked = []

    class Asked(Dense):
        def forward(self, a, training=False):
            z, through = super().forward(a)

            def backward(dz, want_dx=True):
                asked.append(want_dx)
                return through(dz, want_dx)

            return z, backward

    model = Sequential(*(Asked(2, 2, seed=i) for i in range(3)))
    y, backward = model.forward(rng.normal(size=(4, 2)))
    assert backward(y, want_dx=False) is None and asked == [True, True, False]
    assert backward(y).shape == (4, 2) and asked[3:] == [True, True, True]


def test_an_empty_stack_is_the_identity(rng):
    x = rng.normal(size=(4, 2))
    y, backward = Sequential().forward(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(backward(x), x)
    np.testing.assert_array_equal(Sequential()(x), x)


def test_only_layers_are_stacked():
    with pytest.raises(TypeError, match="Sequential expects layers, got 'relu'"):
        Sequential(Dense(2, 2, seed=0), "relu")
    with pytest.raises(TypeError, match="Residual expects a layer, got <function"):
        Residual(lambda x: x)


def test_residual_adds_its_input(rng):
    x = rng.normal(size=(4, 2))
    np.testing.assert_array_equal(Residual(Identity())(x), 2 * x)
    assert repr(Residual(ReLU())) == "Residual(ReLU())"


def test_residual_wants_the_shape_that_came(rng):
    wrong = Residual(Dense(2, 3, seed=0))
    for call in (wrong, wrong.forward):
        with pytest.raises(
            ValueError,
            match=r"Residual\(Dense\(2, 3\)\) adds its input of shape \(4, 2\) to an output of shape \(4, 3\)",
        ):
            call(np.ones((4, 2)))


def test_inference_keeps_no_way_back(rng):
    """`model(x)` lets go of what happened inside: also where a residual is on the way."""
    alive = []

    class Watched(Identity):
        def forward(self, x, training=False):
            alive.append("way back")
            return super().forward(x, training)

        def __call__(self, x):
            return x

    Sequential(Residual(Sequential(Watched(), Watched())))(rng.normal(size=(2, 2)))
    assert not alive


def test_each_position_goes_through_the_same_layer(rng):
    inner, x = MLP([3, 4, 2], "tanh", seed=0), rng.normal(size=(2, 5, 3))
    layer = Positionwise(inner)
    for t in range(5):
        np.testing.assert_allclose(layer(x)[:, t], inner(x[:, t]), rtol=1e-13)
    assert repr(layer) == "Positionwise(MLP(Dense(3, 4), Tanh(), Dense(4, 2)))"
    for wrong in (np.ones((2, 3)), np.ones((0, 5, 3)), np.ones((2, 0, 3))):
        for call in (layer, layer.forward):
            with pytest.raises(ValueError, match=r"Positionwise\(.* expects inputs of shape \(batch, time, n\) with batch and time ≥ 1, got"):
                call(wrong)
    with pytest.raises(TypeError, match="Positionwise expects a layer, got 'relu'"):
        Positionwise("relu")


def test_residual_is_that_of_pytorch():
    compare_with_torch(Residual(Sequential(Dense(3, 3, seed=0), Tanh())), Stored("core").below("residual"), ["W", "b"], tolerance=1e-12)


def test_value_and_grad_starts_from_zero(rng):
    model, x = MLP([2, 3, 1], "tanh", seed=0), rng.normal(size=(4, 2))
    target = np.zeros((4, 1))
    once = value_and_grad(model, mse, x, target)[1].copy()
    value, grad = value_and_grad(model, mse, x, target)
    np.testing.assert_array_equal(grad, once)
    assert grad is model.grad and value == mse(model(x), target)[0]
