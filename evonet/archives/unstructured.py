"""An archive without cells, that takes what is novel enough: far from its nearest solutions.

J. Lehman and K. O. Stanley, "Abandoning objectives: evolution through the search for novelty alone", Evolutionary
Computation 19, 2011; with local competition, "Evolving a diversity of virtual creatures through novelty search and
local competition", GECCO 2011.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.archives.archive import IMPROVED, NEW, REJECTED, Archive, Insertion
from evonet.archives.measure_matrix import Measures
from evonet.archives.nearest import squared_distances
from evonet.arithmetic import add_up
from evonet.settings import Count, PositiveFloat, check
from evonet.types import FloatArray, IntArray

_BLOCK = 1 << 20
_RISE, _FALL = 1.2, 0.95  # Lehman and Stanley 2011


class UnstructuredArchive(Archive):
    """Solutions whose measures are far from one another: novelty decides which enters (Lehman and Stanley 2011).

    The novelty of a solution is the mean distance to its nearest neighbours in the space of measures. It enters if its
    novelty is at least the threshold; all enter an empty archive. The insertion's `value` is the novelty.

    Args:
        measures: the names of the measures.
        threshold: the novelty of a solution that enters.
        neighbours: number of nearest solutions that novelty is measured by.
        most_new: if more enter at once, the threshold rises by 20 %; by default it never rises.
        patience: if none enters so many times in a row, the threshold falls by 5 %; by default it never falls.
        replace: whether a solution that is not novel takes the place of its nearest one if it is fitter.
        offset: fitness from which a solution counts in the QD score; by default the worst that was inserted.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        measures: Sequence[str],
        threshold: PositiveFloat,
        neighbours: Count = 15,
        most_new: Count | None = None,
        patience: Count | None = None,
        replace: bool = False,  # noqa: FBT001, FBT002 - a setting
        offset: float | None = None,
    ) -> None:
        check(UnstructuredArchive, {"threshold": threshold, "neighbours": neighbours, "most_new": most_new})
        check(UnstructuredArchive, {"patience": patience, "replace": replace, "offset": offset})
        if isinstance(measures, str):
            raise TypeError(f"UnstructuredArchive.measures must be a list of names, got {measures!r}")
        self._first_threshold = float(threshold)
        self.neighbours = neighbours
        self.most_new = most_new
        self.patience = patience
        self.replace = replace
        super().__init__(measures, offset=offset)

    def clear(self) -> None:
        super().clear()
        self.threshold = self._first_threshold
        self._waited = 0

    @property
    def num_cells(self) -> None:
        return None

    def row_at(self, measures: FloatArray) -> int | None:
        """The row of the elite nearest to `measures (k,)`; None if the archive is empty."""
        return int(self._nearest_row(measures[None, :])[0]) if len(self) else None

    def novelty(self, measures: FloatArray, others: FloatArray | None = None) -> FloatArray:
        """The mean distance to the nearest solutions, `(n,)`; infinite if there is none.

        Args:
            measures: finite measures, `(n, k)`.
            others: measures that count beside those in the archive, `(m, k)`, such as those of the population. If they
                have those of the solution itself, it is one of its own neighbours.
        """
        known = self._measures[: self._size]
        known = known if others is None else np.concatenate([known, others])
        if not len(known):
            return np.full(len(measures), np.inf)
        count = min(self.neighbours, len(known))
        novelty = np.empty(len(measures))
        size = max(1, _BLOCK // len(known))
        for first in range(0, len(measures), size):
            part = slice(first, first + size)
            nearest = np.partition(squared_distances(measures[part], known), count - 1, axis=1)[:, :count]
            nearest.sort(axis=1)
            novelty[part] = add_up(np.sqrt(nearest.T)) / count
        return novelty

    def add(
        self,
        genomes: ArrayLike,
        fitness: ArrayLike,
        measures: Measures,
        ids: ArrayLike | None = None,
        *,
        novelty: FloatArray | None = None,
    ) -> Insertion:
        """Offer n solutions to the archive, which copies those that it takes.

        Args:
            genomes: `(n, genome_size)`.
            fitness: `(n,)`, higher is fitter.
            measures: `(n, k)`, or `(n,)` by name.
            ids: ids in the run, `(n,)`.
            novelty: the novelty of each, `(n,)`, if it counts others than those in the archive.

        Raises:
            ValueError: a shape does not fit, or a measure is missing.
        """
        rows, scores, points, numbers = self._as_arrays(genomes, fitness, measures, ids)
        status = np.full(len(rows), REJECTED)
        value = np.full(len(rows), -np.inf)
        scored = np.isfinite(scores) & np.isfinite(points).all(axis=1)
        value[scored] = self.novelty(points[scored]) if novelty is None else novelty[scored]
        new = np.flatnonzero(scored & (value >= self.threshold))
        status[new] = NEW
        if self.replace and len(self):
            self._replace(np.flatnonzero(scored & (value < self.threshold)), status, rows, scores, points, numbers)
        self._write(self._size + np.arange(len(new)), new, rows, scores, points, numbers)
        self._adapt(len(new))
        return Insertion(status, value)

    def state(self) -> dict[str, Any]:
        return super().state() | {"threshold": self.threshold, "waited": self._waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.threshold, self._waited = float(state["threshold"]), int(state["waited"])

    def _replace(
        self,
        known: IntArray,
        status: IntArray,
        genomes: FloatArray,
        fitness: FloatArray,
        measures: FloatArray,
        ids: IntArray,
    ) -> None:
        """Put those of the solutions `known` that are fitter than their nearest one in its place."""
        nearest = self._nearest_row(measures[known])
        fitter = fitness[known] > self._fitness[nearest]
        known, nearest = known[fitter], nearest[fitter]
        status[known] = IMPROVED
        # By row, then the fittest first; of equals the first.
        order = np.lexsort((-fitness[known], nearest))
        rows, first = np.unique(nearest[order], return_index=True)
        self._write(rows, known[order[first]], genomes, fitness, measures, ids)

    def _nearest_row(self, measures: FloatArray) -> IntArray:
        size = max(1, _BLOCK // len(self))
        parts = [measures[first : first + size] for first in range(0, len(measures), size)]
        found = [squared_distances(part, self._measures[: self._size]).argmin(axis=1) for part in parts]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def _adapt(self, entered: int) -> None:
        self._waited = 0 if entered else self._waited + 1
        if self.most_new is not None and entered > self.most_new:
            self.threshold *= _RISE
        elif self.patience is not None and self._waited >= self.patience:
            self.threshold *= _FALL
            self._waited = 0
