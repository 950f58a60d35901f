"""What recipes.py and transfer.py share: a line a result, and two models pair by pair.

Two models are compared on the same test pictures, seed by seed. A difference is claimed only where
the 95 % interval of the paired difference leaves out 0. Seeds are not pooled: the same pictures
scored three times are not three times as many pictures.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers import evaluation
from helpers.files import write_whole

FOLDER = Path(__file__).parent
PAIRS_HEADER = (
    "first", "second", "seed", "first_right", "second_right", "only_first", "only_second", "total",
    "difference", "low", "high", "p",
)  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """A model's logits for the test pictures, `(n, 1)`, and their labels, `(n,)`."""

    logits: np.ndarray
    labels: np.ndarray

    @property
    def accuracy(self) -> evaluation.Accuracy:
        """The share of right answers."""
        return evaluation.accuracy(self.logits, self.labels)


# A result's name, what was found, and what else its row holds: a unit, or seconds.
Results = Iterator[tuple[str, Any, Any]]


def measure(
    measurements: Iterable[Callable[[int], Results]],
    seeds: Iterable[int],
    table: Path,
    columns: Callable[[Any, Any], Sequence[Any]],
    pairs: Sequence[tuple[str, str]],
) -> None:
    """Measure seed by seed, and write each result down at once.

    Args:
        measurements: each takes a seed and yields its results.
        seeds: of which each is measured in full before the next.
        table: the CSV file. The pairs go to `pairs.csv` beside it.
        columns: of a result, what stands behind its name and seed.
        pairs: names of two results with `Answers`, to be compared where both were measured.
    """
    for seed in seeds:
        answers: dict[str, Answers] = {}
        for measurement in measurements:
            for name, found, more in measurement(seed):
                if isinstance(found, Answers):
                    answers[name], found = found, found.accuracy
                said = found if isinstance(found, evaluation.Accuracy) else f"{found:.3f}"
                after = f"{more:.0f} s" if isinstance(more, float) else more
                print(f"seed {seed}, {name}: {said} {after}".rstrip(), flush=True)
                record(table, [name, seed], columns(found, more))
        for first, second in pairs:
            if first in answers and second in answers:
                compare(first, second, seed, answers, table.with_name("pairs.csv"))


def compare(first: str, second: str, seed: int, answers: dict[str, Answers], table: Path) -> None:
    """Write down how two models differ on the same pictures."""
    one, other = answers[first], answers[second]
    np.testing.assert_array_equal(one.labels, other.labels)
    pair = evaluation.compare(one.logits, other.logits, one.labels)
    low, high = pair.interval
    print(f"seed {seed}, {first} / {second}: {pair}, {low:+.4f} to {high:+.4f}", flush=True)
    if not table.exists():
        record(table, PAIRS_HEADER[:3], PAIRS_HEADER[3:])
    counts = one.accuracy.correct, other.accuracy.correct, *astuple(pair)
    rounded = [f"{number:.4f}" for number in (pair.difference, low, high)]
    record(table, [first, second, seed], [*counts, *rounded, f"{pair.p_value:.2g}"])


def record(table: Path, key: Sequence[Any], values: Sequence[Any]) -> None:
    """Write a row of a CSV file, in place of one with the same key from an earlier run."""
    row = [str(value) for value in (*key, *values)]
    rows = []
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            rows = [old for old in csv.reader(file) if old[: len(key)] != row[: len(key)]]
    text = io.StringIO()
    csv.writer(text).writerows([*rows, row])
    write_whole(table, text.getvalue())
