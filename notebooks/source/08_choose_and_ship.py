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
# # 8. Choose a base and ship it
#
# **What you'll do.** You count and time what six bases cost and set it against what they are worth. Then
# you take one model out of the notebook: saved and loaded by another process, exported to LiteRT and to
# ONNX, run without TensorFlow, and put behind a page on which you drop a picture.
#
# **What you'll learn.** Why neither parameters nor arithmetic tell the speed; what 16-bit and 8-bit
# numbers save and what they lose, with its interval; and three mistakes that ruin an export without an
# error.
#
# **What you'll need.** Lessons 3 to 6. All cells together run in about 100 seconds on two CPU cores.

# %%
import os

from helpers import bases

PICTURES = os.environ.get("COURSE_PICTURES") or "drawings"
BASE = bases.default_for(PICTURES)
print(f"{PICTURES} with the base {BASE}")

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

from helpers import (
    bands,
    costs,
    evaluation,
    export,
    features,
    page,
    panels,
    paths,
    pictures,
    plots,
    training,
)
from helpers.exercises import lesson_8 as exercises

keras.utils.set_random_seed(0)
size = bases.find(BASE).size
data = pictures.load(PICTURES, size=size)
train, validation, test = data.train, data.validation, data.test
classes = len(data.class_names)
base, scaling = bases.load(BASE), bases.find(BASE).scaling()

# %% [markdown]
# ## Count the arithmetic
#
# A convolution slides a kernel over a picture. Each number of the kernel is multiplied once at each place
# of the output, and the product added to a sum: one *multiply-add*. So you can count the work of a layer
# from two shapes. The first layer of your base:

# %%
layer = base.get_layer("Conv1")
places = layer.output.shape[1] * layer.output.shape[2]
print(f"kernel {tuple(layer.kernel.shape)}: {layer.kernel.shape.num_elements():,} numbers")
print(f"output {layer.output.shape[1:]}: {places:,} places")
print(f"multiply-adds: {places * layer.kernel.shape.num_elements():,}")
print(f"the whole base: {costs.multiply_adds(base):,}, with {base.count_params():,} parameters")

# %% [markdown]
# One small layer of a few hundred parameters does a good part of the work of the whole base, for it runs at
# many places. Parameters say how large a file is; multiply-adds say how much there is to compute.
#
# **Exercise.** MobileNet's idea is to split a convolution in two: a *depthwise* one with a 3 x 3 kernel for
# each channel alone, then one with a 1 x 1 kernel that mixes the channels. Count the multiply-adds of an
# ordinary 3 x 3 convolution and of the split one, both with an output of `side` x `side` places, `taken`
# channels in and `given` channels out.

# %%


def products(side, taken, given):
    """Multiply-adds of the ordinary and of the depthwise separable convolution."""
    ...


exercises.products.check(products)

# %% [markdown]
# ## Six bases
#
# Now the bases that the course knows. What a base costs does not depend on its weights, so those whose
# weights are not on your machine are built with random ones. Each takes pictures of its own size.
#
# **Predict:** which of the six is the fastest here, which the slowest? Does the order follow the parameters,
# or the multiply-adds?

# %%
NAMES = ("drawn", "MobileNetV3Small", "MobileNetV2", "EfficientNetV2B0", "Xception", "ConvNeXtTiny")
measured = {
    name: costs.measure(bases.load(name, weights=None), batch=2, seconds=0.5) for name in NAMES
}

pd.DataFrame(
    {
        name: {
            "side, pixels": bases.find(name).size,
            "parameters, millions": round(cost.parameters / 1e6, 2),
            "multiply-adds, millions": round(cost.multiply_adds / 1e6),
            "pictures a second, two together": round(cost.pictures_per_second),
            "weights": "not here" if bases.is_ready(name) else "here",
        }
        for name, cost in measured.items()
    }
).T

# %% [markdown]
# Neither column tells the speed. EfficientNetV2B0 has about twice the parameters of MobileNetV2 at the same
# size of picture, and more than twice its multiply-adds. Xception and ConvNeXtTiny need about the same
# arithmetic, within a third of each other. On the machine on which this lesson was written, ConvNeXtTiny was
# several times slower all the same: Keras writes its depthwise convolutions as ordinary ones in many
# groups, and there TensorFlow took 17 times as long for such a layer as for the same one written as
# `DepthwiseConv2D`. Other runtimes, and GPUs, are another matter. A count is a hint, a time is a fact, of
# one machine and one runtime.

# %%
ratio = {
    name: measured["ConvNeXtTiny"].multiply_adds / measured[name].multiply_adds for name in NAMES
}
assert 0.75 < ratio["Xception"] < 1.33
assert measured["EfficientNetV2B0"].multiply_adds > 2 * measured["MobileNetV2"].multiply_adds

# %%
panels.question(exercises.same_count_other_speed)

# %% [markdown]
# ## What they are worth
#
# An accuracy needs weights, so only bases whose weights are here can have one. But a base can be had in more
# than one size: feed it smaller pictures, or cut it earlier, as in lesson 4. Each variant gets a head by
# logistic regression, as in lesson 3. This is a choice, so you make it on the validation pictures.
#
# **Predict:** which costs more accuracy, to leave away the last third of the layers, or a third of the
# picture's side?

# %%
def to_features(name, side, cut=None):
    """From pixels to pooled features: scaling, a base or its part up to a cut, pooling."""
    whole = bases.load(name, size=side)
    at_cut = whole.get_layer(cut).output if cut else whole.output
    return keras.Sequential(
        [
            keras.Input(whole.input_shape[1:]),
            bases.find(name).scaling(),
            keras.Model(whole.input, at_cut),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


smaller = 64 if BASE == "drawn" else 96
variants = {
    f"{BASE}, {size} pixels": to_features(BASE, size),
    f"{BASE}, {smaller} pixels": to_features(BASE, smaller),
    f"{BASE} up to block 12": to_features(BASE, size, "block_12_add"),
}
for name in NAMES:
    if name not in {BASE, "drawn"} and not bases.is_ready(name):
        variants[name] = to_features(name, bases.find(name).size)

# %%
accuracies, arithmetic, heads = {}, {}, {}
for name, network in variants.items():
    side = network.input_shape[1]
    resized = data if side == size else pictures.load(PICTURES, size=side, quiet=True)
    both = np.concatenate([resized.train.images, resized.validation.images])
    found = features.extract(network, both, quiet=True)
    heads[name] = training.reference_head(found[: len(train)], resized.train.labels)
    logits = np.asarray(heads[name](found[len(train) :]))
    accuracies[name] = evaluation.accuracy(logits, resized.validation.labels)
    arithmetic[name] = costs.multiply_adds(network)
    print(f"{name:28} {arithmetic[name] / 1e6:8.1f} million multiply-adds  {accuracies[name]}")

bands.check("frozen", data.name, accuracies[f"{BASE}, {size} pixels"].value)

# %%
for name in NAMES:
    if name not in variants and name != BASE:
        arithmetic[name] = measured[name].multiply_adds
axes = plots.accuracy_by_cost(arithmetic, accuracies, "multiply-adds a picture")
axes.set_title("Accuracy on validation pictures, and what it costs");

# %% [markdown]
# *Figure: validation accuracy with its interval against multiply-adds a picture; below, the bases whose
# weights are not on this machine, by their cost only.*
#
# The cut saves little: most of the arithmetic is done early, where the picture is still large, and most of
# what tells the classes apart is found late. Smaller pictures save more than half of it. Whether the
# accuracy that they lose is worth it is your decision; whether they lose any, the intervals say.
#
# **Exercise.** Write the rule down. `rows` is a list of `{"name", "multiply_adds", "accuracy"}`, each
# accuracy with its `.value` and its `.interval`. Of the rows within the budget, return the name of the
# cheapest one that is not shown to be worse: its interval reaches up to the best accuracy within the
# budget.

# %%
def choose(rows, budget):
    """The name of the cheapest row whose interval reaches the best accuracy within the budget."""
    ...


exercises.choose.check(choose)

# %% [markdown]
# ## One whole model
#
# What you ship is one model, from pixels to logits. Here it is your base at its full size with its head.
# (A fine-tuned one, as in lesson 4, is shipped in the same way.) `training.join` puts both parts together, and
# the scaling is the first layer. Everything is chosen, so now the test set may be opened.

# %%
chosen = f"{BASE}, {size} pixels"
head = keras.Sequential([keras.Input(variants[chosen].output_shape[1:]), heads[chosen]])
model = training.join(variants[chosen], head)

keras_logits = model.predict(test.images, verbose=0)
keras_accuracy = evaluation.accuracy(keras_logits, test.labels)
print("test accuracy:", keras_accuracy)
bands.check("frozen, test", data.name, keras_accuracy.value)

# %% [markdown]
# ## Save it, and load it elsewhere
#
# `model.save` writes one `.keras` file. It is a zip archive, and you can look inside.

# %%
folder = paths.cache_folder() / "exports" / data.name
folder.mkdir(parents=True, exist_ok=True)
model.save(folder / "model.keras")

with zipfile.ZipFile(folder / "model.keras") as archive:
    for entry in archive.infolist():
        print(f"{entry.filename:20} {entry.file_size:>12,} bytes")

# %% [markdown]
# The layers and how they are connected, the versions that wrote it, and the weights: no code. A file that
# loads in the notebook that saved it proves little, for everything is still there. So a fresh Python process
# loads it, which knows of your model nothing but the file.
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
np.save(folder / "images.npy", test.images)
files = [str(folder / name) for name in ("model.keras", "images.npy", "logits.npy")]
subprocess.run([sys.executable, "-c", SCRIPT, *files], check=True, capture_output=True)

loaded_logits = np.load(folder / "logits.npy")
print("largest difference of a logit:", np.abs(loaded_logits - keras_logits).max())
np.testing.assert_allclose(loaded_logits, keras_logits, atol=1e-4)

# %% [markdown]
# It is the same model. But that process had to load all of TensorFlow, nearly two gigabytes on disk, to
# name a picture. A phone will not.
#
# ## Export
#
# Two formats that other programs read. **LiteRT** (once TensorFlow Lite) is made for phones and boards and is
# quick on CPUs; its runtime takes some 60 megabytes. **ONNX** is read by many runtimes in many languages;
# the one used here, ONNX Runtime, takes some 75. In Keras one call each would do,
# `model.export("model.tflite", format="litert")` and `model.export("model.onnx", format="onnx")`. The course's
# `export` uses the same converters in a quicker way, and writes beside each file what it does not
# say: class names, size, range of the pixels, and whether it gives logits or probabilities.
#
# LiteRT can also keep the numbers of a network in fewer bits. With 16-bit floats the weights are
# halved. With 8-bit integers, weights and activations are kept as integers, with
#
# **real number = scale × (integer − zero point)**,
#
# one scale for each channel of a kernel and one for each block of activations.
#
# **Exercise.** Do that by hand. Numbers between `low` and `high` are to become integers of 8 bits, -128 to
# 127, with 255 steps between them. Return the integers, the scale and the zero point: the integer that
# means 0. Numbers beyond the range end at its ends.

# %%
def quantize(values, low, high):
    """The integers (int8), the scale, and the zero point."""
    ...


exercises.quantize.check(quantize)

# %% [markdown]
# The weights are known, so their ranges are. How far activations reach, depends on the pictures, so the
# converter runs some and takes notes: the *calibration set*. In TensorFlow's own words:
#
# ```python
# converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
# converter.optimizations = [tf.lite.Optimize.DEFAULT]
# converter.representative_dataset = calibration  # called without arguments
# converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
# contents = converter.convert()
# ```
#
# **Exercise.** Write what the converter goes through: for each picture a list with one input of the model.
# The model takes float32 batches `(1, height, width, 3)` of pixels from 0 to 255; `images` is uint8
# `(n, height, width, 3)`.

# %%
def calibration(images):
    """Yield a list with one batch of one picture, for each picture."""
    ...


exercises.calibration.check(calibration)

# %% [markdown]
# Now all four files. The calibration set is a hundred training pictures: never test pictures, for
# the ranges are part of the model.

# %%
names = data.class_names
written = {
    "LiteRT, float": export.litert(model, folder / "float.tflite", class_names=names),
    "LiteRT, float16": export.litert(model, folder / "half.tflite", "float16", class_names=names),
    "LiteRT, int8": export.litert(
        model, folder / "int8.tflite", "int8", calibration=train.images[:100], class_names=names
    ),
    "ONNX": export.onnx(model, folder / "model.onnx", class_names=names),
}
opened = {name: export.load(path) for name, path in written.items()}
for exported in opened.values():
    print(exported)

# %% [markdown]
# ## Keras against its exports
#
# Each file is run by its own runtime on all test pictures. The differences are from Keras's logits and
# probabilities; *same answer* is the share of test pictures that get the class that Keras gives.
#
# **Predict:** on how many test pictures will the 8-bit model say something else than Keras? And which file
# is the quickest?

# %%
def report(run, path):
    """What a model costs and how far it is from Keras, on all test pictures."""
    logits = run(test.images.astype("float32"))
    moved = evaluation.probabilities(logits) - evaluation.probabilities(keras_logits)
    same = evaluation.predicted_classes(logits) == evaluation.predicted_classes(keras_logits)
    found = evaluation.accuracy(logits, test.labels)
    alone, together = (
        1000 / costs.pictures_per_second(run, test.images.shape[1:], batch, seconds=0.3)
        for batch in (1, 32)
    )
    return {
        "size, MB": f"{path.stat().st_size / 1e6:.2f}",
        "one picture, ms": f"{alone:.2f}",
        "each of 32 together, ms": f"{together:.2f}",
        "test accuracy": f"{found.value:.3f}",
        "its 95 % interval": "{:.3f} to {:.3f}".format(*found.interval),
        "logits differ by up to": f"{np.abs(logits - keras_logits).max():.1g}",
        "probabilities by up to": f"{np.abs(moved).max():.1g}",
        "same answer as Keras": f"{same.sum()} of {len(test)}",
    }


table = {"Keras": report(model.predict_on_batch, folder / "model.keras")}
table |= {name: report(exported, written[name]) for name, exported in opened.items()}
pd.DataFrame(table)

# %% [markdown]
# The float files are Keras's equals: their logits differ in the last digits only, since sums are taken in
# another order, and no answer changes. On single pictures they are quicker than Keras, LiteRT several times, for the
# converters have folded BatchNormalization into the convolutions and the runtimes do a convolution and its
# activation in one go, where TensorFlow here does one after the other. Half the bits halve the file and change logits a little; a CPU
# computes in 32 bits all the same, so no time is won. Eight bits make the file smaller again. They move
# logits so far that it shows, and now and then an answer near the line between the classes. Whether they
# are quicker depends on the processor; phones and boards gain most.

# %%
float_logits, int8_logits = (opened[name](test.images) for name in ("LiteRT, float", "LiteRT, int8"))
assert np.abs(float_logits - keras_logits).max() < 1e-3
assert np.abs(opened["ONNX"](test.images) - keras_logits).max() < 1e-3
same = evaluation.predicted_classes(int8_logits) == evaluation.predicted_classes(keras_logits)
bands.check("int8, same answer", data.name, same.mean())

# %% [markdown]
# ## What int8 lost
#
# Two accuracies with intervals that overlap tell little, as you saw in lesson 6. Both models saw the same
# pictures, so compare them in pairs. New here is the interval of the difference itself: it says how large a
# loss these pictures leave possible.

# %%
compared = evaluation.compare(keras_logits, int8_logits, test.labels)
low, high = compared.interval
print(compared)
print(f"int8 less Keras: {100 * compared.difference:+.1f} points, 95 % interval "
      f"{100 * low:+.1f} to {100 * high:+.1f}")
bands.check("lost by int8", data.name, -compared.difference)

# %% [markdown]
# That is what you may say of your 8-bit model: so many points here, fewer or more, and a loss up to the lower
# end of the interval would fit these pictures, too. Even where no answer changes, 500 pictures cannot rule
# out half a point.

# %%
panels.question(exercises.interval_around_nothing)

# %% [markdown]
# ## Spoil it: scaling outside
#
# An export says nothing when it is fed nonsense. Three mistakes are made often enough to be tried. The first:
# whoever writes the app knows that networks want pixels between 0 and 1, or between -1 and 1, and scales.
# But the scaling is inside the file already.
#
# **Predict:** the accuracy of the float export where pictures are scaled to 0 to 1 before.

# %%
exported = opened["LiteRT, float"]
fed = {
    "pixels of 0 to 255": test.images,
    "scaled to 0 to 1": test.images / 255,
    "scaled to -1 to 1": test.images / 127.5 - 1,
}
results = {
    name: evaluation.accuracy(exported(images), test.labels) for name, images in fed.items()
}
plots.intervals(results)
bands.check("scaled twice, test", data.name, results["scaled to 0 to 1"].value)

# %% [markdown]
# *Figure: three test accuracies of the same file. Only with pixels of 0 to 255 it is a model.*
#
# No error, no warning, no better than guessing: to the network all pictures are black. So say in the file's
# record what it takes, and test the app with two pictures whose logits you know.
#
# **Exercise.** You inherit such an app, and nobody knows any more what its pictures were. Write a function that
# takes uint8 from 0 to 255, or floats from 0 to 255, from 0 to 1 or from -1 to 1, and gives float pixels
# from 0 to 255. A dark night in uint8 is a picture, too.

# %%
def to_pixels(images):
    """Pictures of 0 to 255, whichever of the four kinds they are."""
    ...


exercises.to_pixels.check(to_pixels)

# %% [markdown]
# ## Spoil it: the wrong calibration
#
# The second mistake concerns the 8-bit file only. **Predict:** which of these calibration sets does harm: a
# hundred pictures of one class, noise, or pictures that were scaled to 0 to 1? And where will it show, in
# the accuracy or in the logits?

# %%
first_class = np.flatnonzero(train.labels == 0)[:100]
calibrations = {
    f"only {names[0]}": train.images[first_class],
    "noise": np.random.default_rng(0).integers(0, 256, train.images[:100].shape).astype("uint8"),
    "scaled to 0 to 1": train.images[:100] / 255,
}
calibrated = {"Keras": keras_logits, "a hundred pictures": int8_logits}
for name, images in calibrations.items():
    path = export.litert(model, folder / "spoilt.tflite", "int8", calibration=images)
    calibrated[name] = export.load(path)(test.images)

for name, logits in calibrated.items():
    print(f"{name:20} logits from {logits.min():5.1f} to {logits.max():5.1f}")
after = {name: evaluation.accuracy(logits, test.labels) for name, logits in calibrated.items()}
bands.check("calibrated on black, test", data.name, after["scaled to 0 to 1"].value)
if data.name == "drawings":
    assert calibrated["only cat"].max() < 0.5 * keras_logits.max()
    assert after["noise"].value < 0.7
plots.intervals(after);

# %% [markdown]
# *Figure: test accuracies of Keras's model and of four 8-bit files that differ in their calibration
# pictures only.*
#
# Look at the logits first. Whatever lies beyond the range that the calibration pictures reached is cut off, the
# last logit too. Pictures of one class reach only one end: on the drawings the logits of the other end at
# a fraction of what Keras gives. The accuracy may be as good as before, and yet the probabilities of the other
# class are wrong; had all calibration pictures been named rightly, that class could never be named at all.
# Pictures that were scaled before ruin everything, on the drawings noise does, too. So calibrate with
# pictures like those in use, of all classes, passed in the same way.

# %% [markdown]
# ## Spoil it: another resize
#
# The third is the quietest. The course resizes as `tf.image.resize` does, bilinearly: each new pixel is mixed from
# the four nearest old ones. Pillow's `resize` with the same word, `BILINEAR`, first blurs what it makes smaller.
# Test pictures at two and a half times their size stand in for those of a camera. **Predict:** how many
# answers change with the way in which they are brought back?

# %%
def brought_back(resize):
    """All test pictures, enlarged and brought back to their size."""
    larger = 5 * size // 2, 5 * size // 2
    return np.stack(
        [resize(Image.fromarray(image).resize(larger, Image.BICUBIC)) for image in test.images]
    )


def as_tensorflow(image):
    """Without blurring: what the page below does, for it must do as the training did."""
    file = io.BytesIO()
    image.save(file, "BMP")
    return page.decode(file.getvalue(), size)


ways = {
    "as in training": as_tensorflow,
    "Pillow, bilinear": lambda image: np.asarray(image.resize((size, size), Image.BILINEAR)),
    "Pillow, nearest": lambda image: np.asarray(image.resize((size, size), Image.NEAREST)),
}
resized = {name: exported(brought_back(resize)) for name, resize in ways.items()}
answers = evaluation.predicted_classes(resized["as in training"])
for name, logits in resized.items():
    changed = (evaluation.predicted_classes(logits) != answers).sum()
    moved = np.abs(logits - resized["as in training"]).max()
    print(f"{name:17} {evaluation.accuracy(logits, test.labels)}, answers changed: {changed}, "
          f"logits by up to {moved:.1f}")
blurred = np.abs(resized["Pillow, bilinear"] - resized["as in training"]).max()
assert blurred > np.abs(float_logits - keras_logits).max()

# %% [markdown]
# The same pictures, the same file, and logits that move farther than 8 bits moved them; some answers change.
# No test of the model can find it, for the model is not at fault. Resize in one place only, or with
# the same code.

# %% [markdown]
# ## A page
#
# Last, a page in your browser on which you drop a picture. It is served to this machine only, asks nothing of
# any other, limits what it decodes, and runs the 8-bit file without TensorFlow. Here it is opened, asked
# once as the browser asks it, and closed.

# %%
file = io.BytesIO()
Image.fromarray(test.images[0]).save(file, "PNG")

with page.serve(written["LiteRT, int8"]) as served:
    print(served.model)
    request = urllib.request.Request(served.url + "answer", data=file.getvalue())
    with urllib.request.urlopen(request) as response:
        answers = json.load(response)["classes"]

for answer in answers[:3]:
    print(f"{answer['name']:10} {answer['probability']:.3f}")
expected = evaluation.probabilities(int8_logits[:1]).max()
assert abs(answers[0]["probability"] - expected) < 1e-4

# %% [markdown]
# The page has said what the model says of that picture. To keep it open, run this in a cell of its own, click on
# the address, and drop pictures of your own; `served.close()` ends it.
#
# ```python
# served = page.serve(written["LiteRT, int8"])
# served.url
# ```
#
# Without a notebook, `python -m helpers.page FILE` does the same, with the file's path, until you press Ctrl-C.
# What you drop will be unlike the pictures that you trained on: a model names anything, and a high
# probability for a teapot means nothing.

# %%
panels.question(exercises.what_travels_with_the_file)

# %% [markdown]
# ## What you have seen
#
# - Parameters tell the size of a file, multiply-adds the work; only a clock tells the speed, on one machine
#   with one runtime.
# - Most arithmetic is done early in a network, where the picture is large. Smaller pictures save more than an
#   earlier cut.
# - A `.keras` file holds architecture and weights and loads in a fresh process with the same logits.
# - LiteRT and ONNX run the same model without TensorFlow. In floats they are Keras's equal; int8 changes logits,
#   and what it loses is stated as a paired difference with its interval.
# - Scaling twice and a wrong calibration raise no error. Nor does another way to resize.
#
# ## On your own
#
# The bands hold for the lesson as written. Take out a `bands.check` line where your change makes it stop.
#
# 1. Calibrate with 1, 10 and 1,000 pictures. From how many on does the 8-bit model stay the same?
# 2. `python3 course.py fetch bases` downloads two more bases. Run the lesson again and look at the figure.
# 3. Open `model.onnx` in a viewer such as Netron. Where has BatchNormalization gone?
# 4. Keep the page open and drop pictures that are neither of the classes. How sure is the model?
#
# ## Further reading
#
# - M. Sandler and others, 2018:
#   [MobileNetV2: Inverted Residuals and Linear Bottlenecks](https://arxiv.org/abs/1801.04381)
# - Z. Liu and others, 2022: [A ConvNet for the 2020s](https://arxiv.org/abs/2201.03545), ConvNeXt
# - B. Jacob and others, 2018:
#   [Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
#   Inference](https://arxiv.org/abs/1712.05877)
# - Keras guide: [Save, serialize, and export models](https://keras.io/guides/serialization_and_saving/)
# - [ONNX Runtime](https://onnxruntime.ai/)
