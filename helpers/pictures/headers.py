"""What a picture's file says of itself before anything is decoded, and who is to decode it.

Nothing of it is believed: not its name, and its size only up to a limit.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, BinaryIO

from helpers.pictures import colours, mending

if TYPE_CHECKING:
    from PIL.Image import Image

# A file of a few kilobytes can unfold into gigabytes. The largest phone pictures of 50 million
# pixels pass; those of 108 and 200 million, which phones take on request only, do not.
MOST_PIXELS = 100_000_000
# What Pillow decodes in this process, and what it decodes in one that may die.
HERE = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
APART = ("HEIF", "AVIF", "TIFF", "JPEG2000")
NAMED = "JPEG, PNG, GIF, BMP, WebP, HEIC, AVIF, TIFF or JPEG 2000"
# What a browser's file chooser offers: not each system knows all of these for pictures.
CHOOSER = "image/*,.heic,.heif,.avif,.jp2"
# A JPEG is decoded at a half, a quarter or an eighth of its size where that leaves at least so many
# pixels for each that is wanted, along either side: a photograph of a phone in a third of the time.
SPARE = 2
SHRINKS = (1, 2, 4, 8)
# Enough of a file to know its kind and, mostly, its size.
HEAD = 4096

NOT_A_PICTURE = f"not a picture in {NAMED}"
DAMAGED = "the picture's data are damaged or cut short"
TOO_LARGE = f"larger than {MOST_PIXELS // 1_000_000} million pixels: save it smaller"
RAW = "a raw picture of a camera: export it as JPEG"
CODING = "an HEIF picture that is damaged or in an unknown coding: export it as JPEG"
VIDEO = "a video: save single pictures of it"
# By the brand of a file of boxes (ISO 14496-12).
HEIF_BRANDS = frozenset(
    (
        *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"jpeg", b"jpgs", b"avci", b"avcs"),
        *(b"vvic", b"vvis", b"evbi", b"evbs", b"j2ki", b"j2is"),
    )
)
AVIF_BRANDS = frozenset((b"avif", b"avis"))
# By how files begin that nothing here opens.
BEGINNINGS = (
    (b"\x89PNG", DAMAGED), (b"\xff\xd8\xff", DAMAGED), (b"GIF8", DAMAGED), (b"BM", DAMAGED),
    (b"IIU\0", RAW), (b"IIRO", RAW), (b"IIRS", RAW), (b"FUJIFILM", RAW),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture, which cannot be read here: export it as JPEG"),
    (b"\xff\x0a", "a JPEG XL picture, which cannot be read here: export it as JPEG"),
    (b"\x1aE\xdf\xa3", VIDEO),
    (b"%PDF", "a PDF document: export its pages as JPEG"),
)  # fmt: skip
TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
JPEG2000_BEGINNINGS = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
SUFFIXES = {
    (b"\xff\xd8\xff",): "jpg",
    (b"\x89PNG",): "png",
    (b"GIF8",): "gif",
    (b"BM",): "bmp",
    TIFF_BEGINNINGS: "tif",
    JPEG2000_BEGINNINGS: "jp2",
}
# In a PNG, what stands behind the pixels, or in text, and may say that the picture is turned.
PNG_NOTES = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")


class Decoder(Enum):
    """Who decodes a picture."""

    TENSORFLOW = "TensorFlow"
    PILLOW = "Pillow"  # TensorFlow would not read it, or read it wrongly
    APART = "Pillow, in a process that may die"


class NotAPicture(ValueError):
    """Bytes that are no picture that the course can read; `reason` says why in a short phrase."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"Received: {reason}. Expected: a picture in {NAMED} of at most {MOST_PIXELS:,} "
            f"pixels. Convert it, or leave it out."
        )


@dataclass(frozen=True)
class Header:
    """What is known of a picture before it is decoded.

    Attributes:
        height, width: as stored, in pixels; 0 where they are not known.
        turn: the orientation of the EXIF standard, 1 to 8; 1 where it is no such number.
        decoder: who decodes it.
        is_jpeg: it can be decoded smaller than it is.
        reason: why it is not to be decoded, if so.
    """

    height: int = 0
    width: int = 0
    turn: int = 1
    decoder: Decoder = Decoder.TENSORFLOW
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


def inspect_file(path: str) -> Header:
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
    if is_apart(head):
        return Header(decoder=Decoder.APART)
    found = _quickly(head) or _thoroughly(file, head)
    if found.height * found.width > MOST_PIXELS:
        return Header(reason=TOO_LARGE)
    return found


def is_apart(head: bytes) -> bool:
    """Whether a file begins as those do that are decoded in a process of their own."""
    if head[4:8] == b"ftyp":
        return not HEIF_BRANDS.union(AVIF_BRANDS).isdisjoint(brands(head))
    return head.startswith((*TIFF_BEGINNINGS, *JPEG2000_BEGINNINGS))


def suffix(contents: bytes) -> str:
    """What the name of a file with such contents ends in; without a dot."""
    for beginnings, found in SUFFIXES.items():
        if contents.startswith(beginnings):
            return found
    if contents[4:8] == b"ftyp":
        return "heic" if AVIF_BRANDS.isdisjoint(brands(contents)) else "avif"
    return "webp"


def brands(head: bytes) -> list[bytes]:
    """The brands of a file of boxes, its major one first."""
    end = min(int.from_bytes(head[:4], "big"), len(head), 256)
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]


def _quickly(head: bytes) -> Header | None:
    """The commonest files, ten times as fast as Pillow: JPEG and WebP without any note."""
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8 " and len(head) >= 30:
        width, height = struct.unpack("<HH", head[26:30])
        return Header(height & 0x3FFF, width & 0x3FFF)
    at = 2 if head[:3] == b"\xff\xd8\xff" else len(head)
    found = None
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in {0xE1, 0xE2}:  # EXIF may say that it is turned, ICC that its colours differ
            return None
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            if head[at + 9 : at + 10] not in {b"\1", b"\3"}:  # channels: CMYK has four
                return None
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            found = Header(height, width, is_jpeg=True)
        if marker == 0xDA:  # the pixels begin: no note comes behind
            return found
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _thoroughly(file: BinaryIO, head: bytes) -> Header:
    """Any file: Pillow reads its header; nothing is decoded."""
    from PIL import Image

    file.seek(0)
    try:
        # Pillow warns of pictures that the limit is there for, and of each entry of a damaged note.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=HERE) as image:
                return _header(image, file)
    except Image.DecompressionBombError:
        return Header(reason=TOO_LARGE)
    # Whatever its readers stumble over in a file that somebody made up.
    except Exception:
        return _mended(file, head)


def _mended(file: BinaryIO, head: bytes) -> Header:
    """A file that Pillow does not open may be one that it does without what it stumbled over."""
    if mending.pixels(head) > MOST_PIXELS:
        return Header(reason=TOO_LARGE)
    if head.startswith((b"\x89PNG", b"BM")):
        file.seek(0)
        contents = file.read()
        other = mending.mended(contents)
        if other != contents:
            found = inspect(io.BytesIO(other))
            return replace(found, decoder=Decoder.PILLOW) if found.reason is None else found
    return Header(reason=kind(head))


def _header(image: Image, file: BinaryIO) -> Header:
    """What an opened picture says of itself."""
    width, height = image.size
    # `getexif` decodes a whole PNG to look behind its pixels: only where something stands there.
    noted = "exif" in image.info or (image.format == "PNG" and _has_notes(file))
    turn = colours.orientation(image) if noted or image.format != "PNG" else 1
    # TensorFlow takes the palette of a BMP for shades of grey, refuses WebP that moves, reads all
    # frames of a GIF for the first, and knows neither transparency nor colours but sRGB's.
    alone = (
        image.format in {"GIF", "BMP"}
        or image.mode == "CMYK"
        or (image.format == "WEBP" and getattr(image, "is_animated", False))
        or colours.may_be_transparent(image)
        or colours.foreign_profile(image) is not None
    )
    decoder = Decoder.PILLOW if alone else Decoder.TENSORFLOW
    return Header(height, width, turn, decoder, is_jpeg=image.format in {"JPEG", "MPO"})


def kind(head: bytes) -> str:
    """What a file is that nothing opened, by its first bytes."""
    if head[4:8] == b"ftyp":
        if b"crx " in brands(head):
            return RAW
        return CODING if is_apart(head) else VIDEO
    if is_apart(head):
        return DAMAGED
    if head[:4] == b"RIFF":
        return DAMAGED if head[8:12] == b"WEBP" else "a video or sound: save pictures of it"
    return next((said for begins, said in BEGINNINGS if head.startswith(begins)), NOT_A_PICTURE)


# The chunks of a PNG (ISO/IEC 15948)


def _has_notes(file: BinaryIO) -> bool:
    """Whether a PNG has text or EXIF, before its pixels or behind them."""
    at, end = 8, file.seek(0, os.SEEK_END)
    while at + 8 <= end:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if name in PNG_NOTES:
            return True
        at += 12 + length
    return False
