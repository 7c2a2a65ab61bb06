"""Operators know their parents: fitness, returns of the episodes, observations, step sizes of the individuals."""

import functools
from dataclasses import dataclass, field

import gymnasium as gym
import numpy as np
import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, evolve
from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.operators.crossover import NoCrossover, UniformCrossover
from evonet.operators.mutation import Gaussian, SelfAdaptive
from evonet.operators.parents import Parents
from evonet.operators.safe_mutation import SafeMutation
from evonet.operators.selection import EpsilonLexicase
from evonet.population import NO_PARENT
from evonet.seeding import Purpose, episode_seeds
from evonet.strategies.islands import Islands
from evonet.strategies.restarts import Restarts

ARCHITECTURE = Architecture(3, 4, 2)


@dataclass(frozen=True)
class Watching:
    """Selects at random and mutates nothing, but keeps the parents that it is given."""

    observes: bool = True
    given: list = field(default_factory=list, compare=False)

    def __call__(self, rng, genomes_or_parents, parents_or_count):
        if isinstance(parents_or_count, Parents):
            self.given.append(parents_or_count)
            return genomes_or_parents.copy()
        self.given.append(genomes_or_parents)
        return rng.integers(len(genomes_or_parents), size=parents_or_count)


def lexicase_and_safe(**settings):
    return GeneticAlgorithm(ARCHITECTURE, 8, 2, EpsilonLexicase(), mutation=[SafeMutation(), Gaussian()], **settings)


def advanced(algorithm, generations=3):
    for generation in range(generations):
        rng = np.random.default_rng(generation)
        returns = -(algorithm.ask()[:, :5] ** 2)
        observations = rng.normal(size=(7, 3))
        algorithm.tell(returns.mean(axis=1), returns=returns, observe=lambda met=observations: met)
    return algorithm


def test_selection_and_mutation_are_given_what_is_known_of_the_parents():
    selection, mutation = Watching(), Watching()
    algorithm = GeneticAlgorithm(ARCHITECTURE, 8, 2, selection, NoCrossover(), [mutation])
    returns, observations = np.arange(16.0).reshape(8, 2), np.ones((4, 3))
    genomes = algorithm.ask().copy()
    algorithm.tell([*range(7), np.nan], returns=returns, observe=lambda: observations)
    algorithm.ask()
    for parents in (*selection.given, *mutation.given):
        assert parents.architecture == ARCHITECTURE
        assert np.array_equal(parents.genomes, genomes)
        assert np.array_equal(parents.fitness[:7], np.arange(7.0))
        assert np.isfinite(parents.fitness[7]), "operators may calculate with it"
        assert parents.fitness[7] < 0.0
        assert np.array_equal(parents.returns, returns)
        assert np.array_equal(parents.observations, observations)


@pytest.mark.parametrize("selection", [True, False])
@pytest.mark.parametrize("mutation", [True, False])
def test_observations_are_made_once_and_only_for_an_operator_that_reads_them(selection, mutation):
    calls = []
    algorithm = GeneticAlgorithm(ARCHITECTURE, 8, 2, Watching(selection), mutation=[Gaussian(), Watching(mutation)])
    algorithm.ask()
    algorithm.tell(np.zeros(8), observe=lambda: calls.append(1) or np.ones((4, 3)))
    algorithm.ask()
    assert len(calls) == int(selection or mutation)


def test_by_hand_the_fitness_is_enough():
    algorithm = lexicase_and_safe()
    for _ in range(3):
        algorithm.tell(-(algorithm.ask() ** 2).sum(axis=1))
    assert np.isfinite(algorithm.ask()).all()


def test_who_is_best_in_some_episode_has_children_whatever_the_mean():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 30, 0, EpsilonLexicase(), NoCrossover(), Gaussian(rate=1.0))
    algorithm.ask()
    returns = np.zeros((30, 2))
    returns[4] = [10.0, -100.0]
    returns[9] = [-100.0, 10.0]
    algorithm.tell(returns.mean(axis=1), returns=returns)
    algorithm.ask()
    assert set(algorithm.population.parents[:, 0].tolist()) == {4, 9}


@pytest.mark.parametrize("asked", [False, True])
def test_returns_and_observations_are_in_the_state_and_bits_go_on(asked):
    original, other = advanced(lexicase_and_safe(seed=3)), lexicase_and_safe(seed=3)
    if asked:
        original.ask()
    other.restore(original.state())
    assert np.array_equal(other.ask(), original.ask())


def test_the_loop_tells_returns_and_the_observations_of_the_fittest():
    fitness = EpisodeReturn("CartPole-v1", hidden=4, episodes=2)
    watching = Watching()
    algorithm = GeneticAlgorithm(fitness.architecture, 6, 1, watching)
    evolution = evolve(algorithm, fitness, seed=5)
    generation = next(evolution)
    algorithm.ask()
    parents = watching.given[0]
    assert np.array_equal(parents.returns, generation.results.returns)
    fittest = int(generation.fitness.argmax())
    seed = int(episode_seeds(5, Purpose.TRAINING, 0, 2)[0])
    met = episode_of(fitness, generation.population.genomes[fittest], seed)
    assert len(parents.observations) == len(met)
    assert np.allclose(parents.observations, met, atol=1e-6)
    assert generation.environment_steps == generation.results.steps + len(met)


def test_without_an_operator_that_observes_no_episode_is_run_twice():
    fitness = EpisodeReturn("CartPole-v1", hidden=4, episodes=2)
    generation = next(evolve(GeneticAlgorithm(fitness.architecture, 6, 1), fitness, seed=5))
    assert generation.environment_steps == generation.results.steps


def test_all_islands_share_one_observation():
    fitness = EpisodeReturn("CartPole-v1", hidden=4, episodes=2, max_steps=50)
    watching = Watching()
    island = functools.partial(GeneticAlgorithm, population_size=6, elites=1, selection=watching)
    islands = Islands(fitness.architecture, island, islands=3)
    generation = next(evolve(islands, fitness, seed=5))
    islands.ask()
    first, second, third = watching.given
    assert first.observations is second.observations is third.observations
    assert generation.environment_steps == generation.results.steps + len(first.observations)


class FitnessOnly:
    """An algorithm of somebody's own: random genomes, and a `tell` that takes the fitness only."""

    def __init__(self, architecture, seed=0):
        self.inner = GeneticAlgorithm(architecture, 6, seed=seed)
        self.architecture = architecture

    @property
    def population(self):
        return self.inner.population

    @property
    def population_size(self):
        return 6

    def ask(self):
        return self.inner.ask()

    def tell(self, fitness):
        self.inner.tell(fitness)


@pytest.mark.parametrize(
    "algorithm",
    [
        FitnessOnly,
        functools.partial(Restarts, algorithm=FitnessOnly),
        functools.partial(Islands, algorithm=FitnessOnly, migrants=0),
    ],
    ids=["alone", "restarts", "islands"],
)
def test_an_algorithm_whose_tell_takes_the_fitness_only_evolves(algorithm):
    fitness = EpisodeReturn("CartPole-v1", hidden=2, episodes=2)
    evolution = evolve(algorithm(fitness.architecture), fitness, seed=5)
    for _ in range(3):
        assert np.isfinite(next(evolution).fitness).all()


def episode_of(fitness, genome, seed):
    """The observations of an episode, in the environment itself."""
    champion = Champion(fitness.architecture, genome.copy(), task=fitness.task)
    environment = gym.make("CartPole-v1")
    observation, _ = environment.reset(seed=seed)
    met, ended = [], False
    while not ended:
        met.append(observation)
        observation, _, terminated, truncated, _ = environment.step(champion.act(observation))
        ended = terminated or truncated
    environment.close()
    return np.array(met)


def test_observations_of_a_long_episode_are_spread_over_it_and_of_a_recurrent_network_the_first():
    for recurrent in (False, True):
        fitness = EpisodeReturn("Pendulum-v1", hidden=2, recurrent=recurrent, normalise_observations=True)
        genome = np.random.default_rng(0).normal(size=fitness.architecture.genome_size)
        observations, steps = fitness.observe(genome, 3)
        assert (observations.shape, steps) == ((64, 3), 200)
        moved = np.abs(np.diff(observations, axis=0)).sum(axis=1).mean()
        fitness.close()
        assert moved > 0.1 if not recurrent else moved > 0


def test_an_episode_that_fails_gives_no_observations():
    fitness = EpisodeReturn("Pendulum-v1", hidden=2)
    observations, _ = fitness.observe(np.full(fitness.architecture.genome_size, np.nan), 3)
    assert observations.shape == (0, 3)


def test_a_function_of_one_s_own_shows_no_observations():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 6, 1, mutation=SafeMutation())
    evolution = evolve(algorithm, lambda genomes, seeds: genomes.sum(axis=1), seed=5)
    for generation, _ in zip(evolution, range(3), strict=False):
        assert np.isfinite(generation.population.genomes).all()


@dataclass(frozen=True)
class Doubling:
    """Step sizes of 1 at first, doubled at each birth; genomes stay but for one gene, so that children differ."""

    def initial_step_sizes(self, count, architecture):
        return np.ones((count, 1))

    def mutate(self, rng, genomes, parents, step_sizes):
        return genomes + 0.1, 2 * step_sizes

    def __call__(self, rng, genomes, parents):
        raise AssertionError("its step sizes were forgotten")


def test_step_sizes_are_inherited_adapted_and_kept_by_who_survives():
    algorithm = GeneticAlgorithm(
        ARCHITECTURE, 12, 3, crossover=UniformCrossover(rate=0.5), mutation=[Gaussian(), Doubling()]
    )
    known = dict.fromkeys(range(12), 1.0)
    blended = 0
    for generation in range(6):
        algorithm.ask()
        population = algorithm.population
        sizes = population.step_sizes[2][:, 0]
        for number, (first, second), size in zip(population.ids, population.parents, sizes, strict=True):
            if number in known:
                assert size == known[number]
                continue
            expected = known[first] if second == NO_PARENT else np.sqrt(known[first]) * np.sqrt(known[second])
            blended += second != NO_PARENT and known[first] != known[second]
            assert size == pytest.approx(2 * expected)
            known[int(number)] = size
        algorithm.tell(np.random.default_rng(generation).normal(size=12))
    assert blended


@pytest.mark.parametrize("scope", ["individual", "gene"])
def test_step_sizes_are_in_the_state_and_bits_go_on(scope):
    def make():
        return GeneticAlgorithm(ARCHITECTURE, 12, 3, mutation=[Gaussian(), SelfAdaptive(scope=scope)], seed=2)

    original, other = make(), make()
    for _ in range(4):
        original.tell(-(original.ask() ** 2).sum(axis=1))
    other.restore(original.state())
    for _ in range(3):
        assert np.array_equal(other.ask(), original.ask())
        assert np.array_equal(other.population.step_sizes[2], original.population.step_sizes[2])
        for algorithm in (original, other):
            algorithm.tell(-(algorithm.ask() ** 2).sum(axis=1))


def test_self_adaptation_makes_steps_smaller_as_the_top_comes_near():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 40, 0, crossover=NoCrossover(), mutation=SelfAdaptive(sigma=0.5), seed=1)
    for _ in range(150):
        algorithm.tell(-((algorithm.ask() - 0.3) ** 2).sum(axis=1))
    assert np.median(algorithm.population.step_sizes[1]) < 0.1


def test_restarts_hand_on_the_episodes():
    def make(**settings):
        return GeneticAlgorithm(selection=EpsilonLexicase(), mutation=SafeMutation(), **settings)

    algorithm = Restarts(ARCHITECTURE, make)
    n = len(algorithm.ask())
    algorithm.tell(np.zeros(n), returns=np.zeros((n, 3)), observe=lambda: np.ones((4, 3)))
    state = algorithm.state()["algorithm"]
    assert state["returns"].shape == (n, 3)
    assert np.array_equal(state["observations"], np.ones((4, 3)))
    assert len(algorithm.ask()) == n
