"""Views: what a picture looks like mirrored, turned, moved, lighter or darker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """How much views may differ from their picture; each is drawn evenly between its limits.

    Attributes:
        flip: mirror half of the views.
        rotation: at most this share of a full turn to either side.
        zoom: in or out by at most this share.
        shift: up, down and sideways by at most this share of the side.
        brightness: lighter or darker by at most this share of 255.
        contrast: more or less by at most this share.
    """

    flip: bool = True
    rotation: float = 0.03
    zoom: float = 0.15
    shift: float = 0.08
    brightness: float = 0.1
    contrast: float = 0.2


def augment(
    images: np.ndarray, augmentation: Augmentation, seed: tuple[int, ...], rows: np.ndarray
) -> np.ndarray:
    """A random view of each picture.

    Args:
        images: `(n, height, width, 3)` from 0 to 255.
        augmentation: the limits.
        seed: with a picture's row it decides the view, whatever pictures are around it.
        rows: `(n,)` numbers of the pictures.

    Returns:
        uint8, of the same shape. What was outside of the picture is filled with its mirror image.
    """
    import keras

    drawn = np.stack([np.random.default_rng((*seed, int(row))).uniform(size=7) for row in rows])
    transforms = _transforms(drawn, augmentation, images.shape[1:3])
    moved = keras.ops.image.affine_transform(
        images.astype("float32"), transforms, interpolation="bilinear", fill_mode="reflect"
    )
    changed = np.array(moved)
    spread = 1 + augmentation.contrast * (2 * drawn[:, 5] - 1)
    lift = 255 * augmentation.brightness * (2 * drawn[:, 6] - 1)
    offset = lift + changed.mean(axis=(1, 2, 3)) * (1 - spread)
    changed *= spread.astype("float32")[:, None, None, None]
    changed += offset.astype("float32")[:, None, None, None]
    return np.clip(np.rint(changed, out=changed), 0, 255, out=changed).astype("uint8")


def _transforms(
    drawn: np.ndarray, augmentation: Augmentation, height_width: tuple[int, int]
) -> np.ndarray:
    """Affine transforms `(n, 8)` as `keras.ops.image.affine_transform` takes them.

    Each maps a place in the view to the place in the picture that is shown there.
    """
    height, width = height_width
    signed = 2 * drawn - 1
    angle = 2 * np.pi * augmentation.rotation * signed[:, 0]
    scale = 1 + augmentation.zoom * signed[:, 1]
    mirror = np.where(augmentation.flip & (drawn[:, 4] < 0.5), -1.0, 1.0)
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = augmentation.shift * signed[:, 2:4] * [width, height]
    a, b = scale * np.cos(angle) * mirror, -scale * np.sin(angle)
    c, d = scale * np.sin(angle) * mirror, scale * np.cos(angle)
    right = center[0] + shift[:, 0] - a * center[0] - b * center[1]
    down = center[1] + shift[:, 1] - c * center[0] - d * center[1]
    nothing = np.zeros_like(a)
    return np.stack([a, b, right, c, d, down, nothing, nothing], axis=1).astype("float32")
