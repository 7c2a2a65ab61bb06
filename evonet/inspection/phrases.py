"""Phrases and number formats that summaries, reports, notebooks and comparisons share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.lineage import Ancestor

NO_CHAMPION = "No champion: not one individual could be scored."
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


def shortened(text: str, width: int = 24) -> str:
    """`text` on one line, shortened to `width` characters at its end."""
    line = printable(text, keep="")
    return line if len(line) <= width else f"{line[: width - 1]}…"


def title(summary: Mapping[str, Any]) -> str:
    """A run's name, environment and seed."""
    name = printable(summary["name"] or "unnamed", keep="")
    environment = printable(summary["environment"] or "own fitness function", keep="")
    return f"{name} · {environment} · seed {summary['seed']}"


def verdict(summary: Mapping[str, Any]) -> str:
    """A run's result in one sentence: the test score of a finished run, the validation score of an unfinished one."""
    champion, target = summary["champion"], summary["target"]
    if champion is None:
        return f"{NO_CHAMPION} See faults.jsonl." if summary["finished"] else NO_CHAMPION_YET
    aim = "" if target is None else f", target {number(target)}"
    if not summary["finished"]:
        return (
            f"Not finished: the champion so far scores {score(champion['validation_mean'])} on the "
            f"{counted(champion['validation_episodes'] or 0, 'held-out episode')} that it was chosen by{aim}."
        )
    opening = "The" if target is None else "Solved: the" if summary["solved"] else "Not solved: the"
    return (
        f"{opening} champion scores {score(champion['test_mean'])} on "
        f"{counted(champion['test_episodes'], 'fresh episode')} "
        f"(95 % interval {interval(champion['test_interval'])}){aim}."
    )


def scores(summary: Mapping[str, Any]) -> list[tuple[str, float | None, str]]:
    """The champion's scores: name, mean, and a description of the mean; only a finished run has a test score."""
    champion = summary["champion"]
    test = ("test", champion["test_mean"], f"mean of {champion['test_episodes']} episodes that nothing was chosen by")
    held_out = f"mean of {champion['validation_episodes']} held-out episodes, by which it was chosen"
    return [
        *([test] if summary["finished"] else []),
        ("validation", champion["validation_mean"], held_out),
        ("training", champion["training_fitness"], "fitness in its generation; chosen for luck as well as skill"),
    ]


def made_by(ancestor: Ancestor, joint: str = " + ") -> str:
    """The operators that made an individual; `copied` or `random weights` if there were none."""
    return joint.join(ancestor.operators) or ("copied" if ancestor.parents else "random weights")
