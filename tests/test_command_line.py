"""The command line: what each command is given, and what it says where that is wrong."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import socket
import subprocess
import sys

import pytest

from helpers.commands import command_line, lab
from helpers.commands.test import SHARED, pytest_arguments
from helpers.lessons import LESSONS
from helpers.paths import ROOT

STEPS = ["assignment", "examples 1 folder", "collect folder", "report"]
COMMANDS = ["lab", "afresh 3", "test", "run", "fetch photos", "build", "site", "doctor"]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_commands_options_are_the_arguments_of_its_module(line):
    options = command_line.parse(line.split())
    module = importlib.import_module(f"helpers.commands.{options.pop('command')}")
    options.pop("recipe", None)  # which goes to the lessons, as a variable
    assert set(options) == set(inspect.signature(module.main).parameters)


@pytest.mark.parametrize("step", STEPS)
def test_a_steps_options_are_arguments_of_the_class(step):
    options = command_line.parse(["class", *step.split()])
    module = importlib.import_module(f"helpers.commands.{options.pop('command')}")
    assert set(options) <= set(inspect.signature(module.main).parameters)


def test_help_needs_nothing_installed():
    program = [sys.executable, "-S", "-E", str(ROOT / "course.py"), "--help"]  # no site-packages
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert all(line.split()[0] in said for line in COMMANDS)


def test_pictures_of_ones_own_are_named_from_where_one_is(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    options = command_line.parse(["run", "3", "--recipe", "mine"])
    assert options == {
        "command": "run",
        "lesson": LESSONS[2],
        "recipe": str((tmp_path / "mine").resolve()),
    }


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("test --fats", "unrecognized arguments: --fats"),
        ("test --recipe tutrial", "no recipe 'tutrial': choose one of drawings, tutorial, article"),
        ("test --lesson 77", "lesson '77'"),
        ("build --check --from-notebooks", "not allowed with"),
        ("lab --port 70000", "port 70000 is in use or not allowed"),
        ("doctor -- -x", "nothing may follow -- in 'doctor': -x"),
    ],
)
def test_what_is_wrong_is_said(line, complaint, capsys):
    with pytest.raises(SystemExit) as raised:
        command_line.parse(line.split())
    assert raised.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_port_in_use_is_said(capsys):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        number = listener.getsockname()[1]
        with pytest.raises(SystemExit):
            command_line.parse(["lab", "--port", str(number)])
    assert f"port {number} is in use" in capsys.readouterr().err


def test_what_follows_the_dashes_is_passed_on():
    assert command_line.parse(["lab", "--", "--debug"])["extra"] == ["--debug"]
    assert lab.server_arguments(ROOT, False, None, ["--debug"])[-1] == "--debug"


def test_what_was_just_installed_is_compiled_ahead_and_only_once(tmp_path, monkeypatch):
    (tmp_path / "just_installed.py").write_text("import just_below\n", encoding="utf-8")
    (tmp_path / "just_below.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    started = lab.compile_ahead("just_installed")
    assert started is not None and started.wait(timeout=60) == 0
    names = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert names == {"just_installed", "just_below"}
    assert lab.compile_ahead("just_installed") is None
    assert lab.compile_ahead("never_installed") is None


# What pytest is given


def arguments(line: str, on_gpu: bool = False) -> list[str]:
    """pytest's command line for what follows `course.py test`."""
    options = command_line.parse(["test", *line.split()])
    return pytest_arguments(options["lesson"], options["fast"], options["extra"], on_gpu)


def is_shared(line: str, on_gpu: bool = False) -> bool:
    """Whether several processes share the work."""
    return set(SHARED) <= set(arguments(line, on_gpu))


@pytest.mark.parametrize(
    "line", ["", "--fast", "-- -x", "-- --durations=20", "-- --lf", "-- tests"]
)
def test_several_processes_share_the_work(line):
    assert is_shared(line)
    assert not is_shared(line, on_gpu=True)


@pytest.mark.parametrize(
    "line",
    [
        "--lesson 3",
        "-- -n 3",
        "-- -n0",
        "-- tests/test_files.py",
        "-- tests/test_files.py::test_x -x",
    ],
)
def test_one_process_does_what_is_small_or_told(line):
    assert not is_shared(line)


def test_pytests_own_words():
    assert arguments("--fast -- -x", on_gpu=True) == ["-rs", "-m", "not slow", "-x"]
    assert arguments("--lesson 3") == ["-rs", str(LESSONS[2].notebook)]
    assert arguments("-- tests/test_files.py -x") == ["-rs", "tests/test_files.py", "-x"]


@pytest.mark.parametrize("option", ["--recipe article", "--pictures tfds"])
def test_the_chosen_recipe_and_device_reach_pytest(monkeypatch, option):
    asked = []
    monkeypatch.setattr(pytest, "main", lambda line: asked.append(line) or 5)
    monkeypatch.setenv("COURSE_RECIPE", "tutorial")  # what `main` sets is taken back with this
    monkeypatch.setenv("COURSE_DEVICE", "gpu")
    assert command_line.main(["test", *option.split()]) == 5
    assert asked == [["-rs"]] and os.environ["COURSE_RECIPE"] == "article"
