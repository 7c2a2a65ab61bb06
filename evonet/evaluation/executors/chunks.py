"""Chunks of episodes, their results, and the protocol of pools whose workers run them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.results import EpisodeResults, FaultKind
from evonet.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive episodes of an evaluation.

    Attributes:
        first: number of the chunk's first episode among all of the evaluation.
        genomes: those that act in it, `(k, genome_size)`.
        individuals: which row of the genomes acts in each episode, `(m,)`, ascending.
        seeds: seed of each episode, `(m,)`.
        normaliser: normaliser of observations.
        max_steps: steps after which the episodes are truncated; None for the task's.
        limit: seconds that the chunk may take.
    """

    first: int
    genomes: FloatArray
    individuals: IntArray
    seeds: IntArray
    normaliser: ObservationNormaliser | None
    max_steps: int | None = None
    limit: float = math.inf

    def __len__(self) -> int:
        return len(self.seeds)

    def part(self, start: int, end: int, limit: float) -> Chunk:
        """The episodes from `start` to before `end`, counted from the chunk's first, as a chunk with a limit."""
        rows = slice(int(self.individuals[start]), int(self.individuals[end - 1]) + 1)
        return Chunk(
            self.first + start,
            self.genomes[rows],
            self.individuals[start:end] - rows.start,
            self.seeds[start:end],
            self.normaliser,
            self.max_steps,
            limit,
        )


@dataclass(frozen=True)
class ChunkFailure:
    """Why a chunk has no results.

    Attributes:
        kind: "died" if the worker process did, "timeout" if the chunk took too long, "exception" if the engine raised.
        message: what happened, in a line.
        traceback: where in the environment it happened, or "".
    """

    kind: FaultKind
    message: str
    traceback: str = ""


@dataclass(frozen=True, eq=False)
class ChunkResult:
    """What became of a chunk.

    Attributes:
        results: of its episodes; None if the chunk was lost.
        seconds: of work.
        engine_name: the engine that ran.
        failure: why there are no results; None if there are.
    """

    results: EpisodeResults | None = None
    seconds: float = 0.0
    engine_name: str = ""
    failure: ChunkFailure | None = None


class ChunkPool(Protocol):
    """Workers that run chunks, several at once."""

    @property
    def workers(self) -> int:
        """How many chunks are run at once."""
        ...

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        ...

    def next_done(self) -> tuple[Chunk, ChunkResult]:
        """Wait for the next chunk that is done or lost, whichever it is.

        Raises:
            WorkersUnavailable: no worker can be had.
        """
        ...

    def abandon(self) -> None:
        """Forget all chunks that have been submitted; those that run are stopped."""
        ...

    def close(self) -> None:
        """End the workers."""
        ...
