"""The command line of `course.py`: every command with its options, and no other place for them.

Standard library only: `course.py` reads the command line before anything is installed, and then
starts this module in the course's own environment, which reads it once more and does it.

A new command is a paragraph in `parser` and a module of the same name beside this one, whose
`main` takes the options as keyword arguments and returns the exit code.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.lessons import Lesson, find
from helpers.paths import ROOT
from helpers.recipes import RECIPES, from_text

ABOUT = """\
Open, test or run the course. The first start makes the folder .venv and installs the locked
packages there; COURSE_DEVICE=cpu or =gpu chooses which, otherwise an NVIDIA card on Linux does.
"""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says, in the course's folder; the exit code."""
    options = parse(arguments)
    os.chdir(ROOT)
    if recipe := options.pop("recipe", None):
        os.environ["COURSE_RECIPE"] = recipe  # lessons read it, in processes of their own
    try:
        command = importlib.import_module(f"helpers.commands.{options.pop('command')}")
        return command.main(**options)
    except KeyboardInterrupt:
        return 130


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The command and its options by name; `extra` is what stands after `--`.

    Raises:
        SystemExit: with a usage message, where the command line is wrong or asks for help.
    """
    arguments = list(arguments)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    top = parser()
    options = vars(top.parse_args(arguments[:end]))
    extra = arguments[end + 1 :]
    if "extra" in options:
        options["extra"] = extra
    elif extra:
        top.error(f"nothing may follow -- in '{options['command']}': {' '.join(extra)}")
    return options


def parser() -> argparse.ArgumentParser:
    """The commands and their options, each option an argument of the command's `main`."""
    top = argparse.ArgumentParser(prog="course.py", description=ABOUT)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    lab = add("lab", "Open JupyterLab on your copies of the lessons, the start page in front.")
    lab.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    lab.add_argument("--port", type=port, help="this port or none; default: 8888 or the next free")
    lab.add_argument("--originals", action="store_true", help="authors: open notebooks/ itself")
    lab.set_defaults(extra=[])

    afresh = add("afresh", "Start a lesson afresh; your copy of it stays, under another name.")
    afresh.add_argument("lesson", type=lesson, metavar="LESSON", help="number or name")

    test = add("test", "Run every check, the lessons included; what follows -- goes to pytest.")
    test.add_argument("--lesson", type=lesson, metavar="N", help="only this lesson's notebook")
    test.add_argument(*RECIPE, type=recipe, metavar="NAME", help=RECIPE_HELP)
    test.add_argument("--fast", action="store_true", help="leave out what is marked slow")
    test.set_defaults(extra=[])

    run = add("run", "Run lessons without a browser and write each as an HTML page.")
    run.add_argument("lesson", type=lesson, nargs="?", metavar="LESSON", help=LESSON_HELP)
    run.add_argument(*RECIPE, type=recipe, metavar="NAME", help=RECIPE_HELP)

    script = add("script", "Print a lesson's own Keras code as a script that needs no course.")
    script.add_argument("lesson", type=lesson, metavar="LESSON", help="number or name")

    fetch = add("fetch", "Download pictures and weights ahead, for a classroom or a flight.")
    # The command itself says which names it knows: the bases are not known here.
    fetch.add_argument("names", nargs="+", metavar="NAME", help=FETCH_HELP)

    build = add("build", "Authors: turn the lessons' text into notebooks, or compare the two.")
    build.add_argument("lesson", type=lesson, nargs="?", metavar="LESSON", help=LESSON_HELP)
    way = build.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="run nothing, say where they disagree")
    way.add_argument(
        "--from-notebooks", action="store_true", help="JupyterLab's edits into the text"
    )

    add_class(add("class", "Instructors: hand out exercises, take them in, grade them, report."))

    add("cluster", "Install Ray for lesson 12: the same work on many machines.")
    add("site", "Make a site of the lessons and all other pages, to read without running them.")
    add("doctor", "Say what this machine has, what is missing and how long the lessons take.")
    return top


def add_class(top: argparse.ArgumentParser) -> None:
    """The steps of `class`, each with its options."""
    top.set_defaults(command="classroom")  # `class` is a word of Python's
    steps = top.add_subparsers(dest="step", metavar="STEP", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return steps.add_parser(name, help=text, description=text)

    make = add("assignment", "Make an assignment of a lesson; without one, list what can be made.")
    make.add_argument("lesson", type=lesson, nargs="?", metavar="LESSON", help="number or name")
    make.add_argument("--all", action="store_true", dest="all_lessons", help="of all lessons")
    make.add_argument("--no-hints", action="store_true", help="learners get no hints")
    make.add_argument("--no-solutions", action="store_true", help="nor solutions")

    examples = add("examples", "Write three submissions, to try the other steps on.")
    examples.add_argument("lesson", type=lesson, metavar="LESSON", help="number or name")
    examples.add_argument("folder", type=full_path, metavar="FOLDER", help="where to write them")

    collect = add("collect", "Take in and grade all notebooks in a folder; see the guide first.")
    collect.add_argument(
        "folder", type=full_path, metavar="FOLDER", help="one folder or file a person"
    )
    collect.add_argument("--minutes", type=float, default=10, help="a person at most; default: 10")
    collect.add_argument("--cell-seconds", type=int, default=60, help="a cell; default: 60")
    collect.add_argument("--memory-gb", type=float, default=6, help="a process; default: 6")

    report = add("report", "Write the class's tables and the page of what was hard.")
    report.add_argument(
        "--people", type=full_path, metavar="CSV", help="the class: id, name, email, handed_in_as"
    )


# What an option's text stands for. The complaint of each is the sentence that a learner reads.

FETCH_HELP = "tutorial or article, which are recipes; or photos, tfds, bases, or a base"
LESSON_HELP = "number or name; default: all"
RECIPE = ("--recipe", "--pictures")  # the second as in the course's first editions
RECIPE_HELP = "drawings, tutorial, article, or a folder with one subfolder a class"


def lesson(text: str) -> Lesson:
    """The lesson called by its number or by the beginning of its file's name."""
    try:
        return find(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def recipe(text: str) -> str:
    """The name of a recipe, also by its pictures, or a folder's full path."""
    try:
        found = from_text(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"there is no recipe '{text}': choose one of {', '.join(RECIPES)}, or name "
            "a folder with one subfolder a class."
        ) from None
    return found.name if found.name in RECIPES else found.pictures


def full_path(text: str) -> Path:
    """A path from where the command was given: commands run in the course's folder."""
    return Path(text).expanduser().resolve()


def port(text: str) -> int:
    """A port that nobody listens at."""
    with contextlib.closing(socket.socket()) as probe:
        if os.name != "nt":  # as Jupyter's own server does; Windows would allow two listeners
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except (OSError, OverflowError):
            raise argparse.ArgumentTypeError(
                f"port {text} is in use or not allowed: choose another, "
                "or leave --port out and the next free one is taken."
            ) from None
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
