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
# # 3. Extract features with a frozen base
#
# **What you'll do.** You take a network that was trained on other pictures, freeze it, put a head with
# one output on top, and train that head on yours.
#
# **What you'll learn.** What a base hands to its head; how to pick the head and its loss; what a
# loss should be before training; how to prove that the base stays as it is; and why the frozen
# part need run only once.
#
# **What you'll need.** Lessons 1 and 2. The drawings and their base come with the course; for
# photographs the weights of MobileNetV2 (9 MB) are downloaded once and kept. All cells together run
# in about 50 seconds on two CPU cores, on the photographs in about 130.

# %% [markdown]
# ## Choose pictures and base
#
# Both choices are one word. Each set of pictures has its usual base, and the size of the pictures
# follows from the base.

# %%
import os

from helpers import bases

PICTURES = os.environ.get("COURSE_PICTURES") or "drawings"
BASE = bases.default_for(PICTURES)  # or "MobileNetV2", "Xception", ...: see bases.BASES
print(f"{PICTURES} with the base {BASE}")

# %%
import time

import keras
import numpy as np

from helpers import bands, evaluation, features, panels, pictures, plots, training, weights
from helpers.exercises import lesson_3 as exercises

keras.utils.set_random_seed(0)
size = bases.find(BASE).size
data = pictures.load(PICTURES, size=size)
train, validation = data.train, data.validation

# %% [markdown]
# ## The base
#
# MobileNetV2 is a network made small enough for telephones. This course uses it twice.
#
# | | `"drawn"` | `"MobileNetV2"` |
# |---|---|---|
# | goes with | the drawings | photographs |
# | was pretrained on | 31,000 drawings of 62 kinds of animals: to name them and tell their traits | 1.3 million photographs: to name the 1,000 classes of ImageNet |
# | cats and dogs among them | none, nor any of their relatives | 118 breeds of dogs, several kinds of cats |
# | sees pictures of | 96 x 96 pixels | 160 x 160 pixels |
# | channels | about a third of the full number | all |
# | parameters | 410,208 | 2,257,984 |
# | weights | come with the course | are downloaded once |
#
# Mind the third row. The ImageNet base has seen your classes before, under finer names, so part of
# its success is memory. The drawn base has met bears, rabbits and owls, but no cat and no dog. What
# it can do for you, it has learnt elsewhere: that is transfer.
#
# The top of such a network, which names the classes it was pretrained on, is of no use to you; what
# lies below it has learnt to see edges, textures, fur, ears. `include_top=False` leaves the top
# out. For `"MobileNetV2"` the next line does
#
# ```python
# keras.applications.MobileNetV2(
#     input_shape=(160, 160, 3), include_top=False, weights="imagenet"
# )
# ```
#
# and for `"drawn"` the same with `input_shape=(96, 96, 3)`, `alpha=0.35`, and the course's own
# weights. Freezing the whole base is one line more.

# %%
base = bases.load(BASE)
base.trainable = False

# %%
print(weights.count(base))
print("in: ", base.input_shape)
print("out:", base.output_shape)

# %% [markdown]
# `base.summary()` lists all of its layers; the last four are enough for now, with the totals below
# them.

# %%
base.summary(layer_range=(base.layers[-4].name, base.layers[-1].name), line_length=80)

# %%
plots.network(base);
# %% [markdown]
# *Figure: one bar a layer from input to output, as wide as the layer has parameters, all of them
# non-trainable.*
#
# Most parameters sit in the last layers, near the output. Keep that in mind for lesson 4, where
# you unfreeze from the end.

# %% [markdown]
# ## What goes in, what comes out
#
# A picture goes in as bytes from 0 to 255, is scaled to the range of the base, and passes through.
# **Predict:** the shape that comes out stands above; why is it that one? MobileNetV2 halves height and
# width five times.

# %%
scaling = bases.find(BASE).scaling()
block = base(scaling(train.images[:1].astype("float32")), training=False).numpy()[0]

# %%
print("in: ", train.images[0].shape)
print("out:", block.shape)

# %% [markdown]
# A block of 3 x 3 places (of 5 x 5 for pictures of 160 pixels) with 1,280 numbers each: for each
# place in the picture, how strongly each of 1,280 learnt features is present there. You draw the picture and the sixteen features that
# respond most to it.

# %%
strongest = np.argsort(block.max(axis=(0, 1)))[::-1][:16]
plots.pictures(train.images[:1], [data.class_names[train.labels[0]]], columns=1)
plots.feature_maps(block, strongest);

# %% [markdown]
# *Figure: the picture, and sixteen channels of its block as small fields, brighter where the feature
# is stronger. The numbers are the channels' indices.*
#
# Compare the bright fields with the picture: where do several channels agree that something is
# there? Nobody told the network what a channel should mean. Each is whatever helped to tell the
# classes of the pretraining apart.

# %% [markdown]
# ## Pooling and a head
#
# To decide between cat and dog it matters that there is a pointed ear, hardly where. Pooling takes
# the mean over all places and leaves 1,280 numbers. The head on top is a single Dense layer
# behind some dropout.
#
# How many outputs? For two classes, one is enough: a *logit*, any number, where above 0 means the
# second class. For more classes, one logit each. In both cases the model gives logits, without
# `sigmoid` or `softmax`, and the loss and the metric are told so: `from_logits=True`, and
# `threshold=0.0`. A logit of 0 is a probability of 0.5. The default threshold of 0.5, applied to
# logits, would call a picture whose second class has probability 0.6 a picture of the first.
#
# The last line of `compile_for` saves time. `fit` turns the training step into a graph, which for a large
# network takes seconds. An optimizer that has no variables yet makes them in that step, and then the step
# has to become a graph a second time, without making them. Built ahead, once is enough.

# %%
def add_head(base, classes):
    """A model from pictures of 0 to 255 to logits: scaling, base, pooling, dropout, head."""
    inputs = keras.Input(shape=base.input_shape[1:])
    block = base(bases.find(BASE).scaling()(inputs))
    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(block)
    dropped = keras.layers.Dropout(rate=0.2)(pooled)
    outputs = keras.layers.Dense(1 if classes == 2 else classes, name="head")(dropped)
    return keras.Model(inputs, outputs)


def compile_for(model, classes, learning_rate=1e-3):
    """Compile for logits: one for two classes, else one a class."""
    if classes == 2:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss, metrics=[accuracy])
    model.optimizer.build(model.trainable_variables)


classes = len(data.class_names)
model = add_head(base, classes)
compile_for(model, classes)

# %% [markdown]
# **Predict:** how many parameters will be trained? Of the pooled features, 1,280 numbers go in and
# one comes out.

# %%
weights.count(model)

# %% [markdown]
# 1,281 for two classes: 1,280 weights and a bias, out of hundreds of thousands or millions.
#
# **Exercise.** Suppose that MobileNetV2 gets pictures 224 pixels high and 192 wide, and that there are
# five classes. Which block comes out, as `(rows, columns, channels)`, and how many parameters has the
# head behind the pooling?

# %%
answer = ...  # ((rows, columns, channels), parameters)
exercises.another_size.check(answer)

# %% [markdown]
# **Exercise.** Some heads end with `sigmoid` and give a probability, a number from 0 to 1, in place of
# a logit. Write `compile_either(model, gives)` for two classes. `gives` is `"logits"` or
# `"probabilities"`, and in both cases the loss and the accuracy shall be right. Which two settings of
# `compile_for` have to differ, and what was the threshold for probabilities?


# %%
def compile_either(model, gives):
    """Compile a model of two classes that gives "logits" or "probabilities"."""
    ...


exercises.compile_for_outputs.check(compile_either)

# %% [markdown]
# The article's
# choice, Xception with the same head, is a much larger base; with its 2,048 features, the head is
# about as small. To count, random weights will do.

# %% tags=["nbval-check-output"]
xception = keras.applications.Xception(
    input_shape=(150, 150, 3), include_top=False, weights=None, pooling="avg"
)
xception.trainable = False
print(weights.count(keras.Sequential([xception, keras.layers.Dense(1)])))

# %% [markdown]
# ## The loss before training
#
# A model that knows nothing and says so, with logit 0 for every picture, has a loss of ln 2 = 0.693
# (for `n` classes: ln `n`). **Predict:** is the loss of your untrained head below, at, or above
# that?

# %%
knows_nothing = np.log(classes)
loss_before, accuracy_before = model.evaluate(validation.images, validation.labels, verbose=0)
print(f"knows nothing:  loss {knows_nothing:.3f}")
print(f"untrained head: loss {loss_before:.3f}, accuracy {accuracy_before:.3f}")
bands.check("loss before training", data.name, loss_before)

# %% [markdown]
# `bands.check` stops the lesson when a number leaves the range in which the text holds. It is near
# ln 2 or above it. A random head does not say 'I do not know': it
# says 'cat' or 'dog' with some confidence, by chance, and confident mistakes cost more than
# hedging. The check is worth a second before any training: a loss many times as high hints at wrong
# scaling or wrong labels, a loss near 0 at an answer that leaks into the input.

# %% [markdown]
# ## Train with the base frozen
#
# Twenty steps, each with 32 pictures that go through the whole base and then the head. **Predict:**
# how far do twenty steps get?

# %%
base_before = weights.snapshot(base)
started = time.perf_counter()
history = model.fit(train.images[:640], train.labels[:640], batch_size=32, verbose=2)
seconds = time.perf_counter() - started

# %%
an_epoch = seconds * len(train.images) / len(train.images[:640])
print(f"twenty steps: {seconds:.1f} s; at this pace, one epoch: {an_epoch:.1f} s")
bands.check("twenty steps, frozen", data.name, history.history["accuracy"][-1])

# %% [markdown]
# The accuracy above is a mean over the twenty steps, the first of which were guesses, and yet most
# pictures were named rightly, with 1,281 numbers trained. The base did the seeing before it ever
# met your pictures.
#
# Did the base stay as it was? Compare all of its weights, moving statistics included, bit by bit.

# %% tags=["nbval-check-output"]
weights.compare(base_before, base)

# %% [markdown]
# **Exercise.** Write such a proof yourself. `layers_that_moved(model, train)` calls `train()` once and
# returns a list with the names of those layers of `model` whose weights are others afterwards, be it by
# a single bit. `layer.get_weights()` gives copies of all arrays of a layer. The check hands in a small
# model, and a `train` that changes it in ways that a careless comparison misses.


# %%
def layers_that_moved(model, train):
    """Call `train()`, and return the names of the layers in `model.layers` that changed."""
    ...


exercises.prove_it_held.check(layers_that_moved)

# %% [markdown]
# ## The frozen part need run only once
#
# Something is wasteful here. The published recipes go on like this for ten epochs, and every epoch takes
# as long as the time printed above. But the base is frozen: a picture gives the same 1,280 numbers in
# every epoch, yet every epoch computes them again. So compute them once. `extractor` is the model up to
# the pooling; it shares its layers with `model`.

# %%
extractor = keras.Model(model.input, model.get_layer("pooling").output)
train_features = extractor.predict(train.images, verbose=0)
validation_features = extractor.predict(validation.images, verbose=0)
print(train_features.shape, validation_features.shape)

# %% [markdown]
# From here on, training means training a tiny model on a table of numbers.
#
# **Exercise.** Write a function that makes that tiny model: its input is so many `features`, and it
# gives logits for so many `classes`, with one Dense layer. Dropout is as you like. The last lines of
# `add_head` are a pattern; the next cell shows one way, so try first.


# %%
def make_head(features, classes):
    """A new model from `(n, features)` to logits: one for two classes, else one a class."""
    ...


exercises.make_a_head.check(make_head)

# %% [markdown]
# This one is trained for ten epochs.

# %%
head = keras.Sequential(
    [
        keras.Input(shape=train_features.shape[1:]),
        keras.layers.Dropout(rate=0.2),
        keras.layers.Dense(1 if classes == 2 else classes),
    ]
)
compile_for(head, classes)
history = head.fit(
    train_features,
    train.labels,
    validation_data=(validation_features, validation.labels),
    batch_size=32,
    epochs=10,
    verbose=0,
)
plots.learning_curves(history.history);
# %% [markdown]
# *Figure: two panels by epoch, accuracy on the left and loss on the right, a dashed line for
# training and a solid line for validation.*
#
# In the first epoch the validation accuracy lies above the training accuracy. Choose a reason before
# you read on.

# %%
panels.question(exercises.validation_ahead)

# %% [markdown]
# Look at three things. Validation accuracy is high from the start and soon nearly flat. The training loss
# goes on falling while the validation loss levels off: the head begins to learn its training
# pictures by heart. And in the first epoch, validation is *better* than training: dropout works
# only in training, and training's figure is a mean over an epoch in which the head was still
# improving.
#
# Now give the trained head to the whole model. It is one ordinary Keras model again, and says the
# same as the short way did:

# %% tags=["nbval-check-output"]
model.get_layer("head").set_weights(head.layers[-1].get_weights())

long_way = model.predict(validation.images[:64], verbose=0)
short_way = head.predict(validation_features[:64], verbose=0)
print("both ways agree:", np.allclose(long_way, short_way, atol=1e-4))

# %% [markdown]
# ## The same, faster and kept
#
# `predict` was the plain way to compute features. `features.extract` takes the same model and the
# same pictures and gives the same numbers. It differs in two things. It runs the network with its
# weights as constants, which lets the library that runs it fold every BatchNormalization into the
# convolution before it. And it keeps the result on disk, under a name made from all that it depends on:
# the pictures, the weights, the architecture.
#
# **Predict:** how long does the second call take?

# %%
started = time.perf_counter()
extracted = features.extract(extractor, train.images)
print(f"first call:  {time.perf_counter() - started:.1f} s")

started = time.perf_counter()
extracted = features.extract(extractor, train.images)
print(f"second call: {time.perf_counter() - started:.1f} s")

# %% tags=["nbval-check-output"]
difference = np.abs(extracted - train_features).max() / np.abs(train_features).max()
print("the same numbers as predict:", difference < 1e-4)

# %% [markdown]
# The second call opened a file. Run the lesson again tomorrow, and the first one will too, so that
# both times are alike. Change one
# pixel or one weight, and it computes anew. When you stop it halfway, it goes on from there the next
# time. So it pays to know what features depend on:

# %%
panels.question(exercises.extract_anew)

# %% [markdown]
# ## Try as often as you like
#
# `fit` is made for long epochs; on a head its preparations take longer than its work.
# `training.train` takes the same steps and hands you each epoch's numbers as they come. So you can
# afford to try. **Predict:** which of these learning rates is too low, and which too high?

# %%
validation_extracted = features.extract(extractor, validation.images)


def new_head():
    """A head with new random weights."""
    return keras.models.clone_model(head)


tries = {}
started = time.perf_counter()
for rate in (1e-5, 1e-3, 1e-1):
    tries[f"rate {rate:g}"] = training.history(
        training.train(
            new_head(),
            extracted,
            train.labels,
            optimizer=keras.optimizers.Adam(rate),
            epochs=10,
            validation=(validation_extracted, validation.labels),
        )
    )
print(f"three tries: {time.perf_counter() - started:.1f} s")
plots.compared_runs(tries)
last = {name: numbers["val_loss"][-1] for name, numbers in tries.items()}
assert min(last, key=last.get) == "rate 0.001"
# %% [markdown]
# *Figure: validation accuracy and loss by epoch, a line a learning rate.*
#
# The lowest rate has hardly begun after ten epochs. The highest ends with a higher loss than the one
# between them, though its accuracy may be as good: where that head is wrong, it is wrong with
# confidence.
#
# **Exercise.** How high can the rate be? Say that a rate *works* if the mean validation loss of the
# last three of ten epochs is at most twice that of the rate 0.001. Find the largest rate that works.
# The check trains with your rate and with four times your rate: yours has to work, the other one must
# not. Copy the loop above into the next cell, without its last two lines, which are about those three
# rates, and put in rates of your own. `np.mean(tries["rate 0.001"]["val_loss"][-3:])` is the number to
# compare with. (The check takes 2,000 training pictures at most.)

# %%
answer = ...  # a learning rate
exercises.largest_rate.check(
    answer, extracted, train.labels, validation_extracted, validation.labels
)

# %% [markdown]
# A head can do without a learning rate altogether. One Dense layer on fixed features is logistic
# regression. With a small penalty on its weights it has a single optimum, and scikit-learn finds it.
# The numbers in brackets are the accuracy's 95 % interval, of which more below.

# %%
started = time.perf_counter()
reference = training.reference_head(extracted, train.labels)
reference_logits = np.asarray(reference(validation_extracted))
print("logistic regression:", evaluation.accuracy(reference_logits, validation.labels))
print(f"{time.perf_counter() - started:.1f} s")

# %% [markdown]
# Use it as a reference. If your head ends far below it, the trouble is in how you train.
#
# **Exercise.** Does a head need all channels? Write `choose_channels(features, labels, count)`, which
# returns the indices of `count` channels. From 16 of them, a head shall be at most 5 points of accuracy
# (0.05) worse than the reference with all. Your function sees the training pictures only. A trained
# head has a weight for each channel: `training.reference_head(features, labels).get_weights()` gives
# its kernel, of shape `(channels, outputs)`, and its bias. The check trains
# `training.reference_head(features[:, chosen], labels, strength=1.0)`, with less penalty, since 16
# weights need little.


# %%
def choose_channels(features, labels, count):
    """Indices of `count` columns of `features`, `(n, channels)`, that tell the labels apart."""
    ...


exercises.few_channels.check(
    choose_channels, extracted, train.labels, validation_extracted, validation.labels
)

# %% [markdown]
# ## What the short way forbids, and what gives it back
#
# The published recipes turn and mirror each picture anew in every epoch. The short way forbids
# that: a picture that is changed gives other features, and the table would no longer be right.
#
# But you can extract a few changed copies of each picture, *views*, and train on them all. The base
# runs once for each view. Here are three pictures, each with three views:

# %%
shown = train.images[:3]
rows = np.arange(len(shown))
augmentation = features.Augmentation()
views = [features.augment(shown, augmentation, seed=(0, view), rows=rows) for view in (1, 2, 3)]
grid = [view[row] for row in rows for view in (shown, *views)]
plots.pictures(grid, columns=4, side=1.7);

# %% [markdown]
# *Figure: three rows, each a picture as it is and three views of it: mirrored or not, turned a
# little, nearer or farther, shifted, lighter or darker.*
#
# **Predict:** do views help a head that has 200 pictures?

# %%
with_views = features.extract(extractor, train.images, views=4)
print(with_views.shape, with_views.dtype)

some = 200
results = {}
for name, table in (("as they are", with_views[:some, 0]), ("with views", with_views[:some])):
    reference = training.reference_head(table, train.labels[:some])
    reference_logits = np.asarray(reference(validation_extracted))
    results[name] = evaluation.accuracy(reference_logits, validation.labels)
axes = plots.intervals(results)
axes.set_title(f"A head from {some} pictures");

# %% [markdown]
# *Figure: validation accuracy of the two heads with their intervals.*
#
# View 0 is the picture itself; the others are kept in 16-bit floats, at half the room. If the two
# intervals overlap much, you have not shown that views help this head. In lesson 4, where more weights
# train, they get another chance.

# %% [markdown]
# ## Turn the knobs
#
# All of this can be tried by hand. Move the learning rate, press Train, and watch the curve grow; press
# Stop when you have seen enough. Earlier runs stay behind in grey, and in the table. Show code
# prints the Keras code that does what you clicked.
#
# **Try:** what do dropout 0.9 and batches of 8 do to the curves?

# %%
panels.training_panel(
    with_views,
    train.labels,
    validation=(validation_extracted, validation.labels),
    names=("with_views", "train.labels", "validation_extracted", "validation.labels"),
)

# %% [markdown]
# *Figure: a panel of seven controls, four buttons and the curves of a first run, which was made for
# you.*

# %% [markdown]
# ## How good is it?
#
# Accuracy is a share of right answers among so many pictures, so it comes with an interval. With
# 500 pictures and 0.97, the 95 % interval is about 3 points wide, with 0.93 more than 4. Two models whose intervals
# overlap much are, as far as you know, equally good.

# %%
logits = head.predict(validation_features, verbose=0)
frozen = evaluation.accuracy(logits, validation.labels)
print("validation accuracy:", frozen)
bands.check("frozen", data.name, frozen.value)

# %% [markdown]
# ## The same network from scratch
#
# Is it the pretraining or the architecture? Take the same network with random weights, all of them
# trainable, and give it 160 pictures and two epochs. A frozen base gets the same pictures and the
# same two epochs. **Predict** both accuracies.

# %%
few = 160
scratch = add_head(bases.load(BASE, weights=None), classes)
compile_for(scratch, classes)
scratch.fit(
    train.images[:few], train.labels[:few], batch_size=32, epochs=2, verbose=2
)
scratch_logits = scratch.predict(validation.images, verbose=0)

# %%
few_head = keras.models.clone_model(head)  # the same layers with new random weights
compile_for(few_head, classes)
few_head.fit(train_features[:few], train.labels[:few], batch_size=32, epochs=2, verbose=0)
few_logits = few_head.predict(validation_features, verbose=0)

# %%
results = {
    "from scratch": evaluation.accuracy(scratch_logits, validation.labels),
    "frozen base": evaluation.accuracy(few_logits, validation.labels),
}
axes = plots.intervals(results)
axes.set_title("160 pictures, two epochs")
bands.check("few pictures, from scratch", data.name, results["from scratch"].value)
bands.check("few pictures, frozen", data.name, results["frozen base"].value)

# %% [markdown]
# *Figure: the two validation accuracies with their intervals; they lie far apart.*
#
# What went wrong from scratch? The training accuracy stands in the output of `fit` above.

# %%
panels.question(exercises.from_scratch_fails)

# %% [markdown]
# From scratch, the network is about as good as guessing. Mind what this shows and what it does not.
# Its *training* accuracy, printed above, is low too: in ten steps, all those random
# weights have learnt little, so this is not overfitting. The moving statistics of BatchNormalization,
# which validation uses, have hardly begun to move either. It needs far more steps. On the drawings
# `benchmarks/transfer.py` gives it as many as it takes to know 400 pictures by heart, and on new ones
# it is then still nearer to guessing than to the frozen base. That is overfitting. The pretrained
# base needs neither the steps nor so many pictures.

# %% [markdown]
# ## Nine predictions
#
# Numbers hide things, so look. To read a prediction you want probabilities, and of all classes.
#
# **Exercise.** Write a function from logits, `(n, 1)` for two classes or `(n, classes)` for more, to
# probabilities with a column a class. `keras.ops.sigmoid` turns the one logit into the probability of
# the second class, `keras.ops.softmax` a row of logits into one probability each. The next cell needs
# the same, so try first.


# %%
def to_probabilities(logits):
    """Probabilities `(n, classes)` from logits `(n, 1)` or `(n, classes)`."""
    ...


exercises.probabilities_of_all.check(to_probabilities)

# %% [markdown]
# The titles give the prediction with its probability, and the label where it is another one.

# %%
if classes == 2:
    probability_of_second = keras.ops.sigmoid(logits)[:, 0].numpy()
    probabilities = np.stack([1 - probability_of_second, probability_of_second], axis=1)
else:
    probabilities = keras.ops.softmax(logits).numpy()

predicted = evaluation.predicted_classes(logits)
mistakes = np.flatnonzero(predicted != validation.labels)
right = np.flatnonzero(predicted == validation.labels)
shown = np.concatenate([mistakes[:3], np.random.default_rng(0).permutation(right)])[:9]


def title(index):
    """The prediction with its probability, and the label where they differ."""
    label = "" if index in right else f", label: {data.class_names[validation.labels[index]]}"
    predicted_class = predicted[index]
    return f"{data.class_names[predicted_class]} {probabilities[index, predicted_class]:.2f}{label}"


plots.pictures(validation.images[shown], [title(index) for index in shown]);

# %% [markdown]
# *Figure: nine validation pictures with predicted class and probability; in up to three of them the
# label is another one.*
#
# Look at confident mistakes first: some are the network's, and some are the label's. Does each of
# these pictures show what its label says?

# %% [markdown]
# ## What you have seen
#
# - A base turns a picture into a block, 3 x 3 x 1280 for the drawings, 5 x 5 x 1280 for the
#   photographs; pooling leaves 1,280 numbers.
# - A head of 1,281 parameters on top of them is right on more than nine in ten new pictures.
# - Before training the loss is near ln 2 or above; look before you train.
# - Not one bit of the frozen base moved, so its part need run only once, and then ten epochs of a
#   head take about a second.
# - That forbids fresh augmentation; a few views of each picture give some of it back.
# - The same network from scratch is, with as little to go on, at the level of guessing.
#
# ## On your own
#
# The bands hold for the lesson as written. Take out a `bands.check` line where your change makes it
# stop.
#
# 1. In the panel, compare four views with one at dropout 0. Which training curve is the lower, and
#    does validation care?
# 2. In the cell of `few_head`, set `epochs=50` and try 20, 40 and 80 pictures. How few are enough for
#    0.90?
# 3. Leave out the scaling in `add_head` and run the lesson from there. Keras does not complain. What
#    happens to the accuracy?
#
# ## Further reading
#
# - TensorFlow tutorial:
#   [Transfer learning and fine-tuning](https://www.tensorflow.org/tutorials/images/transfer_learning),
#   with MobileNetV2
# - Keras guide: [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/), with
#   Xception
# - M. Sandler and others, 2018:
#   [MobileNetV2: Inverted Residuals and Linear Bottlenecks](https://arxiv.org/abs/1801.04381)
#
# Next: [4. Fine-tune](04_fine_tune.ipynb)
