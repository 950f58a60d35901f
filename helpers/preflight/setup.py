"""What checks ask of a model: its layers, its outputs, its loss; and leaving it as it was."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.accuracy import Accuracy
from helpers.preflight.layers import last_activation, leaf_layers
from helpers.preflight.parts import fine_tuned
from helpers.preflight.report import Skip
from helpers.preflight.scans import Data, Scan

if TYPE_CHECKING:
    import keras

CROSSENTROPIES = {
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "categorical_crossentropy": "categorical",
    "categorical_focal_crossentropy": "categorical",
    "sparse_categorical_crossentropy": "sparse",
}
# Numbers that go into the model at once: 32 pictures of 224 x 224. A call costs about as much for
# few pictures as for many, so small pictures go in together.
FORWARD_NUMBERS = 32 * 224 * 224 * 3
WILD = 32


@dataclass(frozen=True)
class Options:
    """How much is looked at, and what the learner knows; see `preflight`."""

    pictures: int
    sample: int
    batch_size: int
    difference: float
    expected_accuracy: float
    seed: int


@dataclass(frozen=True)
class Loss:
    """The compiled loss: its name, its kind, and whether it takes logits."""

    name: str
    kind: str
    from_logits: bool


@dataclass(eq=False)
class Setup:
    """What goes into `fit`: a compiled model and its data, seen through once; and what is asked."""

    model: keras.Model
    train_data: Data
    validation_data: Data
    train: Scan
    validation: Scan
    options: Options

    @cached_property
    def train_outputs(self) -> np.ndarray:
        """Outputs for the sample of training pictures, `(k, outputs)`."""
        return forward(self.model, self.train.images)

    @cached_property
    def validation_outputs(self) -> np.ndarray:
        """Outputs for the sample of validation pictures, `(k, outputs)`."""
        return forward(self.model, self.validation.images)

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the model was compiled with, as Keras writes it down."""
        return self.model.get_compile_config()

    @cached_property
    def loss(self) -> Loss:
        """The compiled loss.

        Raises:
            Skip: where it is no crossentropy of Keras.
        """
        written = self.config.get("loss")
        name = written if isinstance(written, str) else None
        settings: dict[str, Any] = {}
        if isinstance(written, dict):
            name, inner = written.get("class_name"), written.get("config")
            if name == "function":
                name = inner
            settings = inner if isinstance(inner, dict) else {}
        kind = CROSSENTROPIES.get(_snake(str(name)))
        if kind is None:
            raise Skip(f"the loss {name or written} is not one of Keras's crossentropies")
        return Loss(str(name), kind, bool(settings.get("from_logits", False)))

    @cached_property
    def gives_logits(self) -> bool:
        """Whether the model's outputs are logits and not probabilities."""
        activation = last_activation(self.model)
        if activation is not None:
            return activation == "linear"
        return not _are_probabilities(self.model, self.train.images)

    @cached_property
    def classes(self) -> int:
        """How many classes the head can name; one output names two."""
        outputs = self.train_outputs.shape[-1]
        return 2 if outputs == 1 else outputs

    def accuracy(self, scan: Scan, outputs: np.ndarray) -> Accuracy:
        """How often the model is right on a sample, each output judged as what it is."""
        truth = as_classes(scan.sampled)
        if outputs.shape[-1] == 1:
            predicted = (outputs[:, 0] > (0.0 if self.gives_logits else 0.5)).astype(int)
        else:
            predicted = outputs.argmax(axis=-1)
        return Accuracy(int((predicted == truth).sum()), len(truth))

    @cached_property
    def is_trained(self) -> bool:
        """Whether the model beats always naming the largest class, on the training sample.

        The lower end of the 95 % interval must lie above that class's share.
        """
        share = np.bincount(as_classes(self.train.sampled)).max() / len(self.train.sampled)
        return self.accuracy(self.train, self.train_outputs).interval[0] > share

    @cached_property
    def has_trained(self) -> bool:
        """Whether `fit` has taken steps since the last `compile`."""
        return int(self.model.optimizer.iterations) > 0

    @cached_property
    def fine_tuned(self) -> tuple[keras.layers.Layer, ...]:
        """The layers that are pretrained and train now, without the output layer.

        The optimizer must have taken no step yet, or what it trained would pass for pretrained.
        """
        return fine_tuned(self.model)


def _snake(name: str) -> str:
    """`BinaryCrossentropy` as `binary_crossentropy`."""
    letters = [f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name)]
    return "".join(letters)


def as_classes(labels: np.ndarray) -> np.ndarray:
    """Labels, integers or one-hot, as int `(n,)`."""
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.argmax(axis=1)
    return labels.reshape(len(labels)).astype(int)


def is_one_hot(labels: np.ndarray) -> bool:
    """Whether labels come as a row of numbers each."""
    return labels.ndim == 2 and labels.shape[1] > 1


def forward(model: keras.Model, images: np.ndarray, training: bool = False) -> np.ndarray:
    """What `model` gives for inputs, in batches, as float32."""
    size = max(1, FORWARD_NUMBERS // max(1, images[0].size))
    outputs = [
        np.asarray(
            model(images[start : start + size].astype("float32"), training=training),
            dtype=np.float32,
        )
        for start in range(0, len(images), size)
    ]
    return np.concatenate(outputs)


def _are_probabilities(model: keras.Model, images: np.ndarray) -> bool:
    """Whether outputs stay within 0 to 1 (and sum to 1) whatever comes in.

    Noise of a hundred times the pictures' size is sent in, too: logits leave the range then.
    """
    noise = np.random.default_rng(0).normal(size=images[:WILD].shape)
    wild = (100 * max(float(np.abs(images).max()), 1.0) * noise).astype("float32")
    outputs = np.concatenate([forward(model, images), forward(model, wild)])
    if not np.isfinite(outputs).all() or outputs.min() < -1e-6 or outputs.max() > 1 + 1e-6:
        return False
    return outputs.shape[-1] == 1 or bool(np.allclose(outputs.sum(axis=-1), 1, atol=1e-3))


def is_pretrained(layer: keras.layers.Layer) -> bool:
    """Whether a layer's numbers have been trained or loaded.

    Biases, scales, shifts and moving statistics start as constants, in Keras and in
    `keras.applications`; where one of them is no constant any more, the layer has been trained.
    Layers without such a weight cannot be told from fresh ones. `Normalization` is not counted:
    its statistics are adapted, not trained.
    """
    import keras

    if isinstance(layer, keras.layers.Normalization):
        return False
    return any(len(weight.shape) == 1 and np.ptp(np.array(weight)) > 0 for weight in layer.weights)


def head_is_fresh(layer: keras.layers.Layer | None) -> bool:
    """Whether an output layer's bias is exactly zero: one step of training moves it."""
    bias = getattr(layer, "bias", None)
    return bias is not None and not np.any(np.array(bias))


class Original:
    """A model, its optimizer and metrics and the global random states as they are now.

    Until `restore`, weights may be trained, `trainable` and BatchNormalization's `momentum` be set.
    """

    def __init__(self, model: keras.Model) -> None:
        self.variables = [*model.variables, *model.optimizer.variables]
        self.variables += [variable for metric in model.metrics for variable in metric.variables]
        self.values = [np.array(variable) for variable in self.variables]
        self.layers = [
            (layer, layer.trainable, getattr(layer, "momentum", None))
            for layer in leaf_layers(model)
        ]
        self.states = random.getstate(), np.random.get_state()

    def restore(self) -> None:
        """Put back what has changed."""
        for variable, value in zip(self.variables, self.values, strict=True):
            if not np.array_equal(np.array(variable), value):  # reading is cheap, assigning is not
                variable.assign(value)
        for layer, trainable, momentum in self.layers:
            if layer.trainable != trainable:
                layer.trainable = trainable
            if momentum is not None:
                layer.momentum = momentum
        random.setstate(self.states[0])
        np.random.set_state(self.states[1])
