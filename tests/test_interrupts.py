"""Cut short in saving, interrupted in training: what was there stays, and the next run goes on."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest

try:
    import resource
except ImportError:  # Windows
    resource = None

from helpers import training


@contextmanager
def writing_ends_after(count: int) -> Iterator[None]:
    """A file may have `count` bytes: what would be written behind them is lost, as in a kill."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(resource is None, reason="this system limits no files")
def test_what_ends_in_the_middle_of_saving_loses_no_model_saved_beside(tmp_path: Path) -> None:
    """One is saved straight into its file as Keras does it, the other beside it as in lesson 9."""
    straight, beside, whole = (tmp_path / f"{name}.keras" for name in ("straight", "new", "model"))
    model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(1000, use_bias=False)])

    def hold(number: int) -> None:
        model.set_weights([np.full((300, 1000), number, "float32")])

    def loaded(path: Path) -> float:
        (kernel,) = keras.models.load_model(path).get_weights()
        assert (kernel == kernel[0, 0]).all()
        return kernel[0, 0]

    hold(0)
    for path in (straight, whole):
        model.save(path)
    hold(1)
    for count in np.linspace(0, whole.stat().st_size - 1, 20).astype(int).tolist():
        with writing_ends_after(count):
            for path in (straight, beside):
                with pytest.raises(OSError):
                    model.save(path)
        # What the lesson says of saving straight into the file, or it need not save beside.
        with pytest.raises((OSError, ValueError, EOFError)):
            loaded(straight)
        assert loaded(whole) == 0
    for path in (straight, beside):
        model.save(path)
    beside.replace(whole)
    assert loaded(straight) == loaded(whole) == 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_part_of_a_saved_model_is_refused(tmp_path: Path, share: float) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    path = tmp_path / "model.keras"
    model.save(path)
    contents = path.read_bytes()
    path.write_bytes(contents[: int(share * len(contents))])
    with pytest.raises((OSError, ValueError, EOFError)):
        keras.models.load_model(path)


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """What the notebook's stop button does, after some time; again where it was not heard."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_training_interrupted_fifty_times_begins_anew_as_if_nothing_had_been() -> None:
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    features = generator.normal(size=(500, 8)).astype("float32")
    labels = (features[:, 0] > 0).astype("int32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    trainer = training.Trainer(model, keras.optimizers.Adam(0.01))
    first = [variable.numpy() for variable in model.variables]

    def run(epochs: int) -> list[float]:
        trainer.restart(first, 0.01)
        return training.history(trainer.epochs(features, labels, epochs))["loss"]

    expected, interrupts, chance = run(3), 0, random.Random(0)
    for _ in range(50):
        try:
            with interrupted_after(chance.uniform(0.001, 0.05)):
                run(10_000)
        except (KeyboardInterrupt, TypeError, SystemError) as error:
            # An interrupt while TensorFlow converts an array, about one in 200, is lost to an error
            # of its own, which says so.
            assert isinstance(error, KeyboardInterrupt) or "exception set" in str(error)
            interrupts += 1
    assert interrupts == 50
    assert run(3) == expected
