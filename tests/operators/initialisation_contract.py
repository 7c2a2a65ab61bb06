"""What an initialisation promises."""

from __future__ import annotations

import numpy as np

from evonet.operators.initialisation import Initialisation
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.operators import ARCHITECTURES

_DRAWN = 200


def check_initialisation(initialisation: Initialisation) -> None:
    """Hold an initialisation, such as `Xavier()`, to its contract.

    Genomes are finite and as many as asked for; no two are equal, every weight differs from one to another, and in a
    genome from its neighbours; the same generator gives the same genomes, another gives others; settings are frozen and
    checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, initialisation)


def check_genomes_are_as_many_as_asked_for(initialisation: Initialisation) -> None:
    """None too; for networks of all kinds, the same from the same generator, in memory of their own."""
    name = type(initialisation).__name__
    for architecture in ARCHITECTURES:
        for count in (0, 1, 7):
            with unchanged(name):
                genomes = initialisation(np.random.default_rng(count), count, architecture)
                again = initialisation(np.random.default_rng(count), count, architecture)
            wanted = (count, architecture.genome_size)
            require(genomes.shape == wanted, f"{name} must return the shape {wanted}, got {genomes.shape}")
            require(genomes.dtype == np.float64, f"{name} must return float64, got {genomes.dtype}")
            require(genomes.flags.c_contiguous, f"{name} must return genomes in C order, row by row")
            require(bool(np.isfinite(genomes).all()), f"{name} must return finite genes")
            own = genomes.flags.writeable and not np.shares_memory(genomes, again)
            require(own, f"{name} must return genomes in a new array that may be written")
            require(same_bits(genomes, again), f"{name} must draw the same genomes with the same generator")


def check_genomes_depend_on_the_generator(initialisation: Initialisation) -> None:
    """Other seeds, other genomes."""
    draws = {initialisation(np.random.default_rng(seed), 4, ARCHITECTURES[1]).tobytes() for seed in range(10)}
    require(len(draws) == 10, f"{type(initialisation).__name__} must draw other genomes with another generator")


def check_genomes_differ(initialisation: Initialisation) -> None:
    """No two are equal, every weight varies, and no two weights are always the same; biases may all be alike."""
    name, architecture = type(initialisation).__name__, ARCHITECTURES[1]
    genomes = initialisation(np.random.default_rng(3), _DRAWN, architecture)
    require(len(np.unique(genomes, axis=0)) == _DRAWN, f"{name} must not draw two equal genomes")
    for block, weights in architecture.views(genomes).items():
        if block.endswith("weights"):
            columns = weights.reshape(_DRAWN, -1).T
            require(bool((np.ptp(columns, axis=1) > 0).all()), f"{name} must vary every weight, some {block} never do")
            require(len(np.unique(columns, axis=0)) == len(columns), f"{name} must not draw two {block} alike in all")


CHECKS = (
    *operators.CHECKS,
    check_genomes_are_as_many_as_asked_for,
    check_genomes_depend_on_the_generator,
    check_genomes_differ,
)
