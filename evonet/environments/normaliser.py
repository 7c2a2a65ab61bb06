"""Running normalisation: each input gets mean 0 and standard deviation 1 over all observations so far.

A normaliser is immutable: `merged` returns the next one. All episodes of a generation use one normaliser, and their
sums are merged in a fixed order, so that results do not depend on the workers (merging as in Chan, Golub and LeVeque
1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from evonet.types import FloatArray, IntArray

LIMIT = 10.0
"""Standard deviations to which normalised observations are clipped, on either side of the mean."""

_SMALLEST_DEVIATION = 1e-4


@dataclass(frozen=True, eq=False)
class ObservationNormaliser:
    """Mean and spread of observations.

    Attributes:
        count: number of observations.
        mean: mean of each input, `(inputs,)`.
        sum_sq_dev: sum of squared deviations from the mean, `(inputs,)`.
    """

    count: int
    mean: FloatArray
    sum_sq_dev: FloatArray

    @classmethod
    def fresh(cls, inputs: int) -> Self:
        """A normaliser without observations, which only clips to ±10."""
        return cls(0, np.zeros(inputs), np.zeros(inputs))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], inputs: int) -> Self:
        """The normaliser of arrays from `to_arrays`; they are copied.

        Raises:
            KeyError, TypeError, ValueError: `arrays` describes no normaliser of `inputs` inputs.
        """
        count = int(arrays["count"])
        mean, sum_sq_dev = (np.array(arrays[name], dtype=np.float64) for name in ("mean", "squares"))
        if {mean.shape, sum_sq_dev.shape} != {(inputs,)}:
            raise ValueError(f"a normaliser's mean and squares must have shape ({inputs},)")
        if count < 0 or (sum_sq_dev < 0).any():
            raise ValueError("a normaliser's count and squares must be at least 0")
        return cls(count, mean, sum_sq_dev)

    def to_arrays(self) -> dict[str, Any]:
        """The normaliser as `count`, `mean` and `squares`, the names of the file format."""
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
