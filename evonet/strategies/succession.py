"""Base of algorithms that run others, one after another, as one search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.operators.parents import Observe
from evonet.population import NO_PARENT, Population
from evonet.strategies.algorithm import tell_with_episodes, uses_linear_algebra
from evonet.types import BoolArray, FloatArray, IntArray


class Succession(ABC):
    """Runs one algorithm after another, under ids that are unique in the whole run.

    Args:
        architecture: architecture of the networks that evolve.

    Attributes:
        population: the individuals last asked for, with their fitness once it is known.
    """

    population: Population

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self._algorithm: Any = None
        self._first_id = self._next_id = 0

    @abstractmethod
    def _successor(self) -> Any:
        """Make the next algorithm, after a generation; None to keep the present one."""

    @abstractmethod
    def _record(self, scores: FloatArray) -> None:
        """Record the fitness of a generation, `(n,)`."""

    def _run(self, algorithm: Any) -> None:
        """Let `algorithm` run from now on; a subclass does so first of all with the one that it begins with."""
        self._algorithm, self._first_id = algorithm, self._next_id
        self.population = self._in_whole_run()

    @property
    def running(self) -> Any:
        """The algorithm that runs now, also within another one."""
        return getattr(self._algorithm, "running", self._algorithm)

    @property
    def mean(self) -> FloatArray:
        """The mean of the search distribution of the algorithm that runs now, `(genome_size,)`, if it has one."""
        mean: FloatArray = (self._algorithm if hasattr(self._algorithm, "mean") else self.running).mean
        return mean

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the algorithm's bits depend on the linear algebra library."""
        return uses_linear_algebra(self._algorithm)

    @property
    def mu(self) -> int | None:
        """How many of the fittest a race must find, as the algorithm that runs now has it; None if it has no `mu`."""
        mu: int | None = getattr(self._algorithm, "mu", None)
        return mu

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`; n may change with the algorithm."""
        successor = None if self._algorithm.population.fitness is None else self._successor()
        if successor is not None:
            self._run(successor)
        self._algorithm.ask()
        self.population = self._in_whole_run()
        return self.population.genomes

    def tell(
        self,
        fitness: ArrayLike,
        *,
        returns: FloatArray | None = None,
        observe: Observe | None = None,
        measures: Mapping[str, FloatArray] | None = None,
    ) -> None:
        """Learn from the fitness `(n,)` of the genomes last asked for; higher is fitter.

        Args:
            fitness: `(n,)`.
            returns: return of each episode, `(n, episodes)`, for an algorithm whose `tell` takes them.
            observe: returns network inputs of the fittest, `(k, num_inputs)`, likewise.
            measures: each measure by name, `(n,)`, likewise.
        """
        numbers = np.asarray(fitness, np.float64)
        tell_with_episodes(self._algorithm, numbers, returns=returns, observe=observe, measures=measures)
        self.population = self._in_whole_run()
        scores = self.population.fitness
        assert scores is not None
        self._record(scores)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return {"first_id": self._first_id, "next_id": self._next_id, "algorithm": self._algorithm.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied; a subclass first runs an algorithm like the one that ran."""
        self._first_id, self._next_id = int(state["first_id"]), int(state["next_id"])
        self._algorithm.restore(state["algorithm"])
        self.population = self._in_whole_run()

    def _in_whole_run(self) -> Population:
        """The algorithm's population under ids that are unique in the whole run."""
        inner: Population = self._algorithm.population
        genomes, masks = self._placed(inner)
        ids: IntArray = inner.ids + self._first_id
        if len(ids):
            self._next_id = max(self._next_id, int(ids.max()) + 1)
        return Population(
            self.architecture,
            genomes,
            fitness=inner.fitness,
            ids=ids,
            parents=np.where(inner.parents == NO_PARENT, NO_PARENT, inner.parents + self._first_id),
            operators=inner.operators,
            operator_names=inner.operator_names,
            masks=masks,
        )

    def _placed(self, inner: Population) -> tuple[FloatArray, BoolArray | None]:
        """The genomes and masks of the algorithm's population as those of `architecture`."""
        return inner.genomes, inner.masks
