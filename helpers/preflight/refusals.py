"""What a preflight cannot look at, refused with a way on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from helpers.preflight.report import Skip

if TYPE_CHECKING:
    import keras

    from helpers.preflight.setup import Setup

# Models of other packages, by the beginning of their class's module: what to do with them.
OTHERS = {
    "tf_keras": "This is a model of Keras 2. Build it with `import keras`, which is Keras 3.",
    "tensorflow": "Build it with `import keras`, which is Keras 3.",
    "torch": "This looks at models of Keras only.",
    "sklearn": "This looks at models of Keras only.",
}
ONE_OF_MANY = (
    "Look at one at a time: part = keras.Model(model.inputs[0], model.outputs[0]), compiled with "
    "the loss and the metrics of that output, and data of pairs (images, its labels)."
)


def check_model(model: Any) -> None:
    """Refuse what is no compiled model with one input and one output.

    Raises:
        TypeError: where it is no model of Keras 3.
        ValueError: where it is not compiled or built, has more inputs or outputs, or Keras runs
            on another backend than TensorFlow.
    """
    import keras

    if not isinstance(model, keras.Model):
        room = type(model).__module__.partition(".")[0]
        way = OTHERS.get(room, "Pass the model first: preflight(model, train, validation).")
        raise TypeError(
            f"Received: {type(model).__name__}. Expected: a compiled keras.Model. {way}"
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Received: Keras on the backend '{keras.backend.backend()}'. Expected: 'tensorflow'. "
            f"Set KERAS_BACKEND=tensorflow before Keras is imported."
        )
    if not model.compiled:
        raise ValueError(
            f"Received: model '{model.name}', not compiled. Expected: the model as it goes into "
            f"fit. Call model.compile(...) first."
        )
    if not model.built:
        raise ValueError(
            f"Received: model '{model.name}' without weights. Expected: a built model. "
            f"Call it on one batch first, or give it a keras.Input."
        )
    _check_ends(model)


def _check_ends(model: keras.Model) -> None:
    """Refuse several inputs or outputs."""
    counts = [len(getattr(model, side, None) or [None]) for side in ("inputs", "outputs")]
    if counts != [1, 1]:
        raise ValueError(
            f"Received: model '{model.name}' with {counts[0]} inputs and {counts[1]} outputs. "
            f"Expected: one each. {ONE_OF_MANY}"
        )


def check_given(name: str, given: Any) -> None:
    """Refuse no data, and a folder in place of what was read from it.

    Raises:
        ValueError: with a line that reads or splits data.
    """
    if given is None:
        raise ValueError(
            f"Received: no {name} data. Expected: data to train on and others to validate with. "
            f"Split arrays beforehand, as sklearn.model_selection.train_test_split does, or pass "
            f"subset='both' to keras.utils.image_dataset_from_directory."
        )
    if isinstance(given, (str, os.PathLike)):
        raise ValueError(
            f"Received: {name} as the path '{os.fspath(given)}'. Expected: what was read from it. "
            f"keras.utils.image_dataset_from_directory('{os.fspath(given)}', image_size=...) reads "
            f"a folder with a subfolder a class."
        )


def check_shape(model: keras.Model, name: str, received: tuple[int, ...]) -> None:
    """Refuse inputs that the model does not take.

    Args:
        model: where it has no `inputs`, only a call would say, and nothing is refused here.
        name: `"train"` or `"validation"`, for the message.
        received: the shape of one input.

    Raises:
        ValueError: where it does not fit.
    """
    if not getattr(model, "inputs", None):
        return
    expected = tuple(model.inputs[0].shape)[1:]
    if _fits(expected, received):
        return
    raise ValueError(
        f"Received: {name} with inputs of shape {received}. Expected: {expected}, which is "
        f"what model '{model.name}' takes. {_mend(expected, received)}"
    )


def _fits(expected: tuple[int | None, ...], received: tuple[int, ...]) -> bool:
    """Whether a shape is what is expected, where None stands for any number."""
    return len(expected) == len(received) and all(
        want in (None, got) for want, got in zip(expected, received, strict=True)
    )


def _mend(expected: tuple[int | None, ...], received: tuple[int, ...]) -> str:
    """What turns pictures of one shape into those of the other."""
    if len(received) == 2 and len(expected) == 3 and _fits(expected[:2], received):
        received = (*received, 1)
        first = "The channel is missing: images = images[..., None]. "
    else:
        first = ""
    if len(received) != len(expected) or len(expected) != 3:
        return "Give each input that shape, or build the model for inputs as these."
    if received[-1] != expected[-1] and _fits(expected, (*received[1:], received[0])):
        return "The channels come first: images = np.moveaxis(images, 1, -1)."
    if first and received[-1] == expected[-1]:
        return first.strip()
    if expected[-1] not in (None, received[-1]):
        return first + _channels(received[-1], expected[-1])
    return "Resize the pictures, or build the model for them."


def _channels(received: int, expected: int | None) -> str:
    """What turns pictures of so many channels into those of the other number."""
    if (received, expected) == (1, 3):
        return (
            "These pictures are grey, with one channel, and the model wants three (RGB): load them "
            "with color_mode='rgb', or images = np.repeat(images, 3, axis=-1)."
        )
    if (received, expected) == (4, 3):
        return (
            "The fourth channel is transparency: load them with color_mode='rgb', or "
            "images = images[..., :3]."
        )
    if (received, expected) == (3, 1):
        return "The model wants grey pictures, with one channel: color_mode='grayscale'."
    return f"Pictures have {received} channels and the model wants {expected}."


def check_call(setup: Setup) -> None:
    """Refuse data on which a call of the model ends in an error: no check could say more.

    Raises:
        ValueError: with what was said, and a line that shows it alone.
    """
    shape, kind = setup.train.images.shape, setup.train.images.dtype
    try:
        outputs = setup.train_outputs
    except Skip:  # outputs that are no vectors: a check says so
        return
    # Whatever a model of somebody's own raises; `fit` would raise it, too.
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise ValueError(
            f"Received: model '{setup.model.name}', which ends in an error on inputs of shape "
            f"{shape} and type {kind}: {type(error).__name__}: {said} "
            f"Expected: a model that takes what it is to be trained on. "
            f"Call it on one batch, and mend what that says."
        ) from error
    if outputs.ndim == 0 or len(outputs) != len(setup.train.images):
        raise ValueError(
            f"Received: model '{setup.model.name}', which gives outputs of shape {outputs.shape} "
            f"for {len(setup.train.images)} inputs. Expected: one row for each."
        )
