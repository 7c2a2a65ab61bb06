"""What a worker that is not evonet's own does with a chunk: a child process runs it, and is kept for the next.

A chunk whose environment hangs or crashes takes the child with it and nothing else, as among the worker processes of
one machine.
"""

from __future__ import annotations

from evonet.evaluation.executors.chunks import Chunk, ChunkResult
from evonet.evaluation.executors.process_pool import ProcessChunkPool
from evonet.processes.worker_cache import cached


def run_chunk_remotely(session: str, engine: bytes, chunk: Chunk) -> ChunkResult:
    """Run a chunk in this thread's child process.

    Args:
        session: that the child process is kept for.
        engine: what it runs, pickled by `pickle_engine`.
        chunk: the episodes.

    Raises:
        WorkersUnavailable: no child process can start.
    """
    with cached(session, lambda: ProcessChunkPool(engine, 1)) as child:
        child.submit(chunk)
        _, result = child.next_done()
    return result
