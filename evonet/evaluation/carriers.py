"""The carriers: they bring episodes to an engine in this process, or in chunks to engines in worker processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Literal, Protocol

import numpy as np

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engines import ENGINES, EngineName
from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task import Engine, Task
from evonet.settings import Count
from evonet.types import FloatArray, IntArray

Workers = Count | Literal["auto"]

_CHUNKS_PER_WORKER = 4
_WORTH_WORKERS = 2.0  # seconds of evaluation after which starting processes has a chance to pay
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
    """

    def __init__(self, task: Task, engine: EngineName = "auto") -> None:
        self._engine: Engine = ENGINES[engine](task)

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

    Args:
        task: what an episode is; it is pickled.
        engine: name of the engine.
        workers: number of processes.
    """

    def __init__(self, task: Task, engine: EngineName = "auto", workers: int = 2) -> None:
        from pebble import ProcessPool

        self._workers = workers
        self.engine_name = ENGINES[engine](task).name
        self._pool = ProcessPool(
            max_workers=workers, context=get_context("spawn"), initializer=_start_worker, initargs=(task, engine)
        )

    def carry(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        futures = []
        with _one_blas_thread():
            for chunk in np.array_split(np.arange(len(seeds)), min(len(seeds), self._workers * _CHUNKS_PER_WORKER)):
                rows = slice(individuals[chunk[0]], individuals[chunk[-1]] + 1)
                arguments = (genomes[rows], individuals[chunk] - rows.start, seeds[chunk], normaliser)
                futures.append((chunk[0], self._pool.schedule(_run_chunk, args=arguments)))
        return [future.result().renumbered(int(first)) for first, future in futures]

    def close(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


class AutoCarrier:
    """This process while evaluation is cheap; worker processes, one for each core, as soon as they pay.

    Args:
        task: what an episode is.
        engine: name of the engine.
    """

    def __init__(self, task: Task, engine: EngineName = "auto") -> None:
        self._arguments: tuple[Task, EngineName] = (task, engine)
        self._carrier: Carrier = InProcess(task, engine)
        self._seconds = 0.0
        self._cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def engine_name(self) -> str:
        return self._carrier.engine_name

    def carry(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        started = time.monotonic()
        results = self._carrier.carry(genomes, individuals, seeds, normaliser)
        self._seconds += time.monotonic() - started
        if self._seconds > _WORTH_WORKERS and self._cores > 1 and isinstance(self._carrier, InProcess):
            self._carrier.close()
            self._carrier = WorkerProcesses(*self._arguments, workers=self._cores)
        return results

    def close(self) -> None:
        self._carrier.close()


def carrier(task: Task, engine: EngineName, workers: Workers) -> Carrier:
    """The carrier for so many workers."""
    if workers == "auto":
        return AutoCarrier(task, engine)
    return InProcess(task, engine) if workers == 1 else WorkerProcesses(task, engine, workers)


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Workers that start meanwhile use one thread each: their parallelism is that there are several."""
    before = {name: os.environ.get(name) for name in _BLAS_THREADS}
    os.environ.update(dict.fromkeys(_BLAS_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_worker_engine: Engine | None = None


def _start_worker(task: Task, engine: EngineName) -> None:
    global _worker_engine  # noqa: PLW0603 - a worker process is born for one task
    os.dup2(2, 1)  # what environments print goes to stderr: stdout carries nothing but the command's result
    _worker_engine = ENGINES[engine](task)


def _run_chunk(*arguments: Any) -> EpisodeResults:
    assert _worker_engine is not None
    return _worker_engine.run(*arguments)
