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
# # Your project: from pictures to a model
#
# This is no lesson. You have pictures, and you want a model: choose a folder and run the cells from top to bottom.
# Lesson 9 explains what they do.
#
# The folder has one subfolder a class, with some 30 pictures or more in each. Most other arrangements are understood,
# too, and a zip of any of them. Without a folder, a drawn one stands in, so you can try the page first.

# %% tags=["course"]
from helpers import panels

panels.choice_panel("folder")

# %% [markdown]
# ## Load
#
# Look at what was left out, and why. To change something, change it in the folder and run the cells again.

# %%
import keras
import numpy as np

from helpers import bases, evaluation, export, features, own_folder, plots, training
from helpers.preflight import preflight

keras.utils.set_random_seed(0)
recipe = own_folder.recipe()
print(recipe)
data = own_folder.load(recipe, quiet=True)
train, validation, test, class_names = data.train, data.validation, data.test, data.class_names
data

# %%
rows = slice(0, 12)
titles = [class_names[label] for label in train.labels[rows]]
plots.pictures(train.images[rows], titles, columns=6, side=1.4);

# %% [markdown]
# *Figure: twelve training pictures, upright, each with its class.*
#
# Is each where it belongs, and can you tell them apart at this size? What you cannot see, the model cannot either.
#
# ## A first model
#
# The frozen base runs once over all pictures. The head is trained on what it gives.

# %%
base = bases.load(recipe.base, size=recipe.side)
base.trainable = False
extractor = keras.Sequential(
    [
        keras.Input((*recipe.image_size, 3)),
        keras.layers.Rescaling(scale=1 / 127.5, offset=-1),
        base,
        keras.layers.GlobalAveragePooling2D(),
    ]
)
train_features = features.extract(extractor, train.images)
validation_features = features.extract(extractor, validation.images)
head = training.reference_head(train_features, train.labels)
logits = np.asarray(head(validation_features))
print("validation accuracy:", evaluation.accuracy(logits, validation.labels))

# %% [markdown]
# ## Preflight
#
# Before you believe a number, let a program look at the model and the data for the usual faults.

# %%
model = training.join(extractor, head)
if len(class_names) == 2:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
else:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
preflight(model, (train.images, train.labels), (validation.images, validation.labels))

# %% [markdown]
# ## Deeper, if it helps
#
# The last part of the base is trained, too. If the validation pictures do not show a gain, pair by pair, the frozen
# base stays: it is the plainer model. With hundreds of pictures this takes a minute or two.

# %%
cut = base.get_layer(bases.cuts(base)[-1 - recipe.depth // 2]).output
below = keras.Sequential(
    [keras.Input(extractor.input_shape[1:]), extractor.layers[0], keras.Model(base.input, cut)]
)
upper = keras.Model(cut, base.output)
above = keras.Sequential(
    [keras.Input(cut.shape[1:]), upper, keras.layers.GlobalAveragePooling2D(), head]
)
before = above.get_weights()

views = features.extract(below, train.images[:2000], views=4)
given = train.labels[:2000]
for epoch in training.fine_tune(above, views, given, learning_rate=recipe.cut_rate, epochs=10):
    print(f"epoch {epoch.number}: loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.3f}")

tuned_logits = above.predict(features.extract(below, validation.images), verbose=0)
comparison = evaluation.compare(logits, tuned_logits, validation.labels)
deeper = comparison.interval[0] > 0
if not deeper:
    above.set_weights(before)
print(comparison)
print("taken:", "the deeper model" if deeper else "the frozen base")

# %% [markdown]
# ## Judge it, once
#
# No choice was made by the test pictures. If you come back here after a change, the number is no longer a fair one.

# %%
model = training.join(below, above)
test_logits = model.predict(test.images, verbose=0)
predicted = evaluation.predicted_classes(test_logits)
print("test accuracy:", evaluation.accuracy(test_logits, test.labels))
plots.confusion(test.labels, predicted, class_names);

# %% [markdown]
# *Figure: test pictures by label, in rows, and by predicted class, in columns.*
#
# These are the mistakes of which it was surest. A wrong label? Mend it in the folder. Another light, another side?
# Add such pictures.

# %%
mistakes = np.flatnonzero(predicted != test.labels)
sureness = evaluation.probabilities(test_logits).max(axis=1)
worst = mistakes[np.argsort(-sureness[mistakes])][:12]
if len(worst):
    plots.predictions(
        test.images[worst],
        predicted[worst],
        evaluation.probabilities(test_logits[worst]),
        test.labels[worst],
        class_names,
    )
else:
    print("No mistake on the test pictures.")

# %% [markdown]
# *Figure: up to twelve wrong predictions, each with its probability and the label.*
#
# ## Take it away
#
# One file for Keras, one for [LiteRT](glossary.ipynb#LiteRT), which needs no TensorFlow. Its record beside it holds
# the names of the classes.

# %%
model.save(recipe.models / "new.keras")
(recipe.models / "new.keras").replace(recipe.models / "project.keras")
written = export.litert(model, recipe.models / "project.tflite", class_names=class_names)
print(written, f"{written.stat().st_size / 1e6:.1f} MB", sep="\n")

# %% [markdown]
# Try it here: choose a picture. `python -m helpers.page FILE` opens the same as a page of its own, and `FILE` is the
# path above.

# %% tags=["course"]
panels.predict_panel(
    lambda images: evaluation.probabilities(model(images, training=False)),
    class_names,
    recipe.side,
    examples=test.images[:3],
)
