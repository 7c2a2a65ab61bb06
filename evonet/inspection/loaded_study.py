"""Loader of a study from its directory, also of one that is not finished; it executes no code."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evonet.champion import Champion
from evonet.errors import ConfigError
from evonet.experiment.run_files.run_finder import is_study, resolve_last, seed_directory, seeds_in
from evonet.experiment.run_files.summaries import STUDY, read_study_summary
from evonet.experiment.study_summary import summarise
from evonet.extras import pandas_for
from evonet.inspection.loaded_run import LoadedRun, load_run, read_settings


def load_study(path: str | Path, allow_imports: Collection[str] = ()) -> LoadedStudy:
    """Load a study from its directory; of a study that is not finished, the runs so far.

    Args:
        path: the study's directory, or `last` for the newest run or study in `runs`.
        allow_imports: the only modules that may be imported when a champion acts in its environment.

    Raises:
        ConfigError: `path` is not the directory of a study.
    """
    return LoadedStudy(resolve_last(path), allow_imports)


class LoadedStudy:
    """A study loaded from its directory by `load_study`.

    Args:
        path: the study's directory.
        allow_imports: modules that may be imported when a champion acts in its environment.

    Attributes:
        path: the study's directory.
        seeds: the seeds of which the study has a run, ascending.

    Raises:
        ConfigError: `path` is not the directory of a study.
    """

    def __init__(self, path: str | Path, allow_imports: Collection[str] = ()) -> None:
        self.path = Path(path)
        self._allow_imports = tuple(allow_imports)
        if not is_study(self.path):
            raise ConfigError(f"{path} is not the directory of a study: it has no runs in folders seed-0, seed-1, …")
        self.seeds = seeds_in(self.path)

    @cached_property
    def runs(self) -> list[LoadedRun]:
        """The runs in the order of their seeds, those that are not finished too."""
        return [LoadedRun(seed_directory(self.path, seed), self._allow_imports) for seed in self.seeds]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The resolved config of all runs; each run has its own seed."""
        return read_settings(self.path)

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """The seed and the error of each run that ended with an error."""
        if not (self.path / STUDY).exists():
            return []
        return [dict(failure) for failure in read_study_summary(self.path)["failures"]]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The results of all finished runs: those of `study.json`, from the runs as they are now.

        `unfinished` has the seeds of the runs that are not finished and have not failed.
        """
        finished = [run for run in self.runs if run.finished]
        done = {run.summary["seed"] for run in finished}
        failures = [failure for failure in self.failures if failure["seed"] not in done]
        failed = {failure["seed"] for failure in failures}
        seeds = sorted(done | failed)
        summaries = {run.summary["seed"]: run.summary for run in finished}
        return {
            "name": str(self.settings.get("name", "")),
            "study_directory": str(self.path),
            **summarise([summaries.get(seed) for seed in seeds], seeds),
            "environment": (self.settings.get("environment") or {}).get("id"),
            "failures": failures,
            "unfinished": [seed for seed in self.seeds if seed not in done | failed],
        }

    def frame(self) -> Any:
        """The finished runs as a pandas DataFrame: a row for each seed, with cost, success and scores as columns.

        Raises:
            EvonetError: pandas is not installed.
        """
        pandas = pandas_for("frame")
        return pandas.DataFrame(self.summary["runs"]).set_index("seed")

    @cached_property
    def best_run(self) -> LoadedRun:
        """The finished run whose champion has the highest validation mean; of equals, that of the lowest seed.

        The test scores choose nothing, so that the test of this champion stays fair.

        Raises:
            ConfigError: no finished run has a champion.
        """
        scored = [run for run in self.runs if run.finished and run.summary["champion"] is not None]
        if not scored:
            raise ConfigError(f"{self.path} has no finished run with a champion yet")
        return max(scored, key=_validation)

    @property
    def champion(self) -> Champion | None:
        """The champion of `best_run`."""
        return self.best_run.champion

    def __repr__(self) -> str:
        return f"<study {self.path} of {len(self.seeds)} runs>"


def load_run_or_best(
    path: str | Path, allow_imports: Collection[str] = (), say: Callable[[str], None] = lambda _: None
) -> LoadedRun:
    """Load a run; of a study, the run that is best by validation.

    Args:
        path: the directory of a run or a study, or `last`.
        allow_imports: the only modules that may be imported when the champion acts in its environment.
        say: called with a sentence that names the run of a study.

    Raises:
        ConfigError: `path` is neither, or no finished run of the study has a champion.
    """
    path = resolve_last(path)
    if not is_study(path):
        return load_run(path, allow_imports)
    study = LoadedStudy(path, allow_imports)
    run = study.best_run
    say(f"{path} is a study of {len(study.seeds)} runs; this is its best by validation, {run.path}")
    return run


def _validation(run: LoadedRun) -> float:
    mean = run.summary["champion"]["validation_mean"]
    return -np.inf if mean is None else float(mean)
