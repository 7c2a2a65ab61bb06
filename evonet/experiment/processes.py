"""Whole runs in processes of their own, several at once.

Each process is a fresh interpreter (spawn), imports evonet once, and serves one call after another over a pipe that it
shares with nobody: one that dies, whichever way, takes the call it was busy with and nothing else.

This module imports no NumPy, so that a process can say how many threads linear algebra gets before it is loaded.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self

from evonet.errors import EvonetError
from evonet.machine import BLAS_THREADS
from evonet.processes.children import allow_child_processes
from evonet.processes.cores import cores, limit_cores

_CLOSE_SECONDS = 5.0  # for a process that has nothing to do, to end


class ProcessDied(EvonetError):
    """A process that ended before its call did."""


class Processes:
    """Processes on this machine that share its processors; an executor, and a context manager.

    They start when there is something to do. Leaving the context by an exception ends what is running.

    Args:
        number: of calls at once.
    """

    def __init__(self, number: int) -> None:
        self._share = max(1, cores() // number)
        self._threads = ThreadPoolExecutor(number, initializer=_hold_interrupts_back)  # each minds a process
        self._minded = threading.local()
        self._started: list[Process] = []
        self._starting = threading.Lock()
        self._stopped = False

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Have `function(*arguments)` called as soon as a process is free; both must pickle, and so must the result.

        The future raises ProcessDied if the process ends meanwhile, and RuntimeError if the function raises.
        """
        return self._threads.submit(self._call, function, arguments)

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        process: Process | None = getattr(self._minded, "process", None)
        if process is None:
            with self._starting:
                if self._stopped:
                    raise ProcessDied("the study was stopped")
                process = self._minded.process = Process(self._share)
                self._started.append(process)
        try:
            return process.call(function, arguments)
        except ProcessDied:
            self._minded.process = None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=kind is None, cancel_futures=True)
        with self._starting:
            self._stopped = True
        if kind is not None:
            for process in self._started:
                process.interrupt()
        self._threads.shutdown()
        for process in self._started:
            process.close()


class Process:
    """A process that makes calls, and the pipe to it.

    Args:
        share: how many processors it may use.
    """

    def __init__(self, share: int) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, share), name="evonet run", daemon=False)
        try:
            with allow_child_processes():
                self._process.start()
        finally:
            theirs.close()

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What `function(*arguments)` returns there.

        Raises:
            ProcessDied: the process ended first.
            RuntimeError: the function raised.
        """
        try:
            self._pipe.send((function, arguments))
            done, result = self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            self._process.join()
            raise ProcessDied(f"its process {_fate(self._process.exitcode or 0)}") from error
        if not done:
            raise RuntimeError(result)
        return result

    def interrupt(self) -> None:
        """Kill it, whatever it is doing."""
        self._process.kill()

    def close(self) -> None:
        """Let it end by itself, for it has nothing to do."""
        self._pipe.close()
        self._process.join(_CLOSE_SECONDS)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()


def _serve(pipe: Connection, share: int) -> None:
    """The life of a process: answer calls for as long as the parent is there."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent's to answer, with whom this process ends
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
    limit_cores(share)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            function, arguments = pipe.recv()
            try:
                reply = (True, function(*arguments))
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent must know
                reply = (False, f"{type(error).__name__}: {error}")
            pipe.send(reply)


def _end_with_the_parent() -> None:
    parent: Any = parent_process()
    wait([parent.sentinel])
    os._exit(1)


def _hold_interrupts_back() -> None:
    """A process that this thread starts holds Ctrl-C back until it ignores it."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _fate(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"was killed by signal {-exit_code}"
