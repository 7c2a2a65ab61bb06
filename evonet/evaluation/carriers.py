"""The carriers: they bring episodes to an engine in this process, or in chunks to engines in worker processes."""

from __future__ import annotations

import math
import os
import time
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Literal, Protocol

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engines import EngineName, make_engine
from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task import Engine, Task
from evonet.machine import cores
from evonet.settings import Count
from evonet.types import FloatArray, IntArray

Workers = Count | Literal["auto"]

_CHUNK_SECONDS = 0.1  # the work in a chunk; sending one and its results costs about a millisecond
_FIRST_CHUNKS = 8  # for each worker, as long as nobody knows how long an episode takes
_WORTH_TRYING = 2.0  # seconds of evaluation after which worker processes are tried
_WORTH_KEEPING = 1.1  # how much faster they must be
_BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Carrier(Protocol):
    """Evaluates genomes on episodes, wherever that happens."""

    @property
    def engine_name(self) -> str:
        """The engine that ran, as reports call it."""
        ...

    def carry(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        """Results of the flat episodes in consecutive chunks; faults numbered by episode over all chunks."""
        ...

    def close(self) -> None:
        """End processes and close environments."""
        ...


class InProcess:
    """This very process.

    Args:
        task: what an episode is.
        engine: name of the engine.

    Raises:
        ValueError: the engine does not serve the task.
    """

    def __init__(self, task: Task, engine: EngineName = "auto") -> None:
        self._engine: Engine = make_engine(engine, task)

    @property
    def engine_name(self) -> str:
        return self._engine.name

    def carry(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        return [self._engine.run(genomes, individuals, seeds, normaliser)]

    def close(self) -> None:
        self._engine.close()


class WorkerProcesses:
    """Processes of our own, started afresh (spawn), each with one engine that it keeps.

    Chunks are cut from the measured time of an episode: long enough that sending them costs nothing beside them, short
    enough that no worker waits for another.

    Args:
        task: what an episode is; it is pickled.
        engine: name of the engine.
        workers: number of processes.

    Raises:
        ValueError: the engine does not serve the task.
    """

    def __init__(self, task: Task, engine: EngineName = "auto", workers: int = 2) -> None:
        from pebble import ProcessPool

        self._workers = workers
        self._engine_name = make_engine(engine, task).name
        self._episode_seconds: float | None = None
        self._pool = ProcessPool(
            max_workers=workers, context=_SpawnContext(), initializer=_start_worker, initargs=(task, engine)
        )
        self._started = [self._pool.schedule(_is_there) for _ in range(workers)]

    @property
    def engine_name(self) -> str:
        return self._engine_name

    @property
    def ready(self) -> bool:
        """Whether the processes have started."""
        return all(future.done() for future in self._started)

    def carry(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        futures = []
        for chunk in np.array_split(np.arange(len(seeds)), self._chunks(len(seeds))):
            rows = slice(individuals[chunk[0]], individuals[chunk[-1]] + 1)
            arguments = (genomes[rows], individuals[chunk] - rows.start, seeds[chunk], normaliser)
            futures.append((int(chunk[0]), self._pool.schedule(_run_chunk, args=arguments)))
        seconds, results = 0.0, []
        for first, future in futures:
            chunk_results, chunk_seconds, self._engine_name = future.result()
            results.append(chunk_results.renumbered(first))
            seconds += chunk_seconds
        self._episode_seconds = seconds / len(seeds)
        return results

    def _chunks(self, episodes: int) -> int:
        if self._episode_seconds is None:
            wanted = _FIRST_CHUNKS * self._workers
        else:
            wanted = math.ceil(episodes * self._episode_seconds / _CHUNK_SECONDS)
        return min(episodes, max(wanted, self._workers))

    def close(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


class AutoCarrier:
    """This process while evaluation is cheap; worker processes, one for each core, if they turn out to be faster.

    They start in the background once evaluation has taken a while, are tried for one evaluation, and are kept only if
    a step then takes less time. An engine that has threads of its own needs no processes.

    Args:
        task: what an episode is.
        engine: name of the engine.

    Raises:
        ValueError: the engine does not serve the task.
    """

    def __init__(self, task: Task, engine: EngineName = "auto") -> None:
        self._task, self._engine = task, engine
        self._alone = InProcess(task, engine)
        self._workers: WorkerProcesses | None = None
        self._seconds = 0.0
        self._step_seconds = math.inf
        self._on_trial = True
        self._cores = cores()

    @property
    def engine_name(self) -> str:
        return self._alone.engine_name

    def carry(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        used = self._alone if self._workers is None or not self._workers.ready else self._workers
        started = time.monotonic()
        results = used.carry(genomes, individuals, seeds, normaliser)
        seconds = time.monotonic() - started
        if self._on_trial:
            self._judge(used, seconds, sum(chunk.steps for chunk in results))
        return results

    def _judge(self, used: Carrier, seconds: float, steps: int) -> None:
        """Learn from an evaluation whether to start worker processes, to keep them, or to do without."""
        if used is self._alone:
            self._seconds += seconds
            self._step_seconds = seconds / max(steps, 1)
            if self._workers is None and self._seconds > _WORTH_TRYING:
                self._on_trial = self._cores > 1 and "numba" not in self._alone.engine_name
                if self._on_trial:
                    self._workers = WorkerProcesses(self._task, self._engine, self._cores)
        else:
            self._on_trial = False
            if seconds / max(steps, 1) * _WORTH_KEEPING > self._step_seconds and self._workers is not None:
                self._workers.close()
                self._workers = None

    def close(self) -> None:
        self._alone.close()
        if self._workers is not None:
            self._workers.close()


def carrier(task: Task, engine: EngineName, workers: Workers) -> Carrier:
    """The carrier for so many workers.

    Raises:
        ValueError: the engine does not serve the task.
    """
    if workers == "auto":
        return AutoCarrier(task, engine)
    return InProcess(task, engine) if workers == 1 else WorkerProcesses(task, engine, workers)


class _SpawnProcess(SpawnProcess):
    """A process whose linear algebra uses one thread: the parallelism is that there are several processes."""

    def start(self) -> None:
        before = {name: os.environ.get(name) for name in _BLAS_THREADS}
        os.environ.update(dict.fromkeys(_BLAS_THREADS, "1"))
        try:
            super().start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class _SpawnContext(SpawnContext):
    Process = _SpawnProcess


_worker_engine: Engine | None = None


def _start_worker(task: Task, engine: EngineName) -> None:
    global _worker_engine  # noqa: PLW0603 - a worker process is born for one task
    _worker_engine = make_engine(engine, task, threads=1)


def _is_there() -> None:
    """The first work of a process: to have started."""


def _run_chunk(
    genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
) -> tuple[EpisodeResults, float, str]:
    """A chunk's results, the seconds that they took, and the engine."""
    assert _worker_engine is not None
    started = time.monotonic()
    results = _worker_engine.run(genomes, individuals, seeds, normaliser)
    return results, time.monotonic() - started, _worker_engine.name
