"""What reaches a base, and what trains: each fault beside a sound set-up and its mend."""

import sys
from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.preflight import CHECKS, UNEXPECTED, families, fine_tuning, parts, preflight, scalings

L = keras.layers
SIDE = 32
LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)
OWN = ("BatchNormalization", "trainable", "random base", "untrained head", "scaling")


@pytest.fixture(autouse=True)
def own_checks(monkeypatch):
    """Only the checks of this room's part: they are what costs little."""
    checks = {name: CHECKS[name] for name in OWN}
    monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", checks)


def coloured(count, seed):
    """Smooth pictures, bytes; as in photographs, blue is weaker than red and has more contrast.

    Classes differ in green.
    """
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(0, 1, (count, 4, 4, 3)) * [190, 230, 210] + [40, 0, 5]
    labels = np.arange(count) % 2
    coarse[labels == 1, ..., 1] *= 0.65
    images = np.array(tf.image.resize(coarse, (SIDE, SIDE), "bicubic"))
    images[:, 0, 0], images[:, -1, -1] = 0, 255
    return np.clip(images, 0, 255).astype("uint8"), labels


@pytest.fixture(scope="module")
def data():
    return coloured(120, 0), coloured(60, 1)


def scaled(data, change):
    return tuple((change(images.astype("float32")), labels) for images, labels in data)


def trained_biases(base):
    """Biases that differ, as those of a trained layer do."""
    for layer in parts.leaf_layers(base):
        if getattr(layer, "bias", None) is not None and not hasattr(layer, "moving_mean"):
            layer.bias.assign(np.linspace(-0.1, 0.1, layer.bias.shape[0]))
    return base


@cache
def network(name):
    """A network of Keras without weights, built once."""
    build = getattr(keras.applications, name)
    return build(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))


def vgg():
    """The first blocks of a VGG, biases as of training."""
    whole = network("VGG16")
    return trained_biases(part(whole, whole.get_layer("block2_pool")))


def part(whole, last):
    """The layers up to one, with weights of their own."""
    return keras.models.clone_model(keras.Model(whole.input, last.output, name="some_base"))


def adapted(base, images, scaling):
    """Statistics of BatchNormalization as of a training on these pictures, so scaled."""
    base.trainable = True
    norms = [one for one in base.layers if isinstance(one, L.BatchNormalization)]
    momenta = [one.momentum for one in norms]
    for one in norms:
        one.momentum = 0.0
    base(scaling(images.astype("float32")), training=True)
    for one, momentum in zip(norms, momenta, strict=True):
        one.momentum = momentum
    return base


def small_base(name="tiny"):
    keras.utils.set_random_seed(0)
    parts_ = [keras.Input((SIDE, SIDE, 3))]
    for filters in (8, 16):
        parts_ += [L.Conv2D(filters, 3, strides=2, use_bias=False), L.BatchNormalization()]
        parts_ += [L.ReLU()]
    return keras.Sequential(parts_, name=name)


def tf_scaling(x):
    return x / 127.5 - 1


@pytest.fixture
def tiny(data):
    """Two convolutions whose statistics are of the pictures as -1 to 1."""
    return adapted(small_base(), data[0][0], tf_scaling)


def with_head(base, scaling=None, flat=False, head=(), frozen=True, front=()):
    """A head on a base, nested or on `base.output`, compiled for one logit."""
    keras.utils.set_random_seed(1)
    base.trainable = not frozen
    inputs = base.inputs[0] if flat else keras.Input((SIDE, SIDE, 3))
    values = inputs
    if not flat:
        for layer in front:
            values = layer(values)
        values = base(scaling(values) if scaling else values)
    else:
        values = base.outputs[0]
    values = L.GlobalAveragePooling2D()(values)
    for layer in head:
        values = layer(values)
    return compiled(keras.Model(inputs, L.Dense(1, name="head")(values)))


def compiled(model, rate=1e-4):
    model.compile(keras.optimizers.Adam(rate), LOGITS, run_eagerly=True)
    return model


def look(model, data, sample=40):
    report = preflight(model, *data, difference=0.5, sample=sample, progress=False)
    assert not [reason for _, reason in report.skipped if UNEXPECTED in reason], report
    return report


def found(model, data):
    return [one.check for one in look(model, data).findings]


def finding(model, data, check):
    return next(one for one in look(model, data).findings if one.check == check)


# Scaling by structure

VGG = keras.applications.vgg16.preprocess_input
TORCH = keras.applications.densenet.preprocess_input


def copied(function):
    return lambda x: function(x.copy())


@pytest.mark.parametrize("flat", [True, False])
def test_a_vgg_wants_caffe_whatever_its_name_and_wherever_its_head_stands(flat, data):
    model = with_head(vgg(), flat=flat)
    assert found(model, scaled(data, copied(VGG))) == []
    for change, mend in (
        (lambda x: x, "preprocess_input(x)"),
        (lambda x: x / 255, "preprocess_input(255 * x)"),
        (tf_scaling, "preprocess_input(127.5 * (x + 1))"),
    ):
        one = finding(model, scaled(data, change), "scaling")
        assert one.severity == "error" and mend in one.mend


def test_the_mend_of_a_scaling_inside_the_model_names_it(data):
    model = with_head(vgg(), scaling=lambda x: x / 255)
    one = finding(model, data, "scaling")
    assert "in place of x / 255" in one.mend and "vgg16.preprocess_input(x)" in one.mend
    assert found(with_head(vgg(), scaling=VGG), data) == []


def test_means_taken_off_in_the_order_of_red_green_blue_are_not_caffe(data):
    model = with_head(vgg())
    wrong = scaled(data, lambda x: x - scalings.CAFFE_MEAN[::-1].astype("float32"))
    assert "scaling" in found(model, wrong)


def test_blue_and_red_are_told_by_their_means(data):
    flipped = scaled(data, lambda x: x[..., ::-1])
    for flat, given in ((True, scaled(flipped, copied(VGG))), (False, flipped)):
        model = with_head(vgg(), scaling=None if flat else VGG, flat=flat)
        one = finding(model, given, "scaling")
        assert one.severity == "warning" and "[..., ::-1]" in one.mend
    # Means taken off without turning round: right for blue first, wrong for red first.
    unflipped = with_head(vgg(), scaling=lambda x: x - scalings.CAFFE_MEAN)
    assert found(unflipped, flipped) == []
    assert found(unflipped, data) == ["scaling"]


def test_pictures_of_the_sea_are_not_taken_for_swapped_ones(data):
    blue = scaled(data, lambda x: x * np.array([0.4, 0.9, 0.5], "float32") + [5, 20, 120])
    report = look(with_head(vgg(), scaling=VGG), blue)
    assert not report.findings
    assert "those of the sea" in dict(report.skipped)["scaling"]


def test_a_cast_of_light_is_not_taken_for_swapped_colours(tiny, data):
    blue = scaled(data, lambda x: x * np.array([0.65, 0.8, 1.0], "float32"))
    assert not found(with_head(vgg(), scaling=VGG), blue)  # by the means alone, it would be one
    plain = adapted(tiny, data[0][0][..., ::-1], tf_scaling)  # statistics that fit blue first
    report = look(with_head(plain, scaling=tf_scaling), data, sample=96)
    assert not report.findings and "scaling" in report.passed


def lower(name):
    """A network's first layers up to the first sum behind a product or `LayerScale`."""
    whole = network(name)
    kinds = [type(layer).__name__ for layer in whole.layers]
    product = kinds.index("LayerScale" if "LayerScale" in kinds else "Multiply")
    end = kinds.index("Add", product) if "Add" in kinds[product:] else product
    return trained_biases(part(whole, whole.layers[end]))


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNetV3Small", "ConvNeXtTiny"])
def test_bases_that_scale_pictures_themselves(name, flat, data):
    base = lower(name)
    assert "scaling" not in found(with_head(base, flat=flat), data)
    one = finding(with_head(base, flat=flat), scaled(data, lambda x: x / 255), "scaling")
    assert "scales them itself" in one.mend
    if not flat:
        one = finding(with_head(base, scaling=L.Rescaling(1 / 255)), data, "scaling")
        assert "scales them itself" in one.mend


FAMILIES = {
    "VGG16": ("VGG", "caffe"),
    "ResNet50": ("ResNet", "caffe"),
    "ResNet50V2": ("ResNetV2", "-1 to 1"),
    "DenseNet121": ("DenseNet", "torch"),
    "MobileNet": ("MobileNet", "-1 to 1"),
    "MobileNetV2": ("MobileNet", "-1 to 1"),
    "MobileNetV3Small": ("MobileNetV3", "-1 to 1"),
    "EfficientNetB0": ("EfficientNet", "torch"),
    "EfficientNetV2B0": ("EfficientNet", "torch"),
    "ConvNeXtTiny": ("ConvNeXt", "torch"),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_told_by_structure_and_heads_are_cut_off(name):
    base = network(name)
    told = families.family(parts.leaf_layers(base))
    assert (told.name, told.takes) == FAMILIES[name]
    norm = L.BatchNormalization()
    values = L.Dense(8)(L.GlobalAveragePooling2D()(norm(base.output)))
    flat = keras.Model(base.input, L.Dense(1)(values))
    divided = parts.divide(flat)
    assert norm in divided.head and len(divided.head) == 4
    weights = {id(w) for leaf in divided.base for w in leaf.weights}
    assert weights >= {id(w) for w in base.trainable_weights}


@pytest.mark.parametrize("build", [small_base, lambda: keras.Sequential([L.Conv2D(8, 3)])])
def test_a_network_of_ones_own_is_of_no_family(build):
    assert families.family(parts.leaf_layers(build())) is None


def test_a_network_that_starts_from_random_weights_may_take_any_scaling(data):
    base = vgg()
    for layer in base.layers:
        if layer.weights:
            layer.bias.assign(np.zeros(layer.filters))
    assert found(with_head(base, frozen=False), scaled(data, lambda x: x / 255)) == []


# Scaling by statistics


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    ("change", "mend"),
    [
        (lambda x: x, "x / 127.5 - 1"),
        (lambda x: x / 255, "2 * x - 1"),
        (copied(VGG), "x / 127.5 - 1, of pictures x of 0 to 255 from before their scaling"),
    ],
)
def test_the_mend_fits_statistics_from_whatever_range_came_in(change, mend, flat, tiny, data):
    model = with_head(tiny, flat=flat)
    one = finding(model, scaled(data, change), "scaling")
    assert mend in one.what and "they fit" in one.what
    assert found(model, scaled(data, tf_scaling)) == []


@pytest.mark.parametrize(("scaling", "name"), [(VGG, "vgg16"), (TORCH, "densenet")])
def test_caffe_and_torch_are_named_for_pictures_divided_by_255(scaling, name, data):
    base = adapted(small_base(), data[0][0], copied(scaling))
    one = finding(with_head(base), scaled(data, lambda x: x / 255), "scaling")
    assert f"{name}.preprocess_input(255 * x) they fit" in one.what
    assert found(with_head(base), scaled(data, copied(scaling))) == []


def test_no_scaling_is_said_to_fit_where_none_does(data):
    base = adapted(small_base(), data[0][0], lambda x: 40 * np.sin(x))
    report = look(with_head(base), data)
    assert "scaling" not in [one.check for one in report.findings]
    assert "no usual scaling does better" in dict(report.skipped)["scaling"]


def test_a_normalization_of_ones_own_in_front_of_the_base_is_no_fault(tiny, data):
    norm = L.BatchNormalization(momentum=0.0)
    model = with_head(tiny, front=[L.Rescaling(1 / 127.5, -1), norm])
    assert found(model, data) == []
    norm(tf_scaling(data[0][0].astype("float32")), training=True)  # as after a first fit
    assert found(compiled(model), data) == []


def test_wrong_scaling_is_found_where_a_layer_runs_as_a_graph(tiny, data):
    class Compiled(L.Layer):
        def __init__(self):
            super().__init__()
            self.layers = [tiny]
            self.run = tf.function(tiny.call)

        def call(self, inputs, training=False):
            return self.run(inputs, training=training)

    parts_ = [keras.Input((SIDE, SIDE, 3)), Compiled(), L.GlobalAveragePooling2D(), L.Dense(1)]
    one = finding(compiled(keras.Sequential(parts_)), data, "scaling")
    assert "x / 127.5 - 1" in one.what


# Validation


@pytest.mark.parametrize(
    ("change", "mend"),
    [(lambda x: x / 255, "255 * x"), (tf_scaling, "127.5 * (x + 1)"), (copied(VGG), "0 to 255")],
)
def test_validation_that_is_scaled_otherwise(change, mend, tiny, data):
    model = with_head(tiny, scaling=tf_scaling)
    train, validation = data[0], scaled(data, change)[1]
    one = finding(model, (train, validation), "scaling")
    assert "Validation pictures are scaled otherwise" in one.what and mend in one.mend


def test_darker_or_paler_validation_is_not_scaled_otherwise(tiny, data):
    (images, labels), validation = data
    model = with_head(tiny, scaling=lambda x: 2 * x - 1)
    train = (np.clip(images / 255 * 1.2 - 0.1, -0.1, 1.1), labels)
    assert found(model, (train, scaled((validation,), lambda x: x / 255)[0])) == []


# What trains


def test_what_trains_in_a_line(tiny):
    model = with_head(tiny)
    assert parts.what_trains(model) == "base: 0 of 10 variables, head: 2 of 2"
    tiny.trainable = True
    assert parts.what_trains(model) == "base: 6 of 10 variables, head: 2 of 2"
    model.trainable = False
    model.get_layer("head").trainable = True  # in vain: the model around it is frozen
    assert parts.what_trains(model) == "base: 0 of 10 variables, head: 0 of 2"
    head = keras.Sequential([keras.Input((4,)), L.Dense(1)])
    assert parts.what_trains(head) == "model: 2 of 2 variables"


def test_nothing_trains_though_a_layer_was_unfrozen(tiny, data):
    model = with_head(tiny, scaling=tf_scaling)
    model.trainable = False
    tiny.layers[-3].trainable = True
    one = finding(compiled(model), data, "trainable")
    assert "Nothing trains" in one.what and "in vain" in one.what


def test_a_head_that_is_frozen_untrained(tiny, data):
    model = with_head(tiny, scaling=tf_scaling, head=[L.Dense(8)])
    head = model.get_layer("head")
    head.trainable = False
    one = finding(compiled(model), data, "trainable")
    assert "'head' is frozen" in one.what
    head.trainable = True
    assert found(compiled(model), data) == []
    trained = [np.random.default_rng(0).normal(size=(8, 1)), np.ones(1)]
    head.set_weights(trained)
    head.trainable = False
    assert found(compiled(model), data) == []


def test_kernels_tell_where_there_is_nothing_else(data):
    convolutions = [L.Conv2D(8, 3, use_bias=False, strides=2) for _ in range(2)]
    base = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *convolutions])
    model = with_head(base)
    assert "random base" in found(model, data)
    for layer in convolutions:
        layer.kernel.assign(np.random.default_rng(0).standard_t(3, layer.kernel.shape) / 10)
    assert "random base" not in found(model, data)


# The head


def fine_tuned(base, **options):
    """All of the base trains but BatchNormalization."""
    model = with_head(base, scaling=tf_scaling, frozen=False, **options)
    for layer in base.layers:
        layer.trainable = not isinstance(layer, L.BatchNormalization)
    return compiled(model)


def test_a_head_of_several_layers_counts_as_the_learners(tiny, data):
    """Its hidden layer has been trained, and is no pretrained layer that trains."""
    hidden = L.Dense(8, activation="relu")
    model = with_head(tiny, scaling=tf_scaling, head=[hidden])
    hidden.bias.assign(np.linspace(-1, 1, 8))
    assert found(model, data) == []
    assert fine_tuning.fine_tuned(model) == ()


def weak_head(model, data, strength):
    """A head that is right about more pictures than not, and sure of none."""
    head = model.get_layer("head")
    features = keras.Model(model.input, head.input).predict(data[0][0], verbose=0)
    spread = features - features.mean(axis=0)
    kernel = spread[data[0][1] == 1].mean(axis=0)[:, None]
    kernel *= strength / (spread @ kernel).std()
    head.set_weights([kernel, -features.mean(axis=0) @ kernel + 1e-3])


def test_a_head_that_knows_a_little_is_not_said_to_know_nothing(tiny, data):
    model = fine_tuned(tiny)
    weak_head(model, data, 0.1)
    assert found(model, data) == []


def test_a_head_that_was_trained_on_nothing_is_found_by_its_loss(tiny, data):
    model = fine_tuned(tiny)
    kernel = np.zeros((16, 1))
    model.get_layer("head").set_weights([kernel, np.full(1, 0.3)])
    assert "knows nothing" in finding(model, data, "untrained head").what


def test_labels_that_are_no_classes_do_not_hide_a_fresh_head(tiny, data, monkeypatch):
    from helpers.preflight.report import Skip

    def no_classes(*_):
        raise Skip("several tags a picture")

    monkeypatch.setattr(fine_tuning, "_judged", no_classes)
    model = fine_tuned(tiny)
    assert "never trained" in finding(model, data, "untrained head").what
    weak_head(model, data, 0.5)
    assert "several tags" in dict(look(model, data).skipped)["untrained head"]


# BatchNormalization


@pytest.mark.parametrize("flat", [True, False])
def test_batch_normalization_of_the_head_is_the_learners(flat, tiny, data):
    tiny.trainable = False
    norm = L.BatchNormalization(momentum=0.0)
    inputs = tiny.inputs[0] if flat else keras.Input((SIDE, SIDE, 3))
    maps = norm(tiny.outputs[0] if flat else tiny(inputs))
    model = keras.Model(inputs, L.Dense(1)(L.GlobalAveragePooling2D()(maps)))
    given = scaled(data, tf_scaling)
    model(given[0][0], training=True)  # its statistics are of training now
    assert found(compiled(model), given) == []
    tiny.trainable = True
    if not flat:
        assert "2 of 2" in finding(compiled(model), given, "BatchNormalization").what


def test_a_network_of_ones_own_that_trains_on_is_not_said_to_be_pretrained(data):
    own = small_base()
    model = with_head(own, flat=True, frozen=False)
    given = scaled(data, tf_scaling)
    adapted(own, data[0][0], tf_scaling)
    weak_head(model, given, 1.0)
    report = look(model, given)
    assert not report.findings
    assert "train on" in dict(report.skipped)["BatchNormalization"]


@pytest.mark.parametrize(
    ("prepared", "name"),
    [
        (lambda caffe, x: caffe(caffe(x)), "caffe, twice"),
        (lambda caffe, x: caffe(x / 255), "caffe, of 0 to 1"),
        (lambda caffe, x: caffe(x / 127.5 - 1), "caffe, of -1 to 1"),
        (lambda caffe, x: caffe(x), "caffe"),
    ],
)
def test_means_taken_off_from_what_was_scaled_before_are_told(prepared, name):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3)).astype("float32")
    found = scalings.scaled_as(prepared(keras.applications.vgg16.preprocess_input, pixels))
    assert found is not None and found.name == name
