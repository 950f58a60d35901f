"""A library is silenced while it works, and only then."""

import logging
import warnings

import pytest
from absl import logging as abseil

from helpers import quiet


def speak():
    logging.getLogger("converter").warning("a step")
    abseil.warning("another step")
    warnings.warn("a name that goes", FutureWarning, stacklevel=1)


def test_only_errors_are_heard(caplog):
    abseil.set_verbosity(abseil.WARNING)
    logging.getLogger("converter").setLevel(logging.DEBUG)
    with pytest.raises(ArithmeticError), quiet.library("converter"):
        speak()
        logging.getLogger("converter").error("what went wrong")
        raise ArithmeticError
    assert caplog.messages == ["what went wrong"]
    with pytest.warns(FutureWarning):
        speak()
    assert caplog.messages[1:] == ["a step", "another step"]
