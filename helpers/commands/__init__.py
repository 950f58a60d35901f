"""The commands behind `course.py`, one a module; they run inside the course's environment."""
