"""Split and retry: a chunk that was lost runs again, until only the guilty episodes are without a result.

A chunk whose worker process died, or that took too long, runs again *singly*: one episode after the other, each result
told at once. If it is lost again, the results so far are kept, the episode that was under way is the guilty one, and
what follows it runs on. The guilty episode has a few more trials by itself, for the machine may be guilty, not the
environment; then it is a fault. An evaluation is a pure function, so that nobody can tell from the results what ran
how often, where and beside what.
"""

from __future__ import annotations

from collections import Counter

from evonet.evaluation.executors.chunks import Chunk, ChunkResult, Loss, Pool
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults, Fault

_FEWEST_INDIVIDUALS = 8  # of which a share is worth acting on before all are evaluated


class ChunkScheduler:
    """One evaluation: its chunks handed to a pool, and their results gathered.

    Args:
        pool: runs chunks.
        policy: what becomes of faults.
        whole: all episodes of the evaluation.
        limit: seconds that an episode may take.

    Attributes:
        seconds: that chunks took which were not lost.
        episodes: that these chunks had.
        engine_name: the engine that ran last.
    """

    def __init__(self, pool: Pool, policy: FaultPolicy, whole: Chunk, limit: float) -> None:
        self._pool = pool
        self._policy = policy
        self._whole = whole
        self._limit = limit
        self._results: dict[int, EpisodeResults] = {}
        self._attempts: Counter[int] = Counter()
        self._faults: list[Fault] = []
        self._open = 0
        self.seconds = 0.0
        self.episodes = 0
        self.engine_name = ""

    def results(self, chunks: list[Chunk]) -> list[EpisodeResults]:
        """Results of consecutive chunks, in the order of the episodes.

        Raises:
            WorkersUnavailable: no worker can be had.
            TooManyFaults: more individuals failed than the policy allows.
        """
        try:
            for chunk in chunks:
                self._submit(chunk)
            while self._open:
                self._take(self._pool.next_done())
        except BaseException:
            self._pool.abandon()
            raise
        return [self._results[first] for first in sorted(self._results)]

    def _submit(self, chunk: Chunk) -> None:
        self._pool.submit(chunk)
        self._open += 1

    def _take(self, ended: ChunkResult) -> None:
        self._open -= 1
        chunk, done = ended.chunk, 0
        for results in ended.results:
            self._results[chunk.first + done] = results.offset(chunk.first + done)
            done += len(results.returns)
        if ended.loss is not None:
            self._recover(chunk, done, ended.loss)
        elif not chunk.singly:
            self.seconds += ended.seconds
            self.episodes += len(chunk)
            self.engine_name = ended.engine_name

    def _recover(self, chunk: Chunk, done: int, loss: Loss) -> None:
        """The episodes of a chunk from `done` on have been lost."""
        if not chunk.singly and len(chunk) > 1:
            self._submit(chunk.part(done, len(chunk), self._limit, singly=True))
            return
        guilty = chunk.first + done
        self._attempts[guilty] += 1
        if self._attempts[guilty] > self._policy.retries:
            self._give_up(guilty, loss)
        else:
            self._submit(chunk.part(done, done + 1, self._limit, singly=True))
        if done + 1 < len(chunk):
            self._submit(chunk.part(done + 1, len(chunk), self._limit, singly=True))

    def _give_up(self, episode: int, loss: Loss) -> None:
        whole = self._whole
        individual, seed = int(whole.individuals[episode]), int(whole.seeds[episode])
        fault = Fault(individual, episode, seed, loss.kind, None, loss.message, loss.traceback, self._attempts[episode])
        results = EpisodeResults.lost(fault, None if whole.normaliser is None else len(whole.normaliser.mean))
        self._results[episode] = results
        self._faults.append(fault.for_individual(whole.individuals))
        if len(whole.genomes) >= _FEWEST_INDIVIDUALS or self._policy.on_fault == "stop":
            self._policy.enforce(self._faults, len(whole.genomes))
