"""The project that closes the course: what is handed in is judged, and said what is missing."""

import hashlib
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import bases, drawings, evaluation, export, features, training
from helpers.exercises import progress, project
from helpers.preflight.report import Finding, Inspection

ANIMALS = ("owl", "hedgehog", "penguin")
TESTED = evaluation.Accuracy(55, 60)
SOUND = Inspection((), ("scaling",), ())


def drawn(animals, each, seed):
    """Pictures and labels."""
    found = drawings.draw_many(animals, each, seed, processes=1)
    labels = [animals.index(drawing.animal) for drawing in found]
    return np.stack([drawing.picture for drawing in found]), np.array(labels)


@pytest.fixture(scope="module")
def extractor():
    return keras.Sequential(
        [
            keras.Input((96, 96, 3)),
            bases.find("drawn").scaling(),
            bases.load("drawn"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


@pytest.fixture(scope="module")
def models(extractor):
    """A sound model of three animals: with its scaling, without it, and one that always guesses."""
    images, labels = drawn(ANIMALS, 40, 5)
    head = training.reference_head(features.extract(extractor, images, quiet=True), labels)
    guess = keras.layers.Dense(3, kernel_initializer="zeros")
    return {
        "sound": keras.Sequential([keras.Input((96, 96, 3)), *extractor.layers, head]),
        "unscaled": keras.Sequential([keras.Input((96, 96, 3)), *extractor.layers[1:], head]),
        "guess": keras.Sequential([keras.Input((96, 96, 3)), *extractor.layers, guess]),
    }


@pytest.fixture(scope="module")
def sound(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    return export.litert(models["sound"], folder / "sound.tflite", class_names=ANIMALS)


def handed_in(sound, folder, **changed):
    """A copy of the sound file with another record."""
    file = shutil.copy(sound, folder / "model.tflite")
    record = json.loads(sound.with_name("sound.tflite.json").read_text(encoding="utf-8"))
    (folder / "model.tflite.json").write_text(json.dumps(record | changed), encoding="utf-8")
    return file


def missing(*arguments, **options):
    return " ".join(project.judge(*arguments, **options).missing)


def test_a_sound_file_is_judged_by_new_pictures(sound):
    report = project.judge(sound, TESTED, seed=1)
    assert not report.missing and report.class_names == ANIMALS
    assert report.accuracy.total == 120 and report.accuracy.value > 0.8
    assert "Nothing is missing." in repr(report) and str(report.accuracy) in repr(report)


def test_its_pictures_are_new_ones_each_time_and_the_same_with_a_seed(sound):
    one, other = (project._unseen(ANIMALS, 96, None, None, None)[0] for _ in range(2))
    assert not np.array_equal(one, other)
    one, other = (project._unseen(ANIMALS, 96, None, None, 3)[0] for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_a_model_of_another_size_gets_them_resized():
    assert project._unseen(ANIMALS, 64, None, None, 3)[0].shape == (120, 64, 64, 3)


@pytest.mark.parametrize("order", [(1, 2, 0), (1, 0, 2)])
def test_class_names_in_another_order_are_found(sound, tmp_path, order):
    names = [ANIMALS[label] for label in order]
    said = missing(handed_in(sound, tmp_path, class_names=names), seed=1)
    assert f"Its outputs mean {', '.join(ANIMALS)}, in this order" in said


def test_scaling_outside_the_model_is_found(models, tmp_path):
    file = export.onnx(
        models["unscaled"], tmp_path / "model.onnx", class_names=ANIMALS, pixels="0 to 255"
    )
    assert "With pixels of -1 to 1 it is right far more often" in missing(file, seed=1)


def test_scaling_outside_is_no_fault_where_the_record_says_so(models, tmp_path):
    file = export.onnx(
        models["unscaled"], tmp_path / "model.onnx", class_names=ANIMALS, pixels="-1 to 1"
    )
    assert not missing(file, seed=1)


def test_a_model_that_guesses_is_found(models, tmp_path):
    file = export.onnx(models["guess"], tmp_path / "model.onnx", class_names=ANIMALS)
    assert "not shown to be better than guessing, 0.33" in missing(file, seed=1)


def test_to_name_the_larger_class_is_to_guess(models, sound, tmp_path, kept_aside):
    for name in ("hedgehog", "penguin"):
        for file in sorted((kept_aside / name).iterdir())[2:]:
            file.unlink()
    images, _ = drawn(("owl",), 40, 4)
    for number, image in enumerate(images):
        Image.fromarray(image).save(kept_aside / "owl" / f"more_{number}.png")
    file = export.onnx(models["guess"], tmp_path / "model.onnx", class_names=ANIMALS)
    assert "better than guessing, 0.93" in missing(file, kept_aside=kept_aside)


def test_a_test_set_that_was_trained_on_is_found(extractor, tmp_path):
    """Eight of each kind, known by heart; the base has not met most of these animals."""
    animals = ("cat", "dog", "fossa", "genet", "hyena", "thylacine")
    images, labels = drawn(animals, 8, 7)
    rows = features.extract(extractor, images, quiet=True)
    head = training.reference_head(rows, labels, strength=100.0)
    tested = evaluation.accuracy(np.asarray(head(rows)), labels)
    assert tested.value == 1.0
    model = keras.Sequential([keras.Input((96, 96, 3)), *extractor.layers, head])
    file = export.litert(model, tmp_path / "model.tflite", class_names=animals)
    assert "Was the test set trained on" in missing(file, tested, seed=1)
    assert not missing(file, seed=1)


def test_two_classes_are_too_few(tmp_path):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )
    file = export.onnx(model, tmp_path / "model.onnx", class_names=("cat", "dog"))
    assert "It tells 2 classes apart. The project asks for three" in missing(file)


def test_what_is_no_model_or_not_there_is_said(tmp_path):
    (tmp_path / "model.tflite").write_text("no model")
    (tmp_path / "model.tflite.json").write_text("{}")
    assert "record that is not its own" in missing(tmp_path / "model.tflite")
    assert "no file" in missing(tmp_path / "nothing.tflite")
    assert "ends in .tflite or .onnx" in missing(tmp_path / "model.keras")


def test_a_file_that_only_its_record_calls_a_model_is_said(sound, tmp_path):
    digest = hashlib.sha256(b"no model").hexdigest()
    file = handed_in(sound, tmp_path, sha256=digest)
    (tmp_path / "model.tflite").write_bytes(b"no model")
    assert "LiteRT does not open" in missing(file)


def test_a_file_without_its_record_or_its_names_is_said(sound, tmp_path):
    file = shutil.copy(sound, tmp_path / "model.tflite")
    assert "Its record is missing: hand in model.tflite.json" in missing(file)
    assert "holds no class names" in missing(handed_in(sound, tmp_path, class_names=[]))


@pytest.fixture
def kept_aside(tmp_path):
    images, labels = drawn(ANIMALS, 12, 8)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "kept" / ANIMALS[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    return tmp_path / "kept"


def test_pictures_that_were_kept_aside_judge(sound, kept_aside, capsys):
    (kept_aside / "owl" / "broken.png").write_bytes(b"no picture")
    assert project.judge(sound, kept_aside=kept_aside).accuracy.total == 36
    assert project.main([str(sound), "--kept-aside", str(kept_aside)]) == 0
    assert "Nothing is missing." in capsys.readouterr().out


def test_pictures_that_were_trained_on_do_not(sound, kept_aside, tmp_path):
    (tmp_path / "mine" / "birds").mkdir(parents=True)
    for file in (kept_aside / "owl").iterdir():  # other bytes, another size
        picture = Image.open(file).resize((80, 80))
        picture.save(tmp_path / "mine" / "birds" / f"{file.stem}.jpg", quality=80)
    said = missing(sound, kept_aside=kept_aside, trained_on=tmp_path / "mine")
    assert said.startswith("12 of the 36 pictures in")


def test_other_pictures_of_the_same_animals_are_no_copies(sound, kept_aside, tmp_path):
    images, _ = drawn(ANIMALS, 12, 9)
    (tmp_path / "mine" / "all").mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "mine" / "all" / f"{number}.png")
    assert not missing(sound, kept_aside=kept_aside, trained_on=tmp_path / "mine")


def test_a_folder_that_cannot_judge_is_said(sound, kept_aside, tmp_path):
    assert "no subfolder owl, hedgehog, penguin" in missing(sound, kept_aside=tmp_path)
    for file in list((kept_aside / "owl").iterdir()):
        file.unlink()
    assert "Keep at least 30 aside" in missing(sound, kept_aside=kept_aside)


def test_classes_that_the_course_does_not_draw_need_a_folder(sound, tmp_path):
    file = handed_in(sound, tmp_path, class_names=["owl", "hedgehog", "unicorn"])
    assert "does not draw unicorn" in missing(file)


def test_many_files_are_judged_at_once_by_the_same_pictures(sound, tmp_path, capsys):
    copy = handed_in(sound, tmp_path)
    assert project.main([str(sound), str(copy), str(tmp_path / "nothing.tflite")]) == 1
    said = capsys.readouterr().out
    one, other = (line for line in said.splitlines() if "not seen" in line)
    assert one == other and "no file" in said


# What the lesson's cell says


def check(**answer):
    return project.project.check(answer)


def test_all_that_is_asked_for_makes_it_right_and_is_kept(sound):
    verdict = check(file=sound, tested=TESTED, preflight=SOUND)
    assert verdict.state == "right", verdict.text
    assert progress.read()["project"]["right"]


def test_what_is_not_there_is_said(sound):
    assert "'tested' is missing" in check(file=sound).text
    assert "'tested' is missing" in check(file=sound, tested=0.95).text
    assert "'preflight' is missing" in check(file=sound, tested=TESTED).text
    assert "Received: test." in check(file=sound, test=TESTED).text


def test_what_preflight_found_counts(sound):
    found = Finding("rate", "error", "The rate is 100.", "Take a lower one.")
    verdict = check(file=sound, tested=TESTED, preflight=Inspection((found,), (), ()))
    assert verdict.state == "wrong" and "The rate is 100. Take a lower one." in verdict.text
