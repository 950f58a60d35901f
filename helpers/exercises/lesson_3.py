"""The exercises of lesson 3: features of a frozen base, and heads on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.chance import seeded
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong

if TYPE_CHECKING:
    import keras

    Array = np.ndarray
    # Features and labels to train on, features and labels to validate with.
    Tables = tuple[Array, ...]

# Judges train on at most so many pictures, so that a check takes seconds on any picture set.
AT_MOST = 2000


@exercise(
    hints=(
        "224, 112, 56, 28, 14: that is four halvings.",
        "Height comes before width. Pooling leaves one number a channel, whatever the size.",
        "Five classes take five logits, each with 1,280 weights and a bias of its own.",
    ),
    solution="answer = ((7, 6, 1280), 5 * 1280 + 5)",
)
def another_size(answer: tuple[tuple[int, int, int], int]) -> Verdict:
    """Which block comes out for another size, and how many parameters has a head for 5 classes?"""
    if len(answer) != 2 or not isinstance(answer[0], (tuple, list)):
        return wrong(f"Received: {answer}. Expected: ((rows, columns, channels), parameters).")
    shape, parameters = tuple(answer[0]), answer[1]
    if shape != (7, 6, 1280):
        return wrong(f"Received: the block {shape}. {_about_block(shape)}")
    if parameters != 6405:
        return wrong(f"The block is right. Received: {parameters}. {_about_head(parameters)}")
    return right("224 and 192 halved five times, and 5 x 1,280 weights with 5 biases.")


def _about_block(shape: tuple[int, ...]) -> str:
    """What is wrong with the shape of a block."""
    if len(shape) != 3:
        return "Expected: rows, columns and channels of one picture."
    if shape[2] != 1280:
        return "How many features does the base tell at each place?"
    if shape[:2] == (6, 7):
        return "Height comes first: the rows."
    return "Halve the height and the width five times each."


def _about_head(parameters: int) -> str:
    """What is wrong with the number of a head's parameters."""
    if parameters == 6400:
        return "Each logit has a bias, too."
    if parameters == 7 * 6 * 1280 * 5 + 5:
        return "The head stands behind the pooling. What is left of the 7 x 6 places there?"
    if parameters in {1281, 4 * 1281}:
        return "Only two classes can share one logit. How many do five take?"
    return "Count weights and biases: so many for each logit."


@exercise(
    hints=(
        "Three lines: keras.Input, perhaps a Dropout, and one Dense layer in a Sequential.",
        "How many outputs? `add_head` above decides it in its line of the Dense layer.",
        "Dense has no activation unless you ask for one, and logits want none.",
    ),
    solution="""
def make_head(features, classes):
    return keras.Sequential(
        [
            keras.Input(shape=(features,)),
            keras.layers.Dropout(rate=0.2),
            keras.layers.Dense(1 if classes == 2 else classes),
        ]
    )
""",
    answer_name="make_head",
)
def make_a_head(answer: Callable[[int, int], keras.Model]) -> Verdict:
    """Write a function that makes a head: from so many features to logits of so many classes."""
    with seeded():
        for features, classes in ((12, 2), (12, 5), (40, 3)):
            if said := _about_made_head(call(answer, features, classes), features, classes):
                return wrong(f"make_head({features}, {classes}): {said}")
    return right("It gives logits: one for two classes, else one a class.")


def _about_made_head(head: Any, features: int, classes: int) -> str | None:
    """What is wrong with a head; None if nothing is."""
    import keras

    if not isinstance(head, keras.Model):
        return f"Received: {type(head).__name__}. Expected: a model. Does the function return it?"
    inputs = np.random.default_rng(0).normal(size=(64, features)).astype("float32")
    outputs = 1 if classes == 2 else classes
    shape = tuple(np.asarray(head(inputs, training=False)).shape)
    if shape != (64, outputs):
        return f"Received: outputs of shape {shape} for 64 pictures. Expected: (64, {outputs})."
    count = sum(int(np.prod(weight.shape)) for weight in head.trainable_weights)
    if count != (expected := outputs * (features + 1)):
        return f"Received: {count} trainable parameters. Expected: {expected}, in one Dense layer."
    return _about_range(_with_large_weights(head, inputs))


def _with_large_weights(head: keras.Model, inputs: Array) -> Array:
    """What a copy of the head gives when its weights are large, in use."""
    import keras

    copy = keras.models.clone_model(head)
    copy(inputs)
    generator = np.random.default_rng(1)
    copy.set_weights([generator.normal(scale=5, size=array.shape) for array in copy.get_weights()])
    return np.asarray(copy(inputs, training=False))


def _about_range(logits: Array) -> str | None:
    """Whether an activation squeezes what should be logits."""
    if logits.min() >= 0 and logits.max() <= 1:
        return "All outputs lie between 0 and 1: these are probabilities. A logit is any number."
    if logits.min() >= 0:
        return "No output is below 0, and logits are. Which activation cuts them off?"
    if np.abs(logits).max() <= 1:
        return "No output is above 1 or below -1. An activation squeezes them."
    return None


@exercise(
    hints=(
        "The loss has to know what it gets: from_logits=True is for logits only.",
        "A logit of 0 is a probability of 0.5: there the two metrics have their thresholds.",
        "threshold=0.0 for logits and threshold=0.5 for probabilities.",
    ),
    solution="""
def compile_either(model, gives):
    logits = gives == "logits"
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=logits),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0 if logits else 0.5)],
    )
""",
    answer_name="compile_either",
)
def compile_for_outputs(answer: Callable[[keras.Model, str], None]) -> Verdict:
    """Compile a model of two classes, be it one that gives logits or one that gives probabilities.

    It is judged by the loss and the accuracy that `evaluate` gives for outputs known beforehand.
    """
    import keras

    for gives, activation in (("logits", "linear"), ("probabilities", "sigmoid")):
        # Behind a bare sigmoid, Keras would find the logits by itself and only warn.
        last = keras.layers.Rescaling(1.0)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Activation(activation), last])
        call(answer, model, gives)
        if "sparse" in str(getattr(model.loss, "name", model.loss)).lower():
            return wrong("A sparse loss wants one output a class. Here there is one for both.")
        if said := _about_measures(model, gives):
            return wrong(f"A model that gives {gives}: {said}")
    return right("Loss and accuracy are the same, whichever of the two the model gives.")


def _about_measures(model: keras.Model, gives: str) -> str | None:
    """What is wrong with a compiled model's loss or accuracy; None if nothing is."""
    logits = np.array([-2.0, -1.0, -0.5, 0.2, 0.4, 3.0, 0.3], dtype="float32")
    labels = np.array([0, 0, 1, 0, 1, 1, 1])
    if not model.compiled:
        return "it has not been compiled. Call `model.compile`."
    measured = model.evaluate(logits[:, None], labels[:, None], verbose=0, return_dict=True)
    loss = np.mean(np.log1p(np.exp(np.where(labels == 1, -logits, logits))))
    if not np.isclose(measured.pop("loss"), loss, atol=1e-4):
        return f"the loss is another than {loss:.3f}, which is right. What is it told of its input?"
    accuracy = np.mean((logits > 0) == labels)
    if not measured:
        return "the loss is right. No metric tells the accuracy."
    if not any(np.isclose(value, accuracy, atol=1e-4) for value in measured.values()):
        found = ", ".join(f"{value:.3f}" for value in measured.values())
        return (
            f"the loss is right. Received: accuracy {found}. Expected: {accuracy:.3f}. Above which "
            f"number does this model mean the second class?"
        )
    return None


@exercise(
    hints=(
        "Three steps: keep copies of all weights, call `train`, compare.",
        "`layer.get_weights()` copies all of a layer's arrays, moving statistics included.",
        "`np.array_equal` compares two arrays; each array of a layer has to be compared.",
    ),
    solution="""
def layers_that_moved(model, train):
    before = {layer.name: layer.get_weights() for layer in model.layers}
    train()
    return [
        layer.name
        for layer in model.layers
        if not all(map(np.array_equal, before[layer.name], layer.get_weights()))
    ]
""",
    answer_name="layers_that_moved",
)
def prove_it_held(answer: Callable[[keras.Model, Callable[[], None]], Any]) -> Verdict:
    """Write a function that trains, and names the layers whose weights changed in any bit.

    It is tried on changes that a careless comparison misses.
    """
    for moved, change, about in _changes():
        model = _three_layers()
        calls: list[int] = []

        def train(model: Any = model, change: Any = change, calls: list[int] = calls) -> None:
            calls.append(1)
            change(model)

        named = call(answer, model, train)
        if len(calls) != 1:
            return wrong(f"`train` was called {len(calls)} times. Expected: once.")
        if isinstance(named, (str, bool)) or not hasattr(named, "__iter__"):
            return wrong(f"Received: {named!r}. Expected: a list of names of layers.")
        if not all(isinstance(name, str) for name in named):
            return wrong("Received: the layers themselves. Expected: their names, `layer.name`.")
        if len(set(named)) < len(list(named)):
            return wrong(f"Received: {list(named)}. Expected: each name once.")
        if sorted(named) != sorted(moved):
            return wrong(f"Received: {list(named)}. Expected: {moved}, when {about}")
    return right("It sees a single bit, and it sees the moving statistics.")


def _three_layers() -> keras.Model:
    """A new small model with a BatchNormalization in its middle."""
    import keras

    with seeded():
        return keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(3, name="first"),
                keras.layers.BatchNormalization(name="normalization"),
                keras.layers.Dense(2, name="last"),
            ]
        )


def _changes() -> list[tuple[list[str], Callable[[Any], None], str]]:
    """Names of the layers that move, what moves them, and how that is said."""

    def everything(model: Any) -> None:
        for layer in model.layers:
            layer.set_weights([array + 1 for array in layer.get_weights()])

    def nothing(model: Any) -> None:
        pass

    def statistics(model: Any) -> None:
        layer = model.get_layer("normalization")
        layer.moving_mean.assign(layer.moving_mean + 1)

    def one_bit(model: Any) -> None:
        kernel, bias = model.get_layer("first").get_weights()
        kernel[0, 0] = np.nextafter(kernel[0, 0], np.float32(9))
        model.get_layer("first").set_weights([kernel, bias])

    def exchange(model: Any) -> None:
        kernel, bias = model.get_layer("last").get_weights()
        model.get_layer("last").set_weights([kernel[::-1], bias])

    def last_bias(model: Any) -> None:
        kernel, bias = model.get_layer("last").get_weights()
        model.get_layer("last").set_weights([kernel, bias + 1])

    return [
        (["first", "normalization", "last"], everything, "all weights move. Copy before `train`."),
        ([], nothing, "nothing moves."),
        (["normalization"], statistics, "only a moving mean does. Not all weights train."),
        (["first"], one_bit, "a single number moves by its last bit. How exact is it to be?"),
        (["last"], exchange, "numbers change places. Compare number by number."),
        (["last"], last_bias, "only the bias of that layer moves. Compare all of its arrays."),
    ]


@choice(
    Option(
        "The validation pictures leaked into training.",
        "Then validation would stay as good as training; here it is ahead only at the start.",
    ),
    Option(
        "Dropout is at work only in training, and training's figure is a mean over the epoch.",
        "Yes: the first steps of the epoch, by a head that knew nothing, count in it.",
        is_right=True,
    ),
    Option(
        "The validation pictures are easier.",
        "They are drawn from the same pictures, and later epochs do not bear it out.",
    ),
    Option("The head overfits.", "Overfitting is the reverse: training better than validation."),
)
def validation_ahead() -> Any:
    """In the first epoch, validation is better than training. Why?"""


@choice(
    Option(
        "The head gets another learning rate.",
        "The features come from the base, and the base does not know how its head is trained.",
    ),
    Option(
        "The dropout of the head is raised.",
        "Dropout stands behind the pooling; the features are what goes into it.",
    ),
    Option(
        "Some labels turn out to be wrong and are mended.",
        "Features are made from pictures alone. Train the head again on the same table.",
    ),
    Option(
        "The pictures are cropped a little closer.",
        "Yes: other pixels go in, so other features come out.",
        is_right=True,
    ),
)
def extract_anew() -> Any:
    """The features are extracted. After which change must the base run again?"""


@exercise(
    hints=(
        "Take the loop of the three rates, with rates between 0.001 and 0.1.",
        'np.mean(tries["rate 0.01"]["val_loss"][-3:]) is the number to compare.',
        "Double the rate until it is more than twice that of 0.001, and go one step back.",
    ),
    solution="""
def last_losses(rate):
    epochs = training.train(
        new_head(),
        extracted[:2000],
        train.labels[:2000],
        optimizer=keras.optimizers.Adam(rate),
        epochs=10,
        validation=(validation_extracted, validation.labels),
    )
    return np.mean(training.history(epochs)["val_loss"][-3:])


answer, highest = 0.001, 2 * last_losses(0.001)
while last_losses(2 * answer) <= highest:
    answer = 2 * answer
""",
)
def largest_rate(answer: float, *tables: Array) -> Verdict:
    """Find the largest learning rate that still works, to a factor of four.

    It works where the mean validation loss of the last three of ten epochs is at most twice that
    of the rate 0.001.
    """
    rate = float(answer)
    if not 0 < rate < 100:
        return wrong(f"Received: {rate:g}. Expected: a learning rate, above 0.")
    usual, own, higher = _last_losses((1e-3, rate, 4 * rate), tables)
    said = f"{rate:g} ends at {own:.3f}, {4 * rate:g} at {higher:.3f}; the limit is {2 * usual:.3f}"
    if not own <= 2 * usual:  # NaN is not, either
        return wrong(f"Too {'low' if rate < 1e-3 else 'high'}: {said}.")
    if higher <= 2 * usual:
        return wrong(f"Too low: {said}, so four times your rate works as well.")
    return right(f"{said}.")


def _last_losses(rates: tuple[float, ...], tables: Tables) -> list[float]:
    """The mean validation loss of the last three of ten epochs, from the same start each time."""
    import keras

    from helpers import training

    features, labels, others, their_labels = tables
    outputs = _outputs(labels)
    with seeded():
        head = keras.Sequential(
            [
                keras.Input(features.shape[1:]),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(outputs),
            ]
        )
    start = [np.array(variable) for variable in head.variables]
    trainer = training.Trainer(head, keras.optimizers.Adam())
    losses = []
    for rate in rates:
        trainer.restart(start, rate)
        validation = (others, their_labels)
        run = trainer.epochs(features[:AT_MOST], labels[:AT_MOST], 10, validation=validation)
        losses.append(float(np.mean(training.history(run)["val_loss"][-3:])))
    return losses


def _outputs(labels: Array) -> int:
    """Logits of a head: one for two classes, else one a class."""
    classes = int(np.max(labels)) + 1
    return 1 if classes == 2 else classes


@exercise(
    hints=(
        "A head with all features gives each channel a weight. What does a large one say?",
        "training.reference_head(features, labels).get_weights()[0] has a row a channel.",
        "np.argsort sorts from small to large, by value; a large negative weight counts, too.",
    ),
    solution="""
def choose_channels(features, labels, count):
    kernel, bias = training.reference_head(features, labels).get_weights()
    importance = np.abs(kernel).sum(axis=1)
    return np.argsort(importance)[-count:]
""",
    answer_name="choose_channels",
)
def few_channels(answer: Callable[[Array, Array, int], Any], *tables: Array) -> Verdict:
    """Choose 16 of the channels so that a head on them loses at most 5 points of accuracy.

    Points against a head on all channels, both on the validation pictures, which the function does
    not get to see.
    """
    features, labels, others, their_labels = tables
    features, labels = features[:AT_MOST], labels[:AT_MOST]
    with seeded():
        chosen = np.asarray(call(answer, features.copy(), labels.copy(), 16))
    if said := _about_channels(chosen, features.shape[1]):
        return wrong(said)
    every = np.arange(features.shape[1])
    of_all = _accuracy_on(every, features, labels, others, their_labels, strength=0.01)
    of_chosen = _accuracy_on(chosen, features, labels, others, their_labels, strength=1.0)
    said = f"{of_chosen:.3f} with {len(chosen)} channels, {of_all:.3f} with all {len(every)}"
    if of_all - of_chosen > 0.05 + 1e-9:  # 463 and 438 of 500 differ by five points, not by more
        return wrong(f"{said}. Which channels tell these classes apart?")
    return right(f"{said}.")


def _about_channels(chosen: Array, channels: int) -> str | None:
    """What is wrong with a choice of channels; None if nothing is."""
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer):
        return (
            f"Received: {chosen.dtype} of shape {chosen.shape}. Expected: the channels' indices, "
            f"whole numbers in one row."
        )
    if len(chosen) == 0 or len(chosen) > 16 or len(set(chosen.tolist())) < len(chosen):
        distinct = len(set(chosen.tolist()))
        return f"Received: {len(chosen)} indices, {distinct} of them distinct. Expected: 16."
    if chosen.min() < 0 or chosen.max() >= channels:
        return f"Received: indices {chosen.min()} to {chosen.max()}. Expected: 0 to {channels - 1}."
    return None


def _accuracy_on(
    channels: Array,
    features: Array,
    labels: Array,
    other: Array,
    other_labels: Array,
    strength: float,
) -> float:
    """Validation accuracy of a head that is trained on some channels."""
    from helpers import evaluation, training

    with seeded():
        head = training.reference_head(features[:, channels], labels, strength)
    return evaluation.accuracy(np.asarray(head(other[:, channels])), other_labels).value


@choice(
    Option(
        "It overfits: it has too many weights for 160 pictures.",
        "Who overfits knows the training pictures by heart. What is its training accuracy?",
    ),
    Option(
        "It has hardly been trained: ten steps are too few for random weights.",
        "Yes: it is as bad on the pictures that it trained on.",
        is_right=True,
    ),
    Option(
        "This architecture cannot tell these classes apart.",
        "The frozen base has the same architecture.",
    ),
)
def from_scratch_fails() -> Any:
    """The network from scratch is near guessing on training and validation pictures. Why?"""


@exercise(
    hints=(
        "With one logit a picture: `keras.ops.sigmoid` gives the probability of which class?",
        "The probability of the first class is 1 minus that of the second.",
        "np.stack([...], axis=1) sets two rows of numbers side by side as columns.",
    ),
    solution="""
def to_probabilities(logits):
    if logits.shape[1] == 1:
        second = np.asarray(keras.ops.sigmoid(logits))[:, 0]
        return np.stack([1 - second, second], axis=1)
    return np.asarray(keras.ops.softmax(logits))
""",
    answer_name="to_probabilities",
)
def probabilities_of_all(answer: Callable[[Array], Any]) -> Verdict:
    """Write a function from logits to the probabilities of all classes, a column a class."""
    for logits, expected in _known_probabilities():
        found = np.asarray(call(answer, logits.copy()), dtype="float64")
        if found.shape != expected.shape:
            return wrong(
                f"Received: shape {found.shape} for logits of shape {logits.shape}. Expected: "
                f"{expected.shape}, a column a class."
            )
        if np.isnan(found).any():
            return wrong("A large logit gives NaN. Keras has functions that do not overflow.")
        if not np.allclose(found.sum(axis=1), 1, atol=1e-4):
            return wrong("The probabilities of a picture do not add up to 1.")
        if not np.allclose(found, expected, atol=1e-4):
            turned = np.allclose(found[:, ::-1], expected, atol=1e-4)
            return wrong(
                "The columns are exchanged: a logit above 0 means the second class."
                if turned
                else f"Received: {found[0].round(3)} for the logits {logits[0]}. "
                f"Expected: {expected[0].round(3)}."
            )
    return right("Two classes from one logit, more from one each, and rows that add up to 1.")


def _known_probabilities() -> list[tuple[Array, Array]]:
    """Logits, and the probabilities that SciPy computes from them."""
    from scipy.special import expit, softmax

    one = np.array([[0.5], [-2.0], [0.0], [200.0], [-200.0]], dtype="float32")
    second = expit(one[:, 0].astype("float64"))
    three = np.array([[1.0, 0.0, -1.0], [0.0, 3.0, 0.5], [200.0, 0.0, 1.0]], dtype="float32")
    return [(one, np.stack([1 - second, second], 1)), (three, softmax(three.astype("float64"), 1))]
