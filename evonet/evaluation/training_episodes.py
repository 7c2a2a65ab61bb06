"""The episodes of an evaluation in training: how many and how long, also by schedules of the generation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from evonet.settings import Count, Episodes, Schedule, check_by_generation, check_schedule, check_value, fitted
from evonet.task import Task


@dataclass(frozen=True)
class TrainingEpisodes:
    """The episodes of an evaluation in training.

    Attributes:
        episodes: how many there are, a number or a schedule of the generation.
        max_steps: steps after which each is truncated, a number or a schedule; None for the task's own limit.
    """

    episodes: int | Schedule
    max_steps: int | Schedule | None = None

    def check(self, section: str) -> None:
        """Check the settings, which messages call `section.episodes` and `section.max_steps`.

        Raises:
            TypeError: a setting is no whole number.
            ValueError: a setting is out of range, or follows a schedule that does not go by the generation alone.
        """
        _check(f"{section}.episodes", Episodes, self.episodes)
        if self.max_steps is not None:
            _check(f"{section}.max_steps", Count, self.max_steps)

    def check_limit(self, section: str, task: Task | None) -> None:
        """Check that no episode is longer than those of the task.

        Args:
            section: where the settings stand.
            task: the task of the episodes; None if a function scores the networks.

        Raises:
            ValueError: an episode would be longer, or there is no task.
        """
        if self.max_steps is None:
            return
        if task is None:
            raise ValueError(f"{section}.max_steps must be left out where a function scores the networks")
        most = _most(Count, self.max_steps)
        if most > task.max_steps:
            raise ValueError(f"{section}.max_steps must be at most {task.max_steps}, the environment's, got {most}")

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
        return _most(Episodes, self.episodes)

    def from_now_on(self, episodes: int | None) -> TrainingEpisodes:
        """So many episodes in each generation, by default the most of any; as long as the longest."""
        steps = None if self.max_steps is None else _most(Count, self.max_steps)
        return replace(self, episodes=self.most_episodes if episodes is None else episodes, max_steps=steps)


def _check(name: str, kind: Any, value: int | Schedule) -> None:
    if isinstance(value, Schedule):
        check_by_generation(name, value)
        check_schedule(name, kind, value)
    else:
        check_value(name, kind, value)


def _at(kind: Any, value: int | Schedule, generation: int) -> int:
    return int(fitted(kind, value.at(generation)) if isinstance(value, Schedule) else value)


def _most(kind: Any, value: int | Schedule) -> int:
    return max(int(fitted(kind, number)) for number in (value.extremes if isinstance(value, Schedule) else (value,)))
