"""The start page: the table of progress, and the check of the machine."""

import json
import re
import subprocess

import pytest

from helpers import panels
from helpers.exercises import Overview, of_lesson, progress
from helpers.lessons import LESSONS, START
from helpers.panels import checkup
from helpers.paths import NOTEBOOKS


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


def test_a_solved_exercise_is_a_filled_dot():
    first, *others = of_lesson(1)
    before = Overview().rows[0]
    assert before.dots == "○" * len(before.solved) and len(before.solved) == 1 + len(others)
    progress.record(first.key, right=False)
    assert Overview().rows[0] == before
    progress.record(first.key, right=True)
    assert Overview().rows[0].dots == "●" + "○" * len(others)
    assert f"1 of {len(before.solved)} exercises" in str(Overview())


def test_the_table_links_every_lesson_with_its_runtime():
    table = Overview()._repr_html_()
    links = re.findall(r'href="([^"]+)"', table)
    assert links == [lesson.notebook.name for lesson in LESSONS]
    assert all((NOTEBOOKS / link).is_file() for link in links)
    for lesson in LESSONS:
        assert f"{lesson.seconds} s</td>" in table


def test_progress_has_a_file_of_its_own_choice(tmp_path):
    progress.record("lesson_1.any", right=True)
    assert json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))["lesson_1.any"]


def test_the_start_page_names_every_part_of_the_course():
    text = START.source.read_text(encoding="utf-8")
    assert LESSONS[0].notebook.name in text
    for part in ("check_machine()", "choice_panel()", "Overview()", "afresh_panel()"):
        assert part in text
    assert text.count("\n# %%") <= 10


@pytest.mark.parametrize(
    ("code", "verdict"), [(0, "Nothing stops the course."), (1, "Something would stop the course")]
)
def test_the_machine_is_checked_at_a_click(monkeypatch, code, verdict):
    asked = []

    def doctor(command, **options):
        asked.append(command)
        return subprocess.CompletedProcess(command, code, stdout="disk <full>\n", stderr="")

    monkeypatch.setattr(subprocess, "run", doctor)
    panel = panels.check_machine()
    button, said = panel.children
    button.click()
    for thread in checkup.threading.enumerate():
        if thread.name == "doctor":
            thread.join()
    assert verdict in said.value and "disk &lt;full&gt;" in said.value
    assert not button.disabled and asked[0][-1] == "doctor"
    assert panels.STILL in panel._repr_mimebundle_()["text/html"]
