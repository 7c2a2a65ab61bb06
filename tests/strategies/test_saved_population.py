"""Every algorithm's saved state tells who its population is: no one else knows how a state is laid out."""

import functools
import json

import numpy as np
import pytest

from evonet import Architecture
from evonet.experiment.algorithms import ALGORITHMS
from evonet.strategies.saved_population import population_of
from tests.archived import ARCHIVED

pytest.importorskip("cmaes")

ARCHITECTURE = Architecture(2, 3, 1)
GA = functools.partial(ALGORITHMS["genetic_algorithm"], population_size=8, elites=1)
SNES = functools.partial(ALGORITHMS["snes"], population_size=6)
RESTARTS = functools.partial(ALGORITHMS["restarts"], algorithm=SNES, stagnation=2)
REST = {
    "restarts": {"algorithm": SNES, "stagnation": 2},
    "relay": {"algorithm": SNES, "then": GA, "generations": 3},
    "growing": {"algorithm": SNES, "stagnation": 2, "threshold": 0.2},
    "islands": {"algorithm": GA, "interval": 2, "migrants": 1},
    "novelty_search": {"algorithm": GA, "measures": ["x"]},
}
MADE = {name: functools.partial(ALGORITHMS[name], **REST.get(name, {})) for name in sorted(set(ALGORITHMS) - ARCHIVED)}
MADE["islands of restarts"] = functools.partial(ALGORITHMS["islands"], algorithm=RESTARTS, islands=2, migrants=0)
MADE["restarts of islands"] = functools.partial(
    ALGORITHMS["restarts"],
    algorithm=lambda architecture, seed, population_size=8: with_size(
        ALGORITHMS["islands"](architecture, GA, islands=2, migrants=0, seed=seed), population_size
    ),
    stagnation=2,
)


def with_size(algorithm, population_size):
    algorithm.population_size = population_size
    return algorithm


@pytest.mark.parametrize("name", MADE)
def test_a_state_tells_genomes_ids_and_fitness(name):
    algorithm = MADE[name](architecture=ARCHITECTURE, seed=3)
    rng = np.random.default_rng(0)
    for _ in range(7):
        fitness, archive = rng.normal(size=len(algorithm.ask())), getattr(algorithm, "archive", None)
        given = {} if archive is None else {"measures": rng.normal(size=(len(fitness), len(archive.measure_names)))}
        algorithm.tell(fitness, **given)
        state, population = algorithm.state(), algorithm.population
        told = population_of(state, ARCHITECTURE)
        assert told.genomes.tobytes() == population.genomes.tobytes()
        assert told.ids.tolist() == population.ids.tolist()
        assert told.fitness.tolist() == population.fitness.tolist()


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"genomes": np.zeros((2, 3)), "ids": np.arange(2)},
        {"genomes": np.zeros((2, ARCHITECTURE.genome_size)), "ids": np.arange(3)},
        {"islands": {"1": {}}, "ids": np.arange(2)},
        {"islands": {}, "ids": np.arange(0)},
        {"first_id": "x", "algorithm": {"genomes": np.zeros((2, ARCHITECTURE.genome_size)), "ids": np.arange(2)}},
        {"first_id": 0, "algorithm": 7},
    ],
    ids=lambda state: json.dumps(state, default=lambda array: list(array.shape)),
)
def test_a_state_without_a_population_is_refused(state):
    with pytest.raises((KeyError, TypeError, ValueError)):
        population_of(state, ARCHITECTURE)
