"""The section on the run's learning."""

from __future__ import annotations

import numpy as np

from evonet.inspection.phrases import counted, duration, number, pruning, refinement
from evonet.inspection.plots import diversity, learning_curve, network_sizes
from evonet.inspection.plots.learning import Over
from evonet.inspection.plots.palette import Axes, legend
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section

_WIDE, _SIZE = (8.4, 3.5), (4.0, 3.6)
_CAPTION = (
    "Light band: from the worst individual to the best; dark band: the middle half of the population. "
    "The dashed line is the champion so far on held-out episodes."
)


def learning(data: ReportData) -> Section:
    """Learning curves over evaluations or, by a switch, environment steps; and the diversity."""
    run = data.run
    metrics = run.metrics
    if not len(metrics.get("generation", ())):
        return Section("learning", "Learning", notices=["There is no generation yet."])
    switch = [_learning(data, "evaluations")]
    if int(metrics["environment_steps"][-1]):
        switch.append(_learning(data, "environment_steps"))
    figures = [
        draw_figure(
            "diversity", "Diversity",
            "The standard deviation of a gene in the population, mean over all genes.",
            lambda ax: diversity(run, ax), size=_SIZE,
        )
    ]  # fmt: skip
    if "connections" in metrics:
        figures.append(
            draw_figure(
                "size", "Size of the networks", "Biases count as connections.",
                lambda ax: network_sizes(run, ax), size=_SIZE,
            )
        )  # fmt: skip
    return Section("learning", "Learning", [_lead(data)], figures, parts={"switch": switch})


def _learning(data: ReportData, over: Over) -> Figure:
    def draw(ax: Axes) -> None:
        learning_curve(data.run, over, ax)
        legend(ax, loc="center left", bbox_to_anchor=(1.0, 0.5), ncols=1, borderaxespad=0.4)

    name = over.replace("_", " ")
    return draw_figure(
        f"learning-{name.rpartition(' ')[2]}", f"Over {name}", _CAPTION, draw,
        alternative=_alternative(data, over), size=_WIDE,
    )  # fmt: skip


def _lead(data: ReportData) -> str:
    summary = data.run.summary
    effort = (
        f"{counted(summary['generations'], 'generation')}, {counted(summary['evaluations'], 'evaluation')} and "
        f"{counted(summary['environment_steps'], 'environment step')} of training"
    )
    if summary["stopped_by"] is None:
        return f"{effort} so far."
    later = ""
    if "pruning" in summary:
        later = f" Inputs of the champion were removed: {pruning(summary)}."
    if "refinement" in summary:
        later += f" The weights of the champion's structure were tuned: {refinement(summary)}."
    return (
        f"{effort} in {duration(summary['seconds'])} on the {summary['engine']} engine. "
        f"Stopped by: {summary['stopped_by']}.{later}"
    )


def _alternative(data: ReportData, over: Over) -> str:
    metrics = data.run.metrics
    first, last = (float(metrics["median"][index]) for index in (0, -1))
    best = float(np.nanmax(metrics["best"])) if np.isfinite(metrics["best"]).any() else float("nan")
    ended = float(metrics["validation_mean"][-1])
    return (
        f"Learning curve over {number(float(metrics[over][-1]))} {over.replace('_', ' ')}: "
        f"the median fitness went from {number(first, 4)} to {number(last, 4)}, the best was {number(best, 4)}, "
        f"and the champion's validation mean ended at {number(ended, 4)}."
    )
