"""Convolutions and pooling against PyTorch, SciPy, SymPy, their own Toeplitz matrices, and the equation written as a loop."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
import sympy
from discovery import Stored, compare_with_torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.signal import correlate, correlate2d

from nnlib import cnn
from nnlib.activations import ReLU, Tanh
from nnlib.backprop import complex_step_gradient
from nnlib.cnn import (
    AveragePool1D,
    AveragePool2D,
    Conv1D,
    Conv2D,
    Flatten,
    GlobalAverage,
    GlobalMax,
    MaxPool1D,
    MaxPool2D,
    cross_correlate,
    output_size,
    receptive_field,
    toeplitz,
)
from nnlib.layers import Sequential
from nnlib.mlp import Dense
from nnlib.regularizers import BatchNorm

STORED = Stored("cnn")
CONV = {1: Conv1D, 2: Conv2D}
MAX = {1: MaxPool1D, 2: MaxPool2D}
AVERAGE = {1: AveragePool1D, 2: AveragePool2D}


def channels_last(stored):
    """PyTorch's (batch, channels, …) and (n_out, n_in, k…) with the channels at the end."""
    return {name: np.moveaxis(array, 1, -1) if array.ndim > 2 else array for name, array in stored.items()}


@st.composite
def windows(draw, dilations=3):
    """Sizes of an input and what is drawn over it: kernel, stride, padding, dilation."""
    axes = draw(st.sampled_from([1, 2]))

    def each(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    sizes, kernel, stride, dilation = each(1, 7), each(1, 4), each(1, 4), each(1, dilations)
    pairs = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(axes))
    padding = draw(st.sampled_from(["valid", "same", 1, pairs if axes == 2 else pairs[0]]))
    pads = [(0, 0) if padding == "valid" else (1, 1) if padding == 1 else pair for pair in pairs]
    assume(padding == "same" or all(n + sum(p) > d * (k - 1) for n, p, k, d in zip(sizes, pads, kernel, dilation, strict=True)))
    return sizes, kernel, {"stride": stride, "padding": padding, "dilation": dilation}


# --- convolutions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    {
        "plain1": {},
        "all1": {"stride": 2, "padding": (2, 1), "dilation": 2},
        "skips1": {"stride": 4},
        "same1": {"padding": "same", "dilation": 3},
        "plain2": {},
        "all2": {"stride": (2, 3), "padding": ((0, 2), (1, 0)), "dilation": (1, 2)},
        "same2": {"padding": "same", "dilation": (2, 1)},
    }.items(),
)
def test_convolutions_are_those_of_pytorch(name, options):
    stored = channels_last(STORED.below(f"conv/{name}"))
    n_out, *kernel, n_in = stored["W"].shape
    layer = CONV[len(kernel)](n_in, n_out, tuple(kernel), seed=0, **options)
    compare_with_torch(layer, stored, ["W", "b"], tolerance=1e-12)
    np.testing.assert_allclose(
        cross_correlate(*(stored[name] for name in "xWb"), **options),
        stored["y"],
        rtol=1e-12,
        atol=1e-12,
    )


def test_every_stored_convolution_is_tested():
    assert STORED.names("conv") == ["all1", "all2", "plain1", "plain2", "same1", "same2", "skips1"]


@given(windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.sampled_from([np.float64, np.float32]), st.sampled_from([1, 40, 1 << 18]))
def test_the_fast_layer_is_the_plain_loop_and_its_way_back_the_transpose(window, batch, n_in, n_out, dtype, block):
    sizes, kernel, options = window
    rng = np.random.default_rng(0)
    layer = CONV[len(sizes)](n_in, n_out, kernel, seed=0, **options).astype(dtype)
    layer.b = rng.normal(size=n_out)
    x = rng.normal(size=(batch, *sizes, n_in)).astype(dtype)
    tight = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-4}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cnn, "BLOCK", block)      # one place of the first axis at a time, some, all
        y, backward = layer.forward(x)
        expected = cross_correlate(x, layer.W, layer.b, **options)
        np.testing.assert_allclose(y, expected, **tight)
        assert y.dtype == expected.dtype == dtype
        dy = rng.normal(size=y.shape).astype(dtype)
        dx = backward(dy)
    # y is linear in x and in W, so ⟨dy, F(v)⟩ = ⟨dx, v⟩ for any v.
    v, V = rng.normal(size=x.shape).astype(dtype), rng.normal(size=layer.W.shape).astype(dtype)
    zero = np.zeros(n_out, dtype)
    np.testing.assert_allclose((dx * v).sum(), (dy * cross_correlate(v, layer.W, zero, **options)).sum(), **tight)
    np.testing.assert_allclose((layer.dW * V).sum(), (dy * cross_correlate(x, V, zero, **options)).sum(), **tight)
    np.testing.assert_allclose(layer.db, dy.sum(axis=tuple(range(y.ndim - 1))), **tight)


def test_it_is_the_cross_correlation_of_scipy(rng):
    x, W, b = rng.normal(size=(2, 9, 3)), rng.normal(size=(4, 5, 3)), rng.normal(size=4)
    y = cross_correlate(x, W, b)
    for n, o in np.ndindex(2, 4):
        np.testing.assert_allclose(y[n, :, o], b[o] + sum(correlate(x[n, :, c], W[o, :, c], "valid") for c in range(3)), rtol=1e-12)
    x, W, b = rng.normal(size=(2, 9, 8, 3)), rng.normal(size=(4, 5, 3, 3)), rng.normal(size=4)
    y, same = cross_correlate(x, W, b), cross_correlate(x, W, b, padding="same")
    for n, o in np.ndindex(2, 4):
        for found, mode in ((y, "valid"), (same, "same")):
            expected = sum(correlate2d(x[n, :, :, c], W[o, :, :, c], mode) for c in range(3))
            np.testing.assert_allclose(found[n, :, :, o], b[o] + expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("n", "kernel", "stride", "before", "after"),
    [(5, 3, 1, 1, 1), (5, 4, 1, 1, 2), (4, 3, 2, 0, 1), (5, 3, 2, 1, 1), (7, 5, 3, 2, 2), (6, 2, 4, 0, 0), (6, 5, 4, 1, 2)],
)
def test_same_pads_as_tensorflow_does(n, kernel, stride, before, after, rng):
    x, W, b = rng.normal(size=(1, n, 1)), rng.normal(size=(1, kernel, 1)), np.zeros(1)
    y = cross_correlate(np.pad(x, [(0, 0), (before, after), (0, 0)]), W, b, stride)
    assert y.shape[1] == math.ceil(n / stride)
    np.testing.assert_array_equal(cross_correlate(x, W, b, stride, "same"), y)
    np.testing.assert_array_equal(cross_correlate(x, W, b, stride, (before, after)), y)


def test_the_numbers_of_padding_are_for_the_sides_that_they_name():
    """A kernel of one entry: the output is the padded image itself."""
    image = np.arange(1.0, 7).reshape(1, 2, 3, 1)
    conv = Conv2D(1, 1, 1, padding=((1, 0), (2, 3)), seed=0)
    conv.W = np.ones((1, 1, 1, 1))
    np.testing.assert_array_equal(conv(image), np.pad(image, [(0, 0), (1, 0), (2, 3), (0, 0)]))
    plain = cross_correlate(image, conv.W, np.zeros(1), padding=2)
    np.testing.assert_array_equal(plain, np.pad(image, [(0, 0), (2, 2), (2, 2), (0, 0)]))


def test_the_loop_keeps_the_larger_kind_of_numbers(rng):
    parts = rng.normal(size=(2, 9, 3)), rng.normal(size=(4, 5, 3)), rng.normal(size=4)
    for i in range(3):
        y = cross_correlate(*(part + 1j if i == j else part for j, part in enumerate(parts)))
        assert y.dtype == complex and np.abs(y.imag).max() > 0.1
        np.testing.assert_allclose(y.real, cross_correlate(*parts), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layer", [Conv1D(2, 3, 3, dilation=2, seed=0), MaxPool1D(3, stride=1), AveragePool1D(3, stride=1)], ids=repr)
def test_a_moved_signal_gives_a_moved_answer(layer, rng):
    x = rng.normal(size=(2, 20, 2))
    np.testing.assert_allclose(layer(np.roll(x, 3, axis=1))[:, 3:], layer(x)[:, :-3], rtol=1e-13)


@pytest.mark.parametrize("layer", [Conv2D(2, 3, 3, stride=2, seed=0), MaxPool2D(2), AveragePool2D(2)], ids=repr)
def test_with_a_stride_only_moves_by_the_stride_commute(layer, rng):
    x = rng.normal(size=(2, 12, 12, 2))
    y, moved = layer(x), layer(np.roll(x, (2, 4), axis=(1, 2)))
    np.testing.assert_allclose(moved[:, 1:, 2:], y[:, :-1, :-2], rtol=1e-13)
    assert np.abs(layer(np.roll(x, 1, axis=1))[:, 1:] - y[:, 1:]).max() > 0.1


def test_first_weights_come_from_the_number_of_inputs_of_one_output():
    shapes = []

    def initializer(shape, rng):
        shapes.append(shape)
        return np.arange(float(math.prod(shape))).reshape(shape)

    conv = Conv2D(3, 5, (2, 4), seed=0, initializer=initializer)
    assert shapes == [(5, 24)] and conv.W.shape == (5, 2, 4, 3) and not conv.b.any()
    np.testing.assert_array_equal(conv.W.ravel(), np.arange(120))
    assert Conv1D(40, 50, 10, seed=0).W.std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    np.testing.assert_array_equal(Conv1D(2, 3, 4, seed=7).W, Conv1D(2, 3, 4, seed=np.random.default_rng(7)).W)


def test_the_matrix_of_all_windows_is_never_in_memory(rng):
    layer, x = Conv2D(8, 8, 7, padding="same", seed=0), rng.normal(size=(4, 64, 64, 8))
    columns = 7 * 7 * x.nbytes
    layer.forward(x[:, :8])
    tracemalloc.start()
    y, backward = layer.forward(x)
    kept, _ = tracemalloc.get_traced_memory()
    backward(y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < y.nbytes + 1.5 * x.nbytes and peak < columns / 2


LAYERS = [Conv1D, Conv2D, MaxPool1D, MaxPool2D, AveragePool1D, AveragePool2D, GlobalAverage, GlobalMax, Flatten]


@pytest.mark.parametrize("kind", LAYERS)
def test_complex_steps_give_all_digits_of_the_gradients(kind, rng):
    layer, x = kind.example(rng)
    y, backward = layer.forward(x)
    dy, theta, model = rng.normal(size=y.shape), layer.theta.copy(), layer.astype(complex)
    dx = backward(dy)
    np.testing.assert_allclose(complex_step_gradient(lambda at: (model(at) * dy).sum(), x), dx, rtol=1e-13, atol=1e-13)

    if theta.size:

        def by_theta(at):
            model.theta = at
            return (model(x.astype(complex)) * dy).sum()

        np.testing.assert_allclose(complex_step_gradient(by_theta, theta), layer.grad, rtol=1e-13, atol=1e-13)


def test_a_convolution_that_comes_first_leaves_out_the_gradient_of_its_input(rng):
    layer, x = Conv2D.example(rng)
    y, backward = layer.forward(x)
    backward(y)
    grad = layer.grad.copy()
    layer.grad[:] = 0
    assert backward(y, want_dx=False) is None
    np.testing.assert_array_equal(layer.grad, grad)


# --- the matrix of a convolution --------------------------------------------------------------------------------------


@given(windows())
def test_a_convolution_is_a_matrix_and_its_way_back_the_transpose(window):
    sizes, kernel, options = window
    rng = np.random.default_rng(0)
    layer = CONV[len(sizes)](1, 1, kernel, seed=0, **options)
    T = toeplitz(layer.W[0, ..., 0], sizes, **options)
    x = rng.normal(size=(2, *sizes, 1))
    y, backward = layer.forward(x)
    dy = rng.normal(size=y.shape)
    np.testing.assert_allclose(y.reshape(2, -1), x.reshape(2, -1) @ T.T, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(backward(dy).reshape(2, -1), dy.reshape(2, -1) @ T, rtol=1e-12, atol=1e-12)


def test_the_matrix_of_symbols():
    a, b, c = sympy.symbols("a b c")
    T = sympy.Matrix(toeplitz(np.array([a, b, c]), 4, padding=1))
    assert sympy.Matrix([[b, c, 0, 0], [a, b, c, 0], [0, a, b, c], [0, 0, a, b]]) == T
    assert sympy.Matrix([[a, 0, b, 0, 0], [0, 0, a, 0, b]]) == sympy.Matrix(toeplitz(np.array([a, b]), 5, stride=2, dilation=2))
    x, δ = sympy.Matrix(sympy.symbols("x:4")), sympy.Matrix(sympy.symbols("δ:4"))
    loss = (δ.T * T * x)[0]                     # what has ∂L/∂y = δ
    dx = sympy.Matrix([loss.diff(x_i) for x_i in x])
    assert dx == T.T * δ == sympy.Matrix(toeplitz(np.array([c, b, a]), 4, padding=1)) * δ      # the kernel turned around
    dW = [sympy.expand(loss.diff(w)) for w in (a, b, c)]
    padded = [0, *x, 0]
    assert dW == [sympy.expand(sum(δ[i] * padded[i + k] for i in range(4))) for k in range(3)]      # a convolution again


def test_the_matrix_of_an_image_has_toeplitz_blocks():
    kernel = np.array([[1, 2], [3, 4], [5, 6]])
    T = toeplitz(kernel, (5, 4))
    assert T.shape == (9, 20) and T.dtype == kernel.dtype
    blocks = T.reshape(3, 3, 5, 4).swapaxes(1, 2)
    for i, j in np.ndindex(3, 5):
        expected = toeplitz(kernel[j - i], 4) if 0 <= j - i < 3 else np.zeros((3, 4))
        np.testing.assert_array_equal(blocks[i, j], expected)


# --- sizes ------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 5), st.integers(0, 3), st.integers(0, 3), st.integers(1, 3))
def test_places_are_counted_as_one_would(n, k, s, before, after, d):
    starts = [i for i in range(0, n + before + after, s) if i + d * (k - 1) < n + before + after]
    if starts:
        assert output_size(n, k, s, (before, after), d) == len(starts)
    else:
        with pytest.raises(ValueError, match=rf"expects at least {d * (k - 1) + 1} entries after padding, got {n + before + after} from {n}$"):
            output_size(n, k, s, (before, after), d)
    assert output_size(n, k, s, "same", d) == math.ceil(n / s)
    assert output_size(n, k, s, before) == output_size(n, k, s, [before, before]) if n + 2 * before >= k else True


def test_what_is_taken_where_nothing_is_said():
    assert output_size(28, 5) == 24 and output_size(28, 5, padding=2) == 28 and output_size(28, 5, 3) == 8
    assert cross_correlate(np.ones((1, 9, 1)), np.ones((1, 3, 1)), np.zeros(1)).shape == Conv1D(1, 1, 3, seed=0)(np.ones((1, 9, 1))).shape == (1, 7, 1)
    assert toeplitz(np.ones(3), 9).shape == (7, 9)


def test_the_receptive_field_of_lenet():
    lenet = Sequential(
        Sequential(Conv2D(1, 6, 5, padding=2, seed=0), ReLU(), MaxPool2D(2), Conv2D(6, 16, 5, seed=1), BatchNorm(16), Tanh(), AveragePool2D(2)),
        Flatten(),
        Dense(400, 10, seed=2),
    )
    assert receptive_field(lenet) == ((16, 4, -2), (16, 4, -2))
    assert receptive_field(*lenet.layers[0].layers[:3]) == ((6, 2, -2), (6, 2, -2))
    assert receptive_field(Conv1D(1, 1, 3, seed=0), GlobalMax(), Conv2D(1, 1, 1, seed=0)) == ((3, 1, 0),)
    assert receptive_field(Conv1D(1, 1, 3, seed=0), GlobalAverage(), Dense(1, 1, seed=0)) == ((3, 1, 0),)
    assert receptive_field(Conv2D(1, 1, (3, 5), stride=(2, 1), dilation=(1, 2), seed=0)) == ((3, 2, 0), (9, 1, 0))


KINDS = st.tuples(st.sampled_from([Conv1D, AveragePool1D, MaxPool1D]), st.integers(1, 3), st.integers(1, 2), st.sampled_from(["valid", "same", 2, (1, 0)]))


@given(st.lists(KINDS, min_size=1, max_size=3))
def test_the_receptive_field_is_where_the_gradient_is(kinds):
    layers = []
    for kind, k, s, padding in kinds:
        s = 1 if padding == "same" else s           # with a stride, "same" depends on what is left of the input
        if kind is Conv1D:
            layers.append(Conv1D(1, 1, k, stride=s, padding=padding, dilation=2, seed=0, initializer=lambda shape, rng: np.ones(shape)))
        else:
            layers.append(kind(max(k, 2), stride=s, padding=padding if padding != 2 else 1))
    ((size, step, start),) = receptive_field(*layers)
    model = Sequential(*layers)
    n, reached = 64, set()
    middle = model(np.zeros((1, n, 1))).shape[1] // 2
    for peak in range(n):                       # which entries of x move the one in the middle of y?
        x = np.zeros((1, n, 1))
        x[0, peak] = 1
        if model(x)[0, middle, 0] != 0:
            reached.add(peak)
    assert (min(reached), max(reached)) == (start + middle * step, start + middle * step + size - 1)


# --- pooling ----------------------------------------------------------------------------------------------------------

POOLS = {
    "plain1": (2, {}),
    "overlap1": (3, {"stride": 2, "padding": 1}),
    "plain2": (2, {}),
    "overlap2": ((3, 2), {"stride": (2, 1), "padding": ((1, 1), (1, 1))}),
}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("kind", ["normal", "ties"])
def test_the_largest_and_the_first_of_equal_ones_are_those_of_pytorch(name, kind):
    size, options = POOLS[name]
    compare_with_torch(MAX[int(name[-1])](size, **options), channels_last(STORED.below(f"max/{name}-{kind}")), [], tolerance=1e-15)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("count_padding", [True, False])
def test_averages_are_those_of_pytorch(name, count_padding):
    size, options = POOLS[name]
    pool = AVERAGE[int(name[-1])](size, count_padding=count_padding, **options)
    compare_with_torch(pool, channels_last(STORED.below(f"average/{name}-{count_padding}")), [], tolerance=1e-13)


@pytest.mark.parametrize(("layer", "name"), [(GlobalAverage(), "average"), (GlobalMax(), "max")])
def test_global_pooling_is_that_of_pytorch(layer, name):
    compare_with_torch(layer, channels_last(STORED.below(f"global/{name}")), [], tolerance=1e-14)


@given(windows(dilations=1), st.integers(1, 2), st.sampled_from([np.float64, np.float32]))
def test_pools_are_what_a_loop_gives(window, channels, dtype):
    sizes, size, options = window
    del options["dilation"]
    axes, rng = len(sizes), np.random.default_rng(0)
    x = rng.integers(-9, 0, size=(2, *sizes, channels)).astype(dtype)
    geometry = cnn._Window("loop", axes, size, **options)
    pads, places = geometry.pads(sizes), geometry.places(sizes)
    assume(all(p < k for k, pad in zip(size, pads, strict=True) for p in pad))
    if any(p >= k for k, pad in zip(size, geometry.pads(size), strict=True) for p in pad):
        return

    def seen(i):
        """The part of x in window i."""
        ranges = [range(j * s - b, j * s - b + k) for j, s, (b, _), k in zip(i, geometry.stride, pads, size, strict=True)]
        inside = [[e for e in r if 0 <= e < n] for r, n in zip(ranges, sizes, strict=True)]
        return x[:, *np.ix_(*inside)].reshape(2, -1, channels)

    y, average = MAX[axes](size, **options)(x), AVERAGE[axes](size, **options)(x)
    counted = AVERAGE[axes](size, count_padding=False, **options)(x)
    assert y.shape == average.shape == counted.shape == (2, *places, channels) and {y.dtype, average.dtype, counted.dtype} == {np.dtype(dtype)}
    for i in itertools.product(*map(range, places)):
        np.testing.assert_array_equal(y[:, *i], seen(i).max(axis=1))
        np.testing.assert_allclose(average[:, *i], seen(i).sum(axis=1) / math.prod(size), rtol=1e-6)
        np.testing.assert_allclose(counted[:, *i], seen(i).mean(axis=1), rtol=1e-6)


def test_the_gradient_goes_to_one_entry_of_each_window():
    pool = MaxPool2D(2)
    y, backward = pool.forward(np.ones((1, 5, 4, 1)))          # all equal, and the last row is not reached
    expected = np.zeros((5, 4))
    expected[::2, ::2] = [[1, 2], [3, 4], [0, 0]]
    np.testing.assert_array_equal(backward(np.arange(1.0, 5).reshape(y.shape))[0, :, :, 0], expected)
    _, backward = AveragePool2D(2).forward(np.ones((1, 5, 4, 1)))
    np.testing.assert_array_equal(backward(y)[0, :, :, 0], [[0.25] * 4] * 4 + [[0] * 4])


def test_overlapping_windows_add_their_gradients():
    _, backward = MaxPool1D(3, stride=1).forward(np.array([[[0.0], [1.0], [9.0], [2.0], [3.0]]]))
    np.testing.assert_array_equal(backward(np.array([[[1.0], [10.0], [100.0]]])).ravel(), [0, 0, 111, 0, 0])


def test_the_size_is_the_stride_where_none_is_given():
    assert MaxPool1D(3)(np.ones((1, 9, 1))).shape == AveragePool1D(3)(np.ones((1, 9, 1))).shape == (1, 3, 1)
    assert MaxPool2D((2, 3))(np.ones((1, 4, 9, 1))).shape == (1, 2, 3, 1)
    assert MaxPool1D(3, stride=1)(np.ones((1, 9, 1))).shape == (1, 7, 1)


@pytest.mark.parametrize("sizes", [(1,), (4,), (3, 2), (2, 3, 2)])
def test_global_pooling_takes_any_number_of_axes(sizes, rng):
    x = rng.normal(size=(2, *sizes, 3))
    flat = x.reshape(2, -1, 3)
    np.testing.assert_allclose(GlobalAverage()(x), flat.mean(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(GlobalMax()(x), flat.max(axis=1))
    np.testing.assert_array_equal(Flatten()(x), x.reshape(2, -1))


def test_flatten_goes_image_by_image_row_by_row(rng):
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    y, backward = Flatten().forward(x)
    np.testing.assert_array_equal(y, [np.arange(12), np.arange(12, 24)])
    np.testing.assert_array_equal(backward(y), x)
    np.testing.assert_array_equal(Flatten()(np.ones((3, 2))), np.ones((3, 2)))


# --- bad input --------------------------------------------------------------------------------------------------------

WHOLE = r"whole number ≥ 1"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv1D(0, 1, 1, seed=0), r"Conv1D needs whole numbers ≥ 1 of channels, got n_in=0, n_out=1"),
        (lambda: Conv2D(1, 2.0, 1, seed=0), r"Conv2D needs whole numbers ≥ 1 of channels, got n_in=1, n_out=2.0"),
        (lambda: Conv2D(1, 1, 1, seed=None), r"^Conv2D needs a seed or a numpy\.random\.Generator: without one, no run could be repeated$"),
        (lambda: Conv1D(2, 3, 4, seed=0, initializer=lambda shape, rng: np.zeros(3)), r"Conv1D expects initial weights of shape \(3, 8\), got \(3,\) from"),
        (lambda: Conv1D(1, 1, 1, seed=0, initializer="best"), r"unknown initializer 'best'"),
        (lambda: Conv1D(1, 1, 0, seed=0), rf"Conv1D expects kernel_size as a {WHOLE}, got 0"),
        (lambda: Conv1D(1, 1, (2, 2), seed=0), rf"Conv1D expects kernel_size as a {WHOLE}, got \(2, 2\)"),
        (lambda: Conv2D(1, 1, 2.5, seed=0), rf"Conv2D expects kernel_size as a {WHOLE}, or a pair of them, got 2.5"),
        (lambda: Conv2D(1, 1, (2, 2, 2), seed=0), r"or a pair of them, got \(2, 2, 2\)"),
        (lambda: Conv2D(1, 1, (2, 0), seed=0), r"got \(2, 0\)"),
        (lambda: Conv2D(1, 1, 1, stride=0, seed=0), rf"Conv2D expects stride as a {WHOLE}, or a pair of them, got 0"),
        (lambda: Conv2D(1, 1, 1, dilation=(1, 0), seed=0), r"Conv2D expects dilation .*, got \(1, 0\)"),
        (lambda: Conv1D(1, 1, 1, padding=-1, seed=0), r"Conv1D expects padding 'valid', 'same', a whole number ≥ 0 or \(before, after\), got -1"),
        (lambda: Conv1D(1, 1, 1, padding=(1, -1), seed=0), r"got \(1, -1\)"),
        (lambda: Conv1D(1, 1, 1, padding=(1, 1, 1), seed=0), r"got \(1, 1, 1\)"),
        (lambda: Conv1D(1, 1, 1, padding="full", seed=0), r"got 'full'"),
        (lambda: Conv2D(1, 1, 1, padding=(1, 2), seed=0), r"a whole number ≥ 0 or \(\(top, bottom\), \(left, right\)\), got \(1, 2\)"),
        (lambda: Conv2D(1, 1, 1, padding=((1, 2), (3,)), seed=0), r"got \(\(1, 2\), \(3,\)\)"),
        (lambda: MaxPool2D(0), rf"MaxPool2D expects kernel_size as a {WHOLE}"),
        (lambda: MaxPool1D(2, stride=0), rf"MaxPool1D expects stride as a {WHOLE}, got 0"),
        (lambda: AveragePool1D(2, padding=2), r"AveragePool1D\(2, .*\) has places that see nothing but padding"),
        (lambda: MaxPool2D(2, padding=((0, 0), (0, 2))), r"see nothing but padding"),
        (lambda: output_size(0, 1), r"output_size .* got 0 from 0"),
        (lambda: output_size(5.5, 1), r"got 5.5 from 5.5"),
        (lambda: toeplitz(np.ones((1, 1)), (2, 0)), r"toeplitz .* expects at least \(1, 1\) entries after padding, got \(2, 0\) from \(2, 0\)"),
        (lambda: toeplitz(np.ones((1, 1)), (2, 0), padding=1), r"got \(4, 2\) from \(2, 0\)"),
        (lambda: toeplitz(np.ones(1), -1), r"got -1 from -1"),
        (lambda: output_size(5, 3, 0), rf"output_size expects stride as a {WHOLE}, got 0"),
        (lambda: output_size(5, 3, 1, "none"), r"output_size expects padding 'valid'"),
        (lambda: toeplitz(np.ones((2, 2)), 5), r"toeplitz expects a kernel with one axis and n, .* got \(2, 2\) and n=5"),
        (lambda: toeplitz(np.ones((2, 2, 2)), (5, 5, 5)), r"toeplitz expects a kernel"),
        (lambda: toeplitz(np.ones(6), 5), r"toeplitz with .* expects at least 6 entries after padding, got 5"),
        (lambda: receptive_field(ReLU()), r"^receptive_field expects at least one convolution or pooling$"),
        (lambda: receptive_field(MaxPool1D(2), MaxPool2D(2)), r"receptive_field expects layers with the same number of axes, 1, got MaxPool2D"),
        (lambda: cross_correlate(np.ones((1, 5, 2)), np.ones((1, 3, 1)), np.ones(1)), r"got \(1, 5, 2\), \(1, 3, 1\) and \(1,\)"),
        (
            lambda: cross_correlate(np.ones((1, 5, 5, 1)), np.ones((1, 3, 1)), np.ones(1)),
            r"^cross_correlate expects x \(batch, axes…, n_in\), W \(n_out, k…, n_in\) with one or two axes each, and b \(n_out,\), got \(1, 5, 5, 1\)",
        ),
        (lambda: cross_correlate(np.ones((1, 2, 1)), np.ones((1, 3, 1)), np.ones(1)), r"^cross_correlate with kernel_size=3, .* got 2 from 2$"),
        (lambda: cross_correlate(np.ones((1, 5, 1)), np.ones((1, 3, 1)), np.ones(2)), r"and \(2,\)"),
        (lambda: cross_correlate(np.ones((0, 5, 1)), np.ones((1, 3, 1)), np.ones(1)), r"got \(0, 5, 1\)"),
        (lambda: cross_correlate(np.ones((1, 5)), np.ones((1, 5)), np.ones(1)), r"got \(1, 5\)"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv1D(2, 3, 3, seed=0), (4, 5), r"Conv1D\(2, 3, 3\) expects inputs of shape \(batch, time, 2\), all ≥ 1, got \(4, 5\)"),
        (Conv1D(2, 3, 3, seed=0), (4, 5, 3), r"got \(4, 5, 3\)"),
        (Conv1D(2, 3, 3, seed=0), (4, 0, 2), r"got \(4, 0, 2\)"),
        (Conv1D(2, 3, 3, seed=0), (0, 5, 2), r"got \(0, 5, 2\)"),
        (Conv2D(2, 3, 3, seed=0), (4, 5, 2), r"Conv2D\(2, 3, \(3, 3\)\) expects inputs of shape \(batch, height, width, 2\), all ≥ 1, got"),
        (
            Conv2D(2, 3, (3, 2), dilation=2, padding=((1, 0), (0, 0)), seed=0),
            (4, 3, 5, 2),
            r"Conv2D with kernel_size=\(3, 2\), dilation=\(2, 2\) and padding=\(\(1, 0\), \(0, 0\)\) "
            r"expects at least \(5, 3\) entries after padding, got \(4, 5\) from \(3, 5\)",
        ),
        (MaxPool1D(2), (4, 1, 1), r"MaxPool1D with kernel_size=2, dilation=1 and padding=.0, 0. expects at least 2 entries after padding, got 1 from 1"),
        (AveragePool2D(2), (4, 5, 1, 1), r"expects at least \(2, 2\) entries after padding, got \(5, 1\)"),
        (AveragePool1D(2), (4, 5), r"AveragePool1D\(2, stride=2\) expects inputs of shape \(batch, time, channels\), all ≥ 1, got \(4, 5\)"),
        (MaxPool2D(2), (4, 5, 1), r"MaxPool2D\(\(2, 2\), stride=\(2, 2\)\) expects inputs of shape \(batch, height, width, channels\)"),
        (GlobalAverage(), (4, 5), r"GlobalAverage\(\) expects inputs of shape \(batch, …, channels\), all ≥ 1, got \(4, 5\)"),
        (GlobalMax(), (4, 0, 2), r"GlobalMax\(\) expects inputs of shape \(batch, …, channels\), all ≥ 1, got \(4, 0, 2\)"),
        (Flatten(), (4,), r"Flatten\(\) expects inputs of shape \(batch, …\), all ≥ 1, got \(4,\)"),
    ],
)
def test_inputs_of_another_form_are_refused(layer, shape, message):
    for call in (layer, layer.forward):
        with pytest.raises(ValueError, match=message):
            call(np.ones(shape))


def test_inputs_of_another_kind_are_refused():
    conv, x = Conv1D(1, 1, 2, seed=0), np.ones((2, 5, 1))
    with pytest.raises(TypeError, match=r"Conv1D\(1, 1, 2\) has float64 weights and expects float64 inputs, got float32"):
        conv(x.astype(np.float32))
    for layer in (conv, MaxPool1D(2), AveragePool1D(2), GlobalAverage(), GlobalMax(), Flatten()):
        with pytest.raises(TypeError, match=r"\) expects an array of floating-point numbers, got int64"):
            layer(x.astype(np.int64))
        with pytest.raises(TypeError, match=r"\) expects an array of floating-point numbers, got list"):
            layer(x.tolist())
    with pytest.raises(TypeError, match=r"receptive_field knows convolutions, .* got Dense\(1, 2\)"):
        receptive_field(Conv1D(1, 1, 2, seed=0), Dense(1, 2, seed=0))


def test_names_say_what_differs_from_the_plain_case():
    assert repr(Conv1D(1, 2, 3, seed=0)) == "Conv1D(1, 2, 3)"
    assert repr(Conv1D(1, 2, 3, stride=2, padding=(1, 0), dilation=4, seed=0)) == "Conv1D(1, 2, 3, stride=2, padding=(1, 0), dilation=4)"
    assert repr(Conv2D(1, 2, 3, padding="same", seed=0)) == "Conv2D(1, 2, (3, 3), padding='same')"
    assert repr(MaxPool1D(2)) == "MaxPool1D(2, stride=2)"
    assert repr(AveragePool2D((2, 1), stride=1)) == "AveragePool2D((2, 1))"
