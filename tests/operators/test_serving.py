"""Operators get what they want: returns of the episodes, observations met, step sizes that belong to individuals."""

from dataclasses import dataclass, field

import gymnasium as gym
import numpy as np
import pytest

from evonet import EpisodeReturn, GeneticAlgorithm, evolve
from evonet.champion import Champion
from evonet.network import Architecture
from evonet.operators.crossover import NoCrossover, Uniform
from evonet.operators.mutation import Gaussian, SelfAdaptive
from evonet.operators.safe_mutation import SafeMutation
from evonet.operators.selection import EpsilonLexicase
from evonet.population import NO_PARENT
from evonet.seeding import Purpose, episode_seeds
from evonet.strategies.restarts import Restarts

ARCHITECTURE = Architecture(3, 4, 2)


@dataclass(frozen=True)
class Listening:
    """Selects at random and mutates nothing, but remembers what it was told."""

    wants: frozenset = frozenset({"cases", "observations"})
    heard: list = field(default_factory=list, compare=False)

    def __call__(self, rng, *arguments, **told):
        self.heard.append(told)
        if len(arguments[0].shape) == 1:
            return rng.integers(len(arguments[0]), size=arguments[1])
        return arguments[0].copy()


def told_algorithm(**settings):
    algorithm = GeneticAlgorithm(
        ARCHITECTURE, 8, 2, EpsilonLexicase(), mutation=[SafeMutation(), Gaussian()], **settings
    )
    for generation in range(3):
        rng = np.random.default_rng(generation)
        genomes = algorithm.ask()
        cases = -(genomes[:, :5] ** 2)
        algorithm.tell(cases.mean(axis=1), cases=cases, observations=rng.normal(size=(7, 3)))
    return algorithm


def test_a_genetic_algorithm_wants_what_its_operators_want():
    assert GeneticAlgorithm(ARCHITECTURE).wants == frozenset()
    assert GeneticAlgorithm(ARCHITECTURE, selection=EpsilonLexicase()).wants == {"cases"}
    assert GeneticAlgorithm(ARCHITECTURE, mutation=[Gaussian(), SafeMutation()]).wants == {"observations"}


def test_each_operator_is_told_what_it_wants_and_nothing_else():
    listening, deaf = Listening(), Listening(frozenset())
    algorithm = GeneticAlgorithm(ARCHITECTURE, 8, 2, listening, NoCrossover(), [deaf])
    cases, observations = np.arange(16.0).reshape(8, 2), np.ones((4, 3))
    algorithm.ask()
    algorithm.tell(np.zeros(8), cases=cases, observations=observations)
    algorithm.ask()
    assert np.array_equal(listening.heard[0]["cases"], cases)
    assert np.array_equal(listening.heard[0]["observations"], observations)
    assert deaf.heard == [{}]


def test_who_is_best_in_some_episode_has_children_whatever_the_mean():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 30, 0, EpsilonLexicase(), NoCrossover(), Gaussian(rate=1.0))
    algorithm.ask()
    cases = np.zeros((30, 2))
    cases[4] = [10.0, -100.0]
    cases[9] = [-100.0, 10.0]
    algorithm.tell(cases.mean(axis=1), cases=cases)
    algorithm.ask()
    assert set(algorithm.population.parents[:, 0].tolist()) == {4, 9}


@pytest.mark.parametrize("asked", [False, True])
def test_what_was_told_is_in_the_state_and_bits_go_on(asked):
    original, other = (
        told_algorithm(seed=3),
        GeneticAlgorithm(ARCHITECTURE, 8, 2, EpsilonLexicase(), mutation=[SafeMutation(), Gaussian()], seed=3),
    )
    if asked:
        original.ask()
    other.restore(original.state())
    assert np.array_equal(other.ask(), original.ask())


def test_the_loop_tells_returns_and_the_observations_of_the_fittest():
    fitness = EpisodeReturn("CartPole-v1", hidden=4, episodes=2)
    listening = Listening()
    algorithm = GeneticAlgorithm(fitness.architecture, 6, 1, listening)
    evolution = evolve(algorithm, fitness, seed=5)
    generation = next(evolution)
    algorithm.ask()
    told = listening.heard[0]
    assert np.array_equal(told["cases"], generation.results.returns)
    fittest = int(generation.fitness.argmax())
    seed = int(episode_seeds(5, Purpose.TRAINING, 0, 2)[0])
    met = episode_of(fitness, generation.population.genomes[fittest], seed)
    assert len(told["observations"]) == len(met)
    assert np.allclose(told["observations"], met, atol=1e-6)
    assert generation.environment_steps == generation.results.steps + len(met)


def episode_of(fitness, genome, seed):
    """The observations of an episode, in the environment itself."""
    champion = Champion(fitness.architecture, genome.copy(), fitness.task)
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

    def first(self, count, architecture):
        return np.ones((count, 1))

    def adapted(self, rng, genomes, architecture, step_sizes):
        return genomes + 0.1, 2 * step_sizes

    def __call__(self, rng, genomes, architecture):
        raise AssertionError("its step sizes were forgotten")


def test_step_sizes_are_inherited_adapted_and_kept_by_who_survives():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 12, 3, crossover=Uniform(rate=0.5), mutation=[Gaussian(), Doubling()])
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


def test_restarts_hand_on_what_their_algorithm_wants():
    def make(**settings):
        return GeneticAlgorithm(selection=EpsilonLexicase(), **settings)

    algorithm = Restarts(ARCHITECTURE, make)
    assert algorithm.wants == {"cases"}
    n = len(algorithm.ask())
    algorithm.tell(np.zeros(n), cases=np.zeros((n, 3)))
    assert len(algorithm.ask()) == n
