"""The figures of a comparison's archives and fronts."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from evonet.archives.archive import Archive
from evonet.elite_validation import HeldOutResults
from evonet.inspection.archives import held_out_of
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.figures import FigureSpec
from evonet.inspection.comparison.fronts import ComparedFronts
from evonet.inspection.comparison.overview import short_name
from evonet.inspection.loaded_run import load_run
from evonet.inspection.plots.archive import Limits, archive_heatmap, colour_limits
from evonet.inspection.plots.archive_pair import archive_difference, have_same_cells
from evonet.inspection.plots.front import several_fronts

_MAX_ARCHIVES = 6  # archives that are drawn
_MAX_PAIRS = 3  # pairs of objectives that are drawn


def archive_figures(comparison: Comparison) -> Iterator[FigureSpec]:
    """Heatmaps of the archives of single runs by one scale, the difference of two, and the fronts in one figure.

    Raises:
        ConfigError: a file of a run cannot be read.
    """
    found = _archives(comparison)
    names, archives = [short_name(name) for name, _, _ in found], [archive for _, archive, _ in found]
    corrected = [held_out.corrected(archive) for _, archive, held_out in found if held_out is not None]
    stages = [("in training", archives)]
    if len(corrected) == len(found):
        stages.append(("on held-out episodes", corrected))
    limits = colour_limits(*(each.elites.fitness for _, drawn in stages for each in drawn)) if found else (0.0, 1.0)
    for stage, drawn in stages:
        yield from _heatmaps(names, drawn, stage, limits)
    for stage, drawn in stages:
        yield from _difference(names, drawn, stage)
    if comparison.fronts is not None:
        yield from _fronts(comparison.fronts)


def _archives(comparison: Comparison) -> list[tuple[str, Archive, HeldOutResults | None]]:
    """Name, archive and held-out fitness of the single runs that have one, over the same measures."""
    if comparison.archives is None:
        return []
    having = {name for name, _ in comparison.archives.sides}
    runs = [
        (each.name, load_run(each.path)) for each in comparison.compared if each.kind == "run" and each.name in having
    ]
    found = [(name, run.archive, held_out_of(run)) for name, run in runs[:_MAX_ARCHIVES]]
    return [(name, archive, held_out) for name, archive, held_out in found if archive is not None and len(archive)]


def _heatmaps(names: Sequence[str], archives: Sequence[Archive], stage: str, limits: Limits) -> Iterator[FigureSpec]:
    for name, archive in zip(names, archives, strict=True):
        yield FigureSpec(
            f"{name} {stage}",
            "Each elite by its fitness; all heatmaps on this page have the same colours.",
            functools.partial(_heatmap, archive, limits),
        )


def _heatmap(archive: Archive, limits: Limits, axes: Any) -> None:
    archive_heatmap(archive, ax=axes, limits=limits)


def _difference(names: Sequence[str], archives: Sequence[Archive], stage: str) -> Iterator[FigureSpec]:
    if len(archives) != 2 or not have_same_cells(*archives):
        return
    first, second = names
    yield FigureSpec(
        f"Difference {stage}",
        f"Fitness of {first} less that of {second} in each cell that both have: blue where {first} is fitter.",
        lambda axes: _draw_difference(archives, (first, second), axes),
    )


def _draw_difference(archives: Sequence[Archive], names: tuple[str, str], axes: Any) -> None:
    archive_difference(archives[0], archives[1], names, axes)


def _fronts(fronts: ComparedFronts) -> Iterator[FigureSpec]:
    names = list(fronts.directions)
    sides = {short_name(name): each for name, each in fronts.sides}
    for across, up in itertools.islice(itertools.combinations(range(len(names)), 2), _MAX_PAIRS):
        yield FigureSpec(
            f"{names[up]} against {names[across]}",
            "The individuals of the last population that no other of the same run dominates, on training episodes. "
            + ("Thin lines lead to what they reach on held-out episodes. " if fronts.validated else "")
            + "The cross is the point from which hypervolumes count.",
            functools.partial(_draw_fronts, sides, (across, up), fronts),
        )


def _draw_fronts(sides: Any, pair: tuple[int, int], fronts: ComparedFronts, axes: Any) -> None:
    validated = {short_name(name): found for name, found in fronts.validated.items()}
    several_fronts(sides, pair, fronts.reference, axes, validated)
