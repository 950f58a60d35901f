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
# **What you'll do.** You choose a set of pictures, download it if you like, look at it from several
# sides, bring it into the shape that a network wants, and find out how a test set leaks.
#
# **What you'll learn.** What to check before any training: sizes, balance, duplicates, pixel range;
# what `batch`, `cache` and `prefetch` do; what augmentation looks like; and why you split files,
# not shuffled datasets.
#
# **What you'll need.** Lesson 1, or a first acquaintance with Keras. The drawings come with the
# course, so nothing is downloaded unless you choose photographs. All cells together run in about 20
# seconds on two CPU cores.

# %% [markdown]
# ## Choose the pictures
#
# One name chooses the pictures, here and in every lesson that follows.
#
# | name | what it is | to download |
# |---|---|---|
# | `"drawings"` | 2,000 drawings of cats and dogs, made for this course | nothing |
# | `"photos"` | 3,000 photographs of cats and dogs, those of TensorFlow's tutorial | 69 MB |
# | `"tfds"` | 23,262 photographs of cats and dogs, prepared by TensorFlow Datasets | 0.8 GB |
# | a path | a folder of your own with one subfolder a class, two classes or more | nothing |
#
# The lessons are written for the first two; where these differ, the text says how. The size is the
# one that the base of lessons 3 and 4 wants, for drawings another than for photographs.
#
# `COURSE_PICTURES`, an environment variable, sets the name for all lessons at once.

# %%
import os

PICTURES = os.environ.get("COURSE_PICTURES") or "drawings"

# %%
import hashlib
import time

import keras
import numpy as np
import tensorflow as tf

from helpers import bases, panels, pictures, plots
from helpers.exercises import lesson_2 as exercises

size = bases.find(bases.default_for(PICTURES)).size
data = pictures.load(PICTURES, size=size)

# %% [markdown]
# The drawings lie in the folder `data/drawings`: open it and look around. Photographs are downloaded
# the first time, with a progress bar, and read from your disk afterwards. A download is trusted
# only when it is whole: its length is what the server announced, every file in the archive agrees
# with its checksum, and every class has as many files as were published. Anything else ends in an
# error that says what was received and what was expected.
#
# The table shows three parts. You *train* on the first, *choose* with the second, the validation
# set, and leave the third, the test set, alone until everything is chosen. A test set that you
# look at twice is a validation set.
#
# Each picture has been resized to a square of the size that you asked for. The drawings have it
# already.

# %% tags=["nbval-check-output"]
for name in ("train", "validation", "test"):
    split = getattr(data, name)
    assert split.images.shape == (len(split.labels), size, size, 3)
    print(name, split.images.dtype, split.labels.dtype, split.images.ndim, split.labels.ndim)

# %% [markdown]
# Pictures are arrays of shape `(number, height, width, 3)` of unsigned bytes; labels are whole
# numbers that index `data.class_names`.

# %% [markdown]
# ## 'Corrupt' pictures that are not
#
# When TensorFlow Datasets prepares cats and dogs, it prints `1738 images were corrupted and were
# skipped`. That leaves 23,262 of 25,000. What is wrong with the 1,738? TFDS looks for the letters
# `JFIF` in a file's first bytes. **Predict:** is a JPEG file without these letters unreadable?

# %% tags=["nbval-check-output"]
jpeg = tf.io.encode_jpeg(data.train.images[0]).numpy()
without_jfif = jpeg[:2] + jpeg[20:]  # the JFIF header takes bytes 2 to 19

for name, content in (("with JFIF", jpeg), ("without JFIF", without_jfif)):
    kept = b"JFIF" in content[:16]
    whole = tf.io.decode_image(content).shape == data.train.images[0].shape
    print(f"{name:12}  TFDS keeps it: {kept!s:5}  decodes to a whole picture: {whole}")

# %% [markdown]
# It decodes as well as the other one. So TFDS's test counts files without that header; it does not
# test whether they can be read.
#
# This course decodes every file, names those that cannot be decoded, and leaves out only them.
# They stand in the summary above and in `data.left_out`.

# %%
print(len(data.left_out), "files left out")
for file, reason in data.left_out[:5]:
    print(file, "-", reason)

# %% [markdown]
# ## Look at nine of them
#
# No table replaces looking. The titles give the label and the original size, width by height.

# %%
titles = [
    f"{data.class_names[label]}, {width} x {height}"
    for label, (height, width) in zip(data.train.labels[:9], data.train.sizes[:9], strict=True)
]
plots.pictures(data.train.images[:9], titles);
# %% [markdown]
# *Figure: nine training pictures with label and original size.*
#
# Note what varies. In the drawings: the place, the light, the turn of the head, the fur, now and
# then something in front. There are cats with folded ears and dogs with pointed ones, so no single
# cue decides. **Predict:** by which cues do *you* tell them apart? In the photographs: backgrounds,
# people, cages, several animals at once. Photographs are wide or tall, and the square makes them
# narrower or flatter. Both published tutorials resize this way, and networks cope with it.

# %% [markdown]
# ## Sizes and balance
#
# **Predict:** do all the pictures have the same size? Are there as many of each class?

# %%
plots.sizes(data.train.sizes, data.train.labels, data.class_names);
# %% [markdown]
# *Figure: a scatter of original widths and heights, one point a picture, coloured by class.*
#
# The drawings are all of one size, a single point. Photographs make a cloud, often with a sharp edge
# where somebody capped the longest side. If one class were small and the other large, a network
# could tell them apart by the blur of enlargement alone. Look for two clouds of different colour;
# you do not want them.

# %%
counts = {
    name: np.bincount(getattr(data, name).labels, minlength=len(data.class_names))
    for name in ("train", "validation", "test")
}
plots.class_counts(counts, data.class_names);
# %% [markdown]
# *Figure: pictures per class in each of the three parts.*
#
# With classes of the same size, a model that always gives the same answer is right half of the
# time (for two classes). If nine in ten pictures were dogs, 'always dog' would score 0.90, and
# accuracy would tell you little. The first number to beat is therefore the share of the largest
# class:

# %%
majority = max(counts["validation"]) / sum(counts["validation"])
print(f"always the most frequent class: validation accuracy {majority:.3f}")

# %% [markdown]
# **Exercise.** Write that as a function: `first_to_beat(labels)` gets an array of labels, whole
# numbers from 0 as in `data.train.labels`, and returns the share of the largest class. There may be
# two classes or many, of any sizes, in any order. If you are stuck,
# `exercises.first_to_beat.hint()` and `exercises.first_to_beat.solution()` help; every exercise has
# both.


# %%
def first_to_beat(labels):
    """The accuracy of always answering with the most frequent class."""
    ...


exercises.first_to_beat.check(first_to_beat)

# %% [markdown]
# ## The same picture twice
#
# A picture that stands in both the training and the test set is a question whose answer was
# handed out before. Equal pixels have equal hashes, so exact copies are quick to find.


# %%
def digests(split):
    """One hash a picture, of its pixels."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in split.images]


seen = {name: digests(getattr(data, name)) for name in ("train", "validation", "test")}
for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
    shared = set(seen[one]) & set(seen[other])
    print(f"in {one} and in {other}: {len(shared)}")
print("twice within train:", len(seen["train"]) - len(set(seen["train"])))

# %% [markdown]
# A count of 0 says that there are no *exact* copies after resizing. But what does it not say?

# %%
panels.question(exercises.different_hashes)

# %% [markdown]
# A copy that was saved again, cropped or brightened has other pixels and is not found this way. If
# you find copies in data of your own, take them out of the training set.
#
# **Exercise.** Write the function that does. `to_keep(train, test)` gets two arrays of pictures, such
# as `data.train.images` and `data.test.images`, and returns the rows of `train` to keep, as a list of
# whole numbers. A picture that stands anywhere in `test` goes. Of pictures that are equal within
# `train`, the first one stays, unless it stands in `test`. Only exact copies count.


# %%
def to_keep(train, test):
    """The rows of `train` that are no copy of a picture in `test` or of an earlier row."""
    ...


exercises.to_keep.check(to_keep)

# %% [markdown]
# ## The size that a network sees
#
# Pretrained networks expect a certain size. **Predict:** at which of these sizes would you still
# tell a cat from a dog?

# %%
picture = data.train.images[1]
sizes = (24, 48, 96, 160)
resized = [tf.image.resize(picture, (side, side)).numpy() for side in sizes]
plots.pictures(resized, [f"{side} x {side}" for side in sizes], columns=4, side=2.0);
# %% [markdown]
# *Figure: one picture at 24, 48, 96 and 160 pixels, shown at the same width.*
#
# You need fewer pixels than you might think, and so does a network: half the side is a quarter of
# the work. Enlarging, on the other hand, costs work and shows nothing new. The drawings have 96
# pixels, and so has their base. For photographs the tutorial uses MobileNetV2 at 160 and the article
# Xception at 150; both networks were pretrained on larger pictures.

# %% [markdown]
# ## The range of the pixels
#
# Bytes run from 0 to 255. MobileNetV2 and Xception were trained on numbers from -1 to 1, so was the
# course's own base, called `drawn`, and other networks on other ranges. The range belongs to the *base*, so the course keeps it there.

# %% tags=["nbval-check-output"]
for name in ("drawn", "MobileNetV2", "Xception", "EfficientNetV2B0"):
    base = bases.find(name)
    scaled = base.scaling()(np.array([0.0, 127.5, 255.0], dtype="float32")).numpy()
    print(f"{name:17} {base.size} pixels, wants {base.pixels}: 0, 127.5, 255 become {scaled}")

# %% [markdown]
# EfficientNetV2 takes 0 to 255: its first layers scale. What if a base gets the wrong range?

# %%
panels.question(exercises.wrong_range)

# %% [markdown]
# Give a base the wrong range and nothing crashes; the accuracy is just worse, which is why this
# mistake lives long. Put the scaling *inside* the model, as a layer, and whoever uses the model later
# cannot forget it.
#
# Scaling by hand has a trap of its own. Pictures are unsigned bytes, and arithmetic of bytes with
# whole numbers stays in bytes. **Predict** what twice 200 is:

# %% tags=["nbval-check-output"]
byte = np.array([200], dtype="uint8")
print("as bytes:", (byte * 2)[0], " as float:", (byte.astype("float32") * 2)[0])

# %% [markdown]
# Bytes begin anew at 256, and 400 becomes 144 without a word.
#
# **Exercise.** Write `scale(images)`: it gets pictures as unsigned bytes and returns new ones as
# float, from -1 for 0 to 1 for 255, as `drawn` wants them. What a number becomes must not depend on the
# other numbers in the picture.


# %%
def scale(images):
    """Bytes from 0 to 255 as floats from -1 to 1."""
    ...


exercises.scale.check(scale)

# %% [markdown]
# ## Feed it fast: batch, cache, prefetch
#
# `tf.data` brings pictures to a network in a pipeline. To measure its steps you start with JPEG
# files in memory, as they would come from a disk, and count the pictures that arrive a second. `map`
# decodes them, `batch` groups them, `cache` keeps what came before it in memory, and `prefetch`
# works ahead. **Predict:** which step gains the most?


# %%
def decode(content):
    """JPEG bytes to a picture of 160 x 160."""
    picture = tf.io.decode_jpeg(content, channels=3)
    return tf.image.resize(picture, (160, 160))


jpegs = [tf.io.encode_jpeg(image).numpy() for image in data.train.images[:600]]
files = tf.data.Dataset.from_tensor_slices(jpegs)
one_by_one = files.map(decode)
parallel = files.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
batched = parallel.batch(32)
cached = batched.cache()
prefetched = cached.prefetch(tf.data.AUTOTUNE)


def pictures_a_second(dataset, passes=3):
    """Pictures a second, in the fastest of some passes."""
    seconds = []
    for _ in range(passes):
        started = time.perf_counter()
        for _ in dataset:
            pass
        seconds.append(time.perf_counter() - started)
    return len(jpegs) / min(seconds)


for name, dataset, passes in (
    ("one by one", one_by_one, 3),
    ("decoded in parallel", parallel, 3),
    ("in batches of 32", batched, 3),
    ("cached, first pass", cached, 1),
    ("cached, later passes", cached, 3),
    ("cached and prefetched", prefetched, 3),
):
    print(f"{name:22} {pictures_a_second(dataset, passes):8,.0f} pictures a second")

# %% [markdown]
# The numbers are those of one machine on one day; yours differ. What counts is the order of
# magnitude.
#
# - `map(..., num_parallel_calls=AUTOTUNE)` decodes on all cores. With few or busy cores the second
#   line may be no faster than the first.
# - `batch` spares a hand-over for every single picture.
# - `cache` keeps the decoded pictures, so that from the second pass on nothing is decoded at all.
#   This is the large gain. Everything before `cache` runs once, so random augmentation must come
#   *after* it.
# - `prefetch` prepares the next batch while the network works on this one. Here no network works,
#   so it can only cost something; in training it hides the pipeline's time behind the network's.
#
# For sets that fit into memory, `pictures.load` has done all of this already: arrays are a cache.

# %% [markdown]
# ## Augmentation
#
# A cat in a mirror is a cat. Augmentation shows the network such variants, new ones in each epoch.
# In Keras it is a stack of layers.


# %%
def augment(picture, flip, rotation, zoom, brightness, seed):
    """Nine random variants of one picture."""
    layers = [
        keras.layers.RandomRotation(factor=rotation, seed=seed),
        keras.layers.RandomZoom(height_factor=zoom, seed=seed + 1),
        keras.layers.RandomBrightness(factor=brightness, seed=seed + 2),
    ]
    if flip:
        layers.append(keras.layers.RandomFlip("horizontal", seed=seed + 3))
    variants = keras.Sequential(layers)
    nine = np.repeat(picture[np.newaxis].astype("float32"), 9, axis=0)
    return variants(nine, training=True)


panels.augmentation_panel(picture, augment, title="Nine variants of one picture")

# %% [markdown]
# *Figure: nine variants of one picture, mirrored, turned, zoomed and brightened by chance.*
#
# Move the sliders until you would no longer give the label yourself. That is too far: an
# augmentation must keep the label true. A mirrored cat is a cat, but a mirrored letter or road
# sign may be something else.
#
# The call says `training=True` because these layers do nothing in use, as you can check:

# %% tags=["nbval-check-output"]
flip = keras.layers.RandomFlip("horizontal", seed=0)
batch = data.train.images[:16].astype("float32")
print("in use, unchanged:     ", bool(np.array_equal(flip(batch, training=False), batch)))
print("in training, unchanged:", bool(np.array_equal(flip(batch, training=True), batch)))

# %% [markdown]
# **Exercise.** A network is to read road signs: an arrow that says 'keep left' or 'keep right'. Write
# `road_signs()`, which returns a `keras.Sequential` of augmentation layers as above. Called on pictures
# with values from 0 to 255, it has to change at least half of them visibly, keep all values within 0
# to 255 and the label true for every picture, and do nothing in use. For scale: `RandomRotation` with
# `factor=0.1` turns by up to a tenth of a full turn, to either side.


# %%
def road_signs():
    """A stack of augmentation layers that keeps left and right apart."""
    ...


exercises.road_signs.check(road_signs)

# %% [markdown]
# Now the pipeline with everything in it. One step has not been named: `shuffle(buffer_size)` keeps a
# buffer of that many elements and hands out one of them by chance, another order in each pass. Files
# are listed class by class, so a small buffer brings one class first; a buffer for all elements mixes
# them well. Elements are what arrives there: behind `batch`, whole batches. Watch both on the numbers
# 0 to 7. **Predict:** can 0 and 7 meet in one batch?

# %%
eight = tf.data.Dataset.range(8)
for name, dataset in (
    ("shuffled, then in batches", eight.shuffle(8, seed=2).batch(4)),
    ("in batches, then shuffled", eight.batch(4).shuffle(8, seed=2)),
):
    for _ in range(2):
        print(name, [batch.tolist() for batch in dataset.as_numpy_iterator()])

# %% [markdown]
# In the first two lines they can; in the last two the batches are always 0 to 3 and 4 to 7.
#
# **Exercise.** Write `pipeline(files, decode, augment)`. It gets
#
# - `files`, a dataset of pairs (file, label), sorted by class; `len(files)` says how many there are,
# - `decode`, a function from one file to its picture,
# - `augment`, a function from one picture or a batch of them to variants drawn by chance,
#
# and returns a dataset of pairs (pictures, labels) in batches of 32; the last batch may be smaller.
# One pass brings each picture once. A second pass brings other variants, in another order and in other
# batches, and decodes nothing. `files.map(lambda file, label: (decode(file), label))` is how a
# function reaches the first of a pair.


# %%
def pipeline(files, decode, augment):
    """Batches of pictures and labels: decoded once, shuffled and augmented anew in each pass."""
    ...


exercises.pipeline.check(pipeline)

# %% [markdown]
# ## How a test set leaks
#
# The tutorial makes its test set from a validation set like this:
#
# ```python
# test_dataset = validation_dataset.take(validation_batches // 5)
# validation_dataset = validation_dataset.skip(validation_batches // 5)
# ```
#
# It looks as if the first fifth went to one side and the rest to the other. But the dataset was made
# by `image_dataset_from_directory` with shuffling on: it draws from a buffer of eight batches, anew
# at every pass. You replay it with 1,000 numbers in place of pictures. **Predict:** how many of the
# test set's numbers does the validation set bring, too, in one pass, and how many in ten?


# %%
def ids(dataset):
    """The numbers that one pass over a dataset of batches brings."""
    return {int(number) for batch in dataset for number in batch}


def shared_ids(reshuffle, passes):
    """How many of the test set's numbers some passes over the validation set bring, too."""
    numbers = tf.data.Dataset.range(1000)
    shuffled = numbers.shuffle(8 * 32, seed=0, reshuffle_each_iteration=reshuffle)
    batches = shuffled.batch(32)
    fifth = len(batches) // 5
    test = ids(batches.take(fifth))
    validation = set().union(*(ids(batches.skip(fifth)) for _ in range(passes)))
    return len(test & validation), len(test)


for passes in (1, 10):
    leaked, total = shared_ids(reshuffle=True, passes=passes)
    print(f"shuffled anew, {passes:2} passes: {leaked} of {total} test pictures are in validation")

# %% tags=["nbval-check-output"]
print("after ten passes all have leaked:", leaked == total)
print("shuffled once and for all:", shared_ids(reshuffle=False, passes=10))

# %% [markdown]
# About half of the 'test' set stands in one pass over the validation set, and in ten epochs all of it
# has been there: you chose on the pictures that you now test on. `take` and `skip` cut at a place
# in a stream, and each pass is another stream.
#
# With `reshuffle_each_iteration=False` the parts are apart. Better still, never depend on it:
# **split the list of files, once, with a seed, before any dataset is made**. That is what
# `pictures.load` does; nothing is in two parts:

# %% tags=["nbval-check-output"]
names = {part: set(getattr(data, part).files) for part in ("train", "validation", "test")}
print("train and validation:", len(names["train"] & names["validation"]))
print("train and test:      ", len(names["train"] & names["test"]))
print("validation and test: ", len(names["validation"] & names["test"]))

# %% [markdown]
# **Exercise.** Write such a split. `split(files, seed)` gets a list of file names, sorted by class, and
# returns three lists: train with 60 % of them, validation and test with 20 % each, give or take one.
# No name is in two parts and none is lost. The same seed gives the same parts, another seed others.
# Leave the list that you are given as it is, and leave the global state of `random` and `np.random`
# alone: `np.random.default_rng(seed)` and `random.Random(seed)` make a generator that is yours, each
# with a method that shuffles.


# %%
def split(files, seed):
    """Three lists of names: train, validation, test."""
    ...


exercises.split.check(split)

# %% [markdown]
# Is a split by files always enough? Think of pictures that come in groups.

# %%
panels.question(exercises.frames_of_videos)

# %% [markdown]
# What belongs together goes to one part together: all frames of a video, all pictures of one animal,
# all copies of a picture. Where there are such groups, split the list of groups, not of files.

# %% [markdown]
# ## What you have seen
#
# - A download is checked before it is trusted, and undecodable files are named, not fatal.
# - TFDS's 'corrupted' pictures are those without a JFIF header; a picture can decode without it.
# - Sizes, balance and copies are looked at before training, not after a strange result.
# - Size and pixel range belong to the base; the scaling belongs inside the model.
# - `cache` gains most, and random augmentation comes after it; `shuffle` comes before `batch`.
# - A dataset that reshuffles leaks under `take` and `skip`. Split files, or the groups they come in.
#
# ## On your own
#
# 1. Set `PICTURES` to a folder of your own photographs, one subfolder a class, and run the lesson
#    again. What does the scatter of sizes say?
# 2. Measure `one_by_one.cache()`. How much of the gain is left without batches?
# 3. Find near copies, too: halve the size of each picture a few times, compare the small ones, and
#    look at the pairs that are closest. Are there any that you would take out?
#
# ## Further reading
#
# - TensorFlow guide: [Better performance with the tf.data API](https://www.tensorflow.org/guide/data_performance)
# - TensorFlow Datasets: [cats_vs_dogs](https://www.tensorflow.org/datasets/catalog/cats_vs_dogs)
# - Keras reference: [Image augmentation layers](https://keras.io/api/layers/preprocessing_layers/image_augmentation/)
#
# Next: [3. Extract features with a frozen base](03_extract_features.ipynb)
