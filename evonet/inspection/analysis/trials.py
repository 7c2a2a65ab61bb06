"""Many genomes on the same episodes, as many episodes as fit into a time limit."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Self

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engine import Engine
from evonet.evaluation.engines import brief_engine
from evonet.evaluation.evaluate import evaluate
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

_PROBE, _LONG_PROBE = 4, 64  # episodes that are timed
_SOON = 0.05  # seconds
_BUSIEST = 4.0  # elapsed seconds for one of work on a busy machine; beyond, the environment itself waits


class Trials:
    """Runs genomes on the first of some episodes; a context manager, which closes the engine.

    The number of episodes follows from the engine's measured speed, rounded down to a power of two, so that it hardly
    ever differs between two calls; the return of an episode depends on its seed alone.

    Args:
        task: what an episode is.
        normaliser: of observations.
        champion: the genome `(genome_size,)` whose episodes are timed.
        seeds: of the episodes, `(episodes,)`.
        engine: by default a kernel, where the environment has one.
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
        self._engine = brief_engine(task) if engine is None else engine

    @cached_property
    def _cost(self) -> tuple[float, float]:
        """Seconds of a step, and steps of an episode, measured on a few episodes of the champion."""
        self.run(self._champion[None, :], 1)  # the first run makes environments, which is not timed
        seconds, probe = self._timed(_PROBE)
        if seconds < _SOON:  # an engine for batches reaches its speed only with many
            seconds, probe = self._timed(_LONG_PROBE)
        return seconds / max(probe.steps, 1), max(probe.steps, 1) / probe.lengths.size

    def _timed(self, episodes: int) -> tuple[float, EpisodeResults]:
        """Seconds of work without waiting for the processor, so that a busy machine gets the same figures."""
        start, worked = time.perf_counter(), time.process_time()
        results = self.run(self._champion[None, :], min(episodes, len(self._seeds)))
        waited, worked = time.perf_counter() - start, time.process_time() - worked
        return max(worked, waited / _BUSIEST, 1e-6), results

    def episodes(self, genomes: int, seconds: float, fewest: int = 1, *, power: bool = True) -> int:
        """How many episodes each of `genomes` can run within `seconds`, at least one.

        Up to `fewest` episodes may take twice the time. With `power`, the number is all episodes or a power of two.
        """
        step, length = self._cost
        affordable = seconds / (step * length * genomes)
        affordable = max(affordable, min(2 * affordable, float(fewest)))
        if affordable >= len(self._seeds) or not power:
            return max(1, min(int(affordable), len(self._seeds)))
        return 1 << max(0, int(np.log2(max(affordable, 1.0))))

    def run(self, genomes: FloatArray, episodes: int, shares: int = 1) -> EpisodeResults:
        """Results `(n, episodes)` of `genomes (n, genome_size)`.

        Args:
            genomes: `(n, genome_size)`.
            episodes: of each genome, at most as many as there are seeds.
            shares: blocks of `episodes` seeds that are dealt to the genomes in turn; with one block, all genomes run
                the same episodes.
        """
        numbers = np.arange(len(genomes))
        chosen = (numbers % shares)[:, None] * episodes + np.arange(episodes)
        seeds = self._seeds[chosen % len(self._seeds)]
        return evaluate(self._engine.run, genomes, seeds, self._normaliser)

    def within(
        self, genomes: FloatArray, seconds: float, most: int | None = None, *, power: bool = True
    ) -> EpisodeResults:
        """Results `(n, episodes)` on as many episodes as `seconds` allow, at most `most`."""
        episodes = self.episodes(len(genomes), seconds, power=power)
        return self.run(genomes, episodes if most is None else min(episodes, most))

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
