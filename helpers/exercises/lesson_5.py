"""The exercises of lesson 5: for each of twelve scripts, name the cause, then mend it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from helpers.exercises import clinic
from helpers.exercises.choice import Option, choice
from helpers.exercises.clinic import Case, case

Examination = Generator[tuple[bool, str], None, str]

MUCH = 0.15  # of the top's weights, relative: more than any careful fine-tuning moves them
LITTLE = 2e-4
GOOD = 0.88  # of the new pictures; the sound scripts reach 0.92 and more
IN_VALIDATION = (
    "Validation pictures are in the training data. Then validation says nothing about other "
    "pictures."
)
NEW = "New pictures are in the data. They stand for users' pictures: no script gets to see them."


def _leaks(case: Case) -> Examination:
    """Complaints of pictures that are where they must not be."""
    train, validation = case.train_sources, case.validation_sources
    yield bool(train.count("new") or validation.count("new")), NEW
    yield bool(set(train.row) & set(validation.row)), IN_VALIDATION
    return ""


def _tuned(case: Case) -> Examination:
    """Complaints of fine-tuning that did nothing, or too much."""
    yield from _leaks(case)
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
        case.moved < LITTLE,
        f"The top moved by {case.moved:.1e} of its size, which is next to nothing. A rate so low "
        f"leaves it frozen in all but name.",
    )
    return ""


@choice(
    Option(
        "The rate of fine-tuning is far too high.",
        "Yes: 0.06 is a hundred times what lesson 4 used. A few steps overwrite weights that took "
        "hours of pretraining, so the training pictures are lost, too.",
        True,
    ),
    Option(
        "The model overfits its 200 pictures.",
        "Then it would know the training pictures, and only the others would suffer.",
    ),
    Option(
        "BatchNormalization is in training mode.",
        "`unfreeze` leaves every BatchNormalization frozen, and frozen ones behave as in use.",
    ),
    Option(
        "The head was trained for too few epochs.",
        "The line before fine-tuning shows that the head was good.",
    ),
)
def guessing_cause() -> None:
    """Why does the model guess after fine-tuning?"""


@case(
    ("rate=0.06", "rate=0.0006"),
    hints=(
        "Compare the two calls of `compile_for_logits`.",
        "The weights of the top are good already: they should move only a little.",
        "Lesson 4 fine-tuned the drawn base with 0.0006.",
    ),
)
def guessing(case: Case) -> Examination:
    """Mend `guessing`: fine-tuning moves the top, and the model stays good."""
    yield from _tuned(case)
    far = f"Fine-tuning changed the top by {case.moved:.0%} of its size"
    yield (
        case.accuracy < GOOD,
        f"{far}, and {case.accuracy:.2f} of the new pictures are predicted rightly; the head alone "
        f"reached more. Fewer steps or more training do not help weights that are overwritten: "
        f"what decides how far one step goes?",
    )
    yield case.moved > MUCH, f"{far}. The model is good again, but little is left of the base."
    return (
        f"Fine-tuning moved the top by {case.moved:.1%}, and {case.accuracy:.2f} of the new "
        f"pictures are predicted rightly."
    )


@choice(
    Option(
        "The model has learnt nothing.",
        "Then it would be right about half of the time, in training as in validation.",
    ),
    Option(
        "The model overfits.",
        "An overfitted model is worse on validation pictures, but not worse than chance.",
    ),
    Option(
        "The same number means another class in the two sets.",
        "Yes: sorted, ('cat', 'dog') gives the cat 0, and ('dog', 'kitten') gives the dog 0. The "
        "model is right about nearly all of them, and each is marked wrong.",
        True,
    ),
    Option(
        "The validation pictures are harder.",
        "Pictures too hard for it would bring it to one half. Below that it must know the answer.",
    ),
)
def below_chance_cause() -> None:
    """Why is validation far below one half?"""


@case(
    (
        "    def labels_of(folders):\n        class_names = sorted(set(folders))\n"
        "        return np.array([class_names.index(folder) for folder in folders])",
        '    def labels_of(folders):\n        number = {"cat": 0, "kitten": 0, "dog": 1}\n'
        "        return np.array([number[folder] for folder in folders])",
    ),
    hints=(
        "Print the class names that `labels_of` finds for each set.",
        "Sorted, 'cat' comes before 'dog', and 'kitten' behind it.",
        "Let both sets use one dictionary from names to numbers, in which a kitten is a cat.",
    ),
)
def below_chance(case: Case) -> Examination:
    """Mend `below_chance`: both sets speak of the same classes."""
    yield from _leaks(case)
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
        fits < GOOD,
        "The labels agree now, but the model contradicts its own training labels.",
    )
    return "One number, one class, in both sets."


@choice(
    Option(
        "The learning rate is too high.",
        "Other cases train the same head on the same features at this rate, and their loss falls.",
    ),
    Option(
        "The loss takes logits for probabilities.",
        "Yes: the layer has no sigmoid, so it gives logits, while 'binary_crossentropy' expects "
        "probabilities. It cuts off what lies outside 0 to 1, and where it cuts there is no "
        "gradient to learn from.",
        True,
    ),
    Option(
        "The labels do not belong to the pictures.",
        "Then an honest loss would stay near ln 2 at first, and not start far above it.",
    ),
    Option(
        "The features were not scaled.",
        "They come from the base as in every other case, where they serve well.",
    ),
)
def high_loss_cause() -> None:
    """Why does the loss stay high?"""


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
)
def high_loss(case: Case) -> Examination:
    """Mend `high_loss`: loss and accuracy, as `evaluate` gives them, are the true ones."""
    yield from _leaks(case)
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
        case.accuracy < GOOD,
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


@choice(
    Option(
        "The labels do not belong to the pictures.",
        "Then the logits would still differ from picture to picture.",
    ),
    Option(
        "The pixels are not scaled at all.",
        "Bytes in place of -1 to 1 make a base see too much contrast, not none.",
    ),
    Option(
        "The pixels are scaled twice.",
        "Yes: the script takes them to -1 to 1, and the scaling layer of `extractor` scales that "
        "once more. The base sees numbers from -1.01 to -0.99: nearly black, all of them.",
        True,
    ),
    Option(
        "The head was trained too little.",
        "Ten epochs suffice elsewhere, and even an untrained head gives different pictures "
        "different logits.",
    ),
)
def all_alike_cause() -> None:
    """Why do all pictures look alike to the model?"""


@case(
    ("train_pictures[:150] / 127.5 - 1.0", "train_pictures[:150]"),
    ("validation_pictures[:100] / 127.5 - 1.0", "validation_pictures[:100]"),
    hints=(
        "Which numbers does the base get to see? `extractor` has a layer for it.",
        "`extractor` takes bytes from 0 to 255.",
        "Scale in one place only.",
    ),
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
    yield from _leaks(case)
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
        "The head was trained for too many epochs.",
        "Overfitting lowers validation accuracy. This one is too high.",
    ),
    Option(
        "Versions of one picture stand in both parts.",
        "Yes: each picture was multiplied first and then all were split, so most validation "
        "pictures have a near copy in training. The model need only remember.",
        True,
    ),
    Option(
        "The altered pictures do not show what users send.",
        "They may not, but that would lower the accuracy in validation, too, where they are.",
    ),
    Option(
        "There are too few validation pictures.",
        "Forty give a wide interval. But chance goes both ways, and other seeds show the same.",
    ),
)
def too_good_cause() -> None:
    """Why is validation so much better than the new pictures?"""


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
)
def too_good(case: Case) -> Examination:
    """Mend `too_good`: no validation picture has a version of itself in training."""
    train, validation = case.train_sources, case.validation_sources
    yield bool(train.count("new") or validation.count("new")), NEW
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
        "There is no fault: 0.90 is a good accuracy.",
        "With nine cats in ten pictures, 'always cat' has exactly that.",
    ),
    Option(
        "The classes are out of balance, and accuracy does not show it.",
        "Yes: saying 'cat' is right nine times in ten, so the loss teaches that first, and "
        "accuracy is content. Look at each class.",
        True,
    ),
    Option(
        "The labels are mixed up.",
        "Then cats would be missed as well, and accuracy would be lower.",
    ),
    Option(
        "The validation set is too small.",
        "200 pictures give an interval of 4 points each way. The dogs are missed with any number.",
    ),
)
def nine_in_ten_cause() -> None:
    """Why are so few dogs found at an accuracy of about 0.90?"""


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
)
def nine_in_ten(case: Case) -> Examination:
    """Mend `nine_in_ten`: dogs are found about as well as cats."""
    yield from _leaks(case)
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
        "The rate of fine-tuning is too low to see anything.",
        "0.0006 moved the top in case 1 and in lesson 4. Here not one number differs.",
    ),
    Option(
        "The top is still frozen.",
        "`weights.count` says that it is trainable, and so it is, for whoever compiles next.",
    ),
    Option(
        "After unfreezing, nobody compiled again.",
        "Yes: the first `fit` traced a training step with the weights that were trainable then, "
        "those of the head. Setting the learning rate does not trace it anew.",
        True,
    ),
    Option(
        "200 pictures are too few to fine-tune.",
        "Few pictures give small or bad steps, but not none.",
    ),
)
def nothing_moves_cause() -> None:
    """Why does no weight of the top move?"""


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
    yield from _leaks(case)
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
        case.moved > MUCH,
        f"The top moves now, but by {case.moved:.0%} of its size. It seems to be trained with the "
        f"head's rate, or from the first step on under an untrained head.",
    )
    yield (
        case.accuracy < GOOD,
        f"The top moves now, but {case.accuracy:.2f} of the new pictures are right, fewer than "
        f"with the head alone. Was the head trained first, and is the rate low?",
    )
    return f"Compiled again, and the top moved by {case.moved:.1%} of its size."


@choice(
    Option(
        "The training is not deterministic.",
        "It is seeded, and with one seed it gives the same twice. Yet other validation pictures "
        "give another winner.",
    ),
    Option(
        "20 validation pictures cannot tell the two apart.",
        "Yes: one picture is 0.05, and the interval is wider than any difference to be expected. "
        "The winner is chance.",
        True,
    ),
    Option(
        "The two rates are equally good.",
        "That may look so here. More pictures show that they are not, and that these 20 cannot "
        "tell.",
    ),
    Option(
        "The model overfits the validation set.",
        "No training on it took place, and a choice between two can overfit little.",
    ),
)
def better_of_two_cause() -> None:
    """Why does the winner change?"""


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
    yield from _leaks(case)
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


@choice(
    Option(
        "The model has dropout.",
        "It has a single Dense layer, and dropout does nothing in `evaluate`.",
    ),
    Option(
        "The validation pictures are augmented, too.",
        "Yes: `prepare` is mapped over both datasets and says `training=True`, so each pass "
        "measures on other pictures, which are turned and zoomed and harder than the true ones.",
        True,
    ),
    Option(
        "The validation set is shuffled.",
        "It is not; and another order of the same pictures has the same accuracy.",
    ),
    Option(
        "The BatchNormalization layers of the base learn during evaluate.",
        "The base is frozen and called with `training=False`, and `evaluate` trains nothing.",
    ),
)
def three_numbers_cause() -> None:
    """Why does each evaluation give another number?"""


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


@choice(
    Option(
        "Twenty epochs are too many.",
        "Overfitting shows as a gap between the curves. Here there is none.",
    ),
    Option(
        "The split is drawn anew in each epoch.",
        "Yes: `take` and `skip` cut a stream that is shuffled again at each pass. After twenty "
        "epochs, nearly every validation picture has been trained on.",
        True,
    ),
    Option(
        "The validation set is too easy.",
        "It comes from the same pictures as the training set, and the new ones do, too.",
    ),
    Option(
        "The seed of shuffle makes both parts equal.",
        "A seed makes a run repeatable. The order still changes from pass to pass.",
    ),
)
def perfect_cause() -> None:
    """Why do validation and training fall together?"""


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
    yield from _leaks(case)
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
    yield case.accuracy < GOOD, f"{case.accuracy:.2f} of the new pictures: what else changed?"
    return "Split once: the two parts share nothing, however often you pass over them."


@choice(
    Option(
        "Pictures and labels were shuffled apart.",
        "Yes: the generator gives another order at each call, so a picture has some other "
        "picture's label. There is nothing to learn but the training set, by heart.",
        True,
    ),
    Option(
        "The validation part holds one class only.",
        "Shuffling has seen to that; the labels in it are mixed. And the new pictures are at one "
        "half as well.",
    ),
    Option(
        "The labels of the two classes are swapped.",
        "Then the new pictures would come out far below one half.",
    ),
    Option(
        "The rate is too low.",
        "A low rate is slow; it does not teach something else. In Case 8, a tenth of it does well.",
    ),
)
def coin_cause() -> None:
    """Why does the head stay at one half?"""


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
    yield from _leaks(case)
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


@choice(
    Option(
        "The rate of fine-tuning is too high.",
        "A rate too high spoils the model for `fit` and `evaluate` alike; here they differ about "
        "the same pictures.",
    ),
    Option(
        "BatchNormalization normalises with the two pictures of the batch.",
        "Yes: `top.trainable = True` woke these layers, too, and in `fit` they take mean and "
        "variance from the batch, however `top` was called. Those of two pictures are noise.",
        True,
    ),
    Option(
        "Dropout works in fit only.",
        "That would explain it, but this model has none.",
    ),
    Option(
        "The accuracy of fit is a mean over an epoch, in which the model got better.",
        "True in general, but this model was right nine times in ten before the epoch began.",
    ),
)
def poor_in_fit_cause() -> None:
    """What behaves in fit otherwise than in evaluate?"""


@case(
    ("    top.trainable = True\n", "    unfreeze(top)\n"),
    hints=(
        "Which kind of layer has statistics of its own? Lesson 1 ends with it.",
        "`training=False` in the call does not hold under `fit`.",
        "After `top.trainable = True`, freeze each BatchNormalization. One of the six functions "
        "does just that.",
    ),
)
def poor_in_fit(case: Case) -> Examination:
    """Mend `poor_in_fit`: small batches, a tuned top, and statistics that stay."""
    yield from _leaks(case)
    yield (
        case.statistics_moved,
        "The moving statistics of BatchNormalization still changed. Larger batches or a lower "
        "rate make the symptom smaller and leave the cause.",
    )
    yield (
        case.moved < LITTLE,
        "The statistics hold now, for the whole top was left as it was: nothing is fine-tuned any "
        "more.",
    )
    steps = len(case.train_arrays[1]) / (case.model.history.params.get("steps") or 1)
    yield (
        steps > 8,
        f"The statistics hold now. But a step takes {steps:.0f} pictures, and the card holds few.",
    )
    yield case.moved > MUCH, f"The top moved by {case.moved:.0%} of its size. What else changed?"
    yield (
        case.accuracy < GOOD,
        f"The statistics hold, but {case.accuracy:.2f} of the new pictures are right. What else "
        f"changed?",
    )
    return f"Not one statistic moved, and {case.accuracy:.2f} of the new pictures are right."
