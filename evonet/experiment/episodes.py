"""Builders of the episodes of an evaluation, and of the race over them, that a config describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonet.evaluation.training_episodes import check_training_episodes
from evonet.experiment.config.config import Config
from evonet.experiment.config.model_factory import built
from evonet.fitness import Fitness
from evonet.settings import Schedule
from evonet.strategies.algorithm import Algorithm

if TYPE_CHECKING:
    from evonet.evaluation.racing import Race


def build_episodes(config: Config) -> int | Schedule:
    """Episodes of an evaluation in training.

    Raises:
        ConfigError: their schedule does not go by the generation alone, or leaves their range.
    """
    episodes: int | Schedule = built(config.settings.evaluation.episodes)
    try:
        check_training_episodes(episodes, "evaluation.episodes")
    except (TypeError, ValueError) as error:
        raise config.error(("evaluation", "episodes"), str(error)) from error
    return episodes


def most_episodes(config: Config) -> int:
    """Most episodes of an evaluation in training."""
    episodes = build_episodes(config)
    return int(max(episodes.extremes)) if isinstance(episodes, Schedule) else episodes


def build_race(config: Config, fitness: Fitness, algorithm: Algorithm) -> Race | None:
    """The race of a generation's individuals; None without one.

    Raises:
        ConfigError: fitness or algorithm cannot race.
    """
    section = config.settings.evaluation.race
    if section is None:
        return None
    race: Race = section.build()
    try:
        race.check(fitness, algorithm)
    except ValueError as error:
        raise config.error(("evaluation", "race"), f"evaluation.race: {error}") from error
    return race
