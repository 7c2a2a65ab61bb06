"""The base class of archives: it holds the elites in rows of arrays, and gives their statistics."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from evonet.archives.elites import NO_ID, Elite, Elites
from evonet.archives.measure_matrix import Measures, measure_matrix
from evonet.arithmetic import add_up
from evonet.types import FloatArray, IntArray

REJECTED, IMPROVED, NEW = 0, 1, 2
"""The outcome for a solution: it is not in the archive, took the place of another, or is the first of its cell."""

_FIRST_ROWS = 64


class Insertion(NamedTuple):
    """The outcome for each solution that was added.

    Attributes:
        status: `(n,)`: 0 rejected, 1 improved its cell, 2 is the first in its cell. Several for one cell are each
            compared with the archive as it was before.
        value: `(n,)`: the fitness less the fitness to beat; the fitness itself in an empty cell (Fontaine et al. 2020);
            -inf for a solution that could not be scored. An unstructured archive gives the novelty.
    """

    status: IntArray
    value: FloatArray


class Archive(ABC):
    """Base of archives: solutions that are good and differ in their measures.

    Solutions whose fitness or measures are not finite are rejected.

    Args:
        measure_names: the names of the measures.
        offset: fitness from which a solution counts in the QD score; by default the worst fitness that was inserted.

    Attributes:
        measure_names: the names of the measures.
    """

    def __init__(self, measure_names: Sequence[str], *, offset: float | None) -> None:
        names = tuple(measure_names)
        if not names or len(set(names)) != len(names):
            raise ValueError(f"{type(self).__name__} must have measures of different names, got {list(names)}")
        self.measure_names = names
        self._offset = offset
        self.clear()

    def clear(self) -> None:
        """Remove all elites."""
        self._worst = np.inf
        self._size = 0
        self._genomes: FloatArray = np.empty((0, 0))
        self._fitness: FloatArray = np.empty(0)
        self._measures: FloatArray = np.empty((0, len(self.measure_names)))
        self._ids: IntArray = np.empty(0, dtype=np.int64)

    @abstractmethod
    def add(
        self, genomes: ArrayLike, fitness: ArrayLike, measures: Measures, ids: ArrayLike | None = None
    ) -> Insertion:
        """Offer n solutions to the archive, which copies those that it takes.

        Args:
            genomes: `(n, genome_size)`.
            fitness: `(n,)`, higher is fitter.
            measures: `(n, k)`, or `(n,)` by name.
            ids: ids in the run, `(n,)`.

        Raises:
            ValueError: a shape does not fit, or a measure is missing.
        """

    @property
    @abstractmethod
    def num_cells(self) -> int | None:
        """The number of cells; None for an archive without cells."""

    @abstractmethod
    def row_at(self, measures: FloatArray) -> int | None:
        """The row of the elite at `measures (k,)`; None if the archive has none there."""

    def empty_copy(self) -> Self:
        """An archive of the same settings without elites."""
        other = copy.copy(self)
        other.clear()
        return other

    def __len__(self) -> int:
        return self._size

    @property
    def elites(self) -> Elites:
        """Copies of all solutions in the archive."""
        n = self._size
        return Elites(
            self._genomes[:n].copy(),
            self._fitness[:n].copy(),
            self._measures[:n].copy(),
            self._ids[:n].copy(),
            self._cells().copy(),
            self.measure_names,
        )

    @property
    def best(self) -> Elite | None:
        """The fittest solution; the first of several; None if the archive is empty."""
        return self._elite(int(np.argmax(self._fitness[: self._size]))) if self._size else None

    def at(self, *measures: float, **named: float) -> Elite | None:
        """The elite at these measures, `at(0.2, 0.9)` or `at(x=0.2, y=0.9)`; None if the archive has none there.

        Raises:
            ValueError: a measure is missing, or is not one of the archive's.
        """
        given: Any = named or measures
        if set(named) - set(self.measure_names) or len(given) != len(self.measure_names):
            known = ", ".join(self.measure_names)
            raise ValueError(f"{type(self).__name__}.at must get a number for each of {known}, got {given}")
        point = np.array([given[name] for name in self.measure_names] if named else given, dtype=np.float64)
        row = self.row_at(point)
        return None if row is None else self._elite(row)

    def genomes_of(self, rows: IntArray) -> FloatArray:
        """Copies of the genomes of these rows, `(len(rows), genome_size)`; rows are numbered from 0 to len - 1."""
        return self._genomes.take(rows, axis=0)

    def fitness_of(self, rows: IntArray) -> FloatArray:
        """Copies of the fitness of these rows, `(len(rows),)`."""
        return self._fitness[rows]

    def ids_of(self, rows: IntArray) -> IntArray:
        """Copies of the ids of these rows, of the same shape."""
        return self._ids[rows]

    @property
    def coverage(self) -> float:
        """The share of cells that have an elite; NaN for an archive without cells."""
        return len(self) / self.num_cells if self.num_cells else float("nan")

    @property
    def mean(self) -> float:
        """The mean fitness of the elites; NaN if there is none."""
        return self._sum() / self._size if self._size else float("nan")

    @property
    def offset(self) -> float:
        """Fitness from which a solution counts in the QD score: as set, or else the worst that was inserted."""
        if self._offset is not None:
            return self._offset
        return float(self._worst) if np.isfinite(self._worst) else 0.0

    def qd_score(self, offset: float | None = None) -> float:
        """The sum of what the elites' fitness exceeds `offset` by; by default the archive's `offset`."""
        return self._sum() - self._size * (self.offset if offset is None else offset)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs: arrays and numbers."""
        n = self._size
        return {
            "genomes": self._genomes[:n].copy(),
            "fitness": self._fitness[:n].copy(),
            "measures": self._measures[:n].copy(),
            "ids": self._ids[:n].copy(),
            "worst": float(self._worst),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the elites of `state`, which is copied, in place of the present ones.

        Raises:
            ValueError: the shapes of the arrays do not fit each other, or the archive.
        """
        genomes = np.array(state["genomes"], dtype=np.float64, ndmin=2)
        n = len(genomes)
        self._genomes = genomes
        self._fitness = np.array(state["fitness"], dtype=np.float64).reshape(n)
        self._measures = np.array(state["measures"], dtype=np.float64).reshape(n, len(self.measure_names))
        self._ids = np.array(state["ids"], dtype=np.int64).reshape(n)
        self._worst = float(state["worst"])
        self._size = n

    def __repr__(self) -> str:
        share = "" if self.num_cells is None else f", {self.coverage:.1%} of {self.num_cells:,} cells"
        return f"<{type(self).__name__} over {', '.join(self.measure_names)}: {len(self)} elites{share}>"

    def _cells(self) -> IntArray:
        """The cell of each row."""
        return np.arange(self._size)

    def _elite(self, row: int) -> Elite:
        measured = dict(zip(self.measure_names, self._measures[row].tolist(), strict=True))
        cell = int(self._cells()[row])
        return Elite(self._genomes[row].copy(), float(self._fitness[row]), measured, int(self._ids[row]), cell)

    def _sum(self) -> float:
        return float(add_up(self._fitness[: self._size].copy())) if self._size else 0.0

    def _as_arrays(
        self, genomes: ArrayLike, fitness: ArrayLike, measures: Measures, ids: ArrayLike | None
    ) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
        """The arguments of `add` as arrays whose shapes fit."""
        owner = f"{type(self).__name__}.add"
        scores = np.asarray(fitness, dtype=np.float64)
        rows = np.asarray(genomes, dtype=np.float64)
        if scores.ndim != 1:
            raise ValueError(f"{owner} must get fitness of shape (n,), got {scores.shape}")
        n = len(scores)
        if rows.ndim != 2 or len(rows) != n or (self._size and rows.shape[1] != self._genomes.shape[1]):
            size = str(self._genomes.shape[1]) if self._size else "genome_size"
            raise ValueError(f"{owner} must get genomes of shape ({n}, {size}), got {rows.shape}")
        numbers = np.full(n, NO_ID) if ids is None else np.asarray(ids, dtype=np.int64)
        if numbers.shape != (n,):
            raise ValueError(f"{owner} must get ids of shape ({n},), got {numbers.shape}")
        return rows, scores, measure_matrix(owner, measures, self.measure_names, n), numbers

    def _write(
        self,
        targets: IntArray,
        chosen: IntArray,
        genomes: FloatArray,
        fitness: FloatArray,
        measures: FloatArray,
        ids: IntArray,
    ) -> None:
        """Write the solutions `chosen` into the rows `targets`; those beyond the present ones must come in order."""
        if not targets.size:
            return
        is_new = targets >= self._size
        new, old = chosen[is_new], targets[~is_new]
        end = self._size + len(new)
        self._make_room(end, genomes.shape[1])
        columns = ((self._genomes, genomes), (self._fitness, fitness), (self._measures, measures), (self._ids, ids))
        for column, values in columns:
            # Copied at once: `column[a:b] = values[new]` would first make an array of the new rows.
            np.take(values, new, axis=0, out=column[self._size : end], mode="clip")
            column[old] = values[chosen[~is_new]]
        self._size = end
        self._worst = min(self._worst, float(fitness[chosen].min()))

    def _make_room(self, rows: int, genome_size: int) -> None:
        if rows <= len(self._fitness) and self._genomes.shape[1] == genome_size:
            return
        room = max(rows, 2 * len(self._fitness), _FIRST_ROWS)
        room = room if self.num_cells is None else min(room, self.num_cells)
        n = self._size
        shapes = {"_genomes": (genome_size,), "_fitness": (), "_measures": self._measures.shape[1:], "_ids": ()}
        for name, shape in shapes.items():
            old = getattr(self, name)
            larger = np.empty((room, *shape), dtype=old.dtype)
            if n:
                larger[:n] = old[:n]
            setattr(self, name, larger)
