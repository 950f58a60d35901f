"""What checks ask of a model: its layers, its outputs, its loss; and leaving it as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.preflight.accuracy import Accuracy
from helpers.preflight.labels import Labels, as_classes, describe
from helpers.preflight.layers import ending, leaf_layers
from helpers.preflight.parts import fine_tuned
from helpers.preflight.report import Finding, Skip
from helpers.preflight.runs import Runner, forward
from helpers.preflight.scans import Scan
from helpers.preflight.sources import Data

if TYPE_CHECKING:
    import keras

LOSSES = {
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "categorical_crossentropy": "categorical",
    "categorical_focal_crossentropy": "categorical",
    "sparse_categorical_crossentropy": "sparse",
    "mean_squared_error": "regression",
    "mean_absolute_error": "regression",
    "mean_absolute_percentage_error": "regression",
    "mean_squared_logarithmic_error": "regression",
    "huber": "regression",
    "log_cosh": "regression",
    "hinge": "hinge",
    "squared_hinge": "hinge",
    "categorical_hinge": "hinge",
}
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
    """The compiled loss.

    Attributes:
        name: of its function or its class.
        kind: `"binary"`, `"categorical"` or `"sparse"` for the crossentropies, `"regression"`,
            `"hinge"`.
        from_logits: whether it takes logits.
        call: from labels and outputs to the loss.
        ignored: a label that it leaves out, None where it counts all.
    """

    name: str
    kind: str
    from_logits: bool
    call: Any
    ignored: int | None = None

    @property
    def is_crossentropy(self) -> bool:
        """Whether outputs are probabilities, or logits of some."""
        return self.kind in {"binary", "categorical", "sparse"}


@dataclass(eq=False)
class Setup:
    """What goes into `fit`: a compiled model and its data, seen through once; and what is asked."""

    model: keras.Model
    train_data: Data
    validation_data: Data
    train: Scan
    validation: Scan
    options: Options
    # What data brought in a second pass, by their name; see `order`.
    second_passes: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    # What the checks before this one have found.
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def runner(self) -> Runner:
        """Sends pictures through the model in inference mode."""
        return Runner(self.model)

    @cached_property
    def _seen(self) -> tuple[np.ndarray, np.ndarray | None]:
        return self.runner.run(self.train.images)

    @property
    def raw_outputs(self) -> np.ndarray:
        """Outputs for the sample of training pictures, `(k, ...)`."""
        return self._seen[0]

    @cached_property
    def _pool(self) -> tuple[np.ndarray, np.ndarray | None]:
        rest = self.train.pool[len(self.train.images) :]
        (outputs, features), more = self._seen, self.runner.run(rest) if len(rest) else None
        if more is None:
            return outputs, features
        both = None if features is None or more[1] is None else np.concatenate([features, more[1]])
        return np.concatenate([outputs, more[0]]), both

    @property
    def pool_outputs(self) -> np.ndarray:
        """Outputs for the pool of training pictures, `(p, outputs)`.

        Raises:
            Skip: where the model gives no vector a picture.
        """
        return _vectors(self._pool[0])

    @property
    def pool_features(self) -> np.ndarray | None:
        """What the part that trains is given for the pool; None where no part can be told."""
        return None if self._seen[1] is None else self._pool[1]

    @cached_property
    def output_dtype(self) -> str:
        """The dtype of the outputs, as Keras names it."""
        return self.runner.dtype_of(self.train.images[:1])

    @cached_property
    def train_outputs(self) -> np.ndarray:
        """Outputs for the sample of training pictures, `(k, outputs)`.

        Raises:
            Skip: where the model gives no vector a picture.
        """
        return _vectors(self.raw_outputs)

    @cached_property
    def validation_outputs(self) -> np.ndarray:
        """Outputs for the sample of validation pictures, `(k, outputs)`.

        Raises:
            Skip: where the model gives no vector a picture.
        """
        return _vectors(self._validated[0])

    @cached_property
    def _validated(self) -> tuple[np.ndarray, np.ndarray | None]:
        return self.runner.run(self.validation.images)

    @property
    def validation_features(self) -> np.ndarray | None:
        """What the part that trains is given for the sample of validation, None as for the pool."""
        return self._validated[1]

    @cached_property
    def labels(self) -> tuple[Labels, Labels]:
        """What the labels of train and of validation are."""
        return describe(self.train.labels), describe(self.validation.labels)

    @property
    def has_tags(self) -> bool:
        """Whether a picture may have several labels, or none."""
        return any(labels.kind == "tags" for labels in self.labels)

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the model was compiled with, as Keras writes it down."""
        return self.model.get_compile_config()

    @cached_property
    def loss(self) -> Loss:
        """The compiled loss.

        Raises:
            Skip: where it is none of Keras's that are known here.
        """
        given, name = self.model.loss, None
        while isinstance(given, (dict, list, tuple)) and len(given) == 1:  # for the one output
            given = next(iter(given.values() if isinstance(given, dict) else given))
        if given is None:
            raise Skip("the model was compiled without a loss")
        try:
            loss = self._resolved(given) if isinstance(given, str) else given
            name = next(name for name in _names(loss) if _plain(name) in _KINDS)
        except (StopIteration, ValueError, TypeError):
            known = name or getattr(given, "__name__", None) or given
            raise Skip(f"the loss {known} is not one of Keras's crossentropies") from None
        from_logits = bool(getattr(loss, "from_logits", False))
        ignored = getattr(loss, "ignore_class", None)
        return Loss(name, _KINDS[_plain(name)], from_logits, loss, ignored)

    def _resolved(self, name: str) -> Any:
        """The loss of that name; `"crossentropy"` stands for one that fits the shapes."""
        import keras

        if name.lower() in {"crossentropy", "ce"}:
            name = self.by_shape("binary", "categorical", "sparse_categorical") + "_crossentropy"
        return keras.losses.get(name)

    def by_shape(self, binary: str, categorical: str, sparse: str) -> str:
        """What Keras takes a word such as `"accuracy"` for, by the shapes of outputs and labels."""
        shape = self.labels[0].shape
        if self.train_outputs.shape[-1] == 1:
            return binary
        return categorical if len(shape) > 1 and shape[-1] > 1 else sparse

    @cached_property
    def end(self) -> str:
        """The activation of the outputs, as written or, where none can be read, as measured."""
        return written_end(self.model) or _measured_end(self.model, self.train.images)

    @cached_property
    def gives_logits(self) -> bool:
        """Whether the model's outputs are logits and not probabilities."""
        return self.end not in {"sigmoid", "softmax"}

    @cached_property
    def classes(self) -> int:
        """How many classes the head can name; one output names two."""
        outputs = self.train_outputs.shape[-1]
        return 2 if outputs == 1 else outputs

    def accuracy(self, scan: Scan, outputs: np.ndarray) -> Accuracy:
        """How often the model is right on a sample, each output judged as what it is.

        Raises:
            Skip: where the labels name no class each, or one that the head does not know.
        """
        truth = self.truth(scan.sampled)
        if outputs.shape[-1] == 1:
            predicted = (outputs[:, 0] > (0.0 if self.gives_logits else 0.5)).astype(int)
        else:
            predicted = outputs.argmax(axis=-1)
        return Accuracy(int((predicted == truth).sum()), len(truth))

    def truth(self, labels: np.ndarray) -> np.ndarray:
        """The classes of labels as int `(n,)`, all of which the head knows.

        Raises:
            Skip: where they name no class each, or one that the head does not know.
        """
        if self.has_tags:
            raise Skip(
                "the labels name no class for each picture: some have several labels, or none"
            )
        truth = as_classes(labels)
        if len(truth) and truth.max() >= self.classes:
            raise Skip(
                f"not judged because of 'labels': they go up to {truth.max()}, and the head knows "
                f"0 to {self.classes - 1}"
            )
        return truth

    @cached_property
    def is_trained(self) -> bool:
        """Whether the model beats always naming the largest class, on the training sample.

        The lower end of the 95 % interval must lie above that class's share.
        """
        share = np.bincount(self.truth(self.train.sampled)).max() / len(self.train.sampled)
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


def _plain(name: str) -> str:
    """`BinaryCrossentropy` and `binary_crossentropy` as `binarycrossentropy`."""
    return name.replace("_", "").lower()


_KINDS = {_plain(name): kind for name, kind in LOSSES.items()}


def _names(loss: Any) -> Iterator[str]:
    """The name of a function, or those of a class and of the classes that it extends."""
    if isinstance(loss, type) or not hasattr(loss, "__name__"):
        kind = loss if isinstance(loss, type) else type(loss)
        yield from (one.__name__ for one in kind.__mro__)
    else:
        yield loss.__name__


def _vectors(outputs: np.ndarray) -> np.ndarray:
    """Outputs as `(k, outputs)`.

    Raises:
        Skip: where they are no vectors.
    """
    if outputs.ndim == 1:
        return outputs[:, None]
    if outputs.ndim != 2:
        raise Skip(f"not judged because of 'outputs': they are no vectors, but {outputs.shape[1:]}")
    return outputs


# What stands at the end of a model, by the name of an activation, a layer or an operation.
ENDS = (
    *("sigmoid", "softmax", "linear", "relu", "relu6", "leaky_relu", "tanh", "hard_tanh"),
    *("elu", "selu", "gelu", "silu", "swish", "mish", "softplus", "exponential"),
)
_ENDS = {_plain(name): name for name in ENDS}


def written_end(model: keras.Model) -> str | None:
    """The last activation where the model's end says it, one of `ENDS`, else None."""
    layer, name = ending(model)
    if name is not None or layer is None:
        return name
    written = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__)
    return _ENDS.get(_plain(written))


def _measured_end(model: keras.Model, images: np.ndarray) -> str:
    """`"sigmoid"`, `"softmax"`, `"tanh"`, `"relu"` or `"linear"`, by what outputs do.

    Noise of a hundred times the pictures' size is sent in, too, and so are the pictures times -100:
    what no activation holds in a range leaves it then.
    """
    noise = np.random.default_rng(0).normal(size=images[:WILD].shape)
    noise = np.concatenate([max(float(np.abs(images).max()), 1.0) * noise, -images[:WILD] * 1.0])
    wild = (100 * noise).astype("float32")
    outputs = np.concatenate([forward(model, images), forward(model, wild)])
    low, high = outputs.min(), outputs.max()
    if not np.isfinite(outputs).all() or low < -1 - 1e-6:
        return "linear"
    if low < -1e-6:
        return "tanh" if high <= 1 + 1e-6 and np.abs(outputs).max() > 0.99 else "linear"
    if high > 1 + 1e-6 or high == low == 0:
        return "relu" if (outputs == 0).any() else "linear"
    sums = outputs.sum(axis=-1)
    together = outputs.shape[-1] > 1 or np.ptp(outputs) == 0
    return "softmax" if together and np.allclose(sums, 1, atol=1e-3) else "sigmoid"


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
