"""From files to upright pixels: Pillow is the oracle; what is no picture is named."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from helpers import machine, pictures
from helpers.pictures import decoding

SIZE = 20


def scene(width: int = 60, height: int = 40) -> Image.Image:
    """Large patches, nowhere symmetrical."""
    patches = np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def resized(image: Image.Image, size: int = SIZE) -> np.ndarray:
    """What the course makes of pixels that Pillow decoded."""
    import tensorflow as tf

    found = tf.image.resize(np.asarray(image.convert("RGB")), (size, size))
    return np.rint(found.numpy()).astype(int)


def furthest(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


def turned_exif(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    return exif


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 16),  # two decoders differ a little
        ("MPO", {"quality": 95}, 16),
        ("PNG", {}, 1),
        ("WEBP", {"lossless": True}, 1),
    ],
)
def test_all_orientations_are_those_of_pillow(kind, options, tolerance, turn):
    contents = saved(scene(), kind, exif=turned_exif(turn), **options)
    with Image.open(io.BytesIO(contents)) as stored:
        upright = ImageOps.exif_transpose(stored)
    found = pictures.decode(contents, SIZE)
    assert found.dtype == np.uint8 and found.shape == (SIZE, SIZE, 3)
    assert furthest(found, resized(upright)) <= tolerance


@pytest.mark.parametrize("turn", [0, 9, 300])
def test_an_orientation_that_is_none_turns_nothing(turn):
    contents = saved(scene(), "PNG", exif=turned_exif(turn))
    np.testing.assert_array_equal(pictures.decode(contents, SIZE), resized(scene()))


def transparent() -> Image.Image:
    image = scene().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


KINDS = {
    "grey JPEG": (scene().convert("L"), "JPEG", {"quality": 95}, 16),
    "CMYK JPEG": (scene().convert("CMYK"), "JPEG", {"quality": 95}, 16),
    "progressive JPEG": (scene(), "JPEG", {"quality": 95, "progressive": True}, 16),
    "grey PNG": (scene().convert("L"), "PNG", {}, 0),
    "palette PNG": (scene().convert("P"), "PNG", {}, 0),
    "bilevel PNG": (scene().convert("1"), "PNG", {}, 1),
    "transparent PNG": (transparent(), "PNG", {}, 0),
    "moving PNG": (scene(), "PNG", {"save_all": True, "append_images": [scene().rotate(90)]}, 0),
    "transparent WebP": (transparent(), "WEBP", {"lossless": True, "exact": True}, 0),
    "lossy WebP": (scene(), "WEBP", {"quality": 90}, 1),
    "moving WebP": (
        scene(),
        "WEBP",
        {"save_all": True, "append_images": [scene().rotate(90)], "lossless": True},
        0,
    ),
    "BMP": (scene(), "BMP", {}, 0),
    "palette BMP": (scene().convert("P"), "BMP", {}, 0),
    "bilevel BMP": (scene().convert("1"), "BMP", {}, 1),
    "GIF": (scene().convert("P"), "GIF", {}, 0),
    "moving GIF": (scene(), "GIF", {"save_all": True, "append_images": [scene().rotate(90)]}, 0),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_decoded_as_pillow_does(name):
    image, kind, options, tolerance = KINDS[name]
    contents = saved(image, kind, **options)
    with Image.open(io.BytesIO(contents)) as stored:
        expected = resized(stored)
    assert furthest(pictures.decode(contents, SIZE), expected) <= tolerance


def test_sixteen_bits_a_channel_keep_the_upper_eight():
    """Not as Pillow, which clips all above 255."""
    deep = np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE) * 160
    found = pictures.decode(saved(Image.fromarray(deep), "PNG"), SIZE)
    np.testing.assert_array_equal(found[:, :, 0], deep >> 8)


@pytest.mark.parametrize("size", [16, 96])
def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(size):
    large = scene(1600, 1200)
    contents = saved(large, "JPEG", quality=95, exif=turned_exif(6))
    upright = large.transpose(Image.Transpose.ROTATE_270)
    assert furthest(pictures.decode(contents, size), resized(upright, size)) <= 16


@pytest.mark.parametrize("size", [8, 15, 16, 40, 80])
def test_a_jpeg_is_never_decoded_smaller_than_wanted(size):
    header = decoding.Header(height=1200, width=160, is_jpeg=True)
    assert 160 // header.shrink(size) >= min(160, decoding.SPARE * size)


def png_of(width: int, height: int) -> bytes:
    """A few bytes that unfold into that many pixels, as far as its header says."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    contents = bytearray(saved(scene(), "JPEG"))
    at = contents.index(b"\xff\xc0")
    contents[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(contents)


def webp_of(width: int, height: int) -> bytes:
    contents = bytearray(saved(scene(), "WEBP"))
    contents[26:30] = struct.pack("<HH", width, height)
    return bytes(contents)


@pytest.mark.parametrize(
    "contents",
    [
        png_of(10_001, 10_000),
        png_of(2_000_000, 2_000_000),
        jpeg_of(12_000, 9_000),
        jpeg_of(65_500, 65_500),
        webp_of(16_383, 16_383),
    ],
)
def test_a_picture_of_too_many_pixels_is_never_decoded(contents, monkeypatch):
    def decoded(*_):
        raise AssertionError("it was decoded")

    monkeypatch.setattr(decoding, "_by_tensorflow", decoded)
    monkeypatch.setattr(decoding, "_by_pillow", decoded)
    with pytest.raises(pictures.NotAPicture, match="larger than 100 million pixels"):
        pictures.decode(contents, SIZE)


def test_the_largest_pictures_of_phones_are_within_the_limit():
    assert 8_688 * 5_792 < 8_192 * 6_144 < decoding.MOST_PIXELS


def boxed(brand: bytes, *others: bytes) -> bytes:
    """The first box of a file as phones write them."""
    body = b"ftyp" + brand + bytes(4) + b"".join(others)
    return struct.pack(">I", len(body) + 4) + body + bytes(64)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", decoding.NOT_A_PICTURE),
        (bytes(5000), decoding.NOT_A_PICTURE),
        (boxed(b"heic", b"mif1", b"heic"), "an HEIC picture.*Most Compatible"),
        (boxed(b"mif1", b"heic"), "an HEIC picture"),
        (boxed(b"mif1", b"avif", b"miaf"), "an AVIF picture"),
        (saved(scene(), "AVIF"), "an AVIF picture"),
        (boxed(b"isom", b"mp41"), "a video"),
        (boxed(b"qt  "), "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video or sound"),
        (saved(scene(), "TIFF"), "a TIFF or raw picture"),
        (saved(scene(), "JPEG2000"), "a JPEG 2000 picture"),
        (saved(scene(), "PDF"), "a PDF document"),
        (saved(scene(), "ICO"), decoding.NOT_A_PICTURE),
        (saved(scene(), "JPEG")[:300], "damaged or cut short"),
        (saved(scene(), "JPEG")[:700], "damaged or cut short"),
        (saved(scene(), "PNG")[:40], "damaged or cut short"),
        (saved(transparent(), "WEBP")[:100], "damaged or cut short"),
        (saved(scene(), "WEBP")[:60], "damaged or cut short"),
        (saved(scene(), "BMP")[:200], "damaged or cut short"),
        (b"GIF89a", "damaged or cut short"),
    ],
)
def test_what_is_no_picture_is_named_by_its_contents(contents, reason, tmp_path):
    with pytest.raises(pictures.NotAPicture, match=reason) as raised:
        pictures.decode(contents, SIZE)
    (tmp_path / "holiday.jpg").write_bytes(contents)
    decoded = decoding.decode_files([str(tmp_path / "holiday.jpg")], SIZE)
    assert decoded.failed == {0: raised.value.reason}
    assert decoded.sizes.tolist() == [[0, 0]]


def test_no_made_up_file_crashes_the_decoder():
    random = np.random.default_rng(0)
    whole = [saved(scene(), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP")]
    for number in range(200):
        broken = bytearray(whole[number % len(whole)])
        for at in random.integers(0, len(broken), 8):
            broken[at] = random.integers(256)
        try:
            assert pictures.decode(bytes(broken), SIZE).shape == (SIZE, SIZE, 3)
        except pictures.NotAPicture as error:
            assert error.reason


def test_files_are_decoded_as_bytes_are(tmp_path):
    contents = [
        saved(scene(900, 500), "JPEG", exif=turned_exif(8)),
        saved(transparent(), "WEBP", exif=turned_exif(3)),
        b"nothing",
        saved(scene(), "PNG"),
    ]
    paths = []
    for number, one in enumerate(contents):
        paths.append(str(tmp_path / f"{number}.jpg"))
        (tmp_path / f"{number}.jpg").write_bytes(one)
    found = decoding.decode_files(paths, SIZE)
    assert found.failed == {2: decoding.NOT_A_PICTURE}
    assert found.sizes.tolist() == [[900, 500], [40, 60], [0, 0], [40, 60]]
    for row in (0, 1, 3):
        np.testing.assert_array_equal(found.images[row], pictures.decode(contents[row], SIZE))
    assert len(decoding.decode_files(paths, SIZE, keep=False).images) == 0


def test_more_pictures_than_the_memory_holds_are_refused(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(machine, "free_memory", lambda: machine.SPARE_BYTES + 2 * 64 * 64 * 3)
    two = [str(tmp_path / "a.png")] * 2
    assert len(decoding.decode_files(two, 64).images) == 2
    with pytest.raises(MemoryError, match=r"3 pictures of 64 x 64.*in_memory=False"):
        decoding.decode_files([*two, two[0]], 64)
    assert decoding.decode_files([*two, two[0]], 64, keep=False).failed == {}
