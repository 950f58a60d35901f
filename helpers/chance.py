"""Chance that is repeatable inside a judge or a panel, and none of the learner's used up."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_turn = threading.RLock()


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Seed Python's and NumPy's global generators, and give their state back at the end.

    Layers of Keras that were made without a seed draw theirs from Python's generator. One thread at
    a time: two that begin together would draw from each other's chances.
    """
    with _turn:
        python, numpy = random.getstate(), np.random.get_state()
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
