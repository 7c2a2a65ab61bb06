"""The account: everything that a reader wants to know of a run, in words and as data, and all of it true."""

import json
import re

import numpy as np
import pytest

from evonet import Architecture, Champion, NeuralNetwork, Score
from evonet.environments.known import KNOWN, names_for
from evonet.experiment.run_directory import to_json
from evonet.fitness import EpisodeReturn
from evonet.inspection.account import account, account_data, influence
from evonet.inspection.loaded_run import load_run


@pytest.fixture
def text(small_run):
    return account(load_run(small_run))


def test_the_verdict_is_about_the_test_and_names_target_and_interval(text, small_run):
    summary = load_run(small_run).summary
    low, high = summary["champion"]["test_interval"]
    assert text.splitlines()[0] == "small · CartPole-v1 · seed 3"
    assert text.splitlines()[2] == (
        f"Not solved: the champion scores {summary['champion']['test_mean']:.6g} on 6 fresh episodes "
        f"(95 % interval {low:.6g} to {high:.6g}), target 1,000."
    )


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"solved": True, "target": 90.0}, "Solved: the champion scores "),
        ({"solved": False, "target": None}, "The champion scores "),
    ],
)
def test_the_verdict_says_solved_only_where_the_run_does(changes, start, small_run):
    run = load_run(small_run)
    run.__dict__["summary"] = {**run.summary, **changes}
    assert account(run).splitlines()[2].startswith(start)


def test_each_of_the_three_scores_has_a_line_with_its_name(text, small_run):
    champion = load_run(small_run).champion
    for name, value in (
        ("test", champion.test.mean),
        ("validation", champion.validation.mean),
        ("training", champion.training_fitness),
    ):
        assert re.search(rf"^  {name} +{re.escape(f'{value:.6g}')}  ", text, re.MULTILINE), name


def test_the_effort_is_in_the_text(text, small_run):
    summary = load_run(small_run).summary
    assert f"8 generations, {12 * 8} evaluations, {summary['environment_steps']:,} environment steps" in text
    assert f"on the {summary['engine']} engine; stopped by: generations." in text


def test_a_small_network_is_a_table_of_all_its_weights(text, small_run):
    network = load_run(small_run).champion.network
    head, *rows = text.partition("Network 4-3-2 (tanh/identity), 23 genes\n")[2].splitlines()[:5]
    assert re.split(r"  +", head.strip()) == [
        "cart position", "cart velocity", "pole angle", "pole angular velocity", "bias", "push left", "push right"
    ]  # fmt: skip
    for index, row in enumerate(rows[:3]):
        neuron = network.neuron("hidden", index)
        values = [*neuron.incoming, *neuron.bias, *neuron.outgoing]
        assert row.split() == ["hidden", str(index), *(f"{value:+.3f}" for value in values)]
    assert rows[3].split() == ["output", "bias", *(f"{value:+.3f}" for value in network.output_bias)]
    ends = [match.end() for match in re.finditer(r"\S+( \S+)*", head)]
    assert all({match.end() for match in re.finditer(r"[+-]\d+\.\d+", row)} <= set(ends) for row in rows)


def test_a_network_too_wide_for_a_table_is_a_list_of_all_its_neurons(small_run):
    shape = Architecture(14, 2, 3, recurrent=True)
    champion = champion_like(load_run(small_run), shape)
    text = account(replaced(small_run, champion))
    labels = ["hidden 0", "hidden 1", "output 0", "output 1", "output 2"]
    neurons = [("hidden", 0), ("hidden", 1), ("output", 0), ("output", 1), ("output", 2)]
    block = text.partition(", 43 genes\n")[2].partition("\n\n")[0]
    for label, (layer, index) in zip(labels, neurons, strict=True):
        paragraph = block.partition(f"  {label}\n")[2].partition("\n  h")[0].partition("\n  o")[0]
        parts = re.findall(r"([a-z]+)((?:\s+[+-][\d.]+)+)", paragraph)
        shown = {name: numbers.split() for name, numbers in parts}
        neuron = champion.network.neuron(layer, index)
        expected = {n: [f"{v:+.3f}" for v in values] for n, values in neuron._asdict().items() if values.size}
        assert shown == expected, label


def champion_like(run, shape):
    genome = np.random.default_rng(0).normal(size=shape.genome_size)
    score = Score(np.array([1.0]))
    return Champion(shape, genome, id=run.champion.id, validation=score, test=score)


def replaced(folder, champion):
    run = load_run(folder)
    run.__dict__["champion"] = champion
    return run


def test_the_line_of_descent_has_operators_mates_and_gains(text, small_run):
    line = load_run(small_run).descent
    assert f"Line of descent ({len(line)} individuals by first parents" in text
    for ancestor in line:
        (shown,) = [row for row in text.splitlines() if re.search(rf"individual {ancestor.individual} ", row)]
        assert f"generation {ancestor.generation:>4}" in shown
        assert f"fitness {ancestor.fitness:.6g}" in shown
        assert all(operator in shown for operator in ancestor.operators)
        assert ("random weights" in shown) == (not ancestor.parents)
        mate = f"(with {ancestor.parents[1]})" if len(ancestor.parents) == 2 else ""
        assert shown.endswith(mate)
        assert ("(with" in shown) == bool(mate)
        assert ancestor.gain is None or f"({ancestor.gain:+.6g})" in shown


def test_the_text_fits_120_columns(text):
    widths = {len(line): line for line in text.partition("Line of descent")[0].splitlines()}  # operators may be many
    assert max(widths) <= 120, widths[max(widths)]


def test_the_learning_curve_is_drawn(text):
    assert "Learning curve (over generations)" in text
    assert "* validation   + best   . median" in text


def test_the_data_agree_with_the_text_and_are_json(small_run):
    run = load_run(small_run)
    data = json.loads(to_json(account_data(run)))
    assert {**run.summary}.items() <= data.items()
    assert data["architecture"]["num_inputs"] == 4
    assert [entry["name"] for entry in data["inputs"]] == list(KNOWN["CartPole-v1"].names.inputs)
    assert sum(entry["influence"] for entry in data["inputs"]) == pytest.approx(1.0)
    assert data["outputs"] == ["push left", "push right"]
    assert [ancestor["individual"] for ancestor in data["ancestors"]] == [a.individual for a in run.descent]
    assert [point["best"] for point in data["learning_curve"]] == run.metrics["best"].tolist()
    genes = sum(len(neuron[part]) for neuron in data["neurons"] for part in ("incoming", "bias"))
    assert genes == run.champion.architecture.genome_size
    for neuron in data["neurons"]:
        expected = run.champion.network.neuron(neuron["layer"], neuron["index"])
        assert neuron["incoming"] == expected.incoming.tolist()
        assert neuron["outgoing"] == expected.outgoing.tolist()


def test_a_run_without_a_champion_has_an_account_too(failed_run):
    run = load_run(failed_run)
    text = account(run)
    assert "No champion: not one individual could be scored. See faults.jsonl." in text
    assert "(no values)" in text
    assert json.loads(to_json(account_data(run)))["champion"] is None


def test_influence_is_the_share_of_the_paths():
    network = NeuralNetwork(3, 2, 1, seed=0)
    network.input_hidden_weights = [[1.0, 0.0], [0.0, -2.0], [0.0, 0.0]]
    network.hidden_output_weights = [[-3.0], [0.5]]
    assert influence(network) == [0.75, 0.25, 0.0]
    network.genome = 0.0
    assert influence(network) == [0.0, 0.0, 0.0]


def test_weights_whose_products_are_infinite_have_shares_too():
    network = NeuralNetwork(2, 2, 1)
    network.genome = 1e308
    assert np.isfinite(influence(network)).all()


def test_only_the_strongest_of_very_many_inputs_are_shown(small_run):
    champion = champion_like(load_run(small_run), Architecture(150, 2, 1))
    text = account(replaced(small_run, champion))
    strongest = int(np.argmax(influence(champion.network)))
    assert text.partition("on all paths to the outputs)\n")[2].split()[:2] == ["input", str(strongest)]
    assert "… and 138 more" in text
    assert "(150, all of them with --json)" in text


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"CartPole-v0", "LunarLander-v3", "LunarLanderContinuous-v3"}))
def test_the_known_names_fit_the_environments(name):
    shape = EpisodeReturn(name).architecture
    known = names_for(name, shape.num_inputs, shape.num_outputs)
    assert known == KNOWN[name].names
    assert (len(known.inputs), len(known.outputs)) == (shape.num_inputs, shape.num_outputs)


@pytest.mark.parametrize(("name", "inputs"), [(None, 4), ("Nobody-v0", 4), ("CartPole-v1", 5)])
def test_where_no_name_is_known_or_fits_there_are_numbers(name, inputs):
    names = names_for(name, inputs, 2)
    assert list(names.inputs) == [f"input {i}" for i in range(inputs)]
    assert list(names.outputs) == ["output 0", "output 1"]
