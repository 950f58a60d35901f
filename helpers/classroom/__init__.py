"""A class: hand out exercises, take answers in, have them graded, see who is stuck.

nbgrader makes the assignments, runs the answers and keeps the gradebook. This room turns the
lessons' exercises into its source assignments, brings notebooks from anywhere into the places
where it looks for them, starts it with limits, and reads its gradebook for the reports.
It needs the packages of `requirements-class.txt`, which `course.py class` installs.
"""
