"""Figures of runs with several objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonet.inspection.analysis.front import Front, ValidatedFront
from evonet.inspection.phrases import number, shortened
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    SERIES,
    TARGET,
    Axes,
    axes_for,
    colour_range,
    legend,
    mark_each,
    package,
)
from evonet.types import FloatArray, IntArray

_SHAPES = ("o", "s", "^", "D", "v", "P")


def pareto_front(
    front: Front,
    objectives: tuple[int, int] = (0, 1),
    chosen: int | None = None,
    ax: Axes | None = None,
    validated: ValidatedFront | None = None,
) -> Axes:
    """The last population over two objectives: the Pareto front, all others, and one that was chosen.

    Args:
        front: a front from `evonet.inspection.analysis.front`.
        objectives: the columns of the horizontal and the vertical axis.
        chosen: id of an individual that gets a ring, such as the champion.
        ax: axes to draw on; by default new ones.
        validated: the front's individuals on held-out episodes, to which thin lines lead.
    """
    ax = axes_for(ax)
    (across, up), names = objectives, list(front.directions)
    values, _ = colour_range(front.values)
    x, y = values[:, across], values[:, up]
    if validated is not None:
        moved = _join(validated, objectives, TARGET, ax, "on held-out episodes")
        mark_each(moved, "held-out", _in_words(validated.ids, names, validated.held_out, " on held-out episodes"))
    ax.scatter(x[~front.best], y[~front.best], s=12, color=MUTED, alpha=0.6, linewidths=0, label="others")
    order = np.flatnonzero(front.best)[np.argsort(x[front.best], kind="stable")]
    points = ax.scatter(x[order], y[order], s=22, color=POSITIVE, linewidths=0)
    mark_each(points, "front", _in_words(front.ids[order], names, front.values[order]))
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
    validated: Mapping[str, Sequence[ValidatedFront]] | None = None,
) -> Axes:
    """The Pareto fronts of several runs or studies over two objectives.

    Args:
        fronts: the fronts of the runs of each, by name, all over the same objectives.
        objectives: the columns of the horizontal and the vertical axis.
        reference: a point that gets a cross, such as that from which hypervolumes count, `(m,)`.
        ax: axes to draw on; by default new ones.
        validated: the fronts' individuals on held-out episodes, by name, to which thin lines lead.
    """
    ax = axes_for(ax)
    directions: dict[str, str] = {}
    for index, (name, each) in enumerate(fronts.items()):
        colour, shape = SERIES[index % len(SERIES)], _SHAPES[index % len(_SHAPES)]
        for checked in (validated or {}).get(name, ()):
            _join(checked, objectives, colour, ax)
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


def _join(
    validated: ValidatedFront, objectives: tuple[int, int], colour: str, ax: Axes, label: str | None = None
) -> Any:
    """Draw individuals on held-out episodes as rings, and a thin line from each one's place in training."""
    ends = [colour_range(each[:, list(objectives)])[0] for each in (validated.training, validated.held_out)]
    lines = package("matplotlib.collections").LineCollection(
        list(np.stack(ends, axis=1)), colors=colour, linewidths=0.5, alpha=0.6
    )
    ax.add_collection(lines)
    return ax.scatter(*ends[1].T, s=14, facecolors="none", edgecolors=colour, linewidths=0.9, label=label)


def _in_words(ids: IntArray, names: Sequence[str], values: FloatArray, where: str = "") -> list[str]:
    rows = zip(ids.tolist(), values.tolist(), strict=True)
    return [
        f"individual {each}{where}: "
        + ", ".join(f"{shortened(name)} {number(value)}" for name, value in zip(names, row, strict=True))
        for each, row in rows
    ]


def _label_axes(ax: Axes, directions: Mapping[str, str], objectives: tuple[int, int]) -> None:
    names = list(directions)
    for label, column in zip((ax.set_xlabel, ax.set_ylabel), objectives, strict=True):
        name = names[column]
        label(f"{shortened(name, 32)} ({'less' if directions[name] == 'minimise' else 'more'} is better)")
