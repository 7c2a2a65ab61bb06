"""Worker processes of this machine as a pool that runs chunks."""

from __future__ import annotations

from evonet.evaluation.executors.chunk_worker import make_environments, open_engine, run_chunk
from evonet.evaluation.executors.chunks import Chunk, ChunkFailure, ChunkResult
from evonet.evaluation.results import FaultKind
from evonet.processes.pool import Call, WorkerPool
from evonet.processes.worker import CallFailed

_KINDS: dict[str, FaultKind] = {"died": "died", "unguarded": "died", "timeout": "timeout", "raised": "exception"}


class ProcessChunkPool:
    """Worker processes, each with one engine.

    Args:
        engine: what they run, pickled by `pickle_engine`.
        workers: number of processes.

    Attributes:
        processes: the worker processes.
    """

    def __init__(self, engine: bytes, workers: int) -> None:
        self.processes = WorkerPool(workers, (open_engine, (engine,)))

    @property
    def workers(self) -> int:
        """How many chunks are run at once."""
        return self.processes.workers

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        self.processes.submit(Call(run_chunk, (chunk,), chunk.limit, (make_environments, (len(chunk),))))

    def next_done(self) -> tuple[Chunk, ChunkResult]:
        """Wait for the next chunk that is done or lost, whichever it is.

        Raises:
            WorkersUnavailable: a worker could not start, or make an environment, several times.
        """
        call, reply = self.processes.next_done()
        (chunk,) = call.arguments
        return chunk, reply.value if reply.error is None else ChunkResult(failure=_failure(reply.error, chunk.limit))

    def abandon(self) -> None:
        """Forget all chunks; workers that run one are killed."""
        self.processes.abandon()

    def interrupt(self) -> None:
        """Kill the workers, from another thread; all chunks are lost."""
        self.processes.interrupt()

    def close(self) -> None:
        """End the workers; those that are idle close their environments first."""
        self.processes.close()


def _failure(error: CallFailed, limit: float) -> ChunkFailure:
    message = f"the episode took longer than {limit:g} s" if error.kind == "timeout" else str(error)
    traceback = error.traceback
    if traceback and error.kind != "raised":  # which ends with the error itself
        traceback = f"{traceback}{message}\n"
    return ChunkFailure(_KINDS[error.kind], message, traceback)
