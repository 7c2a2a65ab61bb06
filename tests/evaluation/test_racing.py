"""Races: who can no longer be among the fittest runs no more episodes, and nothing else changes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evonet import Architecture, EpisodeReturn, FunctionFitness, GeneticAlgorithm, Race, evolve
from evonet.errors import ConfigError
from evonet.evaluation.racing import RaceResult, student_quantile
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.runner import run
from evonet.operators.selection import EpsilonLexicase
from evonet.strategies import DifferentialEvolution, RandomSearch
from tests.environments_for_tests import MODULE
from tests.stopped_runs import config_for, exact_files, go_on, run_stopped, run_whole

ARCHITECTURE = Architecture(2, 2, 1)
SEEDS = np.arange(10, 20)
ANY_WORTH = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(-1e6, 1e6))


def noisy(genomes, episode_seeds):
    """The first gene, plus a number of the episode that is the same for all, plus noise of individual and episode."""
    shared = np.array([np.random.default_rng(seed).normal(0, 20) for seed in episode_seeds])
    names = np.abs(1000 * genomes[:, 1]).astype(int)
    own = [[np.random.default_rng([seed, name]).normal() for seed in episode_seeds] for name in names]
    return genomes[:, :1] + shared + np.array(own)


def fitness_of(function=noisy, episodes=10):
    return FunctionFitness(function, ARCHITECTURE, episodes=episodes)


def field(first_genes):
    genomes = np.zeros((len(first_genes), ARCHITECTURE.genome_size))
    genomes[:, 0], genomes[:, 1] = first_genes, np.arange(len(first_genes))
    return genomes


@pytest.mark.parametrize(
    ("probability", "degrees", "quantile"),
    [(0.95, 1, 6.313752), (0.95, 2, 2.919986), (0.95, 5, 2.015048), (0.975, 9, 2.262157), (0.99, 30, 2.457262)],
)
def test_quantiles_are_those_of_students_tables(probability, degrees, quantile):
    assert student_quantile(probability, degrees) == quantile


def test_who_is_surely_worse_than_the_individual_of_rank_mu_is_dropped():
    worth = np.array([[5.0, 9, 7, 5], [5, 8, 7, 6], [1, 5, 3, 1], [4, 9, 7, 5], [np.nan, 9, 9, 9]])
    assert Race().survivors(worth, mu=2).tolist() == [True, True, False, True, False]
    assert Race().survivors(worth[:, :1], mu=2).tolist() == [True, True, True, True, False]  # one episode has no spread
    assert Race().survivors(worth, mu=4).tolist() == [True, True, True, True, False]


def test_differences_of_pairs_count_and_not_the_spread_of_the_episodes():
    episodes = np.array([0.0, 100.0, -100.0, 30.0])
    worth = episodes + np.array([[3.0], [2.0], [0.0]]) + 0.1 * np.array([[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]])
    assert Race().survivors(worth, mu=1).tolist() == [True, False, False]


@given(ANY_WORTH, st.integers(1, 8))
def test_the_fittest_so_far_always_go_on(worth, mu):
    survivors = Race().survivors(worth, mu)
    assert survivors[np.argsort(-worth.mean(axis=1), kind="stable")[:mu]].all()


def test_a_race_spends_episodes_on_those_that_matter():
    genomes = field([50, 0, 49.9, -40, 50.1, 50])
    calls = []
    fitness = fitness_of(lambda genomes, seeds: calls.append((len(genomes), len(seeds))) or noisy(genomes, seeds))
    raced = Race(round=3).run(fitness, genomes, SEEDS, None, 2)
    assert calls == [(6, 3), (4, 3), (4, 3), (4, 1)]
    assert raced.count.tolist() == [10, 3, 10, 3, 10, 10]
    whole = fitness_of()(genomes, SEEDS)
    np.testing.assert_array_equal(raced.results.returns[0], whole.returns[0])
    np.testing.assert_array_equal(raced.results.returns[1, :3], whole.returns[1, :3])
    assert np.isnan(raced.results.returns[1, 3:]).all()
    assert not raced.results.faults
    true = fitness_of().aggregate(whole.returns)
    np.testing.assert_array_equal(raced.fitness()[[0, 2, 4, 5]], true[[0, 2, 4, 5]])
    assert np.abs(raced.fitness() - true).max() < 3  # though the episodes differ by 20 from each other


def test_an_estimate_is_never_above_those_that_ran_all_episodes():
    worth = np.array([[1.0, 1, 1, 1], [2, 2, -9, -9], [2, 2, np.nan, np.nan], [np.nan, 1, np.nan, np.nan]])
    raced = RaceResult(None, worth, np.array([4, 4, 2, 2]))
    assert raced.fitness().tolist() == [1.0, -3.5, -3.5, -np.inf]
    assert RaceResult(None, worth[2:], np.array([2, 2])).fitness().tolist() == [2.0, -np.inf]


def test_a_fault_keeps_its_individual_and_episode_and_ends_its_race():
    kwargs = {"trouble": "raise", "at": 2, "seeds": [int(SEEDS[5])]}
    with EpisodeReturn(
        f"{MODULE}:evonet-tests/Walk-v0", hidden=2, kwargs=kwargs, normalise_observations=True
    ) as fitness:
        genomes = np.random.default_rng(3).normal(size=(4, fitness.architecture.genome_size))
        whole = fitness(genomes, SEEDS)
        raced = Race(round=4, confidence=0.999999).run(fitness, genomes, SEEDS, None, 2)
    assert raced.count.tolist() == [8, 8, 8, 8]
    assert [(fault.individual, fault.episode) for fault in raced.results.faults] == [(row, 5) for row in range(4)]
    assert raced.results.faults == whole.faults
    np.testing.assert_array_equal(raced.results.returns[:, :8], whole.returns[:, :8])
    assert (raced.fitness() == -np.inf).all()
    assert raced.results.observations.sums.shape == whole.observations.sums.shape
    kept = np.arange(len(SEEDS)) < 8
    np.testing.assert_array_equal(
        raced.results.observations.sums.reshape(4, 10, -1)[:, kept], whole.observations.sums.reshape(4, 10, -1)[:, kept]
    )
    assert not raced.results.observations.sums.reshape(4, 10, -1)[:, ~kept].any()


def test_a_fault_is_that_of_its_individual_where_others_were_dropped_before():
    def failing(genomes, episode_seeds):
        worth = genomes[:, :1] + np.random.default_rng(episode_seeds).normal(size=(len(genomes), len(episode_seeds)))
        return np.where((genomes[:, :1] == 51) & (episode_seeds == SEEDS[7]), np.nan, worth)

    raced = Race(round=3).run(fitness_of(failing), field([-90, 50, -80, 51, 50]), SEEDS, None, 2)
    assert raced.count.tolist()[:3:2] == [3, 3]
    assert [(fault.individual, fault.episode) for fault in raced.results.faults] == [(3, 7)]
    assert raced.fitness()[3] == -np.inf


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_says_how_many_of_the_fittest_a_race_must_find_or_nothing(name):
    try:
        algorithm = ALGORITHMS[name](ARCHITECTURE, population_size=8)
    except TypeError:  # it needs another algorithm, or an archive
        assert not hasattr(ALGORITHMS[name], "mu")
        return
    mu = getattr(algorithm, "mu", None)
    assert mu is None or 1 <= mu < 8
    assert (mu is not None) == (
        name in {"genetic_algorithm", "cma_es", "separable_cma_es", "xnes", "snes", "random_search"}
    )


def test_evolution_learns_from_a_race_and_counts_its_episodes():
    algorithm = GeneticAlgorithm(ARCHITECTURE, population_size=16, elites=2, seed=1)
    generations = []
    for generation in evolve(algorithm, fitness_of(), race=Race()):
        generations.append(generation)
        if generation.number == 20:
            break
    spent = [generation.raced_episodes for generation in generations]
    assert all(2 * 16 <= each <= 160 for each in spent)
    assert sum(spent) < 0.8 * 21 * 160
    means = [generation.population.genomes[:, 0].mean() for generation in generations]
    assert means[-1] > means[0] + 1.5
    plain = next(evolve(GeneticAlgorithm(ARCHITECTURE, population_size=16, elites=2, seed=1), fitness_of()))
    assert plain.raced_episodes is None


@pytest.mark.parametrize(
    ("algorithm", "fitness", "words"),
    [
        (DifferentialEvolution(ARCHITECTURE), fitness_of(), "goes by its fittest .* got DifferentialEvolution"),
        (GeneticAlgorithm(ARCHITECTURE, selection=EpsilonLexicase()), fitness_of(), "got GeneticAlgorithm"),
        (RandomSearch(ARCHITECTURE), fitness_of(episodes=2), r"more episodes than a round has \(2\), got 2"),
        (
            RandomSearch(EpisodeReturn("CartPole-v1", hidden=2).architecture),
            EpisodeReturn("CartPole-v1", hidden=2, aggregation="min"),
            "the mean of its episodes, got the min",
        ),
    ],
)
def test_what_cannot_race_is_refused_with_the_reason(algorithm, fitness, words):
    with pytest.raises(ValueError, match=words):
        evolve(algorithm, fitness, seed=1, race=Race())


RACED = """
environment: {id: CartPole-v1, max_steps: 60}
network: {hidden: 3}
algorithm: {type: genetic_algorithm, population_size: 12, elites: 2}
evaluation: {episodes: 7, race: {round: 2}, normalise_observations: true, workers: WORKERS}
validation: {episodes: 3}
test: {episodes: 3}
stop: {generations: 6, target: null}
"""


def test_workers_engines_and_stops_change_no_byte_of_a_race(tmp_path):
    text = RACED.replace("WORKERS", "1")
    whole = run_whole(tmp_path, text)
    spent = [json.loads(line)["raced_episodes"] for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert min(spent) < 7 * 12
    stopped = run_stopped(tmp_path, text, after=3)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)
    for name, settings in (("workers", ["evaluation.workers=2"]), ("gymnasium", ["evaluation.engine=numpy"])):
        other = tmp_path / name
        run(config_for(tmp_path, text, *settings), other)
        assert (other / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["algorithm=differential_evolution"], "evaluation.race: a race needs an algorithm that goes by its fittest"),
        (["evaluation.aggregation=median"], "evaluation.race: a race needs a fitness that is the mean"),
        (["evaluation.race.round=7"], r"evaluation.race: a race needs more episodes than a round has \(7\), got 7"),
        (["evaluation.race.confidence=0.4"], "evaluation.race.confidence must be greater than 0.5, got 0.4"),
    ],
)
def test_a_config_that_cannot_race_is_an_error_at_its_line(settings, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        run(config_for(tmp_path, RACED.replace("WORKERS", "1"), *settings), tmp_path / "run")
