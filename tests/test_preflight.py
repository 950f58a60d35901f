"""Each fault is found where it is, and not where it is not; nothing is changed by looking."""

import io
import random
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from helpers import bases, pictures, training, weights
from helpers.preflight import CHECKS, UNEXPECTED, Finding, Inspection, preflight

LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)
# Validation sets here are small on purpose; the size is judged in a test of its own.
ANY_SIZE = {"difference": 0.5, "sample": 40}


@pytest.fixture
def every_check():
    """For tests that need the trials of the learning rate, too."""


@pytest.fixture(autouse=True)
def no_trials(request, monkeypatch):
    """Leave out the trials of the learning rate: they take most of the seconds of a preflight."""
    if "every_check" not in request.fixturenames:
        checks = {name: check for name, check in CHECKS.items() if name != "learning rate"}
        monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", checks)


@pytest.fixture(scope="module")
def drawings():
    return pictures.load("drawings", size=96, quiet=True)


@pytest.fixture(scope="module")
def split(drawings):
    """200 and 60 drawings of 96 x 96."""
    train, validation = drawings.train, drawings.validation
    return (
        (train.images[:200], train.labels[:200]),
        (validation.images[:60], validation.labels[:60]),
    )


@pytest.fixture(scope="module")
def small(drawings):
    """The same at 32 x 32, dogs with less red, so that models that cost nothing can tell them."""
    parts = []
    for part, count in ((drawings.train, 200), (drawings.validation, 60)):
        images, labels = part.images[:count, ::3, ::3].copy(), part.labels[:count]
        images[labels == 1, ..., 0] //= 3
        parts.append((images, labels))
    return tuple(parts)


@pytest.fixture(scope="module")
def tiny_base(small):
    """A function that builds a base of two convolutions that knows the statistics of `small`."""

    def build():
        keras.utils.set_random_seed(0)
        base = keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                keras.layers.Conv2D(8, 3, strides=2, use_bias=False),
                keras.layers.BatchNormalization(momentum=0.0, name="first_norm"),
                keras.layers.ReLU(),
                keras.layers.Conv2D(16, 3, strides=2, use_bias=False),
                keras.layers.BatchNormalization(momentum=0.0, name="last_norm"),
                keras.layers.ReLU(),
            ],
            name="tiny",
        )
        base(small[0][0].astype("float32") / 127.5 - 1, training=True)
        for layer in base.layers:
            layer.momentum = 0.99
        return base

    return build


@pytest.fixture(scope="module")
def tiny_head(tiny_base, small):
    """Weights of a head trained on the features of the tiny base."""
    model, _ = transfer(tiny_base())
    extractor = keras.Model(model.input, model.get_layer("pooling").output)
    features = extractor.predict(small[0][0], verbose=0)
    return training.reference_head(features, small[0][1], strength=100.0).get_weights()


def compiled(model, loss=LOGITS, metrics=None, optimizer=None):
    threshold = keras.metrics.BinaryAccuracy(threshold=0.0)
    optimizer = optimizer or keras.optimizers.Adam(1e-3)
    # Two steps of fit are done before their graph would be traced.
    model.compile(optimizer, loss, metrics=metrics or [threshold], run_eagerly=True)
    return model


def cnn(*end, outputs=1, start=()):
    """A small model from scratch, 32 x 32."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *start,
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, strides=4, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(outputs),
            *end,
        ]
    )


def transfer(base, scaling=None, start=()):
    """The course's model: base frozen, fresh head of one logit."""
    keras.utils.set_random_seed(0)
    base.trainable = False
    inputs = values = keras.Input(base.input_shape[1:])
    for layer in start:
        values = layer(values)
    values = (scaling or bases.find("drawn").scaling())(values)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(base(values, training=False))
    dropped = keras.layers.Dropout(0.2)(pooled)
    return keras.Model(inputs, keras.layers.Dense(1, name="head")(dropped)), base


@pytest.fixture(scope="module")
def drawn():
    """The course's base; what a test does to `trainable`, `transfer` undoes."""
    return bases.load("drawn")


CUT = "block_13_project_BN"


@pytest.fixture(scope="module")
def extracted(drawings, drawn):
    """What the base gives for 360 drawings at `CUT`, and at its end, pooled."""
    pooled = keras.layers.GlobalAveragePooling2D()(drawn.output)
    both = keras.Model(drawn.input, [drawn.get_layer(CUT).output, pooled])
    at_cut, features = both(drawings.train.images[:360] / 127.5 - 1, training=False)
    return np.array(at_cut), np.array(features), drawings.train.labels[:360]


@pytest.fixture(scope="module")
def trained_head(extracted):
    """Weights of a head trained on these features."""
    return training.reference_head(*extracted[1:]).get_weights()


def halves(inputs, labels, count):
    """The first `count`, and the next 60."""
    return [(inputs[rows], labels[rows]) for rows in (slice(count), slice(count, count + 60))]


def fine_tuning(trained_head, base, **options):
    """The whole model with a trained head, base unfrozen but for BatchNormalization."""
    model, base = transfer(base, **options)
    model.get_layer("head").set_weights(trained_head)
    weights.unfreeze(base)
    return model, base


def only(monkeypatch, name):
    """Let no other check run."""
    monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", {name: CHECKS[name]})


def judged(report):
    """No check has failed in itself."""
    assert not [reason for _, reason in report.skipped if UNEXPECTED in reason]


def faults(report):
    judged(report)
    return [(found.check, found.severity) for found in report.findings]


def errors(report):
    judged(report)
    return [found.check for found in report.errors]


# No false alarms


@pytest.fixture
def upper_part(drawn, trained_head):
    """What lesson 4 fine-tunes from `CUT` on, under a trained head."""
    cut = drawn.get_layer(CUT).output
    above = keras.Sequential(
        [
            keras.Input(cut.shape[1:]),
            keras.Model(cut, drawn.output, name="upper"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, name="head"),
        ]
    )
    above.get_layer("head").set_weights(trained_head)
    weights.unfreeze(above)
    return above


@pytest.mark.usefixtures("every_check")
def test_the_upper_part_of_lesson_4_is_sound_at_its_rate_and_not_at_a_hundred_times(
    upper_part, extracted
):
    data = halves(extracted[0], extracted[2], 100)
    compiled(upper_part, optimizer=keras.optimizers.Adam(6e-4))
    report = preflight(upper_part, *data, **ANY_SIZE)
    assert not faults(report)
    assert {"scaling", "shared pictures"} <= dict(report.skipped).keys()

    peak = keras.optimizers.schedules.CosineDecay(0.0, 90, warmup_target=0.06, warmup_steps=10)
    compiled(upper_part, optimizer=keras.optimizers.Adam(peak))
    report = preflight(upper_part, *data, **ANY_SIZE)
    assert faults(report) == [("learning rate", "error")]
    assert "compiled rate of 0.06" in report.findings[0].what


@pytest.mark.usefixtures("every_check")
def test_the_whole_model_is_sound_at_the_courses_rate(split, trained_head, drawn):
    model, _ = fine_tuning(trained_head, drawn)
    report = preflight(compiled(model, optimizer=keras.optimizers.Adam(6e-4)), *split, **ANY_SIZE)
    assert not faults(report)
    assert set(dict(report.skipped)) == {"class order", "reshuffling"}
    assert "scaling" in report.passed and "learning rate" in report.passed


@pytest.mark.usefixtures("every_check")
def test_the_tutorials_frozen_stage_is_sound_as_a_dataset(small, tiny_base):
    augmentation = keras.Sequential(
        [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.2)]
    )
    scaling = keras.applications.mobilenet_v2.preprocess_input
    model, _ = transfer(tiny_base(), scaling, start=[augmentation])
    compiled(model, optimizer=keras.optimizers.Adam(1e-4))
    data = [tf.data.Dataset.from_tensor_slices(part).batch(32).prefetch(1) for part in small]
    report = preflight(model, *data, **ANY_SIZE)
    assert not faults(report)
    assert "all 200 of train (40 through the model)" in report.looked_at
    assert "reshuffling" in report.passed


@pytest.mark.usefixtures("every_check")
def test_the_guides_threshold_and_fine_tuning_are_found_and_nothing_else(
    small, tiny_base, tiny_head
):
    scaling = keras.layers.Rescaling(1 / 127.5, offset=-1)
    flip = keras.layers.RandomFlip("horizontal")
    model, base = transfer(tiny_base(), scaling, start=[flip])
    guide = [keras.metrics.BinaryAccuracy()]
    frozen = preflight(compiled(model, metrics=guide), *small, **ANY_SIZE)
    assert faults(frozen) == [("threshold", "error")]
    model.get_layer("head").set_weights(tiny_head)
    for layer in [base, *base.layers]:
        layer.trainable = True
    optimizer = keras.optimizers.Adam(1e-5)
    report = preflight(compiled(model, metrics=guide, optimizer=optimizer), *small, **ANY_SIZE)
    assert sorted(faults(report)) == [("BatchNormalization", "error"), ("threshold", "error")]


def layer_norm_net():
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(8, 4, strides=4),
            keras.layers.LayerNormalization(),
            keras.layers.DepthwiseConv2D(3, activation="gelu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )


def lower_vgg16():
    """The first blocks under the name of the whole, which has 14.7 million weights.

    Biases that differ stand for those of training.
    """
    whole = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    base = keras.Model(whole.input, whole.get_layer("block2_pool").output, name=whole.name)
    for layer in base.layers:
        if layer.weights:
            layer.bias.assign(np.linspace(0, 0.1, layer.filters))
    base.trainable = False
    return base


def vgg16():
    base = lower_vgg16()
    inputs = keras.Input((32, 32, 3))
    values = keras.applications.vgg16.preprocess_input(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(base(values))
    return keras.Model(inputs, keras.layers.Dense(1)(pooled))


def subclassed():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.scaling = keras.layers.Rescaling(1 / 255)
            self.convolution = keras.layers.Conv2D(4, 3, strides=4)
            self.normalization = keras.layers.BatchNormalization()
            self.pooling = keras.layers.GlobalAveragePooling2D()
            self.head = keras.layers.Dense(1)

        def call(self, inputs, training=False):
            values = self.convolution(self.scaling(inputs))
            values = self.normalization(values, training=training)
            return self.head(self.pooling(values))

    model = Net()
    model(np.zeros((1, 32, 32, 3), "float32"))
    return model


@pytest.mark.usefixtures("every_check")
@pytest.mark.parametrize("build", [cnn, layer_norm_net, vgg16, subclassed])
def test_models_without_pretrained_normalization_are_sound(build, small):
    keras.utils.set_random_seed(1)
    optimizer = keras.optimizers.Adam(1e-4)
    assert not faults(preflight(compiled(build(), optimizer=optimizer), *small, **ANY_SIZE))


# The faults, one by one


def test_batch_normalization_that_moves(small, tiny_base, tiny_head):
    model, base = fine_tuning(tiny_head, tiny_base())
    base.get_layer("last_norm").trainable = True
    report = preflight(compiled(model, optimizer=keras.optimizers.Adam(1e-4)), *small, **ANY_SIZE)
    assert faults(report) == [("BatchNormalization", "error")]
    assert "1 of 2" in report.findings[0].what and "last_norm" in report.findings[0].what


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.01),
        lambda: keras.optimizers.SGD(0.01, momentum=0.9, weight_decay=0.1),
        lambda: keras.optimizers.Adam(1e-3),
        lambda: keras.optimizers.RMSprop(1e-3),
        lambda: keras.optimizers.Lion(1e-4),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.AdamW(1e-3)),
    ],
)
def test_trainable_changed_after_fit(optimizer, small, monkeypatch):
    only(monkeypatch, "trainable")
    model = compiled(cnn(), optimizer=optimizer())
    model.layers[1].trainable = False
    assert "trainable" not in errors(preflight(model, *small, **ANY_SIZE))  # before a first fit
    model.fit(small[0][0][:32], small[0][1][:32], verbose=0)
    assert "trainable" not in errors(preflight(model, *small, **ANY_SIZE))
    model.layers[1].trainable = True
    report = preflight(model, *small, **ANY_SIZE)
    assert "2 were unfrozen" in next(f.what for f in report.findings if f.check == "trainable")
    model.layers[1].trainable = False
    model.layers[-1].trainable = False
    report = preflight(model, *small, **ANY_SIZE)
    assert "2 were frozen" in next(f.what for f in report.findings if f.check == "trainable")


ENDS = {
    "sigmoid layer": lambda: [keras.layers.Activation("sigmoid")],
    "lambda": lambda: [keras.layers.Lambda(keras.ops.sigmoid)],
    "nested": lambda: [keras.Sequential([keras.Input((1,)), keras.layers.Activation("sigmoid")])],
}


@pytest.mark.parametrize("end", ENDS)
def test_probabilities_for_a_loss_of_logits(end, small):
    metric = [keras.metrics.BinaryAccuracy(threshold=0.5)]
    report = preflight(compiled(cnn(*ENDS[end]()), metrics=metric), *small, **ANY_SIZE)
    assert errors(report) == ["logits"]
    model = compiled(cnn(*ENDS[end]()), loss="binary_crossentropy", metrics=metric)
    assert not errors(preflight(model, *small, **ANY_SIZE))


@pytest.mark.usefixtures("every_check")
def test_softmax_for_a_loss_of_logits(small):
    metric = [keras.metrics.SparseCategoricalAccuracy()]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ends = {True: [keras.layers.Softmax()], False: []}
    for softmax, end in ends.items():
        model = compiled(cnn(*end, outputs=2), loss=loss, metrics=metric)
        assert ("logits" in errors(preflight(model, *small, **ANY_SIZE))) == softmax


@pytest.mark.usefixtures("every_check")
@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.BinaryCrossentropy()])
def test_logits_for_a_loss_of_probabilities(loss, small):
    assert "logits" in errors(preflight(compiled(cnn(), loss=loss), *small, **ANY_SIZE))


def test_thresholds(small):
    for metric in ("accuracy", keras.metrics.BinaryAccuracy()):
        report = preflight(compiled(cnn(), metrics=[metric]), *small, **ANY_SIZE)
        assert errors(report) == ["threshold"]
    model = compiled(cnn(keras.layers.Activation("sigmoid")), loss="binary_crossentropy")
    assert errors(preflight(model, *small, **ANY_SIZE)) == ["threshold"]


@pytest.mark.parametrize(
    ("scale", "offset", "mend"),
    [(1, 0, "x / 127.5 - 1"), (1 / 255, 0, "2 * x - 255")],
)
def test_wrong_scaling_is_found_by_the_stored_statistics(scale, offset, mend, small, tiny_base):
    model, base = transfer(tiny_base(), keras.layers.Rescaling(scale, offset))
    report = preflight(compiled(model), *small, **ANY_SIZE)
    assert not any(layer.trainable for layer in base.layers)
    assert {getattr(layer, "momentum", 0.99) for layer in base.layers} == {0.99}
    found = next(found for found in report.findings if found.check == "scaling")
    assert found.severity == "error" and mend in found.what


def test_scaling_twice_is_found(small, tiny_base):
    model, _ = transfer(tiny_base())
    scaled = [(images / 127.5 - 1, labels) for images, labels in small]
    report = preflight(compiled(model), *scaled, **ANY_SIZE)
    assert "127.5 * (x + 1)" in next(f.what for f in report.findings if f.check == "scaling")


def test_wrong_scaling_is_found_where_a_layer_runs_as_a_graph(small, tiny_base):
    class Compiled(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.layers = [tiny_base()]
            self.run = tf.function(self.layers[0].call)

        def call(self, inputs, training=False):
            return self.run(inputs, training=training)

    pooling = keras.layers.GlobalAveragePooling2D()
    parts = [keras.Input((32, 32, 3)), Compiled(), pooling, keras.layers.Dense(1)]
    model = keras.Sequential(parts)
    report = preflight(compiled(model), *small, **ANY_SIZE)
    assert "x / 127.5 - 1" in next(f.what for f in report.findings if f.check == "scaling")


def test_a_base_of_known_name_is_judged_by_its_range(small):
    head = [lower_vgg16(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    model = compiled(keras.Sequential([keras.Input((32, 32, 3)), *head]))
    report = preflight(model, *small, **ANY_SIZE)
    found = next(found for found in report.findings if found.check == "scaling")
    assert "vgg16" in found.what and "preprocess_input" in found.mend


@pytest.mark.parametrize(
    ("scales", "outside", "expected"),
    [(True, False, []), (True, True, ["scaling"]), (False, False, []), (False, True, [])],
)
def test_a_base_that_scales_itself_takes_pictures_as_they_are(scales, outside, expected, small):
    scaling = keras.layers.Rescaling(1 / 127.5, -1)
    inside = [keras.Input((32, 32, 3)), *([scaling] if scales else [])]
    convolution = keras.layers.Conv2D(4, 3, strides=4)
    base = keras.Sequential([*inside, convolution], name="efficientnetv2-b0")
    base.trainable = False
    start = [keras.layers.Rescaling(1 / 127.5, -1)] if outside else []
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    model = compiled(keras.Sequential([keras.Input((32, 32, 3)), *start, base, *head]))
    report = preflight(model, *small, **ANY_SIZE)
    assert [name for name in errors(report) if name == "scaling"] == expected


def coloured(count, seed):
    """Pictures that are far redder than they are blue, and their labels."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, size=(count, 16, 16, 3)) * [0.9, 0.6, 0.3]
    return images.astype("uint8"), np.arange(count) % 2


def test_blue_and_red_swapped():
    inputs = keras.Input((16, 16, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
    normalization = keras.layers.BatchNormalization(momentum=0.0)
    values = normalization(keras.layers.Conv2D(8, 3)(scaled))
    pooled = keras.layers.GlobalAveragePooling2D()(values)
    model = compiled(keras.Model(inputs, keras.layers.Dense(1)(pooled)))
    train, validation = coloured(200, 0), coloured(60, 1)
    model(train[0].astype("float32"), training=True)  # stores the statistics of these pictures
    normalization.trainable = False
    assert "scaling" in preflight(model, train, validation, difference=0.5).passed
    swapped = [(images[..., ::-1], labels) for images, labels in (train, validation)]
    report = preflight(model, *swapped, difference=0.5)
    found = next(found for found in report.findings if found.check == "scaling")
    assert "[..., ::-1]" in found.what + found.mend


def test_fine_tuning_under_an_untrained_head(small, tiny_base):
    model, base = transfer(tiny_base())
    weights.unfreeze(base)
    report = preflight(compiled(model, optimizer=keras.optimizers.Adam(1e-5)), *small, **ANY_SIZE)
    assert faults(report) == [("untrained head", "error")]
    assert "bias is exactly zero" in report.findings[0].what


@pytest.mark.usefixtures("every_check")
def test_the_heads_rate(extracted):
    head = keras.Sequential(
        [keras.Input((1280,)), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )
    data = halves(*extracted[1:], 300)
    start = head.get_weights()
    for rate, expected in ((1e-4, []), (1e-3, []), (1e-2, []), (0.3, ["learning rate"])):
        head.set_weights(start)
        compiled(head, optimizer=keras.optimizers.Adam(rate))
        found = preflight(head, *data, **ANY_SIZE).findings
        assert [one.check for one in found] == expected, rate


def test_a_rate_that_overshoots_without_blowing_up_is_compared_with_a_tenth_of_it():
    from helpers.preflight import rates

    ends = {}

    class Test:
        """Trials that end as `ends` says for their rate."""

        def __init__(self, setup):
            pass

        def run(self, rate):
            losses = [0.7] + 8 * [ends[round(rate, 3)]]
            return rates._Trial(losses, float(np.log(2)), ends["moved"])

        def raw_pictures(self, rate, trial):
            return ""

    class Setup:
        model = compiled(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))

    Setup.model.optimizer.learning_rate = 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "_RangeTest", Test)
        # Weights that hardly moved cannot have gone too far: there is no second trial.
        for tenth, moved, expected in ((0.3, 0.06, 1), (0.5, 0.06, 0), (0.3, 0.004, 0)):
            ends |= {0.1: 0.6, 0.01: tenth, "moved": moved}
            assert len(list(rates.check_rate(Setup))) == expected


def jpeg(image, quality):
    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory))


def halved(image):
    side = len(image)
    small = Image.fromarray(image).resize((side // 2, side // 2))
    return np.asarray(small.resize((side, side)))


def test_shared_pictures_are_found_resized_and_compressed(small, tiny_base):
    (train, labels), validation = small
    model, _ = transfer(tiny_base())
    changed = [train[0], jpeg(train[1], 50), halved(train[2])]
    mixed = np.concatenate([changed, validation[0][3:]]), validation[1]
    report = preflight(compiled(model), (train, labels), mixed, **ANY_SIZE)
    assert faults(report) == [("shared pictures", "error")]
    assert "3 of 60" in report.findings[0].what and "1 of them byte" in report.findings[0].what


def test_a_dataset_that_shuffles_under_a_cut(small):
    images, labels = small[0]
    for again in (True, False):
        shuffled = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(
            200, seed=1, reshuffle_each_iteration=again
        )
        parts = shuffled.skip(60).batch(32), shuffled.take(60).batch(32)
        report = preflight(compiled(cnn()), *parts, **ANY_SIZE)
        assert ("reshuffling" in errors(report)) == again
        assert ("shared pictures" in errors(report)) == again


def test_a_bounded_look_does_not_call_shuffling_a_fault(small):
    train = tf.data.Dataset.from_tensor_slices(small[0]).shuffle(200).batch(32)
    validation = tf.data.Dataset.from_tensor_slices(small[1]).shuffle(60).batch(32)
    report = preflight(compiled(cnn()), train.repeat(), validation, pictures=50, **ANY_SIZE)
    assert "raise pictures=" in dict(report.skipped)["reshuffling"]
    assert "the first 50 of train" in report.looked_at


@pytest.mark.parametrize(
    ("labels", "loss", "outputs"),
    [
        ("one-hot", "sparse", 2),
        ("integer", "categorical", 2),
        ("one-hot", "binary", 1),
        ("integer + 1", "sparse", 2),
        ("integer + 1", "binary", 1),
    ],
)
def test_labels_that_do_not_fit(labels, loss, outputs, small, monkeypatch):
    only(monkeypatch, "labels")
    losses = {
        "sparse": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "categorical": keras.losses.CategoricalCrossentropy(from_logits=True),
        "binary": LOGITS,
    }
    forms = {
        "one-hot": lambda y: np.eye(2)[y],
        "integer": lambda y: y,
        "integer + 1": lambda y: y + 1,
    }
    data = [(images, forms[labels](truth)) for images, truth in small]
    model = compiled(cnn(outputs=outputs), loss=losses[loss])
    assert "labels" in errors(preflight(model, *data, **ANY_SIZE))
    right = [
        (images, forms["one-hot" if loss == "categorical" else "integer"](truth))
        for images, truth in small
    ]
    assert "labels" not in errors(preflight(model, *right, **ANY_SIZE))


@pytest.mark.usefixtures("every_check")
def test_a_class_that_never_comes(small):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = compiled(cnn(outputs=3), loss=loss, metrics=["accuracy"])
    report = preflight(model, *small, **ANY_SIZE)
    assert faults(report) == [("labels", "warning")] * 2
    assert "classes never come in the 200 pictures of train: 2" in report.findings[0].what


def test_validation_with_its_labels_swapped(small, tiny_base, tiny_head):
    model, _ = transfer(tiny_base())
    model.get_layer("head").set_weights(tiny_head)
    train, (images, labels) = small
    report = preflight(compiled(model), train, (images, 1 - labels), **ANY_SIZE)
    assert faults(report) == [("labels", "error")]


def test_class_orders(small):
    model = compiled(cnn())
    for other, expected in ((["dog", "cat"], ["class order"]), (["cat", "dog"], [])):
        names = (["cat", "dog"], other)
        assert errors(preflight(model, *small, class_names=names, **ANY_SIZE)) == expected
    data = [tf.data.Dataset.from_tensor_slices(part).batch(32) for part in small]
    data[0].class_names, data[1].class_names = ["cat", "dog"], ["cat", "hound"]
    report = preflight(model, *data, **ANY_SIZE)
    assert errors(report) == ["class order"] and "'hound'" in report.findings[0].what


def test_augmentation_that_is_active_in_evaluation(small):
    noise = keras.layers.Lambda(lambda x: x + 50 * keras.random.normal(keras.ops.shape(x)))
    assert "augmentation" in errors(preflight(compiled(cnn(start=[noise])), *small, **ANY_SIZE))
    noise = keras.layers.GaussianNoise(0.5)
    assert "augmentation" not in errors(preflight(compiled(cnn(start=[noise])), *small, **ANY_SIZE))


def test_validation_that_is_augmented(small):
    train, validation = (tf.data.Dataset.from_tensor_slices(part).batch(32) for part in small)
    generator = np.random.default_rng(0)

    def noisy_batches():
        for images, labels in validation.as_numpy_iterator():
            yield (images + generator.normal(size=images.shape)).astype("float32"), labels

    specs = tf.TensorSpec((None, 32, 32, 3)), tf.TensorSpec((None,), tf.int32)
    noisy = tf.data.Dataset.from_generator(noisy_batches, output_signature=specs)
    assert errors(preflight(compiled(cnn()), train, noisy, **ANY_SIZE)) == ["augmentation"]
    assert not errors(preflight(compiled(cnn()), train, validation, **ANY_SIZE))


def test_a_tiny_set_without_augmentation(small, tiny_base, tiny_head):
    tiny = small[0][0][:120], small[0][1][:120]
    for start, expected in (([], [("augmentation", "warning")]), ([keras.layers.RandomFlip()], [])):
        model, _ = fine_tuning(tiny_head, tiny_base(), start=start)
        compiled(model, optimizer=keras.optimizers.Adam(1e-4))
        assert faults(preflight(model, tiny, small[1], **ANY_SIZE)) == expected


def test_imbalance(small):
    (images, labels), validation = small
    rows = np.r_[np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)[:10]]
    report = preflight(compiled(cnn()), (images[rows], labels[rows]), validation, **ANY_SIZE)
    assert faults(report) == [("imbalance", "warning")]
    assert f"accuracy {1 - 10 / len(rows):.2f}" in report.findings[0].what


def test_validation_size_is_wilsons(small):
    from scipy.stats import binomtest

    report = preflight(compiled(cnn()), *small, sample=40, difference=0.05)
    assert faults(report) == [("validation size", "warning")]
    found = binomtest(54, 60).proportion_ci(0.95, method="wilson")
    assert f"+-{(found.high - found.low) / 2:.3f}" in report.findings[0].what
    assert "validation size" in preflight(compiled(cnn()), *small, difference=0.09).passed


# Nothing changes


@pytest.mark.usefixtures("every_check")
def test_everything_is_as_before_and_fit_gives_the_same(small):
    results = []
    for look in (False, True):
        keras.utils.set_random_seed(0)  # before the layers draw their seeds
        model = compiled(cnn(start=[keras.layers.RandomFlip(), keras.layers.Dropout(0.1)]))
        model.layers[-1].trainable = False
        random.seed(3)
        keras.utils.set_random_seed(4)
        model.fit(*small[0], batch_size=100, verbose=0)
        before = weights.snapshot(model), [np.array(v) for v in model.optimizer.variables]
        states = random.getstate(), np.random.get_state()[1].tolist()
        if look:
            preflight(model, *small, **ANY_SIZE)
        assert not weights.compare(before[0], model).moved
        for old, variable in zip(before[1], model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(old, np.array(variable))
        assert states == (random.getstate(), np.random.get_state()[1].tolist())
        assert [layer.trainable for layer in model.layers].count(False) == 1
        assert [getattr(layer, "momentum", 0) for layer in model.layers].count(0.99) == 1
        results.append(model.fit(*small[0], batch_size=50, verbose=0).history)
    assert results[0] == results[1]


@pytest.mark.usefixtures("every_check")
def test_looking_twice_says_the_same(small):
    model = compiled(cnn(), optimizer=keras.optimizers.Adam(10.0))
    reports = [repr(preflight(model, *small)) for _ in range(2)]
    assert reports[0] == reports[1] and "learning rate" in reports[0]


# The report, and what is refused


def test_a_check_that_fails_is_skipped_with_a_line_to_report(small, monkeypatch):
    def broken(setup):
        yield Finding("logits", "error", "seen", "mended")
        raise KeyError("where")

    monkeypatch.setitem(sys.modules["helpers.preflight"].CHECKS, "logits", broken)
    report = preflight(compiled(cnn()), *small, **ANY_SIZE)
    assert report.findings[0].what == "seen" and "labels" in report.passed
    reason = dict(report.skipped)["logits"]
    assert reason.startswith(UNEXPECTED) and "test_preflight.py: KeyError: 'where'" in reason
    assert "Please report" in reason


def test_the_report_reads_as_text_and_as_html():
    report = Inspection(
        (Finding("labels", "error", "<b>3</b> & more", "do\nthis"),), ("logits",), (("x", "<y>"),)
    )
    assert repr(report).startswith("Preflight: 1 error, 0 warnings, 1 checks passed, 1 skipped.")
    assert "ERROR    labels\n         <b>3</b> & more\n         Mend: do\n         this" in repr(
        report
    )
    page = report._repr_html_()
    assert "&lt;b&gt;3&lt;/b&gt; &amp; more" in page and "<b>3" not in page and "<y>" not in page


def test_what_is_refused(small):
    with pytest.raises(ValueError, match=r"not compiled. Expected: .*model.compile"):
        preflight(cnn(), *small)
    with pytest.raises(TypeError, match=r"Received: str. Expected: a compiled keras.Model"):
        preflight("model", *small)
    model = compiled(cnn())
    with pytest.raises(ValueError, match=r"an unbatched dataset .* Use `validation.batch\(32\)`"):
        preflight(model, small[0], tf.data.Dataset.from_tensor_slices(small[1]))
    with pytest.raises(ValueError, match=r"inputs of shape \(16, 16, 3\). Expected: \(32, 32, 3\)"):
        preflight(model, (small[0][0][:, ::2, ::2], small[0][1]), small[1])
    with pytest.raises(ValueError, match="Expected: one label an input"):
        preflight(model, (small[0][0], small[0][1][:5]), small[1])
    with pytest.raises(ValueError, match="train of type ndarray"):
        preflight(model, small[0][0], small[1])
