"""Running normalisation of observations: each input gets mean 0 and standard deviation 1 over what was seen so far.

A normaliser never changes: `merged` makes the next one. All episodes of a generation are normalised alike, and their
sums are merged in a fixed order, so that the number of workers and their speed cannot change a bit (merging as in Chan,
Golub and LeVeque 1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from evonet.types import FloatArray, IntArray

LIMIT = 10.0
"""Normalised observations are clipped to ± this, in standard deviations."""

_SMALLEST_DEVIATION = 1e-4


@dataclass(frozen=True, eq=False)
class ObservationNormaliser:
    """Mean and spread of observations.

    Attributes:
        count: observations seen.
        mean: `(inputs,)`.
        sum_sq_dev: sum of squared deviations from the mean, `(inputs,)`.
    """

    count: int
    mean: FloatArray
    sum_sq_dev: FloatArray

    @classmethod
    def fresh(cls, inputs: int) -> Self:
        """A normaliser that has seen nothing; it only clips to ±10."""
        return cls(0, np.zeros(inputs), np.zeros(inputs))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], inputs: int) -> Self:
        """The normaliser that `to_arrays` described; the arrays are copied.

        Raises:
            KeyError, TypeError, ValueError: `arrays` describes no normaliser of as many inputs.
        """
        count = int(arrays["count"])
        mean, sum_sq_dev = (np.array(arrays[name], dtype=np.float64) for name in ("mean", "squares"))
        if {mean.shape, sum_sq_dev.shape} != {(inputs,)}:
            raise ValueError(f"a normaliser's mean and squares must have shape ({inputs},)")
        if count < 0 or (sum_sq_dev < 0).any():
            raise ValueError("a normaliser's count and squares must be at least 0")
        return cls(count, mean, sum_sq_dev)

    def to_arrays(self) -> dict[str, Any]:
        """The normaliser as `count`, `mean` and `squares`: the names that files have for them."""
        return {"count": self.count, "mean": self.mean, "squares": self.sum_sq_dev}

    @cached_property
    def deviation(self) -> FloatArray:
        """Standard deviation of each input, `(inputs,)`; 1 where it is unknown or below 0.0001."""
        if self.count < 2:
            return np.ones_like(self.mean)
        deviation = np.sqrt(self.sum_sq_dev / self.count)
        return np.where(deviation < _SMALLEST_DEVIATION, 1.0, deviation)

    def normalise(self, observations: FloatArray) -> None:
        """Normalise `observations (…, inputs)` in place and clip them to ±10."""
        np.subtract(observations, self.mean, out=observations)
        np.divide(observations, self.deviation, out=observations)
        np.clip(observations, -LIMIT, LIMIT, out=observations)

    def merged(self, counts: IntArray, sums: FloatArray, squares: FloatArray) -> ObservationNormaliser:
        """The normaliser after more episodes.

        Args:
            counts: observations of each episode, `(episodes,)`.
            sums: sums of their deviations from *this* normaliser's mean, `(episodes, inputs)`.
            squares: sums of the squares of those deviations, `(episodes, inputs)`.
        """
        added = int(counts.sum())
        if added == 0:
            return self
        total = self.count + added
        shift = sums.sum(axis=0)
        sum_sq_dev = self.sum_sq_dev + squares.sum(axis=0) - shift * shift / total
        return ObservationNormaliser(total, self.mean + shift / total, np.maximum(sum_sq_dev, 0.0))
