"""Patterns of the fur: stripes, patches, masks; drawn inside the head's outline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from helpers.drawings.canvas import Colour, Pose, darker, ellipse, mix, smooth

if TYPE_CHECKING:
    from helpers.drawings.faces import Face

CREAM = (246.0, 240.0, 228.0)


def draw(face: Face, marking: str) -> None:
    """Draw one of MARKINGS on a head."""
    MARKINGS[marking](face)


def draw_on_body(face: Face, body: np.ndarray, pose: Pose) -> None:
    """Carry stripes and spots on over the shoulders."""
    kinds = face.traits.marking.split("+")
    with face.canvas.inside(body):
        if {"tabby", "stripes"} & set(kinds):
            for y in (1.2, 1.7, 2.2, 2.7):
                for side in (-1, 1):
                    stripe = [(side * 1.2, y - 0.1), (side * 0.5, y + 0.12), (side * 1.2, y + 0.1)]
                    face.canvas.fill(pose.place(smooth(stripe)), face.second)
        if "spots" in kinds:
            for x, y in face.generator.uniform((-1, 1), (1, 3), size=(12, 2)):
                face.canvas.fill(pose.place(ellipse((x, y), 0.12, 0.1, corners=12)), face.second)


def _paint(face: Face, points: np.ndarray, colour: Colour) -> None:
    face.canvas.fill(face.on_face(points), colour)


def _plain(face: Face) -> None:
    """Nothing."""


def _tabby(face: Face) -> None:
    """Lines on the forehead, and two on each cheek."""
    for x, length in ((-0.22, 0.34), (0.0, 0.42), (0.22, 0.34)):
        top = -face.traits.head_height
        stripe = ellipse((x, top + length / 2 + 0.05), 0.06, length / 2 + 0.05)
        _paint(face, stripe, face.second)
    for side in (-1, 1):
        for y in (0.18, 0.42):
            line = [(side * 1.05, y - 0.02), (side * 0.62, y + 0.06), (side * 1.05, y + 0.12)]
            _paint(face, smooth(line), face.second)


def _stripes(face: Face) -> None:
    """Bold stripes all around, as a zebra's."""
    for y in np.arange(-0.9, 0.7, 0.28):
        for side in (-1, 1):
            stripe = [(side * 1.1, y - 0.06), (side * 0.18, y + 0.12), (side * 1.1, y + 0.12)]
            _paint(face, smooth(stripe), face.second)


def _patch(face: Face) -> None:
    """A patch around one eye."""
    side = face.generator.choice((-1, 1))
    middle = (side * face.traits.eye_spacing, face.traits.eye_y - 0.05)
    width, height = face.generator.uniform(0.32, 0.5, size=2)
    _paint(face, ellipse(middle, width, height, face.generator.uniform(-0.6, 0.6)), face.second)


def _patches(face: Face) -> None:
    """Two or three large patches anywhere, as of a calico or a spotted cow."""
    for _ in range(face.generator.integers(2, 4)):
        middle = face.generator.uniform(-0.9, 0.9, size=2)
        points = [
            middle + face.generator.uniform(0.3, 0.55) * np.array([np.cos(turn), np.sin(turn)])
            for turn in np.linspace(0, 2 * np.pi, 7, endpoint=False)
        ]
        _paint(face, smooth(points), face.second)


def _spots(face: Face) -> None:
    """Small spots."""
    for x, y in face.generator.uniform(-0.95, 0.95, size=(22, 2)):
        _paint(face, ellipse((x, y), 0.08, 0.07, corners=10), face.second)


def _blaze(face: Face) -> None:
    """A pale stripe from the forehead to the nose."""
    width = face.generator.uniform(0.08, 0.2)
    low = face.traits.muzzle_y
    stripe = [(-0.5 * width, -1.2), (0.5 * width, -1.2), (width, 0), (2.4 * width, low)]
    stripe += [(-2.4 * width, low), (-width, 0)]
    _paint(face, smooth(stripe), CREAM)


def _bib(face: Face) -> None:
    """The lower half of the face pale, up to a point between the eyes."""
    top = face.generator.uniform(-0.35, 0.0)
    points = [(0, top), (0.4, 0.25), (1.3, 0.55), (1.0, 1.6), (-1.0, 1.6), (-1.3, 0.55)]
    points += [(-0.4, 0.25)]
    _paint(face, np.array(points), CREAM)


def _mask(face: Face) -> None:
    """A dark band over both eyes, as a raccoon's."""
    y = face.traits.eye_y
    for side in (-1, 1):
        patch = ellipse(
            (side * (face.traits.eye_spacing + 0.08), y + 0.05), 0.42, 0.27, side * 0.35
        )
        _paint(face, patch, face.second)


def _eye_patches(face: Face) -> None:
    """A drop of the second colour around each eye, as a panda's."""
    for side in (-1, 1):
        middle = (side * (face.traits.eye_spacing + 0.03), face.traits.eye_y + 0.07)
        _paint(face, ellipse(middle, 0.27, 0.36, side * 0.5), face.second)


def _rings(face: Face) -> None:
    """A pale ring around each eye."""
    for side in (-1, 1):
        middle = (side * face.traits.eye_spacing, face.traits.eye_y)
        size = face.traits.eye_size
        _paint(face, ellipse(middle, 1.55 * size, 1.5 * size), mix(face.pale, CREAM, 0.5))


def _points(face: Face) -> None:
    """A dark middle of the face that fades outwards, as a Siamese's or a pug's."""
    middle = (0, face.traits.muzzle_y - 0.1)
    for size, share in ((0.85, 0.35), (0.7, 0.6), (0.55, 0.9)):
        shade = mix(face.coat, face.second, share)
        _paint(face, ellipse(middle, size, 0.95 * size), shade)


def _cap(face: Face) -> None:
    """The upper half dark, down to the brows."""
    low = face.generator.uniform(-0.45, -0.2)
    points = [(-1.3, low + 0.3), (-0.5, low), (0, low + 0.2), (0.5, low), (1.3, low + 0.3)]
    _paint(face, np.array([*points, (1.3, -1.6), (-1.3, -1.6)]), face.second)


def _brows(face: Face) -> None:
    """A light dot over each eye."""
    for side in (-1, 1):
        middle = (side * face.traits.eye_spacing * 0.85, face.traits.eye_y - 0.34)
        _paint(face, ellipse(middle, 0.13, 0.09), face.pale)


def _badger(face: Face) -> None:
    """Two dark bands from the nose over the eyes."""
    for side in (-1, 1):
        band = [(side * 0.12, 0.8), (side * 0.25, -1.2), (side * 0.68, -1.2), (side * 0.52, 0.2)]
        _paint(face, np.array(band), face.second)


def _heart(face: Face) -> None:
    """A pale face within the coat, as a monkey's or a barn owl's."""
    y, spacing = face.traits.eye_y, face.traits.eye_spacing
    for side in (-1, 1):
        _paint(face, ellipse((side * spacing * 0.9, y), 0.42, 0.42), face.pale)
    _paint(face, ellipse((0, face.traits.muzzle_y), 0.6, 0.5), face.pale)


def _shadow_eyes(face: Face) -> None:
    """A dark line from each eye outwards, as a sloth's or a meerkat's."""
    for side in (-1, 1):
        start = side * face.traits.eye_spacing
        y = face.traits.eye_y
        line = [(start - side * 0.15, y - 0.1), (start + side * 0.6, y + 0.22)]
        line += [(start + side * 0.5, y + 0.42), (start - side * 0.12, y + 0.18)]
        _paint(face, smooth(line), face.second)


def _blush(face: Face) -> None:
    """Red cheeks."""
    for side in (-1, 1):
        cheek = face.on_face(ellipse((side * 0.68, 0.32), 0.18, 0.14))
        face.canvas.fill(cheek, (240, 110, 90), alpha=0.6)


def _wrinkles(face: Face) -> None:
    """Three lines between the brows."""
    for y in (-0.62, -0.48, -0.34):
        line = smooth([(-0.3, y + 0.05), (0, y - 0.05), (0.3, y + 0.05)], closed=False)
        face.canvas.line(face.on_face(line), darker(face.coat, 0.35), 2)


def _dark_muzzle(face: Face) -> None:
    """Nothing on the head: the muzzle itself takes the second colour (faces.py)."""


MARKINGS: dict[str, Callable[[Face], None]] = {
    "plain": _plain,
    "tabby": _tabby,
    "stripes": _stripes,
    "patch": _patch,
    "patches": _patches,
    "spots": _spots,
    "blaze": _blaze,
    "bib": _bib,
    "mask": _mask,
    "eye_patches": _eye_patches,
    "rings": _rings,
    "points": _points,
    "cap": _cap,
    "brows": _brows,
    "badger": _badger,
    "heart": _heart,
    "shadow_eyes": _shadow_eyes,
    "blush": _blush,
    "wrinkles": _wrinkles,
    "dark_muzzle": _dark_muzzle,
}
