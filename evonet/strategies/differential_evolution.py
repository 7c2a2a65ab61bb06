"""Differential evolution (Storn and Price 1997)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from evonet.architecture import Architecture
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, PositiveFloat, Probability, check
from evonet.strategies.strategy import Strategy
from evonet.strategies.warm_start import Start, around, starting_genomes
from evonet.types import FloatArray, IntArray

Variant = Literal["rand/1", "best/1", "current-to-best/1"]


class DifferentialEvolution(Strategy):
    """Differential evolution: each individual is challenged by a mixture of others (Storn and Price 1997).

    An individual and its challenger are scored on the same episodes: a lucky score on old episodes would stay for ever.
    So each generation has both, the individuals first, and costs twice `population_size` evaluations.

    Args:
        architecture: architecture of the networks that evolve.
        population_size: individuals, and as many challengers.
        variant: what a challenger is made of: three others; the best and two others; itself, the best and two others.
        weight: F, the weight of the difference of two individuals.
        rate: CR, chance that a gene comes from the mixture; at least one gene always does.
        scale: standard deviation of the first genes.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; the other first genomes
            are copies of them in turn, with steps drawn as first genes are.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("individuals", "individual_fitness")

    def __init__(
        self,
        architecture: Architecture,
        population_size: Annotated[int, Ge(4)] = 32,
        variant: Variant = "rand/1",
        weight: Annotated[float, Gt(0), Le(2)] = 0.5,
        rate: Probability = 0.9,
        scale: PositiveFloat = 1.0,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(DifferentialEvolution, {"population_size": population_size, "variant": variant, "weight": weight})
        check(DifferentialEvolution, {"rate": rate, "scale": scale})
        super().__init__(architecture, seed=seed)
        self.population_size = population_size
        self.variant = variant
        self.weight = weight
        self.rate = rate
        rng = generator(seed, Purpose.INITIALISATION)
        self.individuals: FloatArray = scale * rng.standard_normal((population_size, architecture.genome_size))
        if initial is not None:
            founders = starting_genomes("DifferentialEvolution.initial", initial, architecture, population_size)
            self.individuals = around(founders, self.individuals)
        self.individual_fitness: FloatArray | None = None

    def propose(self, rng: np.random.Generator) -> FloatArray:
        now = self.individuals
        n, genes = now.shape
        first, second, third = _others(rng, n)
        if self.variant == "rand/1" or self.individual_fitness is None:
            base = now[first]
        else:
            best = now[int(self.individual_fitness.argmax())]
            base = best if self.variant == "best/1" else now + self.weight * (best - now)
        mixed = base + self.weight * (now[second] - now[third])
        crossed = rng.random((n, genes)) < self.rate
        crossed[np.arange(n), rng.integers(genes, size=n)] = True
        return np.concatenate([now, np.where(crossed, mixed, now)])

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        n = self.population_size
        better = fitness[n:] >= fitness[:n]
        self.individuals = np.where(better[:, None], genomes[n:], genomes[:n])
        self.individual_fitness = np.where(better, fitness[n:], fitness[:n])


def _others(rng: np.random.Generator, n: int) -> tuple[IntArray, IntArray, IntArray]:
    """For each of n individuals three others, all different."""
    # The first three of a random order of the n - 1 others, by sorting random keys.
    keys = rng.random((n, n))
    np.fill_diagonal(keys, 2.0)
    # Partitioning would do, but the order that it leaves depends on the processor's vector instructions.
    three = np.argsort(keys, axis=1, kind="stable")[:, :3]
    places = rng.permuted(three, axis=1)
    return places[:, 0], places[:, 1], places[:, 2]
