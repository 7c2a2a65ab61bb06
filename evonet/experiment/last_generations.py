"""What pruning and refinement share: another algorithm goes on with a run's champion after its last generation."""

from __future__ import annotations

from collections.abc import Callable

from evonet.evolution import Evolution


def effort_of(evolution: Evolution, run: Callable[[], None]) -> dict[str, int]:
    """Run generations; returns how many, and their evaluations and environment steps, as in `run.json`."""
    names = ("generations", "evaluations", "environment_steps")
    before = [getattr(evolution, name) for name in names]
    run()
    return {name: int(getattr(evolution, name) - then) for name, then in zip(names, before, strict=True)}
