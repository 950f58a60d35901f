"""Execute lessons without a browser and write each as an HTML page with its figures."""

from __future__ import annotations

import html
import sys
import time
from pathlib import Path

from nbconvert import HTMLExporter
from nbformat import NotebookNode

from helpers.commands import cleaning
from helpers.commands.build import read_notebook, require
from helpers.commands.execution import CellFailed, execute
from helpers.files import write_whole
from helpers.lessons import LESSONS, Lesson
from helpers.paths import NOTEBOOKS, cache_folder


def main(lesson: Lesson | None = None) -> int:
    """Run one lesson, or all; 1 where one of them failed."""
    lessons = [lesson] if lesson else list(LESSONS)
    results = [run_lesson(NOTEBOOKS, each.stem, each.title) for each in lessons]
    return 0 if all(results) else 1


def run_lesson(folder: Path, stem: str, title: str) -> bool:
    """Run one notebook, which stays as it is, and write its page; False where a cell failed."""
    started = time.monotonic()
    print(f"{stem}: running", flush=True)
    try:
        notebook = read_notebook(require(folder / f"{stem}.ipynb", "build"))
        execute(notebook, folder, stem)
    except (CellFailed, FileNotFoundError) as error:
        print(error, file=sys.stderr, flush=True)
        return False
    page = write_page(notebook, title, cache_folder() / "pages" / f"{stem}.html")
    print(f"{stem}: {time.monotonic() - started:.0f} s, {page}", flush=True)
    return True


def write_alternative_text(output: NotebookNode) -> None:
    """Turn an image that has one into HTML with it: nbconvert's page passes over an image's own."""
    alt = output.get("metadata", {}).get("image/png", {}).get("alt")
    if alt:
        source = f"data:image/png;base64,{output.data['image/png'].strip()}"
        output.data = NotebookNode({"text/html": f'<img alt="{html.escape(alt)}" src="{source}">'})


def write_page(notebook: NotebookNode, title: str, path: Path) -> Path:
    """Write an executed notebook as one HTML file; panels appear as the picture that they show."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cleaning.clean_outputs(cell, keep_paths=True)  # the page stays on this machine
    cleaning.describe_images(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            write_alternative_text(output)
    exporter = HTMLExporter(embed_images=True)
    resources = {"metadata": {"name": title, "path": str(NOTEBOOKS)}}
    page, _ = exporter.from_notebook_node(notebook, resources=resources)
    write_whole(path, page)
    return path
