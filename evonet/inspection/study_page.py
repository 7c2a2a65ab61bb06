"""The page of a study: the curves of all runs, the share solved, the test scores, and a table by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.curves import learning_curve
from evonet.inspection.comparison.figures import FigureSpec, solving
from evonet.inspection.comparison.page import rendered, write_text
from evonet.inspection.loaded_study import LoadedStudy
from evonet.inspection.phrases import duration, number, percent, score_and_interval, with_minus
from evonet.inspection.plots.learning import thousands
from evonet.inspection.plots.palette import MUTED, NEGATIVE, POSITIVE, TARGET, legend
from evonet.inspection.study_overview import counted_seeds
from evonet.inspection.table import Table

_MAX_RUNS = 200  # whose curves are drawn


def write_study_page(study: LoadedStudy, path: Path) -> None:
    """Write the page of a study to `path`; of a study under way, with the runs that are finished.

    Raises:
        EvonetError: no run is finished, or Matplotlib, Jinja2 or SciPy is not installed.
        RunDirectoryError: the file cannot be written.
    """
    write_text(study_page(study), path)


def study_page(study: LoadedStudy) -> str:
    """The page's HTML.

    Raises:
        ConfigError: no run is finished.
        EvonetError: Matplotlib or Jinja2 is not installed.
    """
    best, summary = study.best_run, study.summary
    comparison = Comparison([study.path])
    solved = solving(comparison)
    notes = [f"Its best run by validation is {best.path}: evonet inspect {best.path} --html"]
    if summary["unfinished"]:
        notes.append(f"Not finished: {counted_seeds(summary['unfinished'])}.")
    if summary["failures"]:
        notes.append(
            f"Failed, and counted as not solved: {counted_seeds([each['seed'] for each in summary['failures']])}."
        )
    return rendered(
        kind="study",
        title=summary["name"] or study.path.name,
        facts=f"{summary['environment'] or 'own fitness function'} · {counted_seeds(summary['seeds'])}",
        sentences=[_sentence(summary)],
        notes=notes,
        figures=[figure for figure in (_learning(study, comparison), solved, _scores(study)) if figure is not None],
        tables=[_by_seed(summary["runs"])],
        footer="Made by evonet inspect --html.",
    )


def _sentence(summary: Mapping[str, Any]) -> str:
    success, test = summary["success"], summary["test"]
    tested = (
        f"the interquartile mean of the test scores is "
        f"{score_and_interval(test['interquartile_mean'], test['interval'], summary['target'])}"
    )
    if success is None:
        return with_minus(f"{tested[0].upper()}{tested[1:]}; there is no target.")
    low, high = success["interval"]
    solved = f"{success['solved']} of {success['runs']} runs solved ({percent(low)} to {percent(high)})"
    spent = summary["to_success"]["evaluations"]["median"]
    after = "" if spent is None else f", after a median of {number(spent, 4)} evaluations"
    return with_minus(f"{solved}{after}; {tested}, target {number(summary['target'], 4)}. In brackets: 95 % intervals.")


def _learning(study: LoadedStudy, comparison: Comparison) -> FigureSpec | None:
    curve = learning_curve(comparison.compared[0])
    if curve is None:
        return None
    runs = [run for run in study.runs if run.finished and run.metrics][:_MAX_RUNS]

    def draw(axes: Any) -> None:
        for run in runs:
            x, y = run.metrics["evaluations"], run.metrics["validation_mean"]
            axes.step(x, y, where="post", color=MUTED, linewidth=0.7, alpha=0.55)
        axes.fill_between(curve.x, curve.low, curve.high, color=POSITIVE, alpha=0.2, step="post", linewidth=0)
        axes.step(curve.x, curve.y, where="post", color=POSITIVE, label="median of the runs")
        _mark_target(study, axes.axhline)
        axes.set_xlabel("evaluations")
        axes.set_ylabel("validation mean")
        thousands(axes)
        legend(axes, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, borderaxespad=0.2)

    caption = "Validation mean of each run's champion so far (thin), their median and quartiles; stopped runs count on."
    return FigureSpec("Learning", caption, draw)


def _scores(study: LoadedStudy) -> FigureSpec:
    runs = sorted(study.summary["runs"], key=_test)
    values = np.array([_test(run) for run in runs])

    def draw(axes: Any) -> None:
        colours = [POSITIVE if run["solved"] else NEGATIVE for run in runs]
        axes.scatter(range(len(runs)), np.where(np.isfinite(values), values, np.nan), s=22, color=colours)
        _mark_target(study, axes.axhline)
        if len(runs) <= 30:
            axes.set_xticks(range(len(runs)), [str(run["seed"]) for run in runs], rotation=90)
        axes.set_xlabel("seed, by test score")
        axes.set_ylabel("test score")

    return FigureSpec("Test scores", "Test mean of each run's champion. Blue: solved; orange: not solved.", draw)


def _mark_target(study: LoadedStudy, line: Any) -> None:
    target = study.summary["target"]
    if target is not None:
        line(target, color=TARGET, linewidth=1.4, linestyle=":", label="target")


def _test(run: Mapping[str, Any]) -> float:
    return -np.inf if run["test_mean"] is None else float(run["test_mean"])


def _by_seed(runs: Sequence[Mapping[str, Any]]) -> Table:
    head = ["seed", "solved", "test", "validation", "training", "evaluations", "generations", "stopped by", "time"]
    rows = [
        [
            str(run["seed"]),
            "yes" if run["solved"] else "no",
            *(with_minus(number(run[key], 4)) for key in ("test_mean", "validation_mean", "training_fitness")),
            f"{run['evaluations']:,}",
            f"{run['generations']:,}",
            run["stopped_by"],
            duration(run["seconds"]),
        ]
        for run in runs
    ]
    return Table("Runs", head, rows, open=True)
