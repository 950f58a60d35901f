"""What must hold for any name, size, split and store, tried on those that Hypothesis makes up."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from helpers import archives
from helpers.features.stores import Store
from helpers.pictures import decoding, headers, splits

# No limit in time: the machine that runs the tests may be busy. The same examples in each run, so
# that a red run is somebody's change; `--hypothesis-profile default` looks for new ones.
settings.register_profile(
    "course",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("course")


@given(names=st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4))
def test_whatever_its_names_an_archive_is_unpacked_inside_or_refused(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        archive, inside = top / "a.zip", top / "outer" / "inside"
        inside.parent.mkdir()
        with zipfile.ZipFile(archive, "w") as opened:
            for position, member in enumerate(dict.fromkeys(names)):
                try:
                    opened.writestr(member, f"{position}")
                except (UnicodeError, IndexError):  # zipfile itself writes no such name
                    return
        try:
            archives.unpack_zip(archive, inside)
        except ValueError as error:
            assert str(error).startswith("Received: ") and not inside.exists()
        else:
            files = [path for path in inside.rglob("*") if path.is_file()]
            with zipfile.ZipFile(archive) as opened:
                plain = [member for member in opened.infolist() if not member.is_dir()]
            assert len(files) == len(plain)
        assert {path.name for path in top.iterdir()} == {"a.zip", "outer"}
        assert [path.name for path in inside.parent.iterdir()] in ([], ["inside"])


@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    turn=st.integers(1, 8),
    size=st.integers(1, 60),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_picture_is_decoded_as_pillow_does(
    width: int, height: int, turn: int, size: int, kind: str, seed: int
) -> None:
    import tensorflow as tf

    # A JPEG much larger than wanted is decoded smaller, and so averaged: test_decoding has these.
    assume(kind != "JPEG" or min(width, height) < 2 * headers.SPARE * size)
    smooth = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    image = Image.fromarray(smooth).resize((width, height), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    file = io.BytesIO()
    options = (
        {"lossless": True}
        if kind == "WEBP"
        else {"quality": 95, "subsampling": 0}
        if kind == "JPEG"
        else {}
    )
    image.save(file, kind, exif=exif, **options)
    found = decoding.decode(file.getvalue(), size).astype(int)
    with Image.open(file) as opened:
        upright = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    expected = np.rint(tf.image.resize(upright, (size, size)).numpy()).astype(int)
    assert found.shape == (size, size, 3)
    # Two decoders of JPEG may differ a little, even where neither has to make up missing colours;
    # of the others, only the rounding of a half may.
    assert np.abs(found - expected).max() <= (12 if kind == "JPEG" else 1)


@given(
    counts=st.lists(st.integers(3, 60), min_size=2, max_size=6),
    validation=st.floats(0.01, 0.49),
    test=st.floats(0.01, 0.49),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shares_split_each_class_without_loss(
    counts: list[int], validation: float, test: float, seed: int
) -> None:
    files = [
        splits.File(f"{label}/{number}", f"{label}/{number}", label)
        for label, count in enumerate(counts)
        for number in range(count)
    ]
    names = tuple(map(str, range(len(counts))))
    shares = splits.Shares(validation, test, seed)
    parts = shares(files)
    try:
        splits.check_classes(names, parts, [], shares)
    except ValueError as error:
        assert "Expected: at least 3, one for each split" in str(error)
        return
    assert sorted(file.name for part in parts for file in part) == sorted(f.name for f in files)
    for label, count in enumerate(counts):
        own = [sum(file.label == label for file in part) for part in parts]
        assert sum(own) == count and min(own) >= 1
        assert abs(own[1] - count * validation) <= 1 and abs(own[2] - count * test) <= 1


@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 5),
    block=st.integers(1, 12),
    stops=st.lists(st.integers(0, 10), max_size=3),
    dtype=st.sampled_from(["float16", "float32", "uint8"]),
)
def test_a_store_stopped_anywhere_ends_as_the_same_array(
    rows: int, columns: int, block: int, stops: list[int], dtype: str
) -> None:
    values = np.arange(rows * columns).reshape(rows, columns).astype(dtype)

    def blocks(start: int, most: int):
        for number, first in enumerate(range(start, rows, block)):
            if number == most:
                raise KeyboardInterrupt
            yield values[first : first + block]

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), {"of": "test"}, values.shape, dtype, block)
        for most in [*stops, rows]:
            done = store.rows_done()
            assert done % block == 0 or done == rows
            if store.open() is None:
                try:
                    store.write(blocks(done, most), done)
                except KeyboardInterrupt:
                    assert store.open() is None
        np.testing.assert_array_equal(store.open(), values)


def test_hypothesis_finds_what_is_wrong() -> None:
    @given(st.integers(0, 1000))
    def never_large(number: int) -> None:
        assert number < 900

    with pytest.raises(AssertionError):
        never_large()
