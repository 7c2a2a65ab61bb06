"""A run whose networks' structure evolves: from YAML, with any number of workers, stopped and resumed, inspected."""

import numpy as np
import pytest

from evonet.cli import main
from evonet.errors import ConfigError
from evonet.experiment.build import build_algorithm, build_fitness
from evonet.inspection.loaded_run import load_run
from tests.stopped_runs import EAGER, SMALL, config_for, exact_files, go_on, run_stopped, run_whole

CARTPOLE = "environment: {id: CartPole-v1, max_steps: 40}\nnetwork: {hidden: 6, structure: {start: minimal}}\n"
GROWING = (
    CARTPOLE + SMALL + "\nevaluation: {workers: 1}\n"
).replace(
    "algorithm: {population_size: 8, elites: 2}",
    "algorithm: {population_size: 8, elites: 2, mutation: [gaussian, {type: add_neuron, rate: 0.3}, "
    "{type: add_connection, rate: 0.3}]}",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("grown"), GROWING)


def test_a_structure_means_skip_connections_and_hidden_is_the_most_there_may_be(tmp_path):
    config = config_for(tmp_path, GROWING)
    fitness = build_fitness(config)
    algorithm = build_algorithm(config, fitness.architecture)
    assert (fitness.architecture.skip, fitness.architecture.num_hidden) == (True, 6)
    assert np.count_nonzero(algorithm.population.masks, axis=1).tolist() == [4 * 2 + 2] * 8


def test_no_hidden_neurons_mean_a_linear_network(tmp_path):
    config = config_for(tmp_path, "environment: {id: CartPole-v1}\nnetwork: {hidden: 0}\n")
    assert list(build_fitness(config).architecture.shapes) == ["input_output_weights", "output_bias"]


RELAY = "{type: relay, generations: 2, algorithm: {type: genetic_algorithm}, then: {type: snes}}"


@pytest.mark.parametrize("algorithm", ["{type: cma_es}", "{type: restarts, algorithm: {type: snes}}", RELAY])
def test_a_structure_is_refused_where_nothing_evolves_it(algorithm, tmp_path):
    config = config_for(tmp_path, f"{CARTPOLE}algorithm: {algorithm}\n")
    with pytest.raises(ConfigError, match=r"network.structure must be left out where no genetic algorithm evolves"):
        build_algorithm(config, build_fitness(config).architecture)


@pytest.mark.parametrize(
    "algorithm",
    ["{type: islands, interval: 2, algorithm: {type: genetic_algorithm, population_size: 8}}",
     "{type: islands, islands: [{}, {elites: 1}], algorithm: {type: genetic_algorithm, population_size: 8}}",
     "{type: restarts, algorithm: {type: genetic_algorithm, population_size: 8}}"],
)  # fmt: skip
def test_the_structure_reaches_the_algorithms_within_others(algorithm, tmp_path):
    config = config_for(tmp_path, f"{CARTPOLE}algorithm: {algorithm}\n")
    algorithm = build_algorithm(config, build_fitness(config).architecture)
    assert (algorithm.population.genomes[~algorithm.population.masks] == 0).all()


def test_the_metrics_tell_the_sizes(run):
    metrics = load_run(run).metrics
    assert metrics["connections"].min() >= 1
    assert metrics["champion_connections"][-1] == np.count_nonzero(load_run(run).champion.genome)
    assert metrics["hidden_neurons"].shape == metrics["generation"].shape


def test_the_lineage_names_the_structural_mutations(run):
    assert {"add_neuron mutation", "add_connection mutation"} < set(load_run(run).lineage.operators)


@pytest.mark.parametrize("after", [0, 3])
def test_stopped_and_resumed_it_ends_with_the_same_bytes(after, run, tmp_path):
    stopped = run_stopped(tmp_path, GROWING, *EAGER, after=after)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(run)


def test_two_workers_get_the_same_bytes(run, tmp_path):
    other = run_whole(tmp_path, GROWING, "evaluation.workers=2", "evaluation.engine=gymnasium", name="two")
    one = run_whole(tmp_path, GROWING, "evaluation.engine=gymnasium", name="one")
    assert exact_files(other) == exact_files(one)


def test_absent_connections_are_dots_and_free_neurons_are_not_printed(run, capsys):
    assert main(["inspect", str(run), "--weights"]) == 0
    printed = capsys.readouterr().out
    network = load_run(run).champion.network
    used = (network.hidden_output_weights != 0).any(axis=1)
    assert f"{np.count_nonzero(network.genome)} of them not 0" in printed
    (head, *_) = [line.split()[2:] for line in printed.splitlines() if "hidden neuron" in line] or [[]]
    assert head == [str(index) for index in np.flatnonzero(used)]


@pytest.mark.parametrize(
    ("network", "found"),
    [("{hidden: 0}", ["All hidden neurons are active"]),
     ("{hidden: 5, structure: {start: minimal, density: 0.2}}", ["Size of the networks", "Left out: the inputs"])],
)  # fmt: skip
def test_networks_without_a_hidden_layer_and_growing_ones_have_a_report(network, found, tmp_path, capsys):
    text = f"environment: {{id: CartPole-v1, max_steps: 30}}\nnetwork: {network}\n{SMALL}\nevaluation: {{workers: 1}}\n"
    path = run_whole(tmp_path, text, "stop.generations=2")
    assert main(["inspect", str(path), "--json"]) == 0
    assert main(["inspect", str(path), "--html", str(tmp_path / "report.html")]) == 0
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [words for words in ["Influence of each input", *found] if words not in report] == []
    capsys.readouterr()
    assert main(["inspect", str(path)]) == 0
    assert ("Inputs left out: " in capsys.readouterr().out) == ("Left out: the inputs" in found)
