"""What pruning and refinement share: generations of another algorithm, after the last one of the run's own."""

from __future__ import annotations

from collections.abc import Callable

from evonet.evolution import Evolution
from evonet.experiment.config.config import Config


def has_extra_generations(config: Config) -> bool:
    """Whether a pruning or a refinement follows the last generation of the algorithm."""
    network = config.settings.network
    return network.prune is not None or (network.structure is not None and network.structure.refine is not None)


def effort_of(evolution: Evolution, run: Callable[[], None]) -> dict[str, int]:
    """Run generations; returns how many, and their evaluations and environment steps, as in `run.json`."""
    names = ("generations", "evaluations", "environment_steps")
    before = [getattr(evolution, name) for name in names]
    run()
    return {name: int(getattr(evolution, name) - then) for name, then in zip(names, before, strict=True)}
