"""The summary of a comparison that `evonet compare` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.experiment.differences import as_written
from evonet.files.text import printable
from evonet.inspection.comparison import Comparison
from evonet.inspection.phrases import number, percent

_WIDEST = 40


def comparison_account(comparison: Comparison) -> str:
    """A comparison as text: a table of results, the settings that differ, and the verdicts."""
    data = comparison.data
    sections = [_table(_overview(data)), _settings(data), _verdicts(data["verdicts"], score_name(data))]
    if data["notes"]:
        sections.append("\n".join(data["notes"]))
    return "\n\n".join(sections)


def _overview(data: Mapping[str, Any]) -> list[list[str]]:
    rows = [["", "runs", "solved", "evaluations to success", score_name(data)]]
    rows += [
        [
            short_name(each["name"]),
            str(each["runs"]),
            _solved(each, of_seeds=data["of"] == "seeds"),
            number(each["evaluations_to_success"]),
            with_interval(each["test_score"], each["test_interval"]),
        ]
        for each in data["compared"]
    ]
    return rows


def _solved(compared: Mapping[str, Any], *, of_seeds: bool) -> str:
    if compared["solved"] is None:
        return "no target"
    if not of_seeds:
        return "yes" if compared["solved"] else "no"
    low, high = compared["solved_interval"]
    return f"{compared['solved']} of {compared['runs']} ({100 * low:.0f} to {percent(high)})"


def _settings(data: Mapping[str, Any]) -> str:
    if not data["settings"]:
        return "No setting differs" + (" except the seeds." if data["of"] == "seeds" else ".")
    names = [each["name"] for each in data["compared"]]
    rows = [["Settings that differ", *map(short_name, names)]]
    rows += [
        [key, *(short_name(as_written(values[name])) for name in names)] for key, values in data["settings"].items()
    ]
    return _table(rows)


def _verdicts(verdicts: Sequence[Mapping[str, Any]], score: str) -> str:
    if not verdicts:
        return "There is nothing to test."
    lines = []
    for verdict in verdicts:
        lines.append(sentence(verdict))
        if verdict["difference"] is not None:
            figure = score if verdict["measure"] == "test score" else "median of evaluations where solved"
            difference = with_interval(verdict["difference"], verdict["interval"])
            lines.append(f"  {figure}, {verdict['first']} minus {verdict['second']}: {difference}")
    return "\n".join(lines)


def score_name(data: Mapping[str, Any]) -> str:
    """The name of the statistic that summarises scores."""
    return "interquartile mean of test scores" if data["of"] == "seeds" else "mean of test episodes"


def sentence(verdict: Mapping[str, Any]) -> str:
    """A verdict as a sentence; a name at its beginning is not capitalised."""
    words: str = verdict["words"]
    return f"{words[0].upper()}{words[1:]}." if verdict["better"] is None else f"{words}."


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A figure with its 95 % interval."""
    if value is None or interval is None:
        return "–"
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


def short_name(text: str) -> str:
    """`text` on one line, shortened at its beginning, because paths of directories differ at their ends."""
    line = printable(text, keep="")
    return line if len(line) <= _WIDEST else f"…{line[1 - _WIDEST :]}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)
