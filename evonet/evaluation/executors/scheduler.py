"""An evaluation cut into chunks for the workers of a pool; a lost chunk is retried, one episode at a time.

If a worker process dies while it runs a chunk, or the chunk takes too long, each episode of the chunk runs again as a
chunk of its own. An episode that is lost then is the one that failed. It gets a few more trials, for the machine may be
to blame and not the environment; after them it is a fault. All other episodes have results. An evaluation is a pure
function, so the results do not show what ran how often, where, and beside what.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np

from evonet.evaluation.executors.chunks import Chunk, ChunkFailure, ChunkPool, ChunkResult
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.progress import PROGRESS
from evonet.evaluation.results import EpisodeResults, Fault

_CHUNK_SECONDS = 0.1, 0.3  # the work in a chunk: sending one costs a millisecond, and at its end slots are idle
_CHUNKS = 4  # for each worker, within `_CHUNK_SECONDS`, so that no worker waits long for another
_FIRST_CHUNKS = 8  # for each worker, until the time of an episode is known
_PATIENCE = 3.0  # how many times as long as it should a chunk may take before its episodes run one by one
_MIN_INDIVIDUALS = 8  # of which a share of failures is worth acting on before all are evaluated


class ChunkScheduler:
    """Cuts evaluations into chunks and gathers their results.

    Chunks are cut from the measured time of an episode: long enough that sending one costs nothing beside it, short
    enough that no worker waits for another.

    Args:
        pool: runs chunks.
        policy: what becomes of faults.
        limit: seconds that an episode may take.
        chunk_cost: seconds of this process's time that a chunk costs.
        measures: how many measures an episode has.

    Attributes:
        episode_seconds: mean time of an episode in the last evaluation; None before the first.
        engine_name: the engine that ran last; "" before the first evaluation.
    """

    def __init__(
        self, pool: ChunkPool, policy: FaultPolicy, limit: float, chunk_cost: float = 0.0, measures: int = 0
    ) -> None:
        self._pool = pool
        self._policy = policy
        self._limit = limit
        self._chunk_cost = chunk_cost
        self._measures = measures
        self.episode_seconds: float | None = None
        self.engine_name = ""

    def run(self, whole: Chunk) -> list[EpisodeResults]:
        """Run all episodes of an evaluation: results of consecutive chunks, in the order of the episodes.

        Raises:
            WorkersUnavailable: no worker can be had.
            TooManyFaults: more individuals failed than the policy allows.
        """
        evaluation = _Evaluation(whole, self._policy, self._limit, self._measures)
        waiting, under_way = self._cut(whole), 0
        try:
            while waiting or under_way:
                for chunk in waiting:
                    self._pool.submit(chunk)
                under_way += len(waiting) - 1
                waiting = evaluation.take(*self._pool.next_done())
        except BaseException:
            self._pool.abandon()
            raise
        if evaluation.episodes:
            self.episode_seconds = evaluation.seconds / evaluation.episodes
            self.engine_name = evaluation.engine_name
        return evaluation.results()

    def _cut(self, whole: Chunk) -> list[Chunk]:
        if self.episode_seconds is None:
            wanted = _FIRST_CHUNKS * self._pool.workers
        else:
            work = len(whole) * self.episode_seconds
            wanted = math.ceil(work / self._chunk_seconds(work))
        parts = min(len(whole), max(wanted, self._pool.workers))
        ends = np.linspace(0, len(whole), parts + 1).astype(np.int64).tolist()
        return [whole.part(a, b, self._chunk_limit(b - a)) for a, b in pairwise(ends)]

    def _chunk_seconds(self, work: float) -> float:
        """The part of `work` in a chunk: more if there are so many workers that shorter chunks would queue up here."""
        least, most = _CHUNK_SECONDS
        share = min(max(work / (_CHUNKS * self._pool.workers), least), most)
        return max(share, self._chunk_cost * self._pool.workers)

    def _chunk_limit(self, episodes: int) -> float:
        usual = episodes * (self.episode_seconds or 0.0)
        return self._limit if episodes == 1 else max(self._limit, _PATIENCE * usual)


class _Evaluation:
    """The results of an evaluation, as they come in.

    Attributes:
        seconds: working time of the chunks that were neither lost nor repeated.
        episodes: number of episodes in these chunks.
        engine_name: the engine that ran last.
    """

    def __init__(self, whole: Chunk, policy: FaultPolicy, limit: float, measures: int) -> None:
        self._whole = whole
        self._measures = measures
        self._policy = policy
        self._limit = limit
        self._results: dict[int, EpisodeResults] = {}
        self._attempts: Counter[int] = Counter()  # by episode, of those that ran again by themselves
        self._faults: list[Fault] = []
        self.seconds = 0.0
        self.episodes = 0
        self.engine_name = ""

    def results(self) -> list[EpisodeResults]:
        """Results of consecutive chunks, in the order of the episodes."""
        return [self._results[first] for first in sorted(self._results)]

    def take(self, chunk: Chunk, result: ChunkResult) -> list[Chunk]:
        """Take what became of a chunk; returns the chunks to run in its place.

        Raises:
            TooManyFaults: more individuals failed than the policy allows.
        """
        if result.results is None:
            assert result.failure is not None
            return self._retried(chunk, result.failure)
        PROGRESS.done += len(chunk)
        self._results[chunk.first] = result.results.offset(chunk.first)
        if chunk.first not in self._attempts:
            self.seconds += result.seconds
            self.episodes += len(chunk)
            self.engine_name = result.engine_name
        return []

    def _retried(self, chunk: Chunk, failure: ChunkFailure) -> list[Chunk]:
        if len(chunk) > 1:
            self._attempts.update(dict.fromkeys(range(chunk.first, chunk.first + len(chunk)), 0))
            return [chunk.part(i, i + 1, self._limit) for i in range(len(chunk))]
        self._attempts[chunk.first] += 1
        if self._attempts[chunk.first] <= self._policy.retries:
            return [chunk]
        self._give_up(chunk.first, failure)
        return []

    def _give_up(self, episode: int, failure: ChunkFailure) -> None:
        whole = self._whole
        individual, seed = int(whole.individuals[episode]), int(whole.seeds[episode])
        fault = Fault(
            individual, episode, seed, failure.kind, None, failure.message, failure.traceback, self._attempts[episode]
        )
        self._results[episode] = EpisodeResults.of_lost_worker(
            fault, None if whole.normaliser is None else len(whole.normaliser.mean), self._measures
        )
        self._faults.append(fault.for_individual(whole.individuals))
        if len(whole.genomes) >= _MIN_INDIVIDUALS or self._policy.on_fault == "stop":
            self._policy.enforce(self._faults, len(whole.genomes))
