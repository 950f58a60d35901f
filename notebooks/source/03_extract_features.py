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
# **What you'll do.** You put the published model together, freeze its base, train the rest, and look at
# what it answers.
#
# **What you'll learn.** What each layer is for; why the model gives a logit, and who has to know; what
# the loss should be before training; how to prove that a frozen base stood still; and what the
# [pretraining](glossary.ipynb#Pretraining) is worth.
#
# **What you'll need.** Lessons 1 and 2. Take about 25 minutes; all cells together run in about 50 seconds on two
# CPU cores; with the tutorial's photographs, training takes some minutes more.

# %% tags=["course"]
from helpers import bands, panels, plots, recipes
from helpers.exercises import lesson_3 as exercises

recipe = recipes.chosen()
print(recipe)
panels.recall(3)

# %% [markdown]
# ## The whole recipe
#
# ![From left to right: a photograph, augmentation, scaling, the frozen base, pooling, dropout and a Dense layer that gives one logit. Only the Dense layer trains.](figures/base_and_head.svg)
#
# A picture comes in on the left. The *base* turns it into numbers that describe it, its *[features](glossary.ipynb#Feature)*. It
# learned to do so on other pictures, and here it stays as it is. The *head* on the right is new. It is one
# small layer, and it is all that you train.
#
# First the pictures, as in lesson 2. Both texts' ways stand here; your recipe takes one of them.

# %%
import json
import time

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)

if recipe.tfds:  # the article: TensorFlow Datasets
    import tensorflow_datasets as tfds

    def resize(image, label):
        return tf.image.resize(image, recipe.image_size), label

    parts = tfds.load(recipe.tfds, split=["train[:40%]", "train[40%:50%]"], as_supervised=True)
    train, validation = (part.map(resize) for part in parts)
    train = train.shuffle(1000, seed=0).batch(32).prefetch(tf.data.AUTOTUNE)
    validation = validation.batch(32).prefetch(tf.data.AUTOTUNE)
else:  # the tutorial: a folder with a subfolder a class
    train = keras.utils.image_dataset_from_directory(
        recipe.folder / "train", image_size=recipe.image_size, batch_size=32, seed=0
    )
    validation = keras.utils.image_dataset_from_directory(
        recipe.folder / "validation", image_size=recipe.image_size, batch_size=32, shuffle=False
    )

# %% [markdown]
# ## The base
#
# `keras.applications` has networks that were trained on ImageNet: 1.3 million photographs of 1,000 kinds
# of things. For the tutorial, the next line reads `keras.applications.MobileNetV2(input_shape=(160, 160,
# 3), include_top=False, weights="imagenet")`; for the article, `Xception` and `(150, 150, 3)`. The drawings
# have a smaller MobileNetV2, which was trained on drawings of 62 other kinds of animals.
#
# `include_top=False` leaves out the last layer, which names ImageNet's classes, and the [pooling](glossary.ipynb#Pooling) before it. You
# want the features below.

# %%
network = getattr(keras.applications, recipe.network)
base = network(
    input_shape=(*recipe.image_size, 3),
    include_top=False,
    weights=recipe.weights,
    **recipe.options,
)
base.trainable = False

# %% [markdown]
# **Predict:** one batch of 32 pictures goes in. Which shape comes out? Both networks halve height and
# width five times.

# %%
images, labels = next(iter(train))
block = base(keras.applications.mobilenet_v2.preprocess_input(images))
print("in: ", images.shape)
print("out:", block.shape)

# %% [markdown]
# For each picture a small grid of places, and at each place some 1,000 or 2,000 numbers: how strongly
# each learned feature is present there. Early layers answer to edges and colours, late ones to ears and
# faces.
#
# ![Four pictures of what layers answer to: edges and colours, textures, parts such as ears and eyes, whole animals; the first are general, the last special to the pretraining.](figures/levels.svg)
#
# ## Put the model together
#
# Both texts build the same model. Read it from top to bottom, it is the figure from left to right.

# %%
classes = len(recipe.class_names)

inputs = keras.Input(shape=(*recipe.image_size, 3))
x = keras.layers.RandomFlip("horizontal")(inputs)
x = keras.layers.RandomRotation(recipe.rotation)(x)
x = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(x)
x = base(x, training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dropout(0.2)(x)
outputs = keras.layers.Dense(1 if classes == 2 else classes)(x)
model = keras.Model(inputs, outputs)

# %% [markdown]
# - `RandomFlip` and `RandomRotation` show the network another variant of each picture in every epoch.
#   They work in training only. (The tutorial turns by up to 0.2 of a full turn, the article by 0.1.)
# - `Rescaling` takes pixels from 0...255 to -1...1, the range that the base was trained on.
# - `GlobalAveragePooling2D` takes the mean over all places. What counts is that there is an ear;
#   where it is hardly matters.
# - `Dropout` hides a fifth of the features by chance, in training only, so that the head does not lean on
#   few of them.
# - `Dense(1)` adds the features up, each with a weight, to one number. More than two classes need a number
#   each.
#
# **Predict:** how many parameters train?

# %%
model.summary(show_trainable=True)

# %% [markdown]
# One parameter a feature and one bias: that is all you train. The rest is the base. Here are the two texts' own
# numbers, counted with random weights. Below them, two ways to scale: the tutorial uses `preprocess_input`,
# the article what it calls a normalization layer.

# %% tags=["nbval-check-output"]
for name, side in (("MobileNetV2", 160), ("Xception", 150)):
    published = getattr(keras.applications, name)(
        input_shape=(side, side, 3), include_top=False, weights=None, pooling="avg"
    )
    head = keras.layers.Dense(1)
    head.build(published.output_shape)
    together = published.count_params() + head.count_params()
    print(f"{name}: {together:,} parameters, of which {head.count_params():,} train")

pixels = np.array([0.0, 127.5, 255.0], dtype="float32")
print("Rescaling:       ", keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(pixels).numpy())
print("preprocess_input:", keras.applications.mobilenet_v2.preprocess_input(pixels.copy()))

# %% [markdown]
# Both are the same `Rescaling`.
#
# | the article says | what is so |
# |---|---|
# | a 'normalization layer' brings the pixels to -1...1 | It is a `Rescaling`. Keras's `Normalization` is another layer: it learns mean and variance from your data. |
#
# ## One number, two classes
#
# The output is a *[logit](glossary.ipynb#Logit)*: any number. Above 0 the model means the second class, below 0 the first, and
# the further away, the surer it is. The [sigmoid](glossary.ipynb#Sigmoid) turns a logit into a [probability](glossary.ipynb#Probability).
#
# ![The sigmoid curve: logit 0 is probability 0.5. Right of it the model means dog, left of it cat. A threshold of 0.5 on the logit would call some dogs cats.](figures/logit.svg)
#
# Loss and metric have to know that they get logits: `from_logits=True`, `threshold=0.0`. The last line saves
# time. The first step builds the optimizer's variables, and then TensorFlow compiles the step a second time;
# built ahead, once is enough.


# %%
def compile_for_logits(model, rate):
    """Compile with a loss and an accuracy that know of logits."""
    if classes == 2:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=[accuracy])
    model.optimizer.build(model.trainable_variables)


compile_for_logits(model, recipe.head_rate)

# %% [markdown]
# | the tutorial says | what is so |
# |---|---|
# | a prediction is a logit and needs no activation; right below stands `Dense(1, activation="sigmoid")` | Text and code contradict each other. Choose one. With logits, `metrics=["accuracy"]` would draw its line at 0.5, where the model is already 62 % sure. |
#
# ## The loss before training
#
# A model that knows nothing and says so gives every picture the logit 0. Its [loss](glossary.ipynb#Loss) is ln 2 = 0.693, or ln
# *n* for *n* classes. **Predict:** is your untrained model below, at or above that?

# %%
# Every so many batches: the validation pictures are sorted by class.
sample = validation.shard(num_shards=max(1, len(validation) // 10), index=0)

started = time.perf_counter()
loss_before, accuracy_before = model.evaluate(sample, verbose=0)
seconds = (time.perf_counter() - started) / len(sample)
print(f"knows nothing: loss {np.log(classes):.3f}")
print(f"untrained:     loss {loss_before:.3f}, accuracy {accuracy_before:.3f}")

epoch = seconds * (len(train) + len(validation))
print(f"An epoch will take at most about {epoch:.0f} s; the recipe has {recipe.head_epochs} of them.")

# %% [markdown]
# Usually above: a random head does not say 'I do not know'. It says 'cat' or 'dog' by chance, and
# confident mistakes cost more than hedging. This look takes seconds and pays: a loss many times as high
# hints at wrong scaling or labels, a loss near 0 at an answer that leaks into the input.
#
# ## Train the head
#
# You keep copies of the base's weights, to see later whether they moved. And you give `fit` a callback
# that ends training when your patience does. With the article's Xception on a CPU that matters.
#
# **Predict:** how good is the model after the first epoch?


# %%
class StopAfter(keras.callbacks.Callback):
    """End training after some minutes."""

    def __init__(self, minutes):
        super().__init__()
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        self.end = time.monotonic() + 60 * self.minutes

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() > self.end:
            self.model.stop_training = True


before = base.get_weights()
history = model.fit(
    train,
    validation_data=validation,
    epochs=recipe.head_epochs,
    callbacks=[StopAfter(recipe.minutes)],
    verbose=2,
)

# %% tags=["course"]
plots.learning_curves(history.history)
bands.check("loss before training", recipe.name, loss_before)
bands.check("frozen", recipe.name, history.history["val_accuracy"][-1])

# %% [markdown]
# *Figure: accuracy and loss by epoch; training dashed, validation solid.*
#
# Most pictures are named rightly after one epoch. The base did the seeing before it ever met your
# pictures. And in the first epoch, validation is *better* than training. Why?

# %% tags=["course"]
panels.question(exercises.validation_ahead)

# %% [markdown]
# | the article says | what is so |
# |---|---|
# | 'finally we get the binary_accuracy is 0.9851' | That is the *training* accuracy at step 227 of 291 in an epoch that was not finished. The last validation accuracy was 0.9815. Quote validation, and say of which epoch. |
#
# ## Did the base stand still?
#
# Compare all its arrays, moving statistics included, to the last bit. `assert_array_equal` raises an error
# at the first number that differs.

# %% tags=["nbval-check-output"]
for old, new in zip(before, base.get_weights(), strict=True):
    np.testing.assert_array_equal(old, new)
print("not one bit of the base moved")

# %% [markdown]
# ## Nine predictions
#
# Numbers hide things, so look. Of 90 pictures from all over the validation set, take the nine of which the model is
# least sure. The cell also keeps the model, for lesson 4 goes on with it.

# %%
ninety = validation.unbatch().shard(num_shards=max(1, 32 * len(validation) // 90), index=0)
images, labels = next(iter(ninety.batch(90)))
logits = model.predict(images, verbose=0)
if classes == 2:
    second = keras.ops.sigmoid(logits).numpy()
    probabilities = np.concatenate([1 - second, second], axis=1)
else:
    probabilities = keras.ops.softmax(logits).numpy()
predicted = probabilities.argmax(axis=1)
nine = probabilities.max(axis=1).argsort()[:9]  # the least sure first

(recipe.models / "frozen.json").write_text(json.dumps(history.history))
model.save(recipe.models / "frozen.keras")

# %% tags=["course"]
plots.predictions(
    images.numpy()[nine], predicted[nine], probabilities[nine], labels.numpy()[nine], recipe.class_names
);

# %% [markdown]
# *Figure: the nine of 90 validation pictures of which the model is least sure, each with the predicted class, its
# probability, and a mark for right or wrong.*
#
# What makes these hard? Lesson 7 looks at mistakes with method.
#
# ## What is the pretraining worth?
#
# Take the same network with random weights, and let all of them train. Both get the same 160 pictures and
# two epochs. **Predict** the two validation accuracies.


# %%
def train_on_few(base):
    """Train a new head on a base, and the base if it is not frozen; accuracy on few, on others."""
    x = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(base(x))
    few_model = keras.Model(inputs, keras.layers.Dense(1 if classes == 2 else classes)(x))
    compile_for_logits(few_model, 1e-3)
    few_model.fit(few, epochs=2, callbacks=[StopAfter(recipe.minutes / 4)], verbose=0)
    return few_model.evaluate(few, verbose=0)[1], few_model.evaluate(sample, verbose=0)[1]


few = train.unbatch().take(160).cache().batch(32)
scratch = network(
    input_shape=(*recipe.image_size, 3), include_top=False, weights=None, **recipe.options
)
knew_few, with_pretraining = train_on_few(base)
scratch_few, from_scratch = train_on_few(scratch)
print(f"pretrained and frozen: {knew_few:.3f} on the 160, validation {with_pretraining:.3f}")
print(f"from scratch:          {scratch_few:.3f} on the 160, validation {from_scratch:.3f}")

# %% tags=["course"]
# `bands.check` says nothing where the text holds for this run.
bands.check("few pictures, frozen", recipe.name, with_pretraining)
bands.check("few pictures, from scratch", recipe.name, from_scratch)
panels.question(exercises.from_scratch_fails)

# %% [markdown]
# `benchmarks/transfer.py` lets the network from scratch train until it knows 400 drawings by heart. On new ones it
# is still far behind the frozen base.
#
# **Exercise.** The recipe again, by yourself, and for any number of classes. `build_and_fit(base, images,
# labels, classes)` gets a base without its top, images of 0...255 as an array, and labels from 0 to
# `classes - 1`. Freeze the base, which wants -1...1; build, compile and fit for 20 epochs; return the model.
# A head that is new to so few images takes large steps: Adam with the rate 0.01. The model gives one logit for two
# classes, else one a class, and the loss has to fit that. If you are stuck, `exercises.build_and_fit.hint()`
# helps, and `exercises.build_and_fit.solution()` shows an answer.


# %% tags=["course"]
def build_and_fit(base, images, labels, classes):
    """A trained model from pictures of 0 to 255 to logits; `base` stays as it is."""
    ...


exercises.build_and_fit.check(build_and_fit)

# %% [markdown]
# ## What you have seen
#
# - The whole recipe: augmentation, scaling, a frozen base, pooling, dropout, one logit.
# - Loss and metric are told that they get logits.
# - Before training the loss is near ln 2 or above. Look before you train.
# - A thousand or two of parameters train, and most new pictures are named rightly: the base did the seeing.
# - Not one bit of the base moved.
#
# ## On your own
#
# 1. Take out the `Rescaling` line and run the lesson from there. Keras does not complain. What happens to
#    the accuracy?
# 2. Turn the pictures by up to half a turn: `RandomRotation(0.5)`. What does it cost, and why?
# 3. Take the mean of the predictions for a picture and for its mirror image, `images[:, :, ::-1]`. Is it
#    better?
#
# ## Further reading
#
# - TensorFlow tutorial:
#   [Transfer learning and fine-tuning](https://www.tensorflow.org/tutorials/images/transfer_learning)
# - Keras guide: [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/)
# - M. Sandler and others, 2018:
#   [MobileNetV2: Inverted Residuals and Linear Bottlenecks](https://arxiv.org/abs/1801.04381)
# - F. Chollet, 2017:
#   [Xception: Deep Learning with Depthwise Separable Convolutions](https://arxiv.org/abs/1610.02357)
#
# Next: [4. Fine-tune](04_fine_tune.ipynb)
