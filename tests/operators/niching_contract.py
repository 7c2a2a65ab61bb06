"""What a niching promises."""

from __future__ import annotations

import numpy as np

from evonet.architecture import Architecture
from evonet.operators.niching import Niching
from evonet.operators.parents import Parents
from evonet.operators.selection import Tournament
from evonet.testing import operators
from evonet.testing.contract import require, run_checks, same_bits, unchanged
from evonet.testing.operators import ARCHITECTURES, any_fitness, any_genomes, parents_with
from evonet.types import FloatArray, IntArray

_CASES = 40
_ARCHITECTURES = {architecture.genome_size: architecture for architecture in [*ARCHITECTURES, Architecture(2, 2, 1)]}


def check_niching(niching: Niching) -> None:
    """Hold a niching, such as `FitnessSharing()`, to its contract.

    Parents are 2 * count rows, whatever genomes and fitness are; to the selection it gives numbers, and rows of their
    own; nobody is left out, and where all are in one place the fitter have more children; the same generator gives the
    same parents; nothing given is written; settings are frozen and checked.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    run_checks(CHECKS, niching)


def check_parents_are_rows(niching: Niching) -> None:
    """Two for each child, of any genomes; the same from the same generator, and nothing else is touched."""
    rng, name = np.random.default_rng(0), type(niching).__name__
    for seed in range(_CASES):
        n, count = int(rng.integers(1, 9)), int(rng.integers(1, 13))
        genomes = any_genomes(rng, (n, ARCHITECTURES[seed % len(ARCHITECTURES)].genome_size))
        fitness = any_fitness(rng, n)
        with unchanged(name, genomes=genomes, fitness=fitness):
            parents = np.asarray(_parents(niching, genomes, fitness, count, seed))
            again = _parents(niching, genomes, fitness, count, seed)
        require(parents.shape == (2 * count,), f"{name} must return {2 * count} rows, got the shape {parents.shape}")
        require(np.issubdtype(parents.dtype, np.integer), f"{name} must return whole numbers, got {parents.dtype}")
        valid = bool(((parents >= 0) & (parents < n)).all())
        require(valid, f"{name} must return rows below {n}, got {parents}")
        require(same_bits(parents, again), f"{name} must choose the same parents with the same generator")


def check_nobody_is_left_out(niching: Niching) -> None:
    """Of sixteen equally fit in different places, each becomes a parent at last."""
    genomes, fitness = np.random.default_rng(1).normal(size=(16, 9)), np.zeros(16)
    met = {int(row) for seed in range(40) for row in _parents(niching, genomes, fitness, 16, seed)}
    never = sorted(set(range(16)) - met)
    require(not never, f"{type(niching).__name__} must leave nobody out for ever, rows {never} never became parents")


def check_in_one_place_the_fitter_have_more_children(niching: Niching) -> None:
    """Where all genomes are the same there is nothing to keep apart."""
    genomes, fitness = np.ones((20, 9)), np.arange(20.0)
    parents = np.concatenate([_parents(niching, genomes, fitness, 20, seed) for seed in range(40)])
    share = (parents >= 10).mean()  # a tournament of three takes 7 of 8 from the fitter half
    require(
        share > 0.7,
        f"{type(niching).__name__} must leave the fitter their advantage where all genomes are equal: "
        f"{share:.2f} of parents are from the fitter half",
    )


CHECKS = (
    *operators.CHECKS,
    check_parents_are_rows,
    check_nobody_is_left_out,
    check_in_one_place_the_fitter_have_more_children,
)


def _parents(niching: Niching, genomes: FloatArray, fitness: FloatArray, count: int, seed: int) -> IntArray:
    parents = parents_with(fitness, genomes, _ARCHITECTURES[genomes.shape[1]])
    return niching(np.random.default_rng(seed), parents, count, _Watching(parents, type(niching).__name__))


class _Watching:
    """Selection by tournament that looks at the parents it is given by a niching of this name."""

    def __init__(self, everyone: Parents, name: str) -> None:
        self._everyone, self._name = everyone, name

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int) -> IntArray:
        fitness, known = parents.fitness, {genome.tobytes() for genome in self._everyone.genomes}
        sound = fitness.dtype == np.float64 and fitness.ndim == 1 and bool(np.isfinite(fitness).all())
        require(sound, f"{self._name} must select by finite float64 fitness (k,), got {fitness.dtype} {fitness}")
        own = 0 < len(parents.genomes) == len(fitness) <= len(self._everyone)
        own = own and all(genome.tobytes() in known for genome in parents.genomes)
        require(own, f"{self._name} must select among the parents, got {parents}")
        return Tournament(size=3)(rng, parents, count)
