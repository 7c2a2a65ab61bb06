"""Random weight guessing, a baseline for all other algorithms (Schmidhuber, Hochreiter and Bengio 2001)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from evonet.architecture import Architecture
from evonet.settings import Count, Natural, PositiveFloat, check
from evonet.strategies.strategy import Strategy
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import FloatArray


class RandomSearch(Strategy):
    """Random weight guessing, a baseline that learns nothing (Schmidhuber, Hochreiter and Bengio 2001).

    Args:
        architecture: architecture of the networks.
        population_size: genomes drawn in each generation.
        distribution: "normal", or "uniform" from -scale to scale.
        scale: standard deviation ("normal") or greatest absolute value ("uniform") of a gene.
        seed: seed of all random numbers.
        initial: centre of the draws instead of 0: a genome, or what has one, see `evonet.strategies.warm_start`.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    saved_attributes = ("centre",)
    mu = 1  # which a race must find

    def __init__(
        self,
        architecture: Architecture,
        population_size: Count = 64,
        distribution: Literal["normal", "uniform"] = "normal",
        scale: PositiveFloat = 1.0,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(RandomSearch, {"population_size": population_size, "distribution": distribution, "scale": scale})
        super().__init__(architecture, seed=seed)
        self.population_size = population_size
        self.distribution = distribution
        self.scale = scale
        self.centre: FloatArray | None = None
        if initial is not None:
            self.centre = starting_genomes("RandomSearch.initial", initial, architecture, most=1)[0]

    def propose(self, rng: np.random.Generator) -> FloatArray:
        shape = (self.population_size, self.architecture.genome_size)
        if self.distribution == "uniform":
            steps = rng.uniform(-self.scale, self.scale, shape)
        else:
            steps = self.scale * rng.standard_normal(shape)
        return steps if self.centre is None else self.centre + steps

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        pass
