"""The exercises of lesson 2: data before any training."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.chance import seeded
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong

if TYPE_CHECKING:
    import tensorflow as tf


@exercise(
    hints=(
        "Which layers of the panel above leave an arrow to the left an arrow to the left?",
        "A RandomRotation with factor 0.05 turns by up to 18 degrees, to either side.",
        "Leave out the mirror, turn and zoom a little, change the brightness.",
    ),
    solution="""
def road_signs():
    return keras.Sequential(
        [
            keras.layers.RandomRotation(factor=0.03),
            keras.layers.RandomZoom(height_factor=0.15),
            keras.layers.RandomBrightness(factor=0.2),
        ]
    )
""",
    answer_name="road_signs",
)
def road_signs(function: Callable[[], Any]) -> Verdict:
    """Make a stack that varies pictures of arrows and keeps the label 'left' or 'right' true."""
    with seeded():
        stack = call(function)
        if not callable(stack):
            return wrong(f"Received: {stack!r}. Expected: a stack of layers. Does it `return` it?")
        for label in ("left", "right"):
            signs = np.repeat(_arrow(label)[np.newaxis], 96, axis=0)
            used = np.asarray(stack(signs.copy(), training=False))
            variants = np.asarray(stack(signs.copy(), training=True))
            if used.shape != signs.shape or not np.allclose(used, signs, atol=1e-3):
                return wrong("It changes pictures in use, with `training=False`. Expected: none.")
            if trouble := _trouble_with_variants(signs, variants, label):
                return wrong(trouble)
    return right("The signs vary, each still says what its label says, and in use nothing happens.")


def _trouble_with_variants(signs: np.ndarray, variants: np.ndarray, label: str) -> str:
    """What is wrong with the variants of a sign; '' where all is well."""
    if variants.shape != signs.shape:
        return f"Received: shape {variants.shape}. Expected: {signs.shape}, as before."
    if not np.isfinite(variants).all() or variants.min() < -1 or variants.max() > 256:
        low, high = float(variants.min()), float(variants.max())
        return f"The pixels run from {low:.3g} to {high:.3g}. Expected: within 0 to 255."
    if (variants.std(axis=(1, 2, 3)) < 0.2 * signs[0].std()).any():
        return "Some variants show next to nothing: too dark, too bright, or the sign is outside."
    turned = sum(not _still_says(variant, label) for variant in variants)
    if turned:
        return (
            f"{turned} of {len(signs)} variants of an arrow to the {label} no longer point to the "
            f"{label}. Which of your layers can do that?"
        )
    varied = np.abs(variants - signs).mean(axis=(1, 2, 3)) > 1
    if varied.mean() < 0.5:
        return (
            f"Only {varied.sum()} of {len(signs)} variants differ visibly from the original. (An "
            f"arrow turned top to bottom looks as before.)"
        )
    if np.abs(variants - variants[0]).max() < 1:
        return "All variants are the same picture. Expected: each by chance another."
    return ""


def _arrow(label: str) -> np.ndarray:
    """A bright arrow in the middle of a grey picture, float32 `(48, 48, 3)`."""
    picture = np.full((48, 48, 3), 90.0, dtype="float32")
    rows, columns = np.mgrid[:48, :48]
    head = (columns >= 12) & (columns < 24) & (np.abs(rows - 23.5) <= columns - 11)
    shaft = (columns >= 24) & (columns < 36) & (np.abs(rows - 23.5) <= 3)
    picture[head | shaft] = 190.0
    return picture if label == "left" else picture[:, ::-1].copy()


def _still_says(variant: np.ndarray, label: str) -> bool:
    """Whether a picture is more like the arrow of its label than like the other, at any place."""
    other = "right" if label == "left" else "left"
    return _likeness(variant, _arrow(label)) > _likeness(variant, _arrow(other))


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The highest correlation of two pictures over all shifts."""
    first, second = (np.fft.fft2(a.mean(axis=2) - a.mean()) for a in (one, other))
    return float(np.fft.ifft2(first * np.conj(second)).real.max())


@exercise(
    hints=(
        "What is the same in each pass comes before `cache`, what is drawn by chance behind it.",
        "`shuffle` wants single pictures, so it comes before `batch`, and a buffer that holds all "
        "of them: len(files).",
        "map, cache, shuffle, batch, map, prefetch.",
    ),
    solution="""
def pipeline(files, decode, augment):
    return (
        files.map(lambda file, label: (decode(file), label), num_parallel_calls=tf.data.AUTOTUNE)
        .cache()
        .shuffle(len(files))
        .batch(32)
        .map(lambda pictures, labels: (augment(pictures), labels))
        .prefetch(tf.data.AUTOTUNE)
    )
""",
    answer_name="pipeline",
)
def pipeline(function: Callable[..., tf.data.Dataset]) -> Verdict:
    """Put decode, cache, shuffle, batch, augment and prefetch into an order that serves."""
    import tensorflow as tf

    files, decode, augment, decoded = _watched_files()
    try:
        dataset = call(function, files, decode, augment)
    except TypeError as error:
        if "positional argument" not in str(error):
            raise
        return wrong(
            "A dataset of pairs hands two things, pictures and labels, to the function in `map`; "
            "`decode` and `augment` take one. A `lambda` with two names can pass the other on."
        )
    if not isinstance(dataset, tf.data.Dataset):
        return wrong(f"Received: {type(dataset).__name__}. Expected: a tf.data.Dataset, returned.")
    try:
        one, other = (_read(dataset) for _ in range(2))
    except tf.errors.OpError:
        return wrong("`decode` was given something that is no single file. Map it before `batch`.")
    trouble = _trouble_in_batches(one) or _trouble_in_passes(one, other, len(decoded))
    return wrong(trouble) if trouble else right("Decoded once; shuffled and augmented anew.")


FILES = 80
Batch = tuple[np.ndarray, ...]  # pictures, labels


def _watched_files() -> tuple[Any, Callable[[Any], Any], Callable[[Any], Any], list[int]]:
    """Files sorted by class, and steps that leave traces in the pictures.

    The picture of file 7 has pixels of 7, to which `augment` adds a fraction by chance. The list
    grows with each call of `decode`.
    """
    import tensorflow as tf

    decoded: list[int] = []
    generator = np.random.default_rng(0)

    def read(number: np.ndarray) -> np.ndarray:
        decoded.append(int(number))
        return np.full((2, 2, 1), number, dtype="float32")

    def vary(picture: np.ndarray) -> np.ndarray:
        noise = generator.uniform(0.1, 0.4, size=(*picture.shape[:-3], 1, 1, 1))
        return (picture + noise).astype("float32")

    def decode(file: Any) -> Any:
        return tf.ensure_shape(tf.numpy_function(read, [file], tf.float32), (2, 2, 1))

    def augment(picture: Any) -> Any:
        varied = tf.numpy_function(vary, [picture], tf.float32)
        return tf.ensure_shape(varied, picture.shape)

    numbers = np.arange(FILES)
    files = tf.data.Dataset.from_tensor_slices((numbers, numbers // (FILES // 2)))
    return files, decode, augment, decoded


def _read(dataset: Any) -> list[Batch]:
    """One pass, or its beginning where it does not end."""
    return [tuple(np.asarray(part) for part in batch) for batch in dataset.take(2 * FILES)]


def _numbers(batches: list[Batch]) -> np.ndarray:
    """The files' numbers in their order."""
    return np.floor(np.concatenate([pictures[:, 0, 0, 0] for pictures, _ in batches])).astype(int)


def _trouble_in_batches(batches: list[Batch]) -> str:
    """What is wrong within one pass; '' where all is well."""
    if not batches or any(len(batch) != 2 for batch in batches):
        return "Expected: pairs of pictures and labels. What does the function in `map` return?"
    if any(pictures.ndim != 4 for pictures, _ in batches):
        return "Expected: batches of pictures, 4 axes. Received: other shapes. Once `batch(32)`?"
    numbers = _numbers(batches)
    if sorted(numbers) != list(range(FILES)):
        return f"A pass brings {len(numbers)} pictures. Expected: each of the {FILES} once."
    if sizes := {len(pictures) for pictures, _ in batches} - {32, FILES % 32}:
        return f"There are batches of {max(sizes)} pictures. Expected: 32, but for the last one."
    labels = np.concatenate([labels for _, labels in batches])
    if not np.array_equal(labels, numbers // (FILES // 2)):
        return "Pictures and labels no longer belong together. Shuffle them as pairs."
    return ""


def _trouble_in_passes(one: list[Batch], other: list[Batch], decoded: int) -> str:
    """What is wrong with two passes beside each other; '' where all is well."""
    chances, orders = [], []
    for batches in (one, other):
        values = np.concatenate([pictures[:, 0, 0, 0] for pictures, _ in batches])
        orders.append(_numbers(batches))
        chances.append((values - orders[-1])[np.argsort(orders[-1])])
    if decoded > FILES:
        return f"Two passes decoded {decoded} files, of {FILES}. What comes before `cache`?"
    if not np.any(chances[0]):
        return "No picture is augmented."
    if np.array_equal(*chances):
        return "The second pass brings the very variants of the first. What was cached?"
    batches_of = [{frozenset(_numbers([batch])) for batch in batches} for batches in (one, other)]
    if all(max(numbers) - min(numbers) < len(numbers) for numbers in batches_of[0]):
        return "Each batch holds neighbours in the sorted list. Shuffle single pictures."
    if batches_of[0] == batches_of[1]:
        return (
            "Each pass brings the same batches. What comes before `cache` runs once; and behind "
            "it, `reshuffle_each_iteration=False` keeps the first order."
        )
    follow = [np.corrcoef(order, np.arange(FILES))[0, 1] for order in orders]
    if np.mean(follow) > 0.45:
        return "The first batches still hold mostly the first class. How large is the buffer?"
    return ""


@choice(
    Option(
        "No file is in two parts.",
        "No file is, but neighbouring frames are near copies, and these are in two parts.",
    ),
    Option(
        "No: split the videos, not the frames.",
        "All frames of a video show one animal in one place. They go to one part together.",
        is_right=True,
    ),
    Option(
        "No: frames must not be shuffled before the split.",
        "Unshuffled, the cut goes through a video, and the last videos make up the test set.",
    ),
    Option(
        "Once exact copies have been taken out.",
        "Two frames that differ in a few pixels are not exact copies, and tell the answer as well.",
    ),
)
def frames_of_videos() -> None:
    """You split 1,000 frames of 10 videos by file, shuffled with a seed. Is the test set apart?"""


SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@exercise(
    hints=(
        "Shuffle a copy, then cut it at two places.",
        "np.random.default_rng(seed).permutation(files) returns a shuffled array and leaves the "
        "list alone.",
        "Cut at int(0.6 * n) and int(0.8 * n); what is behind the second place is the test set.",
    ),
    solution="""
def split(files, seed):
    shuffled = list(np.random.default_rng(seed).permutation(files))
    first, second = int(0.6 * len(files)), int(0.8 * len(files))
    return shuffled[:first], shuffled[first:second], shuffled[second:]
""",
    answer_name="split",
)
def split(function: Callable[[list[str], int], tuple[Sequence[str], ...]]) -> Verdict:
    """Divide a list of files into three parts that share none, the same for the same seed."""
    with seeded():
        for count in (100, 103):
            files = [f"{'cat' if n < count // 2 else 'dog'}_{n:03}.jpg" for n in range(count)]
            given = list(files)
            state = _global_chance()
            returned = [call(function, given, seed) for seed in (1, 1, 2)]
            if not isinstance(returned[0], (tuple, list)) or len(returned[0]) != 3:
                return wrong("Expected: three lists of names: train, validation, test.")
            parts = [[[str(name) for name in part] for part in three] for three in returned]
            if trouble := _trouble_in_parts(files, parts[0]):
                return wrong(trouble)
            if given != files:
                return wrong("The list that was handed in is changed. Shuffle a copy.")
            first, again, other = ([sorted(part) for part in three] for three in parts)
            if first != again:
                return wrong("Two calls with seed 1 give different parts. Does chance use `seed`?")
            if first == other:
                return wrong("Seeds 1 and 2 give the same parts. Does chance use `seed`?")
            if _global_chance() != state:
                return wrong(
                    "The global generator is another than before: everybody's chance now depends "
                    "on your function. Make a generator of your own from the seed."
                )
    return right("Nothing is in two parts, nothing is lost, and a seed gives the same parts again.")


def _global_chance() -> tuple[Any, ...]:
    """The state of Python's and NumPy's global generators, to be compared."""
    state = np.random.get_state(legacy=False)["state"]
    return random.getstate(), state["key"].tobytes(), state["pos"]


def _trouble_in_parts(files: list[str], parts: list[list[str]]) -> str:
    """What is wrong with three parts of the files; '' where all is well."""
    names = dict(zip(SHARES, parts, strict=True))
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        if shared := set(names[one]) & set(names[other]):
            return f"{len(shared)} files stand in {one} and in {other}. Expected: none."
    together = [file for part in parts for file in part]
    if len(together) != len(set(together)):
        return "A file stands twice in one part."
    if missing := len(set(files) - set(together)):
        return f"{missing} of {len(files)} files are in no part. Where do the last ones go?"
    if set(together) - set(files):
        return f"Received: {together[0]!r} and others. Expected: names out of `files`."
    for name, share in SHARES.items():
        if abs(len(names[name]) - share * len(files)) > 2:
            return f"{name} has {len(names[name])} of {len(files)} files. Expected: {share:.0%}."
        if len({file[:3] for file in names[name]}) < 2:
            return f"{name} holds only one class. The list is sorted: shuffle before you cut."
    return ""
