"""A pool of worker processes: idle workers get the waiting calls, and a worker whose process ended is replaced."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import util
from types import TracebackType
from typing import Any, Literal, Self

from evonet.errors import WorkersUnavailable
from evonet.processes.worker import CallFailed, Reply, Worker, close_all, wait_for

_START_SECONDS = 120.0  # for an interpreter to start, and for a worker to prepare a call
_LONGEST_WAIT = 60.0
_PAUSE_SECONDS = 0.5  # before another attempt to start a worker
_TRIES = 3
_KILLED_TRY = 0.1  # of a try, for a worker that was killed from outside: its start probably did not cause that
_MAX_GROWTH = 256_000_000  # bytes of memory by which a worker may have grown before another takes its place

Step = tuple[Callable[..., object], Sequence[Any]]
"""A function and its arguments."""


@dataclass(frozen=True, eq=False)
class Call:
    """A call for a worker of a pool.

    Attributes:
        function: a module's function, so that it can be pickled.
        arguments: the function's arguments, which can be pickled.
        timeout: seconds that the call may take.
        prepare: a step that the worker takes first, outside of the time limit; if it fails, another worker makes the
            call.
    """

    function: Callable[..., Any]
    arguments: Sequence[Any]
    timeout: float = math.inf
    prepare: Step | None = None


class WorkerPool:
    """Worker processes of this machine; as a context manager, the pool ends them.

    The workers start with the first call, or with `start`. When an idle pool gets a call, workers whose memory has
    grown by hundreds of megabytes are replaced.

    Args:
        workers: number of processes.
        initialise: a step that each worker takes before its first call.
        share: number of processors that each worker may use.
    """

    def __init__(self, workers: int, initialise: Step = (int, ()), share: int = 1) -> None:
        self._initialise = initialise
        self._share = share
        self._waiting: deque[Call] = deque()
        self._done: deque[tuple[Call, Reply]] = deque()
        self._slots = [_Slot() for _ in range(workers)]
        self._interrupted = False
        util.Finalize(self, _end, (self._slots,), exitpriority=20)

    @property
    def workers(self) -> int:
        """The number of workers, which is the number of calls that run at the same time."""
        return len(self._slots)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the workers that have been started."""
        return [slot.worker.process_id for slot in self._slots if slot.worker is not None]

    @property
    def ready(self) -> bool:
        """Whether all workers have started and are initialised.

        Raises:
            WorkersUnavailable: a worker could not start, several times.
        """
        self.start()
        self._listen(0.0)
        return all(slot.stage == "idle" for slot in self._slots)

    def start(self) -> None:
        """Start the workers that are missing, without waiting for them.

        Raises:
            WorkersUnavailable: the system could not start the workers, several times.
        """
        for slot in self._slots:
            if slot.worker is None:
                try:
                    slot.take(Worker(self._share), self._initialise)
                except OSError as error:  # no memory, or too many processes
                    slot.count_failure(CallFailed("died", str(error)))
                    time.sleep(_PAUSE_SECONDS)

    def submit(self, call: Call) -> None:
        """Queue a call; the next idle worker makes it."""
        self._interrupted = False
        if not self._waiting and all(slot.call is None for slot in self._slots):
            self._renew_grown()
        self._waiting.append(call)

    def next_done(self) -> tuple[Call, Reply]:
        """Wait for the next call that returns or fails, in any order.

        Raises:
            WorkersUnavailable: a worker could not start or prepare a call, several times.
        """
        while not self._done:
            self.start()
            if self._interrupted and self._waiting:
                return self._waiting.popleft(), Reply(error=CallFailed("died", "the worker process was interrupted"))
            self._assign_calls()
            self._listen(_LONGEST_WAIT)
        return self._done.popleft()

    def abandon(self) -> None:
        """Drop all calls, and kill the workers that are busy."""
        self._waiting.clear()
        self._done.clear()
        for slot in self._slots:
            if slot.call is not None:
                slot.empty()

    def interrupt(self) -> None:
        """Kill the workers, from another thread than the one that waits for calls: all calls fail as "died"."""
        self._interrupted = True
        for slot in self._slots:
            if (worker := slot.worker) is not None:
                worker.interrupt()

    def close(self) -> None:
        """End the workers: those that are idle end by themselves, the others are killed."""
        self._waiting.clear()
        _end(self._slots)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _assign_calls(self) -> None:
        for slot in self._slots:
            if self._waiting and slot.stage == "idle":
                slot.begin(self._waiting.popleft())

    def _listen(self, seconds: float) -> None:
        """Wait for replies, and handle those that have arrived."""
        wait_for([slot.worker for slot in self._slots if slot.worker is not None], seconds)
        for slot in self._slots:
            reply = None if slot.worker is None else slot.worker.reply()
            if reply is None:
                continue
            call, stage = slot.call, slot.stage
            if reply.error is None:
                slot.advance()
            else:  # a function that raised may have left the process in any state
                slot.empty()
                if stage in ("initialising", "preparing"):
                    if call is not None:
                        self._waiting.appendleft(call)
                    slot.count_failure(reply.error)
            if call is not None and stage == "running":
                self._done.append((call, reply))

    def _renew_grown(self) -> None:
        """Replace workers whose memory has grown, because an environment may leak memory in each episode."""
        grown = [slot for slot in self._slots if slot.stage == "idle" and slot.growth > _MAX_GROWTH]
        close_all([slot.worker for slot in grown if slot.worker is not None])
        for slot in grown:
            slot.empty()


class _Slot:
    """A slot of the pool: a worker, and what the worker is doing.

    Attributes:
        worker: the slot's worker; None if it must be started.
        stage: what the worker is doing; None without a worker.
        call: the call that the worker prepares or runs; None if there is no call.
    """

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.stage: Literal["initialising", "idle", "preparing", "running"] | None = None
        self.call: Call | None = None
        self._failures = 0.0
        self._first_memory: int | None = None

    @property
    def growth(self) -> int:
        """Bytes by which the worker's memory has grown since its first call."""
        return 0 if self.worker is None or self._first_memory is None else self.worker.memory - self._first_memory

    def take(self, worker: Worker, initialise: Step) -> None:
        """Put a new worker into the slot, and initialise it."""
        self.worker, self.stage, self._first_memory = worker, "initialising", None
        worker.begin(*initialise, _START_SECONDS)

    def begin(self, call: Call) -> None:
        """Make the worker prepare a call and then run it."""
        assert self.worker is not None
        self.call = call
        if call.prepare is None:
            self._run()
        else:
            self.stage = "preparing"
            self.worker.begin(*call.prepare, _START_SECONDS)

    def advance(self) -> None:
        """Go on to the next stage, after the worker has finished the current one."""
        assert self.worker is not None
        if self.stage == "preparing":
            self._run()
            return
        if self.stage == "running":
            self.call, self._failures = None, 0.0
            self._first_memory = self.worker.memory if self._first_memory is None else self._first_memory
        self.stage = "idle"

    def _run(self) -> None:
        assert self.worker is not None
        assert self.call is not None
        self.stage = "running"
        self.worker.begin(self.call.function, self.call.arguments, self.call.timeout)

    def empty(self) -> None:
        """Kill the worker, if there is one, and leave the slot empty; `WorkerPool.start` fills it."""
        if self.worker is not None:
            self.worker.kill()
        self.worker = self.stage = self.call = None

    def count_failure(self, error: CallFailed) -> None:
        """Count a failure of a worker to start or to prepare a call.

        Raises:
            WorkersUnavailable: several workers in a row failed in this slot.
        """
        if error.kind == "unguarded":
            raise WorkersUnavailable(f"worker processes cannot start: {error}")
        self._failures += _KILLED_TRY if error.killed else 1.0
        if self._failures >= _TRIES:
            reason = f"a worker was not ready after {_START_SECONDS:g} s" if error.kind == "timeout" else str(error)
            unavailable = WorkersUnavailable(f"worker processes cannot start (tried {_TRIES} times): {reason}")
            if error.kind == "raised" and error.traceback:
                unavailable.add_note(error.traceback.strip())
            raise unavailable


def _end(slots: Sequence[_Slot]) -> None:
    close_all([slot.worker for slot in slots if slot.worker is not None and slot.stage == "idle"])
    for slot in slots:
        slot.empty()
