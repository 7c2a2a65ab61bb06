"""The section with the verdict: the champion's result in one sentence, and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonet.inspection import phrases
from evonet.inspection.phrases import counted, interval, number
from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section


def verdict(findings: Findings) -> Section:
    """The verdict in one sentence, and the champion's scores."""
    summary = findings.run.summary
    if summary["champion"] is None:
        parts: dict[str, Any] = {"badge": "no champion", "sentence": phrases.verdict(summary), "scores": []}
    else:
        parts = {"badge": _badge(summary), "sentence": _sentence(findings), "scores": _scores(findings)}
    return Section("verdict", "Verdict", parts=parts)


def _badge(summary: Mapping[str, Any]) -> str:
    if not summary["finished"]:
        return "not finished"
    if not summary["champion"]["test_episodes"]:
        return "not tested"
    if summary["target"] is None:
        return "no target"
    return "solved" if summary["solved"] else "not solved"


def _sentence(findings: Findings) -> str:
    sentences = [phrases.verdict(findings.run.summary)]
    if findings.run.finished:
        if findings.random_networks is not None:
            sentences.append(f"Random weights score {number(findings.random_networks.mean, 4)}.")
        sentences.append(_gap(findings.run.summary["champion"]))
    return " ".join(filter(None, sentences))


def _gap(champion: Mapping[str, Any]) -> str:
    training, test = champion["training_fitness"], champion["test_mean"]
    if training is None or test is None:
        return ""
    gap = training - test
    if abs(gap) <= 1e-9 * max(1.0, abs(test)):
        return f"Its training fitness was {number(training)} too."
    more = "more" if gap > 0 else "less"
    return f"Its training fitness was {number(training)}, {number(abs(gap), 4)} {more} than on fresh episodes."


def _scores(findings: Findings) -> list[dict[str, str]]:
    """The score cards of the page, each with name, value and note."""
    summary = findings.run.summary
    champion = summary["champion"]
    cards = []
    if champion["test_episodes"]:
        episodes = f"{counted(champion['test_episodes'], 'episode')} that nothing was chosen by"
        cards.append(_card("test", champion["test_mean"], f"95 %: {interval(champion['test_interval'])} · {episodes}"))
    if champion["validation_episodes"]:
        episodes = f"{counted(champion['validation_episodes'], 'held-out episode')} by which it was chosen"
        cards.append(_card("validation", champion["validation_mean"], episodes))
    if champion["training_fitness"] is not None:
        cards.append(
            _card(
                "training", champion["training_fitness"], "fitness in its generation; chosen for luck as well as skill"
            )
        )
    if findings.random_networks is not None:
        note = f"mean of {findings.random_networks.size} networks, weights drawn from a standard normal"
        cards.append(_card("random weights", findings.random_networks.mean, note, digits=4))
    elif len(findings.run.metrics.get("mean", ())):
        note = "mean training fitness of the first generation"
        cards.append(_card("first generation", float(findings.run.metrics["mean"][0]), note, digits=4))
    if summary["target"] is not None:
        cards.append(_card("target", summary["target"], "mean from which it counts as solved"))
    return cards


def _card(name: str, value: float | None, note: str, digits: int = 6) -> dict[str, str]:
    shown = float("-inf") if value is None else value  # a mean is None if an episode failed
    return {"name": name, "value": number(shown, digits), "note": note}
