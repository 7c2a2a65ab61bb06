"""ARS: augmented random search (Mania, Guy and Recht 2018)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from evonet.architecture import Architecture
from evonet.arithmetic import weighted_sum
from evonet.settings import Natural, PositiveFloat, check
from evonet.strategies.mean_strategy import MeanStrategy, pairs
from evonet.strategies.openai_es import EvenPopulation
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray


class ARS(MeanStrategy):
    """ARS: the mean moves along the best mirrored steps, each weighted by its gain (Mania et al. 2018).

    Version V2 of the paper also normalises observations: set `evaluation.normalise_observations`. The fitness values
    count, not their ranks; a pair is left out if either of its genomes could not be scored.

    Args:
        architecture: architecture of the networks that evolve.
        population_size: genomes sampled in each generation, half of them the mirror images of the others.
        top: share of the pairs to learn from, ranked by the fitter genome of each pair.
        noise: standard deviation of a step from the mean.
        learning_rate: how far the mean moves for a gain of one standard deviation.
        spread: standard deviation of the first mean's genes around 0.
        evaluate_mean: whether the mean is scored too, as one more individual.
        seed: seed of all random numbers.
        initial: centre of the first mean instead of 0: a genome, or what has one, see `evonet.strategies.warm_start`.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("mean",)

    def __init__(
        self,
        architecture: Architecture,
        population_size: EvenPopulation = 32,
        top: Annotated[float, Gt(0), Le(1)] = 0.5,
        noise: PositiveFloat = 0.1,
        learning_rate: PositiveFloat = 0.1,
        spread: Annotated[float, Ge(0)] = 0.0,
        evaluate_mean: bool = True,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(ARS, {"population_size": population_size, "top": top, "noise": noise, "learning_rate": learning_rate})
        super().__init__(architecture, spread=spread, evaluate_mean=evaluate_mean, seed=seed, initial=initial)
        self.population_size = population_size
        self.top = top
        self.noise = noise
        self.learning_rate = learning_rate

    def propose(self, rng: np.random.Generator) -> FloatArray:
        delta = rng.standard_normal((self.population_size // 2, self.architecture.genome_size))
        return self.with_mean(self.mirrored(self.noise * delta))

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        plus, minus = pairs(self.without_mean(fitness))
        delta = (genomes[: len(plus)] - self.mean) / self.noise
        scored = np.flatnonzero(np.isfinite(plus) & np.isfinite(minus))
        best = scored[np.argsort(-np.maximum(plus, minus)[scored], kind="stable")]
        best = best[: max(1, round(self.top * len(plus)))]
        returns = np.stack([plus[best], minus[best]])
        returns /= max(float(np.abs(returns).max(initial=0.0)), np.finfo(np.float64).tiny)  # the unit cancels out
        sigma_r = float(returns.std()) if len(best) else 0.0
        if sigma_r > 0.0:  # at 0, all steps are equally good
            gains = returns[0] - returns[1]
            step = weighted_sum(gains, delta[best]) / (len(best) * sigma_r)
            self.mean = self.mean + self.learning_rate * step  # line 7
