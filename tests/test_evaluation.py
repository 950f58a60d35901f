"""Accuracy against scikit-learn, its interval against Wilson's formula."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from helpers import evaluation


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_of_one_logit_equals_scikit_learns(seed):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=(97, 1)), random.integers(0, 2, 97)
    expected = accuracy_score(labels, logits[:, 0] > 0)
    assert evaluation.accuracy(logits, labels).value == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_of_many_logits_equals_scikit_learns(seed):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=(97, 5)), random.integers(0, 5, 97)
    expected = accuracy_score(labels, logits.argmax(axis=1))
    assert evaluation.accuracy(logits, labels).value == pytest.approx(expected)


@pytest.mark.parametrize(("correct", "total"), [(490, 500), (0, 10), (10, 10), (1, 2)])
def test_interval_is_wilsons(correct, total):
    z, share = 1.959963984540054, correct / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    root = math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    half = z / (1 + z**2 / total) * root
    low, high = evaluation.Accuracy(correct, total).interval
    assert low == pytest.approx(middle - half, abs=1e-9)
    assert high == pytest.approx(middle + half, abs=1e-9)


def test_repr_gives_value_interval_and_counts():
    assert repr(evaluation.Accuracy(490, 500)) == "0.980 (0.964 to 0.989; 490 of 500)"


@pytest.mark.parametrize(("correct", "total"), [(3, 2), (-1, 5), (0, 0)])
def test_impossible_counts_are_refused(correct, total):
    with pytest.raises(ValueError, match="Received: "):
        evaluation.Accuracy(correct, total)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"logits of shape \(4,\)"):
        evaluation.accuracy(np.zeros(4), np.zeros(4))
    with pytest.raises(ValueError, match=r"4 rows of logits and labels of shape \(3,\)"):
        evaluation.accuracy(np.zeros((4, 1)), np.zeros(3))
