"""The base class of archives that divide the space of measures into cells and keep the fittest of each.

With a learning rate below 1 an archive is that of CMA-MAE: M. C. Fontaine and S. Nikolaidis, "Covariance matrix
adaptation MAP-annealing", GECCO 2023, https://arxiv.org/abs/2205.10752.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from evonet.archives.archive import IMPROVED, NEW, REJECTED, Archive, Insertion
from evonet.archives.measure_matrix import Measures
from evonet.types import BoolArray, FloatArray, IntArray

MAX_CELLS = 10_000_000
_EMPTY = -1


class CellArchive(Archive):
    """Base of archives with cells: a solution enters its cell if it is fitter than the cell's threshold.

    The threshold is the elite's fitness. With `threshold_min` it starts there in every cell, and moves towards the
    fitness of the solutions that enter, by `learning_rate` of the distance for each (CMA-MAE): where nothing better
    comes, worse enters again, so the elites are not the best that the cells have seen.

    Of several solutions for one cell the fittest enters, and the first of equals.

    Args:
        measure_names: the names of the measures.
        num_cells: number of cells.
        learning_rate: how far a threshold moves.
        threshold_min: threshold of empty cells; None for no threshold.
        offset: see `Archive`.
    """

    def __init__(
        self,
        measure_names: Sequence[str],
        num_cells: int,
        *,
        learning_rate: float,
        threshold_min: float | None,
        offset: float | None,
    ) -> None:
        name = type(self).__name__
        if num_cells > MAX_CELLS:
            raise ValueError(f"{name}.cells must make at most {MAX_CELLS:,} cells, got {num_cells:,}")
        if threshold_min is None and learning_rate != 1:
            raise ValueError(
                f"{name}.threshold_min must be set where learning_rate is below 1, got none; "
                "set it to a fitness that every solution worth keeping exceeds"
            )
        self.learning_rate = learning_rate
        self.threshold_min = threshold_min
        self._num_cells = num_cells
        super().__init__(measure_names, offset=offset)

    def clear(self) -> None:
        super().clear()
        least = self.threshold_min
        self._row_of: IntArray = np.full(self.num_cells, _EMPTY)
        self._cell_of: IntArray = np.empty(0, dtype=np.int64)
        self._threshold: FloatArray = np.empty(0) if least is None else np.full(self.num_cells, float(least))
        self._entered: IntArray = np.empty(self.num_cells, dtype=np.int64)

    def elitist_copy(self) -> Self:
        """An archive of the same cells without elites, in which a cell's threshold is its elite's fitness."""
        other = copy.copy(self)
        other.learning_rate, other.threshold_min = 1.0, None
        other.clear()
        return other

    @abstractmethod
    def cells_of(self, measures: FloatArray) -> IntArray:
        """The cell of each of the finite `measures (n, k)`, `(n,)`."""

    @property
    def num_cells(self) -> int:
        return self._num_cells

    def row_at(self, measures: FloatArray) -> int | None:
        row = int(self._row_of[self.cells_of(measures[None, :])[0]])
        return None if row == _EMPTY else row

    def add(
        self, genomes: ArrayLike, fitness: ArrayLike, measures: Measures, ids: ArrayLike | None = None
    ) -> Insertion:
        rows, every_score, points, numbers = self._as_arrays(genomes, fitness, measures, ids)
        status = np.full(len(rows), REJECTED)
        value = np.full(len(rows), -np.inf)
        scored = np.flatnonzero(np.isfinite(every_score) & np.isfinite(points).all(axis=1))
        cells = self.cells_of(points[scored])
        scores = every_score[scored]
        threshold, is_empty = self._thresholds(cells)
        enters = scores > threshold
        status[scored] = np.where(enters, np.where(is_empty, NEW, IMPROVED), REJECTED)
        first = 0.0 if self.threshold_min is None else self.threshold_min
        value[scored] = scores - np.where(is_empty, first, threshold)
        if enters.any():
            cells, scores = cells[enters], scores[enters]
            if self.threshold_min is not None:
                self._move_thresholds(cells, scores)
            fittest = self._fittest_of_each(cells, scores)
            targets = self._rows_for(cells[fittest])
            self._write(targets, scored[enters][fittest], rows, every_score, points, numbers)
        return Insertion(status, value)

    def state(self) -> dict[str, Any]:
        state = super().state() | {"cells": self._cells().copy()}
        return state if self.threshold_min is None else state | {"thresholds": self._threshold.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._cell_of = np.array(state["cells"], dtype=np.int64).reshape(self._size)
        if self._size and not 0 <= self._cell_of.min() <= self._cell_of.max() < self.num_cells:
            raise ValueError(f"{type(self).__name__}.restore must get cells from 0 to {self.num_cells - 1}")
        self._row_of = np.full(self.num_cells, _EMPTY)
        self._row_of[self._cell_of] = np.arange(self._size)
        if self.threshold_min is not None:
            self._threshold = np.array(state["thresholds"], dtype=np.float64).reshape(self.num_cells)

    def _cells(self) -> IntArray:
        return self._cell_of[: self._size]

    def _thresholds(self, cells: IntArray) -> tuple[FloatArray, BoolArray]:
        """The threshold of each of these cells, and whether the cell is empty."""
        rows = self._row_of[cells]
        is_empty = rows == _EMPTY
        if self.threshold_min is not None:
            return self._threshold[cells], is_empty
        if not self._size:
            return np.full(len(cells), -np.inf), is_empty
        return np.where(is_empty, -np.inf, self._fitness[rows]), is_empty

    def _move_thresholds(self, cells: IntArray, scores: FloatArray) -> None:
        """Move the thresholds of these cells towards the mean of the scores that exceed them (2023, appendix)."""
        changed, group, count = np.unique(cells, return_inverse=True, return_counts=True)
        mean = np.bincount(group, weights=scores) / count
        # Repeated products, because the bits of a power depend on the processor.
        kept = np.cumprod(np.full(int(count.max()), 1.0 - self.learning_rate))[count - 1]
        self._threshold[changed] = kept * self._threshold[changed] + mean * (1.0 - kept)

    def _fittest_of_each(self, cells: IntArray, scores: FloatArray) -> IntArray:
        """The places of the fittest for each cell, in rising order; of equals, of the first."""
        last_first = np.arange(len(cells))[::-1]
        rising = last_first[np.argsort(scores[last_first], kind="stable")]
        self._entered[cells[rising]] = rising  # the last that is written remains: the fittest
        return np.flatnonzero(self._entered[cells] == np.arange(len(cells)))

    def _rows_for(self, cells: IntArray) -> IntArray:
        """The rows of these different cells; an empty cell gets the next free row."""
        rows = self._row_of[cells]
        is_empty = rows == _EMPTY
        rows[is_empty] = self._size + np.arange(np.count_nonzero(is_empty))
        self._row_of[cells] = rows
        new = cells[is_empty]
        if self._size + len(new) > len(self._cell_of):
            room = min(self.num_cells, 2 * (self._size + len(new)))
            self._cell_of = np.concatenate([self._cells(), np.empty(room - self._size, dtype=np.int64)])
        self._cell_of[self._size : self._size + len(new)] = new
        return rows
