"""From a picture's file to an upright square of pixels, within limits; or the reason why not.

TensorFlow decodes JPEG, PNG and most WebP, in parallel. What it cannot read, or reads wrongly, of
the formats that the course promises, Pillow decodes: here, or, where the decoder is large, in a
process of its own (`apart`). `headers` says who decodes what, `colours` what is done with profiles,
transparency and orientation: the same wherever the course reads a picture.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from helpers import machine
from helpers.pictures import apart, colours, headers, mending
from helpers.pictures.colours import turned
from helpers.pictures.headers import (
    DAMAGED,
    SPARE,
    Decoder,
    Header,
    NotAPicture,
    inspect,
    inspect_file,
)

if TYPE_CHECKING:
    import tensorflow as tf

# Pictures that pass from tf.data to numpy at a time; the size hardly matters from 32 up.
DECODE_BATCH = 64
ANY_KIND = 0  # in place of how much smaller a JPEG is decoded


@dataclass(frozen=True)
class Decoded:
    """What became of files.

    Attributes:
        images: uint8 `(n, size, size, 3)`, upright.
        sizes: int32 `(n, 2)`, height and width of the upright originals, zeros where there is none.
        failed: why a row is no picture.
        transparent: rows of which something was laid on `colours.BACKGROUND`.
    """

    images: np.ndarray
    sizes: np.ndarray
    failed: dict[int, str]
    transparent: frozenset[int] = frozenset()


def decode(contents: bytes, size: int) -> np.ndarray:
    """Decode one picture, upright, exactly as those of a folder are.

    Args:
        contents: the bytes of a file.
        size: the side of the square in pixels.

    Returns:
        uint8 `(size, size, 3)`, red, green, blue.

    Raises:
        NotAPicture: a `ValueError` with the reason, as it stands in `PictureSet.left_out`.
    """
    import tensorflow as tf

    header = inspect(io.BytesIO(contents))
    if header.reason is None and header.decoder is Decoder.TENSORFLOW:
        try:
            image = _by_tensorflow(tf.constant(contents), _way(header, size))
            return turned(_resize(image, size).numpy(), header.turn)
        except tf.errors.OpError:
            pass  # Pillow may read it; where it does not, there is a reason
    return _resize(render(contents, size).pixels, size).numpy()


def render(contents: bytes, size: int) -> colours.Rendered:
    """Decode one picture without TensorFlow, upright, for a square of `size`, but not resized.

    Args:
        contents: the bytes of a file.
        size: a large JPEG is decoded at a half, a quarter or an eighth of its size.

    Raises:
        NotAPicture: a `ValueError` with the reason.
    """
    header = inspect(io.BytesIO(contents))
    if header.reason is not None:
        raise NotAPicture(header.reason)
    if header.decoder is Decoder.APART:
        reply, pixels = apart.decode(contents)
        if pixels is None:
            raise NotAPicture(str(reply.reason))
        return colours.Rendered(pixels, reply.transparent)
    try:
        return _by_pillow(contents, size)
    except Exception:  # whatever its readers stumble over in a file that somebody made up
        pass
    try:
        return _by_pillow(mending.mended(contents), size)
    except Exception:
        raise NotAPicture(DAMAGED) from None


def _by_pillow(contents: bytes, size: int) -> colours.Rendered:
    """Decode in this process; raises whatever Pillow raises."""
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow warns of sizes that are within the limit, and of each entry of a damaged note.
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(contents), formats=headers.HERE) as image:
            image.draft(None, (SPARE * size, SPARE * size))
            return colours.render(image)


def decode_files(paths: Sequence[str], size: int) -> Decoded:
    """Decode files on all cores, each into the row of its position.

    Args:
        paths: the files.
        size: the side of the square in pixels.
    """
    found = [inspect_file(path) for path in paths]
    images = room_for(len(paths), size)
    sizes = np.zeros((len(paths), 2), dtype=np.int32)
    _fill_by_tensorflow(paths, found, images, sizes, size)
    failed = {row: header.reason for row, header in enumerate(found) if header.reason is not None}
    left = [row for row in range(len(paths)) if row not in failed and sizes[row, 0] == 0]
    rendered = apart.in_parallel(lambda row: _render_file(paths[row], size), left)
    for row, one in zip(left, rendered, strict=True):
        if one.reason is None:
            images[row] = one.pixels
            sizes[row] = found[row].size if found[row].is_jpeg else one.size
        else:
            failed[row] = one.reason
    laid = (row for row, one in zip(left, rendered, strict=True) if one.transparent)
    return Decoded(images, sizes, failed, frozenset(laid))


@dataclass(frozen=True)
class _File:
    """What became of a file that TensorFlow did not decode."""

    pixels: np.ndarray | None = None
    size: tuple[int, int] = (0, 0)
    transparent: bool = False
    reason: str | None = None


def _render_file(path: str, size: int) -> _File:
    """As `render`, of a file on disk, and resized."""
    try:
        with open(path, "rb") as file:
            found = render(file.read(), size)
    except OSError as error:
        return _File(reason=f"the file cannot be read ({error.strerror})")
    except NotAPicture as error:
        return _File(reason=error.reason)
    pixels = _resize(found.pixels, size).numpy()
    return _File(pixels, found.pixels.shape[:2], found.transparent)


def _fill_by_tensorflow(
    paths: Sequence[str],
    found: Sequence[Header],
    images: np.ndarray,
    sizes: np.ndarray,
    size: int,
) -> None:
    """Decode into the rows of two arrays, upright, what TensorFlow reads; the others stay."""
    import tensorflow as tf

    way_of = {
        row: _way(header, size)
        for row, header in enumerate(found)
        if header.reason is None and header.decoder is Decoder.TENSORFLOW
    }
    ways = tuple(sorted(set(way_of.values())))
    for skip_broken in (False, True):  # skipping costs a tenth of the time: only where needed
        rows = np.array([row for row in way_of if not sizes[row, 0]], np.int64)
        if len(rows):
            which = np.searchsorted(ways, [way_of[row] for row in rows]).astype("int32")
            chosen = [paths[row] for row in rows]
            encoded = tf.data.Dataset.from_tensor_slices((rows, chosen, which))
            try:
                fill(encoded, images, sizes, tf.io.read_file, ways, skip_broken)
            except tf.errors.OpError:
                if skip_broken:
                    raise
    for row in way_of:
        if sizes[row, 0]:
            sizes[row] = found[row].size  # a large JPEG was decoded smaller than it is
            if found[row].turn != 1:
                images[row] = turned(images[row], found[row].turn)


def room_for(count: int, size: int) -> np.ndarray:
    """An array for so many pictures, uint8 `(count, size, size, 3)`, whose values are not set.

    Raises:
        MemoryError: where the memory that is free does not hold it.
    """
    machine.check_memory(
        count * size * size * 3,
        f"{count:,} pictures of {size} x {size}",
        "Load them smaller, or fewer; or, where they are files, with in_memory=False, which "
        "leaves them on disk.",
    )
    return np.empty((count, size, size, 3), dtype=np.uint8)


def fill(
    encoded: tf.data.Dataset,
    images: np.ndarray,
    sizes: np.ndarray,
    read: Callable[[tf.Tensor], tf.Tensor] = lambda contents: contents,
    ways: Sequence[int] = (ANY_KIND,),
    skip_broken: bool = True,
) -> None:
    """Decode with TensorFlow on all cores into the rows of two arrays.

    Args:
        encoded: triples of a row, a picture's bytes, or what `read` makes them from, and the
            position in `ways` of how to decode it.
        images: uint8 `(n, size, size, 3)` to be filled.
        sizes: int32 `(n, 2)`, gets height and width as decoded; rows that fail stay as they are.
        read: from the second of the triple to the bytes.
        ways: some of `headers.SHRINKS`, for JPEGs, and `ANY_KIND`.
        skip_broken: go on behind what cannot be decoded.

    Raises:
        tf.errors.OpError: where something cannot be decoded, and is not skipped.
    """
    import tensorflow as tf

    size = images.shape[1]

    def one(row: tf.Tensor, text: tf.Tensor, which: tf.Tensor) -> tuple[tf.Tensor, ...]:
        contents = read(text)
        branches = [lambda way=way: _by_tensorflow(contents, way) for way in ways]
        image = tf.switch_case(which, branches) if len(ways) > 1 else branches[0]()
        return row, _resize(image, size), tf.shape(image)[:2]

    # Rows may come in any order, so that no picture waits for a slower one before it. Decoding
    # keeps the cores busy, so there is nothing to tune; two pictures a core leave none idle.
    calls = 2 * machine.usable_cores()
    decoded = encoded.map(one, num_parallel_calls=calls, deterministic=False)
    decoded = decoded.ignore_errors() if skip_broken else decoded
    options = tf.data.Options()
    options.autotune.enabled = False
    batches = decoded.batch(DECODE_BATCH).prefetch(2).with_options(options)
    for rows, batch, originals in batches.as_numpy_iterator():
        images[rows] = batch
        sizes[rows] = originals


def reason_of(contents: bytes) -> str:
    """Why these bytes cannot be decoded, in a short phrase."""
    try:
        decode(contents, 1)
    except NotAPicture as error:
        return error.reason
    return DAMAGED


# From bytes to pixels


def _way(header: Header, size: int) -> int:
    """How TensorFlow decodes a picture for a square of `size`: one of `ways` of `fill`."""
    return header.shrink(size) if header.is_jpeg else ANY_KIND


def _by_tensorflow(contents: tf.Tensor, way: int) -> tf.Tensor:
    """uint8 `(height, width, 3)`, of a JPEG so many times smaller; transparency is ignored.

    Of a JPEG what Pillow gives, too: TensorFlow's own choice, the quick cosines, is up to 33 of 255
    off where colours change abruptly.
    """
    import tensorflow as tf

    def jpeg() -> tf.Tensor:
        ratio = max(1, way)
        return tf.io.decode_jpeg(contents, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    def any_kind() -> tf.Tensor:
        return tf.io.decode_image(contents, channels=3, expand_animations=False)

    return jpeg() if way != ANY_KIND else tf.cond(tf.io.is_jpeg(contents), jpeg, any_kind)


def _resize(image: tf.Tensor, size: int) -> tf.Tensor:
    """uint8 `(size, size, 3)`, bilinear, as `keras.utils.image_dataset_from_directory` does it."""
    import tensorflow as tf

    resized = tf.image.resize(image, (size, size), method="bilinear")
    return tf.cast(tf.round(resized), tf.uint8)
