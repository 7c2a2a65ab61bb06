"""What an evaluation yields: returns, lengths, and faults as results of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from evonet.types import BoolArray, FloatArray, IntArray

FaultKind = Literal["exception", "nonfinite", "malformed", "timeout", "died"]


@dataclass(frozen=True)
class Fault:
    """An episode that could not be scored.

    Attributes:
        individual: row of the genome.
        episode: number of the episode: of the individual's episodes, or in a flat chunk, of all.
        seed: the episode's seed.
        kind: "exception" if the environment raised, "nonfinite" if NaN or infinity turned up, "malformed" if an
            observation had another shape or type than its space, "timeout" if the episode took longer than it may,
            "died" if its worker process did.
        step: steps taken before; None if nobody lived to tell.
        message: what happened, in a line.
        traceback: where in the environment it happened, or "".
        attempts: how often the episode was tried by itself.
    """

    individual: int
    episode: int
    seed: int
    kind: FaultKind
    step: int | None
    message: str
    traceback: str = ""
    attempts: int = 1

    @property
    def place(self) -> str:
        """The episode, and how far it came, in a few words."""
        step = "" if self.step is None else f", step {self.step}"
        return f"{self.kind}, seed {self.seed}{step}"

    def numbered(self, individuals: IntArray, episodes: int) -> Fault:
        """The same, of a flat episode, with the numbers of its individual and of that one's own `episodes`."""
        return replace(self, individual=int(individuals[self.episode]), episode=self.episode % episodes)


@dataclass(frozen=True)
class ObservationSums:
    """What a normaliser needs from each episode: deviations from its present mean, added up.

    Attributes:
        sums: `(…, inputs)`.
        squares: sums of squared deviations, `(…, inputs)`.
    """

    sums: FloatArray
    squares: FloatArray


@dataclass(frozen=True)
class EpisodeResults:
    """Episodes of n genomes, each `(n, episodes)`; or of a chunk, flat.

    Attributes:
        returns: sums of rewards; NaN for an episode with a fault.
        lengths: steps taken.
        terminated: True where the environment ended the episode, False where it was cut (or failed).
        faults: episodes that could not be scored, by individual and episode.
        observations: sums for a normaliser, if the task asked for them.
        inputs: the first network inputs of each episode, `(n, episodes, recorded, inputs)`, if the task asked for them;
            beyond an episode's end they are 0.
    """

    returns: FloatArray
    lengths: IntArray
    terminated: BoolArray
    faults: list[Fault] = field(default_factory=list)
    observations: ObservationSums | None = None
    inputs: FloatArray | None = None

    @classmethod
    def empty(cls, episodes: int, inputs: int | None) -> EpisodeResults:
        """Room for `episodes` results; with sums of `inputs` observations unless None."""
        sums = None if inputs is None else ObservationSums(np.zeros((episodes, inputs)), np.zeros((episodes, inputs)))
        return cls(np.zeros(episodes), np.zeros(episodes, np.int64), np.zeros(episodes, np.bool_), [], sums)

    @classmethod
    def lost(cls, fault: Fault, inputs: int | None) -> EpisodeResults:
        """What is known of a single episode whose worker process was lost: the fault."""
        results = cls.empty(1, inputs)
        results.returns[0] = np.nan
        results.faults.append(fault)
        return results

    @property
    def steps(self) -> int:
        """Environment steps of all episodes together."""
        return int(self.lengths.sum())

    @classmethod
    def joined(cls, chunks: Sequence[EpisodeResults], individuals: IntArray, episodes: int) -> EpisodeResults:
        """The flat results of consecutive chunks as `(n, episodes)`, faults numbered likewise."""
        shape = (-1, episodes)
        seen = [chunk.observations for chunk in chunks if chunk.observations is not None]
        met = [chunk.inputs for chunk in chunks if chunk.inputs is not None]
        return cls(
            np.concatenate([chunk.returns for chunk in chunks]).reshape(shape),
            np.concatenate([chunk.lengths for chunk in chunks]).reshape(shape),
            np.concatenate([chunk.terminated for chunk in chunks]).reshape(shape),
            [
                fault.numbered(individuals, episodes)
                for chunk in chunks
                for fault in sorted(chunk.faults, key=lambda fault: fault.episode)
            ],
            ObservationSums(np.concatenate([s.sums for s in seen]), np.concatenate([s.squares for s in seen]))
            if seen
            else None,
            np.concatenate(met).reshape(-1, episodes, *met[0].shape[1:]) if met else None,
        )

    def renumbered(self, first: int) -> EpisodeResults:
        """The same, with `first` added to the numbers of faulty episodes: a chunk's place among the others."""
        return replace(self, faults=[replace(fault, episode=fault.episode + first) for fault in self.faults])
