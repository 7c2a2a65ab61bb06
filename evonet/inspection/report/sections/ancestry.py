"""The section on the champion's ancestry."""

from __future__ import annotations

from evonet.inspection.analysis.ancestry import family, payoffs
from evonet.inspection.analysis.search import Search, search_of
from evonet.inspection.phrases import counted, made_by, number, percent
from evonet.inspection.plots import descent_tree, metric_curve, payoff_bars
from evonet.inspection.plots.ancestry import describe
from evonet.inspection.report.figure import draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table

_MAX_OTHERS = 150
_MAX_STEPS = 1_000  # of the line, in the tree and in the table


def ancestry(data: ReportData) -> Section:
    """The line of descent as a tree and as a table, and how often each combination of operators improved a child."""
    run = data.run
    searched = search_of(run.settings, run.metrics, run.lineage)
    if searched is not None:
        return _search(data, searched)
    line = run.descent
    if not line:
        return Section(
            "ancestry",
            "Ancestry",
            notices=[
                "Left out: there is no champion."
                if run.champion is None
                else "Left out: the champion's parents were not recorded."
            ],
        )
    shown = line[-_MAX_STEPS:]
    notice = (
        f"The last {_MAX_STEPS:,} of {len(line):,} individuals of the line are shown." if len(line) > len(shown) else ""
    )
    tree = family(run.lineage, shown, _MAX_OTHERS)
    figures = [
        draw_figure(
            "descent", "Line of descent",
            "The thick line leads by first parents from the first generation to the champion; thin lines come from "
            "second parents. Fitness is that at birth, on the episodes of that generation.",
            lambda ax: descent_tree(tree, ax), size=(8.4, 4.4),
            alternative="; ".join(describe(ancestor) for ancestor in shown[:: max(1, len(shown) // 20)]),
        )
    ]  # fmt: skip
    paid = payoffs(run.lineage, line)
    tables = []
    if paid:
        figures.append(
            draw_figure(
                "operators", "Operators that improved children",
                "Share of the children that were fitter at birth than their first parent at its birth, by operators. "
                "Parent and child were evaluated on different episodes, so the share is partly luck.",
                lambda ax: payoff_bars(paid, ax), size=(4.0, max(2.6, 0.55 * len(paid) + 1.2)),
            )
        )  # fmt: skip
        tables.append(
            Table(
                "Children of each combination of operators",
                ["operators", "children", "fitter than first parent", "median gain", "in the champion's line"],
                [
                    [
                        " + ".join(each.operators) or "copied", f"{each.births:,}", percent(each.improved, 1),
                        number(each.median_gain, 3), f"{each.in_line:,}",
                    ]
                    for each in paid
                ],
                open=True,
            )
        )  # fmt: skip
    tables.append(
        Table(
            "Every step of the line" if shown == line else f"The last {_MAX_STEPS:,} steps of the line",
            ["generation", "individual", "fitness", "gain", "made by", "second parent"],
            [
                [
                    f"{each.generation:,}", str(each.individual), number(each.fitness, 4),
                    "" if each.gain is None else f"{each.gain:+.3g}",
                    made_by(each),
                    str(each.parents[1]) if len(each.parents) > 1 else "",
                ]
                for each in shown
            ],
        )
    )  # fmt: skip
    return Section("ancestry", "Ancestry", [_lead(data)], figures, tables, [notice] if notice else [])


def _search(data: ReportData, searched: Search) -> Section:
    """What an algorithm that names no parents did: its step size, and how far its mean moved."""
    run, figures = data.run, []
    if searched.sigma is not None and searched.mean_distance is not None:
        figures = [
            draw_figure(
                "sigma", "Step size", "The step size of the search distribution after each generation.",
                lambda ax: metric_curve(run, "sigma", "step size", ax),
            ),
            draw_figure(
                "mean", "Way of the mean", "Distance of the mean of the search distribution from where it began.",
                lambda ax: metric_curve(run, "mean_distance", "distance", ax),
            ),
        ]  # fmt: skip
    share = percent(searched.rises / max(1, searched.generations - 1))
    lead = (
        f"{searched.algorithm} samples individuals that have no parents. The best fitness rose in {share} of its "
        f"generations, and {counted(searched.champions, 'generation')} found a new champion."
    )
    return Section("ancestry", "Search", [lead], figures)


def _lead(data: ReportData) -> str:
    line = data.run.descent
    if len(line) == 1:
        if line[0].generation:  # of a strategy that followed a genetic algorithm
            return f"The champion has no parents: it was sampled in generation {line[0].generation}."
        return "The champion has no parents: its weights were drawn at random."
    gains = [ancestor for ancestor in line if ancestor.gain is not None]
    best = max(gains, key=lambda ancestor: ancestor.gain or 0.0, default=None)
    lead = f"{counted(len(line), 'individual')} lead from the first generation to the champion."
    if best is None or best.gain is None:
        return lead
    made = " and ".join(best.operators) or "copying"
    return f"{lead} The greatest gain, {best.gain:+.3g}, came by {made} in generation {best.generation}."
