"""Folders of drawings on disk, with the truth about each picture beside them.

data/drawings/
  train/cat/cat_0000.webp ...   validation/ ...   test/ ...
  truth.csv       a row a picture: animal, breed, backdrop, occluder, pose
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from helpers import drawings, paths

if TYPE_CHECKING:
    import pandas as pd

EMBEDDED = paths.DATA / "drawings"
TRUTH = "truth.csv"
# WebP's quality, 0 to 100: fine noise and whiskers still show.
QUALITY = 88


@dataclass(frozen=True)
class Order:
    """What to draw.

    Attributes:
        animals: names of `helpers.drawings.ANIMALS`; the classes.
        each: for each part, how many pictures of each animal.
        seed: decides all of them; the parts share no picture.
        backdrops: for an animal, what may be around it; plants a cue (`draw_many`).
    """

    animals: Sequence[str] = ("cat", "dog")
    each: Mapping[str, int] = field(
        default_factory=lambda: {"train": 500, "validation": 250, "test": 250}
    )
    seed: int = 0
    backdrops: Mapping[str, Sequence[str]] = field(default_factory=dict)


def write(order: Order, folder: Path) -> Path:
    """Draw what is ordered into `folder`, over files of the same names.

    The table comes last: a folder without it is not finished.

    Raises:
        ValueError: where the order makes no sense (`draw_many`); then `folder` is left as it is.
    """
    rows = []
    for number, (part, each) in enumerate(order.each.items()):
        drawn = drawings.draw_many(
            order.animals, each, 10 * order.seed + number, backdrops=order.backdrops
        )
        (folder / TRUTH).unlink(missing_ok=True)
        names = _save_pictures(drawn, part, folder, len(order.animals))
        rows += [_row(name, part, drawing) for name, drawing in zip(names, drawn, strict=True)]
    _write_table(rows, folder / TRUTH)
    return folder


def read_truth(folder: Path = EMBEDDED) -> pd.DataFrame:
    """The table of a folder of drawings, a row a picture, by the picture's file.

    Columns: part, animal, breed, backdrop, occluder; yaw, pitch and roll in degrees; scale, x and
    y as shares of the picture's side (`helpers.drawings.canvas.Pose`).
    """
    import pandas as pd

    return pd.read_csv(folder / TRUTH, index_col="file")


def sheet(drawn: Sequence[drawings.Drawing], columns: int = 12) -> Image.Image:
    """All pictures side by side on white, to look at."""
    side, gap = drawings.SIZE, 2
    rows = -(-len(drawn) // columns)
    step = side + gap
    image = Image.new("RGB", (columns * step - gap, rows * step - gap), "white")
    for number, drawing in enumerate(drawn):
        row, column = divmod(number, columns)
        image.paste(Image.fromarray(drawing.picture), (column * step, row * step))
    return image


def _save_pictures(
    drawn: Sequence[drawings.Drawing], part: str, folder: Path, classes: int
) -> list[str]:
    """Write the pictures; return their names within `folder`."""
    names = []
    for number, drawing in enumerate(tqdm(drawn, desc=part)):
        name = f"{part}/{drawing.animal}/{drawing.animal}_{number // classes:04d}.webp"
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawing.picture).save(file, quality=QUALITY, method=6)
        names.append(name)
    return names


def _row(name: str, part: str, drawing: drawings.Drawing) -> dict[str, object]:
    """A row of the table."""
    pose = drawing.pose
    angles = {
        axis: round(float(np.degrees(getattr(pose, axis))), 1) for axis in ("yaw", "pitch", "roll")
    }
    place = {axis: round(float(getattr(pose, axis)), 3) for axis in ("scale", "x", "y")}
    words = {
        "animal": drawing.animal,
        "breed": drawing.breed,
        "backdrop": drawing.backdrop,
        "occluder": drawing.occluder,
    }
    return {"file": name, "part": part, **words, **angles, **place}


def _write_table(rows: list[dict[str, object]], file: Path) -> None:
    import pandas as pd

    beside = file.with_suffix(".part")
    pd.DataFrame(rows).to_csv(beside, index=False, lineterminator="\n")
    beside.replace(file)
