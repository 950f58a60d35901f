"""Have nbgrader run each person's answers in a process with limits and a home of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers.classroom import collecting, places
from helpers.classroom.collecting import HandedIn
from helpers.paths import ROOT, cache_folder

# What a stranger's code may know of the instructor's environment.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "TF_CPP_MIN_LOG_LEVEL", "SYSTEMROOT")
FAILED = "could not be run to its end: a cell that cannot be interrupted, or a kernel that died"


@dataclass(frozen=True)
class Limits:
    """What one person's notebook may take.

    Attributes:
        cell_seconds: a cell that runs longer is interrupted, and the next one begins.
        seconds: the whole notebook; then its processes are ended, and nothing of it counts.
        memory_gb: address space of each process. Lesson 6's solutions, the greediest, take 4.1, and
            4.6 with TensorFlow's pools of threads as on 32 cores (benchmarks/README.md). Linux
            only; elsewhere nothing limits it.
    """

    cell_seconds: int = places.CELL_SECONDS
    seconds: int = 600
    memory_gb: float = 6.0


def grade(handed_in: HandedIn, limits: Limits) -> HandedIn:
    """Grade one; where that cannot be done, grade one without answers and say why."""
    trouble = autograde(handed_in, limits)
    if trouble:
        handed_in.trouble = trouble
        release = nbformat.read(places.released(handed_in.assignment), as_version=4)
        collecting.write_submission(handed_in, release)
        if autograde(handed_in, Limits()):  # this code is ours
            handed_in.trouble = f"{trouble}; nor can the assignment without answers be graded"
    return handed_in


def autograde(handed_in: HandedIn, limits: Limits) -> str:
    """Start nbgrader on one person's notebook; what went wrong, or nothing."""
    command = [sys.executable, "-m", "nbgrader", "autograde", handed_in.assignment]
    command += ["--student", handed_in.person, "--force", "--create"]
    command += [f"--Execute.timeout={limits.cell_seconds}", "--log-level=WARN"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        log = Path(home) / "grading.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=places.class_folder(),
                env=environment(Path(home)),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=limiter(limits),
            )
            ended = wait(process, limits.seconds)
        if not ended:
            return f"stopped after {limits.seconds} s"
        if not process.returncode:
            return ""
        kept = places.class_folder() / "logs" / f"{handed_in.person}-{handed_in.assignment}.log"
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(log, kept)
        return f"{FAILED}; {kept} has nbgrader's words"


def wait(process: subprocess.Popen, seconds: int) -> bool:
    """Whether it ended in time; what it started is ended in either case."""
    try:
        process.wait(timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    """End a process and its kernel, which has a session of its own."""
    import psutil

    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    if process.poll() is None:
        process.kill()
    for child in started:
        if child.is_running():
            child.kill()
    process.wait()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def limiter(limits: Limits) -> Callable[[], None] | None:
    """What a new process calls to limit its memory, and that of all that it starts."""
    if not sys.platform.startswith("linux"):
        return None
    import resource

    most = int(limits.memory_gb * 1e9)
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most))


def environment(home: Path) -> dict[str, str]:
    """An environment without the instructor's secrets, whose home and cache are empty folders."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    for name in ("cache", "tmp"):
        (home / name).mkdir()
    return {
        **passed,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home / "tmp"),
        "COURSE_CACHE": str(home / "cache"),
        "COURSE_SHARED": str(cache_folder()),
        "COURSE_PROGRESS": str(home / "progress.json"),
        "COURSE_RECIPE": "drawings",
        "CUDA_VISIBLE_DEVICES": "-1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONPATH": str(ROOT),
    }
