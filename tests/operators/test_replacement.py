"""Who lives on, and who breeds."""

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.crossover import NoCrossover
from evonet.operators.mutation import Gaussian
from evonet.operators.replacement import REPLACEMENTS, Comma, Generational, Plus, SteadyState
from evonet.operators.selection import EpsilonLexicase, RandomSelection

ARCHITECTURE = Architecture(3, 4, 2)
FITNESS = np.array([3.0, 9.0, 1.0, 7.0, 5.0, 8.0, 2.0, 6.0])
IDS = np.array([15, 3, 20, 7, 16, 5, 4, 6])


def replaced(replacement, elites=0, seed=0):
    survivors, breeders = replacement(np.random.default_rng(seed), FITNESS, IDS, elites)
    return survivors.tolist(), None if breeders is None else breeders.tolist()


@pytest.mark.parametrize(
    ("replacement", "elites", "survivors", "breeders"),
    [
        (Generational(), 0, [], None),
        (Generational(), 2, [1, 5], None),
        (Plus(0.5), 0, [1, 5, 3, 7], [1, 5, 3, 7]),
        (Plus(0.25), 3, [1, 5, 3], [1, 5, 3]),
        (Plus(0.01), 0, [1], [1]),
        (Plus(0.99), 0, [1, 5, 3, 7, 4, 0, 6], [1, 5, 3, 7, 4, 0, 6]),
        (Comma(0.25), 0, [], [1, 5]),
        (Comma(0.25), 1, [1], [1, 5]),
        (SteadyState(2), 0, [1, 5, 3, 7, 4, 0], None),
        (SteadyState(3, "oldest"), 0, [3, 7, 4, 0, 2], None),
        (SteadyState(3, "oldest"), 2, [1, 5, 4, 0, 2], None),
        (SteadyState(20), 2, [1, 5], None),
    ],
    ids=str,
)
def test_who_lives_on_and_who_breeds(replacement, elites, survivors, breeders):
    assert replaced(replacement, elites) == (survivors, breeders)


def test_random_victims_are_random_but_never_elites():
    survivors = [tuple(replaced(SteadyState(3, "random"), 2, seed)[0]) for seed in range(50)]
    assert len(set(survivors)) > 5
    assert all(set(kept) >= {1, 5} and len(kept) == 5 for kept in survivors)
    assert set.union(*map(set, survivors)) == set(range(8))


@pytest.mark.parametrize("kind", REPLACEMENTS.values(), ids=REPLACEMENTS)
@pytest.mark.parametrize("elites", [0, 3])
def test_the_population_keeps_its_size_and_goes_on_from_a_state(kind, elites):
    def make():
        return GeneticAlgorithm(ARCHITECTURE, 12, elites, replacement=kind(), seed=2)

    original, other, known = make(), make(), {}
    for _ in range(6):
        genomes = original.ask()
        assert len(genomes) == 12
        for number, genome in zip(original.population.ids, genomes, strict=True):
            assert known.setdefault(int(number), genome.tobytes()) == genome.tobytes()
        original.tell(genomes.sum(axis=1))
        other.restore(original.state())
        assert np.array_equal(other.ask(), original.ask())


@pytest.mark.parametrize("replacement", [Plus(0.25), Comma(0.25)], ids=str)
def test_only_the_fittest_have_children_whatever_the_selection(replacement):
    algorithm = GeneticAlgorithm(ARCHITECTURE, 40, 0, RandomSelection(), NoCrossover(), Gaussian(), replacement)
    algorithm.ask()
    algorithm.tell(np.arange(40.0))
    algorithm.ask()
    born = algorithm.population.ids >= 40
    assert set(algorithm.population.parents[born, 0].tolist()) == set(range(30, 40))
    assert born.sum() == (30 if isinstance(replacement, Plus) else 40)


def test_a_selection_by_returns_reads_those_of_the_breeders():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 40, 0, EpsilonLexicase(), NoCrossover(), Gaussian(), Comma(0.25))
    algorithm.ask()
    returns = np.stack([np.arange(40.0), np.zeros(40)], axis=1)
    returns[3, 1] = returns[33, 1] = 5.0  # the first of them may not breed
    algorithm.tell(np.arange(40.0), returns=returns)
    algorithm.ask()
    parents = set(algorithm.population.parents[:, 0].tolist())
    assert 33 in parents
    assert parents <= set(range(30, 40))
