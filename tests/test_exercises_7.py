"""The exercises of lesson 7: solutions pass, plausible wrong answers are explained."""

import numpy as np
from answers import Answers
from scipy.stats import binomtest

from helpers import evaluation
from helpers.exercises import lesson_7

NAMES = {"np": np, "binomtest": binomtest, "evaluation": evaluation}
PAIRED = """
def paired(first, second):
    both = {both}
    return {counts}, {p_value}
"""
THRESHOLD = """
def threshold_for(probability, labels, recall):
    return {}
"""
COUNTS = "int((first & ~second).sum()), int((second & ~first).sum())"


def pair(
    counts=COUNTS,
    p_value="binomtest(int((first & ~second).sum()), int((first != second).sum())).pvalue",
):
    return PAIRED.format(both="(first & second).sum()", counts=counts, p_value=p_value)


WRONG = [
    (lesson_7.pictures_needed, "answer = 500", "two points to each side"),
    (lesson_7.pictures_needed, "answer = 1000", "too wide. Take more"),
    (lesson_7.pictures_needed, "answer = 50_000", "fewer will do"),
    (lesson_7.pictures_needed, "answer = 0.5", "Expected: a whole number"),
    (
        lesson_7.paired,
        pair(counts="int(first.sum()), int(second.sum())"),
        "You counted all right answers",
    ),
    (
        lesson_7.paired,
        pair(counts="int((second & ~first).sum()), int((first & ~second).sum())"),
        "the wrong way round",
    ),
    (
        lesson_7.paired,
        pair(p_value="binomtest(int((first & ~second).sum()), len(first)).pvalue"),
        "a coin for every picture",
    ),
    (
        lesson_7.paired,
        pair(
            p_value="binomtest(int((first & ~second).sum()), int((first != second).sum()), "
            "alternative='less').pvalue"
        ),
        "one side only",
    ),
    (lesson_7.paired, pair(), "never differ: there are no coins"),
    (
        lesson_7.paired,
        pair(
            p_value="binomtest(int((first & ~second).sum()), max(1, int((first != second).sum())))"
        ),
        r"Expected: its `\.pvalue`",
    ),
    (lesson_7.paired, pair(counts="int((first != second).sum()), 0"), "Count the pictures on"),
    (lesson_7.paired, "def paired(first, second):\n    return 1", "Expected: three numbers"),
    (lesson_7.cat_flap, "answer = (171 / 180, 171 / 176)", "the wrong way round"),
    (lesson_7.cat_flap, "answer = (186 / 200, 171 / 180)", "is the accuracy"),
    (lesson_7.cat_flap, "answer = (171 / 200, 171 / 180)", "how often did the flap open"),
    (lesson_7.cat_flap, "answer = (171 / 176, 171 / 200)", "how many cats came"),
    (lesson_7.cat_flap, "answer = (97, 95)", "from 0 to 1"),
    (
        lesson_7.threshold_for,
        THRESHOLD.format("np.sort(probability)[::-1][round(recall * len(labels)) - 1]"),
        "both classes",
    ),
    (lesson_7.threshold_for, THRESHOLD.format("recall"), "Too few: take it lower"),
    (lesson_7.threshold_for, THRESHOLD.format("0.0"), "a higher threshold would do"),
    (
        lesson_7.threshold_for,
        THRESHOLD.format(
            "np.sort(probability[labels == 1])[::-1]"
            "[int(np.ceil(np.round(recall * (labels == 1).sum(), 9))) - 1] - 1e-4"
        ),
        "A little higher|a higher threshold",
    ),
    (
        lesson_7.threshold_for,
        THRESHOLD.format("np.quantile(probability[labels == 1], 1 - recall)"),
        "Too few|A little higher|a higher threshold",
    ),
    (lesson_7.threshold_for, THRESHOLD.format("probability[labels == 1]"), "one number"),
]


ALSO_RIGHT = [
    (lesson_7.pictures_needed, f"answer = {number}") for number in (1650, 1829, 2000, 2010)
]


class TestAnswers(Answers):
    lesson = 7
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT


def test_scikit_learns_threshold_is_right():
    from sklearn.metrics import precision_recall_curve

    def threshold_for(probability, labels, recall):
        _, found, thresholds = precision_recall_curve(labels, probability)
        return thresholds[found[:-1] >= recall - 1e-9].max()

    assert lesson_7.threshold_for.check(threshold_for).state == "right"
