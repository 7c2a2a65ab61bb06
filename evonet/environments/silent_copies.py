"""Copies of an environment are made silently: the first one has printed its warnings, and sixteen would print the same.

Warnings of C code, such as MuJoCo's, go to the descriptors of standard output and standard error, not through Python.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

State = Literal["no environment", "silent copies", "own processes"]
"""Whether an environment was made, and if so, whether it starts processes, whose output would be lost with its own."""

_CHILDREN = Path("/proc/thread-self/children")  # of Linux
_lock = threading.RLock()  # descriptors belong to the whole process
_state: State = "no environment"


def state() -> State:
    """The state of this process, for `take_over` in a worker process."""
    return _state


def take_over(parent: State) -> None:
    """Continue with the state of the parent process."""
    global _state  # noqa: PLW0603 - descriptors are global, too
    _state = parent


@contextlib.contextmanager
def made_silently() -> Iterator[None]:
    """A context in which an environment is made; what a copy prints is dropped unless it cannot be made."""
    with _lock:
        if _state == "no environment":
            before = _children()
            yield
            take_over("silent copies" if _children() == before else "own processes")
        elif _state == "own processes":
            yield
        else:
            with contextlib.ExitStack() as stack:
                try:
                    for descriptor in (1, 2):
                        stack.enter_context(_dropped(descriptor))
                except OSError:  # the process has no standard output or no standard error
                    stack.close()
                yield


@contextlib.contextmanager
def _dropped(descriptor: int) -> Iterator[None]:
    """A context whose output is dropped; it is passed on if the context ends with an error."""
    _flush()
    before = os.dup(descriptor)
    held = _temporary()
    try:
        os.dup2(held, descriptor)
        failed = True
        try:
            yield
            failed = False
        finally:
            _flush()
            os.dup2(before, descriptor)
            if failed:
                os.lseek(held, 0, os.SEEK_SET)
                while block := os.read(held, 1 << 16):
                    os.write(descriptor, block)
    finally:
        os.close(before)
        os.close(held)


def _temporary() -> int:
    """The descriptor of a file that nobody else sees."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("dropped")
    import tempfile  # a cold start on Linux does without it

    descriptor, path = tempfile.mkstemp()
    with contextlib.suppress(OSError):  # Windows removes no open file
        os.unlink(path)  # noqa: PTH108 - no path of the user
    return descriptor


def _flush() -> None:
    """Write what Python and C have buffered."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    ctypes = sys.modules.get("ctypes")  # packages that print from C import it
    if ctypes is not None and os.name == "posix":
        ctypes.CDLL(None).fflush(None)


def _children() -> bytes:
    """The ids of the processes that this thread has started; none where the system does not tell."""
    try:
        return _CHILDREN.read_bytes()
    except OSError:
        return b""
