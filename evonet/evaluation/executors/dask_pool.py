"""The workers of a Dask cluster as a pool that runs chunks: a chunk is a task, and brings no genomes but its own."""

from __future__ import annotations

from evonet.cluster.calls import Tasks
from evonet.cluster.executor import Cluster
from evonet.evaluation.executors.chunks import Chunk, ChunkResult
from evonet.evaluation.executors.remote_chunk import run_chunk_remotely


class DaskChunkPool:
    """The workers of a Dask cluster; the pool does without workers that die, and uses workers that join.

    Args:
        cluster: the cluster.
        engine: what they run, pickled by `pickle_engine`.

    Raises:
        ClusterUnavailable: there is no scheduler, or there are no workers.
        WorkersUnavailable: the workers have other versions than this process.
    """

    def __init__(self, cluster: Cluster, engine: bytes) -> None:
        self._tasks = Tasks(cluster)
        self._engine = engine

    @property
    def workers(self) -> int:
        """Threads of all Dask workers together."""
        return self._tasks.workers

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        self._tasks.submit(chunk, run_chunk_remotely, self._tasks.session.id, self._engine, chunk)

    def next_done(self) -> tuple[Chunk, ChunkResult]:
        """Wait for the next chunk that is done or lost, whichever it is.

        Raises:
            ClusterUnavailable: there have been no workers for longer than the cluster's patience.
            WorkersUnavailable: a worker cannot run chunks.
        """
        chunk, result = self._tasks.next_done()
        return chunk, result

    def abandon(self) -> None:
        """Forget all chunks; child processes that run one are killed."""
        self._tasks.forget()

    def close(self) -> None:
        """Have the Dask workers end their child processes."""
        self._tasks.close()
