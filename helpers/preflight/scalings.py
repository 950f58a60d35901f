"""Scalings of pictures: what they make of a pixel, which one a model does, what mends another."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.layers import seen

if TYPE_CHECKING:
    import keras

CAFFE_MEAN = np.array([103.939, 116.779, 123.68])
TORCH_MEAN = np.array([0.485, 0.456, 0.406])
TORCH_STD = np.array([0.229, 0.224, 0.225])
# The corners of the colour cube, 0 to 255: black, the six pure colours, white.
CORNERS = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], "float64")
# Values of 0 to 255 by which black and white may be elsewhere: a data set's own mean and deviation
# in place of ImageNet's are 10 to 25 off, the nearest other scaling 65.
TOLERANCE = 38.0
# The means of red and blue that ImageNet has are 20 apart.
TIGHT = 8.0


@dataclass(frozen=True, eq=False)
class Scaling:
    """What becomes of a pixel: `matrix @ pixel + offset`, red, green and blue coming in.

    Attributes:
        matrix: `(channels out, channels in)`.
        offset: `(channels out,)`.
        name: as messages say it, empty for one that was measured.
        code: in Python, of pictures x of 0 to 255.
        back: in Python, from pictures x so scaled to 0 to 255; empty where it is not a line.
    """

    matrix: np.ndarray
    offset: np.ndarray
    name: str = ""
    code: str = ""
    back: str = ""

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Scale pictures `(..., channels)`."""
        return images @ self.matrix.T + self.offset

    def after(self, earlier: Scaling) -> Scaling:
        """Both, `earlier` first."""
        return Scaling(self.matrix @ earlier.matrix, self.matrix @ earlier.offset + self.offset)

    def undone(self) -> Scaling | None:
        """The way back, None where there is none, as from a picture made grey."""
        if self.matrix.shape != (3, 3) or abs(np.linalg.det(self.matrix)) < 1e-12:
            return None
        inverse = np.linalg.inv(self.matrix)
        return Scaling(inverse, -inverse @ self.offset)

    def fits(self, wanted: Scaling, tolerance: float = TOLERANCE) -> bool:
        """Whether it makes of the colours what `wanted` makes, within so many of 0 to 255."""
        back = wanted.undone()
        if back is None or self.matrix.shape != (3, 3):
            return False
        return bool(np.abs(back.after(self)(CORNERS) - CORNERS).max() <= tolerance)


def _even(factor: float, offset: float, *names: str) -> Scaling:
    return Scaling(np.eye(3) * factor, np.full(3, offset), *names)


FLIP = np.eye(3)[::-1]
CAFFE = "keras.applications.vgg16.preprocess_input({})"
TORCH = "keras.applications.densenet.preprocess_input({})"
SCALINGS = {
    one.name: one
    for one in (
        _even(1.0, 0.0, "0 to 255", "{}", "x"),
        _even(1 / 255, 0.0, "0 to 1", "{} / 255", "255 * x"),
        _even(1 / 127.5, -1.0, "-1 to 1", "{} / 127.5 - 1", "127.5 * (x + 1)"),
        Scaling(FLIP, -CAFFE_MEAN, "caffe", CAFFE),
        Scaling(np.diag(1 / (255 * TORCH_STD)), -TORCH_MEAN / TORCH_STD, "torch", TORCH),
    )
}
# Means taken off in the order of the other channels, twice, and from pictures scaled before.
MEANS_TURNED = Scaling(np.eye(3), -CAFFE_MEAN[::-1], "means of ImageNet taken off")
MEANS_TWICE = Scaling(np.eye(3), -CAFFE_MEAN - CAFFE_MEAN[::-1], "caffe, twice")
MEANS_OF_SCALED = (
    Scaling(FLIP / 255, -CAFFE_MEAN, "caffe, of 0 to 1"),
    Scaling(FLIP / 127.5, -CAFFE_MEAN - 1, "caffe, of -1 to 1"),
)
LINES = {(2, -1): "2 * x - 1", (0.5, 0.5): "(x + 1) / 2", (2, -255): "2 * x - 255"}
LINES |= {(255, 0): "255 * x", (127.5, 127.5): "127.5 * (x + 1)", (1 / 255, 0): "x / 255"}
LINES |= {(1 / 127.5, -1): "x / 127.5 - 1", (1, 0): "x"}


def scaled_as(images: np.ndarray) -> Scaling | None:
    """How pictures `(n, height, width, channels)` were scaled, by their lowest and highest value.

    Returns:
        None where they are in no usual range.
    """
    low, high = float(images.min()), float(images.max())
    if low >= 0 and high <= 255.5:
        whole = np.issubdtype(images.dtype, np.integer)
        return SCALINGS["0 to 255" if whole or high > 1.001 else "0 to 1"]
    if low >= -1.001 and high <= 1.001:
        return SCALINGS["-1 to 1"]
    if low >= -3 and high <= 3.2:
        return SCALINGS["torch"]
    if images.shape[-1] != 3 or low >= -30:
        return None
    pixels = images.reshape(-1, 3)
    for one in (*MEANS_OF_SCALED, SCALINGS["caffe"], MEANS_TURNED, MEANS_TWICE):
        black, white = one(CORNERS).min(axis=0), one(CORNERS).max(axis=0)
        if (pixels >= black - 0.5).all() and (pixels <= white + 0.5).all():
            return one
    return None


def scaling_of(
    model: keras.Model, entry: keras.layers.Layer, shape: tuple[int, ...]
) -> Scaling | None:
    """What a model does to pixels before a layer, measured with pictures of one colour.

    Args:
        model: from pictures of three channels.
        entry: the layer.
        shape: of a picture, `(height, width, 3)`.

    Returns:
        None where that is not the same straight line for each colour, or where the layer is not
        reached by a call that can be watched.
    """
    pure = np.concatenate([np.zeros((1, 3)), np.eye(3), [[2.0, 1.0, 3.0], [200.0, 100.0, 50.0]]])
    reached = reaching(model, entry, np.broadcast_to(pure[:, None, None], (len(pure), *shape)))
    if reached is None or reached.ndim != 4:
        return None
    points = reached[:, reached.shape[1] // 2, reached.shape[2] // 2]
    found = Scaling((points[1:4] - points[0]).T, points[0])
    near = 1e-2 * (np.ptp(points) + 1e-6)
    return found if np.abs(found(pure) - points).max() < near else None


class Reached(BaseException):
    """What follows need not be computed; Keras changes errors that are an `Exception`."""


def reaching(
    model: keras.Model, entry: keras.layers.Layer, pictures: np.ndarray, training: bool = False
) -> np.ndarray | None:
    """What a layer is given for pictures; None where no call shows it."""
    found: list[np.ndarray] = []

    def see(taken: Any, _: Any) -> None:
        if hasattr(taken, "numpy"):  # not so inside a graph
            found.append(np.array(taken, "float64"))
            raise Reached

    with seen(entry, "call", see), contextlib.suppress(Reached):
        model(pictures.astype("float32"), training=training)
    return found[0] if found else None


@dataclass(frozen=True, eq=False)
class Change:
    """A change of the pictures that a learner passes in.

    Attributes:
        text: in Python, or in words.
        apply: from pictures to pictures, `(n, height, width, 3)`.
        way: how to make it, a sentence.
    """

    text: str
    apply: Scaling
    way: str


def change(wanted: Scaling, came: Scaling, does: Scaling) -> Change | None:
    """What to do, so that pictures that came scaled somehow reach a layer as it wants them.

    Args:
        wanted: of what reaches the layer, from 0 to 255.
        came: of the pictures that are passed in.
        does: what becomes of these before the layer.

    Returns:
        None where no change of the pictures would do it.
    """
    undo, back = does.undone(), came.undone()
    if undo is None or back is None:
        return None
    apply = undo.after(wanted.after(back))
    line, own, inside = _line(apply), _line(does), code(wanted, came)
    if own == "x":
        return Change(inside, apply, f"Let the pictures x that you pass in be {inside}.")
    if not line:
        place = own or "the model's own scaling"
        return Change(
            f"{inside}, and not {place},", apply, f"In the model, {inside} in place of {place}."
        )
    way = f"Let the pictures x that you pass in be {line}; "
    if line == came.back:
        return Change(line, apply, f"{way}the model scales them itself.")
    way += "or take out, or change, the scaling that the model does itself"
    return Change(line, apply, f"{way}: {inside} in place of {own}." if own else f"{way}.")


def _line(scaling: Scaling) -> str:
    """`2 * x - 1` where all channels are treated alike, else nothing."""
    factor, offset = scaling.matrix[0, 0], scaling.offset[0]
    if not np.allclose(scaling.matrix, factor * np.eye(3), atol=1e-3 * abs(factor)):
        return ""
    if not np.allclose(scaling.offset, offset, atol=1e-2 * max(1.0, abs(offset))):
        return ""
    for (known, with_offset), text in LINES.items():
        if abs(factor / known - 1) < 0.01 and abs(offset - with_offset) < 0.01 * max(1, known):
            return text
    if abs(offset) < 1e-6:
        return f"{factor:.4g} * x"
    return f"{factor:.4g} * x {'-' if offset < 0 else '+'} {abs(offset):.4g}"


def code(wanted: Scaling, came: Scaling) -> str:
    """In Python, from pictures x as they came to what is wanted."""
    back = came.undone()
    line = _line(wanted.after(back)) if back else ""
    if line:
        return line
    if came.back:
        return wanted.code.format(came.back)
    return f"{wanted.code.format('x')}, of pictures x of 0 to 255 from before their scaling"


def first_convolution(leaves: Sequence[keras.layers.Layer]) -> keras.layers.Layer | None:
    """The first layer with weights that are no statistics: what it is fed is judged."""
    import keras

    kinds = (keras.layers.Normalization, keras.layers.BatchNormalization)
    return next((leaf for leaf in leaves if leaf.weights and not isinstance(leaf, kinds)), None)
