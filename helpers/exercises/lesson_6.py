"""The exercises of lesson 6: six scripts to mend; what the picture, or one measurement, tells."""

from __future__ import annotations

import numpy as np

from helpers.exercises import clinic
from helpers.exercises.choice import Option, choice
from helpers.exercises.clinic import Case, Examination, case

CASES = ("all_alike", "below_chance", "high_loss", "nine_in_ten", "too_good", "poor_in_fit")


@case(
    ("train_pictures[:150] / 127.5 - 1.0", "train_pictures[:150]"),
    ("validation_pictures[:100] / 127.5 - 1.0", "validation_pictures[:100]"),
    hints=(
        "Which numbers does the base get to see? `extractor` has a layer for it.",
        "`extractor` takes bytes from 0 to 255.",
        "Scale in one place only.",
    ),
    finding="scaling",
)
def all_alike(case: Case) -> Examination:
    """Mend `all_alike`: the base sees the range that it was trained on."""
    for (inputs, _), part in ((case.train_arrays, "train"), (case.validation_arrays, "validation")):
        yield (
            np.ndim(inputs) != 4,
            f"The {part} data are of shape {np.shape(inputs)}. Return pictures, as the script "
            f"did, and a model that takes pictures.",
        )
        seen = clinic.reaching_base(case.model, np.asarray(inputs[:50], "float32"))
        low, high = float(seen.min()), float(seen.max())
        yield (
            abs(low + 1) > 0.1 or abs(high - 1) > 0.1,
            f"Of the {part} pictures, the base sees numbers from {low:.2f} to {high:.2f}. It was "
            f"trained on -1 to 1.",
        )
    yield from clinic.leaks(case)
    outputs = clinic.outputs(case.model, case.validation_arrays[0])
    right = float((clinic.predicted(outputs) == case.validation_arrays[1]).mean())
    yield (
        right < 0.8,
        f"The base sees the right range now, but {right:.2f} of the validation pictures are right. "
        f"Was the head trained on features of the same range?",
    )
    return "Scaled once, from -1 to 1."


@choice(
    Option(
        "The labels do not belong to the pictures.",
        "Then the logits would still differ from picture to picture.",
    ),
    Option(
        "The pixels go into the base as bytes, unscaled.",
        "Bytes in place of -1 to 1 make a base see too much contrast, not none.",
    ),
    Option(
        "The pixels are scaled a second time.",
        "The script takes them to -1 to 1, and `extractor` scales that once more. The base "
        "sees numbers from -1.01 to -0.99: nearly black, all of them.",
        True,
    ),
    Option(
        "The head was trained for too few epochs.",
        "Ten suffice elsewhere, and even an untrained head gives different pictures different "
        "logits.",
    ),
)
def all_alike_cause() -> None:
    """Why do all pictures look alike to this model?"""


@case(
    (
        "    def labels_of(folders):\n        names = sorted(set(folders))\n"
        "        return np.array([names.index(folder) for folder in folders])",
        '    def labels_of(folders):\n        number = {"cat": 0, "kitten": 0, "dog": 1}\n'
        "        return np.array([number[folder] for folder in folders])",
    ),
    hints=(
        "Print the class names that `labels_of` finds for each set.",
        "Sorted, 'cat' comes before 'dog', and 'kitten' behind it.",
        "Let both sets use one dictionary from names to numbers, in which a kitten is a cat.",
    ),
    finding="class order",
)
def below_chance(case: Case) -> Examination:
    """Mend `below_chance`: both sets speak of the same classes."""
    yield from clinic.leaks(case)
    yield (
        case.validation_sources.count("validation") < 400,
        "The validation pictures are gone. They are sound; only their labels are not.",
    )
    numbers = sorted(
        {int(label) for data in (case.train_arrays[1], case.validation_arrays[1]) for label in data}
    )
    yield (
        len(numbers) > 2,
        f"There are {len(numbers)} numbers now, {numbers}, for two kinds of animals: a kitten is a "
        f"cat, and the model has one output, for two classes. Give both names one number.",
    )
    train, validation = (
        float((labels == found.labels).mean())
        for (_, labels), found in (
            (case.train_arrays, case.train_sources),
            (case.validation_arrays, case.validation_sources),
        )
    )
    yield (
        0.1 < train < 0.9 or 0.1 < validation < 0.9,
        "Some labels within one set contradict each other now: a picture's class must depend on "
        "its own folder only.",
    )
    yield (
        round(train) != round(validation),
        "The two sets still disagree: in one, a cat is 0, in the other 1. Turning the model's "
        "answers round would only move the trouble to the training set.",
    )
    outputs = clinic.outputs(case.model, case.train_arrays[0])
    fits = float((clinic.predicted(outputs) == case.train_arrays[1]).mean())
    yield (
        fits < clinic.GOOD,
        "The labels agree now, but the model contradicts its own training labels.",
    )
    return "One number, one class, in both sets."


@choice(
    Option(
        "The loss after ten epochs more.",
        "It may fall or not. Either way you do not learn why it is above ln 2 with nearly all "
        "answers right.",
    ),
    Option(
        "The loss on twice as many validation pictures.",
        "It would be the same but for chance. 500 pictures are enough to trust this curve.",
    ),
    Option(
        "The share of each class in both sets.",
        "Both classes are equally many, as in all of the drawings. And imbalance makes a loss low.",
    ),
    Option(
        "The smallest and the largest output of the model.",
        "They lie far outside 0 to 1, so they are logits, and this loss takes probabilities. "
        "It cuts off what lies outside; where it cuts, there is no gradient to learn from.",
        True,
    ),
)
def high_loss_measure() -> None:
    """Which measurement tells what is wrong?"""


@case(
    (
        "    model.compile(\n        optimizer=keras.optimizers.Adam(0.01), "
        'loss="binary_crossentropy", metrics=["accuracy"]\n    )',
        "    compile_for_logits(model, rate=0.01)",
    ),
    hints=(
        "Is a sigmoid anywhere in this model? What does the loss expect?",
        "Tell the loss, or change the last layer's activation.",
        "If you tell the loss, tell the accuracy as well: 'accuracy' draws its line at 0.5.",
    ),
    finding="logits",
)
def high_loss(case: Case) -> Examination:
    """Mend `high_loss`: loss and accuracy, as `evaluate` gives them, are the true ones."""
    yield from clinic.leaks(case)
    inputs, labels = case.validation_arrays
    outputs = clinic.outputs(case.model, inputs).astype("float64")
    yield (
        outputs.shape[1] > 1,
        f"With {outputs.shape[1]} outputs it can be mended, too. But keep the one output here, and "
        f"make activation, loss and metric agree on what it is.",
    )
    yield (
        bool(outputs.std() < 1e-6),
        f"The model says {outputs[0, 0]:.2f} of every picture. Softmax shares 1 among the outputs, "
        f"and here there is one only.",
    )
    reported = case.model.evaluate(inputs, labels, verbose=0, return_dict=True)
    true = _cross_entropy(outputs[:, 0], labels)
    yield (
        abs(reported["loss"] - true) > 0.02,
        f"`evaluate` reports a loss of {reported['loss']:.2f}, and the cross-entropy of what the "
        f"model says is {true:.2f}. The loss still takes the outputs for something else.",
    )
    right = float((clinic.predicted(outputs) == labels).mean())
    accuracies = [value for name, value in reported.items() if "acc" in name]
    yield not accuracies, "`evaluate` reports no accuracy any more."
    yield (
        abs(accuracies[0] - right) > 0.003,
        f"The loss is true now. The accuracy is not: `evaluate` says {accuracies[0]:.3f}, and "
        f"{right:.3f} are right. Where does 'accuracy' draw its line, and what is a logit of 0?",
    )
    yield (
        case.accuracy < clinic.GOOD,
        f"Loss and accuracy are true, but only {case.accuracy:.2f} of the new pictures are right. "
        f"What else did you change?",
    )
    return f"The loss is {true:.2f}, and it is what it says."


def _cross_entropy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The mean cross-entropy of logits, or of probabilities where all are from 0 to 1."""
    if clinic.are_probabilities(outputs):
        clipped = np.clip(outputs, 1e-7, 1 - 1e-7)
        return float(-np.log(np.where(labels == 1, clipped, 1 - clipped)).mean())
    return float(np.logaddexp(0, np.where(labels == 1, -outputs, outputs)).mean())


@case(
    (
        "model.fit(*train_data, epochs=5, verbose=0)",
        "model.fit(*train_data, epochs=5, class_weight={0: 0.56, 1: 5.0}, verbose=0)",
    ),
    hints=(
        "How much of the loss comes from the 20 dogs?",
        "Let a dog count as much as nine cats.",
        "`fit` takes `class_weight`, a dictionary from labels to weights.",
    ),
    finding="imbalance",
)
def nine_in_ten(case: Case) -> Examination:
    """Mend `nine_in_ten`: dogs are found about as well as cats."""
    yield from clinic.leaks(case)
    kept = set(case.train_sources.row)
    given = set(_nine_to_one())
    yield (
        len(kept) < 200,
        f"Training has {len(kept)} pictures left of 200. Balanced it may be, but what you threw "
        f"away were pictures to learn from.",
    )
    yield (
        kept != given,
        "Training has other pictures than those 200. With more dogs to be had there would be no "
        "case; keep the ones that there are.",
    )
    share = float(case.validation_arrays[1].mean())
    yield (
        abs(share - 0.1) > 0.02 or len(set(case.validation_sources.row)) < 200,
        "Validation was changed. Another measure does not teach the model anything; it is the "
        "training that needs the mend.",
    )
    cats, dogs = case.found(0), case.found(1)
    said = f"Of the new pictures, {cats:.2f} of the cats and {dogs:.2f} of the dogs are found."
    yield (
        dogs < 0.76,
        f"{said} Training longer or faster helps some, but the cats still count more than the "
        f"dogs. In `class_weight`, label 0 is the cat and label 1 the dog, and the larger number "
        f"counts more.",
    )
    yield cats < 0.76, f"{said} Now it is the cats that are missed: dogs count too much."
    return said


def _nine_to_one() -> np.ndarray:
    """The rows of the script's 200 training pictures."""
    labels = clinic.ward().labels["train"]
    return np.concatenate([np.flatnonzero(labels == 0)[:180], np.flatnonzero(labels == 1)[:20]])


@choice(
    Option(
        "The accuracy on the training pictures.",
        "A head that knows 20 pictures by heart has about 1 there, in a sound script as well.",
    ),
    Option(
        "How near each validation picture is to one of training.",
        "If a validation picture has a near copy in training, the model need only remember.",
        True,
    ),
    Option(
        "The validation accuracy with another seed.",
        "It comes out about as high: the fault is in how the parts are made, with any seed.",
    ),
    Option(
        "The accuracy on more of the users' pictures.",
        "400 are enough to trust the lower number. It is the higher one that needs explaining.",
    ),
)
def too_good_measure() -> None:
    """Which measurement tells why validation is so much better?"""


@case(
    (
        "    train_data = images[:160], labels[:160]\n"
        "    validation_data = images[160:], labels[160:]\n",
        "    train_data = images, labels\n"
        "    validation_data = validation_pictures[:200], validation_labels[:200]\n",
    ),
    hints=(
        "Take one validation picture. Where are its nine siblings?",
        "Which comes first, the split or the altered pictures?",
        "Validate on other pictures, or set some of the 20 aside before the others are altered.",
    ),
    finding="shared pictures",
)
def too_good(case: Case) -> Examination:
    """Mend `too_good`: no validation picture has a version of itself in training."""
    train, validation = case.train_sources, case.validation_sources
    yield bool(train.count("new") or validation.count("new")), clinic.NEW
    shared = int(np.isin(validation.row, train.row).sum())
    yield (
        shared > 0,
        f"{shared} of {len(validation.row)} validation pictures have a version of themselves in "
        f"training: mirrored, darker, lighter, blurred, shifted or the same.",
    )
    yield (
        len(set(validation.row)) < len(validation.row),
        f"Nothing is shared now. But validation counts {len(set(validation.row))} pictures "
        f"{len(validation.row) / len(set(validation.row)):.0f} times, which makes its interval "
        f"narrower than it is. One version of each is enough there.",
    )
    yield (
        len(train.row) < 3 * len(set(train.row)),
        "The altered pictures are gone from training. They did no harm there.",
    )
    yield len(validation.row) < 6, "Fewer than six validation pictures are left."
    yield case.accuracy < 0.7, "The model has become worse. What else changed?"
    return "First split, then alter: nothing of a validation picture is in training."


@choice(
    Option(
        "BatchNormalization takes mean and variance from the two pictures of a batch.",
        "`top.trainable = True` woke these layers, too. In `fit` they use the batch, "
        "although `top` is called with `training=False`. The mean of two pictures is noise.",
        True,
    ),
    Option(
        "The rate of fine-tuning is too high for batches as small as these.",
        "That spoils the model for `fit` and `evaluate` alike. Here they differ about the same "
        "pictures.",
    ),
    Option(
        "The model overfits: 200 pictures are too few to fine-tune this many layers.",
        "Then training would be the better curve, not the worse one.",
    ),
    Option(
        "The accuracy of fit is a mean over an epoch, during which the model got better.",
        "True in general. But validation was already far higher before the last epoch began.",
    ),
)
def poor_in_fit_cause() -> None:
    """Why does `fit` say less than `evaluate` of the same pictures?"""


@case(
    ("    top.trainable = True\n", "    unfreeze(top)\n"),
    hints=(
        "Which kind of layer has statistics of its own? Lesson 1 ends with it.",
        "`training=False` in the call does not hold under `fit`.",
        "After `top.trainable = True`, freeze each BatchNormalization. One of the six functions "
        "does just that.",
    ),
    finding="BatchNormalization",
)
def poor_in_fit(case: Case) -> Examination:
    """Mend `poor_in_fit`: small batches, a tuned top, and statistics that stay."""
    yield from clinic.leaks(case)
    yield (
        case.statistics_moved,
        "The moving statistics of BatchNormalization still changed. Larger batches or a lower "
        "rate make the symptom smaller and leave the cause.",
    )
    yield (
        case.moved < clinic.LITTLE,
        "The statistics hold now, for the whole top was left as it was: nothing is fine-tuned any "
        "more.",
    )
    steps = len(case.train_arrays[1]) / (case.model.history.params.get("steps") or 1)
    yield (
        steps > 8,
        f"The statistics hold now. But a step takes {steps:.0f} pictures, and the card holds few.",
    )
    yield (
        case.moved > clinic.MUCH,
        f"The top moved by {case.moved:.0%} of its size. What else changed?",
    )
    yield (
        case.accuracy < clinic.GOOD,
        f"The statistics hold, but {case.accuracy:.2f} of the new pictures are right. What else "
        f"changed?",
    )
    return f"Not one statistic moved, and {case.accuracy:.2f} of the new pictures are right."
