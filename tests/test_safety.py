"""Nothing that somebody else made can run code here, and every error says what to do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.paths import ROOT

OURS = sorted(
    path
    for folder in ("helpers", "notebooks/source", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
# What runs code from a file that is only to be read.
DANGEROUS = re.compile(
    r"\b(import pickle|from pickle|cloudpickle|joblib|shelve|marshal\.loads?|allow_pickle=True|"
    r"safe_mode=False|enable_unsafe_deserialization|yaml\.load\(|eval\(|shell=True|os\.system)"
)


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_read_that_could_run(path: Path) -> None:
    assert not DANGEROUS.findall(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A small network."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    return keras.Sequential(layers)


def test_a_strangers_model_runs_no_code(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    sneaky = keras.Sequential(
        [
            keras.Input((2,)),
            # As bytecode in the file, this would run as soon as the model is built again.
            keras.layers.Lambda(lambda x, name=str(opened): (open(name, "w").close(), x)[1]),
        ]
    )
    opened.unlink()
    sneaky.save(tmp_path / "model.keras")
    with pytest.raises(Exception, match=r"(?s)unsafe|safe_mode"):
        keras.models.load_model(tmp_path / "model.keras")
    assert not opened.exists()


def test_a_flipped_byte_of_a_saved_model_is_noticed_or_harmless(
    tmp_path: Path, model: keras.Model
) -> None:
    path, images = tmp_path / "model.keras", np.ones((1, 4, 4, 3), "float32")
    model.save(path)
    whole, expected = path.read_bytes(), model.predict(images, verbose=0)
    noticed = harmless = 0
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            loaded = keras.models.load_model(path)
        except Exception:
            noticed += 1
            continue
        np.testing.assert_array_equal(loaded(images), expected)
        harmless += 1
    assert noticed > harmless


# Errors


def raised(path: Path) -> list[tuple[int, str, str]]:
    """Line, kind and literal text of every error that a file raises with a text."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        call = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
            parts = [
                part.value
                for argument in call.args
                for part in ast.walk(argument)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            found.append((node.lineno, call.func.id, "".join(parts)))
    return found


# Errors that never reach a learner as they are: a whole one is made around their phrase.
INNER = {"MirrorFailed", "Stopped", "NotAnswered", "NotAPicture", "CellFailed", "AssertionError"}
INNER |= {"Unjudged"}
WITH_PHRASES = {"archives.py", "bases.py", "downloads.py", "export.py", "pictures", "preflight"}


@pytest.mark.parametrize(
    "path",
    [path for path in OURS if path.is_relative_to(ROOT / "helpers")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_error_says_what_came_what_was_expected_and_what_to_do(path: Path) -> None:
    phrases = path.relative_to(ROOT / "helpers").parts[0] in WITH_PHRASES
    for line, kind, text in raised(path):
        if kind in INNER or not text or (phrases and not text[0].isupper()):
            continue
        told = f"{path.relative_to(ROOT)}:{line}: {text}"
        received, _, expected = text.partition(" Expected: ")
        assert received.startswith("Received: ") and expected, told


def test_errors_are_found() -> None:
    texts = [text for path in OURS for _, _, text in raised(path)]
    assert sum(text.startswith("Received: ") for text in texts) > 50
