"""A run directory read back, finished or under way. Nothing in it is executed, and no environment is made."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from evonet.champion import FORMAT, Champion, architecture_from
from evonet.errors import CheckpointError, ConfigError, EvonetError
from evonet.evaluation.task_descriptions import task_from
from evonet.experiment.bounded_yaml import LONGEST_CONFIG
from evonet.experiment.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.document import Document
from evonet.experiment.fault_journal import fault_from, individual_from
from evonet.experiment.records import METRICS, births_from, metrics_from, seconds_from
from evonet.experiment.run_directory import CHAMPION, CHECKPOINTS, CONFIG, SUMMARY, journal_name
from evonet.experiment.summaries import read_run_summary
from evonet.files.bounded import read_lines, unreadable
from evonet.files.directory import Directory, reading_below
from evonet.files.fields import Fields
from evonet.individual import Individual
from evonet.inspection.lineage import Ancestor, Lineage
from evonet.network import Architecture
from evonet.task import Task
from evonet.types import FloatArray

NOBODY = -1
"""Stands in a column of ids or generations where there is no champion yet."""

_Read = TypeVar("_Read")


class Acting(NamedTuple):
    """How a run's genomes act.

    Attributes:
        architecture: what a genome means.
        task: the environment and how the network meets its spaces; None where a function of one's own scores.
    """

    architecture: Architecture
    task: Task | None


def load_run(path: str | Path, allow_imports: Collection[str] = ()) -> LoadedRun:
    """A run read back from its directory; one that is under way is read as far as it has come.

    Nothing in the directory is executed, no environment is made, and files are read when they are first asked for.

    Args:
        path: the run directory.
        allow_imports: modules that may be imported when the champion acts in its environment; no others are.

    Raises:
        ConfigError: it is no run directory.
    """
    return LoadedRun(path, allow_imports)


class LoadedRun:
    """A run read back: `load_run` makes it.

    Args:
        path: the run directory.
        allow_imports: modules that may be imported when the champion acts in its environment.

    Attributes:
        path: the run directory.
        finished: whether the run came to its end.

    Raises:
        ConfigError: it is no run directory.
    """

    def __init__(self, path: str | Path, allow_imports: Collection[str] = ()) -> None:
        self.path = Path(path)
        self._files = self._names()
        if CONFIG not in self._files:
            raise ConfigError(f"{path} is not a run directory: it has no {CONFIG}")
        self.finished = SUMMARY in self._files
        self._allow_imports = tuple(allow_imports)

    def require_finished(self) -> LoadedRun:
        """The run, if it came to its end.

        Raises:
            ConfigError: it did not.
        """
        if not self.finished:
            raise ConfigError(f"{self.path} holds a run that has not come to its end: it has no {SUMMARY}")
        return self

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved config, as plain data."""
        path = self.path / CONFIG
        settings = Document.read(str(path), follow_links=False).data
        try:
            _check_settings(settings)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from error
        return settings

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What `run.json` holds, or the same as far as it is known; the run directory is where it is now."""
        summary = read_run_summary(self.path) if self.finished else self._so_far()
        return {**summary, "run_directory": str(self.path), "finished": self.finished}

    @cached_property
    def champion(self) -> Champion | None:
        """The champion: the final one, tested, or that of the newest checkpoint; None if there is none."""
        if self.finished:
            if CHAMPION not in self._files:
                return None
            with reading_below(self.path / CHAMPION) as file:
                return Champion.read(file, self._allow_imports)
        checkpoint = self._newest_checkpoint
        return None if checkpoint is None else self.read(CHAMPION, lambda: self._champion_in(checkpoint))

    @cached_property
    def metrics(self) -> dict[str, NDArray[Any]]:
        """The columns of `metrics.jsonl` by name, `(generations,)` each.

        Counts, ids and numbers of generations are int64, with `NOBODY` where there is no champion yet; all others are
        float64, with NaN where there is nothing to tell.
        """
        lines = self._records("metrics", metrics_from)
        for number, line in enumerate(lines):
            if line["generation"] != number:
                raise ConfigError(
                    f"{self.path / journal_name('metrics')}:{number + 1}: metrics.generation must be {number}, "
                    f"got {line['generation']}"
                )
        return {name: _column(lines, name) for name in METRICS} if lines else {}

    def metrics_frame(self) -> Any:
        """The metrics as a pandas DataFrame, a row for each generation, with the seconds since the start beside them.

        Raises:
            EvonetError: pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError as error:
            raise EvonetError("metrics_frame needs pandas, which is not installed: pip install pandas") from error
        frame = pandas.DataFrame(self.metrics).set_index("generation")
        return frame.assign(seconds=pandas.Series(self.seconds).reindex(range(len(frame))).to_numpy())

    @cached_property
    def seconds(self) -> FloatArray:
        """Since the start of the run, at the end of each generation, `(generations,)`."""
        return np.array(self._records("timing", seconds_from), dtype=np.float64)

    @cached_property
    def lineage(self) -> Lineage:
        """Everybody who was born: parents, operators, fitness."""
        return self.read(journal_name("lineage"), lambda: Lineage.of(self._records("lineage", births_from)))

    @cached_property
    def descent(self) -> list[Ancestor]:
        """The champion's line of descent by first parents, from the first generation to itself."""
        return [] if self.champion is None else self.lineage.descent(self.champion.id)

    @cached_property
    def fittest(self) -> list[Individual]:
        """The fittest of each generation in which it was another individual than before."""
        if self.acting is None:
            return []
        shape = self.acting.architecture
        with reading_below(self.path / journal_name("arrays")) as arrays:
            return self._records("genomes", lambda fields: individual_from(fields, shape, arrays))

    @cached_property
    def acting(self) -> Acting | None:
        """How the run's genomes act; None where nothing tells, as before the first checkpoint."""
        if self.champion is not None:
            return Acting(self.champion.architecture, self.champion.task)
        checkpoint = self._newest_checkpoint
        if checkpoint is None or "acting" not in checkpoint.state:
            return None
        return self.read(CHECKPOINTS, lambda: self._acting_in(checkpoint))

    @cached_property
    def faults(self) -> list[dict[str, Any]]:
        """The lines of `faults.jsonl`."""
        return self._records("faults", lambda fields: asdict(fault_from(fields)) | fields.all())

    @property
    def idle_seconds(self) -> float:
        """Since something was last added to the metrics."""
        try:
            return max(0.0, time.time() - (self.path / journal_name("metrics")).stat().st_mtime)
        except OSError as error:
            raise unreadable(self.path / journal_name("metrics"), error) from error

    def _records(self, name: str, parse: Callable[[Fields], _Read]) -> list[_Read]:
        """The records in the lines of a journal; of a run under way, those of the lines that are complete.

        Raises:
            ConfigError: it cannot be read, or a line holds no such record.
        """
        with reading_below(self.path / journal_name(name)) as file:
            return list(read_lines(file, parse, name, torn_end=not self.finished))

    def journal(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a journal; of a run under way, those that are complete.

        Raises:
            ConfigError: it cannot be read.
        """
        yield from self._records(name, Fields.all)

    def read(self, name: str, read: Callable[[], _Read]) -> _Read:
        """What `read` makes of the content of the file or folder `name`.

        Raises:
            ConfigError: it says what it should not.
        """
        try:
            return read()
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ConfigError(f"{self.path / name}: cannot be read: {_told(error)}") from error

    def _names(self) -> set[str]:
        try:
            with Directory(self.path) as directory:
                return set(directory.names())
        except (OSError, ValueError):  # no directory, or a name with a NUL
            return set()

    def __repr__(self) -> str:
        return f"<{'finished run' if self.finished else 'run under way'} {self.path}>"

    def _so_far(self) -> dict[str, Any]:
        from evonet.experiment.session import verdict

        settings, metrics = self.settings, self.metrics
        environment = settings.get("environment")
        return {
            "name": settings.get("name"),
            "environment": environment and environment.get("id"),
            "seed": settings.get("seed", 0),
            "engine": None,
            "generations": len(metrics.get("generation", ())),
            **{
                name: int(metrics[name][-1]) if name in metrics else 0
                for name in ("evaluations", "environment_steps", "validation_steps")
            },
            "seconds": round(float(self.seconds[-1]), 3) if len(self.seconds) else 0.0,
            "stopped_by": None,
            **verdict(self.champion, self._target),
        }

    @property
    def _target(self) -> float | None:
        target = (self.settings.get("stop") or {}).get("target", "auto")
        if target != "auto":
            return None if target is None else float(target)
        with contextlib.suppress(EvonetError):
            if self.champion is not None and self.champion.task is not None:
                return self.champion.task.reward_threshold()
        return None

    @cached_property
    def _newest_checkpoint(self) -> Checkpoint | None:
        """The newest that can be read. The run may remove one after it was seen: then there is a newer one."""
        for _ in range(3):
            for path in checkpoints_in(self.path):
                with contextlib.suppress(CheckpointError):
                    return Checkpoint.load(path)
        return None

    def _acting_in(self, checkpoint: Checkpoint) -> Acting:
        described = checkpoint.state["acting"]
        architecture = architecture_from(Fields(described["architecture"], "architecture"))
        task = described["task"]
        return Acting(architecture, task and task_from(task, architecture, self._allow_imports))

    def _champion_in(self, checkpoint: Checkpoint) -> Champion | None:
        selector, acting = checkpoint.state["evolution"]["selector"], checkpoint.state.get("acting")
        if acting is None or selector is None or selector["champion"] is None:
            return None
        kept = dict(selector["champion"])
        arrays, normaliser = {name: kept.pop(name) for name in ("genome", "validation")}, kept.pop("normaliser")
        if normaliser is not None:
            arrays |= {f"normaliser_{name}": normaliser[name] for name in ("mean", "squares")}
        header = {"format": FORMAT, "normaliser_count": normaliser and normaliser["count"], **kept, **acting}
        return Champion.from_parts(header, arrays, self._allow_imports)


def _check_settings(settings: dict[str, Any]) -> None:
    """See that the settings that an account and a report show are of their types.

    Raises:
        ValueError: one is not.
    """
    config = Fields({"name": "", "seed": 0} | settings, "config")
    config.text("name", LONGEST_CONFIG)
    config.integer("seed")
    for section in ("fitness", "environment", "validation", "stop"):
        if config.has(section):
            config.fields(section)
    sections = [config, *([config.fields("validation")] if config.has("validation") else [])]
    for environment in [section.fields("environment") for section in sections if section.has("environment")]:
        if environment.has("id"):
            environment.text("id")
        for wrapper in environment.items("wrappers") if environment.has("wrappers") else []:
            Fields(wrapper, "config.environment.wrappers").text("name")
    stop = config.fields("stop") if config.has("stop") else Fields({}, "config.stop")
    if stop.has("target") and stop.get("target") != "auto":
        stop.finite("target")


def _column(lines: Sequence[Mapping[str, Any]], name: str) -> NDArray[Any]:
    absent, dtype = (np.nan, np.float64) if METRICS[name] == "score" else (NOBODY, np.int64)
    return np.array([absent if line[name] is None else line[name] for line in lines], dtype=dtype)


def _told(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
