"""Run the frozen part of a network once per picture, and keep the result on disk.

A frozen network gives the same numbers for a picture in every epoch. So they are computed once, by
`extract`, and training goes on with the numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from filelock import Timeout

from helpers import lessons, machine, progress, stores

if TYPE_CHECKING:
    import keras
    from tqdm import tqdm

# Pictures that pass through the network together, by engine, and those that are written together.
BATCH = {"tensorflow": 32, "litert": 8}
BLOCK = 256
# LiteRT is the faster on a CPU, but needs seconds to convert the network: many pictures repay it.
LITERT_PAYS_FROM = 1000


class Pictures(Protocol):
    """What can be extracted from: an array, or `pictures.PictureFiles`."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> np.ndarray: ...


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

    The result is kept in the course's cache. A later call with the same model, weights, pictures
    and settings opens it instead of computing it; any difference computes anew. When it is
    stopped, the next call goes on from there.

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
        engine: `"tensorflow"` or `"litert"` (LiteRT, for CPUs). `"auto"` takes LiteRT for 1,000
            and more views where there is no GPU. Both run the network with its weights as
            constants, BatchNormalization folded into the convolutions.
        keep: False computes in memory and keeps nothing.
        quiet: no progress bar.
        on_progress: called after every batch with how many pictures are done, and of how many; an
            error raised in it stops the extraction as an interrupt does.

    Returns:
        `(n, *features)`, or `(n, views, *features)` for several views. Kept features are
        memory-mapped and read-only.

    Raises:
        ValueError: where the pictures do not fit the model, or an argument is out of range.
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
            return np.concatenate(list(plan.blocks(0, told(bar, 0))))
    store = plan.store()
    found = _opened(store)
    if found is not None:
        return found
    with _locked(store, lambda: on_progress(0, len(images))):
        found = store.open()  # another process may have finished it while this one waited
        if found is None:
            start = store.rows_done()
            with plan.bar(quiet, start) as bar:
                store.write(plan.blocks(start, told(bar, start)), start)
            found = store.open()
    if found is None:
        raise OSError(
            f"Received: {store.path}, which differs from what was written. Expected: a disk that "
            f"keeps what it is given. Check it, or set COURSE_CACHE to a folder on another one."
        )
    return found


def _opened(store: stores.Store) -> np.ndarray | None:
    """What an earlier call has kept, or someone else in the shared cache; None where nobody has."""
    found, shared = store.open(), lessons.shared_folder()
    if found is None and shared:
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
    return lessons.cache_folder() / "features"


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
        one = self.model.compute_output_shape((1, *self.images.shape[1:]))[1:]
        views = () if self.views == 1 else (self.views,)
        key = {
            "model": fingerprint(self.model),
            "pictures": fingerprint_pictures(self.images),
            "views": self.views,
            "engine": self.chosen_engine,
        }
        if self.views > 1:
            key |= {"seed": self.seed, "augmentation": asdict(self.augmentation)}
        shape = (len(self.images), *views, *one)
        return stores.Store(folder(), key, shape, self.result_dtype, BLOCK)

    def bar(self, quiet: bool, start: int = 0) -> tqdm:
        """Progress in pictures, with rate and time left."""
        return progress.bar("features", len(self.images), start, quiet=quiet, unit=" pictures")

    def blocks(self, start: int, advance: Callable[[float], None]) -> Iterator[np.ndarray]:
        """The features of `BLOCK` pictures at a time, from row `start` on."""
        run = ENGINES[self.chosen_engine](self.model, self.images.shape[1:], self.images.dtype)
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
        self, run: Run, images: np.ndarray, advance: Callable[[float], None]
    ) -> np.ndarray:
        """Run a block, batch by batch."""
        batch, parts = BATCH[self.chosen_engine], []
        for first in range(0, len(images), batch):
            part = images[first : first + batch]
            parts.append(run(part).astype(self.result_dtype))
            advance(len(part) / self.views)
        return np.concatenate(parts)


# Views


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


# What a result depends on


def fingerprint(model: keras.Model) -> str:
    """A digest of a model's architecture and weights; `trainable` and names do not matter."""
    described = json.dumps(_essence(model.get_config(), {}), sort_keys=True)
    digest = hashlib.sha256(described.encode())
    for weight in model.get_weights():
        digest.update(f"{weight.shape}{weight.dtype.str}".encode())
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()


def _essence(config: Any, names: dict[str, int]) -> Any:
    """A configuration without what changes no output.

    Keras numbers the names of layers, so the same model built twice has other ones. What matters
    of a name is which layer it means: its position among the names met so far.
    """
    if isinstance(config, dict):
        unimportant = {"trainable", "build_config", "compile_config"}
        kept = {key: config[key] for key in sorted(config) if key not in unimportant}
        return {
            key: names.setdefault(value, len(names))
            if key == "name" and isinstance(value, str)
            else _essence(value, names)
            for key, value in kept.items()
        }
    if isinstance(config, (list, tuple)):
        # A place in the graph: a layer's name, then which of its outputs.
        if len(config) == 3 and isinstance(config[0], str) and isinstance(config[1], int):
            return [names.setdefault(config[0], len(names)), *config[1:]]
        return [_essence(value, names) for value in config]
    return config if isinstance(config, (str, int, float, bool, type(None))) else repr(config)


def fingerprint_pictures(images: Pictures) -> str:
    """A digest of the pictures: of the files they are read from, or of all their pixels."""
    own = getattr(images, "fingerprint", None)
    if own is not None:
        return own()
    digest = hashlib.sha256(f"{images.shape}{images.dtype.str}".encode())
    for first in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[first : first + 1024]).data)
    return digest.hexdigest()


# Engines: each makes a function from a batch of pictures to their features

Run = Callable[[np.ndarray], np.ndarray]


def with_constants(model: keras.Model, shape: tuple[int | None, ...], dtype: np.dtype | str) -> Any:
    """The model in inference mode as one graph in which its weights are constants.

    Both engines then fold BatchNormalization into the convolutions before it, and fuse these with
    their activations.
    """
    import tensorflow as tf

    trainable = [variable.numpy() for variable in model.trainable_variables]
    fixed = [variable.numpy() for variable in model.non_trainable_variables]

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
    def run(images: tf.Tensor) -> tf.Tensor:
        # Made in here, they are constants of the graph; made outside, they would be its inputs.
        constants = [tf.constant(value) for value in trainable], [tf.constant(v) for v in fixed]
        return model.stateless_call(*constants, tf.cast(images, tf.float32), training=False)[0]

    return run


def _tensorflow(model: keras.Model, shape: tuple[int, ...], dtype: np.dtype) -> Run:
    """The graph, run by TensorFlow, for inputs of `shape`."""
    run = with_constants(model, (None, *shape), dtype)
    return lambda images: run(images).numpy()


def _litert(model: keras.Model, shape: tuple[int, ...], dtype: np.dtype) -> Run:
    """The graph, converted for LiteRT, which wants to know the size of a batch beforehand."""
    import tensorflow as tf
    from absl import logging
    from ai_edge_litert.interpreter import Interpreter

    taking = (BATCH["litert"], *shape)
    function = with_constants(model, taking, "float32").get_concrete_function()
    # It warns that nothing keeps the function's variables alive, of which there are none.
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        converted = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    finally:
        logging.set_verbosity(verbosity)
    interpreter = Interpreter(model_content=converted, num_threads=machine.usable_cores())
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images: np.ndarray) -> np.ndarray:
        filled = np.zeros(taken["shape"], "float32")
        filled[: len(images)] = images
        interpreter.set_tensor(taken["index"], filled)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])[: len(images)]

    return run


ENGINES = {"tensorflow": _tensorflow, "litert": _litert}
