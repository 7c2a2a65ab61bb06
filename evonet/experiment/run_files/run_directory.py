"""The directory of a run: the names of its files, and the class that locks and writes it."""

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
from evonet.experiment.config.bounded_yaml import LONGEST_CONFIG
from evonet.files.bounded import NotARegularFile
from evonet.files.directory import Directory, name_of_temporary
from evonet.files.journal import Journal, Mark
from evonet.files.lock import Lock
from evonet.files.numbers import append_array
from evonet.foreign import absolute
from evonet.shell import command
from evonet.types import FloatArray

RUNS = Path("runs")
"""The folder in which runs and studies without `--output` have their directories."""

CONFIG = "config.yaml"
SUMMARY = "run.json"
CHAMPION = "champion.npz"
ARCHIVE = "archive.npz"
CHECKPOINTS = "checkpoints"
REPORT = "report.html"
LOCK = ".lock"
JOURNALS = ("metrics", "timing", "faults", "lineage", "genomes", "arrays", "archive")
_ONLY_WHERE_WRITTEN = {"archive"}  # journals that many runs do not have
METRICS_TABLE = "metrics.csv"
TRACKING_FOLDERS = ("tensorboard", "mlflow", "wandb")
_CHECKPOINT = re.compile(r"generation-(\d{1,18})\.npz")
_LONGEST_NAME = 200  # bytes; file systems allow 255 for the name with time and seed


def journal_name(name: str) -> str:
    """The file name of a journal; "arrays" is a file of float64 numbers, the others have a JSON object in each line."""
    return "arrays.f64" if name == "arrays" else f"{name}.jsonl"


def checkpoint_name(generation: int) -> str:
    """The file name of a generation's checkpoint."""
    return f"generation-{generation:08}.npz"


def generation_of(name: str) -> int | None:
    """The generation of the checkpoint with the file name `name`; None if `name` is no checkpoint's."""
    match = _CHECKPOINT.fullmatch(name)
    return None if match is None else int(match[1])


_FILES = {CONFIG, SUMMARY, CHAMPION, ARCHIVE, LOCK, REPORT, METRICS_TABLE, *map(journal_name, JOURNALS)}


def open_run(path: Path, *, create: bool = False, location: Path | None = None) -> Directory:
    """Open a run directory, and check that none of its files is a link, which would redirect a write.

    Raises:
        ConfigError: one of the run's files is not a regular file, or one of its folders is not a directory.
        OSError: the directory cannot be opened or made.
    """
    directory = Directory(path, create=create, location=location)
    try:
        with refusing_special_files():
            directory.check(_is_file_of_a_run, {CHECKPOINTS, *TRACKING_FOLDERS}.__contains__)
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
    """A context that converts NotARegularFile into a ConfigError with the name of the file."""
    try:
        yield
    except NotARegularFile as error:
        raise ConfigError(f"{error.filename}: {error.strerror}; nothing was changed") from error


class RunDirectory:
    """The directory of a run, locked and open for writing.

    Args:
        path: the path of the directory; a missing directory is made unless `resumed`.
        start: the directory from which a relative `path` starts; by default the working directory.
        resumed: True to continue the directory's run with `resume`; False for a new run in a directory without one.

    Attributes:
        path: the path of the directory.
        location: the absolute path, which stays right if foreign code changes the working directory.
        files: the open directory.
        locked: whether the lock keeps other processes out; False on a file system without locks.

    Raises:
        ConfigError: there is no run to continue, or there is one already, or one of the files is a link or a pipe.
        RunInUse: another process is writing the directory.
        RunDirectoryError: the directory cannot be written.
    """

    def __init__(self, path: Path, *, resumed: bool = False, start: Path | None = None) -> None:
        self.path = path
        self.location = absolute(path) if start is None else start / path
        self._journals: dict[str, Journal] = {}
        self._lock: Lock | None = None
        if resumed and not os.path.lexists(self.location / CONFIG):
            raise ConfigError(f"{path} is not a run directory: it has no {CONFIG}")
        try:
            self.files = open_run(path, create=not resumed, location=self.location)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            self._check(resumed=resumed)
            self._lock = self._take_lock()
            self._check(resumed=resumed)  # another process may have started a run before the lock was taken
            if not resumed:
                self._open_journals({})
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise unwritable(path, error) from error
            raise
        self.locked = self._lock.held

    def _check(self, *, resumed: bool) -> None:
        has_run = self.files.has(CONFIG)
        if has_run and not resumed:
            raise ConfigError(
                f"{self.path} holds a run already; choose another --output, "
                f"or inspect it with: {command('evonet', 'inspect', self.path)}"
            )
        if resumed and not has_run:
            raise ConfigError(f"{self.path} is not a run directory: it has no {CONFIG}")

    def _take_lock(self) -> Lock:
        try:
            return self.files.lock(LOCK)
        except BlockingIOError as error:
            raise RunInUse(
                f"{self.path} is in use: another process is running it; "
                f"watch it with: {command('evonet', 'inspect', self.path)}"
            ) from error

    def _open_journals(self, marks: Mapping[str, Mark]) -> None:
        for name in JOURNALS:
            if name not in _ONLY_WHERE_WRITTEN or self.files.has(journal_name(name)):
                self._open_journal(name, marks.get(name, Mark()))

    def _open_journal(self, name: str, mark: Mark) -> None:
        file = journal_name(name)
        with self._converting_errors(file):
            self._journals[name] = Journal(self.files, file, mark)

    def resume(self, marks: Mapping[str, Mark]) -> None:
        """Continue the journals from `marks`, or from their start if there are no marks.

        Raises:
            RunDirectoryError: a file cannot be written.
        """
        with self._converting_errors():
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
        """Write a text file atomically; `sync_names` is passed to `Directory.write`."""
        content = text.encode()
        if name == CONFIG and len(content) > LONGEST_CONFIG:
            raise ConfigError(
                f"the config with all its defaults may have at most {LONGEST_CONFIG} bytes, got {len(content)}"
            )
        with self._converting_errors(name):
            self.files.write(name, content, sync_names=sync_names)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write `run.json`, which marks the run as finished."""
        self.write_text(SUMMARY, to_json(summary, indent=2) + "\n")

    def remove_summary(self) -> None:
        """Remove `run.json`, so that the run counts as unfinished."""
        with self._converting_errors(SUMMARY):
            if self.files.has(SUMMARY):
                self.files.remove(SUMMARY)
                self.files.sync()

    def write_champion(self, champion: Champion) -> None:
        """Write `champion.npz`."""
        with self._converting_errors(CHAMPION):
            self.files.write(CHAMPION, champion.packed())

    def write_archive(self, content: bytes) -> None:
        """Write `archive.npz`."""
        with self._converting_errors(ARCHIVE):
            self.files.write(ARCHIVE, content)

    def append(self, journal: str, entry: Mapping[str, Any]) -> None:
        """Add a line to a journal."""
        if journal not in self._journals:
            self._open_journal(journal, Mark())
        with self._converting_errors(journal_name(journal)):
            self._journals[journal].append_line(to_json(entry))

    def store(self, array: FloatArray) -> dict[str, Any]:
        """Append an array to the file of arrays; returns the array's place, for a line of a journal."""
        with self._converting_errors(journal_name("arrays")):
            return append_array(self._journals["arrays"], array)

    @property
    def marks(self) -> dict[str, Mark]:
        """The length and checksum of each journal."""
        return {name: journal.mark for name, journal in self._journals.items()}

    def sync_journals(self) -> None:
        """Wait until all lines are on the disk.

        Raises:
            RunDirectoryError: a journal cannot be written.
        """
        for name, journal in self._journals.items():
            with self._converting_errors(journal_name(name)):
                journal.sync()

    @contextlib.contextmanager
    def _converting_errors(self, name: str = "") -> Iterator[None]:
        """A context that converts an OSError into a RunDirectoryError with the name of the file."""
        try:
            yield
        except OSError as error:
            raise unwritable(self.path / name, error) from error

    def close(self) -> None:
        """Close the files and release the lock."""
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


def new_run_directory(name: str, seed: int, start: Path) -> Path:
    """Make the directory `runs/<name>-<UTC time>-seed<seed>`, with a number appended if that exists already.

    Returns:
        The path, relative to `start`.

    Raises:
        RunDirectoryError: the directory cannot be made.
    """
    first = RUNS / f"{safe_name(name)}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-seed{seed}"
    for number in itertools.count(1):
        path = first if number == 1 else first.with_name(f"{first.name}-{number}")
        try:
            (start / path).mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(path, error) from error
        return path
    raise AssertionError


def safe_name(name: str) -> str:
    """`name` for use in a file name: characters other than letters, digits and `._-` become `_`."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return safe.encode()[:_LONGEST_NAME].decode(errors="ignore")


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON of plain data, NumPy arrays and numbers; infinities and NaN become null.

    Characters that are not printable are escaped, because a terminal may interpret them as commands.
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
    """The error for a file that cannot be written."""
    return RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}")
