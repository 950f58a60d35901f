"""The frame of exercises: verdicts, hints, solutions, progress. (Each lesson's have own tests.)"""

import ast
import inspect
import json
import logging
import threading
import warnings
from collections import Counter

import numpy as np
import pytest

from helpers import exercises, lessons, panels
from helpers.exercises import Option, choice, exercise, lesson_7, progress, right, wrong


@exercise(hints=("Add.", "It is 2 + 2."), solution="answer = 4")
def sum_of_two(answer):
    """What is 2 + 2?"""
    if callable(answer):
        answer = exercises.call(answer)
    return right("Two and two.") if answer == 4 else wrong(f"Received: {answer + 0}. Look again.")


@choice(
    Option("three", "One short."),
    Option("`four` <b>", "Two & two `x<y`.", is_right=True),
)
def pick_a_sum():
    """What is 2 + 2 <in words>?"""


@pytest.mark.parametrize("answer", [..., (1, ...), {"a": [...]}, lambda: ...])
def test_dots_are_no_answer_and_no_try(answer):
    verdict = sum_of_two.check(answer)
    assert str(verdict).startswith("Not answered yet.")
    assert "exercises.sum_of_two.hint()" in str(verdict)
    assert progress.read() == {}


def untouched():
    """To be written."""
    ...  # noqa: PIE790


def dots_only(): ...


def test_a_function_whose_body_is_dots_is_no_answer():
    for answer in (untouched, dots_only):
        assert sum_of_two.check(answer).state == "open"
    assert progress.read() == {}


def returns_none():
    return None


def only_described():
    """Its dots are gone."""


def test_a_function_that_returns_none_is_an_answer():
    for answer in (returns_none, only_described, lambda: None):
        assert sum_of_two.check(answer).state == "wrong"
    assert progress.read()[sum_of_two.key]["tries"] == 3


WRITTEN = [
    found
    for lesson in lessons.LESSONS
    for found in exercises.of_lesson(lesson.number)
    if not isinstance(found, exercises.Choice)
]
TABLES = [np.zeros((4, 20), "float32"), np.array([0, 1, 0, 1], "int32")] * 2


@pytest.mark.parametrize("found", WRITTEN, ids=lambda found: found.key)
def test_none_is_judged_and_said_to_be_wrong(found):
    answers = [None]
    for node in ast.parse(found.code).body:
        if isinstance(node, ast.FunctionDef) and node.name == found.answer_name:
            answers.append(eval(f"lambda {ast.unparse(node.args)}: None"))
    needs_tables = "tables" in inspect.signature(found._judge).parameters
    for answer in answers:
        verdict = found.check(answer, *(TABLES if needs_tables else ()))
        assert verdict.state == "wrong"
        assert "ended in" not in verdict.text, verdict.text


def test_right_and_wrong_say_why_and_are_counted():
    assert str(sum_of_two.check(5)) == "Not yet. Received: 5. Look again."
    assert str(sum_of_two.check(4)) == "Right. Two and two."
    assert str(sum_of_two.check(5)).startswith("Not yet.")
    entry = progress.read()[sum_of_two.key]
    assert entry == {"right": True, "tries": 3, "hints": 0}


def test_an_error_in_the_answer_is_a_verdict():
    verdict = sum_of_two.check("four")
    assert verdict.state == "wrong" and "TypeError" in verdict.text

    def answer():
        raise KeyError("fur")

    assert "KeyError: 'fur'" in sum_of_two.check(answer).text


def test_an_error_comes_with_the_learners_line_and_without_pages():
    code = "def answer():\n    first = 1\n    return first.shape\n"
    namespace = {}
    exec(compile(code, "/tmp/ipykernel_1/2.py", "exec"), namespace)
    said = sum_of_two.check(namespace["answer"]).text
    assert "AttributeError: 'int' object has no attribute 'shape'. In line 3 of your code" in said

    def long():
        raise ValueError("\x1b[1mred\x1b[0m\n\n" + "and a page\n" * 100)

    said = sum_of_two.check(long).text
    assert said.startswith("It ended in ValueError: red and a page. In line ") and len(said) < 200


def test_an_answer_of_another_form_is_called_so():
    said = lesson_7.cat_flap.check(0.97).text
    assert said.startswith("Your answer has not the form that is asked for.") and "line" not in said


def test_a_judges_warnings_are_no_business_of_the_learner(caplog):
    @exercise(hints=("",), solution="answer = 1")
    def noisy(answer):
        logging.getLogger("tensorflow").warning("retracing")
        warnings.warn("shuffled", stacklevel=1)
        return right("")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noisy.check(1)
    assert caplog.text == ""


def test_hints_come_one_by_one_and_begin_again():
    assert [str(sum_of_two.hint())[:9] for _ in range(3)] == ["Hint 1 of", "Hint 2 of", "Hint 1 of"]


def test_the_solution_is_right():
    namespace = {}
    exec(sum_of_two.solution().code, namespace)
    assert sum_of_two.check(namespace["answer"]).state == "right"


THREE, FOUR = (
    next(letter for letter, option in pick_a_sum.options.items() if text in option.text)
    for text in ("three", "four")
)


@pytest.mark.parametrize("answer", [THREE, THREE.lower(), f" {THREE}. three"])
def test_each_choice_is_explained(answer):
    assert str(pick_a_sum.check(answer)) == "Not yet. One short."
    assert str(pick_a_sum.check(FOUR)) == "Right. Two & two `x<y`."
    assert f"{FOUR} (right): `four` <b> Two & two `x<y`." in str(pick_a_sum.solution())


def test_no_letter_is_right_much_more_often_than_others():
    choices = [
        one
        for lesson in lessons.LESSONS
        for one in exercises.of_lesson(lesson.number)
        if isinstance(one, exercises.Choice)
    ]
    right_ones = Counter(one.solution_letter for one in choices)
    for letter in "ABCD":
        assert 0.1 < right_ones[letter] / len(choices) < 0.4, right_ones


def test_what_is_no_choice_is_named():
    assert "Received: 'C'. Expected: a letter, A, B." in str(pick_a_sum.check("C"))


def test_a_question_needs_one_right_choice():
    with pytest.raises(ValueError, match="Received: 0 right choices of 'ask'"):

        @choice(Option("a", "no"), Option("b", "no"))
        def ask():
            """Which?"""


def test_verdicts_are_escaped():
    assert "<b>Two & two" not in pick_a_sum.check(FOUR)._repr_html_()
    assert "Two &amp; two <code>x&lt;y</code>." in pick_a_sum.check(FOUR)._repr_html_()


def test_a_question_can_be_clicked():
    panel = panels.question(pick_a_sum)
    asked, pick, said = panel.children
    assert "&lt;in words&gt;" in asked.value and pick.value is None and said.value == ""
    labels = [label for label, letter in pick.options]
    assert sorted(labels) == sorted([f"{THREE}. three", f"{FOUR}. four <b>"])
    pick.value = THREE
    assert "One short." in said.value
    pick.value = FOUR
    assert "Two &amp; two <code>x&lt;y</code>." in said.value
    still = panel._repr_mimebundle_()["text/html"]
    assert "<li><code>four</code> &lt;b&gt;</li>" in still and panels.STILL in still


def test_progress_of_many_kernels_is_kept():
    threads = [
        threading.Thread(target=progress.record, args=(f"lesson_1.{number}",), kwargs={"right": 1})
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(progress.read()) == 20


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 3}', '"x"'])
def test_an_unreadable_record_is_put_aside(text, capsys):
    progress.path().write_text(text, encoding="utf-8")
    assert sum_of_two.check(4).state == "right"
    assert "could not be read" in capsys.readouterr().out
    assert progress.path().with_suffix(".unreadable").read_text(encoding="utf-8") == text
    assert json.loads(progress.path().read_text(encoding="utf-8"))[sum_of_two.key]["right"]


def test_an_exercise_is_checked_where_nothing_can_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    assert sum_of_two.check(4).state == "right"
    assert str(sum_of_two.hint()).startswith("Hint 1")
    assert "could not be kept" in capsys.readouterr().out


def test_progress_can_be_forgotten():
    sum_of_two.check(4)
    progress.forget()
    progress.forget()
    assert progress.read() == {}


def test_a_lessons_exercises_are_found_in_their_order():
    names = [found.name for found in exercises.of_lesson(1)]
    assert names.index("unchanged") < names.index("unfreeze_first")
    assert exercises.of_lesson(99) == ()


@pytest.mark.parametrize("lesson", lessons.LESSONS, ids=lambda lesson: lesson.stem)
def test_every_exercise_stands_in_its_lesson(lesson):
    text = lesson.source.read_text(encoding="utf-8")
    for found in exercises.of_lesson(lesson.number):
        assert f"exercises.{found.name}" in text, found.name


def test_each_exercise_has_a_name_of_its_own():
    names = [
        found.name for lesson in lessons.LESSONS for found in exercises.of_lesson(lesson.number)
    ]
    assert len(names) == len(set(names))


def test_what_was_solved_under_a_lessons_number_counts(tmp_path):
    progress.path().parent.mkdir(parents=True, exist_ok=True)
    old = {f"lesson_5.{sum_of_two.key}": {"right": True, "tries": 1, "hints": 0}}
    progress.path().write_text(json.dumps(old), encoding="utf-8")
    assert progress.read()[sum_of_two.key]["right"]
