"""The genetic algorithm: `ask` for genomes to score, `tell` their fitness.

>>> architecture = Architecture(4, 16, 2)
>>> algorithm = GeneticAlgorithm(architecture, population_size=32, seed=1)
>>> for _ in range(10):
...     genomes = algorithm.ask()
...     algorithm.tell(-(genomes**2).sum(axis=1))
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from evonet.machine import keep_freed_memory
from evonet.network import Architecture
from evonet.operators.bounds import Bounds
from evonet.operators.crossover import Crossover, NeuronCrossover
from evonet.operators.initialisation import Initialisation, Normal
from evonet.operators.mutation import Gaussian, Mutation, SelfAdapting, inherited_step_sizes
from evonet.operators.niching import FitnessSharing, Niching, NoNiching
from evonet.operators.parents import Observe, Parents
from evonet.operators.replacement import Generational, Replacement
from evonet.operators.roles import called, check_operators
from evonet.operators.schedules import Dials
from evonet.operators.selection import EpsilonLexicase, Selection, Tournament
from evonet.population import NO_PARENT, Population
from evonet.seeding import Purpose, generator
from evonet.settings import MayVary, Natural, Schedule, argument_hints, check
from evonet.types import BoolArray, FloatArray, IntArray

_BLOCK_GENES = 1 << 17  # children are bred in blocks of a megabyte, which stay in the processor's cache
_GLANCE = 64  # genes


@dataclass(frozen=True, eq=False)
class Migrants:
    """Copies of individuals on their way to another population.

    Attributes:
        rows: where they come from, `(m,)`.
        genomes: `(m, genome_size)`.
        fitness: `(m,)`.
        step_sizes: by the mutation's bit, `(m, sizes)`.
        returns: of each episode, `(m, episodes)`, if their algorithm knows them.
    """

    rows: IntArray
    genomes: FloatArray
    fitness: FloatArray
    step_sizes: Mapping[int, FloatArray] = field(default_factory=dict)
    returns: FloatArray | None = None


class GeneticAlgorithm:
    """Selection, crossover and mutation of genomes, generation by generation (Holland 1975).

    Each generation the fittest `elites` survive bit for bit, and the rest are children of selected parents: crossed,
    then mutated by each mutation in turn. Whatever is a number in an operator may follow a schedule over generations.

    Args:
        architecture: of the networks that evolve; the operators ask it which genes make up a neuron.
        population_size: individuals in each generation.
        elites: how many of the fittest survive unchanged; below `population_size`.
        selection: how parents are chosen.
        crossover: how two parents' genomes are combined.
        mutation: how children are changed; a sequence is applied in order.
        replacement: who lives on, and who may become a parent.
        niching: what keeps the population from scheduler in one place.
        initialisation: where the first genomes come from.
        bounds: range that genes stay in; by default they have none.
        seed: of all random numbers of the algorithm.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        population_size: Annotated[int, Ge(2)] = 128,
        elites: Annotated[int, Ge(0), MayVary()] = 4,
        selection: Selection = Tournament(),  # noqa: B008 - frozen
        crossover: Crossover = NeuronCrossover(),  # noqa: B008 - frozen
        mutation: Mutation | Sequence[Mutation] = Gaussian(),  # noqa: B008 - frozen
        replacement: Replacement = Generational(),  # noqa: B008 - frozen
        niching: Niching = NoNiching(),  # noqa: B008 - frozen
        initialisation: Initialisation = Normal(),  # noqa: B008 - frozen
        bounds: Bounds | None = None,
        *,
        seed: Natural = 0,
    ) -> None:
        check(type(self), {"population_size": population_size, "elites": elites, "seed": seed})
        most: float = max(elites.extremes) if isinstance(elites, Schedule) else elites
        if most >= population_size:
            raise ValueError(f"GeneticAlgorithm.elites must be below population_size ({population_size}), got {most}")
        self.mutations: tuple[Mutation, ...] = tuple(mutation) if isinstance(mutation, Sequence) else (mutation,)
        check_operators(
            "GeneticAlgorithm",
            selection=(selection,),
            crossover=(crossover,),
            mutation=self.mutations,
            replacement=(replacement,),
            niching=(niching,),
            initialisation=(initialisation,),
        )
        if isinstance(niching, FitnessSharing) and isinstance(selection, EpsilonLexicase):
            raise ValueError(  # noqa: TRY004 - each may be chosen, but not both
                "GeneticAlgorithm.niching must not be fitness sharing where the selection goes by the episodes' "
                f"returns, got {niching} with {selection}; take species, or another selection"
            )
        self.architecture = architecture
        self.population_size = population_size
        self.elites = elites
        self.selection = selection
        self.crossover = crossover
        self.replacement = replacement
        self.niching = niching
        self.initialisation = initialisation
        self.bounds = bounds
        self.seed = seed
        self.generation = 0
        self._operators: dict[str, Any] = {
            "selection": selection,
            "crossover": crossover,
            "replacement": replacement,
            "niching": niching,
            "bounds": bounds,
            **{_mutation(bit): operator for bit, operator in enumerate(self.mutations, start=1)},
        }
        self._dials = Dials(self._operators, {"elites": (elites, argument_hints(GeneticAlgorithm)["elites"])})
        self._at_work = self._operators
        names = [called("crossover", crossover), *(called("mutation", mutation) for mutation in self.mutations)]
        rng = generator(seed, Purpose.INITIALISATION)
        genomes = initialisation(rng, population_size, architecture)
        adaptive = {bit: m for bit, m in enumerate(self.mutations, start=1) if isinstance(m, SelfAdapting)}
        self.population = Population(
            architecture,
            genomes if bounds is None else self._dials.applied("bounds", bounds)(genomes),
            operator_names=tuple(names),
            step_sizes={
                bit: self._dials.applied(_mutation(bit), m).first(population_size, architecture)
                for bit, m in adaptive.items()
            },
        )
        self._observing = any(getattr(operator, "observes", False) for operator in (selection, *self.mutations))
        self._returns: FloatArray | None = None
        self._observations: FloatArray | None = None
        self._outlived: FloatArray | None = None
        keep_freed_memory()

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
            returns: of each episode, `(population_size, episodes)`, for operators that read `parents.returns`.
            observe: returns network inputs of the fittest, `(k, num_inputs)`; called if an operator `observes`.

        Raises:
            ValueError: the shape differs.
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

    def emigrants(self, count: int) -> Migrants:
        """Copies of the fittest `count` of those whose fitness was told last; fewer if fewer could be scored.

        Raises:
            ValueError: the population has no fitness yet.
        """
        population, fitness = self.population, self._told_fitness("emigrants")
        rows = np.argsort(-fitness, kind="stable")[:count]
        rows = rows[np.isfinite(fitness[rows])]
        return Migrants(
            rows,
            population.genomes[rows],
            fitness[rows],
            {bit: sizes[rows] for bit, sizes in population.step_sizes.items()},
            None if self._returns is None else self._returns[rows],
        )

    def receive(self, migrants: Migrants) -> IntArray:
        """Put migrants in the places of the least fit, before the next generation is bred: between `tell` and `ask`.

        Where a migrant brings no step sizes that fit, those of its place stay; where it brings no returns that fit, its
        fitness stands for each of them.

        Returns:
            The new ids that they have here, `(m,)`; they have no parents here.

        Raises:
            ValueError: the population has no fitness yet, or the migrants would leave nobody of it.
        """
        old, fitness = self.population, self._told_fitness("receive").copy()
        arrived = len(migrants.genomes)
        if arrived >= len(old):
            raise ValueError(f"GeneticAlgorithm.receive must get fewer than {len(old)} migrants, got {arrived}")
        rows = np.argsort(fitness, kind="stable")[:arrived]
        new_ids: IntArray = old.ids.max() + 1 + np.arange(arrived)
        changed = {
            name: getattr(old, name).copy() for name in ("genomes", "ids", "parents", "operators")
        }  # nothing is written in place: others may hold the population
        sizes = {bit: own.copy() for bit, own in old.step_sizes.items()}
        changed["genomes"][rows], changed["ids"][rows] = migrants.genomes, new_ids
        changed["parents"][rows], changed["operators"][rows] = NO_PARENT, 0
        fitness[rows] = migrants.fitness
        for bit, own in sizes.items():
            if bit in migrants.step_sizes and migrants.step_sizes[bit].shape[1:] == own.shape[1:]:
                own[rows] = migrants.step_sizes[bit]
        if self._returns is not None:
            self._returns = self._returns.copy()
            fit = migrants.returns is not None and self._returns.shape[1:] == migrants.returns.shape[1:]
            self._returns[rows] = migrants.returns if fit else migrants.fitness[:, None]
        self._dials.excuse(rows)
        names = old.operator_names
        self.population = Population(
            self.architecture, **changed, fitness=fitness, operator_names=names, step_sizes=sizes
        )
        return new_ids

    def _told_fitness(self, what: str) -> FloatArray:
        if self.population.fitness is None:
            raise ValueError(
                f"GeneticAlgorithm.{what} must come between tell and ask, got a population without fitness"
            )
        return self.population.fitness

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on with the same bits: arrays and numbers."""
        population = self.population
        state: dict[str, Any] = {
            "generation": self.generation,
            "genomes": population.genomes,
            "ids": population.ids,
            "parents": population.parents,
            "operators": population.operators,
            **{f"step_sizes_{bit}": sizes for bit, sizes in population.step_sizes.items()},
            **self._dials.state(),
        }
        known = {"fitness": population.fitness, "returns": self._returns, "observations": self._observations}
        return state | {name: array for name, array in known.items() if array is not None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which is copied."""
        self.generation = int(state["generation"])
        self.population = Population(
            self.architecture,
            np.array(state["genomes"]),
            fitness=np.array(state["fitness"]) if "fitness" in state else None,
            ids=np.array(state["ids"]),
            parents=np.array(state["parents"]),
            operators=np.array(state["operators"]),
            operator_names=self.population.operator_names,
            step_sizes={bit: np.array(state[f"step_sizes_{bit}"]) for bit in self.population.step_sizes},
        )
        self._returns = np.array(state["returns"]) if "returns" in state else None
        self._observations = np.array(state["observations"]) if "observations" in state else None
        self._dials.restore(state, len(self.population))

    def _next_generation(self) -> Population:
        old = self.population
        assert old.fitness is not None
        n = len(old)
        rng = generator(self.seed, Purpose.VARIATION, self.generation)
        fitness = _finite(old.fitness)
        if self._dials:
            self._dials.turn(self.generation, old.fitness)
        self._at_work = {role: self._dials.applied(role, operator) for role, operator in self._operators.items()}
        parents = Parents(self.architecture, old.genomes, fitness, self._returns, self._observations)
        elites = self._dials.applied("elites", self.elites)
        survivors, breeders = self._at_work["replacement"](rng, fitness, old.ids, elites)
        kept = len(survivors)
        mates = self._mates(rng, parents, breeders, n - kept)
        if self._dials:
            self._dials.expect(kept, old.fitness[mates])

        sizes = {bit: np.empty_like(inherited) for bit, inherited in old.step_sizes.items()}
        new = Population(self.architecture, self._room(), operator_names=old.operator_names, step_sizes=sizes)
        new.ids[:] = old.ids.max() + 1 + np.arange(-kept, n - kept)
        for name in ("genomes", "ids", "parents", "operators"):
            getattr(new, name)[:kept] = getattr(old, name)[survivors]
        for bit, inherited in old.step_sizes.items():
            sizes[bit][:kept] = inherited[survivors]
        self._breed(rng, parents, mates, old, new[kept:])
        self._outlived = old.genomes
        return new

    def _mates(self, rng: np.random.Generator, parents: Parents, breeders: IntArray | None, count: int) -> IntArray:
        """Rows of the parents of `count` children, `(count, 2)`, all of them `breeders`; None for anyone."""
        niching, selection = self._at_work["niching"], self._at_work["selection"]
        if breeders is None:
            rows: IntArray = niching(rng, parents, count, selection)
        else:
            rows = breeders[niching(rng, parents[breeders], count, selection)]
        return rows.reshape(-1, 2)

    def _room(self) -> FloatArray:
        """A matrix to breed into: the last but one generation's if nobody else holds it, else a new one.

        Whoever keeps a population, a network or any view of its genomes keeps the matrix from being written again.
        """
        references_if_ours = 2  # the attribute's and the argument's
        if (
            self._outlived is None
            or self._outlived.shape != self.population.genomes.shape
            or not self._outlived.flags.owndata
            or sys.getrefcount(self._outlived) > references_if_ours
        ):
            return np.empty_like(self.population.genomes)
        return self._outlived

    def _breed(
        self, rng: np.random.Generator, parents: Parents, mates: IntArray, old: Population, children: Population
    ) -> None:
        """Fill `children` from the pairs `mates (m, 2)`, block by block, and note which operators changed each."""
        rows = max(1, _BLOCK_GENES // self.architecture.genome_size)
        for start in range(0, len(mates), rows):
            block = slice(start, start + rows)
            self._breed_block(rng, parents, mates[block], old, children[block])

    def _breed_block(
        self, rng: np.random.Generator, parents: Parents, mates: IntArray, old: Population, children: Population
    ) -> None:
        first = old.genomes.take(mates[:, 0], axis=0)
        second = old.genomes.take(mates[:, 1], axis=0)
        genomes = self._at_work["crossover"](rng, first, second, self.architecture)
        crossed = _changed(first, genomes)
        operators = crossed.astype(np.int64)
        for bit in range(1, len(self.mutations) + 1):
            mutation = self._at_work[_mutation(bit)]
            if bit in old.step_sizes:
                inherited = inherited_step_sizes(old.step_sizes[bit], mates, crossed)
                adapted = mutation.adapted(rng, genomes, parents, inherited)
                mutants, children.step_sizes[bit][:] = adapted
            else:
                mutants = mutation(rng, genomes, parents)
            operators |= _changed(genomes, mutants).astype(np.int64) << bit
            genomes = mutants
        if self._at_work["bounds"] is not None:
            genomes = self._at_work["bounds"](genomes)
        children.genomes[:] = genomes
        children.operators[:] = operators
        children.parents[:] = old.ids[mates]
        children.parents[~crossed, 1] = NO_PARENT


def _changed(before: FloatArray, after: FloatArray) -> BoolArray:
    """Which rows differ, `(m,)`: the first genes tell of most rows, and only the others are compared whole."""
    changed: BoolArray = (before[:, :_GLANCE] != after[:, :_GLANCE]).any(axis=1)
    if not changed.all():
        alike = np.flatnonzero(~changed)
        changed[alike] = (before[alike] != after[alike]).any(axis=1)
    return changed


def _finite(fitness: FloatArray) -> FloatArray:
    """Fitness that operators may calculate with: -inf becomes a finite number below all others."""
    scored = np.isfinite(fitness)
    if scored.all():
        return fitness
    if not scored.any():
        return np.zeros_like(fitness)
    worst, best = float(fitness[scored].min()), float(fitness[scored].max())
    below = min(worst - max(best - worst, 1.0), math.nextafter(worst, -math.inf))  # 1e17 - 1 is 1e17
    return np.where(scored, fitness, max(below, -np.finfo(np.float64).max))


def _mutation(bit: int) -> str:
    """The role of the mutation that this bit of an individual's operators stands for."""
    return f"mutation {bit}"
