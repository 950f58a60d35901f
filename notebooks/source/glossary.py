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
# # Glossary
#
# The words of the course, each in a sentence or two, with the lesson that teaches it. A link to a word brings
# you here. If JupyterLab opens the page at its top, as it does the first time, leave it open and click the link
# once more.

# %% [markdown]
# ## Accuracy
#
# The share of pictures that a model names rightly. Where one class is rare, a high accuracy says little.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Activation
#
# What a layer gives on for a picture. The function at a layer's end, such as the sigmoid, goes by the same
# name.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Actor
#
# A process that a cluster keeps going, with what it has loaded, so that many calls share one beginning. On Ray, each
# holds the frozen network.
# [Lesson 12](12_beyond_one_machine.ipynb)
#
# ## ASHA
#
# A search that stops early what falls behind: many settings train for an epoch, the best third of them for three, and so
# on. Settings that begin slowly can be lost.
# [Lesson 12](12_beyond_one_machine.ipynb)
#
# ## Augmentation
#
# Changes by chance to a training picture that keep its label true, such as a mirror or a small turn. In use a
# picture stays as it is.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## Base
#
# A network that was trained on other pictures, without its last layers. It turns a picture into features.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Batch
#
# The pictures that go through the network together, 32 as a rule. Each training step takes one batch.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## BatchNormalization
#
# A layer that shifts and scales each channel. In training it does so by the mean and the variance of the batch,
# in use and when frozen by its moving statistics.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Calibration
#
# A model is well calibrated if its probabilities hold: of the answers that it gives with 0.9, nine in ten are
# right. The *calibration set* of an export is another thing, the pictures by which the converter measures how
# far activations reach.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Class
#
# One of the kinds that a model tells apart, such as cat and dog.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## Confusion matrix
#
# A table of counts with a row for each label and a column for each predicted class. The right answers stand on
# the diagonal.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Convolution
#
# A layer that slides small kernels over its input. At each place it multiplies the numbers under a kernel with
# those of the kernel and adds up the products.
# [Lesson 10](10_choose_a_base.ipynb)
#
# ## Cut
#
# A place where a network can be split in two, since a single tensor crosses there.
# [Lesson 5](05_run_the_frozen_part_once.ipynb)
#
# ## Dense
#
# A layer each of whose outputs is a weighted sum of all its inputs, plus a bias.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Dropout
#
# A layer that, in training only, sets a share of its inputs to zero by chance and scales up the others. So the
# layers after it do not lean on few of them.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Early stopping
#
# Ending training once the validation loss has stopped falling. Keras does it with the callback `EarlyStopping`.
# [Lesson 4](04_fine_tune.ipynb)
#
# ## Epoch
#
# One pass of training over all training pictures.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## Extractor
#
# The part of a model from the pixels to the features: scaling, base, pooling. It stays as it is, so it can run
# once for each picture.
# [Lesson 5](05_run_the_frozen_part_once.ipynb)
#
# ## Feature
#
# A number that says how strongly something the base has learned to see is present. A picture's features
# together are what the head works on.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Feature extraction
#
# The way to use a base in which the base stays frozen and only the head trains.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Fine-tuning
#
# Training on with a part of the base, or all of it, unfrozen. The steps are small, and the head was trained
# before.
# [Lesson 4](04_fine_tune.ipynb)
#
# ## Fit
#
# To change weights so that the loss on the training pictures falls. In Keras, `model.fit` does it.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Frozen
#
# Kept from training: `trainable` is `False`, set before `compile`. The weights stay equal to the bit.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Grad-CAM
#
# A heat map of the places whose features spoke for an answer. It weights the channels of a layer by the
# gradient of the answer's logit, sums them, and keeps what is above 0.
# [Lesson 8](08_see_where_it_looks.ipynb)
#
# ## Gradient
#
# For each parameter, how much the loss changes if the parameter does. The optimizer steps against it.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Head
#
# The new layers after the base, which turn features into logits. Here they are dropout and one Dense layer.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## int8
#
# An integer of 8 bits, from -128 to 127. A model in int8 keeps weights and activations in such numbers.
# [Lesson 11](11_ship_it.ipynb)
#
# ## Interval
#
# A 95 % interval says how far one number can be trusted. It is made so that, with new pictures each time, about
# 95 in 100 such intervals contain the true value.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Kernel
#
# The weight that a layer multiplies its inputs with: in Dense a table, in a convolution a small window that
# slides. Jupyter's kernel, the process that runs your cells, is another thing.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Label
#
# The class that a picture has according to the data, as its position in `class_names`. Labels can be wrong.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## Layer
#
# One step of a network: tensors come in, tensors go out. It may have weights, and layers of its own.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Learning rate
#
# How long the optimizer's steps are. Too high a rate wrecks what was learned, too low a one learns next to
# nothing.
# [Lesson 4](04_fine_tune.ipynb)
#
# ## LiteRT
#
# A file format and a runtime for models on phones, boards and CPUs. It was called TensorFlow Lite.
# [Lesson 11](11_ship_it.ipynb)
#
# ## Logit
#
# A model's answer before sigmoid or softmax, which can be any number. With two classes there is one logit, and
# above 0 it means the second class.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Loss
#
# The number that training makes small. For classes it is the cross-entropy: minus the logarithm of the
# probability that the model gives to the label, as a mean over pictures.
# [Lesson 3](03_extract_features.ipynb)
#
# ## McNemar
#
# McNemar's test compares two models by the pictures on which only one of them is right. Its p-value says how
# often thrown coins alone would split these at least so unevenly.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Moving statistics
#
# The mean and the variance that BatchNormalization keeps as running averages over training batches. No gradient
# reaches them: they are non-trainable weights.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Multiply-add
#
# One multiplication and the addition of its product to a sum. A network's arithmetic is counted in
# multiply-adds.
# [Lesson 10](10_choose_a_base.ipynb)
#
# ## ONNX
#
# A file format for models that runtimes in many languages read.
# [Lesson 11](11_ship_it.ipynb)
#
# ## Optimizer
#
# The rule that turns gradients into changes of the weights, such as SGD or Adam. Adam also keeps averages of
# past gradients.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Overfitting
#
# Learning the training pictures by heart instead of what new ones have in common with them. The validation loss
# rises while the training loss falls.
# [Lesson 4](04_fine_tune.ipynb)
#
# ## Paired comparison
#
# Comparing two models on the same pictures, one picture at a time. Only those on which just one model is right
# tell the two apart.
# [Lesson 4](04_fine_tune.ipynb)
#
# ## Parameter
#
# A single number in a weight.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Pooling
#
# Making one number of many places. Global average pooling takes the mean of each channel over the whole grid.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Precision
#
# Of the pictures that were predicted as a class, the share that is of that class.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Preflight
#
# A look at a compiled model and its data before `fit`. The course's `preflight` names what looks like a
# mistake.
# [Lesson 6](06_find_the_bug.ipynb)
#
# ## Pretraining
#
# The training that a base went through before you got it. The course's bases saw the photographs of ImageNet,
# or drawings of 62 kinds of animals without cats and dogs.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Probability
#
# A logit after the sigmoid, or logits after softmax: between 0 and 1, it says how sure the model is. Whether it
# is rightly so sure is a matter of calibration.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Quantisation
#
# Keeping the numbers of a network in fewer bits, such as 8-bit integers with a scale and a zero point. The file
# gets smaller, and the logits move a little.
# [Lesson 11](11_ship_it.ipynb)
#
# ## Ray
#
# A program that hands out Python's work to processes on one machine or many, and again when one is lost.
# [Lesson 12](12_beyond_one_machine.ipynb)
#
# ## Recall
#
# Of the pictures that are labelled as a class, the share that the model found.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Recipe
#
# The choice of pictures, base and settings that the lessons follow: the drawings, the tutorial's, the
# article's, or your own folder.
# [Start page](00_start.ipynb)
#
# ## Rescaling
#
# A layer that multiplies each pixel by one number and adds another. Here it takes 0...255 to -1...1, the range
# that the base was trained on.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Residual block
#
# A few layers with a shortcut past them. The block's input is added to what the layers give.
# [Lesson 5](05_run_the_frozen_part_once.ipynb)
#
# ## Sigmoid
#
# The function 1 / (1 + exp(-z)). It turns the logit z into the probability of the second class.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Softmax
#
# The function that turns logits, one a class, into probabilities that add up to 1.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Split
#
# A part of the pictures (training, validation or test) that shares none with the others. Also the act of making
# such parts.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## Temperature
#
# A number above 0 by which all logits are divided, so that the probabilities fit better. It is fitted on the
# validation set and changes no predicted class.
# [Lesson 7](07_judge_a_model.ipynb)
#
# ## Test set
#
# The pictures that are opened once, at the end, for the number that you report. Once you choose by them, they
# are a validation set.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## Threshold
#
# The value above which an answer counts as the second class. It is 0 for a logit and 0.5 for a probability,
# unless you choose another.
# [Lesson 3](03_extract_features.ipynb)
#
# ## Trainable
#
# A trainable weight is one that a gradient may change; a non-trainable one may still change otherwise, as moving
# statistics do. `layer.trainable = False` makes all weights of a layer non-trainable.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Training mode
#
# What a layer does when called with `training=True`, as under `fit`: dropout drops, and unfrozen
# BatchNormalization uses the batch. It is not the same as trainable.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Transfer learning
#
# Using for one task what a network has learned on another.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
#
# ## Validation set
#
# The pictures by which you choose: settings, epochs, models. No weight is fitted on them.
# [Lesson 2](02_download_and_look_at_data.ipynb)
#
# ## View
#
# One of a few fixed variants of a picture, itself among them, whose features are extracted ahead. In each epoch
# training takes one of them by chance.
# [Lesson 5](05_run_the_frozen_part_once.ipynb)
#
# ## Weight
#
# One array of a layer, such as the kernel of a Dense layer. Its single numbers are parameters.
# [Lesson 1](01_inspect_trainable_weights.ipynb)
