"""The drawings: repeatable, true to their outlines, and from a table that anybody can extend."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from helpers import drawings, pictures
from helpers.drawings import __main__ as program
from helpers.drawings import extras, markings, sets, traits
from helpers.drawings.canvas import Pose, smooth
from helpers.drawings.species import CAT, OTHERS

# Members of the two families, Felidae and Canidae, under the names that a row might have.
CATS_AND_DOGS = (
    "cat", "lion", "tiger", "leopard", "jaguar", "lynx", "cheetah", "puma", "panther", "ocelot",
    "serval", "caracal", "dog", "wolf", "fox", "jackal", "coyote", "dingo", "tanuki", "dhole",
)  # fmt: skip


@pytest.fixture(scope="module")
def embedded():
    return sets.read_truth()


def test_the_same_seed_gives_the_same_picture_to_the_bit():
    first, second = (drawings.draw("cat", seed=3) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)
    assert np.array_equal(first.outline, second.outline)
    assert not np.array_equal(first.picture, drawings.draw("cat", seed=4).picture)


@pytest.mark.parametrize("animal", sorted(drawings.ANIMALS))
def test_every_animal_of_the_table_is_drawn_within_its_picture(animal):
    drawing = drawings.draw(animal, seed=1)
    assert drawing.picture.shape == (96, 96, 3)
    assert drawing.picture.dtype == np.uint8
    assert 0.03 < drawing.outline.mean() < 0.9
    assert drawing.animal == animal


@pytest.mark.parametrize("animal", ["cat", "dog", "deer", "giraffe", "elephant", "owl"])
def test_the_outline_parts_what_a_backdrop_changes_from_what_it_does_not(animal):
    night, snow = (
        drawings.draw(animal, seed=8, backdrops=[backdrop], occluders=["nothing"])
        for backdrop in ("night", "snow")
    )
    assert np.array_equal(night.outline, snow.outline)
    assert night.pose == snow.pose
    changed = np.abs(night.picture.astype(int) - snow.picture).max(axis=2) > 12
    inside, outside = changed[night.outline].mean(), changed[~night.outline].mean()
    # Half-covered pixels along the edge change, too.
    assert inside < 0.08
    assert outside > 0.9


def test_what_stands_before_the_animal_is_taken_from_its_outline():
    free, hidden = (
        drawings.draw("dog", seed=5, occluders=[occluder]).outline
        for occluder in ("nothing", "stick")
    )
    assert (free & ~hidden).any()
    assert not (hidden & ~free).any()


def test_a_picture_does_not_depend_on_how_many_are_drawn_beside_it():
    both = drawings.draw_many(["cat", "dog"], 2, seed=7)
    assert [drawing.animal for drawing in both] == ["cat", "dog", "cat", "dog"]
    alone = drawings.draw_many(["dog"], 3, seed=7)
    assert np.array_equal(both[3].picture, alone[1].picture)


def test_several_processes_draw_the_same():
    one = drawings.draw_many(["cat"], 70, seed=2, processes=1)  # a process takes 64 at a time
    two = drawings.draw_many(["cat"], 70, seed=2, processes=2)
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(one, two, strict=True))


def test_a_cue_is_planted_and_swapped_with_the_same_animals():
    planted = {"cat": ["room"], "dog": ["meadow"]}
    swapped = {"cat": ["meadow"], "dog": ["room"]}
    first = drawings.draw_many(["cat", "dog"], 4, seed=1, backdrops=planted)
    second = drawings.draw_many(["cat", "dog"], 4, seed=1, backdrops=swapped)
    assert {(one.animal, one.backdrop) for one in first} == {("cat", "room"), ("dog", "meadow")}
    assert {(one.animal, one.backdrop) for one in second} == {("cat", "meadow"), ("dog", "room")}
    assert [(one.breed, one.pose) for one in first] == [(one.breed, one.pose) for one in second]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"animal": "unicorn"}, "animal 'unicorn'. Expected: one of cat, dog"),
        ({"backdrops": ["moon"]}, r"backdrops \['moon'\]. Expected: some of"),
        ({"backdrops": []}, "backdrops none"),
        ({"occluders": ["moon"]}, r"occluders \['moon'\]"),
        ({"occluders": []}, "occluders none"),
        ({"seed": -1}, "seed -1. Expected: whole numbers from 0"),
        ({"seed": (3, -1)}, r"seed \(3, -1\)"),
    ],
)
def test_unknown_names_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        drawings.draw(**{"animal": "cat", "seed": 0, **arguments})


@pytest.mark.parametrize(
    ("animals_drawn", "arguments", "message"),
    [
        (["cat", "unicorn"], {}, "animal 'unicorn'"),
        (["cat", "dog", "cat"], {}, "Received: cat twice"),
        (["cat"], {"each": -3}, "Received: animals -3 times"),
        (["cat"], {"seed": -1}, "seed -1"),
        (["cat"], {"backdrops": {"cats": ["room"]}}, "backdrops for cats. Expected: only for"),
        (["cat"], {"backdrops": {"cat": ["moon"]}}, r"backdrops \['moon'\]"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(animals_drawn, arguments, message):
    with pytest.raises(ValueError, match=message):
        drawings.draw_many(animals_drawn, **{"each": 1, "seed": 0, **arguments})


# The table


def test_no_animal_for_pretraining_is_a_cat_or_a_dog():
    names = [animal.name for animal in OTHERS]
    assert len(set(names)) == len(names) >= 42
    assert not [name for name in names if set(name.split()) & set(CATS_AND_DOGS)]


@pytest.mark.parametrize("animal", drawings.ANIMALS.values(), ids=lambda animal: animal.name)
def test_a_row_names_only_what_there_is(animal):
    known_words = {
        "coats": traits.COATS,
        "markings": markings.MARKINGS,
        "irises": traits.IRISES,
        "nose_colours": traits.NOSES,
        **traits.WORDS,
    }
    row = {"coats": animal.coats, "markings": animal.markings}
    for own in (row, animal.traits, *(breed.traits for breed in animal.breeds)):
        assert set(own) <= {*traits.FACE, *row}
        for name, known in known_words.items():
            words = own.get(name, ())
            for word in (words,) if isinstance(words, str) else words:
                assert set(word.split("+")) <= set(known), (name, word)
    for names in (animal.extras, *(breed.extras or () for breed in animal.breeds)):
        assert set(names) <= set(extras.EXTRAS)


def test_a_breed_may_lack_what_its_species_has():
    cow = drawings.ANIMALS["cow"]
    found = {
        breed.name: traits.choose_traits(cow, breed, np.random.default_rng(0)).extras
        for breed in cow.breeds
    }
    assert found == {"horned": ("horns",), "hornless": ()}


def test_a_new_row_is_a_new_class(monkeypatch):
    row = traits.Animal("wolpertinger", ("tan",), traits={"ear_length": (1.2, 1.4)})
    monkeypatch.setitem(drawings.ANIMALS, "wolpertinger", row)
    assert drawings.draw("wolpertinger", seed=0).outline.any()


def test_a_breed_overrides_its_species_and_that_overrides_what_is_usual():
    breed = traits.Breed("blue", {"irises": "blue", "whiskers": 1.0})
    chosen = traits.choose_traits(CAT, breed, np.random.default_rng(0))
    assert chosen.iris == traits.IRISES["blue"]
    assert chosen.whiskers == 1.0
    low, high = CAT.traits["muzzle_length"]
    assert low <= chosen.muzzle_length <= high
    assert chosen.ear_depth <= traits.FACE["ear_depth"][1]


def test_the_description_says_what_was_drawn():
    drawing = drawings.draw("owl", seed=1)
    assert drawing.traits["nose beak"] == 1.0
    assert drawing.traits["nose triangle"] == drawing.traits["whiskers"] == 0.0
    assert sum(value for name, value in drawing.traits.items() if name.startswith("pupil ")) == 1
    assert set(drawing.traits) == set(drawings.draw("cat", seed=1).traits)
    assert all(isinstance(value, float) for value in drawing.traits.values())
    for word, known in traits.WORDS.items():
        for animal in drawings.ANIMALS.values():
            words = animal.traits.get(word, ())
            assert set((words,) if isinstance(words, str) else words) <= set(known)


def test_a_turned_head_moves_what_is_near_further_than_what_is_far():
    pose = Pose(yaw=0.4, pitch=0.0, roll=0.0, scale=0.3, x=0.5, y=0.5)
    near, far = pose.project(np.array([[0, 0, 1.0], [0, 0, 0.0]]))
    assert near[0] > far[0]
    assert near[1] == far[1]


def test_a_smooth_curve_goes_through_its_points():
    points = np.array([[0, 0], [1, 2], [3, 1], [2, -1]])
    curve = smooth(points, steps=5)
    assert np.allclose(curve[::5], points)
    assert np.allclose(smooth(points, steps=5, closed=False)[-1], points[-1])


# The embedded set


def test_the_embedded_set_is_as_large_as_promised(embedded):
    counts = embedded.groupby(["part", "animal"]).size()
    for part, each in (("train", 500), ("validation", 250), ("test", 250)):
        assert counts[part, "cat"] == counts[part, "dog"] == each
    files = sorted(sets.EMBEDDED.rglob("*.webp"))
    names = {file.relative_to(sets.EMBEDDED).as_posix() for file in files}
    assert names == set(embedded.index)
    everything = [file for file in sets.EMBEDDED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in everything) < 8e6


def test_no_backdrop_or_occluder_gives_the_class_away(embedded):
    train = embedded[embedded["part"] == "train"]
    shares = (train["animal"] == "cat").groupby(train["backdrop"]).mean()
    assert set(shares.index) == set(drawings.BACKDROPS)
    # 111 pictures a backdrop: within three standard deviations of one half.
    assert shares.between(0.36, 0.64).all()
    for animal in ("cat", "dog"):
        free = train.loc[train["animal"] == animal, "occluder"] == "nothing"
        assert free.mean() == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(("part", "number"), [("train", 0), ("validation", 24), ("test", 17)])
def test_the_program_draws_the_embedded_pictures_again(embedded, part, number):
    place = list(sets.Order().each).index(part)
    for drawing in drawings.draw_many(["cat", "dog"], number + 1, seed=place)[-2:]:
        name = f"{part}/{drawing.animal}/{drawing.animal}_{number:04d}.webp"
        with Image.open(sets.EMBEDDED / name) as image:
            stored = np.asarray(image.convert("RGB")).astype(int)
        # WebP keeps a picture only nearly.
        assert np.abs(stored - drawing.picture).mean() < 6
        row = embedded.loc[name]
        assert (row["breed"], row["backdrop"]) == (drawing.breed, drawing.backdrop)


def test_the_drawings_load_as_pillow_decodes_them():
    data = pictures.load("drawings", size=96, quiet=True)
    assert data.class_names == ("cat", "dog")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [1000, 500, 500]
    for split, row in ((data.train, 0), (data.test, 499)):
        with Image.open(sets.EMBEDDED / split.files[row]) as image:
            expected = np.asarray(image.convert("RGB")).astype(int)
        # Two decoders may round the conversion of colours differently.
        assert np.abs(split.images[row] - expected).max() <= 3
        assert split.files[row].split("/")[1] == data.class_names[split.labels[row]]
    together = [*data.train.files, *data.validation.files, *data.test.files]
    assert len(set(together)) == 2000


@pytest.mark.parametrize("missing", ["truth.csv", "test", "train/cat/cat_0003.webp"])
def test_drawings_that_are_not_whole_say_how_to_get_them_back(tmp_path, monkeypatch, missing):
    folder = tmp_path / "drawings"
    # Links would do, but not on every Windows.
    shutil.copytree(sets.EMBEDDED, folder)
    monkeypatch.setattr(sets, "EMBEDDED", folder)
    assert pictures.is_ready("drawings") is None
    target = folder / missing
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with pytest.raises(RuntimeError, match="git checkout data/drawings"):
        pictures.load("drawings", size=96)


# The program


def test_the_program_draws_a_folder_that_the_course_loads(tmp_path, capsys):
    folder = tmp_path / "more"
    order = [str(folder), "--animals", "owl", "frog", "--each", "6", "--seed", "3"]
    assert program.main([*order, "--backdrop", "owl=night"]) == 0
    assert f"12 drawings in {folder / 'pictures'}" in capsys.readouterr().out
    truth = sets.read_truth(folder)
    assert set(truth.loc[truth["animal"] == "owl", "backdrop"]) == {"night"}
    data = pictures.load(str(folder / "pictures"), size=96, quiet=True)
    assert data.class_names == ("frog", "owl")


def test_the_program_draws_a_sheet(tmp_path, capsys):
    file = tmp_path / "owls.png"
    assert program.main(["--sheet", str(file), "--animals", "owl", "--each", "5"]) == 0
    expected = drawings.draw_many(["owl"], 5, seed=10)
    with Image.open(file) as image:
        assert image.size == (12 * 98 - 2, 96)
        assert np.array_equal(np.asarray(image)[:, 98:194], expected[1].picture)
    capsys.readouterr()
    for wrong in ([str(tmp_path), "--sheet", str(file)], ["--sheet", str(tmp_path / "owls.foo")]):
        assert program.main(wrong) == 2
        assert "Expected: a file that ends in .png" in capsys.readouterr().err
    assert program.main(["--sheet", str(tmp_path / "nowhere" / "owls.png")]) == 2


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["--each", "0"], "--each 0"),
        (["--seed", "0"], "--seed 0"),
        (["--animals", "unicorn"], "animal 'unicorn'"),
        (["--backdrop", "owl=night"], "backdrops for owl. Expected: only for the animals"),
        (["--backdrop", "cat=moon"], r"backdrops ['moon']"),
    ],
)
def test_the_program_refuses_what_makes_no_sense(tmp_path, capsys, order, message):
    assert program.main([str(tmp_path / "new"), *order]) == 2
    assert message in capsys.readouterr().err


def test_the_program_draws_over_nothing(tmp_path, capsys):
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    for wrong in (tmp_path, mine):
        assert program.main([str(wrong)]) == 2
        assert "is not empty" in capsys.readouterr().err
    assert program.main(["--each", "700"]) == 2
    assert "what to draw, and no folder" in capsys.readouterr().err
