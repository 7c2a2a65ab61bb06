"""The algorithms that fill an archive, for tests of every algorithm."""

from evonet.archives import GridArchive
from evonet.experiment.algorithms import ALGORITHMS
from evonet.settings import argument_hints

ARCHIVED = {name for name in ALGORITHMS if "archive" in argument_hints(ALGORITHMS[name])}
"""The algorithms that fill an archive; `tests/strategies/test_archive_strategies.py` is about them."""

RANGES = {"x": (-3.0, 3.0), "y": (-3.0, 3.0)}


def grid(name, cells=(6, 6)):
    """An archive that the algorithm of this name takes."""
    annealed = {"learning_rate": 0.1, "threshold_min": -1e3} if name == "cma_mae" else {}
    return GridArchive(RANGES, cells, **annealed)
