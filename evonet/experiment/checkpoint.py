"""Checkpoints: all that a run needs to go on with the same bits, in `checkpoints/`."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from evonet.errors import CheckpointError, ConfigError
from evonet.experiment.journal import Mark, marks_from
from evonet.experiment.run_directory import CHECKPOINTS, CONFIG, journal_name, unwritable
from evonet.experiment.state_file import pack, unpack
from evonet.machine import fix_names, write_whole
from evonet.settings import Count, Settings

_FORMAT = "evonet checkpoint"
_VERSION = 1
_NAME = re.compile(r"generation-(\d{1,18})\.npz")
_SHARE = 50  # the time between two checkpoints is at least so many times what one takes


@dataclass(frozen=True)
class Checkpoints(Settings):
    """How often a run is saved, so that it can be taken up again.

    It is saved at its end and when it is interrupted whatever these say; and what is lost by a crash is computed again
    on resume, to the same bits.

    Attributes:
        every: so many generations.
        seconds: but only if so much time has passed since the last time, and fifty times what saving took then; 0 saves
            in any case. Generations of a few milliseconds would otherwise mostly wait for the disk.
        keep_each: beside the last two, keep that of every generation whose number is a multiple of this.
    """

    every: Count = 1
    seconds: Annotated[float, Ge(0)] = 1.0
    keep_each: Count | None = None


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run after one of its generations.

    Attributes:
        generation: which, from 0.
        seconds: that the run had taken.
        config: resolved.
        fingerprint: of the machine.
        journals: how far each had come.
        state: what the parts of the run need to go on, by part.
    """

    generation: int
    seconds: float
    config: Mapping[str, Any]
    fingerprint: Mapping[str, Any]
    journals: Mapping[str, Mark]
    state: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint; nothing in it is run.

        Raises:
            CheckpointError: it is damaged, or cannot be read.
            ConfigError: a newer version of evonet wrote it.
        """
        try:
            content = unpack(path)
            kind, _, version = str(content["format"]).rpartition(" ")
            if kind == _FORMAT and int(version) > _VERSION:
                raise ConfigError(
                    f"{path} was written by a newer version of evonet (its format is {version}, this one knows "
                    f"{_VERSION}); nothing was changed; go on with that version"
                )
            if (kind, version) != (_FORMAT, str(_VERSION)):
                raise ValueError(f"its format is {content['format']!r}")  # noqa: TRY301
            json.dumps([content[name] for name in ("config", "fingerprint", "journals")])  # no array is among them
            return cls(
                int(content["generation"]),
                float(content["seconds"]),
                dict(content["config"]),
                dict(content["fingerprint"]),
                marks_from(content["journals"]),
                dict(content["state"]),
            )
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path}: not a sound checkpoint: {error}") from error

    def packed(self) -> bytes:
        """The file."""
        return pack(
            {
                "format": f"{_FORMAT} {_VERSION}",
                "generation": self.generation,
                "seconds": self.seconds,
                "config": self.config,
                "fingerprint": self.fingerprint,
                "journals": {name: mark.entry() for name, mark in self.journals.items()},
                "state": self.state,
            }
        )


def checkpoints_in(run: Path) -> list[Path]:
    """The files of a run's checkpoints, the newest first."""
    found = [(int(match[1]), path) for path in _files(run / CHECKPOINTS) if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found, reverse=True)]


def usable_checkpoint(run: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint from which the run can go on; None if none has been written yet.

    Args:
        run: the run directory.
        say: told of each that is passed over, and why.

    Raises:
        CheckpointError: there are some, but none that can be used.
        ConfigError: a newer version of evonet wrote the newest that is sound.
    """
    reasons = []
    paths = checkpoints_in(run)
    for path in paths:
        try:
            checkpoint = Checkpoint.load(path)
            _check_journals(checkpoint, run)
        except CheckpointError as error:
            reasons.append(str(error))
        else:
            for reason in reasons:
                say(f"{reason}; the one before it is used")
            return checkpoint
    if not paths:
        return None
    ending = f"no checkpoint can be used; nothing was changed\nrun it again from its start: evonet run {run / CONFIG}"
    raise CheckpointError("\n".join([*reasons, ending]))


def _check_journals(checkpoint: Checkpoint, run: Path) -> None:
    for name, mark in checkpoint.journals.items():
        misfit = mark.misfit(run / journal_name(name))
        if misfit is not None:
            raise CheckpointError(f"{run / CHECKPOINTS}, generation {checkpoint.generation}: {misfit}")


class CheckpointWriter:
    """Writes a run's checkpoints, when they are due.

    Args:
        run: the run directory.
        settings: how often.
        since: the checkpoint that the run goes on from.
    """

    def __init__(self, run: Path, settings: Checkpoints, since: Checkpoint | None = None) -> None:
        self._folder = run / CHECKPOINTS
        self._settings = settings
        self._written = [] if since is None else [since.generation]
        self._waiting: tuple[int, Callable[[], Checkpoint]] | None = None
        self._due = time.monotonic() + settings.seconds

    def offer(self, generation: int, make: Callable[[], Checkpoint]) -> None:
        """Write the checkpoint of a generation if it is due; else remember it.

        Args:
            generation: which.
            make: makes it: that of this generation, even if it is called only during the next.

        Raises:
            RunDirectoryError: it cannot be written; the one before is as it was.
        """
        self._waiting = (generation, make)
        regular = (generation + 1) % self._settings.every == 0 and time.monotonic() >= self._due
        if regular or self._is_kept(generation):
            self.flush()

    def flush(self) -> None:
        """Write what is waiting.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        if self._waiting is None:
            return
        started = time.monotonic()
        generation, make = self._waiting
        path = self._folder / f"generation-{generation:08}.npz"
        content = make().packed()
        try:
            if not self._written:
                self._folder.mkdir(exist_ok=True)
                fix_names(self._folder.parent)
            write_whole(path, content)
        except OSError as error:
            raise unwritable(path, error) from error
        self._waiting = None
        self._written = [*self._written[-1:], generation]
        self._prune()
        now, seconds = time.monotonic(), self._settings.seconds
        self._due = now + max(seconds, _SHARE * (now - started)) if seconds else now

    def _is_kept(self, generation: int) -> bool:
        return self._settings.keep_each is not None and generation % self._settings.keep_each == 0

    def _prune(self) -> None:
        for path in _files(self._folder):
            match = _NAME.fullmatch(path.name)
            if match and int(match[1]) not in self._written and not self._is_kept(int(match[1])):
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 - all that touches the disk goes through `os`


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from list(folder.iterdir())
