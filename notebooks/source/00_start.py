# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here
#
# A course on transfer learning with TensorFlow and Keras. You take a network that was trained on other
# pictures, keep most of what it knows, and teach it to tell cats from dogs. You inspect its weights,
# look at data, extract features with a frozen base, and fine-tune. Then you mend what others broke, judge
# a model honestly, train one on your own pictures, and hand it on.
#
# You need Python and a first acquaintance with Keras. Nothing is downloaded unless you ask for it, and no
# lesson needs a GPU.
#
# ## How to work through it
#
# - Take the lessons in their order, and run the cells from the top: Shift and Enter together run one and
#   go on to the next.
# - Before many cells you find **Predict**. Say what you expect before you run the cell; a wrong guess
#   teaches more than a right result.
# - At an **Exercise**, put your answer in place of the dots and run the cell. The check says whether it
#   is right, or where to look. `exercises.NAME.hint()`, in a new cell, gives a hint, each call the next one, and
#   `exercises.NAME.solution()` shows working code.
# - Panels have buttons: move a control, press Train, press Stop. A panel works once its cell was run.
#
# ## Where you are
#
# The table shows the lessons, how long all cells of each take on two CPU cores, and a dot for each
# exercise, filled when you have solved it. Run the cell to bring it up to date.

# %%
from helpers import panels
from helpers.exercises import Overview

Overview()

# %% [markdown]
# What you solved is kept in one small file, `.cache/progress.json` in the course's folder, and survives
# a restart. Delete that file to begin anew.
#
# ## This machine
#
# The check says what would stop the course here and how to mend it, which pictures and networks are
# downloaded, and about how long each lesson will take.

# %%
panels.check_machine()

# %% [markdown]
# ## Other pictures
#
# The lessons use 2,000 drawings that come with the course. One word in a lesson's first cell changes them for
# the photographs of the tutorials, or for a folder of your own. In a terminal,
# `python3 course.py fetch photos` and `fetch bases` download ahead what the photographs need.
#
# Next: [1. Inspect trainable weights](01_inspect_trainable_weights.ipynb)
