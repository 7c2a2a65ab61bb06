"""Growing: the smallest network first, and more hidden neurons at each restart; those that are absent are 0."""

import functools

import numpy as np
import pytest

from evonet import Architecture, GeneticAlgorithm
from evonet.inspection.loaded_run import load_run
from evonet.operators.structure import Structure, neurons_of
from evonet.strategies import CMAES, SNES, Growing, RandomSearch
from evonet.strategies.algorithm import search_distribution
from evonet.strategies.saved_population import population_of
from evonet.testing.strategy import through_a_file
from tests.stopped_runs import EAGER, SMALL, exact_files, go_on, run_stopped, run_whole

ELMAN = Architecture(2, 3, 1, recurrent=True)
SKIP = Architecture(2, 3, 1, skip=True)
GUESSING = functools.partial(RandomSearch, population_size=5)
RUN = f"""environment: {{id: CartPole-v1, max_steps: 40}}
network: {{hidden: 3, skip: true}}
{SMALL}
evaluation: {{workers: 1}}
""".replace(
    "algorithm: {population_size: 8, elites: 2}",
    "algorithm: {type: growing, stagnation: 1, flat: 2, algorithm: {type: snes, population_size: 4}}",
)


def hidden(algorithm, generations):
    """Hidden neurons in each of some generations, in none of which the fitness rises."""
    sizes = []
    for _ in range(generations):
        genomes = algorithm.ask()
        masks = algorithm.population.masks
        assert (genomes[~masks] == 0).all()
        assert (genomes[masks] != 0).all()
        (size,) = set(neurons_of(masks, algorithm.architecture).sum(axis=1).tolist())
        sizes.append(size)
        algorithm.tell(np.arange(len(genomes)) * 1.0)
    return sizes


def test_each_restart_adds_a_neuron_until_there_is_no_more():
    assert hidden(Growing(ELMAN, GUESSING, stagnation=1), 10) == [1, 1, 2, 2, 3, 3, 3, 3, 3, 3]


def test_with_skip_connections_the_first_network_is_linear():
    algorithm = Growing(SKIP, GUESSING, stagnation=1)
    assert hidden(algorithm, 4) == [0, 0, 1, 1]
    assert [block.any() for block in SKIP.views(Growing(SKIP, GUESSING).ask()).values()] == [False] * 3 + [True] * 2


def test_several_neurons_come_at_a_time_after_several_attempts():
    assert hidden(Growing(SKIP, GUESSING, neurons=2, attempts=2, stagnation=1), 12) == [0] * 4 + [2] * 4 + [3] * 4


def test_the_population_grows_with_the_network_where_its_size_follows_from_the_genome():
    pytest.importorskip("cmaes")
    algorithm = Growing(Architecture(4, 8, 2), functools.partial(CMAES, evaluate_mean=False), neurons=7, stagnation=1)
    sizes = []
    for _ in range(4):
        sizes.append(len(algorithm.ask()))
        algorithm.tell(np.zeros(sizes[-1]))
    assert sizes == [4 + int(3 * np.log(9))] * 2 + [4 + int(3 * np.log(8 * 7 + 2))] * 2


def test_the_neurons_are_those_of_the_smaller_network():
    small, whole = Architecture(2, 1, 1, recurrent=True), Growing(ELMAN, GUESSING, seed=4)
    genomes = GUESSING(small, seed=4).ask()
    for name, block in small.views(genomes).items():
        assert (ELMAN.views(whole.ask())[name][(..., *map(slice, block.shape[1:]))] == block).all()


def test_the_mean_of_a_smaller_network_is_measured_in_the_largest():
    algorithm = Growing(SKIP, functools.partial(SNES, spread=1.0), stagnation=1, flat=1)
    first, _ = search_distribution(algorithm)
    algorithm.tell(np.zeros(len(algorithm.ask())))
    algorithm.ask()
    mean, sigma = search_distribution(algorithm)
    assert np.count_nonzero(first) == 3
    assert np.count_nonzero(mean) == 3 + 4
    assert sigma == 0.5
    assert search_distribution(Growing(SKIP, GUESSING)) is None


def test_weak_weights_are_absent_and_the_others_come_nearer_to_0():
    raw = Growing(SKIP, GUESSING, seed=2).ask()
    algorithm = Growing(SKIP, GUESSING, threshold=0.5, seed=2)
    genomes, masks = algorithm.ask(), algorithm.population.masks
    by = 0.5 * np.sqrt((raw[:, -3:] ** 2).mean(axis=1, keepdims=True))  # of a linear network's three weights
    absent = np.abs(raw) <= by
    assert 0 < np.count_nonzero(~absent) < 15
    assert (masks == ~absent).all()
    assert (genomes[absent] == 0).all()
    assert np.allclose(genomes, np.where(absent, 0.0, raw - np.sign(raw) * by))


def test_the_first_network_may_be_a_larger_one():
    assert hidden(Growing(SKIP, GUESSING, start=2, stagnation=1), 6) == [2, 2, 3, 3, 3, 3]
    for start, shape in ((0, ELMAN), (4, SKIP)):
        with pytest.raises(ValueError, match=f"^Growing.start must be from . to 3 for .*, got {start}$"):
            Growing(shape, GUESSING, start=start)


def test_a_warm_start_searches_the_largest_network_from_there():
    genome = np.linspace(-1.0, 1.0, ELMAN.genome_size)
    for threshold in (0.0, 0.3):
        algorithm = Growing(ELMAN, functools.partial(SNES, sigma=1e-6), threshold=threshold, initial=genome)
        assert np.abs(algorithm.ask() - genome).max() < 1e-4
    algorithm = Growing(ELMAN, functools.partial(SNES, sigma=1e-6), initial=genome)
    assert np.abs(algorithm.ask() - genome).max() < 1e-4
    assert hidden(algorithm, 4) == [3] * 4


def test_a_warm_start_tunes_the_weights_of_a_structure_and_adds_no_connection():
    genome = np.linspace(-1.0, 1.0, SKIP.genome_size)
    genome[[1, 4, 6]] = 0.0
    algorithm = Growing(SKIP, SNES, stagnation=1, initial=genome)
    again = Growing(SKIP, SNES, stagnation=1)
    for _ in range(5):
        genomes = algorithm.ask()
        assert (algorithm.population.masks == (genome != 0)).all()
        assert (genomes[:, [1, 4, 6]] == 0).all()
        algorithm.tell(np.arange(len(genomes)) * 1.0)
    state = through_a_file(algorithm.state())
    assert (population_of(state, SKIP).genomes == algorithm.population.genomes).all()
    again.restore(state)
    assert (again.ask() == algorithm.ask()).all()


def test_masks_of_an_algorithm_within_are_kept():
    inner = functools.partial(GeneticAlgorithm, population_size=6, structure=Structure("full", density=0.5))
    algorithm = Growing(SKIP, inner, stagnation=1)
    algorithm.tell(np.zeros(len(algorithm.ask())))
    assert 0 < np.count_nonzero(algorithm.population.masks) < 6 * 3
    assert (algorithm.population.genomes[~algorithm.population.masks] == 0).all()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("growing"), RUN)


def test_the_metrics_of_a_run_tell_the_size(run):
    metrics = load_run(run).metrics
    assert metrics["hidden_neurons"].tolist() == sorted(metrics["hidden_neurons"])
    assert set(metrics["hidden_neurons"]) >= {0, 1}
    assert np.isfinite(metrics["mean_distance"]).all()


def test_stopped_and_resumed_it_ends_with_the_same_bytes(run, tmp_path):
    stopped = run_stopped(tmp_path, RUN, *EAGER, after=3)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(run)
