"""Readers of lines of a run's journals; a value of the wrong type or range raises ValueError."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple

import numpy as np

from evonet.files.bounded import LONGEST_LINE
from evonet.files.fields import Fields
from evonet.types import FloatArray, IntArray

METRICS: dict[str, Literal["count", "id", "score"]] = {
    "generation": "count",
    "evaluations": "count",
    "environment_steps": "count",
    "validation_steps": "count",
    "best": "score",
    "mean": "score",
    "median": "score",
    "lower_quartile": "score",
    "upper_quartile": "score",
    "worst": "score",
    "diversity": "score",
    "faults": "count",
    "champion": "id",
    "champion_generation": "id",
    "validation_mean": "score",
}
"""The metrics, in the order of a line: a count is an integer, an id an integer or null, a score a number or null."""

SIZES = ("connections", "hidden_neurons", "champion_connections", "champion_hidden_neurons")
"""Metrics, numbers or null, of runs whose networks' structure evolves: medians of the population, then the champion."""
SEARCH_METRICS = ("sigma", "mean_distance")
"""Further metrics of strategies that sample around a mean: step size, and distance of the mean from the first one."""

FRONT_METRICS = ("front", "hypervolume")
"""Further metrics of runs with several objectives: individuals on the Pareto front, and the front's hypervolume."""

ARCHIVE_METRICS = ("qd_score", "coverage", "archive_best")
"""Further metrics of runs with an archive; without cells it has no coverage."""

SAMPLE_METRICS = ("sampled_fitness", "sampled_held_out", "sampled_same_cell")
"""Further metrics of every tenth generation of runs that validate their archive: of a sample of the elites the mean
fitness in the archive and on held-out episodes, and the share that is in the same cell there."""

VALIDATION_FITNESS = "validation_fitness"
"""A further metric where weights make the fitness of return and measures: the champion's, on the held-out episodes."""

EPISODES = "episodes"
"""A further metric of runs whose episodes of an evaluation follow a schedule: those of the generation."""

MAX_STEPS = "max_steps"
"""A further metric of runs whose episodes of training are truncated by a schedule: after so many steps."""

RACED_EPISODES = "raced_episodes"
"""A further metric of runs with a race: the episodes of training that the generation ran."""

MORE_METRICS = (
    EPISODES,
    MAX_STEPS,
    RACED_EPISODES,
    *SEARCH_METRICS,
    *FRONT_METRICS,
    *SIZES,
    *ARCHIVE_METRICS,
    *SAMPLE_METRICS,
    VALIDATION_FITNESS,
)
"""All metrics with fixed names that only some runs have."""

MEASURES = ("measures/", "measures_spread/")
"""The beginnings of the names of further metrics: mean and standard deviation of the champion's measures."""

NEWBORN_IN_A_LINE = LONGEST_LINE // 256
"""Greatest number of individuals in a line of the lineage; each takes less than 256 bytes of `LONGEST_LINE`."""

_MAX_OPERATORS = 63  # `Births.operators` has a bit for each


class Births(NamedTuple):
    """A line of the lineage: newborn individuals of one generation.

    Attributes:
        generation: the number of the generation.
        ids: `(n,)`, ids of the individuals.
        parents: `(n, 2)`, ids of the parents; -1 for no parent.
        operators: `(n,)`, a bit for each operator that made or changed the individual.
        operator_names: names of the operators, in the order of the bits.
        fitness: `(n,)`, training fitness; NaN for an individual without a score.
    """

    generation: int
    ids: IntArray
    parents: IntArray
    operators: IntArray
    operator_names: tuple[str, ...]
    fitness: FloatArray


def metrics_from(fields: Fields) -> dict[str, int | float | None]:
    """The metrics of a generation, from a line of the metrics journal.

    Raises:
        ValueError: the line is not valid.
    """
    measures = [name for name in fields.all() if name.startswith(MEASURES)]
    fields.allow_only(*METRICS, *MORE_METRICS, *measures)
    metrics = {
        name: fields.integer(name)
        if kind == "count"
        else fields.optional(name, fields.integer if kind == "id" else fields.finite)
        for name, kind in METRICS.items()
    }
    further = (*MORE_METRICS, *measures)
    return metrics | {name: fields.finite(name) for name in further if fields.has(name)}


def seconds_from(fields: Fields) -> float:
    """The seconds from the start of the run to the end of a generation, from a line of the timing journal.

    Raises:
        ValueError: the line is not valid.
    """
    fields.allow_only("generation", "seconds").integer("generation")
    return fields.finite("seconds", 0.0)


def births_from(fields: Fields) -> Births:
    """The births in a line of the lineage.

    Raises:
        ValueError: the line is not valid.
    """
    fields.allow_only(*Births._fields)
    ids = _integers(fields, "ids", 0)
    n = len(ids)
    names = fields.items("operator_names", _MAX_OPERATORS)
    return Births(
        fields.integer("generation"),
        ids,
        _integers(fields, "parents", -1, n, 2),
        _integers(fields, "operators", 0, n),
        tuple(Fields({"name": name}, "births.operator_names").word("name") for name in names),
        _numbers(fields, "fitness", n),
    )


def _integers(fields: Fields, key: str, least: int, *shape: int) -> IntArray:
    array: IntArray = _array(fields, key, {int, list}, None)
    expected = shape or (len(array),)
    if array.size == 0 and 0 in expected:
        return np.empty(expected, dtype=np.int64)
    if array.shape != expected or array.dtype != np.int64 or array.min(initial=least) < least:
        raise ValueError(f"births.{key} must be integers of at least {least} in the shape {expected}")
    return array


def _numbers(fields: Fields, key: str, size: int) -> FloatArray:
    array: FloatArray = _array(fields, key, {int, float, type(None)}, np.float64)  # null becomes NaN
    if array.shape != (size,):
        raise ValueError(f"births.{key} must be {size} numbers, got {len(array)}")
    return array


def _array(fields: Fields, key: str, types: Collection[type], dtype: Any) -> Any:
    values = fields.items(key)
    if not set(map(type, values)) <= set(types):
        raise ValueError(f"births.{key} must be a list of numbers")
    return np.array(values, dtype=dtype)
