"""Comparison by several objectives at once: domination, ranks, crowding and hypervolume.

Objectives are columns of a matrix `(n, m)` and are all maximised here; the caller changes the sign of those that it
minimises. A row dominates another if it is at least as good in each objective and better in one.
"""

from __future__ import annotations

import numpy as np

from evonet.types import BoolArray, FloatArray, IntArray


def non_dominated(values: FloatArray) -> BoolArray:
    """Which rows of `values (n, m)` no other row dominates, `(n,)`; equal rows do not dominate each other."""
    front = np.zeros(len(values), dtype=np.bool_)
    rows = np.lexsort(-values.T[::-1])  # no row is dominated by one behind it
    while rows.size:
        first, rows = rows[0], rows[1:]
        front[first] = True
        no_better = (values[rows] <= values[first]).all(axis=1)
        worse = (values[rows] < values[first]).any(axis=1)
        rows = rows[~(no_better & worse)]
    return front


def ranks(values: FloatArray) -> IntArray:
    """The rank of each row of `values (n, m)`, `(n,)`: 0 on the Pareto front, 1 on the front without those, and so on.

    K. Deb, A. Pratap, S. Agarwal and T. Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II",
    IEEE Transactions on Evolutionary Computation 6, 2002, section III A.
    """
    ranks = np.zeros(len(values), dtype=np.int64)
    rows, rank = np.arange(len(values)), 0
    while rows.size:
        front = non_dominated(values[rows])
        ranks[rows[front]] = rank
        rows, rank = rows[~front], rank + 1
    return ranks


def crowding_distances(values: FloatArray) -> FloatArray:
    """How far apart the neighbours of each row of one front, `values (n, m)`, lie, `(n,)` (Deb et al. 2002, III B).

    It is the sum over the objectives of the distance between the row's two neighbours in that objective, as a share of
    the front's extent; infinite for the ends of the front.
    """
    distances = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        extent = column[order[-1]] - column[order[0]]
        if extent > 0:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / extent
            distances[order[[0, -1]]] = np.inf
    return distances


def crowded_order(values: FloatArray) -> FloatArray:
    """A number for each row of `values (n, m)` by which they are compared, `(n,)`; higher is better, equals are equal.

    A lower rank comes first, and of one rank the row that is less crowded (Deb et al. 2002, III B, the operator of
    crowded comparison). A row with a number that is not finite is -inf: it could not be scored.
    """
    order = np.full(len(values), -np.inf)
    scored = np.flatnonzero(np.isfinite(values).all(axis=1))
    found = ranks(values[scored])
    crowding = np.empty(len(scored))
    for rank in range(found.max(initial=-1) + 1):
        front = np.flatnonzero(found == rank)
        crowding[front] = crowding_distances(values[scored[front]])
    _, places = np.unique(np.column_stack([-found, crowding]), axis=0, return_inverse=True)
    order[scored] = places.reshape(-1)
    return order


def hypervolume(values: FloatArray, reference: FloatArray) -> float:
    """The volume between a `reference (m,)` and the rows of `values (n, m)` that are better in every objective.

    It is exact: a sweep along the last objective over the volumes of the others, for two objectives in n log n time.
    E. Zitzler and L. Thiele, "Multiobjective evolutionary algorithms", IEEE Transactions on Evolutionary
    Computation 3, 1999.
    """
    better = values[(values > reference).all(axis=1)] - reference
    return _volume(better[non_dominated(better)])


def _volume(points: FloatArray) -> float:
    """The volume between 0 and `points (n, m)`, which are positive."""
    if points.shape[1] == 1:
        return float(points.max(initial=0.0))
    points = points[np.argsort(-points[:, -1], kind="stable")]
    heights = points[:, -1] - np.append(points[1:, -1], 0.0)
    if points.shape[1] == 2:
        return float(heights @ np.maximum.accumulate(points[:, 0])) if len(points) else 0.0
    slabs = enumerate(heights.tolist())
    return float(sum(height * _volume(points[: row + 1, :-1]) for row, height in slabs if height))
