"""The section on what a novelty search found."""

from __future__ import annotations

from evonet.inspection.analysis.novelty import novelty_found
from evonet.inspection.phrases import counted, number
from evonet.inspection.plots import novelty_map
from evonet.inspection.report.figure import draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section


def novelty(data: ReportData) -> Section | None:
    """The behaviours in the archive, over the map where one is known; None where no novelty search ran."""
    found = novelty_found(data.run)
    if found is None:
        return None
    names = " and ".join(found.archive.measure_names)
    lead = (
        f"{counted(len(found.archive), 'individual')} entered the archive, because the mean distance to the nearest by "
        f"{names} was at least a threshold, which is now {number(found.threshold, 3)}."
    )
    if not len(found.archive):
        return Section("novelty", "Novelty", [lead])
    where = "Where individuals ended" if found.plan else "What was new"
    figure = draw_figure(
        "novelty", where, "Each dot is an individual in the archive of the novelty search; later ones are lighter.",
        lambda ax: novelty_map(found, ax), size=(8.4, 4.4) if found.plan else (4.0, 2.9),
    )  # fmt: skip
    return Section("novelty", "Novelty", [lead], [figure])
