"""What `course.py cluster` says once Ray is there; `course.py` itself has installed it."""

from __future__ import annotations

from helpers.cluster import is_installed
from helpers.lessons import find


def main() -> int:
    """Name what was installed and what for; the exit code."""
    lesson = find(12)
    if not is_installed():
        print("Ray is not here: start this command as `python3 course.py cluster`.")
        return 1
    print(f"Ray is installed, for lesson {lesson.number}, '{lesson.title}'.")
    print("A notebook that is open needs its kernel restarted.")
    return 0
