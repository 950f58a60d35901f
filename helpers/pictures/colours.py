"""From an opened picture to upright red, green and blue as sRGB means them, on white.

What is done is what a browser does. Colours of another profile (Display P3, Adobe RGB, CMYK) are
converted to sRGB by littlecms; a profile that is damaged, or for other channels, is passed over.
What is transparent is laid on white. Of 16 bits a channel the upper eight are kept. The EXIF note
of the camera turns the picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

BACKGROUND = (255, 255, 255)
# The colour spaces of ICC profiles by the modes of Pillow that hold their channels.
NEAR = 2  # of 255: versions of sRGB's own profile differ by so much
SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


class UnknownNumbers(ValueError):
    """Pixels of 32 bits: how bright a number is, nobody says."""


@dataclass(frozen=True)
class Rendered:
    """A picture as it is to be seen.

    Attributes:
        pixels: uint8 `(height, width, 3)`, upright.
        transparent: whether something of it was laid on the background.
    """

    pixels: np.ndarray
    transparent: bool


def render(image: Image) -> Rendered:
    """Decode an opened picture whole.

    Raises:
        UnknownNumbers: where its pixels have 32 bits.
        OSError, ValueError, SyntaxError and others: whatever Pillow raises for damaged data.
    """
    image.load()
    turn = orientation(image)
    profile = foreign_profile(image)
    flat, transparent = _on_background(_in_eight_bits(image), profile)
    return Rendered(turned(np.asarray(flat), turn), transparent)


def orientation(image: Image) -> int:
    """The orientation of the EXIF standard, 1 to 8; 1 where the note holds no such number."""
    from PIL import ExifTags

    try:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # a note that somebody made up, or that is cut short
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """Bring a picture upright.

    A square may be turned after it was resized, which comes to the same: the samples of a bilinear
    resize lie symmetrically.

    Args:
        image: `(height, width, 3)`.
        turn: the orientation of the EXIF standard, 1 to 8: which sides of the scene the first row
            and the first column show. Any other number leaves the picture as it is.
    """
    ways: dict[int, Any] = {
        2: lambda stored: stored[:, ::-1],
        3: lambda stored: stored[::-1, ::-1],
        4: lambda stored: stored[::-1],
        5: lambda stored: stored.transpose(1, 0, 2),
        6: lambda stored: stored[::-1].transpose(1, 0, 2),
        7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
        8: lambda stored: stored[:, ::-1].transpose(1, 0, 2),
    }
    return ways[turn](image).copy() if turn in ways else image


# Colours


def may_be_transparent(image: Image) -> bool:
    """Whether a picture has a channel, or a colour, that is not opaque."""
    return image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info


def foreign_profile(image: Image) -> bytes | None:
    """A picture's ICC profile where its colours are not those of sRGB."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return None
    return None if _is_srgb(profile) else profile


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes) -> bool:
    """Whether a profile changes no colour by more than `NEAR`, or is none that can be read."""
    from PIL import Image, ImageCms

    levels = np.linspace(0, 255, 6).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(6, 36, 3)
    transform = _to_srgb(profile, "RGB")
    if transform is None:
        return not any(_to_srgb(profile, mode) for mode in SPACES)
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return bool(np.abs(converted.astype(int) - grid).max() <= NEAR)


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> Any:
    """The transform from a profile to sRGB, None where it is for other channels."""
    from PIL import ImageCms

    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if SPACES.get(mode) != opened.profile.xcolor_space:
            return None
        return ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except Exception:  # littlecms cannot use it
        return None


def _in_eight_bits(image: Image) -> Image:
    """The same with eight bits a channel: 16 keep the upper eight."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        deep = np.asarray(image)
        grey = Image.fromarray((deep >> 8).astype(np.uint8))
        clear = image.info.get("transparency")  # one number of 16 bits
        if clear is not None:
            grey.putalpha(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8)))
        return grey
    if image.mode in {"I", "F"}:
        raise UnknownNumbers
    return image


def _on_background(image: Image, profile: bytes | None) -> tuple[Image, bool]:
    """RGB in sRGB, with what is transparent laid on the background, and whether anything is."""
    from PIL import Image

    alpha = None
    if may_be_transparent(image):
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    flat = _converted(image, profile)
    if alpha is None or alpha.getextrema()[0] == 255:
        return flat, False
    return Image.composite(flat, Image.new("RGB", flat.size, BACKGROUND), alpha), True


def _converted(image: Image, profile: bytes | None) -> Image:
    """RGB in sRGB, without its transparency."""
    from PIL import ImageCms

    if image.mode not in SPACES:  # a palette, single bits, transparency, YCbCr
        image = image.convert("RGB")
    transform = _to_srgb(profile, image.mode) if profile else None
    found = ImageCms.applyTransform(image, transform) if transform else None
    return found or image.convert("RGB")
