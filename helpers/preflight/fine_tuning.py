"""Checks of what trains: BatchNormalization, `trainable` after `compile`, the head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from helpers.preflight.layers import leaf_layers, output_layer
from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import (
    Setup,
    forward,
    head_is_fresh,
    is_pretrained,
)

if TYPE_CHECKING:
    import keras

FREEZE = (
    "for layer in base.layers:\n"
    "    if isinstance(layer, keras.layers.BatchNormalization):\n"
    "        layer.trainable = False\n"
    "then compile again."
)


def check_batch_normalization(setup: Setup) -> Iterator[Finding]:
    """Pretrained BatchNormalization that would use, and move, the statistics of batches.

    One forward pass in training mode shows which layers move theirs; `training=False` in the call
    of a base does not prevent it in `fit`. Counted are layers whose statistics are no longer the
    0 and 1 of a fresh layer, and which see maps of features, not vectors: a BatchNormalization of
    the learner's own head stands behind the pooling.
    """
    import keras

    found = [
        one for one in leaf_layers(setup.model) if isinstance(one, keras.layers.BatchNormalization)
    ]
    if not found:
        raise Skip("the model has no BatchNormalization layer")
    if setup.has_trained:
        raise Skip(
            "the optimizer has taken steps, so moved statistics may be its own; check after "
            "compile and before fit"
        )
    pretrained = [layer for layer in found if is_pretrained(layer) and _sees_maps(layer)]
    moving = _moving(setup, pretrained)
    if moving:
        yield Finding(
            "BatchNormalization",
            "error",
            f"{len(moving)} of {len(pretrained)} pretrained BatchNormalization layers "
            f"(first: '{moving[0].name}') normalise with the batch at hand in fit and move their "
            f"stored statistics. training=False in the call of the base does not prevent it.",
            FREEZE,
        )


def _sees_maps(layer: keras.layers.Layer) -> bool:
    """Whether a layer's input has places, `(n, ..., channels)` with more than two axes."""
    try:
        return len(layer.input.shape) > 2
    except (AttributeError, ValueError):  # called in several places, or never in a graph
        return True


def _moving(
    setup: Setup, layers: list[keras.layers.BatchNormalization]
) -> list[keras.layers.BatchNormalization]:
    """Those of the layers that a forward pass in training mode changes; they are put back."""
    variables = [(layer.moving_mean, layer.moving_variance) for layer in layers]
    before = [[np.array(variable) for variable in pair] for pair in variables]
    if layers:
        forward(setup.model, setup.train.images[:8], training=True)
    moved = []
    for layer, pair, old in zip(layers, variables, before, strict=True):
        if any(not np.array_equal(np.array(v), was) for v, was in zip(pair, old, strict=True)):
            moved.append(layer)
        for variable, was in zip(pair, old, strict=True):
            variable.assign(was)
    return moved


def check_trainable(setup: Setup) -> Iterator[Finding]:
    """`trainable` changed after a first `fit` and without `compile`: the change takes no effect.

    An optimizer refuses weights that it was not built for. So it is asked to take one step with
    gradients of zero, for what trains now and for what does not. What the step changes is put back.
    """
    model, optimizer = setup.model, setup.model.optimizer
    if not optimizer.built:
        return  # it will be built for what is trainable at the first fit
    new = [weight for weight in model.trainable_variables if not _knows(optimizer, weight)]
    trained = {id(weight) for weight in model.trainable_variables}
    rest = [weight for weight in model.weights if id(weight) not in trained]
    old = [weight for weight in rest if _knows(optimizer, weight)]
    if not new and not old:
        return
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    parts = [
        f"{len(weights)} {what} (first: '{weights[0].path}')"
        for weights, what in ((new, "were unfrozen"), (old, "were frozen"))
        if weights
    ]
    yield Finding(
        "trainable",
        "error",
        f"Since the last compile, {' and '.join(parts)}. fit will ignore that or end in an error, "
        f"though the summary says {trainable:,} trainable parameters.",
        "model.compile(...) again, with a new optimizer, after every change of `trainable`.",
    )


def _knows(optimizer: keras.optimizers.Optimizer, weight: keras.Variable) -> bool:
    """Whether the optimizer was built for a weight."""
    import keras

    value = np.array(weight)
    try:
        optimizer.apply([keras.ops.zeros_like(weight)], [weight])
    except (ValueError, KeyError):
        return False
    weight.assign(value)
    return True


def check_head(setup: Setup) -> Iterator[Finding]:
    """A pretrained part trains under a head that knows nothing.

    The head knows nothing where its accuracy on the sample is no better than always naming the
    largest class, and its loss is about that of knowing nothing, ln(classes), or more, or its
    bias is still exactly zero.

    Source: Kumar and others (2022), 'Fine-Tuning can Distort Pretrained Features'.
    """
    if setup.has_trained:
        raise Skip("the optimizer has taken steps, so nothing tells pretrained from trained here")
    if not setup.fine_tuned:
        return
    head = output_layer(setup.model)
    fresh = head_is_fresh(head)
    loss, nothing = _crossentropy(setup), float(np.log(setup.classes))
    accuracy = setup.accuracy(setup.train, setup.train_outputs)
    if setup.is_trained or not (fresh or loss >= 0.95 * nothing):
        return
    bias = " its bias is exactly zero," if fresh else ""
    yield Finding(
        "untrained head",
        "error",
        f"{len(setup.fine_tuned)} pretrained layers train under a head that knows nothing:{bias} "
        f"its accuracy on {accuracy.total} training pictures is {accuracy.value:.2f}, its loss "
        f"{loss:.2f} (knowing nothing: {nothing:.2f}). Its errors will spoil these layers.",
        "Freeze the base, train the head first, then unfreeze and compile at a lower rate.",
    )


def _crossentropy(setup: Setup) -> float:
    """The mean loss on the training sample, from what the outputs are."""
    outputs = setup.train_outputs.astype(float)
    truth = setup.truth(setup.train.sampled)
    if outputs.shape[-1] == 1:
        if setup.gives_logits:
            return float(np.mean(np.logaddexp(0, outputs[:, 0]) - truth * outputs[:, 0]))
        right = np.where(truth == 1, outputs[:, 0], 1 - outputs[:, 0])
        return float(-np.log(np.clip(right, 1e-7, 1)).mean())
    if setup.gives_logits:
        outputs = outputs - outputs.max(axis=1, keepdims=True)
        logs = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    else:
        logs = np.log(np.clip(outputs, 1e-7, 1))
    return float(-logs[np.arange(len(truth)), truth].mean())
