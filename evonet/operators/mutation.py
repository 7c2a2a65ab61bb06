"""Mutation: small random changes of genomes.

A mutation maps `(rng, genomes (m, genome_size), architecture)` to mutants of the same shape. Several may follow each
other. To add one, write a class and enter it in `MUTATIONS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evonet.network import Architecture
from evonet.settings import PositiveFloat, Probability, Settings
from evonet.types import FloatArray, IntArray

_SPARSE = 0.5  # below this rate the gaps between mutated genes are drawn, above it one number for each gene


class Mutation(Protocol):
    """Changes genomes at random."""

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, architecture: Architecture) -> FloatArray:
        """Mutants of `genomes (m, genome_size)`, in a new array."""
        ...


@dataclass(frozen=True)
class Gaussian(Settings):
    """Adds a normal step to some genes (Rechenberg 1973).

    Attributes:
        sigma: standard deviation of a step.
        rate: chance of each gene to change.
    """

    sigma: PositiveFloat = 0.1
    rate: Probability = 0.1

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, architecture: Architecture) -> FloatArray:
        mutants = genomes.copy()
        genes = _chosen(rng, mutants.size, self.rate)
        mutants.reshape(-1)[genes] += self.sigma * rng.standard_normal(genes.size)
        return mutants


@dataclass(frozen=True)
class UniformReset(Settings):
    """Draws some genes anew, from a uniform distribution over [low, high).

    Attributes:
        low: least new value.
        high: greatest new value.
        rate: chance of each gene to change.
    """

    low: float = -1.0
    high: float = 1.0
    rate: Probability = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise ValueError(f"UniformReset.low must be below high ({self.high!r}), got {self.low!r}")

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, architecture: Architecture) -> FloatArray:
        mutants = genomes.copy()
        genes = _chosen(rng, mutants.size, self.rate)
        mutants.reshape(-1)[genes] = rng.uniform(self.low, self.high, genes.size)
        return mutants


@dataclass(frozen=True)
class NeuronMutation(Settings):
    """Adds a normal step to all weights of some neurons (Montana and Davis 1989, "mutate nodes").

    Attributes:
        sigma: standard deviation of a step.
        rate: chance of each neuron to change; a hidden one with its incoming and outgoing weights and its bias.
    """

    sigma: PositiveFloat = 0.1
    rate: Probability = 0.1

    def __call__(self, rng: np.random.Generator, genomes: FloatArray, architecture: Architecture) -> FloatArray:
        mutants = genomes.copy()
        neurons = rng.random((len(genomes), architecture.num_neurons)) < self.rate
        genes = neurons[:, architecture.gene_neurons]
        mutants[genes] += self.sigma * rng.standard_normal(np.count_nonzero(genes))
        return mutants


MUTATIONS: dict[str, type[Mutation]] = {
    "gaussian": Gaussian,
    "uniform_reset": UniformReset,
    "neuron": NeuronMutation,
}


def _chosen(rng: np.random.Generator, size: int, rate: float) -> IntArray:
    """Indices below `size`, each chosen on its own with chance `rate`; ascending."""
    if rate == 1.0:
        return np.arange(size)
    if rate >= _SPARSE:
        return np.flatnonzero(rng.random(size) < rate)
    if rate == 0.0:
        return np.empty(0, dtype=np.int64)
    scale = -1.0 / math.log1p(-rate)
    pieces = []
    reached = -1
    while reached < size:
        expected = (size - reached) * rate
        # An exponential number rounded down is the count of genes passed over: a geometric one, at half the price.
        passed = rng.standard_exponential(int(expected + 4 * expected**0.5) + 8)
        passed *= scale
        # A tiny rate passes over more genes than an integer can count; beyond the end they are all alike.
        places = np.minimum(passed, size, out=passed).astype(np.int64)
        places += 1
        places[0] += reached
        np.cumsum(places, out=places)
        pieces.append(places)
        reached = int(places[-1])
    places = np.concatenate(pieces)
    return places[: np.searchsorted(places, size)]
