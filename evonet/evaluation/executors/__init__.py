"""Executors evaluate genomes: in this process, in worker processes, or on the workers of Dask and other executors.

`make_executor` chooses one. `executor.py` has the protocol and the executor that is this process. `pooled.py` cuts an
evaluation into chunks for the workers of a pool, which `process_pool.py`, `dask_pool.py` and `futures_pool.py` run, and
`scheduler.py` retries chunks that are lost. `chunk_worker.py` is what a worker process does with a chunk.
"""

from evonet.evaluation.executors.auto import AutoExecutor, make_executor
from evonet.evaluation.executors.executor import Executor, InProcess, Workers
from evonet.evaluation.executors.pooled import PooledExecutor, RemoteWorkers, WorkerProcesses

__all__ = [
    "AutoExecutor",
    "Executor",
    "InProcess",
    "PooledExecutor",
    "RemoteWorkers",
    "WorkerProcesses",
    "Workers",
    "make_executor",
]
