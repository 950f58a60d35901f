"""Write a model for runtimes smaller than TensorFlow, and run what was written.

Two formats: LiteRT (`.tflite`, for phones, boards and CPUs) and ONNX (`.onnx`, which most other
programs read). Both files hold the whole model, as it is: what stays outside, such as the scaling
of pictures, has to be written again by whoever uses the file. A record beside each file says which
pixels it takes and whether it gives logits or probabilities. Writing needs TensorFlow; `load` needs
only the file's own runtime.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import evaluation, machine, quiet
from helpers.features.engines import Forward
from helpers.files import write_whole
from helpers.preflight import layers

if TYPE_CHECKING:
    import keras

PRECISIONS = ("float", "float16", "int8")
OUTPUTS = ("logits", "probabilities")
# Pictures that a runtime gets together where more are given.
BATCH = 32

Opened = tuple[Forward, tuple[int, ...], int]


def litert(
    model: keras.Model,
    path: str | Path,
    precision: str = "float",
    *,
    calibration: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    pixels: str | None = None,
    outputs: str | None = None,
) -> Path:
    """Write a model for LiteRT.

    Whatever the precision, the file takes and gives 32-bit floats.

    Args:
        model: from pictures `(n, size, size, 3)` to logits or probabilities, `(n, classes)`, or
            `(n, 1)` for two classes. It is written in inference mode, with BatchNormalization
            folded into the convolutions.
        path: ends in `.tflite`. A record, `path` with `.json` behind it, is written beside.
        precision: `"float"`: 32 bits, nothing is rounded. `"float16"`: weights are kept in 16
            bits, and computed with in 32 on a CPU. `"int8"`: weights (one scale a channel) and
            activations (one scale a tensor) are integers of 8 bits; only the first step, into
            them, and the last, out of them, are not.
        calibration: for `"int8"`, pictures `(n, size, size, 3)` such as the model will meet: the
            range of every activation is read off them. A hundred will do.
        class_names: kept in the record, in the order of the labels.
        pixels: which the model takes, one of `layers.PIXELS`: to be said where its scaling is not
            in it, and read off it where it is.
        outputs: `"logits"` or `"probabilities"`: to be said where the model's last layer does not.

    Returns:
        The path.

    Raises:
        ValueError: where an argument does not fit, `"int8"` without `calibration` among them; or
            where `pixels` or `outputs` cannot be known and are not said.
    """
    path = _checked(model, path, ".tflite")
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise ValueError(f"Received: precision '{precision}'. Expected: one of {known}.")
    if precision == "int8":
        _check_calibration(model, calibration)
    elif calibration is not None:
        raise ValueError(
            f"Received: calibration pictures for '{precision}'. Expected: none, for only 'int8' "
            f"has ranges to find. Leave them out, or set precision='int8'."
        )
    record = _record(model, precision, class_names, pixels, outputs)
    if calibration is not None:
        _check_values(calibration, record["pixels"])
    return _write(path, _convert(model, precision, calibration), record)


def onnx(
    model: keras.Model,
    path: str | Path,
    *,
    class_names: Sequence[str] = (),
    pixels: str | None = None,
    outputs: str | None = None,
) -> Path:
    """Write a model as ONNX, in 32-bit floats, by tf2onnx.

    Args:
        model, class_names, pixels, outputs: as of `litert`.
        path: ends in `.onnx`. A record, `path` with `.json` behind it, is written beside.

    Returns:
        The path.

    Raises:
        ValueError: as of `litert`.
    """
    path = _checked(model, path, ".onnx")
    record = _record(model, "float", class_names, pixels, outputs)
    import tensorflow as tf

    from helpers import features

    with quiet.library("tf2onnx"):
        import tf2onnx

        run = features.with_constants(model, (None, *model.input_shape[1:]), "float32")
        named = tf.function(lambda images: {record["outputs"]: run(images)})
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="images")]
        written, _ = tf2onnx.convert.from_function(named, input_signature=signature)
    return _write(path, written.SerializeToString(), record)


def load(
    path: str | Path,
    threads: int | None = None,
    *,
    pixels: str | None = None,
    outputs: str | None = None,
) -> Exported:
    """Open what `litert` or `onnx` has written, with its own runtime and without TensorFlow.

    Args:
        path: a file that ends in `.tflite` or `.onnx`.
        threads: of the runtime; by default one for each core that this process may use.
        pixels, outputs: as of `litert`, of a file whose record does not say them: it was lost, or
            written before records did.

    Returns:
        What takes pictures and gives what the model gave.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is no such model, its record belongs to another file, or `pixels` or
            `outputs` are neither in the record nor said, or said otherwise.
    """
    path = Path(path)
    if path.suffix not in _RUNTIMES:
        known = " or ".join(_RUNTIMES)
        raise ValueError(f"Received: {path}. Expected: a file that ends in {known}.")
    if not path.is_file():
        raise FileNotFoundError(
            f"Received: no file {path}. Expected: one that export.litert or export.onnx has "
            f"written. Check the path, or export again."
        )
    contents = path.read_bytes()
    record = _read_record(path, contents)
    runtime, opened = _RUNTIMES[path.suffix]
    try:
        run, shape, count = opened(contents, threads or machine.usable_cores())
    except Exception as error:  # each runtime has errors of its own
        raise ValueError(
            f"Received: {path}, which {runtime} does not open ({error}). Expected: a model from "
            f"pictures of 32-bit floats to a row of numbers each. Export it again."
        ) from error
    names = tuple(record.get("class_names", ()))
    _check_names(names, count)
    return Exported(
        path=path,
        runtime=runtime,
        precision=record.get("precision", "unknown"),
        size=shape[0],
        class_names=names,
        run=run,
        pixels=_known(path, record, "pixels", pixels, layers.PIXELS),
        outputs=_known(path, record, "outputs", outputs, OUTPUTS),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Exported:
    """A model in a file, opened by its own runtime; called with pictures, it gives `outputs`.

    Attributes:
        path: the file.
        runtime: `"LiteRT"` or `"ONNX Runtime"`.
        precision: `"float"`, `"float16"`, `"int8"`, or `"unknown"` where there is no record.
        size: the side of the square pictures that it takes, in pixels.
        class_names: in the order of the labels; empty where there is no record.
        run: one batch through the runtime, float32 in and out.
        pixels: the values that it takes, one of `layers.PIXELS`; `scaled` brings pictures there.
        outputs: `"logits"` or `"probabilities"`.
    """

    path: Path
    runtime: str
    precision: str
    size: int
    class_names: tuple[str, ...]
    run: Forward
    pixels: str
    outputs: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """What the model gives, float32 `(n, classes)`, or `(n, 1)` for two classes.

        Args:
            images: `(n, size, size, 3)`, with values as in `pixels`.

        Raises:
            ValueError: where the pictures have another shape, or values far beyond those.
        """
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != (self.size, self.size, 3) or len(images) == 0:
            raise ValueError(
                f"Received: pictures of shape {images.shape}. Expected: (n, {self.size}, "
                f"{self.size}, 3) with n at least 1, values {self.pixels}. Resize them to the "
                f"model's size; for a single picture write picture[np.newaxis]."
            )
        _check_values(images, self.pixels)
        parts = (images[first : first + BATCH] for first in range(0, len(images), BATCH))
        return np.concatenate([self.run(part.astype("float32")) for part in parts])

    def scaled(self, images: np.ndarray) -> np.ndarray:
        """Pictures of 0 to 255 with values as in `pixels`."""
        low, high = layers.PIXELS[self.pixels]
        if high == 255:
            return np.asarray(images)
        return np.asarray(images, "float32") * ((high - low) / 255) + low

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The probability of each class, `(n, classes)`, for pictures as of a call."""
        return evaluation.probabilities(self(images), self.outputs == "logits")

    def predicted_classes(self, images: np.ndarray) -> np.ndarray:
        """The predicted class, int `(n,)`, for pictures as of a call."""
        return evaluation.predicted_classes(self(images), self.outputs == "logits")

    def __repr__(self) -> str:
        return (
            f"{self.path.name}: {self.precision}, {self.path.stat().st_size / 1e6:.2f} MB, run by "
            f"{self.runtime}; takes (n, {self.size}, {self.size}, 3), pixels of {self.pixels}; "
            f"gives {self.outputs}"
        )


# Writing


def _checked(model: keras.Model, path: str | Path, suffix: str) -> Path:
    """The path, where it and the model will do."""
    path = Path(path)
    if path.suffix != suffix:
        raise ValueError(f"Received: {path}. Expected: a file name that ends in {suffix}.")
    taken, given = (getattr(model, f"{end}_shape", None) for end in ("input", "output"))
    if not (
        (isinstance(taken, tuple) and isinstance(given, tuple) and len(given) == 2)
        and (taken[1] and taken[1:] == (taken[1], taken[1], 3))
    ):
        raise ValueError(
            f"Received: a model from {taken} to {given}. Expected: from (n, size, size, 3) with a "
            f"fixed size to (n, classes). Build it for one size, with pooling and a head."
        )
    return path


def _check_calibration(model: keras.Model, calibration: np.ndarray | None) -> None:
    """Say at once what the converter would fail with, or worse, would not notice."""
    if calibration is None:
        raise ValueError(
            "Received: precision 'int8' without calibration pictures. Expected: about a hundred "
            "training pictures, of which the ranges of the activations are read off. Pass "
            "calibration=train.images[:100]."
        )
    expected, found = tuple(model.input_shape[1:]), np.shape(calibration)
    if len(found) != 4 or found[1:] != expected or found[0] == 0:
        raise ValueError(
            f"Received: calibration pictures of shape {found}. Expected: (n, "
            f"{', '.join(map(str, expected))}), n at least 1, values as in use."
        )


def _convert(model: keras.Model, precision: str, calibration: np.ndarray | None) -> bytes:
    """The contents of a `.tflite` file.

    `model.export(path, format="litert")` goes through a SavedModel to the same converter; from a
    graph whose weights are constants it is several times faster.
    """
    import tensorflow as tf

    from helpers import features

    with quiet.library():
        graph = features.with_constants(model, (None, *model.input_shape[1:]), "float32")
        function = graph.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        if precision != "float":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            pictures = np.asarray(calibration)
            converter.representative_dataset = lambda: (
                [picture[np.newaxis].astype("float32")] for picture in pictures
            )
            # Integers or an error: no operation is left in floats unseen.
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return converter.convert()


def _record(
    model: keras.Model,
    precision: str,
    class_names: Sequence[str],
    pixels: str | None,
    outputs: str | None,
) -> dict[str, Any]:
    """What whoever uses the file has to know of it.

    Raises:
        ValueError: where the class names do not fit the model, or what it takes or gives is not
            known.
    """
    _check_names(class_names, model.output_shape[-1])
    return {
        "precision": precision,
        "size": model.input_shape[1],
        "pixels": _pixels(model, pixels),
        "outputs": _outputs(model, outputs),
        "class_names": list(class_names),
    }


def _outputs(model: keras.Model, said: str | None) -> str:
    """What the model gives, by its last layer or else as said."""
    _check_said("outputs", said, OUTPUTS)
    found = layers.outputs(model)
    if found is None and said is None:
        raise ValueError(
            "Received: a model whose last layer does not tell what it gives. Expected: a Dense "
            "layer without activation, or a sigmoid or softmax at the end. Or say it: "
            "outputs='logits', or outputs='probabilities'."
        )
    if found and said and found != said:
        raise ValueError(
            f"Received: outputs='{said}' for a model that ends in {layers.last_activation(model)}. "
            f"Expected: '{found}'. Leave it out."
        )
    return said or str(found)


def _pixels(model: keras.Model, said: str | None) -> str:
    """The pixels that the model takes, by the scaling in it or else as said."""
    _check_said("pixels", said, layers.PIXELS)
    possible = layers.pixels(model)
    if said is None and len(possible) != 1:
        tell = "do not tell which pixels it takes" if possible else "scale no pixels as is usual"
        raise ValueError(
            f"Received: a model whose layers {tell}. Expected: to be told, for it gives other "
            f"answers to pictures scaled otherwise. Say how those were scaled that it was trained "
            f"on: {_choices('pixels', layers.PIXELS)}."
        )
    if said and possible and said not in possible:
        raise ValueError(
            f"Received: pixels='{said}' for a model that scales its pictures itself. Expected: "
            f"{_choices('pixels', possible)}, for black and white of {said} would reach its first "
            f"weights as numbers no network is trained on."
        )
    return said or possible[0]


def _check_said(name: str, said: str | None, known: Collection[str]) -> None:
    if said is not None and said not in known:
        raise ValueError(f"Received: {name}='{said}'. Expected: {_choices(name, known)}.")


def _choices(name: str, known: Collection[str]) -> str:
    return " or ".join(f"{name}='{one}'" for one in known)


def _check_values(images: np.ndarray, pixels: str) -> None:
    """Notice pictures of 0 to 255 where such of 0 or -1 to 1 are taken."""
    if layers.PIXELS[pixels][1] == 1 and np.max(images) > 2:
        raise ValueError(
            f"Received: pictures with values up to {np.max(images):g}. Expected: {pixels}, for the "
            f"model does not scale them itself. Scale them as in training; of an opened file, "
            f"exported.scaled(pictures) does."
        )


def _check_names(class_names: Sequence[str], count: int) -> None:
    """One name for each class, or none; a single output tells two classes apart."""
    if class_names and len(class_names) != max(2, count):
        raise ValueError(
            f"Received: {len(class_names)} class names for a model with {count} outputs. "
            f"Expected: {max(2, count)}, in the order of the labels."
        )


def _record_path(path: Path) -> Path:
    """Where a file's record is."""
    return path.with_name(f"{path.name}.json")


def _write(path: Path, contents: bytes, record: dict[str, Any]) -> Path:
    """Write a model and its record, each beside and then renamed into place."""
    record = {**record, "sha256": hashlib.sha256(contents).hexdigest()}
    write_whole(path, contents)
    write_whole(_record_path(path), json.dumps(record, indent=1, ensure_ascii=False))
    return path


def _read_record(path: Path, contents: bytes) -> dict[str, Any]:
    """The record beside a file; nothing where there is none.

    Raises:
        ValueError: where it is the record of another file, or no record.
    """
    record_path = _record_path(path)
    if not record_path.is_file():
        return {}
    try:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        belongs = _is_record(record) and (record["sha256"] == hashlib.sha256(contents).hexdigest())
    except (ValueError, RecursionError):  # the second where it is nested a thousand times
        belongs = False
    if not belongs:
        raise ValueError(
            f"Received: {path} with a record that is not its own, {record_path.name}. Expected: "
            f"the two files of one export. Export again, or copy both."
        )
    return record


def _is_record(record: Any) -> bool:
    """Whether it is built as `_record` builds one, whoever wrote it."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("sha256"), str)
        and record.get("precision") in PRECISIONS
        and isinstance(record.get("class_names"), list)
        and all(isinstance(name, str) for name in record["class_names"])
        and record.get("outputs", OUTPUTS[0]) in OUTPUTS
        and record.get("pixels", "0 to 255") in (*layers.PIXELS,)
    )


def _known(
    path: Path, record: dict[str, Any], name: str, said: str | None, known: Collection[str]
) -> str:
    """What a record says of what the file takes or gives, or else what is said.

    Records that do not say what the file gives are older than this question; what they say of the
    pixels was not asked of the model.
    """
    _check_said(name, said, known)
    written = record.get(name) if "outputs" in record else None
    if written is None and said is None:
        raise ValueError(
            f"Received: {path} without a record of its {name}. Expected: {_record_path(path).name} "
            f"as export writes it. Export again; or, if you know them, say {_choices(name, known)}."
        )
    if written and said and written != said:
        raise ValueError(
            f"Received: {name}='{said}' for {path}. Expected: '{written}', as its record has it. "
            f"Leave it out."
        )
    return str(said or written)


# Running


def _open_litert(contents: bytes, threads: int) -> Opened:
    """A batch through LiteRT, the shape of one picture, and how many numbers are given."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=contents, num_threads=threads)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    if taken["dtype"] is not np.float32 or given["dtype"] is not np.float32:
        raise ValueError(f"it takes {taken['dtype'].__name__}, gives {given['dtype'].__name__}")
    prepared = [int(taken["shape"][0])]

    def run(images: np.ndarray) -> np.ndarray:
        # LiteRT lays out its memory for one size of batch; another one is prepared for anew.
        if prepared[0] != len(images):
            interpreter.resize_tensor_input(taken["index"], images.shape)
            interpreter.allocate_tensors()
            prepared[0] = len(images)
        interpreter.set_tensor(taken["index"], images)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return run, tuple(int(side) for side in taken["shape"][1:]), int(given["shape"][-1])


def _open_onnx(contents: bytes, threads: int) -> Opened:
    """A batch through ONNX Runtime, the shape of one picture, how many numbers are given."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = onnxruntime.InferenceSession(
        contents, sess_options=options, providers=["CPUExecutionProvider"]
    )
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    if taken.type != "tensor(float)" or given.type != "tensor(float)":
        raise ValueError(f"it takes {taken.type}, gives {given.type}")

    def run(images: np.ndarray) -> np.ndarray:
        return session.run([given.name], {taken.name: images})[0]

    return run, tuple(taken.shape[1:]), int(given.shape[-1])


_RUNTIMES: dict[str, tuple[str, Callable[[bytes, int], Opened]]] = {
    ".tflite": ("LiteRT", _open_litert),
    ".onnx": ("ONNX Runtime", _open_onnx),
}
