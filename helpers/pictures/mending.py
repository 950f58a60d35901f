"""From files that Pillow refuses, though they are sound, to ones that it reads.

A PNG may hold text that is too long, or a note that is damaged; a BMP may keep its channels in any
bits of a pixel, of which Pillow knows the commonest.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

# In the header of a BMP: how its pixels are packed where masks say which bits are which channel.
BITFIELDS, ALPHA_BITFIELDS = 3, 6
BLUE_FIRST = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
MASKS_BEGIN = 54  # behind the first 40 bytes of the header, or in a longer one
WITH_ALPHA = 56  # the length of a header that has a fourth mask


def mended(contents: bytes) -> bytes:
    """The same picture as a file that Pillow may read; the file itself where nothing is known."""
    if contents.startswith(b"\x89PNG"):
        return png_without_notes(contents)
    if contents.startswith(b"BM"):
        try:
            return plain_bmp(contents)
        except (struct.error, ValueError):  # cut short
            pass
    return contents


def pixels(head: bytes) -> int:
    """How many pixels a BMP would be mended to; 0 for other files."""
    if len(head) < MASKS_BEGIN or not head.startswith(b"BM"):
        return 0
    width, height = struct.unpack_from("<ii", head, 18)
    return abs(width * height)


# The chunks of a PNG (ISO/IEC 15948)


def chunks(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The names of a PNG's chunks, each with all its bytes."""
    at = 8
    while at + 12 <= len(contents):
        length, name = struct.unpack(">I4s", contents[at : at + 8])
        yield name, contents[at : at + 12 + length]
        at += 12 + length


def png_without_notes(contents: bytes) -> bytes:
    """A PNG without its text, and without other notes that are damaged; its pixels stay."""
    kept = [whole for name, whole in chunks(contents) if name[:1].isupper() or _is_sound(whole)]
    return contents[:8] + b"".join(kept)


def _is_sound(chunk: bytes) -> bool:
    """Whether a chunk is no text, and its CRC-32 is right."""
    name = chunk[4:8]
    is_text = name in {b"tEXt", b"zTXt", b"iTXt"}
    return not is_text and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


# The masks of a BMP (BITMAPINFOHEADER to BITMAPV5HEADER)


def plain_bmp(contents: bytes) -> bytes:
    """A BMP with any masks as one of eight bits a channel; others stay as they are.

    Raises:
        struct.error, ValueError: where it is cut short.
    """
    begin, length, width, height, _, bits, packed = struct.unpack_from("<IIiiHHI", contents, 10)
    if packed not in {BITFIELDS, ALPHA_BITFIELDS} or bits not in {16, 24, 32} or width < 1:
        return contents
    has_alpha = length >= WITH_ALPHA or packed == ALPHA_BITFIELDS
    masks = struct.unpack_from("<4I", contents, MASKS_BEGIN)[: 4 if has_alpha else 3]
    row = (width * bits + 31) // 32 * 4  # bytes
    stored = np.frombuffer(contents, np.uint8, abs(height) * row, begin).reshape(-1, row)
    pixels = np.zeros((len(stored), width, 4), np.uint8)
    pixels[:, :, : bits // 8] = stored[:, : width * bits // 8].reshape(len(stored), width, -1)
    numbers = pixels.view("<u4")[:, :, 0].copy()
    for place, mask in zip((2, 1, 0, 3), (*masks, 0)[:4], strict=True):
        opaque = 255 if place == 3 else 0
        pixels[:, :, place] = _in_eight_bits(numbers, mask) if mask else opaque
    return _bmp_header(width, height) + pixels.tobytes()


def _in_eight_bits(numbers: np.ndarray, mask: int) -> np.ndarray:
    """The bits of one channel, stretched to 0 to 255."""
    lowest = mask & -mask
    return np.rint((numbers & mask) / lowest * (255 / (mask // lowest)))


def _bmp_header(width: int, height: int) -> bytes:
    """That of four bytes a pixel, blue first, opacity last (BITMAPV4HEADER)."""
    begin, length = 122, 108
    front = struct.pack("<2sIHHI", b"BM", begin + 4 * width * abs(height), 0, 0, begin)
    sizes = struct.pack("<IiiHHI20x", length, width, height, 1, 32, BITFIELDS)
    return front + sizes + struct.pack("<4I52x", *BLUE_FIRST)
