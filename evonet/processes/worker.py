"""A worker process, which makes one call after another, as its parent sees it.

Each is a fresh interpreter (spawn). A pipe and a process handle are all that there is between it and its parent: there
is no lock, queue or thread that it could take along when it dies, and the parent sees its end at once, whatever it is,
exit code 0 included. (`concurrent.futures`, `multiprocessing.Pool`, Pebble and loky share one pipe and its locks among
all workers; a worker that is killed while it holds one, that dies idle, or that leaves by `os._exit(0)` makes them wait
for ever or give up: tried.)

Nothing here imports NumPy, so that a worker's environment can say how many threads NumPy may start.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, util
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any, Literal

from evonet.errors import EvonetError
from evonet.processes.cores import BLAS_THREADS
from evonet.processes.crash_stacks import TIMEOUT, stack_of_call
from evonet.processes.daemons import allow_child_processes
from evonet.processes.worker_loop import HAS_WATCHDOG, serve

_CLOSE_SECONDS = 2.0  # for an idle worker to end by itself
_START_SECONDS = 120.0  # for an interpreter to start
_GRACE_SECONDS = 5.0 if HAS_WATCHDOG else 0.0  # beyond the time limit, for the worker's own watchdog to end it
_LONGEST_WAIT = 60.0
_MOST_HANDLES = 60 if sys.platform == "win32" else sys.maxsize  # that the system can wait for at once
_TURN_SECONDS = 0.05  # for each batch of handles, where there are more


class CallFailed(EvonetError):
    """A call that a worker process could not make.

    Attributes:
        kind: "raised" if the function did, "died" if the process ended first, "timeout" if the call took too long.
        traceback: where, as Python prints it; "" if that is unknown.
        killed: whether the process was killed by SIGKILL, which somebody outside of it may have sent.
    """

    def __init__(
        self, kind: Literal["raised", "died", "timeout"], message: str, traceback: str = "", *, killed: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.traceback = traceback
        self.killed = killed


@dataclass(frozen=True, eq=False)
class Reply:
    """What became of a call.

    Attributes:
        value: what the function returned.
        error: why there is no value; None if there is one.
    """

    value: Any = None
    error: CallFailed | None = None

    def result(self) -> Any:
        """The value.

        Raises:
            CallFailed: there is none.
        """
        if self.error is not None:
            raise self.error
        return self.value


class Worker:
    """A worker process; it starts at once, and ends at the latest with this process.

    Args:
        share: number of processors that the worker may use, as its `cores()` returns it.

    Attributes:
        memory: bytes of resident memory that the worker had after its last call; 0 if the system does not tell.
        gone: whether the process has ended.

    Raises:
        OSError: the system cannot start another process.
    """

    def __init__(self, share: int = 1) -> None:
        context = get_context("spawn")
        self.memory = 0
        self.gone = False
        self._limit = self._deadline = math.inf
        self._allowance = _START_SECONDS  # in the first call, which waits for the interpreter to start
        self._pipe, pipe = context.Pipe()
        self._dumps, dumps = context.Pipe(duplex=False)
        self._process: Any = context.Process(
            target=serve, args=(pipe, dumps, os.getpid(), share), name="evonet worker", daemon=False
        )
        try:
            with allow_child_processes(), _single_threaded(), _signals_blocked():
                self._process.start()
        except BaseException:
            self._pipe.close()
            self._dumps.close()
            raise
        finally:
            pipe.close()
            dumps.close()
        util.Finalize(self, _end, (self._pipe, self._process), exitpriority=10)

    @property
    def process_id(self) -> int:
        """The id of the process."""
        pid: int = self._process.pid
        return pid

    def call(self, function: Callable[..., Any], arguments: Sequence[Any] = (), timeout: float = math.inf) -> Any:
        """Call `function(*arguments)` in the process, and return what it returns.

        Args:
            function: a function that a module names.
            arguments: arguments of the function, which must be picklable.
            timeout: seconds that the call may take.

        Raises:
            CallFailed: the function raised, the process died, or the call took too long; the process then is useless.
        """
        self.begin(function, arguments, timeout)
        while (reply := self.reply()) is None:
            wait_for([self])
        return reply.result()

    def begin(self, function: Callable[..., Any], arguments: Sequence[Any] = (), timeout: float = math.inf) -> None:
        """Begin a call, whose reply `reply` returns; no other call may be under way."""
        message = ForkingPickler.dumps((function, tuple(arguments)))
        self._limit, self._deadline = timeout, time.monotonic() + timeout + _GRACE_SECONDS + self._allowance
        self._allowance = 0.0
        with contextlib.suppress(OSError):  # the process has died, as `reply` will find
            self._pipe.send(timeout)
            self._pipe.send_bytes(message)

    def reply(self) -> Reply | None:
        """The reply to the call under way; None if it has not come. A worker that dies without a call replies too."""
        alive = self._process.is_alive()  # asked first: what the worker sent before its death can still be read
        try:
            if self._pipe.poll():
                returned, value, self.memory = self._pipe.recv()
                self._limit = self._deadline = math.inf
                return Reply(value) if returned else Reply(error=CallFailed("raised", *value))
        except (EOFError, OSError):
            alive = False
        if alive and time.monotonic() < self._deadline:
            return None
        return Reply(error=self._failure(late=alive))

    def _failure(self, *, late: bool) -> CallFailed:
        """Why the process has ended, or is ended here, for it has been `late` to end by itself."""
        if not late:
            self._process.join(_CLOSE_SECONDS)
        code: int | None = self._process.exitcode
        dump, limit = self._dump(), self._limit
        self.kill()
        if late or dump.startswith(TIMEOUT):
            return CallFailed("timeout", f"the call took longer than {limit:g} s", stack_of_call(dump))
        killed = code == -getattr(signal, "SIGKILL", 0)
        return CallFailed("died", f"the worker process {_fate(code)}", stack_of_call(dump), killed=killed)

    def _dump(self) -> str:
        """What Python's fault handler wrote in the process."""
        written = b""
        with contextlib.suppress(EOFError, OSError):
            while HAS_WATCHDOG and self._dumps.poll():
                piece = os.read(self._dumps.fileno(), 1 << 16)
                if not piece:
                    break
                written += piece
        return written.decode(errors="replace")

    def interrupt(self) -> None:
        """Kill the process, from any thread; the call under way fails."""
        with contextlib.suppress(ValueError, AttributeError):  # it is gone already
            self._process.kill()

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        if not self.gone:
            self.gone = True
            self._process.kill()
            self._process.join(_CLOSE_SECONDS)
            self._pipe.close()
            self._dumps.close()
            if self._process.exitcode is not None:
                self._process.close()

    def close(self) -> None:
        """Have the process end by itself, for it is idle; if it does not within two seconds, kill it."""
        close_all([self])

    @property
    def _handles(self) -> tuple[Connection, int]:
        return self._pipe, self._process.sentinel


def close_all(workers: Sequence[Worker]) -> None:
    """Close workers, all at the same time."""
    workers = [worker for worker in workers if not worker.gone]
    for worker in workers:
        worker._pipe.close()
    deadline = time.monotonic() + _CLOSE_SECONDS
    for worker in workers:
        worker._process.join(max(deadline - time.monotonic(), 0.0))
        worker.kill()


def _end(pipe: Connection, process: Any) -> None:
    """End the idle process of a worker that is garbage, or that its program has not closed."""
    pipe.close()
    with contextlib.suppress(ValueError):  # the process has ended
        process.join(_CLOSE_SECONDS)
        process.kill()


def wait_for(workers: Sequence[Worker], seconds: float = _LONGEST_WAIT) -> None:
    """Wait until a worker may have something to reply, or for so many seconds."""
    if not workers:
        return
    now = time.monotonic()
    end = min([now + seconds, *(worker._deadline for worker in workers)])
    handles = [handle for worker in workers for handle in worker._handles]
    if len(handles) <= _MOST_HANDLES:
        wait(handles, max(end - now, 0.0))
        return
    batches = [handles[i : i + _MOST_HANDLES] for i in range(0, len(handles), _MOST_HANDLES)]
    while not any(wait(batch, _TURN_SECONDS / len(batches)) for batch in batches) and time.monotonic() < end:
        pass


def _fate(exit_code: int | None) -> str:
    if exit_code is None:
        return "does not answer"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"was killed by signal {-exit_code}"


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started within it have linear algebra in one thread: there is one process for each core."""
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Processes started within it receive SIGINT, SIGTERM and SIGHUP only once they ignore them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
