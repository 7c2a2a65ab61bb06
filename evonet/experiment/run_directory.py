"""The directory of a run: the names of its files, and how they are written so that nothing is lost."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from evonet.champion import Champion
from evonet.errors import ConfigError, RunDirectoryError, RunInUse
from evonet.experiment.bounded_yaml import LONGEST_CONFIG
from evonet.files.bounded import NotARegularFile
from evonet.files.directory import Directory, name_of_temporary
from evonet.files.journal import Journal, Mark
from evonet.files.lock import Lock
from evonet.files.numbers import append_array
from evonet.shell import command
from evonet.types import FloatArray

CONFIG = "config.yaml"
SUMMARY = "run.json"
CHAMPION = "champion.npz"
CHECKPOINTS = "checkpoints"
LOCK = ".lock"
JOURNALS = ("metrics", "timing", "faults", "lineage", "genomes", "arrays")
_TRACKED = "tensorboard"
_CHECKPOINT = re.compile(r"generation-(\d{1,18})\.npz")
_LONGEST_NAME = 200  # bytes; file systems take 255, and time and seed follow


def journal_name(name: str) -> str:
    """The file of a journal: one JSON document in each line, but float64 numbers for "arrays"."""
    return "arrays.f64" if name == "arrays" else f"{name}.jsonl"


def checkpoint_name(generation: int) -> str:
    """The file of a generation's checkpoint."""
    return f"generation-{generation:08}.npz"


def generation_of(name: str) -> int | None:
    """The generation whose checkpoint has the file name `name`; None if it is no checkpoint's."""
    match = _CHECKPOINT.fullmatch(name)
    return None if match is None else int(match[1])


_FILES = {CONFIG, SUMMARY, CHAMPION, LOCK, "report.html", *map(journal_name, JOURNALS)}


def open_run(path: Path, *, create: bool = False) -> Directory:
    """Open a run directory whose entries are what they should be: a stranger may have put links there.

    Raises:
        ConfigError: one of the run's files is no regular file, or a folder is no folder.
        OSError: it cannot be opened or made.
    """
    directory = Directory(path, create=create)
    try:
        with refusing_special_files():
            directory.check(_is_file_of_a_run, {CHECKPOINTS, _TRACKED}.__contains__)
            if directory.has(CHECKPOINTS):
                with directory.subdirectory(CHECKPOINTS) as checkpoints:
                    checkpoints.check(_is_checkpoint)
    except BaseException:
        directory.close()
        raise
    return directory


def _is_file_of_a_run(name: str) -> bool:
    return (name_of_temporary(name) or name) in _FILES


def _is_checkpoint(name: str) -> bool:
    return generation_of(name_of_temporary(name) or name) is not None


@contextlib.contextmanager
def refusing_special_files() -> Iterator[None]:
    """Within it, NotARegularFile becomes a ConfigError with the name of the file."""
    try:
        yield
    except NotARegularFile as error:
        raise ConfigError(f"{error.filename}: {error.strerror}; nothing was changed") from error


class RunDirectory:
    """The directory of a run that is being written, by this process and no other.

    Args:
        path: where; made if it is missing.
        resumed: whether it holds a run already, which `resume` continues.

    Attributes:
        path: where.
        files: the open directory.
        locked: False where the file system has no locks, so that another process could write the directory too.

    Raises:
        ConfigError: it holds a run, or should hold one and does not; or one of its files is a link, a pipe or the like.
        RunInUse: another process is writing it.
        RunDirectoryError: it cannot be written.
    """

    def __init__(self, path: Path, *, resumed: bool = False) -> None:
        self.path = path
        self._journals: dict[str, Journal] = {}
        self._lock: Lock | None = None
        if resumed and not os.path.lexists(path / CONFIG):
            raise ConfigError(f"{path} is not a run directory: it has no {CONFIG}")
        try:
            self.files = open_run(path, create=not resumed)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            self._check(resumed=resumed)
            self._lock = self._take_lock()
            self._check(resumed=resumed)  # another process may have begun a run meanwhile
            if not resumed:
                self._open_journals({})
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise unwritable(path, error) from error
            raise
        self.locked = self._lock.held

    def _check(self, *, resumed: bool) -> None:
        there = self.files.has(CONFIG)
        if there and not resumed:
            raise ConfigError(
                f"{self.path} holds a run already; choose another --output, "
                f"or inspect it: {command('evonet', 'inspect', self.path)}"
            )
        if resumed and not there:
            raise ConfigError(f"{self.path} is not a run directory: it has no {CONFIG}")

    def _take_lock(self) -> Lock:
        try:
            return self.files.lock(LOCK)
        except BlockingIOError as error:
            raise RunInUse(
                f"{self.path} is in use: another process is running it; "
                f"look on: {command('evonet', 'inspect', self.path)}"
            ) from error

    def _open_journals(self, marks: Mapping[str, Mark]) -> None:
        for name in JOURNALS:
            file = journal_name(name)
            with self._written(file):
                self._journals[name] = Journal(self.files, file, marks.get(name, Mark()))

    def resume(self, marks: Mapping[str, Mark]) -> None:
        """Continue the run where its journals had come to `marks`: from its start, if there are none.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        with self._written():
            self._remove_temporaries(self.files)
            if self.files.has(CHECKPOINTS):
                with self.files.subdirectory(CHECKPOINTS) as checkpoints:
                    self._remove_temporaries(checkpoints)
        self._open_journals(marks)

    def _remove_temporaries(self, directory: Directory) -> None:
        for name in directory.names():
            if name_of_temporary(name) is not None and (_is_file_of_a_run(name) or _is_checkpoint(name)):
                directory.remove(name)

    def write_text(self, name: str, text: str, *, sync_names: bool = True) -> None:
        """Write a file whole or not at all; `sync_names` as in `Directory.write`."""
        content = text.encode()
        if name == CONFIG and len(content) > LONGEST_CONFIG:
            raise ConfigError(f"the config with all its defaults may have {LONGEST_CONFIG} bytes, got {len(content)}")
        with self._written(name):
            self.files.write(name, content, sync_names=sync_names)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write `run.json`, which says that the run is finished."""
        self.write_text(SUMMARY, to_json(summary, indent=2) + "\n")

    def remove_summary(self) -> None:
        """Say that the run is not finished."""
        with self._written(SUMMARY):
            if self.files.has(SUMMARY):
                self.files.remove(SUMMARY)
                self.files.sync()

    def write_champion(self, champion: Champion) -> None:
        """Write `champion.npz`."""
        with self._written(CHAMPION):
            self.files.write(CHAMPION, champion.packed())

    def append(self, journal: str, entry: Mapping[str, Any]) -> None:
        """Add a line to a journal."""
        with self._written(journal_name(journal)):
            self._journals[journal].append_line(to_json(entry))

    def store(self, array: FloatArray) -> dict[str, Any]:
        """Add an array beside the journals; returns its place, which a line of a journal may hold."""
        with self._written(journal_name("arrays")):
            return append_array(self._journals["arrays"], array)

    @property
    def marks(self) -> dict[str, Mark]:
        """How far each journal has come."""
        return {name: journal.mark for name, journal in self._journals.items()}

    def sync_journals(self) -> None:
        """Wait until all lines are on the disk.

        Raises:
            RunDirectoryError: they cannot be brought there.
        """
        for name, journal in self._journals.items():
            with self._written(journal_name(name)):
                journal.sync()

    @contextlib.contextmanager
    def _written(self, name: str = "") -> Iterator[None]:
        """Within it, an OSError becomes a RunDirectoryError that names the file."""
        try:
            yield
        except OSError as error:
            raise unwritable(self.path / name, error) from error

    def close(self) -> None:
        """Close the files, and let others write the directory."""
        for journal in self._journals.values():
            journal.close()
        if self._lock is not None:
            self._lock.release()
        self.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def new_run_directory(name: str, seed: int) -> Path:
    """Make the directory `runs/<name>-<UTC time>-seed<seed>`; of several in one second each later one has a number.

    Raises:
        RunDirectoryError: it cannot be made.
    """
    first = Path("runs") / f"{safe_name(name)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-seed{seed}"
    for number in itertools.count(1):
        path = first if number == 1 else first.with_name(f"{first.name}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(path, error) from error
        return path
    raise AssertionError


def safe_name(name: str) -> str:
    """`name` with what a file name may not hold replaced."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return safe.encode()[:_LONGEST_NAME].decode(errors="ignore")


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON of plain data and NumPy numbers; what is not finite is null, for JSON knows no such number.

    Characters that a terminal would obey or not show are escaped.
    """
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


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
