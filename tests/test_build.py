"""build: text to notebook and back, what is stripped, and each complaint of --check."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest

from helpers.commands import build, cleaning
from helpers.commands.execution import CellFailed
from helpers.lessons import LESSONS
from helpers.paths import ROOT, SOURCES

STEM = "01_sample"
TEXT = (
    build.HEADER
    + '''
# %% [markdown]
# # A sample
#
# With *two* paragraphs and a list:
#
# - $x^2$
# - `code`

# %%
import os
import sys
import tempfile

import helpers


def double(value):
    """Twice `value`."""
    return 2 * value


# %% tags=["nbval-check-output"]
print(double(4))

# %%
print(os.path.join(tempfile.gettempdir(), "x"), helpers.__file__, sys.prefix, flush=True)
print("a warning", file=sys.stderr, flush=True)
os.write(2, b"from the depths")
print("63/63 - 12s - 190ms/step - accuracy: 0.9000 - loss: 0.3")
print(object())

# %% tags=["nbval-raises-exception"]
raise ValueError(f"in {tempfile.gettempdir()}/x")

# %%
# A comment that is no cell marker: %%
# %matplotlib inline
import matplotlib.pyplot as plt
import ipywidgets


class Panel(ipywidgets.HTML):
    """A widget that shows a picture where no widget can."""

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        return {**bundle, "image/png": "AAAA"}


display(ipywidgets.IntSlider(), Panel("x"))
plt.plot([1, 2])

# %% [markdown] tags=["hidden"]
# The end.
'''
)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sample's text and its built notebook."""
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "source").mkdir()
    (folder / "source" / f"{STEM}.py").write_text(TEXT, encoding="utf-8")
    build.build(folder, STEM)
    return folder


@pytest.fixture
def folder(built, tmp_path) -> Path:
    """A copy that a test may spoil."""
    (tmp_path / "source").mkdir()
    for path in (f"source/{STEM}.py", f"{STEM}.ipynb"):
        (tmp_path / path).write_bytes((built / path).read_bytes())
    return tmp_path


def stored(folder: Path) -> nbformat.NotebookNode:
    return build.read_notebook(build.notebook_path(folder, STEM))


def spoil(folder: Path, change) -> list[str]:
    """Change the stored notebook; the complaints that follow."""
    notebook = stored(folder)
    change(notebook)
    build.notebook_path(folder, STEM).write_text(nbformat.writes(notebook), encoding="utf-8")
    return list(build.complaints_of(folder, STEM))


# The way there


def test_a_build_agrees_with_its_text(folder, capsys):
    assert list(build.complaints_of(folder, STEM)) == []
    assert build.compare(folder, [STEM]) == 0


def test_nothing_of_this_machine_or_moment_is_stored(built):
    notebook = stored(built)
    for cell in notebook.cells:
        cell.source = ""
    text = nbformat.writes(notebook)
    for unwanted in (str(ROOT), sys.prefix, tempfile.gettempdir(), "190ms", "at 0x", "jupytext"):
        assert unwanted not in text, unwanted
    assert "a warning" not in text and "from the depths" not in text
    assert cleaning.WIDGET_VIEW not in text and cleaning.WIDGET_TEXT in text
    assert "iopub" not in text and "widgets" not in notebook.metadata


def test_streams_are_joined_and_paths_relative(built):
    (output,) = stored(built).cells[3].outputs
    assert output.text == (
        f"{Path('temporary/x')} {Path('helpers/__init__.py')} .venv\n"
        "63/63 - accuracy: 0.9000 - loss: 0.3\n"
        "<object object>\n"
    )


def test_a_build_shows_a_first_run(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(build, "build", lambda folder, stem: None)
    for kept in ("features/0.npy", "photos/cat.jpg"):
        (tmp_path / kept).parent.mkdir()
        (tmp_path / kept).touch()
    assert build.main(check=True) == 0 and (tmp_path / "features").exists()
    assert build.main(LESSONS[2]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_build_shows_nobodys_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "mine.json")
    (tmp_path / "source").mkdir()
    text = "# %%\nimport os\n\nprint(os.environ['COURSE_PROGRESS'].split('/')[-1])\n"
    (tmp_path / "source" / f"{STEM}.py").write_text(build.HEADER + text, encoding="utf-8")
    build.build(tmp_path, STEM)
    notebook = nbformat.read(tmp_path / f"{STEM}.ipynb", as_version=4)
    assert notebook.cells[0].outputs[0].text == "no_progress.json\n"


def test_a_progress_bar_leaves_nothing_behind():
    bar = f"\rfeatures:  50%|#####     | 1/2\r{' ' * 79}\r"
    for streams, expected in (
        [["done\n", bar, "(2, 3)\n"], ["done\n(2, 3)\n"]],
        [[bar], []],
        [["  an indented line\n"], ["  an indented line\n"]],
    ):
        outputs = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in streams]
        cell = nbformat.v4.new_code_cell("extract()", outputs=outputs)
        cleaning.clean_outputs(cell)
        assert [output.text for output in cell.outputs] == expected


def test_an_expected_error_is_stored_without_its_path(built):
    (output,) = stored(built).cells[4].outputs
    assert (output.ename, output.evalue) == ("ValueError", "in temporary/x")


def test_a_panel_keeps_its_picture(built):
    data = [out.data for out in stored(built).cells[5].outputs if "data" in out]
    assert any(entry.get("image/png") == "AAAA" for entry in data)


def test_a_second_build_stores_the_same(folder):
    before = build.notebook_path(folder, STEM).read_bytes()
    build.build(folder, STEM)
    assert build.notebook_path(folder, STEM).read_bytes() == before


def test_an_edit_changes_the_id_of_its_own_cell_only(folder):
    source = build.source_path(folder, STEM)
    source.write_text(TEXT.replace("double(4)", "double(5)"), encoding="utf-8")
    before = [cell.id for cell in stored(folder).cells]
    after = [c.id for c in cleaning.clean_notebook(build.read_source(source)).cells]
    assert [a == b for a, b in zip(before, after, strict=True)].count(False) == 1


def test_equal_cells_have_ids_of_their_own():
    cells = [nbformat.v4.new_code_cell("1", id=name) for name in ("a", "b")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    ids = [cell.id for cell in cleaning.clean_notebook(notebook).cells]
    assert len(set(ids)) == 2


def test_a_failing_cell_is_named_and_the_notebook_left(folder):
    before = build.notebook_path(folder, STEM).read_bytes()
    source = build.source_path(folder, STEM)
    source.write_text(TEXT.replace("print(double(4))", "print(1 / 0)"), encoding="utf-8")
    with pytest.raises(
        CellFailed, match=r"(?s)01_sample: cell 3 .*print\(1 / 0\).*ZeroDivisionError"
    ):
        build.build(folder, STEM)
    assert build.notebook_path(folder, STEM).read_bytes() == before


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        (f"{ROOT}/data/x.npz", "data/x.npz"),
        (f"'{ROOT}'", "'.'"),
        (f"{ROOT}-other/x", None),
        (f"\x1b[32m{sys.prefix}/lib\x1b[39m", "\x1b[32m.venv/lib\x1b[39m"),
        ("<Figure at 0x7f12ab>", "<Figure>"),
        ("at 0x10 bytes", "at 0x10 bytes"),
        (f"{tempfile.gettempdir()}/ipykernel_12/34.py:1: Warning", "cell:1: Warning"),
        ("https://example.org/home/x", "https://example.org/home/x"),
    ],
)
def test_neutral_text(text, neutral):
    expected = text if neutral is None else neutral
    found = cleaning.neutral_text(text)
    if neutral is None:  # another folder that only begins alike
        assert not found.startswith("./") and "-other/x" in found
    else:
        assert found == expected


def test_paths_of_windows():
    pattern = cleaning.path_pattern(r"C:\Users\me\course")
    for path in (r"C:\Users\me\course\a", r"C:\\Users\\me\\course\\a", "C:/Users/me/course/a"):
        found = pattern.search(f"in {path}")
        assert cleaning.neutral_path(found, ".") == ""
    assert not pattern.search(r"C:\Users\me\course2")


# And back


def test_round_trip_of_the_sample(folder):
    build.take_back(folder, STEM)
    assert build.source_path(folder, STEM).read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.py")), ids=lambda path: path.stem)
def test_round_trip_of_each_lesson(path):
    text = path.read_text(encoding="utf-8")
    notebook = cleaning.clean_notebook(build.read_source(path))
    back = nbformat.reads(nbformat.writes(notebook), as_version=4)
    again = build.source_text(back, text)
    assert again == text


def test_an_edit_in_the_notebook_comes_back(folder, capsys):
    def edit(notebook):
        notebook.cells[2].source = "print(double(5))"
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell("New."))
        notebook.cells[3].metadata["collapsed"] = True

    assert len(spoil(folder, edit)) >= 2
    build.take_back(folder, STEM)
    text = build.source_path(folder, STEM).read_text(encoding="utf-8")
    expected = TEXT.replace("double(4)", "double(5)")
    expected = expected.replace("# %%\nimport os", "# %% [markdown]\n# New.\n\n# %%\nimport os")
    assert text == expected


def test_a_text_is_made_for_a_notebook_without_one(folder):
    build.source_path(folder, STEM).unlink()
    build.take_back(folder, STEM)
    assert (
        list(build.differences(build.read_source(build.source_path(folder, STEM)), stored(folder)))
        == []
    )


# Each complaint


def test_missing_halves_are_named(folder, monkeypatch, capsys):
    monkeypatch.setattr(build, "LESSONS", ())
    build.source_path(folder, STEM).rename(build.source_path(folder, "02_other"))
    assert build.all_stems(folder) == [STEM, "02_other"]
    assert build.compare(folder, build.all_stems(folder)) == 1
    said = capsys.readouterr().out
    assert "source/01_sample.py is missing" in said
    assert "02_other.ipynb is missing" in said
    with pytest.raises(FileNotFoundError, match=r"(?s)01_sample\.py.*build --from-notebooks"):
        build.build(folder, STEM)
    with pytest.raises(FileNotFoundError, match=r"02_other\.ipynb"):
        build.take_back(folder, "02_other")


def set_source(notebook):
    notebook.cells[2].source = "print(9)"


def set_type(notebook):
    notebook.cells[-1] = nbformat.v4.new_raw_cell("The end.")


def set_tags(notebook):
    notebook.cells[2].metadata.tags = []


def drop_cell(notebook):
    del notebook.cells[-1]


def add_cell(notebook):
    notebook.cells.append(nbformat.v4.new_markdown_cell("More."))


def forget_run(notebook):
    notebook.cells[2].execution_count = None


def run_out_of_order(notebook):
    notebook.cells[2].execution_count = 7


def store_error(notebook):
    notebook.cells[2].outputs = [nbformat.v4.new_output("error", ename="E", evalue="v")]


def lose_expected_error(notebook):
    notebook.cells[4].outputs = []


def store_widget_state(notebook):
    notebook.metadata.widgets = {}


def store_widget_view(notebook):
    data = {cleaning.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "x"}
    notebook.cells[2].outputs = [nbformat.v4.new_output("display_data", data=data)]


def store_pairing(notebook):
    notebook.metadata.jupytext = {"formats": "ipynb,py:percent"}


def store_path(notebook):
    notebook.cells[2].outputs[0].text = "/home/someone/x\n"


def store_path_of_windows(notebook):
    notebook.cells[2].outputs[0].text = "C:\\Users\\someone\\x\n"


def store_address(notebook):
    notebook.cells[2].outputs[0].text = "<object object at 0x7f0011>\n"


def store_stderr(notebook):
    notebook.cells[2].outputs[0].name = "stderr"


def store_timing(notebook):
    notebook.cells[2].metadata.execution = {"iopub.status.busy": "2020-01-01"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (set_source, "cell 3: source of text and notebook differ"),
        (set_type, "cell 7: type of text and notebook differ"),
        (set_tags, "cell 3: tags of text and notebook differ"),
        (drop_cell, "cell 7 of the text is not in the notebook: The end."),
        (add_cell, "cell 8 of the notebook is not in the text: More."),
        (forget_run, r"run counts are \[1, None, 3, 4, 5\], not 1 to 5"),
        (run_out_of_order, r"run counts are \[1, 7, 3, 4, 5\], not 1 to 5"),
        (store_error, "cell 3: stores an error"),
        (lose_expected_error, "cell 5: is tagged as raising, and stores no error"),
        (store_widget_state, "stores widget state"),
        (store_widget_view, "cell 3: stores a widget's view"),
        (store_pairing, "metadata differs .*jupytext"),
        (store_path, "cell 3: names a path of somebody's machine: /home/someone/x"),
        (store_path_of_windows, r"cell 3: names a path of somebody's machine: C:\\Users\\someone"),
        (store_address, "cell 3: stores a memory address"),
        (store_stderr, "cell 3: stores what was written to stderr"),
        (store_timing, "cell 3: metadata holds .*execution"),
    ],
)
def test_complaint(folder, change, complaint):
    found = spoil(folder, change)
    assert any(re.search(complaint, line) for line in found), found
    assert all(line.startswith(f"{STEM}: ") for line in found)


def test_the_three_ways(folder, monkeypatch):
    monkeypatch.setattr(build, "NOTEBOOKS", folder)
    monkeypatch.setattr(build, "LESSONS", ())
    assert build.main(check=True) == 0
    spoil(folder, set_source)
    assert build.main(check=True) == 1
    assert build.main(from_notebooks=True) == 0


def test_the_others_go_on_where_one_lesson_is_missing(folder, monkeypatch, capsys):
    monkeypatch.setattr(build, "NOTEBOOKS", folder)
    assert build.main(from_notebooks=True) == 1
    said = capsys.readouterr()
    assert "the text has it already" in said.out
    assert f"{build.LESSONS[-1].stem}.ipynb" in said.err
