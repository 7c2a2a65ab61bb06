"""What a number of returns says: their mean, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evonet.statistics import Interval, bootstrap_interval, mean
from evonet.types import FloatArray


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
    def interval(self) -> Interval:
        """95 % bootstrap interval of the mean."""
        if self.mean == -np.inf:
            return Interval(-np.inf, -np.inf)
        return bootstrap_interval(mean, self.returns)

    def expected_at_least(self, episodes: int) -> float:
        """What the mean of as many further episodes will hardly fall below (97.5 %, normal prediction interval)."""
        deviation = float(self.returns.std()) * (1 / self.episodes + 1 / episodes) ** 0.5
        return self.mean - 1.96 * float(deviation)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:.6g} [{low:.6g}, {high:.6g}] over {self.episodes} episodes"
