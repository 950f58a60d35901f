"""The frozen part and the search for settings on Ray: on this machine, or on many.

Both are work without dependence: between pictures, and between settings. Ray Data runs the one, Ray
Tune the other. The variable `RAY_ADDRESS` names a cluster that this machine is part of; without it
Ray starts on this machine alone.
"""

from helpers.cluster.connection import connect, connected, is_installed, skip_without_ray
from helpers.cluster.extraction import Extracted, extract, read
from helpers.cluster.tuning import Search, search

__all__ = [
    "Extracted",
    "Search",
    "connect",
    "connected",
    "extract",
    "is_installed",
    "read",
    "search",
    "skip_without_ray",
]
