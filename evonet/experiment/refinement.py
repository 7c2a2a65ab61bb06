"""The refinement of a run's champion: after the last generation, a strategy tunes the weights of its structure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.errors import EvonetError
from evonet.evolution import Evolution
from evonet.experiment.config.config import Config
from evonet.experiment.config.model_factory import arguments
from evonet.experiment.extra_generations import effort_of
from evonet.foreign import ANY_ERROR, INTERRUPTS, described
from evonet.generation import Generation
from evonet.strategies.refinement import Refinement
from evonet.types import FloatArray

_PATH = ("network", "structure", "refine")


def refinement_of(config: Config) -> Any:
    """The section `network.structure.refine`; None if the champion's weights are not tuned."""
    structure = config.settings.network.structure
    return None if structure is None else structure.refine


def check_refinement(config: Config, architecture: Architecture) -> None:
    """Check that the strategy that the config names can tune a champion.

    Raises:
        ConfigError: a strategy of the user's own cannot be made.
    """
    if refinement_of(config) is not None:
        _build_refinement(config, architecture, np.ones(architecture.genome_size))


def refine(
    config: Config,
    evolution: Evolution,
    first_id: int,
    next_generation: Callable[[], Generation | None],
) -> dict[str, Any]:
    """Tune the weights of the champion's structure, where the config says so.

    The tuned networks are validated as those of any generation, so that the champion stays what it is unless one of
    them does better. No checkpoint is made of them: a run that is stopped here begins its refinement anew, with the
    same result.

    Args:
        config: the config.
        evolution: the evolution after its last generation; it goes on with the strategy.
        first_id: the first id that no individual of the run has had.
        next_generation: runs and records a generation of the evolution; returns None if the time is up.

    Returns:
        The entry `refinement` of the run's summary; nothing without a refinement.
    """
    section, champion = refinement_of(config), evolution.champion
    if section is None or champion is None or champion.validation is None or not champion.genome.any():
        return {}
    strategy = _build_refinement(config, champion.architecture, champion.genome, first_id=first_id, parent=champion.id)
    evolution.continue_with(strategy)

    def run() -> None:
        for _ in range(section.generations):
            if next_generation() is None:
                return

    effort = effort_of(evolution, run)
    return {
        "refinement": {
            "strategy": section.type,
            **effort,
            "validation_mean_before": champion.validation.mean,
            "better": _changed(champion, evolution.champion),
        }
    }


def _changed(before: Champion, after: Champion | None) -> bool:
    return after is not None and after.id != before.id


def _build_refinement(config: Config, architecture: Architecture, genome: FloatArray, **ids: int) -> Refinement:
    """The refinement of a network by the strategy in the config; `ids` are `first_id` and `parent` of `Refinement`.

    Raises:
        ConfigError: a strategy of the user's own cannot be made.
    """
    section = refinement_of(config)
    names = [name for name in type(section).model_fields if name not in ("type", "generations")]
    factory = functools.partial(type(section).owner, **arguments(section, *names))
    try:
        return Refinement(architecture, factory, genome, seed=config.settings.seed, **ids)
    except (EvonetError, *INTERRUPTS):
        raise
    except ANY_ERROR as error:  # of a strategy of the user's own
        message = f"{'.'.join(_PATH)}: the strategy {section.type!r} cannot be made: {described(error)}"
        raise config.error(_PATH, message) from error
