"""CMA-ME and CMA-MAE: several CMA-ES climb towards what improves an archive.

M. C. Fontaine, J. Togelius, S. Nikolaidis and A. K. Hoover, "Covariance matrix adaptation for the rapid illumination of
behavior space", GECCO 2020; M. C. Fontaine and S. Nikolaidis, "Covariance matrix adaptation MAP-annealing", GECCO 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from evonet.architecture import Architecture
from evonet.archives.archive import Archive, Insertion
from evonet.archives.cells import CellArchive
from evonet.linear_algebra import single_threaded
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, PositiveFloat, check
from evonet.strategies.archive_strategy import ArchiveStrategy
from evonet.strategies.emitters import Emitters
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import BoolArray, FloatArray, IntArray

Ranking = Literal["improvement", "two_stage_improvement", "random_direction", "two_stage_random_direction"]
SamplesOfAnEmitter = Annotated[int, Ge(4)]

_FLAT = 1e-12


class CMAME(ArchiveStrategy):
    """CMA-ME: several CMA-ES climb towards what improves an archive, and restart at an elite (Fontaine et al. 2020).

    The cost of a generation grows with the cube of the genome's size, so it suits up to some hundred genes.

    Args:
        architecture: architecture of the networks that evolve.
        archive: the archive that is filled.
        emitters: number of CMA-ES.
        samples: genomes that each samples in a generation.
        sigma: first step size.
        ranking: what ranks an emitter's samples: the improvement of the archive; with two stages, new cells first, then
            improved ones, then the rest; or how far the measures lie in a direction drawn at each restart.
        parents: an emitter learns from the better half of its samples ("half"), or from those that entered the archive
            ("entered").
        restart: an emitter restarts when none of its samples entered the archive ("no_improvement"), or only when its
            distribution has converged ("converged").
        spread: standard deviation of the emitters' first means around 0; 0 starts all of them at 0.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; emitters begin at them in
            turn, with the `spread` around them.

    Attributes:
        restarts: restarts of emitters so far.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
        ConfigError: the package threadpoolctl is not installed.
    """

    saved_attributes = ("restarts", "directions")
    uses_linear_algebra: ClassVar[bool] = True

    def __init__(
        self,
        architecture: Architecture,
        archive: Archive,
        emitters: Count = 5,
        samples: SamplesOfAnEmitter = 36,
        sigma: PositiveFloat = 0.5,
        ranking: Ranking = "two_stage_improvement",
        parents: Literal["half", "entered"] = "half",
        restart: Literal["no_improvement", "converged"] = "no_improvement",
        spread: Annotated[float, Ge(0)] = 0.0,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(type(self), {"emitters": emitters, "samples": samples, "sigma": sigma, "ranking": ranking})
        check(type(self), {"parents": parents, "restart": restart, "spread": spread})
        super().__init__(architecture, archive, seed=seed)
        self.emitters, self.samples, self.sigma = emitters, samples, sigma
        self.ranking, self.parents, self.restart = ranking, parents, restart
        size = architecture.genome_size
        centres = np.zeros((1, size))
        if initial is not None:
            centres = starting_genomes(f"{type(self).__name__}.initial", initial, architecture, most=emitters)
        rng = generator(seed, Purpose.INITIALISATION)
        self._centres = centres[np.arange(emitters) % len(centres)] + spread * rng.standard_normal((emitters, size))
        self._emitters = Emitters(self._centres, samples, sigma)
        self.restarts = 0
        self.directions = self._drawn_directions(rng, emitters)

    @property
    def population_size(self) -> int:
        """Genomes in each generation."""
        return self.emitters * self.samples

    def propose(self, rng: np.random.Generator) -> FloatArray:
        with single_threaded():
            return self._emitters.sample(rng)

    def adapt(self, rng: np.random.Generator, genomes: FloatArray, insertion: Insertion, measures: FloatArray) -> None:
        shape = (self.emitters, self.samples)
        status, value = insertion.status.reshape(shape), insertion.value.reshape(shape)
        entered, scored = np.count_nonzero(status, axis=1), np.count_nonzero(np.isfinite(value), axis=1)
        order, flat = self._ranked(status, value, measures)
        parents = entered if self.parents == "entered" else np.minimum(self.samples // 2, scored)
        with single_threaded():
            self._emitters.learn(genomes, order, parents)
        stuck = self._emitters.converged | flat
        if self.restart == "no_improvement":
            stuck |= entered == 0
        at = np.flatnonzero(stuck)
        if at.size:
            elites = self._elites()
            rows = rng.integers(max(len(elites), 1), size=at.size)
            self._emitters.restart(at, elites.genomes_of(rows) if len(elites) else self._centres[at])
            self.directions[at] = self._drawn_directions(rng, at.size)
            self.restarts += at.size

    def state(self) -> dict[str, Any]:
        return super().state() | {"emitters": self._emitters.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.restarts = int(self.restarts)
        self._emitters.restore(state["emitters"])

    def _elites(self) -> Archive:
        """The archive at whose elites emitters restart."""
        return self.archive

    def _ranked(self, status: IntArray, value: FloatArray, measures: FloatArray) -> tuple[IntArray, BoolArray]:
        """Each emitter's samples in order, the best first, and whether the emitter's samples are all alike."""
        scored = np.isfinite(value)
        if self.ranking.endswith("random_direction"):
            points = np.where(np.isfinite(measures), measures, 0.0).reshape(*status.shape, -1)
            value = (points * self.directions[:, None, :]).sum(axis=2)
        value = np.where(scored, value, -np.inf)
        first_stage = status if self.ranking.startswith("two_stage") else np.zeros_like(status)
        order = np.lexsort((-value, -first_stage), axis=1)
        emitters = np.arange(len(order))
        best, worst = (emitters, order[:, 0]), (emitters, order[:, -1])
        finite = np.isfinite(value[best]) & np.isfinite(value[worst])
        ends = np.where(finite, value[best], 1.0), np.where(finite, value[worst], 0.0)
        return order, (np.abs(ends[0] - ends[1]) < _FLAT) & (first_stage[best] == first_stage[worst])

    def _drawn_directions(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Random directions in the space of measures, `(count, k)`, scaled to the archive's ranges."""
        drawn = rng.standard_normal((count, len(self.archive.measure_names)))
        ranges: Mapping[str, tuple[float, float]] = getattr(self.archive, "ranges", {})
        return drawn * np.array([high - low for low, high in ranges.values()]) if ranges else drawn


class CMAMAE(CMAME):
    """CMA-MAE: CMA-ME whose thresholds rise slowly, so that emitters stay where they can improve (Fontaine 2023).

    The archive's `learning_rate` and `threshold_min` govern the thresholds. What the emitters find goes into a second
    archive of the same cells, too, which keeps the fittest of each: it is the result, the attribute `archive`.

    Args:
        architecture: architecture of the networks that evolve.
        archive: the archive with thresholds, with a `learning_rate` such as 0.01 and with `threshold_min`.
        emitters: number of CMA-ES.
        samples: genomes that each samples in a generation.
        sigma: first step size.
        ranking: what ranks an emitter's samples, see `CMAME`.
        parents: what an emitter learns from, see `CMAME`.
        restart: when an emitter restarts, see `CMAME`.
        spread: standard deviation of the emitters' first means around 0.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `CMAME`.

    Attributes:
        annealed: the archive with thresholds.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
        ConfigError: the package threadpoolctl is not installed.
    """

    def __init__(
        self,
        architecture: Architecture,
        archive: Archive,
        emitters: Count = 5,
        samples: SamplesOfAnEmitter = 36,
        sigma: PositiveFloat = 0.5,
        ranking: Ranking = "improvement",
        parents: Literal["half", "entered"] = "half",
        restart: Literal["no_improvement", "converged"] = "converged",
        spread: Annotated[float, Ge(0)] = 0.0,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        if not isinstance(archive, CellArchive) or archive.threshold_min is None:
            raise ValueError(
                "CMAMAE.archive must be an archive with thresholds, such as a grid with learning_rate 0.01 and "
                f"threshold_min at a fitness that every solution worth keeping exceeds, got {archive!r}"
            )
        rules = (emitters, samples, sigma, ranking, parents, restart, spread)
        super().__init__(architecture, archive.elitist_copy(), *rules, seed=seed, initial=initial)
        self.annealed = archive

    def insert(self, genomes: FloatArray, fitness: FloatArray, measures: FloatArray) -> Insertion:
        super().insert(genomes, fitness, measures)
        return self.annealed.add(genomes, fitness, measures, self.population.ids)

    def state(self) -> dict[str, Any]:
        return super().state() | {"annealed": self.annealed.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.annealed.restore(state["annealed"])

    def _elites(self) -> Archive:
        return self.annealed
