"""The parents: the scored individuals from which operators make the next generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from evonet.architecture import Architecture
from evonet.errors import AlgorithmFailed
from evonet.types import BoolArray, FloatArray, IntArray

Observe: TypeAlias = Callable[[], FloatArray]
"""Runs an episode of the fittest individual once more and returns its network inputs, `(k, num_inputs)`, in order."""


@dataclass(frozen=True, eq=False)
class Parents:
    """Individuals that may become parents, and their evaluation.

    Attributes:
        architecture: architecture of the individuals' networks.
        genomes: `(n, genome_size)`.
        fitness: `(n,)`, finite, higher is fitter.
        returns: return of each training episode, `(n, episodes)`, NaN for a failed episode; None if only the fitness is
            known.
        observations: network inputs of one episode of the fittest individual, `(k, num_inputs)`, in time order; None
            unless an operator has the attribute `observes = True`, because that episode must run a second time.
        masks: which connections exist, `(n, genome_size)`; None if all do.
    """

    architecture: Architecture
    genomes: FloatArray
    fitness: FloatArray
    returns: FloatArray | None = None
    observations: FloatArray | None = None
    masks: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.fitness)

    def __getitem__(self, rows: IntArray) -> Parents:
        """The parents in some `rows (m,)`, with copies of their genomes, fitness, returns and masks."""
        returns = None if self.returns is None else self.returns[rows]
        masks = None if self.masks is None else self.masks[rows]
        return replace(self, genomes=self.genomes[rows], fitness=self.fitness[rows], returns=returns, masks=masks)


def checked_genomes(genomes: FloatArray, before: FloatArray, operator: object) -> FloatArray:
    """The genomes that an operator returned, `(m, genome_size)`, if they have the shape of those before.

    Raises:
        AlgorithmFailed: they have another shape.
    """
    if np.shape(genomes) != before.shape:
        name = type(operator).__name__
        raise AlgorithmFailed(f"{name} must return genomes of shape {before.shape}, got {np.shape(genomes)}")
    return genomes
