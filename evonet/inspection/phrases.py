"""Words and numbers that accounts, reports, notebooks and comparisons share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.lineage import Ancestor

NO_CHAMPION = "No champion: not one individual could be scored."
NO_CHAMPION_YET = "Not finished, and no champion yet: it is known from the first checkpoint on."


def number(value: float | None, digits: int = 6) -> str:
    """A number for people, such as `1,234.5`.

    Args:
        value: a dash stands for None and NaN, `failed` for infinity.
        digits: significant digits of a number that is not whole.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "failed"
    if value == round(value) or abs(value) >= 10**digits:
        return f"{value + 0.0:,.0f}" if abs(value) < 1e15 else f"{value:.{digits}g}"
    return f"{value:,.{digits}g}"


def score(mean: float | None) -> str:
    """A mean score; `failed` where there is none, because one of its episodes failed."""
    return number(-math.inf if mean is None else mean)


def interval(bounds: Sequence[float] | None) -> str:
    """The bounds of a score's interval, such as `473 to 491`."""
    low, high = bounds or (None, None)
    return f"{score(low)} to {score(high)}"


def percent(share: float, digits: int = 0) -> str:
    """A share of a whole, such as `12 %`."""
    return f"{100 * share:.{digits}f} %"


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 episode`, `1,000 episodes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(words: Sequence[str]) -> str:
    """Words as a list: `the worst, the median and the best`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shortened(text: str, width: int = 24) -> str:
    """`text` on one line, its end cut where it is longer than `width` characters."""
    line = printable(text, keep="")
    return line if len(line) <= width else f"{line[: width - 1]}…"


def title(summary: Mapping[str, Any]) -> str:
    """A run's name, environment and seed."""
    name = printable(summary["name"] or "unnamed", keep="")
    environment = printable(summary["environment"] or "own fitness function", keep="")
    return f"{name} · {environment} · seed {summary['seed']}"


def verdict(summary: Mapping[str, Any]) -> str:
    """A run's result in one sentence: the test score where the run is finished, else the validation score so far."""
    champion, target = summary["champion"], summary["target"]
    if champion is None:
        return f"{NO_CHAMPION} See faults.jsonl." if summary["finished"] else NO_CHAMPION_YET
    aim = "" if target is None else f", target {number(target)}"
    if not summary["finished"]:
        return (
            f"Not finished: the champion so far scores {score(champion['validation_mean'])} on the "
            f"{counted(champion['validation_episodes'] or 0, 'held-out episode')} that it was chosen by{aim}."
        )
    test = (
        f"he champion scores {score(champion['test_mean'])} on {counted(champion['test_episodes'], 'fresh episode')} "
        f"(95 % interval {interval(champion['test_interval'])}){aim}."
    )
    if target is None:
        return f"T{test}"
    return f"Solved: t{test}" if summary["solved"] else f"Not solved: t{test}"


def scores(summary: Mapping[str, Any]) -> list[tuple[str, float | None, str]]:
    """The champion's scores: name, mean and what it is a mean of; the test only where the run is finished."""
    champion = summary["champion"]
    test = ("test", champion["test_mean"], f"mean of {champion['test_episodes']} episodes that nothing was chosen by")
    held_out = f"mean of {champion['validation_episodes']} held-out episodes, by which it was chosen"
    return [
        *([test] if summary["finished"] else []),
        ("validation", champion["validation_mean"], held_out),
        ("training", champion["training_fitness"], "fitness in its generation; chosen for luck as well as skill"),
    ]


def made_by(ancestor: Ancestor, joint: str = " + ") -> str:
    """The operators that made an individual, or what else it came from."""
    return joint.join(ancestor.operators) or ("copied" if ancestor.parents else "random weights")
