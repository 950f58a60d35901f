"""The page of an exported model: asked over HTTP, and in a real browser."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path

import laboratory
import numpy as np
import pytest
from PIL import Image

from helpers import export, page
from helpers.page import __main__ as program
from helpers.pictures.headers import CHOOSER

SIZE = 24
COLOURS = {"red": (220, 30, 20), "green": (20, 200, 40), "blue": (30, 30, 210)}


def picture(colour: str, size: tuple[int, int] = (64, 48), kind: str = "PNG", **options) -> bytes:
    """A picture's file, all of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, COLOURS[colour]).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that names the colour that a picture has most of."""
    import keras

    dense = keras.layers.Dense(3, use_bias=False)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            dense,
        ]
    )
    dense.set_weights([4 * np.eye(3, dtype="float32")])
    folder = tmp_path_factory.mktemp("page")
    return export.litert(model, folder / "colours.tflite", class_names=tuple(COLOURS))


@pytest.fixture(scope="module")
def served(exported: Path) -> Iterator[page.Page]:
    with page.serve(exported) as opened:
        yield opened


def ask(served: page.Page, body: bytes, path: str = "answer", **headers: str) -> tuple[int, dict]:
    """Status and answer to a POST."""
    request = urllib.request.Request(served.url + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else {}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_picture_is_named(served, colour, kind):
    status, found = ask(served, picture(colour, kind=kind))
    assert status == 200
    assert found["classes"][0]["name"] == colour
    probabilities = [row["probability"] for row in found["classes"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)


def test_the_answer_is_that_of_the_model(served, exported):
    contents = picture("green")
    logits = export.load(exported)(page.decode(contents, SIZE)[np.newaxis])[0]
    expected = np.exp(logits) / np.exp(logits).sum()
    found = {row["name"]: row["probability"] for row in ask(served, contents)[1]["classes"]}
    np.testing.assert_allclose([found[name] for name in COLOURS], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("outputs", "activation", "pixels"),
    [
        (1, None, None),
        (1, "sigmoid", None),
        (3, "softmax", None),
        (3, None, "-1 to 1"),
        (1, "sigmoid", "0 to 1"),
    ],
)
def test_the_answer_is_that_of_keras(tmp_path, outputs, activation, pixels):
    """Whatever the model ends in, and wherever its pictures are scaled."""
    import keras

    scaling = [] if pixels else [keras.layers.Rescaling(1 / 127.5, offset=-1)]
    dense = keras.layers.Dense(outputs, activation=activation, use_bias=False)
    pooling = keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), *scaling, pooling, dense])
    dense.set_weights([2 * np.eye(3, dtype="float32")[:, :outputs]])
    opened = export.load(export.litert(model, tmp_path / "model.tflite", pixels=pixels))
    for colour in COLOURS:
        image = np.float32([COLOURS[colour]]).reshape(1, 1, 1, 3) + np.zeros((1, SIZE, SIZE, 3))
        low, high = (float(end) for end in (pixels or "0 to 255").split(" to "))
        given = model(image / 255 * (high - low) + low)
        if activation is None:
            given = keras.ops.sigmoid(given) if outputs == 1 else keras.ops.softmax(given)
        expected = np.array(given)[0]
        expected = [1 - expected[0], expected[0]] if outputs == 1 else expected
        found = {row["name"]: row["probability"] for row in page.answer(opened, picture(colour))}
        np.testing.assert_allclose(
            [found[f"class {label}"] for label in range(len(expected))], expected, atol=1e-4
        )


def test_what_is_no_picture_is_refused_in_a_sentence(served):
    whole = picture("red", (200, 200), "JPEG")
    for contents in (b"", b"hello", whole[: len(whole) // 2], b"<svg xmlns='x'/>"):
        status, found = ask(served, contents)
        assert status == 400
        assert found["error"].startswith("Received: ")
        assert "Expected: a picture in JPEG, PNG" in found["error"]


def claims(side: int) -> bytes:
    """A PNG of one pixel whose header, checksum included, says that there are `side` x `side`."""
    contents = bytearray(picture("red", (1, 1)))
    contents[16:24] = struct.pack(">II", side, side)
    contents[29:33] = struct.pack(">I", zlib.crc32(contents[12:29]))
    return bytes(contents)


def test_the_chooser_offers_what_phones_store(served):
    with urllib.request.urlopen(served.url) as reply:
        assert f'accept="{CHOOSER}"' in reply.read().decode()


@pytest.mark.parametrize("side", [12_000, 30_000])  # Pillow itself refuses the second
def test_a_file_that_unfolds_into_gigabytes_is_not_decoded(served, side):
    assert "picture" in ask(served, claims(2))[1]["error"]  # cut short, and not too large
    status, found = ask(served, claims(side))
    assert status == 400
    assert "larger than 100 million pixels" in found["error"]


def test_a_file_that_is_too_long_is_not_read(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.putrequest("POST", "/answer")
    connection.putheader("Content-Length", str(page.MOST_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 400  # before a byte of it was sent
    assert ask(served, picture("red"))[0] == 200


@pytest.mark.parametrize(
    "headers", [{"Host": "rebound.example:80"}, {"Origin": "https://elsewhere.example"}]
)
def test_other_web_pages_get_no_answer(served, headers):
    assert ask(served, picture("red"), **headers)[0] == 403


def test_only_this_machine_is_answered(served):
    with socket.socket() as other:  # any other address of this machine is not listened at
        other.settimeout(5)
        assert other.connect_ex(("127.0.0.2", served.port)) != 0


def test_nothing_but_the_page_is_served(served):
    for path in ("../__init__.py", "__init__.py", "page.jsx", "%2e%2e/export.py"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{served.url}{path}", timeout=20)


def test_a_closed_page_answers_no_more_and_a_taken_port_is_an_error(exported):
    with page.serve(exported) as opened:
        assert opened.url in repr(opened)
        with pytest.raises(OSError, match="in use"):
            page.serve(exported, opened.port)
    assert "closed" in repr(opened)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(opened.url, timeout=20)
    opened.close()  # once more does no harm


def test_a_wait_can_be_interrupted_on_windows(exported, monkeypatch):
    """There, Ctrl-C is not heard within a wait that has no end; every wait must have one."""
    begun, waits = threading.Event(), []

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append(timeout)
        begun.set()
        whole(thread, timeout)

    whole = threading.Thread.join
    served = page.serve(exported)
    monkeypatch.setattr(threading.Thread, "join", join)
    waiting = threading.Thread(target=served.wait)
    waiting.start()
    assert begun.wait(20)  # for a page that is still open
    served.close()
    whole(waiting, 20)
    assert None not in waits and not waiting.is_alive() and "closed" in repr(served)


# Pixels


def smooth(height: int, width: int) -> Image.Image:
    """A picture with colour everywhere."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3)).astype("uint8")
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("shape", [(300, 400), (96, 96), (48, 80), (104, 320)])
def test_pixels_are_those_that_tensorflow_resizes(shape):
    import tensorflow as tf

    image, file = smooth(*shape), io.BytesIO()
    image.save(file, "PNG")
    expected = tf.image.resize(np.asarray(image), (96, 96), method="bilinear").numpy()
    found = page.decode(file.getvalue(), 96)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, expected, atol=1.01)


def test_a_turned_photograph_is_brought_upright():
    image = smooth(80, 160)
    turned, straight, exif = io.BytesIO(), io.BytesIO(), Image.Exif()
    image.save(straight, "PNG")
    exif[0x0112] = 6  # to be turned by a quarter
    image.transpose(Image.Transpose.ROTATE_90).save(turned, "PNG", exif=exif)
    expected = page.decode(straight.getvalue(), 40).astype(int)
    np.testing.assert_allclose(page.decode(turned.getvalue(), 40), expected, atol=1)


# The program, and the browser


def test_the_program_says_what_is_wrong(tmp_path):
    command = [sys.executable, "-m", "helpers.page", str(tmp_path / "gone.tflite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Received: no file")


def test_the_program_is_told_what_a_lost_record_said(exported, tmp_path, capsys, monkeypatch):
    path = tmp_path / "model.tflite"
    path.write_bytes(exported.read_bytes())
    assert program.main([str(path)]) == 2
    assert "without a record of its pixels" in capsys.readouterr().err
    monkeypatch.setattr(page.Page, "wait", lambda page: None)
    assert program.main([str(path), "--pixels", "0 to 255", "--outputs", "logits"]) == 0
    assert "pixels of 0 to 255; gives logits" in capsys.readouterr().out


def test_the_program_serves_without_tensorflow(exported):
    blocked = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; import runpy; "
    start = "runpy.run_module('helpers.page', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-c", blocked + start, str(exported)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert "colours.tflite" in process.stdout.readline()
        url = process.stdout.readline().split()[1]
        request = urllib.request.Request(url + "answer", data=picture("blue"))
        with urllib.request.urlopen(request, timeout=20) as response:
            assert json.load(response)["classes"][0]["name"] == "blue"
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if laboratory.BROWSER is None:
        pytest.skip("There is no Chromium on this machine.")
    with laboratory.chromium() as opened:
        yield opened


DROP = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
    const event = new DragEvent("drop", options);
    document.getElementById("drop").dispatchEvent(event);
}"""


@pytest.mark.slow
def test_a_picture_is_dropped_in_a_browser(browser, served, tmp_path):
    opened = browser.new_page()
    opened.set_viewport_size({"width": 700, "height": 800})
    asked, complaints = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(served.url)
    opened.get_by_text("colours.tflite: float").wait_for()

    def drop(name: str, contents: bytes) -> None:
        opened.evaluate(DROP, [name, "image/png", base64.b64encode(contents).decode()])

    drop("sea.png", picture("blue"))
    first = opened.locator("#answer .row").first
    first.get_by_text("blue").wait_for()
    assert float(first.locator(".number").inner_text()) > 0.4
    assert opened.locator("#picture").get_attribute("alt") == "sea.png"
    laboratory.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=laboratory.SCREENSHOTS / "page_answered.png")

    path = tmp_path / "leaf.png"
    path.write_bytes(picture("green"))
    opened.locator("#file").set_input_files(path)  # by click or keyboard
    first.get_by_text("green").wait_for()
    assert not complaints  # no error, and nothing that the policy had to stop

    drop("letter.txt", b"no picture at all")
    opened.get_by_text("Expected: a picture in JPEG, PNG").wait_for()
    own = (served.url, "blob:", "data:")
    assert all(url.startswith(own) for url in asked), asked
    opened.close()


@pytest.mark.slow
def test_the_browser_says_when_the_page_was_closed(browser, exported):
    closing = page.serve(exported)
    opened = browser.new_page()
    opened.goto(closing.url)
    opened.get_by_text("colours.tflite: float").wait_for()
    closing.close()
    data = base64.b64encode(picture("red")).decode()
    opened.evaluate(DROP, ["a.png", "image/png", data])
    opened.get_by_text("does not answer any more").wait_for()
    opened.close()
