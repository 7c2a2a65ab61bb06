"""Structure: masks of connections, what may begin, and the mutations that add and remove connections."""

import numpy as np
import pytest

from evonet import GeneticAlgorithm, NeuralNetwork
from evonet.architecture import Architecture
from evonet.operators import (
    AddConnection,
    AddNeuron,
    Gaussian,
    Polynomial,
    RemoveConnection,
    RemoveInput,
    RemoveNeuron,
    SelfAdaptive,
    Speciation,
    Structure,
    UniformReset,
)
from evonet.operators.crossover import CROSSOVERS
from evonet.operators.mutation import MUTATIONS
from evonet.operators.structural_mutation import STRUCTURAL_MUTATIONS
from evonet.operators.structure import inputs_left_out, neurons_of, pruned
from evonet.strategies.islands import Islands
from evonet.strategies.restarts import Restarts

SHAPES = {
    "skip": Architecture(3, 4, 2, "tanh", "identity", skip=True),
    "recurrent": Architecture(3, 4, 2, "tanh", "identity", recurrent=True, skip=True),
    "sigmoid": Architecture(3, 4, 2, "sigmoid", "identity", skip=True),
    "no bias": Architecture(3, 4, 2, "tanh", "identity", bias=False, skip=True),
    "linear": Architecture(3, 0, 2, "tanh", "identity", skip=True),
    "no skip": Architecture(3, 4, 2, "tanh", "identity"),
}


RATES = {"add_connection": 0.8, "remove_connection": 0.2, "add_neuron": 0.3, "remove_neuron": 0.1, "remove_input": 0.02}


def rng(seed=0):
    return np.random.default_rng(seed)


def grown(shape, count=64, rounds=30, seed=0):
    """Genomes and masks after many structural mutations."""
    start = "minimal" if shape.skip else "full"
    generator = rng(seed)
    masks = Structure(start).first(generator, count, shape)
    genomes = np.where(masks, generator.standard_normal(masks.shape), 0.0)
    for _ in range(rounds):
        for name, rate in RATES.items():
            genomes, masks = STRUCTURAL_MUTATIONS[name](rate=rate)(generator, genomes, masks, shape)
    return genomes, masks


def evolved(generations=8, score=lambda genomes: -(genomes**2).sum(axis=1), algorithm=None, **settings):
    algorithm = algorithm or GeneticAlgorithm(SHAPES["skip"], 16, 2, structure=Structure(), seed=3, **settings)
    for _ in range(generations):
        algorithm.tell(score(algorithm.ask()))
    return algorithm


@pytest.mark.parametrize(
    ("start", "connections"), [("minimal", 3 * 2 + 2), ("empty", 0), ("full", SHAPES["skip"].genome_size)]
)
def test_the_first_networks_have_the_connections_of_the_start(start, connections):
    masks = Structure(start).first(rng(), 5, SHAPES["skip"])
    assert np.count_nonzero(masks, axis=1).tolist() == [connections] * 5


def test_a_minimal_network_is_linear():
    masks = Structure("minimal").first(rng(), 1, SHAPES["skip"])
    network = NeuralNetwork.from_genome(SHAPES["skip"], np.where(masks, rng().standard_normal(masks.shape), 0.0)[0])
    x = np.array([0.3, -0.2, 0.9])
    assert np.allclose(network.predict(x), x @ network.input_output_weights + network.output_bias)


def test_a_density_leaves_out_connections_at_random_but_no_loose_ends():
    shape = SHAPES["skip"]
    masks = Structure("full", density=0.3).first(rng(), 500, shape)
    assert 0.1 < masks.mean() < 0.3
    assert (masks == pruned(masks, shape)).all()
    assert len(np.unique(masks, axis=0)) > 400


@pytest.mark.parametrize("start", ["minimal", "empty"])
def test_a_start_that_could_never_reach_an_output_is_refused(start):
    with pytest.raises(ValueError, match=r"^Structure.start must be 'full' in networks without skip connections, got"):
        GeneticAlgorithm(SHAPES["no skip"], structure=Structure(start))


@pytest.mark.parametrize("name", SHAPES)
def test_absent_connections_are_zero_and_no_neuron_has_a_loose_end(name):
    shape = SHAPES[name]
    genomes, masks = grown(shape)
    assert (genomes[~masks] == 0).all()
    assert (genomes[masks] != 0).mean() > 0.999
    assert (masks == pruned(masks, shape)).all()
    sizes = np.count_nonzero(neurons_of(masks, shape), axis=1)
    assert len(np.unique(masks, axis=0)) > (4 if name == "linear" else 15)
    assert len(set(sizes.tolist())) > 2 or name == "linear"


@pytest.mark.parametrize("name", STRUCTURAL_MUTATIONS)
def test_a_structural_mutation_writes_nothing_it_is_given_and_follows_its_seed(name):
    shape = SHAPES["skip"]
    genomes, masks = grown(shape)
    before = genomes.copy(), masks.copy()
    mutation = STRUCTURAL_MUTATIONS[name](rate=0.5)
    first, second = (mutation(rng(5), genomes, masks, shape) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert (genomes == before[0]).all()
    assert (masks == before[1]).all()
    changed = (first[1] != masks).any(axis=1)
    assert 0.2 < changed.mean() < 0.8
    assert (first[0][~changed] == genomes[~changed]).all()
    unchanged = STRUCTURAL_MUTATIONS[name](rate=0.0)(rng(), genomes, masks, shape)
    assert (unchanged[1] == masks).all()


def test_add_connection_adds_one_between_neurons_that_exist():
    shape = SHAPES["recurrent"]
    genomes, masks = grown(shape, rounds=6)
    mutants, more = AddConnection(rate=1.0)(rng(), genomes, masks, shape)
    added = more & ~masks
    assert set(np.count_nonzero(added, axis=1).tolist()) == {0, 1}
    complete = ~neurons_of(masks, shape).any(axis=1) & (np.count_nonzero(masks, axis=1) == 3 * 2 + 2)
    assert (added.any(axis=1) | complete).all()
    assert (neurons_of(more, shape) == neurons_of(masks, shape)).all()
    assert (mutants[~added] == genomes[~added]).all()


def test_remove_connection_removes_one_and_what_hangs_on_it():
    shape = SHAPES["skip"]
    genomes, masks = grown(shape)
    _, fewer = RemoveConnection(rate=1.0)(rng(), genomes, masks, shape)
    assert not (fewer & ~masks).any()
    lost = np.count_nonzero(masks & ~fewer, axis=1)
    alone = (neurons_of(masks, shape) == neurons_of(fewer, shape)).all(axis=1)
    assert (lost[alone] == 1).all()
    assert (lost[~alone] > 1).all()


@pytest.mark.parametrize("name", ["skip", "recurrent", "sigmoid", "no bias"])
def test_a_split_connection_computes_nearly_what_it_did(name):
    shape = SHAPES[name]
    masks = Structure().first(rng(), 40, shape)
    genomes = np.where(masks, rng().standard_normal(masks.shape), 0.0)
    mutants, more = AddNeuron(rate=1.0)(rng(), genomes, masks, shape)
    assert np.count_nonzero(neurons_of(more, shape), axis=1).tolist() == [1] * 40
    assert np.count_nonzero(more, axis=1).tolist() == (np.count_nonzero(masks, axis=1) + 1).tolist()
    x = np.array([0.02, -0.03, 0.01])
    for before, after in zip(genomes, mutants, strict=True):
        old, new = (NeuralNetwork.from_genome(shape, each).predict(x) for each in (before, after))
        assert np.allclose(old, new, atol=1e-4)
        assert (old != new).any()


def test_the_same_split_takes_the_same_place_and_the_next_free_one_if_it_is_taken():
    shape = SHAPES["no bias"]
    masks = np.zeros((50, shape.genome_size), np.bool_)
    shape.views(masks)["input_output_weights"][:, 1, 0] = True  # connection 2 of 6
    _, first = AddNeuron(rate=1.0)(rng(), masks * 1.0, masks, shape)
    assert (neurons_of(first, shape) == [False, False, True, False]).all()
    shape.views(first)["input_output_weights"][:, 1, 0] = True
    _, second = AddNeuron(rate=1.0)(rng(), first * 1.0, first, shape)
    assert (neurons_of(second, shape) == [False, False, True, True]).all()
    for _ in range(3):  # until no place is free
        shape.views(second)["input_output_weights"][:, 1, 0] = True
        _, second = AddNeuron(rate=1.0)(rng(), second * 1.0, second, shape)
    assert neurons_of(second, shape).all()


def test_remove_neuron_takes_all_connections_of_one():
    shape = SHAPES["skip"]
    masks = Structure("full").first(rng(), 20, shape)
    genomes, fewer = RemoveNeuron(rate=1.0)(rng(), masks * 1.0, masks, shape)
    assert np.count_nonzero(neurons_of(fewer, shape), axis=1).tolist() == [3] * 20
    assert np.count_nonzero(genomes, axis=1).tolist() == [shape.genome_size - 3 - 1 - 2] * 20


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_remove_input_leaves_one_more_input_out(shape):
    genomes, masks = grown(shape, rounds=5)
    changed, fewer = RemoveInput(rate=1.0)(rng(), genomes, masks, shape)
    used = 0
    for before, after in zip(masks, fewer, strict=True):
        gone = set(inputs_left_out(after, shape)) - set(inputs_left_out(before, shape))
        used += len(gone)
        assert len(gone) >= (len(inputs_left_out(before, shape)) < shape.num_inputs)
    assert used >= 50
    assert (changed == np.where(fewer, genomes, 0.0)).all()
    assert not (fewer & ~masks).any()


def test_remove_input_chooses_any_input_and_keeps_the_others():
    shape = SHAPES["skip"]
    masks = Structure("full").first(rng(), 60, shape)
    _, fewer = RemoveInput(rate=1.0)(rng(), masks * 1.0, masks, shape)
    gone = [inputs_left_out(mask, shape).tolist() for mask in fewer]
    assert sorted({tuple(each) for each in gone}) == [(0,), (1,), (2,)]
    assert np.count_nonzero(fewer, axis=1).tolist() == [shape.genome_size - 4 - 2] * 60


def test_a_structure_adds_the_structural_mutations_unless_some_are_named():
    kinds = [type(each) for each in evolved().mutations]
    assert kinds == [Gaussian, AddConnection, RemoveConnection, AddNeuron, RemoveNeuron]
    assert len(evolved(mutation=[Gaussian(), AddConnection()]).mutations) == 2


def test_a_structural_mutation_without_a_structure_is_refused():
    with pytest.raises(ValueError, match=r"^GeneticAlgorithm.mutation must not change the structure where there is no"):
        GeneticAlgorithm(SHAPES["skip"], mutation=AddNeuron())


@pytest.mark.parametrize("crossover", CROSSOVERS)
@pytest.mark.parametrize("mutation", [*MUTATIONS, None])
def test_absent_genes_stay_zero_through_every_operator(crossover, mutation):
    mutations = [
        *([MUTATIONS[mutation]()] if mutation else []),
        *(each(rate=0.02 if each is RemoveInput else 0.3) for each in STRUCTURAL_MUTATIONS.values()),
    ]
    algorithm = evolved(6, crossover=CROSSOVERS[crossover](), mutation=mutations)
    population = algorithm.population
    assert (population.genomes[~population.masks] == 0).all()
    assert len(np.unique(population.masks, axis=0)) > 4
    assert (population.masks == pruned(population.masks, algorithm.architecture)).all()


def test_bounds_that_exclude_zero_leave_absent_genes_zero():
    from evonet.operators import Bounds

    population = evolved(bounds=Bounds(0.5, 2.0)).population
    assert (population.genomes[~population.masks] == 0).all()
    assert population.genomes[population.masks].min() >= 0.5


def test_a_warm_start_within_bounds_that_exclude_zero_keeps_its_missing_connections():
    from evonet.operators import Bounds

    shape = SHAPES["skip"]
    masks = Structure().first(rng(), 2, shape)
    founders = np.where(masks, 1.0, 0.0)
    algorithm = GeneticAlgorithm(shape, 8, 2, structure=Structure(), bounds=Bounds(0.5, 2.0), initial=founders)
    assert (algorithm.population.masks == masks[0]).all()
    assert (algorithm.population.genomes[~algorithm.population.masks] == 0).all()


@pytest.mark.parametrize(
    "settings", [{}, {"niching": "species"}, {"mutation": SelfAdaptive()}, {"selection": "roulette"}]
)
def test_with_all_connections_and_no_structural_change_the_bits_are_those_of_a_dense_population(settings):
    own = settings.get("mutation", Gaussian())
    still = [own, *(kind(rate=0.0) for kind in STRUCTURAL_MUTATIONS.values())]
    masked = evolved(structure=None, algorithm=GeneticAlgorithm(
        SHAPES["skip"], 16, 2, structure=Structure("full"), seed=3, **{**settings, "mutation": still}
    ))  # fmt: skip
    dense = evolved(algorithm=GeneticAlgorithm(SHAPES["skip"], 16, 2, seed=3, **settings))
    assert (masked.population.genomes == dense.population.genomes).all()
    assert masked.population.masks.all()


def test_a_child_has_the_connections_of_the_fitter_parent_and_matching_genes_of_either():
    shape = SHAPES["skip"]
    genomes, masks = grown(shape, 2, seed=4)
    algorithm = GeneticAlgorithm(
        shape, 200, 0, structure=Structure(), mutation=[kind(rate=0.0) for kind in STRUCTURAL_MUTATIONS.values()],
        crossover="uniform", selection="random", seed=1,
    )  # fmt: skip
    population = algorithm.population
    population.genomes[:] = genomes[np.arange(200) % 2]
    population.masks[:] = masks[np.arange(200) % 2]
    algorithm.tell(np.arange(200) % 2.0)  # odd rows are fitter
    algorithm.ask()
    children, ids = algorithm.population, algorithm.population.parents
    mixed = (ids >= 0).all(axis=1) & (ids[:, 0] % 2 != ids[:, 1] % 2)
    assert mixed.sum() > 20
    assert (children.masks[mixed] == masks[1]).all()
    both = masks[0] & masks[1]
    only = masks[1] & ~masks[0]
    assert (children.genomes[mixed][:, only] == genomes[1, only]).all()
    taken = children.genomes[mixed][:, both]
    assert ((taken == genomes[0, both]) | (taken == genomes[1, both])).all()
    assert (taken != genomes[1, both]).any()


def test_a_price_chooses_smaller_networks_of_equal_fitness():
    def size(price):
        algorithm = GeneticAlgorithm(SHAPES["skip"], 64, 2, structure=Structure("full", price=price), seed=1)
        return np.count_nonzero(evolved(30, lambda genomes: np.zeros(len(genomes)), algorithm).population.masks, axis=1)

    assert size(0.1).mean() < 0.5 * size(0.0).mean()


def test_a_new_structure_has_more_children_where_youth_is_protected_but_is_no_elite():
    def young_parents(youth):
        still = [kind(rate=0.0) for kind in STRUCTURAL_MUTATIONS.values()]
        algorithm = GeneticAlgorithm(
            SHAPES["skip"], 300, 2, mutation=still, structure=Structure(youth=youth), selection="roulette", seed=1
        )
        kind = algorithm.population.ids % 3
        algorithm.population.operators[:] = np.where(kind == 1, 1 << 2, 0)  # the second mutation made these
        algorithm.tell(kind * 1.0)
        algorithm.ask()
        assert (algorithm.population.ids[:2] % 3 == 2).all()
        return np.mean(algorithm.population.parents[2:, 0] % 3 == 1)

    assert 0.25 < young_parents(1.0) < 0.42
    assert 0.58 < young_parents(4.0) < 0.75


@pytest.mark.parametrize("stopped", [0, 1, 4])
def test_stopped_and_resumed_the_bits_are_the_same(stopped):
    whole = evolved(8)
    half = evolved(stopped)
    other = GeneticAlgorithm(SHAPES["skip"], 16, 2, structure=Structure(), seed=3)
    other.restore(half.state())
    rest = evolved(8 - stopped, algorithm=other)
    assert (rest.ask() == whole.ask()).all()
    assert (rest.population.masks == whole.population.masks).all()


@pytest.mark.parametrize("kind", ["islands", "restarts"])
def test_masks_come_along_to_islands_and_through_restarts(kind):
    def make(architecture, seed, population_size=12):
        return GeneticAlgorithm(architecture, population_size, 2, structure=Structure(), seed=seed)

    outer = Islands if kind == "islands" else Restarts
    rest = {"interval": 2} if kind == "islands" else {"stagnation": 3}
    population = evolved(12, algorithm=outer(SHAPES["skip"], make, seed=2, **rest)).population
    assert population.masks.shape == population.genomes.shape
    assert (population.genomes[~population.masks] == 0).all()
    assert len(np.unique(population.masks, axis=0)) > 2


@pytest.mark.parametrize("mutation", [Polynomial(low=1.0, high=2.0, rate=1.0), UniformReset(1.0, 2.0, rate=1.0)])
def test_a_mutation_of_absent_genes_alone_is_no_change(mutation):
    population = evolved(
        mutation=[mutation, *(kind(rate=0.0) for kind in STRUCTURAL_MUTATIONS.values())],
        algorithm=GeneticAlgorithm(
            SHAPES["skip"], 16, 2, structure=Structure("empty"), seed=3, crossover="none",
            mutation=[mutation, *(kind(rate=0.0) for kind in STRUCTURAL_MUTATIONS.values())],
        ),
    ).population  # fmt: skip
    assert (population.operators == 0).all()


def test_species_part_where_connections_differ():
    shape = SHAPES["skip"]
    masks = np.zeros((4, shape.genome_size), np.bool_)
    masks[:2, :4] = True
    masks[2:, 10:14] = True
    genomes = masks * 0.01
    fitness = np.array([3.0, 2.0, 1.0, 0.0])
    assert Speciation(radius=0.5).species(genomes, fitness).tolist() == [0, 0, 0, 0]
    assert Speciation(radius=0.5, disjoint=1.0).species(genomes, fitness, masks).tolist() == [0, 0, 1, 1]


def test_an_input_is_left_out_if_no_path_leads_from_it_to_an_output():
    network = NeuralNetwork(4, 2, 1, recurrent=True, skip=True)
    shape = network.architecture
    network.genome[:] = 0.0
    network.input_output_weights[0] = 1.0
    network.input_hidden_weights[1, 0] = 1.0  # neuron 0 is read by neuron 1 only, which leads to the output
    network.hidden_hidden_weights[0, 1] = network.hidden_output_weights[1, 0] = 1.0
    assert inputs_left_out(network.genome != 0, shape).tolist() == [2, 3]
    network.hidden_output_weights[1, 0] = 0.0
    assert inputs_left_out(network.genome != 0, shape).tolist() == [1, 2, 3]
    assert inputs_left_out(np.zeros(10, np.bool_), Architecture(4, 0, 2, skip=True)).tolist() == [0, 1, 2, 3]
