"""The network computes the outputs of the article's listing, with weights that are views of one genome."""

import copy
import hashlib
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.network import NetworkStack, NeuralNetwork

BLOCKS = (
    "input_hidden_weights",
    "hidden_bias",
    "hidden_hidden_weights",
    "hidden_output_weights",
    "input_output_weights",
    "output_bias",
)

PLAIN_ACTIVATIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    "tanh": math.tanh,
    "relu": lambda x: x if x > 0 else 0.0,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "identity": lambda x: x,
    "sin": math.sin,
    "gaussian": lambda x: math.exp(-x * x),
    "step": lambda x: 1.0 if x > 0 else 0.0,
}

sizes = st.integers(1, 7)
seeds = st.integers(0, 2**32)
names = st.sampled_from(sorted(ACTIVATIONS))
layered = st.builds(
    Architecture, sizes, sizes, sizes, names, names, bias=st.booleans(), recurrent=st.booleans(), skip=st.booleans()
)
linear = st.builds(Architecture, sizes, st.just(0), sizes, names, names, bias=st.booleans(), skip=st.just(value=True))
architectures = st.one_of(layered, layered, linear)


def random_network(architecture: Architecture, seed: int) -> NeuralNetwork:
    genome = np.random.default_rng(seed).standard_normal(architecture.genome_size)
    return NeuralNetwork.from_genome(architecture, genome)


class ArticleNetwork:
    """The listing of "Building a Neural Network Library From Scratch" with its three slips repaired."""

    def __init__(self, no_of_in_nodes, no_of_hidden_nodes, no_of_out_nodes):
        self.weights_in_hidden = np.random.default_rng(0).standard_normal((no_of_in_nodes, no_of_hidden_nodes))
        self.weights_hidden_out = np.random.default_rng(1).standard_normal((no_of_hidden_nodes, no_of_out_nodes))
        self.bias_hidden = np.random.default_rng(2).standard_normal(no_of_hidden_nodes)
        self.bias_out = np.random.default_rng(3).standard_normal(no_of_out_nodes)

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

    def predict(self, inputs):
        hidden = self.sigmoid(np.dot(inputs, self.weights_in_hidden) + self.bias_hidden)
        return self.sigmoid(np.dot(hidden, self.weights_hidden_out) + self.bias_out)


def plain_predict(architecture: Architecture, genome: list[float], observations: list[list[float]]):
    """Outputs for consecutive observations, in plain Python that reads the genome gene by gene."""
    genes = iter(genome)

    def block(rows: int, columns: int) -> list[list[float]]:
        return [[next(genes) for _ in range(columns)] for _ in range(rows)]

    inputs, hidden, outputs = architecture.num_inputs, architecture.num_hidden, architecture.num_outputs
    input_hidden = block(inputs, hidden)
    hidden_bias = block(1, hidden)[0] if architecture.bias and hidden else [0.0] * hidden
    hidden_hidden = block(hidden, hidden) if architecture.recurrent else [[0.0] * hidden] * hidden
    hidden_output = block(hidden, outputs)
    input_output = block(inputs, outputs) if architecture.skip else [[0.0] * outputs] * inputs
    output_bias = block(1, outputs)[0] if architecture.bias else [0.0] * outputs
    assert next(genes, None) is None

    f, g = PLAIN_ACTIVATIONS[architecture.hidden_activation], PLAIN_ACTIVATIONS[architecture.output_activation]
    memory = [0.0] * hidden
    answers = []
    for x in observations:
        memory = [
            f(
                math.fsum(x[i] * input_hidden[i][j] for i in range(inputs))
                + hidden_bias[j]
                + math.fsum(memory[k] * hidden_hidden[k][j] for k in range(hidden))
            )
            for j in range(hidden)
        ]
        answers.append(
            [
                g(
                    math.fsum(memory[j] * hidden_output[j][o] for j in range(hidden))
                    + math.fsum(x[i] * input_output[i][o] for i in range(inputs))
                    + output_bias[o]
                )
                for o in range(outputs)
            ]
        )
    return answers


@given(sizes, sizes, sizes, seeds)
def test_outputs_are_those_of_the_article_s_repaired_listing(inputs, hidden, outputs, seed):
    article = ArticleNetwork(inputs, hidden, outputs)
    network = NeuralNetwork(inputs, hidden, outputs)
    network.input_hidden_weights = article.weights_in_hidden
    network.hidden_bias = article.bias_hidden
    network.hidden_output_weights = article.weights_hidden_out
    network.output_bias = article.bias_out
    observation = np.random.default_rng(seed).normal(size=inputs, scale=3)
    assert np.allclose(network.predict(observation), article.predict(observation), rtol=0, atol=1e-12)


@given(architectures, seeds)
def test_outputs_are_those_of_a_plain_python_network(architecture, seed):
    network = random_network(architecture, seed)
    observations = np.random.default_rng(seed + 1).normal(size=(4, architecture.num_inputs))
    expected = plain_predict(architecture, network.genome.tolist(), observations.tolist())
    actual = [network.predict(observation) for observation in observations]
    assert np.allclose(actual, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_is_the_function_of_its_name(name):
    x = np.concatenate([np.linspace(-30, 30, 2001), [0.0, -0.0, 1e-300, -1e-300]])
    actual = x.copy()
    ACTIVATIONS[name].apply(actual)
    assert np.allclose(actual, [PLAIN_ACTIVATIONS[name](value) for value in x], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_stays_in_its_declared_range_and_comes_near_to_its_ends(name):
    activation = ACTIVATIONS[name]
    x = np.linspace(-1e4, 1e4, 100_001)
    activation.apply(x)
    assert x.min() >= activation.low
    assert x.max() <= activation.high
    for end, reached in ((activation.low, x.min()), (activation.high, x.max())):
        assert abs(end - reached) < 1e-3 if math.isfinite(end) else abs(reached) >= 100
    assert activation.low <= activation.middle < activation.high
    assert activation.bounded == (math.isfinite(activation.low) and math.isfinite(activation.high))


def test_an_output_means_yes_above_the_middle_of_its_range():
    assert {name: ACTIVATIONS[name].middle for name in ("sigmoid", "tanh", "sin", "step", "relu", "identity")} == {
        "sigmoid": 0.5,
        "tanh": 0.0,
        "sin": 0.0,
        "step": 0.5,
        "relu": 0.0,
        "identity": 0.0,
    }


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("size", [1, 3, 50])
def test_inputs_of_a_thousand_warn_of_nothing_and_give_finite_outputs(name, size):
    network = NeuralNetwork(size, 20, 3, hidden_activation=name, output_activation=name, seed=1)
    network.genome *= 10
    for value in (1e3, -1e3):
        assert np.isfinite(network.predict(np.full(size, value))).all()


def test_weights_start_from_a_standard_normal_draw():
    genome = NeuralNetwork(100, 100, 100, seed=3).genome
    n = genome.size
    assert abs(genome.mean()) < 4 / np.sqrt(n)
    assert abs(genome.std() - 1) < 4 / np.sqrt(2 * n)
    assert abs((genome**4).mean() - 3) < 4 * np.sqrt(96 / n)  # not uniform, not truncated


def test_the_seed_decides_the_weights_and_none_draws_anew():
    assert np.array_equal(NeuralNetwork(2, 3, 1, seed=5).genome, NeuralNetwork(2, 3, 1, seed=5).genome)
    assert not np.array_equal(NeuralNetwork(2, 3, 1, seed=5).genome, NeuralNetwork(2, 3, 1, seed=6).genome)
    assert not np.array_equal(NeuralNetwork(2, 3, 1).genome, NeuralNetwork(2, 3, 1).genome)


def test_the_default_is_the_article_s_network():
    assert NeuralNetwork(2, 3, 1).architecture == Architecture(
        2, 3, 1, "sigmoid", "sigmoid", bias=True, recurrent=False
    )


@given(architectures)
def test_the_blocks_lie_one_after_the_other_and_fill_the_genome(architecture):
    assert list(architecture.shapes) == [name for name in BLOCKS if name in architecture.shapes]
    assert ("output_bias" in architecture.shapes) == architecture.bias
    assert ("hidden_bias" in architecture.shapes) == (architecture.bias and architecture.num_hidden > 0)
    assert ("input_output_weights" in architecture.shapes) == architecture.skip
    assert ("hidden_hidden_weights" in architecture.shapes) == architecture.recurrent
    end = 0
    for name, where in architecture.slices.items():
        assert where == slice(end, end + math.prod(architecture.shapes[name]))
        end = where.stop
    assert end == architecture.genome_size


def test_the_genome_s_order_is_the_contract_s():
    network = NeuralNetwork.from_genome(Architecture(2, 3, 2, recurrent=True), np.arange(26.0))
    assert network.input_hidden_weights.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert network.hidden_bias.tolist() == [6, 7, 8]
    assert network.hidden_hidden_weights.tolist() == [[9, 10, 11], [12, 13, 14], [15, 16, 17]]
    assert network.hidden_output_weights.tolist() == [[18, 19], [20, 21], [22, 23]]
    assert network.output_bias.tolist() == [24, 25]


def assert_one_memory(network: NeuralNetwork) -> None:
    """Each block is a window onto the genome: writing either changes the other."""
    genome = network.genome
    for name, where in network.architecture.slices.items():
        block = getattr(network, name)
        assert np.shares_memory(block, genome)
        genome[where] = np.arange(where.stop - where.start)
        assert np.array_equal(block.ravel(), np.arange(where.stop - where.start))
        block[...] = 0.25
        assert (genome[where] == 0.25).all()
    observation = np.ones(network.architecture.num_inputs)
    network.reset()
    expected = plain_predict(network.architecture, genome.tolist(), [observation.tolist()])[0]
    assert np.allclose(network.predict(observation), expected, atol=1e-12)


@given(architectures, seeds, st.booleans())
def test_weights_and_genome_share_memory_after_pickle_deepcopy_and_copy(architecture, seed, used):
    network = random_network(architecture, seed)
    if used:
        network.predict(np.zeros(architecture.num_inputs))  # a network that has run has more to carry along
    original = network.genome.copy()
    for twin in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert twin.architecture == architecture
        assert np.array_equal(twin.genome, original)
        assert not np.shares_memory(twin.genome, network.genome)
        assert_one_memory(twin)
        assert np.array_equal(network.genome, original)
    shallow = copy.copy(network)
    assert np.shares_memory(shallow.genome, network.genome)
    assert_one_memory(shallow)
    assert_one_memory(network)


def test_several_networks_pickled_together_stay_apart():
    first, second = pickle.loads(pickle.dumps([NeuralNetwork(2, 2, 1, seed=1), NeuralNetwork(2, 2, 1, seed=2)]))
    assert not np.shares_memory(first.genome, second.genome)


@given(architectures, seeds)
def test_a_network_uses_the_array_it_is_given(architecture, seed):
    genome = np.random.default_rng(seed).standard_normal(architecture.genome_size)
    network = NeuralNetwork.from_genome(architecture, genome)
    assert np.shares_memory(network.genome, genome)
    assert_one_memory(network)
    assert (genome == 0.25).all()


@given(architectures, seeds)
def test_assignment_writes_through(architecture, seed):
    network = random_network(architecture, seed)
    genome = network.genome
    for name, where in architecture.slices.items():
        values = np.random.default_rng(seed + 1).standard_normal(architecture.shapes[name])
        setattr(network, name, values)
        assert np.array_equal(genome[where], values.ravel())
        assert not np.shares_memory(getattr(network, name), values)
    values = np.random.default_rng(seed + 2).standard_normal(architecture.genome_size)
    network.genome = values
    assert network.genome is genome
    assert np.array_equal(genome, values)
    network.genome *= 2
    assert network.genome is genome
    assert np.array_equal(genome, 2 * values)
    assert_one_memory(network)


def test_a_change_of_weights_shows_in_the_next_prediction():
    network = NeuralNetwork(2, 3, 1, output_activation="identity", seed=1)
    network.predict([1.0, 2.0])
    network.hidden_output_weights[:] = 0.0
    network.output_bias[:] = 7.0
    assert network.predict([1.0, 2.0]).tolist() == [7.0]
    network.genome[-1] = 8.0
    assert network.predict([1.0, 2.0]).tolist() == [8.0]


def test_a_network_refuses_new_attributes_and_wrong_shapes():
    network = NeuralNetwork(2, 3, 1)
    with pytest.raises(AttributeError):
        network.hidden_biases = np.zeros(3)
    with pytest.raises(ValueError):
        network.hidden_bias = np.zeros(4)
    with pytest.raises(ValueError):
        network.genome = np.zeros(4)


def test_a_missing_block_of_weights_is_an_error_with_its_name():
    network = NeuralNetwork(2, 3, 1, bias=False)
    for name in ("hidden_bias", "output_bias", "hidden_hidden_weights"):
        message = f"a network 2-3-1 (sigmoid/sigmoid, no bias) has no {name}"
        with pytest.raises(AttributeError) as refused:
            getattr(network, name)
        assert str(refused.value) == message
        with pytest.raises(AttributeError) as refused:
            setattr(network, name, 0.0)
        assert str(refused.value) == message


@given(architectures, seeds)
def test_a_neuron_s_weights_are_writable_windows(architecture, seed):
    network = random_network(architecture, seed)
    for index in range(architecture.num_hidden):
        neuron = network.neuron("hidden", index)
        assert np.array_equal(neuron.incoming, network.input_hidden_weights[:, index])
        assert np.array_equal(neuron.outgoing, network.hidden_output_weights[index])
        assert np.array_equal(neuron.bias, network.hidden_bias[[index]] if architecture.bias else [])
        memory = network.hidden_hidden_weights[:, index] if architecture.recurrent else []
        assert np.array_equal(neuron.recurrent, memory)
        before = network.genome.copy()
        for part in neuron:
            part[...] = 99.0
        changed = np.flatnonzero(network.genome != before)
        assert np.array_equal(changed, np.flatnonzero(architecture.gene_neurons == index))
    for index in range(architecture.num_outputs):
        neuron = network.neuron("output", index)
        assert np.array_equal(neuron.incoming, network.hidden_output_weights[:, index])
        assert np.array_equal(neuron.bias, network.output_bias[[index]] if architecture.bias else [])
        assert np.array_equal(neuron.skip, network.input_output_weights[:, index] if architecture.skip else [])
        assert neuron.outgoing.size == neuron.recurrent.size == 0
        assert all(np.shares_memory(part, network.genome) for part in neuron if part.size)


def test_a_linear_network_is_a_matrix_and_a_bias():
    network = NeuralNetwork(3, 0, 2, output_activation="identity", skip=True, seed=1)
    x = np.array([0.5, -1.0, 2.0])
    assert list(network.architecture.shapes) == ["input_output_weights", "output_bias"]
    assert np.allclose(network.predict(x), x @ network.input_output_weights + network.output_bias)
    assert (network.input_hidden_weights.shape, network.hidden_output_weights.shape) == ((3, 0), (0, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, ("Architecture.num_hidden must be at least 1 without skip connections, got 0; set skip=True for a linear "
              "network")),
        ({"skip": True, "recurrent": True}, "Architecture.num_hidden must be at least 1 in a recurrent network, got 0"),
    ],
)  # fmt: skip
def test_a_network_without_hidden_neurons_needs_skip_connections(arguments, message):
    with pytest.raises(ValueError) as refused:
        NeuralNetwork(3, 0, 2, **arguments)
    assert str(refused.value) == message


def test_cutting_all_outgoing_weights_of_a_neuron_silences_it():
    network = NeuralNetwork(3, 4, 2, seed=2)
    network.neuron("hidden", 1).outgoing[:] = 0.0
    before = network.predict([1.0, -1.0, 0.5])
    network.neuron("hidden", 1).incoming[:] = 100.0
    network.neuron("hidden", -3).bias[:] = -50.0  # neuron 1 of 4, counted from the end
    assert np.array_equal(network.predict([1.0, -1.0, 0.5]), before)


def test_an_unknown_neuron_is_refused():
    network = NeuralNetwork(3, 4, 2)
    with pytest.raises(ValueError) as refused:
        network.neuron("hiden", 0)
    assert str(refused.value) == (
        "NeuralNetwork.neuron.layer must be a known name, got 'hiden'; did you mean 'hidden'? Known: hidden, output"
    )
    for layer, index, size in (("hidden", 4, 4), ("hidden", -5, 4), ("output", 2, 2)):
        with pytest.raises(IndexError) as refused:
            network.neuron(layer, index)
        assert str(refused.value) == (
            f"NeuralNetwork.neuron.index must be below {size} in the {layer} layer, got {index}"
        )


@given(architectures)
def test_every_gene_goes_with_exactly_one_neuron(architecture):
    owners = architecture.gene_neurons
    assert owners.shape == (architecture.genome_size,)
    assert set(owners[: architecture.genome_size].tolist()) <= set(range(architecture.num_neurons))
    genes_of_hidden = architecture.num_inputs + architecture.num_outputs + architecture.bias
    genes_of_hidden += architecture.num_hidden * architecture.recurrent
    counts = np.bincount(owners, minlength=architecture.num_neurons)
    assert (counts[: architecture.num_hidden] == genes_of_hidden).all()
    genes_of_output = architecture.bias + architecture.num_inputs * architecture.skip
    assert (counts[architecture.num_hidden :] == genes_of_output).all()
    with pytest.raises(ValueError, match="read-only"):
        owners[0] = 1


many = st.integers(1, 40)


@given(many, many, many, st.booleans(), st.integers(1, 30), seeds)
def test_a_row_of_a_batch_gets_the_bits_that_it_gets_alone(inputs, hidden, outputs, bias, rows, seed):
    network = random_network(Architecture(inputs, hidden, outputs, "tanh", bias=bias), seed)
    observations = np.random.default_rng(seed + 1).normal(size=(rows, inputs), scale=2)
    alone = [network.predict(observation) for observation in observations]
    together = network.predict(observations)
    assert together.shape == (rows, outputs)
    assert np.array_equal(together, alone)


@given(architectures, seeds)
def test_a_recurrent_batch_remembers_each_row_for_itself(architecture, seed):
    steps = np.random.default_rng(seed).normal(size=(3, 5, architecture.num_inputs))
    batch = random_network(architecture, seed)
    together = [batch.predict(step) for step in steps]
    for row in range(5):
        single = random_network(architecture, seed)
        assert np.array_equal([single.predict(step[row]) for step in steps], [answer[row] for answer in together])


def test_a_recurrent_network_remembers_until_reset():
    network = NeuralNetwork(2, 3, 1, recurrent=True, seed=4)
    first, second = network.predict([1.0, 0.0]), network.predict([1.0, 0.0])
    assert not np.array_equal(first, second)
    network.reset()
    assert np.array_equal(network.predict([1.0, 0.0]), first)
    assert np.array_equal(network.predict([1.0, 0.0]), second)


def test_a_feedforward_network_forgets():
    network = NeuralNetwork(2, 3, 1, seed=4)
    assert np.array_equal(network.predict([1.0, 0.0]), network.predict([1.0, 0.0]))


def test_a_copy_of_a_recurrent_network_starts_without_memory():
    network = NeuralNetwork(2, 3, 1, recurrent=True, seed=4)
    first = network.predict([1.0, 0.0])
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network)), copy.copy(network)):
        assert np.array_equal(twin.predict([1.0, 0.0]), first)


def test_a_recurrent_network_that_remembers_some_rows_refuses_others():
    network = NeuralNetwork(2, 3, 1, recurrent=True)
    network.predict(np.zeros((4, 2)))
    with pytest.raises(ValueError) as refused:
        network.predict(np.zeros((5, 2)))
    assert str(refused.value) == (
        "NeuralNetwork.predict must get 4 rows, as in the call before, got 5; call reset() to clear the recurrent "
        "network's memory"
    )
    network.reset()
    assert network.predict(np.zeros((5, 2))).shape == (5, 1)


@pytest.mark.parametrize("observation", [[1.0, 2.0], np.ones(2, dtype=np.float32), np.array([True, False]), (1, 2)])
def test_whatever_numpy_can_read_is_an_observation(observation):
    network = NeuralNetwork(2, 3, 4, seed=1)
    expected = network.predict(np.array(observation, dtype=np.float64))
    assert expected.shape == (4,)
    assert np.array_equal(network.predict(observation), expected)
    assert np.array_equal(network(observation), expected)


def test_observations_are_never_written_and_outputs_are_the_caller_s():
    network = NeuralNetwork(3, 4, 3, hidden_activation="relu", output_activation="identity", seed=1)
    observations = np.asfortranarray(np.random.default_rng(0).normal(size=(6, 3)))
    before = observations.copy()
    first = network.predict(observations)
    kept = first.copy()
    network.predict(observations + 1)
    assert np.array_equal(observations, before)
    assert np.array_equal(first, kept)
    assert not np.shares_memory(first, network.genome)


def test_an_empty_batch_gives_empty_outputs():
    assert NeuralNetwork(3, 4, 2).predict(np.zeros((0, 3))).shape == (0, 2)


@pytest.mark.parametrize("shape", [(2,), (4,), (2, 4), (3, 2), (1, 2, 3), ()])
def test_an_input_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError) as refused:
        NeuralNetwork(3, 4, 2).predict(np.zeros(shape))
    assert str(refused.value) == f"NeuralNetwork.predict must get shape (3,) or (m, 3), got {shape}"


def test_a_genome_of_another_shape_is_refused():
    for shape in ((25,), (27,), (1, 26), (26, 1)):
        with pytest.raises(ValueError) as refused:
            NeuralNetwork.from_genome(Architecture(3, 4, 2), np.zeros(shape))
        assert str(refused.value) == (
            f"NeuralNetwork.genome must have shape (26,) for 3-4-2 (sigmoid/sigmoid), got {shape}"
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 1), "Architecture.num_inputs must be at least 1, got 0"),
        ((1, -2, 1), "Architecture.num_hidden must be at least 0, got -2"),
        ((1, 1, 1.5), "Architecture.num_outputs must be a whole number, got 1.5"),
        (
            (1, 1, 1, "relo"),
            (
                "Architecture.hidden_activation must be a known name, got 'relo'; did you mean 'relu'? "
                "Known: gaussian, identity, leaky_relu, relu, sigmoid, sin, step, tanh"
            ),
        ),
        ((1, 1, 1, "tanh", None), "Architecture.output_activation must be text, got None"),
        ((1, 1, 1, "tanh", "tanh", "yes"), "Architecture.bias must be true or false, got 'yes'"),
    ],
)
def test_a_wrong_architecture_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        Architecture(*arguments)
    assert str(refused.value) == message


def test_small_numpy_integers_make_large_networks():
    size = np.uint8(200)
    assert Architecture(size, size, size).genome_size == 200 * 200 * 2 + 400


def test_a_wide_network_without_a_memory_knows_its_genes_neurons_without_those_of_a_memory():
    wide = Architecture(1, 300_000, 1)  # 720 GB for the weights of a memory
    assert wide.gene_neurons.size == wide.genome_size


def test_an_architecture_is_equal_by_value_and_survives_pickling():
    architecture = Architecture(2, 3, 1, recurrent=True)
    assert architecture.genome_size == 2 * 3 + 3 + 9 + 3 + 1
    assert architecture.gene_neurons.size == architecture.genome_size
    twin = pickle.loads(pickle.dumps(architecture))
    assert twin == architecture
    assert hash(twin) == hash(architecture)
    assert twin != Architecture(2, 3, 1)


@given(architectures, st.integers(1, 6), seeds)
def test_a_stack_runs_each_genome_on_its_own_row(architecture, rows, seed):
    rng = np.random.default_rng(seed)
    genomes = rng.standard_normal((rows, architecture.genome_size))
    steps = rng.normal(size=(3, rows, architecture.num_inputs))
    stack = NetworkStack(architecture, genomes, rows)
    answers = [stack.forward(step).copy() for step in steps]
    for row in range(rows):
        network = NeuralNetwork.from_genome(architecture, genomes[row])
        assert np.array_equal([network.predict(step[row]) for step in steps], [answer[row] for answer in answers])
    assert stack.hidden.shape == (rows, architecture.num_hidden)


def test_a_stack_s_memory_can_be_wiped_row_by_row():
    architecture = Architecture(2, 3, 1, recurrent=True)
    genomes = np.random.default_rng(0).standard_normal((2, architecture.genome_size))
    stack = NetworkStack(architecture, genomes, 2)
    inputs = np.ones((2, 2))
    first = stack.forward(inputs).copy()
    second = stack.forward(inputs).copy()
    stack.hidden[0] = 0.0
    third = stack.forward(inputs)
    assert np.array_equal(third[0], first[0])
    assert not np.array_equal(third[1], second[1])


def test_printing_shows_every_weight_of_a_small_network():
    network = NeuralNetwork.from_genome(Architecture(2, 2, 1, "tanh", "identity"), np.arange(9) / 8)
    assert repr(network) == "<NeuralNetwork 2-2-1 (tanh/identity), 9 genes>"
    assert str(network).splitlines() == [
        "NeuralNetwork 2-2-1 (tanh/identity): 9 genes",
        "  hidden 0    bias   +0.500  in   +0.000   +0.250  out   +0.750",
        "  hidden 1    bias   +0.625  in   +0.125   +0.375  out   +0.875",
        "  output 0    bias   +1.000  in   +0.750   +0.875",
    ]


def test_printing_a_wide_network_says_what_it_leaves_out():
    lines = str(NeuralNetwork(30, 2, 1, bias=False, recurrent=True, seed=1)).splitlines()
    assert len(lines) == 4
    assert "… (30)" in lines[1]
    assert "bias" not in "".join(lines[1:])
    assert "memory" in lines[1]


def test_an_architecture_is_written_in_one_line():
    assert str(Architecture(4, 16, 2)) == "4-16-2 (sigmoid/sigmoid)"
    text = str(Architecture(4, 16, 2, "relu", "tanh", bias=False, recurrent=True))
    assert text == "4-16-2 (relu/tanh, recurrent, no bias)"


@given(architectures, st.integers(1, 9), seeds, st.integers(0, 7))
def test_bits_depend_neither_on_the_batch_nor_on_where_arrays_lie(architecture, rows, seed, offset):
    rng = np.random.default_rng(seed)
    genomes = rng.normal(size=(rows, architecture.genome_size))
    steps = rng.normal(size=(3, rows, architecture.num_inputs)) * 3
    expected = [
        [network.predict(step[i]) for step in steps]
        for i in range(rows)
        for network in [NeuralNetwork.from_genome(architecture, genomes[i].copy())]
    ]
    memory = np.zeros(offset + genomes.nbytes + 8, np.uint8)  # a genome may begin at any address
    moved = memory[offset : offset + genomes.nbytes].view(np.float64).reshape(genomes.shape)
    moved[...] = genomes
    stack = NetworkStack(architecture, moved, rows)
    wide = np.asfortranarray(np.repeat(steps, 2, axis=2))
    actual = [stack.forward(wide[i, :, ::2]).copy() for i in range(len(steps))]
    assert np.array_equal(np.array(actual).transpose(1, 0, 2), expected)
    batch = NeuralNetwork.from_genome(architecture, genomes[0].copy())
    alone = NeuralNetwork.from_genome(architecture, genomes[0].copy())
    together = batch.predict(steps[0])
    for row, x in zip(together, steps[0], strict=True):
        alone.reset()
        assert np.array_equal(alone.predict(x), row)


@pytest.mark.parametrize(("inputs", "hidden", "rows"), [(3000, 3, 2), (700, 40, 5), (2, 5000, 3), (4, 8, 3000)])
def test_large_layers_and_batches_are_summed_in_blocks(inputs, hidden, rows):
    network = random_network(Architecture(inputs, hidden, 2, "tanh", "identity", recurrent=hidden < 100), 3)
    observations = np.random.default_rng(4).normal(size=(rows, inputs))
    batch = network.predict(observations)
    first_hidden = np.tanh(observations @ network.input_hidden_weights + network.hidden_bias)
    assert np.allclose(batch, first_hidden @ network.hidden_output_weights + network.output_bias, rtol=0, atol=1e-9)
    for i in (0, rows // 2, rows - 1):
        network.reset()
        assert np.array_equal(network.predict(observations[i]), batch[i])


def test_a_large_network_takes_little_memory_beside_its_genome():
    network = random_network(Architecture(20_000, 32, 3), 1)
    observations = np.zeros((4, 20_000))
    tracemalloc.start()
    try:
        network.predict(observations)
        assert tracemalloc.get_traced_memory()[1] < 2e6  # the genome has 5 MB
    finally:
        tracemalloc.stop()


def test_outputs_have_the_bits_that_every_other_processor_gives_them():
    digest = hashlib.sha256()
    rng = np.random.default_rng(5)  # uniform numbers, which take no function of a library
    for name in sorted(ACTIVATIONS):
        for recurrent in (False, True):
            architecture = Architecture(7, 9, 3, name, name, recurrent=recurrent)
            genomes = (rng.random((6, architecture.genome_size)) - 0.5) * 8.0
            stack = NetworkStack(architecture, genomes, 6)
            for _ in range(20):
                digest.update(stack.forward((rng.random((6, 7)) - 0.5) * 4.0).astype("<f8").tobytes())
    assert digest.hexdigest()[:16] == "0379351e7a483b4d"
