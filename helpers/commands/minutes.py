"""How many minutes a learner takes for a lesson, by a rule.

The rule counts what stands in the lesson; no learner was timed:

- prose: 200 words a minute, a usual speed for text of this kind
- code: 3 seconds a line
- a figure: 30 seconds
- an exercise with code: 4 minutes; a question with choices: 1 minute
- and the machine's seconds, for one waits.

The three questions on earlier lessons at the beginning are not counted, nor is what a learner makes
of the project that closes lesson 11.
"""

from __future__ import annotations

import math
import re

import nbformat

from helpers.lessons import Lesson

WORDS_A_MINUTE, MINUTES_A_LINE, MINUTES_A_FIGURE = 200, 3 / 60, 0.5
MINUTES_AN_EXERCISE, MINUTES_A_QUESTION = 4, 1
# What an address or an example in a fence has of words is not read as prose.
NO_PROSE = re.compile(r"\]\([^)]*\)|```.*?```", re.DOTALL)
CHECK = re.compile(r"\bexercises\.\w+\.check\(")
ASKED = re.compile(r"\bpanels\.questions?\(([^()]*)\)")


def minutes(lesson: Lesson) -> int:
    """A learner's minutes for a lesson, rounded up to five."""
    cells = nbformat.read(lesson.notebook, as_version=4).cells
    prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    figures = sum(
        "image/png" in output.get("data", {})
        for cell in cells
        for output in cell.get("outputs", [])
    )
    asked = sum(len(inside.split(",")) for inside in ASKED.findall(code))
    needed = (
        len(NO_PROSE.sub("", prose).split()) / WORDS_A_MINUTE
        + sum(bool(line.strip()) for line in code.splitlines()) * MINUTES_A_LINE
        + (figures + prose.count("](figures/")) * MINUTES_A_FIGURE
        + len(CHECK.findall(code)) * MINUTES_AN_EXERCISE
        + asked * MINUTES_A_QUESTION
        + lesson.seconds / 60
    )
    return 5 * math.ceil(needed / 5)
