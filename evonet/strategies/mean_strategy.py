"""The base class of strategies that move a mean through the space of genomes."""

from __future__ import annotations

import numpy as np

from evonet.architecture import Architecture
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, check
from evonet.strategies.strategy import Strategy
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import FloatArray


class MeanStrategy(Strategy):
    """Base of strategies that move a mean through the space of genomes.

    Args:
        architecture: architecture of the networks that evolve.
        spread: standard deviation of the first mean's genes around 0.
        evaluate_mean: whether the mean is scored too, as one more individual.
        seed: seed of all random numbers.
        initial: centre of the first mean instead of 0: a genome, or what has one, see `evonet.strategies.warm_start`.

    Attributes:
        mean: mean of the search distribution, `(genome_size,)`.
        evaluate_mean: whether the mean is scored too, as one more individual, the last.
    """

    def __init__(
        self, architecture: Architecture, *, spread: float, evaluate_mean: bool, seed: Natural, initial: Start | None
    ) -> None:
        check(type(self), {"spread": spread, "evaluate_mean": evaluate_mean})
        super().__init__(architecture, seed=seed)
        start = generator(seed, Purpose.INITIALISATION).standard_normal(architecture.genome_size)
        self.mean: FloatArray = spread * start
        if initial is not None:
            (centre,) = starting_genomes(f"{type(self).__name__}.initial", initial, architecture, most=1)
            self.mean = centre + self.mean
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
