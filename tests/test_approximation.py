"""Networks built by hand against the functions they are built for; exact counts of pieces against theorems and pictures."""

import math

import numpy as np
import pytest
import scipy.interpolate
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from nnlib.approximation import Region, bumps, interpolant, least_squares, linear_regions, sawtooth
from nnlib.mlp import MLP


def wave(x):
    return np.sin(3 * x) + x


def area(corners):
    x, y = corners.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def random_relu(sizes, seed):
    """With biases other than 0, so that the pieces do not all meet in one point."""
    model = MLP(sizes, "relu", seed=seed)
    rng = np.random.default_rng(seed)
    for layer in model.layers[::2]:
        layer.b = rng.normal(size=layer.b.shape)
    return model


# --- built by hand ----------------------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.floats(0.5, 30))
def test_bumps_are_differences_of_two_sigmoids_on_equal_parts(n, steepness):
    model = bumps(wave, n, low=-1, high=2, steepness=steepness)
    x = np.linspace(-2, 3, 61)
    width = 3 / n
    s = steepness / width
    left = [-1 + i * width - (i == 0) * width for i in range(n)]
    right = [-1 + (i + 1) * width + (i == n - 1) * width for i in range(n)]
    sigma = scipy.special.expit
    expected = sum(wave(-1 + (i + 0.5) * width) * (sigma(s * (x - left[i])) - sigma(s * (x - right[i]))) for i in range(n))
    np.testing.assert_allclose(model(x[:, None])[:, 0], expected, atol=1e-12)
    assert repr(model) == f"MLP(Dense(1, {2 * n}), Sigmoid(), Dense({2 * n}, 1))"


def test_interpolant_is_the_straight_line_between_its_points():
    model = interpolant(wave, 7, low=-1, high=2)
    points, x = np.linspace(-1, 2, 8), np.linspace(-1, 2, 200)
    np.testing.assert_allclose(model(x[:, None])[:, 0], scipy.interpolate.make_interp_spline(points, wave(points), k=1)(x), atol=1e-12)
    assert repr(model) == "MLP(Dense(1, 7), ReLU(), Dense(7, 1))"


def test_interpolant_of_one_neuron_is_a_line():
    np.testing.assert_allclose(interpolant(np.square, 1, low=0, high=2)(np.array([[0.0], [1.0], [2.0]])), [[0], [2], [4]])


def test_the_target_may_be_a_condition():
    """Differences of true and false are no slopes: they count as 1 and 0."""
    x = np.linspace(-1, 1, 9)[:, None]
    np.testing.assert_array_equal(interpolant(lambda x: abs(x) < 0.4, 8, low=-1, high=1)(x), abs(x) < 0.4)
    box = bumps(lambda x: abs(x) < 0.4, 8, low=-1, high=1, steepness=200)  # the parts from −0.5 to 0.5 have their middles in it
    np.testing.assert_allclose(box(x + 0.1), abs(x + 0.1) < 0.5, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_sawtooth_rises_and_falls_between_0_and_1(depth):
    k = np.arange(2**depth + 1)
    model = sawtooth(depth)
    np.testing.assert_array_equal(model(k[:, None] / 2**depth)[:, 0], k % 2)
    np.testing.assert_allclose(model((k[:-1, None] + 0.25) / 2**depth)[:, 0], np.where(k[:-1] % 2, 0.75, 0.25))
    assert [layer.W.shape for layer in model.layers[::2]] == [(2, 1), *[(2, 2)] * (depth - 1), (1, 2)]


def test_least_squares_is_the_best_last_layer_and_leaves_the_others(rng):
    x, target = rng.normal(size=(50, 2)), rng.normal(size=(50, 3))
    model = MLP([2, 6, 5, 3], "tanh", seed=0)
    hidden = model.theta[: -18].copy()
    least_squares(model, x, target)
    np.testing.assert_array_equal(model.theta[:-18], hidden)
    rest = model(x) - target
    a = np.column_stack([model.outputs(x)[-2], np.ones(50)])
    np.testing.assert_allclose(a.T @ rest, 0, atol=1e-9)  # the normal equations


def test_least_squares_of_smallest_norm_where_many_fit(rng):
    x, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    model = MLP([2, 40, 1], "tanh", seed=0)
    least_squares(model, x, target)
    np.testing.assert_allclose(model(x), target, atol=1e-9)
    a = np.column_stack([model.outputs(x)[1], np.ones(5)])
    np.testing.assert_allclose(np.r_[model.layers[-1].W[0], model.layers[-1].b], np.linalg.pinv(a) @ target[:, 0], atol=1e-9)


# --- counted exactly --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[2, 5, 1], [2, 4, 4, 3], [2, 3, 3, 3, 1], [1, 6, 1], [1, 4, 4, 2]])
@pytest.mark.parametrize("seed", [0, 1])
def test_regions_fill_the_box_and_the_network_is_affine_on_each(sizes, seed, rng):
    model = random_relu(sizes, seed)
    regions = linear_regions(model, low=-2, high=3)
    measure = area if sizes[0] == 2 else np.ptp
    assert sum(measure(region.corners) for region in regions) == pytest.approx(5 ** sizes[0], rel=1e-9)
    for corners, W, b in regions:
        inside = rng.dirichlet(np.ones(len(corners)), size=5) @ corners
        np.testing.assert_allclose(model(inside), inside @ W.T + b, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_regions_are_as_many_as_patterns_on_a_fine_grid(seed):
    model = random_relu([2, 4, 3, 1], seed)
    side = np.linspace(-2, 2, 601)
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    outputs = model.outputs(x)
    patterns = np.unique(np.column_stack([outputs[0] > 0, outputs[2] > 0]), axis=0)
    big = [region for region in linear_regions(model, low=-2, high=2) if area(region.corners) > 5e-3]
    assert len(big) <= len(patterns) <= len(linear_regions(model, low=-2, high=2))


def test_n_lines_in_general_position_cut_the_plane_into_1_plus_n_plus_n_choose_2_pieces():
    for n in (1, 2, 3, 7, 12):
        assert len(linear_regions(random_relu([2, n, 1], n), low=-1e4, high=1e4)) == 1 + n + math.comb(n, 2)


@pytest.mark.parametrize("depth", [1, 2, 5, 9])
def test_the_sawtooth_has_two_to_the_depth_pieces(depth):
    regions = sorted(linear_regions(sawtooth(depth), low=0, high=1), key=lambda region: region.corners.min())
    assert len(regions) == 2**depth
    assert [region.W[0, 0] for region in regions] == [2.0**depth * (-1) ** k for k in range(2**depth)]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_through_a_corner_or_along_a_side_cuts_nothing_off(sign):
    model = MLP([2, 2, 1], "relu", seed=0)
    model.layers[0].W, model.layers[0].b = [[sign, sign], [sign, 0]], [2 * sign, sign]  # through (−1, −1), and along x = −1
    regions = linear_regions(model, low=-1, high=1)
    assert len(regions) == 1 and isinstance(regions[0], Region)
    np.testing.assert_array_equal(regions[0].corners, [[-1, -1], [1, -1], [1, 1], [-1, 1]])


def test_a_line_from_corner_to_corner_makes_two_triangles():
    model = MLP([2, 1, 1], "relu", seed=0)
    model.layers[0].W, model.layers[2].W = [[1, -1]], [[2]]
    off, on = sorted(linear_regions(model, low=0, high=1), key=lambda region: region.W.any())
    assert [len(off.corners), len(on.corners)] == [3, 3] and area(off.corners) == area(on.corners) == 0.5
    np.testing.assert_array_equal(off.W, [[0, 0]])
    np.testing.assert_array_equal(on.W, [[2, -2]])


@pytest.mark.parametrize("size", [1, 1e-13, 1e13])
def test_a_line_that_misses_the_corners_by_rounding_makes_two_triangles(size):
    """0.1 + 0.2 − 0.3 is not quite 0; and what is nearly 0 depends on the size of the weights."""
    model = MLP([2, 1, 1], "relu", seed=0)
    model.layers[0].W, model.layers[0].b = [[size, size]], [-0.3 * size]
    assert [len(region.corners) for region in linear_regions(model, low=0.1, high=0.2)] == [3, 3]


def test_a_neuron_that_never_switches_cuts_nothing():
    model = MLP([1, 1, 1], "relu", seed=0)
    model.layers[0].W, model.layers[0].b = [[0.0]], [0.0]
    assert len(linear_regions(model, low=-1, high=1)) == 1


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_an_interval_has_two_finite_ends(low, high):
    for build in (
        lambda: bumps(wave, 3, low=low, high=high, steepness=1),
        lambda: interpolant(wave, 3, low=low, high=high),
        lambda: linear_regions(sawtooth(1), low=low, high=high),
    ):
        with pytest.raises(ValueError, match=f"an interval needs finite low < high, got low={low}, high={high}"):
            build()


@pytest.mark.parametrize("n", [0, -1, 2.5, "3"])
def test_numbers_of_neurons_are_whole_and_positive(n):
    for build in (lambda: bumps(wave, n, low=0, high=1, steepness=1), lambda: interpolant(wave, n, low=0, high=1), lambda: sawtooth(n)):
        with pytest.raises(ValueError, match=f"needs a whole number .*≥ 1 .*, got {n!r}"):
            build()


@pytest.mark.parametrize("steepness", [0, -1, np.nan, np.inf])
def test_steepness_is_positive(steepness):
    with pytest.raises(ValueError, match=f"steepness must be a finite number > 0, got {steepness}"):
        bumps(wave, 3, low=0, high=1, steepness=steepness)


def test_the_target_must_be_a_function_with_finite_values():
    with pytest.raises(ValueError, match=r"f must give a finite value for each of 4 points, got array\(\[inf"), np.errstate(divide="ignore"):
        interpolant(lambda x: 1 / x, 3, low=0, high=1)
    with pytest.raises(ValueError, match="f must give a finite value for each of 3 points, got array"):
        bumps(lambda x: 1.0, 3, low=0, high=1, steepness=1)


@pytest.mark.parametrize("model", [MLP([2, 3, 1], "tanh", seed=0), MLP([3, 3, 1], "relu", seed=0)], ids=["tanh", "three inputs"])
def test_regions_are_counted_for_relu_networks_with_one_or_two_inputs(model):
    with pytest.raises(ValueError, match=r"linear_regions counts for ReLU networks with one or two inputs, got MLP\("):
        linear_regions(model, low=0, high=1)
