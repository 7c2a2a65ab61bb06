"""The validation of an archive: its elites, or a sample of them, on episodes that evolution never saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.aggregation import episode_fitness
from evonet.fitness import Fitness
from evonet.seeding import Purpose, episode_seeds, generator
from evonet.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.archives.archive import Archive

SAMPLE_EVERY = 10
"""Generations from one sample of an archive to the next."""

_STREAM, _SAMPLE_STREAM = 1, 2  # of the validation's random numbers; the champion's validation has 0
_MAX_EPISODES = 1 << 16  # in memory at once


class HeldOutResults(NamedTuple):
    """The results of genomes, such as the elites of an archive, on episodes that evolution never saw.

    Attributes:
        fitness: fitness of each genome, `(n,)`; not finite if an episode failed.
        measures: its measures, `(n, k)`.
        episodes: number of episodes of each.
        steps: environment steps that they took together.
    """

    fitness: FloatArray
    measures: FloatArray
    episodes: int
    steps: int = 0

    def corrected(self, archive: Archive) -> Archive:
        """The archive that the elites make with these fitness and measures: several may now share a cell."""
        from evonet.archives.cells import CellArchive  # a run without an archive starts without it

        elites = archive.elites
        fresh = archive.elitist_copy() if isinstance(archive, CellArchive) else archive.empty_copy()
        fresh.add(elites.genomes, self.fitness, self.measures, elites.ids)
        return fresh

    def movement(self, archive: Archive) -> dict[str, Any]:
        """How far the elites moved from the archive to these episodes; None where no elite could be scored.

        Returns:
            "fitness": the median change of the fitness; "measures": the median distance of each measure by name;
            "same_cell": the share of elites that stay in their cell, None for an archive without cells.
        """
        elites = archive.elites
        scored = self._scored
        if not scored.any():
            return {"fitness": None, "measures": dict.fromkeys(archive.measure_names), "same_cell": None}
        away = np.median(np.abs(self.measures - elites.measures)[scored], axis=0)
        stays = self.same_cell(archive, elites.cells)
        return {
            "fitness": float(np.median((self.fitness - elites.fitness)[scored])),
            "measures": dict(zip(archive.measure_names, away.tolist(), strict=True)),
            "same_cell": None if stays is None else float(stays.mean()),
        }

    def same_cell(self, archive: Archive, cells: IntArray) -> BoolArray | None:
        """Which elites, of these `cells (n,)`, stay in their cell, `(n,)`; None for an archive without cells.

        An elite that failed does not stay.
        """
        from evonet.archives.cells import CellArchive

        if not isinstance(archive, CellArchive):
            return None
        scored = self._scored
        stays = np.zeros(len(cells), dtype=np.bool_)
        stays[scored] = archive.cells_of(self.measures[scored]) == cells[scored]
        return stays

    @property
    def _scored(self) -> BoolArray:
        scored: BoolArray = np.isfinite(self.fitness) & np.isfinite(self.measures).all(axis=1)
        return scored


class ArchiveSample(NamedTuple):
    """Some elites of an archive, drawn at random, on held-out episodes.

    Attributes:
        fitness: their mean fitness in the archive.
        held_out_fitness: their mean fitness on the held-out episodes; NaN if an episode of each failed.
        same_cell: the share that is in the same cell there; NaN for an archive without cells.
    """

    fitness: float
    held_out_fitness: float
    same_cell: float


def evaluate_held_out(
    genomes: FloatArray,
    measure_names: Sequence[str],
    fitness: Fitness,
    seed: int,
    episodes: int,
    normaliser: ObservationNormaliser | None,
) -> HeldOutResults:
    """Run genomes on held-out episodes, the same for all and other ones than the champion's.

    Args:
        genomes: `(n, genome_size)`.
        measure_names: names of the measures that are wanted, "return" among them if it is one.
        fitness: runs the episodes.
        seed: seed of the run.
        episodes: number of episodes.
        normaliser: normaliser of the observations.
    """
    seeds = episode_seeds(seed, Purpose.VALIDATION, _STREAM, episodes)
    names = getattr(fitness, "measure_names", ())  # which a fitness of one's own may lack
    scores, measures, steps = [np.empty(0)], [np.empty((0, len(measure_names)))], 0
    size = max(1, _MAX_EPISODES // episodes)
    for first in range(0, len(genomes), size):
        results = fitness(genomes[first : first + size], seeds, normaliser)
        means = results.means(names)
        scores.append(fitness.aggregate(episode_fitness(fitness.task, results)))
        measures.append(np.stack([means[name] for name in measure_names], axis=1))
        steps += results.steps
    return HeldOutResults(np.concatenate(scores), np.concatenate(measures), episodes, steps)


def draw_sample(archive: Archive, size: int, seed: int, generation: int) -> IntArray:
    """At most `size` different rows of an archive, drawn at random for a generation, in rising order."""
    rng = generator(seed, Purpose.VALIDATION, _SAMPLE_STREAM, generation)
    rows: IntArray = np.sort(rng.choice(len(archive), min(size, len(archive)), replace=False))
    return rows


def summarise_sample(archive: Archive, rows: IntArray, held_out: HeldOutResults) -> ArchiveSample:
    """The elites in these `rows` as they were added, and on held-out episodes."""
    fitness = held_out.fitness[np.isfinite(held_out.fitness)]
    stays = held_out.same_cell(archive, archive.elites.cells[rows])
    return ArchiveSample(
        float(archive.fitness_of(rows).mean()),
        float(fitness.mean()) if fitness.size else float("nan"),
        float("nan") if stays is None else float(stays.mean()),
    )
