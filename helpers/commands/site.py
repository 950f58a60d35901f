"""Make a site of the course's pages: the lessons as they are stored, and all that is written.

Nothing is run. Sphinx is started as a program: it lives in an environment of its own.
`docs/site/conf.py` has its settings.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from helpers.paths import ROOT, cache_folder

SETTINGS = ROOT / "docs" / "site"
FRONT, FRONT_PAGE = "README.md", "index.md"  # what the site opens with, and its name there
# What the site has beside the first page, by heading of its navigation and in this order.
SECTIONS = {
    "Lessons": (
        "notebooks/[0-9]*.ipynb",
        "notebooks/your_project.ipynb",
        "notebooks/glossary.ipynb",
    ),
    "For instructors": (
        "docs/instructors/README.md",
        "docs/instructors/**/*.md",
    ),
    "To look things up": (
        "docs/**/*.md",
        "benchmarks/README.md",
        "data/README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-prose.md",
    ),
}
CODE = r"(?s:```.*?```)|`[^`\n]*`"  # in which nothing is a link
LINK = re.compile(rf"{CODE}|(?<=\]\()(?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]+)?(?=[)\s])")
NOTEBOOK_LINK = re.compile(r'(?<=href=")([^":]+)\.ipynb(?=[#"])')
EXERCISE = re.compile(r"\bexercises\.\w+\.check\(")


def main() -> int:
    """Build the site into the cache; Sphinx's exit code, where a link that leads nowhere is 1."""
    started = time.monotonic()
    target = cache_folder() / "site"
    with tempfile.TemporaryDirectory() as name:
        source, built = Path(name, "source"), Path(name, "built")
        stage(source)
        failed = sphinx(source, built)
        if not failed:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(built, target)
    if failed:
        print("The site was not built: mend what is named above.", file=sys.stderr)
        return failed
    print(f"Built in {time.monotonic() - started:.0f} s: open {target / 'index.html'}", flush=True)
    return 0


def sphinx(source: Path, built: Path) -> int:
    """Run Sphinx; every warning counts as a fault, and names the page as the project has it."""
    options = ["-b", "html", "-q", "-W", "--keep-going", "-j", "auto", "-c", str(SETTINGS)]
    command = [sys.executable, "-m", "sphinx", *options, "-d", f"{built}.trees"]
    done = subprocess.run(
        [*command, str(source), str(built)], check=False, stderr=subprocess.PIPE, encoding="utf-8"
    )
    print(done.stderr.replace(f"{source}{os.sep}", ""), end="", file=sys.stderr, flush=True)
    return done.returncode


# What Sphinx reads


def stage(source: Path, root: Path = ROOT) -> None:
    """Copy the pages of `root`, and the files that they show or link to, into `source`."""
    for page in [FRONT, *(page for pages in sections(root).values() for page in pages)]:
        copy(page, root, source)
        for linked in sorted(links(root / page)):
            if linked.is_file() and linked.is_relative_to(root):
                copy(linked.relative_to(root).as_posix(), root, source)
    (source / FRONT).rename(source / FRONT_PAGE)


def copy(name: str, root: Path, source: Path) -> None:
    """Copy one file to the same place in `source`, as it is."""
    path = source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / name, path)


def sections(root: Path = ROOT) -> dict[str, list[str]]:
    """The pages' files by heading, relative to `root`; none stands twice."""
    seen: set[str] = set()
    found: dict[str, list[str]] = {}
    for heading, patterns in SECTIONS.items():
        paths = [path for pattern in patterns for path in sorted(root.glob(pattern))]
        names = [path.relative_to(root).as_posix() for path in paths]
        found[heading] = [name for name in dict.fromkeys(names) if name not in seen]
        seen.update(names)
    return {heading: names for heading, names in found.items() if names}


def links(page: Path) -> set[Path]:
    """The files of this machine that a page's text links to or shows, whether they exist or not."""
    found = (each["path"] for each in LINK.finditer(text_of(page)))
    return {(page.parent / path).resolve() for path in found if path}


def text_of(page: Path) -> str:
    """A page's Markdown."""
    written = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return written
    cells = json.loads(written)["cells"]
    return "\n\n".join("".join(each["source"]) for each in cells if each["cell_type"] == "markdown")


# What Sphinx makes of a page, which stays as it is on the disk and for a download


def prepare(name: str, text: str, root: Path = ROOT) -> str:
    """What `docs/site/conf.py` has Sphinx read in place of a page's file.

    Args:
        name: the page's file, relative to the site's folder.
        text: what is in it.
    """
    if name.endswith(".ipynb"):
        return prepare_notebook(name, text)
    text = prepare_links(name, text)
    if name == FRONT_PAGE:
        text += "".join(contents(heading, names) for heading, names in sections(root).items())
    return text


def contents(heading: str, names: list[str]) -> str:
    """A part of the navigation, as MyST writes it."""
    pages = "\n".join(name.rpartition(".")[0] for name in names)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{pages}\n```\n"


def prepare_links(name: str, text: str) -> str:
    """Links as the site has them: the first page by its name there, anchors without capitals.

    Jupyter's anchors keep a heading's capitals; GitHub's and the site's have none.
    """

    def written(found: re.Match[str]) -> str:
        path, anchor = found["path"], (found["anchor"] or "").lower()
        if not path:
            return found[0]
        if posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) == FRONT:
            path = path.removesuffix(FRONT) + FRONT_PAGE
        return path + anchor

    return LINK.sub(written, text)


def prepare_notebook(name: str, text: str) -> str:
    """A notebook whose cells say what is folded, and what is read out in place of a picture."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = prepare_links(name, "".join(cell["source"]))
        elif cell["cell_type"] == "code":
            fold(cell)
            for output in cell["outputs"]:
                prepare_output(output, cell["metadata"]["mystnb"])
    return json.dumps(notebook)


def fold(cell: dict[str, Any]) -> None:
    """Fold an exercise whole, and of a figure or a panel the code that draws it."""
    tags = cell["metadata"].setdefault("tags", [])
    settings = cell["metadata"].setdefault("mystnb", {})
    if EXERCISE.search("".join(cell["source"])):
        tags.append("hide-cell")
        settings["code_prompt_show"] = "Show the cell of the exercise"
        settings["code_prompt_hide"] = "Hide the cell of the exercise"
    elif "course" in tags:
        tags.append("hide-input")


def prepare_output(output: dict[str, Any], settings: dict[str, Any]) -> None:
    """Tell MyST-NB a picture's alternative text; have links in HTML lead to the site's pages."""
    if said := output.get("metadata", {}).get("image/png", {}).get("alt"):
        settings["image"] = {"alt": said}
    if written := output.get("data", {}).get("text/html"):
        output["data"]["text/html"] = NOTEBOOK_LINK.sub(r"\1.html", "".join(written))
