"""The results of an evaluation: returns, lengths, and faults, which are results too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.types import RETURN, BoolArray, FloatArray, IntArray

FaultKind = Literal["exception", "nonfinite", "malformed", "timeout", "died"]


@dataclass(frozen=True)
class Fault:
    """An episode that could not be scored.

    Attributes:
        individual: row of the genome.
        episode: number among the individual's episodes; in flat results, among all episodes of the chunk.
        seed: the episode's seed.
        kind: "exception" if the environment raised, "nonfinite" if a number was NaN or infinite, "malformed" if an
            observation had another shape or type than its space, or `reset` or `step` returned something else than
            Gymnasium's rules say, "timeout" if the episode exceeded its time limit,
            "died" if its worker process died.
        step: steps taken before; None if unknown, for the worker process is lost.
        message: what happened, in a line.
        traceback: where in the environment it happened, or "".
        attempts: how often the episode was run by itself.
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
    def location(self) -> str:
        """The fault's kind, seed and step, in a few words."""
        step = "" if self.step is None else f", step {self.step}"
        return f"{self.kind}, seed {self.seed}{step}"

    def for_individual(self, individuals: IntArray) -> Fault:
        """The fault of a flat episode, its episode numbered among those of its individual.

        Args:
            individuals: row of the genome in each flat episode, `(m,)`, ascending.
        """
        individual = int(individuals[self.episode])
        return replace(
            self, individual=individual, episode=self.episode - int(np.searchsorted(individuals, individual))
        )


class ObservationSums(NamedTuple):
    """Sums over each episode's observations, for the normaliser under which they were made.

    Attributes:
        sums: of deviations from the normaliser's mean, `(…, inputs)`.
        squares: of the squares of these deviations, `(…, inputs)`.
    """

    sums: FloatArray
    squares: FloatArray


@dataclass(frozen=True)
class EpisodeResults:
    """Episodes of n genomes, each `(n, episodes)`; or of a chunk, flat.

    Attributes:
        returns: sums of rewards; NaN for an episode with a fault, or that a race left out.
        lengths: steps taken.
        terminated: True where the environment ended the episode, False where it was truncated or failed.
        faults: episodes that could not be scored, by individual and episode.
        observations: sums for the normaliser, if the task normalises.
        inputs: the first network inputs of each episode, `(n, episodes, recorded, inputs)`, if the task records them;
            0 after an episode's end.
        measures: numbers of each episode beside its return, `(n, episodes, k)`, in the order of the task's measures;
            NaN for an episode with a fault. None if the task has no measures.
    """

    returns: FloatArray
    lengths: IntArray
    terminated: BoolArray
    faults: list[Fault] = field(default_factory=list)
    observations: ObservationSums | None = None
    inputs: FloatArray | None = None
    measures: FloatArray | None = None

    @classmethod
    def empty(cls, episodes: int, inputs: int | None, measures: int = 0) -> EpisodeResults:
        """Flat results of `episodes` to fill in; with sums over `inputs` numbers, unless None, and with `measures`."""
        sums = None if inputs is None else ObservationSums(np.zeros((episodes, inputs)), np.zeros((episodes, inputs)))
        measured = np.full((episodes, measures), np.nan) if measures else None
        return cls(
            np.zeros(episodes),
            np.zeros(episodes, np.int64),
            np.zeros(episodes, np.bool_),
            [],
            sums,
            measures=measured,
        )

    @classmethod
    def of_lost_worker(cls, fault: Fault, inputs: int | None, measures: int = 0) -> EpisodeResults:
        """Flat results of a single episode whose worker process was lost."""
        results = cls.empty(1, inputs, measures)
        results.returns[0] = np.nan
        results.faults.append(fault)
        return results

    def means(self, names: Sequence[str]) -> dict[str, FloatArray]:
        """Mean over the episodes of the return and of each measure, each `(n,)`; NaN where an episode has a fault.

        Args:
            names: names of the measures, in order.
        """
        means = {RETURN: self.returns.mean(axis=1)}
        if self.measures is not None:
            means |= zip(names, self.measures.mean(axis=1).T, strict=True)
        return means

    def measures_of(self, row: int, names: Sequence[str]) -> dict[str, FloatArray]:
        """The measures of an individual's episodes, each `(episodes,)`, copied; empty if there are none.

        Args:
            row: row of the individual.
            names: names of the measures, in order.
        """
        return {} if self.measures is None else dict(zip(names, self.measures[row].T.copy(), strict=True))

    def merged_into(self, normaliser: ObservationNormaliser) -> ObservationNormaliser:
        """The normaliser after these episodes, which were run under `normaliser`; failed ones are left out."""
        if self.observations is None:
            return normaliser
        lengths = np.where(np.isfinite(self.returns), self.lengths, 0)
        return normaliser.merged(lengths.ravel(), self.observations.sums, self.observations.squares)

    @property
    def failures(self) -> str:
        """How many episodes failed, and where and why the first did, in a line; empty if none failed."""
        if not self.faults:
            return ""
        first = min(self.faults, key=lambda fault: (fault.individual, fault.episode))
        return (
            f"{len(self.faults)} of {self.returns.size} episodes failed; the first, {first.location}: {first.message}"
        )

    @property
    def steps(self) -> int:
        """Environment steps of all episodes together."""
        return int(self.lengths.sum())

    @classmethod
    def joined(cls, chunks: Sequence[EpisodeResults], individuals: IntArray, episodes: int) -> EpisodeResults:
        """The flat results of consecutive chunks as `(n, episodes)`, and faults by individual and episode.

        Args:
            chunks: flat results, their faults numbered by flat episode over all chunks.
            individuals: row of the genome in each flat episode, `(n * episodes,)`, ascending.
            episodes: of each individual.
        """
        shape = (-1, episodes)
        sums = [chunk.observations for chunk in chunks if chunk.observations is not None]
        inputs = [chunk.inputs for chunk in chunks if chunk.inputs is not None]
        measures = [chunk.measures for chunk in chunks if chunk.measures is not None]
        return cls(
            np.concatenate([chunk.returns for chunk in chunks]).reshape(shape),
            np.concatenate([chunk.lengths for chunk in chunks]).reshape(shape),
            np.concatenate([chunk.terminated for chunk in chunks]).reshape(shape),
            [
                fault.for_individual(individuals)
                for chunk in chunks
                for fault in sorted(chunk.faults, key=lambda fault: fault.episode)
            ],
            ObservationSums(np.concatenate([s.sums for s in sums]), np.concatenate([s.squares for s in sums]))
            if sums
            else None,
            np.concatenate(inputs).reshape(-1, episodes, *inputs[0].shape[1:]) if inputs else None,
            np.concatenate(measures).reshape(-1, episodes, measures[0].shape[1]) if measures else None,
        )

    def offset(self, first: int) -> EpisodeResults:
        """A chunk's results, their faults numbered as in the whole evaluation, where `first` is its first episode."""
        return replace(self, faults=[replace(fault, episode=fault.episode + first) for fault in self.faults])
