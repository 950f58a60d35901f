"""A classroom: what others fetched and computed is read from a folder that nobody may write to."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from helpers import features, paths, pictures
from helpers.exercises import progress
from helpers.pictures import photographs

HERE = Path(__file__).parent
COUNTS = {"train/cats": 3, "train/dogs": 3, "validation/cats": 2, "validation/dogs": 2}

VARIABLES = (
    "COURSE_CACHE",
    "COURSE_SHARED",
    "COURSE_PROGRESS",
    "COURSE_MIRROR",
    "COURSE_PICTURES",
    "COURSE_RECIPE",
)


def lesson(environment: dict[str, str]) -> str:
    """What a lesson does: load pictures, extract their features, keep the progress.

    Returns:
        How many pictures and features there are, and where these are kept.
    """
    import keras

    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        for name, value in {"COURSE_MIRROR": "http://127.0.0.1:9", **environment}.items():
            patch.setenv(name, value)
        patch.setattr(photographs, "COUNTS", COUNTS)
        found = pictures.load("photos", 32, quiet=True)
        model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D()])
        extracted = features.extract(model, found.train.images)
        progress.record("lesson_1.counts", right=True)
    return f"{len(found.train)} {extracted.shape} {extracted.filename}"


def lesson_of_another(environment: dict[str, str], before: Sequence[str]) -> str:
    """The same in a process of its own, started with these words in front."""
    asked = f"from test_classroom import lesson; print(lesson({environment}))"
    ran = subprocess.run(
        [*before, sys.executable, "-c", asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(paths.ROOT), str(HERE)])},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip().splitlines()[-1]


def fill(folder: Path) -> None:
    """Photographs as they lie in a cache when they have been fetched."""
    for inside, count in COUNTS.items():
        path = folder / "photos" / photographs.TOP / inside
        path.mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (40, 40), (number * 40, 0, 0)).save(path / f"{number}.jpg")


def protect(folder: Path, writable: bool) -> None:
    """Take the right to write from everything inside, or give it back to the owner."""
    for path in [folder, *folder.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode) & ~0o222
        path.chmod(mode | 0o200 if writable else mode)


# An administrator may write everywhere, but for these two of his powers.
POWERLESS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
CAN_PROTECT = hasattr(os, "geteuid") and (os.geteuid() > 0 or shutil.which("setpriv"))


@pytest.mark.skipif(not CAN_PROTECT, reason="Nothing can be kept from being written here.")
def test_a_learner_reads_the_shared_cache_and_writes_only_to_the_own(tmp_path: Path) -> None:
    teachers, learners = tmp_path / "teacher", tmp_path / "learner"
    learners.mkdir()
    fill(teachers)
    first = lesson({"COURSE_CACHE": str(teachers)})
    assert first.startswith(f"6 (6, 3) {teachers}")
    before = {path: path.stat().st_mtime_ns for path in teachers.rglob("*")}
    own = {"COURSE_CACHE": str(learners), "COURSE_SHARED": str(teachers)}
    protect(teachers, writable=False)
    try:
        assert lesson_of_another(own, [] if os.geteuid() else POWERLESS) == first
    finally:
        protect(teachers, writable=True)
    assert {path: path.stat().st_mtime_ns for path in teachers.rglob("*")} == before
    assert (learners / "progress.json").exists()
    # What is damaged there is computed anew.
    store = Path(first.split()[-1])
    store.write_bytes(store.read_bytes()[:-1] + b"?")
    assert lesson(own).startswith(f"6 (6, 3) {learners}")
