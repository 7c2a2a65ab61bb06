"""The figure of what a novelty search found."""

from __future__ import annotations

from evonet.environments.known import GroundPlan
from evonet.inspection.analysis.novelty import NoveltyFound
from evonet.inspection.phrases import shortened
from evonet.inspection.plots.palette import MUTED, NEGATIVE, TARGET, Axes, axes_for, sequential

_SPOT_COLOURS = {"start": MUTED, "goal": NEGATIVE}


def novelty_map(found: NoveltyFound, ax: Axes | None = None) -> Axes:
    """The behaviours in the archive of a novelty search, later ones lighter, over the plan of the ground if known.

    Args:
        found: what the search found, from `novelty_found`.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes: the first two measures; the number of the individual and the measure where there is only one.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    ax = axes_for(ax)
    archive, names = found.archive, [shortened(name, 32) for name in found.archive.measure_names]
    columns = [archive.ids, archive.measures[:, 0]] if len(names) == 1 else list(archive.measures.T[:2])
    if found.plan is not None:
        _draw_plan(found.plan, ax)
    ax.scatter(*columns, c=archive.ids, cmap=sequential(), s=9, linewidth=0, zorder=3)
    ax.set_xlabel("individual" if len(names) == 1 else names[0])
    ax.set_ylabel(names[0] if len(names) == 1 else names[1])
    return ax


def _draw_plan(plan: GroundPlan, ax: Axes) -> None:
    for x1, y1, x2, y2 in plan.walls:
        ax.plot([x1, x2], [y1, y2], color=MUTED, linewidth=1.6)
    for name, place in plan.spots.items():
        ax.plot(*place, "o", color=_SPOT_COLOURS.get(name, TARGET), markersize=7, zorder=4)
        ax.annotate(name, place, xytext=(6, 3), textcoords="offset points", fontsize="small")
    ax.set_aspect("equal")
    if plan.downwards:
        ax.invert_yaxis()
