"""The figures of a comparison, by Matplotlib's object interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.account import short_name
from evonet.inspection.comparison.curves import Curve, learning_curve, profiles, solving_curves
from evonet.inspection.plots.learning import thousands
from evonet.inspection.plots.palette import SERIES, STYLES, legend


@dataclass(frozen=True)
class Figure:
    """A figure to be drawn.

    Attributes:
        title: in a few words.
        caption: what it shows, and how to read it.
        draw: onto Matplotlib's axes.
    """

    title: str
    caption: str
    draw: Callable[[Any], None]


def figures(comparison: Comparison) -> Iterator[Figure]:
    """All that there is something to draw for."""
    compared = comparison.compared
    names = [each.name for each in compared]
    learnt = [(each.name, learning_curve(each)) for each in compared if each.directories]
    if learnt:
        yield Figure(
            "Learning",
            "Validation mean of the champion so far, over evaluations. "
            + (
                "Line and band: median and quartiles over the runs of a study; one that has stopped keeps its champion."
                if comparison.of_seeds
                else "The band is the middle half of the population, by training fitness."
            ),
            lambda axes: _lines(axes, learnt, "evaluations", "validation mean"),
        )
    solving = solving_curves(compared) if comparison.of_seeds else []
    if solving:
        yield Figure(
            "Solving",
            "Share of the runs that were solved within so many evaluations, with a 95 % bootstrap band. "
            "Where a line ends below 100 %, the rest was not solved.",
            lambda axes: _shares(axes, list(zip(names, solving, strict=True)), "evaluations", "runs solved"),
        )
    scored = [each for each in compared if comparison.scores(each).size]
    reached = profiles([comparison.scores(each) for each in scored]) if scored else []
    if reached:
        what = "runs" if comparison.of_seeds else "test episodes"
        yield Figure(
            "Performance profile",
            f"Share of the {what} that reach so high a test score, with a 95 % bootstrap band (Agarwal et al. "
            "2021): whoever lies above the others everywhere is the better, whatever score one asks for.",
            lambda axes: _shares(
                axes,
                list(zip([each.name for each in scored], reached, strict=True)),
                "test score",
                f"{what} that reach it",
            ),
        )


def _shares(axes: Any, curves: Sequence[tuple[str, Curve]], x: str, y: str) -> None:
    from matplotlib.ticker import PercentFormatter

    _lines(axes, curves, x, y)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _lines(axes: Any, curves: Sequence[tuple[str, Curve]], x: str, y: str) -> None:
    for index, (name, curve) in enumerate(curves):
        colour, style = SERIES[index % len(SERIES)], STYLES[index % len(STYLES)]
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, step="post", linewidth=0)
        axes.step(curve.x, curve.y, where="post", color=colour, linestyle=style, label=_label(name))
        if len(curve.x) == 1:
            axes.plot(curve.x, curve.y, "o", color=colour)
    if x == "evaluations":
        thousands(axes)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    legend(axes, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, borderaxespad=0.2)


def _label(name: str) -> str:
    label = short_name(name)
    return f" {label}" if label.startswith("_") else label  # Matplotlib hides those
