"""The runs in a folder, which may be that of a study."""

from __future__ import annotations

from pathlib import Path

from evonet.experiment.run_files.run_finder import (
    directories_in,
    is_run,
    is_study,
    seed_directory,
    seeds_in,
    start_time,
)

_MAX_RUNS = 200  # runs


def runs_in(folder: Path) -> dict[str, Path]:
    """The runs in a folder and in the studies in it, by their path from there, the newest first; at most 200."""
    places = [folder] if is_study(folder) else directories_in(folder)
    runs = [run for place in places for run in ([place] if is_run(place) else _runs_of(place))]
    runs.sort(key=lambda run: (-start_time(run), run))
    return {run.relative_to(folder).as_posix(): run for run in runs[:_MAX_RUNS]}


def _runs_of(study: Path) -> list[Path]:
    runs = [seed_directory(study, seed) for seed in seeds_in(study)]
    return [run for run in runs if is_run(run)]
