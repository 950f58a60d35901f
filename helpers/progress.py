"""Progress bars as the course shows them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def bar(name: str, total: int | None, start: int = 0, *, quiet: bool = False, **units: Any) -> tqdm:
    """A progress bar with rate and time left on standard output, gone when it is done.

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
