#!/usr/bin/env python3
"""Start the course: this one program installs what it needs, then opens, tests or runs it.

`python3 course.py --help` lists the commands; helpers/commands/command_line.py defines them.
The first start makes the folder .venv beside this file and installs the locked packages there.
COURSE_DEVICE=cpu or =gpu chooses what is installed; otherwise an NVIDIA card on Linux decides.
"""

# Standard library only, and written so that Python 3.8 still parses it: a Python that is too
# old is to be told so in a sentence, not by a SyntaxError.
from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
PYTHONS = ((3, 11), (3, 12), (3, 13))
WINDOWS = os.name == "nt"
STAMP = "course-stamp"


class Stop(Exception):
    """What stops the course, as one sentence that says how to mend it."""


class PackageSet(NamedTuple):
    """What is installed, and about the room that it takes on Linux with Python 3.11."""

    name: str
    requirements: tuple[str, ...]
    download_gb: float
    disk_gb: float
    venv: str = ".venv"


CPU = PackageSet("cpu", ("requirements.txt",), 0.9, 3.1)
GPU = PackageSet("gpu", ("requirements-gpu.txt",), 3.7, 7.3)
# Sphinx and what belongs to it, beside the course's packages: few want a site.
SITE = PackageSet("site", ("requirements-site.txt",), 0.1, 0.4, ".cache/venv-site")
# nbgrader beside the course's packages: few have a class. The module's name is the command's.
CLASS = PackageSet("classroom", ("requirements-class.txt",), 0.9, 3.2, ".cache/venv-class")
EXTRAS = {packages.name: packages for packages in (SITE, CLASS)}
# Ray, which lesson 12 imports, goes into the course's own environment and stays there.
CLUSTER = PackageSet("cluster", ("requirements-cluster.txt",), 0.1, 0.3)
ADDED = {CLUSTER.name: CLUSTER}
AUTHORS = ("test", "build")  # the commands that also bring what tests and checks


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, install what is missing, do what was asked."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        check_python(sys.version_info, sys.maxsize)
        from helpers.commands import command_line

        # What is wrong with the command line is told before anything is installed.
        command = command_line.parse(arguments)["command"]
        packages = EXTRAS.get(command) or choose_packages(dict(os.environ))
        packages = with_checks(packages) if command in AUTHORS else packages
        ensure(ROOT, packages, dict(os.environ))
        if command in ADDED:
            add(ROOT, ADDED[command], dict(os.environ))
        return start(["-m", "helpers.commands.command_line", *arguments], packages)
    except (Stop, OSError) as error:
        otherwise = f"it cannot read or write its files ({error})"
        reason = error if isinstance(error, Stop) else explain(str(error), otherwise)
        print(f"course.py: {reason}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ncourse.py: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 2


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


def start(arguments: list[str], packages: PackageSet) -> int:
    """Become these packages' Python, or on Windows wait for it; its exit code is this program's."""
    # -P: a folder called `helpers` where the learner happens to be is not taken for the course's.
    venv = ROOT / packages.venv
    command = [str(python_of(venv)), "-P", *arguments]
    environment = course_environment(venv, packages.name, dict(os.environ))
    sys.stdout.flush()
    if not WINDOWS:  # signals and the exit code then need no passing on
        os.execve(command[0], command, environment)
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the console has sent it to the program, too
            continue


def course_environment(venv: Path, device: str, environment: dict[str, str]) -> dict[str, str]:
    """`environment` as if the course's own virtual environment, and no other, were active."""
    environment = {name: value for name, value in environment.items() if name not in UNWANTED}
    environment["VIRTUAL_ENV"] = str(venv)
    environment["PATH"] = str(python_of(venv).parent) + os.pathsep + environment.get("PATH", "")
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    environment["COURSE_DEVICE"] = device
    # Where there is no card, TensorFlow logs its absence as an error, in every lesson.
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3" if device == "cpu" else "2")
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    return environment


# Other programs' Python; what makes each kernel compile TensorFlow's sources anew (17 s for 8 s,
# measured); and what sends pip's packages elsewhere than into .venv, or fails there.
UNWANTED = ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")


# Installing


def choose_packages(environment: dict[str, str]) -> PackageSet:
    """The CPU's packages, or the GPU's where COURSE_DEVICE asks for them or a card is found."""
    device = environment.get("COURSE_DEVICE", "").strip().lower() or "auto"
    if device not in ("auto", "cpu", "gpu"):
        raise Stop(f"COURSE_DEVICE is '{device}': set it to cpu, gpu or auto.")
    if device == "gpu" and not sys.platform.startswith("linux"):
        raise Stop("TensorFlow uses NVIDIA cards on Linux and WSL2 only: unset COURSE_DEVICE.")
    found = device == "gpu" or (device == "auto" and has_nvidia_card(environment))
    return GPU if found else CPU


def with_checks(packages: PackageSet) -> PackageSet:
    """`packages` and what tests and checks the course: pytest, ruff, a browser's driver."""
    name, locks, download_gb, disk_gb, venv = packages
    locks = (*locks, "requirements-dev.txt")
    return PackageSet(name, locks, round(download_gb + 0.1, 1), round(disk_gb + 0.3, 1), venv)


def has_nvidia_card(environment: dict[str, str]) -> bool:
    """Whether this is Linux and NVIDIA's own tool lists a card."""
    tool = shutil.which("nvidia-smi", path=environment.get("PATH"))
    failed, listed = run([tool, "-L"], environment) if tool else (True, "")
    return sys.platform.startswith("linux") and not failed and "GPU" in listed


def ensure(root: Path, packages: PackageSet, environment: dict[str, str]) -> bool:
    """Make `venv` in `root` and install what is locked; False where nothing was to do."""
    if is_installed(root, packages):
        return False
    with locked(root / ".cache" / "install.lock"):
        if is_installed(root, packages):  # by the program that was waited for
            return False
        install(root, packages, environment)
    return True


def add(root: Path, packages: PackageSet, environment: dict[str, str]) -> bool:
    """Install packages beside the course's own, of which none changes; False where they are there.

    They have a stamp of their own, so that no other command misses them, or takes them away.
    """
    venv = root / packages.venv
    stamp, wanted = venv / f"{STAMP}-{packages.name}", stamp_of(root, packages)
    if text_of(stamp) == wanted:
        return False
    with locked(root / ".cache" / "install.lock"):
        check_disk(root, packages.disk_gb + packages.download_gb)
        announce(packages, True, False)
        install_packages(root, packages, course_environment(venv, packages.name, environment))
        stamp.write_text(wanted, encoding="utf-8")
    return True


def is_installed(root: Path, packages: PackageSet) -> bool:
    """Whether what is locked is there, told from the stamp without starting a Python."""
    serving, added = [packages], packages.requirements[1:]
    if packages.name == CPU.name:  # the GPU's serve without a card
        serving.append(GPU._replace(requirements=GPU.requirements + added))
    serving += [] if added else [with_checks(each) for each in serving]  # an author's do a learner
    known = text_of(root / packages.venv / STAMP) in {stamp_of(root, each) for each in serving}
    return known and python_of(root / packages.venv).exists()


def python_of(venv: Path) -> Path:
    """The virtual environment's Python."""
    return venv / ("Scripts/python.exe" if WINDOWS else "bin/python")


def stamp_of(root: Path, packages: PackageSet) -> str:
    """A hash of all that an installation depends on.

    The Python that counts is the one that its `venv` was made with, so that another supported
    Python can start an installed course without installing it again.
    """
    parts = [str(root), packages.name, os.path.realpath(str(python_of(root / packages.venv)))]
    names = (*packages.requirements, "pyproject.toml", f"{packages.venv}/pyvenv.cfg")
    parts += [text_of(root / name) for name in names]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def text_of(path: Path) -> str:
    """What a file holds, or nothing: without a stamp it was never installed to its end."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def install(root: Path, packages: PackageSet, environment: dict[str, str]) -> None:
    """Make, mend or update what is installed; while that goes on it has no stamp."""
    from helpers.commands import jupyter_settings

    venv, started = root / packages.venv, time.monotonic()
    before = text_of(venv / STAMP)
    fresh = not (before and works(venv, environment))
    announce(packages, fresh, venv.exists())
    with contextlib.suppress(OSError):
        (venv / STAMP).unlink()
    if fresh:
        check_disk(root, packages.disk_gb + packages.download_gb)
        make_venv(venv)
    try:
        install_packages(root, packages, course_environment(venv, packages.name, environment))
    except Stop:
        if not fresh:  # uv fetches all before it installs any: what was there is there still
            (venv / STAMP).write_text(before, encoding="utf-8")
        raise
    jupyter_settings.write(venv)
    (venv / STAMP).write_text(stamp_of(root, packages), encoding="utf-8")
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def announce(packages: PackageSet, fresh: bool, there: bool) -> None:
    """Say what is about to happen, before the long wait."""
    name, requirements, download, disk, venv = packages
    if not fresh:
        print(f"Bringing {venv} up to date ({', '.join(requirements)}).", flush=True)
        return
    again = f"The folder {venv} is incomplete and is made again.\n" if there else ""
    sizes = f"about {download} GB to download, {disk} GB on disk"
    smaller = " (COURSE_DEVICE=cpu: less)" if name == GPU.name else ""
    print(
        f"{again}Installing packages for {name.upper()} into {venv}: {sizes}{smaller}.", flush=True
    )


def works(venv: Path, environment: dict[str, str]) -> bool:
    """Whether an environment's Python starts, is a supported one, and has its own packages' folder.

    Where a newer Python took the place of the one that made it, the folder's name is another.
    """
    code = (
        "import os, sys, sysconfig; there = os.path.isdir(sysconfig.get_path('purelib'));"
        f"sys.exit(not there or sys.version_info[:2] not in {PYTHONS})"
    )
    return not run([str(python_of(venv)), "-I", "-c", code], environment)[0]


def check_disk(root: Path, needed_gb: float) -> None:
    """Refuse to begin what cannot end."""
    free_gb = shutil.disk_usage(str(root)).free / 1e9
    if free_gb < needed_gb:
        raise Stop(DISK_FULL.format(f"{free_gb:.1f} GB free, {needed_gb:.1f} GB needed"))


def make_venv(venv: Path) -> None:
    """An empty virtual environment with pip, in place of what was there."""
    failed, output = run([sys.executable, "-m", "venv", "--clear", str(venv)], dict(os.environ))
    if failed:
        mend = "close every program that uses it, delete it"
        said = f"making the folder {venv.name} failed ({last_line(output)}): {mend}"
        raise explain(output, said)


def install_packages(root: Path, packages: PackageSet, environment: dict[str, str]) -> None:
    """The locked packages by uv, then the course's own, editable, so that lessons can import it."""
    python = str(python_of(root / packages.venv))
    uv = shutil.which("uv", path=environment["PATH"]) or bring_uv(root, packages, environment)
    settings = pip_settings(python, environment)
    environment = {**uv_settings(settings), **environment}
    options = ["--python", python, *(["--no-index"] if "no-index" in settings else [])]
    locks = [part for name in packages.requirements for part in ("-r", name)]
    for what in (locks, ["--no-deps", "-e", "."]):
        command = [uv, "pip", "install", *options, *what]
        # uv shows the learner its own progress, and why it fails; then it is asked once more.
        if subprocess.call(command, env=environment, cwd=str(root), close_fds=False):
            print("That failed. Trying once more, silently.", flush=True)
            failed, output = run(command, {**environment, "UV_HTTP_RETRIES": "0"}, root)
            if failed:
                raise explain(output, f"installing failed ({last_line(output)})")


def bring_uv(root: Path, packages: PackageSet, environment: dict[str, str]) -> str:
    """uv in its locked version, brought into the virtual environment by pip."""
    lock, wanted = root / packages.requirements[0], root / packages.venv / "uv.txt"
    pinned = re.search(r"^uv==.*(?:(?<=\\)\n.*)*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    wanted.write_text(pinned[0] if pinned else "uv", encoding="utf-8")
    command = [str(python_of(root / packages.venv)), "-m", "pip", "install", "--retries", "1"]
    failed, output = run([*command, "--only-binary", ":all:", "-r", str(wanted)], environment)
    if failed:
        raise explain(output, f"pip could not install uv ({last_line(output)})")
    return str(shutil.which("uv", path=environment["PATH"]))


def pip_settings(python: str, environment: dict[str, str]) -> dict[str, str]:
    """What pip was told by its files and variables: its options' names and their values."""
    _, listed = run([python, "-m", "pip", "config", "list"], environment)
    found: dict[str, str] = {}
    for kind in ("global", "install", ":env:"):  # the later win
        found.update(re.findall(rf"^{kind}\.([\w-]+)=(['\"].*['\"])\s*$", listed, re.MULTILINE))
    return {name: ast.literal_eval(value) for name, value in found.items()}


def uv_settings(settings: dict[str, str]) -> dict[str, str]:
    """pip's settings as uv's variables, for uv reads none of them: a mirror is asked by both."""
    found = {UV_NAMES[name]: value for name, value in settings.items() if name in UV_NAMES}
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
    if "UV_INDEX" in found:  # as for pip, all indexes count the same
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if not sys.platform.startswith("linux") or any(Path("/etc/ssl/certs").glob("*")):
        # A company's or a school's own certificates are known to the system only.
        found.update(UV_SYSTEM_CERTS="1", UV_NATIVE_TLS="1")
    return found


UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}


def run(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> tuple[bool, str]:
    """Whether a program failed, and all that it said."""
    try:
        done = subprocess.run(  # what is started inherits the lock, and holds it if it lives longer
            command, stdout=PIPE, stderr=STDOUT, env=environment, cwd=str(folder), close_fds=False
        )
    except OSError as error:  # no such program, or not one for this machine
        return True, str(error)
    return done.returncode != 0, done.stdout.decode("utf-8", errors="replace")


# Failing


def explain(output: str, otherwise: str) -> Stop:
    """One sentence for what an installer or the system said; `otherwise` where none is known."""
    for pattern, sentence in REASONS.items():
        found = re.search(pattern, output, flags=re.IGNORECASE)
        if found:
            return Stop(sentence.format(*found.groups()))
    return Stop(f"{otherwise}: mend that and start again.")


DISK_FULL = "the disk that holds the course is too full ({}): free some and start again."
REASONS = {  # in this order: pip finds no package where it finds no registry
    r"(no space left on device|errno 28|os error 28|os error 112|not enough space)": DISK_FULL,
    r"retrying \(retry\(|failed to fetch|error sending request|certificate|timed out"
    r"|connection (?:error|refused|reset|aborted)|network is unreachable": (
        "the package registry cannot be reached: check the connection (HTTPS_PROXY names a proxy, "
        "PIP_INDEX_URL a mirror) and start again; what was fetched is kept."
    ),
    r"(?:no matching distribution found for|no version of|because) (\S+==[^\s,;]+)": (
        f"there is no {{}} for this machine ({sys.platform}, {platform.machine()}): use 64-bit "
        "Linux, Windows or an Apple-silicon Mac, and no mirror that lacks it."
    ),
    r"no module named '?venv|ensurepip": (
        "this Python cannot make a virtual environment: on Debian or Ubuntu, `sudo apt install "
        f"python3.{sys.version_info[1]}-venv`; else install Python from python.org."
    ),
    r"long path|os error 206": (
        "Windows refuses long paths: allow them "
        "(https://pip.pypa.io/warnings/enable-long-paths) and start again."
    ),
}


def last_line(output: str) -> str:
    """The last line that says something, an error before any other."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no message"])[-1][:200]


# One installation at a time


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the operating system lets go of it with the programs that hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        os.set_inheritable(file.fileno(), True)
        if not try_lock(file.fileno()):
            print("Another course.py is installing; waiting for it.", flush=True)
            while not try_lock(file.fileno()):
                time.sleep(0.5)
        yield


def try_lock(descriptor: int) -> bool:
    """Take the lock, or say that another program has it."""
    try:
        if sys.platform == "win32":  # as type checkers know it
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass  # a file system without locks: go on, as without this precaution
    return True


if __name__ == "__main__":
    sys.exit(main())
