"""The drawings that come with the course, as a picture set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from helpers import paths
from helpers.drawings import sets
from helpers.pictures.arrangements import Listing, belongs, class_folders, files_of
from helpers.pictures.folder import load_files
from helpers.pictures.splits import PARTS, File, Parts, PictureSet, shuffled


def load(size: int, seed: int, in_memory: bool) -> PictureSet:
    """The embedded drawings, split as they lie; the seed decides the order."""
    top = fetch()
    class_names = class_folders(top / "train")
    listed = {
        part: [
            replace(file, name=f"{part}/{file.name}")
            for label, class_name in enumerate(class_names)
            for file in files_of(top / part / class_name, label)
        ]
        for part in PARTS
    }

    def divide(files: Sequence[File]) -> Parts:
        generator = np.random.default_rng(seed)
        still_there = set(files)
        return tuple(
            shuffled([file for file in part if file in still_there], generator)
            for part in listed.values()
        )

    files = [file for part in listed.values() for file in part]
    return load_files(Listing("drawings", class_names, files, []), divide, size, in_memory)


def missing() -> str | None:
    """None where the drawings are whole; else what to do."""
    if _whole():
        return None
    return (
        f"The drawings are not whole in {sets.EMBEDDED}. {paths.bring_back('data/drawings')} "
        f"`python -m helpers.drawings` draws them again."
    )


def fetch() -> Path:
    """The folder of the drawings.

    Raises:
        RuntimeError: where it is not whole.
    """
    if reason := missing():
        raise RuntimeError(reason)
    return sets.EMBEDDED


def _whole() -> bool:
    """Whether the table and all pictures of the embedded set are there."""
    order = sets.Order()
    folders = {
        sets.EMBEDDED / part / animal: each
        for part, each in order.each.items()
        for animal in order.animals
    }
    whole = all(
        folder.is_dir() and sum(map(belongs, os.listdir(folder))) == each
        for folder, each in folders.items()
    )
    return whole and (sets.EMBEDDED / sets.TRUTH).is_file()
