"""The exercises of lesson 4: fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.chance import seeded
from helpers.exercises.choice import Option, choice
from helpers.exercises.exercise import Verdict, call, exercise, right, wrong

if TYPE_CHECKING:
    import keras

CUTS = ("first_relu", "second_relu", None)
HIGHEST_RATE = 1e-4


@exercise(
    hints=(
        "Go through all depths as the loop above did through six of them.",
        "weights.count(base).total // 2 is the limit.",
        "for depth in range(len(cuts)): unfreeze_behind(base, cuts[-1 - depth]), then count.",
    ),
    solution="""
limit = weights.count(base).total // 2
for depth in range(len(cuts)):
    unfreeze_behind(base, cuts[-1 - depth])
    if weights.count(base).trainable <= limit:
        answer = depth
""",
)
def deepest_within(answer: int, base: keras.Model) -> Verdict:
    """Which is the greatest depth at which at most half of the base's parameters train?"""
    trained = _trained_by_depth(base)
    limit = sum(int(np.prod(weight.shape)) for weight in base.weights) // 2
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return wrong(f"Received: {answer!r}. Expected: a depth, a whole number.")
    if not 0 <= answer < len(trained):
        return wrong(f"Received: {answer}. Expected: a depth from 0 to {len(trained) - 1}.")
    said = f"depth {answer} trains {trained[answer]:,} parameters; half of all are {limit:,}"
    if trained[answer] > limit:
        return wrong(f"Too deep: {said}.")
    if answer + 1 < len(trained) and trained[answer + 1] <= limit:
        return wrong(f"Not deep enough: {said}, and one depth more stays within that.")
    return right(f"{said}.".capitalize())


def _trained_by_depth(base: keras.Model) -> list[int]:
    """Parameters that train at each depth, from 0 on; nothing of the base is changed."""
    import keras

    from helpers import bases

    names = [layer.name for layer in base.layers]
    sizes = [
        0
        if isinstance(layer, keras.layers.BatchNormalization)
        else sum(int(np.prod(weight.shape)) for weight in layer.weights)
        for layer in base.layers
    ]
    return [sum(sizes[names.index(cut) + 1 :]) for cut in reversed(bases.cuts(base))]


@exercise(
    hints=(
        "What does a `trainable = False` on the model say about all that is inside?",
        "Say for each layer what it shall be: those of the model, and those of the base.",
        "`unfreeze_behind` does the base. Before it, the model and each of its layers.",
    ),
    solution="""
def unfreeze_inside(model, cut):
    model.trainable = True
    for layer in model.layers:
        layer.trainable = True
    unfreeze_behind(model.get_layer("base"), cut)
""",
    answer_name="unfreeze_inside",
)
def unfreeze_nested(answer: Callable[[keras.Model, str | None], None]) -> Verdict:
    """Unfreeze behind a cut in a base that sits inside a model, whatever was frozen before.

    It is tried on small models: new ones, frozen ones, and after it was run already.
    """
    for before, prepare in _states(answer):
        for cut in CUTS:
            model = _nested()
            prepare(model)
            call(answer, model, cut)
            if said := _about_trainable(model, cut):
                return wrong(f"{before}, cut {cut!r}: {said}")
    return right("Whatever was set before, the same layers train after it.")


def _states(
    answer: Callable[[Any, str | None], None],
) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """What may have happened to a model before, in words and as a function."""

    def set_layers(value: bool, *names: str) -> Callable[[Any], None]:
        def prepare(model: Any) -> None:
            base = model.get_layer("base")
            for name in names:
                owner = model if name == "head" else base
                owner.get_layer(name).trainable = value

        return prepare

    yield "A new model", lambda model: None
    yield "The base was frozen", lambda model: setattr(model.get_layer("base"), "trainable", False)
    yield "The model was frozen", lambda model: setattr(model, "trainable", False)
    yield (
        "Single layers were frozen",
        set_layers(False, "first", "second", "third", "second_normalization", "head"),
    )
    yield "It was run before with another cut", lambda model: answer(model, "second_relu")
    yield "It was run before with cut None", lambda model: answer(model, None)


def _about_trainable(model: keras.Model, cut: str | None) -> str | None:
    """What is wrong with which layers train; None if nothing is."""
    trains = {id(weight) for weight in model.trainable_weights}
    base = model.get_layer("base")
    found = {
        layer.name
        for layer in (*base.layers, model.get_layer("head"))
        if any(id(weight) in trains for weight in layer.weights)
    }
    expected = {"head", *_convolutions_behind(cut)}
    if found == expected:
        return None
    if normalizations := sorted(name for name in found if "normalization" in name):
        return f"{', '.join(normalizations)} would train."
    if extra := sorted(found - expected):
        return f"{', '.join(extra)} would train and stands in front of the cut."
    return f"{', '.join(sorted(expected - found))} would not train."


def _convolutions_behind(cut: str | None) -> list[str]:
    """The convolutions of the small base that stand behind a cut."""
    return ["first", "second", "third"][CUTS.index(cut) + 1 if cut else 0 :]


def _nested(outputs_of_head: int = 1) -> keras.Model:
    """A small base of three convolutions, by the name of 'base' in a model with a head."""
    import keras

    with seeded():
        inputs = outputs = keras.Input((8, 8, 3))
        for name in ("first", "second", "third"):
            outputs = keras.layers.Conv2D(4, 3, padding="same", use_bias=False, name=name)(outputs)
            outputs = keras.layers.BatchNormalization(name=f"{name}_normalization")(outputs)
            outputs = keras.layers.LeakyReLU(name=f"{name}_relu")(outputs)
        base = keras.Model(inputs, outputs, name="base")
        return keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                base,
                keras.layers.GlobalAveragePooling2D(name="pooling"),
                keras.layers.Dense(outputs_of_head, name="head"),
            ]
        )


@exercise(
    hints=(
        "Four things: what trains, BatchNormalization, compile, the rate. In which order?",
        "`unfreeze_behind(model.get_layer('base'), cut)` settles the first two.",
        "Then compile for logits as `compile_for` does, with a rate of 0.0001 or lower.",
    ),
    solution="""
def prepare(model, cut):
    unfreeze_behind(model.get_layer("base"), cut)
    compile_for(model, learning_rate=1e-5)
""",
    answer_name="prepare",
)
def prepare_to_fine_tune(
    answer: Callable[[keras.Model, str | None], None], classes: int = 2
) -> Verdict:
    """Make a model with a trained head ready for fine-tuning behind a cut.

    It is tried on a small model, whose weights are compared before and after a short `fit`.
    """
    from helpers import weights

    model, cut = _nested(1 if classes == 2 else classes), "first_relu"
    generator = np.random.default_rng(0)
    pictures = generator.normal(5, size=(32, 8, 8, 3)).astype("float32")
    labels = generator.integers(classes, size=(32, 1)).astype("int32")
    with seeded():
        _train_head(model, pictures, labels)
        before = weights.snapshot(model)
        call(answer, model, cut)
        if weights.compare(before, model).moved:
            return wrong("The weights are others already. `prepare` only makes ready.")
        if said := _about_compiled(model, pictures, labels):
            return wrong(said)
        model.fit(pictures, labels, batch_size=16, verbose=0)
    if said := _about_moves(model, before, cut):
        return wrong(said)
    return right("What should move moved, and all else is equal to the bit.")


def _train_head(model: keras.Model, pictures: np.ndarray, labels: np.ndarray) -> None:
    """The first stage: the base frozen, one epoch."""
    import keras

    model.get_layer("base").trainable = False
    binary = model.output_shape[-1] == 1
    kind = "BinaryCrossentropy" if binary else "SparseCategoricalCrossentropy"
    loss = getattr(keras.losses, kind)(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    model.fit(pictures, labels, batch_size=16, verbose=0)


def _about_compiled(model: keras.Model, pictures: np.ndarray, labels: np.ndarray) -> str | None:
    """What is wrong with loss or rate; None if nothing is."""
    from scipy.special import log_softmax

    logits = model(pictures, training=False)
    found = float(model.compute_loss(x=pictures, y=labels, y_pred=logits))
    logits = np.asarray(logits)
    if logits.shape[1] == 1:  # a logit z is the same as the two logits 0 and z
        logits = np.concatenate([0 * logits, logits], axis=1)
    expected = -np.take_along_axis(log_softmax(logits, axis=1), labels, axis=1).mean()
    if not np.isclose(found, expected, rtol=1e-2):
        return f"Received: a loss of {found:.3f}. Expected: {expected:.3f}. The head gives logits."
    rate = float(np.asarray(model.optimizer.learning_rate))
    if rate > HIGHEST_RATE * 1.001:
        return f"Received: a learning rate of {rate:g}. Expected: {HIGHEST_RATE:g} at most."
    return None


def _about_moves(model: keras.Model, before: Any, cut: str | None) -> str | None:
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
    behind = set(_convolutions_behind(cut))
    if early := sorted(names - behind - {"head"}):
        return f"The layer '{early[0]}' moved and stands in front of the cut."
    if not behind <= names:
        counted = all(base.get_layer(name).trainable_weights for name in behind)
        return (
            "The layers behind the cut are trainable and did not move in `fit`. What has to come "
            "after a change of `trainable`?"
            if counted
            else "The layers behind the cut did not move. Are they trainable, and the base, too?"
        )
    return None if "head" in names else "The head did not move. Is it trainable?"


@exercise(
    hints=(
        "evaluation.Accuracy(464, 500).interval gives the two ends of an interval.",
        "Two intervals do not overlap where one ends before the other begins.",
        "Either of the two models can be the better one.",
    ),
    solution="""
def difference_shown(first, second):
    first_low, first_high = evaluation.Accuracy(*first).interval
    second_low, second_high = evaluation.Accuracy(*second).interval
    return first_high < second_low or second_high < first_low
""",
    answer_name="difference_shown",
)
def difference_is_shown(answer: Callable[[Any, Any], bool]) -> Verdict:
    """Say of two results whether their intervals lie apart, so that a difference was shown."""
    for first, second, expected, about in (
        ((440, 500), (484, 500), True, "the second is better, and the intervals lie apart."),
        (
            (484, 500),
            (440, 500),
            True,
            "the first is better. Their order must not count.",
        ),
        ((464, 500), (464, 500), False, "the results are the same."),
        ((44, 50), (49, 50), False, "ten points apart, of only 50 pictures each."),
        ((9600, 10000), (9700, 10000), True, "one point apart, of 10,000 pictures each."),
        (
            (464, 500),
            (478, 500),
            False,
            "each value lies outside the other's interval, and yet the intervals overlap.",
        ),
        ((40, 40), (900, 1000), False, "40 of 40 is no proof of 1.0. The intervals overlap."),
    ):
        found = call(answer, first, second)
        if not isinstance(found, (bool, np.bool_)):
            return wrong(f"Received: {found!r}. Expected: True or False.")
        if bool(found) != expected:
            return wrong(
                f"Received: {bool(found)} for {first} and {second}. Expected: {expected}: {about}"
            )
    return right("Both directions, few pictures and many.")


RATE = "The learning rate is far too high."
FRESH = "The head was not trained before unfreezing."
STATISTICS = "BatchNormalization was left in training mode."
COMPILE = "`compile` was not called after unfreezing."


@choice(
    Option(RATE, "Then the weights would move a lot. Here none did."),
    Option(STATISTICS, "Then the moving statistics would differ. Here all is equal to the bit."),
    Option(COMPILE, "Yes: `fit` went on with what was trainable before.", is_right=True),
    Option(FRESH, "A fresh head begins at guessing, and the base would move all the same."),
)
def nothing_moves() -> Any:
    """The curves are smooth, the counts say 'trainable', no array of the base moved. What is it?"""


@choice(
    Option(RATE, "Then `evaluate` would be bad as well: it uses the same weights."),
    Option(
        STATISTICS,
        "Yes: `fit` normalises with the statistics of two pictures, `evaluate` with moving ones.",
        is_right=True,
    ),
    Option(COMPILE, "Then the base would be frozen, and the same in `fit` as in `evaluate`."),
    Option("It overfits.", "Overfitting shows on other pictures, and it makes `fit` look good."),
)
def fit_and_evaluate_differ() -> Any:
    """In batches of 2, `fit` says 0.75, and `evaluate` on the very same pictures 0.90. Why?"""


@choice(
    Option(
        RATE,
        "Yes: the head was good, and the first steps destroyed what it was trained on.",
        is_right=True,
    ),
    Option(FRESH, "It was at 0.93 before: the head was trained."),
    Option(COMPILE, "Then the base would not move, and the accuracy would stay near 0.93."),
    Option(
        "There are too few pictures.",
        "Too few pictures let training get better and validation not. Here training fell, too.",
    ),
)
def all_is_lost() -> Any:
    """Accuracy was 0.93, both training and validation fell to guessing in the first epoch. Why?"""
