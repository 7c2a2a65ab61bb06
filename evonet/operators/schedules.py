"""Schedules: numbers that change from generation to generation.

A schedule may replace any number of an operator: `Gaussian(sigma=Linear(0.5, 0.05, 100))`, or in a config
`sigma: {schedule: linear, start: 0.5, end: 0.05, generations: 100}`. Its numbers are rounded where the setting is a
whole number, and clipped to the setting's range. To add one, subclass `Schedule` and enter it in `SCHEDULES`.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from evonet.arithmetic import power
from evonet.settings import Count, Schedule, frozen

_TARGET_SUCCESS = 0.2  # share of successful children that the one-fifth rule aims at


@frozen
class Constant(Schedule):
    """The same number in every generation.

    Attributes:
        value: the number.
    """

    by_generation: ClassVar[bool] = True
    value: float

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.value,)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        return self.value


@frozen
class Linear(Schedule):
    """Goes from `start` to `end` in equal steps, then stays there.

    Attributes:
        start: the first number.
        end: the last number.
        generations: number of generations after which `end` is reached.
    """

    by_generation: ClassVar[bool] = True
    start: float
    end: float
    generations: Count

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start, self.end)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        share = min(generation / self.generations, 1.0)
        return self.start * (1 - share) + self.end * share


@frozen
class Exponential(Schedule):
    """Goes from `start` to `end` by equal factors, then stays there (as annealing cools, Kirkpatrick et al. 1983).

    Attributes:
        start: the first number.
        end: the last number; both are above zero.
        generations: number of generations after which `end` is reached.
    """

    by_generation: ClassVar[bool] = True
    start: Annotated[float, Gt(0)]
    end: Annotated[float, Gt(0)]
    generations: Count

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start, self.end)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        share = min(generation / self.generations, 1.0)
        if share in (0.0, 1.0):  # without a rounding error
            return self.end if share else self.start
        return float(power(self.start, 1 - share) * power(self.end, share))


@frozen
class OneFifth(Schedule):
    """Grows after more than a fifth of the children were fitter than their parents, else shrinks (Rechenberg 1973).

    It grows by `factor` and shrinks by its fourth root, so it settles where one child in five succeeds (Kern et al.
    2004). Parents and children are scored on the episodes of different generations: the rule suits a fitness that
    depends little on the episodes.

    Attributes:
        start: the first number.
        factor: factor of each growth.
        least: smallest number.
        most: greatest number; by default the setting's own limit.
    """

    start: Annotated[float, Gt(0)]
    factor: Annotated[float, Gt(1)] = 1.5
    least: Annotated[float, Gt(0)] = 1e-6
    most: Annotated[float, Gt(0)] | None = None

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start, self.least) if self.most is None else (self.start, self.least, self.most)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        if success > _TARGET_SUCCESS:
            number *= self.factor
        elif success < _TARGET_SUCCESS:
            number *= 1 / math.sqrt(math.sqrt(self.factor))
        return min(max(number, self.least), math.inf if self.most is None else self.most)


@frozen
class Stagnation(Schedule):
    """Changes by a factor whenever the best fitness has not risen for a while, and returns to `start` once it rises.

    With a factor above 1 steps grow until they lead out of a trap, as hypermutation does (Cobb 1990); below 1 the
    search narrows.

    Attributes:
        start: the first number.
        factor: factor of each change.
        patience: generations without a better best fitness before each change.
        limit: bound that the number does not pass; by default the setting's own limit.
    """

    start: Annotated[float, Gt(0)]
    factor: Annotated[float, Gt(0)] = 2.0
    patience: Count = 10
    limit: Annotated[float, Ge(0)] | None = None

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start,) if self.limit is None else (self.start, self.limit)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        if stagnation == 0:
            return self.start
        if stagnation % self.patience:
            return number
        number *= self.factor
        if self.limit is None:
            return number
        return min(number, self.limit) if self.factor > 1 else max(number, self.limit)


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "linear": Linear,
    "exponential": Exponential,
    "one_fifth": OneFifth,
    "stagnation": Stagnation,
}
