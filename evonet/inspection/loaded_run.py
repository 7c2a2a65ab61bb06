"""Loader of a finished or unfinished run from its directory; it executes no code and makes no environment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from evonet.architecture import Architecture
from evonet.archives.archive import Archive
from evonet.champion import FORMAT, Champion
from evonet.environments.imports import module_of
from evonet.environments.known import Names, WrongNames, checked_names
from evonet.errors import CheckpointError, ConfigError
from evonet.evaluation.task_descriptions import architecture_from, task_from
from evonet.experiment.config.bounded_yaml import LONGEST_CONFIG
from evonet.experiment.config.document import Document
from evonet.experiment.config.named_parts import imported_names
from evonet.experiment.config.permissions import restore_permissions
from evonet.experiment.run_files.champion_results import champion_results
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.run_files.fault_journal import fault_from
from evonet.experiment.run_files.individuals import individual_from
from evonet.experiment.run_files.journal_lines import METRICS, births_from, metrics_from, seconds_from
from evonet.experiment.run_files.run_directory import CHAMPION, CHECKPOINTS, CONFIG, SUMMARY, journal_name
from evonet.experiment.run_files.run_finder import require_run, resolve_last
from evonet.experiment.run_files.summaries import read_run_summary
from evonet.extras import pandas_for
from evonet.files.bounded import read_lines, read_some_lines, unreadable
from evonet.files.directory import Directory, reading_below
from evonet.files.fields import Fields
from evonet.foreign import absolute
from evonet.individual import Individual
from evonet.inspection.lineage import Ancestor, Lineage
from evonet.inspection.saved_archive import archive_in
from evonet.task import Task
from evonet.types import FloatArray

NO_CHAMPION_YET = -1
"""The value of the columns `champion` and `champion_generation` before the first champion."""

_Read = TypeVar("_Read")


class PolicySpec(NamedTuple):
    """The architecture and task with which a run's genome becomes a policy.

    Attributes:
        architecture: architecture of the networks.
        task: the environment and its spaces; None for a fitness function.
    """

    architecture: Architecture
    task: Task | None


def load_run(path: str | Path, allow_imports: Collection[str] = ()) -> LoadedRun:
    """Load a run from its directory; an unfinished run has the generations so far.

    No code in the directory is executed, no environment is made, and each file is read when its data are first used.

    Args:
        path: the run directory, or `last` for the newest run in `runs`.
        allow_imports: modules that may be imported when the champion acts in its environment, besides those that were
            allowed when the run was made here.

    Raises:
        ConfigError: `path` is no run directory.
    """
    return LoadedRun(resolve_last(path, studies=False), allow_imports)


class LoadedRun:
    """A run loaded from its directory by `load_run`.

    Args:
        path: the run directory.
        allow_imports: modules that may be imported when the champion acts in its environment.

    Attributes:
        path: the run directory.
        finished: whether the run is finished.

    Raises:
        ConfigError: `path` is no run directory.
    """

    def __init__(self, path: str | Path, allow_imports: Collection[str] = ()) -> None:
        self.path = Path(path)
        self._files = self._names()
        if CONFIG not in self._files:
            raise ConfigError(f"{path} is not a run directory: it has no {CONFIG}")
        require_run(self.path)
        self.finished = SUMMARY in self._files
        self._allow_imports = (*allow_imports, *restore_permissions(self.path))

    def located(self) -> LoadedRun:
        """This run by its absolute path, which stays right if foreign code changes the working directory."""
        return self if self.path.is_absolute() else LoadedRun(absolute(self.path), self._allow_imports)

    def require_finished(self) -> LoadedRun:
        """Return this object if the run is finished.

        Raises:
            ConfigError: the run is not finished.
        """
        if not self.finished:
            raise ConfigError(f"{self.path} holds a run that is not finished: it has no {SUMMARY}")
        return self

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved config, as plain data."""
        return read_settings(self.path)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of `run.json`, or for an unfinished run the results so far, with the current path of the run."""
        summary: dict[str, Any] = {**read_run_summary(self.path)} if self.finished else self._so_far()
        if self.finished and self.champion is not None and self.champion.edited:
            # the summary has the scores of the network before it was edited
            summary |= champion_results(self.champion, summary["target"])
        return {**summary, "run_directory": str(self.path), "finished": self.finished}

    @cached_property
    def champion(self) -> Champion | None:
        """The tested champion of a finished run, or the champion of the newest checkpoint; None if there is none."""
        if self.finished:
            if CHAMPION not in self._files:
                return None
            with reading_below(self.path / CHAMPION) as file:
                return Champion.read(file, self._allow_imports)
        checkpoint = self.newest_checkpoint
        return None if checkpoint is None else self.read(CHAMPION, lambda: self._champion_in(checkpoint))

    @cached_property
    def archive(self) -> Archive | None:
        """The archive with its elites, of an unfinished run that of the newest checkpoint; None if there is none."""
        checkpoint = self.newest_checkpoint
        if checkpoint is None:
            return None
        return self.read(CHECKPOINTS, lambda: archive_in(self.settings, checkpoint.state["evolution"]))

    @cached_property
    def metrics(self) -> dict[str, NDArray[Any]]:
        """The columns of `metrics.jsonl` by name, `(generations,)` each.

        Counts, ids and generations are int64, with `NO_CHAMPION_YET` before there is a champion; scores are float64,
        with NaN for missing values. Only strategies that sample around a mean have `sigma` and `mean_distance`.
        `measures/NAME` and `measures_spread/NAME` are the champion's on the held-out episodes.
        """
        lines = self._records("metrics", metrics_from)
        for number, line in enumerate(lines):
            if line["generation"] != number:
                raise ConfigError(
                    f"{self.path / journal_name('metrics')}:{number + 1}: metrics.generation must be {number}, "
                    f"got {line['generation']}"
                )
        return {name: _column(lines, name) for name in dict.fromkeys(name for line in lines for name in line)}

    def metrics_frame(self) -> Any:
        """The metrics as a pandas DataFrame: a row for each generation, with the seconds since the start as a column.

        Raises:
            EvonetError: pandas is not installed.
        """
        pandas = pandas_for("metrics_frame")
        frame = pandas.DataFrame(self.metrics).set_index("generation")
        return frame.assign(seconds=pandas.Series(self.seconds).reindex(range(len(frame))).to_numpy())

    @cached_property
    def seconds(self) -> FloatArray:
        """Seconds from the start of the run to the end of each generation, `(generations,)`."""
        return np.array(self._records("timing", seconds_from), dtype=np.float64)

    @cached_property
    def lineage(self) -> Lineage:
        """All individuals of the run with parents, operators and fitness at birth."""
        return self.read(journal_name("lineage"), lambda: Lineage.of(self._records("lineage", births_from)))

    @cached_property
    def descent(self) -> list[Ancestor]:
        """The champion's line of descent by first parents, from the first generation to the champion."""
        return [] if self.champion is None else self.lineage.descent(self.champion.id)

    @cached_property
    def fittest(self) -> list[Individual]:
        """The fittest individual of each generation, without repetitions of the same individual."""
        if self.policy_spec is None:
            return []
        shape = self.policy_spec.architecture
        with reading_below(self.path / journal_name("arrays")) as arrays:
            return self._records("genomes", lambda fields: individual_from(fields, shape, arrays))

    def some_fittest(self, most: int) -> list[Individual]:
        """At most `most` of `fittest`, evenly spread over the run; the genomes of all others stay unread."""
        if self.policy_spec is None:
            return []
        shape = self.policy_spec.architecture
        with reading_below(self.path / journal_name("genomes")) as file:
            lines = read_some_lines(file, lambda fields: fields, "genomes", most, torn_end=not self.finished)
        with reading_below(self.path / journal_name("arrays")) as arrays:
            return self.read(journal_name("genomes"), lambda: [individual_from(line, shape, arrays) for line in lines])

    @cached_property
    def policy_spec(self) -> PolicySpec | None:
        """The architecture and task of the run's genomes; None if no file has them, as before the first checkpoint."""
        if self.champion is not None:
            return PolicySpec(self.champion.architecture, self.champion.task)
        checkpoint = self.newest_checkpoint
        if checkpoint is None or "acting" not in checkpoint.state:
            return None
        return self.read(CHECKPOINTS, lambda: self._policy_spec_in(checkpoint))

    @property
    def names(self) -> Names:
        """Names of the inputs and outputs of the run's networks.

        Raises:
            ConfigError: no file of the run has its architecture.
        """
        if self.policy_spec is None:
            raise ConfigError(f"{self.path} has no champion and no checkpoint, which would have the architecture")
        architecture, task = self.policy_spec
        if task is not None:
            return task.names
        network = self.settings.get("network") or {}
        ends = {"input_names": architecture.num_inputs, "output_names": architecture.num_outputs}
        names = Names.numbered(architecture.num_inputs, architecture.num_outputs)
        with contextlib.suppress(WrongNames, TypeError):  # written by a stranger
            given = {key: checked_names(key, network.get(key), count) for key, count in ends.items()}
            names = Names(given["input_names"] or names.inputs, given["output_names"] or names.outputs)
        return names

    @cached_property
    def faults(self) -> list[dict[str, Any]]:
        """The lines of `faults.jsonl`."""
        return self._records("faults", lambda fields: asdict(fault_from(fields)) | fields.all())

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last change of the metrics."""
        try:
            return max(0.0, time.time() - (self.path / journal_name("metrics")).stat().st_mtime)
        except OSError as error:
            raise unreadable(self.path / journal_name("metrics"), error) from error

    def _records(self, name: str, parse: Callable[[Fields], _Read]) -> list[_Read]:
        """The records in the lines of a journal; the incomplete last line of an unfinished run is skipped.

        Raises:
            ConfigError: the journal cannot be read, or a line is not a valid record.
        """
        with reading_below(self.path / journal_name(name)) as file:
            return list(read_lines(file, parse, name, torn_end=not self.finished))

    def journal(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a journal as dicts; the incomplete last line of an unfinished run is skipped.

        Raises:
            ConfigError: the journal cannot be read.
        """
        yield from self._records(name, Fields.all)

    def read(self, name: str, read: Callable[[], _Read]) -> _Read:
        """Call `read`, and convert its errors into a ConfigError about the file or folder `name`.

        Raises:
            ConfigError: the content is not valid.
        """
        try:
            return read()
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ConfigError(f"{self.path / name}: cannot be read: {_reason(error)}") from error

    def _names(self) -> set[str]:
        try:
            with Directory(self.path) as directory:
                return set(directory.names())
        except (OSError, ValueError):  # the path is no directory, or has a NUL
            return set()

    def __repr__(self) -> str:
        return f"<{'finished run' if self.finished else 'run under way'} {self.path}>"

    def _so_far(self) -> dict[str, Any]:
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
            "validation_seconds": None,
            "test_seconds": None,
            "stopped_by": None,
            **champion_results(self.champion, target_of(settings, self.champion)),
        }

    @property
    def imports(self) -> list[str]:
        """Modules that the run's settings would import."""
        return list(dict.fromkeys(module_of(name) for _, name in imported_names(self.settings)))

    @cached_property
    def newest_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint that can be read."""
        for _ in range(3):  # a running experiment may have removed a listed checkpoint after it wrote a newer one
            for path in checkpoints_in(self.path):
                with contextlib.suppress(CheckpointError):
                    return Checkpoint.load(path)
        return None

    def _policy_spec_in(self, checkpoint: Checkpoint) -> PolicySpec:
        described = checkpoint.state["acting"]
        architecture = architecture_from(Fields(described["architecture"], "architecture"), self._allow_imports)
        task = described["task"]
        return PolicySpec(architecture, task and task_from(task, architecture, self._allow_imports))

    def _champion_in(self, checkpoint: Checkpoint) -> Champion | None:
        selector, policy_spec = checkpoint.state["evolution"]["selector"], checkpoint.state.get("acting")
        if policy_spec is None or selector is None or selector["champion"] is None:
            return None
        fields = dict(selector["champion"])
        arrays = {name: fields.pop(name) for name in list(fields) if name == "genome" or name.startswith("validation")}
        normaliser = fields.pop("normaliser")
        if normaliser is not None:
            arrays |= {f"normaliser_{name}": normaliser[name] for name in ("mean", "squares")}
        header = {"format": FORMAT, "normaliser_count": normaliser and normaliser["count"], **fields, **policy_spec}
        return Champion.from_parts(header, arrays, self._allow_imports)


def target_of(settings: Mapping[str, Any], champion: Champion | None) -> float | None:
    """The mean return at which a run's task is solved; None if there is none, or none is known before a champion."""
    target = (settings.get("stop") or {}).get("target", "auto")
    if target != "auto":
        return None if target is None else float(target)
    return None if champion is None else champion.target


def read_settings(path: Path) -> dict[str, Any]:
    """The resolved config of the run or study in the directory `path`, as plain data.

    Raises:
        ConfigError: the config cannot be read, or a setting that summaries show has the wrong type.
    """
    settings = Document.read(str(path / CONFIG), follow_links=False).data
    try:
        _check_settings(settings)
    except ValueError as error:
        raise ConfigError(f"{path / CONFIG}: {error}") from error
    return settings


def _check_settings(settings: dict[str, Any]) -> None:
    """Check the types of the settings that summaries and reports show.

    Raises:
        ValueError: a setting has the wrong type.
    """
    config = Fields({"name": "", "seed": 0} | settings, "config")
    config.text("name", LONGEST_CONFIG)
    config.integer("seed")
    for section in ("fitness", "environment", "network", "algorithm", "evaluation", "validation", "test", "stop"):
        if config.has(section) and config.fields(section).has("type"):
            config.fields(section).text("type")
    sections = [config, *([config.fields("validation")] if config.has("validation") else [])]
    for environment in [section.fields("environment") for section in sections if section.has("environment")]:
        if environment.has("id"):
            environment.text("id")
        if environment.has("kwargs"):
            environment.fields("kwargs")
        for wrapper in environment.items("wrappers") if environment.has("wrappers") else []:
            Fields(wrapper, "config.environment.wrappers").text("name")
    stop = config.fields("stop") if config.has("stop") else Fields({}, "config.stop")
    if stop.has("target") and stop.get("target") != "auto":
        stop.finite("target")


def _column(lines: Sequence[Mapping[str, Any]], name: str) -> NDArray[Any]:
    is_score = METRICS.get(name, "score") == "score"
    absent, dtype = (np.nan, np.float64) if is_score else (NO_CHAMPION_YET, np.int64)
    return np.array([absent if line.get(name) is None else line[name] for line in lines], dtype=dtype)


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
