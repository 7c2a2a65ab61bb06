"""A population is one matrix, and its networks are windows onto the rows."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.architecture import Architecture
from evonet.network import NeuralNetwork
from evonet.population import NO_PARENT, Population

ARCHITECTURE = Architecture(3, 4, 2)
sizes = st.integers(1, 20)
architectures = st.builds(
    Architecture,
    sizes,
    sizes,
    sizes,
    st.sampled_from(["sigmoid", "tanh", "relu"]),
    st.sampled_from(["sigmoid", "identity"]),
    bias=st.booleans(),
    recurrent=st.booleans(),
)


def population_of(n: int, architecture: Architecture = ARCHITECTURE, seed: int = 0, **columns) -> Population:
    genomes = np.random.default_rng(seed).standard_normal((n, architecture.genome_size))
    return Population(architecture, genomes, **columns)


@given(architectures, st.integers(1, 40), st.integers(0, 2**32))
def test_predict_gives_each_network_the_bits_that_it_has_alone(architecture, n, seed):
    population = population_of(n, architecture, seed)
    alone = list(population)
    for step in np.random.default_rng(seed + 1).normal(size=(3, n, architecture.num_inputs)):
        together = population.predict(step)
        assert together.shape == (n, architecture.num_outputs)
        assert np.array_equal(together, [network.predict(row) for network, row in zip(alone, step, strict=True)])


@pytest.mark.parametrize("hidden", [1, 64, 257])
@pytest.mark.parametrize("inputs", [1, 100, 1025])
def test_bits_are_equal_for_large_networks_too(inputs, hidden):
    population = population_of(5, Architecture(inputs, hidden, 3, "tanh", "identity"))
    observations = np.random.default_rng(1).normal(size=(5, inputs))
    expected = [population[i].predict(observations[i]) for i in range(5)]
    assert np.array_equal(population.predict(observations), expected)
    assert np.array_equal(population[1:3].predict(observations[1:3]), expected[1:3])


def test_predict_follows_changes_of_the_genomes():
    population = population_of(4)
    observations = np.ones((4, 3))
    population.predict(observations)
    population.genomes[2] = 0.0
    assert population.predict(observations)[2].tolist() == [0.5, 0.5]
    population[1].genome[:] = 0.0
    assert population.predict(observations)[1].tolist() == [0.5, 0.5]
    genomes = population.genomes
    population.genomes = np.zeros((4, ARCHITECTURE.genome_size))
    assert population.genomes is genomes
    assert (population.predict(observations) == 0.5).all()


def test_predict_leaves_its_input_alone_and_gives_its_answer_away():
    population = population_of(4, Architecture(3, 4, 3, "relu", "identity"))
    observations = np.random.default_rng(0).normal(size=(4, 3))
    before = observations.copy()
    first = population.predict(observations)
    kept = first.copy()
    population.predict(observations + 1)
    assert np.array_equal(observations, before)
    assert np.array_equal(first, kept)


def test_recurrent_networks_remember_until_reset():
    population = population_of(4, Architecture(3, 4, 2, recurrent=True))
    observations = np.ones((4, 3))
    first, second = population.predict(observations), population.predict(observations)
    assert (first != second).any(axis=1).all()
    population.reset()
    assert np.array_equal(population.predict(observations), first)


@pytest.mark.parametrize("shape", [(3,), (3, 3), (4, 2), (5, 3), (4, 3, 1), ()])
def test_observations_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError) as refused:
        population_of(4).predict(np.zeros(shape))
    got = shape or (1,)
    assert str(refused.value) == f"Population.predict must get shape (4, 3), got {got}"


@given(architectures, st.integers(1, 8), st.data())
def test_a_member_is_a_window_onto_its_row(architecture, n, data):
    population = population_of(n, architecture)
    index = data.draw(st.integers(-n, n - 1))
    network = population[index]
    assert isinstance(network, NeuralNetwork)
    assert np.shares_memory(network.genome, population.genomes[index])
    before = population.genomes.copy()
    network.input_hidden_weights[:] = 42.0
    where = architecture.slices["input_hidden_weights"]
    assert (population.genomes[index, where] == 42.0).all()
    others = np.arange(n) != index % n
    assert np.array_equal(population.genomes[others], before[others])
    population.genomes[index] = 7.0
    assert (network.hidden_output_weights == 7.0).all()


@given(st.integers(1, 8), st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9))
def test_a_slice_shares_all_its_columns(n, start, stop):
    population = population_of(n, fitness=np.arange(n, dtype=np.float64), operator_names=("a", "b"))
    part = population[start:stop]
    assert len(part) == len(range(n)[start:stop])
    assert part.operator_names == ("a", "b")
    for name in ("genomes", "fitness", "ids", "parents", "operators"):
        whole, shared = getattr(population, name), getattr(part, name)
        assert np.array_equal(shared, whole[start:stop])
        assert np.shares_memory(shared, whole) or not len(part)
        shared[...] = 9
        assert (whole[start:stop] == 9).all()


def test_members_of_a_slice_still_write_the_whole():
    population = population_of(6)
    population[2:5][1].hidden_bias[:] = 5.0
    assert (population.genomes[3, ARCHITECTURE.slices["hidden_bias"]] == 5.0).all()


def test_a_slice_with_a_step_is_refused_for_it_could_share_nothing():
    with pytest.raises(ValueError) as refused:
        population_of(6)[::2]
    assert str(refused.value) == ("Population slices must have step 1 to share memory, got step 2")


def test_an_index_beyond_the_end_is_an_error_and_iteration_ends():
    population = population_of(3)
    with pytest.raises(IndexError):
        population[3]
    assert [np.shares_memory(network.genome, population.genomes) for network in population] == [True] * 3


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda population: pickle.loads(pickle.dumps(population))])
@pytest.mark.parametrize("recurrent", [False, True])
def test_a_copy_has_memory_of_its_own_and_predicts_from_it(duplicate, recurrent):
    population = population_of(3, Architecture(3, 4, 2, recurrent=recurrent), fitness=np.arange(3.0))
    observations = np.ones((3, 3))
    first = population.predict(observations)
    twin = duplicate(population)
    assert not np.shares_memory(twin.genomes, population.genomes)
    assert np.array_equal(twin.predict(observations), first)
    twin.reset()
    twin.genomes[:] = 0.0
    assert (twin.predict(observations) == 0.5).all()
    assert np.shares_memory(twin[1].genome, twin.genomes)
    assert population.genomes.all()


def test_the_matrix_given_is_used_where_it_can_be():
    genomes = np.zeros((3, ARCHITECTURE.genome_size))
    assert Population(ARCHITECTURE, genomes).genomes is genomes
    for other in (np.asfortranarray(genomes), genomes.astype(np.float32), genomes.tolist()):
        matrix = Population(ARCHITECTURE, other).genomes
        assert matrix.dtype == np.float64
        assert matrix.flags.c_contiguous


def test_random_networks_are_standard_normal_and_follow_the_generator():
    architecture = Architecture(10, 20, 10)
    population = Population.random(architecture, 200, np.random.default_rng(1))
    again = Population.random(architecture, 200, np.random.default_rng(1))
    assert np.array_equal(population.genomes, again.genomes)
    n = population.genomes.size
    assert abs(population.genomes.mean()) < 4 / np.sqrt(n)
    assert abs(population.genomes.std() - 1) < 4 / np.sqrt(2 * n)


def test_a_population_of_its_own_has_neither_parents_nor_operators():
    population = population_of(3)
    assert population.ids.tolist() == [0, 1, 2]
    assert (population.parents == NO_PARENT).all()
    assert population.operators_of(0) == ()
    assert population.fitness is None


def test_operators_are_read_from_their_bits():
    population = population_of(3, operators=np.array([0, 1, 6]), operator_names=("x", "y", "z"))
    assert [population.operators_of(i) for i in range(3)] == [(), ("x",), ("y", "z")]


def test_the_best_is_the_fittest_and_shares_its_row():
    population = population_of(4, fitness=np.array([1.0, -np.inf, 3.0, 2.0]))
    assert np.shares_memory(population.best.genome, population.genomes[2])


def test_nan_is_never_the_best():
    population = population_of(3, fitness=np.array([np.nan, -5.0, np.nan]))
    assert np.shares_memory(population.best.genome, population.genomes[1])


def test_the_best_of_an_unscored_population_is_refused():
    with pytest.raises(ValueError) as refused:
        population_of(3).best  # noqa: B018
    assert str(refused.value) == "Population.best needs an evaluated population, got one without fitness"


@pytest.mark.parametrize("shape", [(26,), (3, 25), (3, 27), (1, 3, 26)])
def test_a_matrix_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError) as refused:
        Population(ARCHITECTURE, np.zeros(shape))
    assert str(refused.value) == (
        f"Population.genomes must have shape (n, 26) for 3-4-2 (sigmoid/sigmoid), got {shape}"
    )


@pytest.mark.parametrize("name", ["fitness", "ids", "parents", "operators"])
def test_a_column_of_another_shape_is_refused(name):
    shape = (3, 2) if name == "parents" else (3,)
    with pytest.raises(ValueError) as refused:
        population_of(3, **{name: np.zeros(4, dtype=np.int64)})
    assert str(refused.value) == f"Population.{name} must have shape {shape}, got (4,)"


def test_printing_names_the_size_and_the_best():
    assert repr(population_of(3)) == "<Population of 3 networks 3-4-2 (sigmoid/sigmoid)>"
    assert repr(population_of(2, fitness=np.array([1.0, 2.5]))) == (
        "<Population of 2 networks 3-4-2 (sigmoid/sigmoid), best fitness 2.5>"
    )
