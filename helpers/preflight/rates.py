"""Check of the learning rate: a few steps from the weights as they are, then put back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import Setup

if TYPE_CHECKING:
    import keras

# Each batch is of pictures that no step has seen, where there are enough.
BATCHES, LAST = 9, 3
FACTOR = 10**0.5
LOWEST = 1e-4
# Measured on 200 and 1,000 drawings and their base with Adam, three seeds each. Largest loss over
# the larger of the first loss and half of ln(classes): at most 1.3 for a head and 2.2 for the whole
# model at the course's 0.001 and 0.0006; 6 at 0.002 and 240 at 0.06 for the whole model.
BLOWN = 4.0
# Mean loss at the end over that at a tenth of the rate: at most 0.9 for a head at 0.03 and below
# and 1.2 for the whole model at the course's rate; 3.6 and more for a head at 0.3.
WORSE = 1.5
# Coming steps at which a schedule is asked for its rate.
HORIZON = 10_000


def check_rate(setup: Setup) -> Iterator[Finding]:
    """A rate at which the loss blows up within a few steps, or ends worse than at a tenth of it.

    Each trial starts from the same weights and goes over the same batches, with a new optimizer of
    the same kind. The loss of a batch is taken before the step on it, so on pictures that are new.
    It blows up where it is no number any more, or where it passes `BLOWN` times the larger of
    where it began and half of ln(classes), the loss of knowing nothing. That is an error where it
    also ends above both where it began and ln(classes).

    Source: after the range test of Smith (2017), 'Cyclical Learning Rates for Training Neural
    Networks', walked from above so that a sound rate costs one trial.
    """
    test = _RangeTest(setup)
    rate = peak_rate(setup.model.optimizer)
    trial = test.run(rate)
    if trial.blows_up:
        yield _blown(test, rate, trial)
    elif trial.end > trial.nothing / 2:  # else it learns, whatever a lower rate would do
        tenth = test.run(rate / 10)
        if trial.end > WORSE * tenth.end:
            yield _overshoots(rate, trial, tenth)


def _blown(test: _RangeTest, rate: float, trial: _Trial) -> Finding:
    """Rates that fall by half a power of ten are tried until the loss stays where it may be."""
    fine = rate / FACTOR
    while (calm := test.run(fine, to_the_end=False)).blows_up and fine > rate * LOWEST:
        fine /= FACTOR
    return Finding(
        "learning rate",
        "warning" if trial.ends_well else "error",
        f"At the compiled rate of {rate:.2g}, {BATCHES - 1} steps take the loss from "
        f"{trial.losses[0]:.2f} up to {max(trial.losses):.3g}, at the end {trial.end:.3g}. "
        f"At {fine:.2g} they end at {calm.end:.2f}.",
        f"A rate well below {fine:.1g}, such as {fine / 10:.0e}; raise it while the loss falls.",
    )


def _overshoots(rate: float, trial: _Trial, tenth: _Trial) -> Finding:
    return Finding(
        "learning rate",
        "warning",
        f"At the compiled rate of {rate:.2g}, {BATCHES - 1} steps take the loss from "
        f"{trial.losses[0]:.2f} to {trial.end:.2f}; at a tenth of it, to {tenth.end:.2f}.",
        f"A rate of {rate / 10:.1g}; raise it while the loss falls.",
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


@dataclass(frozen=True)
class _Trial:
    """The losses of a trial, and the loss of knowing nothing, ln(classes)."""

    losses: list[float]
    nothing: float

    @property
    def end(self) -> float:
        """The mean loss of the last batches."""
        return float(np.mean(self.losses[-LAST:]))

    @property
    def blows_up(self) -> bool:
        """Whether the loss passes what it may at any step."""
        return not np.isfinite(self.losses).all() or max(self.losses) > self._most

    @property
    def ends_well(self) -> bool:
        """Whether it came back after that."""
        return self.end <= max(self.losses[0], self.nothing)  # False for no number, too

    @property
    def _most(self) -> float:
        return BLOWN * max(self.losses[0], self.nothing / 2)


class _RangeTest:
    """Trials of a learning rate from one start.

    Raises:
        Skip: where a step of `fit` could not be imitated.
    """

    def __init__(self, setup: Setup) -> None:
        import keras

        self.model, self.setup = setup.model, setup
        if type(self.model).train_step is not keras.Model.train_step:
            raise Skip("the model has a train_step of its own")
        if not self.model.trainable_variables:
            raise Skip("nothing of the model is trainable")
        self.narrow = setup.loss.kind == "binary" and setup.train_outputs.shape[-1] == 1
        self.optimizer = _new_optimizer(self.model)
        self.variables = [*self.model.variables, *self.optimizer.variables]
        self.start = [np.array(variable) for variable in self.variables]
        self._step = self._step_function()

    def run(self, rate: float, to_the_end: bool = True) -> _Trial:
        """The loss in training mode of each batch, before the step on it.

        Where `to_the_end` is False, the trial ends with the batch at which the loss blows up.
        """
        for variable, value in zip(self.variables, self.start, strict=True):
            variable.assign(value)
        self.optimizer.learning_rate = rate
        trial = _Trial([], float(np.log(self.setup.classes)))
        for images, labels in self._batches():
            trial.losses.append(float(self._step(images, labels)))
            if trial.blows_up and not to_the_end:
                break
        return trial

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of the pool, again from its beginning where it is small."""
        images, labels = self.setup.train.pool, self.setup.train.pooled
        size = min(self.setup.options.batch_size, len(labels))
        for step in range(BATCHES):
            rows = np.arange(step * size, (step + 1) * size) % len(labels)
            batch = labels[rows].reshape(size, -1) if self.narrow else labels[rows]
            yield images[rows].astype("float32"), batch.astype("float32")

    def _step_function(self) -> Any:
        """One step as a graph, traced once for all rates: from a batch to its loss."""
        import keras
        import tensorflow as tf

        model, loss_of = self.model, keras.losses.get(self.model.loss)
        weights = model.trainable_variables

        @tf.function(reduce_retracing=True, autograph=False)  # as `fit` traces its own
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
