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
# # 9. Your own pictures
#
# **What you'll do.** You make a model from a folder of your own: load it, look, train, judge, save.
#
# **What you'll learn.** What can be wrong with pictures before a network sees them; how a split fools you; how a
# model points at wrong labels; when more pictures or fine-tuning help; and why 'none of these' is hard to say.
#
# **What you'll need.** Lessons 5 and 7, and a folder with one subfolder for each class: two classes
# or more, some 50 pictures of each to begin with. Without one, a drawn folder stands in. Take about
# 40 minutes; all cells together run in about 40 seconds on two CPU cores for 400 pictures.
#
# No folder yet? The panel below makes one: name a class, choose its pictures, add them. Then type
# the folder's path on the start page and restart this lesson.

# %% tags=["course"]
from helpers import (
    bands,
    bases,
    evaluation,
    export,
    features,
    own_folder,
    panels,
    paths,
    plots,
    training,
)
from helpers.exercises import lesson_9 as exercises
from helpers.pictures import labels

recipe = own_folder.recipe()
print(recipe)
panels.recall(9)

# %% tags=["course"]
panels.upload_panel(paths.cache_folder() / "own" / "collected")

# %% [markdown]
# ## What comes off a phone
#
# Each file is opened and tried, whatever its name says. **Predict:** what can be wrong with a file called
# `IMG_9001.jpg`?

# %%
import time
from pathlib import Path

import keras
import numpy as np
from PIL import ExifTags, Image

keras.utils.set_random_seed(0)

data = own_folder.load(recipe)
train, validation, test = data.train, data.validation, data.test
class_names = data.class_names

# %% [markdown]
# The last lines say what was left out, and why. A bad file does not stop the loading. Copies count
# once; a picture that lies in two classes is left out of both.
#
# Next, which way is up? Phones do not turn the pixels. They store what the sensor saw and add a
# note, the *EXIF orientation*. Keras does not read it. Here are six of your pictures as Keras loads
# them, those with a note first. **Predict:** how many do not stand upright?


# %%
def note(file):
    """The EXIF orientation of a picture; 1, upright, where it has none."""
    with Image.open(Path(recipe.pictures, file)) as image:
        return image.getexif().get(ExifTags.Base.Orientation, 1)


some = train.files[:200]
six = sorted(range(len(some)), key=lambda row: note(some[row]) == 1)[:6]
as_stored = [
    keras.utils.load_img(Path(recipe.pictures, some[row]), target_size=recipe.image_size) for row in six
]
plots.pictures([*as_stored, *train.images[six]], columns=6, side=1.4);

# %% [markdown]
# *Figure: six training pictures; above as Keras loads them, below as the course does, turned as their notes say.*
#
# Where the rows differ, Keras would train on pictures that lie down. Accuracy on the same folder would never show it.
#
# **Exercise.** The note is a number. 1 is upright, 3 upside down. 6 says: turn the stored picture a quarter
# clockwise; 8: a quarter counterclockwise. Write the function. `np.rot90(pixels, k)` turns counterclockwise by `k`
# quarters.


# %% tags=["course"]
def upright(pixels, orientation):
    """The stored `(height, width, 3)` pixels, turned as the note 1, 3, 6 or 8 says."""
    ...


exercises.upright.check(upright)

# %% [markdown]
# ## A model in under a minute
#
# As in lesson 5: the frozen part runs once, and logistic regression is the head. **Predict** the validation
# accuracy, and how wide its interval is.

# %%
started = time.perf_counter()
base = bases.load(recipe.base, size=recipe.side)
base.trainable = False
pretrained = base.get_weights()
extractor = keras.Sequential(
    [
        keras.Input((*recipe.image_size, 3)),
        keras.layers.Rescaling(scale=1 / 127.5, offset=-1),
        base,
        keras.layers.GlobalAveragePooling2D(),
    ]
)
train_features = features.extract(extractor, train.images, quiet=True)
validation_features = features.extract(extractor, validation.images, quiet=True)
head = training.reference_head(train_features, train.labels)
print(f"{len(train) + len(validation)} pictures, {time.perf_counter() - started:.0f} s")

logits = np.asarray(head(validation_features))
evaluation.accuracy(logits, validation.labels)

# %% [markdown]
# With few validation pictures the interval is wide, and no trick makes it narrower.
#
# Can you believe the number at all? Phones take bursts: ten pictures of one thing within two
# seconds. After a random split, a validation picture can have twins among the training pictures. So
# look for the closest pairs: features that point the same way have a similarity of 1. **Predict:**
# will you see twins?


# %%
def directions(rows):
    """Features of length 1 each."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


similarity = directions(validation_features) @ directions(train_features).T
nearest = similarity.argmax(axis=1)
closest = np.argsort(-similarity.max(axis=1))[:6]
plots.pictures(
    np.concatenate([validation.images[closest], train.images[nearest[closest]]]),
    [f"{similarity[row].max():.2f}" for row in closest],
    columns=6,
    side=1.4,
);

# %% [markdown]
# *Figure: above, the six validation pictures that are most like a training picture, with the similarity; below, that
# training picture.*
#
# If you see twins, your accuracy is too high. The cure that always works: keep one picture of each
# burst.
#
# ## Would more pictures help?
#
# Ask the pictures that you have. Train on 5 of each class, on 10, on 20 and so on, five times each
# with other pictures; a smaller class gives what it has. (`rotated` writes the same features in
# fewer numbers, so training is quicker.) **Predict:** what does the last doubling bring?

# %%
by_class = [np.flatnonzero(train.labels == label) for label in range(len(class_names))]
usual = int(np.median([len(own) for own in by_class]))
both = labels.rotated(np.concatenate([train_features, validation_features]))
short, short_validation = np.split(both, [len(train)])

counts = [count for count in (5, 10, 20, 40, 80, 160) if count <= usual] or [usual]
curve = {count: [] for count in counts}
for count in counts:
    for seed in range(5):
        random = np.random.default_rng(seed)
        rows = np.concatenate([random.permutation(own)[:count] for own in by_class])
        small = training.reference_head(short[rows], train.labels[rows])
        found = np.asarray(small(short_validation))
        curve[count].append(evaluation.accuracy(found, validation.labels))
axes = plots.accuracy_by_count({"head on the frozen base": curve})
axes.set(xlabel="training pictures a class", ylabel="validation accuracy");

# %% [markdown]
# *Figure: validation accuracy by the number of training pictures a class: a dot for each training,
# the mean as a line, the intervals as a band.*
#
# Still rising at the right end? Take more pictures. Flat? More of the same bring little. Then look at the labels.
#
# How many more? The share of mistakes often falls as a power of the number of pictures. With both
# axes logarithmic that is a straight line. Beyond your last count the line is a guess, and it knows
# nothing of wrong labels.
#
# **Exercise.** How many pictures a class does the line ask for, to reach an accuracy `target`?
# `np.polyfit` fits it. Return a whole number, rounded up. Then try it on `counts` and the mean
# accuracies of your `curve` (`.value` of each entry).


# %% tags=["course"]
def pictures_for(counts, accuracies, target):
    """Pictures a class at which the fitted line reaches the accuracy `target`."""
    ...


exercises.pictures_for.check(pictures_for)

# %% [markdown]
# ## Find wrong labels
#
# Folders are sorted by people in a hurry. A model can point at labels worth a second look: those that it finds
# improbable. But a model that has learned a label by heart does not doubt it. So the training pictures are dealt into
# five folds, and each fold is judged by a head trained on the other four.
#
# **Predict:** do the first twelve have wrong labels, or are they hard?

# %% tags=["course"]
doubted = labels.out_of_fold(train_features, train.labels)
first = labels.suspects(doubted, train.labels)[:30]
wrong = own_folder.wrong_labels(recipe) & {train.files[row] for row in first}
bands.check("wrong labels among 30", recipe.name, len(wrong))

decisions = labels.Decisions(labels.path_for(recipe.pictures))
panels.labels_panel(train.images, train.files, train.labels, doubted, class_names, decisions)

# %% [markdown]
# *Figure: the panel's first twelve pictures, each with its label in question and the class that the model names.*
#
# In the drawn folder, 17 of 280 training labels were made wrong on purpose. The panel's 30 pictures
# held 15 of them, and its first twelve were all wrong. Blind picking finds two in 30. The other 15
# were hard pictures with right labels, and from these a model learns most. So a person decides:
# *Keep*, *Relabel* or *Leave out*. Go through some. Your decisions are kept; no file is moved or
# deleted.
#
# ## Would fine-tuning help?
#
# Fine-tune where the head is poor: where the classes are alike, or far from what the base has seen.
# The next cell applies your decisions and trains the head again, then the end of the base as in
# lesson 5. Four views of each picture stretch a small set; of a large one, 2,000 pictures are
# enough to see a gain. **Predict:** on how many validation pictures will only one of the two models
# be right?

# %%
train = labels.apply(data, decisions).train
base.set_weights(pretrained)
train_features = features.extract(extractor, train.images, quiet=True)
head = training.reference_head(train_features, train.labels)
logits = np.asarray(head(validation_features))

cut = base.get_layer(bases.cuts(base)[-1 - recipe.depth // 2]).output
below = keras.Sequential(
    [keras.Input(extractor.input_shape[1:]), extractor.layers[0], keras.Model(base.input, cut)]
)
upper = keras.Model(cut, base.output)
above = keras.Sequential(
    [keras.Input(cut.shape[1:]), upper, keras.layers.GlobalAveragePooling2D(), head]
)
before = above.get_weights()

views = features.extract(below, train.images[:2000], views=4, quiet=True)
given = train.labels[:2000]
for epoch in training.fine_tune(above, views, given, learning_rate=recipe.cut_rate, epochs=10):
    print(f"epoch {epoch.number}: loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.3f}")

tuned_logits = above.predict(features.extract(below, validation.images, quiet=True), verbose=0)
comparison = evaluation.compare(logits, tuned_logits, validation.labels)
if comparison.interval[0] > 0:
    logits = tuned_logits
else:
    above.set_weights(before)
print(comparison)

# %% [markdown]
# If the interval reaches across 0, no gain was shown. The cell then goes back to the frozen
# weights: the plainer model. More validation pictures could show a smaller gain. More tries on the
# same ones cannot.
#
# ## Judge it
#
# Everything is chosen, so you open the test pictures, once. **Predict:** which two classes will the
# model mix up most?

# %%
model = training.join(below, above)
test_logits = model.predict(test.images, verbose=0)
accuracy = evaluation.accuracy(test_logits, test.labels)
print("test accuracy:", accuracy)
bands.check("own pictures, test", recipe.name, accuracy.value)
plots.confusion(test.labels, evaluation.predicted_classes(test_logits), class_names);

# %% [markdown]
# *Figure: test pictures by label, in rows, and by predicted class, in columns; the right answers
# lie on the diagonal.*
#
# This is the number to quote, with its interval, and with how the pictures were taken: it holds for pictures like
# these.
#
# ## None of these
#
# Show the model your own face, and it names one of its classes. The usual answer is a threshold:
# the model says 'none of these' where its highest probability lies below. You decide which share of
# your own pictures it may refuse by mistake, 5 % for instance, and read the threshold off the
# validation pictures.
#
# **Exercise.** Find that threshold. `confidence` holds the highest probability of each validation
# picture, `share` is the share to keep: 0.95, to refuse 5 %. A picture is kept where it is at or
# above the threshold.


# %% tags=["course"]
def threshold_keeping(confidence, share):
    """The highest threshold at which at least `share` of these pictures are kept."""
    ...


exercises.threshold_keeping.check(threshold_keeping)

# %% [markdown]
# Does it refuse strangers? Pretend that you do not know one of your classes: train a head without it, set the
# threshold, and show that class. (`np.quantile` interpolates between two pictures; that is near enough here.)
# **Predict:** nearly all are refused, half, or few?


# %%
def surest(some_logits):
    """The highest probability of each picture."""
    return evaluation.probabilities(np.asarray(some_logits)).max(axis=1)


both = labels.rotated(np.concatenate([train_features, validation_features]))
short, short_validation = np.split(both, [len(train)])
refused = {}
for label in range(min(len(class_names), 6) if len(class_names) > 2 else 0):
    known = train.labels != label
    renumbered = np.unique(train.labels[known], return_inverse=True)[1]
    without = training.reference_head(short[known], renumbered)
    kept = surest(without(short_validation[validation.labels != label]))
    strange = surest(without(short[~known])) < np.quantile(kept, 0.05)
    refused[class_names[label]] = evaluation.Accuracy(int(strange.sum()), len(strange))
if refused:
    plots.intervals(refused).set(xlabel="share refused, with its 95 % interval", xlim=(-0.05, 1.05))

# %% [markdown]
# *Figure: up to six classes, each left out of the training of one head: the share of its pictures
# that the threshold refuses. With two classes in all there is no such figure.*
#
# This is what 'none of these' is worth in your folder. Softmax divides 1 among the classes it knows
# and never asks whether the picture is of any of them. If you expect strangers, collect pictures of
# them and train one more class.
#
# Now name new pictures. The panel says 'none of these' below the threshold.

# %% tags=["course"]
threshold = np.quantile(surest(logits), 0.05)
panels.predict_panel(
    lambda images: evaluation.probabilities(model(images, training=False)),
    class_names,
    recipe.side,
    threshold=threshold,
    examples=test.images[:3],
)

# %% tags=["course"]
panels.questions(
    exercises.burst_accuracy,
    exercises.what_loss_finds,
    exercises.twelve_tries,
    exercises.cleaning_the_test_set,
    exercises.none_of_these,
)

# %% [markdown]
# ## Save it, and hand it on
#
# A `.keras` file holds layers and weights, the scaling of pixels included. It does not hold the
# names of the classes: keep them beside it. Keras writes straight into the file that you name. So
# save to a new file and rename it, or a full disk costs you the old model. The second file is for
# [LiteRT](glossary.ipynb#LiteRT), which needs no TensorFlow.

# %%
model.save(recipe.models / "new.keras")
(recipe.models / "new.keras").replace(recipe.models / "own.keras")
(recipe.models / "own.txt").write_text("\n".join(class_names), encoding="utf-8")
written = export.litert(model, recipe.models / "own.tflite", class_names=class_names)

some = test.images[:32]
again = keras.models.load_model(recipe.models / "own.keras")
for name, run in (("own.keras", again), ("own.tflite", export.load(written))):
    size = (recipe.models / name).stat().st_size / 1e6
    difference = np.abs(np.asarray(run(some)) - test_logits[:32]).max()
    print(f"{name}: {size:.1f} MB, logits differ by {difference:.1g} at most")
print(recipe.models)

# %% [markdown]
# Both give the same logits, but for rounding. Neither turns or resizes pictures: whoever uses a
# file does that first. Lesson 11 goes on from here.
#
# ## What you have seen
#
# - Files lie about what they are, and phones about which way is up.
# - A frozen base and logistic regression make a model from a few hundred pictures in seconds.
# - Twins across the split make an accuracy too high.
# - The pictures that you have tell whether more would help; a paired comparison, whether
#   fine-tuning does.
# - A model points at wrong labels. A person decides, and test labels are not cleaned this way.
# - 'None of these' by a threshold lets strangers through.
#
# ## On your own
#
# 1. Photograph two things in your kitchen, thirty pictures each, and run the lesson on them. Then photograph them in
#    another room. How much of the accuracy is left?
# 2. Find the pair of classes that are most often mixed up. What would a person need to see to tell them apart, and is
#    it in the pictures at this size?
# 3. Add a class 'something else' with pictures of all sorts. Does it refuse strangers better than the threshold?
#
# ## Further reading
#
# - C. Northcutt and others, 2021:
#   [Confident Learning: Estimating Uncertainty in Dataset Labels](https://arxiv.org/abs/1911.00068)
# - C. Northcutt and others, 2021:
#   [Pervasive Label Errors in Test Sets](https://arxiv.org/abs/2103.14749)
# - D. Hendrycks and K. Gimpel, 2016:
#   [A Baseline for Detecting Misclassified and Out-of-Distribution Examples](https://arxiv.org/abs/1610.02136)
# - Keras guide:
#   [Save, serialize, and export models](https://keras.io/guides/serialization_and_saving/)
#
# Next: [10. Choose a base](10_choose_a_base.ipynb)
