"""Check of the learning rate: a few steps from the weights as they are, then put back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.learner import Learner
from helpers.preflight.report import Finding, Skip

if TYPE_CHECKING:
    import keras

STEPS = 6
FACTOR = 10**0.5
LOWEST = 1e-4
# Measured on the drawings and their base with Adam, largest loss to yardstick: head 1.0 at the
# course's 0.001 and 2.7 at 0.1; 1.5 when fine-tuning at the course's 0.0006, and 200 at 0.06.
BLOWN = 2.0
# Coming steps at which a schedule is asked for its rate.
HORIZON = 10_000


def check_rate(learner: Learner) -> Iterator[Finding]:
    """A rate at which the loss blows up within a few steps.

    The compiled rate is tried first, then rates that fall by half a power of ten, each from the
    same weights, on the same batches, with a new optimizer of the same kind. The loss blows up
    where it is no number any more, or where it passes `BLOWN` times the larger of where it began
    and half of ln(classes), the loss of knowing nothing. It is an error where it also ends there.

    Source: after the range test of Smith (2017), 'Cyclical Learning Rates for Training Neural
    Networks', walked from above so that a sound rate costs one trial.
    """
    test = _RangeTest(learner)
    rate = peak_rate(learner.model.optimizer)
    first = losses = test.losses(rate)
    if not test.blows_up(losses):
        return
    fine = rate / FACTOR
    while fine > rate * LOWEST and test.blows_up(losses := test.losses(fine)):
        fine /= FACTOR
    yield Finding(
        "learning rate",
        "warning" if test.ends_well(first) else "error",
        f"At the compiled rate of {rate:.2g}, {STEPS} steps take the loss from {first[0]:.2f} up "
        f"to {max(first):.3g}, at the end {first[-1]:.3g}. "
        f"At {fine:.2g} they end at {losses[-1]:.2f}.",
        f"A rate well below {fine:.1g}, such as {fine / 10:.0e}; raise it while the loss falls.",
    )


def peak_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The compiled rate; of a schedule, the highest in the coming 10,000 steps."""
    import keras

    written = optimizer.get_config().get("learning_rate")
    if not isinstance(written, dict):
        return float(np.array(optimizer.learning_rate))
    schedule = keras.optimizers.schedules.deserialize(written)
    start = int(optimizer.iterations)
    coming = np.unique(np.geomspace(1, HORIZON, 200).astype(int)) - 1
    return max(float(np.array(schedule(start + int(step)))) for step in coming)


class _RangeTest:
    """Trials of a learning rate from one start.

    Raises:
        Skip: where a step of `fit` could not be imitated.
    """

    def __init__(self, learner: Learner) -> None:
        import keras

        self.model, self.learner = learner.model, learner
        if type(self.model).train_step is not keras.Model.train_step:
            raise Skip("the model has a train_step of its own")
        if not self.model.trainable_variables:
            raise Skip("nothing of the model is trainable")
        self.narrow = learner.loss.kind == "binary" and learner.train_outputs.shape[-1] == 1
        self.optimizer = _new_optimizer(self.model)
        self.variables = [*self.model.variables, *self.optimizer.variables]
        self.start = [np.array(variable) for variable in self.variables]
        self._step = self._step_function()

    def losses(self, rate: float) -> list[float]:
        """The loss in training mode before each step, and once more after the last but one."""
        for variable, value in zip(self.variables, self.start, strict=True):
            variable.assign(value)
        self.optimizer.learning_rate = rate
        return [float(self._step(images, labels)) for images, labels in self._batches()]

    def blows_up(self, losses: list[float]) -> bool:
        """Whether the loss passes what it may at any step."""
        return not np.isfinite(losses).all() or max(losses[1:]) > self._yardstick(losses)

    def ends_well(self, losses: list[float]) -> bool:
        """Whether it came back after that."""
        return bool(np.isfinite(losses).all() and losses[-1] <= self._yardstick(losses))

    def _yardstick(self, losses: list[float]) -> float:
        return BLOWN * max(losses[0], 0.5 * float(np.log(self.learner.classes)))

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As many batches as there are losses, over the sample again and again."""
        images, labels = self.learner.train.images, self.learner.train.sampled
        size = min(self.learner.options.batch_size, len(labels))
        for step in range(STEPS + 1):
            rows = np.arange(step * size, (step + 1) * size) % len(labels)
            batch = labels[rows].reshape(size, -1) if self.narrow else labels[rows]
            yield images[rows].astype("float32"), batch.astype("float32")

    def _step_function(self) -> Any:
        """One step as a graph, traced once for all rates: from a batch to its loss."""
        import keras
        import tensorflow as tf

        model, loss_of = self.model, keras.losses.get(self.model.loss)
        weights = model.trainable_variables

        @tf.function(reduce_retracing=True)
        def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                outputs = keras.ops.cast(model(images, training=True), "float32")
                loss = tf.reduce_mean(loss_of(labels, outputs))
                total = loss + sum(model.losses, 0.0)
            self.optimizer.apply(tape.gradient(total, [w.value for w in weights]), weights)
            return loss

        return step


def _new_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    """One of the same kind and settings that has taken no step; its rate is set for each trial."""
    old = model.optimizer
    new = type(old).from_config(old.get_config() | {"learning_rate": 0.0})
    new.build(model.trainable_variables)
    return new
