"""Refinement: a strategy tunes the weights that a network has; connections that do not exist stay absent."""

import functools

import numpy as np
import pytest

from evonet import Architecture, GeneticAlgorithm
from evonet.operators.mutation import Gaussian
from evonet.strategies import SNES, RandomSearch
from evonet.strategies.refinement import Refinement
from evonet.testing.strategy import through_a_file

SKIP = Architecture(2, 3, 1, skip=True)
ELMAN = Architecture(2, 3, 1, recurrent=True)
BREEDING = functools.partial(GeneticAlgorithm, population_size=6, mutation=Gaussian(rate=1.0))
FINE = functools.partial(SNES, sigma=0.01, population_size=6)


def sparse(architecture):
    """A genome in which each third connection is absent."""
    genome = np.linspace(0.5, 1.5, architecture.genome_size)
    genome[::3] = 0.0
    return genome


def evolved(algorithm, generations, goal=0.0):
    for _ in range(generations):
        genomes = algorithm.ask()
        algorithm.tell(-((genomes - goal) ** 2).sum(axis=1))
    return algorithm


@pytest.mark.parametrize("architecture", [SKIP, ELMAN])
@pytest.mark.parametrize("strategy", [FINE, BREEDING])
def test_absent_connections_stay_absent_and_all_others_are_tuned(architecture, strategy):
    genome = sparse(architecture)
    algorithm = evolved(Refinement(architecture, strategy, genome, seed=1), 30)
    genomes, masks = algorithm.ask(), algorithm.population.masks
    assert (masks == (genome != 0)).all()
    assert (genomes[~masks] == 0).all()
    assert (genomes != genome).any(axis=0)[genome != 0].all()


def test_it_begins_at_the_network_and_comes_nearer_to_the_goal():
    genome = sparse(SKIP)
    algorithm = Refinement(SKIP, FINE, genome)
    assert np.abs(algorithm.ask() - genome).max() < 0.1
    goal = np.where(genome != 0, genome + 0.2, 0.0)
    assert ((evolved(algorithm, 300, goal).ask() - goal) ** 2).sum(axis=1).min() < 0.01


def test_the_strategy_searches_as_many_genes_as_there_are_connections():
    pytest.importorskip("cmaes")
    from evonet.strategies import CMAES

    genome = np.zeros(SKIP.genome_size)
    genome[[1, 4]] = 1.0
    algorithm = Refinement(SKIP, functools.partial(CMAES, evaluate_mean=False), genome)
    assert len(algorithm.ask()) == 4 + int(3 * np.log(2))
    assert algorithm.uses_linear_algebra


def test_the_network_is_the_parent_of_all_and_ids_count_on():
    algorithm = evolved(Refinement(SKIP, FINE, sparse(SKIP), first_id=100, parent=7), 1)
    first = algorithm.population
    algorithm.ask()
    assert first.ids.tolist() + algorithm.population.ids.tolist() == list(range(100, 100 + 2 * len(first)))
    assert first.parents[:, 0].tolist() == [7] * len(first)
    assert first.operators_of(0) == ("refinement",)
    assert first.fitness.shape == (len(first),)


def test_saved_and_restored_it_goes_on_with_the_same_bits():
    def make():
        return Refinement(SKIP, FINE, sparse(SKIP), first_id=5, seed=3)

    algorithm = evolved(make(), 3)
    again = make()
    again.restore(through_a_file(algorithm.state()))
    assert (evolved(algorithm, 2).ask() == evolved(again, 2).ask()).all()
    assert (algorithm.population.ids == again.population.ids).all()


def test_other_seeds_try_other_weights():
    first, second = (Refinement(SKIP, FINE, sparse(SKIP), seed=seed).ask() for seed in (1, 2))
    assert (first != second).any()


def test_a_network_without_connections_is_refused():
    with pytest.raises(ValueError, match=r"^Refinement\.initial must be a network with connections, got one"):
        Refinement(SKIP, RandomSearch, np.zeros(SKIP.genome_size))
