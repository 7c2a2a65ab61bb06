"""The loop of a worker process, which makes calls until its parent ends."""

from __future__ import annotations

import contextlib
import faulthandler
import math
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from evonet.errors import EvonetError, EvonetWarning
from evonet.processes.cores import limit_cores

HAS_WATCHDOG = os.name == "posix"
"""Whether a worker ends itself when a call takes too long, and dumps its stack; otherwise its parent kills it."""

_PR_SET_PDEATHSIG = 1  # of Linux: prctl.h
_OOM_SCORE = "500"  # from -1000 to 1000: if memory runs out, the Linux kernel must kill a worker, not the run
_LONGEST_WATCH = 1e6  # seconds; the fault handler does not accept infinity


def serve(calls: Connection, dumps: Connection, parent: int, share: int) -> None:
    """Answer calls until the parent closes its end of the pipe.

    Args:
        calls: the pipe to the parent; for each time limit and pickled `(function, arguments)` that arrives, the worker
            sends `(returned, value, memory)`.
        dumps: the pipe to which Python's fault handler writes the stack of a crash or of a call that takes too long.
        parent: the parent's process id.
        share: number of processors that this process may use.
    """
    warnings.simplefilter("ignore", EvonetWarning)  # the parent shows it, in its own way
    _end_with(parent)
    _ignore_signals()
    limit_cores(share)
    if HAS_WATCHDOG:
        faulthandler.enable(dumps.fileno(), all_threads=False)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            reply = _answer(calls.recv(), calls.recv_bytes(), dumps)
            try:
                calls.send((*reply, resident_memory()))
            except (pickle.PicklingError, TypeError, AttributeError) as error:  # the value cannot be pickled
                calls.send((False, _described(error), resident_memory()))


def _answer(timeout: float, message: bytes, dumps: Connection) -> tuple[bool, Any]:
    """Make a call; returns whether the function returned, and its value or the error's message and traceback."""
    try:
        if HAS_WATCHDOG and timeout < math.inf:
            faulthandler.dump_traceback_later(min(timeout, _LONGEST_WATCH), exit=True, file=dumps.fileno())
        try:
            function, arguments = pickle.loads(message)  # noqa: S301 - the message comes from the parent; may import modules
            return True, function(*arguments)
        finally:
            faulthandler.cancel_dump_traceback_later()
    except BaseException as error:  # noqa: BLE001 - the parent must learn of any error
        return False, _described(error)


def _described(error: BaseException) -> tuple[str, str]:
    """The message and the traceback of an error; evonet's own errors need no traceback."""
    if isinstance(error, EvonetError):
        return str(error), ""
    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


def _end_with(parent: int) -> None:
    """End this process when the parent ends; on Linux even while this process hangs in C code."""
    threading.Thread(target=_end_after_parent, daemon=True).start()
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123 - no file
            score.write(_OOM_SCORE)
    if os.name == "posix" and os.getppid() != parent:  # the parent ended before the lines above
        os._exit(1)


def _end_after_parent() -> None:
    parent: Any = parent_process()
    wait([parent.sentinel])
    os._exit(1)


def _ignore_signals() -> None:
    """Ignore signals to the whole process group: the parent handles them, and this process ends with the parent."""
    numbers = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):  # the parent blocked these signals before this process began
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def resident_memory() -> int:
    """Bytes of resident memory of this process, or its peak; 0 if the system does not report it."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no file
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
