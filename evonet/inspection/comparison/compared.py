"""Loader of runs and studies for a comparison; it executes no code and makes no environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evonet.errors import ConfigError
from evonet.experiment.config.document import Document
from evonet.experiment.run_files.run_directory import CONFIG, SUMMARY
from evonet.experiment.run_files.run_finder import is_study, resolve_last, seed_directory
from evonet.experiment.run_files.summaries import STUDY, read_study_summary
from evonet.inspection.loaded_run import load_run
from evonet.inspection.loaded_study import LoadedStudy
from evonet.shell import command
from evonet.statistics import bootstrap_interval, mean
from evonet.types import FloatArray


@dataclass(frozen=True, eq=False)
class Compared:
    """A finished run or a study, as one side of a comparison.

    Attributes:
        name: name of the run or study, unique in the comparison.
        path: directory of the run or study.
        kind: "run" or "study".
        environment: id of the environment; None for a fitness function.
        target: least test mean of a solved run; None without a target.
        settings: resolved config.
        directories: directories of the finished runs.
        test_means: test means of the runs' champions, `(runs,)`; -inf without a champion, or if a test episode failed.
        returns: returns of a single run's test episodes, `(episodes,)`; -inf for a failed episode; empty for a study.
        evaluations: evaluations to success of each run, `(runs + failures,)`; infinite for unsolved runs.
        failures: number of crashed runs.
    """

    name: str
    path: Path
    kind: Literal["run", "study"]
    environment: str | None
    target: float | None
    settings: dict[str, Any]
    directories: tuple[Path, ...]
    test_means: FloatArray
    returns: FloatArray
    evaluations: FloatArray
    failures: int

    @property
    def solved(self) -> int:
        """Number of solved runs."""
        return int(np.isfinite(self.evaluations).sum())


def read_compared(paths: Sequence[str | Path]) -> list[Compared]:
    """Read the runs and studies in directories; their files say which of the two a directory holds.

    Args:
        paths: directories, `last`, or texts `LABEL=PATH`; without a label, the name is that of the directory.

    Raises:
        ConfigError: a directory holds neither a run nor a study, is not finished, cannot be read, or is given twice.
    """
    labels, folders = zip(*map(labelled, paths), strict=True)
    twice = [
        path for index, path in enumerate(folders) if path.resolve() in {other.resolve() for other in folders[:index]}
    ]
    if twice:
        raise ConfigError(f"each directory must be given once, got {twice[0]} twice")
    names = [label or path.resolve().name for label, path in zip(labels, folders, strict=True)]
    if len(set(names)) < len(names):
        names = [label or str(path) for label, path in zip(labels, folders, strict=True)]
    if len(set(names)) < len(names):
        raise ConfigError(f"the labels must differ, got {', '.join(names)}")
    return [_read(path, name) for path, name in zip(folders, names, strict=True)]


def labelled(argument: str | Path) -> tuple[str | None, Path]:
    """The label and the path in `LABEL=PATH`; None and the path if there is no label. A path may have a `=`, too.

    Raises:
        ConfigError: the path is `last`, and there is no run.
    """
    text = str(argument)
    ends = [] if Path(text).exists() else [place for place, letter in enumerate(text) if letter == "="]
    for end in ends:
        if end and text[end + 1 :] and resolve_last(text[end + 1 :]).exists():
            return text[:end], resolve_last(text[end + 1 :])
    return None, resolve_last(text)


def _read(path: Path, name: str) -> Compared:
    if not (path / CONFIG).exists():
        raise ConfigError(f"{path} is neither a run nor a study: it has no {CONFIG}")
    settings = Document.read(str(path / CONFIG), follow_links=False).data
    if is_study(path):
        return _read_study(path, name, settings)
    if not (path / SUMMARY).exists():
        raise ConfigError(f"{path} holds no finished run or study: it has neither {SUMMARY} nor {STUDY}")
    return _read_run(path, name, settings)


def _read_run(path: Path, name: str, settings: dict[str, Any]) -> Compared:
    run = load_run(path).require_finished()
    summary, champion = run.summary, run.champion
    if champion is not None and champion.edited:
        test = command("evonet", "test", path)
        raise ConfigError(f"{path} has no test score: its champion was changed after its test; test it with: {test}")
    returns = champion.test.returns if champion is not None and champion.test is not None else np.empty(0)
    return Compared(
        name=name,
        path=path,
        kind="run",
        environment=summary["environment"],
        target=summary["target"],
        settings=settings,
        directories=(path,),
        test_means=np.array([_score((summary["champion"] or {}).get("test_mean"))]),
        returns=np.where(np.isfinite(returns), returns, -np.inf),
        evaluations=np.array([_to_success(summary)]),
        failures=0,
    )


def _read_study(path: Path, name: str, settings: dict[str, Any]) -> Compared:
    summary = read_study_summary(path) if (path / STUDY).exists() else LoadedStudy(path).summary
    runs, failures = summary["runs"], len(summary["failures"])
    return Compared(
        name=name,
        path=path,
        kind="study",
        environment=summary["environment"],
        target=summary["target"],
        settings=settings,
        directories=tuple(seed_directory(path, run["seed"]) for run in runs),
        test_means=np.array([_score(run["test_mean"]) for run in runs]),
        returns=np.empty(0),
        evaluations=np.array([_to_success(run) for run in runs] + [np.inf] * failures),
        failures=failures,
    )


def _score(value: float | None) -> float:
    """A test mean; -inf where there is none."""
    return -np.inf if value is None else value


def _to_success(run: Mapping[str, Any]) -> float:
    """The evaluations of a solved run; infinity for an unsolved one."""
    return float(run["evaluations"]) if run["solved"] else np.inf


@np.errstate(over="ignore", invalid="ignore")  # untrusted files may hold any number
def mean_over_runs(values: Sequence[float | None]) -> dict[str, Any] | None:
    """The mean of one value a run, and its interval if there are several runs; None if a value is missing."""
    known: FloatArray = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if not known.size or not np.isfinite(known).all():
        return None
    interval = bootstrap_interval(mean, known) if known.size > 1 else None
    return {"mean": float(mean(known)), "interval": interval}
