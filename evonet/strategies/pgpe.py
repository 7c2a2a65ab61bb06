"""PGPE with ClipUp (Sehnke et al. 2010; Toklu, Liskowski and Srivastava 2020)."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from evonet.architecture import Architecture
from evonet.arithmetic import weighted_sum
from evonet.settings import Natural, PositiveFloat, check
from evonet.strategies.fitness_shaping import centred_ranks
from evonet.strategies.mean_strategy import MeanStrategy, pairs
from evonet.strategies.openai_es import EvenPopulation
from evonet.strategies.optimisers import clip_up
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray


class PGPE(MeanStrategy):
    """PGPE: policy gradients with parameter-based exploration, mirrored steps, ClipUp (Toklu et al. 2020).

    Args:
        architecture: architecture of the networks that evolve.
        population_size: genomes sampled in each generation, half of them the mirror images of the others.
        radius: usual length of a step from the mean at first; the first standard deviation of a gene is the radius over
            the square root of the genome's size.
        max_speed: how far the mean moves at most in a generation; by default a fifteenth of the radius.
        learning_rate: how far a gradient moves the mean; by default half of `max_speed`.
        deviation_rate: learning rate of the standard deviations; 0 keeps them constant.
        max_change: share by which a standard deviation changes at most in a generation.
        spread: standard deviation of the first mean's genes around 0.
        evaluate_mean: whether the mean is scored too, as one more individual.
        seed: seed of all random numbers.
        initial: centre of the first mean instead of 0: a genome, or what has one, see `evonet.strategies.warm_start`.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("mean", "sigma", "velocity")

    def __init__(
        self,
        architecture: Architecture,
        population_size: EvenPopulation = 64,
        radius: PositiveFloat = 4.5,
        max_speed: PositiveFloat | None = None,
        learning_rate: PositiveFloat | None = None,
        deviation_rate: Annotated[float, Ge(0)] = 0.1,
        max_change: Annotated[float, Gt(0), Le(1)] = 0.2,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(PGPE, {"population_size": population_size, "radius": radius, "max_speed": max_speed})
        check(PGPE, {"learning_rate": learning_rate, "deviation_rate": deviation_rate, "max_change": max_change})
        super().__init__(architecture, spread=spread, evaluate_mean=evaluate_mean, seed=seed, initial=initial)
        size = architecture.genome_size
        self.population_size = population_size
        self.max_speed = radius / 15 if max_speed is None else max_speed
        self.learning_rate = self.max_speed / 2 if learning_rate is None else learning_rate
        self.deviation_rate = deviation_rate
        self.max_change = max_change
        self.sigma: FloatArray = np.full(size, radius / math.sqrt(size))
        self.velocity: FloatArray = np.zeros(size)

    def propose(self, rng: np.random.Generator) -> FloatArray:
        z = rng.standard_normal((self.population_size // 2, self.architecture.genome_size))
        return self.with_mean(self.mirrored(self.sigma * z))

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        plus, minus = pairs(centred_ranks(self.without_mean(fitness)))
        epsilon = genomes[: len(plus)] - self.mean
        mean_gradient = weighted_sum(plus - minus, epsilon) / 2 / len(plus)
        # The baseline is 0: centred ranks have that mean.
        widening = (epsilon**2 - self.sigma**2) / self.sigma
        sigma_gradient = weighted_sum((plus + minus) / 2, widening) / len(plus)
        self.velocity = clip_up(mean_gradient, self.velocity, self.learning_rate, self.max_speed)
        self.mean = self.mean + self.velocity
        change = np.clip(self.deviation_rate * sigma_gradient / self.sigma, -self.max_change, self.max_change)
        self.sigma = self.sigma * (1 + change)
