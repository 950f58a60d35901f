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
# # 7. Judge a model honestly
#
# **What you'll do.** You open the test set, once. You compare two models picture by picture, look at their
# mistakes, move the threshold, and ask what a probability is worth.
#
# **What you'll learn.** What 500 pictures can and cannot tell; why comparing in pairs sees more
# than two accuracies; precision, recall and the threshold; and how a model becomes as sure as it is
# right.
#
# **What you'll need.** Lessons 3 to 5. Take about 40 minutes; all cells together run in about 45
# seconds on two CPU cores, with photographs in some minutes.
#
# Two models wait: lesson 3's on its frozen base, and the same one fine-tuned as in lesson 5. The
# first cell makes what is missing. Every choice so far was made on validation pictures.

# %%
import csv

import keras
import numpy as np
import sklearn.metrics

from helpers import bands, evaluation, panels, paths, pictures, plots, published, recipes
from helpers.exercises import lesson_7 as exercises

recipe = recipes.chosen()
data = pictures.load(recipe.pictures, size=recipe.side)
validation, test = data.validation, data.test
classes = len(data.class_names)
frozen = keras.models.load_model(published.frozen_model(recipe))
tuned = keras.models.load_model(published.tuned_model(recipe))
print(recipe)
panels.recall(7)

# %% [markdown]
# ## Choosing uses up luck
#
# Twenty models are equally good: each is right with probability 0.95. You try them on 500 validation pictures and
# keep the best. **Predict:** how good does it look there? And on new pictures?

# %% tags=["nbval-check-output"]
generator = np.random.default_rng(0)
on_validation = generator.binomial(500, 0.95, size=20) / 500
best = on_validation.argmax()
on_new_pictures = generator.binomial(500, 0.95, size=20) / 500
print(f"the best of twenty: {on_validation[best]:.3f}, on new pictures {on_new_pictures[best]:.3f}")

# %% [markdown]
# The best was the luckiest, and luck does not carry over to new pictures. So a third set waits, for
# the one number that you report. Open it when all is chosen: change something afterwards, and it is
# a validation set.
#
# **Predict:** will the test accuracies lie below the validation accuracies?

# %%
tuned_on_validation = tuned.predict(validation.images[:], verbose=0)
frozen_logits = frozen.predict(test.images[:], verbose=0)
tuned_logits = tuned.predict(test.images[:], verbose=0)

results = {
    "fine-tuned, validation": evaluation.accuracy(tuned_on_validation, validation.labels),
    "fine-tuned, test": evaluation.accuracy(tuned_logits, test.labels),
    "frozen, test": evaluation.accuracy(frozen_logits, test.labels),
}
plots.intervals(results, colors=[plots.VALIDATION, plots.TEST, plots.TEST])
bands.check("frozen, test", data.name, results["frozen, test"].value)
bands.check("fine-tuned, test", data.name, results["fine-tuned, test"].value)

# %% [markdown]
# *Figure: three accuracies with their 95 % intervals: the fine-tuned model on validation and test,
# the frozen one on test.*
#
# Few choices were made on validation, so little luck was used up. Test may even lie above.
#
# ## How far to trust one number
#
# Other pictures would have given another accuracy. The [95 % interval](glossary.ipynb#Interval) says how far off this one may be. **Predict:**
# with four times as many pictures, how much narrower is it?
#
# **Exercise.** How many test pictures make the interval of an accuracy of 0.95 no wider than 0.02, one point to
# each side? Answer to within 10 %.
# (The table below is for 0.97.)

# %%
for total in (100, 500, 2_000, 10_000, 50_000):
    low, high = evaluation.Accuracy(round(0.97 * total), total).interval
    print(f"{total:6,} pictures: 0.970 is somewhere from {low:.3f} to {high:.3f}")

answer = ...
exercises.pictures_needed.check(answer)

# %% [markdown]
# The width falls with the square root: four times as many pictures halve it. 500 pictures place a
# model to about two points; half a point takes thousands.
#
# ## The same pictures, pair by pair
#
# Is fine-tuned better than frozen? Both saw the *same* pictures. They differ only where just one is
# right. **Predict:** on how many?

# %%
compared = evaluation.compare(frozen_logits, tuned_logits, test.labels)
plots.pairs(compared)
bands.check("fine-tuned less frozen, test", data.name, compared.difference)

# %% [markdown]
# *Figure: on how many test pictures only one of the two is right, and the difference in accuracy with its 95 %
# interval.*
#
# The interval is that of the *difference*. If it leaves out 0, a difference is shown. If it
# contains 0, nothing is: neither that one is better, nor that both are equal.
#
# If both were equally good, each of these pictures would fall to one or the other like a coin.
# **Predict:** throw that many coins ten thousand times. How often do they split at least as
# unevenly?

# %%
coins = compared.only_first + compared.only_second
heads = np.random.default_rng(0).binomial(coins, 0.5, size=10_000)
as_uneven = abs(heads - coins / 2) >= abs(compared.only_second - coins / 2)
print(f"{coins} coins split as unevenly in {as_uneven.mean():.2%} of the throws")
print(f"computed exactly: p = {compared.p_value:.2g}")

# %% [markdown]
# This is [McNemar's test](glossary.ipynb#McNemar). A small p says that coins would rarely do this.
#
# **Exercise.** Write the comparison. You get two arrays, `True` where a model was right. Return how
# many pictures only the first got right, how many only the second, and p: `scipy.stats.binomtest(k,
# n).pvalue` for `n` coins of which `k` fell one way. If there are no coins, p is 1.


# %%
def paired(first_right, second_right):
    """Pictures that only the first, and only the second model got right, and the p-value."""
    ...


exercises.paired.check(paired)

# %% tags=["course"]
panels.questions(exercises.overlapping_intervals, exercises.looked_twice)

# %% [markdown]
# ## Which mistakes?
#
# A [confusion matrix](glossary.ipynb#Confusion-matrix) sorts them: labels in rows, predictions in
# columns. It gives two shares for each class. [*Precision*](glossary.ipynb#Precision): of those
# predicted so, how many are right? [*Recall*](glossary.ipynb#Recall): of those labelled so, how
# many were found?

# %%
predicted = evaluation.predicted_classes(tuned_logits)
names = {"display_labels": data.class_names, "cmap": "Blues", "colorbar": False}
matrix = sklearn.metrics.ConfusionMatrixDisplay.from_predictions(test.labels, predicted, **names)
matrix.figure_.set_size_inches(3.6, 3.2)
print(
    sklearn.metrics.classification_report(
        test.labels, predicted, target_names=data.class_names, digits=3
    )
)

# %% [markdown]
# *Figure: the confusion matrix of the fine-tuned model on the test pictures, right answers on the
# diagonal.*
#
# **Exercise.** A cat flap opens when its camera sees a cat. In a month it saw 180 cats and 20 dogs. It opened for
# 171 of the cats and for 5 of the dogs. Give precision and recall of 'cat'.

# %%
answer = ...  # (precision, recall)
exercises.cat_flap.check(answer)

# %% [markdown]
# ## Move the threshold
#
# A probability above 0.5 means the second class. For the cat flap, a dog in the house is worse than
# a cat that waits. So it should say 'dog' early, at a low threshold. **Try:** at which threshold
# are all pictures of the second class found? What does that cost? You are choosing, so these are
# validation pictures.

# %% tags=["course"]
if classes == 2:
    shown = panels.threshold_panel(tuned_on_validation, validation.labels, data.class_names)
else:
    shown = "With more than two classes there is no one threshold."
shown

# %% [markdown]
# *Figure: a slider; the spread of each class's probabilities, with the threshold as a dashed line;
# and the four counts.*
#
# Precision and recall pull in opposite directions. One number sums up all thresholds, the *area
# under the ROC curve*. Take a picture of each class: how often does the one of the second class
# have the higher logit? **Predict** it for the test pictures.

# %%
if classes == 2:
    first, second = (tuned_logits[test.labels == label, 0] for label in (0, 1))
    ahead = second[:, np.newaxis] > first
    print(f"the higher logit: in {ahead.mean():.4f} of {ahead.size:,} pairs")
    print(f"scikit-learn:        {sklearn.metrics.roc_auc_score(test.labels, tuned_logits):.4f}")

# %% [markdown]
# It can come close to 1 in spite of mistakes: a mistake spoils only those of its pairs that it puts
# in the wrong order. So give it four digits.
#
# **Exercise.** Find the highest threshold at which at least the share `recall` of the second class
# is found, that is, has its `probability` at or above the threshold.


# %%
def threshold_for(probability, labels, recall):
    """The highest threshold at which the share `recall` of class 1 is found."""
    ...


exercises.threshold_for.check(threshold_for)

# %% [markdown]
# ## Can you trust a probability?
#
# A model that says 0.9 should be right nine times in ten. Sort the pictures into bins by
# probability, and see which share is right. The [*calibration error*](glossary.ipynb#Calibration)
# is how far probability and share lie apart on average.
#
# One number can mend it. Divide all logits by a [*temperature*](glossary.ipynb#Temperature), fitted
# on validation pictures. Above 1 it makes a model less sure, below 1 surer. For contrast, a third
# model shouts: the frozen one, its logits times three. **Predict:** which of the three is too sure
# of itself?

# %%
frozen_on_validation = frozen.predict(validation.images[:], verbose=0)
logits = {  # on validation, on test
    "frozen": (frozen_on_validation, frozen_logits),
    "fine-tuned": (tuned_on_validation, tuned_logits),
    "shouting": (3 * frozen_on_validation, 3 * frozen_logits),
}
probabilities = {name: evaluation.probabilities(on_test) for name, (_, on_test) in logits.items()}
for name, (on_validation, on_test) in logits.items():
    temperature = evaluation.fit_temperature(on_validation, validation.labels)
    error = evaluation.calibration_error(probabilities[name], test.labels)
    luck = evaluation.calibration_error_by_luck(probabilities[name])
    mended = evaluation.probabilities(on_test / temperature)
    after = evaluation.calibration_error(mended, test.labels)
    print(
        f"{name:10}  error {error:.3f} (luck: {luck:.3f})  temperature {temperature:.2f}  then {after:.3f}"
    )

plots.reliability(probabilities, test.labels)
bands.check("shouting, calibration error", data.name, error)

# %% [markdown]
# *Figure: for each model the share of right answers by probability, each bin with its 95 % interval and, below,
# its number of pictures. On the dotted diagonal a model is as sure as it is right.*
#
# Most pictures stand in the last bin; the intervals of the others are wide. Even a model that is
# exactly as sure as it is right has some error: 95 % of such models stay below the number after
# 'luck'. An error below it shows nothing amiss. On the drawings the shouting model lies far above.
# Divided by its temperature, it equals the frozen one again.

# %% tags=["course"]
panels.question(exercises.what_temperature_changes)

# %% [markdown]
# ## The most confident mistakes
#
# The surest mistakes teach most. Ask of each: is the label wrong? Is the picture hopeless? Or has
# the model not understood something?

# %%
worst = evaluation.confident_mistakes(tuned_logits, test.labels)[:9]
if len(worst):
    plots.predictions(
        test.images[worst],
        predicted[worst],
        probabilities["fine-tuned"][worst],
        test.labels[worst],
        data.class_names,
    )

# %% [markdown]
# *Figure: up to nine test pictures that the fine-tuned model gets wrong, the surest mistake first,
# with its answer, its probability, and the label.*
#
# ## Another seed, another number
#
# Pictures are one source of luck, training is another. So a claim about a *way to train* takes
# several seeds. `benchmarks/transfer.py` trained in three ways on 25 to 1,000 drawings, with three
# seeds each; you read its table. **Predict:** how many pictures does a network from scratch need to
# do as well as a frozen base with 25?

# %% tags=["course"]
runs = {"frozen": {}, "fine-tuned": {}, "from scratch": {}}
with (paths.ROOT / "benchmarks" / "transfer.csv").open(encoding="utf-8") as table:
    for name, _, correct, total, _ in csv.reader(table):
        way, _, count = name.removesuffix(" pictures").partition(", ")
        if way in runs:
            accuracy = evaluation.Accuracy(int(correct), int(total))
            runs[way].setdefault(int(count), []).append(accuracy)
plots.accuracy_by_count(runs);

# %% [markdown]
# *Figure: test accuracy by number of training drawings; one dot per seed, lines through the means,
# bands over the intervals. From scratch lies far below the other two.*
#
# More than 1,000. With 25 or 50 pictures, the order of frozen and fine-tuned changes with the seed.
# From 100 on, fine-tuning is ahead with each of the three seeds.
#
# ## What you have seen
#
# - The test set is opened once, when everything is chosen. Now yours is open.
# - An interval says how far one number can be trusted. Two models are compared pair by pair.
# - Precision and recall pull in opposite directions, and the threshold is yours to choose, on validation.
# - A temperature changes how sure a model is, but none of its answers.
# - One run speaks of one model. A way to train takes several seeds.
#
# ## On your own
#
# 1. Choose a threshold on validation with your `threshold_for` and a recall of 0.99. Which recall does it have on
#    test?
# 2. In the cell on luck, try 2 and 200 models in place of 20. How does the best one's lead grow?
# 3. Which pictures do both models get wrong? Show them with `plots.predictions`. What do they share?
#
# ## Further reading
#
# - C. Guo and others, 2017:
#   [On Calibration of Modern Neural Networks](https://arxiv.org/abs/1706.04599)
# - X. Bouthillier and others, 2021:
#   [Accounting for Variance in Machine Learning Benchmarks](https://arxiv.org/abs/2103.03098), on seeds and other luck
# - scikit-learn guide:
#   [Metrics and scoring](https://scikit-learn.org/stable/modules/model_evaluation.html)
#
# Next: [8. See where it looks](08_see_where_it_looks.ipynb)
