"""How many altered pictures are known again, and how many different ones are taken for the same.

    python benchmarks/copies.py [FOLDER]   # of 1,000 photographs in a folder; else of the drawings

Needs `imagehash`, in an environment of its own. Copies of 200 pictures are held against these;
false are pairs of the 1,000 (499,500) below the limit.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageEnhance

from helpers import pictures
from helpers.pictures import near_copies
from helpers.preflight import copies

COUNT, COPIED, BITS = 1000, 200, 10


def saved(image: Image.Image) -> Image.Image:
    """As JPEG of quality 60."""
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=60)
    return Image.open(memory)


def cropped(image: Image.Image) -> Image.Image:
    """Without 5 % of each side."""
    width, height = image.size
    return image.crop((width // 40, height // 40, width - width // 40, height - height // 40))


ALTERED: tuple[Callable[[Image.Image], Image.Image], ...] = (
    saved,
    lambda image: image.resize((image.width // 2, image.height // 2)),
    cropped,
    lambda image: ImageEnhance.Brightness(image).enhance(1.2),
)


def kept(images: list[Image.Image]) -> np.ndarray:
    """What the course keeps; the rest of a product from 1 is below the limit for copies."""
    return copies.describe(copies.hash_pictures(np.asarray(one.convert("RGB")) for one in images))


def bits(hash_of: Callable) -> Callable[[list[Image.Image]], np.ndarray]:
    """A hash's bits, so that a product is 1 less a 32nd for each of 64 that differs."""
    return lambda images: np.stack([(hash_of(one).hash.ravel() * 2.0 - 1) / 8 for one in images])


def main(folder: str = "") -> None:
    """Print a row for each way: the share found of each alteration, and false pairs."""
    if folder:
        files = sorted(Path(folder).rglob("*.jpg"))
        images = [Image.open(file).convert("RGB") for file in files[:: len(files) // COUNT][:COUNT]]
    else:
        drawn = pictures.load("drawings", size=96, quiet=True).train.images[:COUNT]
        images = [Image.fromarray(one) for one in drawn]
    ways = [("`preflight.copies`", kept, near_copies.LIMIT)]
    for hash_of in (imagehash.phash, imagehash.dhash):
        ways.append((f"`imagehash.{hash_of.__name__}`, {BITS} bits", bits(hash_of), BITS / 31.9))
    for name, way, limit in ways:
        own = way(images)
        false = int(((own @ own.T)[np.triu_indices(COUNT, 1)] >= 1 - limit).sum())
        again = [way([alter(one) for one in images[:COPIED]]) for alter in ALTERED]
        found = [f"{np.mean((one * own[:COPIED]).sum(axis=1) >= 1 - limit):.0%}" for one in again]
        print(f"| {name} | {' | '.join(found)} | {false} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
