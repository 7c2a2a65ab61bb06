"""Refinement: a strategy searches the weights that a network has, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.population import NO_PARENT, Population
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, check
from evonet.strategies.algorithm import AlgorithmFactory, check_factory, uses_linear_algebra
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import BoolArray, FloatArray

OPERATOR = "refinement"
"""The name of the operator by which the tuned networks come from the first one."""

_ADDRESS = 6  # of the strategy's seed; algorithms use lower ones


class Refinement:
    """Tunes the weights of a network's structure by a strategy that searches the existing weights alone.

    The strategy's genomes have one gene for each connection, so that absent connections cost it nothing: CMA-ES learns
    a covariance of as many genes as there are connections. Absent connections stay absent.

    Args:
        architecture: architecture of the network.
        algorithm: a factory of the strategy, which starts at the network's weights.
        initial: genome of the network, or what has one, see `evonet.strategies.warm_start`; its genes of 0 are
            connections that do not exist.
        first_id: id of the first tuned network.
        parent: id of the network, the parent of all tuned networks; by default they have none.
        seed: seed of all random numbers.

    Attributes:
        exists: which connections the network has, `(genome_size,)`.

    Raises:
        TypeError, ValueError: a setting has the wrong type, or the network has no connections.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        initial: Start,
        *,
        first_id: Natural = 0,
        parent: int = NO_PARENT,
        seed: Natural = 0,
    ) -> None:
        check(Refinement, {"first_id": first_id, "seed": seed})
        check_factory("Refinement", algorithm)
        (genome,) = starting_genomes("Refinement.initial", initial, architecture, most=1)
        self.exists: BoolArray = genome != 0.0
        connections = np.count_nonzero(self.exists)
        if not connections:
            raise ValueError("Refinement.initial must be a network with connections, got one without any")
        self.architecture = architecture
        self.seed = seed
        self._first_id, self._parent = first_id, parent
        # The weights alone are the genome of a network of one output that reads as many inputs.
        vector = Architecture(int(connections), 0, 1, bias=False, skip=True)
        own_seed = int(generator(seed, Purpose.VARIATION, 0, _ADDRESS).integers(2**31))
        self._strategy: Any = algorithm(architecture=vector, seed=own_seed, initial=genome[self.exists])
        self.population = self._placed()

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the strategy's bits depend on the linear algebra library."""
        return uses_linear_algebra(self._strategy)

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`; genes of absent connections are 0."""
        self._strategy.ask()
        self.population = self._placed()
        return self.population.genomes

    def tell(self, fitness: ArrayLike) -> None:
        """Learn from the fitness `(n,)` of the genomes last asked for; higher is fitter."""
        self._strategy.tell(fitness)
        self.population = self._placed()

    def __repr__(self) -> str:
        return (
            f"<Refinement: {np.count_nonzero(self.exists)} connections of {self.architecture}, by {self._strategy!r}>"
        )

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return {"refined": self._strategy.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied; the network must be the one of the state."""
        self._strategy.restore(state["refined"])
        self.population = self._placed()

    def _placed(self) -> Population:
        """The strategy's population as networks of `architecture`, all of them with the first network's structure."""
        searched: Population = self._strategy.population
        count = len(searched)
        genomes = np.zeros((count, self.architecture.genome_size))
        genomes[:, self.exists] = searched.genomes
        return Population(
            self.architecture,
            genomes,
            fitness=searched.fitness,
            ids=searched.ids + self._first_id,
            parents=np.tile([self._parent, NO_PARENT], (count, 1)),
            operators=np.ones(count, np.int64),
            operator_names=(OPERATOR,),
            masks=np.tile(self.exists, (count, 1)),
        )
