"""The exercises of lesson 7: solutions pass, plausible wrong answers are explained."""

import numpy as np
from answers import Answers
from sklearn.linear_model import LogisticRegression

from helpers.exercises import lesson_7

NAMES = {"np": np, "LogisticRegression": LogisticRegression}
TURNS = """
def upright(pixels, orientation):
    return {}
"""
WEIGHTS = """
def class_weights(targets):
    found, counts = np.unique(targets, return_counts=True)
    return {}
"""
SPLIT = """
def split_bursts(bursts, test_share, seed):
    random = np.random.default_rng(seed)
    {}
"""
COUNT = """
def pictures_for(counts, accuracies, target):
    errors = 1 - np.asarray(accuracies)
    {}
"""
LOSS = """
def out_of_fold_loss(inputs, targets, folds):
    loss = np.full(len(targets), np.nan)
    for fold in {folds}:
        others, held = {others}, np.flatnonzero(folds == fold)
        head = LogisticRegression(C=0.01, max_iter=1000).fit(inputs[others], targets[others])
        probability = head.predict_proba(inputs[held])
        loss[held] = {loss}
    return loss
"""
OWN = "-np.log(probability[np.arange(len(held)), targets[held]])"
KEEPING = """
def threshold_keeping(confidence, share):
    return {}
"""


def loss(folds="np.unique(folds)", others="folds != fold", loss=OWN):
    return LOSS.format(folds=folds, others=others, loss=loss)


WRONG = [
    (lesson_7.upright, TURNS.format("pixels"), "as they are stored"),
    (
        lesson_7.upright,
        TURNS.format("np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])"),
        "the other way round",
    ),
    (
        lesson_7.upright,
        TURNS.format(
            "{1: pixels, 3: pixels[::-1], 6: np.rot90(pixels, 3), 8: np.rot90(pixels)}[orientation]"
        ),
        "mirrored",
    ),
    (
        lesson_7.upright,
        TURNS.format("pixels if orientation in (1, 3) else pixels.transpose(1, 0, 2)"),
        "as they are stored",
    ),
    (
        lesson_7.upright,
        TURNS.format(
            "{1: pixels, 3: np.rot90(pixels, 2), 6: pixels, 8: pixels}[orientation].reshape("
            "pixels.shape if orientation < 5 else (6, 4, 3))"
        ),
        "not where they belong",
    ),
    (lesson_7.upright, TURNS.format("1"), "Expected: an array"),
    (
        lesson_7.class_weights,
        WEIGHTS.format("dict(zip(found.tolist(), (counts / len(targets)).tolist()))"),
        "count even more",
    ),
    (
        lesson_7.class_weights,
        WEIGHTS.format("dict(zip(found.tolist(), (1 / counts).tolist()))"),
        "learning rate in disguise",
    ),
    (
        lesson_7.class_weights,
        WEIGHTS.format("dict(zip(found.tolist(), (counts.max() - counts + 1.0).tolist()))"),
        "should be the same for each",
    ),
    (lesson_7.class_weights, WEIGHTS.format("(1 / counts)"), "Expected: a dictionary"),
    (
        lesson_7.split_bursts,
        SPLIT.format(
            "order = random.permutation(len(bursts)); cut = round(test_share * len(bursts)); "
            "return order[cut:], order[:cut]"
        ),
        "lie on both sides",
    ),
    (
        lesson_7.split_bursts,
        SPLIT.format(
            "chosen = np.unique(bursts)[:15]; inside = np.isin(bursts, chosen); "
            "return np.flatnonzero(~inside), np.flatnonzero(inside)"
        ),
        "Two seeds gave the same split",
    ),
    (
        lesson_7.split_bursts,
        SPLIT.format(
            "chosen = random.permutation(np.unique(bursts))[:45]; "
            "inside = np.isin(bursts, chosen); "
            "return np.flatnonzero(~inside), np.flatnonzero(inside)"
        ),
        "You were asked for about 0.25",
    ),
    (
        lesson_7.split_bursts,
        SPLIT.format("inside = bursts % 4 == seed; return ~inside, inside"),
        "each row of",
    ),
    (lesson_7.split_bursts, SPLIT.format("return bursts"), "two arrays of rows"),
    (
        lesson_7.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(counts, accuracies, 1); "
            "return int(np.ceil((target - start) / slope))"
        ),
        "straight line through the accuracies",
    ),
    (
        lesson_7.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(accuracies), 1); "
            "return int(np.ceil(np.exp((np.log(target) - start) / slope)))"
        ),
        "It is the errors that fall",
    ),
    (
        lesson_7.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(errors), 1); "
            "return int(np.exp((np.log(1 - target) - start) / slope))"
        ),
        "round up",
    ),
    (
        lesson_7.pictures_for,
        COUNT.format(
            "slope, start = np.polyfit(np.log(counts), np.log(errors), 1); "
            "return int(np.ceil(np.exp((np.log(target) - start) / slope)))"
        ),
        "The line says",
    ),
    (lesson_7.pictures_for, COUNT.format("return errors"), "Expected: a whole number"),
    (lesson_7.out_of_fold_loss, loss(others="folds >= 0"), "Leave its fold out"),
    (lesson_7.out_of_fold_loss, loss(others="folds == fold"), "The wrong way round"),
    (lesson_7.out_of_fold_loss, loss(loss=OWN[1:]), "The sign is wrong"),
    (
        lesson_7.out_of_fold_loss,
        loss(loss="probability[np.arange(len(held)), targets[held]]"),
        "That is the probability",
    ),
    (lesson_7.out_of_fold_loss, loss(loss="-np.log(probability.max(axis=1))"), "Is the column"),
    (lesson_7.out_of_fold_loss, loss(folds="[0, 1, 2]"), "every fold get its turn"),
    (lesson_7.out_of_fold_loss, loss().replace("return loss", "return loss[:3]"), "one each"),
    (lesson_7.threshold_keeping, KEEPING.format("share"), "Too few|would keep enough"),
    (lesson_7.threshold_keeping, KEEPING.format("np.quantile(confidence, share)"), "Turn it round"),
    (lesson_7.threshold_keeping, KEEPING.format("confidence.min()"), "would keep enough"),
    (
        lesson_7.threshold_keeping,
        KEEPING.format("np.sort(confidence)[int(len(confidence) * (1 - share)) + 1]"),
        "Too few: take it lower",
    ),
    (lesson_7.threshold_keeping, KEEPING.format("confidence"), "Expected: one number"),
]


ALSO_RIGHT = [
    (
        lesson_7.class_weights,
        "from sklearn.utils.class_weight import compute_class_weight\n"
        "def class_weights(targets):\n"
        "    found = np.unique(targets)\n"
        "    weights = compute_class_weight('balanced', classes=found, y=targets)\n"
        "    return dict(zip(found.tolist(), weights))",
    ),
]


class TestAnswers(Answers):
    lesson = 7
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT


def test_scikit_learns_threshold_is_right():
    from sklearn.metrics import precision_recall_curve

    def threshold_keeping(confidence, share):
        known = np.ones(len(confidence), int)
        _, kept, thresholds = precision_recall_curve(known, confidence)
        return thresholds[kept[:-1] >= share - 1e-9].max()

    assert lesson_7.threshold_keeping.check(threshold_keeping).state == "right"


def test_the_courses_own_losses_are_right():
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    from helpers.pictures import labels

    def out_of_fold_loss(inputs, targets, folds):
        head = LogisticRegression(C=0.01, max_iter=1000)
        split = PredefinedSplit(folds)
        found = cross_val_predict(head, inputs, targets, cv=split, method="predict_proba")
        return labels.losses(found, targets)

    assert lesson_7.out_of_fold_loss.check(out_of_fold_loss).state == "right"
