"""The section on the champion's robustness."""

from __future__ import annotations

import numpy as np

from evonet.environments.known import parameters_of
from evonet.inspection.analysis.influence import sampled_observations
from evonet.inspection.analysis.robustness import (
    LEVELS,
    OBSERVATION_NOISE,
    Landscape,
    Sweep,
    landscape,
    observation_noise,
    parameter_sweeps,
    weight_noise,
)
from evonet.inspection.phrases import counted, listed, number
from evonet.inspection.plots import landscape_map, robustness_curve
from evonet.inspection.plots.palette import Axes, finite_span
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import LONGEST, ReportData
from evonet.inspection.report.section import Section

_SECONDS = 0.8


def robustness(data: ReportData) -> Section:
    """Mean return against noise and changes of the environment, and the landscape around the champion."""
    champion, task = data.champion, data.task
    if champion is None or task is None:
        return Section("robustness", "Robustness", notices=[f"Left out: {data.why_no_episodes}"])
    trials = data.trials
    if trials is None:
        return Section("robustness", "Robustness", notices=[f"Robustness is left out: {data.cost_in_words}."])
    seen, _ = sampled_observations(data.episodes)
    seconds = _SECONDS * data.effort
    with task.instance() as sample:
        parameters = parameters_of(task.environment, sample.open())
    swept = parameters[: trials.affordable(LEVELS * len(parameters)) // LEVELS]
    sweeps: list[tuple[str, Sweep]] = []
    if trials.affordable(len(OBSERVATION_NOISE)) == len(OBSERVATION_NOISE):
        sweeps.append(("Noise in observations", observation_noise(champion, task, data.seeds, seen, seconds)))
    if (weights := weight_noise(champion, trials, seconds)) is not None:
        sweeps.append(("Noise in weights", weights))
    sweeps += [
        (sweep.name.partition(" (")[0].capitalize(), sweep)
        for sweep in parameter_sweeps(champion, task, data.seeds, swept, 1.5 * seconds)
    ]
    span = finite_span(np.concatenate([np.zeros((2, 0)), *([each.low, each.high] for _, each in sweeps)], axis=1))
    figures = [_curve(data, index, *sweep, span) for index, sweep in enumerate(sweeps)]
    around = landscape(champion, trials, seconds)
    figures += [] if around is None else [_landscape(around)]
    drawn_keys = {title for title, _ in sweeps}
    missing = [title for title in ("Noise in observations", "Noise in weights") if title not in drawn_keys]
    missing += [each.name.partition(" (")[0] for each in parameters[len(swept) :]] + ["Landscape"] * (around is None)
    lead = ["Bands are 95 % intervals; the dashed line is the value under which the champion evolved."]
    notices = []
    if missing:
        notices.append(f"Robustness is not complete ({listed(missing).lower()} left out): {data.cost_in_words}.")
    if champion.task is not None and champion.task.max_steps > LONGEST:
        notices.append(f"Episodes of this section are truncated after {LONGEST:,} steps.")
    return Section("robustness", "Robustness", lead, figures, notices=notices)


def _landscape(around: Landscape) -> Figure:
    return draw_figure(
        "landscape", "Landscape",
        "Mean return in a plane through the champion (the cross): two random directions, in which each neuron's "
        f"weights move by their own length; {counted(around.episodes, 'episode')} a point.",
        lambda ax: landscape_map(around, ax), size=(4.0, 3.05),
        alternative=f"Map of mean returns from {number(float(np.nanmin(around.means)))} to "
        f"{number(float(np.nanmax(around.means)))}, of which the champion in the middle has "
        f"{number(float(around.means[len(around.steps) // 2, len(around.steps) // 2]))}.",
    )  # fmt: skip


def _curve(data: ReportData, index: int, title: str, sweep: Sweep, span: tuple[float, float]) -> Figure:
    points = zip(sweep.levels.tolist(), sweep.means.tolist(), strict=True)
    truncated = data.champion is not None and data.task != data.champion.task
    target = None if truncated else data.run.summary["target"]  # the target is a return of whole episodes
    more = f" for each of {sweep.champions} perturbed champions" if sweep.champions > 1 else ""
    margin = 0.06 * (span[1] - span[0]) or 1.0

    def draw(ax: Axes) -> None:
        robustness_curve(sweep, target, ax)
        ax.set_ylim(span[0] - margin, span[1] + margin)  # one scale for all sweeps

    return draw_figure(
        f"robustness-{index}", title, f"{counted(sweep.episodes, 'episode')} at each level{more}.",
        draw,
        alternative=f"Mean return over {sweep.name}: "
        + "; ".join(f"{number(level, 3)}: {number(mean, 4)}" for level, mean in points),
    )  # fmt: skip
