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
# # 1. Inspect trainable weights
#
# **What you'll do.** You open layers and models, list their weights, freeze some of them, train,
# and prove which weights moved and which did not.
#
# **What you'll learn.** What *trainable* and *non-trainable* weights are; what `trainable = False`
# does and when it takes effect; how it differs from `training=False`; and why
# BatchNormalization needs care in transfer learning.
#
# **What you'll need.** Python and a first acquaintance with Keras. Nothing is downloaded. All
# cells together run in about 15 seconds on two CPU cores.
#
# Two texts are followed and checked throughout: *the tutorial*, TensorFlow's
# [Transfer learning and fine-tuning](https://www.tensorflow.org/tutorials/images/transfer_learning),
# and *the article*, one of those written after Keras's guide
# [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/).

# %% [markdown]
# ## A picture first
#
# Transfer learning takes a network that was trained on one task, keeps most of its weights as they
# are, and trains the rest on another task. So the first question about any model is: which of its
# weights can training change? Here is a small network for pictures. You read its answer off a
# figure.

# %%
import keras
import numpy as np

from helpers import panels, plots, weights
from helpers.exercises import lesson_1 as exercises

keras.utils.set_random_seed(0)
print("Keras", keras.__version__, "on", keras.backend.backend())

# %%
network = keras.Sequential(
    [
        keras.Input(shape=(32, 32, 3)),
        keras.layers.Conv2D(filters=16, kernel_size=3, use_bias=False, name="convolution"),
        keras.layers.BatchNormalization(name="normalization"),
        keras.layers.ReLU(name="activation"),
        keras.layers.GlobalAveragePooling2D(name="pooling"),
        keras.layers.Dense(units=10, name="classes"),
    ],
    name="small_network",
)
plots.network(network);
# %% [markdown]
# *Figure: one bar a layer, as wide as the layer has parameters. The convolution is all trainable,
# the normalization is half and half, the last layer is all trainable.*
#
# Two layers are missing: the activation and the pooling hold no weights at all. And one bar has two
# colours. You find out why in a moment.

# %% [markdown]
# ## The weights of a Dense layer
#
# Every layer keeps three lists: `weights`, and its two parts `trainable_weights` and
# `non_trainable_weights`. A layer gets its weights when it learns the shape of its input, which
# `build` tells it here.
#
# **Predict:** how many weights, as arrays, does a Dense layer have, and how many of them train?

# %%
dense = keras.layers.Dense(units=3)
dense.build((None, 4))

for weight in dense.weights:
    print(weight.name, tuple(weight.shape))

# %% tags=["nbval-check-output"]
print("weights:", len(dense.weights))
print("trainable:", len(dense.trainable_weights))
print("non-trainable:", len(dense.non_trainable_weights))

# %% [markdown]
# Two arrays, the kernel and the bias, and both train: 2, 2, 0. A kernel of shape `(4, 3)` and a
# bias of shape `(3,)` hold 15 single numbers. Keras calls an array a *weight* and a single number in
# it a *parameter*; this course does the same.

# %% [markdown]
# ## The weights of a BatchNormalization layer
#
# **Predict:** BatchNormalization shifts and scales its input. Which weights does it need, and does
# gradient descent train all of them?

# %%
normalization = keras.layers.BatchNormalization()
normalization.build((None, 4))

weights.table(normalization)

# %% tags=["nbval-check-output"]
print("weights:", len(normalization.weights))
print("trainable:", len(normalization.trainable_weights))
print("non-trainable:", len(normalization.non_trainable_weights))

# %% [markdown]
# Four arrays: 4, 2, 2. `gamma` and `beta` are trained by gradient descent. The moving mean and the
# moving variance are not: the layer itself keeps them up to date while a model trains, as running
# averages of what passes through. *Non-trainable* therefore does not mean *constant*. It means
# that no gradient reaches the weight. A question on that, to click:

# %%
panels.question(exercises.arrays_that_stay)

# %% [markdown]
# You may read that 'all layers but BatchNormalization are trainable'. Closer to the truth:
# BatchNormalization is the common layer that has both kinds of weights, and many layers have none.
# Look for yourself.

# %%
batch_of_vectors, batch_of_pictures = (None, 8), (None, 16, 16, 3)
layers = {
    "Dense": (keras.layers.Dense(4), batch_of_vectors),
    "Conv2D": (keras.layers.Conv2D(4, 3), batch_of_pictures),
    "DepthwiseConv2D": (keras.layers.DepthwiseConv2D(3), batch_of_pictures),
    "SeparableConv2D": (keras.layers.SeparableConv2D(4, 3), batch_of_pictures),
    "BatchNormalization": (keras.layers.BatchNormalization(), batch_of_pictures),
    "LayerNormalization": (keras.layers.LayerNormalization(), batch_of_pictures),
    "Embedding": (keras.layers.Embedding(input_dim=100, output_dim=4), batch_of_vectors),
    "Dropout": (keras.layers.Dropout(0.5), batch_of_vectors),
}
for layer, shape in layers.values():
    layer.build(shape)

panels.layer_explorer({name: layer for name, (layer, shape) in layers.items()})

# %% [markdown]
# Pick each of the eight layers from the list and read its weights. Then pick BatchNormalization and
# untick *trainable*. Which two weights change their kind?

# %% [markdown]
# ## Freeze a layer
#
# Setting `trainable = False` freezes a layer. **Predict:** what happens to each of the three lists?

# %% tags=["nbval-check-output"]
dense.trainable = False
normalization.trainable = False

for layer in (dense, normalization):
    print(
        type(layer).__name__,
        len(layer.weights),
        len(layer.trainable_weights),
        len(layer.non_trainable_weights),
    )

# %% [markdown]
# No weight disappears. Freezing only moves weights from one list to the other: 2, 0, 2 for the
# Dense layer and 4, 0, 4 for BatchNormalization. The optimizer is given the trainable list and
# nothing else.

# %% [markdown]
# ## Freezing is recursive
#
# A pretrained network usually sits inside your model as if it were one layer. Here an inner model
# with two layers stands for it.

# %%
inner = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.Dense(8, name="inner_dense"),
        keras.layers.BatchNormalization(name="inner_normalization"),
    ],
    name="inner",
)
outer = keras.Sequential(
    [keras.Input(shape=(4,)), inner, keras.layers.Dense(1, name="head")], name="outer"
)

# %% [markdown]
# **Exercise.** Before you read on: how many parameters does `outer` hold, and how many of them
# train? Put two numbers in place of the dots and run the cell. If you are stuck,
# `exercises.nested_counts.hint()` gives one hint after another, and
# `exercises.nested_counts.solution()` shows an answer; every exercise of the course has both.

# %%
answer = ...  # (in all, trainable)
exercises.nested_counts.check(answer)

# %% [markdown]
# Compare your count with the figure.

# %%
plots.network(outer);
# %% [markdown]
# *Figure: the three layers of the nested model. The normalization inside is half trainable.*
#
# **Predict:** the model holds 40 + 32 + 9 parameters. How many are left to train once `inner` is
# frozen?

# %% tags=["nbval-check-output"]
print("before:", weights.count(outer))
inner.trainable = False
print("after: ", weights.count(outer))

# %% [markdown]
# Only the head's 8 weights and 1 bias remain. The setting went down into every layer of the inner
# model, at any depth.
#
# Unfreezing is recursive too, and that can surprise you. Suppose you unfreeze the inner model
# but want its normalization to stay frozen. **Predict:** does the order of the two lines matter?

# %% tags=["nbval-check-output"]
inner_normalization = inner.get_layer("inner_normalization")

inner_normalization.trainable = False
inner.trainable = True
print("the exception, then the model:", inner_normalization.trainable)

inner_normalization.trainable = False
print("the model, then the exception:", inner_normalization.trainable)

# %% [markdown]
# It does. `inner.trainable = True` overwrote the setting of every layer inside, so the exceptions
# come last.
#
# The model is unfrozen now and its normalization frozen. **Predict:** what does the model's line do
# if you run it once more?

# %% tags=["nbval-check-output"]
inner.trainable = True
print("the model once more:          ", inner_normalization.trainable)

# %% [markdown]
# Nothing. `inner.trainable` was `True` already, and with TensorFlow as its backend, Keras passes over
# an assignment that would not change the value: the layers inside are not visited. So the same line
# sometimes overwrites and sometimes does not, depending on what came before. In a notebook, where
# cells are run again, that is a trap. The way out is to say, in a loop, for each layer what you
# want. Lesson 4 does it so.
#
# A second trap lies the other way round. **Predict:** a frozen model holds a layer whose own
# `trainable` is `True`. Does the model hand that layer's weights to the optimizer?

# %% tags=["nbval-check-output"]
inner.trainable = False
inner_dense = inner.get_layer("inner_dense")
inner_dense.trainable = True
print("trainable arrays of the layer:", len(inner_dense.trainable_weights))
print("trainable arrays of the model:", len(inner.trainable_weights))

# %% [markdown]
# It does not: a frozen model names no trainable weights, whatever its layers say. But the optimizer
# asks the model that you compile, and that is `outer`. **Predict:** what does `outer` name?

# %% tags=["nbval-check-output"]
for weight in outer.trainable_weights:
    print(weight.path)

# %% [markdown]
# The layer inside as well. `outer` asks every layer, at any depth, and does not mind that the model
# between them is frozen. So look at the `trainable_weights` of the model that you compile; what a part
# of it says of itself is not what trains.
#
# **Exercise.** Write `freeze_all_but(model, name)`. Afterwards the layer of `model.layers` that is
# called `name` can train, with everything inside it if it is a model itself, and nothing else in the
# model can. It has to work whatever was frozen before, and when it is called again, with the same
# name or with another. `model.get_layer(name)` finds a layer. What is a model itself has `layers` of
# its own, so a function that visits every depth calls itself for these. The models that your function
# is tried on come with both traps.


# %%
def freeze_all_but(model, name):
    """Freeze all layers of the model but the one of this name."""
    ...


exercises.freeze_all_but.check(freeze_all_but)

# %% [markdown]
# ## Does frozen stay frozen?
#
# You train a model of two Dense layers with the first one
# frozen, and keep copies of its weights from before.

# %%
inputs = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
targets = inputs.sum(axis=1, keepdims=True)


def two_layers():
    """A new model of two Dense layers, always with the same initial weights."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, activation="relu", name="first"),
            keras.layers.Dense(1, name="second"),
        ]
    )


model = two_layers()
first, second = model.get_layer("first"), model.get_layer("second")
first.trainable = False
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mean_squared_error")

first_before = [weight.numpy() for weight in first.weights]
second_before = [weight.numpy() for weight in second.weights]
history = model.fit(inputs, targets, epochs=5, verbose=0)
print(f"loss: {history.history['loss'][0]:.2f} in epoch 1, {history.history['loss'][-1]:.2f} in 5")

# %% [markdown]
# The loss fell, so something moved. `assert_array_equal` compares two arrays number by number and
# raises an error at the first difference.

# %% tags=["nbval-check-output"]
for before, weight in zip(first_before, first.weights, strict=True):
    np.testing.assert_array_equal(weight.numpy(), before)
    print("first:", weight.name, "is equal to the bit")

for before, weight in zip(second_before, second.weights, strict=True):
    assert not np.array_equal(weight.numpy(), before)
    print("second:", weight.name, "moved")

# %% [markdown]
# The frozen layer is the same to the last bit; the other one moved.
#
# The article makes this check with `a.all() == b.all()`. **Predict:** what does that say
# about the second layer, whose weights did change?

# %% tags=["nbval-check-output"]
before, after = second_before[0], second.kernel.numpy()
print("a.all() == b.all():    ", bool(before.all() == after.all()))
print("np.array_equal(a, b):  ", np.array_equal(before, after))

# %% [markdown]
# It says `True`, 'unchanged', for weights that did change. `a.all()` asks whether every number in
# the array is other than zero. That is so before and after any training, so the line compares
# `True` with `True`. A check that cannot fail checks nothing: try each check once on a case where
# it must say no, as you just did.
#
# **Exercise.** Write a check that can fail. `unchanged(before, after)` gets two lists of equally many
# arrays. It returns `True` if each array of the first list is equal, number by number, to the one at
# its place in the second, and `False` if a single number differs, however little. A NaN is not equal
# to itself; here one that stayed a NaN counts as unchanged, as it does for
# `np.array_equal(a, b, equal_nan=True)`.


# %%
def unchanged(before, after):
    """Whether all arrays are as they were."""
    ...


exercises.unchanged.check(unchanged)

# %% [markdown]
# From here on, `weights.snapshot` and `weights.compare` do the bit-by-bit comparison for all arrays
# of a model.

# %%
before = weights.snapshot(model)
model.fit(inputs, targets, epochs=1, verbose=0)
weights.compare(before, model)

# %% [markdown]
# ## `trainable` is not `training`
#
# The two words look alike and do different things.
#
# | | set where | answers the question |
# |---|---|---|
# | `layer.trainable` | on the layer, before `compile` | may training change this layer's weights? |
# | `training=` | in a call, `layer(x, training=True)` | is this call part of training or of use? |
#
# Dropout shows that they are independent. In a training call it sets each number to zero with
# probability 0.5 and doubles the others, so that the mean stays about the same. What does freezing
# change about it? Choose first.

# %%
panels.question(exercises.frozen_dropout)

# %% [markdown]
# Now look. **Predict** the three lines.

# %%
dropout = keras.layers.Dropout(rate=0.5, seed=0)
ones = np.ones((1, 8), dtype="float32")

print("in use:                ", dropout(ones, training=False).numpy())
print("in training:           ", dropout(ones, training=True).numpy())
dropout.trainable = False
print("in training, 'frozen': ", dropout(ones, training=True).numpy())

# %% [markdown]
# `trainable = False` leaves Dropout's behaviour alone: it has no weights, so the setting has nothing
# to say. There is one exception in Keras, and it is
# deliberate: a *frozen BatchNormalization* also stops behaving as in training.

# %% tags=["nbval-check-output"]
far_off = np.full((16, 4), 5.0, dtype="float32")
normalization = keras.layers.BatchNormalization()
normalization.build((None, 4))

for trainable in (True, False):
    normalization.trainable = trainable
    output = normalization(far_off, training=True).numpy()
    print(f"trainable {trainable!s:5}  output {output.mean():.1f}")

# %% [markdown]
# Unfrozen and in training, the layer subtracts the mean of the batch it sees, and 5 becomes 0.
# Frozen, it uses its stored moving mean, which is still close to its start at 0, and 5 stays
# about 5. For BatchNormalization, and only there, `trainable = False` also means 'as in use'.

# %% [markdown]
# ## Too late: `trainable` after `compile`
#
# The guides say: compile again after changing `trainable`. What happens if you forget? You change
# the first layer after `compile`, either before or after a first `fit`, and look whether it moves
# in the next `fit`. **Predict** the four answers.


# %% tags=["nbval-check-output"]
def first_layer_moves(trainable_at_compile, trainable_later, fit_before):
    """Whether the first layer moves in a `fit` without a second `compile`."""
    model = two_layers()
    first = model.get_layer("first")
    first.trainable = trainable_at_compile
    model.compile(optimizer="sgd", loss="mean_squared_error")
    if fit_before:
        model.fit(inputs, targets, verbose=0)
    first.trainable = trainable_later
    before = weights.snapshot(first)
    model.fit(inputs, targets, verbose=0)
    return bool(weights.compare(before, first).moved)


for fit_before in (False, True):
    for later in (False, True):
        moves = first_layer_moves(not later, later, fit_before)
        when = "after a first fit" if fit_before else "before any fit   "
        print(f"{when}  trainable {not later!s:5} -> {later!s:5}  moves: {moves}")

# %% [markdown]
# Before any `fit`, the change counts although nobody compiled again. After a first `fit`, it is
# ignored without a word: a layer that you froze goes on moving, and one that you unfroze stays
# where it is. The reason: the first `fit` traces the training step into a graph with the trainable
# weights of that moment, and later `fit`s use that graph.
#
# It can get stranger. If a later batch has a new shape, Keras traces the step again and now meets
# weights that the optimizer does not know.

# %%
model = two_layers()
model.get_layer("first").trainable = False
model.compile(optimizer="adam", loss="mean_squared_error")
model.fit(inputs, targets, batch_size=32, verbose=0)

model.get_layer("first").trainable = True
try:
    model.fit(inputs[:50], targets[:50], batch_size=32, verbose=0)  # its last batch holds 18
    unknown_variable = False
except ValueError as error:
    unknown_variable = "Unknown variable" in str(error)
    print(*str(error).split(". "), sep=".\n")

# %% tags=["nbval-check-output"]
print("refused as an unknown variable:", unknown_variable)

# %% [markdown]
# This is the lucky case, for the error tells you. So the rule is simple: **whenever you change
# `trainable`, compile again**.
#
# The unlucky case is the usual one. What does it look like, once there is a base and a head?

# %%
panels.question(exercises.late_unfreezing)

# %% [markdown]
# **Exercise.** `unfreeze_first(model)` gets a model like those of `two_layers`, which was compiled
# and fitted with its layer `"first"` frozen. Return the model, with the weights that it has learned,
# ready for a `fit` in which both layers move. It predicts numbers, so the loss is that of above.


# %%
def unfreeze_first(model):
    """The model; in its next `fit` the layer 'first' moves, too."""
    ...


exercises.unfreeze_first.check(unfreeze_first)

# %% [markdown]
# ## The statistics that drift
#
# Many guides call a pretrained base as `base(x, training=False)` and say
# that its BatchNormalization layers therefore stay as in use, even after you unfreeze the base.
# Measure it. The inner model below holds one BatchNormalization layer, is called with
# `training=False`, and is fitted on inputs whose mean is 5. If the claim holds, the moving mean
# stays at 0.


# %%
def moving_mean_after_fit(freeze):
    """The moving mean of a BatchNormalization inside a model after one epoch."""
    keras.utils.set_random_seed(2)
    base = keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization(name="normalization")]
    )
    model_input = keras.Input(shape=(4,))
    features = base(model_input, training=False)
    model = keras.Model(model_input, keras.layers.Dense(1)(features))

    normalization = base.get_layer("normalization")
    normalization.trainable = not freeze
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(inputs + 5.0, targets, epochs=1, batch_size=32, verbose=0)
    return normalization.moving_mean.numpy()


only_training_false = moving_mean_after_fit(freeze=False)
also_frozen = moving_mean_after_fit(freeze=True)
print("called with training=False:       ", only_training_false.round(2))
print("and trainable = False on the layer:", also_frozen.round(2))

# %% tags=["nbval-check-output"]
print("training=False holds the statistics:   ", bool((only_training_false == 0).all()))
print("trainable = False holds the statistics:", bool((also_frozen == 0).all()))

# %% [markdown]
# The claim does not hold in Keras 3. `fit` calls the outer model with `training=True`, and that
# overrides the `training=False` which you gave to the inner model when you built it. The moving
# mean drifts towards 5. What does hold is `trainable = False` on the BatchNormalization layer
# itself, set before `compile`.
#
# In a frozen base this happens by itself, since freezing the base freezes its BatchNormalization
# layers. It matters once you unfreeze: lesson 4 unfreezes part of a base, keeps every
# BatchNormalization in it frozen, and measures both ways.
#
# **Exercise.** Write the function that fine-tuning needs: `prepare(model)` compiles the model so that
# in the next `fit` all Dense layers move and no BatchNormalization does. It is tried on models that
# come partly frozen, and on models with models inside. Three things help:
#
# - `isinstance(layer, keras.layers.BatchNormalization)` says whether a layer is one.
# - A model has a list `layers`, other layers have none: `hasattr(layer, "layers")` tells them apart.
# - A function that calls itself for each layer of a model gets to the bottom.
#
# The models predict numbers again.


# %%
def prepare(model):
    """Unfreeze all layers but BatchNormalization, at any depth, and compile."""
    ...


exercises.still_statistics.check(prepare)

# %% [markdown]
# ## What you have seen
#
# - A layer's weights fall into two lists: Dense 2, 2, 0; BatchNormalization 4, 2, 2; many layers
#   have none.
# - `trainable = False` moves weights to the other list, on all layers inside. A later
#   `trainable = True` on the model overwrites an exception on a layer, but only if it changes the
#   model's own value. What trains is what the model that you compile names, frozen models inside
#   it or not.
# - Frozen weights are equal to the bit after training. Check it with a comparison that can fail.
# - A change of `trainable` after a first `fit` counts only after `compile`.
# - `training=False` in a call does not protect BatchNormalization from `fit`; `trainable = False`
#   on the layer does.
#
# ## On your own
#
# 1. Freeze only the convolution of `network`, the model at the top of this lesson, and fit it on
#    pictures of random numbers. Prove with `weights.snapshot` and `weights.compare` what moved.
# 2. Change one number of the array `before`, in the cell that prints `a.all() == b.all()`, so that
#    the article's line gives `False`. What must you change it to, and what does that say about the
#    line?
# 3. LayerNormalization is a near relative of BatchNormalization. List its weights with
#    `weights.table`. Is there one that could drift?
#
# ## Further reading
#
# - Keras guide: [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/)
# - Keras reference:
#   [BatchNormalization](https://keras.io/api/layers/normalization_layers/batch_normalization/), at
#   its end on setting `layer.trainable = False`
# - Keras issue [20285](https://github.com/keras-team/keras/issues/20285), where the overridden
#   `training=False` is reported
#
# Next: [2. Download and look at data](02_download_and_look_at_data.ipynb)
