"""Checks of what trains: BatchNormalization, `trainable` after `compile`, the head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from helpers.preflight.accuracy import Accuracy
from helpers.preflight.families import family
from helpers.preflight.layers import leaf_layers, output_layer
from helpers.preflight.parts import (
    Parts,
    divide,
    fine_tuned,
    in_vain,
    is_as_built,
    training_ids,
    trains,
    unfrozen_under,
)
from helpers.preflight.report import Finding, Skip
from helpers.preflight.setup import (
    Setup,
    forward,
    head_is_fresh,
    is_pretrained,
)

if TYPE_CHECKING:
    import keras

# ImageNet has 1.3 million pictures; with a thousandth of them no such network learns to see.
FEW_TO_BEGIN_WITH = 10_000
# VGG16's; a smaller network may be somebody's own in its style.
FEWEST_LAYERS = 13
FEWEST = 50  # pictures on which a head can be said to know nothing
FREEZE = (
    "for layer in base.layers:\n"
    "    if isinstance(layer, keras.layers.BatchNormalization):\n"
    "        layer.trainable = False\n"
    "then compile again."
)


def check_batch_normalization(setup: Setup) -> Iterator[Finding]:
    """Pretrained BatchNormalization that would use, and move, the statistics of batches.

    One forward pass in training mode shows which layers move theirs; `training=False` in the call
    of a base does not prevent it in `fit`. Counted are layers of the base, see `parts.divide`,
    whose statistics are no longer the 0 and 1 of a fresh layer, and which see maps of features. A
    BatchNormalization of the learner's own, in front of the base or behind it, trains with the
    head, and should.
    """
    import keras

    kind = keras.layers.BatchNormalization
    if not any(isinstance(leaf, kind) for leaf in leaf_layers(setup.model)):
        raise Skip("the model has no BatchNormalization layer")
    if setup.has_trained:
        raise Skip(
            "the optimizer has taken steps, so moved statistics may be its own; check after "
            "compile and before fit"
        )
    parts = divide(setup.model)
    found = [leaf for leaf in parts.base if isinstance(leaf, kind)]
    pretrained = [layer for layer in found if is_pretrained(layer) and sees_maps(layer)]
    if pretrained and _may_be_its_own(setup.model, parts):
        raise Skip(
            "everything trains, and nothing tells a pretrained base from a network that you have "
            "trained yourself and train on"
        )
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


def _may_be_its_own(model: keras.Model, parts: Parts) -> bool:
    """Whether a trained network of no known family, in one piece, trains as a whole."""
    ids = training_ids(model)
    own = parts.nested is None and family((*parts.front, *parts.base)) is None
    return own and all(trains(leaf, ids) for leaf in parts.base if leaf.weights)


def sees_maps(layer: keras.layers.Layer) -> bool:
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
    """Nothing trains; a fresh head does not; `trainable` was changed where, or when, it is in vain.

    A change after a first `fit` and without `compile` takes no effect. An optimizer refuses weights
    that it was not built for. So it is asked to take one step with gradients of zero, for what
    trains now and for what does not. What the step changes is put back.
    """
    model = setup.model
    if not model.trainable_variables:
        yield _nothing_trains(model)
        return
    yield from _frozen_head(model)
    yield from _frozen_around(model)
    if model.optimizer.built:  # else it will be, for what is trainable at the first fit
        yield from _changed_since(model)


def _nothing_trains(model: keras.Model) -> Finding:
    vain = in_vain(model)
    though = (
        f" {len(vain)} of its layers were unfrozen (first: '{vain[0].name}'), in vain: the model "
        f"around them is frozen."
        if vain
        else ""
    )
    return Finding(
        "trainable",
        "error",
        f"Nothing trains: all {len(model.weights)} variables of '{model.name}' are frozen, and fit "
        f"will change none.{though}",
        "model.trainable = True first, then freeze what shall stay as it is: "
        "base.trainable = False. Then compile.",
    )


def _frozen_head(model: keras.Model) -> Iterator[Finding]:
    """The layer that gives the output is frozen, with the weights that it was built with."""
    head = _head(model)
    if head is None or trains(head, training_ids(model)) or not is_as_built(head):
        return
    yield Finding(
        "trainable",
        "error",
        f"The head's last layer '{head.name}' is frozen with the random weights that it was built "
        f"with. fit will not change it.",
        f"Let the head train, and compile again:\nmodel.get_layer('{head.name}').trainable = True",
    )


def _frozen_around(model: keras.Model) -> Iterator[Finding]:
    """Layers were unfrozen inside a model that stays frozen."""
    around, inside = unfrozen_under(model)
    if around is None:
        return
    yield Finding(
        "trainable",
        "warning",
        f"'{around.name}' is frozen, but {len(inside)} layers in it were unfrozen afterwards "
        f"(first: '{inside[0].name}'). Keras 3 trains them, though the frozen "
        f"'{around.name}'.trainable_variables is empty; Keras 2 would not, in vain unfrozen.",
        "Say what you mean, then compile again:\n"
        "base.trainable = True\n"
        "for layer in base.layers[:-20]:  # all that shall stay frozen\n"
        "    layer.trainable = False",
    )


def _changed_since(model: keras.Model) -> Iterator[Finding]:
    """`trainable` is no longer what the optimizer was built for."""
    optimizer = model.optimizer
    new = [weight for weight in model.trainable_variables if not _knows(optimizer, weight)]
    trained = training_ids(model)
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


def check_pretrained(setup: Setup) -> Iterator[Finding]:
    """A frozen base with the random weights that it was built with.

    Biases, scales, shifts and statistics of a fresh layer are constants; in a trained one they are
    not. Where a base has none of these, its kernels are compared with what their initializers draw.
    """
    ids = training_ids(setup.model)
    base = [leaf for leaf in divide(setup.model).base if leaf.weights]
    frozen = [leaf for leaf in base if not trains(leaf, ids) and not _only_scales(leaf)]
    if not frozen:
        yield from _random_and_whole(setup)
        raise Skip("no base is frozen")
    told = [leaf for leaf in frozen if any(len(weight.shape) == 1 for weight in leaf.weights)]
    if told:
        fresh = not any(is_pretrained(leaf) for leaf in told)
    else:
        drawn = [is_as_built(leaf) for leaf in frozen]
        if None in drawn:
            raise Skip("the frozen layers have no biases or statistics to tell by")
        fresh = all(drawn)
    if fresh:
        yield Finding(
            "random base",
            "error",
            f"{len(frozen)} layers of the base are frozen with random weights (first: "
            f"'{frozen[0].name}'): every bias and statistic in them is as it was built, so nothing "
            f"was pretrained or loaded.",
            "Build the base with weights='imagenet', or load its weights before freezing it; or "
            "let it train from the start: base.trainable = True.",
        )


def _random_and_whole(setup: Setup) -> Iterator[Finding]:
    """A network of `keras.applications` that trains from random weights on few pictures."""
    leaves, total = leaf_layers(setup.model), setup.train.total
    found = family([leaf for leaf in leaves if not _only_scales(leaf)])
    told = [leaf for leaf in leaves if any(len(weight.shape) == 1 for weight in leaf.weights)]
    if found is None or setup.has_trained or total is None or total >= FEW_TO_BEGIN_WITH:
        return
    if len(told) >= FEWEST_LAYERS and not any(is_pretrained(leaf) for leaf in told):
        yield Finding(
            "random base",
            "warning",
            f"All of {found.name} trains from random weights, on {total:,} pictures: nothing in it "
            f"was pretrained or loaded.",
            "weights='imagenet', base.trainable = False, and a head on top.",
        )


def _only_scales(leaf: keras.layers.Layer) -> bool:
    import keras

    return isinstance(leaf, keras.layers.Normalization)


def check_head(setup: Setup) -> Iterator[Finding]:
    """A pretrained part trains under a head that knows nothing.

    A head whose weights are as they were built was never trained, whatever it is right about by
    luck. One that has been trained knows nothing where its accuracy on the pool of pictures is no
    better than always naming the largest class, and its loss is about that of naming the shares of
    the classes, or more.

    Source: Kumar and others (2022), 'Fine-Tuning can Distort Pretrained Features'.
    """
    if setup.has_trained:
        raise Skip("the optimizer has taken steps, so nothing tells pretrained from trained here")
    layers = fine_tuned(setup.model)
    if not layers:
        return
    fresh = is_as_built(_head(setup.model))
    # A bias as it was built, over a kernel that is not: weights that somebody has set, or a luck.
    if fresh is None and head_is_fresh(_head(setup.model)):
        fresh = not setup.is_trained
    told = _told(setup, bool(fresh))
    if told is None:
        return
    yield Finding(
        "untrained head",
        "error",
        f"{len(layers)} pretrained layers train under a head that {told} "
        f"Its errors will spoil these layers.",
        "Freeze the base, train the head first, then unfreeze and compile at a lower rate.",
    )


def _told(setup: Setup, fresh: bool) -> str | None:
    """What shows that a head knows nothing; None where it knows something.

    Raises:
        Skip: where too few pictures say so.
    """
    try:
        accuracy, loss = _judged(setup, setup.train_outputs, setup.train.sampled)
        known = loss.mean() + 2 * loss.std() / np.sqrt(len(loss)) < _nothing(setup)
    except Skip as reason:  # labels or outputs that no accuracy is told of
        if fresh:
            return "was never trained: its weights are as they were built."
        raise Skip(f"what the head knows cannot be told: {reason}") from None
    numbers = (
        f"its accuracy on {accuracy.total} training pictures is {accuracy.value:.2f}, its loss "
        f"{loss.mean():.2f} (knowing nothing: {_nothing(setup):.2f})."
    )
    if fresh:
        lucky = setup.is_trained or known
        told = "was never trained, and is right by luck" if lucky else "knows nothing"
        return f"{told}: its bias is exactly zero, {numbers}".replace(*_without_bias(setup))
    return None if setup.is_trained or known else _in_the_pool(setup)


def _without_bias(setup: Setup) -> tuple[str, str]:
    """What to say in place of a bias that is zero, where there is none or it starts otherwise."""
    said = "its bias is exactly zero,"
    zero = head_is_fresh(_head(setup.model))
    return said, said if zero else "its weights are distributed as they were drawn,"


def _in_the_pool(setup: Setup) -> str | None:
    """The same of a head that may have been trained, on all pictures of the pool.

    Raises:
        Skip: where these are fewer than `FEWEST`.
    """
    accuracy, loss = _judged(setup, setup.pool_outputs, setup.train.pooled)
    if accuracy.total < FEWEST:
        raise Skip(f"{accuracy.total} pictures do not tell what the head knows")
    share = np.bincount(setup.truth(setup.train.pooled)).max() / accuracy.total
    nothing, mean = _nothing(setup), float(loss.mean())
    error = 2 * float(loss.std()) / np.sqrt(accuracy.total)
    if accuracy.interval[0] > share or mean < 0.95 * nothing or mean + error < nothing:
        return None
    return (
        f"knows nothing: its accuracy on {accuracy.total} training pictures is "
        f"{accuracy.value:.2f}, its loss {mean:.2f} (knowing nothing: {nothing:.2f})."
    )


def _judged(setup: Setup, outputs: np.ndarray, labels: np.ndarray) -> tuple[Accuracy, np.ndarray]:
    """The accuracy, and the loss of each picture."""
    truth = setup.truth(labels)
    losses = _crossentropies(outputs.astype(float), truth, setup.gives_logits)
    guessed = outputs.argmax(axis=-1)
    if outputs.shape[-1] == 1:
        guessed = (outputs[:, 0] > (0.0 if setup.gives_logits else 0.5)).astype(int)
    return Accuracy(int((guessed == truth).sum()), len(truth)), losses


def _nothing(setup: Setup) -> float:
    """The loss of knowing nothing but the number of classes."""
    return float(np.log(setup.classes))


def _head(model: keras.Model) -> keras.layers.Layer | None:
    """The layer that gives the output; of a model that does not tell, the last with weights."""
    found = output_layer(model)
    if found is not None and found.weights:
        return found
    return next((leaf for leaf in divide(model).head[::-1] if leaf.weights), None)


def _crossentropies(outputs: np.ndarray, truth: np.ndarray, logits: bool) -> np.ndarray:
    """The loss of each picture, `(n,)`, from what the outputs are."""
    if outputs.shape[-1] == 1:
        if logits:
            return np.logaddexp(0, outputs[:, 0]) - truth * outputs[:, 0]
        right = np.where(truth == 1, outputs[:, 0], 1 - outputs[:, 0])
        return -np.log(np.clip(right, 1e-7, 1))
    if logits:
        outputs = outputs - outputs.max(axis=1, keepdims=True)
        logs = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    else:
        logs = np.log(np.clip(outputs, 1e-7, 1))
    return -logs[np.arange(len(truth)), truth]
