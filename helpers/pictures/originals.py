"""Some pictures of a set as they come: each in its own size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

SIDES = (90, 400)  # pixels, for drawings


def originals(name: str, count: int = 9) -> list[tuple[np.ndarray, str]]:
    """Pictures before any resizing, with the name of their class.

    Those of the drawings are new ones, drawn for this: the stored ones are all of one size, and
    photographs are not.

    Args:
        name: `"drawings"`, `"photos"`, `"tfds"`, or the path of a folder.
        count: how many.

    Returns:
        Pairs of a picture, uint8 `(height, width, 3)`, and a name; the classes take turns.
    """
    found = {"drawings": _drawn, "tfds": _prepared}.get(name)
    return list(islice(found() if found else _files(name), count))


def _drawn() -> Iterator[tuple[np.ndarray, str]]:
    """Drawings of cats and dogs in the sizes of nobody's camera."""
    from PIL import Image

    from helpers import drawings

    generator = np.random.default_rng(7)
    for number in range(1000):
        animal = ("cat", "dog")[number % 2]
        drawn = Image.fromarray(drawings.draw(animal, [77, number]).picture)
        width, height = (int(side) for side in generator.integers(*SIDES, 2))
        height = int(np.clip(height, 0.6 * width, 1.5 * width))
        yield np.asarray(drawn.resize((width, height), Image.Resampling.BICUBIC)), animal


def _prepared() -> Iterator[tuple[np.ndarray, str]]:
    """The first ones of `cats_vs_dogs`."""
    import tensorflow_datasets as tfds

    from helpers.pictures.tfds import NAME, folder

    some = tfds.load(
        NAME, split="train[:200]", as_supervised=True, data_dir=folder(), download=False
    )
    for image, label in some:
        yield image.numpy(), ("cat", "dog")[int(label)]


def _files(name: str) -> Iterator[tuple[np.ndarray, str]]:
    """The training files of a set, class by class in turns."""
    from PIL import Image

    from helpers.pictures import layout

    classes = sorted((layout.lay_out(name) / "train").iterdir())
    for files in zip(*(sorted(folder.iterdir()) for folder in classes), strict=False):
        for file in files:
            with Image.open(file) as image:
                yield np.asarray(image.convert("RGB")), Path(file).parent.name
