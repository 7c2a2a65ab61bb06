"""The section on the run's archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.elite_validation import HeldOut
from evonet.inspection.analysis.movement import distances_moved, measure_widths
from evonet.inspection.archives import held_out_of
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import counted, listed, number, percent, shortened
from evonet.inspection.plots.archive import (
    MAX_CELLS,
    MAX_POINTS,
    archive_heatmap,
    as_cells,
    colour_limits,
    held_out_scatter,
    mark_cells,
    parallel_axes,
    point_order,
)
from evonet.inspection.plots.learning import sampled_elites
from evonet.inspection.report.archive_frames import archive_frames
from evonet.inspection.report.elite_clips import EliteClip, elite_clips
from evonet.inspection.report.figure import Figure, drawn
from evonet.inspection.report.findings import LONGEST, Findings
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table
from evonet.shell import command
from evonet.types import FloatArray

_SIZE, _WIDE = (4.0, 3.3), (8.4, 3.5)
_TRAINING = "archive-training"
_MAX_ROWS = 12


def archive(findings: Findings) -> Section | None:
    """The elites over two measures, in training and on held-out episodes, over all if they are more; None without.

    A slider shows how the archive filled; some elites play an episode.
    """
    run = findings.run
    found = run.archive
    if found is None or not len(found):
        return None
    checked = held_out_of(run)
    raw = found.elites.fitness
    fresh = None if checked is None else checked.corrected(found)
    limits = colour_limits(raw, *([] if fresh is None else [fresh.elites.fitness]))
    clips, why = elite_clips(run, found, raw if checked is None else checked.fitness, findings.effort, LONGEST)
    figures = [_training(found, clips, limits)]
    tables = [_best(found, checked)]
    if checked is not None and fresh is not None:
        figures += [_corrected(fresh, checked, limits), _luck(found, checked)]
        tables.append(_moved(found, checked))
    if np.isfinite(run.metrics.get("sampled_held_out", np.empty(0))).sum() > 1:
        figures.append(
            drawn(
                "archive-samples", "While it ran",
                "Mean fitness of elites that were drawn at random: in the archive, and on held-out episodes.",
                lambda ax: sampled_elites(run, ax), size=(8.4, 2.6),
            )
        )  # fmt: skip
    if len(found.measure_names) > 2:
        figures.append(
            drawn(
                "archive-measures", "All measures", "A line for each elite; the fittest are on top.",
                lambda ax: parallel_axes(found, ax), size=_WIDE,
            )
        )  # fmt: skip
    frames = archive_frames(run, found, _TRAINING, limits)
    parts: dict[str, Any] = {"generations": frames or {"figure": _TRAINING, "frames": []}}
    parts["generations"] |= {"pick": _pick(run, found, clips)}
    if clips:
        films = [_described(run, found, checked, clip) for clip in clips]
        parts["clips"] = {"after": 1 if checked is None else 2, "films": films}
    notices = [f"Episodes of elites are left out: {why}."] if why else []
    return Section("archive", "Archive", _lead(run, checked, found), figures, tables, notices, parts)


def _training(found: Archive, clips: Sequence[EliteClip], limits: tuple[float, float]) -> Figure:
    names = found.measure_names
    places = found.elites.measures[[clip.row for clip in clips]][:, [0, min(1, len(names) - 1)]]
    if len(names) == 1:
        places[:, 1] = found.elites.fitness[[clip.row for clip in clips]]

    def draw(ax: Any) -> None:
        archive_heatmap(found, ax=ax, limits=limits)
        mark_cells(places, [clip.letter for clip in clips], ax)

    caption = "Each elite by its fitness when it entered the archive: luck as well as skill."
    if as_cells(found) and (found.num_cells or 0) > MAX_CELLS:
        caption += " Each square shows the fittest of several cells."
    alternative = f"{len(found)} elites over {', '.join(names)}, by their fitness in training."
    return drawn(_TRAINING, "In training", caption, draw, alternative=alternative, size=_SIZE)


def _corrected(fresh: Archive, checked: HeldOut, limits: tuple[float, float]) -> Figure:
    return drawn(
        "archive-held-out", "Corrected",
        f"The archive that the same elites make by what they did on {counted(checked.episodes, 'held-out episode')}: "
        f"{counted(len(fresh), 'elite')}.",
        lambda ax: archive_heatmap(fresh, ax=ax, limits=limits), size=_SIZE,
    )  # fmt: skip


def _luck(found: Archive, checked: HeldOut) -> Figure:
    return drawn(
        "archive-luck", "Training against held-out",
        "Each elite by its fitness in training and on the held-out episodes. Below the line it was lucky.",
        lambda ax: held_out_scatter(found, checked.fitness, ax), size=_SIZE,
    )  # fmt: skip


def _lead(run: LoadedRun, checked: HeldOut | None, found: Archive) -> list[str]:
    figures = run.summary.get("archive")
    if figures is None:
        return ["The archive at the last checkpoint."]
    cells = "" if figures["cells"] is None else f" in {figures['cells']:,} cells ({figures['coverage']:.1%})"
    score = f"a QD score of {number(figures['qd_score'], 7)} above {number(figures['offset'], 7)}"
    text = f"{figures['elites']:,} elites{cells}, {score}."
    corrected = figures.get("corrected")
    if corrected is None or checked is None:
        return [f"{text} How they do on other episodes is not known: set validation.archive_episodes."]
    share = "" if corrected["coverage"] is None else f", coverage {corrected['coverage']:.1%}"
    text += (
        f" On {corrected['episodes']} held-out episodes, where fitness and measures differ, they make an archive "
        f"with a QD score of {number(corrected['qd_score'], 7)}{share}."
    )
    moved = figures.get("moved")
    if moved is None or moved["fitness"] is None:
        return [text]
    widths = dict(zip(found.measure_names, measure_widths(found).tolist(), strict=True))
    changes = [f"fitness by {number(moved['fitness'], 4)}"]
    width = "its range" if hasattr(found, "ranges") else "their spread"
    changes += [
        f"{shortened(name)} by {number(away, 3)} ({percent(away / widths[name])} of {width})"
        for name, away in moved["measures"].items()
        if away is not None and name in widths
    ]
    same = (
        "" if moved["same_cell"] is None else f", and {percent(moved['same_cell'])} of them are in the same cell there"
    )
    return [text, f"In the median they move: {listed(changes)}{same}."]


def _best(found: Archive, checked: HeldOut | None) -> Table:
    elites = found.elites
    rows = (-elites.fitness).argsort(kind="stable")[:_MAX_ROWS]
    head = ["id", "fitness", *([] if checked is None else ["held-out"]), *map(shortened, found.measure_names)]
    cells = [
        [
            str(elites.ids[row]),
            number(float(elites.fitness[row]), 5),
            *([] if checked is None else [number(float(checked.fitness[row]), 5)]),
            *(number(value, 4) for value in elites.measures[row].tolist()),
        ]
        for row in rows.tolist()
    ]
    return Table(
        "The fittest elites", head, cells, note="evonet replay RUN --cell=M,M plays the elite at these measures."
    )


def _moved(found: Archive, checked: HeldOut) -> Table:
    elites, moved = found.elites, distances_moved(found, checked)
    order = np.argsort(np.where(np.isfinite(moved), -moved, np.inf), kind="stable")
    cells = [
        [
            str(elites.ids[row]),
            _change(elites.fitness[row], checked.fitness[row]),
            *(_change(*pair) for pair in zip(elites.measures[row], checked.measures[row], strict=True)),
        ]
        for row in order[:_MAX_ROWS].tolist()
        if np.isfinite(moved[row])
    ]
    return Table(
        "The elites that moved most, from training to held-out",
        ["id", "fitness", *map(shortened, found.measure_names)],
        cells,
    )


def _change(before: float, after: float) -> str:
    return f"{number(float(before), 4)} → {number(float(after), 4)}"


def _pick(run: LoadedRun, found: Archive, clips: Sequence[EliteClip]) -> dict[str, Any]:
    """What a click on an elite needs: the command that plays it, and the films of some, by place or by point."""
    elites, cells = found.elites, as_cells(found)
    order = point_order(found, elites.fitness)
    films: list[dict[str, Any]] = []
    for clip in clips:
        place = elites.measures[clip.row]
        where = {"x": place[0], "y": place[1]} if cells else {"point": int(np.flatnonzero(order == clip.row)[0])}
        films.append({"shows": f"clip-{clip.letter}", **where})
    shown = [] if cells or len(order) > MAX_POINTS else [_cell_argument(row) for row in elites.measures[order]]
    return {"command": command("evonet", "replay", run.path), "points": shown, "clips": films}


def _cell_argument(measures: FloatArray) -> str:
    return ",".join(f"{value:.6g}" for value in measures.tolist())


def _described(run: LoadedRun, found: Archive, checked: HeldOut | None, clip: EliteClip) -> dict[str, Any]:
    elite, episode = found.elites[clip.row], clip.episode
    measured = ", ".join(f"{shortened(name)} {number(value, 4)}" for name, value in elite.measures.items())
    scores = [f"fitness {number(elite.fitness, 5)} in training"]
    if checked is not None:
        fresh = f"{number(float(checked.fitness[clip.row]), 5)} on {counted(checked.episodes, 'held-out episode')}"
        scores.append(fresh)
    steps = counted(len(episode), "step")
    cut = f"its first {steps}" if episode.abandoned else steps
    name = f"{clip.letter}: {measured}"
    return {
        "letter": clip.letter,
        "name": f"{name}, the fittest" if clip.letter == "A" else name,
        "place": f"clip-{clip.letter}",
        "sheet": clip.sheet,
        "text": f"{name}; {', '.join(scores)}. This episode: return {number(episode.total, 4)}, {cut}.",
        "command": command("evonet", "replay", run.path, f"--cell={_cell_argument(found.elites.measures[clip.row])}"),
    }
