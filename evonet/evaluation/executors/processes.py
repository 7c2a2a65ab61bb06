"""Worker processes of our own, each with a pipe of its own, watched by the process that started them.

Each is a fresh interpreter (spawn) with one engine that it keeps. A pipe and a process handle for each is all that
there is between parent and worker: no lock, no queue and no thread that a worker could take with it when it dies, and
whatever its end, exit code 0 included, it is seen at once. (Pebble, concurrent.futures and multiprocessing.Pool share
one pipe and its locks among all workers; a worker that is killed while it holds one, that dies idle, or that leaves by
`os._exit(0)` makes them wait for ever or give up.)
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import util
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from evonet.errors import WorkersUnavailable
from evonet.evaluation.executors import stacks
from evonet.evaluation.executors.chunks import Chunk, ChunkResult, Loss, LossKind
from evonet.evaluation.executors.worker import TELL_STACK, work
from evonet.evaluation.results import EpisodeResults
from evonet.machine import BLAS_THREADS
from evonet.processes.children import allow_child_processes

_START_SECONDS = 120.0  # for an interpreter to start, and for environments to be made
_CLOSE_SECONDS = 2.0  # for environments to be closed
_STACK_SECONDS = 0.5  # for a process that hangs to say where
_PAUSE_SECONDS = 0.5  # before another is started where none could be
_LONGEST_WAIT = 60.0
_TRIES = 3
_KILLED = 0.1  # of a try: a worker that is killed before it has begun is hardly to blame


class ProcessPool:
    """So many worker processes; one that is lost is replaced.

    Args:
        payload: what they run, of `pickled`.
        workers: number of processes.
    """

    def __init__(self, payload: bytes, workers: int) -> None:
        self._payload = payload
        self._waiting: deque[Chunk] = deque()
        self._seats: list[_Worker | None] = [None] * workers
        self._failures = [0.0] * workers
        self._interrupted = False
        util.Finalize(self, _end, (self._seats,), exitpriority=10)
        self._fill_seats()

    @property
    def workers(self) -> int:
        """How many chunks are run at once."""
        return len(self._seats)

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that there are."""
        return [worker.process_id for worker in self._seats if worker is not None]

    def ready(self) -> bool:
        """Whether all processes have started.

        Raises:
            WorkersUnavailable: one could not, several times.
        """
        self._fill_seats()
        self._listen(0.0)
        return all(worker is not None and worker.ready for worker in self._seats)

    def submit(self, chunk: Chunk) -> None:
        """Have a chunk run."""
        self._interrupted = False
        self._waiting.append(chunk)

    def next_done(self) -> ChunkResult:
        """Wait for the next chunk that ends, whichever it is.

        Raises:
            WorkersUnavailable: a worker could not start, several times.
        """
        while True:
            self._fill_seats()
            if self._interrupted and self._waiting:
                return ChunkResult(self._waiting.popleft(), loss=Loss("died", "the worker process was interrupted"))
            self._hand_out()
            if ended := self._listen(_LONGEST_WAIT):
                return ended

    def abandon(self) -> None:
        """Forget all chunks that have been submitted; who is at work on one is killed."""
        self._waiting.clear()
        for seat, worker in enumerate(self._seats):
            if worker is not None and worker.chunk is not None:
                worker.kill()
                self._seats[seat] = None

    def interrupt(self) -> None:
        """Kill the processes, from another thread than the one that waits for chunks.

        Those then end as lost, even one whose process has not begun with it, which would else be tried again.
        """
        self._interrupted = True
        for worker in self._seats:
            if worker is not None:
                worker.interrupt()

    def close(self) -> None:
        """End the processes: those that wait for work close their environments first."""
        self._waiting.clear()
        _end(self._seats)

    def _fill_seats(self) -> None:
        for seat, worker in enumerate(self._seats):
            if worker is None:
                try:
                    self._seats[seat] = _Worker(self._payload)
                except OSError as error:  # no memory, or too many processes
                    self._failed(seat, str(error))
                    time.sleep(_PAUSE_SECONDS)

    def _hand_out(self) -> None:
        for worker in self._seats:
            if worker is not None and worker.idle and self._waiting:
                worker.begin(self._waiting.popleft())

    def _listen(self, seconds: float) -> ChunkResult | None:
        """Hear what workers have to say, for so long at most; a chunk that ended, if one did."""
        workers = [(seat, worker) for seat, worker in enumerate(self._seats) if worker is not None]
        deadline = min((worker.deadline for _, worker in workers), default=0.0)
        seconds = max(0.0, min(seconds, deadline - time.monotonic()))
        wait([handle for _, worker in workers for handle in worker.handles], seconds)
        for seat, worker in workers:
            ended = worker.listen()
            if worker.gone:
                self._seats[seat] = None
            if worker.failure is not None:
                if worker.chunk is not None:
                    self._waiting.appendleft(worker.chunk)
                self._failed(seat, worker.failure, _KILLED if worker.killed else 1.0)
            if ended is not None:
                if ended.loss is None:
                    self._failures[seat] = 0.0
                return ended
        return None

    def _failed(self, seat: int, reason: str, tries: float = 1.0) -> None:
        """Count a worker that could not start or not go on.

        Raises:
            WorkersUnavailable: there were others in this seat before.
        """
        self._failures[seat] += tries
        if self._failures[seat] >= _TRIES:
            raise WorkersUnavailable(f"worker processes cannot start (tried {_TRIES} times): {reason}")


class _Worker:
    """A worker process as its parent sees it.

    Attributes:
        chunk: that it is at work on, if it is.
        ready: whether it has started.
        gone: whether it is no more.
        failure: why it could not start or not go on, if so.
        killed: whether somebody else ended it.
        deadline: until when it must be heard of, by the monotonic clock.
    """

    def __init__(self, payload: bytes) -> None:
        context = _SpawnContext()
        self._messages, messages = context.Pipe()
        self._stacks, stack_writer = context.Pipe(duplex=False)
        self._process: Any = context.Process(
            target=work, args=(payload, messages, stack_writer, os.getpid()), name="evonet worker", daemon=False
        )
        self.chunk: Chunk | None = None
        self.ready = self.gone = self.killed = self._begun = False
        self.failure: str | None = None
        self.deadline = time.monotonic() + _START_SECONDS
        self._results: list[EpisodeResults] = []
        self._seconds = 0.0
        try:
            with _interrupts_held_back():
                self._process.start()
        finally:
            messages.close()
            stack_writer.close()

    @property
    def process_id(self) -> int:
        pid: int = self._process.pid
        return pid

    @property
    def handles(self) -> Sequence[Connection | int]:
        """What becomes readable when there is something to hear."""
        return self._messages, self._process.sentinel

    @property
    def idle(self) -> bool:
        """Whether it waits for work."""
        return self.ready and self.chunk is None

    def begin(self, chunk: Chunk) -> None:
        """Set to work on a chunk."""
        self.chunk, self._begun, self._results, self._seconds = chunk, False, [], 0.0
        self.deadline = time.monotonic() + _START_SECONDS
        with contextlib.suppress(OSError):  # it has died, as `listen` will find
            self._messages.send(chunk)

    def listen(self) -> ChunkResult | None:
        """Take what has come; the chunk that ended thereby, if one did."""
        alive = self._process.is_alive()  # asked first: what it said before its death can still be heard
        try:
            while self._messages.poll():
                if ended := self._hear(*self._messages.recv()):
                    return ended
                if self.failure is not None:
                    return None
        except (EOFError, OSError):
            alive = False
        if not alive:
            return self._died()
        return self._late() if time.monotonic() >= self.deadline else None

    def _hear(self, kind: str, what: Any) -> ChunkResult | None:
        if kind == "ready":
            self.ready, self.deadline = True, math.inf
        elif kind == "failed":
            self.failure = what
            self.kill()
        else:
            assert self.chunk is not None
            self.deadline = time.monotonic() + self.chunk.limit
            if kind == "begun":
                self._begun = True
            else:
                results, seconds, engine_name = what
                self._results.append(results)
                self._seconds += seconds
                if not self.chunk.singly or len(self._results) == len(self.chunk):
                    return self._ended(None, engine_name)
        return None

    def _died(self) -> ChunkResult | None:
        self._process.join(_CLOSE_SECONDS)
        code: int | None = self._process.exitcode
        self.killed = code == -getattr(signal, "SIGKILL", 0)
        how = "does not answer" if code is None else f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was killed by {_signal_name(-code)}"
        return self._lost("died", f"the worker process {how}", self._stack(0.0))

    def _late(self) -> ChunkResult | None:
        if not self._begun or self.chunk is None:
            return self._lost("timeout", f"an environment could not be made in {_START_SECONDS:g} s", "")
        with contextlib.suppress(OSError):
            if TELL_STACK is not None:
                os.kill(self.process_id, TELL_STACK)
        stack = self._stack(_STACK_SECONDS)
        return self._lost("timeout", f"the episode took longer than {self.chunk.limit:g} s", stack)

    def _lost(self, kind: LossKind, message: str, stack: str) -> ChunkResult | None:
        self.kill()
        if self.chunk is not None and self._begun:
            return self._ended(Loss(kind, message, stack and f"{stack}{message}\n"))
        if self.chunk is not None or not self.ready:  # nobody's episode is to blame
            self.failure = message
        return None

    def _ended(self, loss: Loss | None, engine_name: str = "") -> ChunkResult:
        assert self.chunk is not None
        ended = ChunkResult(self.chunk, self._results, self._seconds, engine_name, loss)
        self.chunk, self.deadline = None, math.inf
        return ended

    def _stack(self, seconds: float) -> str:
        """Where the process was, if it wrote that down within so many seconds."""
        written = b""
        with contextlib.suppress(EOFError, OSError):
            while os.name == "posix" and self._stacks.poll(0.05 if written else seconds):
                piece = os.read(self._stacks.fileno(), 1 << 16)
                if not piece:
                    break
                written += piece
        return stacks.told(written.decode(errors="replace"))

    def dismiss(self) -> None:
        """Let it go: an idle one closes its environments and ends by itself."""
        if not self.gone:
            if not self.idle:
                self._process.kill()
            self._messages.close()

    def kill(self) -> None:
        """End it, whatever it is doing."""
        if not self.gone:
            self.gone = True
            self._process.kill()
            self._process.join(_CLOSE_SECONDS)
            self._messages.close()
            self._stacks.close()
            if self._process.exitcode is not None:
                self._process.close()

    def interrupt(self) -> None:
        """Have it end, and whoever listens to it find that out."""
        with contextlib.suppress(ValueError, AttributeError):  # it is gone already
            self._process.kill()

    def wait(self, seconds: float) -> None:
        """Give it so long to end."""
        if not self.gone:
            self._process.join(max(seconds, 0.0))


def _end(seats: list[_Worker | None]) -> None:
    """End the workers in all seats."""
    workers = [worker for worker in seats if worker is not None]
    seats[:] = [None] * len(seats)
    for worker in workers:
        worker.dismiss()
    deadline = time.monotonic() + _CLOSE_SECONDS
    for worker in workers:
        worker.wait(deadline - time.monotonic())
        worker.kill()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A process that is born meanwhile holds Ctrl-C back until it knows what to make of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _SpawnProcess(SpawnProcess):
    """A process whose linear algebra uses one thread: the parallelism is that there are several processes."""

    def start(self) -> None:
        with allow_child_processes():
            before = {name: os.environ.get(name) for name in BLAS_THREADS}
            os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
            try:
                super().start()
            finally:
                for name, value in before.items():
                    if value is None:
                        del os.environ[name]
                    else:
                        os.environ[name] = value


class _SpawnContext(SpawnContext):
    Process = _SpawnProcess
