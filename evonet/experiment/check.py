"""The check of a config before a long run: a trial of its environment, one evaluation done twice, and the costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from evonet.environments.checker import gymnasium_findings
from evonet.errors import TooManyFaults
from evonet.evaluation.kernels.task import why_no_kernel
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.experiment.archives import build_archive
from evonet.experiment.build import (
    build_algorithm,
    build_fitness,
    build_race,
    build_validation,
    check_validation_weights,
)
from evonet.experiment.config.config import Config
from evonet.experiment.costs import duration, proposal
from evonet.experiment.run_files.tracking import require_trackers
from evonet.experiment.run_warnings import fitness_warnings, time_limit_warning
from evonet.experiment.start_champion import start_champion
from evonet.experiment.start_check import (
    NOT_REPEATED,
    Finding,
    costs_of,
    failures,
    kind_of,
    population_size,
    trial_findings,
    try_out,
)
from evonet.experiment.target import target_of, target_warnings
from evonet.experiment.training_episodes import build_training_episodes
from evonet.fitness import EpisodeReturn, Fitness, is_repeatable
from evonet.seeding import Purpose, episode_seeds
from evonet.strategies.algorithm import Algorithm, ask
from evonet.task import Task

_GENOMES = 8
_TIMEOUT = 60.0
_SECONDS = 30.0  # for the evaluations together, and for an episode that is tried alone


def check_config(config: Config) -> Iterator[Finding]:
    """Check a config and its environment; each finding comes as soon as it is known.

    Raises:
        EvonetError: the fitness or the algorithm of the config cannot be made.
    """
    require_trackers(config.settings.tracking)
    fitness = build_fitness(_with_timeout(config))
    try:
        yield Finding("note", f"network {fitness.architecture}, {fitness.architecture.genome_size} genes")
        if fitness.task is not None and (message := why_no_kernel(fitness.task)):
            yield Finding("note", message)
        yield from (Finding("warning", warning) for warning in fitness_warnings(fitness))
        target_notes = target_warnings(config)
        if fitness.task is not None and target_of(config) is None and not target_notes:
            target_notes = ["no target: neither stop.target nor the environment gives one"]
        yield from (Finding("note", message) for message in target_notes)
        check = _Check(config, fitness)
        yield from check.findings()
        if fitness.task is not None:
            if check.faults:
                yield Finding("note", "Gymnasium's checker is left out until episodes can be scored")
            else:
                fitness.close()  # an environment beside another one may be impossible to make
                yield from _checker_findings(fitness.task)
        yield from check.costs()
    finally:
        fitness.close()


class _Check:
    """The trial and the evaluations of a check.

    Attributes:
        faults: the faults that were found.
    """

    def __init__(self, config: Config, fitness: Fitness) -> None:
        self._config = config
        self._fitness = fitness
        self._step_seconds = 0.0
        self._lengths: list[int] = []
        self.faults: Sequence[Fault] = ()

    @cached_property
    def _algorithm(self) -> Algorithm:
        start = start_champion(self._config, self._fitness)
        algorithm = build_algorithm(self._config, self._fitness.architecture, start)
        build_training_episodes(self._config, self._fitness, algorithm)
        build_race(self._config, self._fitness, algorithm)
        check_validation_weights(self._config)
        build_validation(self._config, algorithm)
        build_archive(self._config)
        return algorithm

    def findings(self) -> Iterator[Finding]:
        """The findings of a trial and, where episodes are cheap enough, of an evaluation that is done twice."""
        trial = try_out(self._config, self._fitness)
        repeated = trial is None or trial.cause is None
        if trial is not None:
            yield from trial_findings(self._config, trial)
            self.faults = trial.faults
            if trial.second_error or trial.faults:
                return
            self._step_seconds, self._lengths = trial.step_seconds, list(trial.lengths)
        networks = self._affordable()
        if networks < 2 and self._fitness.task is not None:
            yield Finding("note", f"a step takes {duration(self._step_seconds)}: one episode is tried")
            self._lengths = self._one_episode()
            networks = self._affordable()
        if networks < 2:
            yield Finding("note", "an episode takes too long for more than one: none was compared with its repetition")
            return
        yield from self._evaluation(networks, twice=repeated)

    def costs(self) -> Iterator[Finding]:
        """The times of a generation, a validation and the test; if they are long, also smaller numbers."""
        config, fitness = self._config, self._fitness
        if self.faults or not self._step_seconds or not isinstance(fitness, EpisodeReturn):
            return
        population = population_size(self._algorithm)
        costs = costs_of(config, fitness, population, self._step_seconds, self._lengths)
        yield Finding("warning" if costs.takes_long else "note", costs.described())
        numbers = proposal(config, fitness, population, costs) if costs.takes_long else ""
        if numbers:
            yield Finding("note", f"numbers with which each takes about a minute, to copy:\n{numbers.rstrip()}")

    def _affordable(self) -> int:
        """How many networks can be evaluated three times within `_SECONDS`, at most `_GENOMES`."""
        task = self._fitness.task
        if task is None or not self._step_seconds:
            return _GENOMES
        steps = float(np.mean(self._lengths)) if self._lengths else task.max_steps
        seconds = 3 * self._fitness.episodes * max(steps, 1.0) * self._step_seconds
        return min(_GENOMES, int(_SECONDS / seconds))

    def _one_episode(self) -> list[int]:
        """The length of an episode, if it ends by itself in time."""
        settings = self._config.settings
        assert settings.environment is not None
        assert self._fitness.task is not None
        steps = min(max(1, int(_SECONDS / self._step_seconds)), self._fitness.task.max_steps)
        environment = settings.environment.model_copy(update={"max_steps": steps})
        config = replace(self._config, settings=settings.model_copy(update={"environment": environment}))
        fitness = build_fitness(_with_timeout(config))
        try:
            genomes = ask(self._algorithm)[:1]
            results = fitness(genomes, episode_seeds(settings.seed, Purpose.TRAINING, 0, 1))
        except TooManyFaults:
            return []
        finally:
            fitness.close()
        return [int(length) for length in results.lengths[0] if length < steps and not results.faults]

    def _evaluation(self, networks: int, *, twice: bool) -> Iterator[Finding]:
        """The findings of an evaluation of this many networks; `twice` compares it with its repetition."""
        config, fitness = self._config, self._fitness
        genomes = ask(self._algorithm)[:networks]
        seeds = episode_seeds(config.settings.seed, Purpose.TRAINING, 0, fitness.episodes)
        try:
            first = fitness(genomes, seeds)
        except TooManyFaults as error:
            yield from self._failures(error.faults)
            return
        yield Finding("note", _described(first, fitness))
        yield from _measure_findings(first, getattr(fitness, "measure_names", ()))
        scored = np.isfinite(first.returns)
        if fitness.task is not None and scored.any():
            self._lengths = first.lengths[scored].tolist()
        if twice and not is_repeatable(fitness, genomes, seeds, first):
            yield Finding("error", self._not_repeated())
        yield from self._failures(first.faults)
        limit = time_limit_warning(fitness, first)
        if limit is not None:
            yield Finding("warning", limit)
        returns = first.returns[scored]
        if returns.size and np.ptp(returns) == 0:
            message = f"all of {len(genomes)} random networks scored {returns[0]:g}: evolution may find no direction"
            yield Finding("warning", message)

    def _failures(self, faults: Sequence[Fault]) -> Iterator[Finding]:
        """The findings for faults that the trial did not have already."""
        reported = {kind_of(fault) for fault in self.faults}
        self.faults = [*self.faults, *faults]
        yield from failures([fault for fault in faults if kind_of(fault) not in reported])

    def _not_repeated(self) -> str:
        if self._fitness.task is None:
            return "the fitness function is not deterministic: the same genomes and seeds gave other returns"
        return NOT_REPEATED


def _with_timeout(config: Config) -> Config:
    """The config with a time limit for episodes, so that an environment that hangs or crashes becomes a finding."""
    settings = config.settings
    if settings.evaluation.workers == 1 or settings.faults.timeout is not None:
        return config
    faults = settings.faults.model_copy(update={"timeout": _TIMEOUT, "retries": 0})
    return replace(config, settings=settings.model_copy(update={"faults": faults}))


def _checker_findings(task: Task) -> Iterator[Finding]:
    """What Gymnasium's checker says: warnings, because evonet's own evaluation decides."""
    with task.instance() as instance:
        broken, advice = gymnasium_findings(instance.open())
    for line in [*([] if broken is None else [broken]), *advice]:
        yield Finding("warning", f"Gymnasium's checker: {line}")


def _measure_findings(results: EpisodeResults, names: Sequence[str]) -> Iterator[Finding]:
    """What each measure is in the first episode, and its range, from which an archive's ranges can be chosen."""
    if results.measures is None:
        return
    for name, values in zip(names, results.measures.reshape(-1, len(names)).T, strict=True):
        scored = values[np.isfinite(values)]
        if scored.size:
            spread = f"{scored.min():g} to {scored.max():g}, mean {scored.mean():g}"
            first = f"{scored[0]:g} in the first"
            yield Finding("note", f"measure {name}: {first}, {spread}, over {scored.size} episodes of random networks")


def _described(results: EpisodeResults, fitness: Fitness) -> str:
    returns = results.returns[np.isfinite(results.returns)]
    if not returns.size:
        return "no episode could be scored"
    spread = f"returns {returns.min():g} to {returns.max():g}"
    if fitness.task is None:
        return f"{results.returns.size} returns of random networks: {spread}"
    truncated = int((~results.terminated & np.isfinite(results.returns)).sum())
    return (
        f"{results.returns.size} episodes of random networks: {spread}, lengths {results.lengths.min()} to "
        f"{results.lengths.max()}, {truncated} truncated"
    )
