"""Calls on a Dask cluster; a call whose worker dies or whose result is lost is made again.

A call must be a pure function of its arguments, because it may be made more than once, even by several workers at once.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask
import numpy as np
from numpy.typing import NDArray

from evonet.cluster.executor import Cluster
from evonet.cluster.session import Refusal, Session, make_call
from evonet.errors import ClusterUnavailable, WorkersUnavailable
from evonet.fingerprint import environment_versions, version_mismatch
from evonet.processes import worker_cache

_POLL_SECONDS = 1.0  # without a result, after which the workers are counted again
_ANSWER_SECONDS = 10.0  # for a scheduler to answer
_STOP_SECONDS = 2.0  # for workers to cancel calls
_MAX_LOSSES = 7  # times that a call is lost, because its worker died or its result was lost, before the run stops
_LARGE = "distributed.admin.large-graph-warning-threshold"


@dataclass(eq=False)
class _Call:
    about: Any
    name: str
    pickled: bytes
    losses: int = 0


class Tasks:
    """The pending calls on a cluster, and their results.

    Args:
        cluster: the cluster that makes the calls.

    Attributes:
        session: the session of the calls; `close` makes workers release the session's child processes.
        workers: number of threads of all workers, when it was last counted.

    Raises:
        ClusterUnavailable: there is no scheduler, or there are no workers.
        WorkersUnavailable: a worker's versions differ from those of this process.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.session = Session.new()
        self._cluster = cluster
        self._client = cluster.client
        self._pending: dict[str, tuple[_Call, Any]] = {}
        self._waiting: list[_Call] = []
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done: deque[tuple[Any, Any]] = deque()
        self._workerless_since: float | None = None  # when the cluster was first seen without workers
        self.workers = self._await_workers()
        self._refuse_other_versions()

    def submit(self, about: Any, function: Callable[..., Any], *arguments: Any) -> None:
        """Queue the call `function(*arguments)`; `next_done` returns `about` together with the result."""
        name = function.__name__.replace("_", "-")
        pickled = pickle.dumps((self.session, function, arguments))
        self._waiting.append(_Call(about, f"evonet-{name}", pickled))

    def next_done(self) -> tuple[Any, Any]:
        """Wait for the next result, in any order; returns the call's `about` and the result.

        Raises:
            ClusterUnavailable: there has been no scheduler or no worker for longer than the cluster's patience, or
                results cannot be fetched.
            WorkersUnavailable: a worker refuses the call, or the call raised.
        """
        while not self._done:
            self._start()
            try:
                ended = [self._ended.get(timeout=_POLL_SECONDS)]
            except queue.Empty:
                self._check_workers()
            else:
                with contextlib.suppress(queue.Empty):
                    while True:
                        ended.append(self._ended.get_nowait())
                self._take(ended)
        about, result = self._done.popleft()
        if isinstance(result, Refusal):
            raise self._unusable(result.reason)
        return about, result

    def forget(self) -> None:
        """Drop all calls, and cancel those that are running."""
        futures = [future for _, future in self._pending.values()]
        self._pending.clear()
        self._waiting.clear()
        self._done.clear()
        if futures:
            self._ask(self._client.cancel, futures)
            self._ask(self._client.run, worker_cache.stop, self.session.id, on_error="ignore")

    def close(self) -> None:
        """Drop all calls, and make workers release the session's child processes."""
        self.forget()
        self._ask(self._client.run, worker_cache.release, self.session.id, on_error="ignore")

    def _start(self) -> None:
        """Send the waiting calls to the cluster, all in one message.

        Each call includes all of its arguments. (If calls shared an argument as a Dask dependency, Dask would assign
        all of them to the worker that has the dependency, and the other workers would have to steal them.)
        """
        if not self._waiting or self._client.status != "running":
            return
        keys = [f"{call.name}-{uuid.uuid4().hex}" for call in self._waiting]
        # Dask hashes what it sends, and hashes arrays faster than bytes.
        arguments = [np.frombuffer(call.pickled, np.uint8) for call in self._waiting]
        try:
            with dask.config.set({_LARGE: sys.maxsize}):
                futures = self._client.map(_run_pickled, arguments, key=keys, pure=False)
        except (OSError, AttributeError, RuntimeError):  # the scheduler is gone, which `_check_workers` reports
            return
        for key, call, future in zip(keys, self._waiting, futures, strict=True):
            self._pending[key] = (call, future)
            future.add_done_callback(self._ended.put)
        self._waiting = []

    def _take(self, ended: list[Any]) -> None:
        """Fetch the results of futures that have ended, and queue calls without a result again."""
        known = [(*self._pending.pop(future.key), future.status) for future in ended if future.key in self._pending]
        finished = [(call, future) for call, future, status in known if status == "finished"]
        self._fetch(finished)
        for call, future, status in known:
            if status == "error":
                self._handle_error(call, future)
            elif status != "finished":
                self._waiting.append(call)
        if self._waiting:
            self._check_workers()

    def _fetch(self, finished: list[tuple[_Call, Any]]) -> None:
        """Fetch the results of finished calls; if the fetch fails, queue all of these calls again.

        Raises:
            ClusterUnavailable: results of a call were lost too often.
        """
        if not finished:
            return
        futures = [future for _, future in finished]
        try:
            results: list[Any] = self._within(self._cluster.patience, self._client.gather, futures)
        except Exception as error:  # noqa: BLE001 - after any error, the calls can be made again
            for call, _ in finished:
                self._count_loss(call, ClusterUnavailable(f"{self._place} cannot deliver their results: {error}"))
        else:
            self._done.extend((call.about, result) for (call, _), result in zip(finished, results, strict=True))

    def _handle_error(self, call: _Call, future: Any) -> None:
        """Queue a call again if its worker died.

        Raises:
            WorkersUnavailable: workers died too often during the call, or the call raised.
        """
        from distributed import KilledWorker

        error = future.exception()
        if not isinstance(error, KilledWorker):
            raise self._unusable(f"{type(error).__name__}: {error}") from error
        died = WorkersUnavailable(f"{self._place} died during the same call {_MAX_LOSSES} times: {error}")
        self._count_loss(call, died)

    def _count_loss(self, call: _Call, error: WorkersUnavailable) -> None:
        """Queue a lost call again, or raise `error` if the call was lost too often."""
        call.losses += 1
        if call.losses >= _MAX_LOSSES:
            raise error
        self._waiting.append(call)

    def _check_workers(self) -> None:
        """Check that the cluster has workers.

        Raises:
            ClusterUnavailable: there have been no workers for longer than the cluster's patience.
        """
        if self._client.status in ("closing", "closed"):
            raise self._unavailable()
        workers = self._count_workers()
        if workers:
            self._workerless_since, self.workers = None, workers
            return
        self._workerless_since = time.monotonic() if self._workerless_since is None else self._workerless_since
        if time.monotonic() - self._workerless_since >= self._cluster.patience:
            raise self._unavailable()

    def _await_workers(self) -> int:
        while True:
            self._check_workers()
            if self._workerless_since is None:
                return self.workers
            time.sleep(0.1)

    def _count_workers(self) -> int:
        """The number of threads of all workers; 0 if the scheduler does not answer."""
        if self._client.status != "running":
            return 0
        return sum((self._ask(self._client.nthreads, seconds=_ANSWER_SECONDS) or {}).values())

    @property
    def _place(self) -> str:
        return f"the Dask workers at {self._cluster.address}"

    def _unusable(self, reason: str) -> WorkersUnavailable:
        return WorkersUnavailable(f"{self._place} cannot make the calls of this run: {reason}")

    def _unavailable(self) -> ClusterUnavailable:
        lacking = "has no workers" if self._client.status == "running" else "does not answer"
        waited = 0.0 if self._workerless_since is None else time.monotonic() - self._workerless_since
        return ClusterUnavailable(f"the Dask scheduler at {self._cluster.address} {lacking} (waited {waited:.0f} s)")

    def _ask(self, method: Callable[..., Any], *arguments: Any, seconds: float = _STOP_SECONDS, **settings: Any) -> Any:
        """The return value of a method of the client; None if the method fails or takes longer than `seconds`."""
        with contextlib.suppress(OSError, TimeoutError, AttributeError, RuntimeError):
            if self._client.status == "running":
                return self._within(seconds, method, *arguments, **settings)
        return None

    def _within(self, seconds: float, method: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        return self._client.sync(partial(method, *arguments, asynchronous=True, **settings), callback_timeout=seconds)

    def _refuse_other_versions(self) -> None:
        """Refuse workers whose versions differ from those of this process, because their results might differ.

        Raises:
            WorkersUnavailable: a worker's versions differ; the message has a line for each different set.
        """
        seconds = self._cluster.patience
        answers = self._ask(self._client.run, worker_versions, on_error="return", seconds=seconds) or {}
        kinds: dict[str, list[str]] = {}
        for worker, answer in answers.items():
            if isinstance(answer, Exception):
                differ: str | None = f"evonet cannot be imported: {type(answer).__name__}: {answer}"
            else:
                differ = version_mismatch(self.session.versions, answer)
            if differ is not None:
                kinds.setdefault(differ, []).append(worker)
        if kinds:
            lines = [
                f"  {', '.join(workers[:3])}{' …' if workers[3:] else ''}: {differ}"
                for differ, workers in kinds.items()
            ]
            raise WorkersUnavailable(
                f"workers of the Dask scheduler at {self._cluster.address} have different versions, "
                "so that results would not be the same:\n" + "\n".join(lines)
            )


def worker_versions() -> dict[str, str]:
    """The versions of the current process, on a worker."""
    return dict(environment_versions())


def _run_pickled(pickled: NDArray[np.uint8]) -> Any:
    """Make a pickled call in the worker, and return its result."""
    session, function, arguments = pickle.loads(pickled.data)  # noqa: S301 - it comes from the client, who may run any code on the worker
    return make_call(session, function, arguments)
