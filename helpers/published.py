"""The model that both texts build, trained and fine-tuned quickly where a learner has not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.files import write_whole

if TYPE_CHECKING:
    import keras

    from helpers.recipes import Recipe

MODEL, HISTORY = "frozen.keras", "frozen.json"
TUNED, TUNED_EPOCHS = "tuned.keras", 5


def build(base: keras.Model, rotation: float, outputs: int = 1) -> keras.Model:
    """The published model, as lesson 3 puts it together: pictures of 0 to 255 to logits.

    Args:
        base: without its top, for pixels of -1 to 1; it is frozen here.
        rotation: the share of a full turn that augmentation turns a picture by at most.
        outputs: 1 for two classes, else one a class.
    """
    import keras

    base.trainable = False
    inputs = keras.Input(base.input_shape[1:])
    x = keras.layers.RandomFlip("horizontal")(inputs)
    x = keras.layers.RandomRotation(rotation)(x)
    x = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(x)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    return keras.Model(inputs, keras.layers.Dense(outputs)(x))


def frozen_model(recipe: Recipe) -> Path:
    """The file of lesson 3's model with its trained head; made here where it is not there.

    It is made as lesson 5 does it: the frozen part runs once, without augmentation, and the head
    trains on what comes out. Beside it lies `frozen.json`, Keras's `history.history`.
    """
    path = recipe.models / MODEL
    if not (path.is_file() and (recipe.models / HISTORY).is_file()):
        model, history = _train(recipe)
        beside = path.with_name(f".{MODEL}")
        model.save(beside.with_suffix(".keras"))
        write_whole(recipe.models / HISTORY, json.dumps(history))
        beside.with_suffix(".keras").replace(path)
    return path


def _train(recipe: Recipe) -> tuple[keras.Model, dict[str, list[float]]]:
    """The published model with a head that was trained on features, and how it went."""
    import keras

    from helpers import bases, features, pictures, training

    data = pictures.load(recipe.pictures, recipe.side, quiet=True)
    base = bases.load(recipe.base, recipe.weights and "pretrained", recipe.side)
    outputs = 1 if len(data.class_names) == 2 else len(data.class_names)
    model = build(base, recipe.rotation, outputs)
    extractor = keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            bases.find(recipe.base).scaling(),
            base,
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    tables = [features.extract(extractor, part.images) for part in (data.train, data.validation)]
    head = keras.Sequential([keras.Input(tables[0].shape[1:]), *model.layers[-2:]])
    epochs = training.train(
        head,
        tables[0],
        data.train.labels,
        optimizer=keras.optimizers.Adam(recipe.head_rate),
        epochs=recipe.head_epochs,
        validation=(tables[1], data.validation.labels),
    )
    return model, training.history(epochs)


def tuned_model(recipe: Recipe) -> Path:
    """The file of lesson 3's model, fine-tuned as in lesson 5; made here where it is not there.

    It is made anew, too, where lesson 3's model has become another since.
    """
    frozen, path = frozen_model(recipe), recipe.models / TUNED
    if not path.is_file() or path.stat().st_mtime < frozen.stat().st_mtime:
        beside = path.with_name(f".{TUNED}")
        _fine_tuned(recipe, frozen).save(beside)
        beside.replace(path)
    return path


def _fine_tuned(recipe: Recipe, path: Path) -> keras.Model:
    """The model of that file, trained above the recipe's cut on what the lower part gives once."""
    import keras

    from helpers import bases, features, pictures, training

    train = pictures.load(recipe.pictures, recipe.side, quiet=True).train
    model = keras.models.load_model(path)
    base = next(layer for layer in model.layers if hasattr(layer, "layers"))
    cut = base.get_layer(bases.cuts(base)[-1 - recipe.depth]).output
    below = keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            bases.find(recipe.base).scaling(),
            keras.Model(base.input, cut),
        ]
    )
    # Its layers are the model's own: what trains here trains there.
    above = keras.Sequential(
        [
            keras.Input(cut.shape[1:]),
            keras.Model(cut, base.output),
            keras.layers.GlobalAveragePooling2D(),
            *model.layers[-2:],
        ]
    )
    epochs = training.fine_tune(
        above,
        features.extract(below, train.images),
        train.labels,
        learning_rate=recipe.cut_rate,
        epochs=TUNED_EPOCHS,
    )
    for epoch in epochs:
        if epoch.seconds > 60 * recipe.minutes:
            break
    return model
