"""The score of a set of episodes: the mean of their returns, with its confidence interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evonet.statistics import Interval, bootstrap_interval, mean
from evonet.types import FloatArray


@dataclass(frozen=True, eq=False)
class Score:
    """Returns of episodes, with their mean and its interval.

    Attributes:
        returns: returns, `(episodes,)`; NaN for a failed episode.
    """

    returns: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", np.asarray(self.returns, dtype=np.float64))

    @property
    def mean(self) -> float:
        """Mean of the returns; -inf if an episode failed."""
        mean = float(self.returns.mean())
        return mean if np.isfinite(mean) else -np.inf

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self.returns)

    @cached_property
    def interval(self) -> Interval:
        """95 % bootstrap interval of the mean."""
        if self.mean == -np.inf:
            return Interval(-np.inf, -np.inf)
        return bootstrap_interval(mean, self.returns)

    def expected_at_least(self, episodes: int) -> float:
        """The lower end of a 95 % prediction interval (normal) for the mean of `episodes` further episodes."""
        deviation = float(self.returns.std()) * (1 / self.episodes + 1 / episodes) ** 0.5
        return self.mean - 1.96 * float(deviation)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:.6g} [{low:.6g}, {high:.6g}] over {self.episodes} episodes"
