"""The cases of lesson 6: solutions pass, and mends that miss the cause are told so."""

import collections
import dataclasses
import difflib
import linecache
import os
import re
import subprocess
import sys

import keras
import matplotlib
import numpy as np
import pytest
from answers import graphs_as_traced, judge
from matplotlib import pyplot as plt

from helpers import evaluation, features, paths
from helpers.exercises import Choice, clinic, lesson_6, more_cases, of_lesson
from helpers.lessons import find
from helpers.preflight import CHECKS, preflight

IN_LESSON = [found for found in of_lesson(6) if not isinstance(found, Choice)]
MORE = [found for found in vars(more_cases).values() if isinstance(found, clinic.Mend)]
CASES = {exercise.name: exercise for exercise in (*IN_LESSON, *MORE)}
matplotlib.use("Agg")
QUESTIONS = [found for found in of_lesson(6) if isinstance(found, Choice)]
SPLIT = (
    "    train_data = images[:160], labels[:160]\n"
    "    validation_data = images[160:], labels[160:]\n"
)
ORDER = "    order = np.random.default_rng(seed).permutation(200)\n"
ORDERED = "np.concatenate(versions)[order], np.tile(labels, 10)[order]"
OTHERS = "tf.data.Dataset.from_tensor_slices((validation_features, validation_labels)).batch(20)"
FIRST_FIT = "    model.fit(*train_data, validation_data=validation_data, epochs=5, verbose=0)\n"
PREPARED = ".batch(50).map(prepare)"

# What is told of the data, of loss and metrics, whatever the training did.
UNTRAINED = [
    ("below_chance", [], "two sets still disagree"),
    ("high_loss", [], "still takes the outputs"),
    ("all_alike", [], "Of the train pictures, the base sees numbers from -1.01 to -0.99"),
    ("too_good", [], "have a version of themselves"),
    ("better_of_two", [], "still rests on 20 pictures"),
    ("three_numbers", [], "Two passes"),
    ("perfect", [], "come in training and in validation"),
    ("coin", [], "Of the training labels"),
    (
        "guessing",
        [
            ("train_maps[:200], train_labels[:200]", "validation_maps, validation_labels"),
            ("rate=0.06", "rate=0.0006"),
        ],
        "Validation pictures are in the training data",
    ),
    (
        "below_chance",
        [
            (
                "verbose=0)\n",
                "verbose=0)\n    model.set_weights([-w for w in model.get_weights()])\n",
            )
        ],
        "two sets still disagree",
    ),
    (
        "below_chance",
        [
            (
                "names = sorted(set(folders))",
                'names = ["cat", "dog"] if "cat" in folders else ["dog", "kitten"]',
            )
        ],
        "two sets still disagree",
    ),
    (
        "below_chance",
        [
            (
                '("kitten", "dog")[label] for label in validation_labels',
                '"cat" for label in range(300)',
            ),
            ("validation_data = validation_features", "validation_data = train_features[300:]"),
        ],
        "validation pictures are gone",
    ),
    (
        "below_chance",
        [
            (
                "np.array([names.index(folder) for folder in folders])",
                'np.array([folder != "cat" for folder in folders])',
            )
        ],
        "within one set contradict",
    ),
    (
        "below_chance",
        [
            ("        names = sorted(set(folders))\n", ""),
            (
                "    def labels_of(folders):\n",
                "    names = sorted(set(train_folders + validation_folders))\n\n"
                "    def labels_of(folders):\n",
            ),
        ],
        "3 numbers now.*a kitten is a cat",
    ),
    ("high_loss", [("Adam(0.01)", "Adam(0.0001)")], "still takes the outputs"),
    (
        "high_loss",
        [
            (
                'loss="binary_crossentropy"',
                "loss=keras.losses.BinaryCrossentropy(from_logits=True)",
            )
        ],
        "Where does 'accuracy' draw its line",
    ),
    ("high_loss", [("Dense(1)", 'Dense(1, activation="softmax")')], "Softmax shares 1"),
    (
        "high_loss",
        [("Dense(1)", 'Dense(1, activation="sigmoid")'), (', metrics=["accuracy"]', "")],
        "reports no accuracy",
    ),
    (
        "high_loss",
        [
            ("keras.layers.Dense(1)", "keras.layers.Dense(2)"),
            (
                '"binary_crossentropy"',
                "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
            ),
        ],
        "With 2 outputs it can be mended, too",
    ),
    (
        "all_alike",
        [
            ("train_pictures[:150] / 127.5 - 1.0", "train_pictures[:150] / 255.0"),
            ("validation_pictures[:100] / 127.5 - 1.0", "validation_pictures[:100] / 255.0"),
        ],
        "Of the train pictures, the base sees numbers from -1.00 to -0.99",
    ),
    (
        "all_alike",
        [("train_pictures[:150] / 127.5 - 1.0", "train_pictures[:150]")],
        "Of the validation pictures, the base sees",
    ),
    ("all_alike", [("epochs=10", "epochs=40")], "the base sees numbers"),
    ("too_good", [("epochs=20", "epochs=3")], "have a version of themselves"),
    (
        "too_good",
        [
            (ORDERED, "originals, labels"),
            ("images[:160], labels[:160]", "images[:14], labels[:14]"),
            ("images[160:], labels[160:]", "images[14:], labels[14:]"),
        ],
        "altered pictures are gone",
    ),
    (
        "too_good",
        [
            (ORDER, "    held = np.tile(np.arange(20) >= 14, 10)\n"),
            (ORDERED, "np.concatenate(versions), np.tile(labels, 10)"),
            ("images[:160], labels[:160]", "images[~held], labels[~held]"),
            ("images[160:], labels[160:]", "images[held], labels[held]"),
        ],
        "counts 6 pictures 10 times",
    ),
    (
        "too_good",
        [
            (
                SPLIT,
                "    train_data = images, labels\n    validation_data = new_pictures, new_labels\n",
            )
        ],
        "New pictures are in the data",
    ),
    (
        "nine_in_ten",
        [
            (
                "train_data = nine_to_one(train_features, train_labels)",
                "train_data = train_features[:200], train_labels[:200]",
            )
        ],
        "other pictures than those 200",
    ),
    (
        "nine_in_ten",
        [
            (
                "    model = new_head()\n",
                "    train_data = tuple(d[160:] for d in train_data)\n    model = new_head()\n",
            )
        ],
        "40 pictures left of 200",
    ),
    (
        "nine_in_ten",
        [
            (
                "nine_to_one(validation_features, validation_labels)",
                "(validation_features, validation_labels)",
            )
        ],
        "Validation was changed",
    ),
    (
        "better_of_two",
        [
            (".permutation(len(validation_labels))[:20]", ".permutation(len(validation_labels))"),
            ("(0.001, 0.01)", "(0.01,)"),
        ],
        "only one rate was tried",
    ),
    ("better_of_two", [("epochs=3", "epochs=6")], "still rests on 20 pictures"),
    (
        "better_of_two",
        [
            (
                "validation_data = validation_features[rows], validation_labels[rows]",
                "validation_data = train_data",
            )
        ],
        "Validation pictures are in the training data",
    ),
    ("better_of_two", [("[:20]", "[:20].repeat(25)")], "repeating a picture"),
    (
        "better_of_two",
        [
            (
                "validation_features[rows], validation_labels[rows]",
                "new_features, new_labels",
            )
        ],
        "New pictures are in the data",
    ),
    ("three_numbers", [(PREPARED, f"{PREPARED}.cache()")], "augmented once and kept"),
    (
        "three_numbers",
        [('"float32"), training=True', '"float32"), training=False')],
        "not augmented anew",
    ),
    ("three_numbers", [("RandomRotation(0.2)", "RandomRotation(0.2, seed=0)")], "Two passes"),
    (
        "perfect",
        [
            ("dataset.take(2)", OTHERS),
            ("dataset.skip(2)", "dataset"),
        ],
        "Other pictures than the 200",
    ),
    (
        "perfect",
        [(".shuffle(200, seed=seed)", "")],
        "holds hardly more than one class",
    ),
    ("perfect", [("epochs=20", "epochs=5")], "come in training and in validation"),
    (
        "perfect",
        [("shuffle(200, seed=seed)", "shuffle(200, seed=7)")],
        "A seed fixes the first order",
    ),
    (
        "perfect",
        [
            (".shuffle(200, seed=seed)", ".shuffle(200, reshuffle_each_iteration=False)"),
            ("skip(2)", "skip(5)"),
        ],
        "100 to train|100 pictures to train on and 40",
    ),
    (
        "coin",
        [("    generator.shuffle(inputs)\n", ""), ("    generator.shuffle(labels)\n", "")],
        "hardly more than one class",
    ),
    ("coin", [("    generator.shuffle(labels)\n", "")], "Of the training labels"),
    ("coin", [("epochs=5", "epochs=20"), ("rate=0.001", "rate=0.01")], "Of the training labels"),
]

# What is told of the top, trained indeed, compiled anew; a top of three layers shows it.
SMALL = [
    ("poor_in_fit", [], "Larger batches"),
    ("guessing", [("epochs=4", "epochs=1")], "Fewer steps"),
    ("guessing", [("    unfreeze(top)\n", "")], "never fine-tuned"),
    ("guessing", [("rate=0.06", "rate=1e-8")], "next to nothing"),
    (
        "guessing",
        [("unfreeze(top)", "top.trainable = True"), ("rate=0.06", "rate=0.0006")],
        "Which layers does `unfreeze` leave",
    ),
    (
        "nothing_moves",
        [
            (
                FIRST_FIT,
                "",
            ),
            (
                "    model.optimizer.learning_rate = 0.0006\n",
                "    compile_for_logits(model, rate=0.0006)\n",
            ),
        ],
        "not under the head that was trained",
    ),
    (
        "nothing_moves",
        [
            (
                "    model.optimizer.learning_rate = 0.0006\n",
                "    model = with_head(top)\n    compile_for_logits(model, rate=0.0006)\n",
            ),
        ],
        "not under the head that was trained",
    ),
    (
        "nothing_moves",
        [
            ("    unfreeze(top)\n", ""),
            ("    top = pretrained_top()\n", "    top = pretrained_top()\n    unfreeze(top)\n"),
        ],
        "not under the head that was trained",
    ),
    (
        "nothing_moves",
        [
            ("unfreeze(top)", "top.trainable = True"),
            ("model.optimizer.learning_rate = 0.0006", "compile_for_logits(model, 0.0006)"),
        ],
        "moving statistics",
    ),
    (
        "nothing_moves",
        [("model.optimizer.learning_rate = 0.0006", "compile_for_logits(model, 0.01)")],
        "head's rate",
    ),
    ("poor_in_fit", [("batch_size=2", "batch_size=50")], "Larger batches"),
    ("poor_in_fit", [("top.trainable = True", "top.trainable = False")], "left as it was"),
    ("poor_in_fit", [("rate=0.0001", "rate=0.00001")], "or a lower rate"),
    (
        "poor_in_fit",
        [("top.trainable = True", "unfreeze(top)"), ("batch_size=2", "batch_size=50")],
        "the card holds few",
    ),
]

# What is told of the model that came of the training.
TRAINED = [
    ("guessing", [], "what decides how far one step goes"),
    ("nothing_moves", [], "to the bit, whatever"),
    ("nothing_moves", [("epochs=4", "epochs=6")], "to the bit, whatever"),
    ("nine_in_ten", [], "Training longer or faster"),
    (
        "all_alike",
        [
            (", extractor, head]", ", *extractor.layers[1:], head]"),
        ],
        "validation pictures are right. Was the head trained",
    ),
    ("nine_in_ten", [("epochs=5", "epochs=20")], "Training longer or faster"),
    (
        "nine_in_ten",
        [("epochs=5", "epochs=5, class_weight={0: 0.01, 1: 10.0}")],
        "cats that are missed",
    ),
    (
        "better_of_two",
        [
            ("[:20]", ""),
            ("best_model, best = None, -1.0", "best_model, best = None, 2.0"),
            ("> best", "< best"),
        ],
        "is the worse one",
    ),
]

# Other ways than the solution's.
ALSO_RIGHT = [
    (
        "too_good",
        [
            ("train_pictures[:20], train_labels[:20]", "train_pictures[:14], train_labels[:14]"),
            ("permutation(200)", "permutation(140)"),
            (
                SPLIT,
                "    train_data = images, labels\n"
                "    validation_data = train_pictures[14:20], train_labels[14:20]\n",
            ),
        ],
    ),
    ("below_chance", [('("kitten", "dog")', '("cat", "dog")')]),
    ("high_loss", [("Dense(1)", 'Dense(1, activation="sigmoid")')]),
    (
        "all_alike",
        [
            (
                "    head = new_head()\n",
                "    unscaled = keras.Sequential(\n"
                "        [keras.Input(shape=(96, 96, 3)), *extractor.layers[1:]]\n    )\n"
                "    head = new_head()\n",
            ),
            ("extractor.predict", "unscaled.predict"),
            (", extractor, head]", ", unscaled, head]"),
        ],
    ),
    (
        "nine_in_ten",
        [
            (
                "    model = new_head()\n",
                "    rows = np.concatenate([np.arange(200), np.repeat(np.arange(180, 200), 8)])\n"
                "    train_data = tuple(array[rows] for array in train_data)\n"
                "    model = new_head()\n",
            )
        ],
    ),
    ("perfect", [(".shuffle(200, seed=seed)", ".shuffle(200, reshuffle_each_iteration=False)")]),
]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """One cache for all tests, so that features are extracted once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def quick_graphs():
    with graphs_as_traced():
        yield


@pytest.fixture(scope="module")
def prepared():
    """The lesson's text before its first case."""
    return find(6).source.read_text(encoding="utf-8").partition("# ## Case 1.")[0]


def accuracy_on(model, inputs, labels):
    """As the lesson's, without tracing `predict` for each model."""
    return evaluation.accuracy(clinic.outputs(model, inputs), labels)


@pytest.fixture(scope="module")
def names(own_cache, prepared):
    """What the lesson has defined before its first case."""
    namespace = {}
    exec(compile(prepared, "lesson_6", "exec"), namespace)
    extractor = namespace["extractor"]
    extractor.predict = lambda inputs, verbose: clinic.outputs(extractor, inputs)
    return namespace | {"accuracy_on": accuracy_on}


@pytest.fixture
def untrained(monkeypatch, not_validated):
    """`fit` does nothing, and `predict` says 0 of everything."""

    def predict(model, inputs, **_):
        return np.zeros((len(inputs), *model.output_shape[1:]), "float32")

    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: None)
    monkeypatch.setattr(keras.Model, "predict", predict)


@pytest.fixture(scope="module")
def small(names, prepared):
    """The lesson's names and the clinic's ward with a top that begins at the last convolution."""
    ward = clinic.ward()
    base = next(layer for layer in ward.extractor.layers if hasattr(layer, "layers"))
    at_cut = base.get_layer("block_16_project_BN").output
    between = keras.Model(base.get_layer(clinic.CUT).output, at_cut)
    top = keras.Model(at_cut, base.output, name="top")
    maps = {part: features.extract(between, ward.maps[part], quiet=True) for part in clinic.PARTS}
    small = dataclasses.replace(ward, maps=maps, top=top)
    own = names | {"ward": small} | {f"{part}_maps": maps[part] for part in clinic.PARTS}
    exec(in_small(prepared[prepared.index("def pretrained_top") :]), own)
    return own | {"accuracy_on": accuracy_on}, small


@pytest.fixture(autouse=True)
def not_validated(monkeypatch):
    """`fit` does not validate: no judge asks for it."""
    plain = keras.Model.fit

    def fit(model, *arguments, validation_data=None, **options):
        return plain(model, *arguments, **options)

    monkeypatch.setattr(keras.Model, "fit", fit)


@pytest.fixture(scope="module")
def heads():
    """The weights of each head that was trained on a frozen top."""
    return {}


@pytest.fixture
def heads_trained_once(monkeypatch, heads, not_validated):
    """`fit` of a head on a frozen top, as the scripts begin, gives what it gave the first time."""
    plain = keras.Model.fit

    def fit(model, inputs, labels=None, validation_data=None, **options):
        if all(layer.name != "top" or layer.trainable for layer in model.layers):
            return plain(model, inputs, labels, **options)
        key = (inputs.shape, *options.items())
        if key not in heads:
            plain(model, inputs, labels, **options)
            heads[key] = model.layers[-1].get_weights()
        model.layers[-1].set_weights(heads[key])

    monkeypatch.setattr(keras.Model, "fit", fit)


def in_small(code):
    """Code for maps of the shape that the small top takes."""
    return code.replace("(3, 3, 56)", "(3, 3, 112)")


def mended(name, changes):
    return clinic.mend(name, *changes)


def assert_explained(name, code, names, why):
    verdict = judge(CASES[name], code, names)
    assert verdict.state == "wrong"
    assert re.search(why, verdict.text), verdict.text


def identity(value):
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("exercise", CASES.values(), ids=lambda exercise: exercise.name)
@pytest.mark.usefixtures("heads_trained_once")
def test_the_solution_is_right(exercise, names):
    verdict = judge(exercise, exercise.code, names)
    assert verdict.state == "right", verdict.text


@pytest.mark.parametrize(("name", "changes", "why"), UNTRAINED, ids=identity)
def test_what_is_wrong_before_training_is_explained(name, changes, why, names, untrained):
    assert_explained(name, mended(name, changes), names, why)


@pytest.mark.parametrize(("name", "changes", "why"), SMALL, ids=identity)
@pytest.mark.usefixtures("heads_trained_once")
def test_what_training_does_to_the_top_is_explained(name, changes, why, small, monkeypatch):
    names, ward = small
    monkeypatch.setattr(clinic, "ward", lambda: ward)
    assert_explained(name, in_small(mended(name, changes)), names, why)


@pytest.mark.parametrize(("name", "changes", "why"), TRAINED, ids=identity)
def test_what_training_makes_of_the_head_is_explained(name, changes, why, names):
    assert_explained(name, mended(name, changes), names, why)


@pytest.mark.parametrize(("name", "changes"), ALSO_RIGHT, ids=identity)
def test_other_ways_are_right(name, changes, names):
    verdict = judge(CASES[name], mended(name, changes), names)
    assert verdict.state == "right", verdict.text


def test_there_are_six_cases_and_six_more():
    assert {exercise.name for exercise in IN_LESSON} == set(lesson_6.CASES)
    assert {exercise.name for exercise in MORE} == set(more_cases.PICTURES)
    assert len(IN_LESSON) == len(MORE) == 6
    as_they_are = {name for name, changes, _ in UNTRAINED + SMALL + TRAINED if not changes}
    assert as_they_are == set(CASES)


def test_each_case_has_three_wrong_mends():
    counts = collections.Counter(name for name, _, _ in UNTRAINED + SMALL + TRAINED)
    assert min(counts[name] for name in CASES) >= 3


def test_questions_explain_each_choice():
    assert len(QUESTIONS) == 4
    for question in QUESTIONS:
        lengths = [len(option.text) for option in question.options.values()]
        assert len(lengths) == 4 and max(lengths) < 3 * min(lengths)
        for letter, option in question.options.items():
            verdict = question.check(letter)
            assert verdict.state == ("right" if option.is_right else "wrong")
            assert verdict.text == option.why


@pytest.mark.parametrize("exercise", CASES.values(), ids=lambda exercise: exercise.name)
def test_a_solution_changes_little(exercise):
    old = mended(exercise.name, []).splitlines()
    changed = [line for line in difflib.ndiff(old, exercise.code.splitlines()) if line[0] in "+-"]
    assert 0 < len(changed) <= 12


@pytest.mark.parametrize(
    "answer", [3, None, lambda: 3, lambda: None, lambda: (1, 2, 3), lambda: (1, 2)]
)
def test_what_is_no_script_is_told_what_to_return(answer):
    verdict = more_cases.guessing.check(answer)
    assert verdict.state == "wrong" and "Expected: " in verdict.text


def written(code, name):
    """A function as a notebook's cell has it: its text can be read."""
    linecache.cache[f"<cell {name}>"] = (len(code), None, code.splitlines(True), f"<cell {name}>")
    namespace = {}
    exec(compile(code, f"<cell {name}>", "exec"), namespace)
    return namespace[name]


@pytest.mark.parametrize("name", CASES)
def test_a_script_as_it_came_is_no_answer(name):
    verdict = CASES[name].check(written(f"# mine\n{clinic.script(name)}\n", name))
    assert verdict.state == "open" and "as it came" in verdict.text
    module = "exercises" if name in lesson_6.CASES else "more_cases"
    assert f"`{module}.{name}.hint()`" in verdict.text


def test_dots_are_no_answer():
    assert more_cases.guessing.check(written("def guessing(): ...", "guessing")).state == "open"


@pytest.mark.parametrize("exercise", IN_LESSON, ids=lambda exercise: exercise.name)
@pytest.mark.usefixtures("heads_trained_once")
def test_preflight_finds_what_a_right_answer_says(exercise, names, monkeypatch):
    check = {exercise.finding: CHECKS[exercise.finding]}
    monkeypatch.setattr("helpers.preflight.CHECKS", check)
    told = {"class_names": (["cat", "dog"], ["dog", "kitten"])}
    options = told if exercise.name == "below_chance" else {}
    report = preflight(*clinic.before_last_fit(exercise.name, names), **options)
    assert exercise.finding in {found.check for found in report.findings}


def test_the_last_fit_is_left_out(names):
    model, _, _ = clinic.before_last_fit("below_chance", names)
    assert float(model.optimizer.iterations) == 0
    model, _, _ = clinic.run("below_chance", names)
    assert float(model.optimizer.iterations) > 0


class Shell:
    """Notes what is put into the next cell."""

    def set_next_input(self, code):
        self.code = code


@pytest.mark.parametrize("name", more_cases.PICTURES)
def test_a_case_that_is_opened_has_its_picture_and_a_cell(name, names, monkeypatch, ran):
    shell, shown = Shell(), []
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setattr(clinic, "run", lambda *_: ran)
    more_cases.open_case(name, names)
    assert plt.gcf().axes
    plt.close("all")
    assert shell.code.endswith(f"more_cases.{name}.check({name})\n")
    assert clinic.script(name) in shell.code
    assert "'" in shown[0].data.partition("<details>")[0].replace("&#x27;", "'")


@pytest.fixture(scope="module")
def ran(names):
    """What one script returned, for the pictures of all."""
    return clinic.run("coin", names)


def test_the_lesson_lists_the_complaints():
    text = find(6).source.read_text(encoding="utf-8")
    for name in more_cases.PICTURES:
        complaint = re.search('"""(.+)"""', clinic.script(name))[1]
        assert f"# | `{name}` | {complaint} |" in text


def test_a_change_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="0 times in 'coin'"):
        clinic.mend("coin", ("no such line", ""))
    with pytest.raises(ValueError, match="Received: 'dice'"):
        clinic.mend("dice")


START_PAGE = """
import pathlib, sys
from helpers import paths
paths.SOURCES = pathlib.Path(sys.argv[1])
from helpers import exercises
print(exercises.Overview())
"""


@pytest.mark.parametrize("text", ["def guessing(seed=0):\n    return None\n", None])
def test_the_start_page_does_not_depend_on_the_lessons_text(tmp_path, text):
    if text is not None:
        (tmp_path / find(6).source.name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", START_PAGE, str(tmp_path)]
    # Other tests have answered some in the cache that they share.
    own = {**os.environ, "COURSE_CACHE": str(tmp_path)}
    done = subprocess.run(command, cwd=paths.ROOT, env=own, capture_output=True, text=True)
    assert re.search("6. Find the bug .* 0 of 10 exercises", done.stdout), done.stderr


@pytest.mark.parametrize("script", [lambda: (1, 2), lambda: 1 / 0])
def test_whoever_had_patched_fit_has_it_back(monkeypatch, script):
    def patched(model, *arguments, **options):
        """Somebody else's."""

    more_cases.guessing.check(script)
    assert keras.Model.fit is not patched
    monkeypatch.setattr(keras.Model, "fit", patched)
    more_cases.guessing.check(script)
    assert keras.Model.fit is patched


def test_sources_of_altered_pictures_are_found(names):
    some = names["train_pictures"][[3, 14, 15]]
    darker = (some * 0.85).astype("uint8")
    found = clinic.sources(np.concatenate([darker, some[:, :, ::-1]]))
    assert list(found.row) == [3, 14, 15] * 2
    assert list(found.part) == [0] * 6


def test_the_cache_is_the_tests_own():
    assert "cache" in os.environ["COURSE_CACHE"]
