"""A command started with a mark in its environment, by which it and all its descendants are found (Linux)."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Self

_MARK = "EVONET_RELIABILITY_MARK"


class Marked:
    """`evonet` with these arguments, in a session of its own; a context manager, which ends all its processes."""

    def __init__(self, *arguments: object) -> None:
        self._mark = f"{_MARK}={uuid.uuid4().hex}"
        name, value = self._mark.split("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evonet", *map(str, arguments)],
            env={**os.environ, name: value},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.communicate()

    def living(self) -> list[int]:
        """Process ids of it and all its descendants."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._owns(entry)]

    def _owns(self, entry: Path) -> bool:
        try:
            ended = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            return not ended and self._mark.encode() in (entry / "environ").read_bytes()
        except OSError:
            return False

    def descendants(self) -> list[int]:
        """Process ids of all that descend from it."""
        return [process for process in self.living() if process != self.process.pid]

    def left_after(self, seconds: float) -> list[int]:
        """Process ids of those that live on so long."""
        deadline = time.monotonic() + seconds
        while (living := self.living()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return living


def is_worker(process: int) -> bool:
    """Whether a process runs episodes; the one that only keeps account of shared resources does not."""
    try:
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def memory(process: int) -> int:
    """Bytes of a process's memory that are in use; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def descriptors(process: int) -> int:
    """How many descriptors a process has open; 0 if it has ended."""
    try:
        return len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return 0
