"""What a set holds, as HTML: counts and examples, what was left out and what that looks like."""

from __future__ import annotations

import base64
import html as markup
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.pictures import decoding
from helpers.pictures.splits import PARTS, PictureSet, kind_of, printable, size_range

THUMB, EXAMPLES, MOST_CLASSES = 56, 3, 30
CELL = "padding:3px 12px 3px 0;vertical-align:middle;"


def html(found: PictureSet) -> str:
    """The set as HTML: a row for each class, then one for each reason to leave files out."""
    total = sum(len(getattr(found, part)) for part in PARTS)
    parts = [
        f"<p><b>{_text(found.name)}</b>: {total:,} pictures of {len(found.class_names)} classes, "
        f"{found.size} x {found.size} pixels each. {_text(size_range(found))}</p>",
        _classes(found),
        *(f"<p>{_text(sentence)}</p>" for sentence in found.said),
        _left_out(found),
    ]
    return "\n".join(parts)


def _classes(found: PictureSet) -> str:
    """Counts by class and split, with a few pictures of each class."""
    splits = [getattr(found, part) for part in PARTS]
    counts = [np.bincount(split.labels, minlength=len(found.class_names)) for split in splits]
    rows = [_row(["class", *PARTS, "for example"], "th")]
    for label, name in enumerate(found.class_names[:MOST_CLASSES]):
        chosen = np.flatnonzero(found.train.labels == label)[:EXAMPLES]
        examples = "".join(_thumb(image, name) for image in _images(found, chosen))
        rows.append(_row([_text(name), *(f"{count[label]:,}" for count in counts), examples]))
    if len(found.class_names) > MOST_CLASSES:
        rows.append(_row([f"and {len(found.class_names) - MOST_CLASSES} more", "", "", "", ""]))
    rows.append(_row(["together", *(f"{len(split):,}" for split in splits), ""]))
    return _table(rows)


def _images(found: PictureSet, rows: np.ndarray) -> np.ndarray:
    """Training pictures; none where they lie on a disk and are gone."""
    try:
        return found.train.images[rows] if len(rows) else np.zeros((0, 1, 1, 3), np.uint8)
    except ValueError:
        return np.zeros((0, 1, 1, 3), np.uint8)


def _left_out(found: PictureSet) -> str:
    """Counts by reason, with a few of the files, as pictures where they are some."""
    if not found.left_out:
        return "<p>Left out: nothing.</p>"
    by_kind: dict[str, list[tuple[str, str]]] = {}
    for file, reason in found.left_out:
        by_kind.setdefault(kind_of(reason), []).append((file, reason))
    rows = [_row(["left out", "files", "for example"], "th")]
    for kind, pairs in sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0])):
        first = pairs[:EXAMPLES]
        thumbs = _thumbs_of_files(found.folder, [file for file, _ in first])
        lines = [thumbs] if thumbs else []
        lines += [_text(file) for file, _ in first]
        if len(pairs) > len(first):
            lines.append(f"and {len(pairs) - len(first):,} more")
        reason = first[0][1] if len(pairs) == 1 else kind
        rows.append(_row([_text(reason), f"{len(pairs):,}", "<br>".join(lines)]))
    return _table(rows)


def _thumbs_of_files(folder: str | None, names: Sequence[str]) -> str:
    """Small pictures of those files that can be decoded."""
    paths = [str(Path(folder, name)) for name in names] if folder else []
    if not paths:
        return ""
    decoded = decoding.decode_files(paths, THUMB)
    whole = [row for row in range(len(paths)) if row not in decoded.failed]
    return "".join(_thumb(decoded.images[row], names[row]) for row in whole)


def _thumb(image: np.ndarray, alternative: str) -> str:
    """A small picture inside the page."""
    from PIL import Image

    contents = io.BytesIO()
    small = Image.fromarray(image).resize((THUMB, THUMB), Image.Resampling.BOX)
    small.save(contents, "JPEG", quality=80)
    data = base64.b64encode(contents.getvalue()).decode()
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="{_text(alternative)}" width="{THUMB}" '
        f'height="{THUMB}" style="display:inline-block;margin:0 3px 0 0">'
    )


def _text(text: str) -> str:
    return markup.escape(printable(text))


def _row(cells: Sequence[str], kind: str = "td") -> str:
    first, *others = cells
    inside = f'<{kind} style="{CELL}text-align:left">{first}</{kind}>'
    for cell in others:
        right = "right" if cell.replace(",", "").isdigit() or cell in {*PARTS, "files"} else "left"
        inside += f'<{kind} style="{CELL}text-align:{right}">{cell}</{kind}>'
    return f"<tr>{inside}</tr>"


def _table(rows: Sequence[str]) -> str:
    return '<table style="border-collapse:collapse;margin:6px 0">' + "".join(rows) + "</table>"
