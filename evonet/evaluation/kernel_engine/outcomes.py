"""How an episode ends, and the results that are made of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from evonet.evaluation.results import EpisodeResults, Fault
from evonet.types import FloatArray, IntArray


class Outcome(IntEnum):
    """How an episode ended; 0 while it goes on."""

    GOES_ON = 0
    CUT = 1
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
class Ledger:
    """What happened in each of m episodes; an engine writes into it.

    Attributes:
        results: room for the results.
        outcomes: how each ended, `(m,)`, uint8; bad genomes are marked from the start.
    """

    results: EpisodeResults
    outcomes: np.ndarray[tuple[int], np.dtype[np.uint8]]

    @classmethod
    def opened(cls, genomes: FloatArray, individuals: IntArray, inputs: int | None) -> Ledger:
        """For episodes of `individuals (m,)`; with sums of `inputs` observations unless None."""
        results = EpisodeResults.empty(len(individuals), inputs)
        outcomes = np.full(len(individuals), Outcome.GOES_ON, np.uint8)
        with np.errstate(over="ignore", invalid="ignore"):
            total = genomes.sum()  # one cheap sum for all, nearly always enough
        if not np.isfinite(total):
            bad = np.flatnonzero(~np.isfinite(genomes).all(axis=1))
            outcomes[np.isin(individuals, bad)] = Outcome.BAD_GENOME
        return cls(results, outcomes)

    @property
    def open_episodes(self) -> IntArray:
        """Numbers of the episodes that are to be run."""
        return np.flatnonzero(self.outcomes == Outcome.GOES_ON).astype(np.int64)

    def closed(self, individuals: IntArray, seeds: IntArray) -> EpisodeResults:
        """The results, with a fault for each episode that met numbers that are not finite.

        The return of an episode that a bad reward ended holds that reward until here.
        """
        results = self.results
        np.equal(self.outcomes, Outcome.TERMINATED, out=results.terminated)
        for episode in np.flatnonzero(self.outcomes >= Outcome.BAD_GENOME).tolist():
            message = _MESSAGES[Outcome(self.outcomes[episode])].format(reward=results.returns[episode])
            results.faults.append(
                Fault(
                    int(individuals[episode]),
                    episode,
                    int(seeds[episode]),
                    "nonfinite",
                    int(results.lengths[episode]),
                    message,
                )
            )
            results.returns[episode] = math.nan
            if results.observations is not None:
                results.observations.sums[episode] = 0.0
                results.observations.squares[episode] = 0.0
        return results
