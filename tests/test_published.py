"""The published model, and what is fine-tuned of it: made once, and anew where it has to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import bases, pictures, published, recipes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[recipes.Recipe, Path, Path]]:
    """The drawings' recipe on few pictures, and the files of both models."""
    whole = pictures.load("drawings", 96, quiet=True)
    few = {
        name: replace(split, images=split.images[:48], labels=split.labels[:48])
        for name, split in (("train", whole.train), ("validation", whole.validation))
    }
    data = replace(whole, **few)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(pictures, "load", lambda *arguments, **options: data)
        recipe = replace(recipes.find("drawings"), head_epochs=1)
        yield recipe, published.frozen_model(recipe), published.tuned_model(recipe)


def test_fine_tuning_moves_what_lies_above_the_cut_and_no_batch_normalization(made) -> None:
    recipe, *files = made
    frozen, tuned = (keras.models.load_model(file) for file in files)
    inside = [
        next(layer for layer in model.layers if hasattr(layer, "layers"))
        for model in (frozen, tuned)
    ]
    names = [layer.name for layer in inside[0].layers]
    cut = names.index(bases.cuts(inside[0])[-1 - recipe.depth])
    for index, name in enumerate(names):
        before, after = (base.get_layer(name) for base in inside)
        same = all(map(np.array_equal, before.get_weights(), after.get_weights()))
        still = index <= cut or isinstance(before, keras.layers.BatchNormalization)
        assert same == (still or not before.weights), name
    assert not np.array_equal(frozen.layers[-1].get_weights()[0], tuned.layers[-1].get_weights()[0])


def test_what_is_there_is_made_anew_only_where_the_model_below_it_is_newer(
    made, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, frozen, tuned = made
    asked: list[Path] = []

    def fine_tuned(_: recipes.Recipe, path: Path) -> keras.Model:
        asked.append(path)
        return keras.models.load_model(path)

    monkeypatch.setattr(published, "_fine_tuned", fine_tuned)
    assert published.tuned_model(recipe) == tuned and not asked
    later = tuned.stat().st_mtime + 10
    os.utime(frozen, (later, later))
    assert published.tuned_model(recipe) == tuned and asked == [frozen]
