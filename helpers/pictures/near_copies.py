"""Find pictures of one class that show the same: saved again, resized, or shot in a burst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.pictures import decoding
from helpers.pictures.splits import File

# A thumb is a picture at 8 x 8, in colour: so coarse, a burst's small moves hardly matter.
SIDE = 8
# Two pictures are near copies where 1 less the correlation of their thumbs is below this. Measured:
# of 2,000 photographs of cats and dogs, and of 1,000 drawings, each against all others of its set,
# 0.077 and 0.059 at the least, one true pair apart. What copies of 60 photographs leave in the
# middle, and at the quantile of 90 %: at half the size as JPEG of quality 60 0.001, 0.002; moved by
# 2 % 0.009, 0.016; moved by 5 % 0.039, 0.061; turned by two degrees and cut 0.026, 0.048.
LIMIT = 0.05
# Pictures of different classes are no copies: where they are so alike, as before one camera that
# never moves, likeness says little. The limit stays below this share of what the most alike 5 % of
# them leave of each other.
NATURAL_SHARE = 0.4
# Rests of pictures that are equal, but for rounding.
EQUAL = 1e-5
# Pictures are decoded at this size to be compared, whatever size was asked for, and so many of one
# set say what is natural in it.
DECODED, SAMPLE = 32, 256
ROWS_AT_ONCE, PICTURES_AT_ONCE = 512, 2048
# Thumbs made from pictures of another size differ a little: so much wider is looked for in them,
# before the pairs that are found are compared with thumbs of one size. The groups that come out
# do not depend on the size that was asked for.
WIDER = 1.5


def groups(
    files: Sequence[File], images: np.ndarray | None = None, rows: np.ndarray | None = None
) -> dict[str, int]:
    """The number of its group for each file, by path, that has near copies in its class.

    Args:
        files: pictures that can be decoded.
        images: uint8 `(m, size, size, 3)`, where they are decoded already; and
        rows: where in it each of the files is.
    """
    labels = np.array([file.label for file in files])
    paths = [file.path for file in files]
    thumbs = _decoded(paths) if images is None else _thumbs(images, rows)
    limit = _limit(files)
    pairs = _alike(thumbs, labels, limit if images is None else WIDER * limit)
    if images is not None and len(pairs):
        involved = np.unique(pairs)
        exact = _decoded([paths[row] for row in involved])
        first, second = (exact[np.searchsorted(involved, column)] for column in pairs.T)
        pairs = pairs[1 - (first * second).sum(axis=1) < limit]
    return {paths[row]: number for row, number in _joined(pairs, len(files)).items()}


def _limit(files: Sequence[File]) -> float:
    """Below which rest two pictures are near copies, by what different classes leave."""
    labels = np.array([file.label for file in files])
    rows = np.unique(np.linspace(0, len(files) - 1, SAMPLE).astype(int))
    by_name = sorted(range(len(files)), key=lambda row: files[row].name)
    rows = np.array(by_name)[rows]
    thumbs = _decoded([files[row].path for row in rows])
    rests = 1 - thumbs @ thumbs.T
    rests[labels[rows][:, None] == labels[rows]] = 2
    least = rests.min(axis=1)
    least = least[(least > EQUAL) & (least < 2)]
    return min(LIMIT, NATURAL_SHARE * float(np.quantile(least, 0.05))) if len(least) else LIMIT


def _decoded(paths: Sequence[str]) -> np.ndarray:
    """Thumbs of files, `(n, 192)`."""
    found = [
        _thumbs(decoding.decode_files(paths[start : start + PICTURES_AT_ONCE], DECODED).images)
        for start in range(0, len(paths), PICTURES_AT_ONCE)
    ]
    return np.concatenate(found)


def _thumbs(images: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Pictures `(n, size, size, 3)` as thumbs `(n, 192)` of length 1, each channel of mean 0.

    Pictures of one colour are all 0, and like none; a tint alone makes no two alike.
    """
    rows = np.arange(len(images)) if rows is None else rows
    found = np.stack([_small(images[row]) for row in rows])
    found = (found - found.mean(axis=(1, 2), keepdims=True)).reshape(len(rows), -1)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-3)


def _small(image: np.ndarray) -> np.ndarray:
    """A picture at 8 x 8."""
    from PIL import Image

    small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float32)


def _alike(thumbs: np.ndarray, labels: np.ndarray, limit: float) -> np.ndarray:
    """Pairs of rows of one class, `(k, 2)`, whose thumbs leave less than `limit` of each other."""
    found = [np.zeros((0, 2), np.int64)]
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        own = thumbs[rows]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            likeness = own[start : start + ROWS_AT_ONCE] @ own[start:].T
            pairs = np.argwhere(likeness > 1 - limit)
            pairs = pairs[pairs[:, 0] < pairs[:, 1]] + start
            found.append(rows[pairs])
    return np.concatenate(found)


def _joined(pairs: np.ndarray, count: int) -> Mapping[int, int]:
    """The number of its group for each row that is in a pair."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    number = connected_components(graph, directed=False)[1]
    return {int(row): int(number[row]) for row in np.unique(pairs)}
