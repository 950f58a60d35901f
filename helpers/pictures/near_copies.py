"""Find pictures of one class that show the same: saved again, resized, or shot in a burst."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.pictures import decoding
from helpers.pictures.splits import File
from helpers.preflight import copies

# Two pictures are near copies where 1 less the product of what `copies.describe` keeps of them is
# below this. Measured: of 2,000 photographs of cats and dogs, and of 1,000 drawings, each against
# all others of its set, 0.072 and 0.048 at the least, one true pair apart. What copies of 60
# photographs leave in the middle, and at the quantile of 90 %: at half the size as JPEG of quality
# 60 0.000, 0.001; moved by 2 % 0.011, 0.018; moved by 5 % 0.078, 0.123; turned by two degrees
# 0.005, 0.010.
LIMIT = 0.045
# Pictures of different classes are no copies: where they are so alike, as before one camera that
# never moves, likeness says little. The limit stays below this share of what the most alike 5 % of
# them leave of each other.
NATURAL_SHARE = 0.4
# Pictures are decoded at this size to be compared, whatever size was asked for, and so many of one
# set say what is natural in it.
DECODED, SAMPLE = 32, 256
AT_ONCE = 512
# What is kept of a picture differs a little with its size: so much wider is looked for, before the
# pairs that are found are compared at one size. The groups that come out do not depend on the size
# that was asked for.
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
    rows = np.arange(len(files)) if rows is None else rows
    kept = _decoded(paths) if images is None else _in_parts(rows, lambda row: images[row])
    limit = _limit(files)
    pairs = _alike(kept, labels, limit if images is None else WIDER * limit)
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
    kept = _decoded([files[row].path for row in rows])
    rests = 1 - kept @ kept.T
    rests[labels[rows][:, None] == labels[rows]] = 2
    least = rests.min(axis=1)
    least = least[(least > copies.EQUAL) & (least < 2)]
    return min(LIMIT, NATURAL_SHARE * float(np.quantile(least, 0.05))) if len(least) else LIMIT


def _decoded(paths: Sequence[str]) -> np.ndarray:
    """What is kept of files, `(n, 64)`."""
    return _in_parts(paths, lambda part: decoding.decode_files(part, DECODED).images)


def _in_parts(items: Any, load: Callable[[Any], np.ndarray]) -> np.ndarray:
    """What is kept of pictures `(n, 64)`, of which so many are loaded at once."""
    parts = (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
    return np.concatenate([copies.describe(copies.hash_pictures(load(part))) for part in parts])


def _alike(kept: np.ndarray, labels: np.ndarray, limit: float) -> np.ndarray:
    """Pairs of rows of one class, `(k, 2)`, that leave less than `limit` of each other."""
    found = [np.zeros((0, 2), np.int64)]
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        own = kept[rows]
        for start in range(0, len(rows), AT_ONCE):
            likeness = own[start : start + AT_ONCE] @ own[start:].T
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
