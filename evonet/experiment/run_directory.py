"""A run's files: what each is called, and how it is written so that nothing is lost."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from evonet.champion import Champion
from evonet.errors import ConfigError, RunDirectoryError, RunInUse
from evonet.experiment.journal import Journal, Mark
from evonet.machine import fix_names, is_temporary, lock, write_whole

CONFIG = "config.yaml"
SUMMARY = "run.json"
CHAMPION = "champion.npz"
CHECKPOINTS = "checkpoints"
LOCK = ".lock"
JOURNALS = ("metrics", "timing", "faults", "lineage", "genomes")
_LONGEST_NAME = 200  # bytes; file systems take 255, and time and seed follow


def journal_name(name: str) -> str:
    """The file of a journal, one JSON document in each line."""
    return f"{name}.jsonl"


class RunDirectory:
    """The directory of a run that is being written, by this process and no other.

    Args:
        path: where; made if it is not there.
        resumed: whether it holds a run already, to be taken up by `go_on`.

    Raises:
        ConfigError: it holds a run, or should hold one and does not.
        RunInUse: another process is writing it.
        RunDirectoryError: it cannot be written.
    """

    def __init__(self, path: Path, *, resumed: bool = False) -> None:
        self.path = path
        self._journals: dict[str, Journal] = {}
        self._lock = -1
        try:
            self._check(resumed=resumed)
            path.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._check(resumed=resumed)  # somebody else may have begun one meanwhile
            if not resumed:
                self._open({})
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise unwritable(path, error) from error
            raise

    def _check(self, *, resumed: bool) -> None:
        there = (self.path / CONFIG).exists()
        if there and not resumed:
            raise ConfigError(
                f"{self.path} holds a run already; choose another --output, or look at it: evonet inspect {self.path}"
            )
        if resumed and not there:
            raise ConfigError(f"{self.path} is not a run directory: it has no {CONFIG}")

    def _take_lock(self) -> None:
        try:
            self._lock = lock(self.path / LOCK)
        except BlockingIOError as error:
            raise RunInUse(
                f"{self.path} is in use: another process is running it; look on: evonet inspect {self.path}"
            ) from error

    def _open(self, marks: Mapping[str, Mark]) -> None:
        for name in JOURNALS:
            path = self.path / journal_name(name)
            try:
                self._journals[name] = Journal(path, marks.get(name, Mark(0, 0, "")))
            except OSError as error:
                raise unwritable(path, error) from error

    def go_on(self, marks: Mapping[str, Mark]) -> None:
        """Take the run up where its journals had come to `marks`: from its start, if there are none.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        try:
            for folder in (self.path, self.path / CHECKPOINTS):
                for file in list(folder.iterdir()) if folder.is_dir() else []:
                    if is_temporary(file):
                        file.unlink()
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._open(marks)

    def write_text(self, name: str, text: str, *, last: bool = True) -> None:
        """Write a file whole or not at all; `last` as `write_whole` has it."""
        target = self.path / name
        try:
            write_whole(target, text.encode(), last=last)
        except OSError as error:
            raise unwritable(target, error) from error

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write `run.json`, which says that the run is finished."""
        self.write_text(SUMMARY, to_json(summary, indent=2) + "\n")

    def remove_summary(self) -> None:
        """Say that the run is not finished."""
        try:
            if (self.path / SUMMARY).exists():
                (self.path / SUMMARY).unlink()
                fix_names(self.path)
        except OSError as error:
            raise unwritable(self.path / SUMMARY, error) from error

    def write_champion(self, champion: Champion) -> None:
        """Write `champion.npz`."""
        try:
            champion.save(self.path / CHAMPION)
        except OSError as error:
            raise unwritable(self.path / CHAMPION, error) from error

    def append(self, journal: str, entry: Mapping[str, Any]) -> None:
        """Add a line to a journal."""
        try:
            self._journals[journal].append(to_json(entry))
        except OSError as error:
            raise unwritable(self.path / journal_name(journal), error) from error

    @property
    def lengths(self) -> dict[str, int]:
        """Bytes in each journal."""
        return {name: journal.length for name, journal in self._journals.items()}

    def marks(self, lengths: Mapping[str, int]) -> dict[str, Mark]:
        """How far the journals had come when they had these `lengths`.

        Raises:
            RunDirectoryError: their lines cannot be brought to the disk.
        """
        marks = {}
        for name, journal in self._journals.items():
            try:
                marks[name] = journal.mark(lengths[name])
            except OSError as error:
                raise unwritable(journal.path, error) from error
        return marks

    def close(self) -> None:
        """Close the journals, and let others write the directory."""
        for journal in self._journals.values():
            journal.close()
        if self._lock >= 0:
            descriptor, self._lock = self._lock, -1
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def default_path(name: str, seed: int) -> Path:
    """`runs/<name>-<UTC time>-seed<seed>`, with what a file name may not hold replaced."""
    return Path("runs") / f"{safe_name(name)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-seed{seed}"


def safe_name(name: str) -> str:
    """`name` with what a file name may not hold replaced."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return safe.encode()[:_LONGEST_NAME].decode(errors="ignore")


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON of plain data and NumPy numbers; what is not finite is null, for JSON knows no such number."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def unwritable(path: Path, error: OSError) -> RunDirectoryError:
    """What is said of a file that cannot be written."""
    return RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}")
