"""The same arrays every time, standardized by the training part alone, parts that do not overlap."""

import dataclasses
import hashlib
import random

import numpy as np
import pytest
from mnist1d.data import get_dataset_args, make_dataset
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_sample_images

from nnlib import datasets

TOYS = {"moons": datasets.moons, "circles": datasets.circles, "spirals": datasets.spirals, "xor": datasets.xor}
REAL = {
    "digits": datasets.digits,
    "shuffled digits": lambda: datasets.digits("random", seed=3),
    "mnist1d": datasets.mnist1d,
    "mnist1d without validation": lambda: datasets.mnist1d(validation=0),
}
UNITS = {"breast cancer": lambda: datasets.breast_cancer(seed=4), "diabetes": lambda: datasets.diabetes(seed=4)}
SUNSPOTS = {"sunspots": datasets.sunspots, "square roots of sunspots": lambda: datasets.sunspots(5, root=True)}
TASKS = {
    "adding": lambda n=50, **given: datasets.adding(n, **{"length": 11, "seed": 0, **given}),
    "copying": lambda n=50, **given: datasets.copying(n, **{"length": 5, "delay": 3, "seed": 0, **given}),
    "recall": lambda n=50, **given: datasets.recall(n, **{"seed": 0, **given}),
}
every_toy = pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
every_set = pytest.mark.parametrize("load", REAL.values(), ids=REAL)
every_split_set = pytest.mark.parametrize("load", (REAL | UNITS | SUNSPOTS).values(), ids=REAL | UNITS | SUNSPOTS)
every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def parts(data):
    return data.train, data.validation, data.test


def raw(data):
    return np.concatenate([part.x for part in parts(data)]) * data.std + data.mean


def test_every_set_is_tested():
    others = {"imbalanced", "photographs", "sunspots", "text", "windows"}
    assert set(datasets.__all__) - {"Dataset", "Split", "Text"} == {*TOYS, *TASKS, *others, "digits", "mnist1d", "breast_cancer", "diabetes"}


@every_split_set
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


def test_the_arrays_of_the_first_step_have_not_changed_by_a_bit():
    x = load_digits().data
    mean, std = float(x[:1000].mean()), float(x[:1000].std())
    np.testing.assert_array_equal(np.concatenate([part.x for part in parts(datasets.digits())]), (x - mean) / std)


# --- measures of different units --------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", UNITS.values(), ids=UNITS)
def test_each_measure_is_standardized_for_itself_by_the_training_part(load):
    data = load()
    features = data.train.x.shape[1]
    np.testing.assert_allclose(data.train.x.mean(axis=0), np.zeros(features), atol=1e-12)
    np.testing.assert_allclose(data.train.x.std(axis=0), np.ones(features), rtol=1e-12)
    assert data.mean.shape == data.std.shape == (features,)
    x = raw(data)
    np.testing.assert_allclose(data.mean, x[: len(data.train.x)].mean(axis=0), rtol=1e-12)
    assert (np.abs(x.mean(axis=0) - data.mean) > 1e-6 * data.std).all(), "the other parts have had no say"


@pytest.mark.parametrize(
    ("load", "original", "sizes", "column"),
    [
        (datasets.breast_cancer, lambda: load_breast_cancer(return_X_y=True), [341, 114, 114], False),
        (datasets.diabetes, lambda: load_diabetes(return_X_y=True, scaled=False), [265, 88, 89], True),
    ],
    ids=["breast cancer", "diabetes"],
)
def test_every_row_of_the_original_is_there_once_with_its_target(load, original, sizes, column):
    x, y = original()
    data, other = load(seed=0), load(seed=1)
    assert [len(part.y) for part in parts(data)] == sizes
    found = np.column_stack([raw(data), np.concatenate([part.y for part in parts(data)])])
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_allclose(found, np.column_stack([x, y])[order], rtol=1e-9, atol=1e-12)
    assert data.train.y.shape == (sizes[0], 1) if column else data.train.y.shape == (sizes[0],)
    assert not np.array_equal(data.train.y, other.train.y)


def test_classes_and_progressions_are_those_of_the_papers():
    cancer = np.concatenate([part.y for part in parts(datasets.breast_cancer(seed=0))])
    assert np.bincount(cancer).tolist() == [212, 357]
    progression = np.concatenate([part.y for part in parts(datasets.diabetes(seed=0))])
    assert (progression.min(), progression.max(), progression.sum()) == (25, 346, 67243)


# --- sunspots ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", [False, True])
def test_sunspots_are_split_by_time_and_standardized_by_the_years_up_to_1920(root):
    data = datasets.sunspots(lags=3, root=root)
    assert [len(part.y) for part in parts(data)] == [221 - 3, 35, 53]
    # The first window and the targets that follow are the series itself.
    s = np.concatenate([data.train.x[0], *(part.y[:, 0] for part in parts(data))]) * data.std + data.mean
    s = s**2 if root else s
    assert len(s) == 309 and s.sum() == pytest.approx(15373.4, abs=1e-6)
    np.testing.assert_allclose(s[:5], [5, 11, 16, 23, 36], rtol=1e-9)
    np.testing.assert_allclose(s[[1957 - 1700, 2008 - 1700]], [190.2, 2.9], rtol=1e-9)
    t = np.sqrt(s) if root else s
    assert data.mean == pytest.approx(t[:221].mean(), rel=1e-12) and data.std == pytest.approx(t[:221].std(), rel=1e-12)
    x, y = (np.concatenate([part[i] for part in parts(data)]) for i in (0, 1))
    np.testing.assert_array_equal(x[3:], np.column_stack([y[0:-3], y[1:-2], y[2:-1]]))
    assert type(data.mean) is float


@pytest.mark.parametrize(("root", "rmse"), [(False, 19.5), (True, 16.6)])
def test_the_known_errors_of_persistence_and_of_an_autoregression(root, rmse):
    data = datasets.sunspots(root=root)
    assert data.train.x.shape[1] == 9

    def error(prediction):
        y, prediction = ((v * data.std + data.mean) ** (2 if root else 1) for v in (data.test.y, prediction))
        return np.sqrt(np.mean((y - prediction) ** 2))

    def design(x):
        return np.column_stack([x, np.ones(len(x))])

    w = np.linalg.lstsq(design(data.train.x), data.train.y)[0]
    assert error(data.test.x[:, -1:]) == pytest.approx(33.4, abs=0.05)
    assert error(design(data.test.x) @ w) == pytest.approx(rmse, abs=0.05)


# --- photographs ------------------------------------------------------------------------------------------------------


def test_photographs_are_those_of_scikit_learn_from_0_to_1():
    images = datasets.photographs()
    assert list(images) == ["china", "flower"]
    for image, original in zip(images.values(), load_sample_images().images, strict=True):
        assert image.dtype == np.float64 and image.min() >= 0 and image.max() == 1
        np.testing.assert_array_equal(np.round(image * 255), original)
    # Decoders of JPEG may differ by a grey value here and there.
    assert [image.mean() for image in images.values()] == pytest.approx([0.5635, 0.2428], abs=1e-3)


# --- imbalanced -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "positives"), [(1, [98, 21, 55]), (10, [90, 17, 54]), (100, [9, 1, 5])])
def test_imbalanced_parts_have_exactly_one_positive_to_so_many_others(ratio, positives):
    whole = datasets.digits()
    data = datasets.imbalanced(whole, 8, ratio, seed=0)
    assert (data.mean, data.std) == (whole.mean, whole.std)
    for part, old, expected in zip(parts(data), parts(whole), positives, strict=True):
        assert part.y.dtype.kind == "i" and len(part.x) == len(part.y) == expected * (1 + ratio)
        assert part.y.sum() == expected
        # The rows are among the old ones, in their order, each once, with the right label.
        place = {row.tobytes(): i for i, row in enumerate(old.x)}
        kept = [place[row.tobytes()] for row in part.x]
        assert kept == sorted(set(kept))
        np.testing.assert_array_equal(part.y, old.y[kept] == 8)


def test_the_seed_decides_which_examples_are_kept():
    one, same, other = (datasets.imbalanced(datasets.digits(), 8, 100, seed=seed).train.x for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    from_generator = datasets.imbalanced(datasets.digits(), 8, 100, seed=np.random.default_rng(0)).train.x
    np.testing.assert_array_equal(one, from_generator)


def test_a_part_without_examples_stays_without():
    data = datasets.imbalanced(datasets.mnist1d(validation=0), 3, 20, seed=0)
    assert len(data.validation.y) == 0 and data.train.y.mean() == pytest.approx(1 / 21)


# --- text -------------------------------------------------------------------------------------------------------------


def whole(text):
    return text.decode(np.concatenate([text.train, text.validation, text.test]))


def test_the_text_for_figures_is_the_same_everywhere():
    text = datasets.text()
    found = whole(text)
    assert (len(found), len(text.vocabulary)) == (363225, 98)
    # The version of scikit-learn that requirements.txt pins; another one has another text, and every figure from it changes.
    assert hashlib.sha256(found.encode()).hexdigest().startswith("2a0f5a4ebb95c892")
    paragraphs = found.split("\n\n")
    assert len(set(paragraphs)) == len(paragraphs) == 2430
    for paragraph in paragraphs:
        assert paragraph[0].isupper() and paragraph[-1] == "." and len(paragraph) > 60
        assert ">>>" not in paragraph and not any(line.startswith("- ") for line in paragraph.split("\n"))


@pytest.mark.parametrize(("source", "words", "least"), [("topics", "assignment statement", 400_000), ("python", "class SequenceMatcher:", 200_000)])
def test_texts_that_ship_with_python(source, words, least):
    text = datasets.text(source)
    assert len(whole(text)) > least and words in whole(text)


@pytest.mark.parametrize("n", [10, 19, 100, 1234])
def test_a_text_is_split_by_position_and_comes_back(n):
    characters = ("Äpfel 🍎, β and naïve.\n" * 100)[:n]
    text = datasets.Text.of(characters)
    assert whole(text) == characters
    assert [len(text.train), len(text.validation)] == [n * 8 // 10, n * 9 // 10 - n * 8 // 10]
    assert text.vocabulary == "".join(sorted(set(characters)))
    assert text.train.dtype.kind == "i"
    np.testing.assert_array_equal(text.encode(text.decode(text.train)), text.train)
    assert text.decode([]) == "" and text.encode("").dtype.kind == "i"


def test_parts_of_a_text_stand_apart_by_an_empty_line():
    from pydoc_data.topics import topics

    assert len(whole(datasets.text("topics"))) == sum(map(len, topics.values())) + 2 * (len(topics) - 1)
    assert "X\n\nX" not in whole(datasets.text("python"))


def test_one_character_is_a_text_too():
    text = datasets.Text.of("to be or not")
    assert text.decode([2]) == text.vocabulary[2]


def test_what_nobody_asked_for():
    assert [len(part.y) for part in (datasets.mnist1d().train, datasets.mnist1d().validation)] == [3500, 500]
    np.testing.assert_array_equal(datasets.sunspots().train.x, datasets.sunspots(9, root=False).train.x)


def test_the_longest_window_of_sunspots_and_the_smallest_toys():
    assert datasets.sunspots(220).train.x.shape == (1, 220)
    for toy in TOYS.values():
        assert toy(2, seed=0).x.shape == (2, 2)


def test_a_test_part_that_cannot_be_thinned_is_named():
    digits = datasets.digits()
    nothing = dataclasses.replace(digits, test=datasets.Split(digits.test.x, 0 * digits.test.y))
    with pytest.raises(ValueError, match="in the test part"):
        datasets.imbalanced(nothing, 8, 10, seed=0)


def test_windows_predict_each_character_once():
    ids = np.arange(100, 123)
    x, y = datasets.windows(ids, 5)
    np.testing.assert_array_equal(x, 100 + np.arange(20).reshape(4, 5))
    np.testing.assert_array_equal(y, x + 1)
    x, y = datasets.windows(ids, 5, stride=1)
    assert x.shape == y.shape == (18, 5)
    np.testing.assert_array_equal(x[:, 0], ids[:18])
    np.testing.assert_array_equal(y[:, -1], ids[5:])
    assert np.shares_memory(x, ids) and not x.flags.writeable
    assert datasets.windows(ids, 22).x.shape == (1, 22)
    assert datasets.windows(ids, 5, stride=7).x[:, 0].tolist() == [100, 107, 114]


# --- tasks ------------------------------------------------------------------------------------------------------------


@every_task
def test_the_seed_decides_the_task(task, global_generators_rest):
    one, same, other = task(), task(seed=np.random.default_rng(0)), task(seed=1)
    for array, again in zip(one, same, strict=True):
        np.testing.assert_array_equal(array, again)
    assert not np.array_equal(one.x, other.x)
    assert task(n=1).x.shape == (1, *one.x.shape[1:])


def test_adding_marks_one_number_in_each_half():
    x, y = datasets.adding(4000, length=11, seed=0)
    numbers, marks = x[:, :, 0], x[:, :, 1]
    assert x.shape == (4000, 11, 2) and y.shape == (4000, 1) and set(np.unique(marks)) == {0, 1}
    assert (marks[:, :5].sum(axis=1) == 1).all() and (marks[:, 5:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y[:, 0], [row[mark == 1].sum() for row, mark in zip(numbers, marks, strict=True)], rtol=1e-15)
    assert (marks.sum(axis=0) > 4000 / 6 * 0.8).all(), "every place is marked as often as the others of its half"
    assert numbers.min() >= 0 and numbers.max() < 1 and numbers.mean() == pytest.approx(0.5, abs=0.01)
    # The variance of a sum of two uniform numbers is 1/6: the error of always answering 1.
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.05)
    assert datasets.adding(3, length=2, seed=0).x[:, :, 1].tolist() == [[1, 1]] * 3


def test_copying_is_symbols_blanks_signal_and_blanks():
    x, y = datasets.copying(500, length=4, delay=3, symbols=6, seed=0)
    assert x.shape == (500, 11) and y.shape == (500, 4)
    np.testing.assert_array_equal(x[:, :4], y)
    np.testing.assert_array_equal(x[0, 4:], [6, 6, 6, 7, 6, 6, 6])
    assert (x[:, 4:] == x[0, 4:]).all()
    assert np.bincount(y.ravel()).shape == (6,) and np.bincount(y.ravel()).min() > 2000 / 6 * 0.8
    x, _ = datasets.copying(1, length=1, seed=0)
    assert x.shape == (1, 2) and x[0, 1] == 9 and x[0, 0] < 8


def test_recall_asks_for_the_successor_of_a_token_that_has_one():
    x, y = datasets.recall(4000, seed=0)
    assert x.shape == (4000, 13) and y.shape == (4000,)
    assert all(len(set(row[:12])) == 12 for row in x) and x.min() == 0 and x.max() == 23
    asked = [row[:12].tolist().index(row[12]) for row in x]
    np.testing.assert_array_equal(y, [row[i + 1] for row, i in zip(x, asked, strict=True)])
    assert np.bincount(asked).shape == (11,) and np.bincount(asked).min() > 4000 / 11 * 0.8
    assert np.bincount(x[:, 0]).min() > 4000 / 24 * 0.6
    x, y = datasets.recall(1, distinct=2, vocabulary=2, seed=0)
    assert x[0, 2] == x[0, 0] and y[0] == x[0, 1]


# --- toys -------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("toy", "noise"), [("moons", 0.1), ("circles", 0.05), ("spirals", 0.05), ("xor", 0.2)])
def test_the_noise_that_nobody_asked_for_is_small(toy, noise):
    np.testing.assert_array_equal(TOYS[toy](seed=0).x, TOYS[toy](noise=noise, seed=0).x)


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
        (lambda: datasets.breast_cancer(seed=None), "a random split needs a seed: without one, it could not be made again"),
        (lambda: datasets.diabetes(seed=None), "a random split needs a seed"),
        (lambda: datasets.sunspots(0), "sunspots needs a whole number lags from 1 to 220, got 0"),
        (lambda: datasets.sunspots(221), "lags from 1 to 220, got 221"),
        (lambda: datasets.sunspots(2.0), "got 2.0"),
        (lambda: datasets.imbalanced(datasets.digits(), 8, 0, seed=0), "imbalanced needs a whole number ratio ≥ 1, got 0"),
        (lambda: datasets.imbalanced(datasets.digits(), 8, 10, seed=None), "imbalanced needs a seed"),
        (lambda: datasets.imbalanced(datasets.digits(), 11, 10, seed=0), "1:10 of class 11 cannot be had from 0 to 1000 in the training part"),
        (lambda: datasets.imbalanced(datasets.digits(), 8, 184, seed=0), "1:184 of class 8 cannot be had from 21 to 179 in the validation part"),
        (lambda: datasets.text("wikipedia"), r"text comes from one of \('scikit-learn', 'topics', 'python'\), got 'wikipedia'"),
        (lambda: datasets.Text.of("too short"), "at least 10 characters, got 9"),
        (lambda: datasets.Text.of("ten letters").encode("set z!"), r"the vocabulary of 7 characters has no \['!', 'z'\]"),
        (lambda: datasets.Text.of("ten letters").decode([0, 7]), r"a row of numbers from 0 to 6, got \[0, 7\]"),
        (lambda: datasets.Text.of("ten letters").decode([-1]), r"got \[-1\]"),
        (lambda: datasets.Text.of("ten letters").decode([[1]]), r"got \[\[1\]\]"),
        (lambda: datasets.windows(np.arange(9), 9), r"windows of 9 need a row of at least 10 integers, got int64 of shape \(9,\)"),
        (lambda: datasets.windows(np.arange(9.0), 3), r"got float64 of shape \(9,\)"),
        (lambda: datasets.windows(np.zeros((9, 9), int), 3), r"shape \(9, 9\)"),
        (lambda: datasets.windows(np.arange(9), 0), "windows needs a whole number length ≥ 1, got 0"),
        (lambda: datasets.windows(np.arange(9), 3, stride=0), "windows needs a whole number stride ≥ 1, got 0"),
        (lambda: datasets.adding(3, length=1, seed=0), "adding needs a whole number length ≥ 2, got 1"),
        (lambda: datasets.copying(3, length=0, seed=0), "copying needs a whole number length ≥ 1, got 0"),
        (lambda: datasets.copying(3, length=1, delay=-1, seed=0), "copying needs a whole number delay ≥ 0, got -1"),
        (lambda: datasets.copying(3, length=1, symbols=1, seed=0), "copying needs a whole number symbols ≥ 2, got 1"),
        (lambda: datasets.recall(3, distinct=1, seed=0), "recall needs a whole number distinct ≥ 2, got 1"),
        (lambda: datasets.recall(3, distinct=9, vocabulary=8, seed=0), "recall needs a whole number vocabulary ≥ 9, got 8"),
        *((lambda task=task: task(n=0), f"^{name} needs a whole number n ≥ 1, got 0") for name, task in TASKS.items()),
        *((lambda task=task: task(seed=None), f"^{name} needs a seed: without one, it could not be made again") for name, task in TASKS.items()),
        *((lambda toy=toy: toy(1, seed=0), "a toy set needs at least two points, got n=1") for toy in TOYS.values()),
        *((lambda toy=toy: toy(9, noise=-0.1, seed=0), "noise must be a finite number ≥ 0, got -0.1") for toy in TOYS.values()),
        *((lambda toy=toy: toy(9, noise=np.nan, seed=0), "noise must be a finite number ≥ 0, got nan") for toy in TOYS.values()),
        *((lambda toy=toy: toy(9, seed=None), "^a toy set needs a seed: without one, it could not be made again$") for toy in TOYS.values()),
    ],
)
def test_what_cannot_be_made_is_refused(load, message):
    with pytest.raises(ValueError, match=message):
        load()


def test_only_classes_can_be_imbalanced():
    with pytest.raises(TypeError, match="imbalanced needs classes as targets, got float64"):
        datasets.imbalanced(datasets.diabetes(seed=0), 1, 10, seed=0)
