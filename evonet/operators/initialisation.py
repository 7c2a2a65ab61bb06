"""Initialisation: the genomes of the first generation.

An initialisation maps `(rng, count, architecture)` to genomes `(count, genome_size)`. To add one, write a class and
enter it in `INITIALISATIONS`.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from evonet.architecture import Architecture
from evonet.arithmetic import add_up
from evonet.operators.mutation import check_order
from evonet.settings import Operator, PositiveFloat, frozen
from evonet.types import FloatArray


class Initialisation(Protocol):
    """Draws the genomes of the first generation."""

    def __call__(self, rng: np.random.Generator, count: int, architecture: Architecture) -> FloatArray:
        """Genomes `(count, genome_size)`, in a new array."""
        ...


@frozen
class Normal(Operator):
    """Draws each gene from a normal distribution around 0.

    Attributes:
        scale: standard deviation of the distribution.
    """

    scale: PositiveFloat = 1.0

    def __call__(self, rng: np.random.Generator, count: int, architecture: Architecture) -> FloatArray:
        genomes = rng.standard_normal((count, architecture.genome_size))
        genomes *= self.scale
        return genomes


@frozen
class UniformInitialisation(Operator):
    """Draws each gene from a uniform distribution over [low, high).

    Attributes:
        low: least value.
        high: greatest value.
    """

    low: float = -1.0
    high: float = 1.0

    def check_together(self) -> None:
        check_order("UniformInitialisation", self.low, self.high)

    def __call__(self, rng: np.random.Generator, count: int, architecture: Architecture) -> FloatArray:
        return rng.uniform(self.low, self.high, (count, architecture.genome_size))


@frozen
class Xavier(Operator):
    """Draws uniform weights scaled by fan-in and fan-out; biases are 0 (Glorot and Bengio 2010, equation 16).

    Attributes:
        gain: factor on all weights.
    """

    gain: PositiveFloat = 1.0

    def __call__(self, rng: np.random.Generator, count: int, architecture: Architecture) -> FloatArray:
        genomes = np.zeros((count, architecture.genome_size))
        for weights in _weights(architecture, genomes):
            limit = self.gain * math.sqrt(6 / (weights.shape[1] + weights.shape[2]))
            weights[...] = rng.uniform(-limit, limit, weights.shape)
        return genomes


@frozen
class Orthogonal(Operator):
    """Draws the weights of each layer as (part of) an orthogonal matrix; biases 0 (Saxe, McClelland and Ganguli 2014).

    Attributes:
        gain: factor on all weights.
    """

    gain: PositiveFloat = 1.0

    def __call__(self, rng: np.random.Generator, count: int, architecture: Architecture) -> FloatArray:
        genomes = np.zeros((count, architecture.genome_size))
        for weights in _weights(architecture, genomes):
            _, rows, columns = weights.shape
            drawn = rng.standard_normal((count, max(rows, columns), min(rows, columns)))
            directions = self.gain * _orthonormal(drawn.transpose(2, 1, 0))  # (columns, rows, count), or rows first
            weights[...] = directions.transpose(2, 1, 0) if rows >= columns else directions.transpose(2, 0, 1)
        return genomes


INITIALISATIONS: dict[str, type[Initialisation]] = {
    "normal": Normal,
    "uniform": UniformInitialisation,
    "xavier": Xavier,
    "orthogonal": Orthogonal,
}


def _orthonormal(vectors: FloatArray) -> FloatArray:
    """Orthonormal vectors from `vectors (k, dimensions, count)` by Gram and Schmidt.

    The first i of them span what the first i vectors span. Each projection is subtracted twice, for precision (Giraud
    et al. 2005). From normal vectors come uniformly distributed rotations.
    """
    directions = np.empty(vectors.shape)
    for i, vector in enumerate(vectors):
        rest = vector.copy()
        for direction in [*directions[:i], *directions[:i]]:
            rest -= add_up(direction * rest) * direction
        directions[i] = rest / np.sqrt(add_up(rest * rest))
    return directions


def _weights(architecture: Architecture, genomes: FloatArray) -> list[FloatArray]:
    """The weight matrices of all layers, `(count, from, to)` each, as views."""
    return [block for name, block in architecture.views(genomes).items() if name.endswith("weights")]
