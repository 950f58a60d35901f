"""`helpers/preflight` works in a folder of its own: nothing else of the course is imported."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parent.parent / "helpers" / "preflight"
MODULES = sorted(ROOM.glob("*.py"))
MAY_IMPORT = {"keras", "numpy", "PIL", "scipy", "tensorflow"}
HEAVY = {"keras", "tensorflow"}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that are imported anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign(text: str) -> set[str]:
    """What a module imports beside the standard library, preflight itself and `MAY_IMPORT`."""
    names = set(imported(ast.parse(text))) - {"helpers"}
    ours = {n for n in names if n == "helpers.preflight" or n.startswith("helpers.preflight.")}
    rooms = MAY_IMPORT | sys.stdlib_module_names
    return {name for name in names - ours if name.partition(".")[0] not in rooms}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_nothing_of_the_course_and_nothing_private_is_imported(module):
    text = module.read_text(encoding="utf-8")
    assert not foreign(text)
    assert not [name for name in imported(ast.parse(text)) if name.startswith("keras.src")]
    assert "keras.src" not in text


def test_an_import_from_the_course_would_be_seen():
    assert foreign("from helpers import bases") == {"helpers.bases"}
    assert foreign("def f():\n    import helpers.weights") == {"helpers.weights"}
    assert foreign("from helpers.chance import interval") == {
        "helpers.chance",
        "helpers.chance.interval",
    }
    assert not foreign("from helpers.preflight import copies\nimport numpy as np\nimport json")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_tensorflow_is_imported_only_where_it_is_used(module):
    body = ast.parse(module.read_text(encoding="utf-8")).body
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert not {name.partition(".")[0] for name in imported(node)} & HEAVY


SCRIPT = """
import keras, numpy as np
from helpers.preflight import preflight

random = np.random.default_rng(0)
images = random.integers(0, 256, (240, 32, 32, 3)).astype("uint8")
labels = random.integers(0, 2, 240)
model = keras.Sequential([
    keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255),
    keras.layers.Conv2D(4, 3, strides=4, activation="relu"),
    keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1),
])
loss = keras.losses.BinaryCrossentropy(from_logits=True)
metrics = {"sound": [keras.metrics.BinaryAccuracy(threshold=0.0)], "faulty": ["accuracy"]}
for name in ("sound", "faulty"):
    model.compile("adam", loss, metrics=metrics[name])
    report = preflight(model, (images[:180], labels[:180]), (images[180:], labels[180:]))
    print(report)
    open(name, "w").write(__import__("json").dumps(report.to_dict()))
    report.raise_for_errors()
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[subprocess.CompletedProcess, Path]:
    """A script in an empty folder beside a package `helpers` that holds preflight alone."""
    home = tmp_path_factory.mktemp("alone")
    shutil.copytree(ROOM, home / "helpers" / "preflight")
    (home / "helpers" / "__init__.py").touch()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COURSE_")}
    environment |= {"PYTHONPATH": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True), home


def test_it_prints_its_report_and_ends_a_script_where_there_are_errors(ran):
    done = ran[0]
    assert done.returncode == 1, done.stderr
    assert "Preflight: 0 errors" in done.stdout and "ERROR    threshold" in done.stdout
    assert "PreflightError: Preflight: 1 error" in done.stderr
    assert "Mend: metrics=[keras.metrics.BinaryAccuracy(threshold=0.0" in done.stderr


def test_it_gives_its_report_as_json(ran):
    sound, faulty = (json.loads((ran[1] / name).read_text()) for name in ("sound", "faulty"))
    assert sound["errors"] == 0 and faulty["errors"] == 1
    assert next(found["check"] for found in faulty["findings"]) == "threshold"
    assert "all 180 of train" in sound["looked_at"]


def test_nothing_is_shown_where_nobody_watches(ran):
    assert "preflight 1/" not in ran[0].stderr and "\r" not in ran[0].stdout
