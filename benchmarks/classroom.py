"""Start many learners at once on one cache, and count who computed, who reused, and who failed.

    .venv/bin/python benchmarks/classroom.py --learners 20

Each learner is a process that loads the drawings and extracts the features of lesson 3.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEARNER = """
import hashlib
import keras
from helpers import bases, features, pictures
from helpers.features import stores

write, computed = stores.Store.write, []
stores.Store.write = lambda store, *rest: (computed.append(store.path.name), write(store, *rest))
data = pictures.load("drawings", size=96, quiet=True)
base = bases.load("drawn")
layers = [keras.Input((96, 96, 3)), bases.find("drawn").scaling(), base]
frozen = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()])
found = features.extract(frozen, data.train.images, quiet=True)
print(len(computed), hashlib.sha256(found.tobytes()).hexdigest())
"""


def main() -> int:
    """Print the counts; 1 where a learner failed or has other features than the first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--learners", type=int, default=20)
    count = parser.parse_args().learners
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"COURSE_CACHE": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
        started = time.monotonic()
        command = [sys.executable, "-c", LEARNER]
        options = {"cwd": ROOT, "env": environment, "stdout": subprocess.PIPE, "text": True}
        learners = [
            subprocess.Popen(command, stderr=subprocess.DEVNULL, **options) for _ in range(count)
        ]
        said = [learner.communicate()[0].split()[-2:] for learner in learners]
    failed = sum(learner.returncode != 0 for learner in learners)
    whole = [tuple(words) for words in said if len(words) == 2]
    computed = sum(int(number) for number, _ in whole)
    different = len({digest for _, digest in whole})
    print(
        f"{count} learners, {time.monotonic() - started:.0f} s: {computed} computed, "
        f"{len(whole) - computed} reused, {failed} failed, {different} different results"
    )
    return 0 if (failed, computed, different) == (0, 1, 1) else 1


if __name__ == "__main__":
    sys.exit(main())
