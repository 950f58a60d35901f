"""A canvas three times as large as the picture, and the curves that are drawn on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

SIZE = 96
# Drawn larger and reduced, which smooths every edge.
FACTOR = 3
SIDE = SIZE * FACTOR

# Red, green and blue, 0 to 255.
Colour = tuple[float, ...]


class Canvas:
    """An RGB image of SIDE x SIDE pixels, and beside it the outline of the animal.

    Attributes:
        image: what is drawn; points are in its pixels, x to the right, y down.
        outline: 8-bit grey, 255 where the animal can be seen.
    """

    def __init__(self, background: Colour) -> None:
        self.image = Image.new("RGB", (SIDE, SIDE), rounded(background))
        self.outline = Image.new("L", (SIDE, SIDE), 0)
        self._pen = ImageDraw.Draw(self.image, "RGBA")
        self._outline_pen = ImageDraw.Draw(self.outline)

    def fill(
        self, points: np.ndarray, colour: Colour, *, alpha: float = 1.0, edge: Colour | None = None
    ) -> None:
        """Fill a closed curve `(n, 2)`, with a thin line of colour `edge` around it."""
        corners = [tuple(point) for point in points.tolist()]
        self._pen.polygon(corners, fill=(*rounded(colour), round(255 * alpha)))
        if edge is not None:
            self._pen.line([*corners, corners[0]], fill=rounded(edge), width=3, joint="curve")

    def fill_animal(self, points: np.ndarray, colour: Colour, edge: Colour | None = None) -> None:
        """Fill a part of the animal, which also belongs to its outline."""
        self.fill(points, colour, edge=edge)
        self._outline_pen.polygon([tuple(point) for point in points.tolist()], fill=255)

    def fill_before(self, points: np.ndarray, colour: Colour) -> None:
        """Fill something that stands before the animal and hides that part of it."""
        self.fill(points, colour)
        self._outline_pen.polygon([tuple(point) for point in points.tolist()], fill=0)

    def line(self, points: np.ndarray, colour: Colour, width: int, alpha: float = 1.0) -> None:
        """Draw an open curve `(n, 2)`, `width` pixels wide."""
        ink = (*rounded(colour), round(255 * alpha))
        corners = [tuple(point) for point in points.tolist()]
        self._pen.line(corners, fill=ink, width=width, joint="curve")

    def line_animal(self, points: np.ndarray, colour: Colour, width: int) -> None:
        """Draw a thin part of the animal, an antler for one, which belongs to its outline."""
        self.line(points, colour, width)
        corners = [tuple(point) for point in points.tolist()]
        self._outline_pen.line(corners, fill=255, width=width, joint="curve")

    @contextmanager
    def inside(self, points: np.ndarray) -> Iterator[None]:
        """What is drawn within this context shows inside the closed curve `points` only."""
        before, mask = self.image.copy(), Image.new("L", (SIDE, SIDE), 255)
        ImageDraw.Draw(mask).polygon([tuple(point) for point in points.tolist()], fill=0)
        yield
        self.image.paste(before, (0, 0), mask)


@dataclass(frozen=True)
class Pose:
    """How a head is turned and where it is.

    Attributes:
        yaw, pitch, roll: radians; to the picture's right, downwards, clockwise.
        scale: half the width of a head, as a share of the picture's side.
        x, y: the middle of the head, as shares of the picture's side.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """From head units `(n, 3)`, x right, y down, z towards you, to pixels `(n, 2)`.

        What stands out of the face moves more than the face when the head turns: the eye sees
        depth in it.
        """
        x, y, z = np.asarray(points, dtype=float).T
        x, z = (
            x * np.cos(self.yaw) + z * np.sin(self.yaw),
            z * np.cos(self.yaw) - x * np.sin(self.yaw),
        )
        y = y * np.cos(self.pitch) + z * np.sin(self.pitch)
        return self.place(np.stack([x, y], axis=1))

    def place(self, points: np.ndarray) -> np.ndarray:
        """From flat head units `(n, 2)` to pixels `(n, 2)`: roll, scale and position only."""
        x, y = np.asarray(points, dtype=float).T
        turned_x = x * np.cos(self.roll) - y * np.sin(self.roll)
        turned_y = x * np.sin(self.roll) + y * np.cos(self.roll)
        where = np.array([self.x, self.y])
        return SIDE * (where + self.scale * np.stack([turned_x, turned_y], axis=1))


def ellipse(
    middle: Sequence[float] | np.ndarray,
    width: float,
    height: float,
    angle: float = 0.0,
    corners: int = 26,
) -> np.ndarray:
    """A closed curve `(corners, 2)`: half axes `width` and `height`, turned by `angle` radians."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    x, y = width * np.cos(turn), height * np.sin(turn)
    return np.stack(
        [
            middle[0] + x * np.cos(angle) - y * np.sin(angle),
            middle[1] + x * np.sin(angle) + y * np.cos(angle),
        ],
        axis=1,
    )


def smooth(points: ArrayLike, steps: int = 6, closed: bool = True) -> np.ndarray:
    """A smooth curve through the points `(n, 2)` (Catmull and Rom 1974)."""
    knots = np.asarray(points, dtype=float)
    if closed:
        knots = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        knots = np.concatenate([knots[:1], knots, knots[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2)
            + 0.5 * (3 * b - a - 3 * c + d) * t**3
        )
    if not closed:
        pieces.append(knots[-1:])
    return np.concatenate(pieces)


def rounded(colour: Colour) -> tuple[int, ...]:
    """A colour in whole numbers from 0 to 255."""
    return tuple(int(min(255, max(0, round(value)))) for value in colour)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    return tuple(a + share * (b - a) for a, b in zip(first, second, strict=True))


def darker(colour: Colour, share: float = 0.5) -> Colour:
    """A colour with `share` of black."""
    return mix(colour, (0.0, 0.0, 0.0), share)


def lighter(colour: Colour, share: float = 0.5) -> Colour:
    """A colour with `share` of white."""
    return mix(colour, (255.0, 255.0, 255.0), share)
