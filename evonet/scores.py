"""The score of a set of episodes: the mean of their returns, with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evonet.statistics import Interval, bootstrap_interval, mean
from evonet.types import FloatArray


@dataclass(frozen=True, eq=False)
class Score:
    """Returns of episodes, with their mean and its interval.

    Attributes:
        returns: returns, `(episodes,)`; NaN for a failed episode.
    """

    returns: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "returns", np.asarray(self.returns, dtype=np.float64))

    @property
    def mean(self) -> float:
        """Mean of the returns; -inf if an episode failed."""
        mean = float(self.returns.mean())
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
