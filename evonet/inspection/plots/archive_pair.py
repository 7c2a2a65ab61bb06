"""The figure of two archives' difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.archives.cells import CellArchive
from evonet.archives.cvt import CVTArchive
from evonet.archives.grid import GridArchive
from evonet.inspection.plots.archive import as_cells, axis_ends, cell_table, coarse, dot_size
from evonet.inspection.plots.palette import Axes, axes_for, colour_range, diverging, package
from evonet.types import FloatArray

_ONLY = ("#b9bec6", "#6d747e")  # greys, of cells that only the first or the second has


def have_same_cells(first: Archive, second: Archive) -> bool:
    """Whether two archives divide the same measures into the same cells."""
    if not isinstance(first, CellArchive) or type(first) is not type(second):
        return False
    mine, other = getattr(first, "ranges", None), getattr(second, "ranges", None)
    if mine is None or list(mine.items()) != list((other or {}).items()) or first.num_cells != second.num_cells:
        return False
    if isinstance(first, GridArchive) and isinstance(second, GridArchive):
        return first.shape == second.shape
    if isinstance(first, CVTArchive) and isinstance(second, CVTArchive):
        return np.array_equal(first.centroids, second.centroids)
    return False


@np.errstate(over="ignore", invalid="ignore")  # untrusted files may hold any number
def archive_difference(
    first: Archive, second: Archive, names: tuple[str, str] = ("the first", "the second"), ax: Axes | None = None
) -> Axes:
    """The fitness of one archive's elites less that of another's, cell by cell: blue where the first is fitter.

    A grid over two measures is drawn as its cells, grey where only one archive has an elite. Elsewhere each cell that
    both have is a point, at its centroid or at the first archive's elite; with one measure, its height is the
    difference.

    Args:
        first: an archive.
        second: an archive with the same cells.
        names: what the legend calls them.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
        ValueError: the archives do not have the same measures and cells.
    """
    if not have_same_cells(first, second):
        raise ValueError("archive_difference must get two archives with the same measures, ranges and cells")
    ax = axes_for(ax)
    drawn = _draw_cells(first, second, names, ax) if as_cells(first) else _draw_points(first, second, ax)
    measures = first.measure_names
    ax.set_xlabel(measures[0])
    ax.set_ylabel(measures[1] if len(measures) > 1 else "difference")
    ax.locator_params(axis="x", nbins=5)  # more labels would run into each other
    ax.figure.colorbar(drawn, ax=ax, label="difference in fitness")
    return ax


def _draw_cells(first: Any, second: Any, names: tuple[str, str], ax: Axes) -> Any:
    mine, other = (coarse(cell_table(each, each.elites.cells, each.elites.fitness)) for each in (first, second))
    across, up = (axis_ends(first.ranges[name]) for name in first.measure_names)
    style = {"origin": "lower", "extent": (*across, *up), "aspect": "auto", "interpolation": "none"}
    only = np.where(np.isfinite(mine) & ~np.isfinite(other), 0.0, np.nan)
    only[np.isfinite(other) & ~np.isfinite(mine)] = 1.0
    colours = package("matplotlib.colors").ListedColormap(_ONLY)
    ax.imshow(only, cmap=colours, vmin=0.0, vmax=1.0, **style)
    difference, most = _bounded(mine, other)
    drawn = ax.imshow(difference, cmap=diverging(), vmin=-most, vmax=most, **style)
    patch = package("matplotlib.patches").Patch
    handles = [patch(color=colour, label=f"only {name}") for colour, name in zip(_ONLY, names, strict=True)]
    ax.legend(
        handles=handles, frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2,
        borderaxespad=0.2,
    )  # fmt: skip
    return drawn


def _draw_points(first: Any, second: Any, ax: Axes) -> Any:
    mine, other = first.elites, second.elites
    _, rows, others = np.intersect1d(mine.cells, other.cells, return_indices=True)
    places = first.centroids[mine.cells[rows]] if isinstance(first, CVTArchive) else mine.measures[rows]
    difference, most = _bounded(mine.fitness[rows], other.fitness[others])
    across = axis_ends(first.ranges[first.measure_names[0]])
    ax.set_xlim(*across)
    y = difference
    if len(first.measure_names) > 1:
        up = axis_ends(first.ranges[first.measure_names[1]])
        ax.set_ylim(*up)
        y = np.clip(places[:, 1], *up)
    style = {"cmap": diverging(), "vmin": -most, "vmax": most, "linewidths": 0.3, "edgecolors": "#8a929c"}
    return ax.scatter(np.clip(places[:, 0], *across), y, c=difference, s=dot_size(len(rows)), clip_on=False, **style)


def _bounded(mine: FloatArray, other: FloatArray) -> tuple[FloatArray, float]:
    """The difference, and the greatest absolute one of 98 % of the cells."""
    difference, _ = colour_range(mine - other) if mine.size else (mine, 1.0)
    known = np.abs(difference[np.isfinite(difference)])
    if not known.size:
        return difference, 1.0
    most = float(np.sort(known)[int(0.98 * (known.size - 1))])
    return difference, most if most > 1e-290 else 0.5
