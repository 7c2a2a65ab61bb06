"""The section on the champion's behaviour: replays, traces, and the distribution of returns and lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.inspection.analysis.trajectory import Trajectory
from evonet.inspection.phrases import counted, listed, number, percent
from evonet.inspection.plots import action_traces, hidden_traces, histogram, observation_traces
from evonet.inspection.plots.behaviour import has_bars
from evonet.inspection.report.figure import Figure, drawn
from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section
from evonet.types import FloatArray


def behaviour(findings: Findings) -> Section:
    """The median, the worst and the best episode as replays and traces, and histograms of all episodes."""
    if findings.champion is None:
        return Section("behaviour", "Behaviour", notices=["Left out: there is no champion."])
    histograms = _histograms(findings)
    if findings.task is None:
        left_out = [f"Replay and traces are left out: {findings.why_no_episodes}"]
        return Section("behaviour", "Behaviour", [], histograms, notices=left_out)
    notices = [f"The replay is left out: {findings.why_no_pictures}"] if findings.why_no_pictures else []
    return Section(
        "behaviour", "Behaviour", _lead(findings), histograms, notices=notices, parts={"episodes": _episodes(findings)}
    )  # fmt: skip


def _lead(findings: Findings) -> list[str]:
    kind = "test episodes" if findings.champion is not None and findings.champion.test is not None else "fresh episodes"
    shown = listed([f"the {place}" for place in findings.replayed])
    of = "the first " if len(findings.returns) > len(findings.seeds) else ""
    lead = [f"Of {of}{counted(min(len(findings.returns), len(findings.seeds)), kind[:-1])}, these are {shown}."]
    if kind == "test episodes" and findings.repeated is None:
        lead.append(f"None is repeated for this report: {findings.cost_in_words}.")
    elif kind == "test episodes" and findings.repeated is not None:
        repeated = findings.repeated.returns[0]
        same = np.isclose(repeated, findings.returns[: len(repeated)], rtol=1e-6, equal_nan=True).mean()
        share = "all" if same == 1 else percent(float(same))
        lead.append(
            f"Repeated for this report: {counted(len(repeated), 'episode')}, {share} with the return of the run."
        )
    return lead


def _episodes(findings: Findings) -> list[dict[str, Any]]:
    found = []
    for number_, (place, index) in enumerate(findings.replayed.items()):
        episode = findings.episodes[number_]
        found.append(
            {
                "place": place,
                "title": _title(findings, place, index, episode),
                "sheet": findings.sheets[number_] if findings.sheets else None,
                "figures": _traces(findings, place, episode) if len(episode) else [],
            }
        )
    return found


def _title(findings: Findings, place: str, index: int, episode: Trajectory) -> str:
    ended = "ended by the environment" if episode.terminated else "truncated by its time limit"
    ended = f"then it failed: {episode.fault}" if episode.fault else ended
    steps = counted(len(episode), "step")
    steps = f"its first {steps}" if episode.abandoned else f"{steps}, {ended}"
    reached = number(float(findings.returns[index]), 4)
    return f"{place} episode: return {reached}, {steps} (number {index}, seed {episode.seed})"


def _traces(findings: Findings, place: str, episode: Trajectory) -> list[Figure]:
    names, choices = findings.names, findings.choices
    hidden = episode.hidden.shape[1]
    observations = drawn(
        f"observations-{place}", "Observations", "Observations before any normalisation.",
        lambda ax: observation_traces(episode, names, ax),
    )  # fmt: skip
    neurons = [
        drawn(
            f"hidden-{place}", "Hidden neurons", "Outputs of the hidden neurons.",
            lambda ax: hidden_traces(episode, ax), size=(4.0, min(4.4, max(2.6, 0.12 * hidden + 1.2))),
        )
    ] if hidden else []  # fmt: skip
    actions = drawn(
        f"actions-{place}", "Actions", "Actions, step by step.",
        lambda ax: action_traces(episode, names, choices=choices, ax=ax), size=(12.0, 2.1 if choices else 2.5),
    )  # fmt: skip
    return [observations, *neurons, actions]


def _histograms(findings: Findings) -> list[Figure]:
    if findings.champion is None or (findings.champion.test is None and findings.task is None):
        return []
    returns = findings.returns
    failed = int((~np.isfinite(returns)).sum())
    mean = float(returns[np.isfinite(returns)].mean()) if failed < len(returns) else float("nan")
    figures = [
        drawn(
            "returns", "Returns", f"Returns of {counted(len(returns), 'episode')}"
            + (f", {failed} of which failed" if failed else "") + _meaning(returns, mean),
            lambda ax: histogram(returns, "return", mean, ax),
            alternative=f"Histogram of returns: mean {number(mean, 4)}, from {number(float(np.nanmin(returns)), 4)} to "
            f"{number(float(np.nanmax(returns)), 4)}." if failed < len(returns) else "No episode has a return.",
        )
    ]  # fmt: skip
    if findings.task is not None and findings.repeated is not None:
        lengths = findings.repeated.lengths[0].astype(np.float64)
        mean = float(lengths.mean())
        figures.append(
            drawn(
                "lengths", "Lengths", f"Steps of {counted(len(lengths), 'episode')}" + _meaning(lengths, mean),
                lambda ax: histogram(lengths, "steps", mean, ax),
            )
        )  # fmt: skip
    return figures


def _meaning(values: FloatArray, mean: float) -> str:
    """The end of a histogram's caption, which explains the dashed line."""
    return "." if has_bars(values) or not np.isfinite(mean) else f"; dashed: the mean, {number(mean, 4)}."
