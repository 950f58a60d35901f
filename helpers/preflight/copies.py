"""Find a picture again that was resized, compressed, brightened, mirrored, turned or cropped."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Orientation = tuple[int, bool]
Window = tuple[float, float, float]
Candidate = tuple[int, Orientation, Window]
Match = tuple[float, int, str]

SIDE, KEPT, FINE = 32, 8, 24
BLANK = 1e-3
WHOLE = (1.0, 0.0, 0.0)
# How a picture is turned, then mirrored, so that it is its original again: turns by a quarter, and
# whether left and right change sides.
ORIENTATIONS = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]
HOW = {
    (0, False): "",
    (0, True): "mirrored",
    (1, False): "turned",
    (2, False): "turned",
    (3, False): "turned",
    (1, True): "mirrored",
    (2, True): "mirrored",
    (3, True): "mirrored",
}
# Parts of a picture that are looked for, by their share of a side.
SCALES = (0.92, 0.84, 0.76)
# So many of ours are compared with all of theirs at once: 55 MB for 2,000 of theirs.
ROWS_AT_ONCE = 256
STEPS = (0.04, 0.02, 0.01)
# Below this likeness of the low frequencies no pair is looked at more closely.
PROMISING = 0.8
# From this rest on, no part close by is a copy either: it would have to fall to a sixth.
HOPELESS = 0.2
# Rests, 1 less the correlation, measured: of 500 drawings against 1,000 others 0.05 and more, 0.10
# at the quantile of 5 %, 0.22 in the middle; of 597 of scikit-learn's digits against 1,200 others
# 0.010, 0.031, 0.066. Copies of 60 of them leave (drawings, digits; 90 % leave less): JPEG of
# quality 20 0.007, 0.004; mirrored or turned 0; a fifth lighter 0.020, 0.006; cut to 0.9 of a side
# 0.013, 0.004, to 0.8 0.021, 0.005; resized to a half 0.021, 0.
LIMIT = 0.035
# Rests of pictures that are equal, but for rounding.
EQUAL = 1e-5
# So many pictures of a set are compared with the whole set for what is natural in it.
NATURAL = 256


@dataclass(frozen=True)
class Prints:
    """What is kept of n pictures to know them again.

    Attributes:
        thumbs: float32 `(n, 32, 32)`, grey.
        blank: bool `(n,)`, pictures of one colour, which are copies of none.
    """

    thumbs: np.ndarray
    blank: np.ndarray


@dataclass(frozen=True)
class Found:
    """Pictures of ours that are copies of theirs, each at most once.

    Attributes:
        ours, theirs: int `(k,)`, their rows.
        how: words of `HOW`, and `"cropped"`, for each; empty for whole pictures as they are.
    """

    ours: np.ndarray
    theirs: np.ndarray
    how: list[str]


def are_pictures(inputs: np.ndarray) -> bool:
    """Whether inputs have the shape of pictures: `(n, height, width, 1 or 3)`."""
    return inputs.ndim == 4 and inputs.shape[-1] in {1, 3} and min(inputs.shape[1:3]) >= 8


def hash_pictures(images: Iterable[np.ndarray]) -> Prints:
    """Make pictures `(height, width, channels)` of any range of values small and grey."""
    small = np.stack([_thumb(picture) for picture in images])
    spread = small.std(axis=(1, 2))
    scale = np.abs(small).max(axis=(1, 2)) + 1e-9
    return Prints(small, spread < BLANK * scale)


def _thumb(picture: np.ndarray) -> np.ndarray:
    """The mean grey of each cell of a grid, `(32, 32)`: a quarter of the time that Pillow takes."""
    height, width, channels = picture.shape
    equally = np.full(channels, 1 / channels, np.float32)
    grey = picture.reshape(-1, channels).astype(np.float32) @ equally
    return _cells(height) @ grey.reshape(height, width) @ _cells(width).T


@lru_cache(maxsize=256)
def _cells(length: int) -> np.ndarray:
    """A matrix `(32, length)` with the mean over each 32nd of a side, of pixels in part, too."""
    edges, pixels = np.linspace(0, length, SIDE + 1), np.arange(length)
    ends = np.minimum(edges[1:, None], pixels + 1)
    begins = np.maximum(edges[:-1, None], pixels)
    return (np.maximum(0, ends - begins) * SIDE / length).astype(np.float32)


def describe(prints: Prints) -> np.ndarray:
    """Whole pictures as `(n, 64)` of length 1, 0 where blank: their products say how alike two are.

    A picture saved again, resized, brightened or a little moved keeps most of it.
    """
    found = _describe(prints.thumbs, WHOLE)
    found[prints.blank] = 0
    return found


def join(parts: list[Prints]) -> Prints:
    """Prints of several batches as one."""
    return Prints(
        np.concatenate([part.thumbs for part in parts]),
        np.concatenate([part.blank for part in parts]),
    )


@lru_cache(maxsize=4096)
def _window(scale: float, start: float, size: int) -> np.ndarray:
    """A matrix `(size, 32)` that reads a part of a side with linear interpolation."""
    centres = (start + (np.arange(size) + 0.5) / size * scale) * SIDE - 0.5
    centres = np.clip(centres, 0, SIDE - 1)
    return np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(SIDE))).astype(np.float32)


def _windows() -> list[Window]:
    """Parts of a picture as (share of a side, top, left)."""
    found = [WHOLE]
    for scale in SCALES:
        starts = np.linspace(0, 1 - scale, 3)
        found += [(scale, float(top), float(left)) for top in starts for left in starts]
    return found


def _describe(thumbs: np.ndarray, window: Window) -> np.ndarray:
    """The low frequencies of a part of pictures, `(n, 64)` of length 1."""
    from scipy.fft import dctn

    scale, top, left = window
    part = _window(scale, top, 16) @ thumbs @ _window(scale, left, 16).T
    waves = dctn(part, axes=(1, 2), norm="ortho")[:, :KEPT, :KEPT].reshape(len(part), -1)
    waves[:, 0] = 0
    return waves / (np.linalg.norm(waves, axis=1, keepdims=True) + 1e-9)


def _turned(thumbs: np.ndarray, orientation: Orientation) -> np.ndarray:
    turns, mirrored = orientation
    thumbs = np.rot90(thumbs, turns, axes=(1, 2))
    return thumbs[:, :, ::-1] if mirrored else thumbs


def _plans() -> list[tuple[Orientation, list[Window]]]:
    """Which parts are looked for in which orientation: parts only as they are, or mirrored."""
    plans = [(orientation, [WHOLE]) for orientation in ORIENTATIONS]
    return [*plans, *((one, _windows()[1:]) for one in ((0, False), (0, True)))]


def _candidates(ours: np.ndarray, theirs: np.ndarray, same: bool) -> list[list[Candidate]]:
    """For each of ours the most alike of theirs, one for each of the plans."""
    described = {window: _describe(theirs, window) for window in _windows()}
    found: list[list[Candidate]] = [[] for _ in ours]
    for orientation, windows in _plans():
        mine = _describe(_turned(ours, orientation), WHOLE)
        # One large product takes far less time than many small ones.
        parts = np.concatenate([described[window] for window in windows]).T
        for start in range(0, len(ours), ROWS_AT_ONCE):
            likeness = mine[start : start + ROWS_AT_ONCE] @ parts
            rows = np.arange(len(likeness))
            if same:
                for number in range(len(windows)):
                    likeness[rows, number * len(theirs) + start + rows] = -1
            best = likeness.argmax(axis=1)
            for row in np.flatnonzero(likeness[rows, best] > PROMISING):
                number, other = divmod(int(best[row]), len(theirs))
                found[start + row].append((other, orientation, windows[number]))
    return found


def _rest(mine: np.ndarray, other: np.ndarray, window: Window) -> float:
    """What of our picture `(24, 24)` a part of another one does not explain, 0 to 1."""
    scale, top, left = window
    part = _window(scale, top, FINE) @ other @ _window(scale, left, FINE).T
    part = part - part.mean()
    return 1 - float((mine * part).sum() / (np.linalg.norm(part) + 1e-9))


def _refined(mine: np.ndarray, other: np.ndarray, window: Window) -> float:
    """The least rest around a window."""
    best, rest = window, _rest(mine, other, window)
    for step in STEPS if window != WHOLE and rest < HOPELESS else ():
        for one in _around(best, step):
            value = _rest(mine, other, one)
            if value < rest:
                best, rest = one, value
    return rest


def _around(window: Window, step: float) -> list[Window]:
    """Parts a step smaller, larger, higher, lower, to the left or right, within the picture."""
    moved = itertools.product(*((value - step, value, value + step) for value in window))
    rounded = [(round(s, 4), round(t, 4), round(u, 4)) for s, t, u in moved]
    return [
        (s, t, u) for s, t, u in rounded if 0.6 <= s <= 1 and min(t, u) >= 0 and s + max(t, u) <= 1
    ]


def least_rests(
    ours: np.ndarray, theirs: np.ndarray, same: bool = False, enough: float = 0.0
) -> list[Match]:
    """For each of our thumbs the rest, row and way of the one of theirs that explains it best.

    Args:
        ours, theirs: `(n, 32, 32)` and `(m, 32, 32)`.
        same: whether ours are the first of theirs, each of which is no copy of itself.
        enough: with a rest of so much for a whole picture no parts are looked for.

    Returns:
        The rest (1 less the correlation of both), a row, and words of `HOW`.
    """
    result = []
    for row, candidates in enumerate(_candidates(ours, theirs, same)):
        best: Match = (1.0, 0, "")
        for other, orientation, window in candidates:  # whole pictures first
            if window != WHOLE and best[0] <= enough:
                break
            mine = _standard(_turned(ours[row : row + 1], orientation)[0])
            rest = _refined(mine, theirs[other], window)
            if rest < best[0]:
                words = (HOW[orientation], "cropped" if window != WHOLE else "")
                best = (rest, other, " and ".join(word for word in words if word))
        result.append(best)
    return result


def _standard(thumb: np.ndarray) -> np.ndarray:
    """A thumb as `(24, 24)` of mean 0 and length 1."""
    reader = _window(1.0, 0.0, FINE)
    values = reader @ thumb @ reader.T
    values = values - values.mean()
    return values / (np.linalg.norm(values) + 1e-9)


def limit(*sets: np.ndarray) -> float:
    """Below which rest a picture is a copy: far below what those of one set leave of each other.

    Small plain pictures, such as digits, are much alike, and none is a copy.

    Args:
        sets: thumbs, `(n, 32, 32)` each.
    """
    found = LIMIT
    for thumbs in sets:
        rests = np.array([one[0] for one in least_rests(thumbs[:NATURAL], thumbs, same=True)])
        rests = rests[rests > EQUAL]
        if len(rests):
            low, middle = np.quantile(rests, (0.05, 0.5))
            found = min(found, low / 4, middle / 9)
    return float(found)


def find(ours: Prints, theirs: Prints) -> Found:
    """Find those of our pictures that are in theirs, as they are or altered.

    Found are pictures that were resized, saved again, brightened, mirrored, turned by quarters, and
    those that show a part of a picture of theirs, or the reverse.
    """
    mine, other = np.flatnonzero(~ours.blank), np.flatnonzero(~theirs.blank)
    if not len(mine) or not len(other):
        return Found(mine[:0], other[:0], [])
    most = limit(theirs.thumbs[other])
    matches = least_rests(ours.thumbs[mine], theirs.thumbs[other], enough=most)
    found = [
        (mine[row], other[match[1]], match[2])
        for row, match in enumerate(matches)
        if match[0] <= max(most, EQUAL)
    ]
    rows = np.array([pair[:2] for pair in found], int).reshape(-1, 2)
    return Found(rows[:, 0], rows[:, 1], [pair[2] for pair in found])
