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
# # 6. Judge a model honestly
#
# **What you'll do.** You open the test set, once. You compare two models on the same pictures, look at
# their mistakes and at how sure they were, and see what a thousand pictures are worth. Then you ask a
# network where it looked, and catch one that looked at the wrong thing.
#
# **What you'll learn.** What 500 pictures can tell and what they cannot; why a paired comparison sees
# more than two intervals; precision, recall and the threshold; what a probability is worth; and how to
# read a heat map.
#
# **What you'll need.** Lessons 3 and 4. All cells together run in about 90 seconds on two CPU cores.

# %%
import os

from helpers import bases

PICTURES = os.environ.get("COURSE_PICTURES") or "drawings"
BASE = bases.default_for(PICTURES)
print(f"{PICTURES} with the base {BASE}")

# %%
import keras
import numpy as np
import pandas as pd
import sklearn.metrics

from helpers import (
    bands,
    drawings,
    evaluation,
    explain,
    features,
    panels,
    paths,
    pictures,
    plots,
    training,
)
from helpers.exercises import lesson_6 as exercises

keras.utils.set_random_seed(0)
data = pictures.load(PICTURES, size=bases.find(BASE).size)
train, validation, test = data.train, data.validation, data.test
classes = len(data.class_names)

# %% [markdown]
# ## Two models to judge
#
# You make the two models of lessons 3 and 4 once more, in fewer lines: a head on the frozen base, and
# the same fine-tuned. `training.reference_head` and `training.fine_tune` stand in those lessons.
#
# Note what is *not* in this cell: the test set. Everything that was chosen for these models, the base,
# the depth, the rate, the epochs, was chosen on validation pictures.

# %%
base = bases.load(BASE)
cut = bases.cuts(base)[-30] if BASE == "drawn" else bases.cuts(base)[-10]
at_cut = base.get_layer(cut).output
scaling = bases.find(BASE).scaling()

below = keras.Sequential(
    [keras.Input(base.input_shape[1:]), scaling, keras.Model(base.input, at_cut)]
)
pooled = keras.Sequential(
    [
        keras.Input(at_cut.shape[1:]),
        keras.Model(at_cut, base.output),
        keras.layers.GlobalAveragePooling2D(),
    ]
)
head = keras.layers.Dense(1 if classes == 2 else classes)
above = keras.Sequential([keras.Input(at_cut.shape[1:]), pooled, head])

# %%
train_at_cut = features.extract(below, train.images)
validation_at_cut = features.extract(below, validation.images)
reference = training.reference_head(features.extract(pooled, train_at_cut), train.labels)
head.set_weights(reference.get_weights())
frozen_on_validation = above.predict(validation_at_cut, verbose=0)
frozen = keras.models.clone_model(above)
frozen.set_weights(above.get_weights())

for epoch in training.fine_tune(
    above,
    train_at_cut,
    train.labels,
    learning_rate=6e-4 if BASE == "drawn" else 3e-5,
    epochs=5,
    validation=(validation_at_cut, validation.labels),
):
    print(f"epoch {epoch.number}: validation accuracy {epoch.val_accuracy:.3f}")

# %% [markdown]
# ## Open the test set, once
#
# Each time you choose by a set of pictures, you fit your choice to it a little. Of twenty runs, the
# best one on validation is best partly by luck, and that luck does not come along to new pictures. So
# a third set waits, for the one number that you report. Once you have seen it and go back to change
# something, it is a validation set.
#
# **Predict:** will the test accuracies lie above or below the validation accuracies?

# %%
test_at_cut = features.extract(below, test.images)
frozen_logits = frozen.predict(test_at_cut, verbose=0)
tuned_logits = above.predict(test_at_cut, verbose=0)
tuned_on_validation = above.predict(validation_at_cut, verbose=0)

results = {
    "frozen, validation": evaluation.accuracy(frozen_on_validation, validation.labels),
    "frozen, test": evaluation.accuracy(frozen_logits, test.labels),
    "fine-tuned, validation": evaluation.accuracy(tuned_on_validation, validation.labels),
    "fine-tuned, test": evaluation.accuracy(tuned_logits, test.labels),
}
plots.intervals(results)
bands.check("frozen, test", data.name, results["frozen, test"].value)
bands.check("fine-tuned, test", data.name, results["fine-tuned, test"].value)

# %% [markdown]
# *Figure: four accuracies with their 95 % intervals, each model on validation and on test.*
#
# For each model, test and validation lie within each other's intervals: few choices were made here, so
# little luck was used up. Had you tried a hundred settings, validation would flatter you more.
#
# ## What 500 pictures can tell
#
# You read of a model that is half a point better than another. On how many test pictures would half a
# point show? The interval depends on the number of pictures, and only on its square root: four times as
# many pictures halve it.

# %%
for total in (100, 500, 2_000, 10_000, 50_000):
    low, high = evaluation.Accuracy(round(0.97 * total), total).interval
    print(f"{total:6,} pictures: 0.970 is somewhere from {low:.3f} to {high:.3f}")

# %% [markdown]
# With 500 pictures, 0.97 and 0.975 are the same result. To tell them apart you need thousands. Where two
# models are half a point apart on a few hundred test pictures, their order may well be luck.
#
# **Exercise.** How many test pictures do you need so that an accuracy of 0.95 is known to within one
# point on each side, that is, so that the 95 % interval is no wider than 0.02? Find the number to within
# a tenth of it.

# %%
answer = ...
exercises.pictures_needed.check(answer)

# %% [markdown]
# ## The same pictures, pair by pair
#
# Two intervals that overlap do not end the matter. Both models saw the *same* pictures, and most pictures
# are easy for both. Only those on which just one of the two is right can tell the models apart.
# **Predict:** of all test pictures, on how many do the two models differ?

# %%
compared = evaluation.compare(frozen_logits, tuned_logits, test.labels)
compared

# %% [markdown]
# This is McNemar's test. If both models were equally good, each picture on which they differ would fall
# to one or the other like a thrown coin. The p-value says how often coins alone would split at least so
# unevenly. On the drawings it lies below 0.05: fine-tuning did help there, which the two intervals alone
# hardly show. Where it lies above, nothing was shown.

# %%
if data.name == "drawings":
    assert compared.p_value < 0.05 and compared.only_second > compared.only_first

# %% [markdown]
# How often do twelve coins split as unevenly as two to ten, or more so?

# %%
import scipy.stats

print(f"{scipy.stats.binomtest(2, 12).pvalue:.3f}")

# %% [markdown]
# **Exercise.** Write the comparison yourself. Given two lists of right and wrong, `True` where a model was
# right, return how many pictures only the first got right, how many only the second, and the p-value:
# `scipy.stats.binomtest(k, n).pvalue` for `n` coins of which `k` fell one way. Two models that never differ leave no coin to throw; nothing was shown then, and the p-value is 1.


# %%
def paired(first_right, second_right):
    """Pictures that only the first, and only the second model got right, and the p-value."""
    ...


exercises.paired.check(paired)

# %%
panels.question(exercises.overlapping_intervals)

# %% [markdown]
# ## Which mistakes?
#
# Accuracy counts all mistakes alike. A confusion matrix sorts them: a row for each label, a
# column for each answer. scikit-learn draws it. **Predict:** is one class taken for the other more often?

# %%
predicted = evaluation.predicted_classes(tuned_logits)
display = sklearn.metrics.ConfusionMatrixDisplay.from_predictions(
    test.labels, predicted, display_labels=data.class_names, cmap="Blues", colorbar=False
)
display.ax_.set_title("Test pictures, fine-tuned");

# %% [markdown]
# *Figure: the confusion matrix; the right answers on the diagonal, the mistakes beside it.*
#
# Two shares are read off it for each class. *Precision*: of those predicted so, which share is
# right? *Recall*: of those labelled so, which share was found?

# %%
print(sklearn.metrics.classification_report(
    test.labels, predicted, target_names=data.class_names, digits=3
))

# %% [markdown]
# **Exercise.** A cat flap opens when its camera sees a cat. In a month it saw 180 cats and 20 dogs. It
# opened for 171 of the cats and for 5 of the dogs. Give precision and recall of 'cat'.

# %%
answer = ...  # (precision, recall)
exercises.cat_flap.check(answer)

# %% [markdown]
# ## Move the threshold
#
# A logit above 0, a probability above 0.5, means the second class. Nobody says that 0.5 is the right
# place. If a dog in the house is a disaster and a cat that waits a moment is not, you ask for more
# certainty. Move the threshold: precision and recall pull in opposite directions.

# %%
if classes == 2:
    display_of_panel = panels.threshold_panel(tuned_logits, test.labels, data.class_names)
else:
    display_of_panel = "With more than two classes there is no one threshold."
display_of_panel

# %% [markdown]
# *Figure: a slider, how the probabilities of each class are spread with the threshold as a dashed line,
# and the four counts of the confusion matrix.*
#
# Choose a threshold on validation pictures, like everything else. Here the panel shows test pictures,
# for you choose nothing.
#
# A ROC curve shows all thresholds at once: how many of the second class are found, against how many of
# the first are taken for it by mistake. The area under it is the probability that a picture of the
# second class gets a higher logit than one of the first.

# %%
if classes == 2:
    curves = sklearn.metrics.RocCurveDisplay.from_predictions(
        test.labels, frozen_logits[:, 0], name="frozen", curve_kwargs={"color": plots.BLUE}
    )
    sklearn.metrics.RocCurveDisplay.from_predictions(
        test.labels,
        tuned_logits[:, 0],
        name="fine-tuned",
        ax=curves.ax_,
        curve_kwargs={"color": plots.ORANGE},
        plot_chance_level=True,
    )
    curves.ax_.set_title("ROC curve, test pictures")

# %% [markdown]
# *Figure: the ROC curves of both models, close to the upper left corner, and the diagonal of guessing.*
#
# **Exercise.** Write a function that gives the highest threshold at which at least the share `recall` of
# the second class is still found. A picture counts as found where its probability is at or above the
# threshold. `probability` is that of the second class.

# %%
def threshold_for(probability, labels, recall):
    """The highest threshold at which the share `recall` of class 1 is found."""
    ...


exercises.threshold_for.check(threshold_for)

# %% [markdown]
# ## Can you trust a probability?
#
# A model that says '0.9' should be right nine times in ten. Sort the pictures by the probability of the
# predicted class, and look at the share that is right in each bin. **Predict:** which model is too
# sure of itself, the frozen one or the fine-tuned one?

# %%
frozen_probabilities = evaluation.probabilities(frozen_logits)
tuned_probabilities = evaluation.probabilities(tuned_logits)
axes = plots.reliability(frozen_probabilities, test.labels, "frozen")
plots.reliability(tuned_probabilities, test.labels, "fine-tuned", axes);

# %% [markdown]
# *Figure: for both models the share of right answers against the probability; on the dotted diagonal a
# model is as sure as it is right, below it too sure.*
#
# Bins with few pictures jump about, so one number sums up the distance from the diagonal: the expected
# calibration error. And one number can mend much of it: divide all logits by a *temperature*, fitted
# on the validation pictures. Above 1 it makes the model less sure, below 1 surer.

# %%
for name, on_validation, on_test in (
    ("frozen", frozen_on_validation, frozen_logits),
    ("fine-tuned", tuned_on_validation, tuned_logits),
):
    temperature = evaluation.fit_temperature(on_validation, validation.labels)
    before = evaluation.calibration_error(evaluation.probabilities(on_test), test.labels)
    cooled = evaluation.probabilities(on_test / temperature)
    after = evaluation.calibration_error(cooled, test.labels)
    print(f"{name:10}  temperature {temperature:.2f}  error {before:.3f}, then {after:.3f}")

# %% [markdown]
# The head on the frozen base was fitted with a strong penalty on its weights, which keeps its logits
# small: it is less sure than it could be, and its temperature lies below 1. The fine-tuned model has
# learnt its training pictures by heart and is a little too sure; its temperature lies above 1. On the
# drawings the temperature takes away most of the head's error; the fine-tuned model's was small already.

# %%
frozen_temperature = evaluation.fit_temperature(frozen_on_validation, validation.labels)
tuned_temperature = evaluation.fit_temperature(tuned_on_validation, validation.labels)
assert frozen_temperature < 1 < tuned_temperature

# %%
panels.question(exercises.what_temperature_changes)

# %% [markdown]
# ## The most confident mistakes
#
# The mistakes that teach most are those of which the model was surest. Look at them with three
# questions: is the label wrong? Is the picture hopeless? Or is there something that the model has
# not understood?

# %%
worst = evaluation.confident_mistakes(tuned_logits, test.labels)[:9]
titles = [
    f"{data.class_names[predicted[row]]} {tuned_probabilities[row].max():.2f}, "
    f"is {data.class_names[test.labels[row]]}"
    for row in worst
]
plots.pictures(test.images[worst], titles);

# %% [markdown]
# *Figure: up to nine test pictures that were predicted wrongly, the most confident first, with the
# predicted class, its probability, and the label.*

# %% [markdown]
# ## What the number of pictures is worth
#
# This is the figure that makes the case for transfer learning. Each of three ways to train was given 25
# to 1,000 drawings, with three seeds each: the whole network from scratch, until it knew its training
# pictures; a head on the frozen base; and fine-tuning. That takes an hour, so `benchmarks/transfer.py`
# did it ahead, and you read its table.

# %%
table = pd.read_csv(
    paths.ROOT / "benchmarks" / "transfer.csv",
    names=["name", "seed", "correct", "total", "seconds"],
)
table[["way", "count"]] = table["name"].str.extract(
    r"^(from scratch|frozen|fine-tuned), (\d+) pictures"
)
runs = {}
for row in table.dropna().itertuples():
    by_count = runs.setdefault(row.way, {})
    by_count.setdefault(int(row.count), []).append(evaluation.Accuracy(row.correct, row.total))
plots.accuracy_by_count(runs);

# %% [markdown]
# *Figure: test accuracy against the number of training drawings, from 25 to 1,000, for the three ways;
# dots are runs, bands their intervals. From scratch lies far below the other two.*
#
# From scratch, the network knows its pictures by heart and little beyond them. The frozen base does
# better with 25 pictures than the same network from scratch with 1,000. With 25 or 50 pictures fine-tuning
# adds nothing that shows; from 100 on it is ahead with each of the three seeds.

# %%
def mean_accuracy(way, count):
    """The mean over the seeds."""
    return np.mean([accuracy.value for accuracy in runs[way][count]])


assert mean_accuracy("frozen", 25) > mean_accuracy("from scratch", 1000)
for count in (100, 200, 400, 1000):
    assert mean_accuracy("fine-tuned", count) > mean_accuracy("frozen", count)

# %% [markdown]
# Where do *your* pictures stand? The frozen row is quick, so you measure it here, on the pictures that you
# chose.

# %%
pooled_train = features.extract(
    keras.Sequential([below, *frozen.layers[:1]]), train.images, quiet=True
)
pooled_test = features.extract(
    keras.Sequential([below, *frozen.layers[:1]]), test.images, quiet=True
)
yours = {}
for count in (25, 50, 100, 200, 400, len(train.labels)):
    small = training.reference_head(pooled_train[:count], train.labels[:count])
    yours[f"{count} pictures"] = evaluation.accuracy(np.asarray(small(pooled_test)), test.labels)
plots.intervals(yours);

# %% [markdown]
# *Figure: test accuracy of a head on the frozen base with its interval, for 25 pictures and more.*

# %% [markdown]
# ## Where did it look?
#
# Grad-CAM asks a network which places of a block of features spoke for its answer. It takes the block, and
# the gradient of the answer's logit with respect to it; a channel counts as much as the logit rises with
# it; the weighted channels are summed, and what remains above 0 is drawn over the picture. A coarse
# block tells little about places, so you tap the network well before its end.

# %%
TAP = "block_12_add"
whole = training.join(below, above)
block = base.get_layer(TAP).output
print("the block has", block.shape[1], "x", block.shape[2], "places")

# %% [markdown]
# Both parts together are the whole fine-tuned model. Now the maps, each for the predicted class. You
# give the model and the name of the layer to tap, at whatever depth it is.

# %%
shown = np.concatenate([np.flatnonzero(predicted == test.labels)[:4], worst[:2]])
maps = explain.grad_cam(whole, test.images[shown], predicted[shown], at=TAP)
titles = [f"predicted {data.class_names[predicted[row]]}" for row in shown]
plots.heat_maps(test.images[shown], maps, titles);

# %% [markdown]
# *Figure: six test pictures, the last ones mistakes, and below each the same with a heat map over it,
# bright where the features spoke for the answer.*
#
# Do not read too much into it. A map is coarse, it is smooth because it was enlarged, and it shows where
# something spoke for the answer, not why.
#
# ## A score for heat maps
#
# A bright ear proves little, because anybody can find a story for one map. So count: which share of a
# map lies inside the animal? The drawings come with their true outlines. A map that knows nothing
# scores the outline's share of the picture.
#
# To see what such a score is good for, you train two networks in the same way on 400 drawings each. One
# gets ordinary drawings. The other gets a *planted cue*: all its cats sit in the night, all its dogs
# in the snow.

# %%
CUE = {"cat": ["night"], "dog": ["snow"]}
SWAPPED = {"cat": ["snow"], "dog": ["night"]}
animals = ("cat", "dog")


def drawn_pictures(each, seed, backdrops=None):
    """Cats and dogs by turns: drawings, pictures and labels."""
    drawn = drawings.draw_many(animals, each, seed, backdrops=backdrops or {})
    return drawn, np.stack([drawing.picture for drawing in drawn]), np.arange(2 * each) % 2


_, planted_images, planted_labels = drawn_pictures(200, 1001, CUE)
matched, matched_images, test_labels = drawn_pictures(100, 1002, CUE)
_, swapped_images, _ = drawn_pictures(100, 1002, SWAPPED)
plots.pictures([*planted_images[:4], *swapped_images[:4]], columns=8, side=1.1);

# %% [markdown]
# *Figure: four training pictures with the planted cue, cats in the night and dogs in the snow, and four
# test pictures with the backdrops swapped.*
#
# All of both networks is trained at once under a fresh head, which lesson 4 warned of.


# %%
def train_everything(images, labels):
    """A drawn base under a fresh head, all of it trained."""
    keras.utils.set_random_seed(0)
    whole = bases.load("drawn")
    for layer in whole.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    model = keras.Sequential(
        [
            keras.Input(whole.input_shape[1:]),
            bases.find("drawn").scaling(),
            whole,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    model.optimizer.build(model.trainable_variables)
    model.fit(images, labels, batch_size=32, epochs=6, verbose=0)
    return model


ordinary = pictures.load("drawings", size=96, quiet=True).train
sound = train_everything(ordinary.images[:400], ordinary.labels[:400])
tricked = train_everything(planted_images, planted_labels)

# %% [markdown]
# **Predict:** four accuracies: each network on test pictures with the same backdrops as in the planted
# training set, and with the backdrops swapped.

# %%
results = {}
for name, model in (("sound", sound), ("tricked", tricked)):
    for backdrops, images in (("as planted", matched_images), ("swapped", swapped_images)):
        found = evaluation.accuracy(model(images, training=False), test_labels)
        results[f"{name}, backdrops {backdrops}"] = found
plots.intervals(results)
assert results["tricked, backdrops as planted"].value > 0.9
assert results["tricked, backdrops swapped"].value < 0.5
assert results["sound, backdrops swapped"].value > 0.75

# %% [markdown]
# *Figure: four accuracies. The tricked network is nearly always right with the planted backdrops and
# mostly wrong with the swapped ones; the sound one is good on both.*
#
# The tricked network scores near 1 on test pictures like its training pictures, better than the sound one.
# No accuracy on such pictures could have warned you. It has learnt the backdrop. Do the maps show it?


# %%
def maps_of(model, images):
    """Grad-CAM of one of the two networks, for the class that it names."""
    answers = evaluation.predicted_classes(model(images, training=False))
    return explain.grad_cam(model, images, answers, at=TAP)


outlines = np.stack([drawing.outline for drawing in matched])
sound_maps, tricked_maps = maps_of(sound, matched_images), maps_of(tricked, matched_images)
sound_share = np.nanmean(explain.share_inside(sound_maps, outlines))
tricked_share = np.nanmean(explain.share_inside(tricked_maps, outlines))
print(f"the outlines' share of the picture: {outlines.mean():.2f}")
print(f"inside them, sound:                 {sound_share:.2f}")
print(f"inside them, tricked:               {tricked_share:.2f}")
bands.check("heat inside the outline, sound", "drawings", sound_share)
bands.check("heat inside the outline, tricked", "drawings", tricked_share)
assert tricked_share < sound_share

# %%
both = np.concatenate([sound_maps[:4], tricked_maps[:4]])
titles = ["sound"] * 4 + ["tricked"] * 4
plots.heat_maps(np.concatenate([matched_images[:4]] * 2), both, titles);

# %% [markdown]
# *Figure: the same four pictures twice with their heat maps, those of the sound network on the left, of
# the tricked one on the right.*
#
# The sound network's maps lie clearly more inside the animal than chance would have it, the tricked one's
# little or not at all. The score tells the two apart over two hundred pictures, where a single map might have
# fooled you. It was so with each of three seeds, at this tap; at others the two come closer.

# %%
panels.question(exercises.what_a_map_shows)

# %% [markdown]
# ## What you have seen
#
# - The test set is opened once, when everything is chosen.
# - 500 pictures tell nothing about half a point. A paired comparison sees more than two intervals.
# - Precision and recall pull in opposite directions, and the threshold is yours to choose.
# - A temperature, fitted on validation, makes a model surer or less sure and changes no answer.
# - From scratch with 1,000 drawings is worse than a frozen base with 25.
# - A network can score near 1 for the wrong reason. Test pictures of another kind show it, and so does the
#   share of its heat maps inside the true outlines.
#
# ## On your own
#
# The bands hold for the lesson as written. Take out a `bands.check` or `assert` line where your
# change makes it stop.
#
# 1. Fine-tune for 1 and for 10 epochs. How does the temperature change?
# 2. Set `TAP` to `"block_5_add"`, then to `"block_9_add"`. Which tap tells the two networks apart best?
# 3. Plant a weaker cue: backdrops `["night", "room"]` for cats and `["snow", "meadow"]` for dogs. Does the
#    network still fall for it?
#
# ## Further reading
#
# - C. Guo and others, 2017:
#   [On Calibration of Modern Neural Networks](https://arxiv.org/abs/1706.04599)
# - R. Selvaraju and others, 2017:
#   [Grad-CAM](https://arxiv.org/abs/1610.02391)
# - J. Adebayo and others, 2018:
#   [Sanity Checks for Saliency Maps](https://arxiv.org/abs/1810.03292), on what heat maps do not show
# - R. Geirhos and others, 2020:
#   [Shortcut Learning in Deep Neural Networks](https://arxiv.org/abs/2004.07780)
# - scikit-learn guide:
#   [Metrics and scoring](https://scikit-learn.org/stable/modules/model_evaluation.html)
#
# Next: [7. Your own pictures](07_your_own_pictures.ipynb)
