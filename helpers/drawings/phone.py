"""A folder of drawings as pictures come off a phone: turned, mixed, some mislabelled, some no use.

<folder>/
  pictures/persian/IMG_0003.jpg ...   five classes, with what phones and people leave among them
  truth.csv                           a row a drawing: the folder it lies in, and what it truly is
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import ExifTags, Image

from helpers import drawings, paths

if TYPE_CHECKING:
    import pandas as pd

# The classes, as animal and breed: none is among the animals that the drawn base has met.
CLASSES = {
    "persian": ("cat", "persian"),
    "pug": ("dog", "pug"),
    "shepherd": ("dog", "shepherd"),
    "siamese": ("cat", "siamese"),
    "spaniel": ("dog", "spaniel"),
}
EACH = 80  # pictures a class
WRONG_SHARE = 0.06
SEED = 2027
# Another version of the folder gets another name.
VERSION = 2
LONG, SHORT = 384, 288  # sides in pixels
# How phones are held: mostly upright, which they store as 6, seldom upside down.
TURNS = (1, 1, 1, 6, 6, 6, 8, 3)
KINDS = ("JPEG", "JPEG", "JPEG", "JPEG", "PNG", "WEBP")
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}


@dataclass(frozen=True)
class _Shot:
    """A picture to be drawn and saved."""

    name: str
    animal: str
    breed: str
    seed: tuple[int, ...]
    kind: str
    turn: int


def write(folder: Path | None = None) -> Path:
    """Draw the folder, unless it is there; by default into the course's cache.

    Returns:
        The folder, with what the module's text lists.
    """
    folder = folder or paths.cache_folder() / f"phone-{VERSION}"
    if (folder / "truth.csv").is_file():
        return folder
    # Beside and renamed: what is killed on the way leaves no half folder behind.
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(beside, ignore_errors=True)
    shots, rows = _plan()
    _save(shots, beside)
    _leave_litter(beside / "pictures")
    _table(rows).to_csv(beside / "truth.csv", lineterminator="\n")
    try:
        beside.rename(folder)
    except OSError:  # another kernel was quicker
        shutil.rmtree(beside)
        if not (folder / "truth.csv").is_file():
            raise
    return folder


def truth(folder: Path) -> pd.DataFrame:
    """The truth by file, such as `pictures/pug/IMG_0003.jpg`.

    Columns: `label`, the class folder that the picture lies in, `true`, what it shows.
    """
    import pandas as pd

    return pd.read_csv(folder / "truth.csv", index_col="file")


def _plan() -> tuple[list[_Shot], list[tuple[str, str, str]]]:
    """What to draw, and for each its name, the class that it is filed under, the true one."""
    random = np.random.default_rng(SEED)
    true = random.permutation(np.repeat(list(CLASSES), EACH))
    label = true.copy()
    for row in random.choice(len(true), round(WRONG_SHARE * len(true)), replace=False):
        label[row] = random.choice([name for name in CLASSES if name != true[row]])
    shots, rows = [], []
    for number, (one, other) in enumerate(zip(label, true, strict=True)):
        kind, turn = str(random.choice(KINDS)), int(random.choice(TURNS))
        name = f"pictures/{one}/IMG_{number:04d}.{SUFFIXES[kind]}"
        shots.append(_Shot(name, *CLASSES[str(other)], (SEED, number), kind, turn))
        rows.append((name, str(one), str(other)))
    return shots, rows


def _table(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=["file", "label", "true"]).set_index("file")


def _save(shots: list[_Shot], folder: Path) -> None:
    """Draw on all cores, and write."""
    for inside in {Path(shot.name).parent for shot in shots}:
        (folder / inside).mkdir(parents=True)
    # Not forked: TensorFlow's threads would not survive that.
    with ProcessPoolExecutor(None, get_context("spawn")) as pool:
        for shot, contents in zip(shots, pool.map(_draw, shots, chunksize=16), strict=True):
            (folder / shot.name).write_bytes(contents)


def _draw(shot: _Shot) -> bytes:
    """The file of one picture: stored turned, with the note that turns it back."""
    picture = drawings.draw(shot.animal, shot.seed, breeds=[shot.breed]).picture
    lying = shot.turn in {1, 3}
    upright = Image.fromarray(picture).resize(
        (LONG, SHORT) if lying else (SHORT, LONG), Image.Resampling.BICUBIC
    )
    ways = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    ways[8] = Image.Transpose.ROTATE_270
    stored = upright.transpose(ways[shot.turn]) if shot.turn in ways else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = shot.turn
    file = io.BytesIO()
    stored.save(file, shot.kind, exif=exif, **({} if shot.kind == "PNG" else {"quality": 90}))
    return file.getvalue()


def _leave_litter(folder: Path) -> None:
    """What a folder off a phone holds besides: files that are no use, each for another reason."""
    names = list(CLASSES)
    heic = b"ftypheic" + bytes(4) + b"mif1heic"
    (folder / names[0] / "IMG_9001.jpg").write_bytes(struct.pack(">I", len(heic) + 4) + heic)
    (folder / names[1] / "PANO_9002.png").write_bytes(_vast_png(40_000, 20_000))
    (folder / names[2] / "IMG_9003.jpg").write_text("This page could not be found.\n")
    whole = next((folder / names[3]).glob("*.jpg")).read_bytes()
    (folder / names[3] / "IMG_9004.jpg").write_bytes(whole[: len(whole) // 3])
    (folder / names[4] / "MOV_9005.mp4").write_bytes(struct.pack(">I", 20) + b"ftypisom" + bytes(8))
    (folder / names[0] / "Thumbs.db").write_bytes(bytes(64))
    (folder / "shopping list.txt").write_text("milk, bread\n")


def _vast_png(width: int, height: int) -> bytes:
    """A file of a few bytes that says it holds so many pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
