#!/usr/bin/env python3
"""Start the course: this one program installs what it needs, then opens, tests or runs it.

    python3 course.py lab          JupyterLab on the lessons, the start page in front
    python3 course.py doctor       what this machine has, and how long each lesson will take
    python3 course.py run 1        run a lesson without a browser, into an HTML page
    python3 course.py fetch photos download ahead: photos, tfds or bases
    python3 course.py test         every check, the lessons included
    python3 course.py build        authors: text sources into notebooks with their outputs

The first start makes the folder .venv beside this file and installs the locked packages there.
COURSE_DEVICE=cpu or =gpu chooses what is installed; otherwise an NVIDIA card on Linux decides.
"""

# Standard library only, and written so that Python 3.8 still parses it: a Python that is too
# old is to be told so in a sentence, not by a SyntaxError.
from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
PYTHONS = ((3, 11), (3, 12), (3, 13))
WINDOWS = os.name == "nt"
INSTALLING = "installing"  # the stamp's text while an installation is under way
STAMP = "course-stamp"
PICTURE_SETS = ("drawings", "photos", "tfds")


class Stop(Exception):
    """What stops the course, as one sentence that says how to mend it."""


class Recipe(NamedTuple):
    """What is installed, and about the room that it takes on Linux with Python 3.11."""

    name: str
    requirements: str
    download_gb: float
    disk_gb: float


CPU = Recipe("cpu", "requirements.txt", 0.9, 3.1)
GPU = Recipe("gpu", "requirements-gpu.txt", 3.7, 7.3)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, install what is missing, do what was asked."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        own, extra = split_arguments(arguments)
        options, others = parser().parse_known_args(own)
        if others and options.command in ("lab", "test"):
            parser().error(f"unrecognized arguments: {' '.join(others)}")
        check_python(sys.version_info, sys.maxsize)
        program = COMMANDS[options.command](options, others, extra)
        ensure(ROOT)
        return start(program)
    except Stop as reason:
        print(f"course.py: {reason}", file=sys.stderr)
        return 2
    except OSError as error:
        said = f"it cannot read or write its files ({error}): mend that and start again."
        if is_disk_full(str(error)):
            said = disk_sentence(ROOT, str(error))
        print(f"course.py: {said}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ncourse.py: stopped; the same command goes on from here.", file=sys.stderr)
        return 130


# The command line


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What stands before and after `--`."""
    if "--" not in arguments:
        return list(arguments), []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def parser() -> argparse.ArgumentParser:
    """The subcommands and their options."""
    plain = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="course.py", description=__doc__, formatter_class=plain)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    lab = add("lab", "Open JupyterLab on the lessons, the start page in front.")
    lab.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    lab.add_argument("--port", type=int, help="this port or none; default: 8888 or the next free")
    test = add("test", "Run every check; what follows -- goes to pytest.")
    test.add_argument("--lesson", metavar="N", help="only this lesson's notebook")
    test.add_argument("--pictures", metavar="NAME", help="drawings, photos, tfds, or your folder")
    test.add_argument("--fast", action="store_true", help="leave out what is marked slow")
    run = add("run", "Run lessons without a browser and write them as HTML pages.")
    run.add_argument("lesson", nargs="?", metavar="LESSON", help="number or name; default: all")
    run.add_argument("--pictures", metavar="NAME", help="drawings, photos, tfds, or your folder")
    fetch = add("fetch", "Download ahead, for a classroom or a flight.")
    # The command itself says which names it knows: the bases are not known here.
    fetch.add_argument("what", nargs="+", help="photos, tfds, bases, or the name of a base")
    build = add("build", "Turn the lessons' text into notebooks with outputs, or compare the two.")
    build.add_argument("lesson", nargs="?", metavar="LESSON", help="number or name; default: all")
    build.add_argument("--check", action="store_true", help="run nothing, say where they disagree")
    build.add_argument(
        "--from-notebooks", action="store_true", help="take JupyterLab's edits back into the text"
    )
    add("doctor", "Say what this machine has, what is missing and how long the lessons take.")
    return top


# What each subcommand starts: a function of (options, unknown arguments, arguments after --).


class Program(NamedTuple):
    """Arguments for .venv's Python, and what is added to its environment."""

    arguments: list[str]
    additions: dict[str, str]


def lab(options: argparse.Namespace, others: list[str], extra: list[str]) -> Program:
    """JupyterLab on the lessons' folder, on this machine only, its token on."""
    first = next(iter(sorted((ROOT / "notebooks").glob("00_*.ipynb"))), None)
    command = ["-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", "--ServerApp.answer_yes=True"]
    command += [f"--ServerApp.root_dir={ROOT / 'notebooks'}"]
    command += [f"--LabApp.default_url=/lab/tree/{first.name}" if first else ""]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]  # as in a container; Jupyter would refuse to start
    if options.port is not None:
        check_port(options.port)
        command += [f"--ServerApp.port={options.port}", "--ServerApp.port_retries=0"]
    if options.no_browser:
        command += ["--no-browser"]
    return Program([part for part in command if part] + extra, {})


def test(options: argparse.Namespace, others: list[str], extra: list[str]) -> Program:
    """pytest over the tests and the lessons, or one lesson."""
    command = ["-m", "pytest", "-rs"]
    if options.lesson:
        command += [str(lesson_path(options.lesson))]
    elif not any((ROOT / part.split("::")[0]).exists() for part in extra):  # none named after --
        command += ["tests", "notebooks"]
    if options.fast:
        command += ["-m", "not slow"]
    environment = dict(os.environ)
    device = device_wanted(environment)
    on_gpu = device == "gpu" or (device == "auto" and has_nvidia_card(environment))
    if not (options.lesson or extra or on_gpu):
        # File by file in several processes; on a GPU, each would want the whole of it.
        command += ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"]
    return Program(command + extra, pictures_variable(options.pictures))


def run(options: argparse.Namespace, others: list[str], extra: list[str]) -> Program:
    """The `run` command of the helpers."""
    lesson = [options.lesson] if options.lesson else []
    return Program(module("run", lesson + others + extra), pictures_variable(options.pictures))


def fetch(options: argparse.Namespace, others: list[str], extra: list[str]) -> Program:
    """The `fetch` command of the helpers."""
    return Program(module("fetch", options.what + others + extra), {})


def build(options: argparse.Namespace, others: list[str], extra: list[str]) -> Program:
    """The `build` command of the helpers."""
    command = [options.lesson] if options.lesson else []
    command += ["--check"] if options.check else []
    command += ["--from-notebooks"] if options.from_notebooks else []
    return Program(module("build", command + others + extra), {})


def doctor(options: argparse.Namespace, others: list[str], extra: list[str]) -> Program:
    """The `doctor` command of the helpers."""
    return Program(module("doctor", others + extra), {})


COMMANDS = {
    "lab": lab,
    "test": test,
    "run": run,
    "fetch": fetch,
    "build": build,
    "doctor": doctor,
}


def module(name: str, arguments: list[str]) -> list[str]:
    """One command of helpers/commands."""
    return ["-m", f"helpers.commands.{name}", *arguments]


def lesson_path(name: str) -> Path:
    """The notebook called by its number or by the beginning of its file's name."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    wanted = f"{int(name):02d}_" if name.isdigit() else Path(name).stem
    found = [path for path in notebooks if path.stem.startswith(wanted)]
    if len(found) != 1:
        names = ", ".join(path.stem for path in notebooks) or "none yet"
        raise Stop(f"there is no one lesson '{name}': choose one of {names}.")
    return found[0].relative_to(ROOT)


def pictures_variable(name: str | None) -> dict[str, str]:
    """The choice of pictures for the lessons, which run in a folder of their own."""
    if name is None:
        return {}
    if name in PICTURE_SETS:
        return {"COURSE_PICTURES": name}
    folder = Path(name).expanduser().resolve()
    if not folder.is_dir():
        raise Stop(
            f"there are no pictures '{name}': choose one of {', '.join(PICTURE_SETS)}, or name "
            "a folder with one subfolder a class."
        )
    return {"COURSE_PICTURES": str(folder)}


def check_port(port: int) -> None:
    """Say at once where the port that was asked for is taken."""
    with contextlib.closing(socket.socket()) as probe:
        if not WINDOWS:  # as Jupyter's own server does; on Windows it would allow two listeners
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise Stop(
                f"port {port} is in use or not allowed: choose another with --port, "
                "or leave --port out and the next free one is taken."
            ) from None


def start(program: Program) -> int:
    """Become the program, or on Windows wait for it; its exit code is this program's."""
    command = [str(python_of(ROOT / ".venv")), *program.arguments]
    environment = course_environment(ROOT / ".venv", {**os.environ, **program.additions})
    sys.stdout.flush()
    os.chdir(str(ROOT))
    if not WINDOWS:  # signals and the exit code then need no passing on
        os.execve(command[0], command, environment)
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the console has sent it to the program, too
            continue


def course_environment(venv: Path, environment: dict[str, str]) -> dict[str, str]:
    """`environment` as if the course's own virtual environment, and no other, were active."""
    environment = dict(environment)
    environment.pop("PYTHONHOME", None)
    # Without compiled files each kernel compiles TensorFlow's sources anew: 17 s for 8 s, measured.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["VIRTUAL_ENV"] = str(venv)
    environment["PATH"] = str(python_of(venv).parent) + os.pathsep + environment.get("PATH", "")
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    # Where there is no card, TensorFlow logs its absence as an error, in every lesson.
    quiet = "2" if shutil.which("nvidia-smi") else "3"
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", quiet)
    if environment.get("COURSE_DEVICE", "").lower() == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    return environment


# Installing


def check_python(version: tuple, maxsize: int) -> None:
    """Refuse a Python that TensorFlow's packages are not made for."""
    wanted = ", ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    if tuple(version[:2]) not in PYTHONS:
        raise Stop(
            f"this is Python {version[0]}.{version[1]} and the course needs one of {wanted}: "
            "install one from python.org and start it by name, as in `python3.13 course.py lab`."
        )
    if maxsize < 2**32:
        raise Stop("this Python is a 32-bit one: install a 64-bit Python from python.org.")


def ensure(
    root: Path,
    environment: dict[str, str] | None = None,
    recipes: tuple[Recipe, Recipe] = (CPU, GPU),
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(str(path)).free,
) -> bool:
    """Make `.venv` in `root` and install what is locked; False where nothing was to do."""
    environment = dict(os.environ) if environment is None else environment
    if is_installed(root, environment, recipes):
        return False
    with locked(root / ".cache" / "install.lock") as lock:
        if is_installed(root, environment, recipes):  # by the program that was waited for
            return False
        recipe = choose_recipe(environment, recipes)
        install(root, recipe, environment, free_bytes, lock)
    return True


def is_installed(root: Path, environment: dict[str, str], recipes: tuple[Recipe, Recipe]) -> bool:
    """Whether `.venv` holds what is locked, told from its stamp without starting anything."""
    venv, device = root / ".venv", device_wanted(environment)
    stamp = read_stamp(venv)
    found = [recipe for recipe in recipes if stamp == stamp_of(root, recipe)]
    if not found or not python_of(venv).exists():
        return False
    if device != "auto":
        return found[0].name == device
    # The GPU's packages serve without a card, too; a card may have come since the CPU's.
    return found[0].name == "gpu" or choose_recipe(environment, recipes) == found[0]


def device_wanted(environment: dict[str, str]) -> str:
    """COURSE_DEVICE: cpu, gpu or auto."""
    device = environment.get("COURSE_DEVICE", "").strip().lower() or "auto"
    if device not in ("auto", "cpu", "gpu"):
        raise Stop(f"COURSE_DEVICE is '{device}': set it to cpu, gpu or auto.")
    if device == "gpu" and not sys.platform.startswith("linux"):
        raise Stop(
            "TensorFlow uses NVIDIA cards on Linux only: unset COURSE_DEVICE "
            "(on Windows, use WSL2)."
        )
    return device


def choose_recipe(environment: dict[str, str], recipes: tuple[Recipe, Recipe]) -> Recipe:
    """The CPU's packages, or the GPU's where one was asked for or found."""
    device = device_wanted(environment)
    cpu, gpu = recipes
    if device == "auto":
        return gpu if has_nvidia_card(environment) else cpu
    return gpu if device == "gpu" else cpu


def has_nvidia_card(environment: dict[str, str]) -> bool:
    """Whether this is Linux and NVIDIA's own tool lists a card."""
    tool = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if not sys.platform.startswith("linux") or tool is None:
        return False
    try:
        listed = subprocess.run([tool, "-L"], stdout=subprocess.PIPE, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def python_of(venv: Path) -> Path:
    """The virtual environment's Python."""
    return venv / ("Scripts/python.exe" if WINDOWS else "bin/python")


def stamp_of(root: Path, recipe: Recipe) -> str:
    """A hash of all that an installation depends on.

    The Python that counts is the one that `.venv` was made with, so that another supported
    Python can start an installed course without installing it again.
    """
    parts = [str(root), recipe.name, os.path.realpath(str(python_of(root / ".venv")))]
    for name in (recipe.requirements, "pyproject.toml", ".venv/pyvenv.cfg"):
        path = root / name
        parts.append(path.read_text(encoding="utf-8") if path.is_file() else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_stamp(venv: Path) -> str:
    """The stamp's text, or nothing."""
    with contextlib.suppress(OSError):
        return (venv / STAMP).read_text(encoding="utf-8").strip()
    return ""


def write_stamp(venv: Path, text: str) -> None:
    """Replace the stamp in one step."""
    beside = venv / f"{STAMP}.{os.getpid()}"
    beside.write_text(text, encoding="utf-8")
    os.replace(str(beside), str(venv / STAMP))


def install(
    root: Path,
    recipe: Recipe,
    environment: dict[str, str],
    free_bytes: Callable[[Path], int],
    lock: int | None = None,
) -> None:
    """Make or mend `.venv`; its stamp comes last, and says 'installing' until then."""
    venv, started = root / ".venv", time.monotonic()
    before = read_stamp(venv)
    fresh = before == INSTALLING or not works(venv)
    if fresh:
        remove(venv)
    check_disk(root, recipe, fresh, free_bytes)
    announce(recipe, fresh)
    venv.mkdir(exist_ok=True)
    write_stamp(venv, INSTALLING)
    if fresh:
        make_venv(venv)
    installer = Installer(root, recipe, course_environment(venv, environment), lock)
    try:
        installer.install()
    except Unreachable:
        if not fresh:  # nothing was changed: both installers fetch all before they install any
            write_stamp(venv, before)
        raise
    write_settings(venv)
    write_stamp(venv, stamp_of(root, recipe))
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def announce(recipe: Recipe, fresh: bool) -> None:
    """Say what is about to happen, before the long wait."""
    if fresh:
        print(
            f"Installing the course's packages for {recipe.name.upper()} into .venv: about "
            f"{recipe.download_gb} GB to download, {recipe.disk_gb} GB on disk.",
            flush=True,
        )
        if recipe.name == "gpu":
            print("(For the smaller CPU set instead: COURSE_DEVICE=cpu.)", flush=True)
    else:
        print(f"Bringing .venv up to date ({recipe.requirements}).", flush=True)


def works(venv: Path) -> bool:
    """Whether the virtual environment's Python starts and is the one that it was made with."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run(
            [str(python_of(venv)), "-I", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        made_with = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except (OSError, subprocess.CalledProcessError):
        return False
    version = found.stdout.decode().strip()
    known = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", made_with, flags=re.MULTILINE)
    supported = tuple(int(part) for part in version.split(".")) in PYTHONS
    return supported and (known is None or known[1] == version)


def remove(venv: Path) -> None:
    """Take away a virtual environment that cannot be mended."""
    if not venv.exists() and not venv.is_symlink():
        return
    inside = Path(sys.prefix).resolve() == venv.resolve()
    print("The folder .venv is incomplete and is made again.", flush=True)
    try:
        if inside:
            raise OSError("this Python lives in it")
        if venv.is_symlink() or not venv.is_dir():
            venv.unlink()
        else:
            shutil.rmtree(str(venv))
    except OSError as error:
        raise Stop(
            f"the folder {venv} has to be made again and cannot be removed ({error}): close "
            "every program that uses it, delete it and start again with a Python outside it."
        ) from None


def check_disk(root: Path, recipe: Recipe, fresh: bool, free_bytes: Callable[[Path], int]) -> None:
    """Refuse to begin what cannot end: room for the packages and for the files fetched."""
    needed = recipe.disk_gb + recipe.download_gb if fresh else recipe.download_gb
    free = free_bytes(root) / 1e9
    if free < needed:
        raise Stop(disk_sentence(root, f"{free:.1f} GB free, {needed:.1f} GB needed"))


def disk_sentence(root: Path, figures: str) -> str:
    """What to do about a full disk."""
    return f"the disk that holds {root} is too full ({figures}): free some and start again."


def make_venv(venv: Path) -> None:
    """An empty virtual environment with pip, by the standard library's own module."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    mend = f"on Debian or Ubuntu, `sudo apt install python{version}-venv`; else reinstall Python"
    if missing:
        raise Stop(f"this Python lacks its module {' and '.join(missing)}: {mend}.")
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if made.returncode != 0:
        text = made.stdout.decode(errors="replace")
        if is_disk_full(text):
            raise Stop(disk_sentence(venv.parent, "it was filled up"))
        raise Stop(f"making the folder .venv failed ({last_line(text)}): {mend}.")


def write_settings(venv: Path) -> None:
    """The course's defaults for JupyterLab; a learner's own settings go before them.

    No question about news in the corner, no text file paired with a notebook, no C++ log lines
    in a lesson.
    """
    news = {"fetchNews": "false", "checkForUpdates": False}
    settings = {"@jupyterlab/apputils-extension:notification": news}
    write_json(venv / "share/jupyter/lab/settings/overrides.json", settings)
    pairing = {"ServerApp": {"jpserver_extensions": {"jupyterlab_jupytext": False}}}
    write_json(venv / "etc/jupyter/jupyter_server_config.json", pairing)
    page = {"disabledExtensions": {"jupyterlab-jupytext": True}}
    write_json(venv / "etc/jupyter/labconfig/page_config.json", page)
    # TensorFlow's C++ part writes to the process's own stderr: to the terminal, not the lesson.
    kernel = {"IPKernelApp": {"capture_fd_output": False}}
    write_json(venv / "etc/ipython/ipython_kernel_config.json", kernel)


def write_json(path: Path, content: dict) -> None:
    """Write one settings file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


class Unreachable(Stop):
    """The package registry does not answer; nothing was changed."""


class Installer:
    """Installs the locked packages with uv, or with pip where uv cannot be had or fails."""

    def __init__(
        self, root: Path, recipe: Recipe, environment: dict[str, str], lock: int | None = None
    ) -> None:
        """`lock` is handed to the installers, so that one that outlives this program holds it."""
        self.root, self.recipe, self.lock = root, recipe, lock
        self.python = str(python_of(root / ".venv"))
        # Settings of this kind send packages elsewhere than into .venv, or fail there.
        self.environment = {k: v for k, v in environment.items() if k not in UNWANTED}
        self.log = root / ".venv" / "install.log"

    def install(self) -> None:
        """The packages, then the course's own, editable, so that lessons can import it.

        Raises:
            Stop: with one sentence, where neither uv nor pip could.
        """
        self.log.write_text("", encoding="utf-8")
        uv = self.find_uv()
        locked_packages = ["-r", str(self.root / self.recipe.requirements)]
        steps = (locked_packages, ["--no-deps", "-e", str(self.root)])
        for step in steps:
            failed, output = True, ""
            if uv:
                failed, output = self.call([uv, "pip", "install", "--python", self.python, *step])
            if failed and not is_disk_full(
                output
            ):  # uv reads none of pip's settings, such as a mirror's address
                failed, more = self.pip(step)
                output += "\n" + more
            if failed:
                raise explain(output, self.root, self.log)

    def find_uv(self) -> str | None:
        """uv from the machine, else brought into .venv by pip in its locked version."""
        found = shutil.which("uv", path=self.environment.get("PATH"))
        pinned = re.search(
            r"^uv==[^\s;]+", (self.root / self.recipe.requirements).read_text("utf-8"), re.MULTILINE
        )
        if found or not pinned:
            return found
        failed, _ = self.pip(["--retries", "1", "--only-binary", "uv", pinned[0]])
        return None if failed else shutil.which("uv", path=str(Path(self.python).parent))

    def pip(self, arguments: list[str]) -> tuple[bool, str]:
        """pip of .venv, put there first where another tool made .venv without it."""
        failed, _ = self.call([self.python, "-m", "pip", "--version"])
        if failed:
            self.call([self.python, "-m", "ensurepip"])
        command = [self.python, "-m", "pip", "install", "--disable-pip-version-check"]
        return self.call([*command, "--progress-bar", "off", *arguments])

    def call(self, command: list[str]) -> tuple[bool, str]:
        """Run an installer: its progress to the learner, all that it says to the log."""
        lines, process = [], None
        with self.log.open("a", encoding="utf-8") as log, Ticker() as ticker:
            log.write(f"$ {' '.join(command)}\n")
            try:
                with ctrl_c_deferred():
                    process = self.popen(command)
                for raw in process.stdout or ():
                    lines.append(raw.decode("utf-8", errors="replace"))
                    log.write(lines[-1])
                    ticker.show(lines[-1])
            except BaseException as error:
                if process is not None:  # Ctrl-C: leave no installer behind
                    process.terminate()
                elif isinstance(error, OSError):  # no such program, or not one for this machine
                    return True, str(error)
                raise
            finally:
                if process is not None:
                    process.wait()
        return process.returncode != 0, "".join(lines)

    def popen(self, command: list[str]) -> subprocess.Popen:
        """Start an installer whose errors and words come on one pipe."""
        handed_on = () if self.lock is None or WINDOWS else (self.lock,)
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=str(self.root),
            pass_fds=handed_on,
        )


@contextlib.contextmanager
def ctrl_c_deferred() -> Iterator[None]:
    """Hold Ctrl-C back to the end: within Popen it would lose the process just started."""
    pressed = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *ignored: pressed.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if pressed:
        raise KeyboardInterrupt


UNWANTED = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


class Ticker:
    """Shows an installer's milestones and, on a terminal, the seconds between them."""

    MILESTONE = re.compile(
        r"^\s*(Resolved|Prepared|Installed|Uninstalled|Installing collected"
        r"|(Downloading|Downloaded|Building|Built) .*(\d{2,}(\.\d+)? ?M|G)i?B)"
    )

    def __enter__(self) -> Ticker:
        """Begin to count."""
        self.ended, self.started = threading.Event(), time.monotonic()
        self.terminal = sys.stdout.isatty()
        if self.terminal:
            self.thread = threading.Thread(target=self.count, daemon=True)
            self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take the count away."""
        self.ended.set()
        if self.terminal:
            self.thread.join()
            print("\r" + " " * 30 + "\r", end="", flush=True)

    def count(self) -> None:
        """Paint the seconds over and over."""
        while not self.ended.wait(1):
            print(f"\r  ... {time.monotonic() - self.started:.0f} s", end="", flush=True)

    def show(self, line: str) -> None:
        """Print a line that says how far the installer is."""
        if self.MILESTONE.match(line):
            print(("\r" if self.terminal else "") + "  " + line.strip()[:76], flush=True)


def explain(output: str, root: Path, log: Path) -> Stop:
    """One sentence for what an installer said when it failed."""
    if is_disk_full(output):
        return Stop(disk_sentence(root, "it was filled up while installing"))
    if re.search(UNREACHABLE, output, flags=re.IGNORECASE):
        return Unreachable(
            "the package registry cannot be reached: check the connection (HTTPS_PROXY names a "
            "proxy, PIP_INDEX_URL a mirror) and start again; what was fetched is kept "
            f"(details: {log})."
        )
    if "Long Path" in output:
        return Stop(
            "Windows refuses long paths: allow them "
            "(https://pip.pypa.io/warnings/enable-long-paths) and start again."
        )
    missing = re.search(r"No matching distribution found for (\S+)", output)
    if missing:
        version = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        return Stop(
            f"there is no {missing[1]} for this machine ({sys.platform}, {platform.machine()}, "
            f"{version}): use 64-bit Linux, Windows or an Apple-silicon Mac."
        )
    return Stop(f"installing failed ({last_line(output)}): read {log}, mend it and start again.")


UNREACHABLE = (
    r"retrying \(retry\(|connection (error|refused|reset|aborted|timed out)|newconnectionerror"
    r"|max retries exceeded|name resolution|dns error|error sending request|proxyerror"
    r"|failed to establish a new connection|read timed out|sslerror|certificate verify failed"
    r"|could not connect|network is unreachable|\b50[234] (server error|bad gateway|service)"
)


def is_disk_full(output: str) -> bool:
    """Whether an installer met a full disk."""
    words = r"no space left on device|errno 28|os error (28|112)|not enough space on the disk"
    return re.search(words, output, flags=re.IGNORECASE) is not None


def last_line(output: str) -> str:
    """The last line that says something, an error before any other."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no message"])[-1][:200]


# One installation at a time


@contextlib.contextmanager
def locked(path: Path, poll_seconds: float = 0.5) -> Iterator[int | None]:
    """Hold the lock file; the operating system lets go of it with the program that held it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        said = False
        while not try_lock(file.fileno()):
            if not said:
                print("Another course.py is installing; waiting for it.", flush=True)
                said = True
            time.sleep(poll_seconds)
        try:
            yield file.fileno()
        finally:
            unlock(file.fileno())


def try_lock(descriptor: int) -> bool:
    """Take the lock, or say that another program has it."""
    if sys.platform == "win32":  # as type checkers know it
        import msvcrt

        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: go on, as without this precaution
    return True


def unlock(descriptor: int) -> None:
    """Let go."""
    if sys.platform == "win32":  # as type checkers know it
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)


if __name__ == "__main__":
    sys.exit(main())
