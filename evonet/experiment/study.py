"""A study: parallel runs of one config with many seeds, each in its own directory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evonet.cluster.executor import Cluster, FuturesExecutor, cluster_of
from evonet.experiment.build import build_algorithm, build_fitness, build_race
from evonet.experiment.config.config import Config
from evonet.experiment.config.permissions import remember_permissions
from evonet.experiment.interruption import interruptible
from evonet.experiment.run_files.run_directory import to_json
from evonet.experiment.run_files.summaries import STUDY
from evonet.experiment.run_files.tracking import require_trackers
from evonet.experiment.run_warnings import fitness_warnings, worker_warnings
from evonet.experiment.seed_run import Outcome
from evonet.experiment.seed_runners import seed_runner
from evonet.experiment.start_champion import start_champion
from evonet.experiment.start_check import start_check
from evonet.experiment.study_directory import (
    default_study_path,
    finished_summary,
    open_study,
    write_text,
)
from evonet.experiment.study_summary import summarise
from evonet.experiment.target import target_warnings
from evonet.fitness import EpisodeReturn
from evonet.foreign import working_directory_kept
from evonet.processes.cores import cores


def study(
    config: Config,
    seeds: Sequence[int],
    output: Path | None = None,
    workers: int | None = None,
    executor: FuturesExecutor | Cluster | None = None,
    watch: Callable[[Outcome], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    *,
    check: bool = True,
) -> dict[str, Any]:
    """Run a config with each of `seeds`, except those that the study's directory has finished runs of.

    Args:
        config: the config; its own seed and number of workers are ignored.
        seeds: the seeds, all different.
        output: the study's directory, in which each run has `seed-<n>`; by default `runs/<name>-study`.
        workers: the number of parallel runs, by default one for each core; not used by an executor. The results do not
            depend on it.
        executor: runs the seeds, instead of processes on this machine: a Dask client or cluster, which needs no shared
            file system, or any object with a method `submit` whose workers can access `output`.
        watch: called with the outcome of each seed.
        say: called with each warning.
        check: whether the study begins with a trial of its environment, as a run does.

    Returns:
        The study's summary, as in `study.json`.

    Raises:
        ClusterUnavailable: the Dask scheduler does not answer, or has no workers; the same call resumes the study.
        EvonetError: the config cannot be run, or the directory holds another study or cannot be written.
        KeyboardInterrupt: a signal interrupted the study; the same call resumes it.
    """
    _check_config(config, say, check=check)
    for warning in worker_warnings("--workers", workers):
        say(warning)
    path = output or default_study_path(config.settings.name)
    with interruptible(), open_study(path, config, say) as directory:
        remember_permissions(path, config.allowed_imports)
        started = time.monotonic()
        summaries = {seed: finished_summary(path, seed) for seed in seeds}
        outcomes = {seed: Outcome(seed, found) for seed, found in summaries.items() if found is not None}
        for outcome in outcomes.values():
            watch(outcome)
        missing = [seed for seed in seeds if seed not in outcomes]
        cluster = None if executor is None else cluster_of(executor)
        at_once = max(
            1, min((cores() if cluster is None else cluster.threads) if workers is None else workers, len(missing))
        )
        run_seeds = seed_runner(at_once, executor)
        with contextlib.closing(run_seeds(missing, path, config.allowed_imports)) as runs:
            for outcome in runs:
                outcomes[outcome.seed] = outcome
                watch(outcome)
        failures = [outcomes[seed] for seed in seeds if outcomes[seed].summary is None]
        summary = {
            "name": config.settings.name,
            "study_directory": str(path),
            **summarise([outcomes[seed].summary for seed in seeds], seeds),
            "failures": [{"seed": each.seed, "error": each.error, "traceback": each.traceback} for each in failures],
            "this_command": {
                "seconds": round(time.monotonic() - started, 3),
                "runs": len(missing),
                "at_once": at_once,
            },
        }
        write_text(directory, STUDY, to_json(summary, indent=2) + "\n")
        return summary


def _check_config(config: Config, say: Callable[[str], None], *, check: bool) -> None:
    """Make the fitness and the algorithm once, so that an error of every run is raised before any process starts."""
    require_trackers(config.settings.tracking)
    with working_directory_kept(), contextlib.closing(build_fitness(config)) as fitness:
        for warning in [*fitness_warnings(fitness), *target_warnings(config)]:
            say(warning)
        algorithm = build_algorithm(config, fitness.architecture, start_champion(config, fitness))
        build_race(config, fitness, algorithm)
        if check and isinstance(fitness, EpisodeReturn) and fitness.runs_foreign_code:
            for finding in start_check(config, fitness, algorithm):
                say(f"{finding.level}: {finding.message}")
