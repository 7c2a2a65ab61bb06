"""What a replacement promises."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonet.operators.replacement import Replacement
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.operators import any_fitness
from evonet.types import FloatArray, IntArray

_CASES = 60


def check_replacement(replacement: Replacement) -> None:
    """Hold a replacement, such as `Plus()`, to its contract.

    Survivors are rows, the fittest first, each once, and fewer than there are individuals; the elites are among them,
    whatever the fitness; who may breed are rows too, at least one; the same generator gives the same rows; nothing
    given is written; settings are frozen and checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, replacement)


def check_survivors_are_rows(replacement: Replacement) -> None:
    """Of individuals, each once; the same from the same generator, and nothing else is touched."""
    name = type(replacement).__name__
    for seed, fitness, ids, elites in _generations():
        with unchanged(name, fitness=fitness, ids=ids):
            survivors, breeders = replacement(np.random.default_rng(seed), fitness, ids, elites)
            again = replacement(np.random.default_rng(seed), fitness, ids, elites)
        _check_rows(f"{name}: survivors", survivors, len(fitness))
        same_breeders = breeders is again[1] is None or same_bits(breeders, again[1])  # type: ignore[arg-type]
        same = same_bits(survivors, again[0]) and same_breeders
        require(same, f"{name} must choose the same rows with the same generator")


def check_there_is_room_for_children(replacement: Replacement) -> None:
    """Even in a population of two, the elites all but one of it."""
    for seed, fitness, ids, elites in _generations():
        survivors, _ = replacement(np.random.default_rng(seed), fitness, ids, elites)
        n = len(fitness)
        require(
            len(survivors) < n, f"{type(replacement).__name__} must leave room for a child, got {n} survivors of {n}"
        )


def check_elites_live_on(replacement: Replacement) -> None:
    """The fittest, so many; and whoever survives comes in the order of fitness."""
    name = type(replacement).__name__
    for seed, fitness, ids, elites in _generations():
        survivors, _ = replacement(np.random.default_rng(seed), fitness, ids, elites)
        kept = fitness[np.asarray(survivors)]
        require(bool((np.diff(kept) <= 0).all()), f"{name} must return the fittest survivors first, got fitness {kept}")
        fittest = np.sort(fitness)[::-1][:elites]
        lives = np.array_equal(kept[:elites], fittest)
        require(lives, f"{name} must let the {elites} fittest live on, fitness {fittest}, got {kept}")


def check_somebody_may_breed(replacement: Replacement) -> None:
    """None stands for all; else there are rows, each once."""
    name = type(replacement).__name__
    for seed, fitness, ids, elites in _generations():
        _, breeders = replacement(np.random.default_rng(seed), fitness, ids, elites)
        if breeders is not None:
            _check_rows(f"{name}: breeders", breeders, len(fitness))
            require(len(breeders) > 0, f"{name} must let somebody breed, got no breeders of {len(fitness)}")


CHECKS = (
    *operators.CHECKS,
    check_survivors_are_rows,
    check_there_is_room_for_children,
    check_elites_live_on,
    check_somebody_may_breed,
)


def _generations() -> list[tuple[int, FloatArray, IntArray, int]]:
    """Seeds, fitness, ids and elites: from two individuals on, none of them an elite up to all but one."""
    rng, generations = np.random.default_rng(0), []
    for seed in range(_CASES):
        n = int(rng.integers(2, 13))
        ids: IntArray = 40 + rng.permutation(2 * n)[:n]
        generations.append((seed, any_fitness(rng, n), ids, int(rng.integers(n))))
    return generations


def _check_rows(what: str, rows: Any, n: int) -> None:
    rows = np.asarray(rows)
    require(rows.ndim == 1, f"{what} must be one row of numbers, got the shape {rows.shape}")
    require(np.issubdtype(rows.dtype, np.integer), f"{what} must be whole numbers, got {rows.dtype}")
    require(bool(((rows >= 0) & (rows < n)).all()), f"{what} must be rows below {n}, got {rows}")
    require(len(np.unique(rows)) == len(rows), f"{what} must have each row once, got {rows}")
