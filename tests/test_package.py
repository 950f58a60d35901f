"""The package as `pip install .` makes it, its metadata, and the locks made from it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import helpers

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.txt", "requirements-gpu.txt")
DEV_LOCK = "requirements-dev.txt"
SITE_LOCK, CLASS_LOCK = "requirements-site.txt", "requirements-class.txt"
CLUSTER_LOCK = "requirements-cluster.txt"
# The hook that every installer calls (PEP 517); no installer, so no network.
BUILD = "from flit_core import buildapi; buildapi.build_wheel(__import__('sys').argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The package, built."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder as `site-packages`, with the package alone in it."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, home: Path, code: str) -> list[str]:
    """The lines that `code` prints where `helpers` is installed, and no clone is near."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COURSE_")}
    environment |= {"PYTHONPATH": str(installed), "HOME": str(home), "USERPROFILE": str(home)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_installed_package_can_be_imported_and_writes_to_the_users_folder(installed, tmp_path):
    code = """
import importlib, pkgutil, sys

import numpy as np

import helpers
from helpers import evaluation, paths
for module in pkgutil.walk_packages(helpers.__path__, "helpers."):
    if not module.name.startswith("helpers.commands") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(helpers.__file__)
print(helpers.__version__)
print(paths.cache_folder())
print(evaluation.accuracy(np.array([[1.0], [-1.0]]), np.array([1, 0])).value)
print("tensorflow" in sys.modules)
"""
    file, version, cache_folder, works, slow = run(installed, tmp_path, code)
    assert Path(file).is_relative_to(installed)
    assert version == helpers.__version__
    assert Path(cache_folder) == tmp_path / ".cache" / "transfer-learning-course"
    assert works == "1.0"
    assert slow == "False"


def test_without_data_it_says_where_to_get_them(installed, tmp_path):
    code = """
from helpers import bases, pictures
print(bases.is_ready("drawn"))
print(pictures.is_ready("drawings"))
"""
    home = tmp_path / ".cache" / "transfer-learning-course" / "data"
    for what, said in zip(("bases", "drawings"), run(installed, tmp_path, code), strict=True):
        assert str(home / what) in said
        assert f"copy data/{what} of a clone of the course there" in said


def test_the_local_pages_files_are_in_the_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    beside = {path.name for path in (ROOT / "helpers" / "page").iterdir() if path.suffix != ".py"}
    packed = {Path(name).name for name in names if name.startswith("helpers/page/")}
    assert {"page.js", "page.css", "index.html"} <= packed & beside
    assert not [name for name in names if not name.startswith(("helpers/", "transfer_learning_"))]


def test_metadata_are_complete(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Author"] == "The course's authors"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Keywords"] and metadata["Requires-Python"]
    assert metadata.get_all("Provides-Extra") == ["gpu", "lessons"]


def test_the_version_is_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[^]]*)\] - (\d{4}-\d\d-\d\d)$", changes, re.MULTILINE)
    assert "version" not in PROJECT["project"]
    assert released[0] == (helpers.__version__, str(citation["date-released"]))
    assert citation["version"] == helpers.__version__


COMMANDS = ROOT / "helpers" / "commands"
CLASSROOM = ROOT / "helpers" / "classroom"
CLUSTER = ROOT / "helpers" / "cluster"
HELPERS = [
    path
    for path in (ROOT / "helpers").rglob("*.py")
    if not {COMMANDS, CLASSROOM, CLUSTER} & set(path.parents)
]
ROOMS = {
    "helpers": (HELPERS, ()),
    "classroom": (CLASSROOM.glob("*.py"), ("lessons", "class")),
    "cluster": (CLUSTER.glob("*.py"), ("cluster",)),
    "lessons": ((ROOT / "notebooks" / "source").glob("*.py"), ()),
    # What a learner starts works without what tests and checks.
    "commands": ({*COMMANDS.glob("*.py")} - {COMMANDS / "test.py"}, ("lessons",)),
    "tests": ((ROOT / "tests").glob("*.py"), ("lessons", "dev", "cluster")),
}


def imported(files: Iterable[Path]) -> set[str]:
    """The top-level names that these modules import, the standard library's and ours left out."""
    names = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module)
    ours = {path.stem for folder in (ROOT, ROOT / "tests") for path in folder.glob("*")}
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - ours


def declared(*extras: str) -> list[Requirement]:
    """What pyproject.toml requires, with these extras and groups."""
    more = PROJECT["project"]["optional-dependencies"] | PROJECT["dependency-groups"]
    lines = [*PROJECT["project"]["dependencies"], *(line for name in extras for line in more[name])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_imported_is_declared(room):
    files, extras = ROOMS[room]
    known = {canonicalize_name(wanted.name) for wanted in declared(*extras)}
    providers = packages_distributions()
    for name in imported(files):
        found = {canonicalize_name(provider) for provider in providers.get(name, [name])}
        assert known & found, f"{name} comes from {found}, which pyproject.toml does not name"


def entries(lock: str) -> list[str]:
    """A lock's entries, each with its hashes and comments."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return re.split(r"\n(?=[a-z0-9])", text.rstrip())


def pins(lock: str) -> dict[str, set[str]]:
    """Each package's versions; the markers that part them are left out."""
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        name, version = re.match(r"([a-z0-9.-]+)==(\S+)", entry).groups()
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", [*LOCKS, DEV_LOCK, SITE_LOCK, CLASS_LOCK, CLUSTER_LOCK])
def test_every_locked_file_has_its_hash_and_no_host(lock):
    for entry in entries(lock):
        assert re.search(r" \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        assert "://" not in entry and "index" not in entry.split("# via")[0]


@pytest.mark.parametrize(
    ("lock", "extras"), zip(LOCKS, [("lessons",), ("lessons", "gpu")], strict=True)
)
def test_what_is_declared_is_locked(lock, extras):
    locked = pins(lock)
    for wanted in declared(*extras):
        versions = locked[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version) for version in versions), str(wanted)


def test_both_locks_have_the_same_versions():
    cpu, gpu = (pins(lock) for lock in LOCKS)
    assert cpu.items() <= gpu.items()
    assert all(name.startswith("nvidia-") for name in gpu.keys() - cpu.keys())


def test_the_tests_lock_adds_to_the_courses_versions_and_no_learner_installs_it():
    locked, course = pins(DEV_LOCK), pins(LOCKS[0])
    assert all(course[name] == locked[name] for name in course.keys() & locked.keys())
    needed = {
        canonicalize_name(Requirement(line).name) for line in PROJECT["dependency-groups"]["dev"]
    }
    assert needed <= locked.keys()
    # Jupyter's own packages need two of them.
    assert needed & course.keys() == {"beautifulsoup4", "pyyaml"}


def test_the_sites_lock_has_what_the_site_needs_and_the_courses_versions():
    locked, course = pins(SITE_LOCK), pins(LOCKS[0])
    for line in PROJECT["dependency-groups"]["site"]:
        assert canonicalize_name(Requirement(line).name) in locked
    assert all(course[name] == locked[name] for name in course.keys() & locked.keys())
    assert "tensorflow" not in locked and not {"sphinx", "myst-nb"} & course.keys()


def test_the_classs_lock_adds_nbgrader_to_the_courses_versions():
    locked, course = pins(CLASS_LOCK), pins(LOCKS[0])
    assert "nbgrader" in locked and "nbgrader" not in course
    assert all(course[name] == locked[name] for name in course.keys() & locked.keys())
    needed = (
        PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["lessons"]
    )
    assert {canonicalize_name(Requirement(line).name) for line in needed} <= locked.keys()


def test_rays_lock_adds_ray_and_changes_none_of_the_courses_versions():
    locked, course = pins(CLUSTER_LOCK), pins(LOCKS[0])
    assert "ray" in locked and "ray" not in course
    assert all(course[name] == locked[name] for name in course.keys() & locked.keys())
    assert len(locked.keys() - course.keys()) <= 8
