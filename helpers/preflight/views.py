"""Checks of what training makes of pictures: augmentation in another range, batches too small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from helpers.preflight.fine_tuning import sees_maps
from helpers.preflight.layers import PIXELS, leaf_layers
from helpers.preflight.parts import divide, training_ids, trains
from helpers.preflight.report import Finding
from helpers.preflight.scalings import first_convolution, reaching
from helpers.preflight.setup import Setup

if TYPE_CHECKING:
    pass

LOOKED_AT = 32
# A view differs from its picture in range where its deviation is so many times as large or as
# small, or its mean lies so many deviations of all pictures off.
SPREAD, MOVED = 5.0, 3.0
# Measured on 96 drawings, five times each: no view of 13 of Keras's layers at usual settings, of
# RandomBrightness(0.9) and RandAugment(num_ops=3, factor=0.9) up to a quarter.
SHARE = 0.5
SMALL = 4


def check_views(setup: Setup) -> Iterator[Finding]:
    """What reaches the first layer in training against what reaches it in evaluation."""
    entry = first_convolution(leaf_layers(setup.model))
    images = setup.train.images[:LOOKED_AT]
    if entry is None or images.ndim != 4:
        return
    still, view = (reaching(setup.model, entry, images, one) for one in (False, True))
    if still is None or view is None or still.shape != view.shape or np.array_equal(still, view):
        return
    axes = tuple(range(1, still.ndim))
    floor = 1e-3 * float(still.std()) + 1e-9
    ratio = (view.std(axis=axes) + floor) / (still.std(axis=axes) + floor)
    shift = abs(view.mean(axis=axes) - still.mean(axis=axes)) / (still.std() + 1e-9)
    off = (abs(np.log(ratio)) > np.log(SPREAD)) | (shift > MOVED)
    if off.mean() < SHARE:
        return
    named = next((one for one in leaf_layers(setup.model) if hasattr(one, "value_range")), None)
    mend = "Augment pictures in the range that the layers are made for, before they are scaled."
    if named is not None:
        mend += f" '{named.name}' works in {tuple(named.value_range)}: put it in front of the "
        mend += f"scaling, or give it value_range={_usual_range(still)}."
    yield Finding(
        "augmentation",
        "error",
        f"In training, {off.mean():.0%} of {len(view)} pictures reach '{entry.name}' in quite "
        f"another range than in evaluation: {view.min():.3g} to {view.max():.3g} in place of "
        f"{still.min():.3g} to {still.max():.3g}.",
        mend,
    )


def _usual_range(values: np.ndarray) -> tuple[float, float]:
    """The smallest of the usual ranges of pixels that holds them, else their own."""
    low, high = float(values.min()), float(values.max())
    usual = sorted(PIXELS.values(), key=lambda pair: pair[1] - pair[0])
    return next((pair for pair in usual if pair[0] <= low and high <= pair[1]), (low, high))


def check_batches(setup: Setup) -> Iterator[Finding]:
    """BatchNormalization that trains on batches of a few pictures."""
    import keras

    sizes = setup.train.sizes
    if not setup.train_data.is_dataset or not sizes or np.median(sizes) >= SMALL:
        return
    ids, base = training_ids(setup.model), set(divide(setup.model).base)
    found = [
        leaf
        for leaf in leaf_layers(setup.model)
        if isinstance(leaf, keras.layers.BatchNormalization)
        and leaf not in base  # which 'BatchNormalization' judges
        and leaf.trainable
        and trains(leaf, ids)
    ]
    if not found:
        return
    size = int(np.median(sizes))
    alone = size == 1 and not sees_maps(found[0])
    yield Finding(
        "batches",
        "error" if alone else "warning",
        f"'{found[0].name}' normalises with batches of {size}"
        + (
            ": one number less its own mean is 0, whatever the picture."
            if alone
            else ": in training it sees other statistics than in evaluation."
        ),
        "dataset.unbatch().batch(32); with little memory, keras.layers.LayerNormalization() in "
        "place of BatchNormalization.",
    )
