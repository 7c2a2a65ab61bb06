"""How many processors this process may use, and how linear algebra is kept to one of them."""

from __future__ import annotations

import os

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that say, before NumPy is imported, how many threads its linear algebra starts.

Worker processes set them to 1: evonet's matrix products are small, and the bits of a sum that threads share depend on
the number of threads.
"""

_limit: int | None = None


def cores() -> int:
    """Processors that this process may use: those that the system grants, or fewer if `limit_cores` says so."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return granted if _limit is None else min(_limit, granted)


def limit_cores(limit: int) -> None:
    """Let `cores()` return at most `limit` from now on: several processes share the machine's processors."""
    global _limit  # noqa: PLW0603 - a fact about the process
    _limit = limit
