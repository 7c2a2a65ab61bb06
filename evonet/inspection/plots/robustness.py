"""Figures of a champion's robustness."""

from __future__ import annotations

import numpy as np

from evonet.inspection.analysis.robustness import Landscape, Sweep
from evonet.inspection.plots.palette import MUTED, POSITIVE, TARGET, Axes, axes_for, sequential


def robustness_curve(sweep: Sweep, target: float | None = None, ax: Axes | None = None) -> Axes:
    """Mean return over levels, with its 95 % interval; a dashed line marks the level under which the champion evolved.

    Args:
        sweep: a sweep from `evonet.inspection.analysis.robustness`.
        target: least mean return at which the task is solved.
        ax: axes to draw on; by default new ones.
    """
    ax = axes_for(ax)
    ax.fill_between(sweep.levels, sweep.low, sweep.high, color=POSITIVE, alpha=0.2, linewidth=0)
    ax.plot(sweep.levels, sweep.means, color=POSITIVE, marker="o", markersize=4, label="mean return")
    ax.axvline(sweep.own, color=MUTED, linewidth=1.0, linestyle="--")
    if target is not None:
        ax.axhline(target, color=TARGET, linewidth=1.4, linestyle=":", label="target")
        ax.legend(frameon=False, fontsize="small", loc="best")
    ax.set_xlabel(sweep.name)
    ax.set_ylabel("mean return")
    return ax


def landscape_map(landscape: Landscape, ax: Axes | None = None) -> Axes:
    """Mean return in a plane of genomes; the cross in the middle is the champion."""
    ax = axes_for(ax)
    steps = landscape.steps
    shown = np.ma.masked_invalid(landscape.means)
    mesh = ax.pcolormesh(steps, steps, shown, cmap=sequential(), shading="nearest", rasterized=True)
    ax.plot([0], [0], marker="+", markersize=13, markeredgewidth=2.4, color="white")
    ax.plot([0], [0], marker="+", markersize=11, markeredgewidth=1.2, color="black")
    ax.set_aspect("equal")
    ax.set_xlabel("direction 1 (lengths of the weights)")
    ax.set_ylabel("direction 2")
    ax.figure.colorbar(mesh, ax=ax, label="mean return", shrink=0.9, pad=0.02)
    return ax
