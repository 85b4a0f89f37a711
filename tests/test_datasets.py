"""The same arrays every time, standardized by the training part alone, parts that do not overlap."""

import random

import numpy as np
import pytest
from mnist1d.data import get_dataset_args, make_dataset
from sklearn.datasets import load_digits

from nnlib import datasets

TOYS = {"moons": datasets.moons, "circles": datasets.circles, "spirals": datasets.spirals, "xor": datasets.xor}
REAL = {
    "digits": datasets.digits,
    "shuffled digits": lambda: datasets.digits("random", seed=3),
    "mnist1d": datasets.mnist1d,
    "mnist1d without validation": lambda: datasets.mnist1d(validation=0),
}
every_toy = pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
every_set = pytest.mark.parametrize("load", REAL.values(), ids=REAL)


def parts(data):
    return data.train, data.validation, data.test


def raw(data):
    return np.concatenate([part.x for part in parts(data)]) * data.std + data.mean


def test_every_set_is_tested():
    assert set(datasets.__all__) - {"Dataset", "Split"} == set(TOYS) | {"digits", "mnist1d"}


@every_set
def test_the_same_arrays_every_time_whatever_is_drawn_or_written_between(load):
    first = load()
    kept = [array.copy() for part in parts(first) for array in part]
    np.random.seed(5), random.seed(5)  # noqa: NPY002
    for part in parts(first):
        part.x[:], part.y[:] = 0, 0
    for array, again in zip(kept, (array for part in parts(load()) for array in part), strict=True):
        np.testing.assert_array_equal(array, again)


@every_set
def test_standardized_by_the_training_part_alone(load):
    data = load()
    assert abs(data.train.x.mean()) < 1e-12 and data.train.x.std() == pytest.approx(1, rel=1e-12)
    assert abs(data.test.x.mean()) > 1e-4
    x = raw(data)
    assert x[: len(data.train.x)].mean() == pytest.approx(data.mean, rel=1e-12)
    assert x.mean() != pytest.approx(data.mean, rel=1e-6)
    assert type(data.mean) is type(data.std) is float


@every_set
def test_parts_do_not_overlap_and_their_labels_are_digits(load):
    data = load()
    rows = [tuple(row) for part in parts(data) for row in part.x]
    assert len(set(rows)) == len(rows)
    for part in parts(data):
        assert part.x.dtype == np.float64 and part.y.dtype.kind == "i"
        assert part.x.ndim == 2 and part.y.shape == part.x.shape[:1]
        assert len(part.y) == 0 or set(part.y) == set(range(10))


def test_digits_are_those_of_scikit_learn():
    x, y = load_digits(return_X_y=True)
    data = datasets.digits()
    np.testing.assert_allclose(raw(data), x, atol=1e-12)
    np.testing.assert_array_equal(np.concatenate([part.y for part in parts(data)]), y)
    assert [len(part.y) for part in parts(data)] == [1000, 200, 597]
    assert (round(data.mean, 4), round(data.std, 4)) == (4.9115, 6.0223)
    assert [int(part.y.sum()) for part in parts(data)] == [4480, 929, 2661]


def test_digits_at_random_are_the_same_images_in_another_order():
    data, other = datasets.digits("random", seed=0), datasets.digits("random", seed=1)
    assert [len(part.y) for part in parts(data)] == [1000, 200, 597]
    assert (data.train.y != other.train.y).any()

    def images_with_labels(data):
        return sorted((*np.round(row).astype(int), label) for row, label in zip(raw(data), np.concatenate([p.y for p in parts(data)]), strict=True))

    assert images_with_labels(data) == images_with_labels(datasets.digits())


def test_mnist1d_is_that_of_its_package(global_generators_rest):
    before = np.random.get_state(), random.getstate()  # noqa: NPY002
    made = make_dataset(get_dataset_args())
    np.random.set_state(before[0]), random.setstate(before[1])  # noqa: NPY002
    datasets._mnist1d_arrays.cache_clear()
    data = datasets.mnist1d(validation=500)
    np.testing.assert_allclose(raw(data), np.concatenate([made["x"], made["x_test"]]), atol=1e-12)
    np.testing.assert_array_equal(np.concatenate([part.y for part in parts(data)]), np.concatenate([made["y"], made["y_test"]]))
    assert [len(part.y) for part in parts(data)] == [3500, 500, 1000]
    assert [len(part.y) for part in parts(datasets.mnist1d(validation=0))] == [4000, 0, 1000]
    # Rounded sums: a version of the package that makes other signals is noticed.
    assert np.abs(raw(data)).sum() == pytest.approx(148316.1726, rel=1e-9)
    assert made["y"][:10].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]


@every_toy
def test_toys_have_two_balanced_classes(toy):
    x, y = toy(300, seed=0)
    assert x.shape == (300, 2) and x.dtype == np.float64 and y.shape == (300,) and y.dtype.kind == "i"
    assert y.sum() == 150 and set(y) == {0, 1}
    assert toy(seed=0).x.shape == (200, 2)
    assert toy(7, noise=0.0, seed=0).x.shape == (7, 2)


@every_toy
def test_the_seed_decides(toy):
    one, same, other = toy(50, noise=0.3, seed=0), toy(50, noise=0.3, seed=0), toy(50, noise=0.3, seed=1)
    np.testing.assert_array_equal(one.x, same.x)
    np.testing.assert_array_equal(one.y, same.y)
    assert (one.x != other.x).any()


@every_toy
def test_noise_is_added_to_the_same_points(toy):
    clean, noisy = (toy(4000, noise=noise, seed=0) for noise in (0.0, 0.2))
    np.testing.assert_array_equal(noisy.y, clean.y)
    assert (noisy.x - clean.x).std() == pytest.approx(0.2, rel=0.05)


def test_without_noise_the_toys_are_their_formulas():
    x, y = datasets.moons(100, noise=0.0, seed=0)
    radius = np.where(y == 0, np.hypot(*x.T), np.hypot(x[:, 0] - 1, x[:, 1] - 0.5))
    np.testing.assert_allclose(radius, 1, rtol=1e-12)
    assert (x[y == 0, 1] >= -1e-12).all() and (x[y == 1, 1] <= 0.5 + 1e-12).all()
    x, y = datasets.circles(100, noise=0.0, seed=0)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 1, 0.5, 1), rtol=1e-12)
    x, y = datasets.spirals(100, noise=0.0, seed=0)
    radius = np.hypot(*x.T)
    assert radius.min() >= np.sqrt(0.02) and radius.max() <= 1
    turned = np.where(y == 0, 1, -1) * np.exp(-3j * np.pi * radius) * (x[:, 0] + 1j * x[:, 1])
    np.testing.assert_allclose(turned, radius, atol=1e-12)
    x, y = datasets.xor(100, noise=0.0, seed=0)
    np.testing.assert_array_equal(np.abs(x), 1)
    np.testing.assert_array_equal(y, (x[:, 0] * x[:, 1] < 0).astype(int))


@pytest.mark.parametrize("load", [*TOYS.values(), *REAL.values()], ids=[*TOYS, *REAL])
def test_global_random_numbers_are_left_alone(load, global_generators_rest):
    load(seed=0) if load in TOYS.values() else load()


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (lambda: datasets.digits("shuffled"), "digits are split by 'block' or 'random', got 'shuffled'"),
        (
            lambda: datasets.digits("random"),
            "digits take a seed for the random split and only there, got split='random', seed=None",
        ),
        (lambda: datasets.digits(seed=0), "got split='block', seed=0"),
        (
            lambda: datasets.mnist1d(validation=-1),
            "validation must be from 0 to 3999 of the 4000 training signals, got -1",
        ),
        (lambda: datasets.mnist1d(validation=4000), "got 4000"),
        *((lambda toy=toy: toy(1, seed=0), "a toy set needs at least two points, got n=1") for toy in TOYS.values()),
        *((lambda toy=toy: toy(9, noise=-0.1, seed=0), "noise must be a finite number ≥ 0, got -0.1") for toy in TOYS.values()),
        *((lambda toy=toy: toy(9, noise=np.nan, seed=0), "noise must be a finite number ≥ 0, got nan") for toy in TOYS.values()),
        *((lambda toy=toy: toy(9, seed=None), "a toy set needs a seed") for toy in TOYS.values()),
    ],
)
def test_what_cannot_be_made_is_refused(load, message):
    with pytest.raises(ValueError, match=message):
        load()
