"""Six more cases for lesson 6: choose one, see its picture, mend its script."""

from __future__ import annotations

import ast
import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers import evaluation, plots
from helpers.exercises import clinic
from helpers.exercises.clinic import Case, Examination, case


def _tuned(case: Case) -> Examination:
    """Complaints of fine-tuning that did nothing, or too much."""
    yield from clinic.leaks(case)
    yield (
        case.moved == 0,
        "The top is as it was before training, to the bit: the model was never fine-tuned. A "
        "frozen top cannot be spoilt, and cannot get better.",
    )
    yield (
        case.statistics_moved,
        "The moving statistics of BatchNormalization changed. Which layers does `unfreeze` leave "
        "frozen?",
    )
    yield (
        case.moved < clinic.LITTLE,
        f"The top moved by {case.moved:.1e} of its size, which is next to nothing. A rate so low "
        f"leaves it frozen in all but name.",
    )
    return ""


@case(
    ("rate=0.06", "rate=0.0006"),
    hints=(
        "Compare the two calls of `compile_for_logits`.",
        "The weights of the top are good already: they should move only a little.",
        "Lesson 4 fine-tuned the drawn base with 0.0003.",
    ),
)
def guessing(case: Case) -> Examination:
    """Mend `guessing`: fine-tuning moves the top, and the model stays good."""
    yield from _tuned(case)
    far = f"Fine-tuning changed the top by {case.moved:.0%} of its size"
    yield (
        case.accuracy < clinic.GOOD,
        f"{far}, and {case.accuracy:.2f} of the new pictures are predicted rightly; the head alone "
        f"reached more. Fewer steps or more training do not help weights that are overwritten: "
        f"what decides how far one step goes?",
    )
    yield (
        case.moved > clinic.MUCH,
        f"{far}. The model is good again, but little is left of the base.",
    )
    return (
        f"Fine-tuning moved the top by {case.moved:.1%}, and {case.accuracy:.2f} of the new "
        f"pictures are predicted rightly."
    )


@case(
    (
        "    model.optimizer.learning_rate = 0.0006\n",
        "    compile_for_logits(model, rate=0.0006)\n",
    ),
    hints=(
        "What must follow each change of `trainable`?",
        "One line takes the place of the one that sets the learning rate.",
        "`compile_for_logits` with the low rate, after `unfreeze`.",
    ),
)
def nothing_moves(case: Case) -> Examination:
    """Mend `nothing_moves`: the top is tuned a little, after the head was trained."""
    yield from clinic.leaks(case)
    yield (
        case.moved == 0,
        "The top is as it was before training, to the bit, whatever its layers say of themselves. "
        "What does `fit` need before it sees a change of `trainable`?",
    )
    yield from _tuned(case)
    yield (
        not case.head_came_first,
        "The top moves now, but not under the head that was trained: first the head alone is "
        "trained, and then the same model goes on with the top unfrozen.",
    )
    yield (
        case.moved > clinic.MUCH,
        f"The top moves now, but by {case.moved:.0%} of its size. It seems to be trained with the "
        f"head's rate, or from the first step on under an untrained head.",
    )
    yield (
        case.accuracy < clinic.GOOD,
        f"The top moves now, but {case.accuracy:.2f} of the new pictures are right, fewer than "
        f"with the head alone. Was the head trained first, and is the rate low?",
    )
    return (
        f"Compiled again, and the top moved by {case.moved:.1%} of its size. (Compile after "
        f"`unfreeze`, to be safe.)"
    )


@case(
    (".permutation(len(validation_labels))[:20]", ".permutation(len(validation_labels))"),
    hints=(
        "How wide is the interval of 20 pictures? And of 500?",
        "There are more validation pictures than the script takes.",
        "Take all rows.",
    ),
)
def better_of_two(case: Case) -> Examination:
    """Mend `better_of_two`: the choice can be relied on."""
    yield from clinic.leaks(case)
    found = case.validation_sources
    yield (
        found.count("train") > 0,
        "Training pictures that the script left over may validate, but 500 validation pictures "
        "are there for it.",
    )
    different = len(set(found.row))
    yield (
        different < len(found.row),
        f"{len(found.row)} rows, but {different} different pictures: repeating a picture tells "
        f"nothing new.",
    )
    yield (
        different < 300,
        f"The choice still rests on {different} pictures. Other seeds, more epochs or a mean of "
        f"several runs do not make more of them: how wide is the interval now?",
    )
    yield (
        float(case.model.optimizer.learning_rate) < 0.005,
        f"The validation set is large now, but the model that was returned is the worse one on it: "
        f"{case.accuracy:.2f} of the new pictures are right.",
    )
    rates = {fit.rate for fit in case.fits}
    yield (
        len(case.fits) > 0 and len(rates) < 2,
        "The validation set is large now, but only one rate was tried: there was no choice.",
    )
    return f"{different} pictures choose, and they choose the better one."


@case(
    (
        "        return extractor(pixels, training=False), labels\n",
        "        return extractor(pixels, training=False), labels\n\n"
        "    def as_it_is(images, labels):\n"
        '        return extractor(tf.cast(images, "float32"), training=False), labels\n',
    ),
    ("def dataset(images, labels):", "def dataset(images, labels, prepare):"),
    (
        "dataset(train_pictures[:120], train_labels[:120])",
        "dataset(train_pictures[:120], train_labels[:120], prepare)",
    ),
    (
        "dataset(validation_pictures[:100], validation_labels[:100])",
        "dataset(validation_pictures[:100], validation_labels[:100], as_it_is)",
    ),
    hints=(
        "What happens to a validation picture on its way to the model?",
        "`prepare` is right for training. Validation wants the pictures as they are.",
        "Give the validation set a function of its own, without augmentation; it still needs the "
        "extractor.",
    ),
)
def three_numbers(case: Case) -> Examination:
    """Mend `three_numbers`: validation measures on the pictures as they are, training does not."""
    inputs = case.validation_arrays[0]
    again = clinic.first_batch(case.validation)
    yield (
        not np.array_equal(inputs[: len(again)], again),
        "Two passes over the validation data still bring different features.",
    )
    found = case.validation_sources
    yield (
        not found.exact.all(),
        "The validation data are the same in each pass now, but not as the pictures are: they were "
        "augmented once and kept, or are prepared in another way than the base wants.",
    )
    yield (
        len(set(found.row)) < 100 or found.count("validation") < len(inputs),
        "These are not the validation pictures of the script any more, or not all of them.",
    )
    yield (
        np.array_equal(clinic.first_batch(case.train), clinic.first_batch(case.train)),
        "Validation is right now. But training is not augmented anew in each epoch any more.",
    )
    yield case.accuracy < 0.8, f"{case.accuracy:.2f} of the new pictures: what else changed?"
    return "Training is augmented, validation is not."


@case(
    (
        "    dataset = tf.data.Dataset.from_tensor_slices((inputs, labels))\n"
        "    dataset = dataset.shuffle(200, seed=seed).batch(20)\n"
        "    validation_data = dataset.take(2)\n"
        "    train_data = dataset.skip(2)\n",
        "    rows = np.random.default_rng(seed).permutation(200)\n"
        "    dataset = tf.data.Dataset.from_tensor_slices((inputs[rows], labels[rows]))\n"
        "    validation_data = dataset.take(40).batch(20)\n"
        "    train_data = dataset.skip(40).shuffle(160, seed=seed).batch(20)\n",
    ),
    hints=(
        "Go twice over `validation_data`: are they the same pictures?",
        "Which comes first, the split or the shuffling?",
        "Mix the rows once, before any dataset is made; split; then shuffle the training part.",
    ),
)
def perfect(case: Case) -> Examination:
    """Mend `perfect`: no validation picture is ever trained on."""
    train, validation = [], []
    for _ in range(3):
        train += list(clinic.sources(clinic.arrays(case.train)[0]).row)
        validation += list(clinic.sources(clinic.arrays(case.validation)[0]).row)
    shared = len(set(train) & set(validation))
    yield (
        shared > 0,
        f"In three passes, {shared} pictures come in training and in validation. A seed fixes the "
        f"first order, not that all passes have it.",
    )
    yield from clinic.leaks(case)
    labels = case.validation_arrays[1]
    yield (
        not 0.2 < labels.mean() < 0.8,
        "Nothing is shared now. But the files come sorted, and without any shuffling, validation "
        "holds hardly more than one class.",
    )
    yield (
        len(set(train)) < 150 or len(set(validation)) < 35,
        f"{len(set(train))} pictures to train on and {len(set(validation))} to validate are left "
        f"of 200. Expected: 160 and 40.",
    )
    yield (
        max(train) >= 200 or max(validation) >= 200,
        "Other pictures than the 200 of the script are in the data. Split these.",
    )
    yield (
        case.accuracy < clinic.GOOD,
        f"{case.accuracy:.2f} of the new pictures: what else changed?",
    )
    return "Split once: the two parts share nothing, however often you pass over them."


@case(
    (
        "    generator = np.random.default_rng(seed)\n"
        "    generator.shuffle(inputs)\n"
        "    generator.shuffle(labels)\n",
        "    rows = np.random.default_rng(seed).permutation(len(labels))\n"
        "    inputs, labels = inputs[rows], labels[rows]\n",
    ),
    hints=(
        "Follow one picture and its label through the script.",
        "Are both arrays shuffled in the same order?",
        "Make one permutation and index both arrays with it.",
    ),
)
def coin(case: Case) -> Examination:
    """Mend `coin`: the labels are those of their pictures, and both parts hold both classes."""
    yield from clinic.leaks(case)
    agree = [
        float((labels == found.labels).mean())
        for (_, labels), found in (
            (case.train_arrays, case.train_sources),
            (case.validation_arrays, case.validation_sources),
        )
    ]
    yield (
        min(agree) < 1,
        f"Of the training labels, {agree[0]:.2f} are those of their pictures, of the validation "
        f"labels {agree[1]:.2f}. More epochs or another rate only teach wrong labels better.",
    )
    for part, labels in (
        ("training", case.train_arrays[1]),
        ("validation", case.validation_arrays[1]),
    ):
        yield (
            not 0.2 < labels.mean() < 0.8,
            f"Labels and pictures belong together now. But the files come sorted, so that the "
            f"{part} part holds hardly more than one class.",
        )
    yield len(set(case.train_sources.row)) < 300, "Most of the training pictures are gone."
    yield case.accuracy < 0.8, f"{case.accuracy:.2f} of the new pictures: what else changed?"
    return f"One order for both, and {case.accuracy:.2f} of the new pictures are right."


def open_case(name: str, names: Mapping[str, Any]) -> None:
    """Show a case's complaint and picture, and put its script into a new cell below.

    Args:
        name: the script's.
        names: what it uses: the lesson's `globals()`.
    """
    from IPython import get_ipython
    from IPython.display import HTML, display

    text = clinic.script(name)
    complaint = ast.get_docstring(ast.parse(text).body[0])  # type: ignore[arg-type]
    code = f"{text}\n\n\nmore_cases.{name}.check({name})\n"
    folded = f"<details><summary>The script</summary><pre>{html.escape(code)}</pre></details>"
    display(HTML(f"<p><i>{html.escape(complaint or '')}</i></p>{folded}"))
    PICTURES[name](name, names)
    if shell := get_ipython():
        shell.set_next_input(code)


def _curves(name: str, names: Mapping[str, Any]) -> None:
    """Accuracy and loss of the last `fit`."""
    plots.learning_curves(clinic.run(name, names)[0].history.history)


def _winners(name: str, names: Mapping[str, Any]) -> None:
    """For four seeds: which rate won, and its accuracy in validation."""
    found = {}
    for seed in range(4):
        case = Case(*clinic.run(name, names, seed))
        rate = float(case.model.optimizer.learning_rate)
        found[f"data split {seed + 1}: {rate:g} wins"] = _validated(case)
    plots.intervals(found)


def _passes(name: str, names: Mapping[str, Any]) -> None:
    """Three evaluations in a row."""
    returned = clinic.run(name, names)
    plots.intervals({f"evaluation {time}": _validated(Case(*returned)) for time in (1, 2, 3)})


def _validated(case: Case) -> evaluation.Accuracy:
    """The accuracy in one pass over the validation data."""
    inputs, labels = case.validation_arrays
    return evaluation.accuracy(clinic.outputs(case.model, inputs), labels)


PICTURES = {
    "guessing": _curves,
    "nothing_moves": _curves,
    "better_of_two": _winners,
    "three_numbers": _passes,
    "perfect": _curves,
    "coin": _curves,
}
