"""What `course.py` starts, one module a command; `command_line` says which there are."""
