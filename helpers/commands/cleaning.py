"""What of an executed notebook is kept: nothing that names this machine or this moment."""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from helpers.paths import ROOT, cache_folder

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_TEXT = "A panel of controls: run this cell to use it."
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    # Without a version, so that builds on different Pythons do not differ.
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}

CAPTION = re.compile(r"\*Figure: (?P<text>[^*]+)\*")
# A progress bar that is done wipes its line with spaces.
WIPED_BAR = re.compile(r"(?m)^\r? {20,}\r?$\n?")
KERAS_TIMING = re.compile(r" - \d+(?:\.\d+)?s - \d+(?:\.\d+)?(?:s|ms|us|µs)/(?:step|epoch|sample)")
ANSI = re.compile(r"\x1b\[[\d;]*m")
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")
CELL_FILE = re.compile(r"[^\s'\"<>]*ipykernel_\d+[/\\]+\d+\.py")
# Folders that only somebody's own machine has, whichever machine stored the notebook.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~-])(?:/(?:home|Users)/\w|/root/|/tmp/|/private/|/var/folders/)[^\s'\"<>]*"
    r"|(?<!\w)[A-Za-z]:\\+Users\\[^\s'\"<>]*"
)


def clean_notebook(notebook: NotebookNode) -> NotebookNode:
    """Return `notebook` itself, with stable ids and outputs, and the course's own metadata."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = NotebookNode(NOTEBOOK_METADATA)
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell.id = cell_id(cell, seen)
        cell.metadata = kept_metadata(cell.metadata)
        if cell.cell_type == "code":
            clean_outputs(cell)
    describe_images(notebook)
    return notebook


def describe_images(notebook: NotebookNode) -> None:
    """Give each image the alternative text of its caption: 'Figure: ...' of the cell below."""
    for cell, below in itertools.pairwise(notebook.cells):
        caption = CAPTION.match(below.source)
        said = " ".join(caption["text"].split()) if caption else ""
        for output in cell.get("outputs", []):
            if said and "image/png" in output.get("data", {}):
                output.metadata["image/png"] = NotebookNode(alt=said)


def cell_id(cell: NotebookNode, seen: Counter[str]) -> str:
    """An id from the cell's text, so that a rebuild changes only the ids of edited cells.

    `seen` counts equal cells, the second of which needs an id of its own.
    """
    text = f"{cell.cell_type}\n{cell.source}"
    seen[text] += 1
    return hashlib.sha256(f"{seen[text]}\n{text}".encode()).hexdigest()[:12]


def kept_metadata(metadata: NotebookNode) -> NotebookNode:
    """Tags and 'source hidden' only: the rest (timings, scrolling) is one sitting's."""
    kept = NotebookNode()
    if metadata.get("tags"):
        kept.tags = list(metadata["tags"])
    if metadata.get("jupyter", {}).get("source_hidden"):
        kept.jupyter = NotebookNode(source_hidden=True)
    return kept


def clean_outputs(cell: NotebookNode, keep_paths: bool = False) -> None:
    """Drop what a rerun would change without a change in the lesson, and join split streams.

    `keep_paths` leaves this machine's paths as they are, for a page that nobody else reads.
    """
    neutral = without_addresses if keep_paths else neutral_text
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
    for output in cell.outputs:
        if output.output_type == "stream":
            output.text = WIPED_BAR.sub("", KERAS_TIMING.sub("", neutral(output.text)))
        elif output.output_type == "error":
            output.evalue = neutral(output.evalue)
            output.traceback = [neutral(line) for line in output.traceback]
        else:
            clean_data(output.data, neutral)
    cell.outputs = [output for output in cell.outputs if output.get("text") != ""]


def clean_data(data: NotebookNode, neutral: Callable[[str], str]) -> None:
    """Take the widget view out of a display's representations; neutralise the texts."""
    if data.pop(WIDGET_VIEW, None) is not None and set(data) <= {"text/plain"}:
        data["text/plain"] = WIDGET_TEXT
    for kind in data:
        if kind.startswith("text/") and isinstance(data[kind], str):
            data[kind] = neutral(data[kind])


def without_addresses(text: str) -> str:
    """`text` without memory addresses and the names of a kernel's temporary files."""
    return CELL_FILE.sub("cell", ADDRESS.sub("", text))


def neutral_text(text: str) -> str:
    """`text` without memory addresses and without this machine's own paths."""
    text = without_addresses(text)
    for pattern, name in path_patterns():
        text = pattern.sub(partial(neutral_path, name=name), text)
    return text


def neutral_path(found: re.Match[str], name: str) -> str:
    """The replacement of one path: relative to the repository, or under a neutral name."""
    colour, separator = found["colour"] or "", found["separator"] or ""
    if name == "." and separator:
        return colour
    return colour + name + separator


@lru_cache(maxsize=1)
def path_patterns() -> list[tuple[re.Pattern[str], str]]:
    """Each folder of this machine with its neutral name, the longest (innermost) first."""
    home = Path.home()
    folders = [
        (ROOT, "."),
        (cache_folder(), ".cache"),
        (Path(sys.prefix), ".venv"),
        (Path(sys.base_prefix), "python"),
        (Path(tempfile.gettempdir()), "temporary"),
        (home, "~"),
    ]
    names = {str(path): name for folder, name in folders for path in (folder, folder.resolve())}
    if ROOT.is_relative_to(home):  # IPython shortens the home folder in its tracebacks
        names[str(Path("~") / ROOT.relative_to(home))] = "."
    # A home of '/', as some containers have it, would match every path.
    names = {path: name for path, name in names.items() if len(path) > 3}
    return [(path_pattern(path), names[path]) for path in sorted(names, key=len, reverse=True)]


def path_pattern(path: str) -> re.Pattern[str]:
    """`path` as a whole path, also with Windows' separators doubled by `repr` or turned round."""
    body = r"[\\/]+".join(re.escape(part) for part in re.split(r"[\\/]", path))
    # A colour code ends in a letter, so it is let through by name.
    start = r"(?:(?P<colour>\x1b\[[\d;]*m)|(?<![\w.~]))"
    return re.compile(start + body + r"(?:(?P<separator>[\\/]+)|(?![\w-]|\.\w))")
