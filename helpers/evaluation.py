"""Accuracy, always with its interval; two models compared; how far a probability can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.preflight.accuracy import Accuracy


def predicted_classes(logits: np.ndarray, from_logits: bool = True) -> np.ndarray:
    """The class that each row predicts.

    Args:
        logits: `(n, 1)` for two classes (above 0 means class 1), or `(n, classes)`.
        from_logits: False where they are probabilities: then above 0.5 means class 1.

    Returns:
        int array `(n,)`.
    """
    logits = np.asarray(logits)
    if logits.ndim != 2:
        raise ValueError(
            f"Received: logits of shape {logits.shape}. Expected: (n, 1) or (n, classes)."
        )
    if logits.shape[1] == 1:
        return (logits[:, 0] > (0 if from_logits else 0.5)).astype(int)
    return logits.argmax(axis=1)


def accuracy(logits: np.ndarray, labels: np.ndarray, from_logits: bool = True) -> Accuracy:
    """The accuracy of logits, `(n, 1)` or `(n, classes)`, against integer labels, `(n,)`.

    Of probabilities, with `from_logits=False`.

    Raises:
        ValueError: where there are not as many labels as rows of logits.
    """
    labels = np.asarray(labels)
    predicted = predicted_classes(logits, from_logits)
    if labels.shape != predicted.shape:
        raise ValueError(
            f"Received: {len(predicted)} rows of logits and labels of shape {labels.shape}. "
            f"Expected: one label a row."
        )
    return Accuracy(int((predicted == labels).sum()), len(labels))


@dataclass(frozen=True)
class Comparison:
    """Two models on the same pictures; those on which both agree say nothing about a difference.

    Attributes:
        only_first, only_second: pictures that only this model predicted rightly.
        total: all pictures.
    """

    only_first: int
    only_second: int
    total: int

    @property
    def difference(self) -> float:
        """The second model's accuracy less the first one's, -1 to 1."""
        return (self.only_second - self.only_first) / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference.

        It is wider than nothing also where the two models never differ: n pictures cannot rule out
        a difference of about 3 / n.

        Source: Bonett and Price (2012), 'Adjusted Wald Confidence Interval for a Difference of
        Binomial Proportions Based on Paired Data', Journal of Educational and Behavioral
        Statistics 37.
        """
        from scipy.stats import norm

        total = self.total + 2
        first, second = (self.only_first + 1) / total, (self.only_second + 1) / total
        error = np.sqrt((first + second - (first - second) ** 2) / total)
        reach = norm.ppf(0.975) * error
        low, high = second - first - reach, second - first + reach
        return float(max(low, -1.0)), float(min(high, 1.0))

    @property
    def p_value(self) -> float:
        """How probable a split at least so uneven would be, were both models equally good.

        Source: McNemar (1947), 'Note on the sampling error of the difference between correlated
        proportions or percentages', in its exact form: a coin thrown once for each picture on
        which just one model is right; computed by SciPy.
        """
        from scipy.stats import binomtest

        differing = self.only_first + self.only_second
        return float(binomtest(self.only_second, differing).pvalue) if differing else 1.0

    def __repr__(self) -> str:
        p = f"p = {self.p_value:.3f}" if self.p_value >= 0.001 else "p < 0.001"
        return (
            f"only the first is right: {self.only_first}, only the second: {self.only_second}, "
            f"of {self.total}; difference {self.difference:+.3f}, {p}"
        )


def compare(first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> Comparison:
    """Compare two models by their logits for the same pictures, `(n, 1)` or `(n, classes)` each.

    Raises:
        ValueError: where there are not as many labels as rows of logits.
    """
    accuracy(first, labels), accuracy(second, labels)  # for their checks
    one = predicted_classes(first) == np.asarray(labels)
    other = predicted_classes(second) == np.asarray(labels)
    return Comparison(int((one & ~other).sum()), int((other & ~one).sum()), len(one))


def probabilities(logits: np.ndarray, from_logits: bool = True) -> np.ndarray:
    """The probability of each class, `(n, classes)`: sigmoid of `(n, 1)` logits, else softmax.

    What are probabilities already, with `from_logits=False`, stay; of `(n, 1)`, which are those of
    class 1, those of class 0 come in front.
    """
    from scipy.special import expit, softmax

    logits = np.asarray(logits, dtype="float64")
    if not from_logits:
        return np.concatenate([1 - logits, logits], axis=1) if logits.shape[1] == 1 else logits
    if logits.ndim == 2 and logits.shape[1] == 1:
        return np.concatenate([expit(-logits), expit(logits)], axis=1)
    return softmax(logits, axis=1)


def calibration_error(probability: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """How far, on average, a predicted class's probability is from the share of right answers.

    The pictures are sorted into bins of equal width by the probability of the predicted class.

    Args:
        probability: `(n, classes)`.
        labels: int `(n,)`.
        bins: how many.

    Returns:
        The expected calibration error, 0 to 1. Source: Guo and others (2017), 'On Calibration of
        Modern Neural Networks'.
    """
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == np.asarray(labels)
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def calibration_error_by_luck(probability: np.ndarray, seed: int = 0) -> float:
    """The calibration error below which 95 % stay of models that are as sure as they are right.

    Labels are drawn 500 times by the probabilities themselves. What error is left is luck, and it
    is the larger the fewer pictures there are.

    Args:
        probability: `(n, classes)`.
        seed: of the draws.

    Returns:
        0 to 1. Source: Bröcker and Smith (2007), 'Increasing the Reliability of Reliability
        Diagrams', Weather and Forecasting 22.
    """
    generator = np.random.default_rng(seed)
    up_to = probability.cumsum(axis=1)[:, :-1]
    errors = []
    for _ in range(500):
        labels = (generator.random((len(probability), 1)) > up_to).sum(axis=1)
        errors.append(calibration_error(probability, labels))
    return float(np.quantile(errors, 0.95))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The number by which to divide logits so that their probabilities fit these labels best.

    Above 1, the model was too sure of itself. The predicted class stays the same.

    Args:
        logits: `(n, 1)` or `(n, classes)`, of pictures that were not trained on.
        labels: int `(n,)`.

    Returns:
        The temperature with the lowest cross-entropy, 0.01 to 100. Source: Guo and others (2017).
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def cross_entropy(log_temperature: float) -> float:
        found = probabilities(np.asarray(logits) / np.exp(log_temperature))[rows, labels]
        return -float(np.log(np.maximum(found, 1e-300)).mean())

    bounds = np.log(0.01), np.log(100)
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))


def confident_mistakes(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rows that were predicted wrongly, those of the highest probability first."""
    confidence = probabilities(logits).max(axis=1)
    wrong = np.flatnonzero(predicted_classes(logits) != np.asarray(labels))
    return wrong[np.argsort(-confidence[wrong], kind="stable")]
