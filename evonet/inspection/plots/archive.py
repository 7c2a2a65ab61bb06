"""Figures of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.archives.grid import GridArchive
from evonet.inspection.phrases import number, shortened
from evonet.inspection.plots.palette import (
    MUTED,
    POSITIVE,
    Axes,
    axes_for,
    colour_range,
    finite_span,
    mark_each,
    package,
)
from evonet.inspection.plots.palette import sequential as colours
from evonet.types import FloatArray, IntArray

MAX_POINTS = 4_000
"""The greatest number of elites that are drawn as points with values under the pointer."""

MAX_CELLS = 40_000
"""The greatest number of cells that are drawn one by one; of more, each square shows the fittest of some cells."""

_MIN_SHARE = 0.02  # of the elites, which have the darkest colour; few are very unfit
_MIN_WIDTH = 1e-290  # Matplotlib cannot label an axis of less
_WIDEST_NAME = 32

Limits = tuple[float, float]
"""The fitness of the darkest and of the lightest colour."""


def archive_heatmap(
    archive: Archive,
    x: str | None = None,
    y: str | None = None,
    values: FloatArray | None = None,
    ax: Axes | None = None,
    limits: Limits | None = None,
) -> Axes:
    """The fitness of an archive's elites over two measures.

    A grid over two measures is drawn as its cells; where it has more than 40,000, each square shows the fittest of
    some. Elsewhere, and with more measures, each elite is a point; the fittest are on top. With one measure, the
    vertical axis is the fitness.

    Args:
        archive: an archive, such as `load_run(…).archive`.
        x: the measure of the horizontal axis; by default the first.
        y: the measure of the vertical axis; by default the second, or the only one again.
        values: a number for each elite instead of its fitness, `(n,)`, such as that on held-out episodes.
        ax: axes to draw on; by default new ones.
        limits: fitness of the darkest and of the lightest colour; by default `colour_limits`.

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
    low, high = colour_limits(shown) if limits is None else limits
    style = {"cmap": colours(), "vmin": low, "vmax": high}
    if as_cells(archive) and across != up:
        drawn = _draw_cells(archive, cell_table(archive, elites.cells, shown), across, up, ax, style)
    else:
        drawn = _draw_points(archive, shown, across, up, ax, style)
    ax.set_xlabel(shortened(across, _WIDEST_NAME))
    ax.set_ylabel("fitness" if across == up else shortened(up, _WIDEST_NAME))
    ax.locator_params(axis="x", nbins=5)  # more labels would run into each other
    least = np.nanmin(shown, where=np.isfinite(shown), initial=np.inf)
    ax.figure.colorbar(drawn, ax=ax, label="fitness", extend="min" if least < low else "neither")
    return ax


def colour_limits(*values: FloatArray) -> Limits:
    """Fitness of the darkest and of the lightest colour: the best, and the value that 2 % are below.

    Args:
        values: the fitness of elites, `(n,)` each; figures that are drawn with the same limits can be compared.
    """
    known = np.concatenate([each[np.isfinite(each)] for each in values])
    if not known.size:
        return finite_span(known)
    bounded, _ = colour_range(known)
    low, high = np.sort(bounded)[[int(_MIN_SHARE * known.size), -1]].tolist()
    return axis_ends((low, high))


def as_cells(archive: Archive) -> bool:
    """Whether the heatmap shows the cells of this archive, and not a point for each elite."""
    return isinstance(archive, GridArchive) and len(archive.measure_names) == 2


def cell_table(archive: Any, cells: IntArray, values: FloatArray) -> FloatArray:
    """A number for each cell of a grid over two measures, a row for each cell of the second; NaN for empty cells."""
    table = np.full(archive.num_cells, np.nan)
    table[cells] = values
    return table.reshape(archive.shape).T


def point_order(archive: Archive, values: FloatArray) -> IntArray:
    """The rows of the elites that are drawn as points, in the order of drawing: the fittest last."""
    order = np.argsort(np.where(np.isfinite(values), values, -np.inf), kind="stable")
    return order[np.isfinite(archive.elites.measures[order]).all(axis=1)]


def mark_cells(places: FloatArray, letters: Sequence[str], ax: Axes) -> None:
    """Write a letter beside each of the `places (n, 2)` of a heatmap; those beyond its ends are marked there."""
    corners = np.sort([ax.get_xlim(), ax.get_ylim()], axis=1)
    places = np.clip(places, corners[:, 0], corners[:, 1])
    ax.autoscale(enable=False)
    halo = [package("matplotlib.patheffects").withStroke(linewidth=2.5, foreground="white")]
    ring = {"markersize": 5, "markerfacecolor": "white", "markeredgecolor": "#1b1f24", "clip_on": False, "zorder": 0.9}
    ax.plot(*places.T, "o", **ring)  # above cells, and below points, which the pointer must reach
    for place, letter in zip(places, letters, strict=True):
        text = ax.annotate(letter, place, xytext=(4, 3), textcoords="offset points", fontsize="small", color="#1b1f24")
        text.set_path_effects(halo)


def held_out_scatter(archive: Archive, held_out: FloatArray, ax: Axes | None = None) -> Axes:
    """Each elite by its fitness in training and on held-out episodes; those below the line were lucky.

    Args:
        archive: an archive.
        held_out: the elites' fitness on held-out episodes, `(n,)`.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    ax = axes_for(ax)
    elites = archive.elites
    known = np.flatnonzero(np.isfinite(held_out) & np.isfinite(elites.fitness))
    x, y = (colour_range(each[known])[0] if known.size else each[known] for each in (elites.fitness, held_out))
    low, high = colour_limits(x, y)
    edge = 0.03 * (high / 4 - low / 4) * 4
    ends = [low - edge, high + edge]
    ax.plot(ends, ends, color=MUTED, linewidth=1.0, label="_the same in both")
    many = known.size > MAX_POINTS
    points = ax.scatter(x, y, s=dot_size(known.size), linewidths=0, color=POSITIVE, alpha=0.6, rasterized=many)
    if not many:
        rows = zip(elites.fitness[known], held_out[known], elites.measures[known], strict=True)
        texts = [f"{_in_words(elites.measure_names, *row[::2])}; held-out fitness {number(row[1], 5)}" for row in rows]
        mark_each(points, "elites", texts)
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.set_xlabel("fitness in training")
    ax.set_ylabel("fitness on held-out episodes")
    return ax


def _draw_cells(archive: Any, table: FloatArray, across: str, up: str, ax: Axes, style: dict[str, Any]) -> Any:
    table = table if across == archive.measure_names[0] else table.T
    extent = (*axis_ends(archive.ranges[across]), *axis_ends(archive.ranges[up]))
    table, _ = colour_range(coarse(table))
    return ax.imshow(table, origin="lower", extent=extent, aspect="auto", interpolation="none", **style)


def coarse(table: FloatArray) -> FloatArray:
    """The table, or one of at most 40,000 squares with the greatest number of those that each has."""
    while table.size > MAX_CELLS:
        axis = int(table.shape[1] >= table.shape[0])
        pairs = np.moveaxis(table, axis, 0)
        if len(pairs) % 2:
            pairs = np.concatenate([pairs, np.full((1, pairs.shape[1]), np.nan)])
        table = np.moveaxis(np.fmax(pairs[::2], pairs[1::2]), 0, axis)
    return table


def _draw_points(archive: Archive, shown: FloatArray, across: str, up: str, ax: Axes, style: dict[str, Any]) -> Any:
    elites, names = archive.elites, archive.measure_names
    order = point_order(archive, shown)
    bounded, _ = colour_range(shown)
    ranges: dict[str, tuple[float, float]] = getattr(archive, "ranges", {})
    columns: list[FloatArray] = []
    for name, set_ends in ((across, ax.set_xlim), (up, ax.set_ylim)):
        column, _ = colour_range(elites.measures[order, names.index(name)])
        if len(columns) == 1 and across == up:
            column = bounded[order]
        elif name in ranges:  # measures beyond a range count as its end
            ends = axis_ends(ranges[name])
            column = np.clip(column, *ends)
            set_ends(*ends)
        columns.append(column)
    many = len(order) > MAX_POINTS
    looks = {"s": dot_size(len(order)), "linewidths": 0, "rasterized": many, "clip_on": False}
    drawn = ax.scatter(*columns, c=bounded[order], **looks, **style)
    if not many:
        texts = (_in_words(names, *row) for row in zip(shown[order], elites.measures[order], strict=True))
        mark_each(drawn, "elites", list(texts))
    return drawn


def axis_ends(span: tuple[float, float]) -> tuple[float, float]:
    """The ends of a measure's range, changed if Matplotlib could not label the axis."""
    (low, high), _ = colour_range(np.array(span, dtype=np.float64))
    return (float(low), float(high)) if high - low > _MIN_WIDTH else (float(low) - 0.5, float(high) + 0.5)


def dot_size(count: int) -> float:
    """The area of a dot in square points, where there are so many."""
    return 36.0 if count < 300 else 12.0 if count < 1_000 else 5.0


def _in_words(names: Sequence[str], fitness: float, measures: FloatArray) -> str:
    parts = [f"{shortened(name)} {number(value, 4)}" for name, value in zip(names, measures.tolist(), strict=True)]
    return ", ".join([f"fitness {number(fitness, 5)}", *parts])


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
    known = np.isfinite(elites.measures).all(axis=1)
    measures, _ = colour_range(elites.measures[known])
    fitness, _ = colour_range(elites.fitness[known])
    low, width = measures.min(axis=0, initial=np.inf), np.ptp(measures, axis=0) if len(measures) else 0.0
    heights = (measures - low) / np.where(width > 0, width, 1.0)
    order = np.argsort(fitness, kind="stable")
    places = np.broadcast_to(np.arange(heights.shape[1], dtype=np.float64), heights.shape)
    lines = collections.LineCollection(
        list(np.stack([places, heights], axis=2)[order]), cmap=colours(), linewidths=0.6, alpha=0.7,
        rasterized=len(order) > MAX_POINTS,
    )  # fmt: skip
    lines.set_array(fitness[order])
    lines.set_clim(*colour_limits(fitness))
    ax.add_collection(lines)
    ax.set_xlim(-0.2, heights.shape[1] - 0.8)
    ax.set_ylim(-0.02, 1.02)
    ends = zip(archive.measure_names, low, low + width, strict=True)
    labels = [f"{shortened(name)}\n{least:.3g} to {most:.3g}" for name, least, most in ends]
    ax.set_xticks(range(heights.shape[1]), labels)
    ax.set_yticks([])
    ax.figure.colorbar(lines, ax=ax, label="fitness")
    return ax
