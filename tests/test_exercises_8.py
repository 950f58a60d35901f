"""The exercises of lesson 8: solutions pass, plausible wrong answers are explained."""

import numpy as np
import scipy.stats
from answers import Answers

from helpers import explain
from helpers.exercises import lesson_8

NAMES = {"np": np, "scipy": scipy, "explain": explain}
SHARE = """
def share_inside(maps, outlines):
    inside = (maps * outlines).sum(axis=(1, 2))
    return {}
"""
TRICKED = """
def tricked_one(first, second):
    difference = first - second
    {}
    low, high = scipy.stats.ttest_1samp({}).confidence_interval(0.95)
    return "{}" if low > 0 else "{}" if high < 0 else "not shown"
"""
KNOWN = "difference = difference[~np.isnan(difference)]"
BY_MEANS = """
def tricked_one(first, second):
    return "second" if np.nanmean(first) > np.nanmean(second) else "first"
"""
UNPAIRED = """
def tricked_one(first, second):
    test = scipy.stats.ttest_ind(first, second, nan_policy="omit")
    if test.pvalue > 0.05:
        return "not shown"
    return "second" if test.statistic > 0 else "first"
"""

WRONG = [
    (lesson_8.share_inside, SHARE.format("inside"), "the sum of the heat inside"),
    (
        lesson_8.share_inside,
        SHARE.format("inside / outlines.sum(axis=(1, 2))"),
        "the mean heat inside",
    ),
    (lesson_8.share_inside, SHARE.format("inside / outlines[0].size"), "the number of places"),
    (lesson_8.share_inside, SHARE.format("inside / maps.sum()"), "all maps together"),
    (lesson_8.share_inside, SHARE.format("1 - inside / maps.sum(axis=(1, 2))"), "share outside"),
    (
        lesson_8.share_inside,
        SHARE.format("np.nan_to_num(inside / maps.sum(axis=(1, 2)))"),
        "Received: 0 for a map that is 0 everywhere",
    ),
    (lesson_8.share_inside, SHARE.format("inside.sum() / maps.sum()"), "one share a map"),
    (
        lesson_8.share_inside,
        SHARE.format("((maps > 0.5) & outlines).sum(axis=(1, 2)) / outlines.sum(axis=(1, 2))"),
        "heat inside divided by all heat",
    ),
    (lesson_8.tricked_one, BY_MEANS, "reaches across 0"),
    (lesson_8.tricked_one, UNPAIRED, "difference for each picture first"),
    (lesson_8.tricked_one, TRICKED.format("", "difference, 0", "second", "first"), "no share"),
    (
        lesson_8.tricked_one,
        TRICKED.format(KNOWN, "difference, 0", "first", "second"),
        "less inside",
    ),
    (
        lesson_8.tricked_one,
        TRICKED.format(KNOWN, "difference, 0", "1", "0"),
        "Expected: 'first', 'second' or 'not shown'",
    ),
]
ALSO_RIGHT = [
    (
        lesson_8.share_inside,
        "def share_inside(maps, outlines):\n    return explain.share_inside(maps, outlines)",
    ),
    (
        lesson_8.share_inside,
        "def share_inside(maps, outlines):\n"
        "    return [heat[line].sum() / heat.sum() for heat, line in zip(maps, outlines)]",
    ),
    (
        lesson_8.tricked_one,
        "def tricked_one(first, second):\n"
        "    difference = (first - second)[~np.isnan(first - second)]\n"
        "    reach = 1.96 * difference.std() / len(difference) ** 0.5\n"
        "    if abs(difference.mean()) < reach:\n"
        "        return 'not shown'\n"
        "    return 'second' if difference.mean() > 0 else 'first'",
    ),
]


class TestAnswers(Answers):
    lesson = 8
    names = NAMES
    wrong = WRONG
    also_right = ALSO_RIGHT
