"""Check of the learning rate: a few steps from the weights as they are, then put back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.layers import leaf_layers, look, output_layer
from helpers.preflight.outputs import why_not
from helpers.preflight.parts import is_as_built
from helpers.preflight.report import Finding, Skip
from helpers.preflight.runs import call_in_turn
from helpers.preflight.setup import Setup, is_pretrained

if TYPE_CHECKING:
    import keras

# Each batch is of pictures that no step has seen, where there are enough.
BATCHES, LAST = 9, 3
FACTOR = 10**0.5
LOWEST = 1e-4
# Measured in batches of 16 on 200 and 1,000 drawings and their base with Adam, three seeds each.
# Largest loss over the larger of the first loss and half of ln(classes): at most 2.7 for a head at
# 0.03 and below, and 3.6 for the whole model at the course's 0.0006 and below; 6 and more for a
# head at 0.3, 3.6 to 15 for the whole model at 0.002, 160 and more at 0.06.
BLOWN = 5.0
# Mean loss at the end over that at a tenth of the rate: at most 0.9 for a head at 0.03 and below
# and 1.3 for the whole model at the course's rate; 6 and more for a head at 0.3, 2.1 and more for
# the whole model at 0.002.
# A recipe of Keras's own, a head on EfficientNetB0 with random kernels at 0.01: 1.5.
WORSE, OVERSHOT = 1.5, 1.8
# Weights that moved by less of their size cannot have overshot: at most 0.4 % where a tenth of the
# rate ended no lower, 2 % at the course's rate for the whole model, 5.6 % and more at 0.002.
STILL = 0.005
# A fresh head that in this many steps changes by less of its size stays what it was drawn as.
STEPS, UNMOVED = 1000, 0.01
# Coming steps at which a schedule is asked for its rate.
HORIZON = 10_000
# Gradients in float16 lose what is very small; a larger loss keeps it.
SCALE = 128.0
# Scaled pictures lie far below, raw ones reach 255.
RAW = 50.0
RESCALE = (
    "keras.layers.Rescaling(1 / 255) in front of the first layer (or divide the pictures by 255); "
    "then look at the rate again."
)


def check_rate(setup: Setup) -> Iterator[Finding]:
    """A rate at which the loss blows up, or ends worse than at a tenth of it, or nothing moves.

    Each trial starts from the same weights and goes over the same batches, with a new optimizer of
    the same kind. The loss of a batch is taken before the step on it, so on pictures that are new.
    It blows up where it is no number any more, or where it passes `BLOWN` times the larger of
    where it began and half of ln(classes), the loss of knowing nothing. That is an error where it
    also ends above both where it began and ln(classes).

    Source: after the range test of Smith (2017), 'Cyclical Learning Rates for Training Neural
    Networks', walked from above so that a sound rate costs one trial.
    """
    rate = peak_rate(setup.model.optimizer)
    if not rate > 0:  # no number, too
        yield _no_rate(rate)
        return
    fresh = is_as_built(output_layer(setup.model))
    test = _RangeTest(setup)
    trial = test.run(rate)
    if trial.blows_up:
        cause = test.raw_pictures(rate, trial)
        if not cause:
            test.raise_where_rate_is_not_why(rate, trial)
        yield _with_cause(_blown(test, rate, trial), cause)
    elif trial.losses[0] > BLOWN * trial.nothing and (cause := test.raw_pictures(rate, trial)):
        what = f"The loss begins at {trial.losses[0]:.3g}.{cause}"
        yield Finding("learning rate", "warning", what, RESCALE)
    # Else it learns, whatever a lower rate would do; or goes nowhere, so not too far.
    elif trial.end > trial.nothing / 2 and trial.moved > STILL:
        tenth = test.run(rate / 10)
        if trial.end > OVERSHOT * tenth.end:
            yield _with_cause(_overshoots(rate, trial, tenth), test.raw_pictures(rate, trial))
    elif fresh and trial.moved * STEPS / BATCHES < UNMOVED:
        yield _too_slow(rate, trial)


def _with_cause(finding: Finding, cause: str) -> Finding:
    return replace(finding, what=finding.what + cause, mend=RESCALE) if cause else finding


def _no_rate(rate: float) -> Finding:
    """A rate at which nothing moves, or which goes uphill."""
    if rate == 0:
        does = "no step changes anything"
    else:
        does = "each step makes the loss larger" if rate < 0 else "no step is a number"
    return Finding(
        "learning rate",
        "error",
        f"The compiled rate is {rate:g}: {does}.",
        "keras.optimizers.Adam(1e-3) for a head, Adam(1e-5) where pretrained layers train.",
    )


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


def _too_slow(rate: float, trial: _Trial) -> Finding:
    return Finding(
        "learning rate",
        "warning",
        f"At the compiled rate of {rate:.2g}, {STEPS:,} steps would change the weights that train "
        f"by about {trial.moved * STEPS / BATCHES:.1g} of their size, and the head is fresh: it "
        f"will not learn.",
        "keras.optimizers.Adam(1e-3) for a fresh head; raise the rate while the loss falls.",
    )


def peak_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The compiled rate; of a schedule, the highest in the coming 10,000 steps."""
    import keras

    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    written = optimizer.get_config().get("learning_rate")
    if not isinstance(written, dict):
        return float(np.array(optimizer.learning_rate))
    try:
        schedule = keras.optimizers.schedules.deserialize(written)
    except (ValueError, TypeError):  # of an own class, or a function
        return float(np.array(optimizer.learning_rate))
    start = int(optimizer.iterations)
    coming = np.unique(np.geomspace(1, HORIZON, 200).astype(int)) - 1
    return max(float(np.array(schedule(start + int(step)))) for step in coming)


@dataclass(frozen=True)
class _Trial:
    """The losses of a trial, and the loss of knowing nothing, ln(classes).

    `moved` is by how much of their size all weights together changed.
    """

    losses: list[float]
    nothing: float
    moved: float = 0.0

    @property
    def end(self) -> float:
        """The mean loss of the last batches."""
        return float(np.mean(self.losses[-LAST:]))

    @property
    def blows_up(self) -> bool:
        """Whether the loss passes what it may at any step."""
        most = BLOWN * max(self.losses[0], self.nothing / 2)
        return not np.isfinite(self.losses).all() or max(self.losses) > most

    @property
    def ends_well(self) -> bool:
        """Whether it came back after that."""
        return self.end <= max(self.losses[0], self.nothing)  # False for no number, too


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
        if not setup.loss.is_crossentropy:
            raise Skip(f"the loss {setup.loss.name} is not one of Keras's crossentropies")
        if reason := why_not(setup, "outputs", "labels"):
            raise Skip(reason)
        self.narrow = setup.loss.kind == "binary" and setup.train_outputs.shape[-1] == 1
        self.features = setup.pool_features
        self.part = setup.runner.part
        self.optimizer = _new_optimizer(self.model)
        changing = [self.model] if self.features is None else self.part
        self.variables = [one for part in changing for one in part.variables]
        self.variables += self.optimizer.variables
        self.start = [np.array(variable) for variable in self.variables]
        self._step = self._step_function()

    def run(self, rate: float, to_the_end: bool = True, scale: float = 1.0) -> _Trial:
        """The loss in training mode of each batch, before the step on it.

        Where `to_the_end` is False, the trial ends with the batch at which the loss blows up.
        Pictures are multiplied by `scale`.

        Raises:
            Skip: where a step ends in an error.
        """
        self._reset()
        self.optimizer.learning_rate = rate
        trial = _Trial([], self._nothing)
        for images, labels in self._batches():
            trial.losses.append(self._loss(images * np.asarray(scale, images.dtype), labels))
            if trial.blows_up and not to_the_end:
                break
        return replace(trial, moved=self._moved())

    def _moved(self) -> float:
        """How far the trainable weights are from the start, over how large they were."""
        ids = {id(weight) for weight in self.model.trainable_variables}
        pairs = zip(self.variables, self.start, strict=True)
        found = [(np.array(one).ravel(), was.ravel()) for one, was in pairs if id(one) in ids]
        now, was = (np.concatenate(each) for each in zip(*found, strict=True))
        return float(np.linalg.norm(now - was)) / max(float(np.linalg.norm(was)), 1e-12)

    def _reset(self) -> None:
        """Everything as it was at the start."""
        for variable, value in zip(self.variables, self.start, strict=True):
            variable.assign(value)

    @property
    def _nothing(self) -> float:
        """The loss of knowing nothing; outputs of a binary loss are judged one by one."""
        binary = self.setup.loss.kind == "binary"
        return float(np.log(2 if binary else self.setup.classes))

    def _loss(self, images: np.ndarray, labels: np.ndarray) -> float:
        try:
            return float(self._step(images, labels))
        except Exception as error:  # such as a layer that no gradient passes
            said = (str(error).splitlines() or [""])[0][:200]
            raise Skip(
                f"a step like those of fit ends in an error ({type(error).__name__}: {said})"
            ) from error

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of the pool, again from its beginning where it is small."""
        images = self.setup.train.pool if self.features is None else self.features
        labels = self.setup.train.pooled
        size = min(self.setup.options.batch_size, len(labels))
        for step in range(BATCHES):
            rows = np.arange(step * size, (step + 1) * size) % len(labels)
            batch = labels[rows].reshape(size, -1) if self.narrow else labels[rows]
            taken = images[rows]
            yield (
                taken.astype("float32") if self.features is None else taken,
                batch.astype("float32"),
            )

    def _step_function(self) -> Any:
        """One step as a graph, traced once for all rates: from a batch to its loss."""
        import keras
        import tensorflow as tf

        loss_of, weights = self.setup.loss.call, self.model.trainable_variables

        @tf.function(reduce_retracing=True, autograph=False)  # as `fit` traces its own
        def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                outputs, penalties = self._call(images)
                loss = tf.reduce_mean(loss_of(labels, keras.ops.cast(outputs, "float32")))
                total = SCALE * (loss + sum(penalties, 0.0))
            gradients = tape.gradient(total, [weight.value for weight in weights])
            scaled = [None if one is None else one / SCALE for one in gradients]
            self.optimizer.apply(scaled, weights)
            return loss

        return step

    def _call(self, images: Any) -> tuple[Any, list[Any]]:
        """Outputs in training mode, and what layers add to the loss."""
        if self.features is None:
            return self.model(images, training=True), self.model.losses
        outputs = call_in_turn(self.part, images, training=True)
        return outputs, [loss for layer in self.part for loss in layer.losses]

    def raise_where_rate_is_not_why(self, rate: float, trial: _Trial) -> None:
        """A loss that ends as high where hardly anything moves does not end there for the rate.

        Raises:
            Skip: where it does; batches differ as much, or dropout does.
        """
        still = self.run(rate * LOWEST)
        if trial.end <= WORSE * still.end:
            raise Skip(
                f"in steps of {rate * LOWEST:.0e} the loss of batches goes up to "
                f"{max(still.losses):.3g}, too: the rate is not why"
            )

    def raw_pictures(self, rate: float, trial: _Trial) -> str:
        """A sentence on pictures that reach a fresh network unscaled, where that is the cause.

        It is where the same trial on 1/255 of the pictures begins low and stays there. A network
        that normalises, or whose first weights are pretrained, is not asked.
        """
        self._reset()  # or what the trial moved would pass for pretrained
        found = _first_taken(self.model, self.setup.train.images)
        if found is None or self.features is not None:
            return ""
        layer, highest = found
        scaled = self.run(rate, scale=1 / 255)
        if scaled.blows_up or scaled.losses[0] > BLOWN * scaled.nothing:
            return ""
        if scaled.end > WORSE * trial.nothing:
            return ""
        return (
            f" Numbers up to {highest:.3g} reach '{layer.name}', and no layer normalises them: "
            f"that is the cause. With the pictures divided by 255, the loss goes from "
            f"{scaled.losses[0]:.2f} to {scaled.end:.2f}."
        )


def _first_taken(model: keras.Model, images: np.ndarray) -> tuple[keras.layers.Layer, float] | None:
    """The first layer with weights and the largest number that it takes.

    None where that is small, where a layer normalises, and where the layer is not a fresh one that
    trains.
    """
    if any("Normalization" in type(layer).__name__ for layer in leaf_layers(model)):
        return None
    taken: list[tuple[keras.layers.Layer, float]] = []

    def see(layer: keras.layers.Layer, given: Any, _: Any) -> None:
        if layer.weights and not taken:
            taken.append((layer, float(np.abs(np.asarray(given, np.float32)).max())))

    look(model, images[:8].astype("float32"), see)
    if not taken or taken[0][1] < RAW:
        return None
    layer = taken[0][0]
    return taken[0] if layer.trainable_weights and not is_pretrained(layer) else None


def _new_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    """One of the same kind and settings that has taken no step; its rate is set for each trial.

    Of an optimizer that scales the loss, the one inside: it would leave out the first steps.

    Raises:
        Skip: where it cannot be built from its configuration.
    """
    old = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    try:
        new = type(old).from_config(old.get_config() | {"learning_rate": 0.0})
    except Exception as error:
        raise Skip(
            f"no second {type(old).__name__} can be made from its get_config "
            f"({type(error).__name__}: {error})"
        ) from error
    new.build(model.trainable_variables)
    return new
