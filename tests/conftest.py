"""The tests' own process reaches no host but this machine, as the kernels of the lessons do."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).with_name("no_network") / "sitecustomize.py"))
