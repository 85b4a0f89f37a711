"""Bad input is refused at the door, by everything there is: the error says what was expected and what came, and nothing has changed."""

import importlib
import inspect
import re

import numpy as np
import pytest
from discovery import MATHEMATICS, family
from test_layers import has_gradient, same_state

from nnlib import losses
from nnlib.activations import Activation
from nnlib.layers import Layer
from nnlib.mlp import Dense

# What these make of the axes between the first and the last holds for any number of them.
ANY_AXES = {"Flatten", "GlobalAverage", "GlobalMax"}


def is_pointwise(layer):
    """Each entry by itself, so that every shape will do, also one without entries."""
    return isinstance(layer, Activation) or type(layer).__name__ == "Dropout"


def entries(layer):
    """The ways into a layer, of which training is the one that may change it."""
    return [layer, layer.forward, lambda x: layer.forward(x, training=True)]


def refuses(layer, x, said):
    """Every way in raises an error that names what came, and leaves state and gradients as they were."""
    before, grad = layer.state(), layer.grad.copy()
    for entry in entries(layer):
        with pytest.raises((TypeError, ValueError), match=r"expects|has") as error:
            entry(x)
        assert "got" in str(error.value) and said in str(error.value), error.value
    assert same_state(layer.state(), before)
    np.testing.assert_array_equal(layer.grad, grad)
    return True


def made(layer_class, rng):
    """An example with gradients that are not 0, as in the middle of a training."""
    layer, x = layer_class.example(rng)
    layer.grad[:] = rng.normal(size=layer.grad.shape)
    return layer, x


# --- layers -----------------------------------------------------------------------------------------------------------


def test_a_layer_expects_an_array(layer_class, rng):
    layer, x = made(layer_class, rng)
    refuses(layer, x.tolist(), "list")
    refuses(layer, None, "")


@pytest.mark.parametrize("dtype", ["bool", "object", "str", "int64", "float64"])
def test_a_layer_expects_numbers_of_its_kind(layer_class, rng, dtype):
    """Floating-point numbers, or whole numbers where they are tokens."""
    layer, x = made(layer_class, rng)
    if np.issubdtype(x.dtype, np.dtype(dtype).type):
        layer(x.astype(dtype))
    else:
        refuses(layer, x.astype(dtype), str(x.astype(dtype).dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex128"])
def test_the_input_has_the_dtype_of_the_weights(layer_class, rng, dtype):
    layer, x = made(layer_class, rng)
    if layer.theta.size and has_gradient(x):
        refuses(layer, x.astype(dtype), dtype)
        refuses(layer.astype("float32"), x, "float64")
    elif not has_gradient(x):
        refuses(layer, x.astype(dtype), dtype)


def test_a_batch_is_not_empty(layer_class, rng):
    layer, x = made(layer_class, rng)
    if is_pointwise(layer):
        assert layer(x[:0]).shape == x[:0].shape
    else:
        refuses(layer, x[:0], str(x[:0].shape))


def test_a_sequence_is_not_empty(layer_class, rng):
    """Nor is an image without height: no axis may be 0."""
    layer, x = made(layer_class, rng)
    for axis in range(1, x.ndim):
        empty = np.take(x, [], axis=axis)
        if is_pointwise(layer):
            assert layer(empty).shape == empty.shape
        else:
            refuses(layer, empty, str(empty.shape))


@pytest.mark.parametrize("change", [lambda x: x[0], lambda x: x[None]], ids=["one axis less", "one axis more"])
def test_another_rank_is_refused_or_counts_more_examples(layer_class, rng, change):
    layer, x = made(layer_class, rng)
    other = change(x)
    if type(layer).__name__ in ANY_AXES:
        assert len(layer(x[None])) == 1
        return
    try:
        y = layer(other)
    except (TypeError, ValueError):
        refuses(layer, other, str(other.shape))
    else:
        np.testing.assert_allclose(y, change(layer(x)), rtol=1e-13, atol=1e-13)


def test_a_number_is_no_batch(layer_class, rng):
    layer, x = made(layer_class, rng)
    if not is_pointwise(layer) and type(layer).__name__ != "Embedding":
        refuses(layer, np.array(x.flat[0]), "()")


def test_the_width_is_that_of_the_weights(layer_class, rng):
    layer, x = made(layer_class, rng)
    if layer.theta.size and has_gradient(x):
        for other in (x[..., :-1], np.concatenate([x, x], axis=-1)):
            refuses(layer, other, f", {other.shape[-1]})")


@pytest.fixture
def arguments(monkeypatch, rng):
    """The arguments with which the example of a class is made."""

    def seen(cls):
        calls, init = [], cls.__init__

        def spy(self, *args, **kwargs):
            if type(self) is cls:
                calls.append((args, kwargs))
            return init(self, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(cls, "__init__", spy)
            cls.example(rng)
        args, kwargs = calls[-1]
        bound = inspect.signature(init).bind(None, *args, **kwargs)
        return {name: value for name, value in bound.arguments.items() if name != "self"}

    return seen


def build(cls, arguments):
    """Call with arguments by name, but for those that have none."""
    parameters = inspect.signature(cls).parameters
    args = [value for name, values in arguments.items() if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL for value in values]
    return cls(*args, **{name: value for name, value in arguments.items() if parameters[name].kind is not inspect.Parameter.VAR_POSITIONAL})


def is_size(value):
    return isinstance(value, int) and not isinstance(value, bool)


def test_sizes_are_whole_and_not_negative(layer_class, arguments):
    given, names = arguments(layer_class), {cls.__name__ for cls in family(Layer)}
    for name, value in given.items():
        if is_size(value):
            for bad in (-1, value + 0.5, float("nan"), "3", None):
                if bad is None and inspect.signature(layer_class).parameters[name].default is None:
                    continue
                with pytest.raises((TypeError, ValueError)) as error:
                    build(layer_class, given | {name: bad})
                message = str(error.value)
                assert repr(bad) in message or str(bad) in message, message
                assert re.split(r"\W", message)[0] in names, message         # which says no: the layer, or one inside it


def test_a_seed_is_asked_for(layer_class, arguments):
    if "seed" in inspect.signature(layer_class).parameters:
        given = arguments(layer_class)
        with pytest.raises(ValueError, match=r"^(an )?\w+ needs a seed or a numpy\.random\.Generator: without one, no run could be repeated$"):
            build(layer_class, given | {"seed": None})
        for bad in (-1, 1.5, "0"):
            with pytest.raises((TypeError, ValueError)):
                build(layer_class, given | {"seed": bad})


def public(kind):
    modules = [importlib.import_module(f"nnlib.{name}") for name in MATHEMATICS]
    return [getattr(module, name) for module in modules for name in module.__all__ if kind(getattr(module, name))]


@pytest.mark.parametrize("function", public(inspect.isfunction), ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_no_function_chooses_a_seed_by_itself(function):
    """Where a seed may be left out, there is nothing random (the block split of the digits), or its absence is an error."""
    seed = inspect.signature(function).parameters.get("seed")
    assert seed is None or seed.default in (seed.empty, None)


# --- losses -----------------------------------------------------------------------------------------------------------


def a_batch(loss, rng):
    """Predictions and targets of the kind that a loss takes: labels of three classes, else numbers that are 0 or 1."""
    batches = [
        (rng.normal(size=(6, 3)), np.array([0, 1, 2, 0, 1, 2])),
        (rng.normal(size=(6, 1)), np.array([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0]])),
    ]
    for prediction, target in batches:
        try:
            loss(prediction, target)
        except (TypeError, ValueError):
            continue
        return prediction, target
    raise AssertionError(f"no batch for {loss}")


def test_a_loss_refuses_what_does_not_fit(loss_name, rng):
    loss = getattr(losses, loss_name)
    prediction, target = a_batch(loss, rng)
    wrong = [
        (prediction[:0], target[:0]),
        (prediction[:-1], target),
        (prediction, target[:-1]),
        (prediction, target[None]),
        (prediction[0, 0], target),
        (prediction, target.astype(object)),
        (prediction.astype(int), target),
        (prediction.astype(object), target),
    ]
    for p, t in wrong:
        with pytest.raises((TypeError, ValueError), match=rf"{loss_name} expects .*, got "):
            loss(p, t)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_refuses_targets_that_are_not_finite(loss_name, rng, bad):
    loss = getattr(losses, loss_name)
    prediction, target = a_batch(loss, rng)
    target = target.astype(float)
    target.flat[2] = bad
    with pytest.raises((TypeError, ValueError), match=rf"{loss_name} expects .*, got "):
        loss(prediction, target)


def test_a_loss_does_not_write_to_what_it_is_given(loss_name, rng):
    loss = getattr(losses, loss_name)
    prediction, target = a_batch(loss, rng)
    for array in (prediction, target):
        array.setflags(write=False)
    _, backward = loss(prediction, target)
    assert backward().shape == prediction.shape


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_the_options_of_a_loss_are_numbers_in_their_range(loss_name, rng, bad):
    loss = getattr(losses, loss_name)
    prediction, target = a_batch(loss, rng)
    for name, parameter in inspect.signature(loss).parameters.items():
        if isinstance(parameter.default, float):
            with pytest.raises(ValueError, match=rf"{loss_name} expects .*{name}.*, got {bad}"):
                loss(prediction, target, **{name: bad})


# --- optimizers -------------------------------------------------------------------------------------------------------


def numbers(optimizer_class):
    parameters = inspect.signature(optimizer_class).parameters
    return [name for name, parameter in parameters.items() if name == "learning_rate" or isinstance(parameter.default, float)]


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf, -np.inf])
def test_an_optimizer_refuses_numbers_out_of_range(optimizer_class, bad):
    for name in numbers(optimizer_class):
        with pytest.raises(ValueError, match=rf"{name} must be .*, got {bad}"):
            optimizer_class(**{"learning_rate": 0.1, name: bad})


@pytest.mark.parametrize("started", [False, True])
def test_a_refused_step_changes_nothing(optimizer_class, rng, started):
    optimizer, theta, g = optimizer_class(learning_rate=0.1), rng.normal(size=5), rng.normal(size=5)
    if started:
        optimizer.step(theta, g)
    before, state = theta.copy(), optimizer.state()

    def unchanged():
        after = optimizer.state()
        return np.array_equal(theta, before) and after.keys() == state.keys() and all(np.array_equal(after[name], state[name]) for name in state)

    for wrong in (g[:-1], np.append(g, 1.0), g[:, None], g[:0]):
        with pytest.raises(ValueError, match=r"step expects .*, got \(5,\) and"):
            optimizer.step(theta, wrong)
        assert unchanged()
    with pytest.raises(ValueError, match=r"step expects .*, got"):
        optimizer.step(theta.reshape(5, 1), g.reshape(5, 1))
    assert unchanged()
    for bad in (-0.1, np.nan, np.inf):
        optimizer.learning_rate = bad
        with pytest.raises(ValueError, match=f"learning_rate must be .*, got {bad}"):
            optimizer.step(theta, g)
        optimizer.learning_rate = state["learning_rate"]
        assert unchanged()


def test_an_optimizer_that_has_started_keeps_to_its_model(optimizer_class, rng):
    optimizer = optimizer_class(learning_rate=0.1)
    optimizer.step(np.ones(5), rng.normal(size=5))
    other = np.ones(6)
    if optimizer.vectors:
        with pytest.raises(ValueError, match=r"works on 5 parameters\b.*, got 6\b"):
            optimizer.step(other, np.ones(6))
        assert (other == 1).all() and optimizer.t == 1


def test_what_is_found_can_fail():
    """The helpers of this file see a layer that lets things in."""

    class Open(Dense):
        def _check_input(self, a):
            pass

    with pytest.raises(pytest.fail.Exception):
        refuses(Open(3, 5, seed=0), np.ones((2, 3), dtype="float32"), "float32")
