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
# # 4. Fine-tune
#
# **What you'll do.** You unfreeze the end of a pretrained base, keep its BatchNormalization frozen,
# train on with a low learning rate, and compare. Then you spoil it in four ways and look at each.
#
# **What you'll learn.** How deep to unfreeze, in which order to do things, how to prove that the
# moving statistics held, and what goes wrong when a step is left out.
#
# **What you'll need.** Lessons 1 to 3, and the same pictures and base. All cells together run in
# about 120 seconds on two CPU cores.

# %%
import os

from helpers import bases

PICTURES = os.environ.get("COURSE_PICTURES") or "drawings"
BASE = bases.default_for(PICTURES)  # or "MobileNetV2", "Xception", ...: see bases.BASES
print(f"{PICTURES} with the base {BASE}")

# %%
import tempfile

import keras
import numpy as np

from helpers import bands, evaluation, features, panels, pictures, plots, training, weights
from helpers.exercises import lesson_4 as exercises

keras.utils.set_random_seed(0)
data = pictures.load(PICTURES, size=bases.find(BASE).size)
train, validation = data.train, data.validation
base = bases.load(BASE)

# %% [markdown]
# ## How deep?
#
# The first layers of a base see edges and colours, which every task needs. The last ones see what the
# classes of the pretraining needed. So you unfreeze from the end. A good place to stop is a *cut*: a
# layer whose output is the only thing that the layers behind it get to see. Inside a residual block
# there is no cut, since a shortcut runs past the layers in it. How far back you go is one number, the
# *depth*: it counts cuts from the end.

# %% tags=["nbval-check-output"]
cuts = bases.cuts(base)
print(len(cuts), "cuts; the last ten:")
print(*cuts[-10:], sep=", ")

# %% [markdown]
# Lesson 1 showed that `trainable` on a model may or may not overwrite its layers. So you unfreeze
# the base as a whole and then say for each layer what it shall be: trainable if it lies behind the
# cut and is no BatchNormalization.


# %%
def unfreeze_behind(base, cut):
    """Make the layers behind `cut` trainable, all if None; BatchNormalization stays frozen."""
    names = [layer.name for layer in base.layers]
    first = 0 if cut is None else names.index(cut) + 1
    base.trainable = True
    for index, layer in enumerate(base.layers):
        is_normalization = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= first and not is_normalization


# %% [markdown]
# **Predict:** the drawn base has 410,208 parameters, the full MobileNetV2 2,257,984. How many of them
# does each depth unfreeze?

# %%
for depth in (0, 3, 9, 11, 29, None):
    cut = None if depth is None else cuts[-1 - depth]
    unfreeze_behind(base, cut)
    print(f"depth {depth!s:4}  behind {cut!s:20}  {weights.count(base).trainable:9,} trainable")

# %% [markdown]
# **Exercise.** Which is the greatest depth at which at most half of the base's parameters train? Half
# of `weights.count(base).total`, that is.

# %%
answer = ...  # a depth
exercises.deepest_within.check(answer, base)

# %% [markdown]
# The last row unfreezes everything, which is the choice of Keras's guide, at a learning rate of 0.00001.
# TensorFlow's tutorial unfreezes from layer 100:

# %% tags=["nbval-check-output"]
print("layer 100 is", base.layers[100].name)

# %% [markdown]
# That is inside block 11, so depth 11, behind block 10, is nearly the same. Both recipes are, but for
# one thing, values of the same number; the one thing is that they unfreeze BatchNormalization too
# (mistake 3 below).
#
# How deep you go depends on how far your classes are from those of the pretraining, and on how many
# pictures you have. The drawn base has never met a cat or a dog, so there you go deep. ImageNet's
# base has met many, and most of its parameters lie behind depth 9 already. Change the number and
# run the lesson again.

# %%
DEPTH = 29 if BASE == "drawn" else 9
cut = cuts[-1 - DEPTH]
unfreeze_behind(base, cut)
plots.network(base);
# %% [markdown]
# *Figure: one bar a layer from input to output. Behind the cut the convolutions are trainable; in
# front of it, and in every BatchNormalization, nothing is.*
#
# **Exercise.** `unfreeze_behind` gets the base itself. In the published recipes it sits inside a model
# as if it were one layer. Write `unfreeze_inside(model, cut)` for a model with a base called `"base"`
# and a head on top. Afterwards the head trains, and of the base what lies behind the cut, but no
# BatchNormalization: whatever was frozen before, be it the model, the base or single layers, and
# however often it is run. Lesson 1 has what `trainable` on a model does to the layers inside. You may
# call `unfreeze_behind`.


# %%
def unfreeze_inside(model, cut):
    """Make `model` trainable behind `cut` of `model.get_layer("base")`; all of it if None."""
    ...


exercises.unfreeze_nested.check(unfreeze_inside)

# %% [markdown]
# The published recipes go on with the whole model: unfreeze, `compile`, `fit`. Then every epoch sends
# every picture through the whole base, frozen part and all. You can spare yourself that.

# %% [markdown]
# ## Two parts
#
# Lesson 3 ran the frozen part once and trained on what came out. The same holds here: what lies
# below the cut is frozen, so its output for a picture is the same in every epoch. So you split the
# base at the cut, into two models that share its layers, and put the head on the upper one.

# %%
classes = len(data.class_names)
at_cut = base.get_layer(cut).output

below = keras.Sequential(
    [
        keras.Input(shape=base.input_shape[1:]),
        bases.find(BASE).scaling(),
        keras.Model(base.input, at_cut, name="lower"),
    ],
    name="below",
)
upper = keras.Model(at_cut, base.output, name="upper")
above = keras.Sequential(
    [
        keras.Input(shape=at_cut.shape[1:]),
        upper,
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(rate=0.2),
        keras.layers.Dense(1 if classes == 2 else classes, name="head"),
    ],
    name="above",
)
model = keras.Sequential([keras.Input(shape=base.input_shape[1:]), below, above])
print("below:", weights.count(below))
print("above:", weights.count(above))

# %% [markdown]
# `model` is the two parts one after the other, an ordinary model from pictures to logits. The lower
# part now runs, once for each picture. `below.predict(train.images)` would do it;
# `features.extract`, which lesson 3 compared with it, is faster and keeps the result.

# %%
train_at_cut = features.extract(below, train.images)
validation_at_cut = features.extract(below, validation.images)
print(train_at_cut.shape, validation_at_cut.shape)

# %% [markdown]
# ## First the head
#
# Fine-tuning starts where lesson 3 stopped, with a trained head; its random numbers are others, so its
# accuracy differs a little. The upper part is run once too,
# and ten epochs of the head take seconds. `head` is made of the same layer objects as `above`, so
# training the one trains the other.


# %%
def compile_for(model, learning_rate):
    """Compile for logits: one for two classes, else one a class."""
    if classes == 2:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss, metrics=[accuracy])
    model.optimizer.build(model.trainable_variables)


pooled = keras.Sequential(above.layers[:2])
train_features = features.extract(pooled, train_at_cut)
validation_features = features.extract(pooled, validation_at_cut)

head = keras.Sequential([keras.Input(shape=train_features.shape[1:]), *above.layers[2:]])
compile_for(head, learning_rate=1e-3)
history = head.fit(
    train_features,
    train.labels,
    validation_data=(validation_features, validation.labels),
    batch_size=32,
    epochs=10,
    verbose=0,
)

# %%
frozen = evaluation.accuracy(head.predict(validation_features, verbose=0), validation.labels)
print("frozen:", frozen)
bands.check("frozen", data.name, frozen.value)

# %% [markdown]
# ## Then the upper part
#
# `compile` again, since what is trainable has changed. The learning rate is smaller than the head's
# 0.001: 0.0006 on the drawings, 0.00003 on the photographs. These weights are good already and should move only a little, those of the ImageNet base, which knows
# your classes, even less than those of the drawn one. `initial_epoch` goes on counting where the
# head stopped.
#
# **Predict:** what does fine-tuning bring, on top of what you just saw?

# %%
RATE = 6e-4 if BASE == "drawn" else 3e-5
EPOCHS = 5 if BASE == "drawn" else 3
VIEWS = 3
start = above.get_weights()  # to come back to, further down
normalizations = [
    layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)
]
statistics_before = [
    (layer.moving_mean.numpy(), layer.moving_variance.numpy()) for layer in normalizations
]

compile_for(above, learning_rate=RATE)
fine_tuning = above.fit(
    train_at_cut,
    train.labels,
    validation_data=(validation_at_cut, validation.labels),
    batch_size=32,
    initial_epoch=10,
    epochs=10 + EPOCHS,
    verbose=2,
)

# %%
both = {name: history.history[name] + fine_tuning.history[name] for name in history.history}
plots.learning_curves(both, fine_tuning_from=10);
# %% [markdown]
# *Figure: accuracy and loss by epoch; a dotted line after epoch 10 marks where fine-tuning starts.*
#
# Within a few epochs the training pictures are learnt by heart. The validation curves are the ones
# that count, and the loss as much as the accuracy: where it rises while the training loss falls, the
# model is overfitting.

# %%
tuned_logits = above.predict(validation_at_cut, verbose=0)
fine_tuned = evaluation.accuracy(tuned_logits, validation.labels)
print("fine-tuned:", fine_tuned)
bands.check("fine-tuned", data.name, fine_tuned.value)
axes = plots.intervals({"frozen base": frozen, "fine-tuned": fine_tuned})
axes.set_title("Validation accuracy");
# %% [markdown]
# *Figure: the validation accuracies before and after fine-tuning, with their intervals.*
#
# Be careful with what you say now. Where the two intervals overlap, you have not shown that
# fine-tuning helps, nor that it harms. On the photographs they do overlap: there the frozen base is
# nearly always right and leaves little to gain. Lesson 3 gave the reason, ImageNet is full of cats
# and dogs. On the drawings, whose base had met neither, the two intervals about touch. There the claim
# rests on more runs: on the 500 test drawings, fine-tuning was ahead with each of three seeds
# (`benchmarks/README.md`).
#
# **Exercise.** Write that rule down. `difference_shown(first, second)` gets two results as
# `(correct, total)`, such as `(464, 500)`, and says `True` if their intervals lie apart.
# `evaluation.Accuracy(464, 500).interval` gives the two ends of an interval.


# %%
def difference_shown(first, second):
    """Whether the intervals of two results, each `(correct, total)`, lie apart."""
    ...


exercises.difference_is_shown.check(difference_shown)

# %% [markdown]
# ## Did the statistics hold?
#
# **Predict:** how many of the 52 BatchNormalization layers have other moving statistics than before?

# %% tags=["nbval-check-output"]
changed = 0
for layer, (mean, variance) in zip(normalizations, statistics_before, strict=True):
    same_mean = np.array_equal(layer.moving_mean.numpy(), mean)
    same_variance = np.array_equal(layer.moving_variance.numpy(), variance)
    changed += not (same_mean and same_variance)
assert changed == 0
print(f"{changed} of {len(normalizations)} BatchNormalization layers changed their statistics")

# %% [markdown]
# None, to the bit. The layers below the cut were not even run, so the real test is those above
# it; mistake 3 will show that those can move. And is the tuned upper part really in the whole model? Send pictures the long way,
# through everything:

# %% tags=["nbval-check-output"]
long_way = model.predict(validation.images[:64], verbose=0)
print("both ways agree:", np.allclose(long_way, tuned_logits[:64], atol=1e-3))

# %% [markdown]
# **Exercise.** Here is a function that is meant to make a model ready for fine-tuning. The model was
# trained with its base frozen, so it has been compiled and fitted before. The function has four
# mistakes.
#
# ```python
# def prepare(model, cut):
#     base = model.get_layer("base")
#     for layer in base.layers:
#         if isinstance(layer, keras.layers.BatchNormalization):
#             layer.trainable = False
#     base.trainable = True
#     model.optimizer.learning_rate = 1e-3
# ```
#
# Write a sound one: the head trains, and behind `cut` everything but BatchNormalization; in front of
# it nothing does. The loss is that of logits, as in `compile_for`, and the rate is 0.0001 at most.
# `fit` is not called in it. The check runs it on a small model with as many classes as yours, fits for
# one epoch, and compares all weights.


# %%
def prepare(model, cut):
    """Make `model` ready to be fine-tuned behind `cut` of `model.get_layer("base")`."""
    ...


exercises.prepare_to_fine_tune.check(prepare, classes)

# %% [markdown]
# Since it is one ordinary model, it can be saved in one file. Whoever loads that file needs Keras and
# nothing of this course.

# %% tags=["nbval-check-output"]
with tempfile.TemporaryDirectory() as folder:
    model.save(os.path.join(folder, "cats_and_dogs.keras"))
    loaded = keras.models.load_model(os.path.join(folder, "cats_and_dogs.keras"))
again = loaded.predict(validation.images[:64], verbose=0)
print("the saved model says the same:", np.allclose(again, long_way, atol=1e-4))

# %% [markdown]
# ## The same with views
#
# The training pictures are nearly known by heart after a few epochs, for in each epoch they come exactly
# as before. Lesson 3 gave back some of the variety: views, extracted once, here up to the cut. Of
# each picture, an epoch takes one view at random.
#
# `training.fine_tune` does what you did above, in one call. It freezes BatchNormalization, and it
# lets the learning rate rise in the first steps and then fall to zero. It starts, as you did, from
# the trained head.
#
# **Predict:** what do the views do to the *training* accuracy?

# %%
views_at_cut = features.extract(below, train.images, views=VIEWS)
print(views_at_cut.shape, views_at_cut.dtype)

above.set_weights(start)
with_views = training.history(
    training.fine_tune(
        above,
        views_at_cut,
        train.labels,
        learning_rate=RATE,
        epochs=EPOCHS,
        validation=(validation_at_cut, validation.labels),
    )
)
plots.compared_runs({"as they are": fine_tuning.history, "with views": with_views})
print(f"training accuracy, as they are: {fine_tuning.history['accuracy'][-1]:.3f}")
print(f"training accuracy, with views:  {with_views['accuracy'][-1]:.3f}")

# %% [markdown]
# *Figure: validation accuracy and loss by epoch, for the pictures as they are and for their views.*
#
# The training accuracy is a little lower with views. The changing learning rate may have a part in that,
# too. Do views help on other pictures?

# %%
viewed = evaluation.accuracy(above.predict(validation_at_cut, verbose=0), validation.labels)
print("fine-tuned with views:", viewed)
bands.check("fine-tuned with views", data.name, viewed.value)

# %% [markdown]
# Compare that interval with the one of the pictures as they are. Where the two overlap, as they do
# here, nobody can tell.

# %% [markdown]
# ## Turn the knobs
#
# The panel fine-tunes on 200 pictures, so that a try takes seconds. Move the depth, and the picture
# shows what would be unfrozen. The first run at a new depth takes longer, since the pictures have to be
# sent up to the new cut once.
#
# **Try:** the same rate at depth 3 and at the greatest depth; a fresh head; BatchNormalization in
# training mode with batches of 2.

# %%
panels.fine_tuning_panel(
    BASE,
    train=(train.images[:200], train.labels[:200]),
    validation=(validation.images[:200], validation.labels[:200]),
    depth=9,
    rate=RATE / 2,
    names=(
        "train.images[:200]",
        "train.labels[:200]",
        "validation.images[:200]",
        "validation.labels[:200]",
    ),
)

# %% [markdown]
# *Figure: a panel of seven controls, the network as a bar a layer with the trainable part in orange, and
# the curves of a first run, which was made for you.*

# %% [markdown]
# ## Four ways to spoil it
#
# Each of the next cells starts from the weights before fine-tuning, takes five steps on 160 pictures,
# and makes one mistake. First the sound way, to compare with.


# %%
def copy_of_start():
    """A copy of the upper part and head as they were before fine-tuning, ready to be tuned."""
    copy = keras.models.clone_model(above)
    copy.set_weights(start)
    unfreeze_behind(copy.layers[0], cut=None)
    return copy


def five_steps(copy, epochs=1, batch_size=32):
    """Fit on 160 pictures, five batches of 32, and measure on the validation set."""
    few, labels = train_at_cut[:160], train.labels[:160]
    copy.fit(few, labels, batch_size=batch_size, epochs=epochs, verbose=2)
    return evaluation.accuracy(copy.predict(validation_at_cut, verbose=0), validation.labels)


results = {}
sound = copy_of_start()
compile_for(sound, learning_rate=RATE)
results["sound"] = five_steps(sound)
bands.check("few steps, sound", data.name, results["sound"].value)

# %% [markdown]
# Five steps gain little or nothing over the frozen base. They are only a yardstick for the mistakes.

# %% [markdown]
# ### 1. A learning rate a hundred times too high
#
# **Predict:** does it learn faster?

# %%
too_fast = copy_of_start()
compile_for(too_fast, learning_rate=100 * RATE)
results["rate x 100"] = five_steps(too_fast)
bands.check("rate a hundred times too high", data.name, results["rate x 100"].value)

# %% [markdown]
# Five steps are enough to wreck a base that took far longer to train. Nothing warns you but
# the loss and the accuracy.

# %% [markdown]
# ### 2. Fine-tuning under a fresh, random head
#
# You skip the head's training and unfreeze at once.

# %%
fresh_head = copy_of_start()
fresh_head.layers[-1].set_weights(keras.models.clone_model(head).layers[-1].get_weights())
compile_for(fresh_head, learning_rate=RATE)
results["fresh head"] = five_steps(fresh_head)
bands.check("fresh head", data.name, results["fresh head"].value)

# %% [markdown]
# Five steps are too few for a head that starts from chance: it is clearly behind. On the photographs the
# rate that suits the base, 0.00003, is also far below the head's 0.001. And meanwhile the random head
# sends its errors into the base. That is why the recipe has two stages, head first, each with its own
# rate. Item 2 of *On your own* gives the fresh head more
# steps; Kumar and others, below, show what a random head can do to a base meanwhile.

# %% [markdown]
# ### 3. BatchNormalization left in training mode
#
# Every layer of the upper part becomes trainable, without the exception.

# %%
drifting = copy_of_start()
for layer in drifting.layers[0].layers:
    layer.trainable = True
compile_for(drifting, learning_rate=RATE)


def moving_statistics(model):
    """The moving means and variances of the upper part, one array a row."""
    return [
        weight.numpy()
        for layer in model.layers[0].layers
        if isinstance(layer, keras.layers.BatchNormalization)
        for weight in (layer.moving_mean, layer.moving_variance)
    ]


before = moving_statistics(drifting)
results["BatchNormalization trains"] = five_steps(drifting)
after = moving_statistics(drifting)
bands.check("BatchNormalization trains", data.name, results["BatchNormalization trains"].value)

# %%
drifts = [np.abs(new - old).max() for old, new in zip(before, after, strict=True)]
print(f"largest drift of a moving statistic in five steps: {max(drifts):.3f}")

# %%
print("arrays that drifted:", sum(drift > 0 for drift in drifts), "of", len(drifts))
assert min(drifts) > 0

# %% [markdown]
# Every moving mean and variance has moved, and in training the layers used the statistics of the
# batch at hand in place of those that their weights were trained with. The validation accuracy has hardly
# suffered: in batches of 32 pictures the statistics are near enough. Item 3 of *On your own*
# tries small batches. Freezing is the safe choice.
#
# Note that a call with `training=False` would not have prevented this, as lesson 1 measured.

# %% [markdown]
# ### 4. No `compile` after unfreezing
#
# The upper part is frozen, the head takes its five steps, you unfreeze and go on, but do not compile
# again. **Predict:** which weights move in the second `fit`?

# %%
forgotten = copy_of_start()
forgotten.layers[0].trainable = False
compile_for(forgotten, learning_rate=RATE)
five_steps(forgotten)

unfreeze_behind(forgotten.layers[0], cut=None)
upper_before = weights.snapshot(forgotten.layers[0])
results["not compiled again"] = five_steps(forgotten)
bands.check("not compiled again", data.name, results["not compiled again"].value)

# %%
comparison = weights.compare(upper_before, forgotten.layers[0])
print("weights.count says trainable:", weights.count(forgotten.layers[0]).trainable > 0)
print("upper part:", comparison)
assert not comparison.moved

# %% [markdown]
# The counts say 'trainable', nothing in the printed numbers looks wrong, and the upper part did not
# move at all.
# You have trained the head some more and taken it for fine-tuning. This mistake shows in no
# curve, only in the comparison of weights.

# %%
axes = plots.intervals(results)
axes.set_title("Five steps from the same start");

# %% [markdown]
# *Figure: validation accuracy with its interval after five sound steps, and after each of the four
# mistakes: five steps each, and for the last one five before unfreezing and five after.*
#
# Two mistakes shout, two whisper. The high rate and the fresh head show at once. The drifting
# statistics and the forgotten `compile` leave the accuracy about where it was and can only be
# found by looking at the weights.
#
# Now the other way round: from what you see to what was done. First, a run that looks healthy.

# %%
panels.question(exercises.nothing_moves)

# %% [markdown]
# Second, a run in which `fit` says less than `evaluate` afterwards, in its second epoch still.

# %%
panels.question(exercises.fit_and_evaluate_differ)

# %% [markdown]
# Third, a trained head on a frozen base, before and after it was unfrozen.

# %%
panels.question(exercises.all_is_lost)

# %% [markdown]
# ## What you have seen
#
# - Depth is one number. 'Everything' is one of its values, 'from layer 100' nearly another.
# - The order: trained head, unfreeze, BatchNormalization frozen again, `compile`, low rate, go on.
# - What lies below the cut runs once. At depth 9 that is most of the base, at depth 29 little of it.
# - With BatchNormalization frozen, no moving statistic changed by a bit; unfrozen, all above the cut
#   did.
# - A gain smaller than the interval has not been shown.
# - Of four mistakes, two can be seen only by comparing weights.
#
# ## On your own
#
# The bands hold for the lesson as written. Take out a `bands.check` line where your change makes it
# stop.
#
# 1. Set `DEPTH` to 3 and to 15. How do the training curves differ, and does validation care?
# 2. Give the fresh head more steps: `five_steps(fresh_head, epochs=5)`. Where does the accuracy end?
# 3. Make the third mistake with `batch_size=2`, and the sound run too. Compare the two *training*
#    accuracies that `fit` prints.
#
# ## Further reading
#
# - Keras guide: [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/)
# - A. Kumar and others, 2022:
#   [Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution](https://arxiv.org/abs/2202.10054),
#   on training the head first
# - J. Yosinski and others, 2014:
#   [How transferable are features in deep neural networks?](https://arxiv.org/abs/1411.1792)
#
# Next: [5. Find the bug](05_find_the_bug.ipynb)
