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
# # 10. Choose a base
#
# **What you'll do.** You count and time what six bases cost. Then you set what a base costs against what it is worth,
# and take the cheapest that is good enough.
#
# **What you'll learn.** Why neither parameters nor arithmetic tell the speed; where in a network the work is done; and
# a rule for choosing that does not mistake luck for quality.
#
# **What you'll need.** Lessons 5 and 7. Take about 20 minutes; all cells together run in about 30
# seconds on two CPU cores.

# %% tags=["course"]
from helpers import bands, bases, costs, evaluation, features, panels, pictures, plots, recipes
from helpers.exercises import lesson_10 as exercises

recipe = recipes.chosen()
print(recipe)
panels.recall(10)

# %%
import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

keras.utils.set_random_seed(0)
base = bases.load(recipe.base, size=recipe.side)

# %% [markdown]
# ## Count the work
#
# [A convolution](glossary.ipynb#Convolution) slides a kernel over an image. Each number of the
# kernel is multiplied once at each place of the output, and the product is added to a sum: one
# [*multiply-add*](glossary.ipynb#Multiply-add). So the shapes of kernel and output tell the work of
# a layer. Take the first convolution of your base.
#
# **Predict:** it has a few hundred of the base's parameters. What share of the base's work does it
# do?

# %%
first = next(layer for layer in base.layers if isinstance(layer, keras.layers.Conv2D))
places = first.output.shape[1] * first.output.shape[2]
numbers = int(np.prod(first.kernel.shape))
whole = costs.multiply_adds(base)
print(f"{first.name}: {numbers:,} numbers at {places:,} places = {places * numbers:,} multiply-adds")
print(f"its share of the parameters: {numbers / base.count_params():.2%}")
print(f"its share of the work:       {places * numbers / whole:.2%}")

# %% [markdown]
# Its share of the work is many times its share of the parameters, for it runs at thousands of
# places. Parameters say how large the file is, multiply-adds how much there is to compute.
#
# **Exercise.** MobileNet and Xception split a convolution in two. First comes a *depthwise* one,
# with a 3 x 3 kernel of its own for each channel. Then a 1 x 1 convolution mixes the channels.
# Count the multiply-adds of an ordinary 3 x 3 convolution and of the split one. The output has
# `side` x `side` places; `taken` channels go in and `given` come out.


# %%
def products(side, taken, given):
    """Multiply-adds of the ordinary and of the split convolution."""
    ...


exercises.products.check(products)

# %% [markdown]
# ## Six bases
#
# What a base costs does not depend on its weights. So build all six with random weights, each for
# images of its own size.
#
# **Predict:** which is the fastest here, which the slowest? Does the order follow the multiply-adds?

# %%
NAMES = ("drawn", "MobileNetV3Small", "MobileNetV2", "EfficientNetV2B0", "Xception", "ConvNeXtTiny")
measured = {
    name: costs.measure(bases.load(name, weights=None), batch=2, seconds=0.3) for name in NAMES
}
table = pd.DataFrame(
    {
        "side": [bases.find(name).size for name in NAMES],
        "parameters, millions": [round(cost.parameters / 1e6, 2) for cost in measured.values()],
        "multiply-adds, millions": [round(cost.multiply_adds / 1e6) for cost in measured.values()],
        "pictures a second": [round(cost.pictures_per_second) for cost in measured.values()],
    },
    index=NAMES,
)
table["multiply-adds a second, billions"] = [
    round(cost.multiply_adds * cost.pictures_per_second / 1e9, 1) for cost in measured.values()
]
table

# %% [markdown]
# The order may follow the multiply-adds; the speed does not. If it did, the last column would hold
# one number six times. Small layers keep a processor waiting for memory. And software decides, too:
# Keras writes ConvNeXt's depthwise convolutions as ordinary ones in many groups, and TensorFlow is
# slow at those on a CPU. A count is a hint. A time is a fact, of one machine and one runtime.

# %% tags=["course"]
panels.question(exercises.same_count_other_speed)

# %% [markdown]
# ## What a base is worth
#
# Accuracy needs pretrained weights. But one base with weights can be had at several prices. Feed it smaller images,
# or cut it earlier (lesson 5). Bases whose weights you have fetched join in.
#
# **Predict:** which costs more accuracy, a third off the image's side or the last third of the
# cuts? Which saves more work?


# %%
def extractor(name, side, cut=None):
    """From bytes to pooled features: scaling, a base up to a cut, pooling."""
    network = bases.load(name, size=side)
    end = network.get_layer(cut).output if cut else network.output
    return keras.Sequential(
        [
            keras.Input(network.input_shape[1:]),
            bases.find(name).scaling(),
            keras.Model(network.input, end),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


smaller = 32 * round(recipe.side / 48)
cuts = bases.cuts(base)
early = cuts[2 * len(cuts) // 3]
variants = {
    "whole": extractor(recipe.base, recipe.side),
    f"at {smaller} pixels": extractor(recipe.base, smaller),
    f"up to {early}": extractor(recipe.base, recipe.side, early),
}
for name in NAMES:
    if name not in (recipe.base, "drawn") and not bases.is_ready(name):
        variants[name] = extractor(name, bases.find(name).size)

# %% [markdown]
# Each gets a head by logistic regression, as in lesson 5. If your set is large and your machine
# slow, only as many pictures are taken as take a few minutes.
#
# This is a choice, so you make it on validation pictures. Choose by the test set, opened in lesson
# 7, and you take what suits those pictures, luck included.

# %%
most = int(10 * recipe.minutes * measured[recipe.base].pictures_per_second)
work, right = {}, {}
for name, network in variants.items():
    data = pictures.load(recipe.pictures, size=network.input_shape[1], quiet=True)
    train_features = features.extract(network, data.train.images[:most], quiet=True)
    validation_features = features.extract(network, data.validation.images[:most], quiet=True)
    head = LogisticRegression(C=0.01, max_iter=1000).fit(train_features, data.train.labels[:most])
    right[name] = head.predict(validation_features) == data.validation.labels[:most]
    work[name] = costs.multiply_adds(network)

accuracies = {name: evaluation.Accuracy(int(each.sum()), len(each)) for name, each in right.items()}

# %% tags=["course"]
plots.accuracy_by_cost(work, accuracies, "multiply-adds a picture")
bands.check("frozen", recipe.name, accuracies["whole"].value)

# %% [markdown]
# *Figure: validation accuracy with its interval, against multiply-adds a picture: the whole base, the base on smaller
# images, the base cut early, and each further base whose weights are here.*
#
# Each bar says how far one number can be trusted. Whether two differ is another question. All
# variants saw the same pictures, so compare each with the best, picture by picture.

# %%
best = max(right, key=lambda name: right[name].sum())
for name in [name for name in right if name != best]:
    only_best, only_this = right[best] & ~right[name], right[name] & ~right[best]
    pairs = evaluation.Comparison(int(only_best.sum()), int(only_this.sum()), len(only_best))
    low, high = (100 * end for end in pairs.interval)
    parameters = variants[name].count_params() / variants["whole"].count_params()
    print(f"{name}: {parameters:.0%} of the parameters, {work[name] / work['whole']:.0%} of the work")
    print(f"  accuracy less that of '{best}': {100 * pairs.difference:+.1f} points ({low:+.1f} to {high:+.1f})")

# %% [markdown]
# Read the intervals. A variant whose interval lies all below 0 is worse. Where the interval reaches
# 0, nothing was shown: the variant may still be worse by as much as the lower end says. And the
# best of several looks a little better than it is (lesson 7).
#
# Then read the shares. The early cut leaves out half of the parameters or more, but only a quarter
# to a third of the work: the first layers do much of it, where the image is still large. Smaller
# images keep every parameter and save more than half of the work.
#
# **Exercise.** Write the rule down. `rows` is a list of `{"name", "multiply_adds", "right"}`; `right` says for each
# picture whether the answer was right, on the same pictures for all. Of the rows within the budget (at most `budget`),
# take the most accurate as the best. Return the name of the cheapest row that is not shown to be worse than the best: the
# interval of its paired difference reaches 0 or more. `evaluation.Comparison(only_best, only_this, total).interval` gives
# the interval of this row's accuracy less the best's.


# %%
def choose(rows, budget):
    """The name of the cheapest row within the budget that is not shown to be worse than the best."""
    ...


exercises.choose.check(choose)

# %% [markdown]
# ## What you have seen
#
# - Parameters tell the size of the file, multiply-adds the work. Only a clock tells the speed.
# - Late layers hold most parameters, early ones do much of the work. Smaller images save more than an early cut.
# - Choose on validation pictures, by paired comparison. What the pictures cannot tell apart, the
#   cost may decide.
#
# ## On your own
#
# 1. `python3 course.py fetch bases` downloads two more bases. Run the lesson again and look at the figure.
# 2. Time `variants` with `costs.measure`. Does the cheapest by work stay the cheapest by the clock?
# 3. How many pictures would it take to tell two variants apart that differ by half a point? Lesson 7 knows.
#
# ## Further reading
#
# - M. Sandler and others, 2018:
#   [MobileNetV2: Inverted Residuals and Linear Bottlenecks](https://arxiv.org/abs/1801.04381)
# - Z. Liu and others, 2022: [A ConvNet for the 2020s](https://arxiv.org/abs/2201.03545), ConvNeXt
# - Keras: [the pretrained networks with their sizes and times](https://keras.io/api/applications/)
#
# Next: [11. Ship it](11_ship_it.ipynb)
