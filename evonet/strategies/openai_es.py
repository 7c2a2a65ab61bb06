"""OpenAI-ES: a gradient estimated from mirrored steps, followed by Adam (Salimans et al. 2017)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, MultipleOf

from evonet.architecture import Architecture
from evonet.arithmetic import weighted_sum
from evonet.settings import Natural, PositiveFloat, check
from evonet.strategies.fitness_shaping import centred_ranks
from evonet.strategies.mean_strategy import MeanStrategy, pairs
from evonet.strategies.optimisers import adam
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray

EvenPopulation = Annotated[int, Ge(2), MultipleOf(2)]


class OpenAIES(MeanStrategy):
    """OpenAI-ES: mirrored steps of one size, centred ranks, Adam (Salimans et al. 2017).

    Args:
        architecture: architecture of the networks that evolve.
        population_size: genomes sampled in each generation, half of them the mirror images of the others.
        sigma: standard deviation of a step from the mean.
        learning_rate: learning rate of Adam.
        weight_decay: L2 penalty; this multiple of the mean is subtracted from the gradient that Adam follows.
        spread: standard deviation of the first mean's genes around 0.
        evaluate_mean: whether the mean is scored too, as one more individual.
        seed: seed of all random numbers.
        initial: centre of the first mean instead of 0: a genome, or what has one, see `evonet.strategies.warm_start`.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("mean", "first_moment", "second_moment", "steps")

    def __init__(
        self,
        architecture: Architecture,
        population_size: EvenPopulation = 64,
        sigma: PositiveFloat = 0.1,
        learning_rate: PositiveFloat = 0.05,
        weight_decay: Annotated[float, Ge(0)] = 0.005,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(OpenAIES, {"population_size": population_size, "sigma": sigma})
        check(OpenAIES, {"learning_rate": learning_rate, "weight_decay": weight_decay})
        super().__init__(architecture, spread=spread, evaluate_mean=evaluate_mean, seed=seed, initial=initial)
        self.population_size = population_size
        self.sigma = sigma
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.first_moment: FloatArray = np.zeros_like(self.mean)
        self.second_moment: FloatArray = np.zeros_like(self.mean)
        self.steps = 0

    def propose(self, rng: np.random.Generator) -> FloatArray:
        epsilon = rng.standard_normal((self.population_size // 2, self.architecture.genome_size))
        return self.with_mean(self.mirrored(self.sigma * epsilon))

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        plus, minus = pairs(centred_ranks(self.without_mean(fitness)))
        epsilon = (genomes[: len(plus)] - self.mean) / self.sigma
        ascent = weighted_sum(plus - minus, epsilon) / (self.population_size * self.sigma)
        gradient = ascent - self.weight_decay * self.mean
        self.steps += 1
        step, self.first_moment, self.second_moment = adam(
            gradient, self.first_moment, self.second_moment, self.steps, self.learning_rate
        )
        self.mean = self.mean + step
