"""What environments print while they are made, each line once: sixteen copies of an environment warn as one does.

Warnings of C code, such as MuJoCo's, go to the descriptors of standard output and standard error, not through Python.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Collection, Iterator

_printed: set[bytes] = set()
_lock = threading.RLock()  # descriptors belong to the whole process


def printed() -> frozenset[bytes]:
    """The lines that environments of this process have printed, for `hide` in a worker process."""
    return frozenset(_printed)


def hide(lines: Collection[bytes]) -> None:
    """Take `lines` as printed, because the parent process has shown them."""
    _printed.update(lines)


@contextlib.contextmanager
def each_line_once() -> Iterator[None]:
    """A context whose output is passed on at its end, without the lines that an earlier one has passed on."""
    with _lock, contextlib.ExitStack() as stack:
        try:
            for descriptor in (1, 2):
                stack.enter_context(_filtered(descriptor))
        except OSError:  # the process has no standard output or no standard error
            stack.close()
        yield


@contextlib.contextmanager
def _filtered(descriptor: int) -> Iterator[None]:
    _flush()
    terminal = os.dup(descriptor)
    try:
        held = _temporary()
        try:
            os.dup2(held, descriptor)
            try:
                yield
            finally:
                _flush()
                os.dup2(terminal, descriptor)
                _pass_on(held, descriptor)
        finally:
            os.close(held)
    finally:
        os.close(terminal)


def _temporary() -> int:
    """The descriptor of a file that nobody else sees."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("printed")
    import tempfile  # a cold start on Linux does without it

    descriptor, path = tempfile.mkstemp()
    with contextlib.suppress(OSError):  # Windows removes no open file
        os.unlink(path)  # noqa: PTH108 - no path of the user
    return descriptor


def _pass_on(held: int, descriptor: int) -> None:
    size = os.lseek(held, 0, os.SEEK_END)
    if not size:
        return
    os.lseek(held, 0, os.SEEK_SET)
    for line in os.read(held, size).splitlines(keepends=True):
        text = line.strip()
        if text and text not in _printed:
            _printed.add(text)
            with contextlib.suppress(OSError):
                os.write(descriptor, line)


def _flush() -> None:
    """Write what Python and C have buffered."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    ctypes = sys.modules.get("ctypes")  # packages that print from C import it
    if ctypes is not None and os.name == "posix":
        ctypes.CDLL(None).fflush(None)
