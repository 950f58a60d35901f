"""Write a lesson's own Keras code as a script that runs where this course is not."""

from __future__ import annotations

import sys

from nbformat import NotebookNode

from helpers import recipes
from helpers.commands.build import read_source, require
from helpers.commands.execution import tags
from helpers.lessons import Lesson

# The cells that hold nothing but the course's own: figures, panels, exercises.
OWN = "course"
HEADER = '''\
"""{title}: the Keras code of a lesson, with the recipe '{name}'."""

{recipe}
'''


def main(lesson: Lesson) -> int:
    """Print the script of a lesson with the recipe that is taken now."""
    recipe = recipes.chosen()
    sys.stdout.write(script(read_source(require(lesson.source, "build")), lesson.title, recipe))
    return 0


def script(notebook: NotebookNode, title: str, recipe: recipes.Recipe) -> str:
    """The code cells that are not the course's own, below the recipe's values as code."""
    cells = [
        cell.source.rstrip()
        for cell in notebook.cells
        if cell.cell_type == "code" and OWN not in tags(cell)
    ]
    header = HEADER.format(title=title, name=recipe.name, recipe=recipes.as_code(recipe))
    return "\n\n".join([header.rstrip(), *cells]) + "\n"
