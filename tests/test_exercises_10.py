"""The exercises of lesson 10: solutions pass, plausible wrong answers are explained."""

import numpy as np
from answers import Answers

from helpers import evaluation
from helpers.exercises import lesson_10

NAMES = {"np": np, "evaluation": evaluation}


def products(returned):
    return f"def products(side, taken, given):\n    return {returned}"


def choose(among="True", pick="min", key="row['multiply_adds']", within="<= budget"):
    return f"""
def choose(rows, budget):
    within = [row for row in rows if row["multiply_adds"] {within}]
    best = max(within, key=lambda row: row["right"].sum())

    def pairs(row):
        only_best = int((best["right"] & ~row["right"]).sum())
        only_this = int((row["right"] & ~best["right"]).sum())
        return evaluation.Comparison(only_best, only_this, len(row["right"]))

    def interval(row):
        return evaluation.Accuracy(int(row["right"].sum()), len(row["right"])).interval

    return {pick}([row for row in within if {among}], key=lambda row: {key})["name"]
"""


ORDINARY, HALF = "side * side * 9 * taken * given", "side * side * taken"
WRONG = [
    (
        lesson_10.products,
        products("9 * taken * given, 9 * taken + taken * given"),
        "These are the parameters",
    ),
    (lesson_10.products, products(f"{ORDINARY}, {HALF} * 9"), "one of its two halves"),
    (lesson_10.products, products(f"{ORDINARY}, {HALF} * given"), "one of its two halves"),
    (
        lesson_10.products,
        products(f"{ORDINARY}, {ORDINARY} + {HALF} * given"),
        "does not mix channels",
    ),
    (lesson_10.products, products(f"{HALF} * (9 + given), {ORDINARY}"), "the wrong way round"),
    (lesson_10.products, products(f"{HALF} * given, {HALF} * (9 + given)"), "the ordinary one"),
    (lesson_10.products, products(f"{ORDINARY}, 0"), "sum over two kernels"),
    (lesson_10.products, products("1"), "Expected: two numbers"),
    (lesson_10.choose, choose(pick="max", key="row['right'].sum()"), "worse, and costs less"),
    (lesson_10.choose, choose(), "ends below 0"),
    # The rule that two overlapping intervals would tell: it calls 'small' as good as 'large'.
    (lesson_10.choose, choose("interval(row)[1] >= interval(best)[0]"), "11 pictures only it"),
    (lesson_10.choose, choose("pairs(row).interval[0] >= 0"), "no row|worse, and costs less|empty"),
    (lesson_10.choose, choose("pairs(row).interval[1] >= 0", within="> 0"), "more than you have"),
    (lesson_10.choose, "def choose(rows, budget):\n    return rows[0]", "the name of a row"),
]


class TestAnswers(Answers):
    lesson = 10
    names = NAMES
    wrong = WRONG
