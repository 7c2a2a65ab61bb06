"""How episodes end, and the results that are made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evonet.evaluation.arrays import surely_finite
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.types import FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.evaluation.kernels.measures import KernelMeasures


class Outcome:
    """How an episode ended; 0 while it is running. These are numbers and no `IntEnum`, which NumPy converts slowly."""

    RUNNING = 0
    TRUNCATED = 1
    TERMINATED = 2
    BAD_GENOME = 3
    BAD_OBSERVATION = 4
    BAD_OUTPUT = 5
    BAD_REWARD = 6


_MESSAGES = {
    Outcome.BAD_GENOME: "the genome holds numbers that are not finite",
    Outcome.BAD_OBSERVATION: "the observation holds numbers that are not finite",
    Outcome.BAD_OUTPUT: "the network's output holds numbers that are not finite",
    Outcome.BAD_REWARD: "the reward is {reward}",
}


@dataclass(frozen=True)
class EpisodeLog:
    """The results of m episodes while an engine fills them in.

    Attributes:
        results: returns, lengths and sums of observations; the return of an episode with a bad reward is that reward.
        outcomes: how each episode ended, `(m,)`, uint8; bad genomes are marked from the start.
        rows: running sums and extremes of each episode's measures, `(m, rows)`; without any, `(m, 0)`.
    """

    results: EpisodeResults
    outcomes: np.ndarray[tuple[int], np.dtype[np.uint8]]
    rows: FloatArray
    _measures: KernelMeasures | None = None

    @classmethod
    def start(
        cls, genomes: FloatArray, individuals: IntArray, inputs: int | None, measures: KernelMeasures | None = None
    ) -> EpisodeLog:
        """The log of episodes that have not begun.

        Args:
            genomes: `(n, genome_size)`.
            individuals: row of the genomes of each episode, `(m,)`.
            inputs: numbers of an observation if their sums are kept, else None.
            measures: the measures that are taken.
        """
        columns, rows = (0, 0) if measures is None else (len(measures.measures), len(measures.initial_values))
        results = EpisodeResults.empty(len(individuals), inputs, columns)
        outcomes = np.full(len(individuals), Outcome.RUNNING, np.uint8)
        with np.errstate(over="ignore", invalid="ignore"):
            total = genomes.sum()  # one cheap sum for all, nearly always enough
        if not np.isfinite(total):
            bad = np.flatnonzero(~np.isfinite(genomes).all(axis=1))
            outcomes[np.isin(individuals, bad)] = Outcome.BAD_GENOME
        return cls(results, outcomes, np.zeros((len(individuals), rows)), measures)

    @property
    def running(self) -> IntArray:
        """Numbers of the episodes that have not ended."""
        return np.flatnonzero(self.outcomes == Outcome.RUNNING).astype(np.int64)

    def batches(self, size: int) -> Iterator[IntArray]:
        """The numbers of the episodes that have not ended by now, at most `size` at a time."""
        running = self.running
        for first in range(0, len(running), size):
            yield running[first : first + size]

    def finish(self, individuals: IntArray, seeds: IntArray) -> EpisodeResults:
        """The results, with a fault for each episode in which a number was not finite.

        Args:
            individuals: row of the genomes of each episode, `(m,)`.
            seeds: seed of each episode, `(m,)`.
        """
        results = self.results
        np.equal(self.outcomes, Outcome.TERMINATED, out=results.terminated)
        if self._measures is not None:
            self._measure(self._measures, individuals, seeds)
        for episode in np.flatnonzero(self.outcomes >= Outcome.BAD_GENOME).tolist():
            message = _MESSAGES[int(self.outcomes[episode])].format(reward=results.returns[episode])
            self._fail(episode, individuals, seeds, message)
        results.faults.sort(key=lambda fault: fault.episode)
        return results

    def _measure(self, measures: KernelMeasures, individuals: IntArray, seeds: IntArray) -> None:
        """Take the measures of episodes without a fault; one that is not finite is a fault."""
        results = self.results
        assert results.measures is not None
        with np.errstate(all="ignore"):
            measures.finish(self.rows, results.lengths, results.measures)
        if surely_finite(results.measures) and not (self.outcomes >= Outcome.BAD_GENOME).any():
            return
        results.measures[self.outcomes >= Outcome.BAD_GENOME] = math.nan
        bad = ~np.isfinite(results.measures).all(axis=1) & (self.outcomes < Outcome.BAD_GENOME)
        for episode in np.flatnonzero(bad).tolist():
            pairs = zip(measures.measures, results.measures[episode].tolist(), strict=True)
            message = next(f"the measure {name!r} is {value}" for (name, _), value in pairs if not math.isfinite(value))
            results.measures[episode], results.terminated[episode] = math.nan, False
            self._fail(episode, individuals, seeds, message)

    def _fail(self, episode: int, individuals: IntArray, seeds: IntArray, message: str) -> None:
        results = self.results
        fault = (int(individuals[episode]), episode, int(seeds[episode]))
        results.faults.append(Fault(*fault, "nonfinite", int(results.lengths[episode]), message))
        results.returns[episode] = math.nan
        if results.observations is not None:
            results.observations.sums[episode] = 0.0
            results.observations.squares[episode] = 0.0
