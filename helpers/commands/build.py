"""Turn the lessons' text into executed notebooks, compare the two, or take an edit back."""

from __future__ import annotations

import difflib
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from helpers.commands import cleaning
from helpers.commands.execution import CellFailed, any_error, execute, expects_error, tags
from helpers.files import write_whole
from helpers.lessons import LESSONS, Lesson
from helpers.paths import NOTEBOOKS, cache_folder

PERCENT = "py:percent"
HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
"""
HEADER_PATTERN = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")
# Without a header and with nothing in a cell's marker but what a lesson means by it.
WRITTEN_METADATA = {
    "jupytext": {
        "notebook_metadata_filter": "-all",
        "cell_metadata_filter": "tags,jupyter,-all",
    }
}


def main(lesson: Lesson | None = None, check: bool = False, from_notebooks: bool = False) -> int:
    """Build, compare or take back one lesson, or all; 0 where all is well."""
    stems = [lesson.stem] if lesson else all_stems(NOTEBOOKS)
    if check:
        return compare(NOTEBOOKS, stems)
    action = take_back if from_notebooks else build
    if action is build:  # the stored outputs are those of a learner's first run
        for kept in ("features", "get_file", "tfds"):
            shutil.rmtree(cache_folder() / kept, ignore_errors=True)
    return 0 if all([succeeds(action, stem) for stem in stems]) else 1


def succeeds(action: Callable[[Path, str], None], stem: str) -> bool:
    """Do one lesson; where that fails, say why and let the others go on."""
    try:
        action(NOTEBOOKS, stem)
    except (CellFailed, FileNotFoundError) as error:
        print(error, file=sys.stderr, flush=True)
        return False
    return True


def source_path(folder: Path, stem: str) -> Path:
    """The lesson's text."""
    return folder / "source" / f"{stem}.py"


def notebook_path(folder: Path, stem: str) -> Path:
    """The notebook that a learner opens."""
    return folder / f"{stem}.ipynb"


def all_stems(folder: Path) -> list[str]:
    """The names of the course's lessons, and of what else is a text or a notebook in `folder`."""
    paths = [*(folder / "source").glob("*.py"), *folder.glob("*.ipynb")]
    return sorted({lesson.stem for lesson in LESSONS} | {path.stem for path in paths})


def build(folder: Path, stem: str) -> None:
    """Run the lesson's text and store it as a notebook with outputs.

    Raises:
        FileNotFoundError: where the text is missing.
        CellFailed: where a cell fails; the notebook is then left as it was.
    """
    started = time.monotonic()
    print(f"{stem}: running", flush=True)
    notebook = read_source(require(source_path(folder, stem), "build --from-notebooks"))
    nobodys = {"COURSE_PROGRESS": str(cache_folder() / "no_progress.json")}
    execute(notebook, folder, stem, nobodys)
    write_notebook(cleaning.clean_notebook(notebook), notebook_path(folder, stem))
    print(f"{stem}: built in {time.monotonic() - started:.0f} s", flush=True)


def take_back(folder: Path, stem: str) -> None:
    """Write the cells of the lesson's notebook into its text, whose header stays."""
    notebook = read_notebook(require(notebook_path(folder, stem), "build"))
    path = source_path(folder, stem)
    old_text = path.read_text(encoding="utf-8") if path.is_file() else HEADER + "\n"
    text = source_text(notebook, old_text)
    if text == old_text:
        print(f"{stem}: the text has it already")
        return
    write_whole(path, text)
    print(f"{stem}: taken back into {path.name}; run `build` to renew the notebook")


def require(path: Path, command: str) -> Path:
    """`path`, where it is a file.

    Raises:
        FileNotFoundError: with the command that makes it.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"Received: no file {path}. Expected: it beside its other half. "
            f"Make it with `python course.py {command}`."
        )
    return path


def read_source(path: Path) -> NotebookNode:
    """The lesson's text as a notebook that has not run."""
    return jupytext.reads(path.read_text(encoding="utf-8"), fmt=PERCENT)


def read_notebook(path: Path) -> NotebookNode:
    """The stored notebook."""
    return nbformat.read(str(path), as_version=4)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Store `notebook`, which must be valid, in one step."""
    nbformat.validate(notebook)
    write_whole(path, nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n")


def source_text(notebook: NotebookNode, old_text: str) -> str:
    """`notebook` as py:percent text, under the header and with the spacing of `old_text`."""
    header = HEADER_PATTERN.match(old_text)
    old = jupytext.reads(old_text, fmt=PERCENT)
    # jupytext keeps the blank lines after a cell in its metadata, which no notebook stores.
    spacing = {(cell.cell_type, cell.source): cell.metadata for cell in old.cells}
    written = nbformat.v4.new_notebook(metadata=WRITTEN_METADATA)
    for cell in notebook.cells:
        copy = NotebookNode(cell, metadata=cleaning.kept_metadata(cell.metadata))
        known = spacing.get((cell.cell_type, cell.source), {})
        copy.metadata.update({k: v for k, v in known.items() if k.startswith("lines_to_")})
        written.cells.append(copy)
    body = jupytext.writes(written, fmt=PERCENT)
    return f"{header[0] if header else HEADER}\n{body}"


def compare(folder: Path, stems: list[str]) -> int:
    """Print each disagreement between text and notebooks; 1 where there is one."""
    complaints = [line for stem in stems for line in complaints_of(folder, stem)]
    for line in complaints:
        print(line)
    print(f"{len(stems)} lessons compared with their text: {len(complaints)} disagreements.")
    return 1 if complaints else 0


def complaints_of(folder: Path, stem: str) -> Iterator[str]:
    """Every disagreement of one lesson, each a line that starts with the lesson's name."""
    source, notebook = source_path(folder, stem), notebook_path(folder, stem)
    if not source.is_file():
        yield f"{stem}: source/{stem}.py is missing (`build --from-notebooks` makes it)."
    elif not notebook.is_file():
        yield f"{stem}: {stem}.ipynb is missing (`build` makes it)."
    else:
        stored = read_notebook(notebook)
        for line in (*differences(read_source(source), stored), *stored_faults(stored)):
            yield f"{stem}: {line}"


def differences(text: NotebookNode, stored: NotebookNode) -> Iterator[str]:
    """Where the cells of the text and of the notebook differ, in type, source or tags."""
    left, right = ([cell_key(cell) for cell in book.cells] for book in (text, stored))
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        pairs = min(i_end - i, j_end - j)
        for k in range(pairs):
            what = difference(left[i + k], right[j + k])
            yield f"cell {j + k + 1}: {what} of text and notebook differ."
        for k in range(i + pairs, i_end):
            yield f"cell {k + 1} of the text is not in the notebook: {first_line(left[k])}"
        for k in range(j + pairs, j_end):
            yield f"cell {k + 1} of the notebook is not in the text: {first_line(right[k])}"


def cell_key(cell: NotebookNode) -> tuple[str, str, tuple[str, ...]]:
    """What text and notebook must agree on."""
    return cell.cell_type, cell.source, tuple(tags(cell))


def difference(left: tuple, right: tuple) -> str:
    """The first of type, source and tags in which two cells differ."""
    names = ("type", "source", "tags")
    return next(name for name, a, b in zip(names, left, right, strict=True) if a != b)


def first_line(key: tuple) -> str:
    """The beginning of a cell, to find it by."""
    return (key[1].splitlines() or ["(empty)"])[0][:60]


def stored_faults(stored: NotebookNode) -> Iterator[str]:
    """What is wrong with the stored notebook by itself."""
    if "widgets" in stored.metadata:
        yield "the notebook stores widget state."
    elif stored.metadata != cleaning.NOTEBOOK_METADATA:
        yield f"metadata differs from cleaning.NOTEBOOK_METADATA: {sorted(stored.metadata)}."
    code = [cell for cell in stored.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"run counts are {counts}, not 1 to {len(code)} in order."
    for number, cell in enumerate(stored.cells, start=1):
        if cell.cell_type == "code":
            yield from (f"cell {number}: {fault}" for fault in cell_faults(cell))


def cell_faults(cell: NotebookNode) -> Iterator[str]:
    """What is wrong with one cell's stored outputs."""
    if any_error(cell):
        yield "stores an error."
    if expects_error(cell) and not any(out.output_type == "error" for out in cell.outputs):
        yield "is tagged as raising, and stores no error."
    if dict(cell.metadata) != dict(cleaning.kept_metadata(cell.metadata)):
        yield f"metadata holds {sorted(cell.metadata)}; only tags and source_hidden are kept."
    for output in cell.outputs:
        yield from output_faults(output)


def output_faults(output: NotebookNode) -> Iterator[str]:
    """What of one output names a machine, a moment or a widget that is gone."""
    if output.get("name") == "stderr":
        yield "stores what was written to stderr."
    data = output.get("data", {})
    if cleaning.WIDGET_VIEW in data:
        yield "stores a widget's view."
    texts = [value for kind, value in data.items() if kind.startswith("text/")]
    texts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    for text in texts:
        text = cleaning.ANSI.sub("", text)
        for found in cleaning.MACHINE_PATH.finditer(text):
            yield f"names a path of somebody's machine: {found[0]}"
        if cleaning.ADDRESS.search(text):
            yield "stores a memory address."
