"""Train on features: a head in seconds, then the top of a base, stopped whenever you like.

`train` is what `fit` does, without what makes `fit` slow on so small a model: the same steps in the
same order give the same weights. Each epoch's numbers come as soon as there are any, and training
stops when nobody asks for the next epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import costs, machine

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Numbers that pass from numpy to TensorFlow together: many batches of pooled features, one of large
# activations. Between two portions `stop` is asked.
PORTION = 1_000_000
VALIDATION_BATCH = 128


class Stopped(Exception):
    """Training was stopped in the middle of an epoch."""


@dataclass(frozen=True)
class Epoch:
    """The numbers of one epoch, those of training as means over the epoch's steps.

    Attributes:
        number: 1 for the first.
        loss, accuracy: of training, with dropout at work.
        val_loss, val_accuracy: of validation after the epoch; NaN without validation data.
        seconds: since training began.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float

    @property
    def diverged(self) -> bool:
        """Whether the loss is no number any more: the learning rate is far too high."""
        return not math.isfinite(self.loss)


def history(epochs: Iterable[Epoch]) -> dict[str, list[float]]:
    """Epochs as Keras's `history.history` gives them."""
    epochs = list(epochs)
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return {name: [getattr(epoch, name) for epoch in epochs] for name in names}


def train(
    model: keras.Model,
    features: np.ndarray,
    labels: np.ndarray,
    *,
    optimizer: keras.optimizers.Optimizer,
    epochs: int,
    **options: Any,
) -> Iterator[Epoch]:
    """Train on features, epoch by epoch; ask for the next one to go on.

    It does what this does, faster::

        generator = np.random.default_rng(seed)
        for epoch in range(epochs):
            order = generator.permutation(len(features))
            model.fit(features[order], labels[order], batch_size=batch_size, shuffle=False)

    Args:
        model: from features to logits. What of it trains is decided by `trainable`, as ever.
        features: `(n, *model.input_shape[1:])`; or `(n, views, ...)`, of which each epoch takes
            for each picture one view at random.
        labels: int `(n,)`.
        optimizer: a new one.
        epochs: at most so many; none follows one that diverged.
        validation: features, without views, and labels.
        batch_size: pictures a step.
        seed: of the order, and of the choice of views.
        stop: asked between portions of an epoch; True ends training without an `Epoch`.

    Yields:
        An `Epoch` after each.

    Raises:
        ValueError: where features, labels and model do not fit together.
        MemoryError: where a step would need more memory than is free.
    """
    yield from Trainer(model, optimizer).epochs(features, labels, epochs, **options)


class Trainer:
    """A model and an optimizer with their graphs, which are traced once and serve many runs.

    Tracing takes longer than ten epochs of a head. `restart` begins a new run without it.
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        self.model, self.optimizer = model, optimizer
        self._steps, self._measure = _step_functions(model, optimizer)
        # Not all begin at zero: Adagrad's sums of squares do at 0.1, a product of Nadam's at 1.
        self._beginning = [_compact(variable.numpy()) for variable in optimizer.variables]

    def restart(self, values: Iterable[Any], learning_rate: float) -> None:
        """Begin anew: `values` become those of `model.variables`, dropout's chances included."""
        for variable, value in zip(self.model.variables, values, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self._beginning, strict=True):
            variable.assign(value)
        self.optimizer.learning_rate = learning_rate

    def epochs(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        epochs: int,
        *,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        batch_size: int = 32,
        seed: int = 0,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Epoch]:
        """As `train`."""
        _check(self.model, features, labels, epochs, batch_size)
        _check_memory(self.model, batch_size)
        generator = np.random.default_rng(seed)
        started = time.perf_counter()
        for number in range(1, epochs + 1):
            portions = _portions(self.model, features, labels, batch_size, generator)
            try:
                loss, accuracy = _run(self._steps, portions, stop)
                val_loss, val_accuracy = _validate(self._measure, validation, stop)
            except Stopped:
                return
            seconds = time.perf_counter() - started
            epoch = Epoch(number, loss, accuracy, val_loss, val_accuracy, seconds)
            yield epoch
            if epoch.diverged:
                return


def fine_tune(
    model: keras.Model,
    at_cut: np.ndarray,
    labels: np.ndarray,
    *,
    learning_rate: float,
    epochs: int,
    batch_size: int = 32,
    warmup: float = 0.1,
    weight_decay: float = 0.0,
    **options: Any,
) -> Iterator[Epoch]:
    """Train the top of a base under its trained head, on activations at the cut.

    All layers of `model` train but BatchNormalization, which stays as it is. The learning rate
    rises over the first steps and falls to zero along a cosine (Loshchilov and Hutter, 2017, 'SGDR:
    Stochastic Gradient Descent with Warm Restarts').

    Args:
        model: from activations at a cut to logits, with a head that was trained before.
        at_cut: activations `(n, ...)`, or `(n, views, ...)`.
        labels: int `(n,)`.
        learning_rate: the highest, at the end of the warm-up.
        epochs, batch_size, options: as of `train`.
        warmup: share of the steps in which the rate rises.
        weight_decay: of AdamW.
    """
    import keras

    from helpers import weights

    _check(model, at_cut, labels, epochs, batch_size)
    weights.unfreeze(model)
    total = epochs * -(-len(labels) // batch_size)
    rising = max(1, round(warmup * total))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, total - rising), warmup_target=learning_rate, warmup_steps=rising
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=weight_decay)
    options |= {"epochs": epochs, "batch_size": batch_size}
    yield from train(model, at_cut, labels, optimizer=optimizer, **options)


def reference_head(
    features: np.ndarray, labels: np.ndarray, strength: float = 0.01
) -> keras.layers.Dense:
    """A head of scikit-learn's logistic regression: no learning rate, no epochs, one optimum.

    Args:
        features: `(n, channels)`, or `(n, views, channels)`, each view counted as a picture.
        labels: int `(n,)`.
        strength: scikit-learn's C: the smaller, the smaller the weights.

    Returns:
        A built layer from `(n, channels)` to logits, one for two classes.
    """
    import keras
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if features.ndim == 3:
        labels = np.repeat(labels, features.shape[1])
        features = features.reshape(-1, features.shape[2])
    # The products are small: two threads would wait for each other ten times as long as they work.
    with threadpool_limits(1, "blas"):
        regression = LogisticRegression(C=strength, max_iter=1000)
        fitted = regression.fit(features.astype("float32"), labels)
    head = keras.layers.Dense(len(fitted.coef_), name="head")
    head.build((None, features.shape[1]))
    head.set_weights([fitted.coef_.T, fitted.intercept_])
    return head


def join(below: keras.Model, above: keras.Model) -> keras.Model:
    """The two parts as one ordinary model, from pictures to logits, that can be saved."""
    import keras

    return keras.Sequential([keras.Input(shape=below.input_shape[1:]), below, above])


# The loop


def _compact(value: np.ndarray) -> np.ndarray:
    """The same array; where one number fills it, with that number in memory only once."""
    same = value.size and (value == value.flat[0]).all()
    return np.broadcast_to(value.flat[0], value.shape) if same else value


def _check(
    model: keras.Model, features: np.ndarray, labels: np.ndarray, epochs: int, batch_size: int
) -> None:
    """Say at once what would fail within a graph, where nobody could read it."""
    expected = tuple(model.input_shape[1:])
    if expected not in {features.shape[1:], features.shape[2:]}:
        raise ValueError(
            f"Received: features of shape {features.shape} for a model that takes {expected}. "
            f"Expected: (n, {', '.join(map(str, expected))}), or with views behind n."
        )
    if len(features) != len(labels) or len(labels) == 0:
        raise ValueError(
            f"Received: {len(features)} features and {len(labels)} labels. "
            f"Expected: a label each, and at least one."
        )
    if epochs < 1 or batch_size < 1:
        raise ValueError(
            f"Received: {epochs} epochs with batches of {batch_size}. Expected: at least 1 each."
        )


def _check_memory(model: keras.Model, batch_size: int) -> None:
    """Say no to steps that would end the kernel, with the batches that would do."""
    fitting = machine.memory_to_give() // max(1, costs.step_bytes(model, 1))
    smaller = f"batches of at most {fitting}, or " if fitting else ""
    machine.check_memory(
        costs.step_bytes(model, batch_size),
        f"steps of training with batches of {batch_size}",
        f"Take {smaller}smaller pictures, or a cut nearer to the end of the base.",
    )


def _portions(
    model: keras.Model,
    features: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    generator: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """An epoch in shuffled order: whole batches, some at a time, then what is left over."""
    order = generator.permutation(len(labels))
    if features.ndim == len(model.input_shape) + 1:
        views = generator.integers(features.shape[1], size=len(labels))
    else:
        views = None
    numbers = max(1, math.prod(model.input_shape[1:]))
    rows_at_once = max(1, PORTION // numbers // batch_size) * batch_size
    whole = len(order) // batch_size * batch_size
    starts = [*range(0, whole, rows_at_once), whole]
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = order[start:end]
        if len(rows) == 0:
            continue
        picked = features[rows] if views is None else features[rows, views[rows]]
        batch = min(batch_size, len(rows))
        yield (
            picked.reshape(-1, batch, *picked.shape[1:]),
            np.asarray(labels)[rows].reshape(-1, batch),
        )


# Portions go in; the sums of losses and of right answers, and the count of pictures, come out.
Steps = Any


def _step_functions(
    model: keras.Model, optimizer: keras.optimizers.Optimizer
) -> tuple[Steps, Steps]:
    """Two graphs: one that takes the training steps of a portion, one that only measures."""
    import keras
    import tensorflow as tf

    optimizer.build(model.trainable_variables)
    binary = model.output_shape[-1] == 1
    if binary:
        loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    else:
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    portion = (
        tf.TensorSpec((None, None, *model.input_shape[1:])),
        tf.TensorSpec((None, None), tf.int32),
    )

    def correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        predicted = logits[:, 0] > 0 if binary else tf.argmax(logits, axis=1)
        return tf.reduce_sum(tf.cast(tf.cast(predicted, tf.int32) == labels, tf.float32))

    def sums(features: tf.Tensor, labels: tf.Tensor, step: Callable[..., Any]) -> tf.Tensor:
        _, total = tf.while_loop(
            lambda index, total: index < tf.shape(labels)[0],
            lambda index, total: (index + 1, total + step(features[index], labels[index])),
            (0, tf.zeros(2)),
        )
        return total

    def train_step(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model(features, training=True)
            loss = loss_of(labels[:, tf.newaxis], logits) + sum(model.losses, 0.0)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return tf.stack([loss * tf.cast(tf.size(labels), tf.float32), correct(logits, labels)])

    def measure_step(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        logits = model(features, training=False)
        loss = loss_of(labels[:, tf.newaxis], logits) + sum(model.losses, 0.0)
        return tf.stack([loss * tf.cast(tf.size(labels), tf.float32), correct(logits, labels)])

    # Without autograph, as in Keras's own `fit`: to convert the code takes longer than to trace it.
    @tf.function(input_signature=portion, autograph=False)
    def steps(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return sums(features, labels, train_step)

    @tf.function(input_signature=portion, autograph=False)
    def measure(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return sums(features, labels, measure_step)

    # Traced here, once: called as they are, TensorFlow would warn of every new model's tracing.
    return steps.get_concrete_function(), measure.get_concrete_function()


def _run(
    function: Steps, portions: Iterable[tuple[np.ndarray, np.ndarray]], stop: Callable[[], bool]
) -> tuple[float, float]:
    """Mean loss and accuracy over portions.

    Raises:
        Stopped: where `stop` says so.
    """
    total, count = np.zeros(2), 0
    for features, labels in portions:
        if stop():
            raise Stopped
        total += function(features.astype("float32"), labels.astype("int32")).numpy()
        count += labels.size
    return float(total[0] / count), float(total[1] / count)


def _validate(
    measure: Steps,
    validation: tuple[np.ndarray, np.ndarray] | None,
    stop: Callable[[], bool],
) -> tuple[float, float]:
    """Loss and accuracy on validation data, NaN where there are none."""
    if validation is None:
        return math.nan, math.nan
    features, labels = validation
    portions: Sequence[slice] = [
        slice(start, start + VALIDATION_BATCH) for start in range(0, len(labels), VALIDATION_BATCH)
    ]
    return _run(
        measure, ((features[part][None], np.asarray(labels)[part][None]) for part in portions), stop
    )
