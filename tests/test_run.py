"""run: lessons executed without a browser, each written as one page."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from helpers.commands import command_line, jupyter_settings, run
from helpers.lessons import LESSONS

FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty folder of lessons, with a cache of its own."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(run, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(run, "LESSONS", (replace(LESSONS[0], stem="01_one"),))
    return tmp_path


def write(folder: Path, *sources: str, stem: str = "01_one") -> bytes:
    """Store a notebook of these code cells; its bytes."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path = folder / f"{stem}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path.read_bytes()


def test_a_lesson_becomes_a_page_with_its_figure(folder, capsys, monkeypatch):
    before = write(folder, "import os; print('recipe:', os.environ['COURSE_RECIPE'])", FIGURE)
    monkeypatch.setenv("COURSE_RECIPE", "tutorial")  # what `main` sets is taken back with this
    assert command_line.main(["run", "--recipe", "article"]) == 0
    page = folder / "cache" / "pages" / "01_one.html"
    html = page.read_text(encoding="utf-8")
    assert "recipe: article" in html
    assert "data:image/png;base64," in html
    assert "<title>Inspect trainable weights</title>" in html
    assert str(page) in capsys.readouterr().out
    assert (folder / "01_one.ipynb").read_bytes() == before


def test_lessons_run_in_their_folder_in_this_environment(folder):
    write(folder, "import sys, os; print(os.getcwd()); print(sys.prefix)")
    notebook = run.read_notebook(folder / "01_one.ipynb")
    run.execute(notebook, folder, "01_one")
    (output,) = notebook.cells[0].outputs
    assert output.text.splitlines() == [os.path.realpath(folder), sys.prefix]


def test_a_librarys_own_log_stays_out_of_the_lesson(folder, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # where it sees this, a kernel captures nothing
    jupyter_settings.write(Path(sys.prefix))
    write(folder, "import os\nos.write(2, b'from the depths\\n');")
    notebook = run.read_notebook(folder / "01_one.ipynb")
    run.execute(notebook, folder, "01_one")
    assert notebook.cells[0].outputs == []
    log = (folder / "cache" / "kernel.log").read_text(encoding="utf-8")
    assert "from the depths" in log


def test_a_failing_cell_is_told_in_short(folder, capsys):
    write(folder, "x = 1", "y = x / 0\nprint(y)", "print('not reached')")
    assert run.main() == 1
    said = capsys.readouterr().err
    assert "01_one: cell 2 fails" in said
    assert "    y = x / 0\n    print(y)" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "Traceback" not in said
    assert not (folder / "cache" / "pages").exists()


def test_a_dead_kernel_is_told(folder, capsys):
    write(folder, "import os; os._exit(9)")
    assert run.main() == 1
    assert "01_one: the kernel died" in capsys.readouterr().err


def test_a_missing_lesson_is_told(folder, capsys):
    assert run.main() == 1
    assert "01_one.ipynb" in capsys.readouterr().err


def test_an_image_of_the_page_has_its_captions_text(folder):
    write(folder, FIGURE, FIGURE)
    notebook = run.read_notebook(folder / "01_one.ipynb")
    run.execute(notebook, folder, "01_one")
    caption = nbformat.v4.new_markdown_cell("*Figure: a line\nthat rises.*\n\nAnd a text.")
    notebook.cells.insert(1, caption)
    page = run.write_page(notebook, "One", folder / "one.html").read_text(encoding="utf-8")
    assert page.count('alt="a line that rises."') == 1
    assert notebook.cells[0].outputs[-1].metadata["image/png"]["alt"] == "a line that rises."
    assert "image/png" not in notebook.cells[2].outputs[-1].metadata  # the second has no caption


def test_a_page_shows_paths_as_they_are(folder):
    """A learner looks for his own folder there, not for `~/mugs`; a stored notebook has neither."""
    pictures = Path.home() / "Pictures" / "mugs"
    write(folder, f"print({str(pictures)!r}); object()")
    assert run.run_lesson(folder, "01_one", "One")
    page = (folder / "cache" / "pages" / "01_one.html").read_text(encoding="utf-8")
    assert page.count(str(pictures)) == 2  # in the cell and below it
    assert "&lt;object object&gt;" in page or "&lt;object&gt;" in page  # without its address
