"""Find labels that may be wrong, decide on each, and apply what was decided: no file is touched.

A picture that a model, trained without it, finds improbable has a hard picture or a wrong label. A
person looks and decides. What was decided is kept in a small file, and a picture set is made anew
from it: nothing on disk is moved, renamed or deleted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from helpers import paths
from helpers.files import write_whole
from helpers.pictures import PictureFiles, PictureSet, Split
from helpers.pictures.splits import PARTS

KEEP, RELABEL, LEAVE_OUT = "keep", "relabel", "leave out"
OWN = "left out by your decision"


@dataclass(frozen=True)
class Decision:
    """What is to become of one picture: kept, given another class, or left out."""

    action: str
    to: str | None = None

    def __post_init__(self) -> None:
        if self.action not in {KEEP, RELABEL, LEAVE_OUT} or (self.action == RELABEL) != bool(
            self.to
        ):
            raise ValueError(
                f"Received: action '{self.action}' with class {self.to!r}. Expected: '{KEEP}' or "
                f"'{LEAVE_OUT}' without a class, or '{RELABEL}' with one."
            )

    def __str__(self) -> str:
        return f"{self.action} to {self.to}" if self.to else self.action


class Decisions(Mapping[str, Decision]):
    """Decisions by file, in a JSON file that is written at each change.

    Args:
        path: where they are kept; what an earlier session decided is read from it. None keeps them
            in memory only.

    Raises:
        ValueError: where the file holds no decisions; it is left as it is.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path) if path is not None else None
        self._by_file: dict[str, Decision] = {}
        if self.path is not None and self.path.exists():
            self._by_file = _read(self.path)

    def __getitem__(self, file: str) -> Decision:
        return self._by_file[file]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_file)

    def __len__(self) -> int:
        return len(self._by_file)

    def __repr__(self) -> str:
        actions = [decision.action for decision in self.values()]
        return ", ".join(
            f"{action}: {actions.count(action)}" for action in (KEEP, RELABEL, LEAVE_OUT)
        )

    def keep(self, file: str) -> None:
        """The label is right."""
        self._set(file, Decision(KEEP))

    def relabel(self, file: str, to: str) -> None:
        """The picture shows class `to`."""
        self._set(file, Decision(RELABEL, to))

    def leave_out(self, file: str) -> None:
        """The picture is of no use, or of no class."""
        self._set(file, Decision(LEAVE_OUT))

    def forget(self, file: str) -> None:
        """Undecided again."""
        if self._by_file.pop(file, None):
            self._write()

    def _set(self, file: str, decision: Decision) -> None:
        self._by_file[file] = decision
        self._write()

    def _write(self) -> None:
        if self.path is None:
            return
        stored = {
            file: {"action": one.action} | ({"to": one.to} if one.to else {})
            for file, one in sorted(self.items())
        }
        write_whole(self.path, json.dumps(stored, indent=1, ensure_ascii=False))


def path_for(folder: str | Path) -> Path:
    """Where the decisions on a folder of pictures are kept: a file of its own in the cache."""
    whole = Path(folder).expanduser().resolve()
    digest = hashlib.sha256(str(whole).encode()).hexdigest()[:12]
    return paths.cache_folder() / "decisions" / f"{whole.name}-{digest}.json"


def _read(path: Path) -> dict[str, Decision]:
    """The decisions in a file.

    Raises:
        ValueError: where it holds something else.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {file: Decision(**fields) for file, fields in stored.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"Received: {path}, which cannot be read as decisions ({error}). Expected: JSON as "
            f"`labels.Decisions` writes it. Mend the file, or name another one."
        ) from error


def out_of_fold(
    features: np.ndarray,
    labels: np.ndarray,
    *,
    folds: int = 5,
    strength: float = 0.01,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """The probability of each class for each picture, from heads that were trained without it.

    The pictures are dealt into folds. For each fold scikit-learn's logistic regression is trained
    on the others and asked about this one.

    Args:
        features: `(n, channels)`, of a frozen base.
        labels: int `(n,)`, those given; a number between them may be missing.
        folds: how many; a class with fewer pictures, or groups, than that lowers it.
        strength: scikit-learn's C, as in `training.reference_head`.
        groups: int `(n,)`; pictures of the same number, such as a burst, stay in one fold.
        seed: decides the folds.

    Returns:
        `(n, classes)`: column 2 is that of class 2. A class without a picture has zeros.

    Raises:
        ValueError: where a class has only one picture, or only one group, or where labels, groups
            and features do not fit.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    labels = _class_numbers(labels)
    if features.ndim != 2 or len(features) != len(labels):
        raise ValueError(
            f"Received: features of shape {features.shape} and {len(labels)} labels. Expected: "
            f"(n, channels) and n labels."
        )
    probability = np.zeros((len(labels), labels.max() + 1))
    probability[:, np.unique(labels)] = cross_val_predict(
        LogisticRegression(C=strength, max_iter=1000),
        rotated(features),
        labels,
        cv=_deal(labels, folds, groups, seed),
        method="predict_proba",
    )
    return probability


def _class_numbers(labels: np.ndarray) -> np.ndarray:
    """Labels as they were given, if they can be numbers of classes."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels) or labels.min() < 0:
        raise ValueError(
            f"Received: labels of shape {labels.shape} and type {labels.dtype}, such as "
            f"{labels.reshape(-1)[:3].tolist()}. Expected: (n,) whole numbers from 0 on."
        )
    return labels


def _deal(
    labels: np.ndarray, folds: int, groups: np.ndarray | None, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of rows to train on and rows to hold out, every class among the former."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    of = np.arange(len(labels)) if groups is None else np.asarray(groups)
    if of.shape != labels.shape:
        raise ValueError(
            f"Received: groups of shape {of.shape} for {len(labels)} labels. Expected: one each."
        )
    classes = np.unique(labels)
    counts = [len(np.unique(of[labels == label])) for label in classes]
    fewest, what = min(counts), "pictures" if groups is None else "groups"
    if fewest < 2 or len(classes) < 2:
        raise ValueError(
            f"Received: {len(classes)} classes, the smallest (class {classes[np.argmin(counts)]}) "
            f"with {fewest} {what}. Expected: two classes or more, and 2 {what} of each, so that "
            f"a head can be trained without one of them. Add pictures."
        )
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    dealer = kind(min(folds, fewest), shuffle=True, random_state=seed)
    dealt = list(dealer.split(np.zeros(len(labels)), labels, groups))
    for train, _ in dealt:
        missing = np.setdiff1d(classes, labels[train])
        if len(missing):  # groups with several classes in them cannot always be dealt evenly
            raise ValueError(
                f"Received: groups that put all pictures of class {missing[0]} into one fold. "
                f"Expected: some in each of the others. Take other groups, or another seed."
            )
    return dealt


def rotated(features: np.ndarray) -> np.ndarray:
    """The same features in as few numbers as they take: `(n, channels)` to `(n, min of both)`.

    A rotation changes no distance, so no head with a penalty on the square of its weights either;
    with fewer pictures than channels, training one takes a tenth of the time.
    """
    centred = np.asarray(features, "float64") - np.mean(features, axis=0, dtype="float64")
    if len(centred) >= centred.shape[1]:
        return centred
    # The products of all pictures with each other hold all that there is to know of distances.
    squares, axes = np.linalg.eigh(centred @ centred.T)
    return axes * np.sqrt(np.maximum(squares, 0))


def losses(probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The cross-entropy of each picture, `(n,)`: minus the logarithm of its label's probability.

    Args:
        probability: `(n, classes)`: column 2 is that of class 2, whatever classes there are.
        labels: int `(n,)`.

    Raises:
        ValueError: where there is not one row a label, or no column for one.
    """
    probability, labels = np.asarray(probability), _class_numbers(labels)
    if probability.ndim != 2 or len(probability) != len(labels):
        raise ValueError(
            f"Received: probabilities of shape {probability.shape} and {len(labels)} labels. "
            f"Expected: (n, classes) and n labels."
        )
    if labels.max() >= probability.shape[1]:
        raise ValueError(
            f"Received: label {labels.max()} and probabilities of {probability.shape[1]} classes. "
            f"Expected: a column for each number of a class, also for one without a picture. "
            f"scikit-learn leaves those out: put its columns at the places in its `classes_`."
        )
    given = probability[np.arange(len(labels)), labels]
    return -np.log(np.maximum(given, 1e-300))


def suspects(probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """All rows, those of the largest loss first.

    Source: Northcutt and others (2021), 'Confident Learning: Estimating Uncertainty in Dataset
    Labels', rank so by the probability of the given label.
    """
    return np.argsort(-losses(probability, labels), kind="stable")


def apply(picture_set: PictureSet, decisions: Mapping[str, Decision]) -> PictureSet:
    """The picture set as it is after the decisions; the one given and all files stay as they are.

    Raises:
        ValueError: where a decision is about a file that is not in the set, or would bring back one
            that was left out, or names a class that is not there, or where a class has no training
            pictures any more.
    """
    parts: dict[str, Split] = {name: getattr(picture_set, name) for name in PARTS}
    _check(picture_set, parts, decisions)
    kept: dict[str, Any] = {
        name: _decided(part, picture_set.class_names, decisions) for name, part in parts.items()
    }
    counts = np.bincount(kept["train"].labels, minlength=len(picture_set.class_names))
    if not counts.all():
        empty = picture_set.class_names[int(counts.argmin())]
        raise ValueError(
            f"Received: decisions that leave no training picture of '{empty}'. Expected: at least "
            f"one of each class. Add pictures of it, or remove its folder."
        )
    there = {file for part in parts.values() for file in part.files}
    gone = [(file, OWN) for file, one in decisions.items() if _is_out(one) and file in there]
    return replace(picture_set, **kept, left_out=tuple(sorted({*picture_set.left_out, *gone})))


def _is_out(decision: Decision) -> bool:
    return decision.action == LEAVE_OUT


def _check(
    picture_set: PictureSet, parts: Mapping[str, Split], decisions: Mapping[str, Decision]
) -> None:
    """Find what makes no sense before anything is done."""
    there = {file for part in parts.values() for file in part.files}
    reasons = dict(picture_set.left_out)
    strangers = sorted(set(decisions) - there - set(reasons))
    if strangers:
        raise ValueError(
            f"Received: decisions on {len(strangers)} files that are not in the set, the first "
            f"{strangers[0]}. Expected: names as in `files` of its splits, such as "
            f"{parts['train'].files[0]}. Were the files renamed, or the set another one?"
        )
    _check_gone({file: decisions[file] for file in sorted(set(decisions) - there)}, reasons)
    classes = {one.to for one in decisions.values() if one.to} - set(picture_set.class_names)
    if classes:
        raise ValueError(
            f"Received: a relabelling to {', '.join(sorted(classes))}. Expected: one of "
            f"{', '.join(picture_set.class_names)}."
        )


def _check_gone(decisions: Mapping[str, Decision], reasons: Mapping[str, str]) -> None:
    """Refuse to relabel what is in no split, or to keep what was decided to go."""
    for file, one in decisions.items():
        if one.to or (one.action == KEEP and reasons[file] == OWN):
            raise ValueError(
                f"Received: '{one}' for {file}, which is not in the set ({reasons[file]}). "
                f"Expected: decisions on its pictures. Where you had left it out yourself, apply "
                f"the decisions to the set as it was loaded; else `decisions.forget('{file}')`."
            )


def _decided(
    split: Split, class_names: tuple[str, ...], decisions: Mapping[str, Decision]
) -> Split:
    """One split with its decisions applied."""
    labels = split.labels.copy()
    stays = np.ones(len(split), bool)
    for row, file in enumerate(split.files):
        decision = decisions.get(file)
        if decision is not None and decision.to:
            labels[row] = class_names.index(decision.to)
        stays[row] = decision is None or not _is_out(decision)
    rows = np.flatnonzero(stays)
    images = split.images
    if isinstance(images, PictureFiles):
        images = PictureFiles([images.paths[row] for row in rows], images.shape[1])
    else:
        images = images[rows]
    files = tuple(split.files[row] for row in rows)
    return Split(images, labels[rows], files, split.sizes[rows])
