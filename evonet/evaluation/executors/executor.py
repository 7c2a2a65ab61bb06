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
"""Worker processes; more than any machine has processors would bring it down before they are all there."""


class Executor(Protocol):
    """Evaluates genomes on episodes, wherever that happens."""

    @property
    def engine_name(self) -> str:
        """The engine that ran, as reports call it."""
        ...

    @property
    def isolated(self) -> bool:
        """Whether an environment may hang or crash without taking this process with it."""
        ...

    def evaluate(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        """Results of the flat episodes in consecutive chunks; faults numbered by episode over all chunks.

        It may be left by any exception, that of a signal handler too; what runs elsewhere is stopped then.

        Raises:
            WorkersUnavailable: no worker can be had.
            TooManyFaults: more individuals failed than may.
        """
        ...

    def close(self) -> None:
        """End processes and close environments."""
        ...


class InProcess:
    """This very process: the fastest way for a cheap environment, and no way for one that hangs or crashes.

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

    def evaluate(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        return [self._engine.run(genomes, individuals, seeds, normaliser)]

    def close(self) -> None:
        self._engine.close()
