"""A running experiment: built from a config, started or restored from a checkpoint, and run to its end."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from evonet.champion import Champion, score_of
from evonet.champion_selection import held_out_episodes
from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.elite_validation import held_out
from evonet.errors import CheckpointError, EvonetError, OutOfTime, RunDirectoryError
from evonet.evaluation.task_descriptions import describe_task
from evonet.evolution import Generation, evolve
from evonet.experiment.archives import archive_summary, build_archive, packed_archive
from evonet.experiment.build import (
    build_algorithm,
    build_fitness,
    build_stop_rule,
    build_validation,
    build_validation_fitness,
    limit_warning,
    target_of,
    target_warnings,
    too_many_workers,
    warnings_for,
)
from evonet.experiment.checkpoint import Checkpoint, CheckpointWriter
from evonet.experiment.config import Config
from evonet.experiment.fault_journal import faults_recorded
from evonet.experiment.fronts import front_entry
from evonet.experiment.generation_log import GenerationLog, search_metrics
from evonet.experiment.interruption import Interruption, alarm
from evonet.experiment.meanwhile import meanwhile
from evonet.experiment.permissions import flags_for
from evonet.experiment.refinement import refine
from evonet.experiment.results import champion_results
from evonet.experiment.run_directory import RunDirectory
from evonet.experiment.start_champion import start_champion
from evonet.experiment.tracking import Tracker, make_trackers, require_trackers
from evonet.fingerprint import fingerprint, versions
from evonet.fitness import EpisodeReturn, Fitness
from evonet.seeding import Purpose, episode_seeds
from evonet.shell import command
from evonet.strategies.algorithm import search_distribution, uses_linear_algebra

Watcher = Callable[[Generation, float], None]

_RESUME, _ANEW = "resume with", "nothing was saved yet; start again with"


class Session:
    """The parts of a run; a context manager, which closes them.

    Args:
        config: the config.
        say: called with each warning.
        executor: runs the episodes instead of this machine.
        resumed: whether `restore` follows; then nothing is read that only a run's start needs.

    Raises:
        EvonetError: the config cannot be run.
    """

    def __init__(
        self,
        config: Config,
        say: Callable[[str], None],
        executor: FuturesExecutor | Cluster | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        self._config = config
        self._say = say
        self._elsewhere = executor is not None
        self._log = GenerationLog()
        self._checkpoint: Checkpoint | None = None
        self._kept: dict[str, Any] | None = None  # the evolution's state after its last finished generation
        require_trackers(config.settings.tracking)
        self._fitness = self._validation_fitness = build_fitness(config, executor)
        try:
            for warning in warnings_for(self._fitness):
                say(warning)
            if executor is None:
                for warning in too_many_workers("evaluation.workers", config.settings.evaluation.workers):
                    say(warning)
            settings = config.settings
            start = None if resumed else start_champion(config, self._fitness)
            algorithm = build_algorithm(config, self._fitness.architecture, start)
            self._first_distribution = search_distribution(algorithm)
            self._starts_warm = start is not None
            self._validation_fitness = build_validation_fitness(config, self._fitness, executor)
            self._target = target_of(config)
            for warning in target_warnings(config):
                say(warning)
            self._test_episodes = held_out_episodes(settings.test.episodes, self._validation_fitness)
            self._rule = build_stop_rule(config, self._target, self._test_episodes)
            self._policy_spec = policy_spec(self._validation_fitness)
            self._evolution = evolve(
                algorithm,
                self._fitness,
                seed=settings.seed,
                validation=build_validation(config),
                faults=settings.faults.build(),
                validation_fitness=self._validation_fitness,
                normaliser=None if start is None else start.normaliser,
                archive=build_archive(config),
            )
        except BaseException:
            self.close()
            raise

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint.

        Raises:
            CheckpointError: the checkpoint does not fit the run.
        """
        state = checkpoint.state
        try:
            self._evolution.restore(state["evolution"])
            self._rule.restore(state["stop"])
            self._log.restore(state["chronicle"])
            if "first_mean" in state:
                self._first_distribution, self._starts_warm = (np.array(state["first_mean"]), 0.0), True
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"the checkpoint of generation {checkpoint.generation} does not fit the run: "
                f"{type(error).__name__}: {error}; nothing was changed"
            ) from error
        self._checkpoint = checkpoint
        self._kept = state["evolution"]

    @property
    def over(self) -> str | None:
        """The reason why the run is over; None if it has a generation to run."""
        return None if self._checkpoint is None else self._rule.reason_now(self._checkpoint.seconds)

    def drive(
        self,
        directory: RunDirectory,
        watch: Watcher,
        interruption: Interruption,
        *,
        check: bool = False,
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Run to the end; writes and returns the summary.

        A run that is stopped earlier saves its last finished generation.

        Args:
            directory: the run directory.
            watch: called with each generation and the run's seconds.
            interruption: raises the signals that stop the run.
            check: whether the run begins with a trial of its environment.
            reason: the reason why no further generation is run; by default the stop rule decides.
        """
        since = self._checkpoint
        started = time.monotonic() - (0.0 if since is None else since.seconds)
        writer = CheckpointWriter(directory.files, self._config.settings.checkpoints.build(), since)
        with contextlib.ExitStack() as stack:
            flags = flags_for(directory.location, self._config.allowed_imports)
            resume = command("evonet", "resume", directory.path, *flags)
            finish = command("evonet", "finish", directory.path, *flags)
            stack.enter_context(_resume_advice(interruption, finish))
            interruption.advice = f"{_RESUME if self._kept else _ANEW}: {resume}"
            stack.enter_context(contextlib.closing(writer))
            stack.enter_context(_saved_on_error(writer))
            stack.enter_context(faults_recorded(directory, self._evolution, self._config.allowed_imports))
            names, first = self._config.settings.tracking, self._evolution.generations
            trackers = make_trackers(names, directory, self._config.resolved, first)
            for tracker in trackers:
                stack.enter_context(contextlib.closing(tracker))
            reason = reason or self._rule.reason_now(time.monotonic() - started)
            if check and reason is None:
                self._check()
            while reason is None:
                generation = self._next_generation(started)
                if generation is None:
                    reason = "seconds"
                    break
                with interruption.held():
                    seconds = self._record(generation, started, directory, trackers)
                    reason = self._rule.reason(generation, seconds)
                    make = self._snapshot(directory, generation.number, seconds)
                    writer.offer(generation.number, make)
                    interruption.advice = f"{_RESUME}: {resume}"
                if generation.number == 0 and (limit := limit_warning(self._fitness, generation.results)) is not None:
                    self._say(limit)
                watch(generation, seconds)
            front = front_entry(self._config, self._evolution, self._validation_fitness)
            run_generation = functools.partial(
                self._refined_generation, started, directory, trackers, watch, interruption
            )
            refinement = refine(self._config, self._evolution, run_generation)
            with meanwhile(writer.flush):  # the disk is written while the test runs
                test_started = time.monotonic()
                champion = self._evolution.champion and self._test(self._evolution.champion)
                test_seconds = time.monotonic() - test_started
            many = self._archive(directory) | front
            with interruption.held():
                if champion is not None:
                    self._write_champion(champion, directory, trackers)
                times = {"seconds": time.monotonic() - started, "test_seconds": test_seconds}
                summary = self._summary(champion, directory.path, times, reason) | many | refinement
                directory.write_summary(summary)
        return summary

    def _record(
        self, generation: Generation, started: float, directory: RunDirectory, trackers: Sequence[Tracker]
    ) -> float:
        """Write a generation to the journals and the trackers; returns the seconds since the start of the run."""
        seconds = time.monotonic() - started
        search = search_metrics(self._evolution.algorithm, self._first_distribution)
        metrics = self._log.add(generation, seconds, directory, search)
        for tracker in trackers:
            tracker.write(metrics)
        self._kept = self._evolution.state()
        return seconds

    def _refined_generation(
        self,
        started: float,
        directory: RunDirectory,
        trackers: Sequence[Tracker],
        watch: Watcher,
        interruption: Interruption,
    ) -> Generation | None:
        """A generation of the refinement, written to the journals; None if its time was up."""
        generation = self._next_generation(started)
        if generation is not None:
            with interruption.held():
                seconds = self._record(generation, started, directory, trackers)
            watch(generation, seconds)
        return generation

    def _check(self) -> None:
        if getattr(self._fitness, "runs_foreign_code", False):
            from evonet.experiment.start_check import start_check  # a run with a kernel starts without it

            for finding in start_check(self._config, self._fitness, self._evolution.algorithm):
                self._say(f"{finding.level}: {finding.message}")

    def _next_generation(self, started: float) -> Generation | None:
        """The next generation; None if its time was up, and the state is that of the generation before it.

        Raises:
            EvonetError: the time of the run was up before its first generation was done.
        """
        limit = self._config.settings.stop.seconds
        test = self._test_episodes * self._evolution.seconds_per_held_out_episode  # its time counts too
        try:
            with alarm(None if limit is None else started + limit - test - time.monotonic()):
                return next(self._evolution)
        except OutOfTime:
            if not self._elsewhere:
                self.close()  # an environment may be in the middle of a step; the test begins with new ones
            if self._kept is None:
                message = f"stop.seconds is {limit:g}, and the first generation was not done by then"
                raise EvonetError(
                    f"{message}; raise it, or lower algorithm.population_size, evaluation.episodes or "
                    "validation.episodes"
                ) from None
            self._evolution.restore(self._kept)
            return None

    def _snapshot(self, directory: RunDirectory, generation: int, seconds: float) -> Callable[[], Checkpoint]:
        """A function that makes the checkpoint of this generation, also later; the costly work is in its call."""
        marks = directory.marks
        linear_algebra = uses_linear_algebra(self._evolution.algorithm)
        state: dict[str, Any] = {
            "evolution": self._kept,
            "stop": self._rule.state(),
            "chronicle": self._log.state(),
            "acting": self._policy_spec,
        }
        if self._starts_warm and self._first_distribution is not None:  # resuming does not read the start again
            state["first_mean"] = self._first_distribution[0]

        def make() -> Checkpoint:
            directory.sync_journals()
            known = fingerprint(linear_algebra=linear_algebra)
            return Checkpoint(generation, seconds, self._config.resolved, known, marks, state)

        return make

    def _test(self, champion: Champion) -> Champion:
        """The champion with its score on fresh episodes in the Gymnasium environment, or by the fitness function."""
        settings, fitness = self._config.settings, self._validation_fitness
        seeds = episode_seeds(settings.seed, Purpose.TEST, 0, self._test_episodes)
        isolated = (
            isinstance(fitness, EpisodeReturn) and fitness.isolated
        )  # a crash of the environment then ends a worker only
        if isolated or champion.task is None:
            results = fitness(champion.genome[None, :], seeds, champion.normaliser)
        else:
            results = champion.run(seeds)
        if results.faults:
            self._say(f"test: {results.failures}")
        return champion.tested(score_of(champion.task, results, 0))

    def _archive(self, directory: RunDirectory) -> dict[str, Any]:
        """The archive's entry of the summary; its elites are run on held-out episodes where the config says so."""
        archive, episodes = self._evolution.archive, self._config.settings.validation.archive_episodes
        if archive is None:
            return {}
        if episodes is None or not len(archive):
            return {"archive": archive_summary(archive)}
        seed, normaliser = self._config.settings.seed, self._evolution.normaliser
        genomes = archive.elites.genomes
        checked = held_out(genomes, archive.measure_names, self._validation_fitness, seed, episodes, normaliser)
        directory.write_archive(packed_archive(archive, checked))
        return {"archive": archive_summary(archive, checked)}

    def _write_champion(self, champion: Champion, directory: RunDirectory, trackers: Sequence[Tracker]) -> None:
        """Write the tested champion into the run directory, and its score to the trackers."""
        assert champion.test is not None
        directory.write_champion(champion)
        for tracker in trackers:
            tracker.write_test(champion.test.mean, self._evolution.generations - 1)

    def _summary(
        self, champion: Champion | None, path: Path, times: Mapping[str, float], reason: str
    ) -> dict[str, Any]:
        settings, evolution = self._config.settings, self._evolution
        return {
            "name": settings.name,
            "run_directory": str(path),
            "environment": settings.environment and settings.environment.id,
            "seed": settings.seed,
            "engine": getattr(self._fitness, "engine", "function"),
            "generations": evolution.generations,
            "evaluations": evolution.evaluations,
            "environment_steps": evolution.environment_steps,
            "validation_steps": evolution.validation_steps,
            "seconds": round(times["seconds"], 3),
            "validation_seconds": round(evolution.validation_seconds, 3),
            "test_seconds": round(times["test_seconds"], 3),
            "stopped_by": reason,
            **champion_results(champion, self._target),
            "versions": versions(),
        }

    def close(self) -> None:
        """Close environments and end worker processes."""
        self._fitness.close()
        if self._validation_fitness is not self._fitness:
            self._validation_fitness.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def policy_spec(fitness: Fitness) -> dict[str, Any]:
    """The architecture and the task as plain data, with which a checkpoint's genomes become policies."""
    return {"architecture": fitness.architecture.to_dict(), "task": fitness.task and describe_task(fitness.task)}


@contextlib.contextmanager
def _resume_advice(interruption: Interruption, finish: str) -> Iterator[None]:
    """A context that adds the commands that continue or end the run to an error that a user can repair."""
    try:
        yield
    except (EvonetError, KeyboardInterrupt) as error:
        if "evonet resume" not in str(error):
            error.add_note(interruption.advice)
        if isinstance(error, KeyboardInterrupt) and interruption.advice.startswith(_RESUME):
            error.add_note(f"or end it here and test its champion: {finish}")
        raise


@contextlib.contextmanager
def _saved_on_error(writer: CheckpointWriter) -> Iterator[None]:
    """A context in which an error saves the last finished generation, unless the disk is what failed."""
    try:
        yield
    except RunDirectoryError:
        raise
    except BaseException:
        with contextlib.suppress(RunDirectoryError, CheckpointError):
            writer.flush()
        raise
