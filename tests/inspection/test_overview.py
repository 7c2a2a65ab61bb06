"""The overview: everything that a reader wants to know of a run, in words and as data, and all of it true."""

import json
import re

import numpy as np
import pytest

from evonet import Architecture, Champion, NeuralNetwork, Score
from evonet.environments.known import KNOWN, names_for
from evonet.experiment.config import Config
from evonet.experiment.run_files.run_directory import to_json
from evonet.experiment.runner import run
from evonet.fitness import EpisodeReturn
from evonet.inspection.loaded_run import load_run
from evonet.inspection.overview import influence, run_overview, run_overview_data
from evonet.inspection.phrases import ARROWS, number
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.sections import ancestry, record
from evonet.inspection.verdict import run_verdict
from evonet.scores import with_interval
from tests.inspection.conftest import brief_run


@pytest.fixture
def text(small_run):
    return run_overview(load_run(small_run))


def test_the_verdict_comes_first_with_scores_effort_and_place(text, small_run):
    summary = load_run(small_run).summary
    champion, (low, high) = summary["champion"], summary["champion"]["test_interval"]
    title, test, target, validation, training, took, saved = text.partition("\n\n")[0].splitlines()
    assert title == "Not solved  small · CartPole-v1 · seed 3"
    shown = with_interval(champion["test_mean"], (low, high), 1000.0)
    assert test == f"  test        {shown}  6 fresh episodes, 95 % interval"
    assert target == "  target      1,000"
    assert re.fullmatch(
        rf"  validation  {re.escape(number(champion['validation_mean'], 4))} +5 episodes that chose it", validation
    )
    assert re.fullmatch(
        rf"  training    {re.escape(number(champion['training_fitness'], 4))} +optimistically biased", training
    )
    steps = summary["environment_steps"] + summary["validation_steps"]
    assert took.endswith(f" s, 8 generations, {steps:,} steps; stopped by generations")
    assert saved == f"  saved in    {small_run}"


def test_a_discrete_observation_has_a_square_of_actions_in_place_of_its_inputs(discrete_run, text):
    run = load_run(discrete_run)
    shown = run_overview(run)
    assert "Strongest inputs" not in shown
    assert "Policy" not in text
    rows = shown.split("Policy (the action for each observation)\n")[1].split("\n\n")[0].splitlines()
    assert [len(row.split()) for row in rows] == [8, 8, 8, 8]
    cells = " ".join(rows).split()
    assert cells[::2] == [str(value) for value in range(16)]
    assert cells[1::2] == [ARROWS[("left", "down", "right", "up")[run.champion.act(value)]] for value in range(16)]


def test_the_summary_and_the_report_say_why_a_kernel_did_not_run(text, tmp_path):
    assert "kernel" not in text
    wrapped = "environment: {id: Pendulum-v1, wrappers: [FlattenObservation], max_steps: 9}\nstop: {generations: 1}\n"
    with ReportData(load_run(brief_run(tmp_path, wrapped))) as data:
        (note,) = [line for line in record(data).lead if "kernel" in line]
        assert note.startswith("Note: environment.wrappers rules out the kernel of Pendulum-v1: ")
        assert note in " ".join(run_overview(data.run).split())
        assert all(len(line) <= 80 for line in run_overview(data.run).splitlines() if "kernel" in line)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"solved": True, "target": 90.0}, "Solved  "),
        ({"solved": False, "target": None}, "Tested  "),
        ({"finished": False}, "Unfinished  "),
    ],
)
def test_the_verdict_says_solved_only_where_the_run_does(changes, word, small_run):
    summary = load_run(small_run).summary
    assert run_verdict({**summary, **changes}).startswith(word)
    kind = {"Solved  ": "good"}.get(word, "dim")
    painted = run_verdict({**summary, **changes}, lambda text, kind: f"<{kind}>{text}")
    assert painted.startswith(f"<{kind}>{word}")
    assert "<dim>optimistically biased" in painted


def test_weights_are_printed_on_request_each_beside_the_names_of_its_ends(text, small_run):
    run = load_run(small_run)
    assert "hidden neuron" not in text
    assert "Network 4-3-2 (tanh/identity), 23 weights" in text
    table, biases = run_overview(run, weights=True).split("\n\n")[-2:]
    network = run.champion.network
    head, *rows = table.splitlines()
    assert head.split() == ["hidden", "neuron", "0", "1", "2"]
    columns = [network.neuron("hidden", index) for index in range(3)]
    labels = [*(f"from {name}" for name in KNOWN["CartPole-v1"].names.inputs), "bias", "to push left", "to push right"]
    for place, (label, row) in enumerate(zip(labels, rows, strict=True)):
        values = [np.concatenate([each.incoming, each.bias, each.outgoing])[place] for each in columns]
        assert re.split(r"  +", row.strip()) == [label, *(f"{value:+.3f}" for value in values)]
    shown = [re.split(r"  +", line.strip()) for line in biases.splitlines()]
    left, right = (f"{value:+.3f}" for value in network.output_bias)
    assert shown == [["bias of the outputs"], ["push left", left], ["push right", right]]


def test_a_wide_recurrent_network_is_printed_in_blocks_of_80_columns(small_run):
    champion = champion_like(load_run(small_run), Architecture(2, 20, 3, recurrent=True))
    text = run_overview(replaced(small_run, champion), weights=True).partition("weights\n\n")[2]
    assert max(map(len, text.splitlines())) <= 80
    recurrent = re.findall(r"from hidden 7 +(.*)", text)
    assert " ".join(recurrent).split() == [f"{value:+.3f}" for value in champion.network.hidden_hidden_weights[7]]


def champion_like(run, shape):
    genome = np.random.default_rng(0).normal(size=shape.genome_size)
    score = Score(np.array([1.0]))
    return Champion(shape, genome, id=run.champion.id, validation=score, test=score)


def replaced(folder, champion):
    run = load_run(folder)
    run.__dict__["champion"] = champion
    return run


def test_the_ancestry_has_operators_mates_and_gains(text, small_run):
    line = load_run(small_run).descent
    assert f"Ancestry ({len(line)} individuals, first parents" in text
    for ancestor in line:
        (shown,) = [row for row in text.splitlines() if re.search(rf"id {ancestor.individual} ", row)]
        assert f"generation {ancestor.generation:>4}" in shown
        assert f" {number(ancestor.fitness, 4)} " in shown
        assert (shown.rstrip().endswith("random weights")) == (not ancestor.parents)
        assert ("(with" in shown) == (len(ancestor.parents) == 2)
        assert ancestor.gain is None or f"({ancestor.gain:+.4g})" in shown


def test_the_text_fits_80_columns(small_run):
    lines = run_overview(load_run(small_run), weights=True).splitlines()
    assert max(map(len, lines)) <= 80, max(lines, key=len)


def test_a_learning_curve_is_drawn_from_ten_generations_on(text, small_run):
    assert "Learning curve" not in text
    run = load_run(small_run)
    run.__dict__["metrics"] = {name: np.tile(values, 2) for name, values in run.metrics.items()}
    assert "Learning curve (over generations)" in run_overview(run)
    assert f"+{'-' * 60}\n" in run_overview(run)
    assert "* validation   + best   . median" in run_overview(run)


@pytest.fixture(scope="module")
def sampled_run(tmp_path_factory):
    """A run of a strategy that names no parents."""
    text = "environment: {id: CartPole-v1, max_steps: 50}\nalgorithm: {type: snes, population_size: 6}\n"
    text += "evaluation: {episodes: 1, workers: 1}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\n"
    folder = tmp_path_factory.mktemp("sampled")
    (folder / "c.yaml").write_text(text + "network: {hidden: 2}\nstop: {generations: 4, target: null}\n")
    run(Config.load(str(folder / "c.yaml")), folder / "run")
    return folder / "run"


def test_a_strategy_that_names_no_parents_has_its_search_in_place_of_an_ancestry(sampled_run):
    loaded = load_run(sampled_run)
    text, metrics = run_overview(loaded), loaded.metrics
    assert "random weights" not in text
    assert "Ancestry" not in text
    assert f"step size      {number(metrics['sigma'][0], 3)} after the first generation, " in text
    assert f"mean           {number(metrics['mean_distance'][-1], 3)} from where it began" in text
    rises = int((np.diff(metrics["best"]) > 0).sum())
    assert f"the best fitness rose in {rises} of 3 generations" in text
    birth = int(loaded.lineage.generations[loaded.lineage.row(loaded.champion.id)])
    assert f"sampled in generation {birth}" in text


def test_the_report_shows_the_search_of_a_strategy_that_names_no_parents(sampled_run):
    with ReportData(load_run(sampled_run), effort=0.01) as data:
        section = ancestry(data)
    assert section.title == "Search"
    assert [figure.key for figure in section.figures] == ["sigma", "mean"]
    assert "random weights" not in repr(section)


def test_the_data_agree_with_the_text_and_are_json(small_run):
    run = load_run(small_run)
    data = json.loads(to_json(run_overview_data(run)))
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


def test_a_run_without_a_champion_has_an_overview_too(failed_run):
    run = load_run(failed_run)
    text = run_overview(run)
    assert "No champion: not one individual could be scored on held-out episodes. Failures of training are in" in text
    assert text.startswith("No champion  ")
    assert json.loads(to_json(run_overview_data(run)))["champion"] is None


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
    text = run_overview(replaced(small_run, champion))
    strongest = int(np.argmax(influence(champion.network)))
    assert text.partition("on all paths to the outputs)\n")[2].split()[:2] == ["input", str(strongest)]
    assert "… and 142 more" in text


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
