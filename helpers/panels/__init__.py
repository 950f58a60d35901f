"""The panels that a learner touches: thin shells over plain functions, on core ipywidgets.

A panel shows itself as a widget where a kernel and a browser are; anywhere else (a stored
notebook, an HTML page) as a still picture or table of its state. Pictures are painted to PNG
into an `Image` widget: clearing and redrawing a cell's output flickers and races.
"""

from helpers.panels.augmentation import augmentation_panel
from helpers.panels.checkup import check_machine
from helpers.panels.fine_tuning import fine_tuning_panel
from helpers.panels.head import training_panel
from helpers.panels.layers import layer_explorer
from helpers.panels.panel import STILL, Panel
from helpers.panels.question import question

__all__ = [
    "STILL",
    "Panel",
    "augmentation_panel",
    "check_machine",
    "fine_tuning_panel",
    "layer_explorer",
    "question",
    "training_panel",
]
