"""An archive at some generations, as the levels of colour that the page's slider shows in its heatmap."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.inspection.archive_history import archive_snapshots
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import counted, number
from evonet.inspection.plots.archive import MAX_POINTS, Limits, as_cells, cell_table, point_order
from evonet.inspection.plots.palette import sequential
from evonet.types import FloatArray

_MAX_FRAMES = 20
_MAX_NUMBERS = 250_000  # levels of all frames
_LEVELS = 255  # 0 is for an empty cell


def archive_frames(run: LoadedRun, archive: Archive, key: str, limits: Limits) -> dict[str, Any] | None:
    """Data for the page's script; None if the archive has no cells, too many of them, or no snapshots were written.

    Args:
        run: the run.
        archive: its archive, as it is drawn in the figure `key`.
        key: the key of the figure.
        limits: fitness of the darkest and of the lightest colour.

    Raises:
        ConfigError: a file of the run cannot be read.
    """
    squares = archive.num_cells if as_cells(archive) else len(archive)
    if not archive.num_cells or not squares or (not as_cells(archive) and len(archive) > MAX_POINTS):
        return None
    elites = archive.elites
    snapshots = archive_snapshots(run, min(_MAX_FRAMES, _MAX_NUMBERS // squares))
    last = len(run.metrics.get("generation", ())) - 1
    earlier = [each for each in snapshots if each.generation < last]
    if not earlier:
        return None
    frames = []
    for generation, cells, fitness in [*earlier, (last, elites.cells, elites.fitness)]:
        score = float(fitness.sum()) - len(fitness) * archive.offset
        best = number(float(fitness.max()))
        text = f"generation {generation}: {counted(len(fitness), 'elite')}, QD score {number(score, 7)}, best {best}"
        if as_cells(archive):
            values = cell_table(archive, cells, fitness).ravel()
        else:
            table = np.full(archive.num_cells, np.nan)
            table[cells] = fitness
            values = table[elites.cells[point_order(archive, elites.fitness)]]
        frames.append({"label": text, "levels": _levels(values, limits)})
    palette = sequential()(np.linspace(0.0, 1.0, _LEVELS))
    colours = (255 * palette[:, :3]).round().astype(np.uint8).tobytes()
    return {
        "figure": key,
        "cells": as_cells(archive),
        "frames": frames,
        "limits": list(limits),
        "colours": base64.b64encode(colours).decode("ascii"),
    }


@np.errstate(over="ignore", invalid="ignore")
def _levels(values: FloatArray, limits: Limits) -> str:
    """A byte for each value, in base 64: 0 for NaN, and 1 to 255 from the lower to the upper limit."""
    low, high = limits
    share = np.clip((values / 4 - low / 4) / (high / 4 - low / 4), 0.0, 1.0)
    levels = np.where(np.isfinite(values), 1 + np.rint(np.nan_to_num(share) * (_LEVELS - 1)), 0).astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode("ascii")
