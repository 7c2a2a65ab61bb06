"""Lets daemonic processes start child processes, which multiprocessing forbids."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator

_starting = threading.Lock()


@contextlib.contextmanager
def allow_child_processes() -> Iterator[None]:
    """Within it, this process may start children even if it is a daemon, as Dask's workers are; a thread at a time."""
    me = multiprocessing.current_process()
    with _starting:
        daemonic, me.daemon = me.daemon, False
        try:
            yield
        finally:
            me.daemon = daemonic
