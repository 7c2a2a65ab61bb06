"""What a number of returns says: their mean, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evonet.seeding import Purpose, generator
from evonet.types import FloatArray

_RESAMPLES = 2_000
_BLOCK = 100  # resamples at once: a long list of returns need not fit in memory two thousand times


def quantiles(values: FloatArray, shares: Sequence[float]) -> FloatArray:
    """The values, `(k,)`, below which lie so large shares of `values (n,)`, interpolated linearly.

    As `np.quantile`, which imports NumPy's masked arrays at its first call, and start-up time counts.
    """
    places = np.asarray(shares) * (len(values) - 1)
    found: FloatArray = np.interp(places, np.arange(len(values)), np.sort(values))
    return found


@dataclass(frozen=True, eq=False)
class Score:
    """The mean return of some episodes.

    Attributes:
        returns: of each episode, `(episodes,)`; NaN for one that failed.
    """

    returns: FloatArray

    @property
    def mean(self) -> float:
        """Mean of the returns; -inf if an episode failed."""
        mean = float(self.returns.mean())
        return mean if np.isfinite(mean) else -np.inf

    @property
    def episodes(self) -> int:
        """How many there were."""
        return len(self.returns)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the mean (Efron and Tibshirani 1993, percentile)."""
        if self.mean == -np.inf:
            return -np.inf, -np.inf
        rng, n = generator(0, Purpose.BOOTSTRAP), self.episodes
        blocks = range(0, _RESAMPLES, _BLOCK)
        means = [self.returns[rng.integers(n, size=(_BLOCK, n))].mean(axis=1) for _ in blocks]
        low, high = quantiles(np.concatenate(means), [0.025, 0.975])
        return float(low), float(high)

    def expected_at_least(self, episodes: int) -> float:
        """What the mean of as many further episodes will hardly fall below (97.5 %, normal prediction interval)."""
        deviation = float(self.returns.std()) * (1 / self.episodes + 1 / episodes) ** 0.5
        return self.mean - 1.96 * float(deviation)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:.6g} [{low:.6g}, {high:.6g}] over {self.episodes} episodes"
