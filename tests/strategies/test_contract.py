"""What every algorithm that a config may name holds to, whoever wrote it."""

import functools
import io
import json

import numpy as np
import pytest

from evonet.experiment.algorithms import ALGORITHMS
from evonet.network import Architecture
from evonet.settings import argument_hints

pytest.importorskip("cmaes")

ARCHITECTURE = Architecture(3, 2, 1, "tanh", "identity")
REST = {"restarts": {"algorithm": functools.partial(ALGORITHMS["snes"])}}
ORDER_ONLY = sorted(set(ALGORITHMS) - {"ars", "cosyne"})  # these two weigh fitness itself, as their papers have it
LEARNING = sorted(set(ALGORITHMS) - {"random_search"})
NAMES = sorted(ALGORITHMS)


def make(name, seed=5, **settings):
    return ALGORITHMS[name](ARCHITECTURE, seed=seed, **REST.get(name, {}), **settings)


def sphere(genomes):
    return -((genomes - 0.7) ** 2).sum(axis=1)


def evolved(algorithm, generations, fitness=sphere):
    """The genomes asked for, generation by generation."""
    asked = []
    for _ in range(generations):
        genomes = algorithm.ask()
        asked.append(genomes.copy())
        algorithm.tell(fitness(genomes))
    return asked


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def through_a_file(state):
    """The state as a file would hold it: numbers and texts as JSON, arrays as NumPy has them."""
    if isinstance(state, dict):
        return {key: through_a_file(value) for key, value in state.items()}
    if isinstance(state, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, state, allow_pickle=False)
        buffer.seek(0)
        return np.load(buffer, allow_pickle=False)
    return json.loads(json.dumps(state))


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_genomes_and_shows_them_as_a_population(name):
    algorithm = make(name)
    genomes = algorithm.ask()
    assert genomes.dtype == np.float64
    assert genomes.ndim == 2
    assert genomes.shape[1] == ARCHITECTURE.genome_size
    assert np.isfinite(genomes).all()
    assert algorithm.population.genomes is genomes or np.array_equal(algorithm.population.genomes, genomes)
    assert algorithm.population.fitness is None
    algorithm.tell(sphere(genomes))
    assert np.array_equal(algorithm.population.fitness, sphere(genomes))


@pytest.mark.parametrize("name", NAMES)
def test_until_it_is_told_it_asks_for_the_same(name):
    algorithm = make(name)
    evolved(algorithm, 2)
    first = algorithm.ask().copy()
    assert np.array_equal(algorithm.ask(), first)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(name):
    assert same(evolved(make(name), 6), evolved(make(name), 6))
    assert not same(evolved(make(name), 2), evolved(make(name, seed=6), 2))


@pytest.mark.parametrize("asked", [False, True], ids=["told", "asked"])
@pytest.mark.parametrize("name", NAMES)
def test_it_goes_on_from_a_state_bit_for_bit(name, asked):
    whole = make(name)
    evolved(whole, 5)
    if asked:
        whole.ask()
    resumed = make(name)
    resumed.restore(through_a_file(whole.state()))
    assert np.array_equal(resumed.population.ids, whole.population.ids)
    assert same(evolved(resumed, 5), evolved(whole, 5))
    assert np.array_equal(resumed.population.ids, whole.population.ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_not_touched_by_what_comes_after(name):
    algorithm = make(name)
    evolved(algorithm, 3)
    resumed = make(name)
    state = through_a_file(algorithm.state())
    resumed.restore(state)
    expected = evolved(resumed, 3)
    again = make(name)
    again.restore(state)
    assert same(evolved(again, 3), expected)


@pytest.mark.parametrize("name", ORDER_ONLY)
def test_only_the_order_of_fitness_counts(name):
    """With distances that halve or double, for a sum of the same numbers in another order may differ by a bit."""
    plain = evolved(make(name), 5)
    assert same(plain, evolved(make(name), 5, lambda genomes: np.exp(sphere(genomes) / 8)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "fitness",
    [
        lambda genomes: np.zeros(len(genomes)),
        lambda genomes: np.full(len(genomes), -np.inf),
        lambda genomes: np.where(np.arange(len(genomes)) % 3 == 0, -np.inf, sphere(genomes)),
        lambda genomes: np.where(np.arange(len(genomes)) % 3 == 0, np.nan, 1e300 * sphere(genomes)),
    ],
    ids=["all alike", "none scored", "some not scored", "huge and NaN"],
)
def test_it_copes_with_fitness_that_teaches_little(name, fitness):
    with np.errstate(all="raise", under="ignore"):
        for genomes in evolved(make(name), 6, fitness):
            assert np.isfinite(genomes).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_could_not_be_scored_is_remembered_as_least(name):
    algorithm = make(name)
    fitness = sphere(algorithm.ask())
    fitness[1] = np.nan
    algorithm.tell(fitness)
    assert algorithm.population.fitness[1] == -np.inf


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_those_of_one_individual_only(name):
    algorithm, met = make(name), {}
    for _ in range(8):
        for number, genome in zip(algorithm.population.ids, algorithm.ask(), strict=False):
            assert met.setdefault(int(number), genome.tobytes()) == genome.tobytes() or name == "genetic_algorithm"
        ids = algorithm.population.ids
        assert len(np.unique(ids)) == len(ids)
        algorithm.tell(sphere(algorithm.population.genomes))


@pytest.mark.parametrize("name", NAMES)
def test_fitness_of_another_shape_is_refused(name):
    algorithm = make(name)
    n = len(algorithm.ask())
    with pytest.raises(ValueError, match=rf"tell must get fitness of shape \({n},\), got \({n + 1},\)$"):
        algorithm.tell(np.zeros(n + 1))


def steps_to(name, goal, seed):
    algorithm, evaluations = make(name, seed), 0
    while evaluations < 20_000:
        genomes = algorithm.ask()
        fitness = sphere(genomes)
        evaluations += len(genomes)
        if fitness.max() > goal:
            break
        algorithm.tell(fitness)
    return evaluations


@pytest.mark.parametrize("name", LEARNING)
def test_it_climbs_a_hill_where_guessing_does_not(name):
    """Eleven genes within 0.35 of the top, taken together; guessing would take some millions of evaluations."""
    assert np.median([steps_to(name, -0.12, seed) for seed in range(3)]) < 15_000


def test_guessing_does_not_climb():
    assert steps_to("random_search", -0.12, 1) >= 20_000


@pytest.mark.parametrize("name", NAMES)
def test_no_setting_is_without_its_rule(name):
    hints = argument_hints(ALGORITHMS[name])
    assert {"architecture", "seed"} <= set(hints)
