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
# **What you'll do.** You open a network that already knows a lot, choose what of it may change, train, and
# prove what moved and what did not.
#
# **What you'll learn.** What *trainable* and *non-trainable* weights are; what `trainable = False` does and
# when it takes effect; how it differs from `training=False`; and why BatchNormalization needs care.
#
# **What you'll need.** Python and a first acquaintance with Keras. Take about 30 minutes; all cells
# together run in about 10 seconds on two CPU cores.
#
# Two texts are followed and checked throughout: *the tutorial*, TensorFlow's
# [Transfer learning and fine-tuning](https://www.tensorflow.org/tutorials/images/transfer_learning), and *the
# article*, one of those written after Keras's guide
# [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/).

# %% tags=["course"]
from helpers import panels, plots, recipes
from helpers.exercises import lesson_1 as exercises

recipe = recipes.chosen()
recipe

# %% [markdown]
# ## A cat, and a network that was never asked for one
#
# Below is a picture that you will teach a network to name, and the network: a *[base](glossary.ipynb#Base)* that was trained on other
# pictures. It has learned to see. You keep what it knows, put a small new *[head](glossary.ipynb#Head)* on top, and train.
#
# **Predict:** which share of all [parameters](glossary.ipynb#Parameter) will you train?

# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)

network = getattr(keras.applications, recipe.network)
base = network(
    input_shape=(*recipe.image_size, 3),
    include_top=False,
    weights=recipe.weights,
    **recipe.options,
)
head = keras.layers.Dense(1)
head.build((None, base.output_shape[-1]))

plots.pictures([recipe.example()], columns=1)
print(f"base: {base.count_params():,} parameters in {len(base.layers)} layers")
print(f"head: {head.count_params():,} parameters")

# %% [markdown]
# *Figure: one of the pictures of your recipe.*
#
# The head is less than a hundredth of the whole. There are two ways to use a base, and both texts take them one after
# the other. In *feature extraction* only the head trains, and the base is *[frozen](glossary.ipynb#Frozen)*. In *[fine-tuning](glossary.ipynb#Fine-tuning)* the end of
# the base trains as well.
#
# ![Two ways. Feature extraction: the base is frozen and only the head trains. Fine-tuning: the end of the base trains with the head.](figures/two_ways.svg)
#
# **Try:** click a block of the base. From there on it trains, and the line below says how many parameters that
# is. Where do most of them lie?

# %% tags=["course"]
panels.freezing_panel(base)

# %% [markdown]
# *Figure: the base as blocks, the first on the left. The more parameters a block has, the higher it is (by their
# square root); `12²` is the size of the grid that it gives on.*
#
# The code below the blocks sets one attribute, `trainable`. The rest of this lesson is about what that does.
#
# ## Three lists of weights
#
# Every layer has the lists `weights`, `trainable_weights` and `non_trainable_weights`. Keras calls an array a
# *[weight](glossary.ipynb#Weight)*. A single number in it is a *parameter*. **Predict:** how many weights does a Dense layer have? And
# [BatchNormalization](glossary.ipynb#BatchNormalization), which shifts and scales what comes in?


# %% tags=["nbval-check-output"]
def show(layer):
    """Print a layer's weights, and how many there are in each of the three lists."""
    for weight in layer.weights:
        print(f"  {weight.name:16} {weight.shape!s:8} trainable: {weight.trainable}")
    lists = layer.weights, layer.trainable_weights, layer.non_trainable_weights
    print(type(layer).__name__, [len(each) for each in lists])


dense = keras.layers.Dense(units=3)
dense.build((None, 4))
show(dense)

normalization = keras.layers.BatchNormalization()
normalization.build((None, 4))
show(normalization)

# %% [markdown]
# Dense has two, the [kernel](glossary.ipynb#Kernel) and the bias, and both train. BatchNormalization has four, of which two train. `gamma`
# and `beta` follow the gradient. The moving mean and the moving variance do
# not: the layer keeps them itself, as running averages of what passes through. So *non-trainable* does not mean
# *constant*. It means that no gradient reaches the weight.
#
# | what the article says | what is so |
# |---|---|
# | All layers are trainable but BatchNormalization. | BatchNormalization has both kinds of weights, two and two. Many layers, such as pooling, have none. |
#
# Look for yourself. Pick BatchNormalization and untick *trainable*: which weights change their kind?

# %% tags=["course"]
pictures_in = (None, 16, 16, 3)
layers = {
    "Conv2D": keras.layers.Conv2D(4, 3),
    "BatchNormalization": keras.layers.BatchNormalization(),
    "SeparableConv2D": keras.layers.SeparableConv2D(4, 3),
    "LayerNormalization": keras.layers.LayerNormalization(),
    "Dropout": keras.layers.Dropout(0.5),
}
for layer in layers.values():
    layer.build(pictures_in)
panels.layer_explorer(layers)

# %% [markdown]
# ## Freeze
#
# **Predict:** you freeze both layers. What do the three lists say? Then a base, which sits in your model as if it
# were one layer: you freeze it with one line. How many weights of the whole model still train?

# %% tags=["nbval-check-output"]
dense.trainable = False
normalization.trainable = False
show(dense)
show(normalization)

model = keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), head])
base.trainable = True
base.trainable = False
print("the model:", [weight.path for weight in model.trainable_weights])

# %% [markdown]
# No weight is gone. Freezing moves them from one list to the other, and the [optimizer](glossary.ipynb#Optimizer) gets the trainable list and
# nothing else. Of the model, the head's two remain: setting `trainable` on the base also set it on every layer inside, however deep.
#
# ## Does frozen stay frozen?
#
# Do not believe it. Train a small model with its first layer frozen, and keep copies from before.

# %%
inputs = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
targets = inputs.sum(axis=1, keepdims=True)


def two_layers():
    """A new model of two Dense layers, always with the same first weights."""
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
        ]
    )


model = two_layers()
first, second = model.layers
first.trainable = False
model.compile(optimizer="adam", loss="mean_squared_error")

first_before, second_before = first.kernel.numpy(), second.kernel.numpy()
model.fit(inputs, targets, epochs=2, verbose=0);

# %% [markdown]
# `assert_array_equal` compares number by number and raises an error at the first difference. The article
# compares with `a.all() == b.all()`. **Predict** what each says of the layer that trained.

# %% tags=["nbval-check-output"]
np.testing.assert_array_equal(first.kernel.numpy(), first_before)
print("the frozen layer is equal to the bit")

before, after = second_before, second.kernel.numpy()
print("np.array_equal(before, after):  ", np.array_equal(before, after))
print("before.all() == after.all():    ", bool(before.all() == after.all()))

# %% [markdown]
# The layer moved, and the article's line says that it did not.
#
# | what the article says | what is so |
# |---|---|
# | `assert a.all() == b.all()` shows that the frozen layer has not changed. | `a.all()` asks whether every number is other than zero. That is so before and after any training, so the line compares `True` with `True`. |
#
# A check that cannot fail checks nothing. Try each check once on a case where it must say no, as you just did.
#
# **Exercise.** Write a check that can fail. `unchanged(before, after)` gets two lists of equally many arrays. It
# returns `True` if each array is equal, number by number, to the one at its place in the other list. It returns
# `False` if a single number differs, however little. A NaN that stayed a NaN counts as unchanged.
#
# Stuck? `exercises.unchanged.hint()` gives one hint after another, `exercises.unchanged.solution()` an answer.
# Every exercise of the course has both.


# %% tags=["course"]
def unchanged(before, after):
    """Whether all arrays are as they were."""
    ...


exercises.unchanged.check(unchanged)

# %% [markdown]
# ## `trainable` is not `training`
#
# | | set where | the question |
# |---|---|---|
# | `layer.trainable` | on the layer, before `compile` | may training change this layer's weights? |
# | `training=` | in a call, `layer(x, training=True)` | is this call a part of training, or use? |
#
# Dropout has no weights and sets numbers to zero in training. BatchNormalization subtracts the mean of its batch in
# training, and its stored mean in use. **Predict:** both layers are frozen and called with `training=True`.
# Which of them does what it does in training?

# %% tags=["nbval-check-output"]
fives = np.full((16, 4), 5.0, dtype="float32")
dropout = keras.layers.Dropout(rate=0.5, seed=0)
dropout.trainable = False
print("frozen Dropout still drops:", bool((dropout(fives, training=True).numpy() == 0).any()))

for trainable in (False, True):
    normalization.trainable = trainable
    output = normalization(fives, training=True).numpy()
    print(f"BatchNormalization, trainable {trainable!s:5}: 5 becomes {output.mean():.1f}")

# %% [markdown]
# Dropout goes on dropping. BatchNormalization is the one exception in Keras, and it is deliberate: frozen, it uses
# its stored statistics even in training. These are still 0 and 1 here, so 5 stays 5.
#
# ![Above, a batch in training: the layer subtracts the mean of that batch. Below, in use or frozen: it subtracts the stored moving mean.](figures/batch_statistics.svg)
#
# ## A change after the first `fit`
#
# You freeze or unfreeze a layer *after* a first `fit` and call `fit` again. **Predict:** does the change count?


# %% tags=["nbval-check-output"]
def first_layer_moves(at_compile, later, compile_again):
    """Whether the first layer moves in a second `fit`, after `trainable` was changed."""
    model = two_layers()
    first = model.layers[0]
    first.trainable = at_compile
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(inputs, targets, verbose=0)

    first.trainable = later
    if compile_again:
        model.compile(optimizer="sgd", loss="mean_squared_error")
    before = first.kernel.numpy()
    model.fit(inputs, targets, verbose=0)
    return not np.array_equal(before, first.kernel.numpy())


print("frozen late:                  moves:", first_layer_moves(True, False, False))
print("unfrozen late:                moves:", first_layer_moves(False, True, False))
print("unfrozen, and compiled again: moves:", first_layer_moves(False, True, True))

# %% [markdown]
# The late change is ignored without a word. The first `fit` made a graph of the training step with the weights
# that were trainable then, and later ones use that graph. So the rule is short: **change `trainable`, then
# compile**.
#
# **Exercise.** `unfreeze_first(model)` gets a model that was compiled and fitted with its layer `"first"` frozen.
# Return the model with what it has learned, ready for a `fit` in which both layers move. It predicts numbers, so
# the loss is that of above.


# %% tags=["course"]
def unfreeze_first(model):
    """The model; in its next `fit` the layer 'first' moves, too."""
    ...


exercises.unfreeze_first.check(unfreeze_first)

# %% [markdown]
# ## Does `training=False` hold the statistics?
#
# Both texts call the base as `base(x, training=False)`. They say that its BatchNormalization layers then stay as in
# use, even once the base is unfrozen. Measure it. The small base below holds one BatchNormalization, whose moving
# mean is 0, and the inputs have the mean 5. A step in training keeps 0.99 of the moving mean and adds 0.01 of the
# batch's, and there are eight steps. **Predict** the moving mean after `fit`.


# %% tags=["nbval-check-output"]
def moving_mean_after_fit(freeze):
    """The moving mean of a BatchNormalization in a base that is called with `training=False`."""
    layer = keras.layers.BatchNormalization()
    small_base = keras.Sequential([keras.Input(shape=(4,)), layer])
    model_input = keras.Input(shape=(4,))
    features = small_base(model_input, training=False)
    model = keras.Model(model_input, keras.layers.Dense(1)(features))

    layer.trainable = not freeze
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(inputs + 5.0, targets, verbose=0)
    return layer.moving_mean.numpy()


drifted, held = moving_mean_after_fit(freeze=False), moving_mean_after_fit(freeze=True)
print("training=False in the call:      ", drifted.round(1))
print("and trainable = False on it:     ", held.round(1))

# %% [markdown]
# | what both texts say | what is so |
# |---|---|
# | `training=False` in the call keeps BatchNormalization as in use after you unfreeze. | Not in Keras 3. `fit` calls your model with `training=True`, and that overrides what you gave to the base. The moving mean drifts. |
#
# What does hold it is `trainable = False` on the BatchNormalization layer, set before `compile`.
# In a frozen base this happens by itself. It matters once you unfreeze, in lesson 4.
#
# <details><summary>Three edge cases of <code>trainable</code></summary>
# <p><b>The order.</b> <code>base.trainable = True</code> overwrites what you set on the layers inside. So unfreeze
# the whole first, then freeze the exceptions.</p>
# <p><b>The same value again.</b> If <code>base.trainable</code> is <code>True</code> already, <code>base.trainable =
# True</code> does nothing. The layers inside are not visited, and frozen ones stay frozen. In doubt, loop over the
# layers and set each.</p>
# <p><b>A frozen model with a layer that trains.</b> <code>base.trainable_weights</code> is empty, whatever a layer
# inside says. But the model around it asks every layer itself, and names that layer's weights. What counts is
# <code>model.trainable_weights</code> of the model that you compile.</p>
# </details>
#
# **Exercise**, for which you need the three edge cases: open them. Write `freeze_all_but(model, name)`. Afterwards the layer of
# `model.layers` called `name` can train, with all that is inside it. Nothing else in the model can. It works
# whatever was frozen before, and a second time. A layer can be a model with layers of its own. To reach them
# all, the function calls itself.


# %% tags=["course"]
def freeze_all_but(model, name):
    """Freeze all layers of the model but the one of this name."""
    ...


exercises.freeze_all_but.check(freeze_all_but)

# %% [markdown]
# ## What you have seen
#
# - A base holds nearly all parameters. The head that you train holds less than a hundredth.
# - Dense has 2 weights, and both train. BatchNormalization has 4, and 2 train. Many layers have none.
# - `trainable = False` moves weights to the other list, all the way down. It counts from the next `compile` on.
# - Frozen weights are equal to the bit after training. Check it with a comparison that can fail.
# - `training=False` does not keep BatchNormalization still under `fit`. `trainable = False` does.
#
# ## On your own
#
# 1. Change one number of the array `before` so that the article's line gives `False`. Which value does it take?
#    What does that say about the line?
# 2. LayerNormalization is a near relative of BatchNormalization. Pick it in the panel. Is there a weight that
#    could drift?
# 3. Leave `compile` out once more, with the optimizer "adam", and give the second `fit` batches of another size:
#    `model.fit(inputs[:50], targets[:50])`. You get an error. Why is that better than silence?
#
# ## Further reading
#
# - Keras guide: [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/)
# - Keras reference:
#   [BatchNormalization](https://keras.io/api/layers/normalization_layers/batch_normalization/), at its end on
#   `layer.trainable = False`
# - Keras issue [20285](https://github.com/keras-team/keras/issues/20285), on the overridden `training=False`
#
# Next: [2. Download and look at data](02_download_and_look_at_data.ipynb)
