"""How far the elites of an archive are on held-out episodes from what they were in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonet.archives.archive import Archive
from evonet.elite_validation import HeldOut
from evonet.types import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Movement:
    """The change of each of an archive's n elites from training to held-out episodes; NaN where an episode failed.

    Attributes:
        fitness: held-out fitness less fitness in training, `(n,)`.
        distance: distance of the measures, each in units of its range or of the elites' spread, `(n,)`.
        stays: whether an elite is in the same cell in both, `(n,)`; None for an archive without cells.
    """

    fitness: FloatArray
    distance: FloatArray
    stays: BoolArray | None


@np.errstate(over="ignore", invalid="ignore")  # files of strangers may hold any number
def movement(archive: Archive, checked: HeldOut) -> Movement:
    """How far the elites of `archive` moved.

    Args:
        archive: the archive.
        checked: its elites on held-out episodes.
    """
    elites = archive.elites
    width = measure_widths(archive)
    distance = np.sqrt(np.square((checked.measures - elites.measures) / width).sum(axis=1))
    change = checked.fitness - elites.fitness
    known = np.isfinite(distance) & np.isfinite(change)
    stays = None
    cells_of = getattr(archive, "cells_of", None)
    if cells_of is not None:
        stays = np.zeros(len(known), dtype=np.bool_)
        stays[known] = cells_of(checked.measures[known]) == elites.cells[known]
    return Movement(np.where(known, change, np.nan), np.where(known, distance, np.nan), stays)


@np.errstate(over="ignore", invalid="ignore")
def measure_widths(archive: Archive) -> FloatArray:
    """The width of each measure's range, `(k,)`, or of the elites' measures in an archive without ranges."""
    ranges: dict[str, tuple[float, float]] | None = getattr(archive, "ranges", None)
    if ranges is not None:
        width = np.array([high - low for low, high in ranges.values()])
    else:
        measures = archive.elites.measures
        width = np.ptp(measures, axis=0) if len(measures) else np.ones(len(archive.measure_names))
    return np.where(np.isfinite(width) & (width > 0), width, 1.0)
