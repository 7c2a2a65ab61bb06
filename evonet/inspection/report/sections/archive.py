"""The section on the run's archive."""

from __future__ import annotations

from evonet.archives.archive import Archive
from evonet.inspection.archives import held_out_of
from evonet.inspection.phrases import number
from evonet.inspection.plots.archive import archive_heatmap, parallel_axes
from evonet.inspection.report.figure import Figure, drawn
from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table

_SIZE, _WIDE = (4.6, 3.8), (8.4, 3.5)
_MOST_ROWS = 12


def archive(findings: Findings) -> Section | None:
    """The elites over two measures, in training and on held-out episodes, over all if they are more; None without."""
    found = findings.run.archive
    if found is None or not len(found):
        return None
    figures = [_heatmap(found)]
    checked = held_out_of(findings.run)
    if checked is not None:
        figures.append(
            drawn(
                "archive-held-out", "On held-out episodes",
                f"The same elites in the same cells, by their fitness on {checked.episodes} held-out episodes.",
                lambda ax: archive_heatmap(found, values=checked.fitness, ax=ax), size=_SIZE,
            )
        )  # fmt: skip
    if len(found.measure_names) > 2:
        figures.append(
            drawn(
                "archive-measures", "All measures", "A line for each elite; the fittest are on top.",
                lambda ax: parallel_axes(found, ax), size=_WIDE,
            )
        )  # fmt: skip
    return Section("archive", "Archive", [_lead(findings)], figures, [_best(found)])


def _heatmap(found: Archive) -> Figure:
    names = found.measure_names
    alternative = f"{len(found)} elites over {', '.join(names)}, by their fitness in training."
    return drawn(
        "archive-training", "In training",
        "Each elite by its fitness when it entered the archive: luck as well as skill.",
        lambda ax: archive_heatmap(found, ax=ax), alternative=alternative, size=_SIZE,
    )  # fmt: skip


def _lead(findings: Findings) -> str:
    figures = findings.run.summary.get("archive")
    if figures is None:
        return "The archive at the last checkpoint."
    cells = "" if figures["cells"] is None else f" in {figures['cells']:,} cells ({figures['coverage']:.1%})"
    score = f"a QD score of {number(figures['qd_score'], 7)} above {number(figures['offset'], 7)}"
    text = f"{figures['elites']:,} elites{cells}, {score}."
    corrected = figures.get("corrected")
    if corrected is None:
        return f"{text} How they do on other episodes is not known: set validation.archive_episodes."
    share = "" if corrected["coverage"] is None else f", coverage {corrected['coverage']:.1%}"
    return (
        f"{text} On {corrected['episodes']} held-out episodes, where fitness and measures differ, they make an archive "
        f"with a QD score of {number(corrected['qd_score'], 7)}{share}."
    )


def _best(found: Archive) -> Table:
    elites = found.elites
    rows = [elites[int(row)] for row in (-elites.fitness).argsort(kind="stable")[:_MOST_ROWS]]
    cells = [
        [str(each.id), number(each.fitness, 5), *(number(value, 4) for value in each.measures.values())]
        for each in rows
    ]
    note = "evonet replay RUN --cell=M,M plays the elite at these measures."
    return Table("The fittest elites", ["id", "fitness", *found.measure_names], cells, note=note)
