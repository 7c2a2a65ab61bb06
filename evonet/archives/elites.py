"""The elites of an archive: one, and all of them as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evonet.extras import pandas_for
from evonet.files.text import short_number
from evonet.types import FloatArray, IntArray

NO_ID = -1
"""The id of an elite that was added without one."""


@dataclass(frozen=True, eq=False)
class Elite:
    """One solution of an archive.

    Attributes:
        genome: its genome, `(genome_size,)`.
        fitness: its fitness, as it was when it was added.
        measures: its measures by name, as they were when it was added.
        id: its id in the run; -1 if it was added without one.
        cell: the number of its cell; in an archive without cells, its row.
    """

    genome: FloatArray
    fitness: float
    measures: dict[str, float]
    id: int
    cell: int

    def __repr__(self) -> str:
        measured = ", ".join(f"{name} {short_number(value)}" for name, value in self.measures.items())
        return f"<Elite: fitness {short_number(self.fitness)}, {measured}>"


@dataclass(frozen=True, eq=False)
class Elites:
    """The solutions of an archive as arrays, a row each, in the order in which their cells were first filled.

    Attributes:
        genomes: `(n, genome_size)`.
        fitness: `(n,)`.
        measures: `(n, k)`.
        ids: ids in the run, `(n,)`; -1 for those added without one.
        cells: numbers of their cells, `(n,)`.
        measure_names: the names of the k measures.
    """

    genomes: FloatArray
    fitness: FloatArray
    measures: FloatArray
    ids: IntArray
    cells: IntArray
    measure_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.fitness)

    def __getitem__(self, row: int) -> Elite:
        return Elite(
            self.genomes[row].copy(),
            float(self.fitness[row]),
            dict(zip(self.measure_names, self.measures[row].tolist(), strict=True)),
            int(self.ids[row]),
            int(self.cells[row]),
        )

    @property
    def best(self) -> Elite | None:
        """The fittest; the first of several; None if there is none."""
        return self[int(np.argmax(self.fitness))] if len(self) else None

    def to_frame(self) -> Any:
        """A pandas DataFrame: a row for each elite, with cell, id, fitness and the measures as columns.

        Raises:
            EvonetError: pandas is not installed.
        """
        measured = {name: self.measures[:, column] for column, name in enumerate(self.measure_names)}
        columns = {"cell": self.cells, "id": self.ids, "fitness": self.fitness, **measured}
        return pandas_for("Elites.to_frame").DataFrame(columns)

    def __repr__(self) -> str:
        return f"<{len(self)} elites over {', '.join(self.measure_names)}>"
