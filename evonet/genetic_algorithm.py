"""The genetic algorithm: `ask` for genomes to score, `tell` their fitness.

>>> architecture = Architecture(4, 16, 2)
>>> algorithm = GeneticAlgorithm(architecture, population_size=32, selection="truncation", seed=1)
>>> for _ in range(10):
...     genomes = algorithm.ask()
...     algorithm.tell(-(genomes**2).sum(axis=1))
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.errors import AlgorithmFailed
from evonet.files.text import short_repr
from evonet.operators.bounds import Bounds
from evonet.operators.crossover import Crossover, NeuronCrossover
from evonet.operators.fitness_scaling import finite
from evonet.operators.initialisation import Initialisation, Normal
from evonet.operators.matrix_pool import MatrixPool, raise_mmap_threshold
from evonet.operators.mutation import Gaussian, SelfAdapting
from evonet.operators.niching import FitnessSharing, Niching, NoNiching
from evonet.operators.parents import Observe, Parents
from evonet.operators.registry import Named, display_name, operator_for
from evonet.operators.replacement import Generational, Replacement
from evonet.operators.safe_mutation import SafeMutation, require_slopes
from evonet.operators.scheduled_settings import ScheduledSettings
from evonet.operators.selection import EpsilonLexicase, Selection, Tournament
from evonet.operators.structural_mutation import DEFAULT_MUTATIONS, StructuralMutation
from evonet.operators.structure import Structure, masked
from evonet.population import Population
from evonet.seeding import Purpose, generator
from evonet.settings import MayVary, Natural, Schedule, argument_hints, check
from evonet.strategies.migration import Migrants
from evonet.strategies.warm_start import Start, descendants, starting_genomes
from evonet.types import FloatArray, IntArray
from evonet.variation import AnyMutation, Variation


class GeneticAlgorithm:
    """Selection, crossover and mutation of genomes, generation by generation (Holland 1975).

    Each generation the fittest `elites` survive bit for bit, and the rest are children of selected parents: crossed,
    then mutated by each mutation in turn. A numeric setting of an operator may follow a schedule over generations. An
    operator may be given as in a config: by its name, or by a dict of its name as `type` and its settings.

    Args:
        architecture: architecture of the networks that evolve; the operators ask it which genes make up a neuron.
        population_size: individuals in each generation.
        elites: how many of the fittest survive unchanged; below `population_size`. By default 4, but no more than half
            of the population.
        selection: how parents are chosen.
        crossover: how two parents' genomes are combined.
        mutation: how children are changed; a sequence is applied in order.
        replacement: which individuals survive, and which may become parents.
        niching: how the population is kept diverse.
        initialisation: how the first genomes are drawn.
        bounds: range that genes stay in; by default they have none.
        structure: how the networks' structure begins; by default all connections exist, and stay. With a structure,
            four structural mutations (`DEFAULT_MUTATIONS`) follow the others, unless `mutation` has any of them.
        seed: seed of all random numbers of the algorithm.
        initial: genomes to start from, or what has them, such as a champion or its file, see
            `evonet.strategies.warm_start`; the rest of the first generation are mutants of them in turn.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    derived_defaults: ClassVar[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
        "elites": lambda settings: min(4, settings.get("population_size", 8) // 2)
    }

    def __init__(
        self,
        architecture: Architecture,
        population_size: Annotated[int, Ge(2)] = 128,
        elites: Annotated[int, Ge(0), MayVary()] | None = None,
        selection: Selection | Named = Tournament(),  # noqa: B008 - frozen
        crossover: Crossover | Named = NeuronCrossover(),  # noqa: B008 - frozen
        mutation: AnyMutation | Named | Sequence[AnyMutation | Named] = Gaussian(),  # noqa: B008 - frozen
        replacement: Replacement | Named = Generational(),  # noqa: B008 - frozen
        niching: Niching | Named = NoNiching(),  # noqa: B008 - frozen
        initialisation: Initialisation | Named = Normal(),  # noqa: B008 - frozen
        bounds: Bounds | None = None,
        *,
        structure: Structure | None = None,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(GeneticAlgorithm, {"population_size": population_size, "seed": seed})
        if elites is None:
            elites = self.derived_defaults["elites"]({"population_size": population_size})
        check(GeneticAlgorithm, {"elites": elites})
        largest: float = max(elites.extremes) if isinstance(elites, Schedule) else elites
        if largest >= population_size:
            rule = f"must be below population_size ({population_size})"
            raise ValueError(f"GeneticAlgorithm.elites {rule}, got {largest}")
        operator = functools.partial(operator_for, GeneticAlgorithm)
        several = mutation if isinstance(mutation, Sequence) and not isinstance(mutation, str) else (mutation,)
        self.mutations: tuple[AnyMutation, ...] = tuple(operator("mutation", each) for each in several)
        structural = any(isinstance(each, StructuralMutation) for each in self.mutations)
        if structure is not None and not structural:
            self.mutations += tuple(each() for each in DEFAULT_MUTATIONS)
        if structure is None and structural:
            raise ValueError("GeneticAlgorithm.mutation must not change the structure where there is no `structure`")
        self.selection: Selection = operator("selection", selection)
        self.crossover: Crossover = operator("crossover", crossover)
        self.replacement: Replacement = operator("replacement", replacement)
        self.niching: Niching = operator("niching", niching)
        self.initialisation: Initialisation = operator("initialisation", initialisation)
        if isinstance(self.niching, FitnessSharing) and isinstance(self.selection, EpsilonLexicase):
            raise ValueError(  # noqa: TRY004 - each may be chosen, but not both
                "GeneticAlgorithm.niching must not be fitness sharing where the selection goes by the episodes' "
                f"returns, got {self.niching} with {self.selection}; take species, or another selection"
            )
        if any(isinstance(mutation, SafeMutation) for mutation in self.mutations):
            require_slopes(architecture)
        self.architecture = architecture
        self.population_size = population_size
        self.elites = elites
        self.bounds = bounds
        self.structure = structure
        self._structural = sum(  # the bits of structural mutations in `Population.operators`
            1 << number for number, each in enumerate(self.mutations, start=1) if isinstance(each, StructuralMutation)
        )
        self.seed = seed
        self.generation = 0
        self._scheduled = ScheduledSettings(
            {
                "selection": self.selection,
                "crossover": self.crossover,
                "replacement": self.replacement,
                "niching": self.niching,
                "bounds": bounds,
                **{_mutation_name(number): each for number, each in enumerate(self.mutations, start=1)},
            },
            {"elites": (elites, argument_hints(GeneticAlgorithm)["elites"])},
        )
        self._observing = any(getattr(each, "observes", False) for each in (self.selection, *self.mutations))
        self._returns: FloatArray | None = None
        self._observations: FloatArray | None = None
        self._matrices = MatrixPool()
        raise_mmap_threshold()
        self.population = self._first_generation(initial)

    @property
    def mu(self) -> int | None:
        """How many of the fittest a race must find: the elites, and those that survive or breed by their rank alone.

        It is at least the fittest; other parents may be chosen by estimates. It is None where other numbers count than
        the fitness: with niches, a structure, or selection by single episodes.
        """
        by_episodes = isinstance(self.selection, EpsilonLexicase)
        if by_episodes or self.structure is not None or not isinstance(self.niching, NoNiching):
            return None
        elites: float = max(self.elites.extremes) if isinstance(self.elites, Schedule) else self.elites
        operators: list[Any] = [
            self._scheduled.resolve("replacement", self.replacement),
            self._scheduled.resolve("selection", self.selection),
        ]
        by_rank: list[int] = [
            each.num_by_rank(self.population_size) for each in operators if hasattr(each, "num_by_rank")
        ]
        return max(1, round(elites), *by_rank)

    def ask(self) -> FloatArray:
        """The genomes to score next, `(population_size, genome_size)`; the population's own matrix, not a copy.

        Until `tell` is called the answer stays the same.
        """
        if self.population.fitness is not None:
            self.population = self._next_generation()
            self.generation += 1
        return self.population.genomes

    def tell(self, fitness: ArrayLike, *, returns: ArrayLike | None = None, observe: Observe | None = None) -> None:
        """Learn from the fitness `(population_size,)` of the genomes last asked for; higher is fitter.

        An individual whose fitness is not finite could not be scored: it ranks last and its fitness becomes -inf.

        Args:
            fitness: `(population_size,)`.
            returns: what each episode is worth, by default its return, `(population_size, episodes)`, for operators
                that read `parents.returns`.
            observe: returns network inputs of the fittest, `(k, num_inputs)`; called if an operator `observes`.

        Raises:
            ValueError: `fitness` has the wrong shape.
        """
        scores = np.array(fitness, dtype=np.float64)
        if scores.shape != (len(self.population),):
            raise ValueError(
                f"GeneticAlgorithm.tell must get fitness of shape ({len(self.population)},), got {scores.shape}"
            )
        scores[~np.isfinite(scores)] = -np.inf
        self.population.fitness = scores
        self._returns = None if returns is None else np.array(returns, dtype=np.float64)
        self._observations = observe() if self._observing and observe is not None else None

    def __repr__(self) -> str:
        operators = ", ".join(map(repr, (self.selection, self.crossover, *self.mutations)))
        size = f"{self.population_size} individuals, generation {self.generation}"
        return f"<GeneticAlgorithm: {self.architecture}, {size}, seed {self.seed}; {operators}>"

    def _first_generation(self, initial: Start | None) -> Population:
        rng = generator(self.seed, Purpose.INITIALISATION)
        if initial is None:
            genomes = self.initialisation(rng, self.population_size, self.architecture)
        else:
            founders = starting_genomes("GeneticAlgorithm.initial", initial, self.architecture, self.population_size)
            mutations = [each for _, each in self._current_mutations() if not isinstance(each, StructuralMutation)]
            genomes = descendants(
                rng, founders, self.population_size, self.architecture, mutations, sparse=self.structure is not None
            )
        masks = None
        if self.structure is not None:
            rng = generator(self.seed, Purpose.STRUCTURE)
            first = self.structure.first(rng, self.population_size, self.architecture)
            masks = first if initial is None else genomes != 0.0  # before bounds, which may exclude 0
        bounds = self._scheduled.resolve("bounds", self.bounds)
        genomes = masked(genomes if bounds is None else bounds(genomes), masks)
        names = [display_name("crossover", self.crossover), *(display_name("mutation", m) for m in self.mutations)]
        return Population(
            self.architecture,
            genomes,
            operator_names=names,
            step_sizes={
                number: mutation.initial_step_sizes(self.population_size, self.architecture)
                for number, mutation in self._current_mutations()
                if isinstance(mutation, SelfAdapting)
            },
            masks=masks,
        )

    def _next_generation(self) -> Population:
        """Survivors, and children of selected parents: crossed, then mutated."""
        old, rng = self.population, generator(self.seed, Purpose.VARIATION, self.generation)
        assert old.fitness is not None
        fitness = finite(old.fitness)
        if old.masks is not None and self.structure is not None:
            fitness = self.structure.priced(fitness, old.masks)
        parents = Parents(self.architecture, old.genomes, fitness, self._returns, self._observations, old.masks)
        self._scheduled.update(self.generation, old.fitness)
        elites = self._scheduled.resolve("elites", self.elites)
        replacement = self._scheduled.resolve("replacement", self.replacement)
        survivors, breeders = replacement(rng, parents.fitness, old.ids, elites)
        if self.structure is not None:
            young = old.operators & self._structural != 0
            parents = replace(parents, fitness=self.structure.protected(fitness, young))
        children = len(old) - len(survivors)
        pairs = self._pairs(rng, parents, breeders, children)
        self._scheduled.record_parents(len(survivors), old.fitness[pairs])
        new = old.successor(survivors, self._matrices.take(old.genomes.shape))
        structure_rng = generator(self.seed, Purpose.STRUCTURE, self.generation)
        variation = Variation(
            self._scheduled.resolve("crossover", self.crossover),
            dict(self._current_mutations()),
            self._scheduled.resolve("bounds", self.bounds),
        )
        variation.breed(rng, structure_rng, parents, old, pairs, new[len(survivors) :])
        return new

    def _pairs(self, rng: np.random.Generator, parents: Parents, breeders: IntArray | None, count: int) -> IntArray:
        """Rows of the parents of `count` children, `(count, 2)`, chosen among `breeders`, or among all rows if None."""
        niching = self._scheduled.resolve("niching", self.niching)
        selection = self._scheduled.resolve("selection", self.selection)
        among = parents if breeders is None else parents[breeders]
        rows = np.asarray(niching(rng, among, count, selection))
        if rows.shape != (2 * count,) or rows.dtype.kind not in "iu" or not ((rows >= 0) & (rows < len(among))).all():
            rule = f"must return {2 * count} rows from 0 to {len(among) - 1}"
            raise AlgorithmFailed(
                f"{type(selection).__name__} with {type(niching).__name__} {rule}, got {short_repr(rows)}"
            )
        return (rows if breeders is None else breeders[rows]).reshape(-1, 2)

    def _current_mutations(self) -> Iterator[tuple[int, AnyMutation]]:
        """The mutations with current settings, and their numbers, from 1 as in the bits of `Population.operators`."""
        for number, mutation in enumerate(self.mutations, start=1):
            yield number, self._scheduled.resolve(_mutation_name(number), mutation)

    def emigrants(self, count: int) -> Migrants:
        """Copies of the fittest `count` individuals; fewer if fewer have a score.

        Raises:
            ValueError: the population has no fitness yet.
        """
        return Migrants.fittest(self._scored_population("emigrants"), self._returns, count)

    def receive(self, migrants: Migrants) -> IntArray:
        """Put migrants in the places of the least fit, between `tell` and `ask`.

        Returns:
            Their new ids, `(m,)`.

        Raises:
            ValueError: the population has no fitness yet, or there are as many migrants as individuals.
        """
        population = self._scored_population("receive")
        if len(migrants.genomes) >= len(population):
            raise ValueError(
                f"GeneticAlgorithm.receive must get fewer than {len(population)} migrants, got {len(migrants.genomes)}"
            )
        self.population, self._returns, rows = migrants.settle(population, self._returns)
        self._scheduled.ignore(rows)
        return self.population.ids[rows]

    def _scored_population(self, method: str) -> Population:
        if self.population.fitness is None:
            raise ValueError(
                f"GeneticAlgorithm.{method} must come between tell and ask, got a population without fitness"
            )
        return self.population

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        population = self.population
        state: dict[str, Any] = {
            "generation": self.generation,
            "genomes": population.genomes,
            "ids": population.ids,
            "parents": population.parents,
            "operators": population.operators,
            **{f"step_sizes_{number}": sizes for number, sizes in population.step_sizes.items()},
            **self._scheduled.state(),
        }
        optional = {
            "fitness": population.fitness,
            "returns": self._returns,
            "observations": self._observations,
            "masks": population.masks,
        }
        return state | {name: array for name, array in optional.items() if array is not None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.generation = int(state["generation"])
        self.population = Population(
            self.architecture,
            np.array(state["genomes"]),
            fitness=np.array(state["fitness"], dtype=np.float64) if "fitness" in state else None,
            ids=np.array(state["ids"]),
            parents=np.array(state["parents"]),
            operators=np.array(state["operators"]),
            operator_names=self.population.operator_names,
            step_sizes={number: np.array(state[f"step_sizes_{number}"]) for number in self.population.step_sizes},
            masks=None if self.structure is None else np.array(state["masks"], dtype=np.bool_),
        )
        self._returns = np.array(state["returns"]) if "returns" in state else None
        self._observations = np.array(state["observations"]) if "observations" in state else None
        self._scheduled.restore(state, len(self.population))


def _mutation_name(number: int) -> str:
    """The name of a mutation among the scheduled settings."""
    return f"mutation {number}"
