"""A grid: cells of equal size over a range of each measure (Mouret and Clune, "Illuminating search spaces", 2015)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from evonet.archives.cells import CellArchive
from evonet.archives.ranges import checked_ranges, low_and_width
from evonet.settings import Count, Probability, check, plain
from evonet.types import FloatArray, IntArray


class GridArchive(CellArchive):
    """A grid of equal cells, each with the fittest solution whose measures lie in it (Mouret and Clune 2015).

    Measures beyond a range count as its end.

    Args:
        ranges: the least and the greatest value of each measure, by name.
        cells: number of cells along each measure, in the order of `ranges`.
        learning_rate: how far a cell's threshold moves for each solution that enters; below 1 only for CMA-MAE.
        threshold_min: fitness that a solution must exceed to enter an empty cell, for CMA-MAE; by default any enters.
        offset: fitness from which a solution counts in the QD score; by default the worst that was inserted.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        ranges: Mapping[str, Sequence[float]],
        cells: Sequence[Count],
        learning_rate: Probability = 1.0,
        threshold_min: float | None = None,
        offset: float | None = None,
    ) -> None:
        check(GridArchive, {"learning_rate": learning_rate, "threshold_min": threshold_min, "offset": offset})
        self.ranges = checked_ranges("GridArchive.ranges", ranges)
        shape = tuple(plain(list(cells)))
        if len(shape) != len(self.ranges) or not all(type(number) is int and number > 0 for number in shape):
            raise ValueError(
                "GridArchive.cells must be a whole number of at least 1 for each of "
                f"{', '.join(self.ranges)}, got {list(shape)}"
            )
        super().__init__(
            tuple(self.ranges),
            math.prod(shape),
            learning_rate=learning_rate,
            threshold_min=threshold_min,
            offset=offset,
        )
        self.shape = shape
        self._low, self._width = low_and_width(self.ranges)
        self._counts = np.array(shape, dtype=np.float64)

    def cells_of(self, measures: FloatArray) -> IntArray:
        # 1e-6 of a unit is added because a measure that lies on an edge is often a little below it in binary numbers.
        places = (self._counts * (measures - self._low) + 1e-6) / self._width
        whole = np.minimum(np.maximum(places, 0.0), self._counts - 1.0).astype(np.int64)
        numbers: IntArray = np.ravel_multi_index(tuple(whole.T), self.shape)
        return numbers

    @property
    def edges(self) -> dict[str, FloatArray]:
        """The edges of the cells along each measure, `(cells + 1,)`, by name."""
        return {
            name: np.linspace(low, high, count + 1)
            for (name, (low, high)), count in zip(self.ranges.items(), self.shape, strict=True)
        }
