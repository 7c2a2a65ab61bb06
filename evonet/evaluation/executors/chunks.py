"""Chunks of episodes on their way to where an engine is, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.results import EpisodeResults
from evonet.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive episodes of an evaluation.

    Attributes:
        first: number of its first episode among all of the evaluation.
        genomes: those that act in it, `(k, genome_size)`.
        individuals: which row of the genomes acts in each episode, `(m,)`, ascending.
        seeds: of each episode, `(m,)`.
        normaliser: of observations.
        limit: seconds that it may take; that each of its episodes may take, if they run singly.
        singly: whether each episode runs by itself and its result is told at once, so that it is known which one was
            under way when a worker process is lost.
    """

    first: int
    genomes: FloatArray
    individuals: IntArray
    seeds: IntArray
    normaliser: ObservationNormaliser | None
    limit: float = math.inf
    singly: bool = False

    def __len__(self) -> int:
        return len(self.seeds)

    def part(self, start: int, end: int, limit: float, *, singly: bool = False) -> Chunk:
        """Its episodes from `start` to before `end`, counted from its own first."""
        rows = slice(int(self.individuals[start]), int(self.individuals[end - 1]) + 1)
        return Chunk(
            self.first + start,
            self.genomes[rows],
            self.individuals[start:end] - rows.start,
            self.seeds[start:end],
            self.normaliser,
            limit,
            singly,
        )

    def turns(self) -> Iterator[Chunk]:
        """What an engine is to run at a time: everything, or one episode after the other."""
        if not self.singly:
            yield self
        else:
            yield from (self.part(i, i + 1, self.limit) for i in range(len(self)))


LossKind = Literal["died", "timeout"]


@dataclass(frozen=True)
class Loss:
    """Why a chunk ended early.

    Attributes:
        kind: "died" if the worker process did, "timeout" if it was ended because the chunk took too long.
        message: what happened, in a line.
        traceback: where in the environment it happened, or "".
    """

    kind: LossKind
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class ChunkResult:
    """What became of a chunk.

    Attributes:
        chunk: the chunk.
        results: those that came: of the chunk as a whole, or of its episodes in turn.
        seconds: of work.
        engine_name: the engine that ran.
        loss: why results are missing; None if none is.
    """

    chunk: Chunk
    results: Sequence[EpisodeResults] = ()
    seconds: float = 0.0
    engine_name: str = ""
    loss: Loss | None = None


class Pool(Protocol):
    """Workers somewhere that run chunks, several at once, and tell of each how it ended."""

    @property
    def workers(self) -> int:
        """How many chunks are run at once."""
        ...

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        ...

    def next_done(self) -> ChunkResult:
        """Wait for the next chunk that ends, whichever it is.

        Raises:
            WorkersUnavailable: no worker can be had.
        """
        ...

    def abandon(self) -> None:
        """Forget all chunks that have been submitted; what runs is stopped."""
        ...

    def close(self) -> None:
        """End the workers."""
        ...
