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
# # 7. Your own pictures
#
# **What you'll do.** You take a folder as it comes off a phone, train a model on it in under a minute,
# ask how many pictures are enough, find wrong labels, name new pictures, and save a model that others
# can use.
#
# **What you'll learn.** What is wrong with pictures before any network sees them; what a learning curve
# can promise; how a model helps to find wrong labels, and where that turns into cheating; and why
# 'none of these' is the hardest answer.
#
# **What you'll need.** Lessons 3 and 6. All cells together run in about 60 seconds on two CPU cores.
# Nothing is downloaded: the folder is drawn, and stands in for yours. To run the lesson on your own
# pictures, with one subfolder a class and from 2 to 200 classes, change nothing in it and start it so:
#
# `COURSE_FOLDER=/full/path/of/your/folder python3 course.py lab`

# %%
import os
import time
from pathlib import Path

from helpers import bases

FOLDER = os.environ.get("COURSE_FOLDER") or "phone"
drawn = FOLDER == "phone"
BASE = "drawn" if drawn or bases.is_ready("MobileNetV2") else "MobileNetV2"
if BASE == "drawn" and not drawn:
    print(bases.is_ready("MobileNetV2"))
    print("Until then you use a base that has seen drawings only. On photographs it is hardly better")
    print("than a random one: use it to try the lesson out, and not to judge your pictures.")
print(f"{FOLDER} with the base {BASE}")

# %%
import keras
import numpy as np
import pandas as pd
import sklearn.metrics
from sklearn.linear_model import LogisticRegression

from helpers import (
    bands,
    evaluation,
    export,
    features,
    panels,
    paths,
    pictures,
    plots,
    training,
)
from helpers.drawings import phone
from helpers.exercises import lesson_7 as exercises
from helpers.pictures import labels

keras.utils.set_random_seed(0)
KEPT = paths.cache_folder() / "own"
KEPT.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## What comes off a phone
#
# The folder has five classes: two breeds of cats and three of dogs, none of which the base has met. It has
# also what such folders have: pictures that lie on their side, four formats, and files that are no use.
# Loading reads what a file *is*, not what it is called. **Predict:** what can be wrong with a file called
# `IMG_9001.jpg`?

# %%
if drawn:
    made = phone.write()
    FOLDER = str(made / "pictures")
data = pictures.load(FOLDER, size=bases.find(BASE).size)
train, validation, test = data.train, data.validation, data.test
class_names = list(data.class_names)
classes = len(class_names)

# %% [markdown]
# Below the counts stands what was left out, and why. An *HEIC* picture is what an iPhone takes unless you
# tell it otherwise; TensorFlow cannot read it, whatever its name ends in. A file can also claim to hold more
# pixels than your memory has room for, so its size is asked before it is decoded, and above 100 million
# pixels it is not. None of this stops the loading: a folder with six bad files is still a folder.

# %%
few = min(12, len(train))
titles = [class_names[label] for label in train.labels[:few]]
plots.pictures(train.images[:few], titles, columns=6, side=1.4);

# %% [markdown]
# *Figure: twelve training pictures with their labels, all upright.*
#
# Phones do not turn the pixels. They store what the sensor saw, with a note in the file, the *EXIF
# orientation*, which way up it belongs. `keras.utils.image_dataset_from_directory` does not read that
# note. The course does. How much does it matter? Leave the note out and look.

# %%
if drawn:
    import tensorflow as tf

    turned = [file for file in train.files if file.endswith(".jpg")][:6]
    as_stored = [
        tf.image.resize(tf.io.decode_image((Path(FOLDER) / file).read_bytes()), (96, 96))
        for file in turned
    ]
    plots.pictures(as_stored, [Path(file).name for file in turned], columns=6, side=1.4)

# %% [markdown]
# *Figure: six of the files as TensorFlow alone decodes them; some lie on their side.*
#
# A model that is trained on pictures lying down and used on pictures standing up has a problem that no
# accuracy on the same folder will show.
#
# **Exercise.** The note is a number. 1 is upright, 3 upside down. 6 says: turn the stored picture a quarter
# clockwise; 8: a quarter counterclockwise. (2, 4, 5 and 7 are mirrored, which phones do not do.) Write the
# function. `np.rot90(pixels, k)` turns counterclockwise by `k` quarters.

# %%
def upright(pixels, orientation):
    """The stored `(height, width, 3)` pixels, turned as the note 1, 3, 6 or 8 says."""
    ...


exercises.upright.check(upright)

# %% [markdown]
# You have no folder yet? This panel makes one: name a class, choose its pictures, add them. Files are
# judged by their contents here, too, get new names, and never overwrite each other.

# %%
panels.upload_panel(KEPT / "collected")

# %% [markdown]
# ## A model in under a minute
#
# As in lesson 3: the frozen part runs once for each picture, and what trains is a head on the features. There
# is one logit a class, for any number of classes.

# %%
started = time.perf_counter()
base = bases.load(BASE)
base.trainable = False
frozen = keras.Sequential(
    [
        keras.Input(base.input_shape[1:]),
        bases.find(BASE).scaling(),
        base,
        keras.layers.GlobalAveragePooling2D(),
    ]
)
train_features = features.extract(frozen, train.images)
validation_features = features.extract(frozen, validation.images)


def train_head(inputs, targets):
    """A head of one logit a class, trained on features."""
    keras.utils.set_random_seed(0)
    head = keras.Sequential([keras.Input(inputs.shape[1:]), keras.layers.Dense(classes)])
    head.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    head.fit(inputs, targets, batch_size=32, epochs=30, verbose=0)
    return head


head = train_head(train_features, train.labels)
print(f"{len(train) + len(validation)} pictures: {time.perf_counter() - started:.0f} s")

# %%
validation_logits = np.asarray(head(validation_features))
evaluation.accuracy(validation_logits, validation.labels)

# %% [markdown]
# It takes seconds, and most of them go into the features. The interval behind the accuracy is wide: there are
# few pictures to validate on, and you cannot wish that away.
#
# **Exercise.** Your classes will not be of equal size: people photograph their favourite mug more often.
# `fit` takes `class_weight`, a dictionary from class to weight. Weights that make each class count the same
# in sum, and that are 1 on average over the pictures, undo the imbalance. Write the function.

# %%
def class_weights(targets):
    """A dictionary from each class in `targets`, `(n,)`, to its weight."""
    ...


exercises.class_weights.check(class_weights)

# %% [markdown]
# ## Judge it
#
# You open the test pictures now. Later in this lesson you will look at them again; from the second look on
# they are no longer untouched, and you keep that in mind.

# %%
test_features = features.extract(frozen, test.images)
test_logits = np.asarray(head(test_features))
test_accuracy = evaluation.accuracy(test_logits, test.labels)
print(test_accuracy)
bands.check("own pictures, test", "drawings" if drawn else data.name, test_accuracy.value)

# %% [markdown]
# **Predict:** which two classes will it take for each other?

# %%
predicted = evaluation.predicted_classes(test_logits)
if classes <= 20:
    display = sklearn.metrics.ConfusionMatrixDisplay.from_predictions(
        test.labels, predicted, labels=range(classes), display_labels=class_names,
        cmap="Blues", colorbar=False, xticks_rotation=45,
    )
    display.ax_.set_title("Test pictures")

# %% [markdown]
# *Figure: the confusion matrix of the test pictures, the right answers on the diagonal.*
#
# With many classes a matrix is too large to read. The commonest mistakes as a list always fit.

# %%
mistakes = pd.DataFrame({"labelled": test.labels, "predicted": predicted})
mistakes = mistakes.map(lambda number: class_names[number])
mistakes = mistakes[mistakes["labelled"] != mistakes["predicted"]]
mistakes.value_counts().head(5).rename("pictures").reset_index()

# %% [markdown]
# Look at the single mistakes before you blame the model. Some of these labels may be wrong.
#
# **Exercise.** Phones take bursts: ten pictures of the same dog within two seconds. Split them at random, and
# the test pictures have near copies among the training pictures. Each picture has a number that says which
# burst it belongs to. Write a split in which no burst lies on both sides, with about the share `test_share`
# of the pictures in the test. scikit-learn's `GroupShuffleSplit` can do it.

# %%
def split_bursts(bursts, test_share, seed):
    """Rows of the training pictures and of the test pictures, two arrays of integers."""
    ...


exercises.split_bursts.check(split_bursts)

# %%
panels.question(exercises.burst_accuracy)

# %% [markdown]
# ## How many pictures are enough?
#
# Ask the pictures that you have. Train on 5 of each class, on 10, on 20, and so on, a few times with other
# ones, and see where the curve goes. The features are there, so each training takes a moment. Validation
# pictures judge, for you want to decide something. **Predict:** how much does
# the step from 20 to 40 bring?

# %%
smallest = np.bincount(train.labels, minlength=classes).min()
counts = [count for count in (5, 10, 20, 40, 80, 160) if count <= smallest] or [int(smallest)]
shuffler = np.random.default_rng(0)
quick = labels.rotated(np.concatenate([train_features, validation_features]))
curve = {}
for count in counts:
    for _ in range(5):
        order = shuffler.permutation(len(train))
        chosen = np.concatenate(
            [order[train.labels[order] == label][:count] for label in range(classes)]
        )
        small = training.reference_head(quick[chosen], train.labels[chosen])
        found = evaluation.accuracy(np.asarray(small(quick[len(train) :])), validation.labels)
        curve.setdefault(count, []).append(found)
axes = plots.accuracy_by_count({"head on the frozen base": curve})
axes.set_xlabel("training pictures a class")
axes.set_ylabel("validation accuracy");

# %% [markdown]
# *Figure: validation accuracy against the number of training pictures a class, five trainings each, with
# their intervals.*
#
# The five dots of a column differ only in *which* pictures were taken. With few pictures that matters much.
#
# How would it go on? Over a wide range the share of mistakes often falls about as a power of the number of
# pictures: a straight line, where both axes are logarithmic. So you fit a line and read it off further right.
# That is a guess. It knows nothing of labels that are wrong, which no number of pictures like these cures,
# and it gets worse the further you go.

# %%
errors = np.array([1 - np.mean([found.value for found in curve[count]]) for count in counts])
if len(counts) >= 2 and errors.min() > 0:
    slope, intercept = np.polyfit(np.log(counts), np.log(errors), 1)
    for count in (counts[-1], 2 * counts[-1], 4 * counts[-1]):
        guess = np.exp(intercept + slope * np.log(count))
        print(f"{count:4} a class: about {1 - guess:.2f}")

# %% [markdown]
# **Exercise.** Turn it round: how many pictures a class does the line ask for, to reach a target accuracy?
# Return a whole number, rounded up.

# %%
def pictures_for(counts, accuracies, target):
    """Pictures a class at which the fitted line reaches the accuracy `target`."""
    ...


exercises.pictures_for.check(pictures_for)

# %% [markdown]
# ## Find wrong labels
#
# Labels are made by people, and folders by people in a hurry. A model can point at those worth a second look:
# pictures whose label it finds improbable. But a model that has *learnt* a label will not doubt it. So the
# pictures are dealt into five folds, and each is judged by a head that was trained on the other four. This
# is its *out-of-fold* loss.
#
# You take the training and validation pictures together. The test pictures stay out of it; why, you will see.

# %%
looked_at = np.concatenate([train_features, validation_features])
given = np.concatenate([train.labels, validation.labels])
files = [*train.files, *validation.files]
images = np.concatenate([train.images, validation.images])
doubted = labels.out_of_fold(looked_at, given)
order = labels.suspects(doubted, given)

first = order[:12]
titles = [f"{class_names[given[row]]}?\n{class_names[doubted[row].argmax()]}" for row in first]
plots.pictures(images[first], titles, columns=6, side=1.4);

# %% [markdown]
# *Figure: the twelve pictures with the largest out-of-fold loss; above each its label with a question mark
# and the class that the model names.*
#
# The drawn folder was made with 6 % of wrong labels, and the truth about them is known. So here, and only
# here, the search can be judged. **Predict:** of the 30 most suspicious pictures, how many are labelled
# wrongly? And how many would be among 30 picked blindly?


# %%
def true_labels(split_files):
    """What the drawn pictures show, as numbers; only the drawn folder has this."""
    shown = phone.truth(made)["true"]
    return np.array([class_names.index(shown[f"pictures/{file}"]) for file in split_files])


if drawn:
    wrong = given != true_labels(files)
    found = int(wrong[order[:30]].sum())
    print(f"wrong labels in all:          {wrong.sum()} of {len(wrong)}")
    print(f"among the 30 most suspicious: {found}")
    print(f"among 30 picked blindly:      {30 * wrong.mean():.1f}")
    bands.check("wrong labels among 30", "drawings", found)

# %% [markdown]
# More than half of the 30 are truly wrong, against about two by chance: you look at 30 pictures instead of at
# all. The rest are hard pictures with right labels, and they teach the model most. That is why a person
# decides, and not the loss.
#
# What if you skip the folds, and take the loss on the very pictures that the head was trained on? Try it with
# two heads: one whose weights are held back strongly, as above, and one that is free to learn its pictures by
# heart.

# %%
if drawn:
    short = labels.rotated(looked_at)
    tried = {}
    for name, strength in (("held back", 0.01), ("by heart", 1000)):
        fitted = LogisticRegression(C=strength, max_iter=2000).fit(short, given)
        own = fitted.predict_proba(short)
        apart = labels.out_of_fold(looked_at, given, strength=strength)
        tried[name] = {
            "right on its own pictures": np.mean(own.argmax(axis=1) == given),
            "wrong labels among 30, by its own loss": wrong[labels.suspects(own, given)[:30]].sum(),
            "the same, out of fold": wrong[labels.suspects(apart, given)[:30]].sum(),
        }
    print(pd.DataFrame(tried).round(2).to_string())
    assert tried["by heart"]["wrong labels among 30, by its own loss"] < found

# %% [markdown]
# The head that knows its pictures by heart believes the wrong labels, too: by its own loss you find clearly
# fewer. The one that is held back cannot learn a single label by heart, and there the folds change little.
# A network that you fine-tuned is of the first kind.
#
# **Exercise.** Write it yourself: the out-of-fold loss of each picture. `folds` holds the number of each
# picture's fold. Train a `LogisticRegression(C=0.01, max_iter=1000)` on all pictures of other folds.

# %%
def out_of_fold_loss(inputs, targets, folds):
    """The cross-entropy of each picture, `(n,)`, by a head that was trained without its fold."""
    ...


exercises.out_of_fold_loss.check(out_of_fold_loss)

# %%
panels.question(exercises.what_loss_finds)

# %% [markdown]
# ## Keep, relabel, leave out
#
# Now you look. The panel shows the suspects one by one. *Keep* says the label is right, *Relabel* gives the
# picture another class, *Leave out* takes it from the set. What you decide is kept at once, for a
# folder of your own in a small file, and is there when you come back. No picture on disk is moved or deleted.

# %%
decisions = labels.Decisions(None if drawn else labels.path_for(FOLDER))
panels.labels_panel(images, files, given, doubted, class_names, decisions)

# %% [markdown]
# *Figure: the panel's first twelve pictures, with the label in question and the class that the model names.*
#
# Let somebody with good eyes go through the first 30 of the drawn folder, who sees each picture for what it
# is. On a folder of your own it is you, with the panel; then run
# the cells from here on once more.

# %%
if drawn:
    shows = true_labels(files)
    for row in order[:30]:
        if shows[row] == given[row]:
            decisions.keep(files[row])
        else:
            decisions.relabel(files[row], class_names[shows[row]])
print(decisions)

cleaned = labels.apply(data, decisions)
rows_of = {file: row for row, file in enumerate(train.files)}
kept_rows = [rows_of[file] for file in cleaned.train.files]
cleaned_head = train_head(train_features[kept_rows], cleaned.train.labels)

# %% [markdown]
# Did it help? Judge both heads on the test pictures, as they are labelled. On the drawn folder you can also
# judge them by what the pictures truly show: for that, somebody has looked at *every* test picture, and not
# only at those on which the model disagrees.

# %%
cleaned_logits = np.asarray(cleaned_head(test_features))
results = {
    "before, labels as given": evaluation.accuracy(test_logits, test.labels),
    "cleaned, labels as given": evaluation.accuracy(cleaned_logits, test.labels),
}
if drawn:
    shown_in_test = true_labels(test.files)
    results["before, true labels"] = evaluation.accuracy(test_logits, shown_in_test)
    results["cleaned, true labels"] = evaluation.accuracy(cleaned_logits, shown_in_test)
if drawn:
    assert results["cleaned, true labels"].value > results["cleaned, labels as given"].value
plots.intervals(results);

# %% [markdown]
# *Figure: test accuracy with its interval, before and after the labels were cleaned.*

# %%
judged_by = shown_in_test if drawn else test.labels
evaluation.compare(test_logits, cleaned_logits, judged_by)

# %% [markdown]
# The two heads differ on a handful of pictures, so no gain was shown: so small a head, trained so briefly,
# is hardly disturbed by 6 % of wrong labels, and 60 pictures would not show a small gain if there were one.
# What changes is the ruler. Where a test label is wrong, a right answer counts as a mistake: by the true
# labels both heads do better than by those given.
#
# And the test labels? It is tempting to clean them the same way. **Predict:** what happens to the accuracy if
# you leave out the tenth of the test pictures that has the largest loss?

# %%
test_loss = labels.losses(evaluation.probabilities(test_logits), test.labels)
easy = np.argsort(test_loss)[: round(0.9 * len(test))]
print("all test pictures:        ", evaluation.accuracy(test_logits, test.labels))
print("without the suspicious:   ", evaluation.accuracy(test_logits[easy], test.labels[easy]))

# %% [markdown]
# The model is the same, to the last weight. You have struck questions that it got wrong, and little else.
# Test labels are cleaned by looking at all of them, or at a random part, or not at all.

# %%
panels.question(exercises.cleaning_the_test_set)

# %% [markdown]
# ## Name new pictures
#
# The whole model, from pixels to logits, is the frozen part and the head in a row.

# %%
model = keras.Sequential([frozen, cleaned_head])


def predict(images):
    """Probabilities `(n, classes)` of pictures of 0 to 255, `(n, size, size, 3)`."""
    return evaluation.probabilities(model(np.asarray(images), training=False))


size = data.size
if drawn:
    shown = sorted((made / "new").iterdir())[:3]
    examples = np.stack([pictures.decode(path.read_bytes(), size) for path in shown])
else:
    examples = test.images[:3]
panels.predict_panel(predict, class_names, size, examples=examples)

# %% [markdown]
# Choose any pictures on your computer. They go through the same gate as the folder: the limit on pixels, the
# note which way is up, the reasons. Try a picture of
# yourself. It gets the name of a class, like any other.
#
# ## None of these
#
# Softmax shares out one whole among the classes it knows. A picture of none of them gets shares, too. The
# usual answer is a threshold: if the highest probability lies below, say 'none of these'. Where to put it?
# You decide how many pictures of your classes may be refused by mistake, say 5 %, and read it off the
# validation pictures.
#
# **Exercise.** Write it. `confidence` holds the highest probability of each validation picture. A picture is
# kept where its confidence is at or above the threshold.

# %%
def threshold_keeping(confidence, share):
    """The highest threshold at which at least `share` of these pictures are kept."""
    ...


exercises.threshold_keeping.check(threshold_keeping)

# %% [markdown]
# Any folder can be tested without strangers at hand: pretend that you do not know one of your classes.
# Train without it, set the threshold, and see how many of its pictures are refused. **Predict:** nearly
# all, half, or few?

# %%
def highest(inputs, known_head):
    """The highest probability of each picture."""
    return evaluation.probabilities(np.asarray(known_head(inputs))).max(axis=1)


refused = {}
everything = labels.rotated(np.concatenate([train_features, validation_features, test_features]))
in_train, in_validation, in_test = np.split(everything, [len(train), len(train) + len(validation)])
for label in range(classes if classes > 2 else 0)[:5]:
    known, watched = train.labels != label, validation.labels != label
    relabelled = np.unique(train.labels[known], return_inverse=True)[1]
    without = training.reference_head(in_train[known], relabelled, strength=0.1)
    threshold = np.quantile(highest(in_validation[watched], without), 0.05)
    stranger = highest(np.concatenate([in_validation[~watched], in_test[test.labels == label]]), without)
    refused[class_names[label]] = evaluation.Accuracy(int((stranger < threshold).sum()), len(stranger))
if drawn:
    assert all(share.value < 0.75 for share in refused.values())
if refused:
    axes = plots.intervals(refused)
    axes.set_xlabel("share refused, with its 95 % interval")
    axes.set_title("A class that the model was not told of")

# %% [markdown]
# *Figure: for each class, left out of training, the share of its pictures that a threshold refuses which
# keeps 95 % of the known ones.*
#
# On the drawn folder, less than three quarters of any class that was kept back are refused, whatever the
# class, and mostly far less. The others get the name of a known class, with confidence. Your own folder has
# a figure of its own here, and it is worth knowing before you promise anybody a 'none of these'.
#
# With the drawn folder come 80 strangers: 40 of other breeds of cats and dogs, 40 of other animals, owls and
# frogs. Three scores are tried on them, each with a threshold that keeps 95 % of the validation pictures: the
# highest probability; the highest logit, which does not share out one whole; and the distance to the nearest
# training picture in the space of features.

# %%
if drawn:
    shows = phone.truth(made)["true"]
    shown = sorted((made / "strangers").iterdir())
    odd = np.stack([pictures.decode(path.read_bytes(), size) for path in shown])
    odd_features = features.extract(frozen, odd)
    related = np.array([shows[f"strangers/{path.name}"] in phone.RELATED for path in shown])


def scores(inputs):
    """Three scores of each picture, the higher the more familiar."""
    logits = np.asarray(cleaned_head(inputs))
    unit = inputs / np.linalg.norm(inputs, axis=1, keepdims=True)
    trained = train_features / np.linalg.norm(train_features, axis=1, keepdims=True)
    return {
        "highest probability": evaluation.probabilities(logits).max(axis=1),
        "highest logit": logits.max(axis=1),
        "nearest training picture": (unit @ trained.T).max(axis=1),
    }


if drawn:
    shares = {}
    for name, at_validation in scores(validation_features).items():
        threshold = np.quantile(at_validation, 0.05)
        kept = scores(test_features)[name] >= threshold
        below = scores(odd_features)[name] < threshold
        shares[name] = {
            "test pictures kept": evaluation.Accuracy(int(kept.sum()), len(kept)),
            "other breeds refused": evaluation.Accuracy(int(below[related].sum()), related.sum()),
            "other animals refused": evaluation.Accuracy(int(below[~related].sum()), (~related).sum()),
        }
    print(pd.DataFrame(shares).map(lambda share: f"{share.value:.2f}").to_string())
    by_probability, by_distance = shares["highest probability"], shares["nearest training picture"]
    assert max(by_probability[f"other {kind} refused"].value for kind in ("breeds", "animals")) < 0.5
    nearer = by_distance["other animals refused"].value
    assert by_probability["other animals refused"].value < nearer < 0.9

# %% [markdown]
# With a threshold on the probability most strangers walk in, owls and frogs included. The distance refuses
# many more of the other animals, for they lie elsewhere among the features, and it lets in nearly all other
# breeds, which lie right among the known ones. No score refuses all. What helps is to collect pictures of
# what else will stand before the camera, and to train a class of them; and not to promise what a threshold
# cannot keep.

# %%
panels.question(exercises.none_of_these)

# %% [markdown]
# ## Save it, and hand it on
#
# A `.keras` file holds the whole model: its architecture, its weights, and the scaling of the pixels. What
# it does *not* hold is the names of the classes. Keep them beside it.
#
# Keras writes straight into the file that you name. If the kernel dies in the middle, or the disk is full,
# neither the new model is there nor the one that was there before. So save beside it and rename: a file is
# renamed whole or not at all.

# %%
saved = KEPT / "model.keras"
model.save(KEPT / "new.keras")
(KEPT / "new.keras").replace(saved)
(KEPT / "classes.txt").write_text("\n".join(class_names), encoding="utf-8")
again = keras.models.load_model(saved)
some = test.images[:64]
full = np.asarray(model(some, training=False))
np.testing.assert_allclose(np.asarray(again(some, training=False)), full, atol=1e-4)
print(f"{saved.stat().st_size / 1e6:.1f} MB; the same logits for {len(some)} pictures")

# %% [markdown]
# Loaded again, it gives the same numbers. But it needs TensorFlow to run, which a phone or a small board has
# no room for. LiteRT is the runtime for these: one file, and a library of a few megabytes.

# %%
written = export.litert(model, KEPT / "model.tflite", class_names=class_names)
runs_anywhere = export.load(written)
small = runs_anywhere(some)
same = np.mean(small.argmax(axis=1) == full.argmax(axis=1))
print(f"{written.stat().st_size / 1e6:.1f} MB; the same class for {same:.0%} of them")
print(f"largest difference of a logit: {np.abs(small - full).max():.5f}")
np.testing.assert_allclose(small, full, atol=1e-2)

# %% [markdown]
# Floats are added up in another order there, so the last digits differ and nothing else. Whoever uses the
# file must bring pictures upright and to the right size, as the course did before the model saw them: that
# is not in the file.
#
# ## What you have seen
#
# - A folder off a phone has pictures on their side and files that are no use. A file's name says nothing.
# - A frozen base and a head make a model of some hundred pictures in under a minute.
# - A learning curve tells what the next doubling is about worth, and no more.
# - Sorted by out-of-fold loss, wrong labels come early. A person decides; the test set is not cleaned so.
# - 'None of these' by a threshold refuses some strangers and lets many through, above all similar ones.
#
# ## On your own
#
# The bands hold for the lesson as written. Take out a `bands.check` line where your change makes it stop.
#
# 1. Photograph two things in your kitchen, twenty pictures each, and run the lesson on them. Which pictures
#    are named wrongly, and why?
# 2. Then photograph them in another room. How much of the accuracy is left?
# 3. Add a class 'something else' with pictures of all sorts. Does it refuse strangers better than a
#    threshold?
#
# ## Further reading
#
# - C. Northcutt and others, 2021:
#   [Confident Learning: Estimating Uncertainty in Dataset Labels](https://arxiv.org/abs/1911.00068)
# - C. Northcutt and others, 2021:
#   [Pervasive Label Errors in Test Sets](https://arxiv.org/abs/2103.14749)
# - J. Hestness and others, 2017:
#   [Deep Learning Scaling is Predictable, Empirically](https://arxiv.org/abs/1712.00409), on learning curves
# - D. Hendrycks and K. Gimpel, 2016:
#   [A Baseline for Detecting Misclassified and Out-of-Distribution Examples](https://arxiv.org/abs/1610.02136)
# - Keras guide:
#   [Save, serialize, and export models](https://keras.io/guides/serialization_and_saving/)
#
# Next: [8. Choose a base and ship it](08_choose_and_ship.ipynb)
