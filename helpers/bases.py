"""The pretrained bases: input size, scaling, weights, and where each can be cut."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from helpers import downloads, paths
from helpers.files import write_whole
from helpers.preflight.layers import sources

if TYPE_CHECKING:
    import keras


EMBEDDED = paths.DATA / "bases"
KERAS_SERVER = "https://storage.googleapis.com/tensorflow/keras-applications"
HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Base:
    """One network of `keras.applications`, without its top.

    Attributes:
        name: its name in `keras.applications`; the course's own base is called `"drawn"`.
        size: the side of the square picture that the course feeds it, in pixels.
        pixels: the range of pixel values it was trained on, `"-1 to 1"` or `"0 to 255"`
            (then the network scales its pictures itself, in its first layers).
        weights_file: the name under which Keras keeps the ImageNet weights without the top; of
            the course's own base, the file in `data/bases`.
        folder: where Keras's server keeps that file.
        pretrained_on: `"imagenet"` or `"drawings"`.
        digest: of that file, in hexadecimal, where Keras has one: MD5, or SHA-256 where it is
            longer. Source: the modules of Keras's networks, which give it to `get_file`.
    """

    name: str
    size: int
    pixels: str
    weights_file: str
    folder: str = ""
    pretrained_on: str = "imagenet"
    digest: str = ""

    @property
    def record_path(self) -> Path:
        """The record of how embedded weights were made, with their hash; else the weights."""
        return self.weights_path.with_name(
            f"{self.name}.json" if self.pretrained_on == "drawings" else self.weights_file
        )

    def build(self, size: int | None, weights: str | None) -> keras.Model:
        """Call `keras.applications`; size None takes pictures of any size."""
        import keras

        shape = (size, size, 3)
        if self.pretrained_on == "drawings":
            return keras.applications.MobileNetV2(
                input_shape=shape, alpha=0.35, include_top=False, weights=weights
            )
        network = getattr(keras.applications, self.name)
        return network(input_shape=shape, include_top=False, weights=weights)

    @property
    def weights_path(self) -> Path:
        """The pretrained weights' file: embedded, or where Keras looks before it downloads."""
        if self.pretrained_on == "drawings":
            return EMBEDDED / self.weights_file
        home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
        return Path(home) / "models" / self.weights_file

    @property
    def weights_url(self) -> str:
        """Where the ImageNet weights come from, as `keras.applications` has it."""
        return f"{KERAS_SERVER}/{self.folder}/{self.weights_file}"

    def scaling(self) -> keras.layers.Layer:
        """A layer that takes pixels of 0 to 255 to the range that this base was trained on.

        The oracle is the `preprocess_input` that stands beside the network in
        `keras.applications`.
        """
        import keras

        if self.pixels == "-1 to 1":
            return keras.layers.Rescaling(scale=1 / 127.5, offset=-1.0, name="scaling")
        return keras.layers.Rescaling(scale=1.0, name="scaling")


BASES = {
    base.name: base
    for base in (
        Base(
            "MobileNetV2",
            160,
            "-1 to 1",
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_160_no_top.h5",
            "mobilenet_v2",
        ),
        Base(
            "Xception",
            150,
            "-1 to 1",
            "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
            "xception",
            digest="b0042744bf5b25fce3cb969f33bebb97",
        ),
        Base(
            "ResNet50V2",
            160,
            "-1 to 1",
            "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
            "resnet",
            digest="fac2f116257151a9d068a22e544a4917",
        ),
        Base(
            "MobileNetV3Small",
            160,
            "0 to 255",
            "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
            "mobilenet_v3",
            digest="d3e8ec802a04aa4fc771ee12a9a9b836",
        ),
        Base(
            "EfficientNetV2B0",
            160,
            "0 to 255",
            "efficientnetv2-b0_notop.h5",
            "efficientnet_v2",
            digest="893217f2bb855e2983157299931e43ff",
        ),
        Base(
            "ConvNeXtTiny",
            160,
            "0 to 255",
            "convnext_tiny_notop.h5",
            "convnext",
            digest="d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        ),
        # MobileNetV2 at 0.35 of its width, pretrained by helpers/pretrain.py.
        Base("drawn", 96, "-1 to 1", "drawn.weights.h5", pretrained_on="drawings"),
    )
}
# The two bases that the lessons' texts are about; the others are fetched at their first use.
NAMES_TO_FETCH = ("MobileNetV2", "Xception")


def find(name: str) -> Base:
    """The base called `name`.

    Raises:
        ValueError: where the course knows no such base.
    """
    if name not in BASES:
        raise ValueError(f"Received: base '{name}'. Expected: one of {', '.join(BASES)}.")
    return BASES[name]


def load(name: str, weights: str | None = "pretrained", size: int | None = None) -> keras.Model:
    """Build a base without its top.

    Of an ImageNet base it fetches the weights' file, where that is not there, and calls
    `keras.applications.<name>(input_shape=(size, size, 3), include_top=False, weights=<file>)`;
    what `weights="imagenet"` does, but that Keras takes any file of that name for the weights. The
    file serves pictures of every size; of MobileNetV2, Keras has others for some sizes, which are
    not used.

    Args:
        name: one of `BASES`.
        weights: `"pretrained"`: the base's own weights, of ImageNet or, for `"drawn"`, of the
            course's drawings; the name of what it was pretrained on, `"imagenet"` or
            `"drawings"`, where you want to be sure; or None for random weights.
        size: the side of a picture in pixels; by default the base's own.

    Returns:
        A model from pictures, `(n, size, size, 3)` in the range `find(name).pixels`, to a block
        of features, `(n, rows, columns, channels)`.

    Raises:
        ValueError: where there is no such base, or it has no such weights. None ever stand in for
            others.
        RuntimeError: where the ImageNet weights are not on disk and cannot be downloaded, or
            weights are damaged.
    """
    base = find(name)
    if weights not in {None, "pretrained", base.pretrained_on}:
        raise ValueError(
            f"Received: base '{name}' with weights '{weights}'. Expected: '{base.pretrained_on}', "
            f"'pretrained' or None.{_who_has(weights)}"
        )
    side = size or base.size
    if weights is None:
        return base.build(side, None)
    if base.pretrained_on == "drawings":
        model = base.build(side, None)
        _check_embedded(base)
        model.load_weights(base.weights_path)
        return model
    path = fetch(name)
    _check_digest(base, path)
    return base.build(side, str(path))


def _who_has(weights: str) -> str:
    """Which bases have the weights that were asked for, in a sentence."""
    having = [base.name for base in BASES.values() if base.pretrained_on == weights]
    return f" Those of {weights} belong to {', '.join(having)}." if having else ""


def _check_embedded(base: Base) -> None:
    """Compare the embedded weights with the hash in their record.

    Raises:
        RuntimeError: where they differ, or one of the two files is missing.
    """
    try:
        expected = json.loads(base.record_path.read_text(encoding="utf-8"))["sha256"]
        found = hashlib.sha256(base.weights_path.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError) as error:
        raise RuntimeError(
            f"Received: no whole weights and record of the base '{base.name}' ({error}). "
            f"Expected: both in {EMBEDDED}. {paths.bring_back('data/bases')}"
        ) from error
    if found != expected:
        raise RuntimeError(
            f"Received: embedded weights {base.weights_path} with SHA-256 {found}. Expected: "
            f"{expected}. {paths.bring_back('data/bases')}"
        )


def _check_digest(base: Base, path: Path) -> None:
    """Compare downloaded weights with the digest that Keras has of them.

    It has none of MobileNetV2's: those are compared with what they were when they were first used
    here.

    Raises:
        RuntimeError: where a single byte differs.
    """
    found = _digest(path, base)
    if base.digest:
        known, since, or_else = base.digest, "as Keras has it", ""
    else:
        known, kept = _first_seen(path, found)
        since = "as when they were first used here"
        or_else = f"; if you replaced it on purpose, delete {kept}"
    if found != known:
        raise RuntimeError(
            f"Received: weights {path} with the digest {found}. Expected: {known}, {since}. Delete "
            f"the file and run `python3 course.py fetch bases`{or_else}."
        )


def _digest(path: Path, base: Base) -> str:
    """A file's digest, of the kind that Keras has of the base's weights, else SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5" if len(base.digest) == 32 else "sha256").hexdigest()


def _first_seen(path: Path, digest: str) -> tuple[str, Path]:
    """The digest that a file had when it was first asked about, and where that is kept."""
    kept = paths.cache_folder() / "weights.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(kept.with_name(f".{kept.name}.lock")):  # or two processes lose each other's
        try:
            known = json.loads(kept.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        if str(path) not in known:
            write_whole(kept, json.dumps({**known, str(path): digest}, indent=1))
        return known.get(str(path), digest), kept


def is_ready(name: str) -> str | None:
    """None where the pretrained weights of `name` are on disk; else how to get them."""
    base = find(name)
    path = base.weights_path
    if base.pretrained_on == "drawings":
        if path.is_file() and base.record_path.is_file():
            return None
        return (
            f"The weights of the course's own base are not in {EMBEDDED}. "
            f"{paths.bring_back('data/bases')}"
        )
    what = "bases" if name in NAMES_TO_FETCH else name
    fetch_it = f"`python3 course.py fetch {what}` downloads them."
    if not path.is_file():
        return f"The ImageNet weights of {name} are not on this machine; {fetch_it}"
    try:
        _verify(path)
    except ValueError as error:
        return f"The file of ImageNet weights {path} is not whole ({error}); {fetch_it}"
    return None


def _verify(path: Path) -> None:
    """Look whether a file is HDF5 and has its end.

    A login page, or half a download, under a weights file's name has been seen.

    Raises:
        ValueError: with what is wrong.
    """
    import h5py

    with path.open("rb") as file:
        first = file.read(len(HDF5))
    if not _begins_like_weights(first):
        raise ValueError(f"{path.stat().st_size:,} bytes that are no HDF5 file")
    try:
        h5py.File(path, "r").close()
    except OSError as error:
        raise ValueError("the HDF5 file is damaged or cut short") from error


def _begins_like_weights(first: bytes) -> bool:
    """Whether these first bytes begin an HDF5 file (its format specification, section II.A)."""
    return first.startswith(HDF5)


def fetch(name: str) -> Path:
    """Download the weights of `name` to where Keras keeps them, unless they are there whole.

    Raises:
        RuntimeError: where no server gives them, with what to do.
    """
    base = find(name)
    if is_ready(name) is None:
        return base.weights_path
    if base.pretrained_on == "drawings":
        raise RuntimeError(is_ready(name))

    def verify(path: Path) -> None:
        _verify(path)
        if base.digest and _digest(path, base) != base.digest:
            raise ValueError("another file than Keras has the digest of")

    checks = downloads.Checks(_begins_like_weights, verify)
    try:
        return downloads.fetch([base.weights_url], base.weights_path, checks)
    except downloads.DownloadError as error:
        raise RuntimeError(
            f"Received: no ImageNet weights of {name} ({error}). Expected: a connection to "
            f"Keras's server, or the file {base.weights_path}. Run `python3 course.py fetch bases` "
            f"where there is a connection, or copy that file from a machine that has it."
        ) from error


def cuts(base: keras.Model) -> tuple[str, ...]:
    """The layers after which `base` can be cut in two, from the input to the output.

    A cut is a layer whose output is the only tensor that crosses to the layers behind it. Inside
    a residual block two tensors cross, so there is none there. Left out are the cuts that part a
    convolution from its BatchNormalization, or either from its activation, those right behind the
    input or a padding, and sums written as `a + b`, which are no layers that could be named: of
    ConvNeXtTiny, whose blocks all end in one, only the end of the base is left.

    Args:
        base: a functional model; it is read through its public `get_config()`.

    Returns:
        Names of layers, as `base.get_layer(name)` takes them; the last is the end of the base.
    """
    layers = base.get_config()["layers"]
    kinds = {layer["name"]: layer["class_name"] for layer in layers}
    readers = _readers(layers)
    position = {name: index for index, name in enumerate(kinds)}
    named = {layer.name for layer in base.layers if not hasattr(layer, "layers")}
    found, reach = [], 0
    for index, name in enumerate(kinds):
        # Every edge that starts before this layer must end here or before it.
        ends = _ends_a_unit(kinds[name], {kinds[reader] for reader in readers[name]})
        if reach <= index and ends and name in named:
            found.append(name)
        reach = max([reach, *(position[reader] for reader in readers[name])])
    return tuple(found)


def _readers(layers: list[dict[str, Any]]) -> dict[str, list[str]]:
    """For each layer of a functional model's config: which layers read its output."""
    readers: dict[str, list[str]] = {layer["name"]: [] for layer in layers}
    for layer in layers:
        for source in sources(layer["inbound_nodes"]):
            readers[source].append(layer["name"])
    return readers


def _ends_a_unit(kind: str, readers: set[str]) -> bool:
    """Whether a layer of this kind, read by those kinds, closes convolution, norm, activation."""
    if kind in {"InputLayer", "ZeroPadding2D", "Rescaling", "Normalization"}:
        return False
    opens = kind == "BatchNormalization" or "Conv" in kind
    return not (opens and readers & {"BatchNormalization", "ReLU", "Activation"})
