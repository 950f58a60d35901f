"""The scripts of lesson 6's six more cases, as text: each runs among the names of the lesson.

Nothing imports them. `more_cases` reads one and puts it into a cell of the notebook.
"""
# ruff: noqa: F821
# mypy: ignore-errors


def guessing(seed=0):
    """'The head on the frozen base was right nine times in ten. I fine-tuned, and it guesses.'"""
    keras.utils.set_random_seed(seed)
    train_data = train_maps[:200], train_labels[:200]
    validation_data = validation_maps, validation_labels
    top = pretrained_top()
    model = with_head(top)
    compile_for_logits(model, rate=0.01)
    model.fit(*train_data, epochs=5, verbose=0)

    unfreeze(top)
    compile_for_logits(model, rate=0.06)
    model.fit(*train_data, validation_data=validation_data, epochs=4, verbose=0)
    return model, train_data, validation_data


def nothing_moves(seed=0):
    """'I fine-tune for as long as I like, and the accuracy stays where it was.'"""
    keras.utils.set_random_seed(seed)
    train_data = train_maps[:200], train_labels[:200]
    validation_data = validation_maps, validation_labels
    top = pretrained_top()
    model = with_head(top)
    compile_for_logits(model, rate=0.01)
    model.fit(*train_data, validation_data=validation_data, epochs=5, verbose=0)

    unfreeze(top)
    model.optimizer.learning_rate = 0.0006
    model.fit(*train_data, validation_data=validation_data, epochs=4, verbose=0)
    return model, train_data, validation_data


def better_of_two(seed=0):
    """'I take the better of two rates. Each time I split the data anew, another one wins.'"""
    keras.utils.set_random_seed(seed)
    train_data = train_features[:300], train_labels[:300]
    rows = np.random.default_rng(seed).permutation(len(validation_labels))[:20]
    validation_data = validation_features[rows], validation_labels[rows]

    best_model, best = None, -1.0
    for rate in (0.001, 0.01):
        model = new_head()
        compile_for_logits(model, rate)
        model.fit(*train_data, epochs=3, verbose=0)
        result = accuracy_on(model, *validation_data)
        if result.value > best:
            best_model, best = model, result.value
    return best_model, train_data, validation_data


def three_numbers(seed=0):
    """'I evaluate the same model on the same pictures three times and get three numbers.'"""
    keras.utils.set_random_seed(seed)
    augmentation = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(0.2),
            keras.layers.RandomZoom(0.4),
        ]
    )

    def prepare(images, labels):
        pixels = augmentation(tf.cast(images, "float32"), training=True)
        return extractor(pixels, training=False), labels

    def dataset(images, labels):
        return tf.data.Dataset.from_tensor_slices((images, labels)).batch(50).map(prepare)

    train_data = dataset(train_pictures[:120], train_labels[:120])
    validation_data = dataset(validation_pictures[:100], validation_labels[:100])
    model = new_head()
    compile_for_logits(model, rate=0.01)
    model.fit(train_data, epochs=4, verbose=0)
    return model, train_data, validation_data


def perfect(seed=0):
    """'Validation accuracy 1.00 after twenty epochs of one Dense layer. I do not believe it.'"""
    keras.utils.set_random_seed(seed)
    order = np.argsort(train_labels[:200], kind="stable")  # the files come sorted by class
    inputs, labels = train_features[:200][order], train_labels[:200][order]
    dataset = tf.data.Dataset.from_tensor_slices((inputs, labels))
    dataset = dataset.shuffle(200, seed=seed).batch(20)
    validation_data = dataset.take(2)
    train_data = dataset.skip(2)

    model = new_head()
    compile_for_logits(model, rate=0.01)
    model.fit(train_data, validation_data=validation_data, epochs=20, verbose=0)
    return model, train_data, validation_data


def coin(seed=0):
    """'The same features, the same head as everybody else's. Mine stays at one half.'"""
    keras.utils.set_random_seed(seed)
    order = np.argsort(train_labels[:400], kind="stable")  # the files come sorted by class
    inputs, labels = train_features[:400][order], train_labels[:400][order]
    generator = np.random.default_rng(seed)
    generator.shuffle(inputs)
    generator.shuffle(labels)

    model = new_head()
    compile_for_logits(model, rate=0.001)
    model.fit(inputs, labels, validation_split=0.2, epochs=5, verbose=0)
    return model, (inputs[:320], labels[:320]), (inputs[320:], labels[320:])
