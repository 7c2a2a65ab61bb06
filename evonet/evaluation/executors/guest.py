"""How a chunk is run in a worker that belongs to others: by a child process, which is kept with its environments.

A chunk whose environment hangs or crashes takes the child with it and nothing else, as it does among the worker
processes of one machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonet.cluster import guests
from evonet.cluster.tasks import Refusal, refusal
from evonet.errors import WorkersUnavailable
from evonet.evaluation.executors.chunks import Chunk, ChunkResult, Loss
from evonet.evaluation.executors.processes import ProcessPool
from evonet.evaluation.results import EpisodeResults


@dataclass(frozen=True, eq=False)
class Order:
    """What all chunks of an executor have in common.

    Attributes:
        owner: whom a worker keeps the child process for.
        payload: the task and the engine's name, pickled.
        versions: that the results are to rest on.
    """

    owner: str
    payload: bytes
    versions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Reply:
    """What became of a chunk, without the chunk: `ChunkResult` for one who has it."""

    results: Sequence[EpisodeResults]
    seconds: float
    engine_name: str
    loss: Loss | None

    def ended(self, chunk: Chunk) -> ChunkResult:
        """With the chunk."""
        return ChunkResult(chunk, self.results, self.seconds, self.engine_name, self.loss)


def run_chunk(order: Order, chunk: Chunk) -> Reply | Refusal:
    """Run a chunk in this thread's child process."""
    refused = refusal(order.versions)
    if refused is not None:
        return refused
    try:
        with guests.kept(order.owner, lambda: ProcessPool(order.payload, 1)) as child:
            child.submit(chunk)
            ended = child.next_done()
    except WorkersUnavailable as error:
        return Refusal(str(error))
    return Reply(ended.results, ended.seconds, ended.engine_name, ended.loss)
