"""CoSyNE: cooperative synapse neuroevolution (Gomez, Schmidhuber and Miikkulainen 2008)."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from evonet.architecture import Architecture
from evonet.arithmetic import power
from evonet.operators.mutation import shuffled
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, PositiveFloat, Probability, check
from evonet.strategies.strategy import Strategy
from evonet.strategies.warm_start import Start, around, starting_genomes
from evonet.types import FloatArray


class CoSyNE(Strategy):
    """CoSyNE: each weight evolves in a population of its own, and networks are put together anew (Gomez et al. 2008).

    The fittest networks breed; their children take the places of the least fit. Then weights at the same gene change
    places among the networks, the likelier the less fit the network was.

    Args:
        architecture: architecture of the networks that evolve.
        population_size: networks.
        breeding: share of the networks that breed, and as many are replaced.
        crossover_rate: chance that a child is crossed at one point; otherwise it is a copy of one parent.
        sigma: scale of a Cauchy step.
        rate: chance that a gene of a child takes a Cauchy step.
        scale: first genes lie between -scale and scale.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; the other first genomes
            are copies of them in turn, with steps drawn as first genes are.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("weights",)

    def __init__(
        self,
        architecture: Architecture,
        population_size: Annotated[int, Ge(4)] = 30,
        breeding: Annotated[float, Gt(0), Le(0.5)] = 0.25,
        crossover_rate: Probability = 1.0,
        sigma: PositiveFloat = 0.3,
        rate: Probability = 0.3,
        scale: PositiveFloat = 10.0,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(CoSyNE, {"population_size": population_size, "breeding": breeding, "crossover_rate": crossover_rate})
        check(CoSyNE, {"sigma": sigma, "rate": rate, "scale": scale})
        super().__init__(architecture, seed=seed)
        self.population_size = population_size
        self.breeding = breeding
        self.crossover_rate = crossover_rate
        self.sigma = sigma
        self.rate = rate
        rng = generator(seed, Purpose.INITIALISATION)
        self.weights: FloatArray = rng.uniform(-scale, scale, (population_size, architecture.genome_size))
        if initial is not None:
            founders = starting_genomes("CoSyNE.initial", initial, architecture, population_size)
            self.weights = around(founders, self.weights)

    def propose(self, rng: np.random.Generator) -> FloatArray:
        return self.weights.copy()

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        n, genes = genomes.shape
        order = np.argsort(-fitness, kind="stable")
        parents = max(2, math.ceil(self.breeding * n))
        children = self._bred(rng, genomes[order[:parents]])
        weights = genomes[order]
        chances = self._chances(fitness[order], genes)
        weights[n - parents :] = children
        chances[n - parents :] = 1.0  # a child has no fitness of its own yet
        self.weights = shuffled(rng, weights, rng.random((n, genes)) < chances[:, None])

    def _bred(self, rng: np.random.Generator, parents: FloatArray) -> FloatArray:
        """One child for each parent: crossed at one point, then mutated."""
        count, genes = parents.shape
        first = parents
        second = parents[(np.arange(count) + rng.integers(1, count, size=count)) % count]
        cuts = np.where(rng.random(count) < self.crossover_rate, rng.integers(0, genes + 1, size=count), genes)
        children = np.where(np.arange(genes) < cuts[:, None], first, second)
        mutated = rng.random(children.shape) < self.rate
        children[mutated] += self.sigma * rng.standard_cauchy(np.count_nonzero(mutated))
        return children

    def _chances(self, fitness: FloatArray, genes: int) -> FloatArray:
        """Chances of a network's weights to change places: 1 - ((f - f_min) / (f_max - f_min))^(1/n) (equation 1)."""
        scored = np.where(np.isfinite(fitness), fitness, fitness[np.isfinite(fitness)].min())
        low, high = float(scored.min()), float(scored.max())
        if high == low:
            return np.ones(len(fitness))
        chances: FloatArray = 1.0 - power((scored - low) / (high - low), 1.0 / genes)
        return chances
