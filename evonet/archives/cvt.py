"""Cells around centroids that are spread evenly over the ranges: a centroidal Voronoi tessellation.

V. Vassiliades, K. Chatzilygeroudis and J.-B. Mouret, "Using centroidal Voronoi tessellations to scale up the
multidimensional archive of phenotypic elites algorithm", IEEE Transactions on Evolutionary Computation 22, 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.archives.cells import CellArchive
from evonet.archives.nearest import NearestCentroids
from evonet.archives.ranges import checked_ranges, low_and_width
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, Probability, check
from evonet.types import FloatArray, IntArray

_SAMPLES = 20_000
_SAMPLES_FOR_EACH = 10
_ROUNDS = 20


class CVTArchive(CellArchive):
    """Cells around centroids, spread evenly over any number of measures by a seed (Vassiliades et al. 2018).

    A solution belongs to the nearest centroid, where a measure's range has length 1.

    Args:
        ranges: the least and the greatest value of each measure, by name.
        cells: number of cells.
        centroids_seed: seed of the centroids: runs with the same one have the same cells, whatever the run's seed is.
        learning_rate: how far a cell's threshold moves for each solution that enters; below 1 only for CMA-MAE.
        threshold_min: fitness that a solution must exceed to enter an empty cell, for CMA-MAE; by default any enters.
        offset: fitness from which a solution counts in the QD score; by default the worst that was inserted.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        ranges: Mapping[str, Sequence[float]],
        cells: Count,
        centroids_seed: Natural = 0,
        learning_rate: Probability = 1.0,
        threshold_min: float | None = None,
        offset: float | None = None,
    ) -> None:
        check(CVTArchive, {"cells": cells, "centroids_seed": centroids_seed, "learning_rate": learning_rate})
        check(CVTArchive, {"threshold_min": threshold_min, "offset": offset})
        self.ranges = checked_ranges("CVTArchive.ranges", ranges)
        super().__init__(
            tuple(self.ranges), cells, learning_rate=learning_rate, threshold_min=threshold_min, offset=offset
        )
        self.centroids_seed = centroids_seed
        self._low, self._width = low_and_width(self.ranges)
        self._nearest: NearestCentroids | None = None

    @classmethod
    def around(cls, centroids: ArrayLike, ranges: Mapping[str, Sequence[float]], **settings: Any) -> CVTArchive:
        """An archive whose cells have these `centroids (cells, k)`."""
        points = np.asarray(centroids, dtype=np.float64)
        archive = cls(ranges, len(points), **settings)
        archive._nearest = NearestCentroids((points - archive._low) / archive._width)
        return archive

    @property
    def centroids(self) -> FloatArray:
        """The centroids, `(cells, k)`, computed when they are first needed."""
        return self._nearest_centroids().centroids * self._width + self._low

    def cells_of(self, measures: FloatArray) -> IntArray:
        return self._nearest_centroids().of((measures - self._low) / self._width)

    def state(self) -> dict[str, Any]:
        return super().state() | {"centroids": self._nearest_centroids().centroids}

    def restore(self, state: Mapping[str, Any]) -> None:
        shape = (self.num_cells, len(self.ranges))
        self._nearest = NearestCentroids(np.array(state["centroids"], dtype=np.float64).reshape(shape))
        super().restore(state)

    def _nearest_centroids(self) -> NearestCentroids:
        if self._nearest is None:
            rng = generator(self.centroids_seed, Purpose.INITIALISATION, 0, 5)
            self._nearest = NearestCentroids(_lloyd_centroids(rng, self.num_cells, len(self.ranges)))
        return self._nearest


def _lloyd_centroids(rng: np.random.Generator, cells: int, k: int) -> FloatArray:
    """Centroids `(cells, k)` in the unit cube: k-means of uniform samples (Lloyd 1982), from the first samples."""
    samples = rng.random((max(_SAMPLES, _SAMPLES_FOR_EACH * cells), k))
    centroids = samples[:cells].copy()
    nearest = np.empty(0, dtype=np.int64)
    for _ in range(_ROUNDS):
        before, nearest = nearest, NearestCentroids(centroids).of(samples)
        if np.array_equal(before, nearest):
            break
        count = np.bincount(nearest, minlength=cells)
        filled = count > 0
        for axis in range(k):
            total = np.bincount(nearest, weights=samples[:, axis], minlength=cells)
            centroids[filled, axis] = total[filled] / count[filled]
    return centroids
