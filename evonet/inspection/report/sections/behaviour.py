"""The section on the champion's behaviour: replays, traces, and the distribution of returns and lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.inspection.analysis.trajectory import Trajectory
from evonet.inspection.phrases import counted, listed, number, percent
from evonet.inspection.plots import action_traces, hidden_traces, histogram, observation_traces
from evonet.inspection.plots.behaviour import has_bars
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.types import FloatArray


def behaviour(data: ReportData) -> Section:
    """The median, the worst and the best episode as replays and traces, and histograms of all episodes."""
    if data.champion is None:
        return Section("behaviour", "Behaviour", notices=["Left out: there is no champion."])
    histograms = _histograms(data)
    if data.task is None:
        left_out = [f"Replay and traces are left out: {data.why_no_episodes}"]
        return Section("behaviour", "Behaviour", [], histograms, notices=left_out)
    notices = [f"The replay is left out: {data.why_no_pictures}"] if data.why_no_pictures else []
    return Section(
        "behaviour", "Behaviour", _lead(data), histograms, notices=notices, parts={"episodes": _episodes(data)}
    )  # fmt: skip


def _lead(data: ReportData) -> list[str]:
    kind = "test episodes" if data.champion is not None and data.champion.test is not None else "fresh episodes"
    shown = listed([f"the {place}" for place in data.replayed])
    of = "the first " if len(data.returns) > len(data.seeds) else ""
    lead = [f"Of {of}{counted(min(len(data.returns), len(data.seeds)), kind[:-1])}, these are {shown}."]
    if kind == "test episodes" and data.repeated is None:
        lead.append(f"None is repeated for this report: {data.cost_in_words}.")
    elif kind == "test episodes" and data.repeated is not None:
        repeated = data.repeated.returns[0]
        same = np.isclose(repeated, data.returns[: len(repeated)], rtol=1e-6, equal_nan=True).mean()
        share = "all" if same == 1 else percent(float(same))
        lead.append(
            f"Repeated for this report: {counted(len(repeated), 'episode')}, {share} with the return of the run."
        )
    return lead


def _episodes(data: ReportData) -> list[dict[str, Any]]:
    found = []
    for position, (place, index) in enumerate(data.replayed.items()):
        episode = data.episodes[position]
        found.append(
            {
                "place": place,
                "title": _title(data, place, index, episode),
                "sheet": data.sheets[position] if data.sheets else None,
                "figures": _traces(data, place, episode) if len(episode) else [],
            }
        )
    return found


def _title(data: ReportData, place: str, index: int, episode: Trajectory) -> str:
    ended = "ended by the environment" if episode.terminated else "truncated by its time limit"
    ended = f"then it failed: {episode.fault}" if episode.fault else ended
    steps = counted(len(episode), "step")
    steps = f"its first {steps}" if episode.abandoned else f"{steps}, {ended}"
    reached = number(float(data.returns[index]), 4)
    return f"{place} episode: return {reached}, {steps} (number {index}, seed {episode.seed})"


def _traces(data: ReportData, place: str, episode: Trajectory) -> list[Figure]:
    names, choices = data.names, data.choices
    hidden = episode.hidden.shape[1]
    observations = draw_figure(
        f"observations-{place}", "Observations", "Observations before any normalisation.",
        lambda ax: observation_traces(episode, names, ax),
    )  # fmt: skip
    neurons = [
        draw_figure(
            f"hidden-{place}", "Hidden neurons", "Outputs of the hidden neurons.",
            lambda ax: hidden_traces(episode, ax), size=(4.0, min(4.4, max(2.6, 0.12 * hidden + 1.2))),
        )
    ] if hidden else []  # fmt: skip
    actions = draw_figure(
        f"actions-{place}", "Actions", "Actions, step by step.",
        lambda ax: action_traces(episode, names, choices=choices, ax=ax), size=(12.0, 2.1 if choices else 2.5),
    )  # fmt: skip
    return [observations, *neurons, actions]


def _histograms(data: ReportData) -> list[Figure]:
    if data.champion is None or (data.champion.test is None and data.task is None):
        return []
    returns = data.returns
    failed = int((~np.isfinite(returns)).sum())
    mean = float(returns[np.isfinite(returns)].mean()) if failed < len(returns) else float("nan")
    figures = [
        draw_figure(
            "returns", "Returns", f"Returns of {counted(len(returns), 'episode')}"
            + (f", {failed} of which failed" if failed else "") + _meaning(returns, mean),
            lambda ax: histogram(returns, "return", mean, ax),
            alternative=f"Histogram of returns: mean {number(mean, 4)}, from {number(float(np.nanmin(returns)), 4)} to "
            f"{number(float(np.nanmax(returns)), 4)}." if failed < len(returns) else "No episode has a return.",
        )
    ]  # fmt: skip
    if data.task is not None and data.repeated is not None:
        lengths = data.repeated.lengths[0].astype(np.float64)
        mean = float(lengths.mean())
        figures.append(
            draw_figure(
                "lengths", "Lengths", f"Steps of {counted(len(lengths), 'episode')}" + _meaning(lengths, mean),
                lambda ax: histogram(lengths, "steps", mean, ax),
            )
        )  # fmt: skip
    return figures


def _meaning(values: FloatArray, mean: float) -> str:
    """The end of a histogram's caption, which explains the dashed line."""
    return "." if has_bars(values) or not np.isfinite(mean) else f"; dashed: the mean, {number(mean, 4)}."
