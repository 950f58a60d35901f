"""From a lesson to its assignment, and from what learners send to what is graded; runs nothing."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import textwrap
import types
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
import psutil
import pytest
from answers import judge

from helpers import paths
from helpers.classroom import assignments, collecting, grading, places, reports
from helpers.exercises import lesson_1, lesson_2, lesson_3, lesson_10, of_lesson
from helpers.lessons import LESSONS, OWN, START, Lesson, find
from helpers.paths import ROOT

FIRST = find(1)
WITH_EXERCISES = [lesson for lesson in LESSONS if of_lesson(lesson.number)]


def release(lesson=FIRST):
    """The notebook as nbgrader hands it out: without what stands between its two marks."""
    notebook = assignments.source_notebook(lesson, hints=True, solutions=True)
    for cell in notebook.cells:
        cell.source = cell.source.partition("### BEGIN SOLUTION")[0].strip()
    return notebook


@pytest.fixture
def handed_out(tmp_path, monkeypatch):
    """The class's folder, with lesson 1 handed out."""
    monkeypatch.setenv("COURSE_CLASS", str(tmp_path / "class"))
    path = places.released(FIRST.stem)
    path.parent.mkdir(parents=True)
    nbformat.write(release(), path)
    return tmp_path


def names(notebook):
    return [collecting.grade_id(cell) for cell in notebook.cells]


def answered(notebook, name, code):
    cell = next(cell for cell in notebook.cells if collecting.grade_id(cell) == name)
    cell.source = code
    return notebook


@pytest.mark.parametrize("lesson", WITH_EXERCISES, ids=lambda lesson: lesson.stem)
def test_an_assignment_has_each_exercise_and_is_the_same_from_build_to_build(lesson):
    first, second = (assignments.source_notebook(lesson, True, True) for _ in range(2))
    assert first == second
    nbformat.validate(first)
    assert max(Counter(names(first)).values()) == 1
    left_out = {found.name for found in of_lesson(lesson.number)} - {
        found.name for found in assignments.gradable(lesson)
    }
    assert left_out <= {"largest_rate", "project"}  # one needs the lesson's features, one a file
    graded = [cell for cell in first.cells if cell.metadata.nbgrader.grade]
    assert len(graded) == len(assignments.gradable(lesson))
    assert all(cell.metadata.nbgrader.points > 0 for cell in graded)


def test_what_is_handed_out_holds_no_solution():
    text = nbformat.writes(release())
    for found in assignments.gradable(FIRST):
        body = [line.strip() for line in found.code.splitlines() if "def " not in line]
        assert not any(json.dumps(line)[1:-1] in text for line in body if len(line) > 20)


def test_given_names_and_solutions_earn_the_points_of_lesson_2(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("COURSE_HELP", "hints solutions")
    namespace = {"display": print}
    notebook = assignments.source_notebook(find(2), True, True)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            *lines, last = cell.source.splitlines()
            exec("\n".join(lines), namespace)
            if cell.metadata.nbgrader.grade:
                assert eval(last, namespace) == cell.metadata.nbgrader.points
            else:
                exec(last, namespace)


def test_cells_that_were_deleted_or_moved_are_whole_again():
    whole = answered(release(), "unchanged", "def unchanged(*lists): pass")
    theirs = copy.deepcopy(whole)
    theirs.cells = [cell for cell in theirs.cells[::-1] if collecting.grade_id(cell) != "names"]
    theirs.cells = [cell for cell in theirs.cells if not cell.metadata.nbgrader.grade]
    assert collecting.with_answers(release(), theirs) == whole


def test_a_changed_judge_is_put_back_and_a_deleted_answer_is_none():
    theirs = answered(release(), "unchanged-judged", "4")
    theirs.cells = [cell for cell in theirs.cells if collecting.grade_id(cell) != "unfreeze-first"]
    assert collecting.with_answers(release(), theirs) == release()


def test_a_learners_own_cell_stays_above_the_answer_that_needs_it():
    theirs = release()
    place = names(theirs).index("unchanged")
    theirs.cells.insert(place, nbformat.v4.new_code_cell("helper = 1"))
    found = collecting.with_answers(release(), theirs)
    assert found.cells[place].source == "helper = 1"
    assert names(found)[place + 1] == "unchanged"
    nbformat.validate(found)


STEM = FIRST.stem


@pytest.mark.parametrize(
    ("path", "person"),
    [
        ("anna/lesson.ipynb", "anna"),
        ("Anna Smith_12345_assignsubmission_file_/lesson.ipynb", "Anna_Smith"),
        ("Course-Lesson 1-77/Anna Smith_12345_assignsubmission_file/lesson.ipynb", "Anna_Smith"),
        (f"Anna Smith_12345_assignsubmission_file_{STEM}.ipynb", "Anna_Smith"),
        (f"smithanna_123_4567_{STEM}.ipynb", "smithanna"),
        (f"submissions/smithanna_LATE_123_4599_{STEM}-1.ipynb", "smithanna"),
        ("anna+01_inspect+2026-01-01 10/lesson.ipynb", "anna"),
        (f"anna-{STEM}.ipynb", "anna"),
        (f"{STEM}_anna (1).ipynb", "anna_1"),
        (f"{STEM}-1234567.ipynb", "1234567"),
        ("anna@school.org.ipynb", "anna@school.org"),
        (f"{STEM}.ipynb", ""),
        (f"{STEM} (1).ipynb", ""),
        (f"{STEM}-Copy1.ipynb", ""),
        (f"{STEM} - copy (2).ipynb", ""),
        ("../x/../../etc/lesson.ipynb", ""),
    ],
)
def test_a_person_is_told_from_the_folder_or_the_file(path, person):
    assert collecting.clean(collecting.name_of(Path(path), STEM)[0]) == person


def mailed(folder, answers):
    """Notebooks as they came, by path: the answer to `unchanged`, or a whole file's text."""
    for number, (name, code) in enumerate(answers.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if code.startswith("{"):
            path.write_text(code, encoding="utf-8")
        else:
            nbformat.write(answered(release(), "unchanged", code), path)
        os.utime(path, (1e9 + number, 1e9 + number))
    return {each.person or each.file: each for each in collecting.collect(folder)}


def submitted(person):
    """The answer that nbgrader finds in a person's place."""
    path = places.class_folder() / "submitted" / person / STEM / f"{STEM}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return next(cell.source for cell in notebook.cells if collecting.grade_id(cell) == "unchanged")


def odd(course=None, nbgrader=None, source=""):
    """A valid notebook whose metadata is what no course writes."""
    cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": nbgrader})
    return json.dumps(nbformat.v4.new_notebook(cells=[cell], metadata={"course": course}))


def test_no_file_stops_the_others(handed_out):
    other = places.released(find(2).stem)
    other.parent.mkdir(parents=True)
    nbformat.write(release(), other)
    solution = {"solution": True, "grade_id": "unchanged"}
    found = mailed(
        handed_out / "mail",
        {
            "anna.ipynb": '{"cells": [',
            f"{STEM}-ben.ipynb": odd(course="a string", nbgrader=["a list"]),
            f"{STEM}-cleo.ipynb": odd(course=[1], nbgrader={"grade_id": ["a"], "solution": True}),
            f"{STEM}-dan.ipynb": odd(nbgrader=solution, source="\ud800"),  # no text in UTF-8
            f"{STEM}-emma/lesson.ipynb": "1",
        },
    )
    (handed_out / "mail" / "nowhere.ipynb").symlink_to(handed_out / "nothing")
    deep = '{"unchanged": ' + "[" * 100_000
    (handed_out / "mail" / f"{STEM}-emma" / "progress.json").write_text(deep)
    collecting.collect(handed_out / "mail")
    unknown = found.pop(str(handed_out / "mail" / "anna.ipynb"))
    assert "could not be read" in unknown.trouble and "tell its assignment" in unknown.trouble
    assert not unknown.is_graded
    troubles = {person: bool(each.trouble) for person, each in found.items()}
    emma = f"{STEM}-emma"
    assert troubles == {"ben": True, "cleo": True, "dan": True, emma: False}
    assert found["cleo"].trouble == "has none of the assignment's cells"
    assert submitted(emma) == "1" and submitted("dan").startswith("def unchanged")


def test_nobody_is_taken_for_another(handed_out):
    found = mailed(
        handed_out / "mail",
        {
            "Anna Smith_7_assignsubmission_file_/a.ipynb": "7",
            "Anna Smith_8_assignsubmission_file_/a.ipynb": "8",
            "Bo Li/a.ipynb": "first",
            "bo_li/a.ipynb": "second",
            f"{STEM}.ipynb": "whose",
        },
    )
    people = {person: submitted(person) for person, each in found.items() if each.is_graded}
    assert people == {
        "Anna_Smith_7": "7",
        "Anna_Smith_8": "8",
        "Bo_Li_1": "first",
        "bo_li_2": "second",
    }
    assert "another has almost that name" in found["Bo_Li_1"].note
    assert "rename it" in found[str(handed_out / "mail" / f"{STEM}.ipynb")].trouble
    late = mailed(handed_out / "later", {"Anna Smith_9_assignsubmission_file_/a.ipynb": "9"})
    again = mailed(
        handed_out / "later",
        {
            "Anna Smith_9_assignsubmission_file_/a.ipynb": "9",
            "Anna Smith_10_assignsubmission_file_/a.ipynb": "10",
        },
    )
    assert list(late) == ["Anna_Smith"] and set(again) == {"Anna_Smith", "Anna_Smith_10"}


def test_what_counts_is_the_newest_with_answers(handed_out):
    found = mailed(
        handed_out / "mail",
        {
            f"smithanna_12_99_{STEM}-1.ipynb": "newer, by Canvas",
            f"smithanna_LATE_12_98_{STEM}.ipynb": "older, though written later",
            "ben/answers.ipynb": "real",
            "ben/scratch.ipynb": odd(nbgrader={}),
            "ben/damaged.ipynb": "{",
        },
    )
    assert submitted("smithanna") == "newer, by Canvas"
    assert submitted("ben") == "real"
    aside = [each for each in collecting.kept() if not each.is_graded]
    assert [Path(each.file).name for each in aside] == ["scratch.ipynb", "damaged.ipynb"]
    assert all(each.trouble.endswith("another file of theirs counts") for each in aside)
    (handed_out / "mail" / "ben" / "scratch.ipynb").unlink()
    collecting.keep([])
    assert len([each for each in collecting.kept() if not each.is_graded]) == 1
    assert found


def test_a_damaged_file_is_taken_in_as_one_without_answers(handed_out):
    folder = handed_out / "mail"
    folder.mkdir()
    (folder / "ben.ipynb").write_text('{"cells": [', encoding="utf-8")
    exam = places.released("exam")  # an instructor's own
    exam.parent.mkdir()
    exam.write_text("{}", encoding="utf-8")
    (handed_in,) = collecting.collect(folder)
    assert (handed_in.person, handed_in.assignment) == ("ben", FIRST.stem)
    assert "could not be read" in handed_in.trouble
    placed = places.class_folder() / "submitted" / "ben" / FIRST.stem / f"{FIRST.stem}.ipynb"
    assert nbformat.read(placed, as_version=4) == release()


def test_the_newer_of_two_files_counts_and_claims_come_along(handed_out):
    folder = handed_out / "mail"
    for name, code, age in (("old", "1", 10), ("new", "2", 0)):
        path = folder / "anna" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(answered(release(), "unchanged", code), path)
        os.utime(path, (1e9 - age, 1e9 - age))
    (folder / "anna" / "progress.json").write_text('{"unchanged": {"tries": 7, "x": [[]]}}')
    (handed_in,) = collecting.collect(folder)
    assert handed_in.file.endswith("new.ipynb")
    assert handed_in.claims == {"unchanged": {"tries": 7}}
    assert list(collecting.kept()) == [handed_in]


def test_a_flat_file_has_the_claims_beside_it_and_no_others(handed_out):
    (handed_out / "mail").mkdir()
    for name in ("anna.progress.json", "progress.json"):
        (handed_out / "mail" / name).write_text('{"unchanged": {"hints": 1}}')
    found = mailed(handed_out / "mail", {"anna.ipynb": "1", "ben.ipynb": "2"})
    assert (found["anna"].claims, found["ben"].claims) == ({"unchanged": {"hints": 1}}, {})


def test_what_cannot_be_collected_is_said(handed_out, tmp_path):
    with pytest.raises(ValueError, match="Expected: a folder with notebooks"):
        collecting.collect(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="nothing was handed in yet"):
        reports.write()


def test_graded_code_gets_no_secret_and_a_home_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    found = grading.environment(tmp_path)
    assert "hush" not in found.values()
    assert found["HOME"] == str(tmp_path)
    assert found["COURSE_CACHE"] != found["COURSE_SHARED"]


def test_what_runs_too_long_is_ended_with_all_that_it_started():
    loop = "[sys.executable, '-c', 'while True: pass'], start_new_session=True"  # as a kernel has
    child = f"import subprocess, sys; subprocess.run({loop})"
    process = subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
    known = psutil.Process(process.pid)
    while not (started := known.children()):
        pass
    assert not grading.wait(process, 0)
    left = psutil.wait_procs(started, timeout=10)[1]
    for each in left:
        each.kill()
    assert not left
    assert process.poll() is not None


def test_an_instructor_switches_hints_and_solutions_off(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    first, choice = lesson_1.unchanged, lesson_3.validation_ahead
    monkeypatch.setenv("COURSE_HELP", "hints")
    assert first.hints[0] in first.hint().text
    for found in (first, choice, lesson_2.split):
        assert "switched solutions off" in found.solution().text
        assert not found.solution().code
    monkeypatch.setenv("COURSE_HELP", "none")
    assert "switched hints off" in first.hint().text
    notebook = assignments.source_notebook(FIRST, hints=False, solutions=False)
    assert 'os.environ["COURSE_HELP"] = "none"' in notebook.cells[1].source


def test_a_strangers_text_is_no_formula_and_no_markup():
    assert reports.harmless("=1+1") == "'=1+1"
    assert reports.harmless(-1.0) == -1.0
    assert reports.listing(["<script>"]) == "<ul><li>&lt;script&gt;</li></ul>"


def class_list(folder, *rows):
    path = folder / "class.csv"
    path.write_text("\n".join(["id,name,email,handed_in_as", *rows]), encoding="utf-8")
    return path


def test_a_download_is_the_row_of_whom_the_list_names(handed_out):
    mailed(
        handed_out / "mail",
        {
            "zip/Anna Smith_12_assignsubmission_file_/a.ipynb": "1",
            f"muellerzoe_33_99_{STEM}.ipynb": "2",
            "s3.ipynb": "3",
            "guest.ipynb": "4",
        },
    )
    rows = ("s1,Anna,a@b,Anna Smith", "s2,Zoe,,Zoe Mueller; muellerzoe_33", "S3,Cy,,", "s4,Dan,,")
    people = reports.read_people(class_list(handed_out, *rows))
    collected, unlisted = reports.by_id(people, collecting.kept())
    assert {key: each.person for key, each in collected.items()} == {
        ("s1", STEM): "Anna_Smith",
        ("s2", STEM): "muellerzoe",
        ("S3", STEM): "s3",
    }
    assert unlisted == ["guest"]
    path = handed_out / "moodle.csv"
    found = [reports.Result(key[0], STEM, "e", "right", "", 4, 4, {}) for key in collected]
    found.append(reports.Result("s4", STEM, "e", reports.NOT_HANDED_IN, "", 0, 4, {}))
    reports.moodle(path, people, found)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[1:] == ["s1,a@b,4", "s2,,4", "S3,,4", "s4,,0"]


def test_one_name_in_two_rows_is_refused(tmp_path):
    path = class_list(tmp_path, "s1,Anna,,Anna Smith", "anna_smith,Another,,")
    with pytest.raises(ValueError, match="rows share anna_smith"):
        reports.read_people(path)


def test_the_page_says_who_has_sent_what():
    people = [{"id": name, "name": name.title()} for name in ("anna", "ben", "cleo", "dan")]
    sent = {
        "anna": collecting.HandedIn("anna", STEM, "a"),
        "ben": collecting.HandedIn("ben", STEM, "b", "could not be read"),
        "cleo": collecting.HandedIn("cleo", STEM, "c", note="came as 'Cleo'"),
    }
    code = "if a < b:\n" + "    pass\n" * 20
    found = [
        reports.Result("anna", STEM, "e", "wrong", "No.", 0, 4, {}, code),
        *(reports.Result(name, STEM, "e", "open", "", 0, 4, {}, "...") for name in ("ben", "cleo")),
        reports.Result("dan", STEM, "e", reports.NOT_HANDED_IN, "", 0, 4, {}),
    ]
    collected = {(name, STEM): each for name, each in sent.items()}
    aside = collecting.HandedIn("", "", "mail/lesson.ipynb", "rename it")
    page = reports.page(people, found, collected, [*sent.values(), aside], ["eve"])
    parts = dict(part.split("</h2>") for part in page.split("<h2>")[1:])
    lists = {title: re.findall("<li>(.*?)</li>", part, re.DOTALL) for title, part in parts.items()}
    assert lists["Has not begun"] == ["Cleo", "Dan"]
    assert lists["Has handed in nothing"] == ["Dan"]
    assert lists["Collected, but not in the class's list"] == ["eve"]
    assert lists["Could not be graded, or needs a look"] == [
        f"ben, {STEM}: could not be read",
        f"cleo, {STEM}: came as &#x27;Cleo&#x27;",
        "nobody, lesson.ipynb: rename it",
    ]
    (wrong,) = lists["Exercises, the hardest first"]
    assert wrong.startswith("1 x No.<pre>if a &lt; b:\n") and wrong.count("pass") == 11


def test_the_same_mistake_with_other_numbers_is_counted_once():
    said = ["It says 0.25 of 3.", "It says 0.5 of 4.", "None."]
    results = [reports.Result("a", "l", "e", "wrong", text, 0, 4, {}) for text in said]
    assert "2 x It says # of #." in reports.section("l", "e", results)


def test_learning_platforms_get_the_columns_that_they_ask_for(tmp_path):
    """Moodle's are those of its own export, in English; Canvas's importer reads them by place."""
    person = {"id": "7", "name": "Smith, Anna", "email": "anna@school.org"}
    given = {"one": 4.0, "two": 1.5}
    results = [reports.Result("7", "l", each, "right", "", n, 4, {}) for each, n in given.items()]
    reports.moodle(tmp_path / "moodle.csv", [person], results)
    reports.canvas(tmp_path / "canvas.csv", [person], results)
    assert (tmp_path / "moodle.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "ID number,Email address,l",
        "7,anna@school.org,5.5",
    ]
    assert (tmp_path / "canvas.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,l",
        "    Points Possible,,,,,8",
        '"Smith, Anna",,,7,,5.5',
    ]


OWN_GUIDE, CLASS_GUIDE, LESSONS_GUIDE = (
    (ROOT / "docs" / "instructors" / name).read_text(encoding="utf-8")
    for name in ("own.md", "class.md", "lessons.md")
)


@pytest.mark.parametrize(
    "lesson",
    [lesson for lesson in WITH_EXERCISES if lesson.number < OWN],
    ids=lambda lesson: lesson.stem,
)
def test_the_guide_has_what_people_get_wrong_in_each_exercise(lesson):
    section = re.search(rf"^## {lesson.number} (.*?)(?=^## |\Z)", LESSONS_GUIDE, re.DOTALL | re.M)[
        1
    ]
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", section, re.MULTILINE)
    assert sorted(rows) == sorted(found.name for found in of_lesson(lesson.number))


def test_the_exercise_that_the_guide_adds_is_judged_and_handed_out():
    blocks = re.findall(r"   ```python\n(.*?)   ```", OWN_GUIDE, re.DOTALL)
    added, asked, tried, imported = map(textwrap.dedent, blocks)
    module = types.ModuleType("lesson_10")
    with open(lesson_10.__file__, encoding="utf-8") as file:
        exec(f"{file.read()}\n\n{added}", vars(module))
    found = module.dense_parameters
    exec(f"{imported}\n\n{added}", vars(types.ModuleType("lesson_50")))  # in a lesson of one's own
    assert judge(found, found.code, {}).state == "right"
    tests = {"WRONG": [], "lesson_10": module}
    exec(tried, tests)
    assert len(tests["WRONG"]) >= 3
    for each, code, why in tests["WRONG"]:
        verdict = judge(each, code, {})
        assert verdict.state == "wrong" and re.search(why, verdict.text), verdict.text
    text = f"{find(10).source.read_text(encoding='utf-8')}\n{asked}"
    question, answer, judged = assignments.cells_of(found, jupytext.reads(text, "py:percent").cells)
    assert "returns the number of parameters" in question.source
    assert answer.source.startswith("def dense_parameters(inputs, outputs):")
    assert judged.metadata.nbgrader.points == assignments.POINTS


def test_the_lesson_that_the_guide_adds_is_one_of_ones_own():
    lesson = eval(re.search(r"`(Lesson\(.*\)),`", OWN_GUIDE)[1], {"Lesson": Lesson})
    assert lesson.number >= OWN
    assert lesson.stem.startswith(f"{lesson.number}_")
    assert f"build {lesson.number}`" in OWN_GUIDE


def test_a_hubs_settings_in_the_guide_are_what_the_course_reads(monkeypatch):
    block = re.search(r"```python\n(course, cache = .*?)```", CLASS_GUIDE, re.DOTALL)[1]
    settings = types.SimpleNamespace(Spawner=types.SimpleNamespace())
    exec(block, {"c": settings})
    for name, value in settings.Spawner.environment.items():
        monkeypatch.setenv(name, value)
    assert paths.shared_folder() == Path("/srv/cache").resolve()
    assert paths.cache_folder() == Path("~/.cache/course").expanduser().resolve()
    notebooks = Path(settings.Spawner.notebook_dir).expanduser().resolve()
    assert paths.work_folder() == notebooks
    assert settings.Spawner.default_url.endswith(START.notebook.name)
