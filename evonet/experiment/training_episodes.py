"""The episodes of an evaluation in training that a config describes."""

from __future__ import annotations

from evonet.evaluation.training_episodes import check_training_episodes
from evonet.experiment.config.config import Config
from evonet.experiment.config.model_factory import built
from evonet.settings import Schedule


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
