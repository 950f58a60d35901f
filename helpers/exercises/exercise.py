"""What an exercise is: an answer is judged, hints come one by one, a solution can be read."""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import os
import re
import sysconfig
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from helpers import quiet
from helpers.exercises import progress
from helpers.paths import ROOT

RIGHT: Final = "right"
WRONG: Final = "wrong"
OPEN: Final = "open"
WORDS = {RIGHT: "Right.", WRONG: "Not yet.", OPEN: "Not answered yet."}
MARKS = {RIGHT: "✔", WRONG: "✘", OPEN: "…"}
# Borders only: text keeps the theme's own colour, on light and on dark.
LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib"))
# Of an error's own words; Keras may add pages, and colours.
MOST_LETTERS = 300
COLOUR_CODE = re.compile(r"\x1b\[[\d;]*m")
NOT_OFFERED = "Your instructor has switched {} off for this work. What the check says stays."
NONE = "Received: None. Expected: your answer. Does the cell set it, or only print it?"
COLOURS = {RIGHT: "#0072b2", WRONG: "#d55e00", OPEN: "#888888"}


class NotAnswered(Exception):
    """The answer still holds `...` where the learner is to write."""


@dataclass(frozen=True)
class Verdict:
    """What a check says: whether the answer is right, and why, in a sentence or two."""

    state: Literal["right", "wrong", "open"]
    text: str

    def __repr__(self) -> str:
        return f"{WORDS[self.state]} {self.text}".strip()

    def _repr_html_(self) -> str:
        said = as_html(self.text).replace("\n", "<br>")
        return boxed(f"<b>{MARKS[self.state]} {WORDS[self.state]}</b> {said}", self.state)


@dataclass(frozen=True)
class Shown:
    """A hint or a solution: text, or code that keeps its lines."""

    text: str
    code: str = ""

    def __repr__(self) -> str:
        return "\n".join(filter(None, (self.text, self.code)))

    def _repr_html_(self) -> str:
        code = f"<pre>{html.escape(self.code)}</pre>" if self.code else ""
        return boxed(as_html(self.text) + code, OPEN)


def as_html(text: str) -> str:
    """Text as HTML, with code in backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def boxed(content: str, state: str) -> str:
    """HTML with a coloured edge."""
    style = f"border-left: 4px solid {COLOURS[state]}; padding: 0.4em 0.8em; margin: 0.4em 0"
    return f'<div style="{style}">{content}</div>'


def is_offered(kind: str) -> bool:
    """Whether `hints` or `solutions` are shown: `COURSE_HELP` lists those that are.

    A switch for graded work, no lock: the text of both comes with the course.
    """
    return kind in os.environ.get("COURSE_HELP", "hints solutions").split()


def right(text: str) -> Verdict:
    """The verdict on a right answer."""
    return Verdict(RIGHT, text)


def wrong(text: str) -> Verdict:
    """The verdict on a wrong answer: what is wrong, and where to look."""
    return Verdict(WRONG, text)


def is_open(answer: Any) -> bool:
    """Whether an answer, or a part of it, is still `...`, or a function whose body is."""
    if isinstance(answer, (list, tuple, set)):
        return any(is_open(part) for part in answer)
    if isinstance(answer, dict):
        return any(is_open(part) for part in answer.values())
    return answer is ... or (inspect.isfunction(answer) and _is_untouched(answer))


def _is_untouched(function: Callable[..., Any]) -> bool:
    """Whether a function's body, but for a docstring, is `...`.

    Only its text tells: to Python, `...` and `return None` are the same instructions.
    """
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, SyntaxError, TypeError):  # no cell or file, or a lambda amid a line
        return False
    if not isinstance(definition, ast.FunctionDef):
        return False
    body = definition.body[ast.get_docstring(definition) is not None :]
    return bool(body) and all(ast.unparse(statement) == "..." for statement in body)


def call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a learner's function.

    Raises:
        NotAnswered: where it returns `...`.
    """
    answer = function(*arguments, **options)
    if is_open(answer):
        raise NotAnswered
    return answer


def told(error: Exception) -> str:
    """What to say of an error: its own words, and the learner's line that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    words = f"{type(error).__name__}: {_shortened(str(error))}"
    if line := next((frame for frame in reversed(frames) if _is_learners(frame.filename)), None):
        code = f": `{line.line.strip()}`" if line.line else ""
        return f"It ended in {words} In line {line.lineno} of your code{code}"
    if Path(frames[-1].filename).is_relative_to(ROOT / "helpers"):
        if str(error).startswith("Received: "):
            return str(error)
        return f"Your answer has not the form that is asked for. Judging it ended in {words}"
    return f"It ended in {words}"


def _is_learners(filename: str) -> bool:
    """Whether a line of code was written in a notebook: neither ours nor of a library."""
    path = Path(filename)
    # TensorFlow writes functions that it traces to files of its own.
    ours = path.is_relative_to(ROOT / "helpers") or "__autograph_generated" in filename
    return (
        not ours
        and not any(map(path.is_relative_to, LIBRARIES))
        and not filename.startswith("<frozen")
    )


def _shortened(text: str) -> str:
    """An error's own words without colours, paths and pages of detail."""
    lines = [line.strip() for line in COLOUR_CODE.sub("", text).splitlines() if line.strip()]
    if lines and lines[0].lower().startswith("in user code"):
        lines = lines[-1:]  # what TensorFlow wraps around an error ends with the error
    said = " ".join(lines[:2])[:MOST_LETTERS].rstrip()
    return said if said.endswith((".", "!", "?")) else f"{said}."


class Exercise:
    """One exercise of a lesson.

    Args:
        judge: from an answer, and what else the lesson hands to `check`, to a `Verdict`. Its name
            is the exercise's, its docstring says what is asked.
        hints: from a nudge to nearly the answer.
        solution: code that works in the lesson; it sets `answer`, or defines what the lesson's
            cell asks for under the name of `answer_name`. Or a function that gives that code.
        answer_name: what the lesson's cell calls the answer.
    """

    def __init__(
        self,
        judge: Callable[..., Verdict],
        hints: tuple[str, ...],
        solution: str | Callable[[], str],
        answer_name: str = "answer",
    ) -> None:
        self.name = judge.__name__
        self.lesson = judge.__module__.rpartition(".")[2]
        self.task = (judge.__doc__ or "").strip()
        self.hints, self.answer_name = hints, answer_name
        self._judge, self._solution = judge, solution

    @property
    def key(self) -> str:
        """Under which its progress is kept: its name, for its lesson may get another number."""
        return self.name

    @property
    def code(self) -> str:
        """The solution's."""
        code = self._solution() if callable(self._solution) else self._solution
        return code.strip() + "\n"

    def __repr__(self) -> str:
        return f"{self.task}\nCheck it with .check(answer); .hint() and .solution() help."

    def check(self, answer: Any = ..., *context: Any) -> Verdict:
        """Judge an answer and keep the progress; an error in the answer is a verdict, too.

        Args:
            answer: the learner's; `...` is 'not answered yet'.
            context: what the exercise needs of the lesson, such as features and labels.
        """
        if is_open(answer):
            return self._open()
        try:
            # It traces functions again and again, of which TensorFlow warns.
            with quiet.library("tensorflow"):
                verdict = self._judge(answer, *context)
        except NotAnswered:
            return self._open()
        except Exception as error:  # whatever a learner's code raises is what they want to read
            verdict = wrong(NONE if answer is None else told(error))
        progress.record(self.key, right=verdict.state == RIGHT)
        return verdict

    def hint(self) -> Shown:
        """The next hint; after the last one, the first again."""
        if not is_offered("hints"):
            return Shown(NOT_OFFERED.format("hints"))
        number = progress.next_hint(self.key) % len(self.hints)
        last = number + 1 == len(self.hints)
        more = " There is no further one; `.solution()` shows working code." if last else ""
        return Shown(f"Hint {number + 1} of {len(self.hints)}: {self.hints[number]}{more}")

    def solution(self) -> Shown:
        """Working code."""
        if not is_offered("solutions"):
            return Shown(NOT_OFFERED.format("solutions"))
        return Shown("One way to do it:", self.code)

    def _open(self) -> Verdict:
        return Verdict(OPEN, f"Put your answer in place of the dots. {self.help}")

    @property
    def help(self) -> str:
        """Where help is to be had."""
        return f"Stuck? `exercises.{self.name}.hint()` gives a hint."


def exercise(
    *, hints: tuple[str, ...], solution: str | Callable[[], str], answer_name: str = "answer"
) -> Callable[[Callable[..., Verdict]], Exercise]:
    """Make an exercise of the function that judges its answers."""

    def make(judge: Callable[..., Verdict]) -> Exercise:
        return Exercise(judge, hints, solution, answer_name)

    return make


def of_lesson(number: int) -> tuple[Exercise, ...]:
    """The exercises of a lesson in their order; none where it has no module."""
    try:
        module = importlib.import_module(f"helpers.exercises.lesson_{number}")
    except ModuleNotFoundError as error:
        if error.name != f"helpers.exercises.lesson_{number}":
            raise
        return ()
    return tuple(value for value in vars(module).values() if isinstance(value, Exercise))
