"""Any executor as a pool: the small adapter between `concurrent.futures` and chunks."""

from __future__ import annotations

import queue
import uuid
from concurrent.futures import CancelledError
from typing import Any

from evonet.cluster import guests
from evonet.cluster.executor import FuturesExecutor
from evonet.errors import ClusterUnavailable, WorkersUnavailable
from evonet.evaluation.executors.chunks import Chunk, ChunkResult
from evonet.versions import identity

_COUNTS = ("num_workers", "_max_workers")  # of mpi4py; of the standard library, loky and joblib


class ExecutorPool:
    """The workers of an executor whose futures are those of `concurrent.futures`; the executor stays its owner's.

    Args:
        executor: threads, processes, or workers elsewhere.
        payload: what they run, of `pickled`.
        workers: how many there are, if the executor cannot tell.
    """

    def __init__(self, executor: FuturesExecutor, payload: bytes, workers: int) -> None:
        from evonet.evaluation.executors.guest import Order  # who needs no processes does not wait for their imports

        self._executor = executor
        self._order = Order(uuid.uuid4().hex, payload, identity())
        self._workers = next((count for name in _COUNTS if (count := getattr(executor, name, None))), workers)
        self._pending: dict[Any, Chunk] = {}
        self._news: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def workers(self) -> int:
        """How many chunks are run at once."""
        return self._workers

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        from evonet.evaluation.executors.guest import run_chunk

        try:
            future = self._executor.submit(run_chunk, self._order, chunk)
        except RuntimeError as error:  # broken, or shut down
            raise _broken(error) from error
        self._pending[future] = chunk
        future.add_done_callback(self._news.put)

    def next_done(self) -> ChunkResult:
        """Wait for the next chunk that ends, whichever it is.

        Raises:
            ClusterUnavailable: the executor is broken, or was shut down.
            WorkersUnavailable: a worker cannot run chunks.
        """
        future = self._news.get()
        while future not in self._pending:  # abandoned
            future = self._news.get()
        chunk = self._pending.pop(future)
        try:
            reply = future.result()
        except (Exception, CancelledError) as error:
            raise _broken(error) from error
        if not hasattr(reply, "ended"):
            raise WorkersUnavailable(f"the executor's workers cannot take part: {reply.reason}")
        ended: ChunkResult = reply.ended(chunk)
        return ended

    def abandon(self) -> None:
        """Forget all chunks; one that runs in another process runs on until it ends, or has taken too long."""
        for future in self._pending:
            future.cancel()
        self._pending.clear()
        guests.stop(self._order.owner)  # where the executor's workers are threads of this process

    def close(self) -> None:
        """End the child processes of threads here; elsewhere they end with the executor."""
        guests.release(self._order.owner)


def _broken(error: BaseException) -> ClusterUnavailable:
    return ClusterUnavailable(f"the executor cannot go on: {type(error).__name__}: {error}")
