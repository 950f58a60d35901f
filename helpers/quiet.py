"""Silence a library for a while, where what it tells is no business of a learner."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def library(*loggers: str) -> Iterator[None]:
    """Within, Python's warnings are not shown, and loggers show errors only.

    Args:
        loggers: names such as `"tensorflow"`. Abseil's, through which TensorFlow's converters
            speak, is always among them.
    """
    from absl import logging as abseil

    with warnings.catch_warnings(), ExitStack() as put_back:
        warnings.simplefilter("ignore")
        put_back.callback(abseil.set_verbosity, abseil.get_verbosity())
        abseil.set_verbosity(abseil.ERROR)
        for logger in map(logging.getLogger, loggers):
            put_back.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield
