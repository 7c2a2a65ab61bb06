"""Novelty search, around any algorithm: what behaves unlike all before is fit (Lehman and Stanley 2011).

J. Lehman and K. O. Stanley, "Abandoning objectives: evolution through the search for novelty alone", Evolutionary
Computation 19, 2011; with local competition, "Evolving a diversity of virtual creatures through novelty search and
local competition", GECCO 2011.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.archives.measure_matrix import Measures, measure_matrix
from evonet.archives.nearest import squared_distances
from evonet.archives.unstructured import UnstructuredArchive
from evonet.arithmetic import add_up
from evonet.operators.fitness_scaling import ranks
from evonet.operators.parents import Observe
from evonet.pareto import crowded_order
from evonet.population import Population
from evonet.settings import Count, Natural, PositiveFloat, Probability, check
from evonet.strategies.algorithm import AlgorithmFactory, check_factory, tell_with_episodes, uses_linear_algebra
from evonet.strategies.warm_start import Start
from evonet.types import BoolArray, FloatArray


class NoveltySearch:
    """Searches for new behaviour: an algorithm gets the novelty of its genomes as fitness (Lehman and Stanley 2011).

    The novelty of an individual is the mean distance of its measures to those of its nearest neighbours in the
    population and in an archive. It enters the archive if its novelty is at least a threshold, which rises by 20 % when
    more than `most_new` enter in one generation, and falls by 5 % when none has entered for `patience` generations.

    The population has the fitness itself, so the champion is the best by validation of the return, as ever.

    Args:
        architecture: architecture of the networks that evolve.
        algorithm: a factory of the algorithm, such as a genetic algorithm or CMA-ES, that gets the novelty as fitness.
        measures: names of the measures that novelty compares.
        neighbours: number of nearest individuals.
        threshold: novelty of an individual that enters the archive first; by default the mean of the first generation.
        most_new: individuals that enter the archive in one generation without raising the threshold.
        patience: generations without an entry after which the threshold falls.
        fitness_weight: weight of the fitness's rank in the population, against that of novelty; 0 is novelty alone.
        local_competition: whether the algorithm gets the rank of individuals by novelty and, as a second
            objective, by the share of their neighbours that are less fit (Lehman and Stanley, GECCO 2011).
        seed: seed of all random numbers.
        initial: genomes to start from, or what has them, see `evonet.strategies.warm_start`; the algorithm gets them.

    Attributes:
        archive: the archive of what was novel.
        novelty: novelty of the population, `(n,)`, -inf for an individual that could not be scored; None before `tell`.

    Raises:
        TypeError, ValueError: a setting has the wrong type or is out of range.
    """

    def __init__(
        self,
        architecture: Architecture,
        algorithm: AlgorithmFactory,
        measures: Sequence[str],
        neighbours: Count = 15,
        threshold: PositiveFloat | None = None,
        most_new: Count = 4,
        patience: Count = 10,
        fitness_weight: Probability = 0.0,
        local_competition: bool = False,  # noqa: FBT001, FBT002 - a setting
        *,
        seed: Natural = 0,
        initial: Start | None = None,
    ) -> None:
        check(NoveltySearch, {"measures": measures, "neighbours": neighbours, "threshold": threshold, "seed": seed})
        check(NoveltySearch, {"most_new": most_new, "patience": patience, "fitness_weight": fitness_weight})
        check(NoveltySearch, {"local_competition": local_competition})
        check_factory("NoveltySearch", algorithm)
        if local_competition and fitness_weight:
            rule = "NoveltySearch.fitness_weight must be 0 with local competition, which compares fitness itself"
            raise ValueError(f"{rule}, got {fitness_weight}")
        self.architecture = architecture
        self.neighbours = neighbours
        self.threshold = threshold
        self.fitness_weight = fitness_weight
        self.local_competition = local_competition
        self.seed = seed
        self.archive = UnstructuredArchive(measures, threshold or 1.0, neighbours, most_new, patience)
        self.novelty: FloatArray | None = None
        start: dict[str, Any] = {} if initial is None else {"initial": initial}
        self._algorithm: Any = algorithm(architecture=architecture, seed=seed, **start)
        self._generation = 0
        self._fitness: FloatArray | None = None
        self.population = self._with_fitness()

    @property
    def running(self) -> Any:
        """The algorithm that proposes genomes."""
        return getattr(self._algorithm, "running", self._algorithm)

    @property
    def uses_linear_algebra(self) -> bool:
        """Whether the algorithm's bits depend on the linear algebra library."""
        return uses_linear_algebra(self._algorithm)

    def ask(self) -> FloatArray:
        """The genomes to score next, `(n, genome_size)`. Until `tell` is called the answer stays the same."""
        genomes: FloatArray = self._algorithm.ask()
        if self._algorithm.population.fitness is None:
            self._fitness = None
            self.population = self._with_fitness()
        return genomes

    def tell(self, fitness: ArrayLike, *, observe: Observe | None = None, measures: Measures | None = None) -> None:
        """Tell the algorithm how novel the genomes last asked for are.

        An individual whose fitness or measures are not finite could not be scored: it ranks last.

        Args:
            fitness: `(n,)`, higher is fitter.
            observe: returns network inputs of the fittest, `(k, num_inputs)`, for an algorithm whose `tell` takes it.
            measures: `(n,)` by name, or `(n, k)` in the order of the measures' names.

        Raises:
            ValueError: a shape is wrong, or a measure is missing.
        """
        genomes = self.ask()
        n = len(genomes)
        scores = np.array(fitness, dtype=np.float64)
        if scores.shape != (n,):
            raise ValueError(f"NoveltySearch.tell must get fitness of shape ({n},), got {scores.shape}")
        points = measure_matrix("NoveltySearch.tell", measures, self.archive.measure_names, n)
        scores[~np.isfinite(scores)] = -np.inf
        scored = np.isfinite(scores) & np.isfinite(points).all(axis=1)
        self.novelty, search_fitness = np.full(n, -np.inf), np.full(n, -np.inf)
        if scored.any():
            distances = self._distances(points[scored])
            novelty = mean_of_nearest(distances, self.neighbours)
            self.novelty[scored] = novelty
            search_fitness[scored] = self._search_fitness(novelty, scores[scored], distances)
            if self._generation == 0 and self.threshold is None:
                self.archive.threshold = max(float(novelty.mean()), np.finfo(np.float64).tiny)
        ids = self.population.ids
        self.archive.add(genomes, scores, points, ids, novelty=self.novelty)
        by_name = dict(zip(self.archive.measure_names, points.T, strict=True))
        tell_with_episodes(self._algorithm, search_fitness, returns=None, observe=observe, measures=by_name)
        self._fitness = scores
        self._generation += 1
        self.population = self._with_fitness()

    def __repr__(self) -> str:
        names = ", ".join(self.archive.measure_names)
        return f"<NoveltySearch over {names}: {len(self.archive)} in the archive, by {self._algorithm!r}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        state: dict[str, Any] = {
            "generation": self._generation,
            "archive": self.archive.state(),
            "algorithm": self._algorithm.state(),
        }
        if self._fitness is not None:
            state["fitness"] = self._fitness
        return state if self.novelty is None else state | {"novelty": self.novelty}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied."""
        self._generation = int(state["generation"])
        self.archive.restore(state["archive"])
        self._algorithm.restore(state["algorithm"])
        self._fitness, self.novelty = (
            np.array(state[name], dtype=np.float64) if name in state else None for name in ("fitness", "novelty")
        )
        self.population = self._with_fitness()

    def _distances(self, points: FloatArray) -> FloatArray:
        """The distance of each of the population's points to all in the archive, then to each other, `(n, m)`.

        The distance of a point to itself is infinite, so that none is its own neighbour.
        """
        n = len(points)
        distances = np.sqrt(squared_distances(points, np.concatenate([self.archive.elites.measures, points])))
        distances[np.arange(n), np.arange(-n, 0)] = np.inf
        return distances

    def _search_fitness(self, novelty: FloatArray, fitness: FloatArray, distances: FloatArray) -> FloatArray:
        """The fitness that the algorithm gets for the individuals that could be scored, `(n,)`."""
        if self.local_competition:
            others = np.concatenate([self.archive.elites.fitness, fitness])
            near = nearest(distances, self.neighbours)
            beaten = np.count_nonzero(near & (others < fitness[:, None]), axis=1)
            shares = beaten / np.maximum(np.count_nonzero(near, axis=1), 1)
            return crowded_order(np.column_stack([novelty, shares]))
        if self.fitness_weight:
            return (1 - self.fitness_weight) * ranks(novelty) + self.fitness_weight * ranks(fitness)
        return novelty

    def _with_fitness(self) -> Population:
        """The algorithm's population with the fitness itself."""
        inner: Population = self._algorithm.population
        return Population(
            self.architecture,
            inner.genomes,
            fitness=self._fitness,
            ids=inner.ids,
            parents=inner.parents,
            operators=inner.operators,
            operator_names=inner.operator_names,
            masks=inner.masks,
        )


def mean_of_nearest(distances: FloatArray, neighbours: int) -> FloatArray:
    """The mean of the least finite `distances (n, m)` in each row, `(n,)`; 0 where there is none."""
    count = min(neighbours, distances.shape[1] - 1)
    if not count:
        return np.zeros(len(distances))
    least = np.partition(distances, count - 1, axis=1)[:, :count]
    least.sort(axis=1)  # whose order the partition leaves open, and with it the last bit of the sum
    mean: FloatArray = add_up(least.T.copy()) / count
    return mean


def nearest(distances: FloatArray, neighbours: int) -> BoolArray:
    """Which of `distances (n, m)` are among the least in their row, `(n, m)`; all that equal the greatest of them."""
    count = min(neighbours, distances.shape[1] - 1)
    if not count:
        return np.zeros(distances.shape, np.bool_)
    reach = np.partition(distances, count - 1, axis=1)[:, count - 1]
    near: BoolArray = distances <= reach[:, None]
    return near
