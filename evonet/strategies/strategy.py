"""The base class of strategies: keeps the population that was asked for and its fitness, saves and restores them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.population import Population
from evonet.seeding import Purpose, generator
from evonet.settings import Natural, check
from evonet.types import FloatArray


class Strategy(ABC):
    """Base of strategies: `propose` genomes, `learn` from their fitness; this class does the rest.

    Each generation has its own stream of random numbers, so a state holds no random generator.

    Args:
        architecture: architecture of the networks that evolve.
        seed: seed of all random numbers.

    Attributes:
        saved_attributes: names of the attributes that a state holds, arrays or numbers; None stays None.
        uses_linear_algebra: whether its bits depend on the linear algebra library, and so on the processor.
    """

    saved_attributes: ClassVar[tuple[str, ...]] = ()
    uses_linear_algebra: ClassVar[bool] = False

    def __init__(self, architecture: Architecture, *, seed: Natural = 0) -> None:
        check(Strategy, {"seed": seed})
        self.architecture = architecture
        self.seed = seed
        self.generation = 0
        self.population = Population(architecture, np.empty((0, architecture.genome_size)))
        self._asked = False
        self._next_id = 0

    @abstractmethod
    def propose(self, rng: np.random.Generator) -> FloatArray:
        """Genomes to score next, `(n, genome_size)`, in a new array."""

    @abstractmethod
    def learn(self, rng: np.random.Generator, genomes: FloatArray, fitness: FloatArray) -> None:
        """Learn from the fitness `(n,)` of the proposed genomes; higher is fitter, -inf is not scored."""

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`. Until `tell` is called the answer stays the same."""
        if not self._asked:
            genomes = self.propose(generator(self.seed, Purpose.VARIATION, self.generation, 0))
            ids = self._next_id + np.arange(len(genomes))
            self._next_id += len(genomes)
            self.population = Population(self.architecture, genomes, ids=ids)
            self._asked = True
        return self.population.genomes

    def tell(self, fitness: ArrayLike) -> None:
        """Learn from the fitness `(n,)` of the genomes last asked for; higher is fitter.

        An individual whose fitness is not finite could not be scored: it ranks last and is remembered with -inf.

        Raises:
            ValueError: `fitness` has the wrong shape.
        """
        genomes = self.ask()
        scores = np.array(fitness, dtype=np.float64)
        if scores.shape != (len(genomes),):
            raise ValueError(
                f"{type(self).__name__}.tell must get fitness of shape ({len(genomes)},), got {scores.shape}"
            )
        scores[~np.isfinite(scores)] = -np.inf
        self.population.fitness = scores
        if np.isfinite(scores).any():  # else there is nothing to learn
            self.learn(generator(self.seed, Purpose.VARIATION, self.generation, 1), genomes, scores)
        self.generation += 1
        self._asked = False

    def __repr__(self) -> str:
        size = getattr(self, "population_size", None)
        sampled = "" if size is None else f", {size} a generation"
        return f"<{type(self).__name__}: {self.architecture}{sampled}, generation {self.generation}, seed {self.seed}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        state: dict[str, Any] = {
            "generation": self.generation,
            "asked": self._asked,
            "born": self._next_id,  # the key of the file format
            "genomes": self.population.genomes,
            "ids": self.population.ids,
        }
        if self.population.fitness is not None:
            state["fitness"] = self.population.fitness
        return state | {
            name: _copied(value) for name in self.saved_attributes if (value := getattr(self, name)) is not None
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.generation, self._asked, self._next_id = int(state["generation"]), bool(state["asked"]), int(state["born"])
        self.population = Population(
            self.architecture,
            np.array(state["genomes"]),
            fitness=np.array(state["fitness"], dtype=np.float64) if "fitness" in state else None,
            ids=np.array(state["ids"]),
        )
        for name in self.saved_attributes:
            setattr(self, name, _copied(state[name]) if name in state else None)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
