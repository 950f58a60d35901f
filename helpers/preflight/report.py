"""What a preflight found, passed and could not judge, as text and as a page's table."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

WIDTH = 96


class Skip(Exception):
    """A check cannot judge this model or these data; the text says why."""


class PreflightError(Exception):
    """A preflight found errors; `report` holds all that it found, and the text names them.

    Attributes:
        report: the `Inspection`.
    """

    def __init__(self, report: Inspection) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        check: the name of the check that found it.
        severity: `"error"`: the training will not do what is meant; `"warning"`: look at it;
            `"note"`: nothing is wrong yet, and what is done next may be.
        what: what was seen, in numbers.
        mend: what to do, with code where that helps.
    """

    check: str
    severity: str
    what: str
    mend: str

    def __str__(self) -> str:
        lines = [f"{self.severity.upper():8} {self.check}"]
        return "\n".join([*lines, *_indented(self.what), *_indented(f"Mend: {self.mend}")])


@dataclass(frozen=True)
class Inspection:
    """What was found, what passed, what was skipped and why; printing it shows a table.

    Attributes:
        findings: faults, errors first.
        passed: names of checks.
        skipped: pairs of a check's name and why it could not judge.
        looked_at: a sentence on how many pictures were seen.
        trains: what of the model trains, such as `base: 0 of 262 variables, head: 2 of 2`.
        seconds: how long each check took.
        notes: what is no fault, but matters for what comes after.
    """

    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    looked_at: str = field(default="")
    trains: str = field(default="")
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)
    notes: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that are errors."""
        return tuple(found for found in self.findings if found.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are warnings."""
        return tuple(found for found in self.findings if found.severity != "error")

    def raise_for_errors(self, *, warnings: bool = False) -> Inspection:
        """End a script, such as a job of CI, where the training would not do what is meant.

        Args:
            warnings: count warnings, too.

        Returns:
            The report itself, where nothing counts against it.

        Raises:
            PreflightError: where there are errors; its `report` is this one.
        """
        if self.findings if warnings else self.errors:
            raise PreflightError(self)
        return self

    def to_dict(self) -> dict[str, Any]:
        """All of it as dictionaries, lists, numbers and strings, as `json.dumps` takes them."""
        return {
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "looked_at": self.looked_at,
            "trains": self.trains,
            "findings": [asdict(found) for found in self.findings],
            "notes": [asdict(found) for found in self.notes],
            "passed": list(self.passed),
            "skipped": [{"check": name, "reason": reason} for name, reason in self.skipped],
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }

    def __repr__(self) -> str:
        lines = [self._title(), *self._seen()]
        for found in (*self.findings, *self.notes):
            lines += ["", str(found)]
        if self.passed:
            lines += ["", *textwrap.wrap(f"passed:  {', '.join(self.passed)}", WIDTH)]
        if self.skipped:
            lines += ["", "skipped:"]
        for name, reason in self.skipped:
            lines += textwrap.wrap(f"{name}: {reason}", WIDTH, initial_indent="  ")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        found = (*self.findings, *self.notes)
        rows = [(one.severity, one.check, one.what, one.mend) for one in found]
        rows += [("skipped", name, reason, "") for name, reason in self.skipped]
        body = "".join(
            f"<tr>{''.join(f'<td {STYLE}>{_cell(text)}</td>' for text in row)}</tr>" for row in rows
        )
        head = "".join(f"<th {STYLE}>{text}</th>" for text in ("", "check", "what", "mend"))
        return (
            f"<p><b>{_cell(self._title())}</b> {_cell(' '.join(self._seen()))}"
            f"</p><table><tr>{head}</tr>{body}</table>"
            f"<p>passed: {_cell(', '.join(self.passed) or 'none')}</p>"
        )

    def _seen(self) -> list[str]:
        """Sentences on what was looked at."""
        trains = f"What trains: {self.trains}." if self.trains else ""
        return [line for line in (self.looked_at, trains) if line]

    def _title(self) -> str:
        return (
            f"Preflight: {_count(len(self.errors), 'error')}, "
            f"{_count(len(self.warnings), 'warning')}, "
            f"{_count(len(self.notes), 'note') + ', ' if self.notes else ''}"
            f"{len(self.passed)} checks passed, {len(self.skipped)} skipped."
        )


STYLE = (
    'style="text-align: left; vertical-align: top; white-space: pre-wrap; padding: 3px 12px 3px 0"'
)


def _cell(text: str) -> str:
    """Text as HTML; nothing in it can be taken for a tag."""
    return html.escape(text)


def _count(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _indented(text: str) -> list[str]:
    """Wrap each line of a text, so that code keeps its lines."""
    indent = " " * 9
    return [
        wrapped
        for line in text.splitlines()
        for wrapped in textwrap.wrap(
            line,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=False,
            drop_whitespace=True,
        )
    ]
