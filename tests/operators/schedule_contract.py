"""What a schedule promises."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from evonet.architecture import Architecture
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.mutation import Gaussian
from evonet.settings import Schedule
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, unchanged
from evonet.testing.strategy import through_a_file

_GENERATIONS = (0, 1, 2, 7, 100, 10**6)
_SUCCESSES = (0.0, 0.1, 0.2, 0.6, 1.0, math.nan)
_STAGNATIONS = (0, 1, 9, 10, 1000)


def check_schedule(schedule: Schedule) -> None:
    """Hold a schedule of positive numbers, such as `Linear(0.5, 0.05, 100)`, to its contract.

    It says where it starts; its numbers are finite, of every generation and any success; they depend on nothing but
    what it is told, so that a run with it goes on bit for bit from a checkpoint; settings are frozen and checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, schedule)


def check_its_extremes_are_numbers(schedule: Schedule) -> None:
    """At least the first number, finite all of them."""
    name, extremes = type(schedule).__name__, schedule.extremes
    require(
        isinstance(extremes, tuple) and len(extremes) > 0, f"{name}.extremes must have the first number, got {extremes}"
    )
    require(all(_is_number(number) for number in extremes), f"{name}.extremes must be finite numbers, got {extremes}")


def check_its_numbers_are_finite(schedule: Schedule) -> None:
    """In the first generation and the millionth, after any success or none."""
    for told in _told(schedule):
        number = schedule.following(*told)
        require(
            _is_number(number),
            f"{type(schedule).__name__}.following must be a finite number, got {number!r} for {told}",
        )


def check_its_numbers_depend_on_nothing_else(schedule: Schedule) -> None:
    """Asked again, in another order, it gives the same."""
    name = type(schedule).__name__
    told = _told(schedule)
    with unchanged(name):
        first = [schedule.following(*asked) for asked in told]
        again = [schedule.following(*asked) for asked in reversed(told)][::-1]
    changed = [asked for asked, one, other in zip(told, first, again, strict=True) if one != other]
    require(not changed, f"{name}.following must depend on its arguments only, got other numbers for {changed[:1]}")


def check_a_run_with_it_goes_on_from_a_state(schedule: Schedule) -> None:
    """Bit for bit, in the place of a mutation's sigma."""
    whole, resumed = _algorithm(schedule), _algorithm(schedule)
    _evolve(whole, 6)
    resumed.restore(through_a_file(whole.state()))
    same = np.array_equal(_evolve(resumed, 6), _evolve(whole, 6))
    require(same, f"{type(schedule).__name__}: a resumed run must be the same as an uninterrupted one")


CHECKS = (
    *operators.CHECKS,
    check_its_extremes_are_numbers,
    check_its_numbers_are_finite,
    check_its_numbers_depend_on_nothing_else,
    check_a_run_with_it_goes_on_from_a_state,
)


def _told(schedule: Schedule) -> list[tuple[float, int, float, int]]:
    """What a schedule may be told: last number, generation, success, stagnation."""
    return list(product(schedule.extremes, _GENERATIONS, _SUCCESSES, _STAGNATIONS))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _algorithm(schedule: Schedule) -> GeneticAlgorithm:
    sigma: Any = schedule  # may stand where a number does
    return GeneticAlgorithm(Architecture(2, 2, 1), 8, 1, mutation=Gaussian(sigma), seed=5)


def _evolve(algorithm: GeneticAlgorithm, generations: int) -> Any:
    for _ in range(generations):
        genomes = algorithm.ask()
        algorithm.tell(-(genomes**2).sum(axis=1))
    return algorithm.ask()
