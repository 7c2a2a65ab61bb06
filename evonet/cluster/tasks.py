"""Calls on a Dask cluster, each made until its result is here, whatever becomes of workers and the scheduler meanwhile.

A call must be a pure function of its arguments: it may be made more than once, by several workers even.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask
import numpy as np
from numpy.typing import NDArray

from evonet.cluster import guests
from evonet.cluster.executor import Cluster
from evonet.errors import ClusterUnavailable, WorkersUnavailable
from evonet.versions import identity, skew

_LOOK_SECONDS = 1.0  # without news, after which the cluster is looked at
_ANSWER_SECONDS = 10.0  # for a scheduler to answer
_STOP_SECONDS = 2.0  # for workers to hear that calls are no longer wanted
_MOST_KILLINGS = 7  # of a call by Dask, each time after some workers have died at it: then it is the call that kills
_LARGE = "distributed.admin.large-graph-warning-threshold"


@dataclass(frozen=True)
class Refusal:
    """What a worker answers instead of a result if it cannot make any call.

    Attributes:
        reason: why.
    """

    reason: str


@dataclass(eq=False)
class _Call:
    mark: Any
    name: str
    pickled: bytes
    killings: int = 0


class Tasks:
    """Calls on a cluster, and the results that have come.

    Args:
        cluster: where the calls are made.
        owner: what `guests` are to keep these calls' things under.

    Raises:
        ClusterUnavailable: there is no scheduler, or there are no workers.
        WorkersUnavailable: workers rest on other versions than this process.
    """

    def __init__(self, cluster: Cluster, owner: str) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._owner = owner
        self._pending: dict[str, tuple[_Call, Any]] = {}
        self._waiting: list[_Call] = []
        self._news: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._done: deque[tuple[Any, Any]] = deque()
        self._missed: float | None = None  # since when there has been nobody to work
        self.workers = self._await_workers()
        self._refuse_skew()

    def submit(self, mark: Any, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a call made by and by; `mark` comes back with its result."""
        name = function.__name__.replace("_", "-")
        self._waiting.append(_Call(mark, f"evonet-{name}", pickle.dumps((function, arguments))))

    def next_done(self) -> tuple[Any, Any]:
        """Wait for the next result, whichever it is, and return it after its mark.

        Raises:
            ClusterUnavailable: for longer than the cluster's patience there has been no scheduler, or no worker.
            WorkersUnavailable: a worker cannot make such a call.
        """
        while not self._done:
            self._start()
            try:
                ended = [self._news.get(timeout=_LOOK_SECONDS)]
            except queue.Empty:
                self._look()
            else:
                with contextlib.suppress(queue.Empty):
                    while True:
                        ended.append(self._news.get_nowait())
                self._take(ended)
        mark, result = self._done.popleft()
        if isinstance(result, Refusal):
            raise WorkersUnavailable(f"the Dask workers at {self._cluster.address} cannot take part: {result.reason}")
        return mark, result

    def forget(self) -> None:
        """Forget all calls; those under way are ended."""
        futures = [future for _, future in self._pending.values()]
        self._pending.clear()
        self._waiting.clear()
        self._done.clear()
        if futures:
            self._ask(self._client.cancel, futures)
            self._ask(self._client.run, guests.stop, self._owner, on_error="ignore")

    def close(self) -> None:
        """Forget all calls, and have workers close what they keep for them."""
        self.forget()
        self._ask(self._client.run, guests.release, self._owner, on_error="ignore")

    def refresh(self) -> None:
        """Count the workers anew."""
        self.workers = self._count_workers() or self._await_workers()

    def _start(self) -> None:
        """Send what waits to the cluster, all in one message.

        Each call brings all that it needs. (What many have in common could be sent once and be a dependency of theirs,
        but then Dask gives them all to the worker that has it, and others must steal them from there.)
        """
        if not self._waiting or self._client.status != "running":
            return
        calls = {f"{call.name}-{uuid.uuid4().hex}": call for call in self._waiting}
        # As an array, for Dask takes a digest of all it sends, and of mere bytes slowly.
        graph = {key: (_made, np.frombuffer(call.pickled, np.uint8)) for key, call in calls.items()}
        try:
            with dask.config.set({_LARGE: sys.maxsize}):
                futures = self._client.get(graph, list(graph), sync=False)
        except (OSError, AttributeError, RuntimeError):  # the scheduler is gone, as `_look` will find
            return
        self._waiting = []
        for (key, call), future in zip(calls.items(), futures, strict=True):
            self._pending[key] = (call, future)
            future.add_done_callback(self._news.put)

    def _take(self, ended: list[Any]) -> None:
        """Take the results of futures that have ended; what has none is started again."""
        known = [(*self._pending.pop(future.key), future.status) for future in ended if future.key in self._pending]
        finished = [(call, future) for call, future, status in known if status == "finished"]
        results = self._gathered([future for _, future in finished])
        if results is None:
            self._waiting += [call for call, _ in finished]
        else:
            self._done.extend((call.mark, result) for (call, _), result in zip(finished, results, strict=True))
        for call, future, status in known:
            if status == "error":
                self._judge(call, future)
            elif status != "finished":
                self._waiting.append(call)
        if self._waiting:
            self._look()

    def _gathered(self, futures: list[Any]) -> list[Any] | None:
        """Their results; None if one is lost meanwhile."""
        if not futures:
            return []
        try:
            results: list[Any] = self._within(self._cluster.patience, self._client.gather, futures)
        except Exception:  # noqa: BLE001 - whatever it is, the calls can be made again
            return None
        return results

    def _judge(self, call: _Call, future: Any) -> None:
        """What becomes of a call that raised, or whose workers died."""
        from distributed import KilledWorker

        error = future.exception()
        if not isinstance(error, KilledWorker):
            raise WorkersUnavailable(
                f"the Dask workers at {self._cluster.address} cannot take part: {type(error).__name__}: {error}"
            ) from error
        call.killings += 1
        if call.killings >= _MOST_KILLINGS:
            raise WorkersUnavailable(f"Dask workers at {self._cluster.address} die of a call, again and again: {error}")
        self._waiting.append(call)

    def _look(self) -> None:
        """See whether there is anybody to work.

        Raises:
            ClusterUnavailable: there has been nobody for too long.
        """
        if self._client.status in ("closing", "closed"):
            raise self._unavailable()
        workers = self._count_workers()
        if workers:
            self._missed, self.workers = None, workers
            return
        self._missed = time.monotonic() if self._missed is None else self._missed
        if time.monotonic() - self._missed >= self._cluster.patience:
            raise self._unavailable()

    def _await_workers(self) -> int:
        while True:
            self._look()
            if self._missed is None:
                return self.workers
            time.sleep(0.1)

    def _count_workers(self) -> int:
        """Threads of all workers; 0 if nobody answers."""
        if self._client.status != "running":
            return 0
        return sum((self._ask(self._client.nthreads, seconds=_ANSWER_SECONDS) or {}).values())

    def _unavailable(self) -> ClusterUnavailable:
        lacking = "has no workers" if self._client.status == "running" else "does not answer"
        waited = 0.0 if self._missed is None else time.monotonic() - self._missed
        return ClusterUnavailable(f"the Dask scheduler at {self._cluster.address} {lacking} (waited {waited:.0f} s)")

    def _ask(self, method: Callable[..., Any], *arguments: Any, seconds: float = _STOP_SECONDS, **settings: Any) -> Any:
        """What a method of the client returns, None if it cannot be had in so many seconds."""
        with contextlib.suppress(OSError, TimeoutError, AttributeError, RuntimeError):
            if self._client.status == "running":
                return self._within(seconds, method, *arguments, **settings)
        return None

    def _within(self, seconds: float, method: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        return self._client.sync(partial(method, *arguments, asynchronous=True, **settings), callback_timeout=seconds)

    def _refuse_skew(self) -> None:
        """Refuse workers whose results might differ.

        Raises:
            WorkersUnavailable: there are some; the message has a line for each kind.
        """
        seconds = self._cluster.patience
        answers = self._ask(self._client.run, guest_identity, on_error="return", seconds=seconds) or {}
        kinds: dict[str, list[str]] = {}
        for worker, answer in answers.items():
            if isinstance(answer, Exception):
                differ: str | None = f"evonet cannot be imported: {type(answer).__name__}: {answer}"
            else:
                differ = skew(identity(), answer)
            if differ is not None:
                kinds.setdefault(differ, []).append(worker)
        if kinds:
            lines = [
                f"  {', '.join(workers[:3])}{' …' if workers[3:] else ''}: {differ}"
                for differ, workers in kinds.items()
            ]
            raise WorkersUnavailable(
                f"workers of the Dask scheduler at {self._cluster.address} rest on other versions, "
                "so that results would not be the same:\n" + "\n".join(lines)
            )


def guest_identity() -> dict[str, str]:
    """The versions of the process that calls."""
    return dict(identity())


def refusal(versions: Mapping[str, str]) -> Refusal | None:
    """What a worker that joined late answers if its versions are not those of the caller."""
    differ = skew(versions, identity())
    return None if differ is None else Refusal(f"versions differ: {differ}")


def _made(pickled: NDArray[np.uint8]) -> Any:
    """What a call returns, in the worker."""
    function, arguments = pickle.loads(pickled.data)  # noqa: S301 - it comes from the client, who may run anything here
    return function(*arguments)
