"""How labelled pictures lie on a disk: a folder a class, in splits, by a table or by names."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from helpers.pictures import headers
from helpers.pictures.splits import PARTS, File

if TYPE_CHECKING:
    import pandas as pd

# What operating systems and photo programs leave in a folder, besides names that begin with a dot.
LITTER = {
    "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "picasa.ini", "icon\r", "@eadir",
    "#recycle", "$recycle.bin", "system volume information", "lost+found",
}  # fmt: skip
# A file of such a name stands for a picture or a video, even where it is empty or damaged.
PICTURE_SUFFIXES = {
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".png",
    ".tif", ".tiff", ".webp",
}  # fmt: skip
VIDEO_SUFFIXES = {".3gp", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".mts", ".webm"}
PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "test1"), "test"),
}
# Names that cameras and phones give: they say nothing of what is to be seen.
CAMERAS = {
    "bild", "burst", "cimg", "dji", "dsc", "dscf", "dscn", "gopr", "imag", "image", "img", "imgp",
    "mov", "mvi", "p", "photo", "photos", "pic", "pict", "picture", "pxl", "sam", "scan",
    "screenshot", "vid", "wa", "whatsapp",
}  # fmt: skip
NUMBERED = re.compile(r"(?P<name>.*?[^\W\d_].*?)[ ._\-]*\(?\d+\)?")
FILE_COLUMNS = {"file", "filename", "file_name", "image", "image_id", "id", "path", "name"}
LABEL_COLUMNS = {"label", "labels", "class", "class_name", "category", "target", "species", "breed"}
# Names tell classes where so many of the pictures have one, and so many share one on average.
MOST_NAMED, EACH_NAMED = 0.9, 3
# Names that an error lists; files of a folder that are opened to see whether they are pictures.
NAMED, OPENED = 8, 100


@dataclass(frozen=True)
class Listing:
    """The files of a set before they are decoded.

    Attributes:
        name: of the set.
        class_names: sorted; the position of one is its label.
        files: all that may be pictures.
        left_out: pairs of a name and why it is no part of the set.
        given: the split of a file, by its path, where the folder says it.
        said: how the folder was read, a sentence each.
        folder: that the names of files and of `left_out` are relative to.
    """

    name: str
    class_names: tuple[str, ...]
    files: list[File]
    left_out: list[tuple[str, str]]
    given: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    folder: Path | None = None


def arrange(folder: Path) -> Listing:
    """The labelled files of a folder, however it is laid out.

    Raises:
        ValueError: where no classes can be read off it, with the next step.
    """
    found = _as_it_lies(folder)
    if found:
        return found
    inner = picture_folders(folder)
    if len(inner) == 1:
        try:
            deeper = arrange(folder / inner[0])
        except ValueError:
            raise ValueError(_no_classes(folder, inner)) from None
        return replace(deeper, said=(f"The classes lie in {folder / inner[0]}.", *deeper.said))
    raise ValueError(_no_classes(folder, inner))


def _as_it_lies(folder: Path) -> Listing | None:
    """The first way to read classes off this very folder that fits."""
    return in_splits(folder) or by_class(folder) or by_table(folder) or by_name(folder)


def _no_classes(folder: Path, inner: Sequence[str]) -> str:
    """What a folder is that is laid out in no known way, and what to do."""
    flat = [path for path in _entries(folder) if path.is_file() and promises(path)]
    if flat and not inner:
        return (
            f"Received: {folder} with {len(flat):,} pictures and no classes: its subfolders are "
            f"none, and names such as {flat[0].name} tell no class. Expected: one subfolder for "
            f"each class, with its pictures inside, or a labels.csv with the columns file and "
            f"label. Sort the pictures into such folders."
        )
    names = sorted(path.name for path in _entries(folder) if path.is_dir())
    empty = sorted(set(names) - set(inner))
    without = f", of them {_some(empty)} without pictures" if empty else ""
    return (
        f"Received: {folder} with {len(names)} subfolders {names[:NAMED]}{without}. Expected: at "
        f"least 2, one for each class, with its pictures inside. Sort the pictures into such "
        f"folders."
    )


# What belongs to a learner's pictures


def belongs(name: str) -> bool:
    """Whether a file or folder of that name is the learner's: neither hidden nor litter."""
    return not name.startswith(".") and name.lower() not in LITTER


def is_picture_name(name: str) -> bool:
    """Whether a file's name ends as a picture's does."""
    return PurePath(name).suffix.lower() in PICTURE_SUFFIXES


def promises(path: Path) -> bool:
    """Whether a file is a picture or a video by its name or by its first bytes."""
    return _promises_by_name(path) or _is_picture(path)


def _promises_by_name(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES


def _is_picture(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return headers.inspect(file).reason is None
    except OSError:
        return False


def picture_folders(folder: Path) -> list[str]:
    """The names of the subfolders that hold a picture or a video at any depth, sorted.

    Where no name of a file says so, the first files are opened.
    """
    inside = [path for path in _entries(folder) if path.is_dir()]
    return [
        path.name
        for path in inside
        if any(map(_promises_by_name, _walk(path)))
        or any(map(_is_picture, itertools.islice(_walk(path), OPENED)))
    ]


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if belongs(path.name))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(filter(belongs, folders))
        yield from (Path(parent, name) for name in sorted(filter(belongs, names)))


def class_folders(folder: Path) -> tuple[str, ...]:
    """The names of a folder's subfolders, one a class, sorted."""
    return tuple(path.name for path in _entries(folder) if path.is_dir())


def files_of(folder: Path, label: int) -> list[File]:
    """All files of one class in a fixed order, from the folders inside too, as Keras finds them."""
    files = [
        File(str(path), path.relative_to(folder.parent).as_posix(), label) for path in _walk(folder)
    ]
    return sorted(files, key=lambda file: file.name)


def links_in(folder: Path) -> list[tuple[str, str]]:
    """Links to folders inside a class: they are not followed, for they may lead in a circle."""
    return [
        (
            Path(parent, name).relative_to(folder.parent).as_posix(),
            "a link to a folder, which is not followed: copy its pictures here",
        )
        for parent, folders, _ in os.walk(folder)
        for name in sorted(filter(belongs, folders))
        if Path(parent, name).is_symlink()
    ]


def check_capitals(class_names: Sequence[str], where: Path) -> None:
    """Refuse classes whose names differ in nothing but capitals or how accents are stored.

    Raises:
        ValueError: where there are such.
    """
    first: dict[str, str] = {}
    for name in class_names:
        same = first.setdefault(_folded(name), name)
        if same != name:
            raise ValueError(
                f"Received: the classes '{same}' and '{name}' in {where}, which differ only in "
                f"how they are written. Expected: one name for each class. Put them together, or "
                f"rename one if you mean two."
            )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _shown(path: Path) -> str:
    """The name of a file, or of a folder with a slash behind it."""
    return f"{path.name}/" if path.is_dir() else path.name


def _some(names: Sequence[str]) -> str:
    """The first few of some names."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


# One folder a class


def by_class(folder: Path) -> Listing | None:
    """One subfolder a class; None where fewer than two hold pictures."""
    names = picture_folders(folder)
    if len(names) < 2:
        return None
    check_capitals(names, folder)
    files = [file for label, name in enumerate(names) for file in files_of(folder / name, label)]
    left_out = [link for name in names for link in links_in(folder / name)]
    for path in _entries(folder):
        if path.is_file():
            left_out.append((path.name, "not in the subfolder of a class"))
        elif path.is_dir() and path.name not in names:
            left_out.append((f"{path.name}/", "a folder without pictures"))
    return Listing(folder.name, tuple(names), files, left_out, folder=folder)


# Splits that are there already


def in_splits(folder: Path) -> Listing | None:
    """`train`, `validation` and `test` with the same classes in each; None where they are not.

    Raises:
        ValueError: where it is half of such a layout.
    """
    named = [name for name in picture_folders(folder) if name.lower() in PART_NAMES]
    if len(named) < 2:
        return None
    parts = {name: _as_it_lies(folder / name) for name in named}
    found = {PART_NAMES[name.lower()]: part for name, part in parts.items() if part}
    folder_of = {PART_NAMES[name.lower()]: name for name in named}
    if not found:
        return None
    if len(folder_of) < len(named) or "train" not in found:
        raise ValueError(
            f"Received: {folder} with {' and '.join(named)}. Expected: one train, one validation "
            f"and one test, with a subfolder a class in each. Rename the folders."
        )
    if "validation" not in found:
        return _train_alone(folder, found, folder_of)
    _check_classes(folder, found, folder_of)
    return _joined(folder, found, folder_of)


def _train_alone(
    folder: Path, found: Mapping[str, Listing], folder_of: Mapping[str, str]
) -> Listing:
    """What to make of a layout without a labelled validation: only an unlabelled test is clear."""
    train = folder_of["train"]
    if "test" in found:
        raise ValueError(
            f"Received: {folder} with {train} and {folder_of['test']}, but no validation. "
            f"Expected: all three, with a subfolder a class in each. Move some pictures of each "
            f"class from {train} to validation, or take {folder / train} alone: it is split then."
        )
    others = _some([name for part, name in folder_of.items() if part != "train"])
    said = f"{others} holds pictures without classes: only {train} is used, and split."
    return replace(found["train"], name=folder.name, said=(said, *found["train"].said))


def _check_classes(
    folder: Path, found: Mapping[str, Listing], folder_of: Mapping[str, str]
) -> None:
    """Refuse splits with other classes than the training pictures have."""
    wanted = found["train"].class_names
    for part, listing in found.items():
        if {*map(_folded, wanted)} != {*map(_folded, listing.class_names)}:
            raise ValueError(
                f"Received: {folder}, where {folder_of['train']} has the classes {_some(wanted)} "
                f"and {folder_of[part]} has {_some(listing.class_names)}. Expected: the same "
                f"classes in each. Rename them, or take {folder / folder_of['train']} alone: it "
                f"is split then."
            )


def _joined(folder: Path, found: Mapping[str, Listing], folder_of: Mapping[str, str]) -> Listing:
    """The parts as one listing that remembers where each file belongs.

    Test and validation come first: of a copy in two parts, the one to train with is left out.
    """
    class_names = found["train"].class_names
    number = {_folded(name): label for label, name in enumerate(class_names)}
    files, left_out, given = [], [], {}
    for part in (part for part in reversed(PARTS) if part in found):
        listing, top = found[part], folder_of[part]
        left_out += [(f"{top}/{name}", reason) for name, reason in listing.left_out]
        for file in listing.files:
            label = number[_folded(listing.class_names[file.label])]
            files.append(File(file.path, f"{top}/{file.name}", label))
            given[file.path] = part
    used = {folder_of[part] for part in found}
    left_out += [
        (_shown(path), "in no split") for path in _entries(folder) if path.name not in used
    ]
    said = (_said_of_splits(found, folder_of),)
    return Listing(folder.name, class_names, files, left_out, given, said, folder)


def _said_of_splits(found: Mapping[str, Listing], folder_of: Mapping[str, str]) -> str:
    """How the parts are used, in a sentence."""
    if "test" in found:
        return f"Split as it lies: {', '.join(folder_of[part] for part in PARTS)}."
    without = f"{folder_of['test']} has no classes" if "test" in folder_of else "No test set"
    return f"{without}: half of {folder_of['validation']} is for validation, half for the test."


# A table of labels


def by_table(folder: Path) -> Listing | None:
    """Files that a CSV beside them gives a label; None where there is no CSV.

    Raises:
        ValueError: where a CSV gives no labels that can be read.
    """
    tables = [path for path in _entries(folder) if path.suffix.lower() in {".csv", ".tsv"}]
    tables.sort(key=lambda path: (path.stem.lower() != "labels", path.name))
    by_key = _by_key(folder)
    if not tables or not by_key:
        return None
    rows = _read_table(tables[0], by_key)
    class_names = tuple(sorted({label for _, label in rows}))
    check_capitals(class_names, tables[0])
    if len(class_names) < 2:
        raise ValueError(
            f"Received: {tables[0]} with the one class {_some(class_names)}. Expected: at least 2 "
            f"classes in its column of labels. Add the other's pictures."
        )
    return _from_rows(folder, tables[0].name, rows, class_names, by_key)


def _by_key(folder: Path) -> dict[str, Path]:
    """Pictures by all the names that a table may have for them: with folders and suffix, without.

    A name that two files share is left out.
    """
    keys: dict[str, set[Path]] = {}
    for path in filter(promises, _walk(folder)):
        inside = path.relative_to(folder)
        for key in {inside.as_posix(), inside.with_suffix("").as_posix(), path.name, path.stem}:
            keys.setdefault(key, set()).add(path)
    return {key: min(paths) for key, paths in keys.items() if len(paths) == 1}


def _read_table(table: Path, by_key: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Pairs of a file as the table names it, and its label.

    Raises:
        ValueError: where there is no column of files that are there, or none of labels.
    """
    cells = _cells(table)
    files = _file_column(table, cells, by_key)
    pairs = zip(cells[files], _labels(table, cells.drop(columns=files)), strict=True)
    return [
        (file, label) for file, label in pairs if isinstance(file, str) and isinstance(label, str)
    ]


def _cells(table: Path) -> pd.DataFrame:
    """The table, its cells as text without blanks around it.

    Raises:
        ValueError: where it is none.
    """
    import pandas as pd

    try:
        cells = pd.read_csv(table, sep=None, engine="python", dtype=str).dropna(how="all")
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(
            f"Received: {table}, which cannot be read as a table ({error}). Expected: a line with "
            f"the columns file and label, then one for each picture. Save it as CSV in UTF-8."
        ) from error
    cells.columns = [str(column).strip() for column in cells.columns]
    return cells.apply(lambda column: column.str.strip())


def _file_column(table: Path, cells: pd.DataFrame, by_key: Mapping[str, Path]) -> str:
    """The column that names most files that are there.

    Raises:
        ValueError: where none names any.
    """
    hits = {name: cells[name].map(lambda cell: _key(cell) in by_key).mean() for name in cells}
    found = max(hits, key=lambda name: (hits[name], name.lower() in FILE_COLUMNS), default=None)
    if found is None or hits[found] == 0:
        raise ValueError(
            f"Received: {table} with the columns {_some(list(cells))}, none of which names "
            f"pictures in {table.parent}. Expected: a column with their file names. Put the "
            f"pictures beside the table, or mend the names."
        )
    return found


def _key(cell: object) -> str:
    """A cell as `_by_key` writes names."""
    return str(cell).replace("\\", "/").removeprefix("./")


def _labels(table: Path, others: pd.DataFrame) -> Sequence[str]:
    """The label of each row: of the column that is called so, of the only one, or one-hot."""
    called = [name for name in others if name.lower() in LABEL_COLUMNS]
    chosen = called if len(called) == 1 else list(others)
    if len(chosen) == 1:
        return others[chosen[0]].tolist()
    values = others.apply(lambda column: column.astype(float, errors="ignore"))
    numbers = values.select_dtypes("number")
    one_hot = numbers.loc[:, numbers.isin((0.0, 1.0)).all()]
    if one_hot.shape[1] >= 2 and (one_hot.sum(axis=1) == 1).all():
        return one_hot.idxmax(axis=1).tolist()
    raise ValueError(
        f"Received: {table} with the columns {_some(list(others))} besides the files. Expected: "
        f"one called label, or one for each class with a single 1 in each row. Rename the column "
        f"of the labels."
    )


def _from_rows(
    folder: Path,
    table: str,
    rows: Sequence[tuple[str, str]],
    class_names: tuple[str, ...],
    by_key: Mapping[str, Path],
) -> Listing:
    """The files of a table; those that it names twice otherwise, or not, are left out."""
    labels: dict[Path, set[str]] = {}
    left_out = []
    for cell, label in rows:
        path = by_key.get(_key(cell))
        if path is None:
            left_out.append((cell, f"named in {table}, but not there"))
        else:
            labels.setdefault(path, set()).add(label)
    files = []
    for path in _walk(folder):
        name, own = path.relative_to(folder).as_posix(), labels.get(path, set())
        if len(own) == 1:
            files.append(File(str(path), name, class_names.index(own.copy().pop())))
        elif name != table:
            reason = f"two labels in {table}" if own else f"not named in {table}"
            left_out.append((name, reason))
    said = (f"Labels come from {table}.",)
    return Listing(folder.name, class_names, files, left_out, said=said, folder=folder)


# Names that tell the class


def by_name(folder: Path) -> Listing | None:
    """Pictures in one folder that are called `cat.1.jpg`, `dog.1.jpg`; None where they are not."""
    name_of = _named(folder)
    class_names = tuple(sorted(set(name_of.values())))
    if len(class_names) < 2:
        return None
    check_capitals(class_names, folder)
    files = [File(str(path), path.name, class_names.index(name)) for path, name in name_of.items()]
    left_out = [
        (_shown(path), "its name tells no class")
        for path in _entries(folder)
        if path not in name_of
    ]
    said = (f"Classes come from the names of the files, such as {files[0].name}.",)
    return Listing(folder.name, class_names, files, left_out, said=said, folder=folder)


def _named(folder: Path) -> dict[Path, str]:
    """What each numbered picture in a folder is called; nothing where that tells no classes."""
    pictures = [path for path in _entries(folder) if path.is_file() and promises(path)]
    matches = {path: NUMBERED.fullmatch(path.stem) for path in pictures}
    names = {path: match["name"] for path, match in matches.items() if match}
    count = Counter(names.values())
    tell = {name for name, own in count.items() if own > 1 and _folded(name) not in CAMERAS}
    found = {path: name for path, name in names.items() if name in tell}
    told = len(found) >= MOST_NAMED * len(pictures) and len(tell) <= len(found) / EACH_NAMED
    return found if told else {}
