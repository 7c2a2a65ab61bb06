"""Figures of an archive."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.inspection.plots.palette import Axes, axes_for, package, sequential
from evonet.types import FloatArray


def archive_heatmap(
    archive: Archive,
    x: str | None = None,
    y: str | None = None,
    values: FloatArray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The fitness of an archive's elites over two measures.

    A grid over two measures is drawn as its cells. Elsewhere, and with more measures, each elite is a point; the
    fittest are on top.

    Args:
        archive: an archive, such as `load_run(…).archive`.
        x: the measure of the horizontal axis; by default the first.
        y: the measure of the vertical axis; by default the second, or the only one again.
        values: a number for each elite instead of its fitness, `(n,)`, such as that on held-out episodes.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
        ValueError: a measure is not one of the archive's.
    """
    ax = axes_for(ax)
    names = archive.measure_names
    across, up = x or names[0], y or names[min(1, len(names) - 1)]
    for name in (across, up):
        if name not in names:
            raise ValueError(f"archive_heatmap must get measures among {', '.join(names)}, got {name!r}")
    elites = archive.elites
    shown = elites.fitness if values is None else np.asarray(values, dtype=np.float64)
    edges: dict[str, FloatArray] | None = getattr(archive, "edges", None)
    if edges is not None and len(names) == 2 and across != up:
        drawn: Any = ax.pcolormesh(edges[across], edges[up], _cells(archive, shown, across), cmap=sequential())
    else:
        order = np.argsort(np.where(np.isfinite(shown), shown, -np.inf), kind="stable")
        columns = [elites.measures[order, names.index(name)] for name in (across, up)]
        drawn = ax.scatter(*columns, c=shown[order], s=9, linewidths=0, cmap=sequential())
    for axis, name in ((ax.set_xlim, across), (ax.set_ylim, up)):
        ranges: dict[str, tuple[float, float]] = getattr(archive, "ranges", {})
        if name in ranges:
            axis(*ranges[name])
    ax.set_xlabel(across)
    ax.set_ylabel(up)
    ax.figure.colorbar(drawn, ax=ax, label="fitness")
    return ax


def parallel_axes(archive: Archive, ax: Axes | None = None) -> Axes:
    """Each elite as a line over all measures, each on an axis of its own, coloured by fitness.

    Args:
        archive: an archive.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    ax = axes_for(ax)
    collections = package("matplotlib.collections")
    elites = archive.elites
    low, width = elites.measures.min(axis=0), np.ptp(elites.measures, axis=0)
    heights = (elites.measures - low) / np.where(width > 0, width, 1.0)
    order = np.argsort(elites.fitness, kind="stable")
    places = np.broadcast_to(np.arange(heights.shape[1], dtype=np.float64), heights.shape)
    lines = collections.LineCollection(
        list(np.stack([places, heights], axis=2)[order]), cmap=sequential(), linewidths=0.6, alpha=0.7
    )
    lines.set_array(elites.fitness[order])
    ax.add_collection(lines)
    ax.set_xlim(-0.2, heights.shape[1] - 0.8)
    ax.set_ylim(-0.02, 1.02)
    ends = zip(archive.measure_names, low, low + width, strict=True)
    ax.set_xticks(range(heights.shape[1]), [f"{name}\n{least:.3g} to {most:.3g}" for name, least, most in ends])
    ax.set_yticks([])
    ax.figure.colorbar(lines, ax=ax, label="fitness")
    return ax


def _cells(archive: Any, shown: FloatArray, across: str) -> FloatArray:
    """A number for each cell of a grid over two measures, with `across` along the columns; NaN for an empty cell."""
    table = np.full(archive.num_cells, np.nan)
    table[archive.elites.cells] = shown
    grid = table.reshape(archive.shape)
    return grid.T if across == archive.measure_names[0] else grid
