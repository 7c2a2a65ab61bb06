"""The episodes of an evaluation in training that a config describes."""

from __future__ import annotations

from typing import Final, Literal

from evonet.evaluation.training_episodes import TrainingEpisodes
from evonet.experiment.config.config import Config
from evonet.experiment.config.model_factory import built
from evonet.fitness import Fitness
from evonet.strategies.algorithm import Algorithm

_SETTINGS: Final[tuple[Literal["episodes", "max_steps"], ...]] = ("episodes", "max_steps")


def build_training_episodes(
    config: Config, fitness: Fitness | None = None, algorithm: Algorithm | None = None
) -> TrainingEpisodes:
    """The episodes of an evaluation in training.

    Args:
        config: the run's config.
        fitness: the fitness of the run, which must be able to truncate the episodes; None where that is checked
            elsewhere.
        algorithm: the algorithm of the run, whose archive would have to compare them; None likewise.

    Raises:
        ConfigError: a schedule does not go by the generation alone, or leaves the range of its numbers; the fitness's
            own episodes are shorter, or it runs none; or an archive would compare short episodes with long ones.
    """
    section = config.settings.evaluation
    archive = config.settings.archive or getattr(algorithm, "archive", None)
    training = TrainingEpisodes(built(section.episodes), built(section.max_steps))
    for setting in _SETTINGS:
        try:
            training.check(setting, "evaluation")
            if fitness is not None and setting == "max_steps":
                training.check_limit("evaluation", fitness, archive=archive is not None)
        except (TypeError, ValueError) as error:
            raise config.error(("evaluation", setting), str(error)) from error
    return training
