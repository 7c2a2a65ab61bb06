"""What a run will cost in time: a generation, a validation and the test, from the time of a step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from evonet.champion_selection import held_out_episodes
from evonet.experiment.config.config import Config
from evonet.experiment.config.document import to_yaml
from evonet.experiment.training_episodes import build_training_episodes
from evonet.fitness import EpisodeReturn
from evonet.processes.cores import cores

LONG_SECONDS = 60.0
"""Seconds of a generation, a validation or a test above which a run or `evonet check` prints the costs."""

_MIN_EPISODES = 5  # episodes of a validation that a proposal has at least; twice as many for the test
_MIN_INDIVIDUALS = 8


@dataclass(frozen=True)
class Costs:
    """The times of a run's parts, in seconds.

    Attributes:
        step: a step of the environment.
        steps: steps of an episode, or the step limit.
        steps_measured: whether `steps` was measured; otherwise it is the step limit.
        trained: steps of an episode of training, which may be truncated earlier, in the generation with the longest.
        generation: the training episodes of a generation.
        validation: the held-out episodes of a validation.
        test: the episodes of the champion's test.
        at_once: episodes that run at the same time.
    """

    step: float
    steps: float
    steps_measured: bool
    trained: float
    generation: float
    validation: float
    test: float
    at_once: int

    @property
    def takes_long(self) -> bool:
        """Whether a generation, a validation or the test takes more than `LONG_SECONDS`."""
        return max(self.generation, self.validation, self.test) > LONG_SECONDS

    def described(self) -> str:
        """The times in a line."""
        times = {"a generation takes": self.generation, "a validation": self.validation, "the test": self.test}
        parts = ", ".join(f"{part} about {duration(seconds)}" for part, seconds in times.items())
        step = f"a step takes {duration(self.step)}"
        in_training = f", in training at most {self.trained:,.0f}" if self.trained < self.steps else ""
        if self.steps_measured:
            return f"{parts}: an episode has about {self.steps:,.0f} steps{in_training}, and {step}"
        return f"if episodes take all of their {self.steps:,.0f} steps{in_training}, {parts}: {step}"


def estimate(config: Config, fitness: EpisodeReturn, population: int, step: float, steps: float | None) -> Costs:
    """The costs of a run.

    Args:
        config: the run's config.
        fitness: the fitness of the run.
        population: genomes in a generation.
        step: seconds of a step.
        steps: mean steps of episodes that ended by themselves; None if none did.
    """
    settings = config.settings
    assert fitness.task is not None
    workers = settings.evaluation.workers
    at_once = cores() if workers == "auto" else min(workers, cores())
    length = fitness.task.max_steps if steps is None else steps
    trained = min(length, build_training_episodes(config).most_steps or length)

    def seconds(episodes: int, at_once: int, length: float = length) -> float:
        return math.ceil(episodes / at_once) * step * length

    validation = settings.validation.candidates * held_out_episodes(settings.validation.episodes, fitness)
    return Costs(
        step,
        length,
        steps is not None,
        trained,
        seconds(population * fitness.episodes, at_once, trained),
        seconds(validation, at_once),
        seconds(held_out_episodes(settings.test.episodes, fitness), at_once if fitness.isolated else 1),
        at_once,
    )


def proposal(config: Config, fitness: EpisodeReturn, population: int, costs: Costs) -> str:
    """Smaller numbers as YAML, with which a generation, a validation and the test take about a minute each."""
    settings = config.settings
    affordable = _affordable(costs, costs.trained)
    episodes = max(1, min(fitness.episodes, affordable // population))
    numbers: dict[str, Any] = {}
    fewest = max(_MIN_INDIVIDUALS, 2 * (getattr(settings.algorithm, "elites", 0) or 0))
    if hasattr(settings.algorithm, "population_size") and population * episodes > affordable:
        size = max(fewest, affordable // episodes // 2 * 2)
        numbers["algorithm"] = {"population_size": size} if size < population else {}
    numbers["evaluation"] = {"episodes": episodes} if episodes < fitness.episodes else {}
    for part, least in (("validation", _MIN_EPISODES), ("test", 2 * _MIN_EPISODES)):
        now = held_out_episodes(getattr(settings, part).episodes, fitness)
        wanted = max(least, min(now, _affordable(costs, costs.steps)))
        numbers[part] = {"episodes": wanted} if wanted < now else {}
    sections = {name: section for name, section in numbers.items() if section}
    return to_yaml(sections) if sections else ""


def _affordable(costs: Costs, steps: float) -> int:
    """Episodes of so many steps that take about a minute."""
    return max(1, int(LONG_SECONDS * costs.at_once / (costs.step * steps)))


def duration(seconds: float) -> str:
    """A time in a few characters, such as `0.5 s`, `8 min` or `3 h`."""
    if seconds < 1e-3:
        return f"{1e6 * seconds:.3g} µs"
    if seconds < 1:
        return f"{1e3 * seconds:.3g} ms"
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
