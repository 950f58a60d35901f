"""Write preflight.md: each check with its faults, what is said of them, and the mend.

    .venv/bin/python docs/write_preflight.py

What is said comes from the table of set-ups in `tests/preflight_cases.py`, which is run for it.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from preflight_cases import FAULTY, Case, look_in_any_case  # noqa: E402

from helpers.preflight import CHECKS, Finding  # noqa: E402

PAGE = Path(__file__).with_name("preflight.md")
BEGIN = """# What preflight looks at

```python
from helpers.preflight import preflight

report = preflight(model, train, validation)  # a compiled Keras model and its data, before fit
print(report)
```

In a notebook, the last line of a cell shows the report as a table. In a script, `print` shows it as
text. `report.raise_for_errors()` ends a job of CI where there are errors. `report.to_dict()` goes
into a log as JSON. The folder `helpers/preflight` works without the rest of the course:
`pip install .` in a clone, or copy the folder.

An *error* means that the training will not do what is meant. A *warning* means: look at it. A
*note* is no fault yet; it is told for what you may do next. What a check cannot judge is listed as
skipped, with the reason. What is not on this page is not looked at, and no such list is complete.

| argument | what it does |
|---|---|
| `pictures=2000` | so many pictures of each set are looked at, at most |
| `sample=96` | so many of these go through the model |
| `difference=0.02` | the gain in accuracy that validation should be able to show |
| `class_names=(train_names, validation_names)` | where the data do not carry them |
| `seconds=30` | no check begins later than that; those left are listed as skipped |
| `progress=False` | no line that tells what is looked at; or a function that is told |

Nothing is changed: weights, optimizer, `trainable` and random states are afterwards as they were.

Below, each check has the faults that the tests build, and what the report says of each. The words
in bold say what is wrong. `docs/write_preflight.py` wrote the rest from a run.
"""
REFUSED = "refused"


def told() -> dict[str, list[tuple[Case, str]]]:
    """What is said of each faulty set-up, by the check that says it."""
    found = defaultdict(list)
    for name, case in FAULTY.items():
        hits = look_in_any_case(case, True).hits
        # Of several checks that see the fault, the one that has its name.
        for one in sorted(hits, key=lambda hit: not _is_named(_check(hit), case))[:1]:
            found[_check(one)].append((case, str(one)))
        print(f"{name}: {'named' if hits else 'not named'}", flush=True)
    return found


def _check(hit: Finding | str) -> str:
    return hit.check if isinstance(hit, Finding) else REFUSED


def _is_named(check: str, case: Case) -> bool:
    return any(word in check.lower() for word in case.words)


def page(found: dict[str, list[tuple[Case, str]]]) -> Iterator[str]:
    """The page's lines."""
    yield BEGIN
    for name, check in CHECKS.items():
        yield f"## {name}\n"
        yield f"{str(check.__doc__).splitlines()[0]}\n"
        yield from _blocks(found.get(name, []))
    yield "## What is refused\n"
    yield "What cannot be looked at is refused with a way on.\n"
    yield from _blocks(found.get(REFUSED, []))


def _blocks(pairs: list[tuple[Case, str]]) -> Iterator[str]:
    for case, text in pairs:
        yield f"**{case.about}**\n"
        lines = text.removeprefix("refused: ").splitlines()
        wrapped = [part for line in lines for part in textwrap.wrap(line, 100) or [""]]
        yield "\n".join(["```text", *(wrapped if len(lines) == 1 else lines), "```\n"])


def main() -> None:
    """Run the table, and write the page."""
    PAGE.write_text("\n".join(page(told())).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
