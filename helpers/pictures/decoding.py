"""From a picture's file to an upright square of pixels, within limits; or the reason why not.

Nothing that a file says of itself is believed: not its name, and its size only up to a limit that
is asked before anything is decoded. TensorFlow decodes JPEG, PNG and most WebP, in parallel; what
it cannot read, or reads wrongly, of the formats that the course promises, Pillow decodes.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from helpers import machine

if TYPE_CHECKING:
    import tensorflow as tf
    from PIL.Image import Image

# A file of a few kilobytes can unfold into gigabytes. The largest phone pictures of 50 million
# pixels pass; those of 108 and 200 million, which phones take on request only, do not.
MOST_PIXELS = 100_000_000
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
# Pictures that pass from tf.data to numpy at a time; the size hardly matters from 32 up.
DECODE_BATCH = 64
# A JPEG is decoded at a half, a quarter or an eighth of its size where that leaves at least so many
# pixels for each that is wanted, along either side: a photograph of a phone in a third of the time.
SPARE = 2
SHRINKS = (1, 2, 4, 8)
# Enough of a file to know its kind and, mostly, its size.
HEAD = 4096

NOT_A_PICTURE = "not a picture in JPEG, PNG, GIF, BMP or WebP"
DAMAGED = "the picture's data are damaged or cut short"
TOO_LARGE = f"larger than {MOST_PIXELS // 1_000_000} million pixels: save it smaller"
_CANNOT = "which TensorFlow cannot read: export it as JPEG"
HEIC = (
    "an HEIC picture, which TensorFlow cannot read: export it as JPEG, and for new ones choose "
    "Settings > Camera > Formats > Most Compatible on the iPhone"
)
# By the brand of a file of boxes (ISO 14496-12), and by how other files begin.
BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
    **dict.fromkeys((b"avif", b"avis"), f"an AVIF picture, {_CANNOT}"),
    b"crx ": f"a raw picture of a camera, {_CANNOT}",
}
BEGINNINGS = (
    (b"\x89PNG", DAMAGED), (b"\xff\xd8\xff", DAMAGED), (b"GIF8", DAMAGED), (b"BM", DAMAGED),
    (b"II*\0", f"a TIFF or raw picture, {_CANNOT}"),
    (b"MM\0*", f"a TIFF or raw picture, {_CANNOT}"),
    (b"IIU\0", f"a raw picture of a camera, {_CANNOT}"),
    (b"IIRO", f"a raw picture of a camera, {_CANNOT}"),
    (b"FUJIFILM", f"a raw picture of a camera, {_CANNOT}"),
    (b"\0\0\0\x0cJXL ", f"a JPEG XL picture, {_CANNOT}"),
    (b"\xff\x0a", f"a JPEG XL picture, {_CANNOT}"),
    (b"\0\0\0\x0cjP  ", f"a JPEG 2000 picture, {_CANNOT}"),
    (b"\x1aE\xdf\xa3", "a video: save single pictures of it"),
    (b"%PDF", "a PDF document: export its pages as JPEG"),
)  # fmt: skip


class NotAPicture(ValueError):
    """Bytes that are no picture that the course can read; `reason` says why in a short phrase."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"Received: {reason}. Expected: a picture in JPEG, PNG, GIF, BMP or WebP of at most "
            f"{MOST_PIXELS:,} pixels. Convert it, or leave it out."
        )


@dataclass(frozen=True)
class Decoded:
    """Pictures `(n, size, size, 3)`, sizes of the upright originals `(n, 2)`, rows that failed."""

    images: np.ndarray
    sizes: np.ndarray
    failed: dict[int, str]


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
    if header.reason is None and not header.by_pillow:
        try:
            image = _by_tensorflow(tf.constant(contents), header.shrink(size))
            return turned(_resize(image, size).numpy(), header.turn)
        except tf.errors.OpError:
            pass  # Pillow may read it; where it does not, there is a reason
    reason = header.reason
    if reason is None:
        pixels, reason = _by_pillow(io.BytesIO(contents), size)
        if pixels is not None:
            return turned(pixels, header.turn)
    raise NotAPicture(str(reason))


def decode_files(paths: Sequence[str], size: int, keep: bool = True) -> Decoded:
    """Decode files on all cores, each into the row of its position.

    Args:
        paths: the files.
        size: the side of the square in pixels.
        keep: False only tries whether they can be decoded, and returns no pictures.
    """
    import tensorflow as tf

    headers = [_inspect_file(path) for path in paths]
    rows = [row for row, header in enumerate(headers) if not (header.reason or header.by_pillow)]
    images = room_for(len(paths) if keep else 0, size)
    sizes = np.zeros((len(paths), 2), dtype=np.int32)
    if rows:
        shrinks = [headers[row].shrink(size) for row in rows]
        ways = tuple(sorted(set(shrinks)))
        which = np.searchsorted(ways, shrinks).astype("int32")
        chosen = [paths[row] for row in rows]
        encoded = tf.data.Dataset.from_tensor_slices((np.array(rows, np.int64), chosen, which))
        fill(encoded, images, sizes, tf.io.read_file, ways)
    failed = {}
    for row, header in enumerate(headers):
        if sizes[row, 0] == 0 and header.reason is None:
            pixels, reason = _file_by_pillow(paths[row], size)
            header = Header(header.height, header.width, header.turn, reason=reason)
            if keep and pixels is not None:
                images[row] = pixels
        sizes[row] = header.size
        if header.reason is not None:
            failed[row] = header.reason
        elif keep and header.turn != 1:
            images[row] = turned(images[row], header.turn)
    return Decoded(images, sizes, failed)


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
    ways: Sequence[int] = (1,),
) -> None:
    """Decode with TensorFlow on all cores into the rows of two arrays.

    Args:
        encoded: triples of a row, a picture's bytes, or what `read` makes them from, and the
            position in `ways` of how much smaller to decode it.
        images: uint8 `(n, size, size, 3)` to be filled; one without rows is left alone.
        sizes: int32 `(n, 2)`, gets height and width as decoded; rows that fail stay as they are.
        read: from the second of the triple to the bytes.
        ways: some of `SHRINKS`.
    """
    import tensorflow as tf

    size = images.shape[1]

    def one(row: tf.Tensor, text: tf.Tensor, shrink: tf.Tensor) -> tuple[tf.Tensor, ...]:
        contents = read(text)
        branches = [lambda by=by: _by_tensorflow(contents, by) for by in ways]
        image = tf.switch_case(shrink, branches) if len(ways) > 1 else branches[0]()
        return row, _resize(image, size), tf.shape(image)[:2]

    # Rows may come in any order, so that no picture waits for a slower one before it.
    decoded = encoded.map(one, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
    batches = decoded.ignore_errors().batch(DECODE_BATCH).prefetch(2)
    for rows, batch, originals in batches.as_numpy_iterator():
        if len(images):
            images[rows] = batch
        sizes[rows] = originals


def reason_of(contents: bytes) -> str:
    """Why these bytes cannot be decoded, in a short phrase."""
    try:
        decode(contents, 1)
    except NotAPicture as error:
        return error.reason
    return DAMAGED


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """Bring a square picture upright.

    The squares are turned after they were resized, which is quicker and comes to the same: the
    samples of a bilinear resize lie symmetrically.

    Args:
        image: `(size, size, 3)`.
        turn: the orientation of the EXIF standard, 1 to 8: which sides of the scene the first row
            and the first column show. Any other number leaves the picture as it is.
    """
    ways: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: lambda square: square[:, ::-1],
        3: lambda square: square[::-1, ::-1],
        4: lambda square: square[::-1],
        5: lambda square: square.transpose(1, 0, 2),
        6: lambda square: square[::-1].transpose(1, 0, 2),
        7: lambda square: square[::-1, ::-1].transpose(1, 0, 2),
        8: lambda square: square[:, ::-1].transpose(1, 0, 2),
    }
    return ways[turn](image).copy() if turn in ways else image


# What a file's first bytes say


@dataclass(frozen=True)
class Header:
    """What is known of a picture before it is decoded.

    Attributes:
        height, width: as stored, in pixels; 0 where they are not known.
        turn: the orientation of the EXIF standard, 1 to 8.
        by_pillow: TensorFlow would not read it, or read it wrongly.
        is_jpeg: it can be decoded smaller than it is.
        reason: why it is not to be decoded, if so.
    """

    height: int = 0
    width: int = 0
    turn: int = 1
    by_pillow: bool = False
    is_jpeg: bool = False
    reason: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright picture; zeros where it is none."""
        if self.reason is not None:
            return 0, 0
        return (self.width, self.height) if 5 <= self.turn <= 8 else (self.height, self.width)

    def shrink(self, size: int) -> int:
        """How much smaller the picture can be decoded for a square of `size`."""
        spare = min(self.height, self.width) // (SPARE * size)
        return max(by for by in SHRINKS if by <= max(1, spare)) if self.is_jpeg else 1


def _inspect_file(path: str) -> Header:
    """As `inspect`, of a file on disk."""
    try:
        # Opening a pipe would wait for ever for somebody to write to it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return Header(reason="not a file but a pipe, a socket or a device")
        with open(path, "rb", buffering=0) as file:
            return inspect(file)
    except OSError as error:
        return Header(reason=f"the file cannot be read ({error.strerror})")


def inspect(file: BinaryIO) -> Header:
    """Size, orientation and who decodes it, or the reason why nobody does."""
    head = file.read(HEAD)
    if not head:
        return Header(reason="the file is empty")
    found = _quickly(head) or _thoroughly(file, head)
    if found.height * found.width > MOST_PIXELS:
        return Header(reason=TOO_LARGE)
    return found


def _quickly(head: bytes) -> Header | None:
    """The commonest files, ten times as fast as Pillow: WebP and JPEG that carry no EXIF."""
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8 " and len(head) >= 30:
        width, height = struct.unpack("<HH", head[26:30])
        return Header(height & 0x3FFF, width & 0x3FFF)
    at = 2 if head[:3] == b"\xff\xd8\xff" else len(head)
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xE1:  # EXIF may say that the picture is turned
            return None
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return Header(height, width, is_jpeg=True)
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _thoroughly(file: BinaryIO, head: bytes) -> Header:
    """Any file: Pillow reads its header; nothing is decoded."""
    from PIL import Image

    file.seek(0)
    try:
        # Pillow warns of pictures that the limit is there for.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                return _header(image)
    except Image.DecompressionBombError:
        return Header(reason=TOO_LARGE)
    # Whatever its readers stumble over in a file that somebody made up.
    except Exception:
        return Header(reason=_kind(head))


def _header(image: Image) -> Header:
    """What an opened picture says of itself."""
    from PIL import ExifTags

    width, height = image.size
    # `getexif` alone would decode a whole PNG to look behind its pixels.
    turn = image.getexif().get(ExifTags.Base.Orientation, 1) if "exif" in image.info else 1
    # TensorFlow takes the palette of a BMP for shades of grey, refuses WebP that is transparent
    # or moves, and reads all frames of a GIF for the first.
    alone = image.format in {"GIF", "BMP"} or (
        image.format == "WEBP" and (image.mode != "RGB" or getattr(image, "is_animated", False))
    )
    return Header(height, width, turn, by_pillow=alone, is_jpeg=image.format in {"JPEG", "MPO"})


def _kind(head: bytes) -> str:
    """What a file is that Pillow did not open, by its first bytes."""
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(head[3], 64), 4))]
        avif = next((brand for brand in brands if brand in {b"avif", b"avis"}), None)
        return BRANDS.get(avif or brands[0], "a video: save single pictures of it")
    if head[:4] == b"RIFF":
        return DAMAGED if head[8:12] == b"WEBP" else "a video or sound: save pictures of it"
    return next((said for begins, said in BEGINNINGS if head.startswith(begins)), NOT_A_PICTURE)


# From bytes to pixels


def _by_tensorflow(contents: tf.Tensor, shrink: int) -> tf.Tensor:
    """uint8 `(height, width, 3)`; transparency is ignored."""
    import tensorflow as tf

    if shrink > 1:
        return tf.io.decode_jpeg(contents, channels=3, ratio=shrink)
    return tf.io.decode_image(contents, channels=3, expand_animations=False)


def _resize(image: tf.Tensor, size: int) -> tf.Tensor:
    """uint8 `(size, size, 3)`, bilinear, as `keras.utils.image_dataset_from_directory` does it."""
    import tensorflow as tf

    resized = tf.image.resize(image, (size, size), method="bilinear")
    return tf.cast(tf.round(resized), tf.uint8)


def _by_pillow(file: BinaryIO, size: int) -> tuple[np.ndarray | None, str | None]:
    """The picture as stored, not yet upright, or the reason why there is none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                pixels = np.asarray(image.convert("RGB"))
        return _resize(pixels, size).numpy(), None
    except Exception:  # as in `_thoroughly`
        return None, DAMAGED


def _file_by_pillow(path: str, size: int) -> tuple[np.ndarray | None, str | None]:
    """As `_by_pillow`, of a file on disk."""
    try:
        with open(path, "rb") as file:
            return _by_pillow(file, size)
    except OSError as error:
        return None, f"the file cannot be read ({error.strerror})"
