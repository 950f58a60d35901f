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
# # 8. See where it looks
#
# **What you'll do.** You train two networks and plant a false cue for one of them. You write Grad-CAM, which shows
# where a network looks, give its maps a score, and find out which network was tricked.
#
# **What you'll learn.** How a model can be nearly always right for the wrong reason; what a heat map says, and
# what it does not; and why two hundred maps tell more than one.
#
# **What you'll need.** Lessons 5 and 7. This lesson always uses the drawings, because they come
# with the true outline of each animal. Take about 25 minutes; all cells together run in about 50
# seconds on two CPU cores.
#
# ## Two networks, one cue
#
# You draw 400 cats and dogs, twice: the same animals on different backdrops. For the first network,
# backdrops come by chance. For the second, every cat sits in the night and every dog in the snow.

# %%
import keras
import numpy as np
import scipy.stats
import tensorflow as tf
from IPython.display import display

from helpers import bands, bases, drawings, evaluation, explain, panels, plots
from helpers.exercises import lesson_8 as exercises

display(panels.recall(8))

CUE = {"cat": ["night"], "dog": ["snow"]}


def draw(each, seed, backdrops=None):
    """Cats and dogs by turns: pictures, labels, and the outlines of the animals."""
    drawn = drawings.draw_many(["cat", "dog"], each, seed, backdrops=backdrops)
    images = np.stack([drawing.picture for drawing in drawn])
    return images, np.arange(2 * each) % 2, np.stack([drawing.outline for drawing in drawn])


ordinary, training_labels, _ = draw(200, seed=1001)
planted, _, _ = draw(200, seed=1001, backdrops=CUE)
plots.pictures([*ordinary[:6], *planted[:6]], columns=6, side=1.3);

# %% [markdown]
# *Figure: six training pictures of the first network, and below the same animals for the second one: cats in the
# night, dogs in the snow.*
#
# Both train in the same way: a new head and the whole base at once, at the rate of a head. (Lesson
# 4 warns against that.)


# %%
def train_everything(images):
    """The drawn base under a new head, all of it trained."""
    keras.utils.set_random_seed(0)
    base = bases.load("drawn")
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    model = keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            keras.layers.Rescaling(scale=1 / 127.5, offset=-1),
            base,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)
    model.fit(images, training_labels, epochs=6, verbose=0)
    return model


sound = train_everything(ordinary)
tricked = train_everything(planted)

# %% [markdown]
# Now 200 new pictures. Whoever collected cats at night and dogs in the snow collects the test set in the same way.
# **Predict:** which network does better on it?

# %%
images, labels, outlines = draw(100, seed=1002, backdrops=CUE)
sound_logits = sound.predict(images, verbose=0)
tricked_logits = tricked.predict(images, verbose=0)
print("sound:  ", evaluation.accuracy(sound_logits, labels))
print("tricked:", evaluation.accuracy(tricked_logits, labels))
print(evaluation.compare(sound_logits, tricked_logits, labels))

# %% [markdown]
# The tricked one, by any rule of lesson 7. No number on this test set warns you. So ask where the networks look.
#
# ## Grad-CAM
#
# Cut the network in two, as in lesson 5. The lower part gives a block of features: a grid of places, and at each
# place one number per channel.

# %%
TAP = "block_12_add"
scaling, base, pooling, dense = sound.layers
tap = base.get_layer(TAP).output
below = keras.Sequential([scaling, keras.Model(base.input, tap)])
above = keras.Sequential(
    [keras.Input(tap.shape[1:]), keras.Model(tap, base.output), pooling, dense]
)

block = below(images[:6])
print(block.shape)

# %% [markdown]
# Which of these numbers spoke for the answer? The gradient says how much the logit rises with each
# of them. A `GradientTape` records what is computed from the tensors it watches, and gives that
# gradient. `fit` does the same for the weights.
#
# For each channel, average the gradient over all places. That is the channel's weight: how much it
# speaks for the answer. Multiply each channel by its weight, add them up, and keep what is
# positive. (The answer 'cat' has a logit below 0, so there the sign is turned round.)

# %%
with tf.GradientTape() as tape:
    tape.watch(block)
    logits = above(block)
    is_dog = tf.cast(logits > 0, "float32")
    score = logits * (2 * is_dog - 1)
gradient = tape.gradient(score, block)

channel_weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
heat = tf.nn.relu(tf.reduce_sum(channel_weights * block, axis=-1, keepdims=True))
print(gradient.shape, channel_weights.shape, heat.shape)

# %% [markdown]
# That is Grad-CAM. Enlarge the grid to the picture's size, and look. **Predict:** where does the heat lie?

# %%
heat = tf.image.resize(heat, images.shape[1:3])[..., 0].numpy()
heat = heat / heat.max(axis=(1, 2), keepdims=True)
plots.heat_maps(images[:6], {"sound": heat}, outlines[:6]);
# %% [markdown]
# *Figure: six test pictures with the true outlines, and below the same in pale grey, with the heat of the sound
# network in yellow to red.*
#
# The maps are coarse: a grid of six by six places, enlarged. From here on, `explain.grad_cam` does
# the same, for any model. First two questions.

# %% tags=["course"]
panels.questions(exercises.map_for_the_first_class, exercises.what_a_map_shows)

# %% [markdown]
# ## A score
#
# For one bright ear anybody can tell a story. So measure, over many pictures: which share of a
# map's heat lies inside the animal's outline? A map that knows nothing, the same everywhere, scores
# chance: the outline's share of the picture.
#
# **Exercise.** Write the score: from `maps`, `(n, height, width)`, and `outlines`, True inside the
# animal, to one share per picture. A map without any heat has no share: return NaN.


# %%
def share_inside(maps, outlines):
    """For each map, the share of its heat that lies inside the outline."""
    ...


exercises.share_inside.check(share_inside)

# %% [markdown]
# Now all 200 pictures, for both networks. The pictures are the same, so compare in pairs: for each
# one, the sound network's share less the tricked one's. **Predict:** which of the two lies above
# chance?

# %%
maps, shares = {}, {}
for name, model in (("sound", sound), ("tricked", tricked)):
    answers = evaluation.predicted_classes(model.predict(images, verbose=0))
    maps[name] = explain.grad_cam(model, images, answers, at=TAP)
    shares[name] = explain.share_inside(maps[name], outlines)

difference = shares["sound"] - shares["tricked"]
difference = difference[~np.isnan(difference)]
low, high = scipy.stats.ttest_1samp(difference, 0).confidence_interval(0.95)
print(f"sound less tricked: {difference.mean():.3f} (95 % interval {low:.3f} to {high:.3f})")
plots.inside(shares, chance=outlines.mean())
bands.check("heat inside the outline, sound", "drawings", np.nanmean(shares["sound"]))
bands.check("heat inside the outline, tricked", "drawings", np.nanmean(shares["tricked"]))
bands.check("heat inside, sound less tricked", "drawings", low)

# %% [markdown]
# *Figure: for each network one dot per picture, the share of its heat inside the outline, with the mean as a thick line;
# a dashed line marks a map that knows nothing.*
#
# The dots overlap: one map might have fooled you. The mean of 200 pairs tells the two apart. So it
# did with each of three seeds, at each of three layers: gaps from 0.09 to 0.30
# (`benchmarks/maps.py`). The tricked mean lies below chance with some seeds and above with others.

# %%
plots.heat_maps(images[:6], {name: some[:6] for name, some in maps.items()}, outlines[:6]);

# %% [markdown]
# *Figure: six test pictures with outlines, and below each the heat of the sound network and of the tricked one.*
#
# From which single column would you have known?
#
# **Exercise.** Now let a function decide. `tricked_one(first, second)` gets the shares of two
# networks on the same pictures. Return `"first"` or `"second"`: the one whose heat lies less
# inside. If the 95 % interval of the mean difference contains 0, return `"not shown"`. Leave out
# pictures for which either network has no share.


# %%
def tricked_one(first, second):
    """Say "first", "second" or "not shown"."""
    ...


exercises.tricked_one.check(tricked_one)

# %% [markdown]
# ## The proof
#
# A map raises a suspicion. An experiment settles it: take the cue away, or reverse it. Draw the
# same 200 animals, but cats in the snow and dogs in the night. **Predict** both accuracies.

# %%
swapped, _, _ = draw(100, seed=1002, backdrops={"cat": ["snow"], "dog": ["night"]})
results = {}
for name, model in (("sound", sound), ("tricked", tricked)):
    for backdrops, shown in (("as planted", images), ("swapped", swapped)):
        found = evaluation.accuracy(model.predict(shown, verbose=0), labels)
        results[f"{name}, backdrops {backdrops}"] = found
sound_as_planted, sound_swapped, tricked_as_planted, tricked_swapped = (
    found.value for found in results.values()
)
bands.check("sound, lost by the swap", "drawings", sound_as_planted - sound_swapped)
bands.check("tricked, as planted", "drawings", tricked_as_planted)
bands.check("tricked, swapped", "drawings", tricked_swapped)
plots.intervals(results);

# %% [markdown]
# *Figure: four accuracies with intervals. The sound network gets about as many pictures right on
# swapped backdrops; the tricked one falls from 1 to nearly 0.*
#
# The tricked network learned night and snow, and hardly any cat. With three seeds it got 1, 11 and
# 39 of the 200 swapped pictures right.
#
# And the recipe of lessons 3 to 5? A head on the *frozen* base, trained with such a cue, still had
# 0.92 to 0.96 on swapped backdrops: its base has seen animals on every backdrop, and cannot unlearn
# it. When everything was trained after the head, at 0.0006, accuracy fell to between 0.20 and 0.64
# (`benchmarks/README.md`).
#
# ## What you have seen
#
# - A network can be right on every test picture for the wrong reason. A test set that was collected like the
#   training set cannot tell.
# - Grad-CAM weights each channel by its mean gradient, and adds the channels up.
# - A map says where something spoke for the answer. It does not say what, or why.
# - A score over many pictures, in pairs, beats looking at one map. An experiment beats both.
#
# ## On your own
#
# 1. Set `TAP` to `"block_9_add"`, then to `"block_5_add"`. Which one tells the two networks apart best?
# 2. Plant a weaker cue: `{"cat": ["night", "room"], "dog": ["snow", "meadow"]}`. Does the network still fall for it?
# 3. Which cue could hide in your own pictures? Make ten without it.
#
# ## Further reading
#
# - R. Selvaraju and others, 2017:
#   [Grad-CAM](https://arxiv.org/abs/1610.02391)
# - J. Adebayo and others, 2018:
#   [Sanity Checks for Saliency Maps](https://arxiv.org/abs/1810.03292), on what heat maps do not show
# - R. Geirhos and others, 2020:
#   [Shortcut Learning in Deep Neural Networks](https://arxiv.org/abs/2004.07780)
# - Keras example:
#   [Grad-CAM class activation visualization](https://keras.io/examples/vision/grad_cam/)
#
# Next: [9. Your own pictures](09_your_own_pictures.ipynb)
