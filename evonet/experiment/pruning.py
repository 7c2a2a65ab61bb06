"""The pruning of a run's champion: after the last generation, the inputs that it can do without are removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evonet.architecture import Architecture
from evonet.evolution import Evolution
from evonet.experiment.config.config import Config
from evonet.experiment.extra_generations import effort_of
from evonet.generation import Generation
from evonet.operators.structure import inputs_left_out
from evonet.strategies.algorithm import Algorithm
from evonet.strategies.pruning import Pruning
from evonet.types import FloatArray


def check_pruning(config: Config, algorithm: Algorithm) -> None:
    """Check that a pruning can follow the algorithm.

    Raises:
        ConfigError: the result of the run is an archive or a front, not a single champion.
    """
    many = hasattr(algorithm, "archive") and config.settings.algorithm.type != "novelty_search"
    if config.settings.network.prune is not None and (many or config.settings.objectives is not None):
        raise config.error(
            ("network", "prune"),
            "network.prune must be left out where the result is an archive or a front, "
            f"got the algorithm {config.settings.algorithm.type}",
        )


def prune(
    config: Config,
    evolution: Evolution,
    first_id: int,
    next_generation: Callable[[], Generation | None],
) -> dict[str, Any]:
    """Remove inputs of the champion, where the config says so.

    The smallest network that validates as well as the champion becomes the champion. No checkpoint is made: a run that
    is stopped here begins its pruning anew, with the same result.

    Args:
        config: the config.
        evolution: the evolution after its last generation; it goes on with the pruning.
        first_id: the first id that no individual of the run has had.
        next_generation: runs and records a generation of the evolution; returns None if the time is up.

    Returns:
        The entry `pruning` of the run's summary; nothing without a pruning.
    """
    section, champion = config.settings.network.prune, evolution.champion
    if section is None or champion is None or champion.validation is None:
        return {}
    pruning = Pruning(champion.architecture, champion.genome, individual=champion.id, first_id=first_id)
    evolution.continue_with(pruning, section.episodes)

    def run() -> None:
        while not pruning.finished and next_generation() is not None:
            pass

    effort = effort_of(evolution, run)
    evolution.prefer(champion, pruning.smaller)
    smallest = evolution.champion
    assert smallest is not None
    assert smallest.validation is not None
    return {
        "pruning": {
            **effort,
            "inputs_before": _used_inputs(champion.genome, champion.architecture),
            "inputs": _used_inputs(smallest.genome, smallest.architecture),
            "validation_mean_before": champion.validation.mean,
            "validation_mean": smallest.validation.mean,
        }
    }


def _used_inputs(genome: FloatArray, architecture: Architecture) -> int:
    """How many inputs a network uses."""
    return architecture.num_inputs - len(inputs_left_out(genome != 0.0, architecture))
