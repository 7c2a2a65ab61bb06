"""The archives and fronts of a comparison in words: rows of tables, and notes on what the numbers count from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.phrases import counted, number, percent, shortened, with_minus


def archive_rows(archives: Mapping[str, Any], short: Any = str) -> list[list[str]]:
    """The rows of a table of archives, the head first: each in training, and below on held-out episodes.

    Args:
        archives: `Comparison.data["archives"]`.
        short: function that shortens the name of a run or study.
    """
    rows = [["", "QD score", "coverage", "best"]]
    for each in archives["compared"]:
        runs = "" if each["runs"] == 1 else f" ({counted(each['runs'], 'run')})"
        rows.append([f"{short(each['name'])}{runs}, training", *_figures(each["training"])])
        if each["held_out"] is not None:
            held_out = f"{short(each['name'])}, {counted(each['episodes'], 'held-out episode')}"
            rows.append([held_out, *_figures(each["held_out"])])
    return rows


def archive_note(archives: Mapping[str, Any]) -> str:
    """What the table of archives counts from."""
    measures = ", ".join(printable(shortened(name), keep="") for name in archives["measures"])
    note = f"Archives over {measures}. QD scores count fitness from {number(archives['offset'], 7)}, the lowest of all."
    return with_minus(note + _of_runs(archives))


def front_rows(fronts: Mapping[str, Any], short: Any = str) -> list[list[str]]:
    """The rows of a table of fronts, the head first.

    Args:
        fronts: `Comparison.data["fronts"]`.
        short: function that shortens the name of a run or study.
    """
    rows = [["", "individuals", "hypervolume"]]
    for each in fronts["compared"]:
        runs = "" if each["runs"] == 1 else f" ({counted(each['runs'], 'run')})"
        rows.append([f"{short(each['name'])}{runs}", _estimate(each["individuals"]), _estimate(each["hypervolume"])])
    return rows


def front_note(fronts: Mapping[str, Any]) -> str:
    """What the table of fronts counts from."""
    aims = ", ".join(f"{way} {printable(shortened(name), keep='')}" for name, way in fronts["objectives"].items())
    places = ", ".join(number(value, 5) for value in fronts["reference"].values())
    note = f"Fronts in training: {aims}. Hypervolumes count from ({places}), the worst of each objective on any front."
    return with_minus(note + _of_runs(fronts))


def _of_runs(data: Mapping[str, Any]) -> str:
    return " Means of runs, with 95 % intervals." if any(each["runs"] > 1 for each in data["compared"]) else ""


def _figures(figures: Mapping[str, Any]) -> list[str]:
    shares = figures["coverage"]
    return [_estimate(figures["qd_score"]), _estimate(shares, share=True), _estimate(figures["best"])]


def _estimate(estimate: Mapping[str, Any] | None, *, share: bool = False) -> str:
    """A mean and its interval, if there is one."""
    if estimate is None:
        return "–"

    bounds: Sequence[float] | None = estimate["interval"]
    digits = 5 if bounds is None else 4

    def shown(value: float) -> str:
        return percent(value, 1) if share else number(value, digits)

    mean = shown(estimate["mean"])
    return with_minus(mean if bounds is None else f"{mean} ({shown(bounds[0])} to {shown(bounds[1])})")
