"""Compare the estimated memory of a training step with what the process takes more while it trains.

.venv/bin/python benchmarks/step_memory.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

# A base, pixels, pictures a batch, whether the base is frozen.
CASES = (
    ("drawn", 96, 32, False),
    ("drawn", 96, 64, False),
    ("MobileNetV2", 160, 32, False),
    ("MobileNetV2", 160, 32, True),
)


def measure(name: str, size: int, batch: int, frozen: bool) -> str:
    """Train an epoch of two steps, after one with small batches that pays for the graphs."""
    import keras
    import numpy as np
    import psutil

    from helpers import bases, costs, training

    base = bases.load(name, weights=None, size=size)
    base.trainable = not frozen
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((size, size, 3)), base, *layers])
    trainer = training.Trainer(model, keras.optimizers.Adam())
    images, labels = np.zeros((2 * batch, size, size, 3), "float32"), np.zeros(2 * batch, int)
    list(trainer.epochs(images[:4], labels[:4], 1, batch_size=4))
    memory = psutil.Process().memory_info
    before, seen, ended = memory().rss, [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.005):
            seen.append(memory().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    list(trainer.epochs(images, labels, 1, batch_size=batch))
    ended.set()
    watching.join()
    estimated, taken = costs.step_bytes(model, batch) / 1e6, (max(seen) - before) / 1e6
    kind = "frozen" if frozen else "trained"
    return f"{name} {kind}, {size}, {batch}: estimated {estimated:,.0f} MB, taken {taken:,.0f} MB"


def main() -> int:
    """Each case in a process of its own, for memory that was taken is not given back."""
    if len(sys.argv) == 2:
        print(measure(*CASES[int(sys.argv[1])]))
        return 0
    for number in range(len(CASES)):
        command = [sys.executable, __file__, str(number)]
        quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run(command, check=True, env=quiet, stderr=subprocess.DEVNULL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
