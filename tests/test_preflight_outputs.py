"""Outputs, loss, metrics and labels are judged together; sound set-ups of each kind stay quiet."""

import sys

import keras
import numpy as np
import pytest

from helpers.preflight import CHECKS, UNEXPECTED, preflight
from helpers.preflight.labels import as_classes, describe
from helpers.preflight.report import Skip

JUDGED = ("outputs", "logits", "threshold", "metrics", "labels", "layers")
losses, metrics, layers = keras.losses, keras.metrics, keras.layers


@pytest.fixture(autouse=True)
def checks(request, monkeypatch):
    """The checks of this file alone, with that of the learning rate where a test asks for it."""
    names = (*JUDGED, "learning rate") if "rate_check" in request.fixturenames else JUDGED
    chosen = {name: CHECKS[name] for name in names}
    monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", chosen)


@pytest.fixture
def rate_check():
    """For tests that need the trials of the learning rate, too."""


def pictures(labels, count=60):
    """Train and validation of pictures 8 x 8, with labels from integers of two or three classes."""
    generator = np.random.default_rng(0)
    made = labels(np.arange(count) % 2, generator)
    images = generator.integers(0, 256, (count, 8, 8, 3)).astype("uint8")
    return (images[:40], made[:40]), (images[40:], made[40:])


LABELS = {
    "0/1": lambda y, _: y,
    "column": lambda y, _: y[:, None].astype("float32"),
    "bool": lambda y, _: y.astype(bool),
    "words": lambda y, _: np.array(["cat", "dog"])[y],
    "objects": lambda y, _: np.array([b"cat", b"dog"], dtype=object)[y],
    "1 to 2": lambda y, _: y + 1,
    "-1/1": lambda y, _: 2 * y - 1,
    "gaps": lambda y, _: 5 * y,
    "one-hot": lambda y, _: np.eye(2, dtype="float32")[y],
    "smoothed": lambda y, _: np.eye(2, dtype="float32")[y] * 0.9 + 0.05,
    "smoothed numbers": lambda y, _: y * 0.9 + 0.05,
    "halves": lambda y, _: y + 0.5,
    "over 255": lambda y, _: y / 255,
    "three": lambda y, _: np.arange(len(y)) % 3,
    "one-hot of three": lambda y, _: np.eye(3, dtype="float32")[np.arange(len(y)) % 3],
    "tags": lambda y, g: np.column_stack([y, g.integers(0, 2, (len(y), 2))]).astype("float32"),
    "ignored": lambda y, _: np.where(np.arange(len(y)) % 5, y, -1),
    "quantities": lambda y, g: g.normal(size=len(y)),
}


def model(*end, outputs=1, activation=None, before=(), **dense):
    """A small network for pictures 8 x 8."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            *before,
            layers.Dense(outputs, activation=activation, **dense),
            *end,
        ]
    )


def said(net, labels, loss, metric=None, optimizer="adam"):
    """What is found, as one string, each with its check's name; no check fails in itself."""
    net.compile(optimizer, loss, metrics=metric, run_eagerly=True)
    report = preflight(net, *pictures(LABELS[labels]), difference=0.9, sample=30)
    assert UNEXPECTED not in repr(report)
    return " | ".join(f"{f.check} {f.severity}: {f.what} Mend: {f.mend}" for f in report.findings)


BINARY, LOGITS = "binary_crossentropy", losses.BinaryCrossentropy(from_logits=True)
SPARSE, CATEGORICAL = "sparse_categorical_crossentropy", "categorical_crossentropy"
SPARSE_LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)
AT_ZERO = [metrics.BinaryAccuracy(threshold=0.0)]

# Outputs, activation, labels, loss, metrics.
SOUND = {
    "one sigmoid": (1, "sigmoid", "0/1", BINARY, ["accuracy"]),
    "one sigmoid, by its short name": (1, "sigmoid", "column", "bce", ["acc"]),
    "by Keras's word for any": (1, "sigmoid", "0/1", "crossentropy", ["accuracy"]),
    "one sigmoid, true and false": (1, "sigmoid", "bool", BINARY, ["accuracy"]),
    "one logit": (1, None, "0/1", LOGITS, AT_ZERO),
    "one logit, more metrics": (
        *(1, None, "0/1", LOGITS),
        [metrics.Precision(thresholds=0.0), metrics.AUC(from_logits=True)],
    ),
    "one sigmoid, more metrics": (
        *(1, "sigmoid", "0/1", losses.BinaryCrossentropy(from_logits=False)),
        [
            *(metrics.Precision(), metrics.AUC(), metrics.F1Score(threshold=0.5)),
            *(metrics.SensitivityAtSpecificity(0.5), metrics.PrecisionAtRecall(0.5)),
            *(metrics.BinaryCrossentropy(), metrics.BinaryAccuracy(threshold=0.5)),
        ],
    ),
    "smoothing in the loss": (1, None, "0/1", losses.BinaryCrossentropy(True, 0.1), AT_ZERO),
    "smoothed by hand": (1, "sigmoid", "smoothed numbers", BINARY, ["binary_accuracy"]),
    "softmax over integers": (
        *(2, "softmax", "0/1", SPARSE),
        ["accuracy", metrics.SparseCategoricalAccuracy()],
    ),
    "logits over integers": (2, None, "column", SPARSE_LOGITS, ["accuracy"]),
    "softmax over one-hot": (2, "softmax", "one-hot", CATEGORICAL, ["accuracy"]),
    "softmax over smoothed rows": (2, "softmax", "smoothed", CATEGORICAL, ["accuracy"]),
    "precision of one-hot": (2, "softmax", "one-hot", CATEGORICAL, [metrics.Precision()]),
    "top k": (
        *(3, "softmax", "three", SPARSE),
        [metrics.SparseTopKCategoricalAccuracy(2), metrics.SparseCategoricalCrossentropy()],
    ),
    "two by softmax and the binary loss": (2, "softmax", "one-hot", BINARY, ["accuracy"]),
    "tags by sigmoids": (3, "sigmoid", "tags", BINARY, ["binary_accuracy", metrics.AUC()]),
    "tags by logits": (3, None, "tags", LOGITS, AT_ZERO),
    "one label left out": (
        *(2, None, "ignored", losses.SparseCategoricalCrossentropy(True, ignore_class=-1)),
        ["accuracy"],
    ),
    "hinge": (1, "tanh", "-1/1", "hinge", None),
    "quantities": (1, None, "quantities", "mse", ["mae"]),
    "focal": (1, None, "0/1", losses.BinaryFocalCrossentropy(from_logits=True), AT_ZERO),
    "a loss of one's own": (1, None, "0/1", lambda y, p: keras.ops.mean(p), None),
    "one of three": (
        *(3, "softmax", "one-hot of three", CATEGORICAL),
        ["accuracy", metrics.CategoricalAccuracy()],
    ),
    "logits of three": (
        *(3, None, "one-hot of three"),
        *(losses.CategoricalCrossentropy(True), ["accuracy"]),
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound(name):
    outputs, activation, labels, loss, metric = SOUND[name]
    assert said(model(outputs=outputs, activation=activation), labels, loss, metric) == ""


# A faulty set-up, and which check says which words; what its mend leads to is above.
FAULTY = {
    "softmax over one": (
        (1, "softmax", "0/1", BINARY, ["accuracy"]),
        ["outputs error", "softmax over one output", 'Dense(1, activation="sigmoid")'],
    ),
    "relu": (
        (1, "relu", "0/1", BINARY, ["accuracy"]),
        ["outputs error", "activation relu", 'Dense(1, activation="sigmoid")'],
    ),
    "relu in front of logits": (
        (1, "relu", "0/1", LOGITS, AT_ZERO),
        ["outputs error", "relu", "Dense(1), without activation"],
    ),
    "sigmoids for a distribution": (
        (2, "sigmoid", "one-hot", CATEGORICAL, ["accuracy"]),
        ["outputs error", "sigmoid for each of 2", "softmax"],
    ),
    "the categorical loss on one sigmoid": (
        (1, "sigmoid", "0/1", CATEGORICAL, ["accuracy"]),
        ["labels error", "takes one-hot ones", "(from_logits=False) for one output"],
    ),
    "binary loss for one of three": (
        (3, "sigmoid", "one-hot of three", BINARY, ["accuracy"]),
        ["outputs warning", "exactly one label of 3", "CategoricalCrossentropy()"],
    ),
    "tags under softmax": (
        (3, "softmax", "tags", CATEGORICAL, ["accuracy"]),
        ["outputs error", "have several labels", "softmax", "metrics=["],
    ),
    "tags and the categorical loss": (
        (3, "sigmoid", "tags", CATEGORICAL, ["binary_accuracy"]),
        ["outputs error", "have several labels"],
    ),
    "squares on classes": (
        (1, "sigmoid", "0/1", "mse", ["accuracy"]),
        ["outputs warning", "labels are classes", "Dense(1)", "BinaryCrossentropy(from_logits"],
    ),
    "squares on three classes": (
        (3, "softmax", "one-hot of three", "mean_squared_error", ["accuracy"]),
        ["outputs warning", "Dense(3)", "CategoricalCrossentropy(from_logits"],
    ),
    "logits and the threshold of probabilities": (
        (1, None, "0/1", LOGITS, [metrics.BinaryAccuracy()]),
        ["threshold error", "BinaryAccuracy calls outputs above 0.5", "threshold=0.0"],
    ),
    "precision of logits": (
        (1, None, "0/1", LOGITS, [metrics.Precision(), metrics.Recall()]),
        ["threshold error", "Precision, Recall", "Precision(thresholds=0.0)"],
    ),
    "area of logits": (
        (1, None, "0/1", LOGITS, ["AUC"]),
        ["threshold error", "AUC", "AUC(from_logits=True)"],
    ),
    "sensitivity of logits": (
        (1, None, "0/1", LOGITS, [metrics.SensitivityAtSpecificity(0.5)]),
        ["threshold error", "SensitivityAtSpecificity", "activation='sigmoid'"],
    ),
    "tags by logits at a half": (
        (3, None, "tags", LOGITS, ["binary_accuracy"]),
        ["threshold error", "threshold=0.0"],
    ),
    "accuracy of tags": (
        (3, "sigmoid", "tags", BINARY, ["accuracy"]),
        ["metrics warning", "goes by the largest output alone", "BinaryAccuracy(threshold=0.5)"],
    ),
    "categorical accuracy of one": (
        (1, "sigmoid", "0/1", BINARY, [metrics.CategoricalAccuracy()]),
        ["metrics error", "always right"],
    ),
    "categorical accuracy of integers": (
        (2, "softmax", "0/1", SPARSE, ["categorical_accuracy"]),
        ["metrics error", "takes one-hot labels", "SparseCategoricalAccuracy"],
    ),
    "sparse accuracy of one-hot": (
        (2, "softmax", "one-hot", CATEGORICAL, [metrics.SparseCategoricalAccuracy()]),
        ["metrics error", "takes integer labels", "keras.metrics.CategoricalAccuracy"],
    ),
    "binary accuracy of one of three": (
        (3, "softmax", "one-hot of three", CATEGORICAL, [metrics.BinaryAccuracy()]),
        ["metrics warning", "0.67", "CategoricalAccuracy"],
    ),
    "equality": (
        (1, "sigmoid", "0/1", BINARY, [metrics.Accuracy()]),
        ["metrics error", "equal the label exactly"],
    ),
    "probabilities for a loss of logits, and the metric's threshold": (
        (1, "sigmoid", "0/1", LOGITS, ["accuracy"]),
        ["logits error", "from_logits=True) and metrics=[keras.metrics.BinaryAccuracy(thresh"],
    ),
    "the same with a metric that takes probabilities only": (
        (1, "sigmoid", "0/1", LOGITS, [metrics.PrecisionAtRecall(0.5)]),
        ["logits error", "takes probabilities only", "from_logits=False in the loss"],
    ),
    "a crossentropy that takes logits": (
        (1, "sigmoid", "0/1", BINARY, [metrics.BinaryCrossentropy(from_logits=True)]),
        ["metrics error", "takes logits", "BinaryCrossentropy(from_logits=False)"],
    ),
    "words": (
        (1, "sigmoid", "words", BINARY, ["accuracy"]),
        ["labels error", "'cat', 'dog'", "np.unique"],
    ),
    "1 to n": (
        (2, "softmax", "1 to 2", SPARSE, ["accuracy"]),
        ["labels error", "from 1 to 2", "labels - 1"],
    ),
    "-1 and 1": (
        (1, "sigmoid", "-1/1", BINARY, ["accuracy"]),
        ["labels error", "from -1 to 1", "(labels + 1) // 2"],
    ),
    "gaps": (
        (2, "softmax", "gaps", SPARSE, ["accuracy"]),
        ["labels error", "from 0 to 5", "np.unique"],
    ),
    "divided with the pictures": (
        (1, "sigmoid", "over 255", BINARY, ["accuracy"]),
        ["labels warning", "no whole numbers (0 to 0.00392)"],
    ),
    "sparse loss on one output": (
        (1, "sigmoid", "0/1", SPARSE, None),
        ["labels error", "BinaryCrossentropy(from_logits=False)"],
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_faulty(name):
    (outputs, activation, labels, loss, metric), words = FAULTY[name]
    found = said(model(outputs=outputs, activation=activation), labels, loss, metric)
    assert not [word for word in words if word not in found], found


# Ends that are not written on the last Dense layer


class Own(keras.Model):
    """A model of an own class, whose end no graph tells."""

    def __init__(self, end):
        super().__init__()
        self.inner, self.end = model(), end

    def call(self, inputs, training=False):
        return self.end(self.inner(inputs, training=training))


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (keras.ops.sigmoid, ""),
        (keras.ops.relu, "relu"),
        (lambda x: keras.ops.relu(x - 1e9), "relu"),  # never active
        (keras.ops.tanh, "tanh"),
        (keras.ops.softmax, "softmax over one output"),
        (lambda x: x, "logits error"),
    ],
)
def test_the_end_of_a_model_of_an_own_class_is_measured(end, words):
    keras.utils.set_random_seed(0)
    net = Own(end)
    net(np.zeros((1, 8, 8, 3), "float32"))
    found = said(net, "0/1", BINARY)
    assert (words in found) if words else found == ""


@pytest.mark.parametrize("end", [layers.ReLU, lambda: layers.Activation("relu")])
def test_an_activation_as_a_layer_is_read(end):
    assert "activation relu" in said(model(end()), "0/1", BINARY)


@pytest.mark.usefixtures("rate_check")
def test_mixed_precision_wants_float32_outputs_and_its_rate_is_judged():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        nets = [model(activation="sigmoid"), model(activation="sigmoid", dtype="float32")]
        for net, word in zip(nets, ("float16", ""), strict=True):
            found = said(net, "0/1", BINARY, ["accuracy"])
            assert (word in found and "learning rate" not in found) if word else found == ""
            data = pictures(LABELS["0/1"])
            assert "learning rate" in preflight(net, *data, difference=0.9, sample=30).passed
    finally:
        keras.config.set_dtype_policy("float32")


# Layers


def test_layers_that_look_alike_and_are_sound():
    narrow = [layers.Dense(8, "relu"), layers.Dense(2), layers.Dense(6, "relu")]
    assert said(model(before=narrow), "0/1", LOGITS, AT_ZERO) == ""  # a bottleneck
    zeros = model(kernel_initializer="zeros")  # a head may begin so
    assert said(zeros, "0/1", LOGITS, AT_ZERO) == ""


def test_convolutions_without_activation():
    def build(activation):
        first = layers.Conv2D(3, 3, activation=activation)
        end = [layers.MaxPooling2D(), layers.Conv2D(4, 2, activation="relu"), layers.Flatten()]
        inputs = [keras.Input((8, 8, 3)), layers.Rescaling(1 / 255)]
        return keras.Sequential([*inputs, first, *end, layers.Dense(1)])

    assert "nothing but pooling" in said(build(None), "0/1", LOGITS, AT_ZERO)
    assert said(build("relu"), "0/1", LOGITS, AT_ZERO) == ""


def test_a_head_on_a_frozen_part_is_tried_on_its_features():
    """The features are what the head is given, and each step is that of the whole model."""
    from helpers.preflight import rates
    from helpers.preflight.scans import scan
    from helpers.preflight.setup import Options, Setup
    from helpers.preflight.sources import as_data

    ends = []
    for flat in (True, False):
        keras.utils.set_random_seed(0)
        net = model(before=[layers.Dense(4, activation="relu")])
        for layer in net.layers[:-1]:
            layer.trainable = False
        net.compile(keras.optimizers.Adam(0.1), LOGITS)
        data = [
            as_data(name, part, None)
            for name, part in zip(("train", "validation"), pictures(LABELS["0/1"]), strict=True)
        ]
        scans = [scan(one, 60, 20, 0, 40) for one in data]
        setup = Setup(net, *data, *scans, Options(60, 20, 8, 0.9, 0.9, 0))
        if flat:
            assert setup.runner.part == net.layers[-1:]
            np.testing.assert_allclose(
                np.asarray(net.layers[-1](setup.pool_features)),
                np.asarray(net(setup.train.pool)),
                rtol=1e-5,
            )
        else:
            setup.runner.part = []  # as where no part can be told
        ends.append(rates._RangeTest(setup).run(0.1).losses)
    np.testing.assert_allclose(*ends, rtol=1e-4)


def test_what_trains_and_cannot_be_parted_is_run_as_a_whole():
    from helpers.preflight.runs import trained_part

    net = model()
    assert trained_part(net) == []  # nothing frozen stands before it
    inputs = keras.Input((4,))
    frozen = layers.Dense(3, trainable=False)(inputs)
    joined = layers.Add()([layers.Dense(3)(frozen), frozen])
    assert trained_part(keras.Model(inputs, layers.Dense(1)(joined))) == []


def test_a_large_model_is_called_as_a_graph_where_one_can_be_made(monkeypatch):
    from helpers.preflight import runs

    class Eager(layers.Layer):
        def call(self, inputs):
            return inputs * float(inputs[0, 0] * 0 + 2)  # no number in a graph

    monkeypatch.setattr(runs, "MANY_LAYERS", 1)
    images = pictures(LABELS["0/1"])[0][0]
    for end, is_graph in (([], True), ([Eager()], False)):
        net = Own(lambda x, end=end: end[0](x) if end else x)
        net(np.zeros((1, 8, 8, 3), "float32"))
        runner = runs.Runner(net)
        np.testing.assert_allclose(runner.run(images)[0], runs.forward(net, images), rtol=1e-5)
        assert (runner._graph is not None) == is_graph


# Labels alone


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([0, 1, 2], "integers"),
        ([[0.0], [1.0]], "integers"),
        ([True, False], "integers"),
        ([[1, 0], [0, 1]], "one-hot"),
        ([[0.9, 0.1], [0.2, 0.8]], "soft"),
        ([0.05, 0.95], "soft"),
        ([[1, 1], [0, 1]], "tags"),
        ([[0.95, 0.95], [0.05, 0.95]], "tags"),
        (["cat", "dog"], "words"),
        (np.array([1, 0], dtype=object), "integers"),
        ([0.5, 1.5], "fractions"),
        ([np.nan, 1.0], "fractions"),
        ([[-1, 1], [1, 1]], "numbers"),
        (np.zeros((2, 4, 4)), "maps"),
    ],
)
def test_what_labels_are(labels, kind):
    told = describe(np.asarray(labels))
    assert told.kind == kind
    if kind in {"integers", "one-hot", "soft"}:
        assert len(as_classes(np.asarray(labels))) == len(labels)
    else:
        with pytest.raises(Skip, match="name no class for each picture"):
            as_classes(np.asarray(labels))


def test_no_class_is_numbered_below_zero_or_beyond_counting():
    for labels in ([-1, 1], [0, 10**9]):
        with pytest.raises(Skip, match="do not number classes"):
            as_classes(np.array(labels))
