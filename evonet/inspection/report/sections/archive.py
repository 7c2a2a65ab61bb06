"""The section on the run's archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.elite_validation import HeldOutResults
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
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import LONGEST, ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table
from evonet.shell import command
from evonet.types import FloatArray

_SIZE, _WIDE = (4.0, 3.3), (8.4, 3.5)
_TRAINING = "archive-training"
_MAX_ROWS = 12


def archive(data: ReportData) -> Section | None:
    """The elites over two measures, in training and on held-out episodes; None for a run without elites.

    With more than two measures, there is a figure of all of them. A slider shows how the archive filled; some elites
    play an episode.
    """
    run = data.run
    found = run.archive
    if found is None or not len(found):
        return None
    held_out = held_out_of(run)
    raw = found.elites.fitness
    fresh = None if held_out is None else held_out.corrected(found)
    limits = colour_limits(raw, *([] if fresh is None else [fresh.elites.fitness]))
    clips, why = elite_clips(run, found, raw if held_out is None else held_out.fitness, data.effort, LONGEST)
    figures = [_training(found, clips, limits)]
    tables = [_best(found, held_out)]
    if held_out is not None and fresh is not None:
        figures += [_corrected(fresh, held_out, limits), _luck(found, held_out)]
        tables.append(_moved(found, held_out))
    if np.isfinite(run.metrics.get("sampled_held_out", np.empty(0))).sum() > 1:
        figures.append(
            draw_figure(
                "archive-samples", "While it ran",
                "Mean fitness of elites that were drawn at random: in the archive, and on held-out episodes.",
                lambda ax: sampled_elites(run, ax), size=(8.4, 2.6),
            )
        )  # fmt: skip
    if len(found.measure_names) > 2:
        figures.append(
            draw_figure(
                "archive-measures", "All measures", "A line for each elite; the fittest are on top.",
                lambda ax: parallel_axes(found, ax), size=_WIDE,
            )
        )  # fmt: skip
    frames = archive_frames(run, found, _TRAINING, limits)
    parts: dict[str, Any] = {"generations": frames or {"figure": _TRAINING, "frames": []}}
    parts["generations"] |= {"pick": _pick(run, found, clips)}
    if clips:
        films = [_described(run, found, held_out, clip) for clip in clips]
        parts["clips"] = {"after": 1 if held_out is None else 2, "films": films}
    notices = [f"Episodes of elites are left out: {why}."] if why else []
    return Section("archive", "Archive", _lead(run, held_out, found), figures, tables, notices, parts)


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
    return draw_figure(_TRAINING, "In training", caption, draw, alternative=alternative, size=_SIZE)


def _corrected(fresh: Archive, held_out: HeldOutResults, limits: tuple[float, float]) -> Figure:
    return draw_figure(
        "archive-held-out", "Corrected",
        f"The archive that the same elites make by what they did on {counted(held_out.episodes, 'held-out episode')}: "
        f"{counted(len(fresh), 'elite')}.",
        lambda ax: archive_heatmap(fresh, ax=ax, limits=limits), size=_SIZE,
    )  # fmt: skip


def _luck(found: Archive, held_out: HeldOutResults) -> Figure:
    return draw_figure(
        "archive-luck", "Training against held-out",
        "Each elite by its fitness in training and on the held-out episodes. Below the line it was lucky.",
        lambda ax: held_out_scatter(found, held_out.fitness, ax), size=_SIZE,
    )  # fmt: skip


def _lead(run: LoadedRun, held_out: HeldOutResults | None, found: Archive) -> list[str]:
    metrics = run.summary.get("archive")
    if metrics is None:
        return ["The archive at the last checkpoint."]
    cells = "" if metrics["cells"] is None else f" in {metrics['cells']:,} cells ({metrics['coverage']:.1%})"
    score = f"a QD score of {number(metrics['qd_score'], 7)} above {number(metrics['offset'], 7)}"
    text = f"{metrics['elites']:,} elites{cells}, {score}."
    corrected = metrics.get("corrected")
    if corrected is None or held_out is None:
        return [f"{text} How they do on other episodes is not known: set validation.archive_episodes."]
    share = "" if corrected["coverage"] is None else f", coverage {corrected['coverage']:.1%}"
    text += (
        f" On {corrected['episodes']} held-out episodes, where fitness and measures differ, they make an archive "
        f"with a QD score of {number(corrected['qd_score'], 7)}{share}."
    )
    moved = metrics.get("moved")
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


def _best(found: Archive, held_out: HeldOutResults | None) -> Table:
    elites = found.elites
    rows = (-elites.fitness).argsort(kind="stable")[:_MAX_ROWS]
    head = ["id", "fitness", *([] if held_out is None else ["held-out"]), *map(shortened, found.measure_names)]
    cells = [
        [
            str(elites.ids[row]),
            number(float(elites.fitness[row]), 5),
            *([] if held_out is None else [number(float(held_out.fitness[row]), 5)]),
            *(number(value, 4) for value in elites.measures[row].tolist()),
        ]
        for row in rows.tolist()
    ]
    return Table(
        "The fittest elites", head, cells, note="evonet replay RUN --cell=M,M plays the elite at these measures."
    )


def _moved(found: Archive, held_out: HeldOutResults) -> Table:
    elites, moved = found.elites, distances_moved(found, held_out)
    order = np.argsort(np.where(np.isfinite(moved), -moved, np.inf), kind="stable")
    cells = [
        [
            str(elites.ids[row]),
            _change(elites.fitness[row], held_out.fitness[row]),
            *(_change(*pair) for pair in zip(elites.measures[row], held_out.measures[row], strict=True)),
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


def _described(run: LoadedRun, found: Archive, held_out: HeldOutResults | None, clip: EliteClip) -> dict[str, Any]:
    elite, episode = found.elites[clip.row], clip.episode
    measured = ", ".join(f"{shortened(name)} {number(value, 4)}" for name, value in elite.measures.items())
    scores = [f"fitness {number(elite.fitness, 5)} in training"]
    if held_out is not None:
        fresh = f"{number(float(held_out.fitness[clip.row]), 5)} on {counted(held_out.episodes, 'held-out episode')}"
        scores.append(fresh)
    steps = counted(len(episode), "step")
    length = f"its first {steps}" if episode.abandoned else steps
    name = f"{clip.letter}: {measured}"
    return {
        "letter": clip.letter,
        "name": f"{name}, the fittest" if clip.letter == "A" else name,
        "place": f"clip-{clip.letter}",
        "sheet": clip.sheet,
        "text": f"{name}; {', '.join(scores)}. This episode: return {number(episode.total, 4)}, {length}.",
        "command": command("evonet", "replay", run.path, f"--cell={_cell_argument(found.elites.measures[clip.row])}"),
    }
