"""Phrases and number formats that summaries, reports, notebooks and comparisons share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.lineage import Ancestor
from evonet.scores import rounded, with_interval

NO_CHAMPION = "No champion: not one individual could be scored on held-out episodes."
ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}
"""Arrows for the actions of these names."""

NO_CHAMPION_YET = "Not finished, and no champion yet: the first checkpoint will have one."


def number(value: float | None, digits: int = 6) -> str:
    """A number as text, for example `1,234.5`.

    Args:
        value: the number; None and NaN become a dash, infinity becomes `failed`.
        digits: significant digits of a number that is not whole.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "failed"
    if value == round(value) or abs(value) >= 10**digits:
        return f"{value + 0.0:,.0f}" if abs(value) < 1e15 else f"{value:.{digits}g}"
    return f"{value:,.{digits}g}"


def with_minus(text: str) -> str:
    """`text` with true minus signs in front of numbers; hyphens in words and names are unchanged."""
    return re.sub(r"(?<![\w-])-(?=\.?\d)", "−", text)


def score(mean: float | None) -> str:
    """A mean score as text; None, which means that an episode failed, becomes `failed`."""
    return number(-math.inf if mean is None else mean)


def interval(bounds: Sequence[float] | None) -> str:
    """The bounds of a score's interval as text, for example `473 to 491`."""
    low, high = bounds or (None, None)
    return f"{score(low)} to {score(high)}"


def score_and_interval(mean: float | None, bounds: Sequence[float] | None, target: float | None = None) -> str:
    """A score with its interval in as many digits as the interval allows, for example `-147 (-155 to -140)`."""
    if mean is None or bounds is None or None in bounds:
        return score(mean)
    return with_interval(mean, bounds, target)


def pruning(summary: Mapping[str, Any]) -> str:
    """What the pruning of a run did, for example `11 of 16 inputs left: validation 241 to 238`."""
    pruned = summary["pruning"]
    before = pruned["inputs_before"]
    if pruned["inputs"] == before and not pruned["generations"]:
        return (
            "no time was left to remove an input"
            if before > 1
            else f"nothing to remove from {counted(before, 'input')}"
        )
    if pruned["inputs"] == before:
        return f"no network with less than {counted(before, 'input')} validated as well"
    means = " to ".join(number(pruned[name], 4) for name in ("validation_mean_before", "validation_mean"))
    return f"{pruned['inputs']} of {counted(before, 'input')} left: validation {means}"


def refinement(summary: Mapping[str, Any]) -> str:
    """What the refinement of a run did, for example `20 generations of cma_es: validation 171 to 232`."""
    refined = summary["refinement"]
    if not refined["generations"]:
        return f"no time was left for {refined['strategy']}"
    tuned = f"{counted(refined['generations'], 'generation')} of {refined['strategy']}"
    before, champion = number(refined["validation_mean_before"], 4), summary["champion"]
    if not refined["better"]:
        return f"{tuned}: no network validated better than {before}"
    return f"{tuned}: validation {before} to {number(champion['validation_mean'], 4)}"


def percent(share: float, digits: int = 0) -> str:
    """A share as text, for example `12 %`."""
    return f"{100 * share:.{digits}f} %"


def duration(seconds: float) -> str:
    """A time as text, for example `0.5 s`, `12 min` or `3.4 h`."""
    for unit, name in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"


def counted(count: int, noun: str) -> str:
    """A count with its noun, for example `1 episode` or `1,000 episodes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(words: Sequence[str]) -> str:
    """Words joined to a list, for example `the worst, the median and the best`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def first_few(words: Sequence[str], most: int = 8) -> str:
    """Words as `listed`, those beyond `most` as a number, for example `x, y and 3 more`."""
    shown = [shortened(word) for word in words[:most]]
    return listed([*shown, f"{len(words) - most:,} more"] if len(words) > most else shown)


def shortened(text: str, width: int = 24) -> str:
    """`text` on one line, shortened to `width` characters at its end."""
    line = printable(text, keep="")
    return line if len(line) <= width else f"{line[: width - 1]}…"


def title(summary: Mapping[str, Any]) -> str:
    """A run's name, environment and seed."""
    name = printable(summary["name"] or "unnamed", keep="")
    environment = printable(summary["environment"] or "own fitness function", keep="")
    return f"{name} · {environment} · seed {summary['seed']}"


def verdict_sentence(summary: Mapping[str, Any]) -> str:
    """A run's result in one sentence: the test score of a finished run, the validation score of an unfinished one."""
    champion, target = summary["champion"], summary["target"]
    if champion is None:
        return f"{NO_CHAMPION} Failures of training are in faults.jsonl." if summary["finished"] else NO_CHAMPION_YET
    aim = "" if target is None else f", target {number(target)}"
    if not summary["finished"]:
        return (
            f"Not finished: the champion so far scores {score(champion['validation_mean'])} on the "
            f"{counted(champion['validation_episodes'] or 0, 'held-out episode')} that it was chosen by{aim}."
        )
    if not champion["test_episodes"]:
        return "Not tested: the champion's weights were changed after it was scored."
    opening = "The" if target is None else "Solved: the" if summary["solved"] else "Not solved: the"
    mean, low, high = score(champion["test_mean"]), "failed", "failed"
    if champion["test_mean"] is not None and None not in champion["test_interval"]:
        mean, low, high = rounded(champion["test_mean"], champion["test_interval"], target)
    return (
        f"{opening} champion scores {mean} on {counted(champion['test_episodes'], 'fresh episode')} "
        f"(95 % interval {low} to {high}){aim}."
    )


def scores(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The champion's scores: name, value, and a description; a champion that was edited has none."""
    champion = summary["champion"]
    found = []
    if champion["test_episodes"]:
        value = score_and_interval(champion["test_mean"], champion["test_interval"], summary["target"])
        found.append(("test", value, f"{counted(champion['test_episodes'], 'fresh episode')}, 95 % interval"))
    if champion["validation_episodes"]:
        chosen = f"{counted(champion['validation_episodes'], 'episode')} that chose it"
        found.append(("validation", _mean(champion["validation_mean"]), chosen))
    weighted = champion.get("fitness", {})
    found += [
        ("fitness", _mean(weighted[name]), f"what the {name}'s episodes are worth") for name in list(weighted)[-1:]
    ]
    fitness = champion["training_fitness"]
    if fitness is not None and not math.isnan(fitness):
        found.append(("training", _mean(fitness), f"{'fitness, ' if weighted else ''}optimistically biased"))
    return found


def _mean(value: float | None) -> str:
    """A mean whose interval is not known, in four digits."""
    return number(-math.inf if value is None else value, 4)


def where_scored(settings: Mapping[str, Any]) -> str:
    """A sentence on where a run was trained, and where validated and tested; "" if in the same environment.

    Args:
        settings: the run's settings, as its config has them.
    """
    evaluation = settings.get("evaluation") or {}
    validation = settings.get("validation") or {}
    trained = _environment(settings.get("environment") or {})
    tested = _environment(validation["environment"]) if validation.get("environment") else trained
    if evaluation.get("max_steps") is not None:
        trained += f", {_truncated(evaluation['max_steps'])}"
    if evaluation.get("engine") == "envpool":
        trained += ", in EnvPool"
        tested += ", in Gymnasium" if validation.get("engine") != "envpool" else ", in EnvPool and in Gymnasium"
    return "" if trained == tested else f"Trained on {trained}; validated and tested on {tested}."


def _environment(settings: Mapping[str, Any]) -> str:
    kwargs = dict(settings.get("kwargs") or {})
    if settings.get("max_steps") is not None:
        kwargs["max_steps"] = settings["max_steps"]
    named = first_few([f"{name} {value}" for name, value in kwargs.items()])
    return printable(f"{settings.get('id')}{f' ({named})' if named else ''}", keep="")


def _truncated(max_steps: int | Mapping[str, Any]) -> str:
    """How long episodes of training are, by `evaluation.max_steps`."""
    if not isinstance(max_steps, Mapping):
        return f"in episodes of at most {max_steps:,} steps"
    if {"start", "end"} <= max_steps.keys():
        return f"in episodes of at most {max_steps['start']:,} steps at first, {max_steps['end']:,} later"
    return "in episodes whose most steps follow a schedule"


def made_by(ancestor: Ancestor, joint: str = " + ") -> str:
    """The operators that made an individual; `copied`, `random weights` or `sampled` if there were none.

    Not for an algorithm that names no parents: its individuals are samples, for which see `Search`.
    """
    if ancestor.operators:
        return joint.join(ancestor.operators)
    if ancestor.parents:
        return "copied"
    return "sampled" if ancestor.generation else "random weights"
