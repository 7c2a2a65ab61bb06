"""Pruning: inputs go one by one, as long as the smaller network is as fit as the one that it began with."""

import numpy as np
import pytest

from evonet import Architecture, NeuralNetwork, evolve
from evonet.operators.structure import inputs_left_out, neurons_of
from evonet.strategies.pruning import Pruning
from evonet.testing.strategy import through_a_file

LINEAR = Architecture(5, 0, 2, skip=True)
SHAPES = [LINEAR, Architecture(5, 3, 2), Architecture(5, 3, 2, skip=True), Architecture(5, 3, 2, recurrent=True)]
COSTS = np.array([0.0, 5.0, 0.0, 0.5, 0.0])  # of each input's removal


def genome_of(architecture):
    return np.linspace(0.5, 1.5, architecture.genome_size)


def costs(genomes, architecture, weights=COSTS):
    """What the inputs are worth that each of the genomes has left out, `(n,)`."""
    return np.array([weights[inputs_left_out(genome != 0, architecture)].sum() for genome in genomes])


def pruned(algorithm, weights=COSTS, rounds=10):
    while rounds and not algorithm.finished:
        algorithm.tell(-costs(algorithm.ask(), algorithm.architecture, weights))
        rounds -= 1
    return algorithm


def sizes(algorithm):
    return [len(inputs_left_out(genome != 0, algorithm.architecture)) for genome in algorithm.smaller.genomes]


@pytest.mark.parametrize("architecture", SHAPES)
def test_a_generation_is_the_network_and_each_network_with_an_input_less(architecture):
    genome = genome_of(architecture)
    genomes = Pruning(architecture, genome).ask()
    assert (genomes[0] == genome).all()
    assert [inputs_left_out(each != 0, architecture).tolist() for each in genomes] == [[], [0], [1], [2], [3], [4]]
    for smaller in genomes[1:]:
        assert (smaller[smaller != 0] == genome[smaller != 0]).all()
        gone = architecture.genome_size - np.count_nonzero(smaller)
        assert gone == (architecture.num_hidden or 0) + (architecture.num_outputs if architecture.skip else 0)


@pytest.mark.parametrize("architecture", SHAPES)
def test_inputs_that_cost_nothing_are_removed_and_the_others_stay(architecture):
    algorithm = pruned(Pruning(architecture, genome_of(architecture)))
    assert sizes(algorithm) == [3, 2, 1]
    assert inputs_left_out(algorithm.smaller.genomes[0] != 0, architecture).tolist() == [0, 2, 4]
    assert algorithm.smaller.fitness.tolist() == [0.0, 0.0, 0.0]


def test_the_loss_from_the_first_network_may_be_one_standard_error():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    differences = np.tile([1.0, -1.0], 5)  # standard error 1.05 / sqrt(10)
    for _ in range(5):
        genomes = algorithm.ask()
        lost = 0.2 * costs(genomes, LINEAR, np.ones(5))
        returns = np.where(np.arange(len(genomes))[:, None], differences, 0.0) - lost[:, None]
        algorithm.tell(-lost, returns)
    assert algorithm.finished
    assert sizes(algorithm) == [1]  # 0.2 is within 0.33, 0.4 is not


def test_the_error_is_that_of_the_differences_in_the_same_episodes():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    returns = np.tile([100.0, -100.0, 50.0, -50.0], (6, 1))  # episodes differ, and the loss is the same in each of them
    returns[1:] -= 0.1
    algorithm.tell(returns.mean(axis=1), returns)
    assert algorithm.finished
    assert sizes(algorithm) == []


def test_the_fitness_is_compared_with_that_in_the_same_generation():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    for level in (9.0, 1.0, 5.0):  # later episodes may be worth less
        algorithm.tell(np.full(len(algorithm.ask()), level))
    assert sizes(algorithm) == [3, 2, 1]
    assert algorithm.smaller.fitness.tolist() == [5.0, 1.0, 9.0]


def test_a_population_knows_which_connections_exist():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    assert (algorithm.population.masks == (algorithm.ask() != 0)).all()
    assert algorithm.population.masks.sum(axis=1).tolist() == [12, 10, 10, 10, 10, 10]


def test_a_smaller_network_has_the_fitness_that_it_was_chosen_for():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    algorithm.tell(np.array([1.0, 1.0, 3.0, 1.0, 1.0, 1.0]))
    assert algorithm.smaller.fitness.tolist() == [3.0]
    assert inputs_left_out(algorithm.smaller.genomes[0] != 0, LINEAR).tolist() == [1]


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_fitness_that_is_not_finite_is_no_score(odd):
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    algorithm.tell(np.array([0.0, odd, 0.0, 0.0, 0.0, 0.0]))
    assert algorithm.population.fitness[1] == -np.inf
    assert inputs_left_out(algorithm.smaller.genomes[0] != 0, LINEAR).tolist() == [1]


def test_a_state_with_one_input_left_is_finished_when_it_is_restored():
    algorithm = pruned(Pruning(LINEAR, genome_of(LINEAR)), np.zeros(5))
    again = Pruning(LINEAR, genome_of(LINEAR))
    again.restore(algorithm.state() | {"finished": False})  # as earlier versions saved it
    assert again.finished


def test_without_returns_the_fitness_may_not_fall():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    for loss in (0.0, 1e-9):
        algorithm.tell(-loss * (costs(algorithm.ask(), LINEAR, np.ones(5)) > 0))
    assert algorithm.finished
    assert sizes(algorithm) == [1]


def test_with_one_input_left_it_is_finished_and_asks_for_the_first_network_alone():
    algorithm = pruned(Pruning(LINEAR, genome_of(LINEAR)), np.zeros(5), rounds=4)
    assert algorithm.finished
    assert sizes(algorithm) == [4, 3, 2, 1]
    assert (algorithm.ask() == genome_of(LINEAR)).all()
    assert len(algorithm.ask()) == 1


@pytest.mark.parametrize(
    ("fitness", "returns", "rule"),
    [
        (np.zeros(5), None, r"fitness of shape \(6,\), got \(5,\)"),
        (np.zeros((6, 1)), None, r"fitness of shape \(6,\), got \(6, 1\)"),
        (np.zeros(6), np.zeros(6), r"returns of shape \(6, episodes\), got \(6,\)"),
        (np.zeros(6), np.zeros((5, 2)), r"returns of shape \(6, episodes\), got \(5, 2\)"),
    ],
)
def test_numbers_of_the_wrong_shape_are_refused_and_change_nothing(fitness, returns, rule):
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    with pytest.raises(ValueError, match=rf"^Pruning\.tell must get {rule}$"):
        algorithm.tell(fitness, returns)
    assert algorithm.population.fitness is None
    assert pruned(algorithm).smaller.ids.tolist() == pruned(Pruning(LINEAR, genome_of(LINEAR))).smaller.ids.tolist()


def test_a_second_tell_is_about_the_next_networks():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    algorithm.tell(np.zeros(6))
    with pytest.raises(ValueError, match=r"fitness of shape \(5,\), got \(6,\)"):
        algorithm.tell(np.zeros(6))
    assert sizes(algorithm) == [1]


@pytest.mark.parametrize("inputs", [0, 1])
def test_a_network_with_one_input_or_none_is_finished_at_once(inputs):
    genome = np.zeros(LINEAR.genome_size)
    genome[: 2 * inputs], genome[-2:] = 1.0, 1.0  # weights of the first input, and biases
    assert inputs_left_out(genome != 0, LINEAR).tolist() == list(range(inputs, 5))
    algorithm = Pruning(LINEAR, genome)
    assert algorithm.finished
    assert not len(algorithm.smaller)
    assert (algorithm.ask() == genome).all()


def test_networks_that_cannot_be_scored_are_never_chosen():
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    returns = np.zeros((6, 4))
    returns[1:, 2] = np.nan
    algorithm.tell(np.array([0.0, *[-np.inf] * 5]), returns)
    assert algorithm.finished
    assert not len(algorithm.smaller)
    algorithm = Pruning(LINEAR, genome_of(LINEAR))
    algorithm.tell(np.full(6, np.nan), np.full((6, 4), np.nan))
    assert algorithm.finished


def test_hidden_neurons_without_inputs_go_with_the_last_of_them():
    shape = Architecture(2, 2, 1)
    network = NeuralNetwork(2, 2, 1, seed=1)
    network.input_hidden_weights[:] = [[1.0, 0.0], [0.0, 1.0]]
    genomes = Pruning(shape, network).ask()
    assert neurons_of(genomes != 0, shape).tolist() == [[True, True], [False, True], [True, False]]


def test_ids_are_unique_and_parents_are_those_with_an_input_more():
    algorithm, seen = Pruning(LINEAR, genome_of(LINEAR), individual=7, first_id=20), {7}
    parent = 7
    for _ in range(3):
        algorithm.ask()
        population = algorithm.population
        assert population.ids[0] == 7
        assert seen.isdisjoint(population.ids[1:].tolist())
        assert population.parents[1:, 0].tolist() == [parent] * (len(population) - 1)
        assert population.operators_of(1) == ("remove_input",)
        seen |= set(population.ids.tolist())
        algorithm.tell(np.zeros(len(population)))
        parent = int(algorithm.smaller.ids[0])
    assert min(seen - {7}) == 20


@pytest.mark.parametrize("rounds", [0, 1, 2, 9])
def test_a_restored_pruning_continues_bit_for_bit(rounds):
    algorithm = pruned(Pruning(LINEAR, genome_of(LINEAR)), rounds=rounds)
    again = Pruning(LINEAR, genome_of(LINEAR))
    again.restore(through_a_file(algorithm.state()))
    assert again.finished == algorithm.finished
    assert (again.ask() == algorithm.ask()).all()
    assert (again.population.ids == algorithm.population.ids).all()
    assert (pruned(again).smaller.genomes == pruned(algorithm).smaller.genomes).all()


def test_it_is_an_algorithm_for_evolve():
    network = NeuralNetwork(4, 0, 1, skip=True, seed=1)
    needed = network.genome[1]
    pruning = Pruning(network.architecture, network, seed=1)
    generations = evolve(pruning, lambda network: float(network.input_output_weights[1, 0] == needed))
    while not pruning.finished:
        next(generations)
    assert inputs_left_out(pruning.smaller.genomes[0] != 0, network.architecture).tolist() == [0, 2, 3]


def test_a_wrong_setting_is_refused():
    with pytest.raises(ValueError, match=r"^Pruning.first_id must be at least 0, got -1$"):
        Pruning(LINEAR, genome_of(LINEAR), first_id=-1)
    with pytest.raises(ValueError, match=r"^Pruning.first_id must be above individual \(5\), got 5$"):
        Pruning(LINEAR, genome_of(LINEAR), individual=5, first_id=5)
    with pytest.raises(ValueError, match=r"^Pruning.initial must have shape \(12,\)"):
        Pruning(LINEAR, np.ones(3))
