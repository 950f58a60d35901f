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
# This is a course on transfer learning with TensorFlow and Keras. You take a network that was trained on
# other pictures, keep most of what it knows, and teach it to tell cats from dogs. You inspect its weights,
# look at data, extract features with a frozen base, and fine-tune. Then you mend what others broke, judge a
# model honestly, train one on your own pictures, and hand it on.
#
# ![Five steps from left to right: look at the data, make a pipeline, put the model together, train it, judge it.](figures/workflow.svg)
#
# You need Python and a first acquaintance with Keras. No lesson needs a GPU, and nothing is downloaded
# unless you ask for it.
#
# - Take the lessons in their order. Shift and Enter together run a cell and go on to the next.
# - Where you find **Predict**, say what you expect before you run the cell. A wrong guess teaches more than a
#   right result.
# - At an **Exercise**, put your answer in place of the dots and run the cell. The check says whether it is
#   right, or where to look. `exercises.NAME.hint()`, in a new cell, gives a hint, each call the next one.
#   `exercises.NAME.solution()` shows working code.
# - A word that is a link leads to the [glossary](glossary.ipynb), where it stands in two sentences.
# - A panel works once its cell was run. Move a control, press a button, press Stop.
#
# ## This machine
#
# Run the cell and press the button. The check says what would stop the course here and how to mend it. It
# also measures how fast this machine is.

# %% tags=["course"]
from helpers import panels

panels.check_machine()

# %% [markdown]
# ## Choose your pictures
#
# There are four ways to take the course. The steps are the same in all of them; the pictures, the network and
# the time differ. The lessons call such a way a *recipe*.
#
# If you are in doubt, take the drawings: they are here, and they are quick. You can change your mind at any
# time. The first cell of each lesson prints the recipe that it uses.
#
# A click downloads what is missing. Stop ends it within a second. Click again, and it goes on where it broke
# off. Your choice takes effect once everything is here.

# %% tags=["course"]
panels.choice_panel()

# %% [markdown]
# These times are computing alone; how long a lesson takes you stands further down. 'Calculated' times
# are estimates: how many pictures go through the network, times how fast MobileNetV2 is, on this machine if you
# pressed the button above. A lesson ends a training after ten minutes, so a slow machine trains less, not longer.
#
# ## Where you are
#
# The table shows the lessons, how many minutes each takes you (by a rule, not by a clock), how long all its cells
# run with the drawings on two CPU cores, and a dot for each exercise. The dot is filled when you have solved it. Run the
# cell again to bring it up to date.

# %% tags=["course"]
from helpers.exercises import Overview

Overview()

# %% [markdown]
# What you solved is kept in one small file, `.cache/progress.json` in the course's folder. Delete that file to
# begin anew.
#
# ## Start a lesson afresh
#
# `python3 course.py lab` opens copies of the lessons, in the folder `work`. What you write there is yours: a
# newer version of the course renews the copies that you did not touch, and no others. To begin a lesson again,
# choose it and press the button. Your copy stays in `work`, with the date in its name.

# %% tags=["course"]
panels.afresh_panel()

# %% [markdown]
# ## Your own pictures, at once
#
# Have you pictures, and want a model now? [Your project](your_project.ipynb) takes a folder or a zip and gives you one.
# Lesson 9 explains how.
#
# Next: [1. Inspect trainable weights](01_inspect_trainable_weights.ipynb)
