"""Run the frozen part of a network once per picture, and keep the result on disk.

A frozen network gives the same numbers for a picture in every epoch. So they are computed once, by
`extract`, and training goes on with the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import Timeout

from helpers import cache, machine, paths, progress, versions
from helpers.features import augmentation, stores
from helpers.features.augmentation import Augmentation as Augmentation
from helpers.features.augmentation import augment as augment
from helpers.features.engines import BATCH, ENGINES, Forward
from helpers.features.engines import with_constants as with_constants
from helpers.features.fingerprints import Pictures, fingerprint_pictures
from helpers.features.fingerprints import fingerprint as fingerprint

if TYPE_CHECKING:
    import keras
    from tqdm import tqdm

# Pictures that are written together.
BLOCK = 256
# LiteRT is the faster on a CPU, but converting the network takes longer than TensorFlow's tracing:
# so many pictures repay it, and the next ones find it converted.
LITERT_PAYS_FROM = 256


def extract(
    model: keras.Model,
    images: Pictures,
    *,
    views: int = 1,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    dtype: str | None = None,
    engine: str = "auto",
    keep: bool = True,
    quiet: bool = False,
    on_progress: Callable[[float, int], None] = lambda done, total: None,
) -> np.ndarray:
    """What `model.predict(images)` gives, computed faster and only once.

    The result is kept in the course's cache. A later call with the same model, weights, pictures,
    settings and versions opens it instead of computing it; any difference computes anew. When it
    is stopped, the next call goes on from there. Above the cache's limit, what was used least
    recently is removed.

    Args:
        model: from pictures of 0 to 255, `(n, height, width, 3)`, to features: scaling and a base
            up to a cut, or up to the pooling; or from features to later ones. It is run in
            inference mode.
        images: uint8 `(n, height, width, 3)`, or the features that the model takes.
        views: above 1, each picture is extracted that many times: as it is, and then in
            augmented views, so that training sees variety although the model runs no more.
        augmentation: what the views are like; by default `Augmentation()`.
        seed: decides the views. A picture's views do not depend on the pictures around it.
        dtype: of the result; `"float32"`, or for several views `"float16"`.
        engine: `"tensorflow"` or `"litert"` (LiteRT, for CPUs). `"auto"` takes LiteRT for 256
            and more views where there is no GPU. Both run the network with its weights as
            constants, BatchNormalization folded into the convolutions. LiteRT's network is kept
            beside the features.
        keep: False computes in memory and keeps nothing.
        quiet: no progress bar.
        on_progress: called after every batch with how many pictures are done, and of how many; an
            error raised in it stops the extraction as an interrupt does.

    Returns:
        `(n, *features)`, or `(n, views, *features)` for several views. Kept features are
        memory-mapped and read-only.

    Raises:
        ValueError: where the pictures do not fit the model, an argument is out of range, or the
            result is larger than the cache may be (`helpers.cache`).
        OSError: where the disk is full.
    """
    plan = _Plan(model, images, views, augmentation or Augmentation(), seed, dtype, engine)

    def told(bar: tqdm, done: float) -> Callable[[float], None]:
        def advance(count: float) -> None:
            nonlocal done
            done += count
            bar.update(count)
            on_progress(done, len(images))

        return advance

    if not keep:
        machine.check_memory(
            plan.store().bytes, "features in memory", "Keep them on disk: keep=True."
        )
        with plan.bar(quiet) as bar:
            return np.concatenate(list(plan.blocks(plan.forward(None), 0, told(bar, 0))))
    store = plan.store()
    found = _opened(store)
    if found is not None:
        return found
    with _locked(store, lambda: on_progress(0, len(images))):
        found = store.open()  # another process may have finished it while this one waited
        if found is None:
            run, start = plan.forward(store.folder), store.rows_done()
            cache.make_room(store.folder, store.path.stem, store.bytes)
            with plan.bar(quiet, start) as bar:
                store.write(plan.blocks(run, start, told(bar, start)), start)
            found = store.open()
    if found is None:
        raise OSError(
            f"Received: {store.path}, which differs from what was written. Expected: a disk that "
            f"keeps what it is given. Check it, or set COURSE_CACHE to a folder on another one."
        )
    return found


def _opened(store: stores.Store) -> np.ndarray | None:
    """What an earlier call has kept, or someone else in the shared cache; None where nobody has."""
    found, shared = store.open(), paths.shared_folder()
    if found is not None:
        cache.touch(store.path)
    elif shared:
        return replace(store, folder=shared / "features").open()
    return found


@contextmanager
def _locked(store: stores.Store, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the store's lock; while another process has it, call `waiting` now and then."""
    lock = store.lock()
    while True:
        try:
            lock.acquire(timeout=0.2)
            break
        except Timeout:
            waiting()
    try:
        yield
    finally:
        lock.release()


def folder() -> Path:
    """Where features are kept; it may be deleted at any time."""
    return paths.cache_folder() / "features"


def _computed_with(engine: str) -> dict[str, Any]:
    """The libraries and the kind of device that an engine's numbers come from."""
    import tensorflow as tf

    libraries = {"tensorflow": (), "litert": ("ai-edge-litert",)}[engine]
    found = versions.of("tensorflow", "keras", *libraries)
    return {**found, "gpu": bool(tf.config.list_physical_devices("GPU"))}


@dataclass(frozen=True)
class _Plan:
    """An extraction: what goes in, and how."""

    model: keras.Model
    images: Pictures
    views: int
    augmentation: Augmentation
    seed: int
    dtype: str | None
    engine: str

    def __post_init__(self) -> None:
        if self.engine not in {"auto", *ENGINES}:
            known = ", ".join(["auto", *ENGINES])
            raise ValueError(f"Received: engine '{self.engine}'. Expected: one of {known}.")
        if self.views < 1:
            raise ValueError(f"Received: views={self.views}. Expected: 1 or more.")
        if self.views > 1 and self.images.dtype != np.uint8:
            raise ValueError(
                f"Received: views of {self.images.dtype}. Expected: pictures, uint8. Take the "
                f"views where the pictures go in, and extract from their features with views=1."
            )
        expected = self.model.input_shape[1:]
        fits = len(self.images.shape) == len(expected) + 1 and all(
            side in {None, own} for side, own in zip(expected, self.images.shape[1:], strict=True)
        )
        if not fits or len(self.images) == 0:
            raise ValueError(
                f"Received: pictures of shape {self.images.shape}. Expected: "
                f"(n, {', '.join(map(str, expected))}), as {self.model.name} takes them, and n at "
                f"least 1. Load the pictures in the size of the base."
            )

    @property
    def result_dtype(self) -> str:
        return self.dtype or ("float32" if self.views == 1 else "float16")

    @cached_property
    def chosen_engine(self) -> str:
        """The engine, where `"auto"` leaves the choice."""
        if self.engine != "auto":
            return self.engine
        import tensorflow as tf

        many = len(self.images) * self.views >= LITERT_PAYS_FROM
        return "litert" if many and not tf.config.list_physical_devices("GPU") else "tensorflow"

    def store(self) -> stores.Store:
        """Where the result belongs."""
        one = self.model.output_shape[1:]
        if None in one:
            one = self.model.compute_output_shape((1, *self.images.shape[1:]))[1:]
        views = () if self.views == 1 else (self.views,)
        key = {
            "model": fingerprint(self.model),
            "pictures": fingerprint_pictures(self.images),
            "views": self.views,
            "engine": self.chosen_engine,
            "computed with": _computed_with(self.chosen_engine),
        }
        if self.views > 1:
            key |= {"seed": self.seed, "augmentation": asdict(self.augmentation)}
            key["code of the augmentation"] = versions.source_digest(augmentation)
        shape = (len(self.images), *views, *one)
        return stores.Store(folder(), key, shape, self.result_dtype, BLOCK)

    def bar(self, quiet: bool, start: int = 0) -> tqdm:
        """Progress in pictures, with rate and time left."""
        return progress.bar("features", len(self.images), start, quiet=quiet, unit=" pictures")

    def forward(self, folder: Path | None) -> Forward:
        """The engine for this model; what can be kept of it is, where there is a folder."""
        make = ENGINES[self.chosen_engine]
        return make(self.model, self.images.shape[1:], self.images.dtype, folder)

    def blocks(
        self, run: Forward, start: int, advance: Callable[[float], None]
    ) -> Iterator[np.ndarray]:
        """The features of `BLOCK` pictures at a time, from row `start` on."""
        for first in range(start, len(self.images), BLOCK):
            images = self.images[first : first + BLOCK]
            rows = np.arange(first, first + len(images))
            seen = [
                self._features(run, self._view(images, rows, view), advance)
                for view in range(self.views)
            ]
            yield seen[0] if self.views == 1 else np.stack(seen, axis=1)

    def _view(self, images: np.ndarray, rows: np.ndarray, view: int) -> np.ndarray:
        """View 0 is the picture itself, so that something is seen as it will be in use."""
        if view == 0:
            return images
        return augment(images, self.augmentation, (self.seed, view), rows)

    def _features(
        self, run: Forward, images: np.ndarray, advance: Callable[[float], None]
    ) -> np.ndarray:
        """Run a block, batch by batch."""
        batch, parts = BATCH[self.chosen_engine], []
        for first in range(0, len(images), batch):
            part = images[first : first + batch]
            parts.append(run(part).astype(self.result_dtype))
            advance(len(part) / self.views)
        return np.concatenate(parts)
