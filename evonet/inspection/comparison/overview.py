"""The overview of a comparison that `evonet compare` prints."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from evonet.experiment.config.differences import as_written
from evonet.files.text import printable
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.archive_tables import archive_note, archive_rows, front_note, front_rows
from evonet.inspection.phrases import counted, number, percent, with_minus

_WIDEST = 40
_DIGITS = 4
_COLUMNS = 80


def comparison_overview(comparison: Comparison) -> str:
    """A comparison as text: a table of results, the settings that differ, and the verdicts."""
    data = comparison.data
    notes = list(data["notes"])
    sections = [notes.pop(0)] if len(comparison.environments) > 1 else []
    legend = f"evaluations: median to success, of solved runs. test score: {score_name(data)} (95 % interval)."
    sections = [_wrapped(text) for text in sections]
    sections += [f"{_table(_results(data))}\n{_wrapped(legend)}", _settings(data)]
    if "archives" in data:
        sections.append(
            f"{_table(archive_rows(data['archives'], short_name))}\n{_wrapped(archive_note(data['archives']))}"
        )
    if "fronts" in data:
        sections.append(f"{_table(front_rows(data['fronts'], short_name))}\n{_wrapped(front_note(data['fronts']))}")
    sections += [
        _verdicts(data["verdicts"], score_name(data)),
        *([] if not notes else ["\n".join(map(_wrapped, notes))]),
    ]
    return "\n\n".join(sections)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _results(data: Mapping[str, Any]) -> list[list[str]]:
    rows = [["", "solved", "evaluations", "test score"]]
    rows += [
        [
            short_name(each["name"]),
            _solved(each, of_seeds=data["of"] == "seeds"),
            number(each["evaluations_to_success"], _DIGITS),
            with_minus(with_interval(each["test_score"], each["test_interval"])),
        ]
        for each in data["compared"]
    ]
    return rows


def _solved(compared: Mapping[str, Any], *, of_seeds: bool) -> str:
    if compared["solved"] is None:
        return f"no target ({counted(compared['runs'], 'run')})"
    if not of_seeds:
        return "yes" if compared["solved"] else "no"
    low, high = compared["solved_interval"]
    return f"{compared['solved']}/{compared['runs']} ({100 * low:.0f} to {percent(high)})"


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
    lines = ["Two-sided Mann-Whitney tests, intervals by bootstrap:"]
    for verdict in verdicts:
        lines.append(_wrapped(sentence(verdict), "  "))
        if verdict["difference"] is not None:
            figure = score if verdict["measure"] == "test score" else "median of evaluations where solved"
            pair = f"{verdict['first']} − {verdict['second']}"
            lines.append(_wrapped(f"  difference {pair}: {difference(verdict)}, {figure}", "    "))
    return "\n".join(lines)


def difference(verdict: Mapping[str, Any]) -> str:
    """The difference of a verdict with its 95 % interval; a dash if there is none."""
    return with_minus(with_interval(verdict["difference"], verdict["interval"]))


def score_name(data: Mapping[str, Any]) -> str:
    """The name of the statistic that summarises scores."""
    return "interquartile mean of test scores" if data["of"] == "seeds" else "mean of test episodes"


def sentence(verdict: Mapping[str, Any]) -> str:
    """A verdict as a sentence; a name at its beginning is not capitalised."""
    words: str = verdict["words"]
    return f"{words[0].upper()}{words[1:]}." if verdict["better"] is None else f"{words}."


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A figure with its 95 % interval, for example `-0.27 (-1.23 to 0.81)`."""
    if value is None or interval is None:
        return "–"
    if math.isinf(value):
        return "failed"
    return f"{number(value, _DIGITS)} ({number(interval[0], _DIGITS)} to {number(interval[1], _DIGITS)})"


def short_name(text: str) -> str:
    """`text` on one line, shortened at its beginning, because paths of directories differ at their ends."""
    line = printable(text, keep="")
    return line if len(line) <= _WIDEST else f"…{line[1 - _WIDEST :]}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)
