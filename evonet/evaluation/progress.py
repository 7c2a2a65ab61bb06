"""How much of the running evaluation is done, for programs that show it; nothing depends on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Progress:
    """Episodes of the evaluation that runs in this process, here or in its workers.

    Attributes:
        done: episodes that are done.
        total: episodes of the evaluation.
    """

    done: int = 0
    total: int = 0


PROGRESS = Progress()
"""The progress of this process; of several evaluations at once, in threads, it is that of the last one."""
