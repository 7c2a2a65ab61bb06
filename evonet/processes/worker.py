"""The parent's side of a worker process, which makes one call after another.

Each worker is a fresh interpreter (spawn), connected to its parent by a pipe and a process handle only. No lock, queue
or thread is shared, so a worker that dies blocks nobody, and the parent notices at once that the process has ended,
even with exit code 0. (`concurrent.futures`, `multiprocessing.Pool`, Pebble and loky share one pipe and its locks among
all workers. In trials, they waited for ever or gave up after a worker was killed while it held a lock, died while idle,
or called `os._exit(0)`.)

This module does not import NumPy, so that a worker's environment variables can limit how many threads NumPy starts.
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
from multiprocessing import current_process, get_context, util
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
_MAX_HANDLES = 60 if sys.platform == "win32" else sys.maxsize  # handles that the system can wait for at once
_NAME = "evonet worker"
_UNGUARDED = 86  # exit code of a worker in whose import of the main script workers are started
_GUARD = (
    "each worker process imports this script first, and the script starts workers again; "
    'put what it does below the line: if __name__ == "__main__":'
)
_BATCH_SECONDS = 0.05  # for each batch of handles, if there are more handles


class CallFailed(EvonetError):
    """A call that failed in a worker process.

    Attributes:
        kind: "raised" if the function raised, "died" if the process ended first, "timeout" if the call took too long,
            "unguarded" if the process ended because the script that it imports starts workers itself.
        traceback: the traceback, as Python prints it; "" if it is unknown.
        killed: whether the process was killed by SIGKILL, which another process may have sent.
    """

    def __init__(
        self,
        kind: Literal["raised", "died", "timeout", "unguarded"],
        message: str,
        traceback: str = "",
        *,
        killed: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.traceback = traceback
        self.killed = killed


@dataclass(frozen=True, eq=False)
class Reply:
    """The outcome of a call.

    Attributes:
        value: the function's return value; None if the call failed.
        error: the reason why the call failed; None if it returned.
    """

    value: Any = None
    error: CallFailed | None = None

    def result(self) -> Any:
        """The function's return value.

        Raises:
            CallFailed: the call failed.
        """
        if self.error is not None:
            raise self.error
        return self.value


class Worker:
    """A worker process; it starts when the object is made, and ends with this process at the latest.

    Args:
        share: number of processors that the worker may use; `cores()` returns it in the worker.

    Attributes:
        memory: bytes of resident memory that the worker had after its last call; 0 if the system does not tell.
        gone: whether the process has ended.

    Raises:
        OSError: the system cannot start another process.
    """

    def __init__(self, share: int = 1) -> None:
        end_if_main_is_imported()
        context = get_context("spawn")
        self.memory = 0
        self.gone = False
        self._limit = self._deadline = math.inf
        self._allowance = _START_SECONDS  # in the first call, which waits for the interpreter to start
        self._pipe, pipe = context.Pipe()
        self._dumps, dumps = context.Pipe(duplex=False)
        self._process: Any = context.Process(
            target=serve, args=(pipe, dumps, os.getpid(), share), name=_NAME, daemon=False
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
            function: a module's function, so that it can be pickled.
            arguments: arguments of the function, which must be picklable.
            timeout: seconds that the call may take.

        Raises:
            CallFailed: the function raised, the process died, or the call took too long; the worker is then useless.
        """
        self.begin(function, arguments, timeout)
        while (reply := self.reply()) is None:
            wait_for([self])
        return reply.result()

    def begin(self, function: Callable[..., Any], arguments: Sequence[Any] = (), timeout: float = math.inf) -> None:
        """Begin a call, and do not wait for its reply, which `reply` returns; no other call may be running."""
        message = ForkingPickler.dumps((function, tuple(arguments)))
        self._limit, self._deadline = timeout, time.monotonic() + timeout + _GRACE_SECONDS + self._allowance
        self._allowance = 0.0
        with contextlib.suppress(OSError):  # the process has died, which `reply` reports
            self._pipe.send(timeout)
            self._pipe.send_bytes(message)

    def reply(self) -> Reply | None:
        """The reply to the running call; None if it has not arrived. A worker that dies while idle replies, too."""
        alive = self._process.is_alive()  # checked first, because a reply sent before the death can still be read
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
        """The reason why the process has ended; `late` if it is beyond its deadline, and is killed here."""
        if not late:
            self._process.join(_CLOSE_SECONDS)
        code: int | None = self._process.exitcode
        dump, limit = self._dump(), self._limit
        self.kill()
        if late or dump.startswith(TIMEOUT):
            return CallFailed("timeout", f"the call took longer than {limit:g} s", stack_of_call(dump))
        if code == _UNGUARDED:
            return CallFailed("unguarded", _GUARD)
        killed = code == -getattr(signal, "SIGKILL", 0)
        return CallFailed("died", f"the worker process {_description_of_end(code)}", stack_of_call(dump), killed=killed)

    def _dump(self) -> str:
        """The output of Python's fault handler in the process."""
        written = b""
        with contextlib.suppress(EOFError, OSError):
            while HAS_WATCHDOG and self._dumps.poll():
                piece = os.read(self._dumps.fileno(), 1 << 16)
                if not piece:
                    break
                written += piece
        return written.decode(errors="replace")

    def interrupt(self) -> None:
        """Kill the process, from any thread; the running call fails."""
        with contextlib.suppress(ValueError, AttributeError):  # the process has ended already
            self._process.kill()

    def kill(self) -> None:
        """Kill the process, busy or idle, and release its handles."""
        if not self.gone:
            self.gone = True
            self._process.kill()
            self._process.join(_CLOSE_SECONDS)
            self._pipe.close()
            self._dumps.close()
            if self._process.exitcode is not None:
                self._process.close()

    def close(self) -> None:
        """End the idle process: close its pipe, and kill it if it has not ended after two seconds."""
        close_all([self])

    @property
    def _handles(self) -> tuple[Connection, int]:
        return self._pipe, self._process.sentinel


def close_all(workers: Sequence[Worker]) -> None:
    """Close idle workers, and wait for all of them at the same time."""
    workers = [worker for worker in workers if not worker.gone]
    for worker in workers:
        worker._pipe.close()
    deadline = time.monotonic() + _CLOSE_SECONDS
    for worker in workers:
        worker._process.join(max(deadline - time.monotonic(), 0.0))
        worker.kill()


def end_if_main_is_imported() -> None:
    """End this process if it is a worker that still imports its parent's script, which would start workers for ever.

    A new interpreter imports the script of its parent first. A script without a main guard then runs from its start.
    """
    process = current_process()
    if process.name == _NAME and getattr(process, "_inheriting", False):
        os._exit(_UNGUARDED)


def _end(pipe: Connection, process: Any) -> None:
    """End the process of a worker that was garbage-collected, or was not closed before the program ends."""
    pipe.close()
    with contextlib.suppress(ValueError):  # the process has ended
        process.join(_CLOSE_SECONDS)
        process.kill()


def wait_for(workers: Sequence[Worker], seconds: float = _LONGEST_WAIT) -> None:
    """Wait until a worker may have a reply, but at most for `seconds`."""
    if not workers:
        return
    now = time.monotonic()
    end = min([now + seconds, *(worker._deadline for worker in workers)])
    handles = [handle for worker in workers for handle in worker._handles]
    if len(handles) <= _MAX_HANDLES:
        wait(handles, max(end - now, 0.0))
        return
    batches = [handles[i : i + _MAX_HANDLES] for i in range(0, len(handles), _MAX_HANDLES)]
    while not any(wait(batch, _BATCH_SECONDS / len(batches)) for batch in batches) and time.monotonic() < end:
        pass


def _description_of_end(exit_code: int | None) -> str:
    if exit_code is None:
        return "does not answer"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"was killed by signal {-exit_code}"


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """A context in which new processes use one thread for linear algebra, because there is a process for each core."""
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
    """A context in which new processes get SIGINT, SIGTERM and SIGHUP only when they have begun to ignore them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
