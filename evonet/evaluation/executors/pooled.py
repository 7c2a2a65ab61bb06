"""Executors whose workers run chunks of episodes: worker processes of this machine, or workers elsewhere."""

from __future__ import annotations

import math

from evonet.cluster.executor import Cluster, FuturesExecutor, cluster_of
from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.engine import EngineName
from evonet.evaluation.engines import make_engine, runs_foreign_code
from evonet.evaluation.executors.chunk_worker import pickle_engine
from evonet.evaluation.executors.chunks import Chunk, ChunkPool
from evonet.evaluation.executors.scheduler import ChunkScheduler
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

_REMOTE_CHUNK_COST = 0.002  # seconds, measured by experiments/benchmarks/scale_out.py


class PooledExecutor:
    """An executor that runs chunks on the workers of a pool.

    Args:
        task: what an episode is.
        engine: name of the engine.
        faults: how to treat episodes that cannot be scored.
        pool: runs chunks.
        chunk_cost: seconds of this process's time that a chunk costs.

    Attributes:
        pool: the workers.
        isolated: whether an environment that others wrote runs, and may hang or crash in a worker.

    Raises:
        ValueError: the engine does not serve the task.
    """

    def __init__(
        self, task: Task, engine: EngineName, faults: FaultPolicy, pool: ChunkPool, chunk_cost: float = 0.0
    ) -> None:
        sample = make_engine(engine, task)
        self._first_name = sample.name
        sample.close()
        self.pool = pool
        self.isolated = runs_foreign_code(engine, task)
        # A kernel is evonet's own: it always comes to an end, but may have to be compiled first.
        limit = faults.seconds if self.isolated else math.inf
        self._scheduler = ChunkScheduler(pool, faults, limit, chunk_cost, len(task.measures))

    @property
    def engine_name(self) -> str:
        return self._scheduler.engine_name or self._first_name

    def evaluate(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> list[EpisodeResults]:
        return self._scheduler.run(Chunk(0, genomes, individuals, seeds, normaliser, max_steps))

    def close(self) -> None:
        self.pool.close()


class WorkerProcesses(PooledExecutor):
    """Worker processes of this machine, each with one engine.

    Args:
        task: what an episode is; it is pickled.
        engine: name of the engine.
        workers: number of processes.
        faults: how to treat episodes that cannot be scored.

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
        from evonet.evaluation.executors.process_pool import ProcessChunkPool  # its imports cost a run without it 20 ms

        pool = ProcessChunkPool(pickle_engine(task, engine), workers)
        self.processes = pool.processes
        super().__init__(task, engine, faults, pool)
        pool.processes.start()


class RemoteWorkers(PooledExecutor):
    """The workers of a Dask cluster or of any other executor; each keeps a process of its own with one engine.

    Args:
        task: what an episode is; it is pickled.
        engine: name of the engine.
        executor: a Dask client or cluster, or an executor whose futures are those of `concurrent.futures`.
        workers: how many the executor has, if neither Dask nor the executor itself says.
        faults: how to treat episodes that cannot be scored.

    Raises:
        ValueError: the engine does not serve the task.
        TypeError: `executor` is neither a Dask client nor has a method `submit`.
        WorkersUnavailable: the task cannot be pickled, or the workers' versions are not this process's.
        ClusterUnavailable: the cluster has no scheduler that answers, or no workers.
    """

    def __init__(
        self,
        task: Task,
        engine: EngineName,
        executor: FuturesExecutor | Cluster,
        workers: int,
        faults: FaultPolicy = FaultPolicy(),  # noqa: B008 - frozen
    ) -> None:
        cluster, pickled = cluster_of(executor), pickle_engine(task, engine)
        pool: ChunkPool
        if cluster is not None:
            from evonet.evaluation.executors.dask_pool import DaskChunkPool  # Dask is an extra

            pool = DaskChunkPool(cluster, pickled)
        else:
            from evonet.evaluation.executors.futures_pool import FuturesChunkPool

            assert not isinstance(executor, Cluster)
            pool = FuturesChunkPool(executor, pickled, workers)
        super().__init__(task, engine, faults, pool, _REMOTE_CHUNK_COST)
