"""The base class of strategies that fill an archive: they are told the measures beside the fitness."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.archives.archive import Archive, Insertion
from evonet.archives.measure_matrix import Measures, measure_matrix
from evonet.settings import Natural
from evonet.strategies.strategy import Strategy
from evonet.types import FloatArray


class ArchiveStrategy(Strategy):
    """Base of strategies that fill an archive: `propose` genomes, `adapt` to the outcome of their insertion.

    Args:
        architecture: architecture of the networks that evolve.
        archive: the archive that is filled.
        seed: seed of all random numbers.

    Attributes:
        archive: the archive that is filled; after the run, its result.
    """

    def __init__(self, architecture: Architecture, archive: Archive, *, seed: Natural = 0) -> None:
        super().__init__(architecture, seed=seed)
        if not isinstance(archive, Archive):
            raise TypeError(f"{type(self).__name__}.archive must be an archive such as GridArchive, got {archive!r}")
        self.archive = archive
        self._measures: FloatArray = np.empty((0, len(archive.measure_names)))

    @abstractmethod
    def adapt(self, rng: np.random.Generator, genomes: FloatArray, insertion: Insertion, measures: FloatArray) -> None:
        """Learn from the outcome of inserting the genomes into the archive, and from their measures `(n, k)`."""

    def tell(self, fitness: ArrayLike, *, measures: Measures | None = None) -> None:
        """Insert the genomes last asked for into the archive, and learn from the outcome.

        An individual whose fitness or measures are not finite could not be scored, and is left out.

        Args:
            fitness: `(n,)`, higher is fitter.
            measures: `(n,)` by name, or `(n, k)` in the order of the archive's names.

        Raises:
            ValueError: a shape is wrong, or a measure is missing.
        """
        scores = np.asarray(fitness, dtype=np.float64)
        if scores.shape == (len(self.ask()),):  # else the error is about the fitness
            owner = f"{type(self).__name__}.tell"
            self._measures = measure_matrix(owner, measures, self.archive.measure_names, len(scores))
        super().tell(scores)

    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        self.adapt(rng, genomes, self.insert(genomes, fitness, self._measures), self._measures)

    def insert(self, genomes: FloatArray, fitness: FloatArray, measures: FloatArray) -> Insertion:
        """Add the genomes to the archive."""
        return self.archive.add(genomes, fitness, measures, self.population.ids)

    def state(self) -> dict[str, Any]:
        return super().state() | {"archive": self.archive.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.archive.restore(state["archive"])
