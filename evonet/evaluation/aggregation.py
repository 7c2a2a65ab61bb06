"""How the episodes of an individual become its fitness: what each is worth, and one number of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray

Aggregation = Literal["mean", "min", "median", "quantile"]


def training_weights(fitness: Any, generation: int) -> tuple[float, ...]:
    """The weights of the return and of each measure in a generation's training; empty if the return alone counts.

    Args:
        fitness: an `evonet.fitness.Fitness`; if it has `weights_in`, that gives the weights of a generation.
        generation: number of the generation.
    """
    weights_in = getattr(fitness, "weights_in", None)
    if weights_in is not None:
        weights: tuple[float, ...] = weights_in(generation)
        return weights
    return () if fitness.task is None else fitness.task.weights


def episode_fitness(task: Task | None, results: EpisodeResults) -> FloatArray:
    """What each episode is worth, `(n, episodes)`, NaN for one with a fault: the return, unless the task has weights.

    Args:
        task: the task of the episodes; None if a function scores networks.
        results: `(n, episodes)`.
    """
    return episode_worth(results, () if task is None else task.weights)


def episode_worth(results: EpisodeResults, weights: Sequence[float]) -> FloatArray:
    """The sum of weights times return and measures, `(n, episodes)`, NaN for an episode with a fault.

    Args:
        results: `(n, episodes)`.
        weights: of the return and of each measure, in order; if there are none, the sum is the return.
    """
    if not weights:
        return results.returns
    measures = () if results.measures is None else np.moveaxis(results.measures, -1, 0)
    worth = weights[0] * results.returns
    for weight, measure in zip(weights[1:], measures, strict=True):
        worth += weight * measure
    return worth


def aggregate(returns: FloatArray, aggregation: Aggregation, quantile: float = 0.5) -> FloatArray:
    """One fitness `(n,)` for `returns (n, episodes)`; -inf where a return is NaN, a fault."""
    if aggregation == "mean":
        fitness = returns.mean(axis=1)
    elif aggregation == "min":
        fitness = returns.min(axis=1)
    else:
        fitness = np.quantile(returns, 0.5 if aggregation == "median" else quantile, axis=1)
    return np.where(np.isfinite(fitness), fitness, -np.inf)
