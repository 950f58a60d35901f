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
# **What you'll do.** You unfreeze a part of the base, train on with small steps, and compare with the frozen
# base picture by picture. Then you spoil it in four ways and look at each.
#
# **What you'll learn.** In which order to do things; how far to unfreeze; why BatchNormalization stays
# frozen; when one model is better than another; and how the usual mistakes look.
#
# **What you'll need.** Lesson 3, whose model you go on with. Take about 30 minutes; all cells together run in about
# 60 seconds on two CPU cores; with the tutorial's photographs, training takes some minutes more.

# %% tags=["course"]
from helpers import bands, evaluation, panels, pictures, plots, published, recipes
from helpers.exercises import lesson_4 as exercises

recipe = recipes.chosen()
published.frozen_model(recipe)  # lesson 3's, in case you have not been there
print(recipe)
panels.recall(4)

# %% [markdown]
# ## Where you stand
#
# ![Two ways side by side. Feature extraction: the base is frozen, only the head trains. Fine-tuning: the top of the base trains too, at a low rate.](figures/two_ways.svg)
#
# In lesson 3 only the head trained. Its features are those of the pretraining, however well they suit your
# pictures. Fine-tuning goes on from there and lets the end of the base adapt.
#
# The pictures and the model of lesson 3:

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

model = keras.models.load_model(recipe.models / "frozen.keras")
history = json.loads((recipe.models / "frozen.json").read_text())
base = next(layer for layer in model.layers if hasattr(layer, "layers"))
head = model.layers[-1]

labels = np.concatenate([some_labels for _, some_labels in validation])
frozen_logits = model.predict(validation, verbose=0)

# %% [markdown]
# ## Unfreeze
#
# The first layers see edges and colours, which every task needs. The last ones see what the pretraining's
# classes needed. So you unfreeze from the end, and one number says how far: the tutorial unfreezes from
# layer 100 on, the article everything.
#
# Then one exception. BatchNormalization stays frozen, every one of its layers. You see further down what
# happens otherwise. Exceptions come last, for `base.trainable = True` overwrites what stood before.

# %%
base.trainable = True
for layer in base.layers[: recipe.unfreeze_from]:
    layer.trainable = False
for layer in base.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False

# %% [markdown]
# **Predict:** how many of the base's parameters train now? (The tutorial's number is 100 of 154 layers. The drawn
# base has met neither cats nor dogs, and trains from layer 27 on.)

# %% tags=["course"]
plots.network(base);

# %% [markdown]
# *Figure: the layers of the base, from the input on the left to the output on the right, in groups; each bar is as
# high as its layers have parameters. Most stand at the right, and train.*
#
# Most parameters sit near the end, so even 'from layer 100' unfreezes most of them. And this is what the article
# unfreezes, counted with random weights:

# %% tags=["nbval-check-output"]
xception = keras.applications.Xception(
    input_shape=(150, 150, 3), include_top=False, weights=None, pooling="avg"
)
article = keras.Sequential([xception, keras.layers.Dense(1)])
for say, frozen in (("everything:", False), ("BatchNormalization frozen:", True)):
    for layer in xception.layers:
        layer.trainable = not (frozen and isinstance(layer, keras.layers.BatchNormalization))
    trains = sum(weight.numpy().size for weight in article.trainable_weights)
    print(f"{say:27}{trains:,} train, {article.count_params() - trains:,} do not")

# %% [markdown]
# | the article says | what is so |
# |---|---|
# | after `base.trainable = True`: 20,809,001 trainable and 54,528 non-trainable parameters | The count is right. But the 54,528 are the moving statistics, and they are not frozen: BatchNormalization updates them itself in every step. |
#
# ## Compile again, with small steps
#
# `compile` again, since what trains has changed. The weights are good already, so take small steps. The
# published rate is 0.00001, a tenth or a hundredth of the head's. ImageNet's weights know cats and dogs. The
# drawn base has met neither and takes larger steps.
#
# `initial_epoch` goes on counting where the head stopped. **Predict:** what does fine-tuning bring?


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


def compile_for_logits(rate):
    """Compile as in lesson 3, with what is trainable now."""
    if len(recipe.class_names) == 2:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=[accuracy])
    model.optimizer.build(model.trainable_variables)


def moving_statistics():
    """The moving means and variances of all BatchNormalization layers of the base."""
    normalizations = [
        layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    return [weight.numpy() for layer in normalizations for weight in layer.non_trainable_weights[-2:]]


start = model.get_weights()
statistics = moving_statistics()
compile_for_logits(recipe.fine_tuning_rate)
epochs_before = len(history["loss"])
fine_tuning = model.fit(
    train,
    validation_data=validation,
    initial_epoch=epochs_before,
    epochs=epochs_before + recipe.fine_tuning_epochs,
    callbacks=[StopAfter(recipe.minutes)],
    verbose=2,
)

# %% tags=["course"]
both = {name: history[name] + fine_tuning.history[name] for name in history}
plots.learning_curves(both, fine_tuning_from=epochs_before);

# %% [markdown]
# *Figure: accuracy and loss by epoch, training dashed and validation solid; a line marks where fine-tuning
# starts.*
#
# The training accuracy may dip at the line. The new optimizer knows nothing yet of the [gradients](glossary.ipynb#Gradient), so its first steps
# are as long as the rate allows, for every weight.
#
# Look at the validation loss as well as the accuracy. Where it rises while the training loss falls, the model
# learns its training pictures [by heart](glossary.ipynb#Overfitting).
#
# ## Did the statistics hold?
#
# **Predict:** how many of the [moving means and variances](glossary.ipynb#Moving-statistics) changed?

# %% tags=["nbval-check-output"]
changed = [
    not np.array_equal(old, new)
    for old, new in zip(statistics, moving_statistics(), strict=True)
]
print(sum(changed), "of the moving statistics changed")

# %% [markdown]
# None, to the bit: that is what `trainable = False` on these layers does.
#
# | both texts say | what is so |
# |---|---|
# | the base is called with `training=False`, so BatchNormalization keeps its statistics after unfreezing | In Keras 3, `fit` overrides that (lesson 1). With the tutorial's own code, statistics of 18 of the 52 layers changed. |
#
# ## Is it better?
#
# Both models saw the same validation pictures. So compare them [picture by picture](glossary.ipynb#Paired-comparison). Where both are right or
# both are wrong, you learn nothing about the difference.


# %%
def right(logits):
    """For each validation picture, whether it is named rightly."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0) == labels
    return logits.argmax(axis=1) == labels


tuned_logits = model.predict(validation, verbose=0)
frozen_right, tuned_right = right(frozen_logits), right(tuned_logits)
print(f"frozen {frozen_right.mean():.3f}, fine-tuned {tuned_right.mean():.3f}")
print("only the frozen one is right:    ", np.sum(frozen_right & ~tuned_right))
print("only the fine-tuned one is right:", np.sum(tuned_right & ~frozen_right))

# %% tags=["course"]
comparison = evaluation.compare(frozen_logits, tuned_logits, labels)
plots.pairs(comparison)
bands.check("fine-tuned", recipe.name, tuned_right.mean())

# %% [markdown]
# *Figure: on how many pictures only one of the two is right, and the difference in accuracy with its 95 %
# interval.*
#
# If the [interval](glossary.ipynb#Interval) reaches across 0, you have not shown that fine-tuning helps, nor that it harms: so small a gain
# may be luck. On photographs of cats and dogs it mostly is. ImageNet is full of them, and the frozen base leaves
# little to gain. On the drawings the gain is about 4 points (`benchmarks/README.md`). Lesson 7 says more of pairs.
#
# ## Four ways to spoil it
#
# Each of the next cells goes back to the weights before fine-tuning, takes five steps, and makes one mistake. The
# first try makes none, to compare with. The optimizer has memories, too: averages of past gradients. `back_to_start`
# sets them to zero.
#
# 1. A [learning rate](glossary.ipynb#Learning-rate) that is far too high.
# 2. A fresh, random head: you skip lesson 3 and unfreeze at once.
#
# **Predict:** which of the two is worse?


# %%
def back_to_start(rate):
    """The weights before fine-tuning, an optimizer without memories, and a rate."""
    model.set_weights(start)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    model.optimizer.learning_rate = rate


def few_steps():
    """Take five steps from where the model is; the accuracy on a part of the validation set."""
    model.fit(few, callbacks=[StopAfter(recipe.minutes / 10)], verbose=0)
    return model.evaluate(sample, verbose=0)[1]


few = train.unbatch().take(160).cache().batch(32)
sample = validation.shard(num_shards=max(1, len(validation) // 10), index=0)
results = {}

back_to_start(recipe.fine_tuning_rate)
results["no mistake"] = few_steps()

back_to_start(0.01)
results["rate 0.01"] = few_steps()

back_to_start(recipe.fine_tuning_rate)
kernel = keras.initializers.GlorotUniform(seed=1)(head.kernel.shape)
head.set_weights([kernel, np.zeros(head.bias.shape)])
results["fresh head"] = few_steps()
print({mistake: round(value, 3) for mistake, value in results.items()})

# %% [markdown]
# At the high rate, five steps are enough to wreck what the pretraining had learned. The low rate suits the base and
# is far too low for a new head. And while that head guesses, it sends its errors into the base. So: head first,
# each with a rate of its own.
#
# **3. BatchNormalization trains.** The exception is left out, as in both texts.

# %%
model.set_weights(start)
for layer in base.layers[recipe.unfreeze_from :]:
    layer.trainable = True
compile_for_logits(recipe.fine_tuning_rate)
results["BatchNormalization trains"] = few_steps()

changed = [
    not np.array_equal(old, new)
    for old, new in zip(statistics, moving_statistics(), strict=True)
]
print(f"{results['BatchNormalization trains']:.3f}, {sum(changed)} of {len(changed)} moving statistics changed")

# %% [markdown]
# ![BatchNormalization in training takes mean and variance of the batch at hand and moves its stored ones; in use it takes the stored ones; frozen it behaves as in use.](figures/batch_statistics.svg)
#
# In training, the layers now normalise with the batch at hand, not with the statistics that their weights
# were trained with. In batches of 32 that costs little or nothing in accuracy: compare with 'no mistake'. You may
# not see it. Frozen is the safe choice.
#
# **4. No `compile` after unfreezing.** The base is frozen, the head takes its steps, you unfreeze and go on.
# **Predict:** what moves in the second `fit`?

# %%
model.set_weights(start)
base.trainable = False
compile_for_logits(recipe.fine_tuning_rate)
model.fit(few, callbacks=[StopAfter(recipe.minutes / 10)], verbose=0)

base.trainable = True
base_before = base.get_weights()
results["not compiled again"] = few_steps()
moved = sum(
    not np.array_equal(old, new)
    for old, new in zip(base_before, base.get_weights(), strict=True)
)
print(f"{results['not compiled again']:.3f}, {moved} of {len(base_before)} arrays of the base moved")

# %% [markdown]
# Now from what you see to what was done.

# %% tags=["course"]
for mistake, value in results.items():
    bands.check(mistake, recipe.name, value)
panels.questions(exercises.base_stands_still, exercises.fit_and_evaluate_differ)

# %% [markdown]
# Two mistakes shout, two whisper. The high rate and the fresh head show at once. The drifting statistics and the
# forgotten `compile` hardly show in the accuracy; you find them when you look at the weights.
#
# ## Turn the knobs
#
# The panel fine-tunes on 200 pictures, so that a try takes seconds. Click a block of the network to unfreeze
# from there on. `depth` counts the same, in pieces from the end. **Try:** the same rate at the shallowest and at the greatest depth; a fresh head;
# BatchNormalization in [training mode](glossary.ipynb#Training-mode) with batches of 2.

# %% tags=["course"]
data = pictures.load(recipe.pictures, size=recipe.side, quiet=True)
panels.fine_tuning_panel(
    recipe.base,
    train=(data.train.images[:200], data.train.labels[:200]),
    validation=(data.validation.images[:200], data.validation.labels[:200]),
    depth=recipe.depth // 2,
    rate=recipe.fine_tuning_rate,
    names=(
        "data.train.images[:200]",
        "data.train.labels[:200]",
        "data.validation.images[:200]",
        "data.validation.labels[:200]",
    ),
)

# %% [markdown]
# *Figure: the panel: the controls, the network as blocks that are frozen or trainable, and the curves of a
# first run.*
#
# **Exercise.** This function is meant to make a model ready for fine-tuning from layer `first` of its base
# on. The model's head was trained with the base frozen. Four things are wrong with it.
#
# ```python
# def prepare(model, first):
#     base = model.get_layer("base")
#     for layer in base.layers:
#         if isinstance(layer, keras.layers.BatchNormalization):
#             layer.trainable = False
#     base.trainable = True
#     model.optimizer.learning_rate = 1e-3
# ```
#
# Write a sound one. The head trains, and of the base what begins with layer `first`, but no
# BatchNormalization. The loss is that of one logit. The base is ImageNet's, so the rate is 0.0001 at most.


# %% tags=["course"]
def prepare(model, first):
    """Make `model` ready to be fine-tuned from `model.get_layer("base").layers[first]` on."""
    ...


exercises.prepare_to_fine_tune.check(prepare)

# %% [markdown]
# Last, two decisions: read a curve, and choose for others.

# %% tags=["course"]
panels.questions(exercises.read_the_curve, exercises.how_far_to_unfreeze)

# %% [markdown]
# ## What you have seen
#
# - The order: trained head, unfreeze, BatchNormalization frozen, `compile`, small steps, go on.
# - One number says how far. 'From layer 100' and 'everything' are two of its values.
# - `trainable = False` on BatchNormalization holds its statistics to the bit; `training=False` does not.
# - Two models are compared on the same pictures, pair by pair.
# - Two mistakes shout, two whisper.
#
# ## On your own
#
# 1. Unfreeze everything, `recipe.unfreeze_from` or not, and look at the two curves of the loss.
# 2. Give the fresh head five epochs. Where does it end?
# 3. Make the third mistake in batches of 2: `few = train.unbatch().take(160).cache().batch(2)`.
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
# Next: [5. Run the frozen part once](05_run_the_frozen_part_once.ipynb)
