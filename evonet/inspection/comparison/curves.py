"""Curves of a comparison: learning curves, solving curves and performance profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.inspection.comparison.compared import Compared
from evonet.inspection.loaded_run import load_run
from evonet.inspection.plots.learning import Over
from evonet.statistics import performance_profile, profile_band, quantiles
from evonet.types import FloatArray

_POINTS = 240


@dataclass(frozen=True, eq=False)
class Curve:
    """A line and the band around it, `(points,)` each.

    Attributes:
        x: points, ascending.
        y: the line; NaN where there is no value yet.
        low: lower edge of the band.
        high: upper edge of the band.
    """

    x: FloatArray
    y: FloatArray
    low: FloatArray
    high: FloatArray


def learning_curve(compared: Compared, over: Over = "evaluations") -> Curve | None:
    """Validation mean of the champion so far, over evaluations, environment steps or generations.

    The line and the band of a study are the median and the quartiles of its runs; a stopped run counts with its last
    champion. The band of a single run is from the lower to the upper quartile of the population's training fitness.
    Without a single generation in their metrics, there is no curve.
    """
    histories = [metrics for path in compared.directories if over in (metrics := load_run(path).metrics)]
    if not histories:
        return None
    ends = np.unique(np.concatenate([_spent(history, over) for history in histories])).astype(np.float64)
    x = ends[np.linspace(0, len(ends) - 1, min(_POINTS, len(ends))).round().astype(int)]
    if compared.kind == "run":
        keys = ("validation_mean", "lower_quartile", "upper_quartile")
        line, low, high = (_values_at(histories[0], key, x, over) for key in keys)
        return Curve(x, line, low, high)
    values = np.array([_values_at(history, "validation_mean", x, over) for history in histories])
    known = np.isfinite(values).all(axis=0)  # every run has a champion
    edges = np.full((3, len(x)), np.nan)
    edges[:, known] = np.array([quantiles(column, [0.25, 0.5, 0.75]) for column in values[:, known].T]).reshape(-1, 3).T
    return Curve(x, edges[1], edges[0], edges[2])


def profiles(scores: Sequence[FloatArray]) -> list[Curve]:
    """The performance profile of each array of test scores: the share of at least x, with a 95 % bootstrap band."""
    found = np.concatenate([values[np.isfinite(values)] for values in scores])
    if not found.size:
        return []
    margin = (found.max() - found.min()) * 0.02 or 1.0
    x = np.linspace(found.min() - margin, found.max() + margin, _POINTS)
    return [_profile(values, x, x) for values in scores]


def solving_curves(compared: Sequence[Compared]) -> list[Curve]:
    """The solving curve of each study: the share of runs solved within x evaluations, with a 95 % bootstrap band."""
    found = np.concatenate([each.evaluations[np.isfinite(each.evaluations)] for each in compared])
    if not found.size:
        return []
    x = np.linspace(0.0, found.max() * 1.05, _POINTS)
    return [_profile(-each.evaluations, -x, x) for each in compared]


def _profile(values: FloatArray, thresholds: FloatArray, x: FloatArray) -> Curve:
    return Curve(x, performance_profile(values, thresholds), *profile_band(values, thresholds))


def _spent(history: Mapping[str, NDArray[Any]], over: Over) -> NDArray[Any]:
    """What the run had spent at the end of each generation; generations count from 1."""
    return history[over] + (over == "generation")


def _values_at(history: Mapping[str, NDArray[Any]], key: str, x: FloatArray, over: Over) -> FloatArray:
    """The value of `key` after the last generation that ended within each of `x`; NaN before the first."""
    places = np.searchsorted(_spent(history, over), x, side="right") - 1
    found: FloatArray = np.where(places >= 0, history[key][np.maximum(places, 0)], np.nan)
    return found
