"""The settings of an algorithm that follow schedules, and their values in the current generation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from evonet.settings import Schedule, argument_hints, fitted, within
from evonet.types import FloatArray, IntArray

T = TypeVar("T")


class _Scheduled(NamedTuple):
    """A setting that follows a schedule.

    Attributes:
        owner: the name of the operator in the algorithm, or of a number outside the operators.
        setting: the operator's field; "" for a number outside the operators.
        hint: the annotation of the setting.
        schedule: the schedule that the setting follows.
    """

    owner: str
    setting: str
    hint: Any
    schedule: Schedule


class ScheduledSettings:
    """The settings of some operators that follow schedules, and their current values.

    Args:
        operators: by name; an operator that is no dataclass is skipped.
        numbers: numbers outside the operators with their annotations, by name.
    """

    def __init__(self, operators: Mapping[str, Any], numbers: Mapping[str, tuple[Any, Any]]) -> None:
        self._scheduled = [
            _Scheduled(name, field.name, argument_hints(type(operator))[field.name], getattr(operator, field.name))
            for name, operator in operators.items()
            if is_dataclass(operator) and not isinstance(operator, type)
            for field in fields(operator)
            if isinstance(getattr(operator, field.name), Schedule)
        ]
        self._scheduled += [
            _Scheduled(name, "", hint, number)
            for name, (number, hint) in numbers.items()
            if isinstance(number, Schedule)
        ]
        self._numbers = [each.schedule.extremes[0] for each in self._scheduled]
        self._best, self._stagnation = -math.inf, 0
        self._parent_fitness: FloatArray | None = None
        self._resolved: dict[str, Any] = {}

    def update(self, generation: int, fitness: FloatArray) -> None:
        """Compute the numbers for the children of a generation from its `fitness (n,)`, -inf without a score."""
        best = float(fitness.max())
        self._stagnation = 0 if best > self._best else self._stagnation + 1
        self._best = max(best, self._best)
        success = math.nan
        if self._parent_fitness is not None and (children := ~np.isnan(self._parent_fitness)).any():
            success = float((fitness[children] > self._parent_fitness[children]).mean())
        for place, each in enumerate(self._scheduled):
            number = each.schedule.following(self._numbers[place], generation, success, self._stagnation)
            self._numbers[place] = within(each.hint, number)
        self._resolved.clear()

    def record_parents(self, survivors: int, fitness: FloatArray) -> None:
        """Record the fitness of each child's parents; a child that is fitter than both parents is a success.

        Args:
            survivors: number of individuals in the first rows of the new generation that are not children.
            fitness: fitness of each child's parents, `(children, 2)`.
        """
        self._parent_fitness = np.concatenate([np.full(survivors, np.nan), fitness.max(axis=1)])

    def ignore(self, rows: IntArray) -> None:
        """Do not count the individuals in these rows, which are migrants, as successes or failures."""
        if self._parent_fitness is not None:
            self._parent_fitness = self._parent_fitness.copy()
            self._parent_fitness[rows] = np.nan

    def resolve(self, name: str, operator: T) -> T:
        """The operator (or number) called `name`, with its schedules replaced by their current values."""
        if name not in self._resolved:
            current = {
                each.setting: fitted(each.hint, number)
                for each, number in zip(self._scheduled, self._numbers, strict=True)
                if each.owner == name
            }
            scheduled: Any = operator
            self._resolved[name] = (
                current[""] if "" in current else replace(scheduled, **current) if current else operator
            )
        resolved: T = self._resolved[name]
        return resolved

    def state(self) -> dict[str, FloatArray]:
        """All that `restore` needs, as arrays; nothing if there are no schedules."""
        if not self._scheduled:
            return {}
        state = {"schedules": np.array([self._best, self._stagnation, *self._numbers])}
        return state if self._parent_fitness is None else state | {"parent_fitness": self._parent_fitness}

    def restore(self, state: Mapping[str, Any], individuals: int) -> None:
        """Continue from `state`, in a population of this many individuals.

        Raises:
            ValueError: the state belongs to a population of another size.
        """
        if not self._scheduled:
            return
        self._best, stagnation, *self._numbers = np.asarray(state["schedules"]).tolist()
        self._stagnation = int(stagnation)
        self._parent_fitness = None
        self._resolved.clear()
        if "parent_fitness" in state:
            self._parent_fitness = np.array(state["parent_fitness"], dtype=np.float64)
            if self._parent_fitness.shape != (individuals,):
                raise ValueError(f"parent_fitness must have shape ({individuals},), got {self._parent_fitness.shape}")
