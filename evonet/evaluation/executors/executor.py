"""The protocol of executors, and the simplest of them, which runs episodes in this process."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from annotated_types import Ge, Le

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engine import Engine, EngineName
from evonet.evaluation.engines import make_engine
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

Workers = Annotated[int, Ge(1), Le(1000)] | Literal["auto"]
"""Number of worker processes; the limit keeps a typing error from starting more than a machine can bear."""


class Executor(Protocol):
    """Evaluates genomes on episodes, in this process or elsewhere."""

    @property
    def engine_name(self) -> str:
        """The engine that ran, as reports call it."""
        ...

    @property
    def isolated(self) -> bool:
        """Whether an environment may hang or crash without taking this process with it."""
        ...

    def evaluate(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> list[EpisodeResults]:
        """Run episodes, as `evonet.evaluation.engine.Engine.run` does.

        Any exception may end the evaluation, also one of a signal handler; episodes elsewhere are then stopped.

        Args:
            genomes: `(n, genome_size)`.
            individuals: which row of the genomes acts in each episode, `(m,)`, ascending.
            seeds: seed of each episode, `(m,)`.
            normaliser: normaliser of observations.
            max_steps: steps after which these episodes are truncated, at most the task's, which is the default.

        Returns:
            Results of consecutive chunks of the episodes, in order; a fault's `episode` counts over all chunks.

        Raises:
            WorkersUnavailable: no worker can be had.
            TooManyFaults: more individuals failed than the fault policy allows.
        """
        ...

    def close(self) -> None:
        """End processes and close environments."""
        ...


class InProcess:
    """Runs episodes in this process: the fastest way for a cheap environment, and unsafe for one that hangs or crashes.

    Args:
        task: what an episode is.
        engine: name of the engine.

    Raises:
        ValueError: the engine does not serve the task.
    """

    isolated = False

    def __init__(self, task: Task, engine: EngineName = "auto") -> None:
        self._engine: Engine = make_engine(engine, task)

    @property
    def engine_name(self) -> str:
        return self._engine.name

    @property
    def has_threads(self) -> bool:
        """Whether the engine runs episodes in threads of its own, so that processes would gain nothing."""
        return self._engine.has_threads

    def evaluate(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> list[EpisodeResults]:
        return [self._engine.run(genomes, individuals, seeds, normaliser, max_steps)]

    def close(self) -> None:
        self._engine.close()
