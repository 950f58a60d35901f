"""The fine-tuning panel of lesson 4: how deep, how fast, under which head."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from helpers.panels.blocks import UNFREEZING, Blocks, blocks
from helpers.panels.board import Board
from helpers.panels.knobs import FINE_TUNING, FRESH, IN_TRAINING, TRAINED, controls
from helpers.panels.strip import COUNT, Strip

if TYPE_CHECKING:
    import keras

    from helpers.panels.runs import Settings
    from helpers.training import Epoch, Trainer

BATCH_NORMALIZATION_KEPT = """\
for layer in base.layers[{first}:]:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False
"""
KEPT = 3  # tops, each with a base of its own
CODE = """\
import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from helpers import bases

keras.utils.set_random_seed({seed})
base = bases.load("{base}")
at_cut = base.get_layer("{cut}").output
below = keras.Sequential(
    [
        keras.Input(shape=base.input_shape[1:]),
        bases.find("{base}").scaling(),
        keras.Model(base.input, at_cut),
    ]
)
upper = keras.Model(at_cut, base.output)
pooled = keras.Sequential(
    [keras.Input(shape=at_cut.shape[1:]), upper, keras.layers.GlobalAveragePooling2D()]
)
head = keras.layers.Dense({outputs})
above = keras.Sequential([keras.Input(shape=at_cut.shape[1:]), pooled, head])

train_at_cut = below.predict({names[0]}, verbose=0)
validation_at_cut = below.predict({names[2]}, verbose=0)
{head}
upper.trainable = True
for layer in upper.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = {normalization}
above.compile(
    optimizer=keras.optimizers.Adam(learning_rate={learning_rate!r}),
    loss=keras.losses.{loss}(from_logits=True),
    metrics=[{metric}],
)
generator = np.random.default_rng({seed})
for epoch in range({epochs}):
    order = generator.permutation(len({names[1]}))
    history = above.fit(
        train_at_cut[order],
        {names[1]}[order],
        batch_size={batch_size},
        shuffle=False,
        validation_data=(validation_at_cut, {names[3]}),
        verbose=2,
    )
"""
TRAINED_HEAD = """\
regression = LogisticRegression(C=0.01, max_iter=1000)
regression.fit(pooled.predict(train_at_cut, verbose=0), {names[1]})
head.set_weights([regression.coef_.T, regression.intercept_])
"""
NAMES = ("train.images", "train.labels", "validation.images", "validation.labels")


def fine_tuning_panel(
    base: str,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    depth: int = 9,
    rate: float = 1e-4,
    names: tuple[str, str, str, str] = NAMES,
) -> Board:
    """Turn the knobs of fine-tuning, train, stop, and compare.

    Args:
        base: a name of `bases.BASES`.
        train, validation: pictures, uint8 `(n, size, size, 3)`, and labels.
        depth: where the slider stands at first: how many cuts from the end of the base.
        rate: the learning rate at first.
        names: what the learner's notebook calls the four arrays, for the code that is shown.
    """
    tops = Tops(base, train, validation)
    depths = {"value": depth, "high": len(tops.cuts) - 1}
    knobs = controls(FINE_TUNING, depth=depths, learning_rate={"value": rate})
    network = Blocks(tops.blocks, lambda depth: knobs["depth"].set_trait("value", depth))
    counted = widgets.HTML()
    strip = Strip(*validation)

    def show_depth(change: Any = None) -> None:
        depth = knobs["depth"].value
        network.show(depth)
        counted.value = tops.describe(depth, knobs["BatchNormalization"].value)

    def start(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
        return tops.start(settings, stop, strip)

    for name in ("depth", "BatchNormalization"):
        knobs[name].observe(show_depth, "value")
    show_depth()

    def code(settings: Settings) -> str:
        return fine_tuning_code(settings, tops, names)

    about = {"network": network, "counted": counted, "strip": strip}
    return Board("Fine-tune", knobs, start, code, len(validation[1]), **about)


@dataclass
class Top:
    """A base cut in two: its lower part, and a trainer of the upper part under a head."""

    below: keras.Model
    pooled: keras.Model
    trainer: Trainer
    beginning: list[np.ndarray]


class Tops:
    """The tops of a base, each built and traced at its first use and used again."""

    def __init__(
        self,
        base: str,
        train: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray],
    ) -> None:
        from helpers import bases

        self.base, self.train, self.validation = base, train, validation
        self._shown = bases.load(base, weights=None)
        self.cuts = bases.cuts(self._shown)
        self.blocks = blocks(self._shown, self.cuts)
        self.classes = int(train[1].max()) + 1
        self.outputs = 1 if self.classes == 2 else self.classes
        self._tops: dict[tuple[int, str], Top] = {}

    def cut(self, depth: int) -> str:
        """The layer behind which training begins."""
        return self.cuts[-1 - depth]

    def describe(self, depth: int, normalization: str) -> str:
        """Where training begins, what trains, and the Keras code for it."""
        from helpers import weights

        names = [layer.name for layer in self._shown.layers]
        first = names.index(self.cut(depth)) + 1
        self._shown.trainable = True
        for index, layer in enumerate(self._shown.layers):
            layer.trainable = index >= first and trains(layer, normalization)
        counts = weights.count(self._shown)
        kept = "" if normalization == IN_TRAINING else BATCH_NORMALIZATION_KEPT
        return (
            f"Behind <code>{self.cut(depth)}</code>: {counts.trainable:,} of "
            f"{counts.total:,} parameters of the base train (orange), the others are frozen (blue)."
            f"<pre>{(UNFREEZING + kept).format(first=first)}</pre>"
        )

    def start(self, settings: Settings, stop: Callable[[], bool], strip: Strip) -> Iterator[Epoch]:
        """Extract up to the cut, set the head, fine-tune: as `Runs` wants it."""
        from helpers.training import Stopped

        try:
            top = self._top(settings["depth"], settings["BatchNormalization"])
            at_cut = self._extract(top.below, self.train[0], stop)
            validation = self._extract(top.below, self.validation[0], stop), self.validation[1]
            values = self._values(top, settings, at_cut)
        except Stopped:
            return
        top.trainer.restart(values, settings["learning_rate"])
        options = {name: settings[name] for name in ("batch_size", "seed")}
        epochs = top.trainer.epochs(
            at_cut,
            self.train[1],
            settings["epochs"],
            validation=validation,
            stop=stop,
            **options,
        )
        few = validation[0][:COUNT]
        yield from strip.watch(epochs, lambda: top.trainer.model(few))

    def _extract(
        self, below: keras.Model, images: np.ndarray, stop: Callable[[], bool]
    ) -> np.ndarray:
        """Activations at the cut, from disk where they are kept."""
        from helpers import features
        from helpers.training import Stopped

        def ask(done: float, total: int) -> None:
            if stop():
                raise Stopped

        return features.extract(below, images, quiet=True, on_progress=ask)

    def _values(self, top: Top, settings: Settings, at_cut: np.ndarray) -> list[np.ndarray]:
        """The variables' values to begin with: the base's own, and the head's as was asked."""
        from helpers import training

        if settings["head"] == FRESH:
            return [*top.beginning[:-2], *fresh_head(top, settings["seed"])]
        for variable, value in zip(top.trainer.model.variables, top.beginning, strict=True):
            variable.assign(value)
        pooled = top.pooled.predict(at_cut, verbose=0)
        head = training.reference_head(pooled, self.train[1])
        return [*top.beginning[:-2], *head.get_weights()]

    def _top(self, depth: int, normalization: str) -> Top:
        """The two parts for a depth, built where they are not there yet."""
        if (depth, normalization) not in self._tops:
            while len(self._tops) >= KEPT:
                self._tops.pop(next(iter(self._tops)))
            self._tops[depth, normalization] = self._build(depth, normalization)
        return self._tops[depth, normalization]

    def _build(self, depth: int, normalization: str) -> Top:
        import keras

        from helpers import bases, training

        base = bases.load(self.base)
        end = base.get_layer(self.cut(depth)).output
        lower = [bases.find(self.base).scaling(), keras.Model(base.input, end)]
        below = keras.Sequential([keras.Input(base.input_shape[1:]), *lower])
        upper = keras.Model(end, base.output)
        upper.trainable = True
        for layer in upper.layers:
            layer.trainable = trains(layer, normalization)
        pooling = keras.layers.GlobalAveragePooling2D()
        pooled = keras.Sequential([keras.Input(end.shape[1:]), upper, pooling])
        seeded = keras.initializers.GlorotUniform(seed=0)  # no draw from the notebook's chances
        head = keras.layers.Dense(self.outputs, kernel_initializer=seeded)
        above = keras.Sequential([keras.Input(end.shape[1:]), pooled, head])
        trainer = training.Trainer(above, keras.optimizers.Adam())
        return Top(below, pooled, trainer, [variable.numpy() for variable in above.variables])


def trains(layer: keras.layers.Layer, normalization: str) -> bool:
    """Whether a layer behind the cut is to train."""
    import keras

    return normalization == IN_TRAINING or not isinstance(layer, keras.layers.BatchNormalization)


def fresh_head(top: Top, seed: int) -> list[np.ndarray]:
    """Random weights of a head."""
    import keras

    kernel, bias = top.beginning[-2:]
    initializer = keras.initializers.GlorotUniform(seed=seed)
    return [np.asarray(initializer(kernel.shape)), np.zeros_like(bias)]


def fine_tuning_code(settings: Settings, tops: Tops, names: tuple[str, ...]) -> str:
    """Plain Keras code that does what a run with these settings does."""
    binary = tops.classes == 2
    fresh = (
        f"kernel = keras.initializers.GlorotUniform(seed={settings['seed']})(head.kernel.shape)\n"
        f"head.set_weights([kernel, np.zeros(head.bias.shape)])\n"
    )
    values = settings | {
        "base": tops.base,
        "cut": tops.cut(settings["depth"]),
        "outputs": tops.outputs,
        "names": names,
        "head": TRAINED_HEAD.format(names=names) if settings["head"] == TRAINED else fresh,
        "normalization": settings["BatchNormalization"] == IN_TRAINING,
        "loss": "BinaryCrossentropy" if binary else "SparseCategoricalCrossentropy",
        "metric": (
            'keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")'
            if binary
            else 'keras.metrics.SparseCategoricalAccuracy(name="accuracy")'
        ),
    }
    return CODE.format(**values)
