"""Fitness sharing and species."""

import math

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.crossover import UniformCrossover
from evonet.operators.mutation import Gaussian
from evonet.operators.niching import NICHINGS, FitnessSharing, NoNiching, Speciation, distances
from evonet.operators.parents import Parents
from evonet.operators.selection import EpsilonLexicase, Roulette, Tournament

ARCHITECTURE = Architecture(1, 1, 1, bias=False)  # two genes


def applied(niching, genomes, fitness, count):
    """Rows that a niching chooses, and what it asks of the selection, which takes each parent in turn."""
    calls = []

    def selection(rng, parents, count):
        calls.append((parents, count))
        return np.resize(np.arange(len(parents)), count)

    return niching(np.random.default_rng(0), Parents(ARCHITECTURE, genomes, fitness), count, selection), calls


def test_distances_are_root_mean_squares_and_zero_between_equals():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(5, 7)), rng.normal(size=(4, 7))
    expected = [[math.sqrt(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / 7) for y in second] for x in first]
    assert distances(first, second) == pytest.approx(np.array(expected))
    assert not distances(first, first).diagonal().any()
    assert not distances(1e6 + first[:1], 1e6 + first[:1]).any()
    assert np.isinf(distances(np.full((1, 3), 1e200), np.zeros((1, 3)))).all()


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_the_lead_is_shared_as_the_paper_has_it(alpha):
    genomes = np.array([[0.0, 0.0], [0.1, 0.1], [0.2, -0.2], [3.0, 3.0]])
    fitness = np.array([4.0, 3.0, 1.0, 2.0])
    [_, [(parents, count)]] = applied(FitnessSharing(0.5, alpha), genomes, fitness, 3)
    for i in range(4):
        crowd = 0.0
        for j in range(4):
            distance = math.dist(genomes[i], genomes[j]) / math.sqrt(2)
            crowd += 1 - (distance / 0.5) ** alpha if distance < 0.5 else 0.0
        assert parents.fitness[i] * 3.0 == pytest.approx((fitness[i] - 1.0) / crowd)  # of the greatest lead, 3
    assert count == 6


def test_species_gather_around_the_fittest():
    genomes = np.array([[0.0, 0], [0.3, 0], [5, 5], [5.2, 5], [0.5, 0.5], [9, 9]])
    fitness = np.array([1.0, 5, 3, 4, 2, 0])
    assert Speciation(1.0).species(genomes, fitness).tolist() == [0, 0, 1, 1, 0, 2]
    assert Speciation(1.0, most=2).species(genomes, fitness).tolist() == [0, 0, 1, 1, 0, 1]
    assert Speciation(1e-9, most=100).species(genomes, fitness).tolist() == [4, 0, 2, 1, 3, 5]


def test_each_species_has_children_by_its_mean_and_mates_within():
    genomes = np.array([[0.0, 0], [0.1, 0], [0.2, 0], [0.1, 0.1], [5, 5], [9, 9]])
    fitness = np.array([6.0, 6, 6, 6, 3, 0])
    rows, calls = applied(Speciation(1.0), genomes, fitness, 30)
    assert [(parents.genomes.tolist(), count) for parents, count in calls] == [
        (genomes[:4].tolist(), 40),
        (genomes[4:5].tolist(), 20),
    ]
    assert rows.shape == (60,)
    species = np.array([0, 0, 0, 0, 1, 2])[rows.reshape(-1, 2)]
    assert (species[:, 0] == species[:, 1]).all()


@pytest.mark.parametrize("count", [1, 7, 100])
def test_children_of_all_species_are_as_many_as_asked_for(count):
    rng = np.random.default_rng(count)
    for fitness in (rng.normal(size=30), np.zeros(30), 1e308 * rng.choice([-1.0, 1.0], 30)):
        rows, _ = applied(Speciation(0.5), rng.normal(size=(30, 2)), fitness, count)
        assert rows.shape == (2 * count,)


def two_hills(genomes):
    """Two equal hills."""
    left, right = ((genomes + 2) ** 2).sum(axis=1), ((genomes - 2) ** 2).sum(axis=1)
    return np.maximum(np.exp(-left), np.exp(-right))


def hills_held(niching, seed):
    """On how many of the two hills the population stands after a while."""
    algorithm = GeneticAlgorithm(
        ARCHITECTURE, 60, 0, Roulette(), UniformCrossover(), Gaussian(0.05, 0.3), niching=niching, seed=seed
    )
    for _ in range(60):
        algorithm.tell(two_hills(algorithm.ask()))
    best = two_hills(algorithm.ask()) > 0.5
    side = algorithm.ask().sum(axis=1) > 0
    return int((best & side).sum() >= 6) + int((best & ~side).sum() >= 6)


@pytest.mark.parametrize("niching", [FitnessSharing(1.0), Speciation(1.0)], ids=str)
def test_with_niching_both_of_two_equal_hills_are_held_without_it_one_is_lost(niching):
    seeds = range(6)
    assert sum(hills_held(niching, seed) for seed in seeds) >= 10
    assert sum(hills_held(NoNiching(), seed) for seed in seeds) <= 8


@pytest.mark.parametrize("kind", NICHINGS.values(), ids=NICHINGS)
def test_it_goes_on_from_a_state_and_copes_with_flat_fitness(kind):
    def make():
        return GeneticAlgorithm(ARCHITECTURE, 12, 2, niching=kind(), seed=2)

    for fitness in (two_hills, lambda genomes: np.zeros(len(genomes)), lambda genomes: np.full(len(genomes), np.nan)):
        original, other = make(), make()
        for _ in range(3):
            original.tell(fitness(original.ask()))
        other.restore(original.state())
        assert np.array_equal(other.ask(), original.ask())


def test_sharing_is_refused_where_it_could_not_be_seen():
    with pytest.raises(ValueError, match=r"^GeneticAlgorithm.niching must not be fitness sharing where the selection"):
        GeneticAlgorithm(ARCHITECTURE, selection=EpsilonLexicase(), niching=FitnessSharing())
    GeneticAlgorithm(ARCHITECTURE, selection=Tournament(), niching=FitnessSharing())
