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
# # 2. Download and look at data
#
# **What you'll do.** You download a set of pictures and check that it is whole, look at it from several sides, bring
# it into the shape that a network wants, and find out how a [test set](glossary.ipynb#Test-set) leaks.
#
# **What you'll learn.** Two ways to load pictures, those of the two texts; what to look for before any training;
# what `cache`, `batch` and `prefetch` bring; what augmentation looks like; and why you split files, not streams.
#
# **What you'll need.** Lesson 1, or a first acquaintance with Keras. Take about 35 minutes; all cells together run
# in about 15 seconds on two CPU cores.

# %% tags=["course"]
from helpers import panels, plots, recipes
from helpers.exercises import lesson_2 as exercises
from helpers.pictures import offered, originals, prepared

recipe = recipes.chosen()
print(recipe)
panels.recall(2)

# %% [markdown]
# ## Where you are
#
# ![Five steps: look at the data, build the pipeline, put the model together, train it, judge it, and again until it will do.](figures/workflow.svg)
#
# Both texts go through the same five steps. This lesson is the first two. It is the dull part, and most of what
# goes wrong later begins here.
#
# ## Download a file, and check it
#
# `keras.utils.get_file` downloads a file once, keeps it, and unpacks it. The tutorial calls it with the address of
# its photographs. Yours comes from a small server on your own machine, so that the cell runs without a network:
# an archive of pictures, and its *digest*, a fingerprint of all its bytes.

# %% tags=["course"]
offer = offered.offer("drawings" if recipe.tfds else recipe.pictures)
print(offer.sha256)

# %% [markdown]
# The digest says that what arrived is what was sent. **Predict:** what does `get_file` do if the file has another
# one?

# %%
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

keras.utils.set_random_seed(0)

folder = keras.utils.get_file(
    "cats_and_dogs.zip", origin=offer.url, file_hash=offer.sha256, extract=True, cache_dir=offer.cache
)
folder = pathlib.Path(folder)
print(folder.name, sorted(path.name for path in folder.iterdir()))

try:  # the same file, with a wrong digest on purpose
    keras.utils.get_file(
        "again.zip", origin=offer.url, file_hash="0" * 64, extract=True, cache_dir=offer.cache
    )
except ValueError as error:
    print("refused:", str(error).split(".")[0])

# %% [markdown]
# It refuses the file. Without `file_hash` nobody looks whether it is the right one.
#
# | what the tutorial says | what is so |
# |---|---|
# | `PATH = os.path.join(os.path.dirname(path_to_zip), "cats_and_dogs_filtered")`: the files lie beside what `get_file` returns. | They lie *in* it: with `extract=True`, Keras 3 returns the unpacked folder. The tutorial's cell ends in an error today. |
#
# Links die, too. Both texts' downloads have moved or failed before. `python3 course.py fetch` tries more than one
# address.
#
# ## The tutorial's way: a folder with a subfolder a class
#
# The folder's name is the [label](glossary.ipynb#Label). `image_dataset_from_directory` reads the files, resizes them, and hands them out in
# [batches](glossary.ipynb#Batch).

# %%
train = keras.utils.image_dataset_from_directory(
    folder / "train", image_size=recipe.image_size, batch_size=32, seed=0
)
validation = keras.utils.image_dataset_from_directory(
    folder / "validation", image_size=recipe.image_size, batch_size=32, shuffle=False
)
images, labels = next(iter(train))
print(train.class_names, images.shape, images.dtype, labels[:8].numpy())

# %% [markdown]
# A label is the position of the [class](glossary.ipynb#Class) in `class_names`. Pixels are floats from 0 to 255. The [validation](glossary.ipynb#Validation-set) files are not
# shuffled: their order does not matter, and a fixed one lets you go back from a mistake to its picture.
#
# ## The article's way: TensorFlow Datasets
#
# TFDS has hundreds of sets under a name. `cats_vs_dogs` is one [split](glossary.ipynb#Split) of 23,262 photographs, so the article cuts it by
# per cent: 40 to train, 10 for validation, 10 for the test. Unless your recipe is the article's, the next cell cuts the
# course's drawings in the same line. **Predict:** 2,000 pictures, cut so. How many are left over?

# %%
tfds.disable_progress_bar()  # here it has nothing to do
name = recipe.tfds or prepared.NAME
parts, info = tfds.load(
    name,
    split=["train[:40%]", "train[40%:50%]", "train[50%:60%]"],
    as_supervised=True,
    with_info=True,
    data_dir=prepared.data_dir(name),
)
print(f"{name}: {[len(part) for part in parts]} of {info.splits['train'].num_examples}")

# %% [markdown]
# Four in ten are never used. The article takes so few to keep its [epochs](glossary.ipynb#Epoch) short. `as_supervised=True` gives pairs of
# image and label, in the same form as above, but one by one and each in its own size.
#
# ## Look at nine
#
# No table replaces looking. The titles say the label and the size, width by height. (If your recipe is the drawings,
# the nine were drawn for this figure: those of the folder have one size.)

# %%
nine = originals.originals(recipe.pictures, count=9)
titles = [f"{label}, {image.shape[1]} x {image.shape[0]}" for image, label in nine]
plots.pictures([image for image, _ in nine], titles)
print("sizes:", len({image.shape for image, _ in nine}))

# %% [markdown]
# *Figure: nine pictures as they come, each with its label and size.*
#
# 'They are all different sizes', the article says of its nine, and so are these. By which cues do *you* tell cats from
# dogs?
#
# ## Count
#
# How many are there of each class? If nine in ten were dogs, 'always dog' would be right in 0.90 of all cases.

# %%
counts = {
    part: [len(list(kind.iterdir())) for kind in sorted((folder / part).iterdir())]
    for part in ("train", "validation", "test")
}
plots.class_counts(counts, train.class_names)
largest = max(counts["validation"]) / sum(counts["validation"])
print(f"always the most frequent class: {largest:.2f}")

# %% [markdown]
# *Figure: pictures a class in each part.*
#
# That share is the first number to beat.
#
# ## One size for all
#
# A batch is one block of numbers, so all its pictures have one size. Pretrained networks also see best at about the
# size that they were trained on. **Predict:** what does a square do to a wide picture? And at which size would you no
# longer tell what it is?

# %%
wide = max((image for image, _ in nine), key=lambda image: image.shape[1] / image.shape[0])
sides = (24, 48, 96, 160)
resized = [tf.image.resize(wide, (side, side)).numpy() for side in sides]
plots.pictures([wide, *resized], ["as it comes", *(f"{side} x {side}" for side in sides)], columns=5, side=1.7);

# %% [markdown]
# *Figure: one picture as it comes, and as a square of four sizes.*
#
# The square makes it narrower. Both texts resize so, and the networks of the next lessons cope with it. You need fewer
# pixels than you might think. A network saves by it: half the side is a quarter of the work.
#
# ## Fast enough: batch, cache, prefetch
#
# A slow pipeline lets the network wait. Three steps help. `batch` hands over many pictures at once, `cache` keeps what
# came before it in memory, and `prefetch` works ahead. `AUTOTUNE` lets TensorFlow choose how many files it decodes at
# the same time. **Predict:** which step gains the most?


# %%
def decode(path):
    """A file as a picture of the recipe's size."""
    picture = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    return tf.image.resize(picture, recipe.image_size)


paths = [str(path) for path in sorted(folder.glob("train/*/*"))[:500]]
files = tf.data.Dataset.from_tensor_slices(paths)
one_by_one = files.map(decode)
batched = files.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(32)
cached = batched.cache()
prefetched = cached.prefetch(tf.data.AUTOTUNE)


def pictures_a_second(dataset):
    """The speed of the second pass."""
    for _ in range(2):
        started = time.perf_counter()
        for _ in dataset:
            pass
    return len(paths) / (time.perf_counter() - started)


speeds = {
    "one by one": pictures_a_second(one_by_one),
    "on all cores, in batches": pictures_a_second(batched),
    "cached": pictures_a_second(cached),
    "cached and prefetched": pictures_a_second(prefetched),
}
for step, speed in speeds.items():
    print(f"{step:25} {speed:9,.0f} pictures a second")

# %% [markdown]
# `cache` gains most: from the second pass on, nothing is read or decoded. All that comes before it runs once, so chance
# comes after it. `prefetch` shows its worth in training, not here: it prepares the next batch while the network works
# on this one.
#
# One step is missing. `shuffle(n)` keeps a buffer of `n` elements and hands out one of them by chance, in another order
# in each pass. Files are listed class by class, so a small buffer gives one class first. After `batch`, it mixes whole
# batches, not pictures.
#
# **Exercise.** Write `pipeline(files, decode, augment)`. It gets a dataset of pairs (file, label), sorted by class; a
# function from a file to its picture; and a function from pictures to variants drawn by chance. It returns pairs
# (pictures, labels) in batches of 32. A second pass brings other variants, in another order and in other batches, and
# decodes nothing. `files.map(lambda file, label: (decode(file), label))` reaches the first of a pair.


# %% tags=["course"]
def pipeline(files, decode, augment):
    """Batches of pictures and labels: decoded once, shuffled and augmented anew in each pass."""
    ...


exercises.pipeline.check(pipeline)

# %% [markdown]
# ## Augmentation
#
# A cat in a mirror is a cat. [Augmentation](glossary.ipynb#Augmentation) shows the network such variants, new ones in each epoch. In Keras it is a
# stack of layers. **Try:** move the sliders until you would no longer give the label yourself. That is too far.


# %% tags=["course"]
def augment(picture, flip, rotation, zoom, brightness, seed):
    """Nine random variants of one picture."""
    layers = [
        keras.layers.RandomRotation(factor=rotation, seed=seed),
        keras.layers.RandomZoom(height_factor=zoom, seed=seed + 1),
        keras.layers.RandomBrightness(factor=brightness, seed=seed + 2),
    ]
    if flip:
        layers.append(keras.layers.RandomFlip("horizontal", seed=seed + 3))
    nine = np.repeat(picture[np.newaxis].astype("float32"), 9, axis=0)
    return keras.Sequential(layers)(nine, training=True)


panels.augmentation_panel(recipe.example(), augment, title="<b>Nine variants of one picture</b>")

# %% [markdown]
# *Figure: nine variants of one picture, mirrored, turned, zoomed and brightened by chance.*
#
# An augmentation must keep the label true. For a letter or a road sign, a mirror does not.
#
# **Exercise.** A network is to read road signs: 'keep left' or 'keep right'. Write `road_signs()`. It returns a
# `keras.Sequential` of augmentation layers that changes at least half of the pictures visibly, keeps all values within 0
# to 255 and every label true, and does nothing in use. `RandomRotation(0.1)` turns by up to a tenth of a full turn.


# %% tags=["course"]
def road_signs():
    """A stack of augmentation layers that keeps left and right apart."""
    ...


exercises.road_signs.check(road_signs)

# %% [markdown]
# ## How a test set leaks
#
# The tutorial cuts its test set off the validation set: `validation.take(n)` is the test, `validation.skip(n)` stays
# for validation. But its dataset shuffles anew at each pass, with a buffer of eight batches, as
# `image_dataset_from_directory` does.
#
# ![A stream of six pictures is shuffled anew at each pass. The first pass takes two as the test set. The second pass skips two others, so the two of the test set are in the validation set as well.](figures/take_skip.svg)
#
# Replay it with 1,000 numbers in place of pictures. **Predict:** how many of the test numbers come up in validation in
# one pass? And in ten?


# %%
def leaked(reshuffle, passes):
    """How many test numbers some passes over the validation set bring, too; and of how many."""
    numbers = tf.data.Dataset.range(1000)
    batches = numbers.shuffle(8 * 32, seed=0, reshuffle_each_iteration=reshuffle).batch(32)
    fifth = len(batches) // 5
    test = {int(number) for batch in batches.take(fifth) for number in batch}
    seen = set()
    for _ in range(passes):
        seen |= {int(number) for batch in batches.skip(fifth) for number in batch}
    return len(test & seen), len(test)


print("shuffled anew, one pass:  ", leaked(reshuffle=True, passes=1))
print("shuffled anew, ten passes:", leaked(reshuffle=True, passes=10))
print("shuffled once:            ", leaked(reshuffle=False, passes=10))

# %% [markdown]
# | what the tutorial says | what is so |
# |---|---|
# | `take` and `skip` make a test set out of the validation set. | About half of the 'test' pictures are in each validation pass, and after ten epochs all of them were. You choose the model by the very pictures that you test it on. |
#
# Half, and not more, since the buffer holds only 256 of the 1,000: the first batches come mostly from the front.
#
# `take` and `skip` cut at a place in a stream, and each pass is another stream. So split the *list of files*, once, with
# a seed, before there is any stream.
#
# ![A list of files, shuffled once with a seed and cut into three parts: train, on which the weights are fitted; validation, by which you choose; test, which is opened once, at the end.](figures/splits.svg)
#
# **Exercise.** Write such a split. `split(files, seed)` gets a list of file names, sorted by class. It returns three
# lists: 60 % to train, 20 % for validation, 20 % for the test, give or take one. No name is in two of them, none is
# lost. The same seed gives the same parts. Leave the given list and the global state of `random` and `np.random` alone:
# `np.random.default_rng(seed)` makes a generator that is yours.


# %% tags=["course"]
def split(files, seed):
    """Three lists of names: train, validation, test."""
    ...


exercises.split.check(split)

# %% [markdown]
# Is a split by files always enough?

# %% tags=["course"]
# What the text says of leaks holds for this version of TensorFlow, too.
assert leaked(reshuffle=True, passes=10)[0] > 150 and leaked(reshuffle=False, passes=10)[0] == 0
panels.question(exercises.frames_of_videos)

# %% [markdown]
# ## What you have seen
#
# - A download with a digest is whole or refused.
# - `image_dataset_from_directory` reads a folder a class; `tfds.load` cuts a named set by per cent.
# - Look at pictures, sizes and counts before you train. The share of the largest class is the number to beat.
# - `cache` gains most. Chance comes after it, and `shuffle` before `batch`.
# - Augmentation must keep the label true.
# - A dataset that reshuffles leaks under `take` and `skip`. Split files, or the groups that they come in.
#
# ## On your own
#
# 1. Put `files.map(decode).cache()` into `speeds`. How much of the gain is left without batches?
# 2. Equal files have equal digests: `hashlib.sha256(path.read_bytes()).hexdigest()`. Is a picture in `folder` twice?
# 3. Look at nine pictures of your own: `originals.originals("path/of/a/folder")`, with one subfolder a class.
#
# ## Further reading
#
# - TensorFlow guide: [Better performance with the tf.data API](https://www.tensorflow.org/guide/data_performance)
# - TensorFlow Datasets: [cats_vs_dogs](https://www.tensorflow.org/datasets/catalog/cats_vs_dogs)
# - Keras reference: [Image augmentation layers](https://keras.io/api/layers/preprocessing_layers/image_augmentation/)
#
# Next: [3. Extract features with a frozen base](03_extract_features.ipynb)
