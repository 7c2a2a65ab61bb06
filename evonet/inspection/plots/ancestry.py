"""Figures of a champion's ancestry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from evonet.inspection.analysis.ancestry import Family, Payoff
from evonet.inspection.lineage import Ancestor
from evonet.inspection.phrases import made_by
from evonet.inspection.plots.palette import (
    MUTED,
    POSITIVE,
    SERIES,
    Axes,
    axes_for,
    finite_span,
    mark,
    mark_each,
    package,
)
from evonet.types import FloatArray

_WRITTEN_GAINS = 3  # the greatest ones; more would overprint each other
_LEGEND_LETTERS = 100  # in a row of the legend
_MAX_COLUMNS = 3


def descent_tree(family: Family, ax: Axes | None = None) -> Axes:
    """A champion's ancestors over generation and fitness, with a thick line through the first parents.

    The colour of an ancestor on the line shows which operators made the ancestor.
    """
    ax = axes_for(ax, 8.6, 4.0)
    known = {ancestor.individual: ancestor for ancestor in [*family.others.values(), *family.line]}
    floor = finite_span(_fitness(known.values()))[0]
    place = {key: (each.generation, floor if each.fitness is None else each.fitness) for key, each in known.items()}
    pairs = [(place[parent], place[child]) for parent, child in family.edges]
    line = {ancestor.individual for ancestor in family.line}
    in_line = [parent in line and child in line and known[child].parents[0] == parent for parent, child in family.edges]
    collections = package("matplotlib.collections")
    for thick, colour, width, alpha in ((False, MUTED, 0.6, 0.45), (True, POSITIVE, 2.2, 1.0)):
        chosen = [pair for pair, is_thick in zip(pairs, in_line, strict=True) if is_thick is thick]
        ax.add_collection(
            collections.LineCollection(chosen, colors=colour, linewidths=width, alpha=alpha, zorder=1 + thick)
        )
    if family.others:
        x, y = zip(*map(place.__getitem__, family.others), strict=True)
        spots = ax.scatter(x, y, s=9, color=MUTED, alpha=0.8, linewidth=0, zorder=3)
        mark_each(spots, "others", [describe(other) for other in family.others.values()])
    _line(ax, family.line, place)
    ax.set_xlabel("generation of birth")
    ax.set_ylabel("training fitness at birth")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def _line(ax: Axes, line: Sequence[Ancestor], place: dict[int, tuple[int, float]]) -> None:
    makers = list(dict.fromkeys(made_by(ancestor) for ancestor in line))
    style: dict[str, Any] = {"s": 34, "edgecolor": "white", "linewidth": 0.7, "zorder": 4}
    for index, operators in enumerate(makers):
        ax.scatter([], [], color=SERIES[(index + 1) % len(SERIES)], label=operators, **style)
    if line:
        x, y = zip(*(place[ancestor.individual] for ancestor in line), strict=True)
        colours = [SERIES[(makers.index(made_by(ancestor)) + 1) % len(SERIES)] for ancestor in line]
        mark_each(ax.scatter(x, y, color=colours, **style), "line", [describe(ancestor) for ancestor in line])
        _gains(ax, line, place)
        columns = min(_MAX_COLUMNS, _LEGEND_LETTERS // (max(map(len, makers)) + 5)) or 1
        ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns)


def _gains(ax: Axes, line: Sequence[Ancestor], place: dict[int, tuple[int, float]]) -> None:
    """Write the greatest gains above the ancestors that had them."""
    gains = [(each.gain, each.individual) for each in line if each.gain is not None and each.gain > 0]
    for gain, individual in sorted(gains, reverse=True)[:_WRITTEN_GAINS]:
        ax.annotate(
            f"{gain:+.3g}", place[individual], xytext=(0, 7), textcoords="offset points", ha="center",
            fontsize="small",
        )  # fmt: skip


def describe(ancestor: Ancestor) -> str:
    """One line of text about an ancestor: id, generation, fitness, gain and operators."""
    fitness = "could not be scored" if ancestor.fitness is None else f"fitness {ancestor.fitness:.4g}"
    gain = "" if ancestor.gain is None else f" ({ancestor.gain:+.3g})"
    return f"individual {ancestor.individual}, generation {ancestor.generation}: {fitness}{gain}, {made_by(ancestor)}"


def _fitness(ancestors: Iterable[Ancestor]) -> FloatArray:
    return np.array([np.nan if a.fitness is None else a.fitness for a in ancestors], dtype=np.float64)


def payoff_bars(payoffs: Sequence[Payoff], ax: Axes | None = None) -> Axes:
    """The share of children that were fitter than their first parent, a bar for each combination of operators."""
    ax = axes_for(ax)
    shown = list(payoffs)[::-1]
    bars = ax.barh(range(len(shown)), [payoff.improved for payoff in shown], color=POSITIVE, height=0.6)
    for index, (bar, payoff) in enumerate(zip(bars, shown, strict=True)):
        share = f"{100 * payoff.improved:.1f} % of {payoff.births:,} children were fitter"
        words = f"{share}; median gain {payoff.median_gain:+.4g}"
        mark(bar, f"payoff-{index}", words)
        ax.annotate(
            f"{100 * payoff.improved:.0f} %", (payoff.improved, index), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize="small",
        )  # fmt: skip
    labels = ["\n+ ".join(payoff.operators) or "copied" for payoff in shown]
    ax.set_yticks(range(len(shown)), labels, fontsize="small")
    ax.margins(x=0.15)
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    ax.set_xlabel("fitter than first parent")
    return ax
