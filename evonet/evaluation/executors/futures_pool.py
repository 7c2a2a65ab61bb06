"""Any executor whose futures are those of `concurrent.futures`, as a pool that runs chunks."""

from __future__ import annotations

import queue
from concurrent.futures import CancelledError
from typing import Any

from evonet.cluster.executor import FuturesExecutor
from evonet.cluster.session import Refusal, Session, make_call
from evonet.errors import ClusterUnavailable, WorkersUnavailable
from evonet.evaluation.executors.chunks import Chunk, ChunkResult
from evonet.evaluation.executors.remote_chunk import run_chunk_remotely
from evonet.processes import worker_cache

_COUNTS = ("num_workers", "_max_workers")  # of mpi4py; of the standard library, loky and joblib


class FuturesChunkPool:
    """The workers of an executor; its owner shuts it down.

    Args:
        executor: threads, processes, or workers elsewhere.
        engine: what they run, pickled by `pickle_engine`.
        workers: how many there are, if the executor does not say.
    """

    def __init__(self, executor: FuturesExecutor, engine: bytes, workers: int) -> None:
        self._executor = executor
        self._engine = engine
        self._session = Session.new()
        self._workers = next((count for name in _COUNTS if (count := getattr(executor, name, None))), workers)
        self._pending: dict[Any, Chunk] = {}
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def workers(self) -> int:
        """How many chunks are run at once."""
        return self._workers

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        arguments = (self._session.id, self._engine, chunk)
        try:
            future = self._executor.submit(make_call, self._session, run_chunk_remotely, arguments)
        except RuntimeError as error:  # broken, or shut down
            raise _broken(error) from error
        self._pending[future] = chunk
        future.add_done_callback(self._ended.put)

    def next_done(self) -> tuple[Chunk, ChunkResult]:
        """Wait for the next chunk that is done or lost, whichever it is.

        Raises:
            ClusterUnavailable: the executor is broken, or was shut down.
            WorkersUnavailable: a worker cannot run chunks.
        """
        future = self._ended.get()
        while future not in self._pending:  # abandoned
            future = self._ended.get()
        chunk = self._pending.pop(future)
        try:
            result = future.result()
        except (Exception, CancelledError) as error:
            raise _broken(error) from error
        if isinstance(result, Refusal):
            raise WorkersUnavailable(f"a worker of the executor is unavailable: {result.reason}")
        return chunk, result

    def abandon(self) -> None:
        """Forget all chunks; one that runs in another process runs on until it ends, or has taken too long."""
        for future in self._pending:
            future.cancel()
        self._pending.clear()
        worker_cache.stop(self._session.id)  # where the executor's workers are threads of this process

    def close(self) -> None:
        """End the child processes of threads here; elsewhere they end with the executor."""
        worker_cache.release(self._session.id)


def _broken(error: BaseException) -> ClusterUnavailable:
    return ClusterUnavailable(f"the executor cannot go on: {type(error).__name__}: {error}")
