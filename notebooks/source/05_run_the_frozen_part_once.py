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
# # 5. Run the frozen part once
#
# **What you'll do.** You measure where the time of lesson 3 went, compute the features once, and train heads in
# a second or two. Then you do the same for fine-tuning.
#
# **What you'll learn.** Why nearly all of an epoch is the same work again; what may be kept and what not; where
# a network can be cut in two; and what becomes possible when a try takes seconds.
#
# **What you'll need.** Lessons 3 and 4. Take about 25 minutes; all cells together run in about 45 seconds on two
# CPU cores; with the tutorial's photographs in about two minutes.

# %% tags=["course"]
from helpers import bands, bases, evaluation, features, panels, pictures, plots, published, recipes
from helpers.exercises import lesson_5 as exercises

recipe = recipes.chosen()
published.frozen_model(recipe)  # lesson 3's, in case you have not been there
print(recipe)
panels.recall(5)

# %% [markdown]
# ## The same work, again and again
#
# ![Above: ten epochs, in each of which every picture goes through the whole frozen base. Below: the base runs once, and ten epochs of the head run on its table of features.](figures/once.svg)
#
# The published recipes send every picture through the whole network in every epoch. But the base is frozen. For
# the same picture it computes the same features, ten times over.
#
# The model of lesson 3, and the pictures as arrays of bytes. Lesson 2's datasets read the files anew in every
# epoch; arrays stay in memory.

# %%
import time

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

keras.utils.set_random_seed(0)

data = pictures.load(recipe.pictures, size=recipe.side)
train, validation = data.train, data.validation
classes = len(data.class_names)

model = keras.models.load_model(recipe.models / "frozen.keras")
base = next(layer for layer in model.layers if hasattr(layer, "layers"))
head = keras.Sequential([keras.Input(base.output_shape[-1:]), *model.layers[-2:]])

# %% [markdown]
# The head is the last two layers, dropout and Dense. The *[extractor](glossary.ipynb#Extractor)* is what comes before them: scaling, base,
# pooling. It leaves augmentation out; you see soon why it must.
#
# **Predict:** which share of the time does the head take?

# %%
extractor = keras.Sequential(
    [
        keras.Input((*recipe.image_size, 3)),
        keras.layers.Rescaling(scale=1 / 127.5, offset=-1),
        base,
        keras.layers.GlobalAveragePooling2D(),
    ]
)


def milliseconds_a_picture(part, inputs):
    """How long a part of the model takes, once its graph is traced."""
    part.predict(inputs[:32], verbose=0)
    started = time.perf_counter()
    part.predict(inputs, verbose=0)
    return 1000 * (time.perf_counter() - started) / len(inputs)


some = train.images[:160]
times = {"base": milliseconds_a_picture(extractor, some)}
times["head"] = milliseconds_a_picture(head, np.zeros((3200, base.output_shape[-1]), "float32"))
print({part: f"{value:.2f} ms a picture" for part, value in times.items()})

# %% [markdown]
# The head's share is a few hundredths at most. All the rest is the same work again.
#
# ## The base, once
#
# So run it once. On a large set and a slow machine, it takes only as many pictures as can be done in some minutes.

# %%
count = min(len(train), int(60_000 * recipe.minutes / times["base"]))
labels = train.labels[:count]

started = time.perf_counter()
train_features = extractor.predict(train.images[:count], verbose=0)
validation_features = extractor.predict(validation.images, verbose=0)
once = time.perf_counter() - started
print(f"{train_features.shape}, {once:.1f} s")

# %% [markdown]
# From here on, a picture is a row of numbers, and training is training on a table. **Predict:** how long do ten
# epochs of a new head take?


# %%
def new_head():
    """A head with new random weights, compiled for logits."""
    made = keras.Sequential(
        [
            keras.Input(train_features.shape[1:]),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1 if classes == 2 else classes),
        ]
    )
    compile_for_logits(made, rate=1e-3)
    return made


def compile_for_logits(compiled, rate):
    """Compile as in lesson 3."""
    if classes == 2:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    compiled.compile(optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=[accuracy])
    compiled.optimizer.build(compiled.trainable_variables)


head = new_head()
started = time.perf_counter()
history = head.fit(
    train_features,
    labels,
    validation_data=(validation_features, validation.labels),
    epochs=10,
    verbose=0,
)
ten_epochs = time.perf_counter() - started
print(f"{ten_epochs:.1f} s, validation accuracy {history.history['val_accuracy'][-1]:.3f}")

# %% [markdown]
# The head can go back into the whole model, and both give the same logits.

# %% tags=["nbval-check-output"]
model.layers[-1].set_weights(head.layers[-1].get_weights())
long_way = model.predict(validation.images[:64], verbose=0)
short_way = head.predict(validation_features[:64], verbose=0)
print("the same logits:", np.allclose(long_way, short_way, atol=1e-3))

# %% [markdown]
# A head can even do without a learning rate. One Dense layer on fixed features is logistic regression, and
# scikit-learn finds its single best answer. (`C` says how large the weights may grow.) Use it as a yardstick: a
# head that ends far below it is trained badly.

# %%
started = time.perf_counter()
regression = LogisticRegression(C=0.01, max_iter=1000).fit(train_features, labels)
share = regression.score(validation_features, validation.labels)
print(f"logistic regression: {share:.3f}, {time.perf_counter() - started:.1f} s")

# %% [markdown]
# ## Kept on disk
#
# `features.extract` gives the numbers of `predict` and keeps them. **Predict:** how long does the second
# call take?

# %% tags=["course"]
for call in ("first", "second"):
    started = time.perf_counter()
    extracted = features.extract(extractor, train.images[:count], quiet=True)
    print(f"{call} call: {time.perf_counter() - started:.2f} s")
difference = np.abs(extracted - train_features).max() / np.abs(train_features).max()
assert difference < 1e-4
bands.check("frozen", recipe.name, history.history["val_accuracy"][-1])
panels.questions(exercises.extract_anew, exercises.still_once)

# %% [markdown]
# The second call opens a file. It is named after all that the numbers depend on: pictures, weights,
# architecture.
#
# ## What the short way forbids, and what gives it back
#
# A picture that is mirrored or turned gives other features, and the table would no longer be right. So fresh
# augmentation in every epoch is out. But you can extract four *[views](glossary.ipynb#View)* of each picture, itself and three changed
# copies. In each epoch, training takes one of them by chance.

# %% tags=["course"]
with_views = features.extract(extractor, train.images[:count], views=4, quiet=True)
few = train.images[:3]
views = [features.augment(few, features.Augmentation(), seed=(0, v), rows=range(3)) for v in (1, 2, 3)]
plots.pictures([view[row] for row in range(3) for view in (few, *views)], columns=4, side=1.5);

# %% [markdown]
# *Figure: three pictures, each as it is and in three views: mirrored or not, turned, zoomed, shifted, lighter or
# darker.*
#
# ## Turn the knobs
#
# Now a try costs a second or two, so try. **Try:** which learning rate is too high? What do four views do to the training
# curve, and does validation care? Show code prints the Keras code of what you clicked.

# %% tags=["course"]
panels.training_panel(
    with_views,
    labels,
    validation=(validation_features, validation.labels),
    images=validation.images,
    names=("with_views", "labels", "validation_features", "validation.labels"),
)

# %% [markdown]
# *Figure: the panel: controls, and the curves of a first run.*
#
# **Exercise.** How high can the rate be? Say that a rate *works* if the mean validation loss of the last three of
# ten epochs is at most twice that of the rate 0.001. Find the largest rate that works, to a factor of four. The check trains with your
# rate and with four times your rate: yours has to work, the other one must not.

# %% tags=["course"]
answer = ...  # a learning rate
exercises.largest_rate.check(
    answer, train_features, labels, validation_features, validation.labels
)

# %% [markdown]
# ## The same for fine-tuning
#
# In lesson 4 only the end of the base trained. What lies below runs the same in every epoch, so it too can run
# once. How much that saves depends on where the base is cut. That of the drawings is cut early, since it has much to
# learn; that of the photographs late, where little is left to compute. You cut the base in two. A *[cut](glossary.ipynb#Cut)* is a place where a single tensor crosses.
#
# ![A residual block. A cut after the addition: one tensor crosses. A cut inside the block: two tensors cross, so it is no cut.](figures/residual_cut.svg)
#
# Inside a [residual block](glossary.ipynb#Residual-block) a shortcut runs past the layers, and two tensors cross. `bases.cuts` lists all
# cuts.

# %%
cuts = bases.cuts(base)
cut = base.get_layer(cuts[-1 - recipe.depth]).output
print(f"{len(cuts)} cuts; this one is {cuts[-1 - recipe.depth]}, with {cut.shape[1:]} numbers a picture")

below = keras.Sequential(
    [
        keras.Input((*recipe.image_size, 3)),
        keras.layers.Rescaling(scale=1 / 127.5, offset=-1),
        keras.Model(base.input, cut),
    ]
)
upper = keras.Model(cut, base.output)
above = keras.Sequential(
    [keras.Input(cut.shape[1:]), upper, keras.layers.GlobalAveragePooling2D(), *head.layers]
)

# %% [markdown]
# The lower part runs once. The upper part and the head train on what it gave, in the order of lesson 4, at a rate that
# suits this cut. Set
# `trainable` layer by layer here: `upper` is a new model and says `True` already, so `upper.trainable = True`
# would leave its frozen layers frozen.

# %%
train_at_cut = features.extract(below, train.images[:count], quiet=True)
validation_at_cut = features.extract(below, validation.images, quiet=True)
frozen_logits = above.predict(validation_at_cut, verbose=0)

for layer in upper.layers:
    layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
compile_for_logits(above, rate=recipe.cut_rate)
print(f"{sum(weight.numpy().size for weight in above.trainable_weights):,} parameters train")
started = time.perf_counter()
above.fit(
    train_at_cut,
    labels,
    validation_data=(validation_at_cut, validation.labels),
    epochs=3,
    verbose=2,
)
tuning_epoch = (time.perf_counter() - started) / 3

# %% tags=["course"]
tuned_logits = above.predict(validation_at_cut, verbose=0)
comparison = evaluation.compare(frozen_logits, tuned_logits, validation.labels)
plots.pairs(comparison)
bands.check(
    "fine-tuned above the cut", recipe.name, evaluation.accuracy(tuned_logits, validation.labels).value
)

# %% [markdown]
# *Figure: frozen against fine-tuned on the same validation pictures.*
#
# ## What it saves
#
# The article gives its times: on a CPU, 689 s an epoch with the base frozen, and 2,885 s when everything trains.
# It had 9,305 pictures of 150 x 150 and Xception, a large base. Per picture, beside yours. Uncut, an epoch of your
# fine-tuning would run the lower part as well, so its time is added.

# %% tags=["course"]
times["below the cut"] = milliseconds_a_picture(below, some)
plots.times(
    {
        "article, an epoch frozen": 689_000 / 9305,
        "here, the base once": 1000 * once / (count + len(validation)),
        "here, an epoch on features": 100 * ten_epochs / count,
        "article, an epoch of fine-tuning": 2_885_000 / 9305,
        "here, an epoch of fine-tuning": 1000 * tuning_epoch / count + times["below the cut"],
        "here, an epoch above the cut": 1000 * tuning_epoch / count,
    }
);

# %% [markdown]
# *Figure: milliseconds a picture, on a logarithmic scale: the article's own figures and those of this run.*
#
# Most of the gap to the article is its larger base and another machine. Within your own numbers the point
# stands: an epoch on features costs a small fraction of one through the base.
#
# ## What you have seen
#
# - An epoch with a frozen base is the same work again. Run the base once, and a head trains in a second or two.
# - The features are good as long as pictures, scaling and base are the same.
# - Fresh augmentation is out; a few views of each picture give some of it back.
# - A cut is where one tensor crosses. Below it, fine-tuning can run once as well.
#
# ## On your own
#
# 1. Train a head on 20, 50 and 200 pictures: `new_head().fit(train_features[:20], labels[:20], epochs=50)`. How
#    few are enough?
# 2. Cut nearer to the end: `recipe.depth` less 6. How do time and accuracy change?
# 3. In the panel, find the best head that you can. Then compare it with logistic regression, pair by pair.
#
# ## Further reading
#
# - Keras guide: [Transfer learning & fine-tuning](https://keras.io/guides/transfer_learning/), which names the
#   short way in a paragraph and goes on with the long one
# - S. Kornblith and others, 2019:
#   [Do Better ImageNet Models Transfer Better?](https://arxiv.org/abs/1805.08974), with logistic regression on
#   features throughout
#
# Next: [6. Find the bug](06_find_the_bug.ipynb)
