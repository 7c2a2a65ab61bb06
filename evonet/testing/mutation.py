"""What a mutation promises."""

from __future__ import annotations

import numpy as np

from evonet.operators.mutation import Mutation
from evonet.settings import argument_hints
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.operators import ARCHITECTURES, genome_matrices, given, parents_with

_CASES = 20


def check_mutation(mutation: Mutation) -> None:
    """Hold a mutation, such as `Gaussian()`, to its contract.

    Mutants have the genomes' shape and are finite; every gene of every row can change, each row on its own;
    the same generator gives the same mutants; nothing given is written; settings are frozen and checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, mutation)


def check_mutants_have_the_genomes_shape(mutation: Mutation) -> None:
    """At every rate, the same from the same generator, in memory of their own, and nothing else is touched."""
    rng, name = np.random.default_rng(0), type(mutation).__name__
    rates = (0.0, 0.3, 0.7, 1.0, 1e-300) if "rate" in argument_hints(type(mutation)) else ()
    for seed in range(_CASES):
        architecture = ARCHITECTURES[seed % len(ARCHITECTURES)]
        (genomes,) = genome_matrices(rng, architecture, 1)
        parents = parents_with(np.zeros(len(genomes)), genomes, architecture)
        for operator in (mutation, *(given(mutation, rate=rate) for rate in rates)):
            with unchanged(name, genomes=genomes):
                mutants = operator(np.random.default_rng(seed), genomes, parents)
                again = operator(np.random.default_rng(seed), genomes, parents)
            require(
                mutants.shape == genomes.shape, f"{name} must return the shape {genomes.shape}, got {mutants.shape}"
            )
            require(mutants.dtype == np.float64, f"{name} must return float64, got {mutants.dtype}")
            require(np.isfinite(mutants).all(), f"{name} must return finite genes for finite genomes")
            require(not np.shares_memory(mutants, genomes), f"{name} must return mutants in a new array")
            require(same_bits(mutants, again), f"{name} must make the same mutants with the same generator")


def check_every_gene_of_every_row_can_be_mutated(mutation: Mutation) -> None:
    """In networks of all kinds, the least among them, and in the first and last row too."""
    name = type(mutation).__name__
    for architecture in ARCHITECTURES:
        rng = np.random.default_rng(8)
        genomes = rng.normal(size=(3000, architecture.genome_size))
        parents = parents_with(np.zeros(3000), genomes, architecture)
        never = np.flatnonzero(~(mutation(rng, genomes, parents) != genomes).any(axis=0))
        require(not never.size, f"{name} on {architecture}: genes {never} are never mutated")
        few, changed = genomes[:4], np.zeros((4, architecture.genome_size), np.bool_)
        for _ in range(800):
            changed |= mutation(rng, few, parents) != few
        require(changed.all(), f"{name} on {architecture}: a gene of the first or last row is never mutated")


def check_mutants_differ(mutation: Mutation) -> None:
    """Rows are mutated each on its own: no two of 200 change by the same steps."""
    architecture, name = ARCHITECTURES[1], type(mutation).__name__
    genomes = np.random.default_rng(10).normal(size=(200, architecture.genome_size))
    parents = parents_with(np.zeros(200), genomes, architecture)
    steps = mutation(np.random.default_rng(9), genomes, parents) - genomes
    changed = steps[steps.any(axis=1)]
    require(len(changed) > 30, f"{name} must change more than 30 of 200 genomes of {architecture.genome_size} genes")
    different = np.unique(changed.round(9), axis=0)  # what was added to two numbers differs in its last places
    require(len(different) == len(changed), f"{name} must not change two genomes by the same steps")


CHECKS = (
    *operators.CHECKS,
    check_mutants_have_the_genomes_shape,
    check_every_gene_of_every_row_can_be_mutated,
    check_mutants_differ,
)
