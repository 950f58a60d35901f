"""The report, what is shown meanwhile, limits of time, and what is refused."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import sys

import keras
import numpy as np
import pytest

from helpers.preflight import CHECKS, UNEXPECTED, Finding, Inspection, PreflightError, preflight
from helpers.preflight.stages import WIDTH, Stages

ERROR = Finding("labels", "error", "Seen.", "Do this.")
WARNING = Finding("size", "warning", "Few.", "More.")
NOTE = Finding("order", "note", "Mixed.", "Sort.")


def report(*findings: Finding) -> Inspection:
    return Inspection(
        findings,
        ("logits",),
        (("scaling", "no pictures"),),
        "Looked.",
        "base: 0 of 4 variables",
        {"x": 0.12345},
    )


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (120, 16, 16, 3)).astype("uint8")
    labels = generator.integers(0, 2, 120)
    return (images[:80], labels[:80]), (images[80:], labels[80:])


def build(*end, shape=(16, 16, 3)):
    return keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1), *end]
    )


def compiled(model):
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def use(monkeypatch, **checks):
    monkeypatch.setattr(sys.modules["helpers.preflight"], "CHECKS", checks)


def calm(setup):
    return iter(())


# The report


def test_the_report_as_json():
    found = json.loads(json.dumps(report(ERROR, WARNING).to_dict()))
    assert found == {
        "errors": 1,
        "warnings": 1,
        "looked_at": "Looked.",
        "trains": "base: 0 of 4 variables",
        "findings": [
            {"check": "labels", "severity": "error", "what": "Seen.", "mend": "Do this."},
            {"check": "size", "severity": "warning", "what": "Few.", "mend": "More."},
        ],
        "notes": [],
        "passed": ["logits"],
        "skipped": [{"check": "scaling", "reason": "no pictures"}],
        "seconds": {"x": 0.123},
    }


def test_the_report_reads_as_text_and_as_html():
    found = report(Finding("labels", "error", "<b>3</b> & more", "do\nthis"), WARNING)
    text, page = repr(found), found._repr_html_()
    assert text.startswith("Preflight: 1 error, 1 warning, 1 checks passed, 1 skipped.")
    assert "ERROR    labels\n         <b>3</b> & more\n         Mend: do\n         this" in text
    assert "&lt;b&gt;3&lt;/b&gt; &amp; more" in page and "<b>3" not in page
    noted = dataclasses.replace(report(), notes=(NOTE,))
    assert "0 warnings, 1 note, 1 checks" in repr(noted) and "Mixed." in noted._repr_html_()


def test_errors_end_a_script_and_warnings_do_where_that_is_asked():
    for calm_report in (report(), report(WARNING), dataclasses.replace(report(), notes=(NOTE,))):
        assert calm_report.raise_for_errors() is calm_report
    with pytest.raises(PreflightError, match="Few"):
        report(WARNING).raise_for_errors(warnings=True)
    with pytest.raises(PreflightError, match="1 error, 1 warning") as raised:
        report(ERROR, WARNING).raise_for_errors()
    assert raised.value.report.errors == (ERROR,) and "Mend: Do this." in str(raised.value)
    again = pickle.loads(pickle.dumps(raised.value))
    assert again.report == raised.value.report


def test_what_trains_stands_in_text_page_and_dictionary(data, monkeypatch):
    use(monkeypatch, calm=calm)
    lines = str(report()).splitlines()
    assert lines[1:3] == ["Looked.", "What trains: base: 0 of 4 variables."]
    assert "Looked. What trains: base: 0 of 4 variables." in report()._repr_html_()
    found = preflight(compiled(build()), *data, progress=False)
    assert found.trains == found.to_dict()["trains"]


def test_how_long_each_check_took_is_no_part_of_what_was_found(data, monkeypatch):
    use(monkeypatch, calm=calm)
    found = [preflight(compiled(build()), *data, progress=False) for _ in range(2)]
    assert found[0] == found[1] and found[0].seconds.keys() == {"calm"}
    assert found[0].seconds["calm"] >= 0


# What follows from a fault


def test_a_check_that_fails_beside_an_error_is_not_judged_because_of_it(data, monkeypatch):
    def broken(setup):
        raise KeyError("where")
        yield

    def finds(severity):
        return lambda setup: iter([Finding("labels", severity, "Seen.", "Do this.")])

    use(monkeypatch, broken=broken, labels=finds("error"))
    reason = dict(preflight(compiled(build()), *data, progress=False).skipped)["broken"]
    assert reason == "not judged because of 'labels' above; mend that and look again"
    use(monkeypatch, broken=broken, labels=finds("warning"))
    reason = dict(preflight(compiled(build()), *data, progress=False).skipped)["broken"]
    assert reason.startswith(UNEXPECTED) and "test_preflight_report.py: KeyError: 'where'" in reason
    assert "Please report" in reason


def test_what_a_check_found_before_it_failed_is_kept(data, monkeypatch):
    def broken(setup):
        yield ERROR
        raise KeyError("where")

    use(monkeypatch, labels=broken, calm=calm)
    found = preflight(compiled(build()), *data, progress=False)
    assert found.findings == (ERROR,) and found.passed == ("calm",)


# Meanwhile


def test_each_stage_is_told(data, monkeypatch):
    use(monkeypatch, first=calm, second=calm)
    told = []
    preflight(compiled(build()), *data, progress=lambda *stage: told.append(stage))
    assert told == [
        ("looking through train", 1, 5),
        ("looking through validation", 2, 5),
        ("calling the model", 3, 5),
        ("first", 4, 5),
        ("second", 5, 5),
    ]


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self):
        return True


def test_a_terminal_shows_a_line_that_is_wiped_also_after_an_error(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(KeyError), Stages(2, True) as stages:
        stages.begin("scaling" * 20)
        raise KeyError
    shown, wiped = terminal.getvalue().strip("\r").split("\r\r")
    assert shown.startswith("preflight 1/2: scaling") and len(shown) == WIDTH
    assert wiped == " " * WIDTH


@pytest.mark.parametrize(("stream", "tell"), [(Terminal, False), (io.StringIO, True)])
def test_nothing_is_shown_where_nobody_watches_or_asks(stream, tell, monkeypatch):
    output = stream()
    monkeypatch.setattr(sys, "stderr", output)
    with Stages(1, tell) as stages:
        stages.begin("scaling")
    assert output.getvalue() == ""


def test_no_check_begins_after_the_time_is_over(data, monkeypatch):
    begun = []

    def first(setup):
        begun.append("first")
        return iter(())

    use(monkeypatch, first=first)
    found = preflight(compiled(build()), *data, seconds=0, progress=False)
    assert not begun and not found.passed
    assert "seconds=" in dict(found.skipped)["first"]
    assert preflight(compiled(build()), *data, seconds=600, progress=False).passed == ("first",)
    assert list(CHECKS)[-1] == "learning rate"  # the slowest goes last


# What is refused


def refused(model, data, error=ValueError):
    with pytest.raises(error, match=r"Received: .*Expected: ") as raised:
        preflight(model, *data, progress=False)
    return str(raised.value)


def test_models_that_cannot_be_looked_at(data):
    assert "model.compile" in refused(build(), data)
    inputs = keras.Input((16, 16, 3))
    flat = keras.layers.Flatten()(inputs)
    twins = keras.Model(inputs, [keras.layers.Dense(1)(flat) for _ in range(2)])
    twins.compile("adam", ["mse", "mse"])
    assert "1 inputs and 2 outputs" in refused(twins, data)
    assert "part = keras.Model(model.inputs[0], model.outputs[0])" in refused(twins, data)


def test_models_of_other_packages(data):
    assert "Pass the model first" in refused("model", data, TypeError)
    other = type("Module", (), {"__module__": "torch.nn"})()
    assert "models of Keras only" in refused(other, data, TypeError)
    old = type("Sequential", (), {"__module__": "tf_keras.src.engine"})()
    assert "Keras 2" in refused(old, data, TypeError)


@pytest.mark.parametrize(
    ("change", "way_on"),
    [
        (lambda x: x[..., :1], "np.repeat(images, 3, axis=-1)"),
        (lambda x: x[..., 0], "images[..., None]"),
        (lambda x: np.concatenate([x, x[..., :1]], axis=-1), "images[..., :3]"),
        (lambda x: np.moveaxis(x, -1, 1), "np.moveaxis(images, 1, -1)"),
        (lambda x: x[:, ::2], "Resize the pictures"),
        (lambda x: x.reshape(len(x), -1), "Give each input that shape"),
    ],
)
def test_shapes_that_do_not_fit(change, way_on, data):
    parts = [(change(images), labels) for images, labels in data]
    assert way_on in refused(compiled(build()), parts)


def test_grey_pictures_for_a_model_of_grey_ones(data):
    model = compiled(build(shape=(16, 16, 1)))
    assert "color_mode='grayscale'" in refused(model, data)
    plain = [(images[..., 0], labels) for images, labels in data]
    text = refused(model, plain)
    assert "images[..., None]" in text and "np.repeat" not in text


class Own(keras.Model):
    """A model that does with its inputs what `change` does, then asks for 768 numbers a row."""

    def __init__(self, change):
        super().__init__()
        self.change, self.dense = change, keras.layers.Dense(1)
        self(np.zeros((1, 16, 16, 3), "float32"))

    def call(self, inputs):
        return self.dense(self.change(inputs))


def test_a_model_that_ends_in_an_error(data):
    parts = [(images[:, :15], labels) for images, labels in data]
    model = compiled(Own(keras.layers.Flatten()))
    assert "ends in an error on inputs of shape (80, 15, 16, 3)" in refused(model, parts)
    model = compiled(Own(lambda x: keras.ops.reshape(x, (-1, 768))))
    assert "gives outputs of shape (75, 1) for 80 inputs" in refused(model, parts)
    assert preflight(model, *data, progress=False).looked_at


def test_no_data_and_a_path(data, tmp_path):
    assert "train_test_split" in refused(compiled(build()), (data[0], None))
    text = refused(compiled(build()), (tmp_path / "cats", data[1]))
    assert f"image_dataset_from_directory('{tmp_path / 'cats'}'" in text
