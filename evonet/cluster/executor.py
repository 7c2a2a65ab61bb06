"""Executors that make calls in other processes: any executor that returns futures, or a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

PATIENCE = 60.0
"""Seconds for which a cluster may be without a scheduler or without workers."""


@runtime_checkable
class FuturesExecutor(Protocol):
    """An executor with the interface of `concurrent.futures`, such as those of MPI pools, loky and joblib."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Schedule the call `function(*arguments)`; returns a future of the result."""
        ...


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster.

    Attributes:
        client: a `distributed.Client`, which the caller closes.
        address: address of the scheduler, for messages.
        patience: seconds without a scheduler or without workers after which ClusterUnavailable is raised.
    """

    client: Any
    address: str
    patience: float = PATIENCE

    @property
    def threads(self) -> int:
        """The number of threads of all workers; 0 if the scheduler does not answer."""
        try:
            return sum(self.client.nthreads().values())
        except (OSError, TimeoutError, AttributeError):
            return 0


def cluster_of(executor: object) -> Cluster | None:
    """The cluster for an `executor` that is a Cluster or a Dask client; None for another executor or None.

    Raises:
        TypeError: `executor` is an asynchronous client, or has no method `submit`.
    """
    if isinstance(executor, Cluster):
        return executor
    distributed = sys.modules.get("distributed")  # a Dask client exists only if this is imported
    if distributed is not None and isinstance(executor, distributed.Client):
        if executor.asynchronous:
            raise TypeError("executor must be a Dask Client that is not asynchronous: Client(…, asynchronous=False)")
        scheduler = executor.scheduler
        return Cluster(executor, scheduler.address if scheduler is not None else "an address that is closed")
    if executor is not None and not isinstance(executor, FuturesExecutor):
        raise TypeError(f"executor must be a Dask Client or have a method `submit`, got {executor!r}")
    return None
