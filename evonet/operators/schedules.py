"""Schedules: numbers that change from generation to generation.

A schedule may stand wherever an operator has a number: `Gaussian(sigma=Linear(0.5, 0.05, 100))`, or in a config
`sigma: {schedule: linear, start: 0.5, end: 0.05, generations: 100}`. It is rounded where the number is a whole one, and
never leaves the setting's range. To add one, subclass `Schedule`, and enter it in `SCHEDULES`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Annotated, Any, TypeVar

import numpy as np
from annotated_types import Ge, Gt

from evonet.settings import Count, Schedule, argument_hints, fitted, within
from evonet.types import FloatArray, IntArray

T = TypeVar("T")

_GOAL = 0.2  # of the one-fifth rule


@dataclass(frozen=True)
class Constant(Schedule):
    """The same number in every generation.

    Attributes:
        value: the number.
    """

    value: float

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.value,)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        return self.value


@dataclass(frozen=True)
class Linear(Schedule):
    """From `start` to `end` in equal steps, then it stays.

    Attributes:
        start: the first number.
        end: the last one.
        generations: after which it is reached.
    """

    start: float
    end: float
    generations: Count

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start, self.end)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        share = min(generation / self.generations, 1.0)
        return self.start * (1 - share) + self.end * share


@dataclass(frozen=True)
class Exponential(Schedule):
    """From `start` to `end` by equal factors, then it stays (as annealing cools, Kirkpatrick et al. 1983).

    Attributes:
        start: the first number.
        end: the last one; both are above zero.
        generations: after which it is reached.
    """

    start: Annotated[float, Gt(0)]
    end: Annotated[float, Gt(0)]
    generations: Count

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start, self.end)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        share = min(generation / self.generations, 1.0)
        number = self.start ** (1 - share) * self.end**share
        return float(number)


@dataclass(frozen=True)
class OneFifth(Schedule):
    """Greater after more than a fifth of the newborn were fitter than their parents, else smaller (Rechenberg 1973).

    It grows by `factor` and shrinks by its fourth root, so that it rests where one child in five succeeds (Kern et al.
    2004). Parents and children are scored in different generations: the rule is sound where episodes tell the same.

    Attributes:
        start: the first number.
        factor: by which it grows.
        least: below which it never falls.
        most: above which it never rises; by default the setting's own limit.
    """

    start: Annotated[float, Gt(0)]
    factor: Annotated[float, Gt(1)] = 1.5
    least: Annotated[float, Gt(0)] = 1e-6
    most: Annotated[float, Gt(0)] | None = None

    @property
    def extremes(self) -> tuple[float, ...]:
        return (self.start, self.least) if self.most is None else (self.start, self.least, self.most)

    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        if success > _GOAL:
            number *= self.factor
        elif success < _GOAL:
            number *= self.factor**-0.25
        return min(max(number, self.least), math.inf if self.most is None else self.most)


@dataclass(frozen=True)
class Stagnation(Schedule):
    """Changes by a factor whenever the best fitness has not risen for a while, and starts again once it rises.

    With a factor above 1 steps grow until they lead out of a trap, as hypermutation does (Cobb 1990); below 1 the
    search narrows.

    Attributes:
        start: the first number.
        factor: at each trigger.
        patience: generations without a better best fitness that trigger it, and again as many.
        limit: beyond which it does not go; by default the setting's own limit.
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


class Dials:
    """The settings of some operators that follow schedules, and the numbers that they stand at.

    Args:
        operators: by their roles; what is no operator is passed over.
        numbers: numbers outside of operators, by their roles, with their annotations.
    """

    def __init__(self, operators: Mapping[str, Any], numbers: Mapping[str, tuple[Any, Any]]) -> None:
        self._dials: list[tuple[str, str, Any, Schedule]] = []  # role, setting, annotation, schedule
        for role, operator in operators.items():
            settings = fields(operator) if is_dataclass(operator) and not isinstance(operator, type) else ()
            for setting in settings:
                value = getattr(operator, setting.name)
                if isinstance(value, Schedule):
                    kind: type = type(operator)
                    hint = argument_hints(kind)[setting.name]
                    self._dials.append((role, setting.name, hint, value))
        for role, (value, hint) in numbers.items():
            if isinstance(value, Schedule):
                self._dials.append((role, "", hint, value))
        self._numbers = [schedule.extremes[0] for *_, schedule in self._dials]
        self._best, self._stagnation = -math.inf, 0
        self._to_beat: FloatArray | None = None

    def __bool__(self) -> bool:
        return bool(self._dials)

    def turn(self, generation: int, fitness: FloatArray) -> None:
        """Set the numbers for the children of a generation, whose `fitness (n,)` is known, -inf if it has none."""
        best = float(fitness.max())
        self._stagnation = 0 if best > self._best else self._stagnation + 1
        self._best = max(best, self._best)
        success = math.nan
        if self._to_beat is not None and (born := ~np.isnan(self._to_beat)).any():
            success = float((fitness[born] > self._to_beat[born]).mean())
        for place, (_, _, hint, schedule) in enumerate(self._dials):
            number = schedule.following(self._numbers[place], generation, success, self._stagnation)
            self._numbers[place] = within(hint, number)

    def expect(self, survivors: int, parents: FloatArray) -> None:
        """Remember what the next generation has to beat: the fitness of each child's parents, `(children, 2)`."""
        self._to_beat = np.concatenate([np.full(survivors, np.nan), parents.max(axis=1)])

    def excuse(self, rows: IntArray) -> None:
        """Whoever is in these rows now was not born there, and does not count as a success or none."""
        if self._to_beat is not None:
            self._to_beat = self._to_beat.copy()
            self._to_beat[rows] = np.nan

    def applied(self, role: str, operator: T) -> T:
        """The operator, or the number, of this role as it stands now."""
        now = {
            name: fitted(hint, number)
            for number, (where, name, hint, _) in zip(self._numbers, self._dials, strict=True)
            if where == role
        }
        if "" in now:
            return now[""]  # type: ignore[return-value]
        return replace(operator, **now) if now else operator  # type: ignore[type-var]

    def state(self) -> dict[str, FloatArray]:
        """All that `restore` needs, as arrays; nothing if there are no schedules."""
        if not self._dials:
            return {}
        state = {"schedules": np.array([self._best, self._stagnation, *self._numbers])}
        return state if self._to_beat is None else state | {"to_beat": self._to_beat}

    def restore(self, state: Mapping[str, Any], individuals: int) -> None:
        """Go on from `state`, in a population of so many."""
        if self._dials:
            self._best, stagnation, *self._numbers = np.asarray(state["schedules"]).tolist()
            self._stagnation = int(stagnation)
            self._to_beat = np.array(state["to_beat"], dtype=np.float64) if "to_beat" in state else None
            if self._to_beat is not None and self._to_beat.shape != (individuals,):
                raise ValueError(f"to_beat must have the shape ({individuals},), got {self._to_beat.shape}")
