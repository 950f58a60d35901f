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
# # 11. Ship it
#
# **What you'll do.** You take a model out of the notebook: into another process, into two small runtimes, and onto a page on
# which you drop a picture. Then you close the course with a project of your own.
#
# **What you'll learn.** What is in a saved model; what 16-bit and 8-bit numbers save and what they lose; and three mistakes
# that ruin an export without an error.
#
# **What you'll need.** Lessons 4 and 7. Take about 30 minutes; all cells together run in about 40
# seconds on two CPU cores.

# %% tags=["course"]
from helpers import (
    bands,
    costs,
    evaluation,
    export,
    page,
    panels,
    paths,
    pictures,
    plots,
    published,
    recipes,
)
from helpers.exercises import lesson_11 as exercises

recipe = recipes.chosen()
print(recipe)
panels.recall(11)

# %%
import io
import json
import subprocess
import sys
import urllib.request
import zipfile

import keras
import numpy as np
import pandas as pd
from PIL import Image

keras.utils.set_random_seed(0)
data = pictures.load(recipe.pictures, size=recipe.side, quiet=True)
train, test, names = data.train, data.test, data.class_names

# %% [markdown]
# ## One whole model
#
# What you ship is one model, from pixels to logits: the fine-tuned one of lesson 7, with the
# scaling inside. Below, copies of it are compared with it on the test pictures. These were opened
# in lesson 7, but that does no harm: nothing is chosen by them here.

# %%
model = keras.models.load_model(published.tuned_model(recipe))
keras_logits = model.predict(test.images, verbose=0)
print("test accuracy:", evaluation.accuracy(keras_logits, test.labels))

# %% tags=["course"]
bands.check("fine-tuned, test", recipe.name, evaluation.accuracy(keras_logits, test.labels).value)

# %% [markdown]
# ## Save it, and load it elsewhere
#
# `model.save` writes one `.keras` file. It is a zip archive, and you can look inside.

# %%
folder = paths.cache_folder() / "exports" / recipe.name
folder.mkdir(parents=True, exist_ok=True)
model.save(folder / "model.keras")

with zipfile.ZipFile(folder / "model.keras") as archive:
    for entry in archive.infolist():
        print(f"{entry.filename:20} {entry.file_size:>12,} bytes")

# %% [markdown]
# It holds the versions that wrote it, the layers and how they are connected, and the weights; of a
# compiled model the optimizer's state, too. It holds no code. Loading it in the notebook that saved
# it proves little, for everything is still there. A fresh Python process knows nothing but the
# file.
#
# **Predict:** will its logits be equal to the last digit?

# %%
SCRIPT = """
import sys
import keras
import numpy as np

model = keras.models.load_model(sys.argv[1])
images = np.load(sys.argv[2])
np.save(sys.argv[3], model.predict(images, verbose=0))
"""
some = test.images[:100]
np.save(folder / "images.npy", some)
files = [str(folder / name) for name in ("model.keras", "images.npy", "logits.npy")]
subprocess.run([sys.executable, "-c", SCRIPT, *files], check=True, capture_output=True)
loaded = np.load(folder / "logits.npy")
print("largest difference of a logit:", np.abs(loaded - keras_logits[:100]).max())

# %% [markdown]
# It is the same model. But that process had to load TensorFlow, 1.9 GB on disk. A phone will not do
# that.
#
# ## Export
#
# Two small runtimes do without it:
#
# | | made for | to download | on disk |
# |---|---|---|---|
# | **LiteRT**, once TensorFlow Lite | phones, boards, CPUs | 22 MB | 60 MB |
# | ONNX Runtime | programs in many languages | 28 MB | 76 MB |
#
# In Keras one call each would do: `model.export("model.tflite", format="litert")` and
# `model.export("model.onnx", format="onnx")`. The course's `export` uses the same converters. It
# also writes a record beside each file, with what the file does not say: class names, image size,
# range of the pixels, and whether it gives logits or probabilities.
#
# LiteRT can keep numbers in fewer bits. 16-bit floats take half the space. With [8 bits](glossary.ipynb#int8), weights and
# activations become integers:
#
# **real number = scale × (integer − zero point)**
#
# **Exercise.** Do that by hand. Numbers from `low` to `high` become integers of 8 bits, from -128
# to 127: that is 255 steps. Return the integers, the scale and the zero point, which is the integer
# that means 0. Numbers outside the range are cut off at its ends.


# %%
def quantize(values, low, high):
    """The integers (int8), the scale, and the zero point."""
    ...


exercises.quantize.check(quantize)

# %% [markdown]
# The range of the weights is known. How far activations reach depends on the pictures. So the
# converter runs the model on some pictures, the [*calibration set*](glossary.ipynb#Calibration),
# and notes the ranges. A hundred training pictures will do. Never take test pictures, for the
# ranges become part of the model.

# %%
calibration = train.images[:100]
written = {
    "LiteRT": export.litert(model, folder / "float.tflite", class_names=names),
    "LiteRT, float16": export.litert(model, folder / "half.tflite", "float16", class_names=names),
    "LiteRT, int8": export.litert(
        model, folder / "int8.tflite", "int8", calibration=calibration, class_names=names
    ),
    "ONNX": export.onnx(model, folder / "model.onnx", class_names=names),
}
opened = {name: export.load(path) for name, path in written.items()}

# %% [markdown]
# ## Keras against its exports
#
# **Predict:** on how many test pictures will the 8-bit file give another answer than Keras?
# Which file is the quickest?


# %%
def report(run, path):
    """What a file costs, and how far its logits are from Keras's on the test pictures."""
    logits = run(test.images.astype("float32"))
    same = evaluation.predicted_classes(logits) == evaluation.predicted_classes(keras_logits)
    speed = costs.pictures_per_second(run, test.images.shape[1:], 1, seconds=0.3)
    return {
        "size, MB": f"{path.stat().st_size / 1e6:.2f}",
        "one picture, ms": f"{1000 / speed:.1f}",
        "logits differ by up to": f"{np.abs(logits - keras_logits).max():.1g}",
        "same answer as Keras": f"{same.sum()} of {len(test)}",
    }


table = {"Keras": report(model.predict_on_batch, folder / "model.keras")}
table |= {name: report(exported, written[name]) for name, exported in opened.items()}
pd.DataFrame(table).T

# %% [markdown]
# The 32-bit files say what Keras says. Their logits differ in the last digits only, since sums are
# taken in another order. On single pictures they are quicker: a call costs less, and the converters
# have folded BatchNormalization into the convolutions. Half the bits, half the file. Eight bits
# make it smaller still, and move the logits so far that answers change.
#
# ## What int8 lost
#
# Both models saw the same pictures, so compare them picture by picture (lesson 7). The interval
# says how large a loss is still possible. **Predict:** can these pictures rule out a loss of half a
# point?

# %%
int8_logits = opened["LiteRT, int8"](test.images)
compared = evaluation.compare(keras_logits, int8_logits, test.labels)
low, high = compared.interval
print(compared)
print(f"int8 less Keras: {100 * compared.difference:+.1f} points, 95 % interval "
      f"{100 * low:+.1f} to {100 * high:+.1f}")

# %% tags=["course"]
answers = evaluation.predicted_classes(keras_logits)
for name, exported in opened.items():
    same = (exported.predicted_classes(test.images) == answers).mean()
    if "int8" in name:
        bands.check("int8, same answer", recipe.name, same)
    else:
        bands.check("float, same answer", recipe.name, same)
bands.check("lost by int8", recipe.name, -compared.difference)
panels.question(exercises.interval_around_nothing)

# %% [markdown]
# ## Spoil it: scaling outside
#
# An export says nothing when it is fed nonsense. Whoever writes the app has heard that networks
# want pixels between 0 and 1, or between -1 and 1, and scales them. But the scaling is in the file
# already.
#
# **Predict:** what is the accuracy if pictures are scaled to 0 to 1 first?

# %%
exported = opened["LiteRT"]
fed = {
    "pixels of 0 to 255": test.images,
    "scaled to 0 to 1": test.images / 255,
    "scaled to -1 to 1": test.images / 127.5 - 1,
}
results = {
    name: evaluation.accuracy(exported(images), test.labels) for name, images in fed.items()
}
plots.intervals(results, colors=[plots.TEST])
bands.check("scaled twice, test", recipe.name, results["scaled to 0 to 1"].value)

# %% [markdown]
# *Figure: test accuracy of the same file with its interval, for pixels of 0 to 255, of 0 to 1, and of -1 to 1. With the last two
# it guesses.*
#
# No error, no warning. To the network all pictures are black. So say in the record what the file takes, and test the app
# with two pictures whose logits you know.
#
# **Exercise.** You inherit such an app, and nobody knows how its pictures were scaled. They are
# uint8 from 0 to 255, or floats from 0 to 255, from 0 to 1 or from -1 to 1. Return pixels
# from 0 to 255. A dark night in uint8 may have no pixel above 1.


# %%
def to_pixels(images):
    """Pictures of 0 to 255, whichever of the four kinds they are."""
    ...


exercises.to_pixels.check(to_pixels)

# %% [markdown]
# ## Spoil it: the wrong calibration
#
# **Predict:** which calibration set does harm: a hundred pictures of one class, or pictures that were scaled to 0 to 1?

# %%
one_class = train.images[np.flatnonzero(train.labels == 0)[:100]]
calibrated = {"Keras": keras_logits, "a hundred pictures": int8_logits}
for name, images in {f"only {names[0]}": one_class, "scaled to 0 to 1": calibration / 255}.items():
    path = export.litert(model, folder / "spoilt.tflite", "int8", calibration=images)
    calibrated[name] = export.load(path)(test.images)

for name, logits in calibrated.items():
    print(f"{name:20} logits from {logits.min():6.1f} to {logits.max():6.1f}, "
          f"{evaluation.accuracy(logits, test.labels)}")

# %% tags=["course"]
spoilt = evaluation.accuracy(calibrated["scaled to 0 to 1"], test.labels)
bands.check("calibrated on black, test", recipe.name, spoilt.value)

# %% [markdown]
# Look at the logits first. What lies beyond the range of the calibration pictures is cut off, and
# the logits of one class reach one end only. On the drawings they then end at 0, and no dog is ever
# named. Pictures scaled beforehand ruin everything. So calibrate with pictures like those in use,
# of all classes and scaled alike.
#
# ## Spoil it: another resize
#
# The quietest of the three. `tf.image.resize` mixes each new pixel from the four nearest old ones.
# Pillow's `BILINEAR` blurs before it makes smaller. Test pictures, enlarged two and a half times,
# stand in for those of a camera.
#
# **Predict:** how many answers differ between the two ways of making them small again?


# %%
def brought_back(resize):
    """All test pictures, enlarged and brought back to their size."""
    larger = 5 * recipe.side // 2, 5 * recipe.side // 2
    return np.stack(
        [resize(Image.fromarray(image).resize(larger, Image.BICUBIC)) for image in test.images]
    )


def as_tensorflow(image):
    """Without blurring, as in training and on the page below."""
    file = io.BytesIO()
    image.save(file, "BMP")
    return page.decode(file.getvalue(), recipe.side)


def as_pillow(image):
    """With blurring."""
    return np.asarray(image.resize(recipe.image_size, Image.BILINEAR))


as_trained, blurred = (exported(brought_back(resize)) for resize in (as_tensorflow, as_pillow))
changed = evaluation.predicted_classes(as_trained) != evaluation.predicted_classes(blurred)
print(f"answers changed: {changed.sum()} of {len(test)}, "
      f"logits by up to {np.abs(as_trained - blurred).max():.1f}")

# %% [markdown]
# The same pictures, the same file. No test of the model can find this, for the model is not at
# fault. Resize in one place only, or everywhere with the same code.
#
# ## A page
#
# Last, a page in your browser on which you drop a picture. Only this machine can open it. Behind it
# the 8-bit file runs without TensorFlow. The cell opens the page, asks once as a browser would, and
# closes it.

# %%
file = io.BytesIO()
Image.fromarray(test.images[0]).save(file, "PNG")

with page.serve(written["LiteRT, int8"]) as served:
    request = urllib.request.Request(served.url + "answer", data=file.getvalue())
    with urllib.request.urlopen(request) as response:
        for answer in json.load(response)["classes"][:3]:
            print(f"{answer['name']:10} {answer['probability']:.3f}")

# %% [markdown]
# To keep it open, write `served = page.serve(written["LiteRT, int8"])` and then `served.url` in a
# cell of its own, and click the address. `served.close()` ends it. Without a notebook,
# `python -m helpers.page FILE` does the same. Drop a teapot, too: the model names it, and a high
# probability means nothing (lesson 9).

# %% tags=["course"]
panels.question(exercises.what_travels_with_the_file)

# %% [markdown]
# ## The project
#
# Now do all of it by yourself, with three classes or more. The project's time is not counted above.
#
# 1. **Pictures.** A folder of your own, as in lesson 9. Keep 30 pictures or more aside, in another folder with the same
#    subfolders. Or draw, with your own seed: `from helpers import drawings`, then
#    `drawings.draw_many(("badger", "raccoon", "skunk"), each=100, seed=...)`. `sorted(drawings.ANIMALS)` lists the animals.
#    It gives a list; each drawing has a `.picture` (uint8, 96 x 96) and an `.animal`. These three are easy for the drawn
#    base, which has met them. Dog, thylacine and hyena are harder.
# 2. **A model** from pixels to logits, compiled, in which `preflight(model, train, validation)` finds no error
#    (`from helpers.preflight import preflight`, lesson 6).
# 3. **A test**, once, on pictures that were neither trained on nor chosen by.
# 4. **An export**, with the names of the classes.
#
# The check opens your file in its own runtime and judges it by pictures that the model has never
# seen: drawn afresh, or those that you kept aside. For your own pictures, add `"kept aside"` and
# `"trained on"` with the paths of the two folders.

# %%
answer = {
    "file": ...,  # what export.litert or export.onnx gave
    "tested": ...,  # what evaluation.accuracy gives on your test set
    "preflight": ...,  # the whole report that preflight(...) returns
}
exercises.project.check(answer)

# %% [markdown]
# ## What you have seen
#
# - A `.keras` file holds architecture and weights, and loads in a fresh process with the same logits.
# - LiteRT and ONNX run the same model without TensorFlow. State what int8 loses as a paired
#   difference with its interval.
# - Scaling twice, a wrong calibration, another resize: three mistakes without an error.
# - A model is done when it holds on pictures that it has never seen, in the runtime that will run
#   it.
#
# ## On your own
#
# 1. Calibrate with 1, 10 and 1,000 pictures. From how many on do the logits stay the same?
# 2. Open `model.onnx` in a viewer such as Netron. Where has BatchNormalization gone?
# 3. Keep the page open and drop pictures of neither class. How sure is the model?
#
# ## Further reading
#
# - B. Jacob and others, 2018:
#   [Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
#   Inference](https://arxiv.org/abs/1712.05877)
# - Keras guide: [Save, serialize, and export models](https://keras.io/guides/serialization_and_saving/)
# - [ONNX Runtime](https://onnxruntime.ai/)
