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
# Pictures are compared at this size, whatever size was asked for; so many of one set say what is
# natural in it.
SIDE_COMPARED, SAMPLE = 32, 256
AT_ONCE = 512
# Of larger pictures every second row and column is looked at, or third, and so on: so many.
MOST_ROWS = 64
# What is kept of a picture differs a little with its size: so much wider is looked for, before the
# pairs that are found are compared at one size, and so much above `LIMIT` is enough for what is
# natural. The groups that come out do not depend on the size that was asked for.
WIDER, CLEAR = 1.5, 1.2


def groups(files: Sequence[File], images: np.ndarray, rows: np.ndarray) -> dict[str, int]:
    """The number of its group for each file, by path, that has near copies in its class.

    Args:
        files: pictures that can be decoded.
        images: uint8 `(m, size, size, 3)`, of any size.
        rows: which of them each of the files is.
    """
    labels = np.array([file.label for file in files])
    if images.shape[1] <= SIDE_COMPARED:
        same = images.shape[1] == SIDE_COMPARED
        kept = _kept(images, rows) if same else _decoded(files)
        pairs = _alike(kept, labels, min(LIMIT, _natural(files, kept)))
    else:
        pairs = _pairs_at_any_size(files, labels, _kept(images, rows))
    return {files[row].path: number for row, number in _joined(pairs, len(files)).items()}


def _pairs_at_any_size(files: Sequence[File], labels: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The pairs that one size gives, for which the few that may be some are decoded again."""
    natural = _natural(files, kept)
    limit = min(LIMIT, natural if natural > CLEAR * LIMIT else _natural(files))
    pairs = _alike(kept, labels, WIDER * limit)
    if not len(pairs):
        return pairs
    involved = np.unique(pairs)
    exact = _decoded([files[row] for row in involved])
    first, second = (exact[np.searchsorted(involved, column)] for column in pairs.T)
    return pairs[1 - (first * second).sum(axis=1) < limit]


def _natural(files: Sequence[File], kept: np.ndarray | None = None) -> float:
    """Below which rest pictures are nearer than is natural, by what different classes leave."""
    by_name = sorted(range(len(files)), key=lambda row: files[row].name)
    rows = np.array(by_name)[np.unique(np.linspace(0, len(files) - 1, SAMPLE).astype(int))]
    own = _decoded([files[row] for row in rows]) if kept is None else kept[rows]
    labels = np.array([files[row].label for row in rows])
    rests = 1 - own @ own.T
    rests[labels[:, None] == labels] = 2
    least = rests.min(axis=1)
    least = least[(least > copies.EQUAL) & (least < 2)]
    return NATURAL_SHARE * float(np.quantile(least, 0.05)) if len(least) else LIMIT


def _decoded(files: Sequence[File]) -> np.ndarray:
    """What is kept of files, `(n, 64)`, decoded at one size."""
    paths = [file.path for file in files]
    return _in_parts(paths, lambda part: decoding.decode_files(part, SIDE_COMPARED).images)


def _kept(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What is kept of pictures that are decoded, `(n, 64)`."""
    step = max(1, images.shape[1] // MOST_ROWS)
    return _in_parts(rows, lambda part: images[part, ::step, ::step])


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
