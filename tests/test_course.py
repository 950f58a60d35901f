"""course.py: installing is tried on a tiny project with wheels made here, without a registry."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import psutil
import pytest

import course

COURSE = Path(course.__file__)
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
DOCTOR = "import sys, tiny, os\nprint('doctor', tiny.VERSION, sys.argv[1:])\nsys.exit(7)\n"


def make_wheel(folder: Path, version: str) -> None:
    """A wheel of the package `tiny` that holds one number."""
    info = f"tiny-{version}.dist-info/"
    files = {
        "tiny.py": f"VERSION = '{version}'\n",
        info + "METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, info + "RECORD"])
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, info + "RECORD": record}.items():
            wheel.writestr(name, text)


def lock(root: Path, version: str) -> None:
    """Lock `tiny` at a version, from the project's own folder of wheels."""
    text = f"--no-index\n--find-links {(root / 'wheels').as_uri()}\ntiny=={version}\n"
    (root / "requirements.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path) -> Path:
    """A project that installs in a second, in a path with a space."""
    root = tmp_path / "a course"
    (root / "helpers" / "commands").mkdir(parents=True)
    (root / "wheels").mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(root / "wheels", version)
    lock(root, "1.0")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (root / "helpers" / "__init__.py").touch()
    (root / "helpers" / "commands" / "__init__.py").touch()
    (root / "helpers" / "commands" / "doctor.py").write_text(DOCTOR, encoding="utf-8")
    shutil.copy(COURSE, root / "course.py")
    return root


@pytest.fixture
def bare_venv(monkeypatch) -> None:
    """Make virtual environments without pip, which takes seconds and which uv does not need."""

    def make(venv: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)

    monkeypatch.setattr(course, "make_venv", make)


def environment(**additions: str) -> dict[str, str]:
    """This process's, with uv on the path and another project's environment active."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "COURSE_"))}
    path = os.path.dirname(shutil.which("uv", path=uv_folder()) or "") + os.pathsep + kept["PATH"]
    other = {"VIRTUAL_ENV": sys.prefix, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    return {
        **kept,
        "PATH": path,
        "UV_HTTP_RETRIES": "0",
        "COURSE_DEVICE": "cpu",
        **other,
        **additions,
    }


def uv_folder() -> str:
    """Where this environment keeps its programs."""
    return str(Path(sys.executable).parent)


def ensure(root: Path, **options) -> bool:
    """Install, in an environment that tests control."""
    return course.ensure(root, environment=options.pop("environment", environment()), **options)


def version_in(root: Path) -> str:
    """The version of `tiny` that .venv's Python imports."""
    python = str(course.python_of(root / ".venv"))
    code = "import tiny; print(tiny.VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def start(root: Path, *arguments: str, **additions: str) -> subprocess.Popen:
    """Start the project's own course.py from another folder."""
    process = subprocess.Popen(
        [sys.executable, str(root / "course.py"), *arguments],
        cwd=str(root.parent),
        env=environment(**additions),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=HEED_CTRL_C,
    )
    STARTED.append(process)
    return process


@pytest.fixture(autouse=True)
def none_left_behind():
    """A test that fails leaves no program waiting."""
    yield
    for process in STARTED:
        process.kill()
        process.wait()
    STARTED.clear()


def heed_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C; pytest may be run so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


HEED_CTRL_C = None if os.name == "nt" else heed_ctrl_c
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
    assert version_in(root) == "1.0"

    def refuse(*arguments, **options):
        raise AssertionError(f"a process or a lock: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(course, "locked", refuse)
    assert not ensure(root)


def test_a_changed_lock_is_installed(root, bare_venv):
    ensure(root)
    lock(root, "2.0")
    assert ensure(root)
    assert version_in(root) == "2.0"


def test_what_a_learner_added_stays_when_the_lock_changes(root, bare_venv):
    ensure(root)
    added = next((root / ".venv").rglob("site-packages")) / "added.py"
    added.touch()
    lock(root, "2.0")
    ensure(root)
    assert added.exists()


def test_a_changed_project_file_and_a_moved_folder_are_noticed(root, bare_venv):
    ensure(root)
    (root / "pyproject.toml").write_text(PROJECT + "\n", encoding="utf-8")
    assert ensure(root)
    moved = root.rename(root.with_name("moved course"))
    assert ensure(moved)
    code = "import helpers; print(helpers.__file__)"
    python = str(course.python_of(moved / ".venv"))
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd="/")
    assert found.stdout.startswith(str(moved))


def test_an_interrupted_installation_is_mended(root, bare_venv):
    ensure(root)
    installed = next((root / ".venv").rglob("tiny.py"))
    installed.unlink()  # half a package: its metadata says that it is there
    course.write_stamp(root / ".venv", course.INSTALLING)
    assert ensure(root)
    assert version_in(root) == "1.0"


def test_a_venv_without_a_stamp_is_completed_not_thrown_away(root, bare_venv):
    course.make_venv(root / ".venv")
    (root / ".venv" / "mine").touch()
    assert ensure(root)
    assert version_in(root) == "1.0"
    assert (root / ".venv" / "mine").exists()


@POSIX
def test_a_venv_whose_python_vanished_is_made_again(root, bare_venv):
    ensure(root)
    for link in (root / ".venv" / "bin").glob("python*"):
        link.unlink()
    course.python_of(root / ".venv").symlink_to("/nowhere/python3")
    course.write_stamp(root / ".venv", course.stamp_of(root, course.CPU))  # the same path as then
    assert ensure(root)
    assert version_in(root) == "1.0"


@POSIX
def test_ctrl_c_leaves_no_installer_and_the_next_start_mends(root, bare_venv):
    path = stub(root.parent / "bin", "uv", 'echo $$ > "$STUB_PID"; exec sleep 100')
    pid_file = root.parent / "pid"
    course.make_venv(root / ".venv")
    process = start(root, "doctor", PATH=path, STUB_PID=str(pid_file))
    pid = wait_for(lambda: pid_file.exists() and pid_file.read_text().strip())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    wait_for(lambda: not psutil.pid_exists(int(pid)))
    assert course.read_stamp(root / ".venv") == course.INSTALLING
    assert ensure(root)
    assert version_in(root) == "1.0"


@pytest.fixture
def heeding():
    """Ctrl-C as a program in a terminal hears it, however pytest was started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_an_installer_starts_comes_after_it(heeding):
    began = []
    with pytest.raises(KeyboardInterrupt), course.ctrl_c_deferred():
        signal.raise_signal(signal.SIGINT)
        began.append(True)
    assert began
    with pytest.raises(KeyboardInterrupt):  # and is heard at once again
        signal.raise_signal(signal.SIGINT)


def test_second_program_waits_for_the_first(root, bare_venv):
    course.make_venv(root / ".venv")
    with course.locked(root / ".cache" / "install.lock"):
        process = start(root, "doctor")
        line = process.stdout.readline()
        assert line.startswith("Another course.py is installing")
        assert not (root / ".venv" / course.STAMP).exists()
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 7, errors
    assert "doctor 1.0" in output


@POSIX
def test_the_lock_of_a_killed_program_is_free(root):
    code = (
        "import course, sys, time; from pathlib import Path\n"
        "with course.locked(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(600)"
    )
    held = root / "install.lock"
    command = [sys.executable, "-c", code, str(held)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    with held.open("ab") as file:
        assert not course.try_lock(file.fileno())
    process.kill()
    process.wait()
    with held.open("ab") as file:
        assert course.try_lock(file.fileno())


def test_arguments_and_exit_code_are_passed_on(root, bare_venv):
    course.make_venv(root / ".venv")
    process = start(root, "doctor", "--", "one", "two words")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 7, errors
    assert "doctor 1.0 ['one', 'two words']" in output


@POSIX
def test_pip_installs_where_uv_fails(root):
    path = stub(root.parent / "bin", "uv", "echo broken; exit 1")
    assert ensure(root, environment=environment(PATH=path))
    assert version_in(root) == "1.0"


# Every failure is one sentence with its mend


def failure(root: Path, **additions: str) -> str:
    """What `course.py doctor` says when it cannot install: exactly one line."""
    process = start(root, "doctor", **additions)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len(errors.strip().splitlines()) == 1, errors
    return errors


def test_registry_out_of_reach(root):
    (root / "requirements.txt").write_text("tiny==1.0\n", encoding="utf-8")
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{probe.getsockname()[1]}/simple"  # bound and not listening
        said = failure(root, PIP_INDEX_URL=index, UV_DEFAULT_INDEX=index)
    assert "cannot be reached" in said and "PIP_INDEX_URL" in said


def test_an_update_without_the_registry_keeps_what_was_installed(root, bare_venv, monkeypatch):
    ensure(root)
    stamp = course.read_stamp(root / ".venv")
    lock(root, "2.0")
    unreachable = (True, "error sending request for url")
    monkeypatch.setattr(course.Installer, "call", lambda *arguments: unreachable)
    with pytest.raises(course.Unreachable):
        ensure(root)
    assert course.read_stamp(root / ".venv") == stamp
    assert version_in(root) == "1.0"


def test_no_package_for_this_machine(root, bare_venv, monkeypatch):
    said = (True, "ERROR: No matching distribution found for tensorflow==2.21.0")
    monkeypatch.setattr(course.Installer, "call", lambda *arguments: said)
    with pytest.raises(course.Stop, match=r"no tensorflow==2.21.0 for this machine .*64-bit"):
        ensure(root)


def test_too_little_disk_is_said_before_anything_is_made(root):
    with pytest.raises(course.Stop, match=r"1\.0 GB free, 4\.0 GB needed.*free some"):
        ensure(root, free_bytes=lambda path: 10**9)
    assert not (root / ".venv").exists()


@POSIX
def test_a_disk_that_fills_up_while_installing(root, bare_venv):
    path = stub(root.parent / "bin", "uv", "echo 'No space left on device (os error 28)'; exit 1")
    with pytest.raises(course.Stop, match="too full"):
        ensure(root, environment=environment(PATH=path))


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, 10), (3, 14), (4, 0)])
def test_wrong_python_version(version):
    with pytest.raises(
        course.Stop, match=rf"Python {version[0]}\.{version[1]} .*3\.11, 3\.12, 3\.13"
    ):
        course.check_python((*version, 0), 2**63 - 1)


def test_right_python_versions_and_32_bits():
    for version in course.PYTHONS:
        course.check_python((*version, 1), 2**63 - 1)
    with pytest.raises(course.Stop, match="64-bit"):
        course.check_python((3, 11, 1), 2**31 - 1)


def test_old_pythons_can_parse_it():
    ast.parse(COURSE.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("name", ["venv", "ensurepip"])
def test_missing_standard_module(root, monkeypatch, name):
    find = course.importlib.util.find_spec
    hidden = lambda wanted: None if wanted == name else find(wanted)  # noqa: E731
    monkeypatch.setattr(course.importlib.util, "find_spec", hidden)
    with pytest.raises(course.Stop, match=f"{name}: on Debian.*apt install python3"):
        ensure(root)


def test_only_the_standard_library_is_imported():
    tree = ast.parse(COURSE.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for node in imports
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert names <= sys.stdlib_module_names


# What is installed


@POSIX
def test_an_nvidia_card_chooses_its_own_lock(tmp_path):
    recipes = (course.CPU, course.GPU)

    def chosen(script: str, device: str = "auto") -> str:
        path = stub(tmp_path / "bin", "nvidia-smi", script)
        return course.choose_recipe({"PATH": path, "COURSE_DEVICE": device}, recipes).name

    linux = sys.platform.startswith("linux")
    assert chosen("echo 'GPU 0: NVIDIA'") == ("gpu" if linux else "cpu")
    assert chosen("echo 'GPU 0: NVIDIA'", device="cpu") == "cpu"
    assert chosen("echo 'no devices'; exit 9") == "cpu"
    with pytest.raises(course.Stop, match="cpu, gpu or auto"):
        chosen("true", device="tpu")


def test_locks_hold_uv_and_what_the_recipes_name():
    for recipe in (course.CPU, course.GPU):
        assert "\nuv==" in (course.ROOT / recipe.requirements).read_text(encoding="utf-8")


def test_settings_switch_off_news_and_pairing(tmp_path):
    course.write_settings(tmp_path)
    overrides = json.loads((tmp_path / "share/jupyter/lab/settings/overrides.json").read_text())
    news = overrides["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}


# The command line


def program(line: str) -> course.Program:
    """What a command line would start."""
    own, extra = course.split_arguments(line.split())
    options, others = course.parser().parse_known_args(own)
    return course.COMMANDS[options.command](options, others, extra)


def test_tests_named_after_the_dashes_stand_alone():
    named = "tests/test_course.py::test_old_pythons_can_parse_it"
    assert program(f"test -- {named} -x").arguments[-3:] == ["-rs", named, "-x"]


def test_test_command(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    alone = ["-m", "pytest", "-rs", "tests", "notebooks"]
    shared = ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"]
    assert program("test").arguments == [*alone, *shared]
    monkeypatch.setenv("COURSE_DEVICE", "gpu")
    if sys.platform.startswith("linux"):
        assert program("test").arguments == alone
    monkeypatch.delenv("COURSE_DEVICE")
    assert program("test --fast -- -k oracle -x").arguments[-5:] == [
        "-m",
        "not slow",
        "-k",
        "oracle",
        "-x",
    ]
    assert program("test --pictures tfds").additions == {"COURSE_PICTURES": "tfds"}
    assert program(f"test --pictures {tmp_path}").additions == {
        "COURSE_PICTURES": str(tmp_path.resolve())
    }
    with pytest.raises(
        course.Stop, match="no pictures 'phtos': choose one of drawings, photos, tfds"
    ):
        program("test --pictures phtos")


def test_test_command_with_a_lesson(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    for name in ("01_one", "03_three"):
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for name in ("3", "03", "03_three", "notebooks/03_three.ipynb"):
        assert program(f"test --lesson {name}").arguments[-1] == str(
            Path("notebooks/03_three.ipynb")
        )
    with pytest.raises(course.Stop, match="'7': choose one of 01_one, 03_three"):
        program("test --lesson 7")


def test_commands_of_the_helpers():
    assert program("run 3 --pictures photos").arguments == ["-m", "helpers.commands.run", "3"]
    assert program("run 3 --pictures photos").additions == {"COURSE_PICTURES": "photos"}
    assert program("fetch photos --again").arguments[1:] == [
        "helpers.commands.fetch",
        "photos",
        "--again",
    ]
    assert program("build 2 --check").arguments[1:] == ["helpers.commands.build", "2", "--check"]
    assert program("doctor").arguments == ["-m", "helpers.commands.doctor"]


def test_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit):
        course.main(["test", "--fats"])
    assert "--fats" in capsys.readouterr().err


def test_environment_is_the_courses_own(tmp_path, monkeypatch):
    given = {
        "VIRTUAL_ENV": "/other",
        "PYTHONHOME": "/other",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/bin",
        "COURSE_DEVICE": "cpu",
    }
    made = course.course_environment(tmp_path, given)
    assert made["VIRTUAL_ENV"] == str(tmp_path)
    assert made["PATH"].split(os.pathsep) == [str(course.python_of(tmp_path).parent), "/bin"]
    assert not {"PYTHONHOME", "PYTHONDONTWRITEBYTECODE"} & set(made)
    assert made["CUDA_VISIBLE_DEVICES"] == "-1"


def test_a_port_in_use_is_said(capsys):
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert course.main(["lab", "--port", str(port)]) == 2
    assert f"port {port} is in use" in capsys.readouterr().err


# JupyterLab


@pytest.fixture
def laboratory(tmp_path):
    """The real JupyterLab as `course.py lab --no-browser` starts it; its process and record."""
    course.write_settings(Path(sys.prefix))
    folders = {
        f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("RUNTIME", "CONFIG", "DATA")
    }
    command = [sys.executable, *program("lab --no-browser").arguments]
    variables = course.course_environment(Path(sys.prefix), {**environment(), **folders})
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=variables, stdout=log, stderr=log, preexec_fn=HEED_CTRL_C
        )
    records = tmp_path / "RUNTIME"
    try:
        record = wait_for(lambda: next(iter(records.glob("jpserver-*.json")), None))
        yield process, wait_for(lambda: json_or_none(record)), tmp_path / "log"
    finally:
        process.kill()
        process.wait()


def json_or_none(path: Path) -> dict | None:
    """The file's content once it is complete."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def answer(record: dict, path: str, token: str) -> tuple[int, bytes]:
    """The server's status and body."""
    request = urllib.request.Request(f"{record['url']}{path}")
    if token:
        request.add_header("Authorization", f"token {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_lab_answers_its_token_only_on_this_machine_only(laboratory):
    process, record, log = laboratory
    assert wait_for(lambda: answer_or_none(record, "api/status", record["token"]))[0] == 200
    assert answer(record, "api/status", "")[0] == 403
    connections = psutil.Process(process.pid).net_connections(kind="inet")
    listening = {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert Path(record["root_dir"]) == course.ROOT / "notebooks"
    assert "/lab/tree/00_" in log.read_text(encoding="utf-8")
    _, page = answer(record, "lab", record["token"])
    assert b'"jupyterlab-jupytext"' in page.partition(b'"disabledExtensions"')[2][:200]
    assert "jupyterlab_jupytext" not in log.read_text(encoding="utf-8")
    name = "lab/api/settings/@jupyterlab/apputils-extension:notification"
    defaults = json.loads(answer(record, name, record["token"])[1])["schema"]["properties"]
    assert defaults["fetchNews"]["default"] == "false"
    if os.name != "nt":
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert "Traceback" not in log.read_text(encoding="utf-8")


def answer_or_none(record: dict, path: str, token: str) -> tuple[int, bytes] | None:
    """The answer once the server listens."""
    try:
        return answer(record, path, token)
    except urllib.error.URLError:
        return None
