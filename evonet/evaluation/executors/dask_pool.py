"""The workers of a Dask cluster as a pool: a chunk is a task, and brings the genomes that act in it and no others."""

from __future__ import annotations

import uuid

from evonet.cluster.executor import Cluster
from evonet.cluster.tasks import Tasks
from evonet.evaluation.executors.chunks import Chunk, ChunkResult
from evonet.evaluation.executors.guest import Order, run_chunk
from evonet.versions import identity


class DaskPool:
    """Dask workers; those that die are done without, those that join get work.

    Args:
        cluster: of the workers.
        payload: what they run, of `pickled`.

    Raises:
        ClusterUnavailable: there is no scheduler, or there are no workers.
        WorkersUnavailable: they rest on other versions than this process.
    """

    def __init__(self, cluster: Cluster, payload: bytes) -> None:
        self._order = Order(uuid.uuid4().hex, payload, identity())
        self._tasks = Tasks(cluster, self._order.owner)

    @property
    def workers(self) -> int:
        """Threads of all Dask workers together."""
        return self._tasks.workers

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        self._tasks.submit(chunk, run_chunk, self._order, chunk)

    def next_done(self) -> ChunkResult:
        """Wait for the next chunk that ends, whichever it is.

        Raises:
            ClusterUnavailable: there has been nobody to run it for too long.
            WorkersUnavailable: a worker cannot run chunks.
        """
        chunk, reply = self._tasks.next_done()
        ended: ChunkResult = reply.ended(chunk)
        return ended

    def abandon(self) -> None:
        """Forget all chunks; the child processes at work on one are killed."""
        self._tasks.forget()

    def close(self) -> None:
        """Have the Dask workers end their child processes."""
        self._tasks.close()
