"""Tell the families of `keras.applications` by their structure: what their first layer is fed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

VGG = (64, 64, 128, 128, 256, 256, 256)  # filters of the first convolutions
CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
SCALING = ("Rescaling", "Normalization")


@dataclass(frozen=True)
class Family:
    """A family of bases.

    Attributes:
        name: for messages.
        takes: the name of the scaling of what its first convolution is fed, see `scalings`.
        scales: whether it scales pictures of 0 to 255 itself, as it is built by default.
    """

    name: str
    takes: str
    scales: bool = False


def family(leaves: Sequence[keras.layers.Layer]) -> Family | None:
    """The family of a base, told by the classes and shapes of its layers, whatever their names.

    Source: the code of `keras.applications`; `preprocess_input` of each for what it takes.

    Args:
        leaves: of the base, in order; what stands in front of its first convolution is passed over.

    Returns:
        None where it is none that is known.
    """
    kinds = {type(leaf).__name__ for leaf in leaves}
    first = next((leaf for leaf in leaves if type(leaf).__name__ in CONVOLUTIONS), None)
    if first is None or type(first).__name__ != "Conv2D":
        return None
    if "LayerScale" in kinds and first.kernel_size == (4, 4):
        return Family("ConvNeXt", "torch", scales=True)
    if first.kernel_size == (7, 7) and first.filters == 64:
        return _with_a_wide_stem(first, leaves, kinds)
    if first.kernel_size != (3, 3):
        return None
    if first.strides == (1, 1):
        return Family("VGG", "caffe") if _is_vgg(leaves, kinds) else None
    return None if first.use_bias else _with_a_narrow_stem(leaves, kinds)


def _is_vgg(leaves: Sequence[keras.layers.Layer], kinds: set[str]) -> bool:
    """Whether these are the convolutions of VGG, or the first four or more of them."""
    found = [leaf for leaf in leaves if type(leaf).__name__ == "Conv2D"]
    filters = tuple(leaf.filters for leaf in found)[: len(VGG)]
    plain = all(_activation(leaf) == "relu" and leaf.kernel_size == (3, 3) for leaf in found)
    return (
        len(filters) >= 4
        and filters == VGG[: len(filters)]
        and plain
        and ("BatchNormalization" not in kinds)
    )


def _with_a_wide_stem(
    first: Any, leaves: Sequence[keras.layers.Layer], kinds: set[str]
) -> Family | None:
    """ResNet, ResNetV2 and DenseNet begin with 64 filters of 7 x 7."""
    if not first.use_bias:
        return Family("DenseNet", "torch") if "Concatenate" in kinds else None
    behind = leaves[leaves.index(first) + 1 :]
    order = [type(leaf).__name__ for leaf in behind[:3]]
    if "Add" not in kinds or "BatchNormalization" not in order:
        return None
    pooled = "MaxPooling2D" in order[: order.index("BatchNormalization")]
    return Family("ResNetV2", "-1 to 1") if pooled else Family("ResNet", "caffe")


def _with_a_narrow_stem(leaves: Sequence[keras.layers.Layer], kinds: set[str]) -> Family | None:
    """All others begin with a convolution of 3 x 3, every second place, without bias."""
    bends = {_activation(leaf) for leaf in leaves}
    if "Multiply" in kinds and bends & {"hard_silu", "hard_swish"}:
        return Family("MobileNetV3", "-1 to 1", scales=True)
    if "Multiply" in kinds and bends & {"silu", "swish"} and "DepthwiseConv2D" in kinds:
        # EfficientNetV2 S, M and L have none, and no V2 has without `include_preprocessing`.
        takes = "torch" if "Normalization" in kinds else "-1 to 1"
        return Family("EfficientNet", takes, scales=True)
    if "SeparableConv2D" in kinds and kinds & {"Add", "Concatenate"}:
        return Family("Xception or NASNet", "-1 to 1")
    if "DepthwiseConv2D" in kinds and any(_ends_at_six(leaf) for leaf in leaves):
        return Family("MobileNet", "-1 to 1")
    norms = [leaf for leaf in leaves if type(leaf).__name__ == "BatchNormalization"]
    if "Concatenate" in kinds and norms and not any(leaf.scale for leaf in norms):
        return Family("Inception", "-1 to 1")
    return None


def _activation(leaf: Any) -> str | None:
    return getattr(getattr(leaf, "activation", None), "__name__", None)


def _ends_at_six(leaf: Any) -> bool:
    """Whether it is ReLU6, as MobileNets have it."""
    return type(leaf).__name__ == "ReLU" and leaf.max_value == 6
