"""Where pictures come from: sets of them, as arrays to train, validate and test with.

A set is a module of this package with `load`, `fetch` and `missing`: `embedded` (the drawings),
`photographs`, `tfds`; or a learner's `folder`. `splits` says what all of them give.
"""

from __future__ import annotations

from pathlib import Path

from helpers.pictures import embedded, folder, photographs, tfds
from helpers.pictures.decoding import decode as decode
from helpers.pictures.headers import NotAPicture as NotAPicture
from helpers.pictures.splits import TEST_SHARE, VALIDATION_SHARE, Shares
from helpers.pictures.splits import PictureFiles as PictureFiles
from helpers.pictures.splits import PictureSet as PictureSet
from helpers.pictures.splits import Split as Split

SETS = {"drawings": embedded, "photos": photographs, "tfds": tfds}


def load(
    name: str,
    size: int,
    *,
    seed: int = 0,
    validation_share: float = VALIDATION_SHARE,
    test_share: float = TEST_SHARE,
    in_memory: bool = True,
    quiet: bool = False,
) -> PictureSet:
    """Load a set of pictures, which is downloaded first where it has to be.

    Each picture is resized to a square, bilinearly and without keeping its aspect ratio, as
    `keras.utils.image_dataset_from_directory(image_size=(size, size))` does, then rounded; a JPEG
    is decoded to Pillow's values, which differ from Keras's by a few of 255.
    A picture stands upright, as the camera's EXIF note says; its colours are those of sRGB, and
    what is transparent lies on white (`colours`). A large JPEG is decoded at a half, a quarter or
    an eighth of its size where that leaves twice the pixels that are wanted. Files that cannot be
    decoded, and pictures of more than `headers.MOST_PIXELS`, are left out and named.

    Args:
        name: `"drawings"`: drawn cats and dogs that come with the course, 1,000 to train, 500 for
            validation, 500 for the test. `"photos"`: 2,000 photographs of cats and dogs to train,
            and 1,000 of which half are for validation, half for the test. `"tfds"`:
            `cats_vs_dogs` of TensorFlow Datasets, 40 %, 10 % and 10 % of it. Or the path of a
            folder, or of a zip or tar of one: with one subfolder a class; with `train`,
            `validation` and `test`, which is used as the split that it is; with files called
            `cat.1.jpg`, `dog.1.jpg`; or with a `labels.csv` of files and labels.
        size: the side of the square in pixels.
        seed: decides which file goes into which split, where that is not given, and the order.
        validation_share, test_share: shares of each class of a folder, 0 to 1; not used for
            the three sets of the course, nor where a folder is split already. Near copies
            (`near_copies`) are kept in one split.
        in_memory: False leaves the pictures on disk, as `PictureFiles`, for sets that are larger
            than the memory. Not for `"tfds"`, whose pictures are no files.
        quiet: print no summary.

    Raises:
        ValueError: where `name` is no set and no folder, or the folder cannot be split.
        RuntimeError: where a download fails, or the embedded drawings are not whole.
    """
    if size < 1:
        raise ValueError(f"Received: size={size}. Expected: the side of a picture in pixels.")
    if name in SETS:
        found = SETS[name].load(size, seed, in_memory)
    else:
        found = folder.load(name, size, Shares(validation_share, test_share, seed), in_memory)
    if not quiet:
        print(found)
    return found


def is_ready(name: str) -> str | None:
    """None where `load(name, ...)` needs no download now; else why, and how to get it."""
    if name in SETS:
        return SETS[name].missing()
    return None if folder.is_there(name) else folder.unknown(name)


def fetch(name: str) -> Path:
    """Download and prepare `"photos"` or `"tfds"`, unless it is there; return its folder.

    The drawings are in the repository: nothing is to be downloaded.

    Raises:
        RuntimeError: where that fails, with what was tried and what to do.
        ValueError: where `name` is no set and no folder.
    """
    if name in SETS:
        return SETS[name].fetch()
    found = folder.find(name)
    if not found:
        raise ValueError(folder.unknown(name))
    return found
