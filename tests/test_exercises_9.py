"""The exercises of lesson 9: solutions pass, plausible wrong answers are explained."""

import numpy as np
from answers import Answers

from helpers.exercises import lesson_9

NAMES = {"np": np}
TURNS = """
def upright(pixels, orientation):
    return {}
"""
COUNT = """
def pictures_for(counts, accuracies, target):
    errors = 1 - np.asarray(accuracies)
    {}
"""
KEEPING = """
def threshold_keeping(confidence, share):
    return {}
"""


WRONG = [
    (lesson_9.upright, TURNS.format("pixels"), "as they are stored"),
    (
        lesson_9.upright,
        TURNS.format("np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])"),
        "the other way round",
    ),
    (
        lesson_9.upright,
        TURNS.format(
            "{1: pixels, 3: pixels[::-1], 6: np.rot90(pixels, 3), 8: np.rot90(pixels)}[orientation]"
        ),
        "mirrored",
    ),
    (
        lesson_9.upright,
        TURNS.format("pixels if orientation in (1, 3) else pixels.transpose(1, 0, 2)"),
        "as they are stored",
    ),
    (
        lesson_9.upright,
        TURNS.format(
            "{1: pixels, 3: np.rot90(pixels, 2), 6: pixels, 8: pixels}[orientation].reshape("
            "pixels.shape if orientation < 5 else (6, 4, 3))"
        ),
        "not where they belong",
    ),
    (lesson_9.upright, TURNS.format("1"), "Expected: an array"),
    (
        lesson_9.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(counts, accuracies, 1); "
            "return int(np.ceil((target - start) / slope))"
        ),
        "straight line through the accuracies",
    ),
    (
        lesson_9.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(accuracies), 1); "
            "return int(np.ceil(np.exp((np.log(target) - start) / slope)))"
        ),
        "It is the errors that fall",
    ),
    (
        lesson_9.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(errors), 1); "
            "return int(np.exp((np.log(1 - target) - start) / slope))"
        ),
        "round up",
    ),
    (
        lesson_9.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(errors), 1); "
            "return round(np.exp((np.log(1 - target) - start) / slope))"
        ),
        "The line says 80.17: round up",
    ),
    (
        lesson_9.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(errors), 1); "
            "return int(np.ceil(np.exp((np.log(target) - start) / slope)))"
        ),
        "The line says",
    ),
    (lesson_9.pictures_for, COUNT.format("return errors"), "Expected: a whole number"),
    (lesson_9.threshold_keeping, KEEPING.format("share"), "Too few|would keep enough"),
    (lesson_9.threshold_keeping, KEEPING.format("np.quantile(confidence, share)"), "Turn it round"),
    (lesson_9.threshold_keeping, KEEPING.format("confidence.min()"), "would keep enough"),
    (
        lesson_9.threshold_keeping,
        KEEPING.format("np.sort(confidence)[int(len(confidence) * (1 - share)) + 1]"),
        "Too few: take it lower",
    ),
    (lesson_9.threshold_keeping, KEEPING.format("confidence"), "Expected: one number"),
]


class TestAnswers(Answers):
    lesson = 9
    names = NAMES
    wrong = WRONG


def test_scikit_learns_threshold_is_right():
    from sklearn.metrics import precision_recall_curve

    def threshold_keeping(confidence, share):
        known = np.ones(len(confidence), int)
        _, kept, thresholds = precision_recall_curve(known, confidence)
        return thresholds[kept[:-1] >= share - 1e-9].max()

    assert lesson_9.threshold_keeping.check(threshold_keeping).state == "right"
