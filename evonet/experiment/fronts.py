"""The Pareto front at the end of a run, in its summary: as it was in training, and on held-out episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evonet.elite_validation import evaluate_held_out
from evonet.environments.normaliser import ObservationNormaliser
from evonet.fitness import Fitness
from evonet.operators.structure import CONNECTIONS
from evonet.pareto import hypervolume, non_dominated
from evonet.types import FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.evolution import Evolution
    from evonet.experiment.config.config import Config
    from evonet.nsga2 import NSGA2  # most runs have one objective

MAX_INDIVIDUALS = 1000
"""Most individuals of a front that the summary lists; a larger front is thinned evenly along the first objective."""


def front_entry(config: Config, evolution: Evolution, fitness: Fitness) -> dict[str, Any]:
    """The Pareto front's entry of a run's summary; empty for a run with one objective.

    Args:
        config: the run's config, which says how many held-out episodes there are.
        evolution: the evolution after its last generation.
        fitness: runs the held-out episodes.
    """
    algorithm: Any = evolution.algorithm
    if not hasattr(algorithm, "hypervolume"):
        return {}
    settings = config.settings
    episodes = settings.validation.archive_episodes
    front = front_summary(algorithm, fitness, settings.seed, episodes, evolution.normaliser)
    return {"front": front} if front else {}


def front_summary(
    algorithm: NSGA2, fitness: Fitness, seed: int, episodes: int | None, normaliser: ObservationNormaliser | None
) -> dict[str, Any]:
    """The front's metrics, as in `run.json`; hypervolumes count from `reference`, the corrected one too.

    Args:
        algorithm: the algorithm, whose population was scored.
        fitness: runs the held-out episodes.
        seed: seed of the run.
        episodes: number of held-out episodes; None to leave them out.
        normaliser: normaliser of the observations.
    """
    values, reference = algorithm.values, algorithm.reference
    if values is None or reference is None:
        return {}
    rows = np.flatnonzero(algorithm.front)
    rows = rows[np.argsort(values[rows, 0] * algorithm.signs[0], kind="stable")]
    held_out_values = None if episodes is None else _held_out(algorithm, rows, fitness, seed, episodes, normaliser)
    corrected: dict[str, Any] = {}
    if held_out_values is not None:
        scored = held_out_values[np.isfinite(held_out_values).all(axis=1)]
        corrected = {"corrected": {"episodes": episodes, **_metrics(scored, reference)}}
    return {
        "objectives": dict(algorithm.objectives),
        "reference": _by_name(algorithm, reference),
        **_metrics(values[rows], reference),
        **corrected,
        "points": _points(algorithm, rows, held_out_values),
    }


def _held_out(
    algorithm: NSGA2,
    rows: IntArray,
    fitness: Fitness,
    seed: int,
    episodes: int,
    normaliser: ObservationNormaliser | None,
) -> FloatArray:
    """The objectives of the individuals in these `rows (n,)` on held-out episodes, all maximised, `(n, m)`."""
    assert algorithm.values is not None
    measured = [name != CONNECTIONS for name in algorithm.objectives]
    names = [name for name in algorithm.objectives if name != CONNECTIONS]
    held_out = evaluate_held_out(algorithm.population.genomes[rows], names, fitness, seed, episodes, normaliser)
    values = algorithm.values[rows]  # a copy, in which the number of connections stays
    values[:, measured] = held_out.measures * algorithm.signs[measured]
    return values


def _metrics(values: FloatArray, reference: FloatArray) -> dict[str, Any]:
    front = non_dominated(values)
    return {"individuals": int(front.sum()), "hypervolume": hypervolume(values[front], reference)}


def _points(algorithm: NSGA2, rows: IntArray, held_out_values: FloatArray | None) -> dict[str, Any]:
    """Ids and objectives of the individuals in `rows`, a list each; null where an episode failed."""
    assert algorithm.values is not None
    places = np.linspace(0, len(rows) - 1, min(len(rows), MAX_INDIVIDUALS)).round().astype(np.int64)
    points: dict[str, Any] = {
        "ids": algorithm.population.ids[rows[places]],
        "training": _by_name(algorithm, algorithm.values[rows[places]].T),
    }
    if held_out_values is not None:
        points["held_out"] = _by_name(algorithm, held_out_values[places].T)
    return points


def _by_name(algorithm: NSGA2, columns: FloatArray) -> dict[str, Any]:
    """The `columns (m, …)` of the objectives by name, with the signs of the measures themselves."""
    signed = zip(algorithm.objectives, columns, algorithm.signs, strict=True)
    return {name: column * sign for name, column, sign in signed}
