"""The training panel of lesson 5: a head on features."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from helpers.chance import seeded
from helpers.panels.board import Board
from helpers.panels.knobs import HEAD, controls
from helpers.panels.strip import COUNT, Strip

if TYPE_CHECKING:
    import keras

    from helpers.panels.runs import Settings
    from helpers.training import Epoch, Trainer

CODE = """\
import keras
import numpy as np

keras.utils.set_random_seed({seed})
head = keras.Sequential(
    [
        keras.Input(shape={names[0]}.shape[-1:]),
        keras.layers.Dropout(rate={dropout}),
        keras.layers.Dense({outputs}),
    ]
)
head.compile(
    optimizer=keras.optimizers.{optimizer}(learning_rate={learning_rate!r}),
    loss=keras.losses.{loss}(from_logits=True),
    metrics=[{metric}],
)
generator = np.random.default_rng({seed})
for epoch in range({epochs}):
    order = generator.permutation(len({names[1]}))
{pick}    history = head.fit(
        {names[0]}[{rows}],
        {names[1]}[order],
        batch_size={batch_size},
        shuffle=False,
        validation_data=({names[2]}, {names[3]}),
        verbose=2,
    )
"""
NAMES = ("train_features", "train_labels", "validation_features", "validation_labels")


def training_panel(
    features: np.ndarray,
    labels: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    names: tuple[str, str, str, str] = NAMES,
    images: np.ndarray | None = None,
) -> Board:
    """Turn the knobs of a head's training, train, stop, and compare.

    Args:
        features: `(n, channels)`, or `(n, views, channels)`, of which a slider chooses how many.
        labels: int `(n,)`.
        validation: features without views, and labels.
        names: what the learner's notebook calls these four arrays, for the code that is shown.
        images: the validation pictures, uint8 `(n, height, width, 3)`, of which nine are shown
            with what each epoch makes of them.
    """
    strip = None if images is None else Strip(images, validation[1])
    classes = int(labels.max()) + 1
    views = features.shape[1] if features.ndim == 3 else 1
    heads = Heads(features.shape[-1], 1 if classes == 2 else classes)

    def start(settings: Settings, stop: Callable[[], bool]) -> Iterator[Epoch]:
        chosen = features[:, : settings["views"]] if views > 1 else features
        with heads.lock:
            trainer = heads.trainer(settings)
            epochs = trainer.epochs(
                chosen,
                labels,
                settings["epochs"],
                validation=validation,
                batch_size=settings["batch_size"],
                seed=settings["seed"],
                stop=stop,
            )
            few = validation[0][:COUNT]
            yield from strip.watch(epochs, lambda: trainer.model(few)) if strip else epochs

    def code(settings: Settings) -> str:
        return head_code(settings, classes, views, names)

    knobs = controls(HEAD, views={"high": views})
    knobs["views"].disabled = views == 1
    return Board("Train a head", knobs, start, code, len(validation[1]), strip=strip)


class Heads:
    """Heads whose graphs are traced once per optimizer and dropout, and used again."""

    def __init__(self, channels: int, outputs: int) -> None:
        self.channels, self.outputs = channels, outputs
        self.lock = threading.Lock()
        self._traced: dict[tuple[str, float], Trainer] = {}
        self._beginnings: dict[tuple[float, int], list[np.ndarray]] = {}

    def build(self, dropout: float, seed: int) -> keras.Model:
        """A new head, as the code that is shown builds it."""
        import keras

        with seeded(seed):  # all of `set_random_seed` that Keras draws from here
            return keras.Sequential(
                [
                    keras.Input(shape=(self.channels,)),
                    keras.layers.Dropout(rate=dropout),
                    keras.layers.Dense(self.outputs),
                ]
            )

    def trainer(self, settings: Settings) -> Trainer:
        """A trainer for these settings, at its beginning."""
        import keras

        from helpers.training import Trainer

        dropout, seed, rate = settings["dropout"], settings["seed"], settings["learning_rate"]
        if (dropout, seed) not in self._beginnings:
            fresh = self.build(dropout, seed)
            self._beginnings[dropout, seed] = [variable.numpy() for variable in fresh.variables]
        make = settings["optimizer"], dropout
        if make not in self._traced:
            optimizer = getattr(keras.optimizers, make[0])(rate)
            self._traced[make] = Trainer(self.build(dropout, seed), optimizer)
        self._traced[make].restart(self._beginnings[dropout, seed], rate)
        return self._traced[make]


def head_code(settings: Settings, classes: int, views: int, names: tuple[str, ...]) -> str:
    """Plain Keras code that does what a run with these settings does."""
    binary = classes == 2
    values = settings | {
        "names": names,
        "outputs": 1 if binary else classes,
        "loss": "BinaryCrossentropy" if binary else "SparseCategoricalCrossentropy",
        "metric": (
            'keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")'
            if binary
            else 'keras.metrics.SparseCategoricalAccuracy(name="accuracy")'
        ),
        "rows": "order" if views == 1 else "order, views[order]",
        "pick": (
            ""
            if views == 1
            else f"    views = generator.integers({settings['views']}, size=len(order))\n"
        ),
    }
    return CODE.format(**values)
