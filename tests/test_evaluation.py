"""Metrics against scikit-learn, SciPy and Keras, intervals against Wilson's formula."""

import math

import keras
import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
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


# Two models on the same pictures


@pytest.mark.parametrize("seed", range(5))
def test_paired_comparison_equals_the_binomial_sum(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 80)
    first, second = random.normal(size=(80, 1)), random.normal(size=(80, 1))
    found = evaluation.compare(first, second, labels)
    one, other = (first[:, 0] > 0) == labels, (second[:, 0] > 0) == labels
    assert found.difference == pytest.approx(other.mean() - one.mean())
    differing, least = (one != other).sum(), min((one & ~other).sum(), (other & ~one).sum())
    tail = sum(math.comb(differing, k) for k in range(least + 1)) / 2.0**differing
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))


def test_models_that_agree_show_no_difference():
    logits, labels = np.array([[1.0], [-1.0]]), np.array([1, 1])
    found = evaluation.compare(logits, logits, labels)
    assert (found.only_first, found.only_second, found.p_value, found.difference) == (0, 0, 1.0, 0)


def test_the_interval_of_a_difference_is_that_of_another_program():
    # The example of `ci.prop.ps` in the R package statpsych: 48 pairs, 4 and 26 of which differ.
    found = evaluation.Comparison(only_first=4, only_second=26, total=48)
    np.testing.assert_allclose(found.interval, (0.2548067, 0.6251933), atol=1e-7)


def test_the_interval_of_a_difference_against_the_bootstrap():
    """Of many pictures, where both hold."""
    differences = np.repeat([-1, 0, 1], [60, 1800, 140])
    drawn = bootstrap((differences,), np.mean, method="percentile", rng=np.random.default_rng(0))
    found = evaluation.Comparison(only_first=60, only_second=140, total=2000)
    np.testing.assert_allclose(found.interval, drawn.confidence_interval, atol=1e-3)


def test_models_that_never_differ_are_not_shown_to_be_equal():
    low, high = evaluation.Comparison(only_first=0, only_second=0, total=500).interval
    assert low == -high
    assert 0.004 < high < 0.008  # about 3 / 500


def test_comparison_needs_the_same_pictures():
    with pytest.raises(ValueError, match="Received: 3 rows"):
        evaluation.compare(np.zeros((2, 1)), np.zeros((3, 1)), np.zeros(2))


# Probabilities


@pytest.mark.parametrize("classes", [1, 2, 7])
def test_probabilities_equal_keras(classes):
    logits = np.random.default_rng(0).normal(scale=8, size=(50, classes))
    found = evaluation.probabilities(logits)
    if classes == 1:
        expected = np.asarray(keras.ops.sigmoid(logits))
        expected = np.concatenate([1 - expected, expected], axis=1)
    else:
        expected = np.asarray(keras.ops.softmax(logits, axis=1))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert evaluation.probabilities(np.array([[1000.0]])).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("seed", range(5))
def test_calibration_error_equals_scikit_learns_curve(seed):
    random = np.random.default_rng(seed)
    probability = evaluation.probabilities(random.normal(scale=3, size=(300, 3)))
    labels = random.integers(0, 3, 300)
    confidence, right = probability.max(axis=1), probability.argmax(axis=1) == labels
    shares, means = calibration_curve(right, confidence, n_bins=10)
    counts = np.histogram(confidence, bins=np.linspace(0, 1, 11))[0]
    expected = (np.abs(shares - means) * counts[counts > 0]).sum() / 300
    assert evaluation.calibration_error(probability, labels) == pytest.approx(expected)


def test_a_sure_and_right_model_is_calibrated():
    assert evaluation.calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0.0


class Identity(ClassifierMixin, BaseEstimator):
    """A classifier whose decision function is its input: logits."""

    def fit(self, logits, labels):
        self.classes_ = np.unique(labels)
        return self

    def decision_function(self, logits):
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def predict(self, logits):
        return evaluation.predicted_classes(logits)


@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_temperature_equals_scikit_learns(classes, seed):
    random = np.random.default_rng(seed)
    logits = random.normal(scale=4, size=(400, classes))
    sampled = evaluation.probabilities(logits / 2.5)
    labels = np.array([random.choice(len(row), p=row) for row in sampled])
    temperature = evaluation.fit_temperature(logits, labels)
    fitted = FrozenEstimator(Identity().fit(logits, labels))
    oracle = CalibratedClassifierCV(fitted, method="temperature").fit(logits, labels)
    found = evaluation.probabilities(logits / temperature)
    np.testing.assert_allclose(found, oracle.predict_proba(logits), atol=2e-3)
    assert 1.8 < temperature < 3.5


def test_the_calibration_error_by_luck_is_what_95_of_100_honest_models_stay_below():
    random = np.random.default_rng(1)
    probability = random.dirichlet((0.4, 0.4, 0.4), 400)
    luck = evaluation.calibration_error_by_luck(probability)
    errors = []
    for _ in range(300):
        labels = np.array([random.choice(3, p=row) for row in probability[:100]])
        errors.append(evaluation.calibration_error(probability[:100], labels))
    few = evaluation.calibration_error_by_luck(probability[:100])
    assert np.mean(np.array(errors) <= few) == pytest.approx(0.95, abs=0.03)
    assert luck < few


def test_confident_mistakes_come_first():
    logits = np.array([[3.0], [-1.0], [0.5], [-4.0], [2.0]])
    labels = np.array([0, 1, 1, 0, 0])
    assert evaluation.confident_mistakes(logits, labels).tolist() == [0, 4, 1]
