"""The algorithms that are told measures, for tests of every algorithm."""

from evonet.archives import GridArchive
from evonet.experiment.algorithms import ALGORITHMS
from evonet.settings import argument_hints

FILLING = {name for name in ALGORITHMS if "archive" in argument_hints(ALGORITHMS[name])}
"""The algorithms that fill an archive; `tests/strategies/test_archive_strategies.py` is about them."""

ARCHIVED = {*FILLING, "novelty_search"}
"""All algorithms that cannot be made without measures."""

RANGES = {"x": (-3.0, 3.0), "y": (-3.0, 3.0)}


def grid(name, cells=(6, 6), ranges=None):
    """An archive that the algorithm of this name takes."""
    annealed = {"learning_rate": 0.1, "threshold_min": -1e3} if name == "cma_mae" else {}
    return GridArchive(RANGES if ranges is None else ranges, cells, **annealed)
