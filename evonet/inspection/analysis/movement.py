"""How far the elites of an archive are on held-out episodes from what they were in training."""

from __future__ import annotations

import numpy as np

from evonet.archives.archive import Archive
from evonet.elite_validation import HeldOutResults
from evonet.types import FloatArray


@np.errstate(over="ignore", invalid="ignore")  # untrusted files may hold any number
def distances_moved(archive: Archive, held_out: HeldOutResults) -> FloatArray:
    """The distance of each elite's measures from training to held-out episodes, `(n,)`; NaN where an episode failed.

    Args:
        archive: the archive; each measure counts in units of its range, or of the elites' spread.
        held_out: its elites on held-out episodes.
    """
    moved = (held_out.measures - archive.elites.measures) / measure_widths(archive)
    distance: FloatArray = np.sqrt(np.square(moved).sum(axis=1))
    return np.where(np.isfinite(distance), distance, np.nan)


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
