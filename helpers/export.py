"""Write a model for runtimes smaller than TensorFlow, and run what was written.

Two formats: LiteRT (`.tflite`, for phones, boards and CPUs) and ONNX (`.onnx`, which most other
programs read). Both files hold the whole model, from pixels of 0 to 255 to logits, its scaling
included: what stays outside has to be written again by whoever uses the file. Writing needs
TensorFlow; `load` needs only the file's own runtime.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import machine
from helpers.files import write_whole

if TYPE_CHECKING:
    import keras

PRECISIONS = ("float", "float16", "int8")
# Pictures that a runtime gets together where more are given.
BATCH = 32

Run = Callable[[np.ndarray], np.ndarray]
Opened = tuple[Run, tuple[int, ...], int]


def litert(
    model: keras.Model,
    path: str | Path,
    precision: str = "float",
    *,
    calibration: np.ndarray | None = None,
    class_names: Sequence[str] = (),
) -> Path:
    """Write a model for LiteRT.

    Whatever the precision, the file takes and gives 32-bit floats.

    Args:
        model: from pixels of 0 to 255, `(n, size, size, 3)`, to logits `(n, classes)`. It is
            written in inference mode, with BatchNormalization folded into the convolutions.
        path: ends in `.tflite`. A record, `path` with `.json` behind it, is written beside.
        precision: `"float"`: 32 bits, nothing is rounded. `"float16"`: weights are kept in 16
            bits, and computed with in 32 on a CPU. `"int8"`: weights (one scale a channel) and
            activations (one scale a tensor) are integers of 8 bits; only the first step, into
            them, and the last, out of them, are not.
        calibration: for `"int8"`, pictures `(n, size, size, 3)` such as the model will meet, 0 to
            255: the range of every activation is read off them. A hundred will do.
        class_names: kept in the record, in the order of the labels.

    Returns:
        The path.

    Raises:
        ValueError: where an argument does not fit, `"int8"` without `calibration` among them.
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
    contents = _convert(model, precision, calibration)
    return _write(path, contents, _record(model, precision, class_names))


def onnx(model: keras.Model, path: str | Path, *, class_names: Sequence[str] = ()) -> Path:
    """Write a model as ONNX, in 32-bit floats, by tf2onnx.

    Args:
        model, class_names: as of `litert`.
        path: ends in `.onnx`. A record, `path` with `.json` behind it, is written beside.

    Returns:
        The path.

    Raises:
        ValueError: where an argument does not fit.
    """
    path = _checked(model, path, ".onnx")
    import tensorflow as tf

    from helpers import features

    with _quiet():
        import tf2onnx

        run = features.with_constants(model, (None, *model.input_shape[1:]), "float32")
        named = tf.function(lambda images: {"logits": run(images)})
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="images")]
        written, _ = tf2onnx.convert.from_function(named, input_signature=signature)
    return _write(path, written.SerializeToString(), _record(model, "float", class_names))


def load(path: str | Path, threads: int | None = None) -> Exported:
    """Open what `litert` or `onnx` has written, with its own runtime and without TensorFlow.

    Args:
        path: a file that ends in `.tflite` or `.onnx`.
        threads: of the runtime; by default one for each core that this process may use.

    Returns:
        What takes pictures and gives logits.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is no such model, or its record belongs to another file.
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
        run, shape, logits = opened(contents, threads or machine.usable_cores())
    except Exception as error:  # each runtime has errors of its own
        raise ValueError(
            f"Received: {path}, which {runtime} does not open ({error}). Expected: a model from "
            f"pictures of 32-bit floats to logits. Export it again."
        ) from error
    names = tuple(record.get("class_names", ()))
    _check_names(names, logits)
    return Exported(
        path=path,
        runtime=runtime,
        precision=record.get("precision", "unknown"),
        size=shape[0],
        class_names=names,
        run=run,
    )


@dataclass(frozen=True, eq=False, repr=False)
class Exported:
    """A model in a file, opened by its own runtime; called with pictures, it gives logits.

    Attributes:
        path: the file.
        runtime: `"LiteRT"` or `"ONNX Runtime"`.
        precision: `"float"`, `"float16"`, `"int8"`, or `"unknown"` where there is no record.
        size: the side of the square pictures that it takes, in pixels.
        class_names: in the order of the labels; empty where there is no record.
        run: one batch through the runtime, float32 in and out.
    """

    path: Path
    runtime: str
    precision: str
    size: int
    class_names: tuple[str, ...]
    run: Run

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The logits, float32 `(n, classes)`, of pictures `(n, size, size, 3)` of 0 to 255.

        Raises:
            ValueError: where the pictures have another shape.
        """
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != (self.size, self.size, 3) or len(images) == 0:
            raise ValueError(
                f"Received: pictures of shape {images.shape}. Expected: (n, {self.size}, "
                f"{self.size}, 3) with n at least 1, values 0 to 255. Resize them to the model's "
                f"size; for a single picture write picture[np.newaxis]."
            )
        parts = (images[first : first + BATCH] for first in range(0, len(images), BATCH))
        return np.concatenate([self.run(part.astype("float32")) for part in parts])

    def __repr__(self) -> str:
        return (
            f"{self.path.name}: {self.precision}, {self.path.stat().st_size / 1e6:.2f} MB, run by "
            f"{self.runtime}; takes (n, {self.size}, {self.size}, 3), pixels of 0 to 255"
        )


# Writing


def _checked(model: keras.Model, path: str | Path, suffix: str) -> Path:
    """The path, where it and the model will do."""
    path = Path(path)
    if path.suffix != suffix:
        raise ValueError(f"Received: {path}. Expected: a file name that ends in {suffix}.")
    taken, given = model.input_shape, model.output_shape
    square = len(taken) == 4 and taken[1] is not None and taken[1:] == (taken[1], taken[1], 3)
    if not square or len(given) != 2:
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
            f"{', '.join(map(str, expected))}), n at least 1, values 0 to 255 as in use."
        )


def _convert(model: keras.Model, precision: str, calibration: np.ndarray | None) -> bytes:
    """The contents of a `.tflite` file.

    `model.export(path, format="litert")` goes through a SavedModel to the same converter; from a
    graph whose weights are constants it is several times faster.
    """
    import tensorflow as tf

    from helpers import features

    with _quiet():
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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converters from telling of variables that are not there, and of their steps.

    What they warn of is no business of a learner: names that NumPy is about to drop, and statistics
    of an input that a calibration set gives anyway.
    """
    import logging

    from absl import logging as absl_logging

    verbosity, own = absl_logging.get_verbosity(), logging.getLogger("tf2onnx")
    level = own.level
    absl_logging.set_verbosity(absl_logging.ERROR)
    own.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        absl_logging.set_verbosity(verbosity)
        own.setLevel(level)


def _record(model: keras.Model, precision: str, class_names: Sequence[str]) -> dict[str, Any]:
    """What whoever uses the file has to know of it.

    Raises:
        ValueError: where the class names do not fit the logits.
    """
    logits = model.output_shape[-1]
    _check_names(class_names, logits)
    return {
        "precision": precision,
        "size": model.input_shape[1],
        "pixels": "0 to 255",
        "logits": logits,
        "class_names": list(class_names),
    }


def _check_names(class_names: Sequence[str], logits: int) -> None:
    """One name for each class, or none; a single logit tells two classes apart."""
    if class_names and len(class_names) != max(2, logits):
        raise ValueError(
            f"Received: {len(class_names)} class names for a model with {logits} logits. "
            f"Expected: {max(2, logits)}, in the order of the labels."
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
    )


# Running


def _open_litert(contents: bytes, threads: int) -> Opened:
    """A batch through LiteRT, the shape of one picture, and the number of logits."""
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
    """A batch through ONNX Runtime, the shape of one picture, and the number of logits."""
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
