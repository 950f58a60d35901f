"""The exercises of lesson 3: the whole recipe with a frozen base."""

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

# Of the coloured squares; a sound recipe names more of them.
ENOUGH = 0.95


@choice(
    Option(
        "Augmentation and dropout make the training pictures harder, and work in training only.",
        "Besides, training's figure is a mean over the epoch, its first steps included.",
        is_right=True,
    ),
    Option(
        "The validation pictures leaked into training.",
        "Then validation would be as good as training, not better.",
    ),
    Option(
        "The validation pictures are easier.",
        "Both parts were drawn from the same pictures by chance.",
    ),
    Option("The head overfits.", "Overfitting is the reverse: training better than validation."),
)
def validation_ahead() -> Any:
    """In the first epoch, the validation accuracy is above the training accuracy. Why?"""


@choice(
    Option(
        "It overfits: it has too many weights for 160 pictures.",
        "Who overfits knows the training pictures by heart. What is its training accuracy?",
    ),
    Option(
        "This architecture cannot tell these classes apart.",
        "The frozen base has the same architecture.",
    ),
    Option(
        "It has hardly been trained: ten steps are too few for random weights.",
        "It is as bad on the pictures that it trained on.",
        is_right=True,
    ),
)
def from_scratch_fails() -> Any:
    """The network from scratch is near guessing on training and validation pictures. Why?"""


@exercise(
    hints=(
        "The order: freeze, Input, scaling, base, pooling, Dense, Model, compile, fit, return.",
        "How many outputs: `1 if classes == 2 else classes`. The loss depends on it, too.",
        "Logits need a Dense layer without activation and a loss with `from_logits=True`.",
    ),
    solution="""
def build_and_fit(base, images, labels, classes):
    base.trainable = False
    inputs = keras.Input(shape=images.shape[1:])
    x = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    if classes == 2:
        outputs = keras.layers.Dense(1)(x)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    else:
        outputs = keras.layers.Dense(classes)(x)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
    model.fit(images, labels, epochs=20, verbose=0)
    return model
""",
    answer_name="build_and_fit",
)
def build_and_fit(answer: Callable[[keras.Model, Array, Array, int], keras.Model]) -> Verdict:
    """Build, compile and fit the recipe on any base, for any number of classes.

    It is tried on a small base and coloured squares, of two classes and of five.
    """
    for classes in (2, 5):
        with seeded():
            base, (images, labels) = _small_base(), _coloured_squares(classes)
            before = base.get_weights()
            model = call(answer, base, images.copy(), labels.copy(), classes)
        if said := _about_built(model, base, before, images, labels):
            return wrong(f"With {classes} classes: {said}")
    return right("It tells two colours apart, and five, and the base is the same to the bit.")


def _about_built(
    model: Any, base: keras.Model, before: list[Array], images: Array, labels: Array
) -> str | None:
    """What is wrong with a model that was built and fitted; None if nothing is."""
    import keras

    if not isinstance(model, keras.Model):
        return f"Received: {type(model).__name__}. Expected: the model. Is it returned?"
    if not all(map(np.array_equal, before, base.get_weights())):
        return "The base moved. Freeze it before you compile."
    classes = int(labels.max()) + 1
    outputs = 1 if classes == 2 else classes
    logits = np.asarray(model(images, training=False))
    if logits.shape != (len(images), outputs):
        return f"Received: outputs of shape {logits.shape}. Expected: ({len(images)}, {outputs})."
    trained = {id(variable) for variable in model.trainable_variables}
    if any(id(variable) in trained for variable in base.variables):
        return "The base would train. Was it frozen, and is it the one that you were given?"
    return _about_learnt(model, base, images, labels, logits)


def _about_learnt(
    model: keras.Model, base: keras.Model, images: Array, labels: Array, logits: Array
) -> str | None:
    """Whether the base saw the right pixels, and the head learned from what it said."""
    features = np.asarray(base(images / 127.5 - 1, training=False)).mean(axis=(1, 2))
    kernel, bias = (np.asarray(variable) for variable in model.trainable_variables[-2:])
    if kernel.shape != (features.shape[1], logits.shape[1]):
        return "The head's weights do not fit the features. Is there one Dense layer on a pooling?"
    from scipy.special import expit, log_softmax, softmax

    expected = features @ kernel + bias
    for squeezed in (expit(expected), softmax(expected, axis=1)):
        if np.allclose(squeezed, logits, atol=1e-3):
            return (
                "The outputs are probabilities. Leave the activation away: a logit is any number."
            )
    if not np.allclose(expected, logits, atol=1e-2):
        return (
            "The logits are not those of the mean features. Does the base get -1 to 1, once, and "
            "do you take the mean over all places?"
        )
    both = np.concatenate([0 * logits, logits], axis=1) if logits.shape[1] == 1 else logits
    true = -float(log_softmax(both, axis=1)[np.arange(len(labels)), labels].mean())
    loss = float(model.compute_loss(x=images, y=labels[:, None], y_pred=model(images)))
    if abs(loss - true) > 0.01:
        return f"The loss says {loss:.3f}, and the truth is {true:.3f}. Does it know of the logits?"
    predicted = logits.argmax(axis=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
    share = float((predicted == labels).mean())
    if share < ENOUGH:
        return (
            f"{share:.2f} of the pictures are named rightly; {ENOUGH} is within reach. Did `fit` "
            f"run for 20 epochs, at a rate that suits a new head?"
        )
    return None


def _small_base() -> keras.Model:
    """A base that is no use but for colours: `(n, 8, 8, 3)` of -1 to 1, to `(n, 4, 4, 16)`."""
    import keras

    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(),
        ],
        name="base",
    )


def _coloured_squares(classes: int) -> tuple[Array, Array]:
    """Noisy squares, a colour a class: float32 `(n, 8, 8, 3)` of 0 to 255, and int labels."""
    generator = np.random.default_rng(classes)
    colours = np.array([[220, 40, 40], [40, 40, 220], [40, 200, 40], [220, 210, 40], [20, 20, 20]])
    labels = np.arange(160) % classes
    noise = generator.normal(scale=25, size=(len(labels), 8, 8, 3))
    images = np.clip(colours[labels][:, None, None] + noise, 0, 255)
    return images.astype("float32"), labels.astype("int32")
