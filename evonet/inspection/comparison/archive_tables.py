"""The archives and fronts of a comparison as rows of tables, with notes on what the numbers count from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evonet.files.text import printable
from evonet.inspection.phrases import counted, number, percent, shortened, with_minus


def archive_rows(archives: Mapping[str, Any], short: Callable[[str], str] = str) -> list[list[str]]:
    """The rows of a table of archives, the head first: each in training, and below on held-out episodes.

    Args:
        archives: `Comparison.data["archives"]`.
        short: function that shortens the name of a run or study.
    """
    rows = [["", "QD score", "coverage", "best"]]
    for each in archives["compared"]:
        rows += [[label, *_metrics(metrics)] for label, metrics in _stages(each, short)]
    return rows


def _stages(side: Mapping[str, Any], short: Callable[[str], str]) -> list[tuple[str, Mapping[str, Any]]]:
    """The labels and metrics of a run or study in training, and on held-out episodes if it has them."""
    name = short(side["name"])
    runs = "" if side["runs"] == 1 else f" ({counted(side['runs'], 'run')})"
    stages = [(f"{name}{runs}, training", side["training"])]
    if side["held_out"] is not None:
        stages.append((f"{name}, {counted(side['episodes'], 'held-out episode')}", side["held_out"]))
    return stages


def archive_note(archives: Mapping[str, Any]) -> str:
    """What the table of archives counts from."""
    measures = ", ".join(printable(shortened(name), keep="") for name in archives["measures"])
    note = f"Archives over {measures}. QD scores count fitness from {number(archives['offset'], 7)}, the lowest of all."
    return with_minus(note + _of_runs(archives))


def front_rows(fronts: Mapping[str, Any], short: Callable[[str], str] = str) -> list[list[str]]:
    """The rows of a table of fronts, the head first.

    Args:
        fronts: `Comparison.data["fronts"]`.
        short: function that shortens the name of a run or study.
    """
    rows = [["", "individuals", "hypervolume"]]
    for each in fronts["compared"]:
        for label, metrics in _stages(each, short):
            rows.append([label, _estimate(metrics["individuals"]), _estimate(metrics["hypervolume"])])
    return rows


def front_note(fronts: Mapping[str, Any]) -> str:
    """What the table of fronts counts from."""
    aims = ", ".join(f"{way} {printable(shortened(name), keep='')}" for name, way in fronts["objectives"].items())
    reference = ", ".join(number(value, 5) for value in fronts["reference"].values())
    note = f"Fronts: {aims}. Hypervolumes count from ({reference}), the worst of each objective on any front."
    return with_minus(note + _of_runs(fronts))


def _of_runs(data: Mapping[str, Any]) -> str:
    return " Means of runs, with 95 % intervals." if any(each["runs"] > 1 for each in data["compared"]) else ""


def _metrics(metrics: Mapping[str, Any]) -> list[str]:
    coverage = metrics["coverage"]
    return [_estimate(metrics["qd_score"]), _estimate(coverage, share=True), _estimate(metrics["best"])]


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
