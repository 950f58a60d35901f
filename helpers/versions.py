"""What code a kept result was computed with: versions of libraries, digests of our own."""

from __future__ import annotations

import hashlib
import inspect
from importlib import metadata
from types import CodeType, FunctionType, ModuleType


def of(*packages: str) -> dict[str, str]:
    """The installed version of each package, by its name on PyPI; empty where there is none."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def source_digest(module: ModuleType) -> str:
    """A digest of a module's text: another one after any edit."""
    return hashlib.sha256(inspect.getsource(module).encode()).hexdigest()


def class_digest(kind: type) -> str:
    """A digest of what the methods of a class compute, those that it inherits among them.

    Read from the compiled code, since a class of a notebook has no file. Keras's own classes and
    Python's are left out: their versions are known.
    """
    digest = hashlib.sha256()
    for one in kind.__mro__:
        if not one.__module__.startswith(("keras.", "tensorflow.", "builtins")):
            for name, value in sorted(vars(one).items()):
                if isinstance(value, FunctionType):
                    digest.update(f"{name}{_essence(value.__code__)}".encode())
    return digest.hexdigest()


def _essence(code: CodeType) -> str:
    """Instructions, constants and names; not the lines and the file, which compute nothing."""
    constants = [
        _essence(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts
    ]
    return f"{code.co_code.hex()}{constants}{code.co_names}"
