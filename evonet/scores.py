"""The score of a set of episodes: the mean of their returns, with its confidence interval, and their measures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.files.fields import Fields
from evonet.files.numbers import take_vector
from evonet.statistics import Interval, bootstrap_interval, mean
from evonet.types import FloatArray

_MAX_MEASURES = 10_000


@dataclass(frozen=True, eq=False)
class Score:
    """Returns of episodes, with their mean and its interval.

    Attributes:
        returns: returns, `(episodes,)`; NaN for a failed episode.
        measures: the measures of these episodes by name, each `(episodes,)`; empty where there are none.
        fitness: what the episodes are worth, `(episodes,)`, where weights make the fitness of return and measures; None
            where it is the return.
    """

    returns: FloatArray
    measures: Mapping[str, FloatArray] = field(default_factory=dict)
    fitness: FloatArray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", np.asarray(self.returns, dtype=np.float64))

    @property
    def measured(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation over the episodes of each measure by name; NaN if an episode failed."""
        return {name: (float(values.mean()), float(values.std())) for name, values in self.measures.items()}

    @property
    def mean(self) -> float:
        """Mean of the returns; -inf if an episode failed."""
        mean = float(self.returns.mean())
        return mean if np.isfinite(mean) else -np.inf

    @property
    def fitness_mean(self) -> float:
        """Mean of what the episodes are worth; -inf if one failed."""
        mean = self.mean if self.fitness is None else float(self.fitness.mean())
        return mean if np.isfinite(mean) else -np.inf

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self.returns)

    @cached_property
    def interval(self) -> Interval:
        """95 % bootstrap interval of the mean."""
        if self.mean == -np.inf:
            return Interval(-np.inf, -np.inf)
        return bootstrap_interval(mean, self.returns)

    def expected_at_least(self, episodes: int) -> float:
        """The lower end of a 95 % prediction interval (normal) for the mean of `episodes` further episodes."""
        deviation = float(self.returns.std()) * (1 / self.episodes + 1 / episodes) ** 0.5
        return self.mean - 1.96 * float(deviation)

    def __str__(self) -> str:
        return f"{with_interval(self.mean, self.interval)} over {self.episodes} episodes"


def described_scores(scores: Mapping[str, Score]) -> tuple[list[str], dict[str, FloatArray]]:
    """Scores for a file: the names of their measures, and their numbers by name, of which `scores_from` makes them.

    Args:
        scores: scores by name, with the same measures or none.
    """
    arrays = {name: score.returns for name, score in scores.items()}
    measured = {name: score.measures for name, score in scores.items() if score.measures}
    arrays |= {f"{name}_measures": np.stack([*measures.values()]) for name, measures in measured.items()}
    arrays |= {f"{name}_fitness": score.fitness for name, score in scores.items() if score.fitness is not None}
    return list(next(iter(measured.values()), ())), arrays


def scores_from(header: Fields, arrays: dict[str, NDArray[Any]], names: Sequence[str]) -> dict[str, Score]:
    """Take those scores of `names` that a file has, with their measures, out of the file's arrays.

    Raises:
        ValueError: the file's header or its arrays describe no such scores.
    """
    measures = header.items("measures", _MAX_MEASURES) if header.has("measures") else []
    measures = [Fields({"name": name}, "header.measures").word("name") for name in measures]
    if len(set(measures)) < len(measures):
        raise ValueError("header.measures must be different names")
    return {name: _score(arrays, name, measures) for name in names if name in arrays}


def _score(arrays: dict[str, NDArray[Any]], name: str, measures: Sequence[str]) -> Score:
    returns = take_vector(arrays, name, faults=True)
    numbers, shape = np.zeros((0, len(returns))), (len(measures), len(returns))
    if (key := f"{name}_measures") in arrays:
        if np.shape(arrays[key]) != shape:
            raise ValueError(f"{key} must have shape {shape}, got {np.shape(arrays[key])}")
        arrays[key] = arrays[key].ravel()
        numbers = take_vector(arrays, key, faults=True).reshape(shape)
    key = f"{name}_fitness"
    fitness = take_vector(arrays, key, len(returns), faults=True) if key in arrays else None
    return Score(returns, dict(zip(measures, numbers, strict=False)), fitness)


def with_interval(mean: float, interval: Sequence[float], target: float | None = None) -> str:
    """A mean and its interval as `rounded` writes them, for example `-147 (-155 to -140)`."""
    mean_text, low, high = rounded(mean, interval, target)
    return f"{mean_text} ({low} to {high})"


def rounded(mean: float, interval: Sequence[float], target: float | None = None) -> tuple[str, str, str]:
    """A mean and the bounds of its interval in as many digits as the interval allows.

    The last digit is that of the first digit of half the interval's width, or further to the right if the rounded mean
    would be on the other side of `target`.
    """
    low, high = interval
    half = (high - low) / 2
    if not (half > 0 and math.isfinite(half)) or max(abs(low), abs(high)) >= 1e15:
        return f"{mean:,.6g}", f"{low:,.6g}", f"{high:,.6g}"
    decimals = max(0, -math.floor(math.log10(half)))
    while target is not None and (round(mean, decimals) >= target) != (mean >= target) and decimals < 15:
        decimals += 1
    return _fixed(mean, decimals), _fixed(low, decimals), _fixed(high, decimals)


def _fixed(value: float, decimals: int) -> str:
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


class EarnedScore:
    """A field of a champion that holds a score, and is None once the champion is edited."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, champion: Any, owner: type | None = None) -> Score | None:
        if champion is None or champion.edited:
            return None
        score: Score | None = vars(champion)[self._name]
        return score

    def __set__(self, champion: Any, score: Score | None) -> None:
        vars(champion)[self._name] = score
