"""The episodes of an evaluation in training: how many and how long, also by schedules of the generation."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any, Literal

from evonet.settings import Count, Episodes, Schedule, check_by_generation, check_schedule, check_value, fitted

_RANGES: dict[str, Any] = {"episodes": Episodes, "max_steps": Count}


@dataclass(frozen=True)
class TrainingEpisodes:
    """The episodes of an evaluation in training.

    Attributes:
        episodes: how many there are, a number or a schedule of the generation.
        max_steps: steps after which each is truncated, a number or a schedule; None for the task's own limit.
    """

    episodes: int | Schedule
    max_steps: int | Schedule | None = None

    def check(self, setting: Literal["episodes", "max_steps"], section: str) -> None:
        """Check a setting, which messages call `section.setting`.

        Raises:
            TypeError: it is no whole number.
            ValueError: it is out of range, or follows a schedule that does not go by the generation alone.
        """
        value, name, allowed = getattr(self, setting), f"{section}.{setting}", _RANGES[setting]
        if isinstance(value, Schedule):
            check_by_generation(name, value)
            check_schedule(name, allowed, value)
        elif value is not None or setting == "episodes":
            check_value(name, allowed, value)

    def check_limit(self, section: str, fitness: Any, *, archive: bool = False) -> None:
        """Check that the fitness can truncate episodes after `max_steps`, which messages call `section.max_steps`.

        Args:
            section: where the setting stands.
            fitness: scores the networks.
            archive: whether an archive keeps what it scored.

        Raises:
            TypeError: the fitness takes no `max_steps`.
            ValueError: an episode would be longer than those of its task, or a function scores the networks; or an
                archive would compare short episodes with long ones.
        """
        if self.max_steps is None:
            return
        name = f"{section}.max_steps"
        if fitness.task is None:
            raise ValueError(f"{name} must be left out where a function scores the networks")
        if archive:
            rule = "must be left out where an archive keeps fitness and measures for the whole run"
            raise ValueError(f"{name} {rule}; set max_steps of the environment")
        if "max_steps" not in inspect.signature(fitness).parameters:
            raise TypeError(f"{name} needs a fitness whose call takes max_steps, got {type(fitness).__name__}")
        check_steps(name, _most(self.max_steps), fitness)

    def in_generation(self, generation: int) -> tuple[int, int | None]:
        """Episodes of an evaluation in a generation, and the steps after which they are truncated; None for the task's.

        Raises:
            AlgorithmFailed: a schedule of the user's own raised an error.
        """
        steps = None if self.max_steps is None else _at(Count, self.max_steps, generation)
        return _at(Episodes, self.episodes, generation), steps

    @property
    def most_episodes(self) -> int:
        """The most episodes of an evaluation in any generation."""
        return _most(self.episodes)

    @property
    def most_steps(self) -> int | None:
        """The greatest limit of any generation; None for the task's own."""
        return None if self.max_steps is None else _most(self.max_steps)

    def from_now_on(self, episodes: int | None) -> TrainingEpisodes:
        """So many episodes in each generation, by default the most of any, truncated at the greatest limit of any."""
        episodes = self.most_episodes if episodes is None else episodes
        return replace(self, episodes=episodes, max_steps=self.most_steps)


def check_steps(name: str, steps: Any, fitness: Any) -> None:
    """Check that `steps`, which messages call `name`, is a limit of episodes within that of the fitness.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is not at least 1 and at most the limit of the task's episodes.
    """
    check_value(name, Count, steps)
    most = fitness.task.max_steps
    if steps > most:
        own = "the environment's"
        if getattr(fitness, "time_limit", most) is None:
            own = "which evonet sets where the environment has no limit"
        raise ValueError(f"{name} must be at most {most}, {own}, got {steps}; set max_steps of the environment")


def _at(allowed: Any, value: int | Schedule, generation: int) -> int:
    """The number in a generation, within the extremes of its schedule."""
    if not isinstance(value, Schedule):
        return int(value)
    return int(fitted(allowed, min(max(value.at(generation), min(value.extremes)), max(value.extremes))))


def _most(value: int | Schedule) -> int:
    return max(round(number) for number in value.extremes) if isinstance(value, Schedule) else int(value)
