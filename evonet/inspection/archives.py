"""The archive of a run: its metrics in words, and the elite of a cell as a champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.archives.elites import Elite
from evonet.champion import Champion
from evonet.champion_selection import normaliser_from
from evonet.elite_validation import HeldOutResults
from evonet.errors import ConfigError
from evonet.experiment.run_files.run_directory import ARCHIVE
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import number
from evonet.inspection.saved_archive import validated_archive
from evonet.types import FloatArray


def elite_at(run: LoadedRun, place: Sequence[float]) -> Champion:
    """The elite in the cell at `place`, a number for each measure, as a champion without validation and test.

    Raises:
        ConfigError: the run has no archive, or none of its elites is in that cell.
    """
    archive = run.archive
    if archive is None or not len(archive):
        raise ConfigError(f"{run.path} has no archive with elites, and so no cell")
    names = archive.measure_names
    if len(place) != len(names):
        raise ConfigError(f"--cell must be a number for each of {', '.join(names)}, got {_numbers(place)}")
    elite = archive.at(*place)
    if elite is None:
        nearest = _nearest(archive, np.asarray(place, dtype=np.float64))
        raise ConfigError(
            f"the cell at {_numbers(place)} of {', '.join(names)} is empty; "
            f"the nearest elite: --cell={_numbers(list(nearest.measures.values()))}"
        )
    return elite_champion(run, elite)


def elite_champion(run: LoadedRun, elite: Elite) -> Champion:
    """An elite of a run's archive as a champion without validation and test."""
    assert run.policy_spec is not None
    architecture, task = run.policy_spec
    checkpoint = run.newest_checkpoint
    arrays = None if checkpoint is None else checkpoint.state["evolution"]["normaliser"]
    return Champion(
        architecture,
        elite.genome,
        id=max(elite.id, 0),
        generation=0 if checkpoint is None else checkpoint.generation,
        training_fitness=elite.fitness,
        normaliser=normaliser_from(arrays, architecture),
        task=task,
    )


def held_out_of(run: LoadedRun) -> HeldOutResults | None:
    """The elites of a finished run's archive on held-out episodes, in their order; None if they were not run there.

    Raises:
        ConfigError: the file `archive.npz` cannot be read.
    """
    if not run.finished or "corrected" not in run.summary.get("archive", {}):
        return None
    return run.read(ARCHIVE, lambda: validated_archive(run.settings, run.path)[1])


def archive_frame(run: LoadedRun) -> Any:
    """The elites of a run's archive as a pandas DataFrame, a row each: cell, id, fitness and measures as columns.

    Where the run validated its elites, `held_out_fitness` and `held_out_NAME` have their fitness and measures on
    held-out episodes, and `moved_fitness` and `moved_NAME` the changes.

    Raises:
        ConfigError: the run has no archive, or its file cannot be read.
        EvonetError: pandas is not installed.
    """
    if run.archive is None:
        raise ConfigError(f"{run.path} has no archive")
    frame, held_out = run.archive.elites.to_frame(), held_out_of(run)
    if held_out is None:
        return frame
    columns = {"fitness": held_out.fitness} | dict(zip(run.archive.measure_names, held_out.measures.T, strict=True))
    frame = frame.assign(**{f"held_out_{name}": column for name, column in columns.items()})
    return frame.assign(**{f"moved_{name}": column - frame[name] for name, column in columns.items()})


def archive_text(archive: Mapping[str, Any]) -> str:
    """The archive's metrics, from the summary of a run, in a few lines."""
    corrected = archive.get("corrected")
    cells = "" if archive["cells"] is None else f" of {archive['cells']:,} cells, {archive['coverage']:.1%}"
    lines = [f"Archive over {', '.join(archive['measures'])}: {archive['elites']:,} elites{cells}"]
    rows = [("QD score", "qd_score"), ("best", "best"), ("mean", "mean")]
    columns = [archive] if corrected is None else [archive, corrected]
    if corrected is not None:
        rows.insert(0, ("elites", "elites"))
        lines.append(f"  {'':<10}{'training':>14}{'held-out':>14}  ({corrected['episodes']} episodes)")
    for title, key in rows:
        shown = ["-" if each[key] is None else number(each[key], 7) for each in columns]
        lines.append(f"  {title:<10}" + "".join(f"{text:>14}" for text in shown))
    lines.append(f"  The QD score counts fitness from {number(archive['offset'], 7)}.")
    return "\n".join(lines)


def _nearest(archive: Archive, place: FloatArray) -> Elite:
    """The elite whose measures are nearest to `place (k,)`, where the spread of each measure is 1."""
    elites = archive.elites
    spread = np.ptp(elites.measures, axis=0)
    away = (elites.measures - place) / np.where(spread > 0, spread, 1.0)
    return elites[int(np.square(away).sum(axis=1).argmin())]


def _numbers(values: Sequence[float]) -> str:
    return ",".join(f"{value:.4g}" for value in values)
