"""Episodes in chunks to workers elsewhere: how large chunks are, and how long they may take."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np

from evonet.cluster.executor import Cluster, FuturesExecutor, cluster_of
from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engine import EngineName
from evonet.evaluation.engines import make_engine, runs_foreign_code
from evonet.evaluation.executors.chunks import Chunk, Pool
from evonet.evaluation.executors.executor_pool import ExecutorPool
from evonet.evaluation.executors.payload import pickled
from evonet.evaluation.executors.scheduler import ChunkScheduler
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

_CHUNK_SECONDS = 0.1, 0.3  # the work in a chunk: sending one costs a millisecond, and at its end episodes run alone
_CHUNKS = 4  # for each worker, where that lies between, so that none waits long for another
_FIRST_CHUNKS = 8  # for each worker, as long as nobody knows how long an episode takes
_PATIENCE = 3.0  # how many times as long as it should a chunk may take before its episodes are run singly


class PooledExecutor(ABC):
    """Workers of a pool, wherever they are.

    Chunks are cut from the measured time of an episode: long enough that sending them costs nothing beside them, short
    enough that no worker waits for another.

    Args:
        task: what an episode is.
        engine: name of the engine.
        faults: what becomes of episodes that cannot be scored.

    Attributes:
        isolated: whether an environment that others wrote runs, and may hang or crash in a worker.

    Raises:
        ValueError: the engine does not serve the task.
    """

    _cost = 0.0  # seconds that a chunk costs who hands all of them out

    def __init__(self, task: Task, engine: EngineName, faults: FaultPolicy) -> None:
        sample = make_engine(engine, task)
        self._engine_name = sample.name
        sample.close()
        self._faults = faults
        # A kernel is evonet's own: it always comes to an end, but may have to be compiled first.
        self.isolated = runs_foreign_code(engine, task)
        self._limit = faults.seconds if self.isolated else math.inf
        self._episode_seconds: float | None = None

    @property
    @abstractmethod
    def pool(self) -> Pool:
        """The workers."""

    @property
    def engine_name(self) -> str:
        return self._engine_name

    def evaluate(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> list[EpisodeResults]:
        whole = Chunk(0, genomes, individuals, seeds, normaliser)
        scheduler = ChunkScheduler(self.pool, self._faults, whole, self._limit)
        results = scheduler.results(self._cut(whole))
        if scheduler.episodes:
            self._episode_seconds = scheduler.seconds / scheduler.episodes
            self._engine_name = scheduler.engine_name
        return results

    def _cut(self, whole: Chunk) -> list[Chunk]:
        if self._episode_seconds is None:
            wanted = _FIRST_CHUNKS * self.pool.workers
        else:
            work = len(whole) * self._episode_seconds
            wanted = math.ceil(work / self._chunk_seconds(work))
        parts = min(len(whole), max(wanted, self.pool.workers))
        ends = np.linspace(0, len(whole), parts + 1).astype(np.int64).tolist()
        return [whole.part(a, b, self._chunk_limit(b - a)) for a, b in pairwise(ends)]

    def _chunk_seconds(self, work: float) -> float:
        """The part of `work` in a chunk: more where so many workers are served that shorter chunks would queue up."""
        least, most = _CHUNK_SECONDS
        share = min(max(work / (_CHUNKS * self.pool.workers), least), most)
        return max(share, self._cost * self.pool.workers)

    def _chunk_limit(self, episodes: int) -> float:
        usual = episodes * (self._episode_seconds or 0.0)
        return self._limit if episodes == 1 else max(self._limit, _PATIENCE * usual)

    def close(self) -> None:
        self.pool.close()


class WorkerProcesses(PooledExecutor):
    """Processes of our own, started afresh (spawn), each with one engine that it keeps.

    Args:
        task: what an episode is; it is pickled.
        engine: name of the engine.
        workers: number of processes.
        faults: what becomes of episodes that cannot be scored.

    Raises:
        ValueError: the engine does not serve the task.
        WorkersUnavailable: the task cannot be pickled.
    """

    def __init__(
        self,
        task: Task,
        engine: EngineName = "auto",
        workers: int = 2,
        faults: FaultPolicy = FaultPolicy(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(task, engine, faults)
        from evonet.evaluation.executors.processes import ProcessPool  # who needs none does not wait for its imports

        self._processes = ProcessPool(pickled(task, engine), workers)

    @property
    def pool(self) -> Pool:
        """The processes."""
        return self._processes

    @property
    def ready(self) -> bool:
        """Whether the processes have started.

        Raises:
            WorkersUnavailable: one could not, several times.
        """
        return self._processes.ready()


class ExecutorWorkers(PooledExecutor):
    """The workers of a Dask cluster or of any other executor; each keeps a process of its own with one engine.

    Args:
        task: what an episode is; it is pickled.
        engine: name of the engine.
        executor: a Dask client or cluster, or what else has a method `submit`.
        workers: how many the executor has, if neither Dask nor the executor itself can tell.
        faults: what becomes of episodes that cannot be scored.

    Raises:
        ValueError: the engine does not serve the task.
        TypeError: the executor is none.
        WorkersUnavailable: the task cannot be pickled, or the workers' versions are not this process's.
        ClusterUnavailable: the cluster has no scheduler that answers, or no workers.
    """

    _cost = 0.002  # measured by experiments/benchmarks/scale_out.py

    def __init__(
        self,
        task: Task,
        engine: EngineName,
        executor: FuturesExecutor | Cluster,
        workers: int,
        faults: FaultPolicy = FaultPolicy(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(task, engine, faults)
        cluster, payload = cluster_of(executor), pickled(task, engine)
        self._pool: Pool
        if cluster is None:
            assert not isinstance(executor, Cluster)
            self._pool = ExecutorPool(executor, payload, workers)
        else:
            from evonet.evaluation.executors.dask_pool import DaskPool  # Dask is an extra

            self._pool = DaskPool(cluster, payload)

    @property
    def pool(self) -> Pool:
        """The workers."""
        return self._pool
