"""From a lesson's text to an assignment: each exercise a cell to answer in and a graded cell."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.classroom import places
from helpers.exercises import Choice, Exercise, of_lesson
from helpers.lessons import LESSONS, Lesson

# As minutes are counted: an exercise with code, a question.
POINTS, QUESTION_POINTS = 4, 1
# Lessons whose answers use more than imported names: so many code cells come along from the top.
CELLS_KEPT = {"06_find_the_bug": 2}
# These need what the lesson has trained, or a file: they are handed in otherwise.
BY_HAND = ("project",)
EXERCISE = "**Exercise"
# What a learner's answer has no use for.
UNUSED = ("panels", "plots", "bands", "recipes", "published", "exercises")


def make(lesson: Lesson, hints: bool = True, solutions: bool = True) -> str:
    """Write the source assignment and let nbgrader make the one to hand out; its name.

    Args:
        lesson: which must have exercises.
        hints: whether learners may ask for hints.
        solutions: whether they may ask for solutions.

    Raises:
        ValueError: where the lesson has no exercise that can be graded, or nbgrader fails.
    """
    folder = places.prepare()
    source = folder / "source" / lesson.stem
    source.mkdir(parents=True, exist_ok=True)
    nbformat.write(source_notebook(lesson, hints, solutions), source / f"{lesson.stem}.ipynb")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", lesson.stem, "--force"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise ValueError(
            f"Received: {lesson.stem}, of which nbgrader makes nothing: {ran.stderr} Expected: an "
            f"assignment. Look into {source}, which it was made from."
        )
    return lesson.stem


def gradable(lesson: Lesson) -> list[Exercise]:
    """The exercises that are judged by their answer alone, in the order of the lesson's text."""
    text = lesson.source.read_text(encoding="utf-8")
    found = [
        each
        for each in of_lesson(lesson.number)
        if each.name not in BY_HAND and (isinstance(each, Choice) or needs_nothing(each))
    ]
    return sorted(found, key=lambda each: text.find(f"exercises.{each.name}"))


def needs_nothing(found: Exercise) -> bool:
    """Whether the judge wants the answer only, and nothing that the lesson has computed."""
    return len(inspect.signature(found._judge).parameters) == 1


def with_exercises() -> list[Lesson]:
    """The lessons that have something to grade."""
    return [lesson for lesson in LESSONS if gradable(lesson)]


def source_notebook(lesson: Lesson, hints: bool, solutions: bool) -> NotebookNode:
    """The instructor's version: with solutions, and points in nbgrader's metadata.

    The same text gives the same notebook, ids included.

    Raises:
        ValueError: where the lesson has nothing to grade.
    """
    chosen = gradable(lesson)
    if not chosen:
        raise ValueError(f"Received: lesson {lesson.number}. Expected: one with exercises.")
    text = jupytext.read(lesson.source, fmt="py:percent")
    cells = [title(lesson), *setup(lesson, text.cells, hints, solutions)]
    for found in chosen:
        cells += cells_of(found, text.cells)
    for cell in cells:  # nbformat's own ids are by chance
        cell.id = cell.metadata.nbgrader.grade_id
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata["course"] = {"assignment": lesson.stem}
    return notebook


def title(lesson: Lesson) -> NotebookNode:
    """What it is and what to do."""
    text = (
        f"# {lesson.title}: exercises\n\nPut your answers where the dots are, or mend the code "
        "that stands there. The cell below an answer judges it; run it as often as you like. "
        "Leave the cells in their order, save, and hand in this file."
    )
    return locked(new_markdown_cell(text), "title")


def setup(
    lesson: Lesson, cells: list[NotebookNode], hints: bool, solutions: bool
) -> Iterator[NotebookNode]:
    """The names that answers may use."""
    switches = [name for name, on in (("hints", hints), ("solutions", solutions)) if on]
    first = (
        f'import os\n\nos.environ["COURSE_HELP"] = "{" ".join(switches) or "none"}"\n\n'
        f"from helpers.exercises import lesson_{lesson.number} as exercises\n"
    )
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    kept = CELLS_KEPT.get(lesson.stem, 0)
    yield locked(new_code_cell(first + imports(code)), "names")
    for number, source in enumerate(code[:kept]):
        yield locked(new_code_cell(source), f"given-{number}")


def imports(sources: list[str]) -> str:
    """The lesson's imports, each once, but for those of what only it shows."""
    lines: dict[str, None] = {}
    for source in sources:
        for node in ast.parse(without_magics(source)).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                node.names = [
                    name for name in node.names if (name.asname or name.name) not in UNUSED
                ]
                if node.names:
                    lines[ast.unparse(node)] = None
    return "\n".join(lines)


def without_magics(source: str) -> str:
    """Code that Python parses."""
    return "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))


def cells_of(found: Exercise, cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """The question, the cell to answer in, and the cell that judges."""
    if isinstance(found, Choice):
        choices = "\n".join(f"- **{key}** {option.text}" for key, option in found.options.items())
        question, given = f"{found.task}\n\n{choices}", "answer = ...  # a letter"
        points = QUESTION_POINTS
    else:
        question, given = as_in_the_lesson(found, cells)
        points = POINTS
    yield locked(new_markdown_cell(f"## {found.name}\n\n{question}"), f"{found.name}-question")
    solved = f"{given}\n\n### BEGIN SOLUTION\n{found.code.strip()}\n### END SOLUTION"
    yield marked(new_code_cell(solved), found.name, solution=True)
    judged = (
        f"verdict = exercises.{found.name}.check({found.answer_name})\ndisplay(verdict)\n"
        f'{points} * int(verdict.state == "right")'
    )
    test = marked(new_code_cell(judged), f"{found.name}-judged", grade=True, locked=True)
    test.metadata.nbgrader["points"] = points
    yield test


def as_in_the_lesson(found: Exercise, cells: list[NotebookNode]) -> tuple[str, str]:
    """What the lesson asks above its check, and what it gives to start from."""
    call = f"exercises.{found.name}.check("
    for number, cell in enumerate(cells):
        if cell.cell_type == "code" and call in cell.source:
            above = cells[number - 1]
            asked = above.source if above.cell_type == "markdown" else found.task
            start = max(asked.find(EXERCISE), 0)  # what stands above it is the lesson's
            return asked[start:], cell.source.partition(call)[0].strip()
    raise ValueError(f"Received: a lesson without {call}...). Expected: a cell that has it.")


def locked(cell: NotebookNode, name: str) -> NotebookNode:
    """A cell that learners leave as it is."""
    return marked(cell, name, locked=True)


def marked(
    cell: NotebookNode,
    name: str,
    *,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
) -> NotebookNode:
    """The cell with nbgrader's metadata, under an id that stays from build to build."""
    cell.metadata["nbgrader"] = NotebookNode(
        grade=grade,
        grade_id=cell_name(name),
        locked=locked,
        schema_version=3,
        solution=solution,
        task=False,
    )
    return cell


def cell_name(name: str) -> str:
    """What a cell is called in the notebook, whose ids have no underscores."""
    return name.replace("_", "-")
