"""A share of right answers, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass


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
