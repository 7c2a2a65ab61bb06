"""What an engine is: it runs episodes of one task."""

from __future__ import annotations

from typing import Literal, Protocol

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.results import EpisodeResults
from evonet.types import FloatArray, IntArray

EngineName = Literal["auto", "gymnasium", "numpy", "numba", "envpool"]
"""The engines that a config can name."""


class Engine(Protocol):
    """Runs episodes."""

    @property
    def name(self) -> str:
        """The engine, as reports call it."""
        ...

    @property
    def has_threads(self) -> bool:
        """Whether episodes run in threads of the engine, one for each core."""
        ...

    def run(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Flat results `(m,)` of m episodes.

        Args:
            genomes: `(k, genome_size)`.
            individuals: which row of the genomes acts in each episode, `(m,)`, ascending.
            seeds: seed of each episode, `(m,)`.
            normaliser: normaliser of observations; None if the task does not normalise.
            max_steps: steps after which these episodes are truncated, at most the task's, which is the default.

        Returns:
            Results whose faults carry the number of the flat episode as `episode` and the row as `individual`.
        """
        ...

    def close(self) -> None:
        """Close environments and threads."""
        ...
