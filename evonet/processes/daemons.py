"""Lets daemonic processes start child processes, which multiprocessing forbids."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator

_starting = threading.Lock()


@contextlib.contextmanager
def allow_child_processes() -> Iterator[None]:
    """A context in which a daemonic process, such as a Dask worker, may start children; one thread at a time enters."""
    me = multiprocessing.current_process()
    with _starting:
        daemonic, me.daemon = me.daemon, False
        try:
            yield
        finally:
            me.daemon = daemonic
