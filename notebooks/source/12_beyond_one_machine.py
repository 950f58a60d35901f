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
# # 12. Beyond one machine
#
# **What you'll do.** You run lesson 5's extraction and a search for settings on Ray: here on two cores, and with the same calls
# on a cluster.
#
# **What you'll learn.** Which work can be handed out and which cannot; how a run survives a machine that dies; and what the
# best of many settings is worth.
#
# **What you'll need.** Lessons 5 and 7, and Ray: `python3 course.py cluster` installs it beside the course's packages. Take
# about 25 minutes; all cells together run in about 60 seconds on two CPU cores.

# %% tags=["course"]
from helpers import bases, cluster, features, panels, paths, pictures, recipes
from helpers.exercises import lesson_12 as exercises

recipe = recipes.chosen()
print(recipe)
panels.recall(12)

# %%
import shutil

import keras
import numpy as np
import pandas as pd
from PIL import Image

keras.utils.set_random_seed(0)
cluster.skip_without_ray()

# %% [markdown]
# ## What does not work
#
# On two cores, 50,000 pictures take MobileNetV2 104 seconds (`benchmarks/cluster.py`). Ten million would take almost six hours,
# if nothing fails meanwhile. So you want more machines.
#
# | TensorFlow's text says | what is so |
# |---|---|
# | `MultiWorkerMirroredStrategy` trains a model with `fit` on several machines. | With Keras 3 it fails as soon as there are two ([Keras issue 20585](https://github.com/keras-team/keras/issues/20585), open since 2024; [TensorFlow issue 72388](https://github.com/tensorflow/tensorflow/issues/72388)). |
#
# Tried for this lesson with TensorFlow 2.21 and Keras 3.15, two processes in place of two machines: `fit` ends before its first
# step, with `ValueError: Attempt to convert a value (PerReplica...) with an unsupported type`. With a single worker it runs.
#
# Training is hard to spread: each step begins at the weights that the last one left, so all machines have to talk after every
# step. But you rarely need that. With a frozen base, most of the work is of another kind.

# %% tags=["course"]
panels.question(exercises.what_depends)

# %% [markdown]
# ## Hand out the pictures
#
# ![On the left your notebook, which hands names of files to three machines. Each has the frozen base, reads pictures from a folder or a bucket, and writes features to Parquet files. No picture passes through the notebook.](figures/handed_out.svg)
#
# No picture needs another. [Ray](glossary.ipynb#Ray) starts processes on all machines, hands out the work, and hands it out
# anew when a machine is lost. Here it gets two cores of your machine. If the variable `RAY_ADDRESS` names a
# cluster, the cells use that. All its machines must reach two addresses: that of the pictures and that of the output.
#
# The pictures have to lie in files, one subfolder a class. On a cluster, that is a shared disk or an address such as
# `s3://bucket/pictures` (S3 and GCS were not tried).

# %%
cluster.connect()
data = pictures.load(recipe.pictures, size=recipe.side, quiet=True)
train_images, train_labels = data.train.images[:600], data.train.labels[:600]
held_out_images, held_out_labels = data.validation.images[:300], data.validation.labels[:300]
folder = paths.cache_folder() / "cluster" / recipe.name
shutil.rmtree(folder, ignore_errors=True)

for number, image in enumerate(train_images):
    path = folder / "pictures" / data.class_names[train_labels[number]] / f"{number:05}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)

# %% [markdown]
# `cluster.extract` is thin. Ray Data hands out the work, in essence in three lines:
#
# ```python
# handed_out = ray.data.from_items(parts)  # 256 names of pictures each
# done = handed_out.map_batches(Worker, compute=ray.data.ActorPoolStrategy(min_size=1, max_size=cores))
# print(done.sum("pictures"))
# ```
#
# Workers read, decode, run the base and write. Your notebook sends them names, and no picture passes through it.
# A `Worker` is an [actor](glossary.ipynb#Actor): a process that loads the network once and keeps it.
#
# **Predict:** will the features be those of `features.extract`, to the last bit?


# %%
def extractor(cut):
    """From bytes to pooled features: scaling, the base up to a cut, pooling."""
    base = bases.load(recipe.base, size=recipe.side)
    return keras.Sequential(
        [
            keras.Input(base.input_shape[1:]),
            bases.find(recipe.base).scaling(),
            keras.Model(base.input, base.get_layer(cut).output),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


cuts = bases.cuts(bases.load(recipe.base, size=recipe.side))
end, earlier = cuts[-1], cuts[-4]
output = cluster.extract(extractor(end), str(folder / "pictures"), str(folder / "features"))
extracted = cluster.read(output)
here = features.extract(extractor(end), train_images, engine="litert", quiet=True)
order = [int(name[-9:-4]) for name in extracted.files]
print(extracted)
print("equal to the bit:", np.array_equal(extracted.features, here[order]))

# %% [markdown]
# Here they are. With other processors or libraries the last digits may differ.
#
# ## When something dies
#
# With many machines and many hours, some machine will fail. What was written must stay, and nothing may be there twice. The Parquet
# files are the only record of what is done. The cell throws one away, and cuts another short as a killed process would.
#
# **Predict:** how many pictures are computed again?

# %%
parts = sorted((folder / "features").glob("*.parquet"))
parts[0].unlink()
parts[1].write_bytes(parts[1].read_bytes()[:-100])
kept = {part: part.stat().st_mtime_ns for part in parts[2:]}

cluster.extract(extractor(end), str(folder / "pictures"), output)
again = cluster.read(output)
untouched = [part for part in kept if part.stat().st_mtime_ns == kept[part]]
computed = len(train_images) - sum(len(pd.read_parquet(part)) for part in untouched)
print(f"parts untouched: {len(untouched)} of {len(parts)}; pictures computed again: {computed}")
print("the same table:", again.files == extracted.files and np.array_equal(again.features, extracted.features))

# %% [markdown]
# What else can happen, and what then:
#
# | what happens | what is done |
# |---|---|
# | a worker is killed | Ray starts another one, and hands out its pictures again |
# | a machine is lost | the others take over; what was on its way is read again |
# | the notebook is killed | the next call removes parts that are not whole, and does what is left |
# | a file is damaged, or no picture | it gets a row with the reason, and stops nobody |
# | a bucket does not give a file | the run ends and names the file; what is written stays, and the next call tries again |
#
# **Exercise.** Write the rule of the restart. `listed` has the names of all pictures. `parts` has for each part the names in it,
# or None where its file is damaged. Return what is left to do, in the order of `listed`.


# %%
def left_to_do(listed, parts):
    """The names that have no row yet."""
    ...


exercises.left_to_do.check(left_to_do)

# %% [markdown]
# ## Hand out the settings
#
# Lesson 5 tried settings by hand. Here Ray Tune draws 8 settings: learning rate, dropout, weight decay, and where the base is cut.
# [*ASHA*](glossary.ipynb#ASHA) lets all train for an epoch, then the best third for three, then the best third of these for nine. ASHA
# does not wait: it compares a setting only with those that got so far before it. The first one always goes on, so more than a
# third can.
#
# **Predict:** how many of the 8 train to the end?

# %%
tried = (earlier, end)
train_features = {cut: features.extract(extractor(cut), train_images, quiet=True) for cut in tried}
held_out_features = {cut: features.extract(extractor(cut), held_out_images, quiet=True) for cut in tried}
found = cluster.search(
    (train_features, train_labels), (held_out_features, held_out_labels), trials=8, epochs=9
)
columns = ["learning_rate", "dropout", "weight_decay", "cut", "state", "epochs_done", "last_val_accuracy"]
found.table[columns].style.format(precision=4).hide(axis="index")

# %% [markdown]
# It has the columns of the table in lesson 5's panel. What was stopped cost one epoch, or three, in place of nine.

# %% tags=["course"]
panels.question(exercises.what_early_stopping_costs)

# %%
print(found)

# %% [markdown]
# The first number was picked for being the highest of eight, so part of it is luck (lesson 7). The second is not: the best
# settings were trained anew, five times, each on four fifths of the training pictures, and tried on the fifth that was left out.
# The settings were picked by their validation accuracy, so only accuracy on other pictures is unflattered. The second may also
# be lower because each model had fewer pictures to learn from. The more settings you try, the more you need that number.
#
# ## More machines
#
# ```
# .venv/bin/ray start --head --port=6379 --disable-usage-stats      # on the first machine
# .venv/bin/ray start --address=FIRST:6379 --disable-usage-stats    # on every other one
# RAY_ADDRESS=FIRST:6379 python3 course.py lab                      # on the one where you work
# ```
#
# FIRST is the first machine's address in your network, such as 10.0.0.1. The one where you work has to be one of them: the
# course does not use Ray's client for notebooks from outside. All need the same Python (3.12, say) and the same commit of the course; `python3 course.py cluster` on
# each installs the same packages. In a cloud, `ray up` starts and stops machines for you; `docs/ray-aws.yaml` is an example
# that nobody has tried.
#
# Two Ray nodes with one worker each, on the same two cores, did 50,000 pictures in 112 seconds, 13 of them until the first part
# was written. One process took 104. So once begun, Ray is as fast as one process on as many cores. What follows from it for
# ten million is a calculation, and nobody has tried it:
#
# | machines of two cores | time | pictures to be read, at 30 kB each |
# |---|---|---|
# | 1 | 5 h 36 min | 15 MB a second |
# | 10 | 34 min | 150 MB a second |
# | 100 | 3 min 34 s | 1.5 GB a second |
#
# It takes for granted that the disk or bucket gives as much, and that names are handed out to 200 workers as fast as to two.
#
# **Exercise.** How many machines does it take? Each does `rate` pictures a second after `start` seconds in which it does none.
# Return the smallest number that is done within `hours`, or None where no number is enough.


# %%
def machines(pictures, rate, start, hours):
    """The smallest number of machines that get through all pictures in time."""
    ...  # np.ceil rounds up


exercises.machines.check(machines)

# %% [markdown]
# ## What you have seen
#
# - `fit` on several machines fails with Keras 3. Extraction and search need no such thing: pictures and settings do not depend on each other.
# - The features are the same to the bit, whoever computes them, with the same processors and libraries.
# - Whole parts are the record of what is done. So a run goes on after a stop, and nothing is there twice.
# - Starting costs 10 to 15 seconds: each worker loads TensorFlow. On one machine Ray is slower than one process. It pays
#   where there are more machines.
#
# ## On your own
#
# 1. Start a second `cluster.extract` with `earlier`, and another output. What does it say if you name the same output?
# 2. Write each picture 30 times, under other names, and extract these 18,000 to another output. Meanwhile look at your machine's
#    processes and end one called `ray::MapWorker(MapBatches(Worker))`. What happens?
# 3. Search with 4 settings and with 64. How does the gap between the two accuracies change?
#
# ## Further reading
#
# - P. Moritz and others, 2018: [Ray: A Distributed Framework for Emerging AI Applications](https://arxiv.org/abs/1712.05889)
# - L. Li and others, 2020: [A System for Massively Parallel Hyperparameter Tuning](https://arxiv.org/abs/1810.05934), ASHA
# - Ray: [Working with images](https://docs.ray.io/en/latest/data/working-with-images.html)
