"""Races: who can no longer be among the fittest runs no more episodes, and nothing else changes."""

import functools
import json
import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evonet import Architecture, EpisodeReturn, FunctionFitness, GeneticAlgorithm, Race, evolve
from evonet.archives import GridArchive
from evonet.errors import ConfigError, FitnessFunctionFailed, TooManyFaults
from evonet.evaluation.executors import InProcess
from evonet.evaluation.executors.chunks import ChunkFailure, ChunkResult
from evonet.evaluation.executors.pooled import PooledExecutor
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.evaluation.racing import RaceResult, student_quantile
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.runner import run
from evonet.measures import Measure
from evonet.operators.replacement import Comma, Plus, SteadyState
from evonet.operators.schedules import Linear
from evonet.operators.selection import EpsilonLexicase, Truncation
from evonet.strategies import SNES, DifferentialEvolution, RandomSearch, Restarts
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


def share_below(t, degrees):
    """Student's distribution function at t > 0, by Simpson's rule over the density."""
    steps = np.linspace(0, math.atan(t / math.sqrt(degrees)), 2001)  # where x is the tangent
    weights = np.ones(2001)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    total = (weights * np.cos(steps) ** (degrees - 1)).sum() * (steps[1] - steps[0]) / 3
    gammas = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    return 0.5 + gammas / math.sqrt(math.pi) * total


@given(st.floats(0.500001, 0.99999), st.integers(1, 200))
def test_quantiles_invert_the_integral_of_students_density(probability, degrees):
    quantile = student_quantile(probability, degrees)
    assert share_below(max(quantile - 2e-6 * max(1, quantile), 0), degrees) <= probability
    assert probability <= share_below(quantile + 2e-6 * max(1, quantile), degrees)


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 100])
def test_the_most_confident_race_has_a_finite_bound(degrees):
    assert student_quantile(1 - 2**-53, degrees) < math.inf


def naive_survivors(worth, mu, confidence=0.95):
    """Those who go on, as the paragraph in `configs/README.md` has it; None for one at the very bound."""
    episodes = len(worth[0])
    scored = [row for row in range(len(worth)) if all(map(math.isfinite, worth[row]))]
    if episodes < 2 or len(scored) <= mu:
        return [row in scored for row in range(len(worth))]
    rank_mu = sorted(scored, key=lambda row: (-sum(worth[row]), row))[mu - 1]
    found = []
    for row in range(len(worth)):
        differences = [mine - theirs for mine, theirs in zip(worth[row], worth[rank_mu], strict=True)]
        if row not in scored:
            found.append(False)
            continue
        error = statistics.stdev(differences) / math.sqrt(episodes)
        bound = statistics.fmean(differences) + student_quantile(confidence, episodes - 1) * error
        found.append(None if 0 < abs(bound) < 1e-9 else bound >= 0)
    return found


WHOLE_NUMBERS = st.integers(-5, 5).map(float) | st.just(math.nan)


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=WHOLE_NUMBERS), st.integers(1, 8))
def test_survivors_are_those_of_a_plain_loop(worth, mu):
    expected = naive_survivors(worth.tolist(), mu)
    for found, wanted in zip(Race().survivors(worth, mu).tolist(), expected, strict=True):
        assert wanted is None or found == wanted


@pytest.mark.parametrize("mu", [1, 10, 25, 40, 60])
def test_of_individuals_with_equal_means_the_first_has_the_better_rank(mu):
    rng = np.random.default_rng(mu)
    for _ in range(20):
        worth = rng.integers(-2, 3, (60, 4)).astype(float)
        expected = naive_survivors(worth.tolist(), mu)
        found = Race().survivors(worth, mu).tolist()
        assert [each for each, wanted in zip(found, expected, strict=True) if wanted is not None] == [
            wanted for wanted in expected if wanted is not None
        ]


def naive_race(table, round_, mu):
    """Episodes that each individual runs, and their fitness, for the `table` of all that they might run."""
    n, episodes = len(table), len(table[0])
    running, count = list(range(n)), [0] * n
    for last in [*range(round_, episodes, round_), episodes]:
        for row in running:
            count[row] = last
        if not running:
            break
        goes_on = naive_survivors([table[row][:last] for row in running], mu)
        running = [row for row, go in zip(running, goes_on, strict=True) if go]
    ran = [table[row][: count[row]] for row in range(n)]
    failed = [any(map(math.isnan, each)) for each in ran]
    whole = [row for row in range(n) if count[row] == episodes and not failed[row]]
    fitness = []
    for row in range(n):
        mean = statistics.fmean(ran[row])
        if failed[row] or row in whole or not whole:
            fitness.append(-math.inf if failed[row] else mean)
            continue
        ahead = [statistics.fmean(table[one][episode] for one in whole) for episode in range(episodes)]
        behind = statistics.fmean(mine - theirs for mine, theirs in zip(ran[row], ahead, strict=False))
        worst = min(statistics.fmean(table[one]) for one in whole)
        fitness.append(min(statistics.fmean(ahead) + behind, worst))
    return count, fitness


@pytest.mark.parametrize("round_", [1, 2, 3, 7])
@pytest.mark.parametrize("mu", [1, 3, 9])
def test_a_race_is_that_of_a_plain_loop(round_, mu):
    rng = np.random.default_rng([round_, mu])
    spent = 0
    for _ in range(40):
        table = rng.normal(size=(8, 10)) + rng.normal(0, 10, 10) + rng.normal(0, 2, (8, 1))
        table[rng.random(table.shape) < 0.02] = np.nan
        fitness = fitness_of(lambda genomes, seeds, table=table: table[genomes[:, 1].astype(int)][:, seeds - SEEDS[0]])
        raced = Race(round=round_).run(fitness, field(np.zeros(8)), SEEDS, None, mu, ())
        count, expected = naive_race(table.tolist(), round_, mu)
        assert raced.count.tolist() == count
        np.testing.assert_allclose(raced.fitness(), expected)
        spent += sum(count)
    assert spent < 40 * (79 if mu == 9 else 72)  # failures end races, too


@given(ANY_WORTH, st.integers(1, 8))
def test_the_fittest_so_far_always_go_on(worth, mu):
    survivors = Race().survivors(worth, mu)
    assert survivors[np.argsort(-worth.mean(axis=1), kind="stable")[:mu]].all()


def test_a_race_spends_episodes_on_those_that_matter():
    genomes = field([50, 0, 49.9, -40, 50.1, 50])
    calls = []
    fitness = fitness_of(lambda genomes, seeds: calls.append((len(genomes), len(seeds))) or noisy(genomes, seeds))
    raced = Race(round=3).run(fitness, genomes, SEEDS, None, 2, ())
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
        raced = Race(round=4, confidence=0.999999).run(fitness, genomes, SEEDS, None, 2, ())
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


def test_the_results_are_those_of_the_episodes_that_were_run():
    measures = {"x": Measure(of="observation", index=0, take="last"), "steps": Measure(of="length")}
    with EpisodeReturn("CartPole-v1", hidden=2, max_steps=12, measures=measures) as fitness:
        genomes = np.random.default_rng(5).normal(size=(12, fitness.architecture.genome_size))
        whole = fitness(genomes, SEEDS)
        raced = Race(round=2).run(fitness, genomes, SEEDS, None, 2, ())
    ran = np.arange(len(SEEDS)) < raced.count[:, None]
    assert len(set(raced.count.tolist())) > 2
    assert whole.terminated[ran].any()
    assert not whole.terminated[ran].all()
    for name, left_out in (("returns", np.nan), ("lengths", 0), ("terminated", False), ("measures", np.nan)):
        found, expected = getattr(raced.results, name), getattr(whole, name)
        np.testing.assert_array_equal(found[ran], expected[ran])
        np.testing.assert_array_equal(found[~ran], np.full_like(expected[~ran], left_out))


def test_faults_are_in_the_order_of_individuals_whichever_round_they_fail_in():
    failing = {(1, 7), (3, 1), (0, 4)}

    def function(genomes, seeds):
        named = [(int(name), int(seed - SEEDS[0])) for name in genomes[:, 1] for seed in seeds]
        return np.array([np.nan if each in failing else 1.0 for each in named]).reshape(len(genomes), len(seeds))

    raced = Race().run(fitness_of(function), field(np.zeros(4)), SEEDS, None, 4, ())
    assert [(fault.individual, fault.episode) for fault in raced.results.faults] == sorted(failing)


def test_a_fault_is_that_of_its_individual_where_others_were_dropped_before():
    def failing(genomes, episode_seeds):
        worth = genomes[:, :1] + np.random.default_rng(episode_seeds).normal(size=(len(genomes), len(episode_seeds)))
        return np.where((genomes[:, :1] == 51) & (episode_seeds == SEEDS[7]), np.nan, worth)

    raced = Race(round=3).run(fitness_of(failing), field([-90, 50, -80, 51, 50]), SEEDS, None, 2, ())
    assert raced.count.tolist()[:3:2] == [3, 3]
    assert [(fault.individual, fault.episode) for fault in raced.results.faults] == [(3, 7)]
    assert raced.fitness()[3] == -np.inf


ODD, EVEN = 7, 8
MUS = {
    "genetic_algorithm": (3, 4),
    "cma_es": (3, 4),
    "separable_cma_es": (3, 4),
    "xnes": (4, 4),
    "snes": (4, 4),
    "random_search": (1, 1),
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_says_how_many_of_the_fittest_a_race_must_find_or_nothing(name):
    of_snes = functools.partial(SNES, population_size=EVEN)
    if name in {"restarts", "growing", "islands", "relay"}:
        more = {"islands": {"migrants": 0}, "relay": {"then": of_snes, "generations": 1}}
        algorithm = ALGORITHMS[name](ARCHITECTURE, of_snes, **more.get(name, {}))
        assert getattr(algorithm, "mu", None) == (None if name == "islands" else 5)
        return
    if name not in MUS:
        assert getattr(ALGORITHMS[name], "mu", None) is None
        return
    for size, mu in zip((ODD, EVEN), MUS[name], strict=True):
        own = {"evaluate_mean": False} if name in {"cma_es", "separable_cma_es", "xnes", "snes"} else {}
        assert ALGORITHMS[name](ARCHITECTURE, population_size=size, **own).mu == mu
        if own:  # the mean is no sample, and may be among the fittest
            assert ALGORITHMS[name](ARCHITECTURE, population_size=size).mu == mu + 1


@pytest.mark.parametrize("size", [ODD, EVEN])
@pytest.mark.parametrize("name", ["snes", "xnes"])
def test_the_order_of_those_beyond_mu_is_nothing_to_a_natural_evolution_strategy(name, size):
    def mean_after(order):
        strategy = ALGORITHMS[name](ARCHITECTURE, population_size=size, seed=3)
        strategy.ask()
        strategy.tell(np.append(-np.asarray(order, float), 1.0))  # the mean is the fittest
        return strategy.mean, strategy.mu - 1

    order = np.arange(size)
    expected, mu = mean_after(order)
    beyond = np.concatenate([order[:mu], order[mu:][::-1]])
    np.testing.assert_allclose(mean_after(beyond)[0], expected, atol=1e-12)
    order[[mu - 1, mu]] = order[[mu, mu - 1]]
    assert np.abs(mean_after(order)[0] - expected).max() > 1e-3


@pytest.mark.parametrize("name", ["cma_es", "separable_cma_es"])
def test_cma_es_has_positive_weights_for_mu(name):
    for size in (ODD, EVEN):
        strategy = ALGORITHMS[name](ARCHITECTURE, population_size=size, evaluate_mean=False)
        assert np.count_nonzero(strategy._optimiser._weights > 0) == strategy.mu


CUTS = [
    ({"replacement": Plus(0.5)}, 10),
    ({"replacement": Comma(0.25)}, 5),
    ({"replacement": Comma(0.05)}, 3),
    ({"replacement": SteadyState(4)}, 16),
    ({"replacement": SteadyState(4, "oldest")}, 3),
    ({"replacement": SteadyState(4, "random")}, 3),
    ({"selection": Truncation(0.4)}, 8),
    ({"selection": Truncation(0.4), "replacement": Plus(0.5)}, 10),
    ({"selection": Truncation(Linear(0.4, 0.2, 10))}, 8),
    ({"elites": 0}, 1),
    ({"elites": Linear(2, 6, 10)}, 6),
]


@pytest.mark.parametrize(("settings", "mu"), CUTS)
def test_a_genetic_algorithm_must_find_those_that_survive_or_breed_by_rank_alone(settings, mu):
    assert GeneticAlgorithm(ARCHITECTURE, **({"population_size": 20, "elites": 3} | settings)).mu == mu


@pytest.mark.parametrize("operator", [Plus(0.3), Comma(0.3), SteadyState(4)])
def test_the_order_of_those_beyond_its_cut_is_nothing_to_a_replacement(operator):
    def rows(fitness):
        return [
            None if each is None else sorted(each.tolist())
            for each in operator(np.random.default_rng(1), fitness, np.arange(20), 2)
        ]

    fitness, cut = np.arange(20.0)[::-1], operator.num_by_rank(20)
    beyond = np.concatenate([fitness[:cut], fitness[cut:][::-1]])
    assert rows(beyond) == rows(fitness)
    fitness[[cut - 1, cut]] = fitness[[cut, cut - 1]]
    assert rows(fitness) != rows(beyond)


@pytest.mark.parametrize(("mu", "rule"), [(0, "at least 1, got 0"), (2.5, "a whole number, got 2.5")])
def test_an_own_algorithm_whose_mu_is_no_number_of_individuals_is_refused(mu, rule):
    class Own(RandomSearch):
        pass

    Own.mu = mu
    with pytest.raises(ValueError, match=rf"^Own\.mu must be {rule}$"):
        evolve(Own(ARCHITECTURE), fitness_of(), race=Race())


def test_restarts_race_for_the_algorithm_that_runs_now():
    restarts = Restarts(ARCHITECTURE, functools.partial(SNES, population_size=6, evaluate_mean=False), stagnation=1)
    mus, ran = [], []
    for generation in evolve(restarts, fitness_of(), race=Race()):
        mus.append(restarts.mu)
        lengths = np.isfinite(generation.results.returns).sum(axis=1)
        ran.append(np.count_nonzero(lengths == 10))
        if generation.number == 9:
            break
    assert mus[0] == 3
    assert mus[-1] > 3
    assert all(whole >= mu for whole, mu in zip(ran, mus, strict=True))
    for algorithm in (DifferentialEvolution, GeneticAlgorithm):
        inner = functools.partial(algorithm, population_size=6)
        search = Restarts(ARCHITECTURE, inner)
        if algorithm is DifferentialEvolution:
            with pytest.raises(ValueError, match=r"or restarts, growing and relay of these\), got Restarts"):
                evolve(search, fitness_of(), race=Race())
        else:
            next(evolve(search, fitness_of(), race=Race()))


def test_who_is_dropped_enters_no_archive():
    def measured(genomes, episode_seeds):
        return noisy(genomes, episode_seeds), np.repeat(genomes[:, :1, None], len(episode_seeds), axis=1)

    fitness = FunctionFitness(measured, ARCHITECTURE, episodes=10, measures=["gene"])
    archive = GridArchive({"gene": (-3, 3)}, cells=[30])
    algorithm = RandomSearch(ARCHITECTURE, population_size=40, seed=2)
    generation = next(evolve(algorithm, fitness, race=Race(), archive=archive))
    ran = np.isfinite(generation.results.returns).all(axis=1)
    assert 1 <= np.count_nonzero(ran) < 40
    assert set(archive.elites.ids.tolist()) <= set(np.flatnonzero(ran).tolist())


def test_a_function_of_one_return_for_all_episodes_cannot_race():
    fitness = fitness_of(lambda genomes, seeds: noisy(genomes, seeds).mean(axis=1))
    with pytest.raises(FitnessFunctionFailed, match="a race needs a return of each episode, got one return for all"):
        next(evolve(RandomSearch(ARCHITECTURE), fitness, race=Race()))


class LosingPool:
    """A pool that loses each chunk with the sixth episode, as if its worker had died."""

    workers = 2

    def __init__(self, task):
        self._engine, self._waiting = InProcess(task, "gymnasium"), []
        self.submit, self.abandon, self.close = self._waiting.append, self._waiting.clear, lambda: None

    def next_done(self):
        chunk = self._waiting.pop()
        if SEEDS[5] in chunk.seeds:
            return chunk, ChunkResult(failure=ChunkFailure("died", "no more"))
        (results,) = self._engine.evaluate(chunk.genomes, chunk.individuals, chunk.seeds, chunk.normaliser)
        return chunk, ChunkResult(results, 0.001, "gymnasium")


def mortal(**policy):
    """A fitness whose sixth episode is fatal, and 20 genomes of which eight have a chance to come to it."""
    fitness = EpisodeReturn("Pendulum-v1", hidden=0, max_steps=2)
    pool = LosingPool(fitness.task)
    fitness._executor = PooledExecutor(fitness.task, "gymnasium", FaultPolicy(retries=0, **policy), pool)
    genomes = np.zeros((20, fitness.architecture.genome_size))
    genomes[:, -1] = np.where(np.arange(20) % 5 < 2, 0.0, 50.0)  # torque, which costs
    return fitness, genomes


def test_a_share_of_failures_is_that_of_the_whole_generation():
    fitness, genomes = mortal(max_share=0.5)
    raced = Race(round=4, confidence=0.6).run(fitness, genomes, SEEDS, None, 8, ())
    good = [row for row in range(20) if row % 5 < 2]
    assert [(fault.individual, fault.episode) for fault in raced.results.faults] == [(row, 5) for row in good]
    assert raced.count.tolist() == [8 if row in good else 4 for row in range(20)]


@pytest.mark.parametrize("on_fault", ["penalise", "stop"])
def test_a_race_that_faults_end_tells_individuals_and_episodes_of_the_generation(on_fault):
    fitness, genomes = mortal(max_share=0.2, on_fault=on_fault)
    if on_fault == "penalise":
        genomes[19] = np.nan  # which fails in the first round
    with pytest.raises(TooManyFaults, match=" of 20 individuals failed") as stopped:
        Race(round=4, confidence=0.6).run(fitness, genomes, SEEDS, None, 8, ())
    faults = stopped.value.faults
    first, later = ([fault for fault in faults if (fault.individual == 19) == of_19] for of_19 in (True, False))
    assert [fault.episode for fault in first] == ([0, 1, 2, 3] if on_fault == "penalise" else [])
    assert {fault.episode for fault in later} == {5}
    assert {fault.individual % 5 for fault in later} <= {0, 1}
    assert any(fault.individual > 7 for fault in later) or on_fault == "stop"


def test_a_fitness_with_a_way_of_its_own_races_in_that_way():
    class Doubled(EpisodeReturn):
        def __call__(self, genomes, episode_seeds, normaliser=None):
            results = super().__call__(genomes, episode_seeds, normaliser)
            return replace(results, returns=2 * results.returns)

    with Doubled("CartPole-v1", hidden=2, max_steps=20) as fitness:
        genomes = np.random.default_rng(1).normal(size=(8, fitness.architecture.genome_size))
        raced = Race().run(fitness, genomes, SEEDS, None, 1, ())
        whole = fitness(genomes, SEEDS).returns
    ran = np.isfinite(raced.results.returns)
    np.testing.assert_array_equal(raced.results.returns[ran], whole[ran])


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


@pytest.mark.parametrize(
    "algorithm",
    [
        "{type: genetic_algorithm, population_size: 12, elites: 2}",
        "{type: restarts, stagnation: 1, algorithm: {type: snes, population_size: 11}}",
    ],
)
def test_workers_engines_and_stops_change_no_byte_of_a_race(algorithm, tmp_path):
    text = RACED.replace("WORKERS", "1").replace("{type: genetic_algorithm, population_size: 12, elites: 2}", algorithm)
    whole = run_whole(tmp_path, text)
    spent = [json.loads(line)["raced_episodes"] for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert min(spent[:3]) < 7 * 12
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
        (["algorithm={type: islands, algorithm: genetic_algorithm}"], r"evaluation.race: a race needs .* got Islands$"),
        (["algorithm={type: restarts, algorithm: ars}"], r"evaluation.race: a race needs .* got Restarts$"),
        (["evaluation.aggregation=median"], "evaluation.race: a race needs a fitness that is the mean"),
        (["evaluation.race.round=7"], r"evaluation.race: a race needs more episodes than a round has \(7\), got 7"),
        (["evaluation.race.confidence=0.4"], "evaluation.race.confidence must be greater than 0.5, got 0.4"),
    ],
)
def test_a_config_that_cannot_race_is_an_error_at_its_line(settings, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        run(config_for(tmp_path, RACED.replace("WORKERS", "1"), *settings), tmp_path / "run")
