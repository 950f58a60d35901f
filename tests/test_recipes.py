"""The recipes: each of the two texts' numbers, and which one is taken."""

from __future__ import annotations

import json

import keras
import pytest

from helpers import bases, paths, recipes
from helpers.recipes import RECIPES

VARIABLES = ("COURSE_RECIPE", "COURSE_PICTURES")


@pytest.fixture(autouse=True)
def own_choice(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_tutorials_numbers():
    recipe = RECIPES["tutorial"]
    assert (recipe.network, recipe.side, recipe.unfreeze_from) == ("MobileNetV2", 160, 100)
    assert (recipe.head_rate, recipe.head_epochs) == (1e-4, 10)
    assert (recipe.fine_tuning_rate, recipe.fine_tuning_epochs) == (1e-5, 10)


def test_the_articles_numbers():
    recipe = RECIPES["article"]
    assert (recipe.network, recipe.side, recipe.unfreeze_from) == ("Xception", 150, 0)
    assert (recipe.head_rate, recipe.head_epochs) == (1e-3, 20)
    assert (recipe.fine_tuning_rate, recipe.fine_tuning_epochs) == (1e-5, 10)
    assert recipe.tfds == "cats_vs_dogs" and recipe.class_names == ("cat", "dog")


@pytest.mark.parametrize("name", RECIPES)
def test_the_network_is_the_base_and_has_the_cut(name):
    recipe = RECIPES[name]
    network = getattr(keras.applications, recipe.network)
    shape = (*recipe.image_size, 3)
    built = network(input_shape=shape, include_top=False, weights=None, **recipe.options)
    base = bases.load(recipe.base, None, recipe.side)
    assert [type(layer) for layer in built.layers] == [type(layer) for layer in base.layers]
    assert built.count_params() == base.count_params()
    assert 0 < recipe.depth < len(bases.cuts(base))
    assert 0 <= recipe.unfreeze_from < len(base.layers)


@pytest.mark.parametrize(
    ("variable", "text", "name"),
    [
        ("COURSE_RECIPE", "tutorial", "tutorial"),
        ("COURSE_RECIPE", "article", "article"),
        ("COURSE_RECIPE", "", "drawings"),
        ("COURSE_PICTURES", "photos", "tutorial"),
        ("COURSE_PICTURES", "tfds", "article"),
        ("COURSE_PICTURES", "drawings", "drawings"),
    ],
)
def test_a_variable_chooses(monkeypatch, variable, text, name):
    monkeypatch.setenv(variable, text)
    assert recipes.chosen() is RECIPES[name]


def test_the_choice_is_kept_and_a_variable_goes_before_it(monkeypatch):
    assert recipes.chosen().name == "drawings"
    recipes.choose("article")
    assert recipes.chosen() is RECIPES["article"]
    monkeypatch.setenv("COURSE_PICTURES", "photos")
    assert recipes.chosen().name == "tutorial"
    monkeypatch.setenv("COURSE_RECIPE", "drawings")
    assert recipes.chosen().name == "drawings"


def test_a_folder_of_ones_own(tmp_path):
    folder = tmp_path / "mine"
    (folder / "a").mkdir(parents=True)
    recipe = recipes.choose("folder", folder)
    assert recipes.chosen() == recipe
    assert recipe.pictures == str(folder) and recipe.network == "MobileNetV2"
    (folder / "a").rmdir()
    folder.rmdir()
    assert recipes.chosen().name == "drawings"  # a folder that is gone stops no lesson


@pytest.mark.parametrize(
    ("name", "folder", "complaint"),
    [
        ("tutrial", None, "recipe 'tutrial'. Expected: one of drawings, tutorial, article, folder"),
        ("folder", None, "Expected: the path of a folder"),
        ("folder", "/not/there", "the folder '/not/there'"),
    ],
)
def test_what_is_no_recipe_is_refused_and_the_choice_stays(name, folder, complaint):
    recipes.choose("tutorial")
    with pytest.raises(ValueError, match=complaint):
        recipes.choose(name, folder)
    assert recipes.chosen().name == "tutorial"


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"name": "lost"}', '{"name": 3}'])
def test_a_damaged_choice_stops_no_lesson(kept):
    paths.cache_folder().mkdir(parents=True, exist_ok=True)
    recipes.choice_path().write_text(kept, encoding="utf-8")
    assert recipes.chosen().name == "drawings"


def test_a_recipe_says_how_to_change_it():
    said = repr(RECIPES["drawings"]).splitlines()
    assert said[-1] == "To change it: the start page, or recipes.choose('tutorial')."
    assert max(map(len, said)) <= 100


def test_an_example_has_the_recipes_size():
    image = RECIPES["drawings"].example()
    assert image.shape == (96, 96, 3) and image.dtype == "uint8" and image.std() > 10


def test_minutes_are_shortened_by_a_variable(monkeypatch):
    monkeypatch.setenv("COURSE_MINUTES", "0.5")
    assert recipes.chosen().minutes == 0.5
    monkeypatch.setenv("COURSE_MINUTES", "soon")
    with pytest.raises(ValueError, match=r"COURSE_MINUTES='soon'\. Expected: a number"):
        recipes.chosen()


def test_the_kept_choice_is_one_small_file():
    recipes.choose("article")
    assert json.loads(recipes.choice_path().read_text()) == {"name": "article", "folder": None}
