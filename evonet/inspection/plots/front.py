"""Figures of runs with several objectives."""

from __future__ import annotations

import numpy as np

from evonet.inspection.analysis.front import Front
from evonet.inspection.phrases import number
from evonet.inspection.plots.palette import MUTED, NEGATIVE, POSITIVE, Axes, axes_for, legend, mark_each


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
    for label, name in ((ax.set_xlabel, names[across]), (ax.set_ylabel, names[up])):
        label(f"{name} ({'less' if front.directions[name] == 'minimise' else 'more'} is better)")
    legend(ax)
    return ax
