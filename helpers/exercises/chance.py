"""Judges that draw random numbers give the learner's own random state back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Within it, new Keras layers get the same weights every time; behind it, all is as before.

    Keras draws the seeds of layers that were given none from Python's `random`.
    """
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
