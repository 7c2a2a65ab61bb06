"""How many processors this process may use."""

from __future__ import annotations

import os

_limit: int | None = None


def cores() -> int:
    """Processors that this process may use: those that the system grants, or fewer if `limit_cores` says so."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return granted if _limit is None else min(_limit, granted)


def limit_cores(limit: int) -> None:
    """Let `cores()` return at most `limit` from now on: several processes share the machine's processors."""
    global _limit  # noqa: PLW0603 - a fact about the process
    _limit = limit
