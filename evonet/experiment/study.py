"""A study: one config with many seeds, each an ordinary run in a directory of its own, many at once."""

from __future__ import annotations

import contextlib
import shutil
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonet.cluster.executor import Cluster, FuturesExecutor, cluster_of
from evonet.errors import CheckpointError, EvonetError
from evonet.experiment.build import build_algorithm, build_fitness, notices
from evonet.experiment.config import Config
from evonet.experiment.interruption import interruptible
from evonet.experiment.processes import Processes
from evonet.experiment.run_directory import CONFIG, to_json
from evonet.experiment.runner import resume, run
from evonet.experiment.study_directory import (
    STUDY,
    default_study_path,
    finished,
    open_study,
    run_directory,
    write_text,
)
from evonet.experiment.study_summary import summarise
from evonet.processes.cores import cores


@dataclass(frozen=True)
class Outcome:
    """What became of one seed.

    Attributes:
        seed: which.
        summary: of its run, None if it failed.
        error: why it failed, in a line.
        traceback: where; empty if the reason says all.
    """

    seed: int
    summary: dict[str, Any] | None
    error: str = ""
    traceback: str = ""


def study(
    config: Config,
    seeds: Sequence[int],
    output: Path | None = None,
    workers: int | None = None,
    executor: FuturesExecutor | Cluster | None = None,
    watch: Callable[[Outcome], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run a config with each of `seeds`; those that a directory holds finished are not run again.

    Args:
        config: what to run; its own seed and workers do not count.
        seeds: of the runs, all different.
        output: the study's directory, in which each run has `seed-<n>`; by default `runs/<name>-study`.
        workers: runs at once; by default one for each core. The results do not depend on it. An executor's are its own.
        executor: what runs them, instead of processes on this machine: a Dask client or cluster, whose machines need
            share no files with this one, or what else has a method `submit`, whose workers must see `output`.
        watch: told of each seed that is done.
        say: told what a person should know before the runs.

    Returns:
        The study's summary, as it stands in `study.json`.

    Raises:
        ClusterUnavailable: the Dask scheduler does not answer, or has no workers; the same call goes on.
        EvonetError: the config cannot be run, the directory belongs to another one, or it cannot be written.
        KeyboardInterrupt: a signal came; the same call goes on with the same study.
    """
    _try_out(config, say)
    path = output or default_study_path(config.settings.name)
    with interruptible(), open_study(path, config, say) as directory:
        started = time.monotonic()
        outcomes = {seed: Outcome(seed, summary) for seed in seeds if (summary := finished(path, seed)) is not None}
        for outcome in outcomes.values():
            watch(outcome)
        missing = [seed for seed in seeds if seed not in outcomes]
        cluster = None if executor is None else cluster_of(executor)
        at_once = max(
            1, min((cores() if cluster is None else cluster.threads) if workers is None else workers, len(missing))
        )
        with contextlib.closing(_run(missing, path, config, at_once, executor)) as ended:
            for outcome in ended:
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


def _run(
    seeds: Sequence[int], path: Path, config: Config, at_once: int, executor: FuturesExecutor | Cluster | None
) -> Generator[Outcome]:
    """What becomes of each seed, as soon as it is known."""
    if not seeds:
        return
    cluster = cluster_of(executor)
    if cluster is not None:
        from evonet.experiment.cluster_study import runs_on  # Dask is an extra

        yield from runs_on(cluster, seeds, path, config.allowed_imports)
        return
    with contextlib.ExitStack() as stack:
        assert not isinstance(executor, Cluster)
        used: FuturesExecutor = executor or stack.enter_context(Processes(at_once))
        arguments = (str(path), tuple(config.allowed_imports))
        pending = {used.submit(run_seed, seed, *arguments): seed for seed in seeds}
        for future in as_completed(pending):
            yield _outcome(pending[future], future)


def run_seed(seed: int, study_path: str, allowed_imports: Sequence[str]) -> Outcome:
    """Run one seed of the study at `study_path`, in the process that calls; a run that was stopped goes on."""
    try:
        summary = _summary_of(seed, Path(study_path), allowed_imports)
    except EvonetError as error:
        return Outcome(seed, None, str(error))
    except Exception as error:  # noqa: BLE001 - the others shall go on, whatever it is
        return Outcome(seed, None, f"{type(error).__name__}: {error}", traceback.format_exc())
    return Outcome(seed, summary)


def _summary_of(seed: int, study_path: Path, allowed_imports: Sequence[str]) -> dict[str, Any]:
    path = run_directory(study_path, seed)
    if (path / CONFIG).exists():
        try:
            return resume(path, allowed_imports=allowed_imports)
        except CheckpointError:  # from its start it will find the same
            shutil.rmtree(path)
    config = Config.load(str(study_path / CONFIG), (f"seed={seed}",), allowed_imports, follow_links=False)
    return run(config, path)


def _try_out(config: Config, say: Callable[[str], None]) -> None:
    """Meet here, before any process is started, what would fail in every run."""
    fitness = build_fitness(config)
    try:
        for notice in notices(fitness):
            say(notice)
        build_algorithm(config, fitness.architecture)
    finally:
        fitness.close()


def _outcome(seed: int, future: Future[Outcome]) -> Outcome:
    error = future.exception()
    return future.result() if error is None else Outcome(seed, None, str(error) or type(error).__name__)
