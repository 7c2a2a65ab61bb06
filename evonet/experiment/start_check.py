"""The check of an environment by a few steps before each run; `evonet check` does more.

The check makes its own environments, so the results of the run do not change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from evonet.evaluation.results import Fault
from evonet.experiment.config.config import Config
from evonet.experiment.costs import Costs, estimate
from evonet.fitness import EpisodeReturn, Fitness
from evonet.seeding import Purpose, episode_seeds, generator
from evonet.strategies.algorithm import Algorithm, ask

if TYPE_CHECKING:
    from evonet.evaluation.trial import Cause, Trial

NOT_REPEATED = "the environment is not deterministic: the same seed gave another episode the second time"

_VALUES = re.compile(r"'[^']*'|\(.*\)|\[.*\]|\b(?:nan|inf)\b|[-+.\d]+")


@dataclass(frozen=True)
class Finding:
    """A finding of the check.

    Attributes:
        level: an "error" makes results wrong or meaningless, a "warning" should be examined, a "note" informs.
        message: the finding, and how to repair it.
    """

    level: Literal["error", "warning", "note"]
    message: str


def start_check(config: Config, fitness: Fitness, algorithm: Algorithm) -> Iterator[Finding]:
    """The findings about an environment before a run; none where a kernel runs in place of the environment.

    Args:
        config: the run's config.
        fitness: the fitness of the run.
        algorithm: the algorithm of the run.

    Raises:
        EnvironmentUnavailable: the environment cannot be made.
    """
    found = try_out(config, fitness)
    if found is None:
        return
    assert isinstance(fitness, EpisodeReturn)
    yield from trial_findings(config, found)
    if not found.faults:
        costs = costs_of(config, fitness, population_size(algorithm), found.step_seconds, found.lengths)
        yield from _cost_findings(config, costs)


def _cost_findings(config: Config, costs: Costs) -> Iterator[Finding]:
    """Warnings about the time that a generation takes; none if it is short."""
    if not costs.takes_long:
        return
    measured = "" if costs.steps_measured else "; evonet check measures an episode"
    yield Finding("warning", costs.described() + measured)
    seconds = config.settings.stop.seconds
    if seconds is not None and seconds < costs.generation + costs.validation:
        message = f"stop.seconds is {seconds:g}, and the run may end before its first generation is done"
        yield Finding("warning", message)


def try_out(config: Config, fitness: Fitness) -> Trial | None:
    """A trial of the environment with two random networks; None where a kernel or a function is run instead."""
    if not isinstance(fitness, EpisodeReturn):
        return None
    seed = config.settings.seed
    genomes = generator(seed, Purpose.INSPECTION, 0).standard_normal((2, fitness.architecture.genome_size))
    return fitness.try_out(genomes, episode_seeds(seed, Purpose.TRAINING, 0, 2))


def trial_findings(config: Config, trial: Trial) -> list[Finding]:
    """The findings of a trial."""
    if trial.faults:
        return failures(trial.faults)
    if trial.cause is None:
        return []
    if not trial.second_error:
        return [Finding("error", NOT_REPEATED + remedy(config, trial.cause))]
    if trial.cause == "randomness":  # evaluation.instances would not repair it
        return [Finding("error", f"a second environment cannot be made in a process: {trial.second_error}")]
    only = f"only one environment can be open in a process ({trial.second_error})"
    return [Finding("error", f"{only}; so set evaluation.instances to 1")]


def failures(faults: Sequence[Fault]) -> list[Finding]:
    """A finding for the first fault of each kind."""
    firsts: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        firsts.setdefault(kind_of(fault), fault)
    return [Finding("error", f"an episode failed ({fault.location}): {fault.message}") for fault in firsts.values()]


def kind_of(fault: Fault) -> tuple[str, str]:
    """A key that faults share if they differ in values only.

    It is the kind of fault, with the type and line of an error, or with the message without its values.
    """
    error, colon, _ = fault.message.partition(": ")
    return fault.kind, error if colon and fault.kind == "exception" else _VALUES.sub("", fault.message)


def remedy(config: Config, cause: Cause) -> str:
    """The end of the message about an environment that does not repeat an episode: the cause, and what to set."""
    validation = config.settings.validation.environment
    too = "" if validation is None or validation.hard_reset else " (and validation.environment.hard_reset)"
    hard_reset = f"environment.hard_reset to true{too}"
    return {
        "memory": f"; its state survives resets, so set {hard_reset}",
        "sharing": "; its instances share something, so set evaluation.instances to 1",
        "memory and sharing": "; its state survives resets, and its instances share something, so set "
        f"{hard_reset} and evaluation.instances to 1",
        "randomness": "; no setting repairs that: the environment's reset must call super().reset(seed=seed), its "
        "random numbers must come from self.np_random, which that seeds, and it must keep nothing outside of itself",
    }[cause]


def costs_of(
    config: Config, fitness: EpisodeReturn, population: int, step_seconds: float, lengths: Sequence[int]
) -> Costs:
    """The costs of a run from the time of a step and the lengths of episodes that ended by themselves."""
    return estimate(config, fitness, population, step_seconds, float(np.mean(lengths)) if lengths else None)


def population_size(algorithm: Algorithm) -> int:
    """Genomes in a generation."""
    size = getattr(algorithm, "population_size", None)
    return len(ask(algorithm)) if size is None else int(size)
