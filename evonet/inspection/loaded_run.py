"""A run directory read back, finished or under way. Nothing in it is executed, and no environment is made."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from evonet.champion import FORMAT, Champion, architecture_from
from evonet.errors import CheckpointError, ConfigError, EvonetError
from evonet.evaluation.task_descriptions import task_from
from evonet.experiment.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.document import Document
from evonet.experiment.fault_journal import individual_from
from evonet.experiment.run_directory import CHAMPION, CHECKPOINTS, CONFIG, SUMMARY, journal_name
from evonet.files.bounded import read_json, read_lines, unreadable
from evonet.files.directory import Directory, reading_below
from evonet.files.fields import Fields
from evonet.individual import Individual
from evonet.inspection.lineage import Ancestor, Lineage
from evonet.network import Architecture
from evonet.task import Task
from evonet.types import FloatArray

NOBODY = -1
"""Stands in a column of ids or generations where there is no champion yet."""

_WHOLE = {
    "generation", "evaluations", "environment_steps", "validation_steps", "faults", "champion", "champion_generation"
}  # fmt: skip
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
        return Document.read(str(self.path / CONFIG), follow_links=False).data

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What `run.json` holds, or the same as far as it is known; the run directory is where it is now."""
        if self.finished:
            with reading_below(self.path / SUMMARY) as file:
                summary = read_json(file)
        else:
            summary = self._so_far()
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
        lines = list(self.journal("metrics"))
        names = dict.fromkeys(name for line in lines for name in line)
        return self.read(journal_name("metrics"), lambda: {name: _column(name, lines) for name in names})

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
        lines = list(self.journal("timing"))
        return self.read(journal_name("timing"), lambda: np.array([float(line["seconds"]) for line in lines]))

    @cached_property
    def lineage(self) -> Lineage:
        """Everybody who was born: parents, operators, fitness."""
        return self.read(journal_name("lineage"), lambda: Lineage.read(self.journal("lineage")))

    @cached_property
    def descent(self) -> list[Ancestor]:
        """The champion's line of descent by first parents, from the first generation to itself."""
        return [] if self.champion is None else self.lineage.descent(self.champion.id)

    @cached_property
    def fittest(self) -> list[Individual]:
        """The fittest of each generation in which it was another individual than before."""
        if self.acting is None:
            return []
        shape, lines = self.acting.architecture, list(self.journal("genomes"))
        return self.read(journal_name("genomes"), lambda: [individual_from(line, shape) for line in lines])

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
        return list(self.journal("faults"))

    @property
    def idle_seconds(self) -> float:
        """Since something was last added to the metrics."""
        try:
            return max(0.0, time.time() - (self.path / journal_name("metrics")).stat().st_mtime)
        except OSError as error:
            raise unreadable(self.path / journal_name("metrics"), error) from error

    def journal(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a journal; of a run under way, those that are complete.

        Raises:
            ConfigError: it cannot be read.
        """
        with reading_below(self.path / journal_name(name)) as file:
            yield from read_lines(file, Fields.all, name, torn_end=not self.finished)

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
            "seed": settings.get("seed"),
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


def _column(name: str, lines: list[dict[str, Any]]) -> NDArray[Any]:
    values = [line.get(name) for line in lines]
    if name in _WHOLE:
        return np.array([NOBODY if value is None else int(value) for value in values], dtype=np.int64)
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _told(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
