"""Rescales fitness: to finite numbers, to the lead over the least fit, or to ranks."""

from __future__ import annotations

import math

import numpy as np

from evonet.types import FloatArray


def finite(fitness: FloatArray) -> FloatArray:
    """Fitness `(n,)` in which -inf, of an individual without a score, is a finite number below all others."""
    scored = np.isfinite(fitness)
    if scored.all():
        return fitness
    if not scored.any():
        return np.zeros_like(fitness)
    worst, best = float(fitness[scored].min()), float(fitness[scored].max())
    below = min(
        worst - max(best - worst, 1.0), math.nextafter(worst, -math.inf)
    )  # at 1e17, subtracting 1 changes nothing
    return np.where(scored, fitness, max(below, -np.finfo(np.float64).max))


def lead(fitness: FloatArray) -> FloatArray:
    """The lead over the least fit as a share of the greatest lead, `(n,)`; zeros where all are equally fit."""
    ahead: FloatArray = fitness / 2 - fitness.min() / 2  # halved first, because huge differences would overflow
    top = float(ahead.max())
    return ahead / top if top > 0 else ahead


def ranks(fitness: FloatArray) -> FloatArray:
    """Ranks from 0 for the least fit to n - 1 for the fittest, `(n,)`; equals share the mean of their ranks."""
    _, group, sizes = np.unique(fitness, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes) - 1
    shared: FloatArray = (last - (sizes - 1) / 2)[group]
    return shared
