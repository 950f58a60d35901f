"""The table of lessons, and that every lesson keeps the course's frame and its links."""

import ast
import itertools
import re

import nbformat
import pytest

from helpers.commands.minutes import minutes
from helpers.lessons import LESSONS, OWN, START, Lesson, find
from helpers.paths import NOTEBOOKS, ROOT

FRAME = ("**What you'll do.**", "**What you'll learn.**", "**What you'll need.**", "**Predict")
END = ("## What you have seen", "## On your own", "## Further reading")
# Cells and a learner's minutes, at most.
LIMITS = {
    1: (30, 30),
    2: (35, 35),
    3: (35, 35),
    4: (35, 40),
    5: (30, 30),
    6: (45, 60),
    7: (35, 40),
    8: (25, 25),
    9: (35, 40),
    10: (25, 25),
    11: (35, 40),
    12: (25, 25),
}
OURS = [lesson for lesson in LESSONS if lesson.number < OWN]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["3", 3, "03", "03_extract_features", "03_extract_features.ipynb"])
def test_a_lesson_is_found_by_number_and_by_name(text):
    assert find(text).number == 3


@pytest.mark.parametrize("text", ["99", "", "nothing", "../secret"])
def test_what_is_no_lesson_is_refused_with_the_list(text):
    with pytest.raises(ValueError, match=r"Expected: one of 0 \(00_start\), 1 \(01_"):
        find(text)


def cells(lesson, kind):
    book = nbformat.read(lesson.notebook, as_version=4)
    return [cell for cell in book.cells if cell.cell_type == kind]


@pytest.mark.parametrize("lesson", OURS, ids=lambda lesson: lesson.stem)
def test_lesson_has_the_frame(lesson):
    text = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    assert text.startswith(f"# {lesson.number}. {lesson.title}")
    for part in (*FRAME, *END):
        assert part in text, part
    times = f"about {lesson.minutes} minutes; all cells together run in about {lesson.seconds} s"
    assert times in text.replace("\n", " "), "the times of the table"


@pytest.mark.parametrize("lesson", OURS, ids=lambda lesson: lesson.stem)
def test_the_readme_has_the_lesson_and_its_runtime(lesson):
    row = rf"\| {lesson.number} \| \[{lesson.title}\]\(notebooks/{lesson.stem}\.ipynb\).*"
    assert re.search(row + rf"\| {lesson.minutes} \| {lesson.seconds} s \|", README)


@pytest.mark.parametrize("lesson", OURS, ids=lambda lesson: lesson.stem)
def test_the_minutes_are_those_of_the_rule_and_within_the_limit(lesson):
    cells, most = LIMITS[lesson.number]
    assert lesson.minutes == minutes(lesson) <= most
    assert len(nbformat.read(lesson.notebook, as_version=4).cells) <= cells


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_the_measured_accuracies_are_those_of_the_stored_lessons():
    measured = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| (0\.\d{3}) \([^|]+\| `python3 course\.py run (\d)` \|", measured)
    assert len(rows) >= 6
    for accuracy, number in rows:
        outputs = [
            output.get("text", "")
            for cell in cells(find(number), "code")
            for output in cell.outputs
        ]
        # An epoch's line has a zero more.
        assert re.search(rf"\b{accuracy}0?\b", "".join(outputs)), (number, accuracy)


@pytest.mark.parametrize("lesson", (START, *LESSONS), ids=lambda lesson: lesson.stem)
def test_links_between_lessons_lead_somewhere(lesson):
    text = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path = target.partition("#")[0]
        assert target.startswith("https://") or (NOTEBOOKS / path).is_file(), target


@pytest.mark.parametrize("lesson", (START, *LESSONS), ids=lambda lesson: lesson.stem)
def test_figures_have_alternative_text(lesson):
    book = nbformat.read(lesson.notebook, as_version=4)
    for cell, after in itertools.pairwise(book.cells):
        data = [output.get("data", {}) for output in cell.get("outputs", [])]
        drawn = any("image/png" in item for item in data)
        assert drawn == after.source.startswith("*Figure: "), cell.source
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert len(output.metadata["image/png"]["alt"].split()) > 3, cell.source


@pytest.mark.parametrize("lesson", (START, *LESSONS), ids=lambda lesson: lesson.stem)
def test_lesson_uses_nothing_private(lesson):
    for cell in cells(lesson, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Attribute):
                private = node.attr.startswith("_") and not node.attr.startswith("__")
                assert not private, node.attr
                assert node.attr != "src"


@pytest.mark.parametrize("lesson", (START, *LESSONS), ids=lambda lesson: lesson.stem)
def test_no_lesson_gives_an_imported_name_another_meaning(lesson: Lesson) -> None:
    """Or a cell that is run a second time would find something else under it."""
    nodes = list(ast.walk(ast.parse(lesson.source.read_text(encoding="utf-8"))))
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    imported = {name.asname or name.name for node in imports for name in node.names}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    assert not imported & {name.id for name in names if isinstance(name.ctx, ast.Store)}
