"""Executors that make calls elsewhere: any with futures, or a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

PATIENCE = 60.0
"""Seconds for which a cluster may be without a scheduler or without workers."""


@runtime_checkable
class FuturesExecutor(Protocol):
    """An executor as in `concurrent.futures`; those of MPI pools, loky and joblib are such, too."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Have `function(*arguments)` called, sooner or later; returns a future of the result."""
        ...


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster.

    Attributes:
        client: a `distributed.Client`; its owner closes it.
        address: address of the scheduler, for messages.
        patience: seconds for which there may be no scheduler, or no workers, before it is given up.
    """

    client: Any
    address: str
    patience: float = PATIENCE

    @property
    def threads(self) -> int:
        """Threads of all workers together; 0 if the scheduler does not answer."""
        try:
            return sum(self.client.nthreads().values())
        except (OSError, TimeoutError, AttributeError):
            return 0


def cluster_of(executor: object) -> Cluster | None:
    """The cluster, if `executor` is one or a Dask client; None if it is another executor, or none.

    Raises:
        TypeError: `executor` is an asynchronous client, or has no method `submit`.
    """
    if isinstance(executor, Cluster):
        return executor
    distributed = sys.modules.get("distributed")  # it is imported if there is a client
    if distributed is not None and isinstance(executor, distributed.Client):
        if executor.asynchronous:
            raise TypeError("executor must be a Dask Client that is not asynchronous: Client(…, asynchronous=False)")
        scheduler = executor.scheduler
        return Cluster(executor, scheduler.address if scheduler is not None else "an address that is closed")
    if executor is not None and not isinstance(executor, FuturesExecutor):
        raise TypeError(f"executor must be a Dask Client or have a method `submit`, got {executor!r}")
    return None
