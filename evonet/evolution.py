"""The loop: ask, evaluate, tell, yield. It prints nothing, writes nothing and never stops by itself.

>>> from evonet import EpisodeReturn, GeneticAlgorithm, evolve
>>> fitness = EpisodeReturn("CartPole-v1", hidden=8)
>>> algorithm = GeneticAlgorithm(fitness.architecture, population_size=16, seed=1)
>>> for generation in evolve(algorithm, fitness, seed=1):
...     if generation.number == 2:
...         break
"""

from __future__ import annotations

import functools
import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonet.champion import Champion
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import TooManyFaults
from evonet.evaluation.engine import EngineName
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.results import EpisodeResults
from evonet.fitness import Fitness, FitnessFunction, FunctionFitness
from evonet.network import Architecture
from evonet.population import Population
from evonet.scores import Score
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import Count, Episodes, Natural, Settings, check
from evonet.strategies.algorithm import Algorithm, tell_with_episodes
from evonet.types import FloatArray

_EPISODES = 100, 10  # held-out episodes where the settings name no number: most and fewest
_STEPS = 50_000  # which these episodes may take, if each goes to the step limit


def held_out_episodes(chosen: int | None, fitness: Fitness) -> int:
    """Number of held-out episodes for a validation or a test.

    Without a choice it follows from the step limit alone, so that it is the same on each machine and with each engine.

    Args:
        chosen: the number in the settings; None for 100, or as many as take 50,000 steps at the step limit, but no
            fewer than 10.
        fitness: runs the episodes.
    """
    if chosen is not None:
        return int(chosen)
    most, fewest = _EPISODES
    return most if fitness.task is None else min(most, max(fewest, _STEPS // fitness.task.max_steps))


@dataclass(frozen=True)
class Validation(Settings):
    """How the champion is chosen: on held-out episodes, the same in every generation, none of them used in training.

    Attributes:
        episodes: held-out episodes; by default 100, or as many as take 50,000 steps at the environment's step limit,
            but no fewer than 10.
        candidates: how many of a generation's fittest are tried, if they were not tried before.
        environment: environment of the held-out episodes, with the same spaces; by default that of training.
        engine: engine of the held-out episodes; by default that of training. "gymnasium" runs the environment itself,
            for tasks so sensitive that the rounding of a kernel decides which individual succeeds.
    """

    episodes: Episodes | None = None
    candidates: Count = 1
    environment: EnvironmentSpec | None = None
    engine: EngineName | None = None


@dataclass(frozen=True, eq=False)
class Generation:
    """One generation, as the loop yields it.

    Attributes:
        number: from 0.
        population: the individuals with their fitness. Its genomes are not overwritten while you hold it.
        results: the training episodes, `(n, episodes)`.
        evaluations: genomes scored in training so far.
        environment_steps: steps in training so far.
        validation_steps: steps in validation so far.
        champion: the best by validation so far; None without validation, or while none could be scored.
        normaliser: normaliser of the observations in these episodes; None if they are not normalised.
    """

    number: int
    population: Population
    results: EpisodeResults
    evaluations: int
    environment_steps: int
    validation_steps: int
    champion: Champion | None
    normaliser: ObservationNormaliser | None = None

    @property
    def fitness(self) -> FloatArray:
        """Training fitness, `(n,)`, higher is fitter; -inf for an individual with a fault."""
        assert self.population.fitness is not None
        return self.population.fitness


def evolve(
    algorithm: Algorithm,
    fitness: Fitness | FitnessFunction,
    *,
    seed: Natural,
    validation: Validation | None = None,
    faults: FaultPolicy | None = None,
    validation_fitness: Fitness | None = None,
) -> Evolution:
    """Evolve one generation after another, for as long as the caller iterates.

    All genomes of a generation run on the same episodes; each generation has new ones.

    Args:
        algorithm: proposes genomes.
        fitness: scores them; a plain function `genomes, episode_seeds -> returns` does, too.
        seed: seed of the episodes.
        validation: how a champion is chosen; by default none is.
        faults: how many of a generation may fail; by default any number.
        validation_fitness: runs the validation; by default the fitness does.

    Raises:
        TypeError, ValueError: `seed` is not a whole number of at least 0.
    """
    return Evolution(
        algorithm, fitness, seed=seed, validation=validation, faults=faults, validation_fitness=validation_fitness
    )


class Evolution:
    """The loop, an iterator over generations that can be stopped and resumed.

    Args:
        algorithm: proposes genomes.
        fitness: scores them; a plain function `genomes, episode_seeds -> returns` does, too.
        seed: seed of the episodes.
        validation: how a champion is chosen; by default none is.
        faults: how many of a generation may fail; by default any number.
        validation_fitness: runs the validation; by default the fitness does.

    Attributes:
        normaliser: of the next generation's observations; None if they are not normalised.
        generations: generations so far.
        evaluations: genomes scored in training so far.
        environment_steps: steps in training so far.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        fitness: Fitness | FitnessFunction,
        *,
        seed: Natural,
        validation: Validation | None = None,
        faults: FaultPolicy | None = None,
        validation_fitness: Fitness | None = None,
    ) -> None:
        check(Evolution, {"seed": seed})
        self._algorithm = algorithm
        self._fitness: Fitness = (
            fitness if isinstance(fitness, Fitness) else FunctionFitness(fitness, algorithm.architecture)
        )
        self._seed = int(seed)
        self._faults = faults
        self._selector = (
            None
            if validation is None
            else _ChampionSelector(validation_fitness or self._fitness, validation, self._seed)
        )
        self.normaliser = _first_normaliser(self._fitness)
        self.generations = self.evaluations = self.environment_steps = 0

    def __iter__(self) -> Evolution:
        return self

    @property
    def validation_steps(self) -> int:
        """Steps in validation so far."""
        return 0 if self._selector is None else self._selector.steps

    @property
    def validation_seconds(self) -> float:
        """Time spent in validation since this object was made."""
        return 0.0 if self._selector is None else self._selector.seconds

    @property
    def seconds_per_held_out_episode(self) -> float:
        """Mean time of a validation's episode since this object was made; 0 before the first validation."""
        if self._selector is None or not self._selector.episodes_run:
            return 0.0
        return self._selector.seconds / self._selector.episodes_run

    @property
    def champion(self) -> Champion | None:
        """The best by validation so far; None without validation, or while none could be scored."""
        return None if self._selector is None else self._selector.champion

    def __next__(self) -> Generation:
        """The next generation, scored.

        Raises:
            TooManyFaults: more individuals failed than `faults` allows; the algorithm was not told their fitness.
        """
        algorithm, fitness, normaliser = self._algorithm, self._fitness, self.normaliser
        with np.errstate(over="ignore", invalid="ignore"):  # a genome that is not finite becomes a fault, not a warning
            genomes = algorithm.ask()
        seeds = episode_seeds(self._seed, Purpose.TRAINING, self.generations, fitness.episodes)
        try:
            results = fitness(genomes, seeds, normaliser)
            if self._faults is not None:
                self._faults.enforce(results.faults, len(genomes))
        except TooManyFaults as error:
            error.generation = self.generations
            raise
        scores = fitness.aggregate(results.returns)
        self.evaluations += len(genomes)
        self.environment_steps += results.steps
        self._tell(genomes, scores, results, int(seeds[0]))
        if self._selector is not None:
            self._selector.consider(algorithm.population, self.generations, normaliser)
        if normaliser is not None:
            self.normaliser = results.merged_into(normaliser)
        generation = Generation(
            self.generations,
            algorithm.population,
            results,
            self.evaluations,
            self.environment_steps,
            self.validation_steps,
            self.champion,
            normaliser,
        )
        self.generations += 1
        return generation

    def _tell(self, genomes: FloatArray, scores: FloatArray, results: EpisodeResults, first_seed: int) -> None:
        """Tell the algorithm the fitness, and let it run the fittest's first episode once more for its observations."""
        look: Any = getattr(self._fitness, "observe", None)  # a fitness of the user's own need not have it

        @functools.cache
        def observe() -> FloatArray:
            fittest = int(np.where(np.isfinite(scores), scores, -np.inf).argmax())
            observations: FloatArray
            observations, steps = look(genomes[fittest], first_seed, self.normaliser)
            self.environment_steps += steps
            return observations

        can_observe = look is not None and np.isfinite(scores).any()
        tell_with_episodes(self._algorithm, scores, returns=results.returns, observe=observe if can_observe else None)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays, numbers, texts, dicts and lists.

        Take it between two generations; it does not change while evolution goes on.
        """
        return {
            "generations": self.generations,
            "evaluations": self.evaluations,
            "environment_steps": self.environment_steps,
            "algorithm": self._algorithm.state(),
            "normaliser": self.normaliser and self.normaliser.to_arrays(),
            "selector": None if self._selector is None else self._selector.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied; algorithm and fitness must be made as those of the state.

        Raises:
            KeyError, TypeError, ValueError: `state` is not the state of such an evolution.
        """
        self._algorithm.restore(state["algorithm"])
        self.normaliser = _normaliser_from(state["normaliser"], self._algorithm.architecture)
        if self._selector is not None:
            self._selector.restore(state["selector"])
        self.generations = int(state["generations"])
        self.evaluations = int(state["evaluations"])
        self.environment_steps = int(state["environment_steps"])
        if min(self.generations, getattr(self._algorithm, "generation", 0)) < 0:
            raise ValueError("a generation's number must be at least 0")


class _ChampionSelector:
    """Runs each generation's fittest on the held-out episodes, and keeps the individual that does best there."""

    def __init__(self, fitness: Fitness, validation: Validation, seed: int) -> None:
        self._fitness = fitness
        self._candidates = validation.candidates
        self._episodes = episode_seeds(seed, Purpose.VALIDATION, 0, held_out_episodes(validation.episodes, fitness))
        self._tried: set[int] = set()
        self._in_order = array("q")  # the ids of `_tried`, so that a state is one copy, however many there are
        self._best_mean = -np.inf
        self.champion: Champion | None = None
        self.steps = self.episodes_run = 0
        self.seconds = 0.0

    def consider(self, population: Population, generation: int, normaliser: ObservationNormaliser | None) -> None:
        """Validate the fittest of `population` that were not validated before."""
        assert population.fitness is not None
        ranking = np.argsort(-population.fitness, kind="stable")[: self._candidates]
        rows = [int(row) for row in ranking if int(population.ids[row]) not in self._tried]
        rows = [row for row in rows if np.isfinite(population.fitness[row])]
        if not rows:
            return
        started = time.monotonic()
        results = self._fitness(population.genomes[rows], self._episodes, normaliser)
        self.seconds += time.monotonic() - started
        self.episodes_run += results.returns.size
        self.steps += results.steps
        for row, returns in zip(rows, results.returns, strict=True):
            if normaliser is None:  # under the next normaliser, the same genome acts otherwise
                self._tried.add(int(population.ids[row]))
                self._in_order.append(int(population.ids[row]))
            mean = returns.mean()
            if mean > self._best_mean:  # never true of NaN, an episode that failed
                self._best_mean = mean
                self.champion = Champion(
                    population.architecture,
                    population.genomes[row].copy(),
                    id=int(population.ids[row]),
                    generation=generation,
                    training_fitness=float(population.fitness[row]),
                    normaliser=normaliser,
                    task=self._fitness.task,
                    validation=Score(returns.copy()),
                )

    def state(self) -> dict[str, Any]:
        champion = self.champion
        return {
            "tried": np.array(self._in_order, dtype=np.int64),
            "steps": self.steps,
            "champion": None
            if champion is None or champion.validation is None
            else {
                "genome": champion.genome,
                "normaliser": champion.normaliser and champion.normaliser.to_arrays(),
                "individual": champion.id,
                "generation": champion.generation,
                "training_fitness": champion.training_fitness,
                "validation": champion.validation.returns,
            },
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._in_order = array("q", np.asarray(state["tried"], dtype=np.int64).tolist())
        self._tried = set(self._in_order)
        self.steps = int(state["steps"])
        self.champion, self._best_mean = None, -np.inf
        if (saved := state["champion"]) is not None:
            architecture = self._fitness.architecture
            validation = Score(np.array(saved["validation"], dtype=np.float64))
            self.champion = Champion(
                architecture,
                np.array(saved["genome"], dtype=np.float64),
                id=int(saved["individual"]),
                generation=int(saved["generation"]),
                training_fitness=float(saved["training_fitness"]),
                normaliser=_normaliser_from(saved["normaliser"], architecture),
                task=self._fitness.task,
                validation=validation,
            )
            self._best_mean = validation.returns.mean()


def _first_normaliser(fitness: Fitness) -> ObservationNormaliser | None:
    if fitness.task is None or not fitness.task.normalise:
        return None
    return ObservationNormaliser.fresh(fitness.architecture.num_inputs)


def _normaliser_from(arrays: Mapping[str, Any] | None, architecture: Architecture) -> ObservationNormaliser | None:
    return None if arrays is None else ObservationNormaliser.from_arrays(arrays, architecture.num_inputs)
