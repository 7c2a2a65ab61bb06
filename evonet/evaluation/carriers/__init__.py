"""The carriers: they bring episodes to an engine in this process, or in chunks to engines in worker processes.

`carrier` chooses one. `carrier.py` says what a carrier is; `pooled.py` cuts chunks for the workers of a pool, of which
`processes.py`, `dask_pool.py` and `executor_pool.py` are; `splitting.py` is the rule by which a chunk that was lost
runs again; `worker.py` is what a worker process does, `guest.py` how a worker that is not ours gets to have one.
"""

from evonet.evaluation.carriers.automatic import AutoCarrier, carrier
from evonet.evaluation.carriers.carrier import Carrier, InProcess, Workers
from evonet.evaluation.carriers.pooled import ExecutorWorkers, PooledCarrier, WorkerProcesses

__all__ = [
    "AutoCarrier",
    "Carrier",
    "ExecutorWorkers",
    "InProcess",
    "PooledCarrier",
    "WorkerProcesses",
    "Workers",
    "carrier",
]
