"""MAP-Elites: children of random elites compete for the cells of an archive.

J.-B. Mouret and J. Clune, "Illuminating search spaces by mapping elites", 2015, https://arxiv.org/abs/1504.04909; with
the line crossover V. Vassiliades and J.-B. Mouret, "Discovering the elite hypervolume by leveraging interspecies
correlation", GECCO 2018.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonet.architecture import Architecture
from evonet.archives.archive import Archive, Insertion
from evonet.operators.bounds import Bounds
from evonet.operators.crossover import Crossover, Line, NoCrossover
from evonet.operators.initialisation import Initialisation, Normal
from evonet.operators.mutation import Gaussian, Mutation, SelfAdapting
from evonet.operators.parents import Parents, checked_genomes
from evonet.operators.registry import Named, display_name, operator_for
from evonet.operators.structural_mutation import StructuralMutation
from evonet.population import NO_PARENT, Population
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, Schedule, check
from evonet.strategies.archive_strategy import ArchiveStrategy
from evonet.strategies.warm_start import Start, around, starting_genomes
from evonet.types import FloatArray, IntArray


class MAPElites(ArchiveStrategy):
    """MAP-Elites: children of random elites compete for the cells of an archive (Mouret and Clune 2015).

    Crossover and mutation are those of the genetic algorithm. With the defaults, a line crossover and a gaussian
    mutation of all genes, children are made by the iso-line operator (Vassiliades and Mouret 2018).

    Args:
        architecture: architecture of the networks that evolve.
        archive: the archive that is filled.
        population_size: children in each generation.
        crossover: how two elites' genomes are combined; "none" for children of one elite.
        mutation: how children are changed; a sequence is applied in order.
        initialisation: how the first genomes are drawn.
        bounds: range that genes stay in; by default they have none.
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; the rest of the first
            generation are copies of them in turn, with steps drawn as first genes are.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        archive: Archive,
        population_size: Count = 128,
        crossover: Crossover | Named = Line(),  # noqa: B008 - frozen
        mutation: Mutation | Named | Sequence[Mutation | Named] = Gaussian(sigma=0.1, rate=1.0),  # noqa: B008 - frozen
        initialisation: Initialisation | Named = Normal(),  # noqa: B008 - frozen
        bounds: Bounds | None = None,
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(MAPElites, {"population_size": population_size})
        super().__init__(architecture, archive, seed=seed)
        operator = functools.partial(operator_for, MAPElites)
        several = mutation if isinstance(mutation, Sequence) and not isinstance(mutation, str) else (mutation,)
        self.mutations: tuple[Mutation, ...] = tuple(operator("mutation", each) for each in several)
        self.crossover: Crossover = operator("crossover", crossover)
        self.initialisation: Initialisation = operator("initialisation", initialisation)
        for each in (self.crossover, *self.mutations):
            _refuse_what_needs_a_population(each)
        self.population_size = population_size
        self.bounds = bounds
        crossing = [] if isinstance(self.crossover, NoCrossover) else [display_name("crossover", self.crossover)]
        self._operator_names = (*crossing, *(display_name("mutation", each) for each in self.mutations))
        self._parents: IntArray | None = None  # ids of the parents of the genomes last proposed, `(n, 2)`
        self._founders: FloatArray | None = None
        if initial is not None:
            self._founders = starting_genomes("MAPElites.initial", initial, architecture, population_size)

    def ask(self) -> FloatArray:
        is_new = not self._asked
        genomes = super().ask()
        if is_new:
            self.population = self._with_parents(self._parents)
        return genomes

    def propose(self, rng: np.random.Generator) -> FloatArray:
        n = self.population_size
        self._parents = None
        if not len(self.archive):
            first = self.initialisation(
                generator(self.seed, Purpose.INITIALISATION, self.generation), n, self.architecture
            )
            return self._bounded(first if self._founders is None else around(self._founders, first))
        rows = rng.integers(len(self.archive), size=(2, n))
        first = self.archive.genomes_of(rows[0])
        self._parents = self.archive.ids_of(rows.T)
        if isinstance(self.crossover, NoCrossover):
            self._parents[:, 1] = NO_PARENT
            children = first
        else:
            second = self.archive.genomes_of(rows[1])
            children = checked_genomes(self.crossover(rng, first, second, self.architecture), first, self.crossover)
        parents = Parents(self.architecture, first, self.archive.fitness_of(rows[0]))
        for mutation in self.mutations:
            children = checked_genomes(mutation(rng, children, parents), children, mutation)
        return self._bounded(children)

    def adapt(self, rng: np.random.Generator, genomes: FloatArray, insertion: Insertion, measures: FloatArray) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return super().state() | {"parents": self.population.parents}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        parents = np.array(state["parents"], dtype=np.int64)
        self.population = self._with_parents(parents if (parents != NO_PARENT).any() else None)

    def _with_parents(self, parents: IntArray | None) -> Population:
        """The population with its parents, which all operators have made children of; None for the first generation."""
        now = self.population
        made_by = 0 if parents is None else (1 << len(self._operator_names)) - 1
        return Population(
            self.architecture,
            now.genomes,
            fitness=now.fitness,
            ids=now.ids,
            parents=parents,
            operators=np.full(len(now), made_by),
            operator_names=self._operator_names,
        )

    def _bounded(self, genomes: FloatArray) -> FloatArray:
        return genomes if self.bounds is None else self.bounds(genomes)


def _refuse_what_needs_a_population(operator: Any) -> None:
    """Refuse an operator that needs what elites do not have: step sizes of their own, observations, generations."""
    needs = {
        "has step sizes that individuals carry": isinstance(operator, SelfAdapting),
        "changes the structure": isinstance(operator, StructuralMutation),
        "needs observations of the fittest": getattr(operator, "observes", False),
        "follows a schedule": any(isinstance(value, Schedule) for value in getattr(operator, "__dict__", {}).values()),
    }
    reason = next((reason for reason, is_so in needs.items() if is_so), None)
    if reason is not None:
        raise ValueError(
            f"MAPElites must have operators that work on genomes alone, got {operator}, which {reason}; "
            "use another operator or a genetic algorithm with a passive archive"
        )
