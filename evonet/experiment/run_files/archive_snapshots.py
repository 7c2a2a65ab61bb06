"""How an archive filled: its cells and their fitness at some generations of a run, in the journal `archive.jsonl`.

A line has the generation and the places of two arrays in the file of arrays. There are four snapshots in each doubling
of the generations, because an archive changes fast at first, and slowly later; so the journal of a long run is short.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.files.fields import Fields
from evonet.files.numbers import array_at
from evonet.types import FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.archives.archive import Archive

MAX_CELLS = 10_000
"""The greatest number of cells of an archive whose snapshots are written."""

_DIGITS = 3  # binary digits of a snapshot's generation that need not be 0


class ArchiveSnapshot(NamedTuple):
    """The archive of a run after one of its generations.

    Attributes:
        generation: the number of the generation.
        cells: the cells that had an elite, `(n,)`.
        fitness: the fitness of their elites, `(n,)`.
    """

    generation: int
    cells: IntArray
    fitness: FloatArray


def has_snapshot(generation: int, archive: Archive) -> bool:
    """Whether the archive is written after this generation: 0 to 8, 10, 12, 14, 16, 20, 24, 28, 32, 40 and so on."""
    if not archive.num_cells or archive.num_cells > MAX_CELLS or not len(archive):
        return False
    return generation % (1 << max(0, generation.bit_length() - _DIGITS)) == 0


def snapshot_entry(directory: RunDirectory, generation: int, archive: Archive) -> dict[str, Any]:
    """The line of the journal; the arrays are stored in `directory`."""
    elites = archive.elites
    return {
        "generation": generation,
        "elites": len(elites),
        "cells": directory.store(elites.cells.astype(np.float64)),
        "fitness": directory.store(elites.fitness),
    }


def snapshot_from(fields: Fields, num_cells: int, arrays: IO[bytes]) -> ArchiveSnapshot:
    """The snapshot in a line of the journal.

    Args:
        fields: the line.
        num_cells: the number of the archive's cells.
        arrays: the file of arrays.

    Raises:
        ValueError: the line is not valid, or does not fit the archive or the file.
    """
    fields.allow_only("generation", "elites", "cells", "fitness")
    generation, elites = fields.integer("generation"), fields.integer("elites", 1, num_cells)
    numbers, fitness = (array_at(arrays, fields.fields(name), elites) for name in ("cells", "fitness"))
    if not ((numbers >= 0) & (numbers < num_cells) & (numbers == np.trunc(numbers))).all():
        raise ValueError(f"archive.cells must be whole numbers from 0 to {num_cells - 1}")
    if not np.isfinite(fitness).all():
        raise ValueError("archive.fitness must be finite")
    return ArchiveSnapshot(generation, numbers.astype(np.int64), fitness)
