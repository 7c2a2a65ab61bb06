"""Executors run episodes on an engine in this process, or in chunks on engines in worker processes.

`make_executor` chooses one. `executor.py` has the protocol; `pooled.py` cuts chunks for the workers of a pool, of which
`processes.py`, `dask_pool.py` and `executor_pool.py` are; `scheduler.py` is the rule by which a chunk that was lost
runs again; `worker.py` is what a worker process does, `guest.py` how a worker that is not ours gets to have one.
"""

from evonet.evaluation.executors.auto import AutoExecutor, make_executor
from evonet.evaluation.executors.executor import Executor, InProcess, Workers
from evonet.evaluation.executors.pooled import ExecutorWorkers, PooledExecutor, WorkerProcesses

__all__ = [
    "AutoExecutor",
    "Executor",
    "ExecutorWorkers",
    "InProcess",
    "PooledExecutor",
    "WorkerProcesses",
    "Workers",
    "make_executor",
]
