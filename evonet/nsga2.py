"""NSGA-II: several objectives at once, by ranks and crowding (Deb et al. 2002), around the genetic algorithm."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.archives.measure_matrix import Measures, measure_matrix
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.bounds import Bounds
from evonet.operators.crossover import SBX, Crossover
from evonet.operators.initialisation import Initialisation, Normal
from evonet.operators.mutation import Gaussian
from evonet.operators.parents import Observe
from evonet.operators.registry import Named
from evonet.operators.replacement import Plus
from evonet.operators.selection import Selection, Tournament
from evonet.operators.structure import CONNECTIONS, Structure
from evonet.pareto import crowded_order, hypervolume, non_dominated
from evonet.settings import Natural
from evonet.strategies.warm_start import Start
from evonet.types import RETURN, BoolArray, FloatArray
from evonet.variation import AnyMutation

Direction: TypeAlias = Literal["maximise", "minimise"]
Objectives: TypeAlias = Mapping[str, Direction]

ALONE: Objectives = MappingProxyType({RETURN: "maximise"})
_SIGNS: Mapping[str, float] = {"maximise": 1.0, "minimise": -1.0}


class NSGA2:
    """NSGA-II: the Pareto front of several objectives instead of one fittest individual (Deb et al. 2002).

    Half of the population survives: those of the lowest rank, and of one rank the least crowded. Tournaments by that
    order choose the parents among them; a copy of another individual is behind all others. Survivors are scored again
    with their children, on the same episodes, so that no lucky score lasts. The champion is still the best by
    validation of its return.

    Args:
        architecture: architecture of the networks that evolve.
        objectives: what is maximised or minimised, by name: measures, "return", and "connections" where the structure
            evolves.
        population_size: individuals in each generation, survivors and children.
        selection: how parents are chosen among the survivors.
        crossover: how two parents' genomes are combined.
        mutation: how children are changed; a sequence is applied in order.
        initialisation: how the first genomes are drawn.
        bounds: range that genes stay in; by default they have none.
        structure: how the networks' structure begins; by default all connections exist, and stay.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`.

    Attributes:
        values: the objectives of the population, `(n, m)`, all maximised: those that are minimised have the other sign.
            NaN for an individual that could not be scored; None before the first `tell`.
        signs: 1 for each objective that is maximised and -1 for each that is minimised, `(m,)`.
        reference: the worst value of each objective in the first generation, `(m,)`, from which `hypervolume` counts.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        population_size: Annotated[int, Ge(4)] = 128,
        selection: Selection | Named = Tournament(2),  # noqa: B008 - frozen
        crossover: Crossover | Named = SBX(),  # noqa: B008 - frozen
        mutation: AnyMutation | Named | Sequence[AnyMutation | Named] = Gaussian(),  # noqa: B008 - frozen
        initialisation: Initialisation | Named = Normal(),  # noqa: B008 - frozen
        bounds: Bounds | None = None,
        *,
        objectives: Objectives = ALONE,
        structure: Structure | None = None,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        _check_objectives(objectives)
        if CONNECTIONS in objectives and structure is None:
            raise ValueError("NSGA2.objectives must not have 'connections' where the structure does not evolve")
        if structure is not None and structure.price:
            raise ValueError(
                f"NSGA2.structure must have the price 0, got {structure.price}; take 'connections' as an objective"
            )
        self.architecture = architecture
        self.objectives = dict(objectives)
        self.signs = np.array([_SIGNS[direction] for direction in objectives.values()])
        self._breeding = GeneticAlgorithm(
            architecture,
            population_size,
            elites=0,
            selection=selection,
            crossover=crossover,
            mutation=mutation,
            replacement=Plus(0.5),
            initialisation=initialisation,
            bounds=bounds,
            structure=structure,
            seed=seed,
            initial=initial,
        )
        self.population = self._breeding.population
        self.values: FloatArray | None = None
        self.reference: FloatArray | None = None

    @property
    def seed(self) -> int:
        """Seed of all random numbers."""
        return self._breeding.seed

    @property
    def population_size(self) -> int:
        """Individuals in each generation, survivors and children."""
        return self._breeding.population_size

    @property
    def generation(self) -> int:
        """Number of the generation last asked for, from 0."""
        return self._breeding.generation

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`. Until `tell` is called the answer stays the same."""
        genomes = self._breeding.ask()
        if self._breeding.population.fitness is None:
            self.population = self._breeding.population
        return genomes

    def tell(
        self,
        fitness: ArrayLike,
        *,
        returns: ArrayLike | None = None,
        observe: Observe | None = None,
        measures: Measures | None = None,
    ) -> None:
        """Learn from the objectives of the genomes last asked for.

        Args:
            fitness: `(n,)`; the fitness of the population, and the objective "return" where there are no measures.
            returns: return of each episode, `(n, episodes)`.
            observe: returns network inputs of the fittest, see `GeneticAlgorithm.tell`.
            measures: the value of each measure by name, `(n,)` each; or the objectives themselves, `(n, m)`.

        Raises:
            ValueError: an array has the wrong shape, or an objective is not among the measures.
        """
        scores = np.array(fitness, dtype=np.float64)
        if scores.shape != (self.population_size,):
            raise ValueError(f"NSGA2.tell must get fitness of shape ({self.population_size},), got {scores.shape}")
        scores[~np.isfinite(scores)] = -np.inf
        values = self._columns(scores, measures) * self.signs
        values[~np.isfinite(scores)] = np.nan
        if self.reference is None and np.isfinite(values).all(axis=1).any():
            self.reference = values[np.isfinite(values).all(axis=1)].min(axis=0)
        self.values = values
        self._breeding.tell(self._order(values), returns=returns, observe=observe)
        self._show(scores)

    @property
    def front(self) -> BoolArray:
        """Which individuals of the population no other dominates, `(n,)`; none before the first `tell`."""
        front = np.zeros(self.population_size, dtype=np.bool_)
        if self.values is not None:
            scored = np.flatnonzero(np.isfinite(self.values).all(axis=1))
            front[scored] = non_dominated(self.values[scored])
        return front

    @property
    def hypervolume(self) -> float:
        """Volume between the front and `reference`, in the product of the objectives' units; 0 before it is known."""
        if self.values is None or self.reference is None:
            return 0.0
        return hypervolume(self.values, self.reference)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        known = {"fitness": self.population.fitness, "objectives": self.values, "reference": self.reference}
        return self._breeding.state() | {name: array for name, array in known.items() if array is not None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.values = np.array(state["objectives"], dtype=np.float64) if "objectives" in state else None
        self.reference = np.array(state["reference"], dtype=np.float64) if "reference" in state else None
        if "fitness" not in state:
            self._breeding.restore(state)
            self.population = self._breeding.population
            return
        assert self.values is not None
        self._breeding.restore(state)
        self._breeding.population.fitness = self._order(self.values)
        self._show(np.array(state["fitness"], dtype=np.float64))

    def _order(self, values: FloatArray) -> FloatArray:
        """The crowded order of the population, `(n,)`, a copy of an earlier individual behind all that is no copy."""
        order = crowded_order(values)
        seen: set[bytes] = set()
        for row, genome in enumerate(self._breeding.population.genomes):
            content = genome.tobytes()
            if content in seen and np.isfinite(order[row]):
                order[row] = -1.0
            seen.add(content)
        return order

    def _show(self, fitness: FloatArray) -> None:
        """The population with its fitness; that of the breeding is the crowded order."""
        self.population = copy.copy(self._breeding.population)
        self.population.fitness = fitness

    def _columns(self, fitness: FloatArray, measures: Measures | None) -> FloatArray:
        """The objectives, `(n, m)`, as they are measured."""
        if measures is None or isinstance(measures, Mapping):
            measures = {RETURN: fitness, **(measures or {})}
            masks = self._breeding.population.masks
            if masks is not None:
                measures[CONNECTIONS] = np.count_nonzero(masks, axis=1)
        return measure_matrix("NSGA2.tell", measures, list(self.objectives), len(fitness))

    def __repr__(self) -> str:
        aims = ", ".join(f"{direction} {name}" for name, direction in self.objectives.items())
        size = f"{self.population_size} individuals, generation {self.generation}"
        return f"<NSGA2: {self.architecture}, {aims}, {size}, seed {self.seed}>"


def _check_objectives(objectives: Objectives) -> None:
    """Check that there are objectives and that each is maximised or minimised.

    Raises:
        ValueError: there is no objective, or one has another direction.
    """
    if not objectives:
        raise ValueError("NSGA2.objectives must have at least one objective, got {}")
    for name, direction in objectives.items():
        if direction not in _SIGNS:
            raise ValueError(f"NSGA2.objectives: {name} must be 'maximise' or 'minimise', got {direction!r}")
