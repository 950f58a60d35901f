"""helpers/features against plain Keras: the same numbers, computed once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from filelock import FileLock
from PIL import Image

from helpers import bases, features, pictures, versions
from helpers import cache as cache_module
from helpers.features import Augmentation

PLAIN_ENGINE = features.ENGINES["tensorflow"]
STILL = Augmentation(flip=False, rotation=0, zoom=0, shift=0, brightness=0, contrast=0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own for each test."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Nineteen pictures of 32 x 32 pixels."""
    return np.random.default_rng(0).integers(0, 256, (19, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def model() -> keras.Model:
    """A small network with what a base has: scaling, convolution, normalization, pooling."""
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1.0),
            keras.layers.Conv2D(8, 3, strides=2, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(6.0),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    lived(made)
    return made


def lived(model: keras.Model) -> None:
    """Give BatchNormalization statistics and weights as after training, not 0 and 1."""
    generator = np.random.default_rng(1)
    for layer in model.layers:
        if hasattr(layer, "layers"):
            lived(layer)
        if isinstance(layer, keras.layers.BatchNormalization):
            spread = [
                0.1 * generator.normal(size=weight.shape)
                if weight.name in {"beta", "moving_mean"}
                else generator.uniform(0.5, 1.5, size=weight.shape)
                for weight in layer.weights
            ]
            layer.set_weights(spread)


def refuse(*arguments: object) -> features.engines.Forward:
    """An engine that must not be needed."""
    raise AssertionError("computed again")


def count_runs(monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None) -> list[int]:
    """The sizes of the batches that the engine runs from now on."""
    sizes: list[int] = []

    def counting(*arguments: object) -> features.engines.Forward:
        run = PLAIN_ENGINE(*arguments)

        def counted(batch: np.ndarray) -> np.ndarray:
            if len(sizes) == stop_at:
                raise KeyboardInterrupt
            sizes.append(len(batch))
            return run(batch)

        return counted

    monkeypatch.setitem(features.ENGINES, "tensorflow", counting)
    return sizes


# By these layers, every kind of layer of a base has come, strides and shortcuts included. What
# follows repeats them with more weights: seconds for each engine, and nothing new.
ENOUGH = {
    "Xception": "block4_pool",
    "ResNet50V2": "conv3_block1_out",
    "MobileNetV3Small": "expanded_conv_4_add",
    "EfficientNetV2B0": "block4b_add",
    "ConvNeXtTiny": "convnext_tiny_downsampling_block_0",
    "drawn": "out_relu",  # all of it, and so all of MobileNetV2, but for its width
}
# Converting takes seconds, so LiteRT is tried on what the bases have: ReLU6, swish and squeeze and
# excitation with the scaling inside, LayerNormalization.
IN_LITERT = ("EfficientNetV2B0", "ConvNeXtTiny", "drawn")


def test_every_base_is_compared_with_keras() -> None:
    assert {*ENOUGH, "MobileNetV2"} == set(bases.BASES)


@pytest.mark.parametrize("name", ENOUGH)
def test_every_cut_of_every_base_equals_keras(name: str) -> None:
    keras.utils.set_random_seed(0)
    whole = bases.load(name, weights=None, size=96)
    base = keras.Model(whole.input, whole.get_layer(ENOUGH[name]).output)
    lived(base)
    reached = {layer.name for layer in base.layers}
    cuts = [cut for cut in bases.cuts(whole) if cut in reached]
    ends = [base.get_layer(cut).output for cut in cuts]
    ends.append(keras.layers.GlobalAveragePooling2D()(base.output))
    together = keras.layers.Concatenate()([keras.layers.Flatten()(end) for end in ends])
    all_cuts = keras.Model(base.input, together)
    model = keras.Sequential([keras.Input((96, 96, 3)), bases.find(name).scaling(), all_cuts])
    pixels = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)

    expected = np.asarray(model(pixels, training=False))
    lengths = [int(np.prod(end.shape[1:])) for end in ends]
    for engine in ["tensorflow"] + ["litert"] * (name in IN_LITERT):
        found = features.extract(model, pixels, engine=engine, keep=False)
        for cut, begin, length in zip(
            [*cuts, "pooled"], np.cumsum([0, *lengths[:-1]]), lengths, strict=True
        ):
            own = slice(begin, begin + length)
            largest = np.abs(expected[:, own]).max()
            assert largest > 0
            difference = np.abs(found[:, own] - expected[:, own]).max() / largest
            assert difference < 1e-5, f"{engine}, {cut}: {difference:.1e}"


@pytest.mark.parametrize("engine", features.ENGINES)
def test_kept_features_equal_predict(engine: str, model: keras.Model, images: np.ndarray) -> None:
    kept = features.extract(model, images, engine=engine)
    np.testing.assert_allclose(kept, model.predict(images, verbose=0), rtol=1e-5, atol=1e-6)
    assert kept.dtype == np.float32
    assert not kept.flags.writeable


@pytest.mark.parametrize("engine", features.ENGINES)
def test_features_can_be_extracted_from_features(
    engine: str, model: keras.Model, images: np.ndarray
) -> None:
    lower = keras.Sequential([keras.Input((32, 32, 3)), *model.layers[:2]])
    upper = keras.Sequential([keras.Input(lower.output_shape[1:]), *model.layers[2:]])
    between = features.extract(lower, images, engine=engine)
    found = features.extract(upper, between, engine=engine)
    np.testing.assert_allclose(found, model.predict(images, verbose=0), rtol=1e-5, atol=1e-6)


def test_a_second_call_computes_nothing(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = features.extract(model, images)
    monkeypatch.setitem(features.ENGINES, "tensorflow", refuse)
    np.testing.assert_array_equal(features.extract(model, images), first)
    model.trainable = False  # changes no output
    np.testing.assert_array_equal(features.extract(model, images.copy()), first)


def other_weights(model: keras.Model, images: np.ndarray) -> dict:
    model.layers[1].set_weights([model.layers[1].get_weights()[0] * 1.001])
    return {}


def other_statistics(model: keras.Model, images: np.ndarray) -> dict:
    model.layers[2].moving_mean.assign(model.layers[2].moving_mean + 1e-3)
    return {}


def other_pixel(model: keras.Model, images: np.ndarray) -> dict:
    images[7, 3, 3, 1] ^= 1
    return {}


@pytest.mark.parametrize(
    "change",
    [
        other_weights,
        other_statistics,
        other_pixel,
        lambda model, images: {"views": 2},
        lambda model, images: {"dtype": "float16"},
        lambda model, images: {"engine": "litert"},
    ],
)
def test_any_change_computes_anew(
    change: Callable[..., dict],
    model: keras.Model,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = images.copy()
    features.extract(model, images)
    options = change(model, images)
    monkeypatch.setitem(features.ENGINES, "tensorflow", refuse)
    monkeypatch.setitem(features.ENGINES, "litert", refuse)
    with pytest.raises(AssertionError, match="computed again"):
        features.extract(model, images, **options)


@pytest.mark.parametrize("change", [{"seed": 1}, {"augmentation": STILL}, {"views": 3}])
def test_other_views_are_computed_anew(
    change: dict, model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    features.extract(model, images, views=2)
    monkeypatch.setitem(features.ENGINES, "tensorflow", refuse)
    with pytest.raises(AssertionError, match="computed again"):
        features.extract(model, images, **({"views": 2} | change))


def difference(swapped: bool) -> keras.Model:
    """Two inputs, the first less the second, or the other way round."""
    inputs = [keras.Input((4,)), keras.Input((4,))]
    return keras.Model(inputs, keras.layers.Subtract()(inputs[:: -1 if swapped else 1]))


def test_names_do_not_matter_but_wiring_does() -> None:
    first = features.fingerprint(difference(swapped=False))
    keras.layers.Dense(1, name="between")  # and numbers have moved on
    assert features.fingerprint(difference(swapped=False)) == first
    assert features.fingerprint(difference(swapped=True)) != first


@pytest.mark.parametrize("engine", features.ENGINES)
def test_a_model_without_a_fixed_size_takes_that_of_the_pictures(
    engine: str, images: np.ndarray
) -> None:
    free = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3)])
    found = features.extract(free, images, engine=engine, keep=False)
    expected = free.predict(images, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_views_of_features_are_refused(model: keras.Model) -> None:
    with pytest.raises(ValueError, match=r"Received: views of float32\. Expected: pictures, uint8"):
        features.extract(model, np.zeros((2, 32, 32, 3), "float32"), views=2)


def test_who_waits_for_another_process_can_be_stopped(
    model: keras.Model, images: np.ndarray
) -> None:
    def give_up(done: float, total: int) -> None:
        raise InterruptedError

    store = features._Plan(model, images, 1, STILL, 0, None, "auto").store()
    with store.lock(), pytest.raises(InterruptedError):
        features.extract(model, images, on_progress=give_up)


def test_an_architecture_without_weights_counts_too(images: np.ndarray) -> None:
    found = [
        features.fingerprint(keras.Sequential([keras.Input((32, 32, 3)), layer]))
        for layer in (keras.layers.MaxPooling2D(2), keras.layers.AveragePooling2D(2))
    ]
    assert found[0] != found[1]


def small(policy: str = "float32", layer: keras.layers.Layer | None = None) -> keras.Model:
    """The same weights each time, built while a dtype policy was the global one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        convolution = keras.layers.Conv2D(2, 3, kernel_initializer="ones")
        behind = [layer] if layer else []
        return keras.Sequential([keras.Input((32, 32, 3)), convolution, *behind])
    finally:
        keras.config.set_dtype_policy(before)


def test_a_dtype_policy_counts() -> None:
    assert features.fingerprint(small()) == features.fingerprint(small())
    assert features.fingerprint(small("mixed_float16")) != features.fingerprint(small())


def test_a_layer_named_like_a_policy_is_none() -> None:
    named = keras.layers.ReLU(name="mixed_float16")
    plain, half = small(layer=named), small("mixed_float16", layer=keras.layers.ReLU())
    assert features.fingerprint(plain) != features.fingerprint(half)
    assert features.fingerprint(plain) == features.fingerprint(small(layer=keras.layers.ReLU()))


@pytest.mark.parametrize("inherited", [False, True])
def test_the_code_of_an_own_layer_counts(inherited: bool) -> None:
    def own(call: Callable) -> keras.Model:
        kind = type("Own", (keras.layers.Layer,), {"call": call})
        return small(layer=type("Below", (kind,), {})() if inherited else kind())

    twice, again = own(lambda self, x: x * 2), own(lambda self, x: x * 2)
    assert features.fingerprint(twice) == features.fingerprint(again)
    assert features.fingerprint(twice) != features.fingerprint(own(lambda self, x: x * 3))


@pytest.mark.parametrize("package", ["tensorflow", "keras", "ai-edge-litert"])
def test_another_version_computes_anew(
    package: str, model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path() -> Path:
        return features._Plan(model, images, 1, STILL, 0, None, "litert").store().path

    before, installed = path(), versions.of
    monkeypatch.setattr(versions, "of", lambda *packages: {**installed(*packages), package: "0"})
    assert path() != before


def test_the_code_of_the_views_counts(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def paths() -> list[Path]:
        plans = [features._Plan(model, images, views, STILL, 0, None, "auto") for views in (1, 2)]
        return [plan.store().path for plan in plans]

    before = paths()
    monkeypatch.setattr(versions, "source_digest", lambda module: "edited")
    assert paths()[0] == before[0]
    assert paths()[1] != before[1]


# The cache's limit


def test_what_was_used_least_recently_goes_first(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [features.extract(model, images[:count]) for count in (8, 9, 10)]
    paths = [Path(one.filename) for one in made]
    for age, path in enumerate(paths):
        for file in features.folder().glob(f"{path.stem}.*"):
            os.utime(file, (1000 + age, 1000 + age))
    features.extract(model, images[:8])  # the oldest, opened again: now the latest
    room = sum(path.stat().st_size for path in features.folder().iterdir())
    monkeypatch.setenv("COURSE_CACHE_GB", str((room + 100) / 1e9))
    fourth = Path(features.extract(model, images[:11]).filename)
    left = {path.stem for path in features.folder().glob("*.npy")}
    assert left == {paths[0].stem, paths[2].stem, fourth.stem}
    assert cache_module.used_bytes(features.folder()) <= room + 100


def test_features_that_are_being_written_stay(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Path(features.extract(model, images).filename)
    monkeypatch.setenv("COURSE_CACHE_GB", "1e-6")
    with FileLock(first.with_suffix(".lock")):
        features.extract(model, images[:2])
        assert first.is_file()
    features.extract(model, images[:3])
    assert not first.exists()


@pytest.mark.parametrize("text", ["a lot", "0", "-1", "nan"])
def test_a_limit_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_CACHE_GB", text)
    with pytest.raises(ValueError, match=r"COURSE_CACHE_GB=.* Expected: a number above 0"):
        cache_module.limit_bytes()


def test_what_is_larger_than_the_limit_is_refused(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Path(features.extract(model, images[:2]).filename)
    monkeypatch.setenv("COURSE_CACHE_GB", "1e-7")
    with pytest.raises(ValueError, match=r"Expected: at most 1e-07 GB.*Set COURSE_CACHE_GB"):
        features.extract(model, images)
    assert kept.is_file()


def test_stopping_keeps_what_is_done(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = features.extract(model, images, keep=False)
    monkeypatch.setattr(features, "BLOCK", 4)
    sizes = count_runs(monkeypatch, stop_at=3)
    with pytest.raises(KeyboardInterrupt):
        features.extract(model, images)
    assert sizes == [4, 4, 4]
    sizes = count_runs(monkeypatch)
    np.testing.assert_allclose(features.extract(model, images), expected, rtol=1e-5, atol=1e-6)
    assert sizes == [4, 3]  # of 19, the seven that were missing


@pytest.mark.parametrize("keep", [True, False])
def test_progress_is_told(keep: bool, model: keras.Model, images: np.ndarray) -> None:
    told = []
    features.extract(
        model, images, keep=keep, engine="litert", on_progress=lambda *numbers: told.append(numbers)
    )
    assert told == [(8, 19), (16, 19), (19, 19)]


def converting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One item for each conversion from now on."""
    done: list[bool] = []
    convert = features.engines.convert
    counted = lambda *arguments: done.append(True) or convert(*arguments)  # noqa: E731
    monkeypatch.setattr(features.engines, "convert", counted)
    return done


def test_a_network_is_converted_once(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = converting(monkeypatch)
    features.extract(model, images, engine="litert", keep=False)
    assert len(done) == 1 and not list(features.folder().glob("*"))
    features.extract(model, images, engine="litert")
    found = features.extract(model, images[:12], engine="litert")
    assert len(done) == 2
    np.testing.assert_allclose(found, model.predict(images[:12], verbose=0), rtol=1e-5, atol=1e-6)
    other_weights(model, images)
    features.extract(model, images, engine="litert")
    assert len(done) == 3


@pytest.mark.parametrize("damage", [lambda kept: kept[:-9], lambda kept: b"x" + kept[1:]])
def test_a_damaged_conversion_is_made_anew(
    damage: Callable[[bytes], bytes],
    model: keras.Model,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features.extract(model, images, engine="litert")
    (path,) = features.folder().glob("*.tflite")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    done = converting(monkeypatch)
    features.extract(model, images[:12], engine="litert")
    assert len(done) == 1
    assert path.stat().st_size == len(whole)


def test_a_conversion_without_room_is_not_kept(
    model: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_CACHE_GB", "1e-6")  # the features take 608 bytes
    features.extract(model, images, engine="litert")
    assert [path.suffix for path in features.folder().glob("*.[nt]*")] == [".npy"]


def test_the_engine_is_chosen_by_the_number_of_views(
    model: keras.Model, images: np.ndarray
) -> None:
    few = features._Plan(model, images, 13, STILL, 0, None, "auto")
    assert few.chosen_engine == "tensorflow"
    gpu = bool(tf.config.list_physical_devices("GPU"))
    many = features._Plan(model, images, 14, STILL, 0, None, "auto")
    assert many.chosen_engine == ("tensorflow" if gpu else "litert")


def test_views_begin_with_the_picture_itself(model: keras.Model, images: np.ndarray) -> None:
    views = features.extract(model, images, views=3)
    assert views.shape == (19, 3, 8)
    assert views.dtype == np.float16
    plain = model.predict(images, verbose=0)
    np.testing.assert_allclose(views[:, 0], plain, rtol=2e-3)
    assert np.abs(views[:, 1] - plain).max() > 0.01
    assert np.abs(views[:, 1] - views[:, 2]).max() > 0.01


def test_views_are_those_of_augment(model: keras.Model, images: np.ndarray) -> None:
    views = features.extract(model, images, views=2, seed=5, dtype="float32")
    seen = features.augment(images, Augmentation(), (5, 1), np.arange(19))
    np.testing.assert_allclose(views[:, 1], model.predict(seen, verbose=0), rtol=1e-5, atol=1e-6)


def test_a_view_does_not_depend_on_the_pictures_around_it(images: np.ndarray) -> None:
    together = features.augment(images, Augmentation(), (0, 1), np.arange(19))
    alone = features.augment(images[7:8], Augmentation(), (0, 1), np.array([7]))
    np.testing.assert_array_equal(together[7:8], alone)


def test_no_augmentation_changes_nothing(images: np.ndarray) -> None:
    np.testing.assert_array_equal(features.augment(images, STILL, (0,), np.arange(19)), images)


def test_flips_are_mirror_images_of_about_half(images: np.ndarray) -> None:
    flipping = Augmentation(True, rotation=0, zoom=0, shift=0, brightness=0, contrast=0)
    many = np.repeat(images, 20, axis=0)
    seen = features.augment(many, flipping, (0,), np.arange(len(many)))
    mirrored = (seen == many[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (seen == many).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_a_file_that_is_no_picture_any_more_is_named(
    images: np.ndarray, tmp_path: Path, model: keras.Model
) -> None:
    paths = [tmp_path / f"{row}.png" for row in range(3)]
    for path, image in zip(paths, images[:3], strict=True):
        Image.fromarray(image).save(path)
    files = pictures.PictureFiles([str(path) for path in paths], 32)
    paths[1].write_bytes(b"")
    with pytest.raises(ValueError, match=r"1\.png \(the file is empty\)\. .*Load the set again"):
        features.extract(model, files)


def test_pictures_that_are_no_files_cannot_stay_on_disk() -> None:
    with pytest.raises(ValueError, match="Received: 'tfds' with in_memory=False"):
        pictures.load("tfds", 32, in_memory=False)


def test_rotation_and_zoom_are_those_of_scipy() -> None:
    smooth = scipy.ndimage.gaussian_filter(
        np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)), (0, 6, 6, 0)
    )
    smooth = np.round((smooth - smooth.min()) / np.ptp(smooth) * 255).astype("uint8")
    turning = Augmentation(False, rotation=0.05, zoom=0.2, shift=0, brightness=0, contrast=0)
    seen = features.augment(smooth, turning, (3,), np.array([0]))[0].astype(float)

    drawn = np.random.default_rng((3, 0)).uniform(size=7)
    angle, scale = 2 * np.pi * 0.05 * (2 * drawn[0] - 1), 1 + 0.2 * (2 * drawn[1] - 1)
    matrix = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    center = np.array([31.5, 31.5])
    expected = np.stack(
        [
            scipy.ndimage.affine_transform(
                smooth[0, :, :, channel].astype(float), matrix, center - matrix @ center, order=1
            )
            for channel in range(3)
        ],
        axis=-1,
    )
    inside = np.s_[12:-12, 12:-12]
    assert np.abs(seen[inside] - expected[inside]).max() < 1.5
    assert np.abs(seen[inside] - smooth[0][inside].astype(float)).max() > 10


def test_brightness_and_contrast_keep_the_limits(images: np.ndarray) -> None:
    grey = (96 + images // 4).astype("uint8")
    changing = Augmentation(False, 0, 0, 0, brightness=0.1, contrast=0.5)
    seen = features.augment(grey, changing, (0,), np.arange(19)).astype(float)
    lift = seen.mean(axis=(1, 2, 3)) - grey.mean(axis=(1, 2, 3))
    spread = seen.std(axis=(1, 2, 3)) / grey.std(axis=(1, 2, 3))
    assert 10 < np.abs(lift).max() <= 25.6
    assert 0.49 <= spread.min() < 0.8 < 1.2 < spread.max() <= 1.51


def test_pictures_on_disk_give_the_same_features(
    model: keras.Model, images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label, name in enumerate(("left", "right")):
        (tmp_path / "own" / name).mkdir(parents=True)
        for row in range(label, 18, 2):
            Image.fromarray(images[row]).save(tmp_path / "own" / name / f"{row:02}.png")
    folder = str(tmp_path / "own")
    in_memory = pictures.load(folder, 32, quiet=True).train
    on_disk = pictures.load(folder, 32, in_memory=False, quiet=True).train
    assert isinstance(on_disk.images, pictures.PictureFiles)
    assert on_disk.files == in_memory.files
    expected = features.extract(model, in_memory.images, keep=False)
    found = features.extract(model, on_disk.images)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    monkeypatch.setitem(features.ENGINES, "tensorflow", refuse)
    features.extract(model, on_disk.images)
    np.testing.assert_array_equal(on_disk.images[3], in_memory.images[3])
    np.testing.assert_array_equal(on_disk.images[2:5], in_memory.images[2:5])
    Path(on_disk.images.paths[0]).write_bytes(Path(on_disk.images.paths[1]).read_bytes())
    with pytest.raises(AssertionError, match="computed again"):
        features.extract(model, on_disk.images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "fast"}, "Received: engine 'fast'. Expected: one of auto, tensorflow, litert."),
        ({"views": 0}, "Received: views=0. Expected: 1 or more."),
    ],
)
def test_arguments_out_of_range(
    options: dict, message: str, model: keras.Model, images: np.ndarray
) -> None:
    with pytest.raises(ValueError) as caught:
        features.extract(model, images, **options)
    assert message in str(caught.value)


def test_pictures_of_another_size_are_refused(model: keras.Model) -> None:
    with pytest.raises(ValueError, match=r"Expected: \(n, 32, 32, 3\)"):
        features.extract(model, np.zeros((2, 40, 40, 3), "uint8"))
    with pytest.raises(ValueError, match="n at least 1"):
        features.extract(model, np.zeros((0, 32, 32, 3), "uint8"))
