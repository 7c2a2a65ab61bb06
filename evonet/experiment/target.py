"""The target of a run: the mean at which its task is solved, as the config or the environment has it."""

from __future__ import annotations

from evonet.environments.specification import EnvironmentSpec
from evonet.experiment.config.config import Config
from evonet.experiment.config.sections import EPISODE_RETURN


def target_of(config: Config) -> float | None:
    """The validation mean at which the task is solved: the config's target, or the environment's reward threshold."""
    target: float | str | None = config.settings.stop.target
    if target != "auto":
        return None if target is None else float(target)
    environment = _held_out_environment(config)
    return None if environment is None else environment.reward_threshold()


def target_warnings(config: Config) -> list[str]:
    """The warning that `stop.target: auto` finds no target, because the environment's threshold is for another task."""
    environment = _held_out_environment(config)
    if config.settings.stop.target != "auto" or environment is None:
        return []
    difference = environment.difference()
    if difference is None:
        return []
    message = f"stop.target is auto, but the threshold of {environment.id} does not apply, because {difference}"
    return [f"{message}; there is no target, unless stop.target is set to the mean at which the task is solved"]


def _held_out_environment(config: Config) -> EnvironmentSpec | None:
    """The environment of validation and test, whose scores are compared with the target; None for a function."""
    settings = config.settings
    section = settings.validation.environment or settings.environment
    if settings.fitness.type != EPISODE_RETURN or section is None:
        return None
    environment: EnvironmentSpec = section.build()
    return environment.restricted(config.allowed_imports)
