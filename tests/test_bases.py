"""Bases against `keras.applications`: scaling, counts, and cuts that really cut."""

import dataclasses
import hashlib
import importlib
import json
from pathlib import Path
from threading import Thread

import h5py
import keras
import numpy as np
import pytest
from keras.src.utils import file_utils  # the oracle of addresses and digests
from serving import serving
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import bases, downloads, drawings, pretrain

# Where `keras.applications` keeps the preprocessing of each base: the oracle of `scaling`.
MODULES = {
    "MobileNetV2": "mobilenet_v2",
    "Xception": "xception",
    "ResNet50V2": "resnet_v2",
    "MobileNetV3Small": "mobilenet_v3",
    "EfficientNetV2B0": "efficientnet_v2",
    "ConvNeXtTiny": "convnext",
    "drawn": "mobilenet_v2",
}


@pytest.fixture(scope="module")
def asked_for():
    """What Keras asks of `get_file`, by base, when it builds them; filled by `built`."""
    return {}


@pytest.fixture(scope="module")
def built(asked_for):
    """Each base once, with random weights; of ImageNet's, Keras only asks for the file."""
    keras.utils.set_random_seed(0)
    made = {"drawn": bases.load("drawn", weights=None)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "load_weights", lambda model, path: None)
        for name, base in bases.BASES.items():

            def get_file(fname, origin, cache_subdir="datasets", file_hash=None, name=name):
                asked_for[name] = fname, origin, file_hash

            patch.setattr(file_utils, "get_file", get_file)
            if base.folder:
                made[name] = base.build(base.size, "imagenet")
    return made


def test_every_base_has_an_oracle():
    assert set(MODULES) == set(bases.BASES)


@pytest.mark.parametrize("name", bases.BASES)
def test_scaling_is_what_keras_applications_does(name):
    module = importlib.import_module(f"keras.applications.{MODULES[name]}")
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    expected = module.preprocess_input(pixels.copy())
    found = keras.ops.convert_to_numpy(bases.find(name).scaling()(pixels))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "parameters", "block"),
    [
        ("MobileNetV2", 2_257_984, (5, 5, 1280)),
        ("Xception", 20_861_480, (5, 5, 2048)),
        ("ConvNeXtTiny", 27_820_128, (5, 5, 768)),  # with its top of 1,000 classes 28.6 million
        ("drawn", 410_208, (3, 3, 1280)),
    ],
)
def test_published_counts_and_shapes(built, name, parameters, block):
    base = built[name]
    size = bases.find(name).size
    assert base.count_params() == parameters
    assert base.input_shape == (None, size, size, 3)
    assert base.output_shape == (None, *block)


@pytest.mark.parametrize("name", [name for name in bases.BASES if name != "ConvNeXtTiny"])
def test_each_cut_parts_the_base_without_changing_what_it_says(built, name):
    base = built[name]
    found = bases.cuts(base)
    assert len(found) >= 5
    ends = [base.get_layer(cut).output for cut in found]
    uppers = [keras.Model(end, base.output) for end in ends[:-1]]  # an error, if more crosses
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, *base.input_shape[1:])).astype("float32")
    *at_cuts, expected = keras.Model(base.input, ends)(pixels, training=False)
    half = len(uppers) // 2
    together = uppers[half](at_cuts[half], training=False)
    np.testing.assert_allclose(together, expected, rtol=1e-4, atol=1e-5)


def test_cuts_of_mobilenet_are_block_ends_and_none_is_inside_a_residual_block(built):
    found = bases.cuts(built["MobileNetV2"])
    assert {"block_12_add", "block_10_project_BN", "block_13_expand_relu"} <= set(found)
    assert found[-1] == "out_relu"
    inside = {"block_12_expand_relu", "block_12_depthwise_relu", "block_12_project_BN"}
    assert not inside & set(found)
    for name in inside:
        with pytest.raises(ValueError, match="not connected"):
            keras.Model(built["MobileNetV2"].get_layer(name).output, built["MobileNetV2"].output)
    order = [layer.name for layer in built["MobileNetV2"].layers]
    assert [order.index(name) for name in found] == sorted(order.index(name) for name in found)


def test_where_no_block_ends_in_a_layer_only_the_end_is_a_cut(built):
    base = built["ConvNeXtTiny"]
    (end,) = bases.cuts(base)
    assert base.get_layer(end).output is base.output


def test_cuts_of_a_small_network_with_a_shortcut():
    inputs = keras.Input(shape=(8, 8, 3))
    stem = keras.layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    inner = keras.layers.Conv2D(4, 3, padding="same", name="inner")(stem)
    added = keras.layers.Add(name="added")([stem, inner])
    ended = keras.layers.Conv2D(4, 1, name="ended")(added)
    assert bases.cuts(keras.Model(inputs, ended)) == ("stem", "added", "ended")


def test_unknown_base_names_the_known_ones():
    with pytest.raises(ValueError, match=r"Received: base 'VGG99'. Expected: one of MobileNetV2"):
        bases.load("VGG99")


def weights_file(path: Path) -> Path:
    """A small HDF5 file, as weights are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["kernel"] = np.arange(10_000.0)
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Nothing is downloaded yet, and this machine is all that can be reached."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setattr(downloads, "BACKOFF_SECONDS", 0)
    monkeypatch.setattr(bases, "KERAS_SERVER", "http://127.0.0.1:9")
    return tmp_path


@pytest.mark.parametrize("name", [name for name, base in bases.BASES.items() if base.folder])
def test_weights_and_digests_are_those_that_keras_asks_for(built, asked_for, name):
    base = bases.find(name)
    assert asked_for[name] == (base.weights_file, base.weights_url, base.digest or None)


@pytest.mark.parametrize("name", ["Xception", "ConvNeXtTiny"])
def test_weights_that_keras_has_a_digest_of_are_compared_with_it(home, monkeypatch, name):
    path = bases.find(name).weights_path
    served = weights_file(home / "served" / path.name)
    with serving(home / "served") as server:
        monkeypatch.setenv("COURSE_MIRROR", server.url)
        with pytest.raises(RuntimeError, match="another file than Keras has the digest of"):
            bases.fetch(name)
    assert not path.exists()
    path.write_bytes(served.read_bytes())  # put there by another program
    with pytest.raises(RuntimeError, match=r"the digest .*as Keras has it\. Delete the file"):
        bases.load(name)


def test_two_that_note_a_digest_at_once_lose_none(home, monkeypatch):
    write, others = bases.write_whole, []

    def while_another_notes(path, contents):
        if not others:
            others.append(Thread(target=bases._first_seen, args=(Path("/second"), "b")))
            others[0].start()
            others[0].join(0.5)  # without a lock it is done by then, and then overwritten
        write(path, contents)

    monkeypatch.setattr(bases, "write_whole", while_another_notes)
    assert bases._first_seen(Path("/first"), "a")[0] == "a"
    others[0].join()
    kept = json.loads((home / "cache" / "weights.json").read_text())
    assert kept == {"/first": "a", "/second": "b"}


def test_is_ready_looks_where_keras_looks_and_at_what_is_there(home):
    assert "fetch bases" in bases.is_ready("MobileNetV2")
    path = weights_file(bases.find("MobileNetV2").weights_path)
    assert path.parent == home / "keras" / "models"
    assert bases.is_ready("MobileNetV2") is None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: b"<!doctype html>" + bytes(641), "656 bytes that are no HDF5 file"),
        (lambda whole: whole[: len(whole) // 2], "damaged or cut short"),
        (lambda whole: whole[:-1], "damaged or cut short"),
        (lambda whole: b"", "0 bytes that are no HDF5 file"),
    ],
)
def test_what_is_no_weights_file_is_named_and_fetched_anew(home, monkeypatch, damage, reason):
    path = bases.find("MobileNetV2").weights_path
    whole = weights_file(path).read_bytes()
    path.write_bytes(damage(whole))
    said = bases.is_ready("MobileNetV2")
    assert str(path) in said and reason in said and "fetch bases" in said
    with pytest.raises(RuntimeError, match=r"no ImageNet weights of MobileNetV2 .*no connection"):
        bases.load("MobileNetV2")
    (home / "served").mkdir()
    (home / "served" / path.name).write_bytes(whole)
    with serving(home / "served") as served:
        monkeypatch.setenv("COURSE_MIRROR", served.url)
        assert bases.fetch("MobileNetV2") == path
        assert bases.fetch("MobileNetV2").read_bytes() == whole  # and is not asked for again
        assert len(served.requests) == 1


def test_a_page_is_never_saved_under_a_weights_files_name(home, monkeypatch):
    path = bases.find("MobileNetV2").weights_path
    (home / "served").mkdir()
    (home / "served" / path.name).write_text("<html>moved</html>")
    with serving(home / "served") as served:
        monkeypatch.setenv("COURSE_MIRROR", served.url)
        with pytest.raises(RuntimeError, match="a web page instead of the file"):
            bases.load("MobileNetV2")
    assert not path.exists()


def test_any_changed_byte_of_weights_is_noticed(home, monkeypatch):
    path = weights_file(bases.find("MobileNetV2").weights_path)
    calls = []
    monkeypatch.setattr(keras.applications, "MobileNetV2", lambda **options: calls.append(options))
    for _ in range(2):
        bases.load("MobileNetV2")
    assert calls[0] == calls[1]
    assert calls[0]["weights"] == str(path) and calls[0]["input_shape"] == (160, 160, 3)
    whole = path.read_bytes()
    with h5py.File(path, "r") as file:
        at = file["kernel"].id.get_offset()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert bases.is_ready("MobileNetV2") is None  # it is whole, only another one
    with pytest.raises(
        RuntimeError, match=r"the digest .*first used here.*fetch bases.*weights\.json"
    ):
        bases.load("MobileNetV2")
    assert len(calls) == 2


def test_imagenet_weights_are_those_of_keras():
    if reason := bases.is_ready("MobileNetV2"):
        pytest.skip(reason)
    options = {"input_shape": (160, 160, 3), "include_top": False, "weights": "imagenet"}
    expected = keras.applications.MobileNetV2(**options).get_weights()
    for weight, oracle in zip(bases.load("MobileNetV2").get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, oracle)


# The embedded base


def test_the_embedded_base_is_what_its_record_says():
    record = json.loads((bases.EMBEDDED / "drawn.json").read_text(encoding="utf-8"))
    weights = bases.find("drawn").weights_path
    assert weights.stat().st_size <= 2.1e6
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == record["sha256"]
    assert tuple(record["classes"]) == pretrain.CLASSES
    assert len(record["classes"]) >= 40
    plan = dataclasses.asdict(pretrain.FULL)
    assert {name: record[name] for name in plan} == plan


def test_the_embedded_base_tells_animals_apart_that_it_never_met(built):
    drawn = drawings.draw_many(pretrain.KEPT_BACK, 100, seed=999)
    images = bases.find("drawn").scaling()(np.stack([drawing.picture for drawing in drawn]))
    labels = np.arange(200) % 2

    def share(base):
        features = np.mean(base(images, training=False), axis=(1, 2))
        head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
        return head.fit(features[:100], labels[:100]).score(features[100:], labels[100:])

    # With random weights, 0.56 to 0.78 over six seeds and three sets of drawings.
    assert share(built["drawn"]) < 0.85 < share(bases.load("drawn"))


def test_damaged_embedded_weights_are_not_loaded(tmp_path, monkeypatch):
    for file in bases.EMBEDDED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(bases, "EMBEDDED", tmp_path)
    weights = tmp_path / "drawn.weights.h5"
    contents = bytearray(weights.read_bytes())
    contents[len(contents) // 2] ^= 1
    weights.write_bytes(contents)
    with pytest.raises(RuntimeError, match=r"SHA-256 .*`git checkout data/bases"):
        bases.load("drawn")
    weights.unlink()
    assert "git checkout data/bases" in bases.is_ready("drawn")
    with pytest.raises(RuntimeError, match="no whole weights and record"):
        bases.load("drawn")
    (tmp_path / "drawn.json").unlink()
    weights.write_bytes(contents)
    assert "git checkout data/bases" in bases.is_ready("drawn")


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("drawn", "imagenet", "Those of imagenet belong to MobileNetV2, Xception"),
        ("MobileNetV2", "drawings", "Those of drawings belong to drawn"),
        ("MobileNetV2", "imagenette", "Expected: 'imagenet', 'pretrained' or None"),
    ],
)
def test_no_weights_stand_in_for_others(name, weights, message):
    with pytest.raises(ValueError, match=message):
        bases.load(name, weights)
