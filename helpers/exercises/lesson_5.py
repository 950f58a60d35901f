"""The exercises of lesson 5: the frozen part runs once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.chance import seeded
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, exercise, right, wrong

if TYPE_CHECKING:
    Array = np.ndarray
    # Features and labels to train on, features and labels to validate with.
    Tables = tuple[Array, ...]

# The judge trains on at most so many pictures, so that a check takes seconds on any picture set.
AT_MOST = 2000


@choice(
    Option(
        "The pictures are mirrored by chance in each epoch.",
        "A mirrored picture has other features. What was kept is of the picture as it was.",
    ),
    Option(
        "The head gets dropout and another learning rate.",
        "Both are behind the pooling, where the kept features begin.",
        is_right=True,
    ),
    Option(
        "BatchNormalization of the base is left in training mode.",
        "Then what the base says of a picture depends on the batch it is in.",
    ),
    Option(
        "The last block of the base trains.",
        "Then the pooled features change with every step. What lies before that block may be kept.",
    ),
)
def still_once() -> Any:
    """With which of these changes can the pooled features still be computed once?"""


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
        "Other pixels go in, so other features come out.",
        is_right=True,
    ),
)
def extract_anew() -> Any:
    """The features are extracted. After which change must the base run again?"""


@exercise(
    hints=(
        "Move the rate up in the panel, or write a loop over rates between 0.001 and 0.1.",
        "The mean of the last three numbers of `val_loss` is the number to compare.",
        "Double the rate until it is more than twice that of 0.001, and go one step back.",
    ),
    solution="""
def last_losses(rate):
    made = new_head()
    made.optimizer.learning_rate = rate
    validated = (validation_features, validation.labels)
    run = made.fit(
        train_features[:2000], labels[:2000], validation_data=validated, epochs=10, verbose=0
    )
    return np.mean(run.history["val_loss"][-3:])


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
