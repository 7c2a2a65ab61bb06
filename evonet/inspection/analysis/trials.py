"""Runs of many genomes on the same episodes, within a time limit."""

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
_SHORT = 0.05  # seconds of a probe below which a longer one is timed
_LONG = 0.5  # seconds of an episode from which it is timed alone
_MAX_NUMBERS = 1 << 24  # genes of all genomes that are run at once, 128 MB
_BUSIEST = 4.0  # elapsed seconds for each of processor time on a busy machine; beyond, the environment itself waits


PATIENCE = 5.0
"""Seconds that a figure of the report may take if one episode of each of its networks takes longer than planned."""


class Trials:
    """Runner of genomes on the first of given episode seeds; a context manager that closes the engine.

    The number of episodes follows from the engine's measured speed, rounded down to a power of two so that it hardly
    ever differs between two reports; the return of an episode depends on its seed alone.

    Args:
        task: the task that genomes act in.
        normaliser: normaliser of observations.
        champion: the genome `(genome_size,)` whose episodes are timed.
        seeds: seeds of the episodes, `(episodes,)`.
        engine: the engine; by default a kernel engine, if the environment has a kernel.
        patience: seconds that one episode of each genome may take; `affordable` reduces the number of genomes.
    """

    def __init__(
        self,
        task: Task,
        normaliser: ObservationNormaliser | None,
        champion: FloatArray,
        seeds: IntArray,
        engine: Engine | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._normaliser = normaliser
        self._seeds = seeds
        self._champion = champion
        self._engine = brief_engine(task) if engine is None else engine
        self._patience = patience

    @cached_property
    def _cost(self) -> tuple[float, float]:
        """Seconds of a step and steps of an episode, measured on a few episodes of the champion."""
        first, _ = self._timed(1)  # the first run also makes environments
        seconds, probe = self._timed(1 if first > _LONG else _PROBE)
        if seconds < _SHORT:  # a vectorised engine reaches its speed only with many episodes
            seconds, probe = self._timed(_LONG_PROBE)
        return seconds / max(probe.steps, 1), max(probe.steps, 1) / probe.lengths.size

    @property
    def episode_seconds(self) -> float:
        """Seconds of an episode of the champion."""
        step, length = self._cost
        return step * length

    def affordable(self, genomes: int) -> int:
        """How many of `genomes` genomes can run an episode within the patience and fit into memory; perhaps none.

        A number that the patience reduces is rounded down to a power of two, so that reports hardly differ.
        """
        fitting = min(genomes, max(1, _MAX_NUMBERS // len(self._champion)))
        if fitting * self.episode_seconds <= self._patience:
            return fitting
        return 1 << int(np.log2(most)) if (most := self._patience / self.episode_seconds) >= 1 else 0

    def _timed(self, episodes: int) -> tuple[float, EpisodeResults]:
        """Results, and the processor time that they took: elapsed time would depend on other programs."""
        start, cpu_start = time.perf_counter(), time.process_time()
        results = self.run(self._champion[None, :], min(episodes, len(self._seeds)))
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu_start
        return max(cpu, elapsed / _BUSIEST, 1e-6), results

    def episodes(self, genomes: int, seconds: float, fewest: int = 1, *, power: bool = True) -> int:
        """The number of episodes, at least one, that each of `genomes` genomes can run within `seconds`.

        Up to `fewest` episodes may take twice the time. With `power`, the number is a power of two, or all seeds.
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
            genomes: genomes, `(n, genome_size)`.
            episodes: episodes of each genome, at most the number of seeds.
            shares: number of blocks of `episodes` seeds that are dealt to the genomes in turn; with one block, all
                genomes run the same episodes.
        """
        numbers = np.arange(len(genomes))
        chosen = (numbers % shares)[:, None] * episodes + np.arange(episodes)
        seeds = self._seeds[chosen % len(self._seeds)]
        return evaluate(self._engine.run, genomes, seeds, self._normaliser)

    def within(
        self, genomes: FloatArray, seconds: float, most: int | None = None, *, power: bool = True
    ) -> EpisodeResults:
        """Results `(n, episodes)` of all episodes that fit into `seconds`, at most `most` of each genome."""
        episodes = self.episodes(len(genomes), seconds, power=power)
        return self.run(genomes, episodes if most is None else min(episodes, most))

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
