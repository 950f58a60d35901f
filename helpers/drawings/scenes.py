"""What is around an animal: backdrop, clutter, what stands before it, light, blur and noise."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import Image, ImageFilter

from helpers.drawings.canvas import (
    SIDE,
    SIZE,
    Canvas,
    Colour,
    darker,
    ellipse,
    lighter,
    mix,
    smooth,
)

BACKDROPS = ("plain", "room", "meadow", "night", "beach", "snow", "checks", "stripes", "dots")
OCCLUDERS = ("nothing", "leaf", "stick", "grass", "bubble")
OCCLUDER_CHANCES = (0.80, 0.06, 0.04, 0.06, 0.04)


def draw_backdrop(kind: str, generator: np.random.Generator) -> Canvas:
    """A new canvas with one of BACKDROPS on it, and a little clutter."""
    tint = random_tint(generator)
    canvas = Canvas(tint)
    if kind == "room":
        _room(canvas, tint, generator)
    elif kind in {"meadow", "night", "beach", "snow"}:
        _landscape(canvas, kind, generator)
    elif kind != "plain":
        _pattern(canvas, kind, tint, generator)
    for _ in range(generator.integers(0, 4)):
        _clutter(canvas, generator)
    return canvas


def random_tint(generator: np.random.Generator) -> Colour:
    """Any hue, neither glaring nor black."""
    hue, saturation, value = (
        generator.uniform(0, 1),
        generator.uniform(0.08, 0.50),
        generator.uniform(0.45, 0.95),
    )
    return tuple(255 * part for part in colorsys.hsv_to_rgb(hue, saturation, value))


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The corners of a box, from shares of the side to pixels."""
    return SIDE * np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _room(canvas: Canvas, wall: Colour, generator: np.random.Generator) -> None:
    """A wall with a window or a picture on it, and a floor."""
    floor = generator.uniform(0.62, 0.85)
    canvas.fill(_box(0, floor, 1, 1), darker(random_tint(generator), 0.35))
    canvas.fill(_box(0, floor - 0.03, 1, floor), lighter(wall, 0.4))
    left, top = generator.uniform(0.0, 0.65), generator.uniform(0.0, 0.2)
    frame = _box(left, top, left + generator.uniform(0.22, 0.34), top + generator.uniform(0.2, 0.4))
    pane = (168, 208, 236) if generator.random() < 0.6 else random_tint(generator)
    canvas.fill(frame, pane, edge=darker(wall, 0.5))
    if generator.random() < 0.6:
        middle = (frame[0] + frame[1]) / 2, (frame[2] + frame[3]) / 2
        canvas.line(np.array(middle), darker(wall, 0.5), 3)


_LANDSCAPES = {
    "meadow": ((150, 205, 240), (98, 170, 84)),
    "night": ((38, 44, 92), (42, 74, 72)),
    "beach": ((128, 204, 226), (232, 208, 152)),
    "snow": ((196, 214, 236), (244, 247, 252)),
}


def _landscape(canvas: Canvas, kind: str, generator: np.random.Generator) -> None:
    """Sky, two hills, sun or stars."""
    sky, ground = (_jittered(colour, generator, 14) for colour in _LANDSCAPES[kind])
    canvas.fill(_box(0, 0, 1, 1), sky)
    _lights_of_the_sky(canvas, kind, generator)
    for depth in (0, 1):
        height = generator.uniform(0.45, 0.6) + 0.15 * depth
        bumps = height + generator.uniform(-0.07, 0.07, size=5)
        ridge = smooth(list(zip(np.linspace(-0.1, 1.1, 5), bumps, strict=True)), closed=False)
        hill = np.concatenate([ridge, [[1.1, 1.1], [-0.1, 1.1]]])
        canvas.fill(SIDE * hill, darker(ground, 0.12 * depth))
    if kind == "meadow":
        for x, y in generator.uniform((0, 0.65), (1, 1), size=(7, 2)):
            flower = (250, 236, 130) if generator.random() < 0.5 else (246, 246, 250)
            canvas.fill(ellipse((SIDE * x, SIDE * y), 4, 4, corners=8), flower)


def _lights_of_the_sky(canvas: Canvas, kind: str, generator: np.random.Generator) -> None:
    """Stars at night; else a sun or a cloud."""
    if kind == "night":
        for x, y in generator.uniform(0, (1, 0.5), size=(12, 2)):
            canvas.fill(ellipse((SIDE * x, SIDE * y), 2.2, 2.2, corners=8), (236, 232, 200))
    x, y = generator.uniform((0.05, 0.02), (0.95, 0.25))
    if kind == "night" or generator.random() < 0.5:
        canvas.fill(ellipse((SIDE * x, SIDE * y), 22, 22), (250, 236, 176))
        return
    for shift in (-22, 0, 22):
        canvas.fill(ellipse((SIDE * x + shift, SIDE * y), 24, 14), (250, 252, 255), alpha=0.8)


def _pattern(canvas: Canvas, kind: str, tint: Colour, generator: np.random.Generator) -> None:
    """Wallpaper: checks, stripes or dots in two shades."""
    other = mix(tint, random_tint(generator), 0.45)
    step = generator.uniform(0.09, 0.2)
    places = np.arange(-0.3, 1.3, step)
    if kind == "stripes":
        lean = generator.uniform(-0.3, 0.3)
        for x in places[::2]:
            stripe = [[x, -0.1], [x + step, -0.1], [x + step + lean, 1.1], [x + lean, 1.1]]
            canvas.fill(SIDE * np.array(stripe), other)
        return
    for row, y in enumerate(places):
        for column, x in enumerate(places):
            if (row + column) % 2:
                continue
            if kind == "checks":
                canvas.fill(_box(x, y, x + step, y + step), other)
            else:
                canvas.fill(
                    ellipse((SIDE * x, SIDE * y), 0.3 * SIDE * step, 0.3 * SIDE * step), other
                )


def _clutter(canvas: Canvas, generator: np.random.Generator) -> None:
    """A ball, a block or a cushion somewhere behind the animal."""
    x, y = SIDE * generator.uniform(0, 1, size=2)
    size = SIDE * generator.uniform(0.04, 0.11)
    corners = int(generator.choice([3, 4, 24]))
    colour = random_tint(generator)
    shape = ellipse(
        (x, y), size, size * generator.uniform(0.6, 1), generator.uniform(0, 3), corners
    )
    canvas.fill(shape, colour, edge=darker(colour, 0.25))


def draw_occluder(canvas: Canvas, kind: str, generator: np.random.Generator) -> None:
    """Something small that stands before the animal: one of OCCLUDERS."""
    x, y = SIDE * generator.uniform(0.25, 0.75, size=2)
    if kind == "leaf":
        angle, length = generator.uniform(0, 3), SIDE * generator.uniform(0.08, 0.13)
        green = _jittered((84, 150, 74), generator, 25)
        canvas.fill_before(ellipse((x, y), length, 0.42 * length, angle), green)
        rib = ellipse((x, y), length, 0.5, angle)[[0, 13]]
        canvas.line(rib, darker(green, 0.3), 2)
    elif kind == "stick":
        brown, angle = _jittered((124, 92, 62), generator, 20), generator.uniform(0, np.pi)
        canvas.fill_before(ellipse((x, y), 1.5 * SIDE, 0.02 * SIDE, angle, 40), brown)
    elif kind == "grass":
        for left in SIDE * generator.uniform(-0.05, 1, size=14):
            tip = [left + generator.uniform(-15, 15), SIDE * generator.uniform(0.68, 0.85)]
            blade = np.array([[left - 5, SIDE], tip, [left + 5, SIDE]])
            canvas.fill_before(blade, _jittered((86, 150, 70), generator, 25))
    elif kind == "bubble":
        size = SIDE * generator.uniform(0.06, 0.10)
        canvas.fill_before(ellipse((x, y), size, size), lighter(random_tint(generator), 0.3))
        canvas.fill(ellipse((x - size / 3, y - size / 3), size / 5, size / 5), (255, 255, 255))


def _jittered(colour: Colour, generator: np.random.Generator, by: float) -> Colour:
    """A colour close to the one given."""
    return tuple(np.add(colour, generator.uniform(-by, by, size=3)))


def photograph(canvas: Canvas, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Reduce the canvas to a picture, with light from one side, a colour cast, blur and noise.

    Returns:
        The picture, uint8 `(96, 96, 3)`, and the animal's outline, bool `(96, 96)`.
    """
    small = canvas.image.resize((SIZE, SIZE), Image.Resampling.BOX)
    if generator.random() < 0.2:
        small = small.filter(ImageFilter.GaussianBlur(generator.uniform(0.3, 0.8)))
    pixels = np.asarray(small, dtype=np.float32)
    pixels = pixels * _light(generator) * generator.normal(1, 0.04, size=3)
    pixels += generator.normal(0, generator.uniform(0.5, 5), size=(SIZE, SIZE, 1))
    picture = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    outline = canvas.outline.resize((SIZE, SIZE), Image.Resampling.BOX)
    return picture, np.asarray(outline) > 127


def _light(generator: np.random.Generator) -> np.ndarray:
    """Brightness `(96, 96, 1)` around 1, falling off away from a light at a random side."""
    angle, strength = generator.uniform(0, 2 * np.pi), generator.uniform(0, 0.28)
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    slope = strength * (x * np.cos(angle) + y * np.sin(angle))
    return (generator.uniform(0.84, 1.08) + slope)[..., None]
