"""From files to upright pixels: Pillow is the oracle; what is no picture is named."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from helpers import machine, page, pictures
from helpers.pictures import apart, colours, decoding, headers, uploads

pillow_heif.register_heif_opener()

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
    """What the course makes of pixels that Pillow decoded, those of `transparent` on white."""
    import tensorflow as tf

    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
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
        ("JPEG", {"quality": 95}, 1),
        ("MPO", {"quality": 95}, 1),
        ("PNG", {}, 1),
        ("WEBP", {"lossless": True}, 1),
        ("TIFF", {}, 1),
        ("AVIF", {"quality": 100}, 1),
        ("HEIF", {"quality": -1}, 1),  # pillow-heif writes the note as a turn of its own
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
    "grey JPEG": (scene().convert("L"), "JPEG", {"quality": 95}, 1),
    "CMYK JPEG": (scene().convert("CMYK"), "JPEG", {"quality": 95}, 1),
    "progressive JPEG": (scene(), "JPEG", {"quality": 95, "progressive": True}, 1),
    "grey PNG": (scene().convert("L"), "PNG", {}, 0),
    "palette PNG": (scene().convert("P"), "PNG", {}, 0),
    "bilevel PNG": (scene().convert("1"), "PNG", {}, 1),
    "transparent PNG": (transparent(), "PNG", {}, 1),
    "PNG with a transparent colour": (scene().convert("P"), "PNG", {"transparency": 3}, 1),
    "grey and transparent PNG": (transparent().convert("LA"), "PNG", {}, 1),
    "moving PNG": (scene(), "PNG", {"save_all": True, "append_images": [scene().rotate(90)]}, 0),
    "transparent WebP": (transparent(), "WEBP", {"lossless": True, "exact": True}, 1),
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
    "GIF with a transparent colour": (scene().convert("P"), "GIF", {"transparency": 3}, 1),
    "HEIC": (scene(), "HEIF", {"quality": 90}, 1),
    "transparent HEIC": (transparent(), "HEIF", {"quality": 90}, 1),
    "AVIF": (scene(), "AVIF", {}, 1),
    "TIFF": (scene(), "TIFF", {}, 0),
    "packed TIFF": (scene(), "TIFF", {"compression": "tiff_lzw"}, 0),
    "CMYK TIFF": (scene().convert("CMYK"), "TIFF", {}, 1),
    "JPEG 2000": (scene(), "JPEG2000", {}, 1),
    "moving GIF": (scene(), "GIF", {"save_all": True, "append_images": [scene().rotate(90)]}, 0),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_decoded_as_pillow_does(name):
    image, kind, options, tolerance = KINDS[name]
    contents = saved(image, kind, **options)
    with Image.open(io.BytesIO(contents)) as stored:
        expected = resized(stored)
    assert furthest(pictures.decode(contents, SIZE), expected) <= tolerance


def test_a_jpeg_full_of_edges_is_what_pillow_makes_of_it():
    """TensorFlow's own choice of arithmetic is up to 33 of 255 off."""
    noise = np.random.default_rng(0).integers(0, 2, (SIZE, SIZE, 3), dtype=np.uint8) * 255
    contents = saved(Image.fromarray(noise), "JPEG", quality=50)
    with Image.open(io.BytesIO(contents)) as stored:
        assert furthest(pictures.decode(contents, SIZE), resized(stored)) <= 1


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
    header = headers.Header(height=1200, width=160, is_jpeg=True)
    assert 160 // header.shrink(size) >= min(160, headers.SPARE * size)


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


def tiff_of(width: int, height: int) -> bytes:
    """As `png_of`, of a TIFF."""
    contents = bytearray(saved(scene(), "TIFF"))
    for tag, value in ((256, width), (257, height)):
        at = contents.index(struct.pack("<H", tag))
        contents[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    return bytes(contents)


def test_the_largest_pictures_of_phones_are_within_the_limit():
    assert 8_688 * 5_792 < 8_192 * 6_144 < headers.MOST_PIXELS


def boxed(brand: bytes, *others: bytes) -> bytes:
    """The first box of a file as phones write them."""
    body = b"ftyp" + brand + bytes(4) + b"".join(others)
    return struct.pack(">I", len(body) + 4) + body + bytes(64)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", headers.NOT_A_PICTURE),
        (bytes(5000), headers.NOT_A_PICTURE),
        (boxed(b"heic", b"mif1", b"heic"), headers.CODING),
        (boxed(b"mif3", b"avci"), headers.CODING),
        (boxed(b"vvic", b"mif1"), headers.CODING),
        (boxed(b"j2ki", b"mif1"), headers.CODING),
        (saved(scene(), "HEIF")[:400], headers.CODING),
        (boxed(b"mif1", b"avif", b"miaf"), headers.CODING),
        (boxed(b"crx ", b"isom"), headers.RAW),
        (boxed(b"isom", b"mp41"), "a video"),
        (boxed(b"qt  "), "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video or sound"),
        (saved(scene(), "TIFF")[:100], "damaged or cut short"),
        (saved(scene(), "TIFF", tiffinfo={50706: b"\1\4\0\0"}), headers.RAW),
        (saved(scene(), "TIFF", tiffinfo={254: 1}), headers.RAW),
        (saved(Image.new("F", (9, 9)), "TIFF"), "pixels of 32 bits"),
        (saved(scene(), "JPEG2000")[:100], "damaged or cut short"),
        (tiff_of(10_001, 10_000), "larger than 100 million pixels"),
        (saved(scene(), "PDF"), "a PDF document"),
        (saved(scene(), "ICO"), headers.NOT_A_PICTURE),
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
    assert found.failed == {2: headers.NOT_A_PICTURE}
    assert found.sizes.tolist() == [[900, 500], [40, 60], [0, 0], [40, 60]]
    for row in (0, 1, 3):
        np.testing.assert_array_equal(found.images[row], pictures.decode(contents[row], SIZE))


def test_more_pictures_than_the_memory_holds_are_refused(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(machine, "free_memory", lambda: machine.SPARE_BYTES + 2 * 64 * 64 * 3)
    two = [str(tmp_path / "a.png")] * 2
    assert len(decoding.decode_files(two, 64).images) == 2
    with pytest.raises(MemoryError, match=r"3 pictures of 64 x 64.*in_memory=False"):
        decoding.decode_files([*two, two[0]], 64)


# Notes and colours


def exif_of(kind: int, value: bytes) -> bytes:
    """An EXIF note whose orientation has a type of TIFF 6.0: 1 BYTE, 2 ASCII, 7 UNDEFINED."""
    entry = struct.pack("<HHI4s", 274, kind, len(value), value.ljust(4, b"\0"))
    return b"Exif\0\0II*\0\x08\0\0\0\1\0" + entry + bytes(4)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(("type_", "value"), [(1, b"\6"), (2, b"6\0"), (7, b"\6\0")])
def test_a_note_of_another_type_turns_nothing_and_stops_nothing(kind, type_, value, tmp_path):
    contents = saved(scene(), kind, exif=exif_of(type_, value))
    path = tmp_path / "odd"
    path.write_bytes(contents)
    found = decoding.decode_files([str(path)], SIZE)
    assert found.failed == {} and found.sizes.tolist() == [[40, 60]]


@pytest.mark.parametrize("kind", ["JPEG", "CMYK JPEG", "WEBP"])
def test_a_note_that_is_cut_short_is_not_a_page_of_warnings(kind):
    note = exif_of(3, b"\6\0\0\0").replace(b"\3\0\4\0\0\0", b"\2\0\0\xff\0\0")
    image = scene().convert("CMYK" if kind.startswith("CMYK") else "RGB")
    contents = saved(image, kind.rpartition(" ")[2], exif=note)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        pictures.decode(contents, SIZE)
    assert not seen


def png(*extra: tuple[bytes, bytes], behind: bool) -> bytes:
    """A PNG with more chunks, in front of its pixels or behind them."""
    whole = saved(scene(), "PNG")
    at = whole.index(b"IEND" if behind else b"IDAT") - 4
    added = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in extra
    )
    return whole[:at] + added + whole[at:]


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmlns:tiff="t" tiff:Orientation="6"/></x:xmpmeta>'
NOTE = exif_of(3, b"\6\0\0\0").replace(b"\3\0\4\0\0\0", b"\3\0\1\0\0\0")
LATE = {
    "behind the pixels": png((b"eXIf", NOTE[6:]), behind=True),
    "in an older program's text": png(
        (b"tEXt", b"Raw profile type exif\0\nexif\n%8d\n" % len(NOTE) + NOTE.hex().encode()),
        behind=False,
    ),
    "in XMP": png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP), behind=False),
    "in a late segment of a JPEG": (
        lambda whole, at: whole[:at] + b"\xff\xe1" + struct.pack(">H", len(NOTE) + 2) + NOTE
        + whole[at:]
    )(saved(scene(), "JPEG", quality=95), saved(scene(), "JPEG", quality=95).index(b"\xff\xda")),
}  # fmt: skip


@pytest.mark.parametrize("where", LATE)
def test_a_note_is_found_wherever_it_stands(where):
    with Image.open(io.BytesIO(LATE[where])) as stored:
        upright = ImageOps.exif_transpose(stored)
        assert upright.size == (40, 60)
    assert furthest(pictures.decode(LATE[where], SIZE), resized(upright)) <= 1
    assert headers.inspect(io.BytesIO(LATE[where])).size == (60, 40)


def test_a_png_with_a_note_that_is_too_long_or_damaged_is_whole():
    long = PngImagePlugin.PngInfo()
    long.add_text("comment", "x" * 2_000_000, zip=True)
    damaged = bytearray(png((b"tEXt", b"comment\0fine"), behind=False))
    damaged[damaged.index(b"fine")] ^= 1
    for contents in (saved(scene(), "PNG", pnginfo=long), bytes(damaged)):
        np.testing.assert_array_equal(pictures.decode(contents, SIZE), resized(scene()))


def bmp_of(bits: int, masks: tuple[int, ...], height: int, numbers: list[int]) -> bytes:
    """A BMP two pixels wide whose channels lie where the masks say."""
    row = b"".join(number.to_bytes(bits // 8, "little") for number in numbers[:2])
    below = b"".join(number.to_bytes(bits // 8, "little") for number in numbers[2:])
    body = row.ljust(-len(row) // 4 * -4, b"\0") + below.ljust(-len(below) // 4 * -4, b"\0")
    packed = {3: 3, 4: 6}[len(masks)]
    header = struct.pack("<IiiHHI20x", 40, 2, height, 1, bits, packed)
    whole = header + struct.pack(f"<{len(masks)}I", *masks)
    return struct.pack("<2sI4xI", b"BM", 14 + len(whole + body), 14 + len(whole)) + whole + body


# Pixels from the first row of the file on: full red, full green, full blue, half of each.
ODD_MASKS = {
    "4-4-4": (16, (0xF00, 0xF0, 0xF), [0xF00, 0x0F0, 0x00F, 0x888], 136),
    "4-4-4-4": (16, (0xF00, 0xF0, 0xF, 0xF000), [0xFF00, 0xF0F0, 0xF00F, 0xF888], 136),
    "blue above red": (16, (0x1F, 0x7E0, 0xF800), [0x1F, 0x7E0, 0xF800, 0x8410], (132, 130, 132)),
    "10-10-10": (
        32,
        (0x3FF00000, 0xFFC00, 0x3FF),
        [0x3FF00000, 0xFFC00, 0x3FF, 0x20080200],
        128,
    ),
    "24 bits, red first": (24, (0xFF, 0xFF00, 0xFF0000), [0xFF, 0xFF00, 0xFF0000, 0x808080], 128),
}


@pytest.mark.parametrize("name", ODD_MASKS)
@pytest.mark.parametrize("height", [2, -2])
def test_the_channels_of_a_bmp_may_lie_in_any_bits(name, height):
    bits, masks, numbers, half = ODD_MASKS[name]
    last = half if isinstance(half, tuple) else (half,) * 3
    rows = [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), last]]
    found = pictures.decode(bmp_of(bits, masks, height, numbers), 2)
    np.testing.assert_array_equal(found, rows if height < 0 else rows[::-1])


def test_a_bmp_with_odd_masks_that_is_cut_short_is_damaged():
    bits, masks, numbers, _ = ODD_MASKS["4-4-4"]
    with pytest.raises(pictures.NotAPicture, match="damaged or cut short"):
        pictures.decode(bmp_of(bits, masks, 2, numbers)[:-3], 2)


def wide_gamut() -> bytes:
    """A profile with the primaries of sRGB in another order: nobody misses that it was not read."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_colours_of_another_profile_become_those_of_srgb(kind):
    contents = saved(scene(), kind, icc_profile=wide_gamut(), quality=95)
    with Image.open(io.BytesIO(contents)) as stored:
        odd = ImageCms.ImageCmsProfile(io.BytesIO(stored.info["icc_profile"]))
        srgb = ImageCms.createProfile("sRGB")
        expected = resized(ImageCms.profileToProfile(stored, odd, srgb, outputMode="RGB"))
        plain = resized(stored)
    found = pictures.decode(contents, SIZE)
    assert furthest(found, expected) <= 1 and furthest(expected, plain) > 50


def test_a_profile_is_judged_by_what_it_does_not_by_its_name():
    linear = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = linear.index(b"para")
    linear[at + 8 : at + 16] = struct.pack(">HHI", 0, 0, 1 << 16)  # gamma 1 in place of the curve
    with Image.open(io.BytesIO(saved(scene(), "PNG", icc_profile=bytes(linear)))) as stored:
        assert colours.foreign_profile(stored) == bytes(linear)


@pytest.mark.parametrize(
    "profile", [b"nothing", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()]
)
def test_a_profile_that_cannot_be_used_is_passed_over(profile):
    contents = saved(scene(), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(pictures.decode(contents, SIZE), resized(scene()))


def test_a_picture_whose_profile_is_srgb_stays_with_the_quick_decoder():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    contents = saved(scene(), "JPEG", icc_profile=srgb)
    header = headers.inspect(io.BytesIO(contents))
    assert header.decoder is headers.Decoder.TENSORFLOW


DEEP = np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE) * 160
EVERYWHERE = {
    **{name: saved(image, kind, **options) for name, (image, kind, options, _) in KINDS.items()},
    "16 bits": saved(Image.fromarray(DEEP), "PNG"),
    "16 bits, TIFF": saved(Image.fromarray(DEEP), "TIFF"),
    "other colours": saved(scene(), "JPEG", icc_profile=wide_gamut(), quality=95),
    **LATE,
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_folder_upload_page_and_bytes_see_the_same(name, tmp_path):
    contents = EVERYWHERE[name]
    (tmp_path / "a").write_bytes(contents)
    expected = pictures.decode(contents, SIZE)
    in_folder = decoding.decode_files([str(tmp_path / "a")], SIZE).images[0]
    (sent,) = uploads.receive([{"name": "a", "content": contents}], SIZE)
    np.testing.assert_array_equal(in_folder, expected)
    np.testing.assert_array_equal(sent.image, expected)
    # The page's resize rounds down.
    assert furthest(page.decode(contents, SIZE), expected) <= 2


def test_a_damaged_note_takes_no_other_along():
    contents = bytearray(png((b"eXIf", NOTE[6:]), (b"tEXt", b"comment\0fine"), behind=False))
    contents[contents.index(b"fine")] ^= 1
    assert headers.inspect(io.BytesIO(bytes(contents))).size == (60, 40)


def test_one_grey_of_sixteen_bits_may_be_transparent():
    deep = Image.fromarray(np.full((SIZE, SIZE), 777, np.uint16))
    contents = saved(deep, "PNG", transparency=777)
    assert (pictures.decode(contents, SIZE) == 255).all()


def test_what_was_laid_on_white_is_counted(tmp_path):
    for name, image in (("a", transparent()), ("b", scene()), ("c", scene().convert("RGBA"))):
        image.save(tmp_path / name, "PNG")
    found = decoding.decode_files([str(tmp_path / name) for name in "abc"], SIZE)
    assert found.transparent == {0}  # an alpha channel that is opaque is none


# The process that may die


@pytest.fixture
def worker():
    one = apart.Worker()
    yield one
    one.close()


def test_a_decoder_that_crashes_costs_one_file(worker):
    contents = saved(scene(), "TIFF")
    assert worker.decode(contents)[0].reason is None
    worker._process.kill()
    assert worker.decode(contents) == (apart.Reply(reason=apart.CRASHED), None)
    reply, pixels = worker.decode(contents)
    assert (reply.height, reply.width) == (40, 60) == pixels.shape[:2]


def test_a_decoder_that_does_not_end_is_ended(worker, monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 0.0)
    assert worker.decode(saved(scene(), "TIFF"))[0].reason == apart.TOO_SLOW


def test_an_interrupt_does_not_hand_one_file_s_pixels_to_the_next(worker, monkeypatch):
    one, other = (saved(Image.new("L", (4, 4), grey), "TIFF") for grey in (50, 200))

    def interrupted(pipe):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(apart, "_read", interrupted)
        worker.decode(one)
    assert (worker.decode(other)[1] == 200).all()
