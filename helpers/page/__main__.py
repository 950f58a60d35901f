"""Keep the page of an exported model open: `python -m helpers.page FILE [--port N]`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from helpers import export, page


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m helpers.page", description=__doc__)
    parser.add_argument("file", help="written by export.litert or export.onnx")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--pixels", help="that it takes, where its record does not say")
    parser.add_argument("--outputs", help="that it gives, where its record does not say")
    options = parser.parse_args(arguments)
    try:
        model = export.load(options.file, pixels=options.pixels, outputs=options.outputs)
        served = page.serve(model, options.port)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{served.model}\nOpen {served.url} in your browser; Ctrl-C ends it.", flush=True)
    with served, contextlib.suppress(KeyboardInterrupt):
        served.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
