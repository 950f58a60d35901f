"""What a preflight does at the moment, on a line that is wiped when it is done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

WIDTH = 79
# Told the stage, its number and how many there are.
Tell = Callable[[str, int, int], None]


class Stages:
    """Tells each stage as it begins; used in a `with`, which wipes the line however it ends.

    Args:
        total: how many stages there are.
        tell: is told each stage in place of the line. True: the line, where somebody watches.
            False: nothing is told.
    """

    def __init__(self, total: int, tell: Tell | bool) -> None:
        self.total, self.number = total, 0
        self._tell = tell if callable(tell) else None
        self._stream = _watched() if tell is True else None

    def begin(self, stage: str) -> None:
        """Tell a stage."""
        self.number += 1
        if self._tell is not None:
            self._tell(stage, self.number, self.total)
        self._write(f"preflight {self.number}/{self.total}: {stage}")

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(f"\r{text[:WIDTH]:{WIDTH}}\r")
            self._stream.flush()

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.number:
            self._write("")


def _watched() -> TextIO | None:
    """Where a line can be overwritten before somebody's eyes: a terminal, or a notebook's output.

    A notebook shows what goes to its standard error as if something had failed.
    """
    if type(sys.stdout).__module__.startswith("ipykernel."):
        return sys.stdout
    return sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None
