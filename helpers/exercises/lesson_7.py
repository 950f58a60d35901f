"""The exercises of lesson 7: your own pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong


@exercise(
    hints=(
        "1 leaves the pixels as they are. 3 is half a turn, two quarters.",
        "A quarter clockwise is three quarters counterclockwise.",
        "np.rot90(pixels, k) with k = {1: 0, 3: 2, 6: 3, 8: 1}[orientation].",
    ),
    solution="""
def upright(pixels, orientation):
    quarters = {1: 0, 3: 2, 6: 3, 8: 1}
    return np.rot90(pixels, quarters[orientation])
""",
    answer_name="upright",
)
def upright(function: Callable[[np.ndarray, int], np.ndarray]) -> Verdict:
    """Turn stored pixels upright by the note 1, 3, 6 or 8."""
    stored = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    for note in (1, 3, 6, 8):
        received = call(function, stored.copy(), note)
        if verdict := _judge_upright(stored, note, received):
            return wrong(verdict)
    return right("All four as Pillow's `ImageOps.exif_transpose` turns them.")


def _by_pillow(stored: np.ndarray, note: int) -> np.ndarray:
    """The oracle: Pillow turns the same pixels with the same note."""
    from PIL import Image, ImageOps

    image = Image.fromarray(stored)
    image.getexif()[0x0112] = note
    return np.asarray(ImageOps.exif_transpose(image))


def _judge_upright(stored: np.ndarray, note: int, received: Any) -> str:
    """What is wrong with a turned picture, if anything."""
    expected = _by_pillow(stored, note)
    if not isinstance(received, np.ndarray):
        return f"Received: {type(received).__name__} for the note {note}. Expected: an array."
    if received.shape == expected.shape and np.array_equal(received, expected):
        return ""
    said = f"With the note {note}, "
    if np.array_equal(received, stored):
        return said + "your function gives the pixels as they are stored."
    if received.shape == expected.shape and np.array_equal(received, expected[::-1, ::-1]):
        return said + "the picture stands on its head: you turned it the other way round."
    if received.shape == expected[:, ::-1].shape and any(
        np.array_equal(received, mirrored) for mirrored in (expected[:, ::-1], expected[::-1])
    ):
        return (
            said + "the picture is mirrored. These four notes only turn; text would read wrongly."
        )
    if received.shape != expected.shape:
        return said + f"the shape is {received.shape}, and it should be {expected.shape}."
    return said + "the pixels are not where they belong."


@exercise(
    hints=(
        "np.unique(targets, return_counts=True) gives the classes and how many pictures each has.",
        "Weight times count must be the same for each class. So the weight goes as 1 / count.",
        "With n pictures of k classes, n / (k * count) makes the mean over the pictures 1.",
    ),
    solution="""
def class_weights(targets):
    found, counts = np.unique(targets, return_counts=True)
    return {
        int(label): len(targets) / (len(found) * count) for label, count in zip(found, counts)
    }
""",
    answer_name="class_weights",
)
def class_weights(function: Callable[[np.ndarray], Mapping[int, float]]) -> Verdict:
    """Weights that make each class count the same in sum, 1 on average over the pictures."""
    from sklearn.utils.class_weight import compute_class_weight

    for sizes in ((90, 10), (50, 30, 20), (10, 10, 10, 10)):
        targets = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
        weights = call(function, targets.copy())
        if not isinstance(weights, Mapping) or set(map(int, weights)) != set(range(len(sizes))):
            return wrong(f"Received: {weights!r}. Expected: a dictionary with all classes as keys.")
        received = np.array([float(weights[label]) for label in range(len(sizes))])
        expected = compute_class_weight("balanced", classes=np.arange(len(sizes)), y=targets)
        if not np.allclose(received, expected):
            return wrong(_why_unbalanced(np.array(sizes), received))
    return right("As scikit-learn's `compute_class_weight('balanced', ...)` has them.")


def _why_unbalanced(sizes: np.ndarray, received: np.ndarray) -> str:
    """What is wrong with weights for classes of these sizes."""
    said = f"For classes of {', '.join(map(str, sizes))} pictures you give {received.round(3)}. "
    in_sum = sizes * received
    if np.allclose(received / received.sum(), sizes / sizes.sum()):
        return said + "That makes the large classes count even more. Turn it round."
    if not np.allclose(in_sum, in_sum[0]):
        return said + f"In sum they count {in_sum.round(2)}, which should be the same for each."
    return said + (
        f"Each class counts the same, but the mean over the pictures is "
        f"{in_sum.sum() / sizes.sum():.3f} and not 1: that changes the learning rate in disguise."
    )


@exercise(
    hints=(
        "Split the bursts, not the pictures: np.unique(bursts).",
        "GroupShuffleSplit(n_splits=1, test_size=test_share, random_state=seed) has a `split`.",
        "next(splitter.split(bursts, groups=bursts)) gives the two arrays of rows.",
    ),
    solution="""
def split_bursts(bursts, test_share, seed):
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(n_splits=1, test_size=test_share, random_state=seed)
    return next(splitter.split(bursts, groups=bursts))
""",
    answer_name="split_bursts",
)
def split_bursts(
    function: Callable[[np.ndarray, float, int], tuple[np.ndarray, np.ndarray]],
) -> Verdict:
    """Split pictures so that no burst lies on both sides."""
    random = np.random.default_rng(0)
    tests = []
    for seed in (0, 1):
        bursts = random.permutation(np.repeat(np.arange(60), random.integers(1, 9, 60)))
        received = call(function, bursts.copy(), 0.25, seed)
        if not isinstance(received, (tuple, list)) or len(received) != 2:
            return wrong(f"Received: {type(received).__name__}. Expected: two arrays of rows.")
        train, test = (np.asarray(rows) for rows in received)
        if verdict := _judge_split(bursts, train, test):
            return wrong(verdict)
        tests.append(frozenset(call(function, np.repeat(np.arange(60), 3), 0.25, seed)[1].tolist()))
    if tests[0] == tests[1]:
        return wrong("Two seeds gave the same split. Let the seed decide which bursts are tested.")
    return right("Whole bursts on either side: no test picture has its twin among the others.")


def _judge_split(bursts: np.ndarray, train: np.ndarray, test: np.ndarray) -> str:
    """What is wrong with a split, if anything."""
    both = np.concatenate([train, test])
    if both.dtype.kind not in "iu" or sorted(both.tolist()) != list(range(len(bursts))):
        return (
            f"Received: {len(train)} and {len(test)} rows. Expected: each row of {len(bursts)} "
            f"pictures once, as a whole number."
        )
    shared = np.intersect1d(bursts[train], bursts[test])
    if len(shared):
        return (
            f"{len(shared)} of {len(np.unique(bursts))} bursts lie on both sides, such as burst "
            f"{shared[0]}. Split the bursts, and take each with all its pictures."
        )
    share = len(test) / len(bursts)
    if not 0.12 <= share <= 0.38:
        return f"{share:.2f} of the pictures are in the test. You were asked for about 0.25."
    return ""


@choice(
    Option(
        "About the same: the model has not seen the test pictures themselves.",
        "Not themselves, but their twins, taken a moment before. To know the twin is enough.",
    ),
    Option(
        "It is too high, and will fall on pictures taken another day.",
        "It measures how well the model knows these very scenes. Split whole bursts, or days.",
        is_right=True,
    ),
    Option(
        "It is too low, for bursts are blurred.",
        "Blurred or not, the twin in the training pictures is blurred alike.",
    ),
    Option(
        "It cannot be computed.",
        "It can, and looks splendid. That is the trouble.",
    ),
)
def burst_accuracy() -> None:
    """You split bursts at random, picture by picture. What of the test accuracy?"""


@exercise(
    hints=(
        "Fit on logarithms: np.polyfit(np.log(counts), np.log(1 - accuracies), 1).",
        "The line says log(error) = slope * log(count) + intercept. Solve it for the count.",
        "count = np.exp((np.log(1 - target) - intercept) / slope), and then np.ceil.",
    ),
    solution="""
def pictures_for(counts, accuracies, target):
    errors = 1 - np.asarray(accuracies)
    slope, intercept = np.polyfit(np.log(counts), np.log(errors), 1)
    return int(np.ceil(np.exp((np.log(1 - target) - intercept) / slope)))
""",
    answer_name="pictures_for",
)
def pictures_for(function: Callable[[Sequence[int], Sequence[float], float], int]) -> Verdict:
    """How many pictures a class does a line through the errors ask for?"""
    counts = np.array([5, 10, 20, 40])
    for scale, power, target in ((0.9, -0.5, 0.93), (0.6, -0.3, 0.85), (1.1, -0.7, 0.97)):
        accuracies = 1 - scale * counts.astype(float) ** power * np.array([1.02, 0.97, 1.03, 0.99])
        received = call(function, counts.copy(), accuracies.copy(), target)
        if isinstance(received, bool) or not np.isscalar(received) or np.isnan(received):
            return wrong(f"Received: {received!r}. Expected: a whole number of pictures.")
        if verdict := _judge_count(counts, accuracies, target, float(received)):  # type: ignore[arg-type]
            return wrong(verdict)
    return right(
        "That is what the line asks for. Whether the world keeps to the line is not known."
    )


def _judge_count(counts: np.ndarray, accuracies: np.ndarray, target: float, received: float) -> str:
    """What is wrong with a number of pictures, if anything."""
    slope, intercept = np.polyfit(np.log(counts), np.log(1 - accuracies), 1)
    exact = np.exp((np.log(1 - target) - intercept) / slope)
    if received == np.ceil(exact):
        return ""
    said = f"For a target of {target} you give {received:g}. "
    if abs(received - exact) <= 1:
        return said + f"The line says {exact:.2f}: round up, to a whole number."
    straight = np.polyfit(counts, accuracies, 1)
    if np.isclose(received, np.ceil((target - straight[1]) / straight[0]), atol=1):
        return said + (
            "That is a straight line through the accuracies, which would pass 1 before long. Fit "
            "the logarithm of the errors to the logarithm of the counts."
        )
    on_accuracy = np.polyfit(np.log(counts), np.log(accuracies), 1)
    if np.isclose(
        received, np.ceil(np.exp((np.log(target) - on_accuracy[1]) / on_accuracy[0])), atol=1
    ):
        return (
            said + "That is a line through the accuracies. It is the errors that fall as a power."
        )
    return said + f"The line says {np.ceil(exact):g}."


@exercise(
    hints=(
        "For each fold: others = folds != fold, held = folds == fold.",
        "head.fit(inputs[others], targets[others]); head.predict_proba(inputs[held]).",
        "The loss is minus the logarithm of the probability in the column of the target.",
    ),
    solution="""
def out_of_fold_loss(inputs, targets, folds):
    loss = np.empty(len(targets))
    for fold in np.unique(folds):
        others, held = folds != fold, np.flatnonzero(folds == fold)
        head = LogisticRegression(C=0.01, max_iter=1000).fit(inputs[others], targets[others])
        probability = head.predict_proba(inputs[held])
        loss[held] = -np.log(probability[np.arange(len(held)), targets[held]])
    return loss
""",
    answer_name="out_of_fold_loss",
)
def out_of_fold_loss(
    function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> Verdict:
    """The loss of each picture, by a head that was trained without its fold."""
    inputs, targets, folds = _clouds()
    received = call(function, inputs.copy(), targets.copy(), folds.copy())
    if np.shape(received) != targets.shape:
        return wrong(f"Received: shape {np.shape(received)}. Expected: {targets.shape}, one each.")
    received = np.asarray(received, float)
    expected = {name: _losses(inputs, targets, folds, name) for name in ("out", "all", "own")}
    if np.allclose(received, expected["out"], atol=0.01):
        return right("Each picture is judged by a head that has never met it, nor its label.")
    if np.allclose(received, expected["all"], atol=0.01):
        return wrong("Each picture was among those its head was trained on. Leave its fold out.")
    if np.allclose(received, expected["own"], atol=0.01):
        return wrong("The wrong way round: you trained on the fold itself. Train on the others.")
    if np.allclose(received, np.exp(-expected["out"]), atol=0.01):
        return wrong("That is the probability. The loss is minus its logarithm.")
    if np.allclose(received, -expected["out"], atol=0.01):
        return wrong("The sign is wrong: a loss is 0 or more, and large where something is odd.")
    if np.sum(~np.isfinite(received)):
        return wrong("Some losses are no numbers. Does every fold get its turn?")
    return wrong(
        f"The mean of your losses is {received.mean():.3f}, and it should be "
        f"{expected['out'].mean():.3f}. Is the column that of the picture's target?"
    )


def _clouds() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of three classes that overlap, their labels, and folds in no order."""
    random = np.random.default_rng(0)
    targets = random.permutation(np.repeat([0, 1, 2], 20))
    inputs = random.normal(0, 1, (3, 30))[targets] * 2 + random.normal(0, 3, (60, 30))
    return inputs, targets, random.permutation(np.repeat(np.arange(4), 15))


def _losses(
    inputs: np.ndarray, targets: np.ndarray, folds: np.ndarray, trained_on: str
) -> np.ndarray:
    """Losses of heads trained on the other folds, on everything, or on the fold itself."""
    from sklearn.linear_model import LogisticRegression

    loss = np.empty(len(targets))
    for fold in np.unique(folds):
        held = folds == fold
        rows = {"out": ~held, "all": held | ~held, "own": held}[trained_on]
        head = LogisticRegression(C=0.01, max_iter=1000).fit(inputs[rows], targets[rows])
        probability = head.predict_proba(inputs[held])
        loss[held] = -np.log(probability[np.arange(held.sum()), targets[held]])
    return loss


@choice(
    Option(
        "Its label is wrong.",
        "It may be. It may also be hard, rare, or badly lit, with a right label.",
    ),
    Option(
        "It is worth a look: a wrong label, or a picture the model finds hard.",
        "More is not known. The hard ones with right labels are the last that you want to lose.",
        is_right=True,
    ),
    Option(
        "It should be left out: it does more harm than good.",
        "If its label is right, it may be the only picture of its kind that you have.",
    ),
    Option(
        "The model is bad.",
        "The best model has pictures of large loss where labels are wrong.",
    ),
)
def what_loss_finds() -> None:
    """A training picture has a very large out-of-fold loss. What do you know?"""


@choice(
    Option(
        "The model has become better.",
        "No weight has changed.",
    ),
    Option(
        "The test set has become fairer, for wrong labels are gone.",
        "Some wrong labels are gone, and with them hard pictures on which the model was wrong. "
        "Mistakes that agree with a wrong label stay.",
    ),
    Option(
        "The number has become meaningless: the model chose its own questions.",
        "Whatever the model got wrong was likeliest to go. Look at all test pictures, or at none.",
        is_right=True,
    ),
    Option(
        "Nothing changes: 10 % more or less is within the interval.",
        "It changes the accuracy by up to those 10 %, and always upwards.",
    ),
)
def cleaning_the_test_set() -> None:
    """You leave out the test pictures of the largest loss, and the accuracy rises. What of it?"""


@exercise(
    hints=(
        "Sort the confidences. How many may fall below the threshold?",
        "Of n pictures, floor(n * (1 - share)) may; the next one in rising order must be kept.",
        "np.sort(confidence)[int(np.floor(len(confidence) * (1 - share) + 1e-9))].",
    ),
    solution="""
def threshold_keeping(confidence, share):
    may_go = int(np.floor(len(confidence) * (1 - share) + 1e-9))
    return np.sort(confidence)[min(may_go, len(confidence) - 1)]
""",
    answer_name="threshold_keeping",
)
def threshold_keeping(function: Callable[[np.ndarray, float], float]) -> Verdict:
    """The highest threshold that keeps a share of the known pictures."""
    random = np.random.default_rng(0)
    for number, share in ((60, 0.95), (100, 0.9), (33, 0.8), (20, 1.0)):
        confidence = random.beta(5, 1, number).round(4)
        received = call(function, confidence.copy(), share)
        if received is None or np.ndim(received):
            return wrong(f"Received: {received!r}. Expected: one number.")
        if verdict := _judge_keeping(confidence, share, float(received)):
            return wrong(verdict)
    return right("Any higher, and too many of your own would be refused.")


def _judge_keeping(confidence: np.ndarray, share: float, at: float) -> str:
    """What is wrong with a threshold, if anything."""
    kept = np.mean(confidence >= at)
    said = f"To keep {share:.0%} of {len(confidence)} you give {at:.4f}, which keeps {kept:.1%}. "
    if kept < share - 1e-9 and np.isclose(kept, 1 - share, atol=2 / len(confidence)):
        return said + "You kept the share that may go. Turn it round."
    if kept < share - 1e-9:
        return said + "Too few: take it lower."
    higher = np.sort(confidence[confidence > at])
    if len(higher) and np.mean(confidence >= higher[0]) >= share - 1e-9:
        return said + "That is enough, but a higher threshold would keep enough, too."
    return ""


@choice(
    Option(
        "That the picture shows the predicted class.",
        "If it is of one of the classes, probably. The model cannot say whether it is.",
    ),
    Option(
        "That among its classes this one fits best, by far.",
        "Softmax compares the classes with each other. What lies outside of them is not asked.",
        is_right=True,
    ),
    Option(
        "That the picture was among the training pictures.",
        "New pictures get 0.99, too; otherwise the model would be of no use.",
    ),
    Option(
        "That 99 % of such strangers get this prediction.",
        "A probability is right, at best, for pictures of the kind it was fitted to.",
    ),
)
def none_of_these() -> None:
    """For a stranger to all classes, one is predicted with 0.99. What does that mean?"""
