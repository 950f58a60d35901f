"""A learner's own folder: found by its path as it is typed, read, and told what is in it.

Where there is none, a drawn one stands in for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

import numpy as np

from helpers import bases, pictures, recipes
from helpers.pictures import folder, load_report
from helpers.pictures.arrangements import arrange, is_picture_name
from helpers.recipes import Recipe

STAND_IN = "phone"
# A class of fewer pictures, or of so many times fewer than another, is worth a word.
FEW, TIMES = 30, 3
# Training pictures of a class: one is judged by a head that was trained on the other.
LEAST = 2


@dataclass(frozen=True)
class Folder:
    """A learner's folder that can be used.

    Attributes:
        path: of the folder.
        counts: pictures to train and to validate with.
        report: what is in it and what was left out, with examples, as HTML.
        notes: what is not good about it, a sentence each.
    """

    path: Path
    counts: tuple[int, int]
    report: str
    notes: tuple[str, ...]


def recipe() -> Recipe:
    """The recipe for a learner's folder: `COURSE_FOLDER`'s, else the one of the start page.

    Without either, a folder drawn as it comes off a phone stands in. Where the ImageNet weights are
    not on this machine, the base is the drawn one, and the recipe says so.

    Raises:
        ValueError: where `COURSE_FOLDER` leads nowhere.
    """
    typed = os.environ.get("COURSE_FOLDER")
    found = recipes.find("folder", clean_path(typed)) if typed else recipes.chosen()
    if found.name != "folder":
        return _stand_in()
    lacking = bases.is_ready(found.base)
    return _with_drawn_base(found, lacking) if lacking else found


def _stand_in() -> Recipe:
    """The drawn folder with the drawn base."""
    from helpers.drawings import phone

    path = str(phone.write() / "pictures")
    about = (
        "a drawn folder stands in for yours.\nTo take yours, type its path on the start page, or "
        "set COURSE_FOLDER to it"
    )
    return replace(recipes.RECIPES["drawings"], name=STAND_IN, about=about, pictures=path)


def _with_drawn_base(found: Recipe, lacking: str) -> Recipe:
    """The same pictures with a base that has seen drawings only."""
    about = (
        f"{found.about}.\n{lacking}\nUntil then you use a base that has seen drawings only: good "
        f"enough to try the lesson, not to judge your pictures"
    )
    drawn = recipes.RECIPES["drawings"]
    return replace(drawn, name="folder", about=about, pictures=found.pictures)


def load(taken: Recipe, quiet: bool = False) -> pictures.PictureSet:
    """The folder's pictures, printed with what is not good about them; quiet, only with that.

    Raises:
        ValueError: where it cannot be used, or a class is too small to train with.
    """
    found = pictures.load(taken.pictures, size=taken.side, quiet=quiet)
    counts = np.bincount(found.train.labels, minlength=len(found.class_names))
    if counts.min() < LEAST:
        raise ValueError(
            f"Received: {counts.min()} training pictures of '{found.class_names[counts.argmin()]}'."
            f" Expected: at least {LEAST} of each class, besides those for validation and test. "
            f"Add pictures of it, or remove its folder."
        )
    for said in notes(found):
        print(said)
    return found


def wrong_labels(taken: Recipe) -> frozenset[str]:
    """The files that lie in a wrong class for certain: only the drawn folder knows of any."""
    if taken.name != STAND_IN:
        return frozenset()
    from helpers.drawings import phone

    table = phone.truth(Path(taken.pictures).parent)
    wrong = table.index[table["label"] != table["true"]]
    return frozenset(file.removeprefix("pictures/") for file in wrong)


def clean_path(text: str) -> Path:
    r"""The folder, or the zip or tar archive, that a typed or pasted path means.

    Quotes around it, `~`, `file://`, a shell's `\ ` for a blank and, where that leads somewhere,
    the separators of another system are understood.

    Raises:
        ValueError: where there is no such folder, with what there is.
    """
    typed = text.strip().strip("\"'“”‘’«»").strip()
    if not typed:
        raise ValueError(
            "Received: no path. Expected: the path of a folder with one subfolder a class, such as "
            "~/Pictures/mugs. Type it into the field."
        )
    if typed.startswith("file://"):
        from urllib.parse import unquote, urlsplit
        from urllib.request import url2pathname

        typed = url2pathname(unquote(urlsplit(typed).path))
    readings = [typed, typed.replace("\\ ", " "), typed.replace("\\", "/"), _in_wsl(typed)]
    candidates = [Path(os.path.abspath(os.path.expanduser(each))) for each in readings if each]
    for path in candidates:
        with contextlib.suppress(OSError):
            if folder.is_there(path):
                return path.resolve()
    raise ValueError(_no_folder(typed, candidates[0]))


def _in_wsl(typed: str) -> str | None:
    """Where Windows's drives lie for Linux that runs in it."""
    path = PureWindowsPath(typed)
    if not re.fullmatch(r"[A-Za-z]:", path.drive):
        return None
    return "/".join(("/mnt", path.drive[0].lower(), *path.parts[1:]))


def _no_folder(typed: str, path: Path) -> str:
    """Why a path is no folder, and what to do."""
    expected = "Expected: a folder with one subfolder a class."
    with contextlib.suppress(OSError):
        if path.is_file():
            return (
                f"Received: {path}, which is a file, and no zip or tar archive. {expected} Type "
                f"the path of the folder that it lies in."
            )
    if os.name != "nt" and re.match(r"[A-Za-z]:[\\/]", typed):
        return (
            f"Received: {typed}, a path of Windows, on a machine that runs {sys.platform}. "
            f"{expected} Copy the pictures to this machine and type the path there."
        )
    there = next(parent for parent in path.parents if parent.exists())
    inside: list[str] = []
    with contextlib.suppress(OSError):
        inside = sorted(each.name for each in there.iterdir() if each.is_dir())
    shown = [name for name in inside if not name.startswith(".")][:8]
    listed = f", with the folders {', '.join(shown)}" if shown else ", without folders to be seen"
    return f"Received: {path}, which is not there. {expected} {there} is there{listed}."


def glance(text: str) -> str:
    """What lies in a folder, by its files' names alone, in a sentence or two.

    Raises:
        ValueError: where there is no such folder, or it has no two classes, with what to do.
    """
    path = clean_path(text)
    if path.is_file():
        return f"'{path.name}' is an archive. 'Take my folder' unpacks and reads it."
    try:
        listing = arrange(path)
    except PermissionError as error:
        raise ValueError(_not_allowed(error)) from error
    names = [file for file in listing.files if is_picture_name(file.name)]
    counts = np.bincount([file.label for file in names], minlength=len(listing.class_names))
    each = zip(listing.class_names, counts.tolist(), strict=True)
    found = ", ".join(f"{name} ({count:,})" for name, count in each)
    others = len(listing.files) - len(names)
    besides = f", and {others:,} other {'files' if others > 1 else 'file'}" if others else ""
    said = "".join(f" {sentence}" for sentence in listing.said)
    return f"In {path}: {found} pictures{besides}.{said} 'Take my folder' reads them."


def look_at(text: str) -> Folder:
    """Read all pictures of a learner's folder, and say what is in it.

    Raises:
        ValueError: where it cannot be used, with what is wrong and what to do.
    """
    path = clean_path(text)
    try:
        side = recipes.find("folder", path).side
        found = pictures.load(str(path), size=side, in_memory=False, quiet=True)
    except PermissionError as error:
        raise ValueError(_not_allowed(error)) from error
    counts = len(found.train), len(found.validation)
    return Folder(path, counts, load_report.html(found), tuple(notes(found)))


def _not_allowed(error: PermissionError) -> str:
    return (
        f"Received: {error.filename}, which may not be read. Expected: a folder of yours. Change "
        f"its permissions, or copy it."
    )


def notes(found: pictures.PictureSet) -> list[str]:
    """What a learner should know before training on these pictures."""
    labels = np.concatenate([found.train.labels, found.validation.labels, found.test.labels])
    counts = dict(zip(found.class_names, np.bincount(labels).tolist(), strict=True))
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEW]
    said = []
    if few:
        more = f" and of {len(few) - 3} more" if len(few) > 4 else ""
        named = ", ".join(few[:3] if more else few)
        said.append(f"Few pictures of {named}{more}: accuracies will be rough.")
    if max(counts.values()) > TIMES * min(counts.values()):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        said.append(
            f"There are {counts[most] / counts[least]:.0f} times as many of {most} as of {least}: "
            f"compare accuracies with the share of the largest class."
        )
    return said
