"""The verdict: how good the champion is, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section, counted, number


def verdict(findings: Findings) -> Section:
    """The verdict in one sentence, and the scores that it rests on."""
    summary = findings.run.summary
    champion = summary["champion"]
    if champion is None:
        sentence = (
            "No champion: not one individual could be scored."
            if findings.run.finished
            else "Not finished, and no champion yet: it is told from the first checkpoint on."
        )
        return Section("verdict", "Verdict", parts={"badge": "no champion", "sentence": sentence, "scores": []})
    random = findings.random_mean
    sentence = _sentence(summary, champion, finished=findings.run.finished, random=random)
    scores = _scores(summary, champion, findings, random)
    return Section("verdict", "Verdict", parts={"badge": _badge(findings), "sentence": sentence, "scores": scores})


def _badge(findings: Findings) -> str:
    if not findings.run.finished:
        return "not finished"
    if findings.run.summary["target"] is None:
        return "no target"
    return "solved" if findings.run.summary["solved"] else "not solved"


def _sentence(summary: Mapping[str, Any], champion: Mapping[str, Any], *, finished: bool, random: float | None) -> str:
    target = summary["target"]
    aim = "there was no target" if target is None else f"the target is {number(target)}"
    if not finished:
        return (
            f"Not finished: the champion so far scores {number(champion['validation_mean'])} on the "
            f"{counted(champion['validation_episodes'] or 0, 'held-out episode')} that it was chosen by; {aim}."
        )
    low, high = champion["test_interval"] or (None, None)
    lead = {True: "Solved: t", False: "Not solved: t"}[bool(summary["solved"])] if target is not None else "T"
    beside = "" if random is None else f"; random weights score {number(random, 4)}"
    return (
        f"{lead}he champion scores {number(_failed(champion['test_mean']))} on "
        f"{counted(champion['test_episodes'], 'fresh episode')} (95 % interval {number(low)} to {number(high)}); "
        f"{aim}{beside}. {_gap(champion)}"
    )


def _gap(champion: Mapping[str, Any]) -> str:
    training, test = champion["training_fitness"], champion["test_mean"]
    if training is None or test is None:
        return ""
    gap = training - test
    if abs(gap) <= 1e-9 * max(1.0, abs(test)):
        return f"In training it had {number(training)} too."
    more = "more" if gap > 0 else "less"
    return f"In training it had {number(training)}, {number(abs(gap), 4)} {more} than fresh episodes confirm."


def _scores(
    summary: Mapping[str, Any], champion: Mapping[str, Any], findings: Findings, random: float | None
) -> list[dict[str, str]]:
    found = []
    if findings.run.finished:
        low, high = champion["test_interval"] or (None, None)
        told = f"{counted(champion['test_episodes'], 'episode')} that nothing was chosen by"
        interval = f"95 %: {number(low)} to {number(high)}"
        found.append({"name": "test", "value": number(_failed(champion["test_mean"])), "note": f"{interval} · {told}"})
    if champion["validation_episodes"]:
        told = f"{counted(champion['validation_episodes'], 'held-out episode')} by which it was chosen"
        found.append({"name": "validation", "value": number(_failed(champion["validation_mean"])), "note": told})
    told = "fitness in its generation; chosen for luck as well as skill"
    found.append({"name": "training", "value": number(champion["training_fitness"]), "note": told})
    if random is not None:
        told = "mean of 64 networks, weights drawn from a standard normal"
        found.append({"name": "random weights", "value": number(random, 4), "note": told})
    elif len(findings.run.metrics.get("mean", ())):
        told = "mean training fitness of the first generation"
        found.append(
            {"name": "first generation", "value": number(float(findings.run.metrics["mean"][0]), 4), "note": told}
        )
    if summary["target"] is not None:
        found.append(
            {"name": "target", "value": number(summary["target"]), "note": "mean from which it counts as solved"}
        )
    return found


def _failed(mean: float | None) -> float:
    """A mean that is None because an episode failed, as the infinity that it stands for."""
    return float("-inf") if mean is None else mean
