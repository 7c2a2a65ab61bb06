"""Fitness shaping: only the order of fitness counts, so that no monotone change of a fitness changes a search.

Equal fitness gets equal utility: where all are equally fit, there is nothing to learn.
"""

from __future__ import annotations

import numpy as np

from evonet.arithmetic import log
from evonet.operators.fitness_scaling import ranks
from evonet.types import FloatArray


def centred_ranks(fitness: FloatArray) -> FloatArray:
    """Ranks stretched to -0.5 … 0.5, `(n,)` (Salimans et al. 2017)."""
    return ranks(fitness) / max(len(fitness) - 1, 1) - 0.5


def natural_utilities(fitness: FloatArray) -> FloatArray:
    """Utilities of natural evolution strategies, `(n,)`, summing to 0 (Wierstra et al. 2014, section 3.1)."""
    n = len(fitness)
    by_place = np.maximum(0.0, log(n / 2 + 1) - log(np.arange(1.0, n + 1)))
    return shared_by_equals(fitness, by_place / by_place.sum() - 1.0 / n)


def shared_by_equals(fitness: FloatArray, by_place: FloatArray) -> FloatArray:
    """The value of each individual's place, `(n,)`; the fittest has the first, equally fit ones the mean of theirs."""
    values, group, sizes = np.unique(-fitness, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    totals = np.add.reduceat(by_place, ends - sizes)
    shares: FloatArray = (totals / sizes)[group]
    assert len(values) == len(sizes)
    return shares
