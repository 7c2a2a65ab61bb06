"""Experiments and studies from Python: run a config, and load what it found.

>>> import evonet
>>> run = evonet.run("cartpole", seed=3, output="runs/mine")  # doctest: +SKIP
>>> run.champion.test.mean  # doctest: +SKIP
500.0
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.errors import EvonetWarning
from evonet.evaluation.executors import Workers
from evonet.experiment.config.catalogue import config_path
from evonet.experiment.config.config import Config
from evonet.experiment.run_loop import Watcher
from evonet.experiment.seed_run import Outcome
from evonet.files.text import short_repr
from evonet.inspection.loaded_run import LoadedRun, load_run
from evonet.inspection.loaded_study import LoadedStudy, load_study
from evonet.processes.worker import end_if_main_is_imported
from evonet.settings import Count, Natural, check


def run(
    config: str | os.PathLike[str] | Mapping[str, Any],
    *,
    seed: Natural | None = None,
    workers: Workers | None = None,
    output: str | os.PathLike[str] | None = None,
    allow_imports: Sequence[str] = (),
    executor: FuturesExecutor | Cluster | None = None,
    watch: Watcher = lambda *_: None,
) -> LoadedRun:
    """Run an experiment to its end, as `evonet run` does, and load the run.

    A script that runs with worker processes needs the line `if __name__ == "__main__":` above what it does.

    Args:
        config: path of a YAML file, the name of a shipped config such as "cartpole", or the config itself as a dict.
        seed: seed of the run; by default the config's.
        workers: worker processes, or "auto"; by default the config's. The results do not depend on them.
        output: the run directory; by default a new one below `runs`.
        allow_imports: modules that the config may import.
        executor: runs the episodes instead of this machine: a Dask `Client`, or an executor whose futures are those of
            `concurrent.futures`.
        watch: called with each generation and the seconds since the start.

    Returns:
        The run: its champion, scores, metrics and lineage.

    Raises:
        ConfigError: the config cannot be read, or values in it break rules; the message has a line for each.
        EvonetError: the config cannot be run, or its files cannot be written.
        TypeError, ValueError: `seed` or `workers` is out of range.
        KeyboardInterrupt: Ctrl-C or SIGTERM; `evonet resume` continues the run.
    """
    from evonet.experiment import runner

    end_if_main_is_imported()
    check(run, {"seed": seed, "workers": workers})
    changes = {"seed": seed, "evaluation.workers": workers}
    loaded = _config(config, [f"{key}={value}" for key, value in changes.items() if value is not None], allow_imports)
    summary = runner.run(loaded, _path(output), watch, _warn, executor)
    return load_run(summary["run_directory"], allow_imports)


def study(
    config: str | os.PathLike[str] | Mapping[str, Any],
    seeds: Count | Sequence[int] = 10,
    *,
    workers: Count | None = None,
    output: str | os.PathLike[str] | None = None,
    allow_imports: Sequence[str] = (),
    executor: FuturesExecutor | Cluster | None = None,
    watch: Callable[[Outcome], None] = lambda _: None,
) -> LoadedStudy:
    """Run a config with many seeds, as `evonet study` does, and load the study.

    The same call again runs only the seeds that are missing. A script needs the line `if __name__ == "__main__":` above
    what it does.

    Args:
        config: as for `run`.
        seeds: the number of seeds, from 0 on, or the seeds themselves.
        workers: runs at the same time; by default one for each core. The results do not depend on them.
        output: the study's directory; by default `runs/<name>-study`.
        allow_imports: modules that the config may import.
        executor: runs the seeds instead of this machine, as for `evonet.experiment.study.study`.
        watch: called with the outcome of each seed.

    Returns:
        The study: its runs, and their results together.

    Raises:
        EvonetError: the config cannot be run, or the directory holds another study or cannot be written.
        TypeError, ValueError: `seeds` or `workers` is out of range.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the same call continues the study.
    """
    from evonet.experiment import study as studies

    end_if_main_is_imported()
    check(study, {"workers": workers, "seeds": seeds})
    chosen = list(seeds if isinstance(seeds, Sequence) else range(seeds))
    for seed in chosen:
        check(run, {"seed": seed})
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"study.seeds must be different from each other, got {short_repr(seeds)}")
    loaded = _config(config, [], allow_imports)
    summary = studies.study(loaded, chosen, _path(output), workers, executor, watch, _warn)
    return load_study(summary["study_directory"], allow_imports)


def _config(
    config: str | os.PathLike[str] | Mapping[str, Any], overrides: Sequence[str], allow_imports: Sequence[str]
) -> Config:
    source = config if isinstance(config, Mapping) else config_path(os.fspath(config))
    return Config.load(source, overrides, allow_imports)


def _path(output: str | os.PathLike[str] | None) -> Path | None:
    return None if output is None else Path(output)


def _warn(message: str) -> None:
    warnings.warn(message.removeprefix("warning: "), EvonetWarning, stacklevel=3)
