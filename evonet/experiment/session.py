"""The objects of a run: made from its config, saved to checkpoints, and restored from them; `run_loop.py` runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from evonet.champion import Champion, score_of
from evonet.champion_selection import held_out_episodes
from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.elite_validation import evaluate_held_out
from evonet.errors import CheckpointError, EvonetError, OutOfTime
from evonet.evaluation.task_descriptions import describe_task
from evonet.evolution import evolve
from evonet.experiment.archives import archive_summary, build_archive, packed_archive
from evonet.experiment.build import (
    build_algorithm,
    build_fitness,
    build_race,
    build_stop_rule,
    build_validation,
    build_validation_fitness,
)
from evonet.experiment.config.config import Config
from evonet.experiment.interruption import alarm
from evonet.experiment.run_files.champion_results import champion_results
from evonet.experiment.run_files.checkpoint import Checkpoint
from evonet.experiment.run_files.generation_log import GenerationLog, search_metrics
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.experiment.run_files.tracking import require_trackers
from evonet.experiment.run_warnings import fitness_warnings, worker_warnings
from evonet.experiment.start_champion import start_champion
from evonet.experiment.target import target_of, target_warnings
from evonet.experiment.training_episodes import build_training_episodes
from evonet.fingerprint import fingerprint, versions
from evonet.fitness import EpisodeReturn, Fitness
from evonet.generation import Generation
from evonet.seeding import Purpose, episode_seeds
from evonet.strategies.algorithm import search_distribution, uses_linear_algebra


class Session:
    """The objects of a run; a context manager, which closes them.

    Args:
        config: the config.
        say: called with each warning.
        executor: runs the episodes instead of this machine.
        resumed: whether `restore` follows; then nothing is read that only a run's start needs.

    Attributes:
        config: the config.
        say: called with each warning.
        fitness: the fitness of training.
        validation_fitness: the fitness of validation and test.
        evolution: the loop over generations.
        stop_rule: decides whether the run is over.
        log: writes generations to the journals.
        checkpoint: the checkpoint from which the run continues; None for a new run.
        last_state: the evolution's state after its last finished generation; None before the first.

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
        self.config = config
        self.say = say
        self.log = GenerationLog()
        self.checkpoint: Checkpoint | None = None
        self.last_state: dict[str, Any] | None = None
        self._has_executor = executor is not None
        require_trackers(config.settings.tracking)
        self.fitness = self.validation_fitness = build_fitness(config, executor)
        try:
            for warning in fitness_warnings(self.fitness):
                say(warning)
            if executor is None:
                for warning in worker_warnings("evaluation.workers", config.settings.evaluation.workers):
                    say(warning)
            settings = config.settings
            start = None if resumed else start_champion(config, self.fitness)
            algorithm = build_algorithm(config, self.fitness.architecture, start)
            self._first_distribution = search_distribution(algorithm)
            self._starts_warm = start is not None
            self.validation_fitness = build_validation_fitness(config, self.fitness, executor)
            self._target = target_of(config)
            for warning in target_warnings(config):
                say(warning)
            self._test_episodes = held_out_episodes(settings.test.episodes, self.validation_fitness)
            self.stop_rule = build_stop_rule(config, self._target, self._test_episodes)
            self._policy_spec = policy_spec(self.validation_fitness)
            training = build_training_episodes(config, self.fitness, algorithm)
            self.evolution = evolve(
                algorithm,
                self.fitness,
                seed=settings.seed,
                validation=build_validation(config, algorithm),
                faults=settings.faults.build(),
                validation_fitness=self.validation_fitness,
                normaliser=None if start is None else start.normaliser,
                archive=build_archive(config),
                race=build_race(config, self.fitness, algorithm),
                episodes=training.episodes,
                max_steps=training.max_steps,
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
            self.evolution.restore(state["evolution"])
            self.stop_rule.restore(state["stop"])
            self.log.restore(state["chronicle"])
            if "first_mean" in state:
                self._first_distribution, self._starts_warm = (np.array(state["first_mean"]), 0.0), True
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"the checkpoint of generation {checkpoint.generation} does not fit the run: "
                f"{type(error).__name__}: {error}; nothing was changed"
            ) from error
        self.checkpoint = checkpoint
        self.last_state = state["evolution"]

    @property
    def end_reason(self) -> str | None:
        """The reason why the restored run is over; None if it has a generation to run."""
        return None if self.checkpoint is None else self.stop_rule.reason(self.checkpoint.seconds)

    def check(self) -> None:
        """Try the environment, unless a kernel runs in its place; `say` gets the findings."""
        if getattr(self.fitness, "runs_foreign_code", False):
            from evonet.experiment.start_check import start_check  # a run with a kernel starts without it

            for finding in start_check(self.config, self.fitness, self.evolution.algorithm):
                self.say(f"{finding.level}: {finding.message}")

    def next_generation(self, started: float) -> Generation | None:
        """The next generation; None if the time was up, and the state is that of the generation before it.

        Args:
            started: when the run started, by `time.monotonic`.

        Raises:
            EvonetError: the time of the run was up before its first generation was done.
        """
        limit = self.config.settings.stop.seconds
        test = self._test_episodes * self.evolution.seconds_per_held_out_episode  # its time counts too
        try:
            with alarm(None if limit is None else started + limit - test - time.monotonic()):
                return next(self.evolution)
        except OutOfTime:
            if not self._has_executor:
                self.close()  # an environment may be in the middle of a step; the test begins with new ones
            if self.last_state is None:
                message = f"stop.seconds is {limit:g}, and the first generation was not done by then"
                raise EvonetError(
                    f"{message}; raise it, or lower algorithm.population_size, evaluation.episodes or "
                    "validation.episodes"
                ) from None
            self.evolution.restore(self.last_state)
            return None

    def log_generation(self, generation: Generation, seconds: float, directory: RunDirectory) -> dict[str, Any]:
        """Write a generation to the journals, and remember the state after it; returns its metrics."""
        metrics = self.log.add(
            generation, seconds, directory, search_metrics(self.evolution.algorithm, self._first_distribution)
        )
        self.last_state = self.evolution.state()
        return metrics

    def checkpoint_factory(self, directory: RunDirectory, generation: int, seconds: float) -> Callable[[], Checkpoint]:
        """A function that makes the checkpoint of this generation, also later; the costly work is in its call."""
        marks = directory.marks
        linear_algebra = uses_linear_algebra(self.evolution.algorithm)
        state: dict[str, Any] = {
            "evolution": self.last_state,
            "stop": self.stop_rule.state(),
            "chronicle": self.log.state(),
            "acting": self._policy_spec,
        }
        if self._starts_warm and self._first_distribution is not None:  # resuming does not read the start again
            state["first_mean"] = self._first_distribution[0]

        def make() -> Checkpoint:
            directory.sync_journals()
            known = fingerprint(linear_algebra=linear_algebra)
            return Checkpoint(generation, seconds, self.config.resolved, known, marks, state)

        return make

    def test(self, champion: Champion) -> Champion:
        """The champion with its score on fresh episodes in the Gymnasium environment, or by the fitness function."""
        settings, fitness = self.config.settings, self.validation_fitness
        seeds = episode_seeds(settings.seed, Purpose.TEST, 0, self._test_episodes)
        isolated = isinstance(fitness, EpisodeReturn) and fitness.isolated  # a crash then ends a worker process only
        if isolated or champion.task is None:
            results = fitness(champion.genome[None, :], seeds, champion.normaliser)
        else:
            results = champion.run(seeds)
        if results.faults:
            self.say(f"test: {results.failures}")
        return champion.tested(score_of(champion.task, results, 0))

    def validate_archive(self, directory: RunDirectory) -> dict[str, Any]:
        """Run the archive's elites on held-out episodes where the config says so; returns the summary's entry."""
        archive, episodes = self.evolution.archive, self.config.settings.validation.archive_episodes
        if archive is None:
            return {}
        if episodes is None or not len(archive):
            return {"archive": archive_summary(archive)}
        held_out = evaluate_held_out(
            archive.elites.genomes,
            archive.measure_names,
            self.validation_fitness,
            self.config.settings.seed,
            episodes,
            self.evolution.normaliser,
        )
        directory.write_archive(packed_archive(archive, held_out))
        return {"archive": archive_summary(archive, held_out)}

    def summary(self, champion: Champion | None, path: Path, times: Mapping[str, float], reason: str) -> dict[str, Any]:
        """The summary of the finished run, as in `run.json`; archive, pruning and refinement have entries of their own.

        Args:
            champion: the tested champion; None without one.
            path: the run directory.
            times: `seconds` of the whole run, and `test_seconds` of the test.
            reason: the reason why the run ended.
        """
        settings, evolution = self.config.settings, self.evolution
        return {
            "name": settings.name,
            "run_directory": str(path),
            "environment": settings.environment and settings.environment.id,
            "seed": settings.seed,
            "engine": getattr(self.fitness, "engine", "function"),
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
        self.fitness.close()
        if self.validation_fitness is not self.fitness:
            self.validation_fitness.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def policy_spec(fitness: Fitness) -> dict[str, Any]:
    """The architecture and the task as plain data, with which a checkpoint's genomes become policies."""
    return {"architecture": fitness.architecture.to_dict(), "task": fitness.task and describe_task(fitness.task)}
