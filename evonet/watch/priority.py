"""The priority of a spectator's process: it runs when nothing else wants the processor."""

from __future__ import annotations

import contextlib
import os
import sys

LOWEST = 19
"""The niceness of a process that runs when nothing else does, and for a hundredth of the time otherwise."""

_IDLE_PRIORITY_CLASS = 0x40  # of Windows


def lower_priority(niceness: int = LOWEST) -> None:
    """Lower the priority of this process, and of those that it starts, so that watching does not slow a run.

    A process starts at its usual priority first: beside a run that keeps all processors busy, the start alone would
    take a minute at the lowest.

    Args:
        niceness: from 1 to 19, the lowest priority, with which Linux uses idle processors only; where the system has
            no niceness, every value is the lowest.
    """
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "win32":
            import ctypes

            kernel = ctypes.windll.kernel32
            kernel.SetPriorityClass(kernel.GetCurrentProcess(), _IDLE_PRIORITY_CLASS)
        else:
            os.setpriority(os.PRIO_PROCESS, 0, niceness)
            if niceness == LOWEST:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
