"""The exercises of lesson 4: fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.chance import seeded
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong

if TYPE_CHECKING:
    import keras

# Layers of the small base to begin with: its second convolution, the input, its third one.
FIRST = (4, 0, 7)
HIGHEST_RATE = 1e-4


@exercise(
    hints=(
        "Four things: what trains, BatchNormalization, compile, the rate. In which order?",
        "`base.trainable = True` first; then say for each layer of the base what it shall be.",
        "Then compile, with a loss of logits and a rate of 0.0001 or lower.",
    ),
    solution="""
def prepare(model, first):
    base = model.get_layer("base")
    base.trainable = True
    for index, layer in enumerate(base.layers):
        is_normalization = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= first and not is_normalization
    model.compile(
        optimizer=keras.optimizers.Adam(1e-5),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
""",
    answer_name="prepare",
)
def prepare_to_fine_tune(answer: Callable[[keras.Model, int], None]) -> Verdict:
    """Make a model with a trained head ready for fine-tuning from a layer of its base on.

    It is tried on small models, whose weights are compared before and after a short `fit`.
    """
    for first in FIRST:
        if said := _about_prepared(answer, first):
            return wrong(f"From layer {first} on: {said}")
    return right("What should move moved, and all else is equal to the bit.")


def _about_prepared(answer: Callable[[keras.Model, int], None], first: int) -> str | None:
    """What is wrong with a model that was made ready; None if nothing is."""
    from helpers import weights

    model = _nested()
    generator = np.random.default_rng(0)
    pictures = generator.normal(5, size=(32, 8, 8, 3)).astype("float32")
    labels = generator.integers(2, size=(32, 1)).astype("int32")
    with seeded():
        _train_head(model, pictures, labels)
        before = weights.snapshot(model)
        call(answer, model, first)
        if weights.compare(before, model).moved:
            return "The weights are others already. `prepare` only makes ready."
        if said := _about_compiled(model, pictures, labels):
            return said
        model.fit(pictures, labels, batch_size=16, verbose=0)
    return _about_moves(model, before, first)


def _train_head(model: keras.Model, pictures: np.ndarray, labels: np.ndarray) -> None:
    """The first stage: the base frozen, one epoch."""
    import keras

    model.get_layer("base").trainable = False
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    model.fit(pictures, labels, batch_size=16, verbose=0)


def _about_compiled(model: keras.Model, pictures: np.ndarray, labels: np.ndarray) -> str | None:
    """What is wrong with loss or rate; None if nothing is."""
    from scipy.special import log_softmax

    logits = model(pictures, training=False)
    found = float(model.compute_loss(x=pictures, y=labels, y_pred=logits))
    logits = np.asarray(logits)  # a logit z is the same as the two logits 0 and z
    logits = np.concatenate([0 * logits, logits], axis=1)
    expected = -np.take_along_axis(log_softmax(logits, axis=1), labels, axis=1).mean()
    if not np.isclose(found, expected, rtol=1e-2):
        return f"Received: a loss of {found:.3f}. Expected: {expected:.3f}. The head gives logits."
    rate = float(np.asarray(model.optimizer.learning_rate))
    if rate > HIGHEST_RATE * 1.001:
        return f"Received: a learning rate of {rate:g}. Expected: {HIGHEST_RATE:g} at most."
    return None


def _about_moves(model: keras.Model, before: Any, first: int) -> str | None:
    """What should not have moved or should have; None if all is well."""
    moved = [
        not np.array_equal(old, np.asarray(weight))
        for old, weight in zip(before.arrays, model.weights, strict=True)
    ]
    moving = {id(weight) for weight, moves in zip(model.weights, moved, strict=True) if moves}
    base = model.get_layer("base")
    names = {
        layer.name
        for layer in (*base.layers, model.get_layer("head"))
        if any(id(weight) in moving for weight in layer.weights)
    }
    if any("normalization" in name for name in names):
        return "BatchNormalization moved in `fit`. Which line comes last: the model's, or its?"
    behind = {layer.name for layer in base.layers[first:] if "conv" in layer.name}
    if early := sorted(names - behind - {"head"}):
        return f"The layer '{early[0]}' moved and stands in front of layer {first}."
    if not behind <= names:
        counted = all(base.get_layer(name).trainable_weights for name in behind)
        return (
            "The layers from there on are trainable and did not move in `fit`. What has to come "
            "after a change of `trainable`?"
            if counted
            else "The layers from there on did not move. Are they trainable, and the base, too?"
        )
    return None if "head" in names else "The head did not move. Is it trainable?"


def _nested() -> keras.Model:
    """A small base of three convolutions, by the name of 'base' in a model with a head."""
    import keras

    with seeded():
        inputs = outputs = keras.Input((8, 8, 3))
        for name in ("first", "second", "third"):
            convolution = keras.layers.Conv2D(
                4, 3, padding="same", use_bias=False, name=f"{name}_conv"
            )
            outputs = keras.layers.BatchNormalization(name=f"{name}_normalization")(
                convolution(outputs)
            )
            outputs = keras.layers.LeakyReLU(name=f"{name}_relu")(outputs)
        base = keras.Model(inputs, outputs, name="base")
        return keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                base,
                keras.layers.GlobalAveragePooling2D(name="pooling"),
                keras.layers.Dense(1, name="head"),
            ]
        )


RATE = "The learning rate is far too high."
FRESH = "The head was not trained before unfreezing."
STATISTICS = "BatchNormalization was left in training mode."
COMPILE = "`compile` was not called after unfreezing."


@choice(
    Option(RATE, "Then the weights would move a lot. Here none did."),
    Option(STATISTICS, "Then the moving statistics would differ. Here all is equal to the bit."),
    Option(COMPILE, "`fit` went on with what was trainable before.", is_right=True),
    Option(FRESH, "A fresh head begins at guessing, and the base would move all the same."),
)
def base_stands_still() -> Any:
    """The curves are smooth, the counts say 'trainable', no array of the base moved. What is it?"""


@choice(
    Option(RATE, "Then `evaluate` would be bad as well: it uses the same weights."),
    Option(
        STATISTICS,
        "`fit` normalises with the statistics of two pictures, `evaluate` with moving ones.",
        is_right=True,
    ),
    Option(COMPILE, "Then the base would be frozen, and the same in `fit` as in `evaluate`."),
    Option("It overfits.", "Overfitting shows on other pictures, and it makes `fit` look good."),
)
def fit_and_evaluate_differ() -> Any:
    """In batches of 2, `fit` says 0.75, and `evaluate` on the very same pictures 0.90. Why?"""


@choice(
    Option(
        "Train on: the training loss still falls.",
        "It falls because 40 pictures are learned by heart. Validation has only got worse.",
    ),
    Option(
        "Raise the rate, so that it gets there sooner.",
        "All training pictures are right after two epochs. It got there too soon.",
    ),
    Option(
        "Compile again: the base does not train.",
        "A head on a frozen base does not learn pictures by heart in two epochs.",
    ),
    Option(
        "Go back to the first epoch's weights, and try a lower rate.",
        "The same run at 0.0003 ended with a validation loss of 0.26 and an accuracy of 0.90. "
        "`keras.callbacks.EarlyStopping(restore_best_weights=True)` goes back by itself.",
        is_right=True,
    ),
)
def read_the_curve() -> Any:
    """Of 40 drawings, at the rate 0.001, these are the losses of epochs 1 to 8.

    Training: 0.28, 0.02, 0.01, 0.00, 0.00, 0.00, 0.00, 0.00. Validation: 0.27, 0.54, 0.69, 0.44,
    0.59, 0.83, 1.05, 1.07. Its accuracy went from 0.88 to 0.85. What do you do?
    """


@choice(
    Option(
        "Unfreeze everything at the head's rate: the pictures are far from ImageNet's.",
        "120 pictures against millions of weights, in large steps: that overwrites what the base "
        "knows and learns the pictures by heart.",
    ),
    Option(
        "Train a head first, then unfreeze the last blocks at a low rate.",
        "Early layers serve X-rays as well; only the last blocks speak of ImageNet's classes. "
        "Keep it only if the pairs show a gain.",
        is_right=True,
    ),
    Option(
        "Train from scratch: ImageNet has no X-rays.",
        "Edges and textures are learned from anything. 120 pictures cannot teach them.",
    ),
    Option(
        "Leave BatchNormalization trainable, so that it learns the new brightness.",
        "In batches of a few pictures its statistics would be a lottery.",
    ),
)
def how_far_to_unfreeze() -> Any:
    """You have 120 X-rays of two kinds and a base from ImageNet. How do you begin?"""
