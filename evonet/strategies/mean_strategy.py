"""The base class of strategies that move a mean through the space of genomes."""

from __future__ import annotations

import numpy as np

from evonet.architecture import Architecture
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, check
from evonet.strategies.strategy import Strategy
from evonet.types import FloatArray


class MeanStrategy(Strategy):
    """Base of strategies that move a mean through the space of genomes.

    Args:
        architecture: architecture of the networks that evolve.
        spread: standard deviation of the first mean's genes around 0.
        evaluate_mean: whether the mean is scored too, as one more individual.
        seed: seed of all random numbers.

    Attributes:
        mean: mean of the search distribution, `(genome_size,)`.
        evaluate_mean: whether the mean is scored too, as one more individual, the last.
    """

    def __init__(self, architecture: Architecture, *, spread: float, evaluate_mean: bool, seed: Natural) -> None:
        check(type(self), {"spread": spread, "evaluate_mean": evaluate_mean})
        super().__init__(architecture, seed=seed)
        start = generator(seed, Purpose.INITIALISATION).standard_normal(architecture.genome_size)
        self.mean: FloatArray = spread * start
        self.evaluate_mean = evaluate_mean

    def with_mean(self, sampled: FloatArray) -> FloatArray:
        """The genomes to score: the samples, then the mean if it is scored too."""
        return np.concatenate([sampled, self.mean[None, :]]) if self.evaluate_mean else sampled

    def without_mean(self, values: FloatArray) -> FloatArray:
        """The values `(n, …)` of the samples only."""
        return values[:-1] if self.evaluate_mean else values

    def mirrored(self, steps: FloatArray) -> FloatArray:
        """The mean plus each of `steps (m, genome_size)`, then minus each of them, `(2 m, genome_size)`."""
        return np.concatenate([self.mean + steps, self.mean - steps])


def pairs(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The values of mirrored samples `(2 m,)` as those of the plus side and those of the minus side, `(m,)` each."""
    half = len(values) // 2
    return values[:half], values[half:]
