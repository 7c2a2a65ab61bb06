"""What pruning and refinement share: another algorithm goes on with a run's champion after its last generation."""

from __future__ import annotations

from collections.abc import Callable

from evonet.champion import Champion
from evonet.evolution import Evolution


def first_new_id(evolution: Evolution, champion: Champion) -> int:
    """The first id that no individual of the run has."""
    return int(max(champion.id, *evolution.algorithm.population.ids)) + 1


def effort_of(evolution: Evolution, run: Callable[[], None]) -> dict[str, int]:
    """Run generations; returns how many, and their evaluations and environment steps, as in `run.json`."""
    names = ("generations", "evaluations", "environment_steps")
    before = [getattr(evolution, name) for name in names]
    run()
    return {name: int(getattr(evolution, name) - then) for name, then in zip(names, before, strict=True)}
