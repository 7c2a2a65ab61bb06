"""Figures of runs with several objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evonet.inspection.analysis.front import Front
from evonet.inspection.phrases import number, shortened
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    SERIES,
    Axes,
    axes_for,
    colour_range,
    legend,
    mark_each,
)
from evonet.types import FloatArray

_SHAPES = ("o", "s", "^", "D", "v", "P")


def pareto_front(
    front: Front, objectives: tuple[int, int] = (0, 1), chosen: int | None = None, ax: Axes | None = None
) -> Axes:
    """The last population over two objectives: the Pareto front, all others, and one that was chosen.

    Args:
        front: a front from `evonet.inspection.analysis.front`.
        objectives: the columns of the horizontal and the vertical axis.
        chosen: id of an individual that gets a ring, such as the champion.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    (across, up), names = objectives, list(front.directions)
    x, y = front.values[:, across], front.values[:, up]
    ax.scatter(x[~front.best], y[~front.best], s=12, color=MUTED, alpha=0.6, linewidths=0, label="others")
    order = np.flatnonzero(front.best)[np.argsort(x[front.best], kind="stable")]
    points = ax.scatter(x[order], y[order], s=22, color=POSITIVE, linewidths=0)
    named = [zip(names, front.values[row].tolist(), strict=True) for row in order]
    words = [", ".join(f"{name} {number(value)}" for name, value in each) for each in named]
    mark_each(points, "front", [f"individual {front.ids[row]}: {text}" for row, text in zip(order, words, strict=True)])
    width = 0.8 if len(names) == 2 else 0.0  # with more objectives, the front over two of them is no line
    ax.plot(x[order], y[order], color=POSITIVE, linewidth=width, marker=".", markersize=4, label="Pareto front")
    place = np.flatnonzero(front.ids == chosen)
    if place.size:
        ax.scatter(x[place], y[place], s=90, facecolors="none", edgecolors=NEGATIVE, linewidths=1.6, label="champion")
    _label_axes(ax, front.directions, objectives)
    legend(ax)
    return ax


def several_fronts(
    fronts: Mapping[str, Sequence[Front]],
    objectives: tuple[int, int] = (0, 1),
    reference: FloatArray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The Pareto fronts of several runs or studies over two objectives.

    Args:
        fronts: the fronts of the runs of each, by name, all over the same objectives.
        objectives: the columns of the horizontal and the vertical axis.
        reference: a point that gets a cross, such as that from which hypervolumes count, `(m,)`.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    directions: dict[str, str] = {}
    for index, (name, each) in enumerate(fronts.items()):
        colour, shape = SERIES[index % len(SERIES)], _SHAPES[index % len(_SHAPES)]
        for place, front in enumerate(each):
            directions = front.directions
            values, _ = colour_range(front.values[front.best])
            points = values[np.argsort(values[:, objectives[0]], kind="stable")][:, list(objectives)]
            line = {"linewidth": 0.8 if len(directions) == 2 else 0.0, "drawstyle": "default", "alpha": 0.8}
            label = {"label": f" {name}" if name.startswith("_") else name} if place == 0 else {}
            ax.plot(*points.T, color=colour, marker=shape, markersize=4, **line, **label)
    if reference is not None:
        bounded, _ = colour_range(reference)
        ax.plot(*bounded[list(objectives)], "x", color=MUTED, markersize=8)
    _label_axes(ax, directions, objectives)
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, borderaxespad=0.2)
    return ax


def _label_axes(ax: Axes, directions: Mapping[str, str], objectives: tuple[int, int]) -> None:
    names = list(directions)
    for label, column in zip((ax.set_xlabel, ax.set_ylabel), objectives, strict=True):
        name = names[column]
        label(f"{shortened(name, 32)} ({'less' if directions[name] == 'minimise' else 'more'} is better)")
