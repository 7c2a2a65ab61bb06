"""The section on the run itself: faults, timings, settings, versions, and the command that repeats the run."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from evonet.evaluation.kernels.task import why_no_kernel
from evonet.experiment.config.bounded_yaml import LONGEST_CONFIG
from evonet.experiment.run_files.run_directory import CONFIG
from evonet.files.bounded import read_text
from evonet.files.directory import reading_below
from evonet.inspection.phrases import counted, duration, where_scored
from evonet.inspection.plots.palette import POSITIVE, Axes
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table
from evonet.shell import allowing, command

_SHOWN_FAULTS = 20


def record(data: ReportData) -> Section:
    """Faults, timings, settings, versions, and the command that repeats the run."""
    run = data.run
    commands = [command("evonet", "run", run.path / CONFIG, *allowing(run.imports))]
    with reading_below(run.path / CONFIG) as file:
        settings = read_text(file, LONGEST_CONFIG)
    parts = {"commands": commands, "settings": settings}
    tables = [*_faults(data), *_versions(data)]
    return Section("record", "Record", _lead(data), _timings(data), tables, parts=parts)


def _lead(data: ReportData) -> list[str]:
    summary, faults = data.run.summary, data.run.faults
    speed = ""
    if summary["seconds"] and summary["environment_steps"]:
        steps = (summary["environment_steps"] + summary["validation_steps"]) / summary["seconds"]
        speed = f", {steps:,.0f} environment steps a second with validation"
    failed = f"{counted(len(faults), 'episode')} failed: {_kinds(data)}." if faults else "No episode failed."
    lead = [f"The run took {duration(summary['seconds'])}{speed}.", failed]
    champion = data.champion
    if champion is not None and champion.task is not None and (why := why_no_kernel(champion.task)):
        lead.append(f"Note: {why}.")
    if where := where_scored(data.run.settings):
        lead.append(where)
    return lead


def _kinds(data: ReportData) -> str:
    counts = Counter(str(fault.get("kind")) for fault in data.run.faults)
    return ", ".join(f"{count:,} × {kind}" for kind, count in counts.most_common())


def _timings(data: ReportData) -> list[Figure]:
    seconds = data.run.seconds
    if len(seconds) < 2:
        return []
    spent = np.array([seconds[0], *(after - before for before, after in pairwise(seconds))])

    def draw(ax: Axes) -> None:
        ax.plot(np.arange(len(spent)), spent, color=POSITIVE, linewidth=1.2, label="seconds")
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter("")
        if spent.max() < 10 * spent.min():
            ax.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("generation")
        ax.set_ylabel("seconds")

    caption = f"Median {np.median(spent):.2g} s a generation; the first includes the start."
    return [draw_figure("timings", "Time of each generation", caption, draw, size=(12.0, 2.4))]


def _faults(data: ReportData) -> list[Table]:
    faults = data.run.faults
    if not faults:
        return []
    keys = ("generation", "individual", "episode", "seed", "kind", "step", "message")
    rows = [
        ["" if fault.get(key) is None else str(fault[key])[:300] for key in keys] for fault in faults[:_SHOWN_FAULTS]
    ]
    more = f" (the first {_SHOWN_FAULTS} of {len(faults):,})" if len(faults) > _SHOWN_FAULTS else ""
    return [Table(f"Faults{more}", keys, rows, numbers=False)]


def _versions(data: ReportData) -> list[Table]:
    versions = data.run.summary.get("versions") or {}
    rows = [[str(name), str(version)] for name, version in versions.items()]
    return [Table("Versions", ["software", "version"], rows, open=True, numbers=False)] if rows else []
