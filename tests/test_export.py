"""Exports against Keras: the same logits from every runtime, or an error that says what to do."""

import json
import subprocess
import sys

import keras
import numpy as np
import onnx as onnx_package
import pytest
from ai_edge_litert.interpreter import Interpreter

from helpers import bases, evaluation, export

SIZE, CLASSES = 16, 3
NAMES = ("ant", "bee", "cow")


def pictures(count, size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3)).astype("uint8")


@pytest.fixture(scope="module")
def model():
    """A small network with what exports have to fold: scaling, BatchNormalization, activations."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 127.5, offset=-1.0),
            layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(CLASSES),
        ]
    )
    generator = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):  # statistics that matter when folded
            layer.moving_mean.assign(generator.normal(0, 0.3, layer.moving_mean.shape))
            layer.moving_variance.assign(generator.uniform(0.3, 2, layer.moving_variance.shape))
    return network


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The model in each format, by name."""
    folder = tmp_path_factory.mktemp("exported")
    files = {
        precision: export.litert(
            model,
            folder / f"{precision}.tflite",
            precision,
            calibration=pictures(50, seed=1) if precision == "int8" else None,
            class_names=NAMES,
        )
        for precision in export.PRECISIONS
    }
    return files | {"onnx": export.onnx(model, folder / "model.onnx", class_names=NAMES)}


# The largest difference that may be, as a share of the range of Keras's logits.
@pytest.mark.parametrize(
    ("name", "share"), [("float", 1e-5), ("float16", 5e-3), ("int8", 0.1), ("onnx", 1e-5)]
)
def test_every_runtime_gives_keras_logits(model, exported, name, share):
    images = pictures(70)  # two batches and some
    expected = model.predict(images, verbose=0)
    found = export.load(exported[name])(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=share * np.ptp(expected))


def test_a_real_base_in_both_formats(tmp_path):
    """Of `keras.applications`, with pooling and a head; the lower blocks are like the others."""
    keras.utils.set_random_seed(0)
    whole_base = bases.load("drawn")
    base = keras.Model(whole_base.input, whole_base.get_layer("block_4_add").output)
    whole = keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            bases.find("drawn").scaling(),
            base,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    images = pictures(5, 96)
    expected = whole.predict(images, verbose=0)
    for path in (
        export.litert(whole, tmp_path / "base.tflite"),
        export.onnx(whole, tmp_path / "base.onnx"),
    ):
        np.testing.assert_allclose(export.load(path)(images), expected, atol=1e-4)


def test_one_picture_gives_what_it_gives_among_others(exported):
    for path in exported.values():
        opened, images = export.load(path), pictures(5)
        together = opened(images)
        alone = np.concatenate([opened(image[np.newaxis]) for image in images])
        np.testing.assert_allclose(alone, together, atol=1e-5)
        np.testing.assert_array_equal(opened(images.astype("float64")), together)


def test_int8_is_integers_but_at_its_ends(exported):
    interpreter = Interpreter(model_path=str(exported["int8"]))
    details = interpreter.get_tensor_details()
    ends = {d["index"] for d in interpreter.get_input_details() + interpreter.get_output_details()}
    between = {detail["dtype"] for detail in details if detail["index"] not in ends}
    assert between <= {np.int8, np.int32}
    # One scale for each channel of the first convolution.
    assert 8 in {len(detail["quantization_parameters"]["scales"]) for detail in details}


def test_float16_keeps_its_weights_in_16_bits(exported):
    details = Interpreter(model_path=str(exported["float16"])).get_tensor_details()
    assert np.float16 in {detail["dtype"] for detail in details}
    assert "float16" in repr(export.load(exported["float16"]))


def test_the_ranges_are_those_of_the_calibration_pictures(model, tmp_path):
    """Pictures scaled outside, 0 to 1, are all black to the model: so are its ranges."""
    images = pictures(50)
    logits = {}
    for name, calibration in {"right": images, "wrong": images / 255.0}.items():
        path = export.litert(model, tmp_path / f"{name}.tflite", "int8", calibration=calibration)
        logits[name] = export.load(path)(images)
    expected = model.predict(images, verbose=0)
    errors = {name: np.abs(found - expected).max() for name, found in logits.items()}
    assert errors["wrong"] > 5 * errors["right"]


def test_the_onnx_file_is_valid_and_names_its_ends(exported):
    written = onnx_package.load(exported["onnx"])
    onnx_package.checker.check_model(written, full_check=True)
    assert [value.name for value in written.graph.input] == ["images"]
    assert [value.name for value in written.graph.output] == ["logits"]


def test_the_record_travels_beside(exported):
    for name, path in exported.items():
        opened = export.load(path)
        assert opened.class_names == NAMES
        assert opened.size == SIZE
        assert opened.precision == ("float" if name == "onnx" else name)
        record = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
        assert record["pixels"] == opened.pixels == "0 to 255"
        assert record["outputs"] == opened.outputs == "logits"


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # any import of them is an error
import numpy as np
from helpers import export
images = np.load(sys.argv[1])
for path in sys.argv[2:]:
    np.save(path + ".npy", export.load(path)(images))
"""


def test_a_process_without_tensorflow_runs_the_files(model, exported, tmp_path):
    images = pictures(4)
    np.save(tmp_path / "images.npy", images)
    paths = [str(exported["float"]), str(exported["onnx"])]
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path / "images.npy"), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = model.predict(images, verbose=0)
    for path in paths:
        np.testing.assert_allclose(np.load(f"{path}.npy"), expected, atol=1e-5)


# What it takes and gives


def pieces(outputs, end):
    """Pooling and one Dense layer, whose activation is its own or a layer behind it."""
    name = "sigmoid" if outputs == 1 else "softmax"
    dense = keras.layers.Dense(outputs, activation=name if end == "own" else None)
    behind = [keras.layers.Activation(name), keras.layers.Dropout(0.2)] if end == "layer" else []
    return [keras.layers.GlobalAveragePooling2D(), dense, *behind]


def ended(outputs, end, form, scaling=True):
    """A model that tells pictures by their colours; one that is sure of itself."""
    keras.utils.set_random_seed(0)
    rescaling = [keras.layers.Rescaling(1 / 127.5, offset=-1)] if scaling else []
    inputs, head = keras.Input((SIZE, SIZE, 3)), pieces(outputs, end)
    same = keras.layers.Conv2D(3, 1)
    if form == "flat":
        network = keras.Sequential([inputs, *rescaling, same, *head])
    else:
        base = keras.Sequential([keras.Input((SIZE, SIZE, 3)), same])
        x = base(rescaling[0](inputs) if scaling else inputs)
        top = keras.Sequential([keras.Input(x.shape[1:]), *head])
        network = keras.Model(inputs, top(x))
    same.set_weights([np.eye(3)[np.newaxis, np.newaxis], np.zeros(3)])
    head[1].set_weights([20 * np.eye(3)[:, :outputs], np.zeros(outputs)])
    return network


def tinted(count):
    """Noise, each picture with a tint of its own."""
    tints = np.random.default_rng(2).integers(0, 191, (count, 1, 1, 3))
    return (pictures(count) // 4 + tints).astype("uint8")


@pytest.mark.parametrize(
    ("outputs", "end", "form"),
    [(1, "own", "nested"), (1, "layer", "flat"), (3, "own", "flat"), (3, "layer", "nested")],
)
def test_probabilities_are_told_from_logits(tmp_path, outputs, end, form):
    network, images = ended(outputs, end, form), tinted(40)
    opened = export.load(export.litert(network, tmp_path / "model.tflite"))
    given = network.predict(images, verbose=0)
    np.testing.assert_allclose(opened(images), given, atol=1e-5)
    assert opened.outputs == "probabilities" and "gives probabilities" in repr(opened)
    keras_answers = given[:, 0] > 0.5 if outputs == 1 else given.argmax(axis=1)
    assert len(set(keras_answers)) > 1  # or any threshold would do
    np.testing.assert_array_equal(opened.predicted_classes(images), keras_answers)
    of_all = np.concatenate([1 - given, given], axis=1) if outputs == 1 else given
    np.testing.assert_allclose(opened.probabilities(images), of_all, atol=1e-5)
    found = evaluation.accuracy(opened(images), keras_answers.astype(int), from_logits=False)
    assert found.value == 1.0


def test_the_onnx_file_names_its_probabilities(tmp_path):
    network, images = ended(1, "own", "nested"), tinted(3)
    opened = export.load(export.onnx(network, tmp_path / "model.onnx"))
    np.testing.assert_allclose(opened(images), network.predict(images, verbose=0), atol=1e-5)
    outputs = onnx_package.load(opened.path).graph.output
    assert [value.name for value in outputs] == [opened.outputs] == ["probabilities"]


def test_logits_become_probabilities_and_answers(model, exported):
    opened, images = export.load(exported["float"]), pictures(20)
    expected = keras.ops.softmax(model.predict(images, verbose=0))
    np.testing.assert_allclose(opened.probabilities(images), expected, atol=1e-5)
    answers = np.argmax(expected, axis=1)
    np.testing.assert_array_equal(opened.predicted_classes(images), answers)


@pytest.mark.parametrize(("pixels", "low", "high"), [("-1 to 1", -1, 1), ("0 to 1", 0, 1)])
def test_a_model_without_its_scaling_takes_what_it_took(tmp_path, pixels, low, high):
    network, path = ended(3, "none", "nested", scaling=False), tmp_path / "model.tflite"
    with pytest.raises(ValueError, match=r"do not tell which pixels.*pixels='-1 to 1'") as refused:
        export.litert(network, path)
    assert "Expected: " in str(refused.value) and not list(tmp_path.iterdir())
    opened = export.load(export.litert(network, path, pixels=pixels))
    assert opened.pixels == pixels and f"pixels of {pixels}" in repr(opened)
    images = pictures(20)
    scaled = images / 255 * (high - low) + low
    np.testing.assert_allclose(opened.scaled(images), scaled, atol=1e-6)
    found, expected = opened(opened.scaled(images)), network.predict(scaled, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with pytest.raises(ValueError, match=rf"values up to 25\d. Expected: {pixels}.*scaled\("):
        opened(images)
    with pytest.raises(ValueError, match=rf"values up to 25\d. Expected: {pixels}"):
        export.litert(network, path, "int8", calibration=images, pixels=pixels)


def test_what_the_model_says_otherwise_is_refused(model, tmp_path):
    path = tmp_path / "model.tflite"
    with pytest.raises(ValueError, match=r"'-1 to 1' for a model that scales .*pixels='0 to 255'"):
        export.litert(model, path, pixels="-1 to 1")
    with pytest.raises(ValueError, match="outputs='probabilities' for a model that ends in linear"):
        export.litert(model, path, outputs="probabilities")
    with pytest.raises(ValueError, match=r"pixels='0 to 100'. Expected: pixels='0 to 255' or "):
        export.litert(model, path, pixels="0 to 100")
    with pytest.raises(ValueError, match=r"outputs='labels'. Expected: outputs='logits' or "):
        export.litert(model, path, outputs="labels")


def test_an_end_that_does_not_tell_has_to_be_said(tmp_path):
    network = ended(3, "none", "flat")
    network.add(keras.layers.Lambda(lambda x: x / 2))
    with pytest.raises(ValueError, match=r"does not tell what it gives.*outputs='logits', or"):
        export.litert(network, tmp_path / "model.tflite")
    assert export.load(export.litert(network, tmp_path / "model.tflite", outputs="logits")).outputs


@pytest.mark.parametrize("record", ["lost", "old"])
def test_what_no_record_says_is_not_guessed(exported, tmp_path, record):
    """Records once said 0 to 255 of any model, and nothing of what it gives."""
    path = tmp_path / "model.tflite"
    path.write_bytes(exported["float"].read_bytes())
    if record == "old":
        whole = json.loads(exported["float"].with_name("float.tflite.json").read_text())
        old = {key: value for key, value in whole.items() if key != "outputs"}
        path.with_name("model.tflite.json").write_text(json.dumps(old | {"logits": CLASSES}))
    with pytest.raises(ValueError, match=r"without a record of its pixels.*model\.tflite\.json"):
        export.load(path)
    with pytest.raises(ValueError, match=r"a record of its outputs.*outputs='logits' or"):
        export.load(path, pixels="0 to 255")
    opened = export.load(path, pixels="0 to 255", outputs="logits")
    assert opened.outputs == "logits" and opened.class_names == (NAMES if record == "old" else ())


def test_what_a_record_says_otherwise_is_refused(exported):
    with pytest.raises(ValueError, match=r"pixels='0 to 1' for .* Expected: '0 to 255', as"):
        export.load(exported["float"], pixels="0 to 1")


# What cannot be


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "int8"}, "'int8' without calibration pictures.*train.images"),
        ({"precision": "int4"}, "Received: precision 'int4'. Expected: one of float, float16"),
        ({"calibration": pictures(2)}, "calibration pictures for 'float'. Expected: none"),
        (
            {"precision": "int8", "calibration": pictures(2, 8)},
            r"shape \(2, 8, 8, 3\). Expected: \(n, 16, 16, 3\)",
        ),
        ({"precision": "int8", "calibration": pictures(0)}, r"shape \(0, 16.*n at least 1"),
        ({"class_names": ("one", "two")}, "2 class names for a model with 3 outputs. Expected: 3"),
    ],
)
def test_what_litert_refuses(model, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export.litert(model, tmp_path / "model.tflite", **options)
    assert not list(tmp_path.iterdir())


def test_a_wrong_suffix_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.tflite"):
        export.litert(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=r"ends in \.onnx"):
        export.onnx(model, tmp_path / "model.tflite")
    with pytest.raises(ValueError, match=r"ends in \.tflite or \.onnx"):
        export.load(tmp_path / "model.keras")


def test_a_model_without_a_fixed_size_or_a_head_is_refused(tmp_path):
    inputs = keras.Input((None, None, 3))
    open_size = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    inputs = keras.Input((SIZE, SIZE, 3))
    no_head = keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs))

    class Own(keras.Model):  # Keras does not know what it takes before it is called
        def call(self, images):
            return images[:, 0, 0]

    for wrong in (open_size, no_head, Own()):
        with pytest.raises(ValueError, match=r"Expected: from \(n, size, size, 3\) with a fixed"):
            export.onnx(wrong, tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["float", "onnx"])
@pytest.mark.parametrize(
    "shape", [(1, 8, 8, 3), (SIZE, SIZE, 3), (0, SIZE, SIZE, 3), (1, 3, 16, 16)]
)
def test_pictures_of_another_shape_are_refused(exported, name, shape):
    with pytest.raises(ValueError, match=r"Expected: \(n, 16, 16, 3\) with n at least 1.*newaxis"):
        export.load(exported[name])(np.zeros(shape, "uint8"))


@pytest.mark.parametrize("name", ["float", "onnx"])
@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_file_that_is_no_model_is_refused(exported, tmp_path, name, kept):
    contents = exported[name].read_bytes()
    path = tmp_path / exported[name].name
    path.write_bytes(contents[: int(kept * len(contents)) if kept == 0.5 else kept])
    with pytest.raises(ValueError, match=r"does not open .*Export it again"):
        export.load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*gone\.onnx. Expected: .*export again"):
        export.load(tmp_path / "gone.onnx")


def test_a_record_of_another_file_is_refused(exported, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(exported["float"].read_bytes())
    other = exported["int8"].with_name("int8.tflite.json").read_bytes()
    path.with_name("model.tflite.json").write_bytes(other)
    with pytest.raises(ValueError, match=r"record that is not its own, model\.tflite\.json"):
        export.load(path)


@pytest.mark.parametrize("name", ["float", "int8", "onnx"])
def test_a_flipped_bit_anywhere_is_noticed(exported, tmp_path, name):
    contents = bytearray(exported[name].read_bytes())
    path = tmp_path / exported[name].name
    record = exported[name].with_name(f"{path.name}.json").read_bytes()
    path.with_name(f"{path.name}.json").write_bytes(record)
    path.write_bytes(contents)
    assert export.load(path).class_names  # as it was written
    for place in np.linspace(0, len(contents) - 1, 40).astype(int):
        contents[place] ^= 1
        path.write_bytes(contents)
        with pytest.raises(ValueError, match="record that is not its own"):
            export.load(path)
        contents[place] ^= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"sha256": 1}',
        "__import__('pathlib').Path('ran').touch()",
        "!!python/object/apply:os.mkdir ['ran']",
        "cos\nmkdir\n(S'ran'\ntR.",  # a pickle
        "[" * 100_000,
    ],
)
def test_a_strangers_record_runs_no_code(exported, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.tflite"
    path.write_bytes(exported["float"].read_bytes())
    path.with_name("model.tflite.json").write_text(text)
    with pytest.raises(ValueError, match="record that is not its own"):
        export.load(path)
    assert {file.name for file in tmp_path.iterdir()} == {"model.tflite", "model.tflite.json"}


@pytest.mark.parametrize(
    "stranger",
    [
        {"class_names": "cat"},
        {"class_names": [1, 2, 3]},
        {"class_names": {"cat": 1}},
        {"precision": ["int8"]},
        {"outputs": "labels"},
        {"pixels": ["0 to 255"]},
    ],
)
def test_a_strangers_record_says_only_what_fits(exported, tmp_path, stranger):
    path = tmp_path / "model.tflite"
    path.write_bytes(exported["float"].read_bytes())
    record = json.loads(exported["float"].with_name("float.tflite.json").read_text())
    path.with_name("model.tflite.json").write_text(json.dumps({**record, **stranger}))
    with pytest.raises(ValueError, match="record that is not its own"):
        export.load(path)


@pytest.mark.parametrize("name", ["float", "onnx"])
def test_a_record_with_too_few_names_is_refused(exported, tmp_path, name):
    path = tmp_path / exported[name].name
    path.write_bytes(exported[name].read_bytes())
    record = json.loads(exported[name].with_name(f"{path.name}.json").read_text())
    record["class_names"] = ["ant"]
    path.with_name(f"{path.name}.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="1 class names for a model with 3 outputs"):
        export.load(path)


def test_a_killed_export_leaves_the_old_file(model, exported, tmp_path, monkeypatch):
    path = export.litert(model, tmp_path / "model.tflite")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        export.litert(model, path, "float16")
    assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {"model.tflite", "model.tflite.json"}
