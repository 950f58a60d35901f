"""Questions that a lesson asks on earlier ones: a bank of them, and three drawn by chance.

They are no exercises of a lesson: nothing of them is kept in the progress.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, replace
from typing import Any

from helpers.exercises.choice import Option
from helpers.exercises.exercise import Verdict, right, wrong

DRAWN = 3


@dataclass(frozen=True)
class Question:
    """A question on what a lesson taught, with its answers, one of them right."""

    lesson: int
    task: str
    answers: tuple[Option, ...]

    @property
    def options(self) -> dict[str, Option]:
        """The answers by their letters, in the order in which they are shown."""
        return dict(zip(string.ascii_uppercase, self.answers, strict=False))

    def check(self, letter: Any) -> Verdict:
        """Say whether a letter's answer is right, and why; nothing is kept.

        Raises:
            KeyError: where no answer has this letter.
        """
        option = self.options[letter]
        if option.is_right:
            return right(option.why)
        return wrong(f"{option.why} Lesson {self.lesson} has more.")


def draw(lesson: int, seed: int | None = None) -> tuple[Question, ...]:
    """Three questions on lessons before this one, in the lessons' order, their answers shuffled.

    At least one is on the lesson just before.

    Args:
        lesson: the number of the lesson that asks.
        seed: draws the same ones each time; without it, others come, whatever seeds are set.

    Raises:
        ValueError: where the bank has no question on the lesson just before.
    """
    last = [asked for asked in QUESTIONS if asked.lesson == lesson - 1]
    if not last:
        known = sorted({asked.lesson + 1 for asked in QUESTIONS})
        raise ValueError(
            f"Received: lesson {lesson!r}. Expected: a number from {known[0]} to {known[-1]}."
        )
    generator = random.Random(seed)
    first = generator.choice(last)
    others = [asked for asked in QUESTIONS if asked.lesson < lesson and asked is not first]
    drawn = sorted([first, *generator.sample(others, DRAWN - 1)], key=lambda asked: asked.lesson)
    return tuple(
        replace(asked, answers=tuple(generator.sample(asked.answers, len(asked.answers))))
        for asked in drawn
    )


def _ask(lesson: int, task: str, *answers: Option) -> Question:
    """A question of the bank."""
    return Question(lesson, task, answers)


QUESTIONS = (
    # 1. Inspect trainable weights
    _ask(
        1,
        "A Dense layer has 2 weights (arrays), a BatchNormalization layer has 4. None is frozen. "
        "How many of them train?",
        Option(
            "2 of Dense, 2 of BatchNormalization",
            "`gamma` and `beta` follow the gradient. The moving mean and variance do not.",
            is_right=True,
        ),
        Option(
            "2 of Dense, 4 of BatchNormalization",
            "Two of the four are the moving mean and variance. They change, but by no gradient.",
        ),
        Option(
            "2 of Dense, none of BatchNormalization",
            "The article says so. But `gamma` and `beta` train like any kernel.",
        ),
        Option(
            "1 of Dense, 2 of BatchNormalization",
            "Dense trains its bias as well as its kernel.",
        ),
    ),
    _ask(
        1,
        "A layer that was never frozen lists a weight as non-trainable. What do you know of it?",
        Option(
            "Nothing changes it: it is a constant.",
            "The moving mean of BatchNormalization is non-trainable, and it changes in `fit`.",
        ),
        Option(
            "No gradient changes it; its layer may.",
            "So it is with the moving statistics of BatchNormalization.",
            is_right=True,
        ),
        Option(
            "It trains after the next `compile`.",
            "`compile` takes the lists as they are. It moves no weight to the other one.",
        ),
        Option(
            "It gets the gradient at a lower rate.",
            "It gets none: the optimizer is given the trainable list only.",
        ),
    ),
    _ask(
        1,
        "You unfreeze a base after a first `fit` and call `fit` again at once. What happens?",
        Option(
            "The base trains from this call on.",
            "`fit` goes on with the training step of the first call, and that step leaves out "
            "the base.",
        ),
        Option(
            "Keras asks you to compile first.",
            "It does not say a word. That is what makes this mistake hard to find.",
        ),
        Option(
            "The base stays as it is, silently.",
            "What trains was settled in the first `fit`. Change `trainable`, then compile.",
            is_right=True,
        ),
    ),
    _ask(
        1,
        "Dropout and BatchNormalization are frozen, and called with `training=True`. Which of "
        "them does what it does in training?",
        Option(
            "Dropout only",
            "BatchNormalization is the exception in Keras: frozen, it uses its stored statistics.",
            is_right=True,
        ),
        Option(
            "BatchNormalization only",
            "The reverse: frozen, it keeps to its stored statistics, and Dropout drops.",
        ),
        Option(
            "Both, for the call says so",
            "So it is with every layer but one. Frozen, BatchNormalization behaves as in use.",
        ),
        Option(
            "Neither, for both are frozen",
            "Freezing is about weights, and Dropout has none. It goes on dropping.",
        ),
    ),
    _ask(
        1,
        "How do you prove that a frozen layer did not move in `fit`?",
        Option(
            "`summary()` counts it as non-trainable.",
            "That is what you asked for. Whether it was done, only the numbers say.",
        ),
        Option(
            "`before.all() == after.all()` is true.",
            "It compares `True` with `True`. A check that cannot fail checks nothing.",
        ),
        Option(
            "Its arrays have the same sums as before.",
            "Two arrays can differ and have one sum. Compare number by number.",
        ),
        Option(
            "Its arrays equal copies from before.",
            "Number by number, as `np.testing.assert_array_equal` does.",
            is_right=True,
        ),
    ),
    # 2. Download and look at data
    _ask(
        2,
        "A dataset shuffles anew at each pass. `take(10)` makes your test set of it, `skip(10)` "
        "your validation set. Do they share pictures?",
        Option(
            "No: a picture is either taken or skipped.",
            "These are two passes, each in an order of its own. What one takes, the other may "
            "keep.",
        ),
        Option(
            "No, if the shuffling has a seed.",
            "A seed makes a run repeatable. The passes of that run still differ in their order.",
        ),
        Option(
            "Yes: each pass has another order.",
            "`take` and `skip` cut at a place in a stream, and each pass is another stream. Split "
            "the files.",
            is_right=True,
        ),
        Option(
            "Only if the set holds copies.",
            "Copies leak as well. But here a single file is in both sets, in different passes.",
        ),
    ),
    _ask(
        2,
        "800 of 1,000 pictures show dogs, 200 show cats. Which accuracy does a model have to beat?",
        Option(
            "0.50, that of a coin",
            "A coin does not know that dogs are common. Who always says 'dog' does better.",
        ),
        Option(
            "0.68, that of guessing 'dog' 8 times in 10",
            "It is 0.8 x 0.8 + 0.2 x 0.2. To say 'dog' every time is better.",
        ),
        Option(
            "0.80, that of always saying 'dog'",
            "The share of the largest class is the first number to beat.",
            is_right=True,
        ),
    ),
    _ask(
        2,
        "A pipeline uses `cache`. Where does random augmentation go?",
        Option(
            "Before `cache`, so that it costs little",
            "What comes before `cache` runs once. You would train on the same variants forever.",
        ),
        Option(
            "After `cache`, so that each pass differs",
            "What is drawn by chance comes after it.",
            is_right=True,
        ),
        Option(
            "Anywhere: it is random in any place",
            "Not before `cache`: there it is drawn once, and then repeated.",
        ),
    ),
    _ask(
        2,
        "Files are listed class by class. What does `shuffle(1000)` mix if it stands after "
        "`batch(32)`?",
        Option(
            "Whole batches, nearly all of one class",
            "`shuffle` moves elements, and after `batch` an element is a batch.",
            is_right=True,
        ),
        Option(
            "All pictures, as it would before `batch`",
            "Before `batch` an element is a picture. After it, an element is a batch.",
        ),
        Option(
            "The pictures within each batch",
            "It never looks into an element. It only changes the order of elements.",
        ),
    ),
    _ask(
        2,
        "`image_dataset_from_directory` reads a photograph of 400 x 200 with `image_size=(160, "
        "160)` and no other option. What do you get?",
        Option(
            "Its middle: left and right are cut off.",
            "Only with `crop_to_aspect_ratio=True`. Otherwise nothing is cut.",
        ),
        Option(
            "All of it, with bars above and below.",
            "Only with `pad_to_aspect_ratio=True`. Otherwise nothing is added.",
        ),
        Option(
            "Nothing: it has the wrong shape.",
            "Files of any size are resized, whatever their shape.",
        ),
        Option(
            "All of it, squeezed to a square.",
            "It becomes narrower. The networks of the course cope with that.",
            is_right=True,
        ),
    ),
    # 3. Extract features with a frozen base
    _ask(
        3,
        "A head of one output without activation tells two classes apart. It gives 0.3 for a "
        "picture. What does it say?",
        Option(
            "The first class: 0.3 lies below 0.5",
            "0.5 is the line for probabilities. A logit has its line at 0.",
        ),
        Option(
            "The second class, and not very surely",
            "A logit above 0 means the second class. The sigmoid of 0.3 is 0.57.",
            is_right=True,
        ),
        Option(
            "The first class, with probability 0.7",
            "That would be so if 0.3 were a probability. It is a logit, and above 0.",
        ),
        Option(
            "The second class, with probability 0.3",
            "The class is right. But a logit is no probability: the sigmoid of 0.3 is 0.57.",
        ),
    ),
    _ask(
        3,
        "A model for two equally frequent classes knows nothing and says so. What is its binary "
        "cross-entropy in Keras?",
        Option("0", "That takes being sure and right each time."),
        Option("0.5", "That is its accuracy. The loss is minus the logarithm of 0.5."),
        Option("0.69", "It is ln 2, for every picture gets the probability 0.5.", is_right=True),
        Option("1", "With logarithms to the base 2. Keras takes natural ones, and ln 2 is 0.69."),
    ),
    _ask(
        3,
        "Before training, a new model for two classes has a loss of 6. What do you look at first?",
        Option(
            "The scaling of pixels, and the labels",
            "A loss far above ln 2 hints at wrong inputs or labels. A look before training pays.",
            is_right=True,
        ),
        Option(
            "The learning rate of the optimizer",
            "It has not taken a step yet.",
        ),
        Option(
            "The number of training pictures",
            "Nothing was learned from them yet, whether there are many or few.",
        ),
        Option(
            "Nothing: new models are like that",
            "A new head is often somewhat above ln 2, which is 0.69. This is nearly nine times it.",
        ),
    ),
    _ask(
        3,
        "A base was trained on pixels from -1 to 1. You give it 0 to 255. What happens?",
        Option(
            "Keras refuses the range in `fit`.",
            "Keras checks shapes, not ranges.",
        ),
        Option(
            "It trains, and the accuracy suffers.",
            "Without a complaint. The base's features are no longer those that it learned.",
            is_right=True,
        ),
        Option(
            "The base scales: it knows its range.",
            "Some networks have the scaling built in. One that wants -1 to 1 has not.",
        ),
        Option(
            "The head learns to make up for it.",
            "It gets what the base makes of a glaring picture. What is lost there stays lost.",
        ),
    ),
    _ask(
        3,
        "What does `GlobalAveragePooling2D` leave out of the base's output?",
        Option(
            "Which of the features are present",
            "That is just what it keeps: one number for each feature.",
        ),
        Option(
            "Features that are weaker than the mean",
            "It takes the mean over places, feature by feature. It drops none of them.",
        ),
        Option(
            "Where in the picture a feature is",
            "It takes the mean over all places. That there is an ear counts, not where.",
            is_right=True,
        ),
    ),
    # 4. Fine-tune
    _ask(
        4,
        "In which order do you fine-tune?",
        Option(
            "Unfreeze, compile, train head and base",
            "The head is still random. Its errors go into the base and spoil what it knows.",
        ),
        Option(
            "Train the head, compile, unfreeze, train",
            "`compile` came too early. The base would not move.",
        ),
        Option(
            "Unfreeze, train the base, then the head",
            "Until the head is trained, the base has nothing sensible to follow.",
        ),
        Option(
            "Train the head, unfreeze, compile, train",
            "And the last step at a low rate.",
            is_right=True,
        ),
    ),
    _ask(
        4,
        "You call the base as `base(x, training=False)`, unfreeze all of it, compile, and call "
        "`fit` in Keras 3. What does its BatchNormalization do?",
        Option(
            "It keeps to its stored statistics.",
            "Both texts say so. But `fit` calls the model with `training=True`, which overrides.",
        ),
        Option(
            "It uses each batch's own statistics.",
            "And the stored ones drift. `trainable = False` on these layers prevents both.",
            is_right=True,
        ),
        Option(
            "It trains, but its statistics hold.",
            "`gamma` and `beta` train, and the moving statistics drift as well.",
        ),
    ),
    _ask(
        4,
        "A base is frozen. You set `trainable = False` on its BatchNormalization layers, and then "
        "`base.trainable = True`. What can train?",
        Option(
            "All its layers but BatchNormalization",
            "The second line overwrites the first. Exceptions come last.",
        ),
        Option(
            "No layer: each keeps its own setting",
            "Setting `trainable` on the base sets it on every layer inside.",
        ),
        Option(
            "All its layers, without an exception",
            "The last line reached every layer. Set the exceptions after it.",
            is_right=True,
        ),
    ),
    _ask(
        4,
        "Why do you train the head before you unfreeze the base?",
        Option(
            "A random head would spoil the base.",
            "While it guesses, it sends its errors into weights that were good.",
            is_right=True,
        ),
        Option(
            "Keras trains one part at a time.",
            "It trains whatever is trainable, all at once.",
        ),
        Option(
            "The head needs more epochs than the base.",
            "It may. But you could give both the same epochs, and the harm would be done early.",
        ),
        Option(
            "A head that trains later overfits.",
            "It does not overfit by being late. It harms by being random.",
        ),
    ),
    _ask(
        4,
        "On the same 500 validation pictures, the frozen model has 0.94, the fine-tuned one 0.95. "
        "What tells you whether fine-tuning helped?",
        Option(
            "The difference: 0.95 is more",
            "Five pictures more may be luck.",
        ),
        Option(
            "Whether their two intervals overlap",
            "Each says how far one number can be trusted. They do not compare.",
        ),
        Option(
            "How far the training loss fell",
            "It falls as well when pictures are learned by heart.",
        ),
        Option(
            "The pictures only one of them got right",
            "The others say nothing about the difference.",
            is_right=True,
        ),
    ),
    # 5. Run the frozen part once
    _ask(
        5,
        "A model has a frozen base and no augmentation. What differs from one epoch to the next?",
        Option(
            "The weights of the head",
            "Of each picture, the base computes the same features, again and again.",
            is_right=True,
        ),
        Option(
            "The features of each picture",
            "Same picture, same weights: same features. That is why once is enough.",
        ),
        Option(
            "The base's moving statistics",
            "Frozen, BatchNormalization holds them to the bit.",
        ),
    ),
    _ask(
        5,
        "You compute the features once and train a head on the table. What do you give up?",
        Option(
            "Another order of pictures in each epoch",
            "The rows of a table can be shuffled like pictures. `fit` does so by itself.",
        ),
        Option(
            "New variants of pictures in each epoch",
            "A mirrored picture has other features. Kept views give some of it back.",
            is_right=True,
        ),
        Option(
            "Dropout in front of the Dense layer",
            "Dropout works on features, so it works on the table.",
        ),
        Option(
            "The use of the head in the whole model",
            "Put it back behind the base: both ways give the same logits.",
        ),
    ),
    _ask(
        5,
        "Where can a network be cut in two, so that the lower part runs once?",
        Option(
            "Between any two layers in the list",
            "Inside a residual block a shortcut runs past the layers, and two tensors cross.",
        ),
        Option(
            "Only behind its last convolution",
            "There too. But any place will do that only one tensor crosses.",
        ),
        Option(
            "Where only a single tensor crosses",
            "For example after the addition that ends a residual block.",
            is_right=True,
        ),
    ),
    _ask(
        5,
        "You extract four views of each training picture. What do you gain?",
        Option(
            "As much as by four times the pictures",
            "Views of a picture are near copies. New pictures bring more.",
        ),
        Option(
            "A narrower interval of the accuracy",
            "Its width comes from the number of validation pictures, and these are the same.",
        ),
        Option(
            "Some of what augmentation would bring",
            "In each epoch, training takes one of the views by chance.",
            is_right=True,
        ),
        Option(
            "Features that are sharper in detail",
            "Each view gives a row of its own. They are not put together.",
        ),
    ),
    _ask(
        5,
        "On the same features, your Keras head of one Dense layer reaches 0.90 in validation, "
        "logistic regression 0.97. What is it?",
        Option(
            "The features are too poor",
            "Logistic regression reaches 0.97 with the same ones.",
        ),
        Option(
            "One Dense layer is too small",
            "Logistic regression is one such layer, with its weights found in another way.",
        ),
        Option(
            "The regression overfits",
            "Its 0.97 was measured in validation. It would show there.",
        ),
        Option(
            "The head is badly trained",
            "Look at its rate and its epochs: the same kind of layer can do better.",
            is_right=True,
        ),
    ),
    # 6. Find the bug
    _ask(
        6,
        "Two classes: accuracy 0.95 in training, 0.08 in validation. What do you suspect?",
        Option(
            "The model overfits its pictures.",
            "Then validation would sink towards a half. Below that, it must know the answer.",
        ),
        Option(
            "The labels mean other classes there.",
            "To be wrong 92 times in 100, it has to know the classes. The numbers are swapped.",
            is_right=True,
        ),
        Option(
            "The validation pictures are harder.",
            "On pictures too hard for it, it would be right about half of the time.",
        ),
        Option(
            "The rate of fine-tuning is too high.",
            "That would ruin training as well.",
        ),
    ),
    _ask(
        6,
        "A model gives nearly the same logit for every picture. What do you look at first?",
        Option(
            "The number of epochs of the head",
            "Even an untrained head gives different pictures different logits.",
        ),
        Option(
            "The labels of the training pictures",
            "With wrong labels, the logits would still differ from picture to picture.",
        ),
        Option(
            "The numbers that go into the base",
            "Pixels that were scaled twice are all nearly the same, and so is all that follows.",
            is_right=True,
        ),
    ),
    _ask(
        6,
        "Nine in ten of your pictures show cats. The model's accuracy is 0.90, and it hardly ever "
        "finds a dog. What do you do?",
        Option(
            "Weight the dogs more in training",
            "`class_weight` does it. And measure each class by itself.",
            is_right=True,
        ),
        Option(
            "Leave cats out of the validation set",
            "That changes what you measure. The model still finds no dog.",
        ),
        Option(
            "Nothing: 0.90 is a good accuracy",
            "Who always says 'cat' has it, too.",
        ),
    ),
    _ask(
        6,
        "From 20 pictures you make ten variants each. When do you split into training and "
        "validation?",
        Option(
            "Afterwards, so that both parts are alike",
            "Then most validation pictures have near copies in training.",
        ),
        Option(
            "Beforehand, so that none is in both parts",
            "And only the training part needs variants.",
            is_right=True,
        ),
        Option(
            "Afterwards, with each variant in one part",
            "The variant is in one part, its siblings in the other. The model need only remember.",
        ),
        Option(
            "At any time, if the split has a seed",
            "A seed repeats the split. If it leaks, it leaks each time.",
        ),
    ),
    _ask(
        6,
        "The model is unfrozen, and fine-tuning changes the accuracy not at all. What do you "
        "measure first?",
        Option(
            "The trainable count in `summary()`",
            "It tells what the next `compile` would train, not what this `fit` trained.",
        ),
        Option(
            "The accuracy after ten more epochs",
            "If nothing moves, it does not move in ten epochs either.",
        ),
        Option(
            "The interval of the accuracy",
            "It tells how far the number can be trusted, not why it stands still.",
        ),
        Option(
            "Its weights before and after `fit`",
            "If none moved, the fault is in the setting up: most often a missing `compile`.",
            is_right=True,
        ),
    ),
    # 7. Judge a model honestly
    _ask(
        7,
        "A test accuracy has the 95 % interval 0.92 to 0.96. What is it for?",
        Option(
            "To tell how far this number holds",
            "Other test pictures of the same kind would have given another number.",
            is_right=True,
        ),
        Option(
            "To tell if another model is better",
            "For that, compare both on the same pictures, pair by pair.",
        ),
        Option(
            "To tell what another seed would give",
            "It knows nothing of training. It comes from the number of test pictures.",
        ),
        Option(
            "To tell which pictures are sure",
            "It is about the share of right answers, not about single pictures.",
        ),
    ),
    _ask(
        7,
        "Of 1,000 test pictures, two models both get 930 right and 40 wrong. Only A gets 5 right, "
        "only B 25. Which numbers decide between A and B?",
        Option(
            "935 and 955",
            "These are all right answers of each. 930 are the same pictures and tell nothing.",
        ),
        Option(
            "930 and 40",
            "On these the two agree.",
        ),
        Option(
            "5 and 25",
            "Only there do they differ. Equal models would split the 30 like thrown coins.",
            is_right=True,
        ),
    ),
    _ask(
        7,
        "You report 'cat' only from a higher probability on. What becomes of its precision and its "
        "recall?",
        Option(
            "Both rise, for the model is stricter.",
            "It is stricter, so it misses more cats: recall does not rise.",
        ),
        Option(
            "Recall rises, precision mostly falls.",
            "The reverse: fewer are called cats, so fewer cats are found.",
        ),
        Option(
            "Neither changes: the logits do not.",
            "Both count answers, and the threshold makes answers of logits.",
        ),
        Option(
            "Precision mostly rises, recall falls.",
            "Fewer are called cats: fewer false ones as a rule, and never more true ones.",
            is_right=True,
        ),
    ),
    _ask(
        7,
        "For 1,000 pictures a model says 'I am 90 % sure', and it is right on 780. What do you do?",
        Option(
            "Divide its logits by a number above 1",
            "It is too sure of itself. A temperature above 1, fitted on validation, lowers that.",
            is_right=True,
        ),
        Option(
            "Divide its logits by a number below 1",
            "That makes logits larger, and a model that is too sure even surer.",
        ),
        Option(
            "Raise the threshold of its answers to 0.9",
            "It would still say 0.9 where 0.78 is so.",
        ),
    ),
    _ask(
        7,
        "On the test set you see 0.94. You change the rate and see 0.95 on the same test set. "
        "What is the 0.95 now?",
        Option(
            "A test accuracy, as the 0.94 was",
            "You chose by it. A bit of luck goes into such a choice.",
        ),
        Option(
            "A validation accuracy: you chose by it",
            "The test set is opened once, when everything is chosen.",
            is_right=True,
        ),
        Option(
            "A training accuracy: it is used up",
            "No weight was fitted to these pictures. But your choice was.",
        ),
    ),
    # 8. See where it looks
    _ask(
        8,
        "What does a Grad-CAM map show?",
        Option(
            "The outline of what was recognised",
            "It is coarse and smooth. A network that goes by the backdrop is bright there.",
        ),
        Option(
            "The reason for the network's answer",
            "It shows where something spoke for it, not what that was, nor why.",
        ),
        Option(
            "The places that spoke for an answer",
            "Features count as much as that answer's logit rises with them.",
            is_right=True,
        ),
    ),
    _ask(
        8,
        "For Grad-CAM you tap a network well before its end. Why?",
        Option(
            "The last grid has too few places.",
            "A map of 3 x 3 places can hardly tell an ear from a backdrop.",
            is_right=True,
        ),
        Option(
            "The last layers get no gradient.",
            "They get it first: it comes from the logit.",
        ),
        Option(
            "The last layers see only the head.",
            "They see the picture through all layers before them.",
        ),
    ),
    _ask(
        8,
        "In training and in test, all cats sit in the night and all dogs in the snow. Test "
        "accuracy: 0.98. What do you know?",
        Option(
            "It has learned the animals.",
            "It may have. The backdrop alone would do for the same accuracy.",
        ),
        Option(
            "It has learned the backdrops.",
            "It may have. The animals alone could do for the same accuracy.",
        ),
        Option(
            "It has learned its pictures by heart.",
            "The test pictures are new to it, so that would not help.",
        ),
        Option(
            "It has learned one or the other.",
            "On these pictures, both lead to the same answers.",
            is_right=True,
        ),
    ),
    _ask(
        8,
        "How do you find out whether a network goes by the backdrop?",
        Option(
            "Test it on more pictures of the same kind",
            "There the backdrop goes on giving the right answer, however many there are.",
        ),
        Option(
            "Test it on pictures with other backdrops",
            "Swap them: who goes by the backdrop is mostly wrong then.",
            is_right=True,
        ),
        Option(
            "Look at the heat map of a typical picture",
            "One map fits many stories. Score many of them, or change the pictures.",
        ),
        Option(
            "Compare its training and its test accuracy",
            "If both have the same backdrops, both are high.",
        ),
    ),
    _ask(
        8,
        "An animal fills 30 % of a picture. Which share of its heat lies inside the animal for a "
        "map that knows nothing?",
        Option("0", "That map would know the animal well: it avoids it."),
        Option(
            "About 0.3",
            "Heat that is spread evenly falls into the animal by its share of the picture.",
            is_right=True,
        ),
        Option("About 0.5", "Only where the animal fills half of the picture."),
        Option("About 0.7", "That share falls outside of the animal."),
    ),
    # 9. Your own pictures
    _ask(
        9,
        "In its viewer a phone's picture stands upright. As TensorFlow decodes it, it lies on its "
        "side. Why?",
        Option(
            "The viewer sees what is in it.",
            "It reads a number in the file, and looks at no content.",
        ),
        Option(
            "TensorFlow swaps height and width.",
            "It hands out the pixels in the order in which they are stored.",
        ),
        Option(
            "Resizing to a square turns it.",
            "Resizing squeezes. It turns nothing.",
        ),
        Option(
            "TensorFlow ignores a note in it.",
            "The EXIF orientation says which way is up. Whoever decodes has to turn the picture.",
            is_right=True,
        ),
    ),
    _ask(
        9,
        "A model that knows only cats and dogs sees a toaster. It says 'cat, 0.97'. What does "
        "the 0.97 mean?",
        Option(
            "That toasters were among the cats",
            "No. Pictures that it never saw get high probabilities, too.",
        ),
        Option(
            "That of the two, 'cat' fits better",
            "The probabilities of its classes add up to 1. 'None of these' is not among them.",
            is_right=True,
        ),
        Option(
            "That the model was badly trained",
            "The best model of cats and dogs has to answer one of the two as well.",
        ),
    ),
    _ask(
        9,
        "Your model is right on 27 of its 30 test pictures. Which accuracy can you promise for "
        "others of the kind?",
        Option(
            "0.90, for the pictures were new",
            "New they were, but only thirty. Another thirty would give another number.",
        ),
        Option(
            "0.88 to 0.92, as with other tests",
            "So narrow an interval takes some 900 pictures.",
        ),
        Option(
            "At least 0.90, if you train longer",
            "Longer training need not help, and the thirty cannot tell.",
        ),
        Option(
            "Some 0.74 to 0.97",
            "That is the 95 % interval. Thirty pictures say no more.",
            is_right=True,
        ),
    ),
    _ask(
        9,
        "You save the lesson's model as a `.keras` file and hand it on. What has to go with it?",
        Option(
            "The names of the classes",
            "It holds layers and weights. Which output is called what stands nowhere in it.",
            is_right=True,
        ),
        Option(
            "The weights of the frozen base",
            "They are in it, whether they trained or not.",
        ),
        Option(
            "The code that builds its layers",
            "Keras's own layers are built again from what the file says of them.",
        ),
        Option(
            "The scaling, which was a layer",
            "A layer of the model is in the file. That is why scaling belongs into the model.",
        ),
    ),
    _ask(
        9,
        "Five breeds, a frozen base: your head reaches 0.60 in validation. What is worth a try?",
        Option(
            "Train the head until it knows all training pictures",
            "Learned by heart is not understood. The features stay the same.",
        ),
        Option(
            "Move training pictures that it knows into validation",
            "The number rises, the model does not get better.",
        ),
        Option(
            "Fine-tune, and compare on the same pictures",
            "The base's features may not tell the breeds apart. Pairs say whether it helped.",
            is_right=True,
        ),
    ),
    # 10. Choose a base
    _ask(
        10,
        "What tells you how fast a base will be on your machine?",
        Option(
            "The number of its parameters",
            "They tell the size of its file. A small layer that runs at many places costs much.",
        ),
        Option(
            "The number of its multiply-adds",
            "A hint. Two bases with equal counts can differ several times in speed.",
        ),
        Option(
            "A run of it on that machine",
            "A count is a hint, a time is a fact: of one machine and one runtime.",
            is_right=True,
        ),
        Option(
            "A published table of speeds",
            "It was measured on another machine, with another runtime.",
        ),
    ),
    _ask(
        10,
        "The first convolution of a base has a few hundred parameters and takes a good part of "
        "the time. Why?",
        Option(
            "Its kernel runs at very many places.",
            "Each of its numbers is multiplied once at each place of a large output.",
            is_right=True,
        ),
        Option(
            "It has to read the picture's file.",
            "The picture is decoded before it reaches the network.",
        ),
        Option(
            "Its inputs are not yet scaled.",
            "Scaling comes before it, and a product takes as long whatever its factors.",
        ),
    ),
    _ask(
        10,
        "You halve the side of the pictures. What becomes of a convolution's multiply-adds?",
        Option(
            "About half is left.",
            "Height and width are both halved.",
        ),
        Option(
            "About a quarter is left.",
            "A quarter of the places, at each of which the same kernel is applied.",
            is_right=True,
        ),
        Option(
            "About an eighth is left.",
            "The number of channels stays: only height and width are halved.",
        ),
        Option(
            "All of them: the kernel is the same.",
            "That is so of the parameters. Multiply-adds count the places, too.",
        ),
    ),
    _ask(
        10,
        "You try six bases and keep one. On which pictures do you compare their accuracies?",
        Option(
            "On the test pictures, which decide",
            "Choose by them, and they are no test any more.",
        ),
        Option(
            "On ImageNet's, where all were compared",
            "There they name other classes. Yours may put them in another order.",
        ),
        Option(
            "On the training pictures, the largest set",
            "Who learns them by heart wins there.",
        ),
        Option(
            "On the validation pictures",
            "You choose by these, as you choose the rate and the depth.",
            is_right=True,
        ),
    ),
    _ask(
        10,
        "Two bases fit your budget. The dearer one is half a point ahead, and the paired interval "
        "of the difference reaches across 0. Which do you take?",
        Option(
            "The dearer one: it is ahead",
            "By so little that it may be luck. Its cost is certain.",
        ),
        Option(
            "Any: they are shown to be equal",
            "That a difference was not shown does not show that there is none.",
        ),
        Option(
            "The cheaper one: no loss was shown",
            "Its saving is certain. If half a point matters, get more validation pictures.",
            is_right=True,
        ),
    ),
    # 11. Ship it
    _ask(
        11,
        "What does a saved `.keras` file hold?",
        Option(
            "Architecture and weights, no code",
            "And of a compiled model the optimizer's state. Loading it runs no code of yours.",
            is_right=True,
        ),
        Option(
            "The notebook's code and variables",
            "The file is a zip of a configuration and of weights. It knows nothing of a notebook.",
        ),
        Option(
            "The weights alone, to be put in",
            "The configuration is in it, so it loads where nothing else is known.",
        ),
    ),
    _ask(
        11,
        "You export with 8 bits. From which pictures do you take the calibration set?",
        Option(
            "From training, of one class",
            "Activations of the other class may reach further, and are cut off.",
        ),
        Option(
            "From the test set, as in use",
            "The ranges become part of the model, and the test would have had a say in it.",
        ),
        Option(
            "From training, of all classes",
            "Scaled as in use, a hundred of them will do.",
            is_right=True,
        ),
        Option(
            "From none: black ones do",
            "Their activations reach nowhere, and all others are cut off.",
        ),
    ),
    _ask(
        11,
        "An app scales pictures to 0 to 1, and the exported model has its scaling inside. What "
        "do you see?",
        Option(
            "An error: the range is wrong",
            "A network takes any numbers.",
        ),
        Option(
            "Answers that are mere guesses",
            "Scaled twice, all pictures are black. No error says so.",
            is_right=True,
        ),
        Option(
            "The same answers, a bit later",
            "Scaled twice is another picture.",
        ),
        Option(
            "Logits a hundred times as large",
            "The numbers that go in become smaller, and the logits say little.",
        ),
    ),
    _ask(
        11,
        "The 8-bit file is right on two test pictures fewer than Keras's. How do you state "
        "the loss?",
        Option(
            "As none: two are very few",
            "The interval says which loss these pictures cannot rule out.",
        ),
        Option(
            "As the two accuracies with an interval each",
            "Both saw the same pictures, so the pairs say more than two intervals.",
        ),
        Option(
            "As a paired difference with its interval",
            "It tells what was lost, and what may have been.",
            is_right=True,
        ),
    ),
    _ask(
        11,
        "The model is fine, the file is fine, and in the app some answers differ. Where do you "
        "look first?",
        Option(
            "At how pictures are made smaller",
            "TensorFlow mixes four neighbours, Pillow blurs first. Both are called bilinear.",
            is_right=True,
        ),
        Option(
            "At the optimizer's saved state",
            "It matters to further training only.",
        ),
        Option(
            "At the names of the classes",
            "Wrong names would change all answers of a class.",
        ),
        Option(
            "At the number of test pictures",
            "It changes an interval, and no answer.",
        ),
    ),
)
