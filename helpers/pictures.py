"""Where pictures come from: sets of them, as arrays to train, validate and test with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from helpers import decoding, downloads, lessons
from helpers.decoding import NotAPicture as NotAPicture
from helpers.decoding import decode as decode
from helpers.drawings import sets

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_datasets as tfds

PHOTOS_ZIP = "cats_and_dogs_filtered.zip"
# Both hosts that have served it; it moved from the first to the second in November 2025.
PHOTOS_URLS = (
    f"https://storage.googleapis.com/mledu-datasets/{PHOTOS_ZIP}",
    f"https://download.mlcc.google.com/mledu-datasets/{PHOTOS_ZIP}",
)
PHOTOS_TOP = PHOTOS_ZIP.removesuffix(".zip")
# Files of each folder in the published archive.
PHOTOS_COUNTS = {
    "train/cats": 1000,
    "train/dogs": 1000,
    "validation/cats": 500,
    "validation/dogs": 500,
}
TFDS_NAME = "cats_vs_dogs"
TFDS_HOST = "https://download.microsoft.com"
TFDS_SPLITS = ("train[:40%]", "train[40%:50%]", "train[50%:60%]")
PARTS = ("train", "validation", "test")
# What operating systems leave in a folder, besides names that begin with a dot.
LITTER = {"thumbs.db", "desktop.ini", "__macosx"}
LEFT_OUT_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Split:
    """The pictures of one split, in a shuffled order: any slice is a fair sample.

    Attributes:
        images: uint8 `(n, size, size, 3)`, red, green, blue; an array, or `PictureFiles`.
        labels: int32 `(n,)`, positions in `PictureSet.class_names`.
        files: n names, such as `cats/cat.1.jpg`.
        sizes: int32 `(n, 2)`, height and width of the upright original in pixels.
    """

    images: np.ndarray | PictureFiles
    labels: np.ndarray
    files: tuple[str, ...]
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"{len(self):,} pictures {self.images.shape[1:]}"


class PictureFiles:
    """Pictures that stay on disk until they are asked for: `files[10:20]` decodes ten of them.

    Args:
        paths: the files.
        size: the side of the square that each is resized to, in pixels.
    """

    dtype = np.dtype("uint8")

    def __init__(self, paths: Sequence[str], size: int) -> None:
        self.paths = tuple(paths)
        self.shape = (len(self.paths), size, size, 3)

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        return f"{len(self):,} files, decoded to {self.shape[1:]} when asked for"

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Decode one picture, `(size, size, 3)`, or some, `(n, size, size, 3)`.

        Raises:
            ValueError: where a file is no picture any more.
        """
        chosen = np.arange(len(self))[rows]
        paths = [self.paths[row] for row in np.atleast_1d(chosen)]
        decoded = decoding.decode_files(paths, self.shape[1])
        if decoded.failed:
            row, reason = next(iter(decoded.failed.items()))
            raise ValueError(
                f"Received: {paths[row]} ({reason}). Expected: the picture that was "
                f"there when the set was loaded. Load the set again."
            )
        return decoded.images if np.ndim(chosen) else decoded.images[0]

    def fingerprint(self) -> str:
        """A digest of the files' contents, in their order, and of the size."""
        digest = hashlib.sha256(f"{self.shape} upright".encode())
        for path in self.paths:
            digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class PictureSet:
    """A set of labelled pictures in three splits that share no file; printing it sums it up.

    Attributes:
        name: "drawings", "photos", "tfds", or the name of the learner's folder.
        size: the side of each picture in pixels.
        class_names: sorted.
        train, validation, test: the splits.
        left_out: pairs of a file's name and why it is in no split.
    """

    name: str
    size: int
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    left_out: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return summary(self)


def load(
    name: str,
    size: int,
    *,
    seed: int = 0,
    validation_share: float = 0.15,
    test_share: float = 0.15,
    in_memory: bool = True,
    quiet: bool = False,
) -> PictureSet:
    """Load a set of pictures, which is downloaded first where it has to be.

    Each picture is resized to a square, bilinearly and without keeping its aspect ratio, as
    `keras.utils.image_dataset_from_directory(image_size=(size, size))` does, then rounded.
    A picture stands upright, as the camera's EXIF note says. Transparency is ignored: what colour
    lies under it shows. A large JPEG is decoded at a half, a quarter or an eighth of its size where
    that leaves twice the pixels that are wanted. Files that cannot be decoded, and pictures of more
    than `decoding.MOST_PIXELS`, are left out and named.

    Args:
        name: `"drawings"`: drawn cats and dogs that come with the course, 1,000 to train, 500 for
            validation, 500 for the test. `"photos"`: 2,000 photographs of cats and dogs to train,
            and 1,000 of which half are for validation, half for the test. `"tfds"`:
            `cats_vs_dogs` of TensorFlow Datasets, 40 %, 10 % and 10 % of it. Or the path of a
            folder with one subfolder a class.
        size: the side of the square in pixels.
        seed: decides which file goes into which split, where that is not given, and the order.
        validation_share, test_share: shares of each class of a folder, 0 to 1; not used for
            the three sets of the course.
        in_memory: False leaves the pictures on disk, as `PictureFiles`, for sets that are larger
            than the memory. Not for `"tfds"`, whose pictures are no files.
        quiet: print no summary.

    Raises:
        ValueError: where `name` is no set and no folder, or the folder cannot be split.
        RuntimeError: where a download fails, or the embedded drawings are not whole.
    """
    if size < 1:
        raise ValueError(f"Received: size={size}. Expected: the side of a picture in pixels.")
    if name == "tfds" and not in_memory:
        raise ValueError(
            "Received: 'tfds' with in_memory=False. Expected: a set whose pictures are files."
        )
    if name == "drawings":
        found = _load_drawings(size, seed, in_memory)
    elif name == "photos":
        found = _load_photos(size, seed, in_memory)
    elif name == "tfds":
        found = _load_tfds(size, seed)
    else:
        shares = _Shares(validation_share, test_share, seed)
        found = _load_folder(name, size, shares, in_memory)
    if not quiet:
        print(found)
    return found


def is_ready(name: str) -> str | None:
    """None where `load(name, ...)` needs no download now; else why, and how to get it."""
    if name == "drawings":
        if _whole_drawings():
            return None
        return (
            f"The drawings are not whole in {sets.EMBEDDED}; `git checkout data/drawings` brings "
            f"them back, `python -m helpers.drawings` draws them again."
        )
    if name == "photos":
        if _whole_photos():
            return None
        folder = lessons.cache_folder() / "photos"
        wrong = _wrong_counts(_count_files(folder)) if folder.is_dir() else "not on this machine"
        fetch_it = "`python3 course.py fetch photos` downloads them (69 MB)."
        return f"The photographs are {wrong}; {fetch_it}"
    if name == "tfds":
        if _prepared_tfds():
            return None
        return (
            f"{TFDS_NAME} is not prepared in {_tfds_folder()}; `python3 course.py fetch tfds` "
            f"downloads and prepares it (about 800 MB), or set TFDS_DATA_DIR to where it is."
        )
    return None if _as_folder(name) else _unknown(name)


def fetch(name: str) -> Path:
    """Download and prepare `"photos"` or `"tfds"`, unless it is there; return its folder.

    The drawings are in the repository: nothing is to be downloaded.

    Raises:
        RuntimeError: where that fails, with what was tried and what to do.
        ValueError: where `name` is no set and no folder.
    """
    if name == "drawings":
        return _embedded_drawings()
    if name == "photos":
        return _fetch_photos()
    if name == "tfds":
        return _fetch_tfds()
    folder = _as_folder(name)
    if not folder:
        raise ValueError(_unknown(name))
    return folder


def summary(pictures: PictureSet) -> str:
    """What is in a set: counts per class and split, original sizes, what was left out and why."""
    splits = [pictures.train, pictures.validation, pictures.test]
    counts = [np.bincount(split.labels, minlength=len(pictures.class_names)) for split in splits]
    rows = [("", *PARTS)]
    for label, class_name in enumerate(pictures.class_names):
        rows.append((class_name, *(f"{count[label]:,}" for count in counts)))
    rows.append(("together", *(f"{len(split):,}" for split in splits)))
    total = sum(map(len, splits))
    return "\n".join(
        [
            f"{pictures.name}: {total:,} pictures of {len(pictures.class_names)} classes, "
            f"{pictures.size} x {pictures.size} pixels each",
            *_aligned(rows),
            _size_range(np.concatenate([split.sizes for split in splits])),
            *_left_out_lines(pictures.left_out),
        ]
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table as text: the first column to the left, numbers to the right."""
    first = max(len(row[0]) for row in rows)
    width = max(len(cell) for row in rows for cell in row[1:])
    return [row[0].ljust(first) + "".join(f"  {cell:>{width}}" for cell in row[1:]) for row in rows]


def _size_range(sizes: np.ndarray) -> str:
    """The range of the originals' sizes, `(n, 2)` height and width, in a sentence."""
    heights, widths = (
        f"{low:,}" if low == high else f"{low:,} to {high:,}"
        for low, high in zip(sizes.min(axis=0), sizes.max(axis=0), strict=True)
    )
    return f"Originals: {widths} pixels wide, {heights} high."


def _left_out_lines(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Which files were left out and why, the first few by name."""
    if not left_out:
        return ["Left out: nothing."]
    lines = [f"Left out: {len(left_out):,} {'file' if len(left_out) == 1 else 'files'}."]
    lines += [f"  {file}: {reason}" for file, reason in left_out[:LEFT_OUT_SHOWN]]
    rest = Counter(reason for _, reason in left_out[LEFT_OUT_SHOWN:])
    return lines + [f"  and {count:,} more: {reason}" for reason, count in rest.items()]


# A learner's folder, and what it shares with the photographs


@dataclass(frozen=True)
class _File:
    """A picture on disk: where it is, the name that is shown, its class."""

    path: str
    name: str
    label: int


# Train, validation and test.
_Parts = tuple[list[_File], list[_File], list[_File]]


@dataclass(frozen=True)
class _Shares:
    """How to split each class of a folder; called with its files, it does so."""

    validation: float
    test: float
    seed: int

    def __post_init__(self) -> None:
        if min(self.validation, self.test) <= 0 or self.validation + self.test >= 1:
            raise ValueError(
                f"Received: validation_share={self.validation}, test_share={self.test}. "
                f"Expected: two shares above 0 that leave some pictures to train with."
            )

    def __call__(self, files: Sequence[_File]) -> _Parts:
        generator = np.random.default_rng(self.seed)
        parts: _Parts = ([], [], [])
        for label in sorted({file.label for file in files}):
            own = [file for file in files if file.label == label]
            own = [own[position] for position in generator.permutation(len(own))]
            validation = max(1, round(len(own) * self.validation))
            test = max(1, round(len(own) * self.test))
            parts[1].extend(own[:validation])
            parts[2].extend(own[validation : validation + test])
            parts[0].extend(own[validation + test :])
        return tuple(_shuffled(part, generator) for part in parts)


def _shuffled(files: Sequence[_File], generator: np.random.Generator) -> list[_File]:
    """The same files in another order."""
    return [files[position] for position in generator.permutation(len(files))]


def _as_folder(name: str) -> Path | None:
    """The learner's folder of that path, or None."""
    folder = Path(name).expanduser().resolve() if name else None
    return folder if folder and folder.is_dir() else None


def _unknown(name: str) -> str:
    """What to say of a name that is no set and no folder."""
    looked = f" (no such folder as {Path(name).expanduser().resolve()})" if name else ""
    return (
        f"Received: pictures '{name}'{looked}. Expected: 'drawings', 'photos', 'tfds', or the path "
        f"of a folder with one subfolder a class. Check the path; a full one works from everywhere."
    )


def _load_folder(name: str, size: int, shares: _Shares, in_memory: bool) -> PictureSet:
    """A learner's own pictures, split by class and seed."""
    folder = _as_folder(name)
    if not folder:
        raise ValueError(_unknown(name))
    class_names = _class_folders(folder)
    files = [
        file
        for label, class_name in enumerate(class_names)
        for file in _files_of(folder / class_name, label)
    ]
    stray = [
        path.name for path in sorted(folder.iterdir()) if path.is_file() and _belongs(path.name)
    ]
    left_out = [(name, "not in the subfolder of a class") for name in stray]
    copies = _copies(files)
    files = [file for file in files if file not in copies]
    left_out += [(file.name, reason) for file, reason in copies.items()]
    divide = _enough(shares, class_names)
    listing = _Listing(folder.name, class_names, files, left_out)
    return _load_files(listing, divide, size, in_memory)


def _copies(files: Sequence[_File]) -> dict[_File, str]:
    """Files that hold the very bytes of an earlier one, with the reason to leave them out.

    A copy in another split would be trained on and tested on; in another class, one of the two
    labels is wrong, and nobody knows which.
    """
    by_size: dict[int, list[_File]] = {}
    for file in files:
        with contextlib.suppress(OSError):  # decoding says what is wrong with it
            if size := os.path.getsize(file.path):
                by_size.setdefault(size, []).append(file)
    alike: dict[bytes, list[_File]] = {}
    for file in (file for group in by_size.values() if len(group) > 1 for file in group):
        with contextlib.suppress(OSError):
            digest = hashlib.sha256(Path(file.path).read_bytes()).digest()
            alike.setdefault(digest, []).append(file)
    found = {}
    for first, *others in alike.values():
        if any(other.label != first.label for other in others):
            names = " and ".join(file.name for file in (first, *others)[:2])
            found |= dict.fromkeys((first, *others), f"one picture in two classes: {names}")
        else:
            found |= dict.fromkeys(others, f"a copy of {first.name}")
    return found


def _class_folders(folder: Path) -> tuple[str, ...]:
    """The names of a folder's subfolders, one a class, sorted.

    Raises:
        ValueError: where there are fewer than two.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and _belongs(path.name))
    if len(names) < 2:
        raise ValueError(
            f"Received: {folder} with {len(names)} subfolders {names}. Expected: at least 2, one "
            f"for each class, with its pictures inside. Sort the pictures into such folders."
        )
    return tuple(names)


def _belongs(name: str) -> bool:
    """Whether a file or folder of that name is the learner's: neither hidden nor litter."""
    return not name.startswith(".") and name.lower() not in LITTER


def _files_of(folder: Path, label: int) -> list[_File]:
    """All files of one class in a fixed order, from the folders inside too, as Keras finds them."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = filter(_belongs, folders)
        inside = PurePath(parent).relative_to(folder.parent).as_posix()
        found += [
            _File(os.path.join(parent, name), f"{inside}/{name}", label)
            for name in filter(_belongs, names)
        ]
    return sorted(found, key=lambda file: file.name)


def _enough(shares: _Shares, class_names: Sequence[str]) -> Callable[[Sequence[_File]], _Parts]:
    """`shares`, but each class must have a picture for each split."""

    def divide(files: Sequence[_File]) -> _Parts:
        parts = shares(files)
        for label, class_name in enumerate(class_names):
            own = [sum(file.label == label for file in part) for part in parts]
            if min(own) == 0:
                raise ValueError(
                    f"Received: {sum(own)} readable pictures in class '{class_name}'. Expected: at "
                    f"least 3, one for each split. Add pictures, or lower validation_share "
                    f"({shares.validation}) and test_share ({shares.test})."
                )
        return parts

    return divide


@dataclass(frozen=True)
class _Listing:
    """The files of a set before they are decoded."""

    name: str
    class_names: tuple[str, ...]
    files: list[_File]
    left_out: list[tuple[str, str]]


def _load_files(
    listing: _Listing,
    divide: Callable[[Sequence[_File]], _Parts],
    size: int,
    in_memory: bool,
) -> PictureSet:
    """Decode the files, split those that are pictures, name the others."""
    parts = divide(listing.files)
    ordered = [file for part in parts for file in part]
    decoded = decoding.decode_files([file.path for file in ordered], size, keep=in_memory)
    broken = {ordered[row].path: reason for row, reason in decoded.failed.items()}
    if broken:
        # Split anew without them: the same as if they had never been there.
        parts = divide([file for file in listing.files if file.path not in broken])
    row_of = {file.path: row for row, file in enumerate(ordered)}
    splits = [_as_split(part, decoded, row_of) for part in parts]
    left_out = [(file.name, broken[file.path]) for file in listing.files if file.path in broken]
    return PictureSet(
        listing.name,
        size,
        listing.class_names,
        *splits,
        left_out=tuple(sorted(listing.left_out + left_out)),
    )


def _as_split(files: Sequence[_File], decoded: decoding.Decoded, row_of: dict[Path, int]) -> Split:
    """The rows of these files; without a copy where they lie side by side, as they mostly do."""
    rows = np.array([row_of[file.path] for file in files], dtype=np.int64)
    side_by_side = len(rows) > 0 and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows)))
    chosen = slice(rows[0], rows[0] + len(rows)) if side_by_side else rows
    on_disk = PictureFiles([file.path for file in files], decoded.images.shape[1])
    return Split(
        images=decoded.images[chosen] if len(decoded.images) else on_disk,
        labels=np.array([file.label for file in files], dtype=np.int32),
        files=tuple(file.name for file in files),
        sizes=decoded.sizes[chosen],
    )


# The drawings that come with the course


def _load_drawings(size: int, seed: int, in_memory: bool) -> PictureSet:
    """The embedded drawings, split as they lie; the seed decides the order."""
    top = _embedded_drawings()
    class_names = _class_folders(top / "train")
    listed = {
        part: [
            replace(file, name=f"{part}/{file.name}")
            for label, class_name in enumerate(class_names)
            for file in _files_of(top / part / class_name, label)
        ]
        for part in PARTS
    }

    def divide(files: Sequence[_File]) -> _Parts:
        generator = np.random.default_rng(seed)
        still_there = set(files)
        return tuple(
            _shuffled([file for file in part if file in still_there], generator)
            for part in listed.values()
        )

    files = [file for part in listed.values() for file in part]
    return _load_files(_Listing("drawings", class_names, files, []), divide, size, in_memory)


def _embedded_drawings() -> Path:
    """The folder of the drawings.

    Raises:
        RuntimeError: where it is not whole.
    """
    if reason := is_ready("drawings"):
        raise RuntimeError(reason)
    return sets.EMBEDDED


def _whole_drawings() -> bool:
    """Whether the table and all pictures of the embedded set are there."""
    order = sets.Order()
    folders = {
        sets.EMBEDDED / part / animal: each
        for part, each in order.each.items()
        for animal in order.animals
    }
    whole = all(
        folder.is_dir() and sum(map(_belongs, os.listdir(folder))) == each
        for folder, each in folders.items()
    )
    return whole and (sets.EMBEDDED / sets.TRUTH).is_file()


# The 3,000 published photographs


def _load_photos(size: int, seed: int, in_memory: bool) -> PictureSet:
    """The published photographs; their validation files are halved by class and seed."""
    top = _fetch_photos() / PHOTOS_TOP
    class_names = tuple(sorted({PurePosixPath(folder).name for folder in PHOTOS_COUNTS}))
    listed = {
        part: [
            file
            for label, class_name in enumerate(class_names)
            for file in _files_of(top / part / class_name, label)
        ]
        for part in ("train", "validation")
    }
    given = {file.path for file in listed["train"]}

    def divide(files: Sequence[_File]) -> _Parts:
        generator = np.random.default_rng(seed)
        train = _shuffled([file for file in files if file.path in given], generator)
        held = [file for file in files if file.path not in given]
        return train, *(_shuffled(half, generator) for half in _halves(held, generator))

    files = listed["train"] + listed["validation"]
    return _load_files(_Listing("photos", class_names, files, []), divide, size, in_memory)


def _halves(
    files: Sequence[_File], generator: np.random.Generator
) -> tuple[list[_File], list[_File]]:
    """Two lists that share nothing, with half of each class in each."""
    first: list[_File] = []
    second: list[_File] = []
    for label in sorted({file.label for file in files}):
        own = _shuffled([file for file in files if file.label == label], generator)
        middle = (len(own) + 1) // 2
        first += own[:middle]
        second += own[middle:]
    return first, second


def _whole_photos() -> Path | None:
    """The unpacked photographs in one's own cache or a shared one, where they are whole."""
    for folder in (cache / "photos" for cache in lessons.caches()):
        if folder.is_dir() and not _wrong_counts(_count_files(folder)):
            return folder
    return None


def _fetch_photos() -> Path:
    """The unpacked photographs, downloaded to the course's cache where they are nowhere whole."""
    if found := _whole_photos():
        return found
    folder = lessons.cache_folder() / "photos"
    archive = lessons.cache_folder() / PHOTOS_ZIP
    checks = downloads.Checks(downloads.begins_like_zip, verify=_verify_photos)
    with downloads.writing(folder), downloads.alone(folder):
        if found := _whole_photos():  # another process has fetched them while this one waited
            return found
        downloads.fetch(PHOTOS_URLS, archive, checks)
        downloads.unpack_zip(archive, folder)
        archive.unlink()
    return folder


def _verify_photos(archive: Path) -> None:
    """Check every member's CRC-32 and the published counts.

    There is no fixed digest, for a classroom's mirror may have shrunk the pictures.

    Raises:
        ValueError: with what is wrong.
    """
    names = downloads.check_zip(archive)
    wrong = _wrong_counts(Counter(PurePosixPath(name).parent.as_posix() for name in names))
    if wrong:
        raise ValueError(f"the photographs in the zip archive are {wrong}")


def _count_files(folder: Path) -> Counter[str]:
    """How many files each folder of the unpacked archive holds."""
    counts: Counter[str] = Counter()
    for inside in PHOTOS_COUNTS:
        path = folder / PHOTOS_TOP / inside
        names = os.listdir(path) if path.is_dir() else []
        counts[f"{PHOTOS_TOP}/{inside}"] = sum(map(_belongs, names))
    return counts


def _wrong_counts(counts: Counter[str]) -> str | None:
    """What differs from the published counts, or None."""
    found = {inside: counts[f"{PHOTOS_TOP}/{inside}"] for inside in PHOTOS_COUNTS}
    wrong = [
        f"{found[inside]} instead of {expected} in {inside}"
        for inside, expected in PHOTOS_COUNTS.items()
        if found[inside] != expected
    ]
    return f"incomplete ({', '.join(wrong)})" if wrong else None


# TensorFlow Datasets


def _tfds_folder() -> Path:
    """TensorFlow Datasets' own cache, as it finds it itself."""
    return Path(os.environ.get("TFDS_DATA_DIR") or Path.home() / "tensorflow_datasets").expanduser()


def _prepared_tfds() -> Path | None:
    """The folder of the newest prepared version with all its shards, or None.

    It is read from the files, since importing TensorFlow Datasets takes seconds.
    """
    found = []
    for info in (_tfds_folder() / TFDS_NAME).glob("*.*.*/dataset_info.json"):
        version = tuple(int(number) for number in info.parent.name.split(".") if number.isdigit())
        if len(version) == 3 and _has_all_shards(info):
            found.append((version, info.parent))
    return max(found)[1] if found else None


def _has_all_shards(info: Path) -> bool:
    """Whether a version's folder holds as many shards as its description says."""
    try:
        splits = json.loads(info.read_text(encoding="utf-8"))["splits"]
        train = next(split for split in splits if split["name"] == "train")
        expected = len(train["shardLengths"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False
    shards = info.parent.glob(f"{TFDS_NAME}-train.*-of-{expected:05d}")
    return expected > 0 and len(list(shards)) == expected


def _fetch_tfds() -> Path:
    """The prepared version; TensorFlow Datasets downloads and prepares it where it is missing."""
    if not _prepared_tfds():
        try:
            # TensorFlow Datasets itself would try for minutes before it says so.
            downloads.check_reachable(TFDS_HOST)
            import tensorflow_datasets as tfds

            tfds.builder(TFDS_NAME, data_dir=_tfds_folder()).download_and_prepare()
        # TensorFlow Datasets raises what its download, its archive reader or its checks raise.
        except Exception as error:
            raise RuntimeError(
                f"Received: {TFDS_NAME} could not be prepared ({_first_line(error)}). Expected: "
                f"a connection to {TFDS_HOST} and 3 GB of free disk. Try again where "
                f"there is one, or copy the folder {TFDS_NAME} from a machine that has it to "
                f"{_tfds_folder()}."
            ) from error
    prepared = _prepared_tfds()
    if not prepared:
        raise RuntimeError(
            f"Received: no complete {TFDS_NAME} in {_tfds_folder()} after preparing it. "
            f"Expected: all its shards. Delete that folder and fetch it again."
        )
    return prepared


def _first_line(error: Exception) -> str:
    """The beginning of an error's text, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _load_tfds(size: int, seed: int) -> PictureSet:
    """`cats_vs_dogs`, as much of it as is prepared, split 40/10/10 % as it lies."""
    folder = _fetch_tfds()
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    generator = np.random.default_rng(seed)
    splits, left_out = [], []
    for instruction in TFDS_SPLITS:
        split, broken = _read_tfds(builder, instruction, size, generator)
        splits.append(split)
        left_out += broken
    class_names = tuple(builder.info.features["label"].names)
    return PictureSet("tfds", size, class_names, *splits, left_out=tuple(sorted(left_out)))


def _read_tfds(
    builder: tfds.core.DatasetBuilder, instruction: str, size: int, generator: np.random.Generator
) -> tuple[Split, list[tuple[str, str]]]:
    """One split of a prepared builder in a shuffled order, and what could not be decoded."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    undecoded = {"image": tfds.decode.SkipDecoding()}
    examples = builder.as_dataset(split=instruction, decoders=undecoded)
    names, labels = _names_and_labels(examples)
    order = generator.permutation(len(names))
    names, labels = names[order], labels[order]
    rows = tf.data.Dataset.from_tensor_slices(np.argsort(order))
    encoded = tf.data.Dataset.zip(rows, examples.map(lambda example: example["image"]))
    images = decoding.room_for(len(names), size)
    sizes = np.zeros((len(names), 2), dtype=np.int32)
    decoding.fill(encoded.map(lambda row, image: (row, image, 0)), images, sizes)
    whole = sizes[:, 0] > 0
    if whole.all():
        return Split(images, labels, tuple(names), sizes), []
    pairs = [pair for pair in encoded.as_numpy_iterator() if not whole[pair[0]]]
    left_out = [(names[row], decoding.reason_of(contents)) for row, contents in pairs]
    return Split(images[whole], labels[whole], tuple(names[whole]), sizes[whole]), left_out


def _names_and_labels(examples: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The file name, str, and the label, int32, of each example, in their order."""
    facts = examples.map(lambda example: (example["image/filename"], example["label"]))
    batches = list(facts.batch(1024).as_numpy_iterator())
    names = [name.decode() for batch, _ in batches for name in batch]
    labels = np.concatenate([labels for _, labels in batches])
    return np.array(names, dtype=object), labels.astype(np.int32)
