"""pytest's settings for the whole course: slow checks, and lessons that lack their downloads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from helpers import recipes
from helpers.lessons import LESSONS, PROJECT, START, Lesson

# A lesson from here on is slow: `test --fast` leaves it out.
SLOW_SECONDS = 25
# Test files that take long, in seconds on one core: they begin before the short ones, and are slow.
LONG_FILES = {
    "test_scripts.py": 60,
    "test_browser.py": 60,
    "test_class.py": 150,
    "test_cluster.py": 280,
    "test_site.py": 60,
    "test_own_pictures.py": 20,
    "test_browser_start.py": 40,
    "test_browser_project.py": 30,
    "test_exercises_6.py": 60,
    "test_exercises_4.py": 45,
    "test_preflight.py": 15,
    "test_preflight_cases.py": 40,
    "test_preflight_model.py": 20,
    "test_preflight_data.py": 10,
    "test_preflight_outputs.py": 10,
    "test_preflight_alone.py": 10,
    "test_features.py": 40,
    "test_project.py": 45,
    "test_published.py": 20,
    "test_benchmarks.py": 20,
}
NO_NETWORK = Path(__file__).with_name("tests") / "no_network"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and keep to a share of the cores."""
    config.addinivalue_line("markers", "slow: `test --fast` leaves it out")
    os.environ["COURSE_STRICT"] = "1"  # a result outside its band fails; a learner is only told
    if not os.environ.get("COURSE_PICTURES"):  # what is tested does not hang on a learner's choice
        os.environ.setdefault("COURSE_RECIPE", "drawings")
    keep_to_own_cores()


def keep_to_own_cores() -> None:
    """Give each of several test processes cores of its own, its kernels included.

    Each would otherwise start a thread a core, and all of them wait for each other: lessons 3 and 6
    side by side took 90 s that way and 75 s this way, on two cores.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        os.sched_setaffinity(0, cores[int(worker) :: workers] or cores)


@pytest.hookimpl(tryfirst=True)  # before pytest's own hook, which deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each cell of a lesson: slow, or skipped with the reason.

    A skipped cell is passed over before its file is set up, so that no kernel starts in vain.
    """
    for item in items:
        lesson = lesson_of(item)
        if lesson is None:
            if item.path.name in LONG_FILES:
                item.add_marker(pytest.mark.slow)
            continue
        if lesson.seconds >= SLOW_SECONDS:
            item.add_marker(pytest.mark.slow)
        if reason := missing(lesson):
            item.add_marker(pytest.mark.skip(reason=reason))
    items.sort(key=lambda item: -seconds_of(item))


def seconds_of(item: pytest.Item) -> int:
    """How long its file takes, as far as is known: what takes long begins first.

    Of several processes none is then left with a long lesson while the others are done.
    """
    lesson = lesson_of(item)
    if lesson is not None:
        return lesson.seconds
    return LONG_FILES.get(item.path.name, 0)


@pytest.hookimpl(trylast=True)  # after pytest's own hook, which notes what failed for `--lf`
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have `--lf` run a lesson's failed cell with the cells before it, which it needs."""
    notes = getattr(session.config, "cache", None)
    if notes is None or hasattr(session.config, "workerinput"):
        return
    failed = notes.get("cache/lastfailed", {})
    for name in list(failed):
        stem, found, number = name.partition(".ipynb::Cell ")
        if found:
            failed.update({f"{stem}.ipynb::Cell {n}": True for n in range(int(number))})
    notes.set("cache/lastfailed", failed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Start the kernel of a lesson on drawings, which happens here, cut off from the network."""
    if lesson_of(item) is None or recipes.chosen().name != "drawings":
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(NO_NETWORK), prepend=os.pathsep)
        return (yield)


def lesson_of(item: pytest.Item) -> Lesson | None:
    """The lesson whose cell `item` is, if it is one."""
    if item.path.suffix != ".ipynb":
        return None
    pages = (START, *LESSONS, PROJECT)
    return next((lesson for lesson in pages if lesson.stem == item.path.stem), None)


@cache
def missing(lesson: Lesson) -> str | None:
    """Why the lesson cannot run here, or None where all that it needs is there."""
    from helpers import bases, pictures

    try:
        recipe = recipes.chosen()
        if lesson.needs_pictures and (reason := pictures.is_ready(recipe.pictures)):
            return reason
        if lesson.needs_weights and (reason := bases.is_ready(recipe.base)):
            return reason
    except ValueError:  # no such recipe: the lesson itself says so, and fails
        return None
    return None
