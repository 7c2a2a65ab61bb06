"""The nearest of many points: of a cell archive's centroids, or of the solutions of an unstructured archive."""

from __future__ import annotations

import numpy as np

from evonet.types import FloatArray, IntArray

_BLOCK = 1 << 18  # distances in memory at once, so that they fit into a processor's cache
_MAX_AXES = 4  # with more, a box of the unit cube is near to most centroids
_CENTROIDS_OF_A_BOX = 8


def squared_distances(points: FloatArray, others: FloatArray) -> FloatArray:
    """The squared distance of each of `points (m, k)` to each of `others (n, k)` or `others (m, n, k)`, `(m, n)`."""
    total: FloatArray = np.square(points[:, None, 0] - others[..., 0])
    for axis in range(1, points.shape[1]):
        total += np.square(points[:, None, axis] - others[..., axis])
    return total


class NearestCentroids:
    """Finds the nearest centroid of points.

    The unit cube is divided into boxes, and each has a list of the centroids that can be the nearest to a point in it.
    For a point outside the cube, or with many axes, all centroids are compared.

    Args:
        centroids: `(n, k)`, most of them in the unit cube.
    """

    def __init__(self, centroids: FloatArray) -> None:
        self.centroids = centroids
        n, k = centroids.shape
        self._boxes = max(1, int((n / _CENTROIDS_OF_A_BOX) ** (1 / k))) if k <= _MAX_AXES else 1
        self._near = self._candidates() if self._boxes > 1 else None

    def of(self, points: FloatArray) -> IntArray:
        """The nearest centroid of each of `points (m, k)`, `(m,)`; the first of several at the same distance."""
        if self._near is None:
            return self._of_all(points)
        nearest = np.empty(len(points), dtype=np.int64)
        inside = ((points >= 0.0) & (points <= 1.0)).all(axis=1)
        outside = np.flatnonzero(~inside)
        nearest[outside] = self._of_all(points[outside])
        rows = np.flatnonzero(inside)
        size = max(1, _BLOCK // self._near.shape[1])
        for first in range(0, len(rows), size):
            part = rows[first : first + size]
            near = self._near[self._box_of(points[part])]
            places = squared_distances(points[part], self.centroids[near]).argmin(axis=1)
            nearest[part] = near[np.arange(len(part)), places]
        return nearest

    def _of_all(self, points: FloatArray) -> IntArray:
        size = max(1, _BLOCK // len(self.centroids))
        parts = [points[first : first + size] for first in range(0, len(points), size)]
        found = [squared_distances(part, self.centroids).argmin(axis=1) for part in parts]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def _box_of(self, points: FloatArray) -> IntArray:
        places = np.minimum((points * self._boxes).astype(np.int64), self._boxes - 1)
        numbers: IntArray = np.ravel_multi_index(tuple(places.T), (self._boxes,) * points.shape[1])
        return numbers

    def _candidates(self) -> IntArray:
        """The centroids that can be nearest in each box, `(boxes, most)`; the last fills up a shorter list."""
        n, k = self.centroids.shape
        axes = np.meshgrid(*[(np.arange(self._boxes) + 0.5) / self._boxes] * k, indexing="ij")
        centres = np.stack([axis.reshape(-1) for axis in axes], axis=1)
        half = 0.5 / self._boxes
        lists = []
        size = max(1, _BLOCK // n)
        for first in range(0, len(centres), size):
            part = centres[first : first + size]
            least, most = np.zeros((len(part), n)), np.zeros((len(part), n))
            for axis in range(k):
                away = np.abs(part[:, None, axis] - self.centroids[:, axis])
                least += np.square(np.maximum(away - half, 0.0))
                most += np.square(away + half)
            can_be = least <= most.min(axis=1, keepdims=True) * (1 + 1e-9)
            lists += [np.flatnonzero(row) for row in can_be]
        table = np.empty((len(lists), max(map(len, lists))), dtype=np.int64)
        for row, found in zip(table, lists, strict=True):
            row[: len(found)], row[len(found) :] = found, found[-1]
        return table
