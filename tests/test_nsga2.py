"""NSGA-II: survivors by rank and crowding, objectives by name."""

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.nsga2 import NSGA2
from evonet.operators.structure import Structure
from evonet.pareto import crowded_order

ARCHITECTURE = Architecture(3, 2, 1)
BOTH = {"return": "maximise", "effort": "minimise"}


def made(**settings):
    return NSGA2(ARCHITECTURE, **{"population_size": 20, "objectives": BOTH, "seed": 3, **settings})


def measured(genomes):
    """Two aims between which no genome is best: small weights, and a sum near 3."""
    return -((genomes.sum(axis=1) - 3) ** 2), {"effort": (genomes**2).sum(axis=1)}


def generation(algorithm):
    fitness, measures = measured(algorithm.ask())
    algorithm.tell(fitness, measures=measures)


def test_the_half_that_lives_on_is_the_better_by_rank_and_crowding():
    algorithm = made(mutation={"type": "gaussian", "rate": 1.0})  # no child is a copy
    for _ in range(5):
        generation(algorithm)
        order = crowded_order(algorithm.values)
        best = algorithm.population.ids[np.argsort(-order, kind="stable")[:10]]
        algorithm.ask()
        assert np.array_equal(algorithm.population.ids[:10], best)


def test_the_front_spreads_between_the_objectives():
    algorithm = made(population_size=60)
    for _ in range(100):
        generation(algorithm)
    returns, effort = algorithm.values[algorithm.front].T * [[1], [-1]]
    assert len(np.unique(returns)) >= 30
    assert returns.max() > -0.01
    assert effort.min() < 0.2
    assert np.array_equal(np.argsort(returns, kind="stable"), np.argsort(effort, kind="stable"))


def test_population_fitness_stays_the_return():
    algorithm = made()
    fitness, measures = measured(algorithm.ask())
    algorithm.tell(fitness, measures=measures)
    assert np.array_equal(algorithm.population.fitness, fitness)


def test_the_hypervolume_counts_from_the_worst_of_the_first_generation_and_grows():
    algorithm = made()
    generation(algorithm)
    assert np.array_equal(algorithm.reference, algorithm.values.min(axis=0))
    first, reference = algorithm.hypervolume, algorithm.reference
    for _ in range(20):
        generation(algorithm)
    assert algorithm.reference is reference
    assert algorithm.hypervolume > first > 0


def test_an_individual_that_could_not_be_scored_is_never_on_the_front():
    algorithm = made()
    fitness, measures = measured(algorithm.ask())
    fitness[4] = np.nan
    measures["effort"][5] = np.inf
    algorithm.tell(fitness, measures=measures)
    assert not algorithm.front[[4, 5]].any()
    assert algorithm.population.fitness[4] == -np.inf
    algorithm.ask()
    assert not {4, 5} & set(algorithm.population.ids.tolist())


def test_a_copy_does_not_take_a_place_from_what_is_no_copy():
    algorithm = made(population_size=8)
    genomes = algorithm.ask()
    genomes[1:4] = genomes[0]
    algorithm.tell(np.zeros(8), measures=np.where(np.arange(8)[:, None] < 4, 10.0, np.arange(8)[:, None]) * [1, -1])
    algorithm.ask()
    assert set(algorithm.population.ids[:4].tolist()) & {1, 2, 3} == set()


@pytest.mark.parametrize("asked", [False, True])
def test_a_restored_algorithm_goes_on_bit_for_bit(asked):
    whole, resumed = made(), made()
    for _ in range(4):
        generation(whole)
    if asked:
        whole.ask()
    resumed.restore(whole.state())
    assert resumed.hypervolume == whole.hypervolume
    for _ in range(3):
        generation(whole)
        generation(resumed)
    assert np.array_equal(whole.ask(), resumed.ask())


def test_the_objectives_may_be_an_array():
    named, plain = made(), made()
    for _ in range(3):
        fitness, measures = measured(named.ask())
        named.tell(fitness, measures=measures)
        plain.ask()
        plain.tell(np.zeros(20), measures=np.column_stack([fitness, measures["effort"]]))
    assert np.array_equal(named.ask(), plain.ask())


def test_the_number_of_connections_is_an_objective_of_networks_that_grow():
    architecture = Architecture(3, 4, 1, skip=True)
    objectives = {"return": "maximise", "connections": "minimise"}
    algorithm = NSGA2(architecture, 20, objectives=objectives, structure=Structure(), seed=1)
    for _ in range(4):
        genomes = algorithm.ask()
        algorithm.tell(-(genomes**2).sum(axis=1))
        assert np.array_equal(-algorithm.values[:, 1], np.count_nonzero(algorithm.population.masks, axis=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objectives": {}}, "at least one objective"),
        ({"objectives": {"return": "up"}}, "return must be 'maximise' or 'minimise', got 'up'"),
        ({"objectives": {"connections": "minimise"}}, "where the structure does not evolve"),
        ({"structure": Structure(price=1.0)}, "must have the price 0, got 1.0"),
    ],
)
def test_objectives_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        made(**settings)


def test_a_missing_measure_is_named():
    algorithm = made()
    algorithm.ask()
    with pytest.raises(ValueError, match=r"NSGA2.tell must get the measure 'effort'; known: return"):
        algorithm.tell(np.zeros(20))
    with pytest.raises(ValueError, match=r"shape \(20, 2\), a column for each of return, effort, got \(20, 3\)"):
        algorithm.tell(np.zeros(20), measures=np.zeros((20, 3)))
    with pytest.raises(ValueError, match=r"fitness of shape \(20,\), got \(3,\)"):
        algorithm.tell(np.zeros(3))
