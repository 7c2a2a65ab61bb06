"""The section on the Pareto front of a run with several objectives."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any

from evonet.inspection.analysis.front import ValidatedFront, front_of, validated_front
from evonet.inspection.phrases import counted, listed, number
from evonet.inspection.plots import metric_curve, pareto_front
from evonet.inspection.report.figure import draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table

_MAX_PAIRS = 3
_MAX_ROWS = 200


def front(data: ReportData) -> Section | None:
    """The last population over each pair of objectives, and the hypervolume; None if the run has one objective."""
    run = data.run
    found = front_of(run)
    if found is None:
        return None
    names, checked = list(found.directions), validated_front(run)
    champion = None if run.champion is None else run.champion.id
    pairs = list(itertools.islice(itertools.combinations(range(len(names)), 2), _MAX_PAIRS))
    figures = [
        draw_figure(
            f"front-{across}-{up}", f"{names[up]} against {names[across]}",
            "Each point is an individual of the last population, on the training episodes of its generation. The ring "
            "is the champion, if it is still among them."
            + ("" if checked is None else " Thin lines lead to what the front reaches on held-out episodes."),
            functools.partial(pareto_front, found, (across, up), champion, validated=checked), size=(4.0, 3.4),
        )
        for across, up in pairs
    ]  # fmt: skip
    if "hypervolume" in run.metrics:
        figures.append(
            draw_figure(
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
    tables += [] if checked is None else [_moved(checked)]
    aims = listed([f"{direction} {name}" for name, direction in found.directions.items()])
    lead = f"{counted(len(rows), 'individual')} of {len(found.ids)} that no other dominates: {aims}."
    return Section("front", "Pareto front", [lead, *_validated(run.summary, checked)], figures, tables)


def _validated(summary: Mapping[str, Any], checked: ValidatedFront | None) -> list[str]:
    """Hypervolume and size of the front on held-out episodes beside those in training."""
    if checked is None:
        return []
    raw, corrected = summary["front"], summary["front"]["corrected"]
    text = (
        f"Of the front's {counted(raw['individuals'], 'individual')}, {corrected['individuals']:,} stay undominated by "
        f"the others on {counted(checked.episodes, 'held-out episode')}; the hypervolume there is "
        f"{number(corrected['hypervolume'], 5)} instead of {number(raw['hypervolume'], 5)}, from the same point."
    )
    return [text]


def _moved(checked: ValidatedFront) -> Table:
    """The individuals of the front in training and on held-out episodes."""
    names, best = list(checked.directions), checked.best
    rows = [
        [
            str(checked.ids[row]),
            *(
                f"{number(before, 4)} → {number(after, 4)}"
                for before, after in zip(checked.training[row].tolist(), checked.held_out[row].tolist(), strict=True)
            ),
            "yes" if best[row] else "no",
        ]
        for row in range(min(len(checked.ids), _MAX_ROWS))
    ]
    return Table("The front, from training to held-out", ["individual", *names, "still on the front"], rows)
