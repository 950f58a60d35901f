"""The search for settings of a head on Ray Tune."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import evaluation, progress, training
from helpers import quiet as silence
from helpers.cluster.connection import WORKER_BYTES, check_memory, connected, last_words

if TYPE_CHECKING:
    import keras
    import pandas as pd
    from ray import tune
    from tqdm import tqdm


# A machine that is lost takes its trials along: they begin anew.
TRIES = 4


@dataclass(frozen=True)
class Search:
    """What came of a search.

    Attributes:
        table: a row a trial, the best first, with the columns of the training panel's table.
        best: the settings of the first row.
        cross_validated: their accuracy on training pictures, none of which the head had seen.
    """

    table: pd.DataFrame
    best: dict[str, Any]
    cross_validated: evaluation.Accuracy

    def __repr__(self) -> str:
        first = self.table.iloc[0]
        chosen = ", ".join(f"{name} {_short(value)}" for name, value in self.best.items())
        return (
            f"best of {len(self.table)}: {chosen}\n"
            f"validation accuracy: {first['last_val_accuracy']:.3f}, picked for being the highest "
            f"of {len(self.table)}, so part of it is luck\n"
            f"by cross-validation: {self.cross_validated}"
        )


def _short(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


Features = Mapping[str, np.ndarray]


def search(
    train: tuple[Features, np.ndarray],
    validation: tuple[Features, np.ndarray],
    space: Mapping[str, Any] | None = None,
    *,
    trials: int = 16,
    epochs: int = 16,
    seed: int = 0,
    quiet: bool = False,
) -> Search:
    """Try settings of a head with Ray Tune, and stop early what falls behind (ASHA).

    The best is then trained anew in five folds of the training pictures. It was picked by its
    validation accuracy, so only its accuracy on other pictures is unflattered.

    Args:
        train: features by cut, each `(n, channels)`, and int labels `(n,)`.
        validation: the same of other pictures.
        space: as Ray Tune takes it; by default learning rate, dropout, weight decay and cut.
        trials: how many settings.
        epochs: of a trial that is not stopped.
        seed: of the settings and of the heads.
        quiet: no progress bar.

    Returns:
        A `Search`. Source of ASHA: Li and others (2020), 'A System for Massively Parallel
        Hyperparameter Tuning', MLSys.

    Raises:
        MemoryError: where no machine has the memory for a worker.
        RuntimeError: where no trial came to an end.
    """
    with (
        connected(),
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as storage,
        progress.bar("settings", trials, quiet=quiet, unit=" settings") as bar,
    ):
        from ray import tune

        check_memory(WORKER_BYTES)
        data = {"train": train, "validation": validation, "epochs": epochs, "seed": seed}
        tuner = tune.Tuner(
            tune.with_resources(
                tune.with_parameters(_trial, **data), {"cpu": 1, "memory": WORKER_BYTES}
            ),
            param_space=dict(space or usual_space(tuple(train[0]))),
            tune_config=tune.TuneConfig(
                num_samples=trials,
                metric="val_accuracy",
                mode="max",
                scheduler=tune.schedulers.ASHAScheduler(
                    max_t=epochs, grace_period=1, reduction_factor=3
                ),
                search_alg=tune.search.BasicVariantGenerator(random_state=seed),
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                storage_path=storage,
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=TRIES - 1),
                callbacks=[_counting(bar)],
            ),
        )
        with silence.library("ray.tune"):
            results = tuner.fit()
    table = _table(results, len(validation[1]), epochs)
    best = {name: table.iloc[0][name] for name in results[0].config}
    best_features = train[0][best.get("cut", next(iter(train[0])))]
    return Search(table, best, cross_validate(best, best_features, train[1], epochs, seed))


def _counting(bar: tqdm) -> tune.Callback:
    """Moves a bar on with each trial that ends."""
    from ray import tune

    class Counting(tune.Callback):
        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            bar.update()

        on_trial_error = on_trial_complete

        def __reduce__(self) -> Any:  # Tune keeps its settings in a file; a bar cannot be kept
            return tune.Callback, ()

    return Counting()


def usual_space(cuts: Sequence[str]) -> dict[str, Any]:
    """Learning rate, dropout and weight decay as in lesson 5's panel, and these cuts."""
    from ray import tune

    return {
        "learning_rate": tune.loguniform(1e-4, 1e-1),
        "dropout": tune.choice([0.0, 0.2, 0.5]),
        "weight_decay": tune.choice([0.0, 1e-3, 1e-2]),
        "cut": tune.choice(list(cuts)),
    }


def _trial(
    settings: dict[str, Any],
    train: tuple[Features, np.ndarray],
    validation: tuple[Features, np.ndarray],
    epochs: int,
    seed: int,
) -> None:
    """One setting, in a process of its own; an epoch, a report."""
    from ray import tune

    cut = settings.get("cut", next(iter(train[0])))
    held_out = validation[0][cut], validation[1]
    _, run = _epochs(settings, train[0][cut], train[1], epochs, seed, validation=held_out)
    for epoch in run:
        reached = {"val_accuracy": epoch.val_accuracy, "epoch": epoch.number}
        tune.report(reached | {"diverged": epoch.diverged})


def _epochs(
    settings: Mapping[str, Any],
    features: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    seed: int,
    **options: Any,
) -> tuple[keras.Model, Iterator[training.Epoch]]:
    """A head, and its training, which goes on as its epochs are asked for."""
    import keras

    keras.utils.set_random_seed(seed)
    classes = int(labels.max()) + 1
    head = keras.Sequential(
        [
            keras.Input(features.shape[1:]),
            keras.layers.Dropout(settings.get("dropout", 0.0)),
            keras.layers.Dense(1 if classes == 2 else classes),
        ]
    )
    optimizer = keras.optimizers.AdamW(
        settings.get("learning_rate", 1e-3), weight_decay=settings.get("weight_decay", 0.0)
    )
    options |= {"optimizer": optimizer, "epochs": epochs, "seed": seed}
    return head, training.train(head, features, labels, **options)


def cross_validate(
    settings: Mapping[str, Any], features: np.ndarray, labels: np.ndarray, epochs: int, seed: int
) -> evaluation.Accuracy:
    """The accuracy of heads with these settings, each on the fifth that it was not trained on."""
    from sklearn.model_selection import StratifiedKFold

    correct = 0
    for inside, outside in StratifiedKFold(5, shuffle=True, random_state=seed).split(
        features, labels
    ):
        head, epochs_of = _epochs(settings, features[inside], labels[inside], epochs, seed)
        for _ in epochs_of:
            pass
        logits = head(features[outside], training=False).numpy()
        correct += evaluation.accuracy(logits, labels[outside]).correct
    return evaluation.Accuracy(correct, len(labels))


def _table(results: Any, pictures: int, epochs: int) -> pd.DataFrame:
    """The trials as the panel has its runs, the best first and what failed last."""
    import pandas as pd

    if all(result.error for result in results):
        raise RuntimeError(
            f"Received: {len(results)} trials that all failed ({last_words(results[0].error)}). "
            f"Expected: at least one that ends. Mend that, and search again."
        )
    rows = []
    for number, result in enumerate(results, 1):
        metrics = result.metrics or {}
        done, reached, low, high = int(metrics.get("epoch", 0)), None, None, None
        state = "diverged" if metrics.get("diverged") else "done" if done == epochs else "stopped"
        if result.error is None:
            reached = metrics["val_accuracy"]
            low, high = evaluation.Accuracy(round(reached * pictures), pictures).interval
        rows.append(
            {
                "run": number,
                **result.config,
                "state": "failed" if result.error else state,
                "epochs_done": done,
                "last_val_accuracy": reached,
                "interval_low": low,
                "interval_high": high,
                "seconds": round(metrics.get("time_total_s", 0.0), 2),
            }
        )
    # Of two that are equal, the one that was trained longer was tried harder.
    order = ["last_val_accuracy", "epochs_done"]
    return pd.DataFrame(rows).sort_values(order, ascending=False, ignore_index=True)
