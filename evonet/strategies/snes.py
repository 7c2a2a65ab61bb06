"""SNES: separable natural evolution strategy (Schaul, Glasmachers and Schmidhuber 2011)."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge

from evonet.architecture import Architecture
from evonet.arithmetic import exp, log, weighted_sum
from evonet.settings import Natural, PositiveFloat, check
from evonet.strategies.cmaes_package import PopulationSize
from evonet.strategies.fitness_shaping import natural_utilities
from evonet.strategies.mean_strategy import MeanStrategy
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray


class SNES(MeanStrategy):
    """SNES: the natural gradient of a normal distribution with a standard deviation for each gene (Schaul et al. 2011).

    Its cost is linear in the genome's size.

    Args:
        architecture: architecture of the networks that evolve.
        population_size: genomes sampled in each generation; by default 4 + 3 ln(genome size).
        sigma: first standard deviation of each gene.
        spread: standard deviation of the first mean's genes around 0.
        evaluate_mean: whether the mean is scored too, as one more individual.
        seed: seed of all random numbers.
        initial: centre of the first mean instead of 0: a genome, or what has one, see `evonet.strategies.warm_start`.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("mean", "std")

    def __init__(
        self,
        architecture: Architecture,
        population_size: PopulationSize | None = None,
        sigma: PositiveFloat = 0.5,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(SNES, {"population_size": population_size, "sigma": sigma})
        super().__init__(architecture, spread=spread, evaluate_mean=evaluate_mean, seed=seed, initial=initial)
        size = architecture.genome_size
        log_size = float(log(size))
        self.population_size = population_size or 4 + math.floor(3 * log_size)
        self.std: FloatArray = np.full(size, float(sigma))
        self.lr_std = (3 + log_size) / (5 * math.sqrt(size))  # section 4

    @property
    def mu(self) -> int:
        """How many of the fittest a race must find: the better half of the samples, and the mean if it is scored."""
        return (self.population_size + 1) // 2 + self.evaluate_mean  # the middle one has a weight, too

    def propose(self, rng: np.random.Generator) -> FloatArray:
        z = rng.standard_normal((self.population_size, self.architecture.genome_size))
        return self.with_mean(self.mean + self.std * z)

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        weights = natural_utilities(self.without_mean(fitness))
        z = (self.without_mean(genomes) - self.mean) / self.std
        # Equations 6 and 7, with a learning rate of 1 for the mean.
        self.mean = self.mean + self.std * weighted_sum(weights, z)
        self.std = self.std * exp(self.lr_std / 2 * weighted_sum(weights, z**2 - 1))
