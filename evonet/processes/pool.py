"""A pool of worker processes: calls are handed to idle workers, and a worker that is lost is replaced."""

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

_START_SECONDS = 120.0  # for an interpreter to start, and for a worker to get ready for a call
_LONGEST_WAIT = 60.0
_PAUSE_SECONDS = 0.5  # before another attempt to start a worker
_TRIES = 3
_KILLED_TRY = 0.1  # of a try, for a worker that was killed from outside: it is hardly to blame
_MOST_GROWTH = 256_000_000  # bytes of memory by which a worker may have grown before another takes its place

Step = tuple[Callable[..., object], Sequence[Any]]
"""A function and its arguments."""


@dataclass(frozen=True, eq=False)
class Call:
    """A call for a worker of a pool.

    Attributes:
        function: a function that a module names.
        arguments: of the function, which can be pickled.
        timeout: seconds that the call may take.
        prepare: what the worker does first, outside of the time limit; its failure is the worker's, not the call's.
    """

    function: Callable[..., Any]
    arguments: Sequence[Any]
    timeout: float = math.inf
    prepare: Step | None = None


class WorkerPool:
    """Worker processes of this machine; a context manager, which ends them.

    They start with the first call, or with `start`. When a pool without work gets a call, workers that have grown by
    hundreds of megabytes are renewed.

    Args:
        workers: number of processes.
        initialise: what each worker does before its first call.
        share: processors that each of them may use.
    """

    def __init__(self, workers: int, initialise: Step = (int, ()), share: int = 1) -> None:
        self._initialise = initialise
        self._share = share
        self._waiting: deque[Call] = deque()
        self._done: deque[tuple[Call, Reply]] = deque()
        self._seats = [_Seat() for _ in range(workers)]
        self._interrupted = False
        util.Finalize(self, _end, (self._seats,), exitpriority=20)

    @property
    def workers(self) -> int:
        """How many calls are made at once."""
        return len(self._seats)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the workers that there are."""
        return [seat.worker.process_id for seat in self._seats if seat.worker is not None]

    @property
    def ready(self) -> bool:
        """Whether all workers have started and are initialised.

        Raises:
            WorkersUnavailable: a worker could not start, several times.
        """
        self.start()
        self._listen(0.0)
        return all(seat.stage == "idle" for seat in self._seats)

    def start(self) -> None:
        """Start the workers that are missing, without waiting for them.

        Raises:
            WorkersUnavailable: the system cannot start them, tried several times.
        """
        for seat in self._seats:
            if seat.worker is None:
                try:
                    seat.take(Worker(self._share), self._initialise)
                except OSError as error:  # no memory, or too many processes
                    seat.count_failure(CallFailed("died", str(error)))
                    time.sleep(_PAUSE_SECONDS)

    def submit(self, call: Call) -> None:
        """Have a call made as soon as a worker is idle."""
        self._interrupted = False
        if not self._waiting and all(seat.call is None for seat in self._seats):
            self._renew_grown()
        self._waiting.append(call)

    def next_done(self) -> tuple[Call, Reply]:
        """Wait for the next call that is done or has failed, whichever it is.

        Raises:
            WorkersUnavailable: a worker could not start, or not get ready for a call, several times.
        """
        while not self._done:
            self.start()
            if self._interrupted and self._waiting:
                return self._waiting.popleft(), Reply(error=CallFailed("died", "the worker process was interrupted"))
            self._hand_out()
            self._listen(_LONGEST_WAIT)
        return self._done.popleft()

    def abandon(self) -> None:
        """Forget all calls; workers that are busy are killed."""
        self._waiting.clear()
        self._done.clear()
        for seat in self._seats:
            if seat.call is not None:
                seat.vacate()

    def interrupt(self) -> None:
        """Kill the workers, from another thread than the one that waits for calls: all calls fail as "died"."""
        self._interrupted = True
        for seat in self._seats:
            if (worker := seat.worker) is not None:
                worker.interrupt()

    def close(self) -> None:
        """End the workers: those that are idle end by themselves, the others are killed."""
        self._waiting.clear()
        _end(self._seats)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hand_out(self) -> None:
        for seat in self._seats:
            if self._waiting and seat.stage == "idle":
                seat.begin(self._waiting.popleft())

    def _listen(self, seconds: float) -> None:
        """Wait for replies, and take those that have come."""
        wait_for([seat.worker for seat in self._seats if seat.worker is not None], seconds)
        for seat in self._seats:
            reply = None if seat.worker is None else seat.worker.reply()
            if reply is None:
                continue
            call, stage = seat.call, seat.stage
            if reply.error is None:
                seat.advance()
            else:  # a function that raised may have left anything behind
                seat.vacate()
                if stage in ("initialising", "preparing"):
                    if call is not None:
                        self._waiting.appendleft(call)
                    seat.count_failure(reply.error)
            if call is not None and stage == "running":
                self._done.append((call, reply))

    def _renew_grown(self) -> None:
        """Replace workers that have grown: an environment may lose a little memory in each episode."""
        grown = [seat for seat in self._seats if seat.stage == "idle" and seat.growth > _MOST_GROWTH]
        close_all([seat.worker for seat in grown if seat.worker is not None])
        for seat in grown:
            seat.vacate()


class _Seat:
    """A place in the pool: the worker that holds it, and what that worker is doing.

    Attributes:
        worker: None if it is to be started.
        stage: what the worker is doing.
        call: the call that it prepares or runs.
    """

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.stage: Literal["initialising", "idle", "preparing", "running"] | None = None
        self.call: Call | None = None
        self._failures = 0.0
        self._first_memory: int | None = None

    @property
    def growth(self) -> int:
        """Bytes by which the worker has grown since its first call."""
        return 0 if self.worker is None or self._first_memory is None else self.worker.memory - self._first_memory

    def take(self, worker: Worker, initialise: Step) -> None:
        """Give the place to a new worker."""
        self.worker, self.stage, self._first_memory = worker, "initialising", None
        worker.begin(*initialise, _START_SECONDS)

    def begin(self, call: Call) -> None:
        """Have the worker prepare a call, and then make it."""
        assert self.worker is not None
        self.call = call
        if call.prepare is None:
            self._run()
        else:
            self.stage = "preparing"
            self.worker.begin(*call.prepare, _START_SECONDS)

    def advance(self) -> None:
        """Go on to the next stage: the worker is done with the present one."""
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

    def vacate(self) -> None:
        """Kill the worker, if it lives; another is to be started."""
        if self.worker is not None:
            self.worker.kill()
        self.worker = self.stage = self.call = None

    def count_failure(self, error: CallFailed) -> None:
        """Count a worker that could not start, or not get ready for a call.

        Raises:
            WorkersUnavailable: several workers in a row failed in this place.
        """
        self._failures += _KILLED_TRY if error.killed else 1.0
        if self._failures >= _TRIES:
            reason = f"a worker was not ready after {_START_SECONDS:g} s" if error.kind == "timeout" else str(error)
            unavailable = WorkersUnavailable(f"worker processes cannot start (tried {_TRIES} times): {reason}")
            if error.kind == "raised" and error.traceback:
                unavailable.add_note(error.traceback.strip())
            raise unavailable


def _end(seats: Sequence[_Seat]) -> None:
    close_all([seat.worker for seat in seats if seat.worker is not None and seat.stage == "idle"])
    for seat in seats:
        seat.vacate()
