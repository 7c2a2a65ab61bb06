"""Checkpoints: the state from which a run continues with the same bits, saved in `checkpoints/`."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from evonet.errors import CheckpointError, ConfigError
from evonet.experiment.run_files.run_directory import (
    CHECKPOINTS,
    CONFIG,
    JOURNALS,
    checkpoint_name,
    generation_of,
    journal_name,
    unwritable,
)
from evonet.files.archive import ArchiveLimits, NewerFormat, pack_state, read_state
from evonet.files.directory import Directory
from evonet.files.fields import Fields
from evonet.files.journal import Mark, marks_to_entries
from evonet.files.text import short_repr
from evonet.settings import Count, Settings
from evonet.shell import allowing, command

FORMAT = "evonet checkpoint 2"
LIMITS = ArchiveLimits(file=4 << 30, header=16 << 20)
_TIMES_SAVING = 50  # least time between two checkpoints, as a multiple of the time that saving one takes


@dataclass(frozen=True)
class Checkpoints(Settings):
    """How often a run is saved, so that it can be resumed.

    A run is also saved at its end and when it is interrupted. After a crash, the resumed run computes the lost
    generations again, with the same results bit for bit.

    Attributes:
        every: generations between two checkpoints.
        seconds: least time between two checkpoints; at least fifty times the time that saving a checkpoint takes, so
            that short generations do not wait for the disk. With 0, time plays no part.
        keep_each: the checkpoints of generations whose number is a multiple of this are kept, as well as the last two.
    """

    every: Count = 1
    seconds: Annotated[float, Ge(0)] = 1.0
    keep_each: Count | None = None


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a run after one of its generations.

    Attributes:
        generation: the number of the generation, from 0.
        seconds: time from the start of the run, without pauses between a stop and a resumption.
        config: the resolved config.
        fingerprint: the fingerprint of the machine.
        journals: the length and checksum of each journal.
        state: the state of the evolution, of the stop rule and of the log.
    """

    generation: int
    seconds: float
    config: Mapping[str, Any]
    fingerprint: Mapping[str, str]
    journals: Mapping[str, Mark]
    state: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read the checkpoint at `path`; raises the errors of `read`."""
        with Directory(path.parent) as folder:
            return cls.read(folder, path.name)

    @classmethod
    def read(cls, folder: Directory, name: str) -> Checkpoint:
        """Read the checkpoint `name` in `folder`; no code in the file is run.

        Raises:
            CheckpointError: the file is damaged, or cannot be read.
            NewerFormat: a newer version of evonet wrote the file.
        """
        try:
            with folder.reading(name) as file:
                content = read_state(file, FORMAT, LIMITS)
        except NewerFormat:
            raise
        except ConfigError as error:
            raise CheckpointError(str(error)) from error
        try:
            fields = Fields(content, "checkpoint")
            fields.allow_only("generation", "seconds", "config", "fingerprint", "journals", "state")
            json.dumps(
                [fields.get(part) for part in ("config", "fingerprint", "journals")]
            )  # raises TypeError if one of them contains an array
            journals, fingerprint = fields.fields("journals"), fields.fields("fingerprint")
            return cls(
                fields.integer("generation"),
                fields.finite("seconds", 0.0),
                fields.mapping("config"),
                {name: fingerprint.text(name) for name in fields.mapping("fingerprint")},
                {journal: Mark.from_fields(journals.fields(journal)) for journal in fields.mapping("journals")},
                fields.mapping("state"),
            )
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{folder.path / name}: not a valid checkpoint: {error}") from error

    def packed(self) -> bytes:
        """The bytes of the checkpoint's file.

        Raises:
            CheckpointError: the checkpoint exceeds the size limit.
        """
        content = {
            "generation": self.generation,
            "seconds": self.seconds,
            "config": self.config,
            "fingerprint": self.fingerprint,
            "journals": marks_to_entries(self.journals),
            "state": self.state,
        }
        try:
            return pack_state(FORMAT, content, LIMITS)
        except ValueError as error:
            raise CheckpointError(f"the checkpoint of generation {self.generation} is too large: {error}") from error


def checkpoints_in(run: Path) -> list[Path]:
    """The paths of a run's checkpoints, the newest first."""
    try:
        with Directory(run) as directory:
            return [run / CHECKPOINTS / name for name in _names(directory)]
    except OSError:
        return []


def _names(directory: Directory) -> list[str]:
    """The file names of the checkpoints of the run in `directory`, the newest first."""
    if not directory.has(CHECKPOINTS):
        return []
    with directory.subdirectory(CHECKPOINTS) as folder:
        found = [(generation, name) for name in folder.names() if (generation := generation_of(name)) is not None]
    return [name for _, name in sorted(found, reverse=True)]


def usable_checkpoint(
    directory: Directory, say: Callable[[str], None], allow_imports: Sequence[str] = ()
) -> Checkpoint | None:
    """The newest usable checkpoint of a run; None if the run has written none.

    Args:
        directory: the run directory.
        say: called with the reason for each checkpoint that is skipped.
        allow_imports: modules that the command in the error allows to be imported.

    Raises:
        CheckpointError: none of the run's checkpoints can be used.
        NewerFormat: a newer version of evonet wrote the newest undamaged checkpoint.
    """
    reasons = []
    names = _names(directory)
    for name in names:
        try:
            with directory.subdirectory(CHECKPOINTS) as folder:
                checkpoint = Checkpoint.read(folder, name)
            _check_journals(checkpoint, directory)
        except CheckpointError as error:
            reasons.append(str(error))
        else:
            for reason in reasons:
                say(f"{reason}; the checkpoint before it is used")
            return checkpoint
    if not names:
        return None
    config = directory.path / CONFIG
    again = command("evonet", "run", config, *allowing(allow_imports))
    ending = f"no checkpoint can be used; nothing was changed\nstart the run again: {again}"
    raise CheckpointError("\n".join([*reasons, ending]))


def _check_journals(checkpoint: Checkpoint, directory: Directory) -> None:
    for name, mark in checkpoint.journals.items():
        known = name in JOURNALS
        obstacle = (
            mark.truncation(directory, journal_name(name)) if known else f"there is no journal {short_repr(name)}"
        )
        if obstacle is not None:
            place = directory.path / CHECKPOINTS
            raise CheckpointError(f"{place}, generation {checkpoint.generation}: {obstacle}")


class CheckpointWriter:
    """Writes a run's checkpoints, each when it is due.

    Args:
        run: the run directory.
        settings: how often checkpoints are written.
        resumed_from: the checkpoint from which the run continues; None for a new run.
    """

    def __init__(self, run: Directory, settings: Checkpoints, resumed_from: Checkpoint | None = None) -> None:
        self._run = run
        self._folder: Directory | None = None
        self._settings = settings
        self._written = [] if resumed_from is None else [resumed_from.generation]
        self._unsaved: tuple[int, Callable[[], Checkpoint]] | None = None
        self._due = time.monotonic() + settings.seconds

    def offer(self, generation: int, make: Callable[[], Checkpoint]) -> None:
        """Write the checkpoint of a generation if it is due; otherwise keep `make` for `flush`.

        Args:
            generation: the number of the generation.
            make: a function that makes the checkpoint of this generation, even if it is called during the next one.

        Raises:
            RunDirectoryError: the checkpoint cannot be written; the one before it is unchanged.
            CheckpointError: the checkpoint would be too large.
        """
        self._unsaved = (generation, make)
        regular = (generation + 1) % self._settings.every == 0 and time.monotonic() >= self._due
        if regular or self._is_kept(generation):
            self.flush()

    def flush(self) -> None:
        """Write the last checkpoint that `offer` was given, unless it is written already.

        Raises:
            RunDirectoryError: the checkpoint cannot be written.
            CheckpointError: the checkpoint would be too large.
        """
        if self._unsaved is None:
            return
        started = time.monotonic()
        generation, make = self._unsaved
        self._write(checkpoint_name(generation), make().packed())
        self._unsaved = None
        self._written = [*self._written[-1:], generation]
        self._prune()
        now, seconds = time.monotonic(), self._settings.seconds
        self._due = now + max(seconds, _TIMES_SAVING * (now - started)) if seconds else now

    def close(self) -> None:
        """Close the folder of checkpoints."""
        if self._folder is not None:
            self._folder.close()

    def _write(self, name: str, content: bytes) -> None:
        try:
            if self._folder is None:
                self._folder = self._run.subdirectory(CHECKPOINTS, create=True)
            self._folder.write(name, content)
        except OSError as error:
            raise unwritable(self._run.path / CHECKPOINTS / name, error) from error

    def _is_kept(self, generation: int) -> bool:
        return self._settings.keep_each is not None and generation % self._settings.keep_each == 0

    def _prune(self) -> None:
        assert self._folder is not None
        for name in self._folder.names():
            generation = generation_of(name)
            if generation is not None and generation not in self._written and not self._is_kept(generation):
                with contextlib.suppress(OSError):
                    self._folder.remove(name)
