"""The section on the Pareto front of a run with several objectives."""

from __future__ import annotations

import functools
import itertools

from evonet.inspection.analysis.front import front_of
from evonet.inspection.phrases import counted, listed, number
from evonet.inspection.plots import metric_curve, pareto_front
from evonet.inspection.report.figure import drawn
from evonet.inspection.report.findings import Findings
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table

_MAX_PAIRS = 3
_MAX_ROWS = 200


def front(findings: Findings) -> Section | None:
    """The last population over each pair of objectives, and the hypervolume; None if the run has one objective."""
    run = findings.run
    found = front_of(run)
    if found is None:
        return None
    names = list(found.directions)
    champion = None if run.champion is None else run.champion.id
    pairs = list(itertools.islice(itertools.combinations(range(len(names)), 2), _MAX_PAIRS))
    figures = [
        drawn(
            f"front-{across}-{up}", f"{names[up]} against {names[across]}",
            "Each point is an individual of the last population, on the training episodes of its generation. The ring "
            "is the champion, if it is still among them.",
            functools.partial(pareto_front, found, (across, up), champion), size=(4.0, 3.4),
        )
        for across, up in pairs
    ]  # fmt: skip
    if "hypervolume" in run.metrics:
        figures.append(
            drawn(
                "hypervolume", "Hypervolume",
                "What the front dominates, counted from the worst of each objective in the first generation.",
                lambda ax: metric_curve(run, "hypervolume", "hypervolume", ax),
            )
        )  # fmt: skip
    rows = [row for row in found.values[:, 0].argsort(kind="stable").tolist() if found.best[row]]
    tables = [
        Table(
            "The front" if len(rows) <= _MAX_ROWS else f"The first {_MAX_ROWS} of the front",
            ["individual", *names],
            [[str(found.ids[row]), *map(number, found.values[row].tolist())] for row in rows[:_MAX_ROWS]],
        )
    ]
    aims = listed([f"{direction} {name}" for name, direction in found.directions.items()])
    lead = f"{counted(len(rows), 'individual')} of {len(found.ids)} that no other dominates: {aims}."
    return Section("front", "Pareto front", [lead], figures, tables)
