"""How many processors this process may use, and the variables that limit linear algebra to one thread."""

from __future__ import annotations

import os

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that limit the threads of NumPy's linear algebra; NumPy reads them when it is imported.

Worker processes set them to 1: evonet's matrix products are small, and the bits of a sum that threads share depend on
the number of threads.
"""

_limit: int | None = None


def cores() -> int:
    """The number of processors that this process may use: those that the system grants, at most the set limit."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return granted if _limit is None else min(_limit, granted)


def limit_cores(limit: int) -> None:
    """Make `cores()` return at most `limit` from now on, because several processes share the machine's processors."""
    global _limit  # noqa: PLW0603 - a limit of the whole process
    _limit = limit
