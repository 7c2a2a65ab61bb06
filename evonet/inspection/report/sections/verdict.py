"""The section with the verdict: the champion's result in one sentence, and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonet.inspection.phrases import counted, number, verdict_sentence
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section


def verdict(data: ReportData) -> Section:
    """The verdict in one sentence, with the replay beside it, and what the score is compared with."""
    summary = data.run.summary
    if summary["champion"] is None:
        parts: dict[str, Any] = {"badge": "no champion", "sentence": verdict_sentence(summary), "scores": []}
    else:
        parts = {"badge": _badge(summary), "sentence": verdict_sentence(summary), "scores": _scores(data)}
    if data.task is not None and data.sheets:
        parts["replay"] = next(iter(data.replayed))
    return Section("verdict", "Verdict", parts=parts)


def _badge(summary: Mapping[str, Any]) -> str:
    if not summary["finished"]:
        return "not finished"
    if not summary["champion"]["test_episodes"]:
        return "not tested"
    if summary["target"] is None:
        return "no target"
    return "solved" if summary["solved"] else "not solved"


def _scores(data: ReportData) -> list[dict[str, str]]:
    """The scores beside the sentence, which has that of the test; each with name, value and note."""
    summary = data.run.summary
    champion = summary["champion"]
    cards = []
    if summary["target"] is not None:
        cards.append(_card("target", summary["target"], "mean from which it counts as solved"))
    if champion["validation_episodes"]:
        episodes = f"{counted(champion['validation_episodes'], 'episode')} that chose the champion"
        cards.append(_card("validation", champion["validation_mean"], episodes))
    cards += _weighted_and_measured(champion)
    if champion["training_fitness"] is not None:
        cards.append(_card("training", champion["training_fitness"], "in its generation, optimistically biased"))
    if data.random_networks is not None:
        cards.append(_card("random weights", data.random_networks.mean, f"{data.random_networks.size} networks"))
    elif len(data.run.metrics.get("mean", ())):
        note = "mean training fitness of the first generation"
        cards.append(_card("first generation", float(data.run.metrics["mean"][0]), note))
    return cards


def _weighted_and_measured(champion: Mapping[str, Any]) -> list[dict[str, str]]:
    """The weighted fitness and the measures of the test, or of the validation where there is no test."""
    cards = []
    if worth := champion.get("fitness"):
        kind = list(worth)[-1]
        cards.append(_card("fitness", worth[kind], f"what the {kind}'s episodes are worth"))
    measures = champion.get("measures", {})
    for kind in list(measures)[-1:]:
        for name, (mean, spread) in measures[kind].items():
            cards.append(_card(name, mean, f"± {number(spread, 2)} over the {kind}'s episodes"))
    return cards


def _card(name: str, value: float | None, note: str) -> dict[str, str]:
    shown = float("-inf") if value is None else value  # a mean is None if an episode failed
    return {"name": name, "value": number(shown, 3), "note": note}
