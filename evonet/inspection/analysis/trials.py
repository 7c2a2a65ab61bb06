"""Many genomes on the same episodes, as many of these as a span of time allows."""

from __future__ import annotations

import math
import time
from functools import cached_property
from typing import Self

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engine import Engine
from evonet.evaluation.engines import make_engine
from evonet.evaluation.kernel_engine import KernelEngine, kernel_for
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

_SOUNDING, _SOUNDING_AGAIN = 4, 64  # episodes that tell how fast an engine is
_SOON = 0.05  # seconds
_BUSIEST = 4.0  # seconds of waiting for one of work; beyond, it is the environment that waits


class Trials:
    """Runs genomes on the first of some episodes; a context manager, which closes the engine.

    The number of episodes depends on how fast the engine turns out to be, and is a power of two, so that it hardly
    ever changes from one time to the next; the returns of an episode depend on nothing but its seed.

    Args:
        task: what an episode is.
        normaliser: of observations.
        champion: the genome `(genome_size,)` that tells how long an episode is.
        seeds: of the episodes, `(episodes,)`.
        engine: by default a kernel where one stands in for the environment.
    """

    def __init__(
        self,
        task: Task,
        normaliser: ObservationNormaliser | None,
        champion: FloatArray,
        seeds: IntArray,
        engine: Engine | None = None,
    ) -> None:
        self._normaliser = normaliser
        self._seeds = seeds
        self._champion = champion
        self._engine = _engine(task) if engine is None else engine

    @cached_property
    def _cost(self) -> tuple[float, float]:
        """Seconds of a step, and steps of an episode, as a few episodes of the champion tell."""
        self.run(self._champion[None, :], 1)  # whatever is made at the first run does not count
        seconds, sounding = self._timed(_SOUNDING)
        if seconds < _SOON:  # an engine for many at once shows its pace with many only
            seconds, sounding = self._timed(_SOUNDING_AGAIN)
        return seconds / max(sounding.steps, 1), max(sounding.steps, 1) / sounding.lengths.size

    def _timed(self, episodes: int) -> tuple[float, EpisodeResults]:
        """Seconds of work, not of waiting for a busy processor, lest a busy machine get other figures."""
        start, worked = time.perf_counter(), time.process_time()
        results = self.run(self._champion[None, :], min(episodes, len(self._seeds)))
        waited, worked = time.perf_counter() - start, time.process_time() - worked
        return max(worked, waited / _BUSIEST, 1e-6), results

    def episodes(self, genomes: int, seconds: float, fewest: int = 1, *, power: bool = True) -> int:
        """How many episodes each of so many genomes can run within so many seconds.

        As many as the `fewest` even if they take up to twice as long, and at least one; all of them, or a power of
        two unless another number is as good.
        """
        step, length = self._cost
        affordable = seconds / (step * length * genomes)
        affordable = max(affordable, min(2 * affordable, float(fewest)))
        if affordable >= len(self._seeds) or not power:
            return max(1, min(int(affordable), len(self._seeds)))
        return 1 << max(0, int(np.log2(max(affordable, 1.0))))

    def run(self, genomes: FloatArray, episodes: int, shares: int = 1) -> EpisodeResults:
        """Results `(n, episodes)` of `genomes (n, genome_size)`, each on so many episodes.

        Args:
            genomes: to be run.
            episodes: of each, at most as many as there are.
            shares: into how many parts as large the episodes are dealt, to one genome after the other; with one, all
                run the first.
        """
        numbers = np.arange(len(genomes))
        individuals = np.repeat(numbers, episodes)
        chosen = (numbers % shares)[:, None] * episodes + np.arange(episodes)
        seeds = self._seeds[chosen.ravel() % len(self._seeds)]
        results = self._engine.run(genomes, individuals, seeds, self._normaliser)
        return EpisodeResults.joined([results], individuals, episodes)

    def within(
        self, genomes: FloatArray, seconds: float, most: int | None = None, *, power: bool = True
    ) -> EpisodeResults:
        """Results `(n, episodes)`, on as many episodes as so many seconds allow, and `most` at most."""
        episodes = self.episodes(len(genomes), seconds, power=power)
        return self.run(genomes, episodes if most is None else min(episodes, most))

    def close(self) -> None:
        """Give back what the engine opened."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _engine(task: Task) -> Engine:
    """A kernel where there is one, and that in NumPy for good: trials are over before Numba would be imported."""
    return KernelEngine(task, patience=math.inf) if kernel_for(task) else make_engine("auto", task)
