"""Accuracy against scikit-learn, and at the door."""

import numpy as np
import pytest
import sklearn.metrics

from nnlib.metrics import accuracy


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
    with pytest.raises(ValueError, match=f"labels from {range}"):
        accuracy(np.zeros((2, columns)), np.array([0, label]))


@pytest.mark.parametrize(
    ("logits", "labels", "shapes"),
    [
        (np.zeros(3), np.zeros(3), r"\(3,\) and \(3,\)"),
        (np.zeros((3, 2)), np.zeros(2), r"\(3, 2\) and \(2,\)"),
        (np.zeros((3, 2)), np.zeros((3, 2)), r"\(3, 2\) and \(3, 2\)"),
        (np.zeros((1, 2)), np.zeros((1, 3)), r"\(1, 2\) and \(1, 3\)"),
        (np.zeros((0, 2)), np.zeros(0), r"\(0, 2\) and \(0,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(logits, labels, shapes):
    with pytest.raises(
        ValueError,
        match=rf"accuracy expects logits \(batch, classes\) and labels \(batch,\) with batch ≥ 1, got {shapes}",
    ):
        accuracy(logits, labels)
