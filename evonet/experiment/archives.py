"""The archives of a run, the algorithm's or a passive one, and their elites on held-out episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evonet.archives.archive import Archive
from evonet.archives.cells import CellArchive
from evonet.environments.normaliser import ObservationNormaliser
from evonet.files.archive import ArchiveLimits, pack_state
from evonet.fitness import Fitness
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import did_you_mean
from evonet.types import RETURN, FloatArray

if TYPE_CHECKING:
    from evonet.experiment.config import Config  # its import takes a while, and whoever reads an archive needs none

FORMAT = "evonet archive 1"
LIMITS = ArchiveLimits(file=4 << 30, header=1 << 20)

_VALIDATION_OF_ELITES = 1  # the champion's validation has the episodes of generation 0
_MAX_EPISODES = 1 << 16  # in memory at once


def build_archive(config: Config) -> Archive | None:
    """The passive archive of a config, which records what its algorithm finds; None if it names none.

    Raises:
        ConfigError: the archive is over a measure that the config does not have.
    """
    section = config.settings.archive
    if section is None:
        return None
    archive: Archive = section.build()
    check_measures(config, archive, ("archive",))
    return archive


def check_measures(config: Config, archive: Archive, path: tuple[str, ...]) -> None:
    """Refuse an archive over measures that the config does not have.

    Args:
        config: the config.
        archive: the archive.
        path: its place in the config.

    Raises:
        ConfigError: a measure is missing.
    """
    known = [*config.settings.measures, RETURN]
    missing = next((name for name in archive.measure_names if name not in known), None)
    if missing is not None:
        rule = f"{'.'.join(path)} must be of measures in the config, or of 'return', got {missing!r}"
        raise config.error(path, f"{rule}; {did_you_mean(missing, known)}")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The elites of an archive on episodes that evolution never saw.

    Attributes:
        fitness: fitness of each elite there, `(n,)`; not finite if an episode failed.
        measures: its measures there, `(n, k)`.
        episodes: number of episodes.
    """

    fitness: FloatArray
    measures: FloatArray
    episodes: int

    def corrected(self, archive: Archive) -> Archive:
        """The archive that the elites make with these fitness and measures: several may now share a cell."""
        elites = archive.elites
        fresh = archive.elitist_copy() if isinstance(archive, CellArchive) else archive.empty_copy()
        fresh.add(elites.genomes, self.fitness, self.measures, elites.ids)
        return fresh


def held_out(
    archive: Archive, fitness: Fitness, seed: int, episodes: int, normaliser: ObservationNormaliser | None
) -> HeldOut:
    """Run the elites of an archive on held-out episodes, the same for all.

    Args:
        archive: the archive; it is not changed.
        fitness: runs the episodes.
        seed: seed of the run.
        episodes: number of episodes.
        normaliser: normaliser of the observations.
    """
    seeds = episode_seeds(seed, Purpose.VALIDATION, _VALIDATION_OF_ELITES, episodes)
    genomes = archive.elites.genomes
    names = getattr(fitness, "measure_names", ())  # which a fitness of one's own may lack
    scores, measures = [np.empty(0)], [np.empty((0, len(archive.measure_names)))]
    size = max(1, _MAX_EPISODES // episodes)
    for first in range(0, len(genomes), size):
        results = fitness(genomes[first : first + size], seeds, normaliser)
        means = results.means(names)
        scores.append(fitness.aggregate(results.returns))
        measures.append(np.stack([means[name] for name in archive.measure_names], axis=1))
    return HeldOut(np.concatenate(scores), np.concatenate(measures), episodes)


def packed_archive(archive: Archive, checked: HeldOut) -> bytes:
    """The bytes of `archive.npz`: the archive's state, and its elites on held-out episodes."""
    content: Mapping[str, Any] = {
        "archive": archive.state(),
        "fitness": checked.fitness,
        "measures": checked.measures,
        "episodes": checked.episodes,
    }
    return pack_state(FORMAT, content, LIMITS)


def archive_summary(archive: Archive, checked: HeldOut | None = None) -> dict[str, Any]:
    """The archive's figures, as in `run.json`; QD scores count from `offset`, the corrected one too."""
    figures = {
        "measures": list(archive.measure_names),
        "cells": archive.num_cells,
        "offset": archive.offset,
        **_figures(archive, archive.offset),
    }
    if checked is None:
        return figures
    return figures | {
        "corrected": {"episodes": checked.episodes, **_figures(checked.corrected(archive), archive.offset)}
    }


def _figures(archive: Archive, offset: float) -> dict[str, Any]:
    best = archive.best
    return {
        "elites": len(archive),
        "coverage": None if archive.num_cells is None else archive.coverage,
        "qd_score": archive.qd_score(offset),
        "best": None if best is None else best.fitness,
        "mean": None if best is None else archive.mean,
    }
