"""Running normalisation of observations: each input gets mean 0 and standard deviation 1 over what was seen so far.

It stands still within a generation; afterwards the sums of all its episodes are merged in a fixed order, so that
workers and their pace cannot change a bit (merging as in Chan, Golub and LeVeque 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evonet.types import FloatArray, IntArray

LIMIT = 10.0
"""Where normalised observations are cut, in standard deviations."""

_SMALLEST_DEVIATION = 1e-4


@dataclass(frozen=True, eq=False)
class ObservationNormaliser:
    """Mean and spread of observations.

    Attributes:
        count: observations seen.
        mean: `(inputs,)`.
        squares: sum of squared deviations from the mean, `(inputs,)`.
    """

    count: int
    mean: FloatArray
    squares: FloatArray

    @classmethod
    def fresh(cls, inputs: int) -> ObservationNormaliser:
        """One that has seen nothing, and changes nothing but what exceeds ±10."""
        return cls(0, np.zeros(inputs), np.zeros(inputs))

    @cached_property
    def deviation(self) -> FloatArray:
        """Standard deviation of each input, `(inputs,)`; 1 where it is unknown or next to nothing."""
        if self.count < 2:
            return np.ones_like(self.mean)
        deviation = np.sqrt(self.squares / self.count)
        return np.where(deviation < _SMALLEST_DEVIATION, 1.0, deviation)

    def normalise(self, observations: FloatArray) -> None:
        """Normalise `observations (…, inputs)` in place and cut them at ±10."""
        np.subtract(observations, self.mean, out=observations)
        np.divide(observations, self.deviation, out=observations)
        np.clip(observations, -LIMIT, LIMIT, out=observations)

    def merged(self, counts: IntArray, sums: FloatArray, squares: FloatArray) -> ObservationNormaliser:
        """The normaliser after more episodes.

        Args:
            counts: observations of each episode, `(episodes,)`.
            sums: their deviations from *this* normaliser's mean, added up, `(episodes, inputs)`.
            squares: the squares of those deviations, added up, `(episodes, inputs)`.
        """
        added = int(counts.sum())
        if added == 0:
            return self
        total = self.count + added
        shift = sums.sum(axis=0)
        spread = self.squares + squares.sum(axis=0) - shift * shift / total
        return ObservationNormaliser(total, self.mean + shift / total, np.maximum(spread, 0.0))
