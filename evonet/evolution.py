"""The loop: ask, evaluate, tell, yield. It prints nothing, writes nothing and never stops by itself.

>>> from evonet import EpisodeReturn, GeneticAlgorithm, evolve
>>> fitness = EpisodeReturn("CartPole-v1", hidden=8)
>>> algorithm = GeneticAlgorithm(fitness.architecture, population_size=16, seed=1)
>>> for generation in evolve(algorithm, fitness, seed=1):
...     if generation.number == 2:
...         break
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import Fitness, FitnessFunction, FunctionFitness
from evonet.network import Architecture
from evonet.population import Population
from evonet.scores import Score
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import Count, Settings
from evonet.types import FloatArray


class Algorithm(Protocol):
    """What `evolve` asks of a genetic algorithm or strategy.

    Attributes:
        architecture: of the networks.
        population: the individuals last asked for, with their fitness once it is told.
    """

    architecture: Architecture
    population: Population

    def ask(self) -> FloatArray:
        """Genomes to score, `(n, genome_size)`; n may differ from one generation to the next."""
        ...

    def tell(self, fitness: FloatArray) -> None:
        """Their fitness, `(n,)`."""
        ...

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on with the same bits: arrays, numbers, texts, and dicts of those."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which is copied."""
        ...


@dataclass(frozen=True)
class Validation(Settings):
    """How the champion is chosen: on held-out episodes, the same in every generation, none of them used in training.

    Attributes:
        episodes: held-out episodes.
        candidates: how many of a generation's fittest are tried, if they were not tried before.
    """

    episodes: Count = 100
    candidates: Count = 1


@dataclass(frozen=True, eq=False)
class Generation:
    """What one turn of the loop yields.

    Attributes:
        number: from 0.
        population: the individuals with their fitness. Its matrix stays as it is for as long as you hold it.
        results: the training episodes, `(n, episodes)`.
        evaluations: genomes scored in training so far.
        environment_steps: steps in training so far.
        validation_steps: steps in validation so far.
        champion: the best by validation so far; None without validation, or while none could be scored.
    """

    number: int
    population: Population
    results: EpisodeResults
    evaluations: int
    environment_steps: int
    validation_steps: int
    champion: Champion | None

    @property
    def fitness(self) -> FloatArray:
        """Training fitness, `(n,)`, higher is fitter; -inf for an individual with a fault."""
        assert self.population.fitness is not None
        return self.population.fitness


def evolve(
    algorithm: Algorithm, fitness: Fitness | FitnessFunction, *, seed: int, validation: Validation | None = None
) -> Evolution:
    """Evolve for as long as the caller's `for` asks.

    All genomes of a generation meet the same episodes; each generation meets new ones.

    Args:
        algorithm: proposes genomes.
        fitness: scores them; a plain function `genomes, episode_seeds -> returns` serves too.
        seed: of the episodes.
        validation: how a champion is chosen; by default none is.
    """
    return Evolution(algorithm, fitness, seed=seed, validation=validation)


class Evolution:
    """The loop itself, an iterator over generations that can be stopped and taken up again.

    Args:
        algorithm: proposes genomes.
        fitness: scores them; a plain function `genomes, episode_seeds -> returns` serves too.
        seed: of the episodes.
        validation: how a champion is chosen; by default none is.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        fitness: Fitness | FitnessFunction,
        *,
        seed: int,
        validation: Validation | None = None,
    ) -> None:
        self._algorithm = algorithm
        self._fitness: Fitness = (
            fitness if isinstance(fitness, Fitness) else FunctionFitness(fitness, algorithm.architecture)
        )
        self._seed = seed
        self._selector = None if validation is None else _ChampionSelector(self._fitness, validation, seed)
        self._number = self._evaluations = self._environment_steps = 0

    def __iter__(self) -> Evolution:
        return self

    def __next__(self) -> Generation:
        """The next generation, scored."""
        algorithm, fitness, selector = self._algorithm, self._fitness, self._selector
        genomes = algorithm.ask()
        results = fitness(genomes, episode_seeds(self._seed, Purpose.TRAINING, self._number, fitness.episodes))
        algorithm.tell(fitness.aggregate(results.returns))
        self._evaluations += len(genomes)
        self._environment_steps += results.steps
        if selector is not None:
            selector.consider(algorithm.population, self._number)
        fitness.adapt(results)
        generation = Generation(
            self._number,
            algorithm.population,
            results,
            self._evaluations,
            self._environment_steps,
            0 if selector is None else selector.steps,
            None if selector is None else selector.champion,
        )
        self._number += 1
        return generation


class _ChampionSelector:
    """Tries each generation's fittest on the held-out episodes and keeps whoever does best there."""

    def __init__(self, fitness: Fitness, validation: Validation, seed: int) -> None:
        self._fitness = fitness
        self._candidates = validation.candidates
        self._episodes = episode_seeds(seed, Purpose.VALIDATION, 0, validation.episodes)
        self._tried: set[int] = set()
        self._best_mean = -np.inf
        self.champion: Champion | None = None
        self.steps = 0

    def consider(self, population: Population, generation: int) -> None:
        assert population.fitness is not None
        ranking = np.argsort(-population.fitness, kind="stable")[: self._candidates]
        rows = [int(row) for row in ranking if int(population.ids[row]) not in self._tried]
        rows = [row for row in rows if np.isfinite(population.fitness[row])]
        if not rows:
            return
        results = self._fitness(population.genomes[rows], self._episodes)
        self.steps += results.steps
        for row, returns in zip(rows, results.returns, strict=True):
            if self._fitness.normaliser is None:  # else the same genome acts otherwise next time
                self._tried.add(int(population.ids[row]))
            mean = returns.mean()
            if mean > self._best_mean:  # never true of NaN, an episode that failed
                self._best_mean = mean
                self.champion = self._crown(population, row, generation, returns)

    def _crown(self, population: Population, row: int, generation: int, returns: FloatArray) -> Champion:
        assert population.fitness is not None
        normaliser: ObservationNormaliser | None = self._fitness.normaliser
        return Champion(
            architecture=population.architecture,
            genome=population.genomes[row].copy(),
            task=self._fitness.task,
            normaliser=normaliser,
            individual=int(population.ids[row]),
            generation=generation,
            training_fitness=float(population.fitness[row]),
            validation=Score(returns.copy()),
        )
