"""Novelty search: novelty by hand, the archive's threshold, what the algorithm within is told, and resumed runs."""

import functools

import numpy as np
import pytest

from evonet import Architecture, GeneticAlgorithm
from evonet.pareto import crowded_order
from evonet.strategies import NoveltySearch
from evonet.strategies.algorithm import search_distribution
from evonet.testing.strategy import through_a_file

ARCHITECTURE = Architecture(1, 1, 1, bias=False)
FACTORY = functools.partial(GeneticAlgorithm, population_size=6, elites=1)
POINTS = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0], [9.0, 4.0], [0.0, 1.0], [0.0, 0.0]])
NOVELTY = [(0 + 1) / 2, (3 + 3) / 2, (4 + np.hypot(3, 3)) / 2, (6 + np.hypot(6, 4)) / 2, (1 + 1) / 2, (0 + 1) / 2]


class Told(GeneticAlgorithm):
    """A genetic algorithm that keeps what it was told."""

    def tell(self, fitness, **more):
        self.told = np.array(fitness)
        super().tell(fitness, **more)


def search(points=POINTS, fitness=None, **settings):
    """A search that was told once."""
    algorithm = NoveltySearch(
        ARCHITECTURE, functools.partial(Told, population_size=6), **{"measures": ["x", "y"], "neighbours": 2} | settings
    )
    algorithm.ask()
    algorithm.tell(np.arange(6.0) if fitness is None else fitness, measures=points)
    return algorithm


def test_novelty_is_the_mean_distance_to_the_nearest_others_and_is_what_the_algorithm_is_told():
    algorithm = search()
    assert algorithm.novelty == pytest.approx(NOVELTY)
    assert algorithm.running.told.tolist() == algorithm.novelty.tolist()
    assert algorithm.population.fitness.tolist() == list(range(6))


def test_the_first_threshold_is_the_mean_novelty_and_what_is_as_novel_enters_the_archive():
    algorithm = search(most_new=6)
    assert algorithm.archive.threshold == pytest.approx(np.mean(NOVELTY))
    assert algorithm.archive.elites.measures.tolist() == POINTS[np.array(NOVELTY) >= np.mean(NOVELTY)].tolist()
    assert algorithm.archive.elites.ids.tolist() == [1, 2, 3]
    assert search(threshold=4.0).archive.elites.ids.tolist() == [2, 3]
    assert search(threshold=4.0, most_new=1).archive.threshold == pytest.approx(4.8)


def test_what_was_found_before_is_no_longer_novel():
    algorithm = search(threshold=1e-9, neighbours=1)
    algorithm.ask()
    algorithm.tell(np.zeros(6), measures=POINTS + np.array([0.0, 0.25]))
    assert algorithm.novelty == pytest.approx([0.0, 0.25, 0.25, 0.25, 0.25, 0.0])


def test_ranks_of_fitness_are_weighed_against_those_of_novelty():
    novel = np.array([0.5, 3, 4, 5, 2, 0.5])  # ranks of NOVELTY
    assert search(fitness_weight=0.25).running.told == pytest.approx(0.75 * novel + 0.25 * np.arange(6))
    assert search(fitness_weight=1.0).running.told.tolist() == list(range(6))


def test_local_competition_counts_the_neighbours_that_are_less_fit():
    fitness = np.array([5.0, 1.0, 2.0, 3.0, 4.0, 0.0])
    algorithm = search(fitness=fitness, local_competition=True)
    # The nearest two of each: 0: 5, 4; 1: 0, 5; 2: 1, 0 or 4 or 5 … at 5, √18 is nearer: 4; 3: 2, 1; 4: 0, 5; 5: 0, 4.
    shares = [1, 1 / 2, 1 / 2, 1, 1 / 2, 0]
    assert algorithm.running.told.tolist() == crowded_order(np.column_stack([algorithm.novelty, shares])).tolist()


def test_an_individual_that_could_not_be_scored_ranks_last_and_is_nobody_s_neighbour():
    points, fitness = POINTS.copy(), np.arange(6.0)
    points[1], fitness[4] = np.nan, np.inf
    algorithm = search(points, fitness)
    assert algorithm.novelty[[1, 4]].tolist() == [-np.inf, -np.inf]
    assert algorithm.running.population.fitness[[1, 4]].tolist() == [-np.inf, -np.inf]
    assert algorithm.population.fitness.tolist() == [0, 1, 2, 3, -np.inf, 5]
    assert algorithm.novelty[0] == pytest.approx((0 + 5) / 2)
    assert not {1, 4} & set(algorithm.archive.elites.ids)


def test_where_none_could_be_scored_nothing_is_learned():
    algorithm = search(fitness=np.full(6, np.nan))
    assert len(algorithm.archive) == 0
    assert np.isfinite(algorithm.ask()).all()


def test_it_finds_more_than_its_algorithm_alone():
    """On a plane where fitness leads nowhere, the share of ten by ten squares that are visited."""

    def visited(make):
        algorithm, places = make(Architecture(1, 2, 1), seed=3), set()
        for _ in range(30):
            genomes = algorithm.ask()
            points = np.tanh(genomes[:, :2] / 4)
            places |= {tuple(place) for place in np.floor(points * 5).astype(int)}
            given = {"measures": points} if isinstance(algorithm, NoveltySearch) else {}
            algorithm.tell(np.zeros(len(genomes)), **given)
        return len(places)

    inner = functools.partial(GeneticAlgorithm, population_size=50)
    assert visited(functools.partial(NoveltySearch, algorithm=inner, measures=["x", "y"])) > 1.5 * visited(inner)


@pytest.mark.parametrize("settings", [{}, {"fitness_weight": 0.5}, {"local_competition": True}])
def test_stopped_at_any_moment_and_resumed_it_ends_in_the_same_bits(settings):
    def step(algorithm, told):
        genomes = algorithm.ask()
        if told:
            algorithm.tell(-np.square(genomes).sum(axis=1), measures=np.tanh(genomes[:, :2]))

    make = functools.partial(NoveltySearch, ARCHITECTURE, FACTORY, ["x", "y"], neighbours=3, seed=5, **settings)
    whole, resumed, rng = make(), make(), np.random.default_rng(0)
    for _ in range(40):
        told = rng.random() < 0.8
        for algorithm in (whole, resumed):
            step(algorithm, told)
        if rng.random() < 0.5:
            state, resumed = through_a_file(resumed.state()), make()
            resumed.restore(state)
    assert resumed.ask().tobytes() == whole.ask().tobytes()
    assert resumed.archive.elites.measures.tobytes() == whole.archive.elites.measures.tobytes()
    assert resumed.archive.threshold == whole.archive.threshold


def test_a_mean_and_a_step_size_are_those_of_the_algorithm_within():
    pytest.importorskip("cmaes")
    from evonet.strategies import CMAES

    algorithm = NoveltySearch(ARCHITECTURE, CMAES, ["x"])
    genomes = algorithm.ask()
    algorithm.tell(np.zeros(len(genomes)), measures={"x": genomes[:, 0], "return": np.zeros(len(genomes))})
    assert search_distribution(algorithm)[1] == search_distribution(algorithm.running)[1]
    assert algorithm.uses_linear_algebra


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"neighbours": 0}, ValueError, "NoveltySearch.neighbours must be at least 1, got 0"),
        (
            {"fitness_weight": 0.5, "local_competition": True},
            ValueError,
            "NoveltySearch.fitness_weight must be 0 with local competition, which compares fitness itself, got 0.5",
        ),
        ({"algorithm": 3}, TypeError, "NoveltySearch.algorithm must make an algorithm when called, got 3"),
    ],
)
def test_a_wrong_setting_is_refused(settings, error, message):
    with pytest.raises(error) as refused:
        NoveltySearch(ARCHITECTURE, **{"algorithm": FACTORY, "measures": ["x"]} | settings)
    assert str(refused.value) == message


def test_a_measure_that_is_missing_is_named():
    algorithm = NoveltySearch(ARCHITECTURE, FACTORY, ["end_x"])
    n = len(algorithm.ask())
    with pytest.raises(ValueError, match=r"^NoveltySearch.tell must get the measure 'end_x'; did you mean 'endx'\?"):
        algorithm.tell(np.zeros(n), measures={"endx": np.zeros(n)})
