"""The exercises of lesson 7: judge a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np

from helpers.evaluation import Accuracy, Comparison
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@exercise(
    hints=(
        "The cell prints intervals for some numbers of pictures. Change 0.97 to 0.95 there.",
        "evaluation.Accuracy(round(0.95 * n), n).interval gives two ends; try some n.",
        "Between 500 pictures, where the interval is too wide, and 10,000. The width falls with "
        "the square root of n.",
    ),
    solution="""
answer = 100
while True:
    low, high = evaluation.Accuracy(round(0.95 * answer), answer).interval
    if high - low <= 0.02:
        break
    answer += 20
""",
)
def pictures_needed(answer: int) -> Verdict:
    """How many test pictures make the 95 % interval of an accuracy of 0.95 no wider than 0.02?"""
    if isinstance(answer, bool) or not np.isscalar(answer) or answer != int(answer) or answer < 1:  # type: ignore[arg-type]
        return wrong(f"Received: {answer!r}. Expected: a whole number of pictures.")
    low, high = Accuracy(round(0.95 * int(answer)), int(answer)).interval
    said = f"With {int(answer):,} pictures the interval is {low:.4f} to {high:.4f}, "
    least = next(total for total in count(1) if _width(total) <= 0.02)
    if abs(answer - least) <= 0.1 * least:
        return right(said + f"{high - low:.4f} wide. The least number that will do is {least:,}.")
    if 0.0375 <= high - low <= 0.0425:
        return wrong(said + "two points to each side. You want a width of 0.02, not of 0.04.")
    if high - low > 0.02:
        return wrong(said + f"{high - low:.3f} wide: too wide. Take more.")
    return wrong(said + f"only {high - low:.3f} wide: fewer will do.")


def _width(total: int) -> float:
    """How wide the interval of an accuracy of 0.95 is, by the number of pictures."""
    low, high = Accuracy(round(0.95 * total), total).interval
    return high - low


@exercise(
    hints=(
        "With arrays of True and False, `first & ~second` is True where only the first was right.",
        "The coins are the pictures on which just one was right: n is the sum of the two counts.",
        "Where the models never differ, n is 0: nothing was shown, and the p-value is 1.",
    ),
    solution="""
import scipy.stats

def paired(first_right, second_right):
    first_right, second_right = np.asarray(first_right), np.asarray(second_right)
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    differing = only_first + only_second
    p_value = scipy.stats.binomtest(only_first, differing).pvalue if differing else 1.0
    return only_first, only_second, p_value
""",
    answer_name="paired",
)
def paired(function: Callable[[Sequence[bool], Sequence[bool]], tuple[int, int, float]]) -> Verdict:
    """How many pictures did only one of two models get right, and could that be luck?"""
    for counts in ((40, 5, 24, 3), (10, 9, 1, 0), (7, 4, 4, 2), (20, 0, 6, 1), (9, 0, 0, 3)):
        first, second = _answers(*counts)
        try:
            received = call(function, first, second)
        except ValueError:
            if counts[1] or counts[2]:
                raise
            return wrong(
                "The two models never differ: there are no coins to throw, and `binomtest` "
                "refuses. Return a p-value of 1 there, for nothing was shown."
            )
        if not isinstance(received, (tuple, list, np.ndarray)) or len(received) != 3:
            return wrong(f"Received: {received!r}. Expected: three numbers.")
        if hasattr(received[2], "pvalue"):
            return wrong("The third is the whole result of the test. Expected: its `.pvalue`.")
        verdict = _judge_pair(counts, tuple(received))
        if verdict:
            return wrong(verdict)
    return right("The pictures on which both agree say nothing, and the coins do the rest.")


def _answers(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Two models' right and wrong, so many of each kind, in one mixed order."""
    kinds = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], (both, first, second, neither), axis=0)
    mixed = np.random.default_rng(0).permutation(kinds.astype(bool))
    return mixed[:, 0], mixed[:, 1]


def _judge_pair(counts: tuple[int, ...], received: Sequence[float]) -> str:
    """What is wrong with three numbers, if anything."""
    both, first, second, neither = counts
    truth = Comparison(first, second, sum(counts))
    said = (
        f"Of {sum(counts)} pictures, both were right on {both}, only the first on {first}, only "
        f"the second on {second}, neither on {neither}. You give {received[0]}, {received[1]}, "
        f"{received[2]:.3f}. "
    )
    if (received[0], received[1]) == (both + first, both + second) != (first, second):
        return said + "You counted all right answers of each. Which pictures tell the two apart?"
    if (received[0], received[1]) == (second, first) != (first, second):
        return said + "The two counts are the wrong way round."
    if (received[0], received[1]) != (first, second):
        return said + "Count the pictures on which one was right and the other was not."
    if np.isclose(received[2], truth.p_value):
        return ""
    from scipy.stats import binomtest

    if np.isclose(received[2], binomtest(first, sum(counts)).pvalue):
        return said + "You threw a coin for every picture, also for those on which both agree."
    if np.isclose(2 * received[2], truth.p_value):
        return said + "That is one side only: the split could be uneven either way."
    return said + f"The counts are right; the p-value is {truth.p_value:.3f}."


@choice(
    Option(
        "The models are equally good.",
        "Not shown either. That you cannot see a difference does not mean that there is none.",
    ),
    Option(
        "Nothing yet: compare them picture by picture.",
        "On the same pictures, most of what makes the intervals wide is common to both models: "
        "which pictures are hard. The paired comparison leaves that out.",
        is_right=True,
    ),
    Option(
        "The one with the higher accuracy is better, for the numbers differ.",
        "They would differ for two equal models, too, and as often as not in this direction.",
    ),
    Option(
        "This test set is too small; take a larger one.",
        "A larger one helps. But first use the one you have: pair by pair it tells more.",
    ),
)
def overlapping_intervals() -> None:
    """Two models saw the same test pictures, and their intervals overlap. What follows?"""


@choice(
    Option(
        "0.952: it was measured on the test set.",
        "You chose by that set. Of two numbers you took the better one, and with it its luck.",
    ),
    Option(
        "0.952 with its interval, which covers the luck.",
        "The interval covers the luck of which pictures came. It knows nothing of your choice.",
    ),
    Option(
        "0.946, the mean of the two.",
        "That is the accuracy of neither model, and half of it is still your choice.",
    ),
    Option(
        "0.940; the second model needs new pictures.",
        "The first number was measured before you chose by this set. The second model may "
        "well be better. Pictures that nobody has looked at can say so.",
        is_right=True,
    ),
)
def looked_twice() -> None:
    """On the test set you find 0.940. You change the augmentation, look again: 0.952.

    Which number do you report?
    """


@exercise(
    hints=(
        "Precision asks about those for which it opened; recall about the cats.",
        "It opened 171 + 5 times. 180 cats came.",
    ),
    solution="answer = (171 / 176, 171 / 180)",
)
def cat_flap(answer: tuple[float, float]) -> Verdict:
    """Precision and recall of 'cat' for a flap that opened for 171 of 180 cats, 5 of 20 dogs."""
    precision, recall = answer
    truth = 171 / 176, 171 / 180
    if np.allclose(answer, truth, atol=2e-3):
        return right("171 of the 176 that came in were cats; 171 of the 180 cats came in.")
    if np.allclose(answer, truth[::-1], atol=2e-3):
        return wrong("Both numbers are right, the wrong way round. Which one asks about the cats?")
    if max(precision, recall) > 1:
        return wrong(f"Received: {answer}. Expected: two shares from 0 to 1.")
    if np.isclose(precision, 186 / 200, atol=2e-3) or np.isclose(recall, 186 / 200, atol=2e-3):
        return wrong("186 of 200 is the accuracy: it counts the dogs that stayed outside, too.")
    if np.isclose(recall, truth[1], atol=2e-3):
        return wrong("The recall is right. For precision: how often did the flap open in all?")
    if np.isclose(precision, truth[0], atol=2e-3):
        return wrong("The precision is right. For recall: how many cats came in all?")
    return wrong(f"Received: {answer}. Draw the four counts as a confusion matrix first.")


@exercise(
    hints=(
        "Only the pictures of class 1 matter: `probability[labels == 1]`.",
        "Sort those. How many of the highest must lie at or above the threshold?",
        "`np.ceil(recall * n)` of them; the threshold is the last one's probability. A product "
        "such as 0.07 * 100 may come out a little too high: round it first.",
    ),
    solution="""
def threshold_for(probability, labels, recall):
    found = np.sort(probability[labels == 1])[::-1]
    needed = int(np.ceil(np.round(recall * len(found), 9)))
    return found[max(needed, 1) - 1]
""",
    answer_name="threshold_for",
)
def threshold_for(function: Callable[[np.ndarray, np.ndarray, float], float]) -> Verdict:
    """The highest threshold at which at least a given share of class 1 is found."""
    random = np.random.default_rng(0)
    for number, recall in ((40, 0.9), (40, 1.0), (100, 0.5), (7, 0.8), (200, 0.99)):
        labels = random.permutation(np.repeat([0, 1], [number, number]))
        probability = random.beta(2 + 2 * labels, 4 - 2 * labels).round(4)
        received = call(function, probability.copy(), labels.copy(), recall)
        if received is None or np.ndim(received):
            return wrong(f"Received: {received!r}. Expected: one number.")
        if verdict := _judge_threshold(probability, labels, recall, float(received)):
            return wrong(verdict)
    return right("Any higher, and too few would be found; any lower, and precision is given away.")


def _judge_threshold(probability: np.ndarray, labels: np.ndarray, recall: float, at: float) -> str:
    """What is wrong with a threshold, if anything."""
    ones = np.sort(probability[labels == 1])
    share = np.mean(ones >= at)
    said = f"For a recall of {recall} you give {at:.4f}, which finds {share:.3f} of class 1. "
    if np.isclose(at, np.sort(probability)[::-1][round(recall * len(labels)) - 1]):
        return said + "You sorted the pictures of both classes. Recall asks about class 1 only."
    if share < recall - 1e-9:
        return said + "Too few: take it lower."
    higher = ones[ones > at + 1e-9]
    if higher.size and np.mean(ones >= higher[0]) >= recall - 1e-9:
        return said + "That is enough, but a higher threshold would do, too."
    if not np.isclose(at, ones[ones >= at - 1e-9][0]):
        return said + "A little higher would find the same pictures."
    return ""


@choice(
    Option(
        "Which class is predicted.",
        "All logits are divided by the same positive number: the largest stays the largest, and "
        "what is above 0 stays above 0.",
    ),
    Option(
        "How sure the model says it is.",
        "Only that. Divided by more than 1, logits come closer to 0 and probabilities to each "
        "other.",
        is_right=True,
    ),
    Option(
        "The area under the ROC curve.",
        "With one logit the order of the pictures stays, so the curve stays.",
    ),
    Option(
        "The weights of the network.",
        "Nothing is trained but the one number. It could be written into the last layer, though.",
    ),
)
def what_temperature_changes() -> None:
    """What does dividing all logits by one positive temperature change?"""
