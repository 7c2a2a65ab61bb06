"""The figures of a comparison page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.curves import Curve, learning_curve, profiles, solving_curves
from evonet.inspection.comparison.overview import short_name
from evonet.inspection.comparison.verdicts import Verdict
from evonet.inspection.plots.learning import Over, thousands
from evonet.inspection.plots.palette import MUTED, POSITIVE, SERIES, STYLES, legend


@dataclass(frozen=True)
class FigureSpec:
    """The specification of a figure, which `draw` draws.

    Attributes:
        title: title in a few words.
        caption: explanation of the figure.
        draw: function that draws the figure on Matplotlib axes.
        height: height in inches; None for that of the page.
    """

    title: str
    caption: str
    draw: Callable[[Any], None]
    height: float | None = None


def figures(comparison: Comparison) -> Iterator[FigureSpec]:
    """The figures for which the comparison has data."""
    for make in (learning, solving, profile):
        figure = make(comparison)
        if figure is not None:
            yield figure


def learning(comparison: Comparison, over: Over = "evaluations") -> FigureSpec | None:
    """Learning curves; None without any finished run."""
    found = [(each.name, learning_curve(each, over)) for each in comparison.compared]
    learnt = [(name, curve) for name, curve in found if curve is not None]
    if not learnt:
        return None
    x = {"generation": "generations"}.get(over, over.replace("_", " "))
    return FigureSpec(
        "Learning",
        f"Validation mean of the champion so far, over {x}. "
        + (
            "Line and band: median and quartiles of the runs of a study; stopped runs count with their champion."
            if comparison.of_seeds
            else "The band is the middle half of the population, by training fitness."
        ),
        lambda axes: _lines(axes, learnt, x, "validation mean"),
    )


def solving(comparison: Comparison) -> FigureSpec | None:
    """Shares of the runs solved over evaluations; None without a study, or without a solved run."""
    curves = solving_curves(comparison.compared) if comparison.of_seeds else []
    if not curves:
        return None
    named = list(zip([each.name for each in comparison.compared], curves, strict=True))
    return FigureSpec(
        "Share of runs solved",
        "Share of the runs that were solved within a number of evaluations, with a 95 % bootstrap band. "
        "If a line ends below 100 %, the remaining runs were not solved.",
        lambda axes: _shares(axes, named, "evaluations", "runs solved"),
    )


def profile(comparison: Comparison) -> FigureSpec | None:
    """Performance profiles; None without a test score."""
    scored = [each for each in comparison.compared if comparison.scores(each).size]
    reached = profiles([comparison.scores(each) for each in scored]) if scored else []
    if not reached:
        return None
    what = "runs" if comparison.of_seeds else "test episodes"
    named = list(zip([each.name for each in scored], reached, strict=True))
    return FigureSpec(
        "Performance profile",
        f"Share of the {what} that reach a test score, with a 95 % bootstrap band (Agarwal et al. 2021). "
        "A line that is above another everywhere is better for every target.",
        lambda axes: _shares(axes, named, "test score", f"{what} that reach it"),
    )


def differences_plot(comparison: Comparison) -> FigureSpec | None:
    """The differences of all pairs in test scores with their intervals; None without any."""
    verdicts = [each for each in comparison.verdicts if each.measure == "test score" and each.difference is not None]
    if not verdicts:
        return None
    what = "interquartile means of test scores" if comparison.of_seeds else "means of test episodes"
    return FigureSpec(
        "Differences in test score",
        f"Differences of the {what} with 95 % bootstrap intervals. Where an interval has no 0, it is coloured.",
        lambda axes: _forest(axes, verdicts),
        height=max(2.2, 0.34 * len(verdicts) + 1.0),
    )


def _forest(axes: Any, verdicts: Sequence[Verdict]) -> None:
    axes.axvline(0, color=MUTED, linewidth=1.0)
    for place, verdict in enumerate(verdicts[::-1]):
        assert verdict.interval is not None
        low, high = verdict.interval
        colour = POSITIVE if low > 0 or high < 0 else MUTED
        axes.plot([low, high], [place, place], color=colour, linewidth=2.2)
        axes.plot([verdict.difference], [place], "o", color=colour, markersize=6)
    labels = [f"{short_name(each.first)} − {short_name(each.second)}" for each in verdicts[::-1]]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_xlabel("difference in test score")


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
    if x != "test score":
        thousands(axes)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    legend(axes, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, borderaxespad=0.2)


def _label(name: str) -> str:
    label = short_name(name)
    return f" {label}" if label.startswith("_") else label  # Matplotlib hides labels that begin with an underscore
