"""What operators want beside their usual arguments, and how they get it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from evonet.operators.niching import FitnessSharing, Niching, Select
from evonet.operators.selection import Selection
from evonet.types import FloatArray, IntArray

T = TypeVar("T")

_CASES = "cases"


def wants_of(part: object) -> frozenset[str]:
    """What an operator, or an algorithm for its operators, wants to be told: "cases", "observations", or nothing."""
    wants: frozenset[str] = getattr(part, "wants", frozenset())
    return wants


def served(operator: T, told: Mapping[str, FloatArray]) -> T:
    """The operator with what it names in its attribute `wants`, so far as that was `told`."""
    wanted = {name: told[name] for name in sorted(wants_of(operator)) if name in told}
    if not wanted:
        return operator
    call: Any = operator
    partial: Any = functools.partial(call, **wanted)
    return partial  # type: ignore[no-any-return]


def chooser(
    rng: np.random.Generator, selection: Selection, told: Mapping[str, FloatArray], breeders: IntArray | None
) -> Select:
    """How a niching has parents selected among the `breeders`; the cases that were told are those of whom it asks for.

    Args:
        rng: for the selection.
        selection: served already.
        told: by name.
        breeders: rows of the population that the niching sees; None for all.
    """
    cases = told.get(_CASES) if isinstance(selection, functools.partial) and _CASES in selection.keywords else None
    if cases is not None and breeders is not None:
        cases = cases[breeders]

    def select(fitness: FloatArray, rows: IntArray | None, count: int) -> IntArray:
        call: Any = selection
        theirs = {} if cases is None else {_CASES: cases if rows is None else cases[rows]}
        chosen: IntArray = call(rng, fitness, count, **theirs)
        return chosen if rows is None else rows[chosen]

    return select


def check_told_apart(selection: Selection, niching: Niching) -> None:
    """Refuse a niching that changes the fitness for a selection that looks at the cases.

    Raises:
        ValueError: it is so.
    """
    if isinstance(niching, FitnessSharing) and _CASES in wants_of(selection):
        raise ValueError(
            f"GeneticAlgorithm.niching must not be fitness sharing where the selection goes by the episodes' returns, "
            f"got {niching} with {selection}; take species, or another selection"
        )
