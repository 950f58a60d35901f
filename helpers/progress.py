"""Progress bars as the course shows them."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def bar(name: str, total: int | None, start: int = 0, *, quiet: bool = False, **units: Any) -> tqdm:
    """A progress bar with rate and time left on standard output, gone when it is done.

    Where the variable `COURSE_BAR` is `lines`, another program reads it: see `as_lines`.

    Not `tqdm.auto`: its widget stays behind in a stored notebook, whereas text with carriage
    returns is overwritten. There is no bar where nobody watches, as in a log.

    Args:
        name: what stands in front of the bar.
        total: how much there is to do, where that is known.
        start: how much of it was done before.
        quiet: no bar.
        units: `unit` and `unit_scale` of `tqdm`.
    """
    from tqdm import tqdm

    if os.environ.get("COURSE_BAR") == "lines":
        return as_lines()(
            desc=name, initial=start, total=total, mininterval=0.2, file=sys.stdout, **units
        )
    in_a_notebook = type(sys.stdout).__module__.startswith("ipykernel.")
    return tqdm(
        desc=name,
        initial=start,
        total=total,
        ncols=80,
        mininterval=0.5,
        leave=False,
        file=sys.stdout,
        disable=quiet or not (in_a_notebook or sys.stdout.isatty()),
        **units,
    )


def as_lines() -> type[tqdm]:
    """A kind of bar that prints a line of JSON each time: `bar`, `done`, `total`, `rate`.

    `rate` is how much is done a second, and null while that is not known; `total` may be null.
    """
    from tqdm import tqdm

    class Lines(tqdm):
        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            """Print where it stands."""
            now = self.format_dict
            line = {"bar": self.desc, "done": self.n, "total": self.total, "rate": now["rate"]}
            print(json.dumps(line), flush=True)

        def clear(self, nolock: bool = False) -> None:
            """Nothing is to be wiped."""

    return Lines
