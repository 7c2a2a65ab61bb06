import functools

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.experiment.algorithms import ALGORITHMS
from evonet.strategies.random_search import RandomSearch
from evonet.strategies.restarts import Restarts
from evonet.testing.strategy import through_a_file

ARCHITECTURE = Architecture(2, 2, 1)
FACTORY = functools.partial(RandomSearch, population_size=10)


def sizes(algorithm, generations, fitness=lambda genomes, g: np.arange(len(genomes)) - float(g)):
    asked = []
    for g in range(generations):
        genomes = algorithm.ask()
        asked.append(len(genomes))
        algorithm.tell(fitness(genomes, g))
    return asked


def test_ipop_doubles_the_population_after_generations_without_a_better_one():
    assert sizes(Restarts(ARCHITECTURE, FACTORY, stagnation=3), 12) == [10] * 4 + [20] * 4 + [40] * 4


def test_growing_ends_where_it_is_told_to():
    grown = sizes(Restarts(ARCHITECTURE, FACTORY, factor=3, stagnation=1, max_population_size=60), 8)
    assert grown == [10, 10, 30, 30, 60, 60, 60, 60]


def test_a_flat_fitness_is_a_reason_too():
    grown = sizes(
        Restarts(ARCHITECTURE, FACTORY, stagnation=99, flat=2), 5, lambda genomes, g: np.full(len(genomes), g)
    )
    assert grown == [10, 10, 20, 20, 40]


def test_an_algorithm_that_has_converged_is_restarted():
    class Converged(RandomSearch):
        converged = True

    assert sizes(Restarts(ARCHITECTURE, functools.partial(Converged, population_size=10)), 3) == [10, 20, 40]


def test_as_long_as_it_gets_better_nothing_restarts():
    rising = sizes(Restarts(ARCHITECTURE, FACTORY, stagnation=1), 20, lambda genomes, g: np.arange(len(genomes)) + g)
    assert rising == [10] * 20


def test_bipop_spends_as_much_on_small_populations_as_on_large_ones():
    algorithm = Restarts(ARCHITECTURE, FACTORY, policy="bipop", stagnation=1)
    grown = sizes(algorithm, 120)
    large = sum(size for size in grown if size in (10, 20, 40, 80, 160, 320, 640, 1280))
    small = sum(grown) - large
    assert max(grown) >= 80
    assert 0.3 < small / large < 1.6
    assert min(grown) == 10


def test_each_restart_begins_elsewhere():
    algorithm = Restarts(ARCHITECTURE, FACTORY, factor=1.0, stagnation=1)
    starts = []
    for g in range(6):
        genomes = algorithm.ask()
        starts.append(genomes.tobytes())
        algorithm.tell(np.arange(10.0) - g)
    assert len(set(starts)) == 6


def test_a_class_is_not_made_but_called_and_a_number_is_refused():
    with pytest.raises(TypeError, match=r"^Restarts.algorithm must make an algorithm when called, got 3$"):
        Restarts(ARCHITECTURE, 3)


@pytest.mark.parametrize("kind", ["cma_es", "separable_cma_es", "xnes"])
def test_a_resumed_search_is_not_taken_for_converged(kind):
    """The package decides by its history of fitness, which must be in the state."""
    pytest.importorskip("cmaes")
    architecture = Architecture(1, 1, 1, bias=False)

    def make():
        inner = functools.partial(ALGORITHMS[kind], population_size=30)
        return Restarts(architecture, inner, stagnation=1000, flat=1000)

    whole, resumed = make(), make()
    sizes(whole, 20, lambda genomes, g: np.arange(len(genomes)) + float(g))
    resumed.restore(through_a_file(whole.state()))
    assert np.array_equal(resumed.ask(), whole.ask())
    assert resumed.restarts == whole.restarts == 0
