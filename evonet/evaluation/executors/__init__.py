"""Executors evaluate genomes: in this process, in worker processes, or on the workers of Dask and other executors.

`make_executor` chooses one. `executor.py` has the protocol and the executor that is this process. `pooled.py` cuts an
evaluation into chunks for the workers of a pool, which `process_pool.py`, `dask_pool.py` and `futures_pool.py` run, and
`scheduler.py` retries chunks that are lost. `chunk_worker.py` is what a worker process does with a chunk.
"""

from typing import TYPE_CHECKING

from evonet.evaluation.executors.auto import AutoExecutor, make_executor, worker_processes
from evonet.evaluation.executors.executor import Executor, InProcess, Workers
from evonet.lazy import lazy_attributes

if TYPE_CHECKING:
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
    "worker_processes",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    dict.fromkeys(("PooledExecutor", "RemoteWorkers", "WorkerProcesses"), "evonet.evaluation.executors.pooled"),
)
