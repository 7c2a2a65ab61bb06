"""The episodes of an evaluation in training that a config describes."""

from __future__ import annotations

from evonet.evaluation.training_episodes import TrainingEpisodes
from evonet.experiment.config.config import Config
from evonet.experiment.config.model_factory import built
from evonet.task import Task


def build_training_episodes(config: Config) -> TrainingEpisodes:
    """The episodes of an evaluation in training.

    Raises:
        ConfigError: a schedule does not go by the generation alone, or leaves the range of its numbers.
    """
    section = config.settings.evaluation
    training = TrainingEpisodes(built(section.episodes), built(section.max_steps))
    try:
        training.check("evaluation")
    except (TypeError, ValueError) as error:
        raise config.error(("evaluation", _key(error)), str(error)) from error
    return training


def limited_training_episodes(config: Config, task: Task | None) -> TrainingEpisodes:
    """The episodes of an evaluation in training, which are no longer than those of the task.

    Raises:
        ConfigError: they are longer, or a function scores the networks and there is no task; and as above.
    """
    training = build_training_episodes(config)
    try:
        training.check_limit("evaluation", task)
    except ValueError as error:
        raise config.error(("evaluation", _key(error)), str(error)) from error
    return training


def _key(error: Exception) -> str:
    return "max_steps" if str(error).startswith("evaluation.max_steps") else "episodes"
