"""Suspicious labels, and what was decided about them; scikit-learn is the oracle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from helpers import pictures
from helpers.pictures import labels


def clouds(each: int = 30, classes: int = 3, channels: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    given = np.repeat(np.arange(classes), each)
    centres = random.normal(0, 3, (classes, channels))
    return (centres[given] + random.normal(0, 1, (len(given), channels))).astype("float32"), given


def test_every_probability_comes_from_a_head_that_was_trained_without_the_picture():
    features, given = clouds()
    expected = np.empty((len(given), 3))
    for train, held in StratifiedKFold(5, shuffle=True, random_state=0).split(features, given):
        head = LogisticRegression(C=0.01, max_iter=5000, tol=1e-8).fit(
            features[train], given[train]
        )
        expected[held] = head.predict_proba(features[held])
    np.testing.assert_allclose(labels.out_of_fold(features, given), expected, atol=2e-3)


@pytest.mark.parametrize("shape", [(40, 200), (200, 40)])
def test_a_rotation_keeps_all_distances(shape):
    features = np.random.default_rng(1).normal(size=shape).astype("float32")
    found = labels.rotated(features)
    assert found.shape == (shape[0], min(shape))
    for row in (0, 7):
        before = np.linalg.norm(features - features[row], axis=1)
        np.testing.assert_allclose(
            np.linalg.norm(found - found[row], axis=1), before, rtol=1e-4, atol=1e-4
        )


def test_planted_errors_come_first():
    features, given = clouds(classes=4)
    wrong = given.copy()
    planted = [3, 40, 77, 100]
    wrong[planted] = (given[planted] + 1) % 4
    first = labels.suspects(labels.out_of_fold(features, wrong), wrong)[:4]
    assert sorted(first) == planted


def test_pictures_of_a_group_stay_together():
    """Noise without any class, each picture twice: only who has seen the twin knows the label."""
    random = np.random.default_rng(0)
    features = np.repeat(random.normal(size=(60, 300)), 2, axis=0)
    given = np.repeat(random.permutation(np.repeat([0, 1], 30)), 2)
    leaking = labels.out_of_fold(features, given, strength=1.0)
    apart = labels.out_of_fold(features, given, strength=1.0, groups=np.repeat(np.arange(60), 2))
    assert np.mean(leaking.argmax(axis=1) == given) > 0.8
    assert np.mean(apart.argmax(axis=1) == given) < 0.7


def test_folds_are_counted_by_groups():
    features, given = clouds(each=6, channels=5)
    bursts = np.arange(18) // 2
    bursts[6:12] = 99
    with pytest.raises(ValueError, match=r"the smallest \(class 1\) with 1 groups. Expected: two"):
        labels.out_of_fold(features, given, groups=bursts)
    bursts[6:9] = 98
    found = labels.out_of_fold(features, given, groups=bursts)  # two folds, as class 1 has groups
    np.testing.assert_allclose(found.sum(axis=1), 1)
    with pytest.raises(ValueError, match=r"groups of shape \(3,\) for 18 labels"):
        labels.out_of_fold(features, given, groups=bursts[:3])


def test_groups_that_cannot_be_dealt_evenly_are_refused():
    """Every class has two groups or three, and yet two folds part one from the rest."""
    features, _ = clouds(each=4, classes=2, channels=5)
    given, groups = np.array([0, 1, 2, 1, 2, 0, 1, 1]), np.array([1, 2, 2, 0, 0, 0, 0, 2])
    with pytest.raises(ValueError, match=r"put all pictures of class \d into one fold"):
        labels.out_of_fold(features, given, groups=groups)


def test_a_gap_between_the_labels_keeps_each_class_its_column():
    features, given = clouds(classes=2)
    plain = labels.out_of_fold(features, given)
    gap = labels.out_of_fold(features, 2 * given)
    np.testing.assert_array_equal(gap, np.insert(plain, 1, 0.0, axis=1))
    np.testing.assert_array_equal(labels.losses(gap, 2 * given), labels.losses(plain, given))
    order = labels.suspects(gap, 2 * given)
    np.testing.assert_array_equal(order, labels.suspects(plain, given))
    with pytest.raises(ValueError, match="Received: label 2 and probabilities of 2 classes"):
        labels.losses(plain, 2 * given)


@pytest.mark.parametrize("given", [[-1, 0, 1, 1], [0.0, 1.0, 0.0, 1.0], [[0], [1], [0], [1]], []])
def test_what_is_no_number_of_a_class_is_refused(given):
    probability = np.full((4, 2), 0.5)
    for ask in (labels.losses, labels.out_of_fold):
        with pytest.raises(ValueError, match=r"Expected: \(n,\) whole numbers from 0 on"):
            ask(probability, np.array(given))


def test_losses_want_a_row_a_label():
    with pytest.raises(ValueError, match=r"of shape \(3, 2\) and 2 labels"):
        labels.losses(np.full((3, 2), 0.5), np.array([0, 1]))


def test_losses_are_those_of_scikit_learn():
    random = np.random.default_rng(2)
    probability = random.dirichlet(np.ones(4), 50)
    given = random.integers(0, 4, 50)
    found = labels.losses(probability, given)
    assert found.shape == (50,)
    assert np.isclose(found.mean(), log_loss(given, probability, labels=range(4)))
    assert np.isfinite(labels.losses(np.array([[0.0, 1.0]]), np.array([0]))).all()


def test_small_classes_lower_the_number_of_folds():
    features, given = clouds(each=2)
    assert labels.out_of_fold(features, given).shape == (6, 3)


@pytest.mark.parametrize(
    ("rows", "why"),
    [([0, 1, 2], "1 classes"), ([0, 1, 30], r"the smallest \(class 1\) with 1 pictures")],
)
def test_too_few_pictures_are_refused(rows, why):
    features, given = clouds()
    with pytest.raises(ValueError, match=why):
        labels.out_of_fold(features[rows], given[rows])


def test_features_and_labels_must_fit():
    with pytest.raises(ValueError, match=r"shape \(3, 2\) and 2 labels"):
        labels.out_of_fold(np.ones((3, 2)), np.array([0, 1]))


# Decisions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(["ant", "bee", "cow"]):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for count in range(8):
            pixels = np.full((12, 12, 3), 20 * count + 3 * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{count}.png")
    return tmp_path / "pictures"


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
        for path in folder.rglob("*.png")
    }


@pytest.mark.parametrize("in_memory", [True, False])
def test_decisions_make_a_new_set_and_touch_no_file(folder, tmp_path, in_memory):
    found = pictures.load(str(folder), 8, in_memory=in_memory, quiet=True)
    before = contents(folder)
    kept, moved, gone = found.train.files[:3]
    decisions = labels.Decisions(tmp_path / "decisions.json")
    decisions.keep(kept)
    target = next(name for name in found.class_names if not moved.startswith(name))
    decisions.relabel(moved, target)
    decisions.leave_out(gone)
    decisions.leave_out(found.test.files[0])
    cleaned = labels.apply(found, decisions)
    assert cleaned.train.files == (kept, moved, *found.train.files[3:])
    assert cleaned.class_names[cleaned.train.labels[1]] == target
    expected = np.concatenate([found.train.images[:2], found.train.images[3:]])
    np.testing.assert_array_equal(cleaned.train.images[:], expected)
    np.testing.assert_array_equal(cleaned.train.labels[2:], found.train.labels[3:])
    assert len(cleaned.train.sizes) == len(cleaned.train) == len(found.train) - 1
    assert cleaned.test.files == found.test.files[1:]
    assert cleaned.validation.files == found.validation.files
    assert (gone, "left out by your decision") in cleaned.left_out
    assert found.train.files[1] == moved and not found.left_out
    assert contents(folder) == before
    assert labels.apply(cleaned, decisions).train.files == cleaned.train.files


def test_decisions_are_there_in_the_next_session(tmp_path):
    first = labels.Decisions(tmp_path / "inside" / "decisions.json")
    first.relabel("ant/1.png", "bee")
    first.leave_out("ant/ü.png")
    first.keep("bee/2.png")
    first.forget("bee/2.png")
    first.forget("never")
    again = labels.Decisions(tmp_path / "inside" / "decisions.json")
    assert dict(again) == dict(first)
    assert again["ant/1.png"] == labels.Decision("relabel", "bee")
    assert repr(again) == "keep: 0, relabel: 1, leave out: 1"
    assert [path.name for path in (tmp_path / "inside").iterdir()] == ["decisions.json"]


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"a": 3}', '{"a": {"action": "burn"}}', '{"a": {"action": "relabel"}}']
)
def test_a_file_without_decisions_is_named_and_left(tmp_path, text):
    path = tmp_path / "decisions.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="cannot be read as decisions"):
        labels.Decisions(path)
    assert path.read_text() == text


def test_decisions_without_a_file_are_kept_in_memory():
    decisions = labels.Decisions()
    decisions.keep("a")
    assert str(decisions["a"]) == "keep" and list(decisions) == ["a"]
    json.dumps(list(decisions))


def test_two_folders_of_one_name_have_their_own_decisions(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    one, other = labels.path_for(tmp_path / "a" / "pets"), labels.path_for(tmp_path / "b" / "pets")
    assert one != other and one == labels.path_for(tmp_path / "b" / ".." / "a" / "pets")
    assert one.parent == tmp_path / "cache" / "decisions" and one.name.startswith("pets-")


def test_unknown_files_and_classes_are_refused(folder):
    found = pictures.load(str(folder), 8, quiet=True)
    with pytest.raises(ValueError, match="1 files that are not in the set, the first dog"):
        labels.apply(found, {"dog/1.png": labels.Decision("keep")})
    with pytest.raises(ValueError, match="Received: a relabelling to dog"):
        labels.apply(found, {found.train.files[0]: labels.Decision("relabel", "dog")})


def test_a_class_without_training_pictures_is_refused(folder):
    found = pictures.load(str(folder), 8, quiet=True)
    out = {
        file: labels.Decision("leave out") for file in found.train.files if file.startswith("bee")
    }
    with pytest.raises(ValueError, match="no training picture of 'bee'"):
        labels.apply(found, out)


def test_a_picture_that_was_left_out_cannot_be_relabelled(folder):
    (folder / "cow" / "broken.png").write_bytes(b"no picture")
    (folder / "ant" / "copy.png").write_bytes((folder / "ant" / "0.png").read_bytes())
    found = pictures.load(str(folder), 8, quiet=True)
    assert len(found.left_out) == 2
    for file, reason in found.left_out:
        with pytest.raises(ValueError, match=rf"'relabel to bee' for {file}.*\({reason}\)"):
            labels.apply(found, {file: labels.Decision("relabel", "bee")})
    harmless = {
        file: labels.Decision(action)
        for action in ("keep", "leave out")
        for file, _ in found.left_out
    }
    assert labels.apply(found, harmless).left_out == found.left_out


def test_what_was_decided_to_go_comes_back_in_the_set_as_it_was_loaded(folder):
    found = pictures.load(str(folder), 8, quiet=True)
    decisions = labels.Decisions()
    decisions.leave_out(file := found.train.files[0])
    cleaned = labels.apply(found, decisions)
    for decide in (decisions.keep, lambda name: decisions.relabel(name, "bee")):
        decide(file)
        with pytest.raises(ValueError, match="apply the decisions to the set as it was loaded"):
            labels.apply(cleaned, decisions)
        assert labels.apply(found, decisions).train.files == found.train.files
