"""What a recipe needs on this machine: what is here, what has to be downloaded, fetching it.

`python -m helpers.fetching NAME [FOLDER]` fetches and prints lines of JSON, for the start page: a
process of its own can be stopped at any moment, and what it has begun is gone on with later.
"""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import bases, downloads, machine, own_folder, paths, pictures, recipes
from helpers.lessons import LESSONS, REFERENCE_PICTURES_PER_SECOND, expected_seconds
from helpers.recipes import Recipe

RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped", "failed"
COMMAND = (sys.executable, "-m", "helpers.fetching")
PREPARING = "TensorFlow Datasets prepares the pictures:"
# A process that was asked to end and did not is ended after these.
PATIENCE_SECONDS = 0.6
# Pictures to train and to validate with.
COUNTS = {"tutorial": (2000, 500), "article": (9305, 2326)}
SUPPOSED = (850, 150)
# Multiply-adds of a picture as multiples of MobileNetV2's at 160 x 160, by `costs.multiply_adds`.
WORK = {"MobileNetV2": 1.0, "Xception": 12.6}


@dataclass(frozen=True)
class Part:
    """One thing to download.

    Attributes:
        name: what `get` and `missing` take.
        what: in a word, such as `"photographs"`.
        megabytes: about; 0 where that is not known.
        get: fetches it; returns where it is.
        missing: returns None where it is here, else how to get it.
    """

    name: str
    what: str
    megabytes: int
    get: Callable[[str], Path]
    missing: Callable[[str], str | None]

    @property
    def here(self) -> bool:
        """Whether it is on this machine, whole."""
        return self.missing(self.name) is None

    def fetch(self) -> Path:
        """Download it, unless it is here.

        Raises:
            RuntimeError, OSError: where that fails.
        """
        return self.get(self.name)


def parts(recipe: Recipe) -> tuple[Part, ...]:
    """What a recipe downloads; nothing for the drawings."""
    found = []
    if recipe.pictures in pictures.SETS and "photographs" in recipe.megabytes:
        size = recipe.megabytes["photographs"]
        found.append(Part(recipe.pictures, "photographs", size, pictures.fetch, pictures.is_ready))
    if bases.find(recipe.base).pretrained_on == "imagenet":
        size = recipe.megabytes.get("weights", 0)
        found.append(Part(recipe.base, "weights", size, bases.fetch, bases.is_ready))
    return tuple(found)


def needs(name: str) -> tuple[Part, ...]:
    """As `parts`, by a recipe's name; a folder's are the same wherever it is."""
    recipe = recipes.find("folder", paths.ROOT) if name == "folder" else recipes.find(name)
    return parts(recipe)


def size(name: str) -> str:
    """What a recipe downloads, in a few words."""
    wanted = [f"{part.megabytes} MB of {part.what}" for part in needs(name)]
    return " and ".join(wanted) or "no download"


def here(name: str) -> str:
    """What of that is on this machine, in a few words; as it is now."""
    wanted = needs(name)
    absent = [part for part in wanted if not part.here]
    if not absent:
        return "all of it is here" if wanted else "it comes with the course"
    if len(absent) == len(wanted):
        return "not here yet"
    there = ", ".join(part.what for part in wanted if part.here)
    return f"{there} are here, {sum(part.megabytes for part in absent)} MB to come"


# How long


def expected_minutes(
    recipe: Recipe, counts: tuple[int, int] | None = None, rate: float | None = None
) -> float:
    """About how long the cells of lessons 1 to 5 run with a recipe, in minutes: a calculation.

    For the drawings it is the lessons' measured time. For others come the three passages that
    take long: a head on the frozen base, fine-tuning, and the frozen part once. Each picture
    counts once for the way through the network, and once or twice more where weights train; a
    lesson ends a training after `recipe.minutes`.

    Args:
        recipe: which.
        counts: pictures to train and to validate with; by default those of the course's own sets.
        rate: pictures a second of MobileNetV2 at 160 x 160; by default as on the machine on which
            the lessons were measured.
    """
    rate = rate or REFERENCE_PICTURES_PER_SECOND
    seconds = sum(expected_seconds(each, rate) for each in LESSONS if each.number <= 5)
    train, validation = counts or COUNTS.get(recipe.name, (0, 0))
    backward = 1 if recipe.unfreeze_from else 2
    passes = (
        recipe.head_epochs * (train + validation),
        recipe.fine_tuning_epochs * ((1 + backward) * train + validation),
        train + validation,
    )
    if recipe.name == "drawings":
        passes = (0, 0, 0)
    each = rate / WORK.get(recipe.base, 1.0)
    return seconds / 60 + sum(min(count / each / 60, recipe.minutes) for count in passes)


def duration(name: str, counts: tuple[int, int] | None = None, rate: float | None = None) -> str:
    """How long lessons 1 to 5 take, in a few words that say how that is known.

    Args:
        name, counts, rate: as of `expected_minutes`; of a folder whose counts are not known it is
            for `SUPPOSED` pictures.
    """
    recipe = recipes.find("folder", paths.ROOT) if name == "folder" else recipes.find(name)
    supposed = name == "folder" and counts is None
    minutes = max(1, round(expected_minutes(recipe, SUPPOSED if supposed else counts, rate)))
    of = f" for {sum(SUPPOSED):,} pictures" if supposed else ""
    where = "on this machine" if rate else "on two CPU cores"
    how = "measured" if name == "drawings" and not rate else "calculated"
    unit = "minute" if minutes == 1 else "minutes"
    return f"about {minutes} {unit}{of} {where} ({how})"


# Fetching in a process of its own


def sentence(error: BaseException) -> str:
    """What failed and what to do, as short as it is known."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, downloads.DownloadError):
            return cause.short
        cause = cause.__cause__
    if isinstance(error, OSError) and error.strerror:
        return f"Your disk or your system said: {error.strerror} ({error.filename or 'no file'})."
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def main(arguments: Sequence[str]) -> int:
    """Fetch what a recipe needs; print JSON lines: `said`, `folder`, `bar`, `failed`."""
    name, *folder = arguments
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _end)  # so that half-written files are tidied away
    try:
        if name == "folder":
            tell(said="Looking at the pictures.")
            looked = own_folder.look_at(folder[0])
            tell(folder=str(looked.path), counts=looked.counts, report=looked.report)
            for note in looked.notes:
                tell(note=note)
        for part in parts(recipes.find(name, *folder)):
            if not part.here:
                tell(said=f"Downloading: {part.what}.")
                part.fetch()
                if reason := part.missing(part.name):
                    raise RuntimeError(reason)
    except (RuntimeError, ValueError, OSError) as error:
        tell(failed=sentence(error))
        return 1
    return 0


def _end(number: int, frame: Any) -> None:
    """Leave by an exception."""
    raise SystemExit(128 + number)


def tell(**line: Any) -> None:
    """Print a line of JSON."""
    print(json.dumps(line), flush=True)


@dataclass(frozen=True)
class Bar:
    """How far one file is.

    Attributes:
        name: of the file.
        done, total: bytes; `total` is None where the server did not say.
        rate: bytes a second, or None where that is not known yet.
    """

    name: str
    done: int
    total: int | None = None
    rate: float | None = None

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def __str__(self) -> str:
        total = f" of {self.total / 1e6:,.1f}" if self.total else ""
        text = f"{self.name}: {self.done / 1e6:,.1f}{total} MB"
        if not self.rate:
            return text
        text += f", {self.rate / 1e6:,.1f} MB/s"
        if self.total:
            text += f", about {readable((self.total - self.done) / self.rate)} left"
        return text


def readable(seconds: float) -> str:
    """Seconds up to two minutes, minutes from there."""
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class Fetching:
    """A recipe that is being fetched, and chosen when all of it is here.

    Args:
        name: of the recipe.
        folder: for `"folder"`, its path.
        changed: called, from a thread, whenever there is something new to show.
        command: the program that fetches; it gets the name and the folder.

    Attributes:
        state: one of the four words above.
        said: what is being done, in a sentence.
        bar: how far the file is that is being downloaded, or None.
        report: of a folder, what is in it, as HTML.
        note: how it ended, in a sentence.
    """

    def __init__(
        self,
        name: str,
        folder: str | Path | None = None,
        changed: Callable[[], None] = lambda: None,
        command: Sequence[str] | None = None,
    ) -> None:
        self.name, self.folder = name, str(folder) if folder else None
        self.state, self.said, self.note, self.report = RUNNING, "Beginning.", "", ""
        self.bar: Bar | None = None
        self._changed = changed
        self._failed = self._last = ""
        self._asked_to_stop = False
        arguments = [name, self.folder] if self.folder else [name]
        self._process = subprocess.Popen(
            [*(command or COMMAND), *arguments],
            cwd=paths.ROOT,
            env=os.environ
            | {"COURSE_BAR": "lines", "COURSE_CACHE": str(paths.cache_folder())}
            | {"PYTHONIOENCODING": "utf-8", "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        self._thread = threading.Thread(target=self._watch, name=f"fetching {name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it within a second; what was downloaded is kept, and gone on with the next time."""
        self._asked_to_stop = True
        self._process.terminate()
        killing = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        killing.daemon = True
        killing.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it has ended and was shown, at most so long."""
        self._thread.join(seconds)

    def _watch(self) -> None:
        """The thread: read what the process says, and see how it ends."""
        with self._process:
            for line in self._process.stdout or ():  # a carriage return ends a line, too
                self._hear(line)
                self._changed()
            self._finish(self._process.wait())
        self._changed()

    def _hear(self, line: str) -> None:
        """Take in one line; what is no JSON comes from a library, and is kept for a failure."""
        try:
            told = json.loads(line)
        except ValueError:
            told = {}
            self._last = line.strip() or self._last
            if counted := re.search(r"(\d+) examples", line):
                self.said, self.bar = f"{PREPARING} {int(counted[1]):,} so far.", None
        if "bar" in told:
            self.bar = Bar(told["bar"], told["done"], told["total"], told["rate"])
        if "said" in told:
            self.said, self.bar = told["said"], None
        if "report" in told:
            self.folder, self.report = told["folder"], told["report"]
            takes = duration("folder", tuple(told["counts"]), machine.speed())
            self.report += f"<p>Lessons 1 to 5: {takes}.</p>"
        if "note" in told:
            self.report += f"<p>{html.escape(told['note'])}</p>"
        self._failed = told.get("failed", self._failed)

    def _finish(self, code: int) -> None:
        """Choose the recipe where all is here; else say why not."""
        self.bar = None
        if code == 0:
            try:
                recipes.choose(self.name, self.folder)
            except (ValueError, OSError) as error:
                self.state, self.note = FAILED, sentence(error)
                return
            self.state, self.note = DONE, f"All is here. The recipe '{self.name}' is chosen."
        elif self._asked_to_stop or (not self._failed and code in {-2, 130}):  # an interrupt
            self.state = STOPPED
            self.note = "Stopped. What was downloaded is kept: click again and it goes on."
        else:
            last = self._last or f"the program ended with code {code}"
            self.state, self.note = FAILED, self._failed or f"It failed: {last}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
