"""Accuracy, always with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Accuracy:
    """A share of right answers with its 95 % interval (Wilson's)."""

    correct: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.total or self.total < 1:
            raise ValueError(
                f"Received: {self.correct} right answers of {self.total}. "
                f"Expected: at least one answer, and no more right ones than there are."
            )

    @property
    def value(self) -> float:
        """The share of right answers, 0 to 1."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval.

        Source: Wilson (1927), 'Probable inference, the law of succession, and statistical
        inference'; computed by SciPy.
        """
        from scipy.stats import binomtest

        found = binomtest(self.correct, self.total).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    def __repr__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} ({low:.3f} to {high:.3f}; {self.correct} of {self.total})"


def predicted_classes(logits: np.ndarray) -> np.ndarray:
    """The class that each row of logits names.

    Args:
        logits: `(n, 1)` for two classes (above 0 means class 1), or `(n, classes)`.

    Returns:
        int array `(n,)`.
    """
    logits = np.asarray(logits)
    if logits.ndim != 2:
        raise ValueError(
            f"Received: logits of shape {logits.shape}. Expected: (n, 1) or (n, classes)."
        )
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).astype(int)
    return logits.argmax(axis=1)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> Accuracy:
    """The accuracy of logits, `(n, 1)` or `(n, classes)`, against integer labels, `(n,)`.

    Raises:
        ValueError: where there are not as many labels as rows of logits.
    """
    labels = np.asarray(labels)
    named = predicted_classes(logits)
    if labels.shape != named.shape:
        raise ValueError(
            f"Received: {len(named)} rows of logits and labels of shape {labels.shape}. "
            f"Expected: one label a row."
        )
    return Accuracy(int((named == labels).sum()), len(labels))
