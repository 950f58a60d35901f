"""What a `tf.data` pipeline is made of: whether it caches what it augmented, and its class names.

TensorFlow writes a dataset down as a graph (`DatasetToGraphV2`). Two passes cannot tell this:
pictures that were augmented and then cached come the same each time, as those never augmented do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

# A graph holds the arrays that a dataset was made of. TensorFlow writes none of 2 GB and more.
LARGEST = 1_500_000_000
MAPS = ("MapDataset", "ParallelMapDataset", "MapAndBatchDataset")


class Pipeline:
    """A dataset as a graph of its steps."""

    def __init__(self, graph: Any) -> None:
        self.nodes = {node.name: node for node in graph.node}
        self.functions = {one.signature.name: one for one in graph.library.function}
        self.last = next((n.name for n in graph.node if n.op == "_Retval"), None)

    def is_cached_behind_a_random_map(self) -> bool:
        """Whether a cache keeps what a map made at random."""
        return any(
            one.op.startswith("CacheDataset") and any(map(self._is_random, self._before(one.name)))
            for one in self._before(self.last)
        )

    def comes_in_another_order(self) -> bool:
        """Whether each pass shuffles anew: no cache keeps the first order."""
        return any(
            node.op.startswith("Shuffle") and node.attr["reshuffle_each_iteration"].b
            for node in self._before(self.last, until="CacheDataset")
        )

    def class_names(self) -> tuple[str, ...] | None:
        """The folders' names in the order of their labels, where files and labels are written."""
        files, labels = None, None
        for node in self.nodes.values():
            if node.op != "Const" or len(node.attr["value"].tensor.tensor_shape.dim) != 1:
                continue
            value = _array(node)
            if value.dtype.kind == "O" and len(value) and os.sep.encode() in value[0]:
                files = value
            elif value.dtype.kind in "iu" and files is not None and len(value) == len(files):
                labels = value
        return None if labels is None or files is None else _folders(files, labels)

    def _before(self, name: str | None, until: str = "none") -> Iterator[Any]:
        """The steps that a step takes its elements from, with those before them, and itself.

        None are that stand before one whose kind begins with `until`.
        """
        waiting, met = [name], set()
        while waiting:
            name = (waiting.pop() or "").lstrip("^").partition(":")[0]
            if name in met or name not in self.nodes:
                continue
            met.add(name)
            node = self.nodes[name]
            waiting += [] if node.op.startswith(until) else node.input
            yield node

    def _is_random(self, node: Any) -> bool:
        if not node.op.startswith(MAPS):
            return False
        waiting, met = [node.attr["f"].func.name], set()
        while waiting:
            name = waiting.pop()
            if name in met or name not in self.functions:
                continue
            met.add(name)
            for inner in self.functions[name].node_def:
                if "Random" in inner.op or inner.op == "StatefulUniform":
                    return True
                for value in inner.attr.values():
                    waiting += [value.func.name, *(one.name for one in value.list.func)]
        return False


def read(dataset: Any) -> Pipeline | None:
    """The steps of a `tf.data.Dataset`, None where TensorFlow does not write them down."""
    import tensorflow as tf

    if _bytes(dataset) > LARGEST:
        return None
    try:
        written = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset),
            external_state_policy=1,  # the state of a shuffle is not asked for
        )
        graph = tf.compat.v1.GraphDef.FromString(written.numpy())
    # Some steps cannot be written, such as Python functions; then less is known, and that is all.
    except Exception:
        return None
    return Pipeline(graph)


def _bytes(dataset: Any) -> int:
    """How many bytes all elements have together, 0 where that is not known."""
    import tensorflow as tf

    count = int(dataset.cardinality())
    sizes = [
        spec.dtype.size * int(np.prod([32 if side is None else side for side in spec.shape]))
        for spec in tf.nest.flatten(dataset.element_spec)
        if isinstance(spec, tf.TensorSpec) and spec.shape.rank is not None
    ]
    return max(count, 0) * sum(sizes)


def _array(node: Any) -> np.ndarray:
    import tensorflow as tf

    tensor = node.attr["value"].tensor
    return tf.io.parse_tensor(tensor.SerializeToString(), tensor.dtype).numpy()


def _folders(files: np.ndarray, labels: np.ndarray) -> tuple[str, ...] | None:
    """For each label the folder that all of its files are in, None where that is not one each."""
    found: dict[int, set[str]] = {}
    for file, label in zip(files.tolist(), labels.tolist(), strict=True):
        folder = os.path.basename(os.path.dirname(os.fsdecode(file)))
        found.setdefault(int(label), set()).add(folder)
    if sorted(found) != list(range(len(found))) or any(len(one) > 1 for one in found.values()):
        return None
    return tuple(found[label].pop() for label in sorted(found))
