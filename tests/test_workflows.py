"""Rules that the CI workflows keep, read from their YAML."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / ".github"
# What a cache may hold: what was downloaded, never what was computed.
DOWNLOADS = {".cache/photos", "~/.keras/models", "~/tensorflow_datasets"}
PACKAGES = {"~/.cache/uv", "~/AppData/Local/uv/cache"}


def read(path: Path) -> dict:
    """One YAML file; YAML 1.1 reads the key `on` as true."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}


WORKFLOWS = {path.stem: read(path) for path in sorted((GITHUB / "workflows").glob("*.yml"))}
ACTIONS = {path.parent.name: read(path) for path in GITHUB.glob("actions/*/action.yml")}
JOBS = {
    f"{workflow}/{name}": job
    for workflow, content in WORKFLOWS.items()
    for name, job in content["jobs"].items()
}


def steps(job: dict) -> Iterator[dict]:
    """A job's steps, those of our own actions in their places."""
    for step in job["steps"]:
        name = step.get("uses", "").removeprefix("./.github/actions/")
        yield from ACTIONS[name]["runs"]["steps"] if name in ACTIONS else (step,)


def commands(job: str) -> str:
    """All that a job runs, with its matrix's values written out."""
    matrix = JOBS[job].get("strategy", {}).get("matrix", {})
    text = "\n".join(step.get("run", "") for step in steps(JOBS[job]))
    for name, values in matrix.items():
        rows = values if name == "include" else [{name: value} for value in values]
        text = "\n".join(filled(text, row) for row in rows)
    return text


def filled(text: str, row: dict[str, str]) -> str:
    """`text` with one row of a matrix in it."""
    for name, value in row.items():
        text = text.replace(f"${{{{ matrix.{name} }}}}", str(value))
    return text


def caches() -> list[tuple[str, set[str], str]]:
    """Each cached step: its job, its paths, its key."""
    return [
        (name, set(step["with"]["path"].split()), step["with"]["key"])
        for name, job in JOBS.items()
        for step in steps(job)
        if step.get("uses", "").startswith("actions/cache")
    ]


def test_only_downloads_are_kept_between_runs():
    assert caches()
    for job, paths, _ in caches():
        assert paths <= DOWNLOADS or paths <= PACKAGES, job


def test_a_key_knows_what_decides_its_content():
    for job, paths, key in caches():
        files = re.findall(r"'([^']+)'", re.search(r"hashFiles\((.*)\)", key)[1])
        assert all((ROOT / file).is_file() for file in files), job
        assert "runner.os" in key and re.search(r"(matrix|inputs)\.python", key), job
        if paths <= PACKAGES:
            assert files == ["requirements.txt", "requirements-dev.txt"], job
        else:
            assert "helpers/bases.py" in files and "helpers/pictures/photographs.py" in files, job


@pytest.mark.parametrize(
    "job",
    [name for name in JOBS if name not in ("gpu/gpu", "pages/publish") and "audit" not in name],
)
def test_packages_are_kept_between_runs(job):
    assert any(paths <= PACKAGES for name, paths, _ in caches() if name == job)


def test_the_gpu_is_the_projects_own():
    for name, job in JOBS.items():
        if "self-hosted" in job["runs-on"]:
            assert job["if"] == "github.repository == vars.GPU_REPOSITORY", name


def test_a_folder_that_stays_keeps_nothing_computed():
    for name, job in JOBS.items():
        for position, step in enumerate(found := list(steps(job))):
            if step.get("with", {}).get("clean") is False:
                assert found[position + 1]["run"] == (
                    "git clean -ffdx --exclude=/.venv --exclude=/.cache/photos"
                ), name


@pytest.mark.parametrize("name", WORKFLOWS)
def test_scheduled_jobs_leave_forks_alone(name):
    if "schedule" not in WORKFLOWS[name]["on"]:
        return
    for job in WORKFLOWS[name]["jobs"].values():
        assert "repository" in job["if"]


@pytest.mark.parametrize("job", JOBS)
def test_every_job_ends_and_may_only_read(job):
    assert JOBS[job]["timeout-minutes"] <= 180
    assert WORKFLOWS[job.partition("/")[0]]["permissions"] == {"contents": "read"}
    own = {"pages": "write", "id-token": "write"} if job == "pages/publish" else None
    assert JOBS[job].get("permissions") == own


def test_a_site_is_published_once_it_was_tried_and_from_main_only():
    publish = JOBS["pages/publish"]
    assert publish["needs"] == "site"
    assert "github.ref == 'refs/heads/main'" in publish["if"]
    assert "github.repository == vars.PAGES_REPOSITORY" in publish["if"]
    lines = commands("pages/site").splitlines()
    tried = "python course.py test -- tests/test_site.py"  # skipped where the site is not there
    assert lines.index("python course.py site") < lines.index(tried)


def test_each_night_all_that_only_a_whole_run_shows():
    assert {"schedule", "workflow_dispatch"} <= WORKFLOWS["nightly"]["on"].keys()
    run = "\n".join(commands(job) for job in JOBS if job.startswith("nightly/"))
    for line in (
        "course.py fetch photos bases",
        "course.py fetch tutorial",
        "course.py fetch article",
        "course.py test --recipe tutorial -- notebooks",
        "course.py test --recipe article -- notebooks",
        "course.py test -- tests/test_scripts.py",
        "course.py test -- tests/test_class.py",
        "benchmarks/recipes.py",
        "benchmarks/transfer.py",
        "course.py test -- tests/test_browser.py tests/test_browser_project.py",
        "course.py test -- tests/test_benchmarks.py",
    ):
        assert re.search(rf"{re.escape(line)}$", run, re.MULTILINE), line
    nights = [step for job in JOBS if job.startswith("nightly/") for step in steps(JOBS[job])]
    assert not any(step.get("continue-on-error") for step in nights)


@pytest.mark.parametrize(
    "line", [".venv/bin/ruff check .", ".venv/bin/ruff format --check .", ".venv/bin/mypy"]
)
def test_style_and_types_are_checked(line):
    assert line in commands("tests/lint").splitlines()
    assert line in map(str.strip, (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("job", JOBS)
def test_every_file_that_is_run_exists(job):
    for file in re.findall(r"[\w/]+\.(?:py|ipynb)\b", commands(job)):
        assert (ROOT / file).is_file(), file


def test_a_class_is_tried_with_nbgrader_installed():
    lines = commands("class/grading").splitlines()
    tried = "python course.py test -- tests/test_class.py"  # skipped where nbgrader is not there
    assert lines.index("python course.py class assignment") < lines.index(tried)


def test_ray_is_tried_with_it_installed():
    lines = commands("cluster/ray").splitlines()
    for tried in ("-- tests/test_cluster.py", "--lesson 12"):  # skipped where Ray is not there
        assert lines.index("python course.py cluster") < lines.index(
            f"python course.py test {tried}"
        )


def test_before_class_all_that_lessons_need_is_there():
    lines = commands("before-class/lessons").splitlines()
    lessons = lines.index('python course.py test --recipe "$PICTURES" -- notebooks')
    assert lines.index("python course.py cluster") < lessons
    assert "python course.py build --check" in lines[lessons:]


@pytest.mark.skipif(os.name == "nt", reason="The workflow runs on Linux.")
@pytest.mark.parametrize(
    ("pictures", "fetched"),
    [("drawings", ""), ("article", "article"), ("my_pictures", "MobileNetV2")],
)
def test_before_class_what_was_chosen_is_fetched(pictures, fetched):
    run = next(step["run"] for step in JOBS["before-class/lessons"]["steps"] if "name" in step)
    script = f'python() {{ echo "$@"; }}\n{run}'
    said = subprocess.run(
        ["sh", "-c", script], env={"PICTURES": pictures}, capture_output=True, text=True
    )
    assert said.stdout.split() == (["course.py", "fetch", fetched] if fetched else [])


def test_what_an_instructor_types_is_no_program():
    assert not any("inputs." in step.get("run", "") for job in JOBS.values() for step in steps(job))
