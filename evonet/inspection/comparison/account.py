"""The account of a comparison, as text to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.experiment.differences import as_written
from evonet.inspection.comparison import Comparison
from evonet.reading import printable

_WIDEST = 40


def comparison_account(comparison: Comparison) -> str:
    """Who is compared, in which settings they differ, and whether there is a difference."""
    data = comparison.data
    sections = [_table(_overview(data)), _settings(data), _verdicts(data["verdicts"], score_name(data))]
    if data["notes"]:
        sections.append("\n".join(data["notes"]))
    return "\n\n".join(sections)


def _overview(data: Mapping[str, Any]) -> list[list[str]]:
    seeds = data["of"] == "seeds"
    rows = [["", "runs", "solved", "evaluations to success", score_name(data)]]
    for each in data["compared"]:
        low, high = each["solved_interval"] or (0.0, 1.0)
        solved = (
            f"{each['solved']} of {each['runs']} ({100 * low:.0f} to {100 * high:.0f} %)"
            if seeds
            else str(each["solved"] == 1)
        )
        rows.append(
            [
                shortened(each["name"]),
                str(each["runs"]),
                "no target" if each["solved"] is None else {"True": "yes", "False": "no"}.get(solved, solved),
                number(each["evaluations_to_success"]),
                with_interval(each["test_score"], each["test_interval"]),
            ]
        )
    return rows


def _settings(data: Mapping[str, Any]) -> str:
    if not data["settings"]:
        return "No setting differs" + (" but the seeds." if data["of"] == "seeds" else ".")
    names = [each["name"] for each in data["compared"]]
    rows = [["Settings that differ", *map(shortened, names)]]
    rows += [
        [key, *(shortened(as_written(values[name])) for name in names)] for key, values in data["settings"].items()
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
            told = with_interval(verdict["difference"], verdict["interval"])
            lines.append(f"  {figure}, {verdict['first']} less {verdict['second']}: {told}")
    return "\n".join(lines)


def score_name(data: Mapping[str, Any]) -> str:
    """What scores are summed up by."""
    return "interquartile mean of test scores" if data["of"] == "seeds" else "mean of test episodes"


def sentence(verdict: Mapping[str, Any]) -> str:
    """A verdict in words; one that begins with a name leaves it as it is."""
    words: str = verdict["words"]
    return f"{words[0].upper()}{words[1:]}." if verdict["better"] is None else f"{words}."


def number(value: float | None) -> str:
    """A figure that may be absent, or infinite: of a run that failed."""
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return "-"
    return "failed" if value == float("-inf") else f"{value:,.6g}"


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A figure with its 95 % interval."""
    if value is None or interval is None:
        return "-"
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


def shortened(text: str) -> str:
    """`text`, cut where it is too long for a column."""
    line = printable(text, keep="")
    return line if len(line) <= _WIDEST else f"…{line[1 - _WIDEST :]}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)
