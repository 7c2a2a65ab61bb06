"""What strategies with a mean of their own share: where it starts, and that it is scored."""

from __future__ import annotations

import numpy as np

from evonet.network import Architecture
from evonet.seeding import Purpose, generator
from evonet.settings import Natural
from evonet.strategies.strategy import Strategy
from evonet.types import FloatArray


class MeanStrategy(Strategy):
    """Base of strategies that move a mean through the space of genomes.

    Attributes:
        mean: where the search is, `(genome_size,)`.
        evaluate_mean: whether the mean is scored too, as one more individual, the last.
    """

    def __init__(self, architecture: Architecture, *, spread: float, evaluate_mean: bool, seed: Natural) -> None:
        super().__init__(architecture, seed=seed)
        start = generator(seed, Purpose.INITIALISATION).standard_normal(architecture.genome_size)
        self.mean: FloatArray = spread * start
        self.evaluate_mean = evaluate_mean

    def with_mean(self, sampled: FloatArray) -> FloatArray:
        """The genomes to ask for: what was sampled, and the mean if it is to be scored."""
        return np.concatenate([sampled, self.mean[None, :]]) if self.evaluate_mean else sampled

    def without_mean(self, values: FloatArray) -> FloatArray:
        """Of values for each genome asked for, those of what was sampled."""
        return values[:-1] if self.evaluate_mean else values

    def mirrored(self, steps: FloatArray) -> FloatArray:
        """The mean plus each of `steps (m, genome_size)`, then minus each of them, `(2 m, genome_size)`."""
        return np.concatenate([self.mean + steps, self.mean - steps])


def pairs(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values of mirrored samples: of the plus side and of the minus side, `(m,)` each."""
    half = len(values) // 2
    return values[:half], values[half:]
