"""Warnings before and in a run: observations that saturate neurons, too many workers, episodes without a limit."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from evonet.evaluation.results import EpisodeResults
from evonet.fitness import EpisodeReturn, Fitness
from evonet.processes.cores import cores


def fitness_warnings(fitness: Fitness) -> list[str]:
    """The warnings about a fitness before a run."""
    task = fitness.task
    if task is None or task.normalise or not _has_bytes(task.observation_space):
        return []
    found = "the observations have numbers from 0 to 255, as pixels do, with which hidden neurons are saturated"
    return [f"{found}; set evaluation.normalise_observations to true"]


def _has_bytes(space: gym.Space[Any]) -> bool:
    """Whether a space, or a part of it, has numbers from 0 to 255."""
    if isinstance(space, gym.spaces.Dict):
        return any(_has_bytes(part) for part in space.values())
    if isinstance(space, gym.spaces.Tuple):
        return any(_has_bytes(part) for part in space)
    return isinstance(space, gym.spaces.Box) and bool(np.all(space.low == 0) and np.all(space.high == 255))


def time_limit_warning(fitness: Fitness, results: EpisodeResults, max_steps: int | None = None) -> str | None:
    """The warning about episodes that are truncated because no time limit is set; None if there are none.

    Args:
        fitness: the fitness.
        results: the episodes that were run.
        max_steps: steps after which they were truncated in training; None for the limit that evonet sets.
    """
    if not isinstance(fitness, EpisodeReturn) or fitness.time_limit is not None:
        return None
    task = fitness.task
    assert task is not None
    limit = max_steps or task.max_steps
    truncated = int((~results.terminated & (results.lengths >= limit)).sum())
    if not truncated:
        return None
    found = f"the environment has no time limit: {truncated} of {results.lengths.size} episodes were truncated"
    whole = "" if limit == task.max_steps else f", as those of validation and test are after {task.max_steps}"
    return f"{found} after {limit} steps{whole}; set environment.max_steps to choose"


def worker_warnings(name: str, workers: int | str | None) -> list[str]:
    """A warning if the setting `name` asks for more worker processes than there are processors for this process."""
    if not isinstance(workers, int) or workers <= cores():
        return []
    processors = f"{cores()} processor{'s' if cores() > 1 else ''}"
    return [
        f"{name} is {workers}, but this process may use {processors}: additional workers take memory and save no time"
    ]
