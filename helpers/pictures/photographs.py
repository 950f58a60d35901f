"""The 3,000 photographs of TensorFlow's tutorial: downloaded once, checked, split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from helpers import archives, downloads, paths
from helpers.pictures.arrangements import Listing, belongs, files_of
from helpers.pictures.folder import load_files
from helpers.pictures.splits import File, Parts, PictureSet, halves, shuffled

ZIP = "cats_and_dogs_filtered.zip"
# Both hosts that have served it; it moved from the first to the second in November 2025.
URLS = (
    f"https://storage.googleapis.com/mledu-datasets/{ZIP}",
    f"https://download.mlcc.google.com/mledu-datasets/{ZIP}",
)
TOP = ZIP.removesuffix(".zip")
# Files of each folder in the published archive.
COUNTS = {
    "train/cats": 1000,
    "train/dogs": 1000,
    "validation/cats": 500,
    "validation/dogs": 500,
}


def load(size: int, seed: int, in_memory: bool) -> PictureSet:
    """The published photographs; their validation files are halved by class and seed."""
    top = fetch() / TOP
    class_names = tuple(sorted({PurePosixPath(folder).name for folder in COUNTS}))
    listed = {
        part: [
            file
            for label, class_name in enumerate(class_names)
            for file in files_of(top / part / class_name, label)
        ]
        for part in ("train", "validation")
    }
    given = {file.path for file in listed["train"]}

    def divide(files: Sequence[File]) -> Parts:
        generator = np.random.default_rng(seed)
        train = shuffled([file for file in files if file.path in given], generator)
        held = [file for file in files if file.path not in given]
        return train, *(shuffled(half, generator) for half in halves(held, generator))

    files = listed["train"] + listed["validation"]
    return load_files(Listing("photos", class_names, files, []), divide, size, in_memory)


def missing() -> str | None:
    """None where the photographs are on this machine; else how to get them."""
    if _whole():
        return None
    folder = paths.cache_folder() / "photos"
    wrong = _wrong_counts(_count_files(folder)) if folder.is_dir() else "not on this machine"
    fetch_it = "`python3 course.py fetch photos` downloads them (69 MB)."
    return f"The photographs are {wrong}; {fetch_it}"


def fetch() -> Path:
    """The unpacked photographs, downloaded to the course's cache where they are nowhere whole."""
    if found := _whole():
        return found
    folder = paths.cache_folder() / "photos"
    archive = paths.cache_folder() / ZIP
    checks = downloads.Checks(archives.begins_like_zip, verify=_verify)
    with downloads.writing(folder), downloads.alone(folder):
        if found := _whole():  # another process has fetched them while this one waited
            return found
        downloads.fetch(URLS, archive, checks)
        archives.unpack_zip(archive, folder)
        archive.unlink()
    return folder


def _whole() -> Path | None:
    """The unpacked photographs in one's own cache or a shared one, where they are whole."""
    for folder in (cache / "photos" for cache in paths.caches()):
        if folder.is_dir() and not _wrong_counts(_count_files(folder)):
            return folder
    return None


def _verify(archive: Path) -> None:
    """Check every member's CRC-32 and the published counts.

    There is no fixed digest, for a classroom's mirror may have shrunk the pictures.

    Raises:
        ValueError: with what is wrong.
    """
    names = archives.check_zip(archive)
    wrong = _wrong_counts(Counter(PurePosixPath(name).parent.as_posix() for name in names))
    if wrong:
        raise ValueError(f"the photographs in the zip archive are {wrong}")


def _count_files(folder: Path) -> Counter[str]:
    """How many files each folder of the unpacked archive holds."""
    counts: Counter[str] = Counter()
    for inside in COUNTS:
        path = folder / TOP / inside
        names = os.listdir(path) if path.is_dir() else []
        counts[f"{TOP}/{inside}"] = sum(map(belongs, names))
    return counts


def _wrong_counts(counts: Counter[str]) -> str | None:
    """What differs from the published counts, or None."""
    found = {inside: counts[f"{TOP}/{inside}"] for inside in COUNTS}
    wrong = [
        f"{found[inside]} instead of {expected} in {inside}"
        for inside, expected in COUNTS.items()
        if found[inside] != expected
    ]
    return f"incomplete ({', '.join(wrong)})" if wrong else None
