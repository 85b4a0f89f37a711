"""Metrics against scikit-learn, SciPy, statsmodels and their definitions, and at the door."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.calibration
import sklearn.metrics
from statsmodels.stats.proportion import proportion_confint

from nnlib import losses, metrics
from nnlib.metrics import accuracy, confusion_matrix


def test_accuracy_agrees_with_scikit_learn(rng):
    logits, labels = rng.normal(size=(200, 5)), rng.integers(0, 5, size=200)
    expected = sklearn.metrics.accuracy_score(labels, logits.argmax(axis=1))
    assert accuracy(logits, labels) == accuracy(logits, labels[:, None]) == expected
    assert type(accuracy(logits, labels)) is float


def test_one_logit_says_one_where_it_is_positive():
    logits = np.array([[-1.0], [0.0], [2.0], [3.0]])
    assert accuracy(logits, np.array([0, 0, 1, 1])) == 1.0
    assert accuracy(logits, np.array([[0], [1], [1], [0]])) == 0.5
    two = np.column_stack([np.zeros(4), logits[:, 0]])
    assert accuracy(two, np.array([0, 0, 1, 1])) == 1.0


def test_nan_is_no_answer():
    with pytest.raises(ValueError, match="logits that can be compared, got 2 NaN"):
        accuracy(np.array([[np.nan, np.nan], [1.0, 0.0]]), np.array([0, 0]))


@pytest.mark.parametrize(("columns", "label", "range"), [(2, 2, "0 to 1, got 0 to 2"), (3, -1, "0 to 2, got -1 to 0"), (1, 2, "0 to 1, got 0 to 2")])
def test_labels_out_of_range_are_refused(columns, label, range):
    with pytest.raises(ValueError, match=f"accuracy expects whole labels from {range}"):
        accuracy(np.zeros((2, columns)), np.array([0, label]))


@pytest.mark.parametrize(("label", "got"), [(0.5, "0.0 to 0.5"), (np.nan, "nan to nan")])
def test_labels_that_are_no_class_are_refused(label, got):
    with pytest.raises(ValueError, match=f"confusion_matrix expects whole labels from 0 to 2, got {got}"):
        confusion_matrix(np.zeros((2, 3)), np.array([0, label]))


@pytest.mark.parametrize(
    ("logits", "labels", "shapes"),
    [
        (np.zeros(3), np.zeros(3), r"\(3,\) and \(3,\)"),
        (np.zeros((3, 2)), np.zeros(2), r"\(3, 2\) and \(2,\)"),
        (np.zeros((3, 2)), np.zeros((3, 2)), r"\(3, 2\) and \(3, 2\)"),
        (np.zeros((1, 2)), np.zeros((1, 3)), r"\(1, 2\) and \(1, 3\)"),
        (np.zeros((0, 2)), np.zeros(0), r"\(0, 2\) and \(0,\)"),
        (np.zeros((2, 0)), np.zeros(2), r"\(2, 0\) and \(2,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(logits, labels, shapes):
    with pytest.raises(
        ValueError,
        match=rf"accuracy expects logits \(batch, classes\) and labels \(batch,\) with batch ≥ 1, got {shapes}",
    ):
        accuracy(logits, labels)


def test_confusion_matrix_counts_what_was_taken_for_what(rng):
    logits, labels = rng.normal(size=(200, 5)), rng.integers(0, 4, size=200)
    logits[:, 4] = -9  # class 4 has no example and is never said, and keeps its row and column
    expected = np.zeros((5, 5), int)
    for right, row in zip(labels, logits, strict=True):
        expected[right, row.argmax()] += 1
    found = confusion_matrix(logits, labels)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype.kind == "i" and found.trace() / 200 == accuracy(logits, labels)
    np.testing.assert_array_equal(confusion_matrix(np.array([[1.0], [2.0], [0.0]]), np.ones((3, 1))), [[0, 0], [1, 2]])


# --- scores of two classes --------------------------------------------------------------------------------------------

TWO_CLASSES = {
    "roc": sklearn.metrics.roc_curve,
    "auc": sklearn.metrics.roc_auc_score,
    "precision_recall": sklearn.metrics.precision_recall_curve,
    "average_precision": sklearn.metrics.average_precision_score,
    "f1": lambda labels, scores: sklearn.metrics.f1_score(labels, scores >= 0),
}
every_score = pytest.mark.parametrize("name", TWO_CLASSES)


@pytest.fixture
def scored(rng):
    labels = rng.integers(0, 2, size=300)
    return (rng.normal(size=300) + labels).round(1), labels  # rounded: there are ties


@every_score
def test_scores_agree_with_scikit_learn(name, scored):
    scores, labels = scored
    metric, expected = getattr(metrics, name), TWO_CLASSES[name](labels, scores)
    for s in (scores, scores[:, None]):
        for y in (labels, labels[:, None], labels.astype(float), labels == 1):
            found = metric(s, y)
            if isinstance(expected, tuple):
                for array, value in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(array, value)
            else:
                assert type(found) is float and found == expected


def test_the_area_is_the_probability_of_the_right_order(scored):
    scores, labels = scored
    pairs = scores[labels == 1][:, None] - scores[labels == 0]
    assert metrics.auc(scores, labels) == pytest.approx(np.mean((pairs > 0) + (pairs == 0) / 2), rel=1e-12)
    false_positive_rate, true_positive_rate, _ = metrics.roc(scores, labels)
    assert metrics.auc(scores, labels) == pytest.approx(np.trapezoid(true_positive_rate, false_positive_rate), rel=1e-12)


def test_average_precision_is_its_sum(scored):
    precision, recall, thresholds = metrics.precision_recall(*scored)
    assert metrics.average_precision(*scored) == pytest.approx(-(np.diff(recall) * precision[:-1]).sum(), rel=1e-12)
    assert len(precision) == len(recall) == len(thresholds) + 1


def test_f1_at_each_threshold_of_the_curve_is_the_harmonic_mean(scored):
    scores, labels = scored
    precision, recall, thresholds = metrics.precision_recall(scores, labels)
    for P, R, threshold in zip(precision[::7], recall[::7], thresholds[::7], strict=False):
        assert metrics.f1(scores, labels, threshold) == pytest.approx(2 * P * R / (P + R), rel=1e-12)
    assert metrics.f1(scores, labels) == metrics.f1(scores, labels, 0.0)
    assert metrics.f1(scores, labels, np.inf) == 0.0
    with pytest.raises(ValueError, match=r"^f1 expects a threshold that can be compared, got nan$"):
        metrics.f1(scores, labels, np.nan)


@pytest.mark.parametrize("name", [*TWO_CLASSES, "calibration"])
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros(3), np.zeros(2), r"scores and labels of shape \(batch,\) or \(batch, 1\) with batch ≥ 1, got \(3,\) and \(2,\)"),
        (np.zeros((3, 2)), np.zeros(3), r"got \(3, 2\) and \(3,\)"),
        (np.zeros((1, 3)), np.zeros(3), r"got \(1, 3\) and \(3,\)"),
        (np.zeros(3), np.zeros((1, 3)), r"got \(3,\) and \(1, 3\)"),
        (np.zeros(0), np.zeros(0), r"got \(0,\) and \(0,\)"),
        (np.float64(0), np.float64(0), r"got \(\) and \(\)"),
        (np.array([np.nan, 1, np.inf]), np.array([0, 1, 1]), "finite scores, got 2 NaN or infinite"),
        (np.zeros(3), np.array([0, 1, 2]), r"labels 0 and 1, got \[2\]"),
        (np.zeros(3), np.array([-1, 1, 1]), r"labels 0 and 1, got \[-1\]"),
        (np.zeros(3), np.array([0, 1, np.nan]), r"labels 0 and 1, got \[nan\]"),
        (np.zeros(3), np.array([0, 1, 0.5]), r"labels 0 and 1, got \[0.5\]"),
        (np.zeros(6), np.array([5, 4, 3, 2, 1, 0]), r"labels 0 and 1, got \[2, 3, 4\]"),
    ],
)
def test_scores_that_cannot_be_judged_are_refused(name, scores, labels, message):
    with pytest.raises(ValueError, match=f"{name} expects .*{message}"):
        getattr(metrics, name)(scores, labels)


@every_score
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_curve(name, label):
    with pytest.raises(ValueError, match=f"{name} expects examples of both classes, got 4 of class {label} alone"):
        getattr(metrics, name)(np.arange(4.0), np.full(4, label))


# --- calibration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bins", [1, 3, 10])
def test_calibration_agrees_with_scikit_learn(bins, rng):
    p = np.concatenate([rng.uniform(size=200) ** 2, [0, 1, 0.1, 0.2, 0.3, 0.5]])
    y = (rng.uniform(size=206) < p).astype(int)
    predicted, observed, count = metrics.calibration(p, y, bins)
    expected_observed, expected_predicted = sklearn.calibration.calibration_curve(y, p, n_bins=bins)
    np.testing.assert_allclose(predicted, expected_predicted, rtol=1e-12)
    np.testing.assert_allclose(observed, expected_observed, rtol=1e-12)
    assert count.sum() == 206 and (count * predicted).sum() == pytest.approx(p.sum(), rel=1e-12)
    error = sum(n / 206 * abs(o - q) for q, o, n in zip(predicted, observed, count, strict=True))
    assert metrics.calibration_error(p, y, bins) == pytest.approx(error, rel=1e-12)


def test_calibration_by_hand():
    p, y = np.array([0.0, 0.05, 0.1, 0.15, 1.0]), np.array([0, 0, 1, 0, 1])
    predicted, observed, count = metrics.calibration(p, y)
    np.testing.assert_allclose(predicted, [0.05, 0.15, 1])  # a bin is open at its left end: 0.1 is in the first
    np.testing.assert_allclose(observed, [1 / 3, 0, 1])
    np.testing.assert_array_equal(count, [3, 1, 1])
    error = metrics.calibration_error(p, y)
    assert error == pytest.approx((3 * (1 / 3 - 0.05) + 0.15) / 5) and type(error) is float
    assert metrics.calibration_error(np.ones(3), np.ones(3)) == 0.0
    assert metrics.calibration_error(np.ones((3, 1)), np.zeros((3, 1))) == 1.0


@pytest.mark.parametrize(
    ("p", "bins", "message"),
    [
        ([0.5, -0.1], 10, r"probabilities in \[0, 1\], got -0.1 to 0.5"),
        ([0.5, 1.1], 10, r"probabilities in \[0, 1\], got 0.5 to 1.1"),
        ([0.5, 0.6], 0, "whole number of bins ≥ 1, got 0"),
        ([0.5, 0.6], 2.0, "got 2.0"),
    ],
)
@pytest.mark.parametrize("name", ["calibration", "calibration_error"])
def test_what_is_no_probability_is_refused(p, bins, message, name):
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(np.array(p), np.array([0, 1]), bins)


# --- text -------------------------------------------------------------------------------------------------------------


def test_a_fair_choice_among_eight_has_perplexity_eight_and_three_bits():
    nats, _ = losses.categorical_cross_entropy(np.zeros((5, 8)), np.arange(5))
    assert metrics.perplexity(nats) == pytest.approx(8, rel=1e-12)
    assert metrics.bits_per_character(nats) == pytest.approx(3, rel=1e-12)
    assert metrics.perplexity(0.0) == 1.0 and metrics.bits_per_character(0.0) == 0.0


@pytest.mark.parametrize("name", ["perplexity", "bits_per_character"])
@pytest.mark.parametrize("nats", [-0.1, math.nan])
def test_a_loss_that_is_no_entropy_is_refused(name, nats):
    with pytest.raises(ValueError, match=f"{name} expects a mean loss in nats ≥ 0, got {nats}"):
        getattr(metrics, name)(nats)


# --- how sure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("correct", "n"), [(0, 1), (1, 1), (585, 597), (650, 1000), (5, 10)])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_the_interval_of_an_accuracy_is_wilsons(correct, n, confidence):
    expected = proportion_confint(correct, n, alpha=1 - confidence, method="wilson")
    found = metrics.accuracy_interval(np.int64(correct), n, confidence)
    assert found == pytest.approx(expected, abs=1e-12) and type(found[0]) is type(found[1]) is float


def test_the_interval_of_an_accuracy_is_one_of_95_percent():
    assert metrics.accuracy_interval(650, 1000) == metrics.accuracy_interval(650, 1000, 0.95)
    low, high = metrics.accuracy_interval(650, 1000)
    assert (high - low) / 2 / 1.96 == pytest.approx(0.015, abs=1e-4)  # the 1.5 points of MNIST-1D


@pytest.mark.parametrize(("correct", "n"), [(-1, 5), (6, 5), (0, 0), (2.5, 5), (2, 5.0)])
def test_counts_that_are_none_are_refused(correct, n):
    with pytest.raises(ValueError, match=f"whole numbers 0 ≤ correct ≤ n, n ≥ 1, got correct={correct}, n={n}"):
        metrics.accuracy_interval(correct, n)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_the_paired_difference_is_that_of_the_paired_t_test(confidence, rng):
    a, b = rng.normal(size=(2, 7))
    test = scipy.stats.ttest_rel(a, b)
    interval = test.confidence_interval(confidence)
    found = metrics.paired_difference(a, b, confidence)
    np.testing.assert_allclose(found, [np.mean(a - b), scipy.stats.sem(a - b), interval.low, interval.high], rtol=1e-10)
    assert found.mean / found.standard_error == pytest.approx(test.statistic, rel=1e-10)


def test_students_own_sleep_data():
    """Student (1908), table of the additional sleep of ten patients: mean difference 1.58 hours, t = 4.06."""
    dextro = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    laevo = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    d = metrics.paired_difference(laevo, dextro)
    assert d.mean == pytest.approx(1.58) and d.mean / d.standard_error == pytest.approx(4.0621, abs=1e-4)
    assert (d.low, d.high) == pytest.approx((0.7001, 2.4599), abs=1e-4)


def test_equal_differences_have_no_spread():
    assert metrics.paired_difference([2, 3], [1, 2]) == (1, 0, 1, 1)


def test_a_crossed_difference_knows_both_errors():
    """Its variance is unbiased: over many worlds, the mean of se² is the variance of the mean difference; and the interval covers."""
    worlds = np.random.default_rng(0)
    means, squares, covered = [], [], 0
    for _ in range(2000):
        d = 0.5 * worlds.normal(size=(8, 1)) + worlds.normal(size=6) + 0.7 * worlds.normal(size=(8, 6))
        found = metrics.crossed_difference(d, np.zeros((8, 6)))
        means.append(found.mean)
        squares.append(found.standard_error**2)
        covered += found.low < 0 < found.high
    truth = 0.25 / 8 + 1 / 6 + 0.49 / 48
    assert np.var(means) == pytest.approx(truth, rel=0.1)
    assert np.mean(squares) == pytest.approx(truth, rel=0.05)
    assert 0.93 < covered / 2000 < 0.99


@pytest.mark.parametrize(
    ("shape", "of_seeds", "of_parts"),
    [((10, 10), 0, 0), ((10, 10), 0, 1), ((10, 10), 1, 0), ((3, 10), 1, 1), ((10, 5), 0, 0), ((3, 3), 0, 0)],
)
def test_a_crossed_interval_covers_where_the_floor_acts_and_with_few_seeds(shape, of_seeds, of_parts):
    worlds = np.random.default_rng(1)
    covered = 0
    for _ in range(800):
        d = of_seeds * worlds.normal(size=(shape[0], 1)) + of_parts * worlds.normal(size=shape[1]) + worlds.normal(size=shape)
        found = metrics.crossed_difference(d, np.zeros(shape))
        covered += found.low < 0 < found.high
    assert covered / 800 > 0.927                  # 95 % less three standard errors of 800 worlds


def test_a_crossed_difference_is_not_below_that_of_seeds_or_parts_alone():
    d = np.array([[3.0, -3.0], [-3.0, 3.1]])      # nearly all is rest: without a floor the variance would be negative
    found = metrics.crossed_difference(d, np.zeros((2, 2)))
    alone = [metrics.paired_difference(means, [0, 0]).standard_error for means in (d.mean(axis=1), d.mean(axis=0))]
    assert found.standard_error == pytest.approx(max(alone), rel=1e-12)


def test_a_crossed_difference_without_noise_between_parts_is_that_of_the_seeds():
    d = np.repeat([[1.0], [2.0], [4.0]], 5, axis=1)
    found, paired = metrics.crossed_difference(d, np.zeros((3, 5))), metrics.paired_difference([1, 2, 4], [0, 0, 0])
    np.testing.assert_allclose(found, paired, rtol=1e-12)
    # The other way round it is that of the parts; with the same shape nothing says which are the seeds.
    np.testing.assert_allclose(metrics.crossed_difference(d.T, np.zeros((5, 3))), paired, rtol=1e-12)


def test_a_crossed_difference_by_hand():
    found = metrics.crossed_difference(np.array([[3.0, 1.0], [2.0, 4.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]), 0.9)
    # d = [[2, 1], [1, 3]]: means of rows 1.5, 2 and of columns 1.5, 2; the rest ± 0.75, so its variance is 4 · 0.75² = 2.25
    assert (found.mean, found.standard_error) == (1.75, 0.25)      # 1/16 + 1/16 − 2.25/4 < 1/16
    half = 0.25 * scipy.stats.t.ppf(0.95, 1)
    np.testing.assert_allclose(found[2:], [1.75 - half, 1.75 + half], rtol=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0], r"at least two of both, got \(2,\) and \(2,\)"),
        ([[1, 2]], [[1, 2]], r"got \(1, 2\) and \(1, 2\)"),
        ([[1, 2], [3, 4]], [[1, 2]], r"got \(2, 2\) and \(1, 2\)"),
        ([[1, np.nan], [3, 4]], [[1, 2], [np.inf, 4]], "finite results, got 2 NaN or infinite"),
        ([[1, np.nan], [3, 4]], [[1, 2], [3, 4]], "finite results, got 1 NaN or infinite"),
    ],
)
def test_what_is_not_crossed_is_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        metrics.crossed_difference(a, b)
    with pytest.raises(ValueError, match="confidence"):
        metrics.crossed_difference([[1, 2], [3, 4]], [[1, 2], [3, 5]], 1.0)


def test_right_or_wrong_can_be_paired_too():
    """By example instead of by seed: which of two classifiers was right."""
    assert metrics.paired_difference([True, True, False, True], [False, True, False, False]).mean == 0.5


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0], [1.0], r"at least two, got \(1,\) and \(1,\)"),
        ([1, 2], [1, 2, 3], r"got \(2,\) and \(3,\)"),
        ([[1, 2]], [[1, 2]], r"got \(1, 2\) and \(1, 2\)"),
        ([1, np.nan, 3], [np.inf, 1, 3], "finite results, got 2 NaN or infinite"),
        ([1, np.nan, 3], [1, 2, 3], "finite results, got 1 NaN or infinite"),
    ],
)
def test_what_is_not_paired_is_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        metrics.paired_difference(a, b)


@pytest.mark.parametrize("confidence", [0, 1, 95, np.nan])
def test_a_confidence_is_between_0_and_1(confidence):
    for name, interval in (("paired_difference", [[1, 2], [2, 1]]), ("accuracy_interval", [1, 2])):
        with pytest.raises(ValueError, match=rf"^{name} expects a confidence in \(0, 1\), got {confidence}"):
            getattr(metrics, name)(*interval, confidence)
