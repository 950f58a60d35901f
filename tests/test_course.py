"""course.py: installing is tried on a tiny project with wheels made here, without a registry."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

import course
from helpers.commands import jupyter_settings

COURSE = Path(course.__file__)
UV = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
POSIX = pytest.mark.skipif(os.name == "nt", reason="stub programs are shell scripts")

# The smallest build backend: an editable install of a project whose package is `helpers`.
BACKEND = """
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "tiny_course-1.0-py3-none-any.whl"
    info = "tiny_course-1.0.dist-info/"
    metadata = "Metadata-Version: 2.1\\nName: tiny-course\\nVersion: 1.0\\n"
    kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        wheel.writestr("tiny_course.pth", str(Path(__file__).parent))
        wheel.writestr(info + "METADATA", metadata)
        wheel.writestr(info + "WHEEL", kind)
        wheel.writestr(info + "RECORD", "")
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny-course"
version = "1.0"
"""
COMMAND_LINE = """
import sys

def parse(arguments):
    return {"command": arguments[0]}

if __name__ == "__main__":
    import tiny
    print(tiny.VERSION, sys.argv[1:])
    sys.exit(7)
"""


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> str:
    """A wheel of a few texts; its digest."""
    info = f"{name}-{version}.dist-info/"
    files = {
        **files,
        info + "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{inside},,\n" for inside in [*files, info + "RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in {**files, info + "RECORD": record}.items():
            entry = zipfile.ZipInfo(inside)
            entry.external_attr = 0o100755 << 16  # a script may be run
            wheel.writestr(entry, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lock(root: Path, version: str, name: str = "tiny", file: str = "requirements.txt") -> None:
    """Lock a package at a version, from the project's own folder of wheels."""
    text = f"--no-index\n--find-links {(root / 'wheels').as_uri()}\n{name}=={version}\n"
    (root / file).write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path) -> Path:
    """A project that installs in a second, in a path with a space."""
    root = tmp_path / "a course"
    commands = root / "helpers" / "commands"
    commands.mkdir(parents=True)
    (root / "wheels").mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(root / "wheels", "tiny", version, {"tiny.py": f"VERSION = '{version}'\n"})
    lock(root, "1.0")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (root / "helpers" / "__init__.py").touch()
    (commands / "__init__.py").touch()
    (commands / "command_line.py").write_text(COMMAND_LINE, encoding="utf-8")
    shutil.copy(jupyter_settings.__file__, commands)
    shutil.copy(COURSE, root)
    return root


@pytest.fixture
def bare_venv(monkeypatch) -> None:
    """Make virtual environments without pip, which takes seconds and which uv does not need."""

    def make(venv: Path) -> None:
        command = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)]
        subprocess.run(command, check=True)

    monkeypatch.setattr(course, "make_venv", make)


def environment(**additions: str) -> dict[str, str]:
    """This process's, with uv on the path and another project's environment active."""
    settings = ("PIP_", "UV_", "COURSE_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    own = {
        "PATH": f"{UV.parent}{os.pathsep}{kept['PATH']}",
        "COURSE_DEVICE": "cpu",
        "VIRTUAL_ENV": sys.prefix,
        "PIP_CONFIG_FILE": os.devnull,
        "UV_HTTP_RETRIES": "0",
    }
    return {**kept, **own, **additions}


def ensure(root: Path, **additions: str) -> bool:
    """Install, in an environment that tests control."""
    return course.ensure(root, course.CPU, environment(**additions))


def imported(root: Path, expression: str, module: str = "tiny") -> str:
    """What an expression about a module is for .venv's Python, somewhere else."""
    # Compiled, a module of the same size and second would pass for the one that replaced it.
    program = [str(course.python_of(root / ".venv")), "-B", "-c"]
    program += [f"import {module}; print({module}.{expression})"]
    done = subprocess.run(
        program, capture_output=True, text=True, cwd=root.anchor, env=environment()
    )
    return done.stdout.strip()


def stamp(root: Path) -> Path:
    """What says that `.venv` was installed to its end."""
    return root / ".venv" / course.STAMP


def start(root: Path, *arguments: str, **additions: str) -> subprocess.Popen:
    """Start the project's own course.py from another folder."""
    process = subprocess.Popen(
        [sys.executable, str(root / "course.py"), *arguments],
        cwd=str(root.parent),
        env=environment(**additions),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=None if os.name == "nt" else heed_ctrl_c,
    )
    STARTED.append(process)
    return process


@pytest.fixture(autouse=True)
def none_left_behind():
    """A test that fails leaves no program waiting."""
    yield
    for process in STARTED:
        process.kill()
        process.communicate()
    STARTED.clear()


def heed_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C; pytest may be run so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


STARTED: list[subprocess.Popen] = []


def stub(folder: Path, name: str, script: str) -> str:
    """A program of a few shell lines; returns a PATH on which it comes first."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{environment()['PATH']}"


def wait_for(condition, seconds: float = 60):
    """Poll until the condition holds; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {condition}")


# Installing


def test_first_start_installs_and_second_starts_nothing(root, bare_venv, monkeypatch):
    assert ensure(root)
    assert imported(root, "VERSION") == "1.0"

    def refuse(*arguments, **options):
        raise AssertionError(f"a process or a lock: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(course, "locked", refuse)
    assert not ensure(root)


def test_a_changed_lock_is_installed_and_what_a_learner_added_stays(root, bare_venv):
    ensure(root)
    added = next((root / ".venv").rglob("site-packages")) / "added.py"
    added.touch()
    lock(root, "2.0")
    assert ensure(root)
    assert imported(root, "VERSION") == "2.0" and added.exists()


def test_a_changed_project_file_and_a_moved_folder_are_noticed(root, bare_venv):
    ensure(root)
    (root / "pyproject.toml").write_text(PROJECT + "\n", encoding="utf-8")
    assert ensure(root)
    moved = root.rename(root.with_name("moved course"))
    assert ensure(moved)
    assert imported(moved, "__file__", "helpers").startswith(str(moved))


def test_an_interrupted_installation_is_made_again(root, bare_venv):
    ensure(root)
    next((root / ".venv").rglob("tiny.py")).unlink()  # its metadata says that it is there
    stamp(root).unlink()
    assert ensure(root)
    assert imported(root, "VERSION") == "1.0"


@POSIX
def test_a_venv_whose_python_vanished_is_made_again(root, bare_venv):
    ensure(root)
    for link in (root / ".venv" / "bin").glob("python*"):
        link.unlink()
    course.python_of(root / ".venv").symlink_to("/nowhere/python3")
    stamp(root).write_text(course.stamp_of(root, course.CPU))  # the same link as then
    assert ensure(root)
    assert imported(root, "VERSION") == "1.0"


def test_a_venv_whose_python_was_replaced_by_a_newer_one_is_made_again(root, bare_venv):
    ensure(root)
    assert course.works(root / ".venv", environment())
    packages = next((root / ".venv").rglob("site-packages"))
    packages.rename(packages.with_name("packages of another version"))
    assert not course.works(root / ".venv", environment())


def pip_file(root: Path, text: str) -> str:
    """A file of pip's settings."""
    (root / "pip.conf").write_text(f"[global]\n{text}\n", encoding="utf-8")
    return str(root / "pip.conf")


@POSIX
def test_on_a_machine_with_only_python_pip_brings_uv_and_both_ask_pips_mirror(root):
    script = {"uv-1.0.data/scripts/uv": f'#!/bin/sh\nexec "{UV}" "$@"\n'}
    digests = {"uv": make_wheel(root / "wheels", "uv", "1.0", script)}
    tiny = next((root / "wheels").glob("tiny-1.0*")).read_bytes()
    digests["tiny"] = hashlib.sha256(tiny).hexdigest()
    locked = "".join(f"{name}==1.0 \\\n    --hash=sha256:{digests[name]}\n" for name in digests)
    (root / "requirements.txt").write_text(locked, encoding="utf-8")
    settings = pip_file(root, f"no-index = true\nfind-links = {(root / 'wheels').as_uri()}")
    assert ensure(root, PATH=os.defpath, PIP_CONFIG_FILE=settings)
    assert (root / ".venv" / "bin" / "uv").is_file()
    assert imported(root, "VERSION") == "1.0"


@pytest.mark.parametrize("digest", ["", " \\\n    --hash=sha256:01 \\\n    --hash=sha256:ab"])
def test_uv_is_brought_as_locked(root, monkeypatch, digest):
    lines = ["tzdata==1 \\\n    --hash=sha256:77", f"uv==0.9.1{digest}", "    # via -r", "xyz==2"]
    (root / "requirements.txt").write_text("\n".join(lines), encoding="utf-8")
    (root / ".venv").mkdir()
    asked = []
    monkeypatch.setattr(course, "run", lambda command, _: (asked.append(command), (False, ""))[1])
    course.bring_uv(root, course.CPU, environment())
    assert Path(asked[0][-1]).read_text(encoding="utf-8") == f"uv==0.9.1{digest}"


def test_uv_is_told_what_pip_was_told(root):
    mirror = "extra-index-url = https://a/simple https://b/simple\ncert = it's.pem"
    settings = course.pip_settings(
        sys.executable,
        environment(
            PIP_CONFIG_FILE=pip_file(root, f"index-url = https://file\n{mirror}"),
            PIP_INDEX_URL="https://variable",
            PIP_FIND_LINKS="one two",
        ),
    )
    told = course.uv_settings(settings)
    assert told["UV_DEFAULT_INDEX"] == "https://variable"  # wins, as for pip
    assert told["UV_INDEX"] == "https://a/simple https://b/simple"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert told["UV_FIND_LINKS"] == "one,two"
    assert told["SSL_CERT_FILE"] == "it's.pem"


# Ctrl-C, and two at once


@POSIX
def test_ctrl_c_leaves_no_installer_and_the_next_start_mends(root, bare_venv):
    path = stub(root.parent / "bin", "uv", 'echo $$ > "$STUB_PID"; exec sleep 100')
    pid_file = root.parent / "pid"
    ensure(root)
    lock(root, "2.0")
    process = start(root, "doctor", PATH=path, STUB_PID=str(pid_file))
    # .venv's own uv comes first on the path
    (root / ".venv" / "bin" / "uv").unlink(missing_ok=True)
    pid = wait_for(lambda: pid_file.exists() and pid_file.read_text().strip())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    wait_for(lambda: not psutil.pid_exists(int(pid)))
    assert not stamp(root).exists()
    assert ensure(root)
    assert imported(root, "VERSION") == "2.0"


def test_second_program_waits_for_the_first_and_passes_all_on(root, bare_venv):
    ensure(root)
    lock(root, "2.0")
    with course.locked(root / ".cache" / "install.lock"):
        process = start(root, "doctor", "--", "one", "two words")
        line = process.stdout.readline()
        assert line.startswith("Another course.py is installing")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 7, errors
    assert "2.0 ['doctor', '--', 'one', 'two words']" in output


@POSIX
def test_the_lock_is_held_as_long_as_an_installer_lives(root):
    code = (
        "import course, subprocess, sys, time; from pathlib import Path\n"
        "with course.locked(Path(sys.argv[1])):\n"
        "    installer = subprocess.Popen(['sleep', '600'], close_fds=False)\n"
        "    print(installer.pid, flush=True); time.sleep(600)"
    )
    held = root / "install.lock"
    command = [sys.executable, "-c", code, str(held)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    installer = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    with held.open("ab") as file:
        assert not course.try_lock(file.fileno())
    installer.kill()
    with held.open("ab") as file:
        wait_for(lambda: course.try_lock(file.fileno()))


def test_the_site_has_an_environment_of_its_own(root):
    (root / "requirements.txt").rename(root / "requirements-site.txt")
    process = start(root, "site")
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 7 and "1.0 ['site']" in said, errors
    assert (root / course.SITE.venv / course.STAMP).is_file() and not (root / ".venv").exists()
    assert course.is_installed(root, course.SITE) and not course.is_installed(root, course.CPU)


def test_ray_is_added_to_the_courses_own_environment_and_stays(root, bare_venv):
    ensure(root)
    make_wheel(root / "wheels", "added", "1.0", {"added.py": "VERSION = 'added'\n"})
    text = (root / "requirements.txt").read_text().replace("tiny==", "added==")
    (root / "requirements-cluster.txt").write_text(text, encoding="utf-8")
    before = stamp(root).read_text()
    assert course.add(root, course.CLUSTER, environment())
    assert imported(root, "VERSION", "added") == "added"
    assert imported(root, "VERSION") == "1.0" and stamp(root).read_text() == before
    assert not ensure(root) and not course.add(root, course.CLUSTER, environment())
    lock(root, "2.0")  # an update of the course leaves it, too
    assert ensure(root) and imported(root, "VERSION") == "2.0"
    assert imported(root, "VERSION", "added") == "added"


def test_ray_is_installed_after_the_course(root):
    make_wheel(root / "wheels", "added", "1.0", {"added.py": "VERSION = 'added'\n"})
    text = (root / "requirements.txt").read_text().replace("tiny==", "added==")
    (root / "requirements-cluster.txt").write_text(text, encoding="utf-8")
    said, errors = start(root, "cluster").communicate(timeout=120)
    assert "1.0 ['cluster']" in said and "Installing packages for CLUSTER" in said, errors
    assert course.is_installed(root, course.CPU)
    assert imported(root, "VERSION", "added") == "added"


# Every failure ends in one sentence with its mend


def test_a_registry_out_of_reach(root, bare_venv):
    ensure(root)
    before = stamp(root).read_text()
    (root / "requirements.txt").write_text("tiny==3.0\n", encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{probe.getsockname()[1]}/simple"  # bound and not listening
        process = start(root, "doctor", UV_DEFAULT_INDEX=index)
        _, errors = process.communicate(timeout=120)
    last = errors.strip().splitlines()[-1]
    assert process.returncode == 2
    assert last.startswith("course.py: the package registry cannot be reached")
    assert stamp(root).read_text() == before  # what was installed is there still
    assert imported(root, "VERSION") == "1.0"


UV_SAYS = "error: No solution found when resolving dependencies\n  cause: Because "


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("error: No space left on device (os error 28)", "too full .* free some"),
        ("[Errno 28] No space left on device: '/x'", "too full .* free some"),
        ("error: Failed to fetch: https://x/\n  cause: dns error", "cannot be reached"),
        ("  cause: invalid peer certificate: UnknownIssuer", "cannot be reached"),
        (
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken\n"
            "ERROR: No matching distribution found for uv==0.9.1",
            "cannot be reached: .*PIP_INDEX_URL",
        ),
        ("ERROR: No matching distribution found for uv==0.9.1", "no uv==0.9.1 for .*64-bit"),
        (UV_SAYS + "keras==3.0 has no wheels with a matching platform tag", "no keras==3.0 for"),
        (UV_SAYS + "there is no version of keras==3.0 and you require", "no keras==3.0 for"),
        ("not created successfully because ensurepip is not\navailable.", "apt install python3"),
        ("/usr/bin/python3: No module named venv", r"apt install python3\.\d+-venv"),
        ("OSError: [Errno 2] ... HINT: This error might be Long Path support", "long paths"),
        ("one\nerror: Hash mismatch\nthree", "failed .error: Hash mismatch.: mend that"),
    ],
)
def test_what_an_installer_says_becomes_a_sentence(said, meant):
    sentence = str(course.explain(said, f"failed ({course.last_line(said)})"))
    assert course.re.search(meant, sentence)


def test_too_little_disk_is_said_before_anything_is_made(root, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(10**9))
    with pytest.raises(course.Stop, match=r"1\.0 GB free, 4\.0 GB needed.*free some"):
        ensure(root)
    assert not (root / ".venv").exists()


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, 10), (3, 14), (4, 0)])
def test_wrong_python_version(version):
    said = rf"Python {version[0]}\.{version[1]} .*3\.11, 3\.12, 3\.13"
    with pytest.raises(course.Stop, match=said):
        course.check_python((*version, 0), 2**63 - 1)


def test_right_python_versions_and_32_bits():
    for version in course.PYTHONS:
        course.check_python((*version, 1), 2**63 - 1)
    with pytest.raises(course.Stop, match="64-bit"):
        course.check_python((3, 11, 1), 2**31 - 1)


def test_old_pythons_can_parse_it():
    ast.parse(COURSE.read_text(encoding="utf-8"), feature_version=(3, 8))


# What is installed, and for whom


@POSIX
def test_an_nvidia_card_chooses_its_own_lock(tmp_path):
    def chosen(script: str, device: str = "auto") -> str:
        path = stub(tmp_path / "bin", "nvidia-smi", script)
        return course.choose_packages({"PATH": path, "COURSE_DEVICE": device}).name

    linux = sys.platform.startswith("linux")
    assert chosen("echo 'GPU 0: NVIDIA'") == ("gpu" if linux else "cpu")
    assert chosen("echo 'GPU 0: NVIDIA'", device="cpu") == "cpu"
    assert chosen("echo 'no GPU'; exit 9") == "cpu"
    with pytest.raises(course.Stop, match="cpu, gpu or auto"):
        chosen("true", device="tpu")


def test_every_lock_holds_uv():
    for packages in (course.CPU, course.GPU, course.CLUSTER, *course.EXTRAS.values()):
        assert "\nuv==" in (course.ROOT / packages.requirements[0]).read_text(encoding="utf-8")


@pytest.fixture
def tried(root, bare_venv) -> Path:
    """The project with a second lock, of what its tests need."""
    for version in ("1.0", "2.0"):
        make_wheel(root / "wheels", "tried", version, {"tried.py": f"VERSION = '{version}'\n"})
    lock(root, "1.0", "tried", "requirements-dev.txt")
    return root


WITH_CHECKS = course.with_checks(course.CPU)


def test_a_learner_has_nothing_of_the_tests_and_a_test_adds_only_what_is_missing(tried):
    ensure(tried)
    assert not list((tried / ".venv").rglob("tried.py"))
    tiny = next((tried / ".venv").rglob("tiny.py")).stat().st_mtime_ns
    assert course.ensure(tried, WITH_CHECKS, environment())
    assert imported(tried, "VERSION", "tried") == "1.0"
    assert next((tried / ".venv").rglob("tiny.py")).stat().st_mtime_ns == tiny
    assert not course.ensure(tried, WITH_CHECKS, environment())
    assert not ensure(tried)  # and a learner's command after that removes nothing


def test_a_changed_lock_of_the_tests_is_installed_by_a_test(tried):
    course.ensure(tried, WITH_CHECKS, environment())
    lock(tried, "2.0", "tried", "requirements-dev.txt")
    assert course.ensure(tried, WITH_CHECKS, environment())
    assert imported(tried, "VERSION", "tried") == "2.0"
    lock(tried, "2.0")
    assert ensure(tried)
    assert imported(tried, "VERSION", "tried") == "2.0"  # stays
    assert course.ensure(tried, WITH_CHECKS, environment())


@pytest.mark.parametrize(
    ("command", "tests"), [("lab", False), ("doctor", False), ("test", True), ("build", True)]
)
def test_which_commands_bring_the_tests_packages(monkeypatch, command, tests):
    asked = []
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setattr(course, "ensure", lambda _, packages, __: asked.append(packages))
    monkeypatch.setattr(course, "start", lambda arguments, packages: 0)
    assert course.main([command]) == 0
    assert ("requirements-dev.txt" in asked[0].requirements) is tests


def test_the_gpus_packages_serve_without_a_card(tried):
    for packages, served in ((course.GPU, [course.CPU]), (course.with_checks(course.GPU), BOTH)):
        stamp(tried).parent.mkdir(exist_ok=True)
        course.python_of(tried / ".venv").parent.mkdir(exist_ok=True)
        course.python_of(tried / ".venv").touch()
        stamp(tried).write_text(course.stamp_of(tried, packages))
        assert [each for each in BOTH if course.is_installed(tried, each)] == served


BOTH = [course.CPU, WITH_CHECKS]


def test_environment_is_the_courses_own(tmp_path):
    given = {
        "VIRTUAL_ENV": "/other",
        "PYTHONHOME": "/other",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/bin",
    }
    made = course.course_environment(tmp_path, "cpu", given)
    assert made["VIRTUAL_ENV"] == str(tmp_path)
    assert made["PATH"].split(os.pathsep) == [str(course.python_of(tmp_path).parent), "/bin"]
    assert not {"PYTHONHOME", "PYTHONDONTWRITEBYTECODE"} & set(made)
    assert made["CUDA_VISIBLE_DEVICES"] == "-1" and made["COURSE_DEVICE"] == "cpu"
    assert "CUDA_VISIBLE_DEVICES" not in course.course_environment(tmp_path, "gpu", given)
