"""Small films of some elites of an archive: the best, and those whose measures differ most from it and each other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evonet.archives.archive import Archive
from evonet.errors import EvonetError
from evonet.foreign import ANY_ERROR, INTERRUPTS
from evonet.inspection.analysis.movement import measure_widths
from evonet.inspection.analysis.trajectory import Trajectory
from evonet.inspection.archives import elite_champion
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.report.recording import record_episode, why_not_rendered
from evonet.inspection.report.sprite_sheet import SpriteSheet
from evonet.replay.episodes import no_window_needed
from evonet.seeding import Purpose, episode_seeds
from evonet.types import BoolArray, FloatArray

MAX_CLIPS = 12
"""The greatest number of films."""

LARGEST = 45_000
"""The greatest size of a film in bytes."""

_SECONDS = 15.0  # for all films
_WIDEST = 320  # pixels
_NTH = 3  # every third frame is recorded


@dataclass(frozen=True)
class EliteClip:
    """An episode of an elite.

    Attributes:
        letter: the letter by which the page names it, from A.
        row: the elite's row in the archive.
        episode: the episode, which `evonet replay RUN --cell` repeats.
        sheet: its film.
    """

    letter: str
    row: int
    episode: Trajectory
    sheet: SpriteSheet


def elite_clips(
    run: LoadedRun, archive: Archive, fitness: FloatArray, effort: float, longest: int
) -> tuple[list[EliteClip], str]:
    """Films of some elites, as many as there is time for.

    Args:
        run: the run.
        archive: its archive, which has elites.
        fitness: the fitness by which the best is chosen, `(n,)`.
        effort: how many times 15 seconds there are.
        longest: steps after which an episode is truncated.

    Returns:
        The films, and the reason why there are none, else "".
    """
    if run.policy_spec is None or run.policy_spec.task is None:
        return [], "the elites were scored by a function and have no environment to act in"
    found: list[EliteClip] = []
    try:
        with run.policy_spec.task.instance() as sample:
            if not sample.has_pictures:
                return [], "the environment has no pictures to show"
        with no_window_needed():
            rows = distinct_elites(archive, fitness, MAX_CLIPS)
            found += _filmed(run, archive, rows, _SECONDS * effort, longest)
    except INTERRUPTS:
        raise
    except ANY_ERROR as error:
        why = str(error) if isinstance(error, EvonetError) else why_not_rendered(error)
        return found, "" if found else why
    return found, ""


def _filmed(run: LoadedRun, archive: Archive, rows: Sequence[int], seconds: float, longest: int) -> Iterator[EliteClip]:
    """Films of the elites in `rows`, until the `seconds` are over; there is time for the first in any case."""
    run_seed, elites = run.settings.get("seed", 0), archive.elites
    seed = episode_seeds(run_seed if type(run_seed) is int else 0, Purpose.REPLAY, 0, 1)
    end = time.monotonic() + seconds
    for number, row in enumerate(rows):
        left = end - time.monotonic()
        if number and left <= 0:
            return
        champion = elite_champion(run, elites[row])
        assert champion.task is not None
        champion = replace(champion, task=replace(champion.task, max_steps=min(champion.task.max_steps, longest)))
        episode, sheet = record_episode(champion, seed, _NTH, LARGEST, max(left, 1.0), _WIDEST)
        yield EliteClip(chr(ord("A") + number), row, episode, sheet)


@np.errstate(over="ignore", invalid="ignore")  # untrusted files may hold any number
def distinct_elites(archive: Archive, fitness: FloatArray, most: int) -> list[int]:
    """At most `most` rows: the best, and then each time the elite whose measures are farthest from all so far.

    Args:
        archive: the archive.
        fitness: the fitness by which the best is chosen, `(n,)`.
        most: greatest number of rows.
    """
    measures = archive.elites.measures / measure_widths(archive)
    known: BoolArray = np.atleast_1d(np.isfinite(measures).all(axis=1))
    if not known.any():
        return []
    scores = np.where(known & np.isfinite(fitness), fitness, -np.inf)
    rows = [int(scores.argmax()) if known[scores.argmax()] else int(known.argmax())]
    away = np.where(known, np.inf, -np.inf)
    while len(rows) < most:
        away = np.minimum(away, np.square(measures - measures[rows[-1]]).sum(axis=1))
        farthest = int(np.where(np.isfinite(away), away, -np.inf).argmax())
        if not away[farthest] > 0:
            break
        rows.append(farthest)
    return rows
