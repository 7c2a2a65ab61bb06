"""Islands: populations that evolve side by side and now and then exchange their fittest.

J. P. Cohoon, S. U. Hegde, W. N. Martin and D. S. Richards, "Punctuated equilibria: a parallel genetic algorithm",
ICGA 1987; R. Tanese, "Distributed genetic algorithms", ICGA 1989.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.operators.parents import Observe
from evonet.population import NO_PARENT, Population
from evonet.seeding import Purpose, generator
from evonet.settings import Count, Natural, check
from evonet.strategies.algorithm import AlgorithmFactory, check_factory, tell_with_episodes, uses_linear_algebra
from evonet.strategies.warm_start import Start
from evonet.types import FloatArray, IntArray

Topology = Literal["ring", "random"]

MIGRATION = "migration"
"""The name, in `operator_names`, that marks a migrant which has survived on another island."""


class Islands:
    """Populations side by side; now and then copies of the fittest go to another (Cohoon et al. 1987; Tanese 1989).

    Each island sends migrants to one other island and receives them from one: its neighbours on a ring, or on a ring in
    an order drawn anew for each migration. Migrants take the places of the least fit before the next generation is
    bred. A migrant's children are recorded as children of the individual that it is a copy of; a migrant that survives
    is recorded as that individual's child.

    Args:
        architecture: architecture of the networks that evolve.
        algorithm: makes the algorithm of each island, which gets a seed of its own. To exchange migrants it must have
            `emigrants` and `receive`, as the genetic algorithm has.
        islands: their number; or, for islands that differ, what makes the algorithm of each. In YAML an island is a
            section of the keys in which it differs from `algorithm`, `{}` for one that does not.
        interval: generations from one migration to the next.
        migrants: copies that each island sends, fewer than it has individuals; 0 keeps islands to themselves.
        topology: "ring" or "random".
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; each island gets them.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range, or the algorithm cannot take migrants.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        islands: Annotated[int, Ge(2)] | Sequence[AlgorithmFactory] = 4,
        interval: Count = 10,
        migrants: Natural = 2,
        topology: Topology = "ring",
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        settings = {"islands": islands, "interval": interval, "migrants": migrants, "topology": topology, "seed": seed}
        check(Islands, settings)
        makers = _makers(algorithm, islands)
        self.architecture = architecture
        self.interval = interval
        self.migrants = migrants
        self.topology = topology
        self.seed = seed
        self.generation = 0
        seeds = generator(seed, Purpose.INITIALISATION, 0, 4).choice(2**31, len(makers), replace=False)
        start: dict[str, Any] = {} if initial is None else {"initial": initial}
        self._islands: list[Any] = [
            make(architecture=architecture, seed=int(own), **start) for make, own in zip(makers, seeds, strict=True)
        ]
        if migrants:
            _check_migration(self._islands, migrants)
        names = [name for island in self._islands for name in island.population.operator_names]
        self._operator_names = tuple(dict.fromkeys([*names, MIGRATION]))
        self._next_id = 0
        self._local_ids: list[IntArray] = [np.empty(0, dtype=np.int64) for _ in self._islands]
        self.population = Population(architecture, np.empty((0, architecture.genome_size)))
        self._join([_no_ids() for _ in self._islands])

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the bits of an island depend on the linear algebra library."""
        return any(map(uses_linear_algebra, self._islands))

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`, island by island. Until `tell` the answer stays the same."""
        if self.population.fitness is None and self.generation:
            return self.population.genomes
        arrived = [_no_ids() for _ in self._islands]
        if self.migrants and self.generation and self.generation % self.interval == 0:
            arrived = self._migrate()
        for island in self._islands:
            island.ask()
        self._join(arrived)
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

        An individual whose fitness is not finite could not be scored: it ranks last and its fitness becomes -inf.

        Args:
            fitness: `(n,)`.
            returns: return of each episode, `(n, episodes)`; each island gets its own rows.
            observe: returns network inputs of the fittest of all islands, `(k, num_inputs)`; each island gets it.
            measures: each measure by name, `(n,)`; each island gets its own rows.

        Raises:
            ValueError: `fitness` has the wrong shape.
        """
        n = len(self.ask())
        scores = np.array(fitness, dtype=np.float64)
        if scores.shape != (n,):
            raise ValueError(f"Islands.tell must get fitness of shape ({n},), got {scores.shape}")
        for island, rows in zip(self._islands, self._rows(), strict=True):
            own = None if returns is None else returns[rows]
            measured = None if measures is None else {name: column[rows] for name, column in measures.items()}
            tell_with_episodes(island, scores[rows], returns=own, observe=observe, measures=measured)
        self.population.fitness = np.concatenate([island.population.fitness for island in self._islands])
        self.generation += 1

    def __repr__(self) -> str:
        return f"<Islands: {len(self._islands)}, generation {self.generation}, the first {self._islands[0]!r}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return {
            "generation": self.generation,
            "born": self._next_id,  # the key of the file format
            "ids": self.population.ids,
            "parents": self.population.parents,
            "operators": self.population.operators,
            "islands": {str(place): island.state() for place, island in enumerate(self._islands)},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self.generation, self._next_id = int(state["generation"]), int(state["born"])
        for place, island in enumerate(self._islands):
            island.restore(state["islands"][str(place)])
        self._set_population(*(np.array(state[name]) for name in ("ids", "parents", "operators")))

    def _migrate(self) -> list[tuple[IntArray, IntArray]]:
        """Send copies of the fittest; return the ids of each island's arrivals, on the island and in the whole run."""
        order = np.arange(len(self._islands))
        if self.topology == "random":
            order = generator(self.seed, Purpose.VARIATION, self.generation, 5).permutation(order)
        leaving = [island.emigrants(self.migrants) for island in self._islands]
        rows = self._rows()
        arrived = [_no_ids() for _ in self._islands]
        for home, abroad in zip(order, np.roll(order, -1), strict=True):
            local = self._islands[abroad].receive(leaving[home])
            arrived[abroad] = local, self.population.ids[rows[home]][leaving[home].rows]
        return arrived

    def _join(self, arrived: list[tuple[IntArray, IntArray]]) -> None:
        """Join the islands' present populations: survivors keep their ids in the whole run, the others get new ones."""
        parts = [
            self._renumbered(island.population, before, self._local_ids[place], arrived[place])
            for place, (island, before) in enumerate(zip(self._islands, self._rows(), strict=True))
        ]
        self._set_population(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _renumbered(
        self, now: Population, before: slice, local_ids: IntArray, arrived: tuple[IntArray, IntArray]
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Ids, parents and operators of an island's population in the numbering of the whole run."""
        old = self.population[before]
        row, survives = _found(local_ids, now.ids)
        ids = np.empty(len(now), dtype=np.int64)
        newborn = np.flatnonzero(~survives)
        ids[newborn] = self._next_id + np.arange(len(newborn))
        self._next_id += len(newborn)
        known = np.concatenate([local_ids, arrived[0]]), np.concatenate([old.ids, arrived[1]])
        parents = _translated(now.parents, *known)
        operators = self._operators_of(now)
        copies, migrated = _found(arrived[0], now.ids)
        parents[migrated, 0] = arrived[1][copies[migrated]]
        operators[migrated] = 1 << self._operator_names.index(MIGRATION)
        for mine, theirs in ((ids, old.ids), (parents, old.parents), (operators, old.operators)):
            mine[survives] = theirs[row[survives]]
        return ids, parents, operators

    def _operators_of(self, population: Population) -> IntArray:
        """The operators of an island's population, as bits of the whole run's `operator_names`."""
        operators = np.zeros(len(population), dtype=np.int64)
        for bit, name in enumerate(population.operator_names):
            operators |= (population.operators >> bit & 1) << self._operator_names.index(name)
        return operators

    def _set_population(self, ids: IntArray, parents: IntArray, operators: IntArray) -> None:
        inner = [island.population for island in self._islands]
        fitness = [population.fitness for population in inner if population.fitness is not None]
        masks = [population.masks for population in inner if population.masks is not None]
        self._local_ids = [population.ids.copy() for population in inner]
        self.population = Population(
            self.architecture,
            np.concatenate([population.genomes for population in inner]),
            fitness=np.concatenate(fitness) if len(fitness) == len(inner) else None,
            ids=ids,
            parents=parents,
            operators=operators,
            operator_names=self._operator_names,
            masks=np.concatenate(masks) if len(masks) == len(inner) else None,
        )

    def _rows(self) -> list[slice]:
        """The rows of each island in the population."""
        ends = np.cumsum([len(ids) for ids in self._local_ids]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _makers(algorithm: AlgorithmFactory, islands: int | Sequence[AlgorithmFactory]) -> list[AlgorithmFactory]:
    """The factory of each island's algorithm."""
    each = list(islands) if isinstance(islands, Sequence) else [algorithm] * islands
    if len(each) < 2:
        raise ValueError(f"Islands.islands must be at least 2, got {len(each)}")
    for maker in (algorithm, *each):
        check_factory("Islands", maker)
    return each


def _check_migration(islands: list[Any], migrants: int) -> None:
    for island in islands:
        if not (hasattr(island, "emigrants") and hasattr(island, "receive")):
            raise ValueError(
                f"Islands.algorithm must take migrants, got {type(island).__name__}, which cannot; "
                "choose the genetic algorithm, or migrants: 0"
            )
        size = len(island.population)
        if migrants >= size:
            raise ValueError(f"Islands.migrants must be below the population of an island ({size}), got {migrants}")


def _no_ids() -> tuple[IntArray, IntArray]:
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)


def _found(ids: IntArray, wanted: IntArray) -> tuple[IntArray, Any]:
    """The place of each of `wanted` among `ids`, 0 for one that is absent, and which are present."""
    if not len(ids):
        return np.zeros(wanted.shape, dtype=np.int64), np.zeros(wanted.shape, dtype=bool)
    order = np.argsort(ids, kind="stable")
    place = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    there = ids[place] == wanted
    return np.where(there, place, 0), there


def _translated(parents: IntArray, local_ids: IntArray, ids: IntArray) -> IntArray:
    """Parents `(n, 2)` by their ids in the whole run; `NO_PARENT` for one that no island has any more."""
    place, known = _found(local_ids, parents)
    return np.where(known, ids[place], NO_PARENT) if len(ids) else np.full(parents.shape, NO_PARENT)
