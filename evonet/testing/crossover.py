"""What a crossover promises."""

from __future__ import annotations

import numpy as np

from evonet.operators.crossover import Crossover
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.operators import ARCHITECTURES, genome_matrices, given

_CASES = 20


def check_crossover(crossover: Crossover) -> None:
    """Hold a crossover, such as `UniformCrossover()`, to its contract.

    Children have their parents' shape and are finite; equal parents have a child equal to them; `rate` is the share of
    pairs that are crossed; every gene may come from either parent; the same generator gives the same children; nothing
    given is written; settings are frozen and checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, crossover)


def check_children_have_their_parents_shape(crossover: Crossover) -> None:
    """At every rate, the same from the same generator, in memory of their own, and nothing else is touched."""
    rng, name = np.random.default_rng(0), type(crossover).__name__
    for seed in range(_CASES):
        architecture = ARCHITECTURES[seed % len(ARCHITECTURES)]
        first, second = genome_matrices(rng, architecture, 2)
        for operator in (crossover, given(crossover, rate=0.0), given(crossover, rate=0.4), _always(crossover)):
            with unchanged(name, first=first, second=second):
                children = operator(np.random.default_rng(seed), first, second, architecture)
                again = operator(np.random.default_rng(seed), first, second, architecture)
            require(children.shape == first.shape, f"{name} must return the shape {first.shape}, got {children.shape}")
            require(children.dtype == np.float64, f"{name} must return float64, got {children.dtype}")
            require(np.isfinite(children).all(), f"{name} must return finite genes for finite parents")
            own = not (np.shares_memory(children, first) or np.shares_memory(children, second))
            require(own, f"{name} must return children in a new array, not in their parents'")
            require(same_bits(children, again), f"{name} must make the same children with the same generator")


def check_equal_parents_have_a_child_equal_to_them(crossover: Crossover) -> None:
    """To the last bit."""
    rng = np.random.default_rng(1)
    for seed in range(_CASES):
        architecture = ARCHITECTURES[seed % len(ARCHITECTURES)]
        (genomes,) = genome_matrices(rng, architecture, 1)
        children = _always(crossover)(np.random.default_rng(seed), genomes, genomes.copy(), architecture)
        alike = np.array_equal(children, genomes)
        require(alike, f"{type(crossover).__name__} must give equal parents a child equal to them")


def check_without_rate_every_child_is_its_first_parent(crossover: Crossover) -> None:
    """A copy."""
    architecture = ARCHITECTURES[1]
    first, second = np.random.default_rng(0).normal(size=(2, 50, architecture.genome_size))
    children = given(crossover, rate=0.0)(np.random.default_rng(1), first, second, architecture)
    copied = np.array_equal(children, first)
    require(copied, f"{type(crossover).__name__}, at rate 0, must return copies of the first parents")


def check_the_rate_is_the_share_of_pairs_that_are_crossed(crossover: Crossover) -> None:
    """By 20,000 pairs."""
    n, architecture = 20_000, ARCHITECTURES[1]
    first, second = np.zeros((n, architecture.genome_size)), np.ones((n, architecture.genome_size))
    whole = _always(crossover)(np.random.default_rng(5), first, second, architecture).any(axis=1).mean()
    for rate in (0.1, 0.5, 0.9):
        children = given(crossover, rate=rate)(np.random.default_rng(6), first, second, architecture)
        share, expected = children.any(axis=1).mean(), rate * whole
        require(
            abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / n) + 0.005,
            f"{type(crossover).__name__}, at rate {rate}, must cross {expected:.3f} of all pairs, got {share:.3f}",
        )


def check_every_gene_can_be_exchanged_and_every_gene_can_stay(crossover: Crossover) -> None:
    """In networks of all kinds, the least among them."""
    name = type(crossover).__name__
    for architecture in ARCHITECTURES:
        shape = (2000, architecture.genome_size)
        children = _always(crossover)(np.random.default_rng(7), np.zeros(shape), np.ones(shape), architecture)
        never = np.flatnonzero(~children.any(axis=0))
        require(not never.size, f"{name} on {architecture}: genes {never} can never come from the second parent")
        never = np.flatnonzero(~(children < 1).any(axis=0))
        require(not never.size, f"{name} on {architecture}: genes {never} can never come from the first parent")


COPYING_CHECKS = (
    *operators.CHECKS,
    check_children_have_their_parents_shape,
    check_equal_parents_have_a_child_equal_to_them,
    check_without_rate_every_child_is_its_first_parent,
)
"""What holds even for one that exchanges nothing."""

CHECKS = (
    *COPYING_CHECKS,
    check_the_rate_is_the_share_of_pairs_that_are_crossed,
    check_every_gene_can_be_exchanged_and_every_gene_can_stay,
)


def _always(crossover: Crossover) -> Crossover:
    """The crossover where it crosses every pair."""
    always: Crossover = given(crossover, rate=1.0)
    return always
