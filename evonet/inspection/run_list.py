"""The runs and studies of a folder in a list: as data, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evonet.errors import ConfigError
from evonet.experiment.run_files.run_finder import directories_in, is_study, start_time
from evonet.files.text import printable
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.loaded_study import LoadedStudy
from evonet.inspection.phrases import duration, number

ACTIVE = 60.0
"""Seconds since the last change of its files in which an unfinished run counts as active."""

_HEAD = ("run or study", "environment", "result", "score", "gen.", "time")
_MIN_WIDTHS = {1: 11, 0: 20}
"""Least widths of the columns that are shortened in a narrow terminal, in the order of shortening."""


def run_list(folder: Path) -> list[dict[str, Any]]:
    """The runs and studies in a folder and in the folders of it as plain data, the newest last.

    `state` is `finished`, `active` (written within the last minute), `unfinished` or `damaged`. The `solved` of a study
    is a number of runs, its `test_mean` the interquartile mean of its runs, its `seconds` their sum.
    """
    return [_described(path) for path in directories_in(folder)]


def run_table(rows: Sequence[Mapping[str, Any]], width: int | None = None) -> str:
    """The list as a table of at most `width` columns; names are shortened for it."""
    table = [_HEAD, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for column, least in _MIN_WIDTHS.items():
        over = 0 if width is None else sum(widths) + 2 * (len(widths) - 1) - width
        widths[column] -= max(0, min(over, widths[column] - least))
    return "\n".join(_line(row, widths) for row in table)


def _described(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = {
        "path": str(path),
        "kind": "study" if is_study(path) else "run",
        "started": datetime.fromtimestamp(start_time(path), UTC).isoformat(timespec="seconds"),
    }
    try:
        return row | (_study(path) if row["kind"] == "study" else _run(path))
    except ConfigError as error:
        return row | {"state": "damaged", "error": str(error)}


def _run(path: Path) -> dict[str, Any]:
    run = LoadedRun(path)
    summary, champion = run.summary, run.summary["champion"] or {}
    return {
        **{key: summary[key] for key in ("name", "environment", "seed", "target")},
        "state": "finished" if run.finished else "active" if run.idle_seconds < ACTIVE else "unfinished",
        "solved": summary["solved"] if run.finished and summary["target"] is not None else None,
        "validation_mean": champion.get("validation_mean"),
        "test_mean": champion.get("test_mean"),
        **{key: summary[key] for key in ("generations", "seconds")},
    }


def _study(path: Path) -> dict[str, Any]:
    study = LoadedStudy(path)
    summary = study.summary
    unfinished = [run for run in study.runs if not run.finished]
    active = any(run.idle_seconds < ACTIVE for run in unfinished)
    return {
        **{key: summary[key] for key in ("name", "environment", "seeds", "target")},
        "state": "active" if active else "unfinished" if summary["unfinished"] else "finished",
        "runs": len(summary["seeds"]) + len(summary["unfinished"]),
        "solved": None if summary["success"] is None else summary["success"]["solved"],
        "validation_mean": None,
        "test_mean": summary["test"].get("interquartile_mean"),
        "generations": None,
        "seconds": summary["seconds"]["total"],
    }


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    path = printable(row["path"], keep="")
    if row["state"] == "damaged":
        return path, "–", "damaged", "", "", ""
    score = row["test_mean"] if row["state"] == "finished" else row["validation_mean"]
    return (
        path,
        printable(row["environment"] or "own function", keep=""),
        _result(row),
        number(score, 4),
        "" if row["generations"] is None else f"{row['generations']:,}",
        duration(row["seconds"]),
    )


def _result(row: Mapping[str, Any]) -> str:
    if row["kind"] == "study" and row["solved"] is not None:
        return f"{row['solved']}/{row['runs']} solved" + ("" if row["state"] == "finished" else f", {row['state']}")
    if row["solved"] is None:
        return str(row["state"])
    return "solved" if row["solved"] else "not solved"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = [_shortened(cell, width) for cell, width in zip(cells, widths, strict=True)]
    aligned = [
        f"{cell:<{width}}" if column < 3 else f"{cell:>{width}}"
        for column, (cell, width) in enumerate(zip(shown, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()


def _shortened(text: str, width: int) -> str:
    """`text` with its middle left out where it is longer than `width`; paths differ at their ends."""
    if len(text) <= width:
        return text
    end = width // 2
    return f"{text[: width - 1 - end]}…{text[-end:]}"
