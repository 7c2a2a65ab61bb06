"""What a selection promises."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from evonet.operators.selection import Selection
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.operators import any_fitness, given, parents_with

_CASES = 60
_DRAWS = 60_000


def check_selection(selection: Selection) -> None:
    """Hold a selection, such as `Tournament()`, to its contract; it takes a second.

    Parents are as many indices as asked for, whatever the fitness; a fitter individual has no smaller chance; the order
    is random; the same generator gives the same parents; nothing given is written; settings are frozen and checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, selection)


def check_parents_are_valid_indices(selection: Selection) -> None:
    """`count` rows, the same from the same generator; nothing given is written."""
    rng, name = np.random.default_rng(0), type(selection).__name__
    for seed in range(_CASES):
        fitness, count = any_fitness(rng, int(rng.integers(1, 13))), int(rng.integers(31))
        with unchanged(name, fitness=fitness):
            parents = np.asarray(selection(np.random.default_rng(seed), parents_with(fitness), count))
            again = selection(np.random.default_rng(seed), parents_with(fitness), count)
        require(parents.shape == (count,), f"{name} must return ({count},) indices, got the shape {parents.shape}")
        require(np.issubdtype(parents.dtype, np.integer), f"{name} must return whole numbers, got {parents.dtype}")
        valid = ((parents >= 0) & (parents < len(fitness))).all()
        require(valid, f"{name} must return indices below {len(fitness)}, got {parents} for {fitness}")
        require(same_bits(parents, again), f"{name} must choose the same parents with the same generator")


def check_parents_depend_on_the_generator(selection: Selection) -> None:
    """Other seeds, other parents."""
    parents = parents_with(np.arange(20.0))
    draws = {np.asarray(selection(np.random.default_rng(seed), parents, 30)).tobytes() for seed in range(10)}
    require(len(draws) == 10, f"{type(selection).__name__} must choose other parents with another generator")


def check_smallest_populations_at_any_pressure(selection: Selection) -> None:
    """One individual, or a few of extreme or equal fitness, at the least pressure and at the most."""
    name = type(selection).__name__
    least, most = {"size": 1, "fraction": 1.0, "pressure": 1.0}, {"size": 50, "pressure": 2.0}
    for pressed in (given(selection, **least), given(selection, **most)):
        for fitness in ([0.0], [-1e308], [1e308, -1e308], [5e-324, 0.0], [3.0, 3.0, 3.0]):
            parents = np.asarray(pressed(np.random.default_rng(0), parents_with(fitness), 8))
            inside = set(parents.tolist()) <= set(range(len(fitness)))
            require(inside, f"{name} must choose among {len(fitness)} of fitness {fitness}, got {parents}")


def check_a_fitter_individual_never_has_the_smaller_chance(selection: Selection) -> None:
    """Shares of 60,000 draws rise with fitness; equally fit individuals are taken together."""
    for fitness in (np.arange(12.0), -(np.arange(12.0) ** 2), np.repeat([0.0, 1.0, 5.0], 4)):
        order = np.random.default_rng(1).permutation(len(fitness))
        parents = selection(np.random.default_rng(2), parents_with(fitness[order]), _DRAWS)
        share = np.bincount(parents, minlength=12) / _DRAWS
        rising = share[np.argsort(fitness[order], kind="stable")]
        groups = [float(rising[np.sort(fitness) == value].mean()) for value in np.unique(fitness)]
        require(
            all(better >= worse - 5 * np.sqrt((worse + better) / _DRAWS) for worse, better in pairwise(groups)),
            f"{type(selection).__name__} must not give a fitter individual the smaller chance, "
            f"got {np.round(groups, 4).tolist()} for {np.unique(fitness).tolist()}",
        )


def check_neighbours_are_in_random_order(selection: Selection) -> None:
    """Neighbours are paired, so an individual must stand beside itself only as often as by chance."""
    n, name = 40_000, type(selection).__name__
    parents = np.asarray(selection(np.random.default_rng(3), parents_with(np.arange(10.0)), n))
    first, second = parents[::2], parents[1::2]
    share = np.bincount(parents, minlength=10) / n
    to_itself, chance = (first == second).mean(), (share**2).sum()
    require(
        abs(to_itself - chance) < 5 * np.sqrt(chance / len(first)),
        f"{name} must return parents in random order: {to_itself:.3f} of pairs are one individual, not {chance:.3f}",
    )
    require(
        abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(first)),
        f"{name} must return parents in random order, got neighbours that resemble each other",
    )
    require(
        abs(np.corrcoef(parents, np.arange(n))[0, 1]) < 5 / np.sqrt(n),
        f"{name} must return parents in random order, got the fitter ones at one end",
    )


CHECKS = (
    *operators.CHECKS,
    check_parents_are_valid_indices,
    check_parents_depend_on_the_generator,
    check_smallest_populations_at_any_pressure,
    check_a_fitter_individual_never_has_the_smaller_chance,
    check_neighbours_are_in_random_order,
)
