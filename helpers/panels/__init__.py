"""The panels that a learner touches: thin shells over plain functions, on core ipywidgets.

A panel shows itself as a widget where a kernel and a browser are; anywhere else (a stored
notebook, an HTML page) as a still picture or table of its state. Pictures are painted to PNG
into an `Image` widget: clearing and redrawing a cell's output flickers and races.
"""

from helpers.panels.afresh import afresh_panel
from helpers.panels.augmentation import augmentation_panel
from helpers.panels.checkup import check_machine
from helpers.panels.choice import choice_panel
from helpers.panels.collect import upload_panel
from helpers.panels.fine_tuning import fine_tuning_panel
from helpers.panels.freezing import freezing_panel
from helpers.panels.head import training_panel
from helpers.panels.labels import labels_panel
from helpers.panels.layers import layer_explorer
from helpers.panels.panel import STILL, Panel
from helpers.panels.predict import predict_panel
from helpers.panels.question import question, questions
from helpers.panels.recall import recall
from helpers.panels.threshold import threshold_panel

__all__ = [
    "STILL",
    "Panel",
    "afresh_panel",
    "augmentation_panel",
    "check_machine",
    "choice_panel",
    "fine_tuning_panel",
    "freezing_panel",
    "labels_panel",
    "layer_explorer",
    "predict_panel",
    "question",
    "questions",
    "recall",
    "threshold_panel",
    "training_panel",
    "upload_panel",
]
