"""Measures in a config: from the file to the results, to the last bit, and errors that say where and how to repair."""

import json
import re

import numpy as np
import pytest

from evonet.champion import Champion
from evonet.cli import main
from evonet.errors import ConfigError, UnsuitableEnvironment
from evonet.experiment.build import build_fitness
from evonet.experiment.check import check_config
from evonet.experiment.config import Config
from evonet.inspection.loaded_run import load_run
from evonet.inspection.overview import champion_overview, run_overview, run_overview_data
from evonet.inspection.plots import learning_curve
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.sections.verdict import _scores
from evonet.measures import Condition, Measure
from tests.stopped_runs import exact_files, go_on, run_stopped, run_whole

TEXT = """\
environment: {id: MountainCarContinuous-v0, max_steps: 20}
measures:
  effort: {of: action, power: 2}
  right: {of: observation, index: 0, take: first, when: {of: observation, index: [1], above: 0}, else: last}
algorithm: {population_size: 6}
network: {hidden: 2}
validation: {episodes: 3}
test: {episodes: 4}
stop: {generations: 3, target: 0}
evaluation: {workers: 1}
"""
MEASURES = {
    "effort": Measure("action", power=2),
    "right": Measure(
        "observation",
        index=0,
        take="first",
        when=Condition("observation", index=[1], above=0),
        otherwise="last",
    ),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("measures"), TEXT)


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides, allow=()):
        path = tmp_path / "c.yaml"
        path.write_text(text, encoding="utf-8")
        return Config.load(str(path), overrides, allow)

    return load


def test_a_config_s_measures_are_those_of_python(load):
    fitness = build_fitness(load(TEXT))
    fitness.close()
    assert dict(fitness.task.measures) == MEASURES
    resolved = Config.load(load(TEXT).resolved)
    assert resolved.settings.measures == load(TEXT).settings.measures
    assert load(TEXT).resolved["measures"]["right"]["else"] == "last"


def test_a_stopped_and_resumed_run_with_measures_ends_with_the_same_bytes(whole, tmp_path):
    stopped = run_stopped(tmp_path, TEXT)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


def test_the_champion_s_measures_are_in_its_file_the_summary_and_the_metrics(whole):
    champion = Champion.load(whole / "champion.npz")
    assert dict(champion.task.measures) == MEASURES
    assert list(champion.validation.measures) == ["effort", "right"]
    assert [len(values) for values in champion.test.measures.values()] == [4, 4]
    effort = champion.validation.measures["effort"]
    run = load_run(whole)
    assert run.metrics["measures/effort"][-1] == effort.mean() == champion.validation.measured["effort"][0]
    assert run.metrics["measures_spread/effort"][-1] == effort.std()
    summary = json.loads((whole / "run.json").read_text("utf-8"))["champion"]["measures"]
    assert summary["validation"]["effort"] == [effort.mean(), effort.std()]
    assert summary["test"]["right"] == list(champion.test.measured["right"])
    assert run_overview_data(run)["champion"]["measures"] == summary
    heading = "Measures (mean and standard deviation over 4 fresh episodes)\n  effort"
    assert heading in run_overview(run)
    assert heading in champion_overview(champion, "x")


def test_a_run_with_weights_tells_return_and_fitness_apart_and_goes_on_to_the_last_bit(tmp_path):
    weighted = ("fitness.weights={effort: -3, return: 2}",)
    whole = run_whole(tmp_path, TEXT, *weighted)
    stopped = run_stopped(tmp_path, TEXT, *weighted, after=1)
    unfinished = load_run(stopped).champion.validation
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)
    run, champion = load_run(whole), Champion.load(whole / "champion.npz")
    for score in (champion.validation, champion.test, unfinished):
        assert score.fitness == pytest.approx(2 * score.returns - 3 * score.measures["effort"])
    assert run.metrics["validation_fitness"][-1] == champion.validation.fitness.mean()
    assert run.metrics["validation_mean"][-1] == champion.validation.returns.mean()
    summary = json.loads((whole / "run.json").read_text("utf-8"))
    means = {"validation": champion.validation.fitness_mean, "test": champion.test.fitness_mean}
    assert summary["champion"]["fitness"] == means
    assert summary["solved"] == (champion.test.mean >= 0)  # the target is about the return
    lines = run_overview(run).splitlines()
    assert any(line.startswith("  fitness ") and line.endswith("what the test's episodes are worth") for line in lines)
    assert any(line.endswith("fitness, optimistically biased") for line in lines)
    axes = learning_curve(run)
    drawn = next(line for line in axes.get_lines() if line.get_label() == "champion in validation")
    assert drawn.get_ydata()[-1] == champion.validation.fitness.mean()
    assert axes.get_ylabel() == "fitness"
    cards = {card["name"]: card["note"] for card in _scores(ReportData(run))}
    assert cards["fitness"] == "what the test's episodes are worth"
    assert cards["effort"].endswith(" over the test's episodes")


def test_a_run_without_its_test_shows_the_measures_of_the_validation(tmp_path):
    run = load_run(run_stopped(tmp_path, TEXT))
    assert list(run.champion.validation.measures) == ["effort", "right"]
    assert "Measures (mean and standard deviation over 3 held-out episodes)" in run_overview(run)


def test_the_check_says_what_each_measure_is_and_its_range(load):
    data = [finding.message for finding in check_config(load(TEXT))]
    told = [message for message in data if message.startswith("measure ")]
    assert [message.split(":")[0] for message in told] == ["measure effort", "measure right"]
    assert all(" in the first, " in each and each.endswith("over 18 episodes of random networks") for each in told)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("of: action", "of: acton", "3:3: Measure.of must be one of observation, action, reward, info, length, or "),
        ("power: 2", "powr: 2", "3:24: measures.effort.powr is not a known key; did you mean 'power'? Known: "),
        ("power: 2", "power: 9", "3:24: measures.effort.power must be at most 8, got 9"),
        ("power: 2", "index: 1", "3:3: the index of the measure 'effort' must be less than 1, because the action has"),
        ("above: 0", "abov: 0", "4:87: measures.right.when.abov is not a known key; did you mean 'above'? Known: "),
        ("else: last", "else: latest", "4:98: measures.right.else must be a number or 'first', 'last', "),
        (
            "stop:",
            "fitness: {weights: {efort: 1}}\nstop:",
            "9:21: weights must be those of the return and of ",
        ),
        ("effort", "return", "3:3: 'return' must not be a measure's name: it is the name of the return"),
    ],
)
def test_a_wrong_measure_is_refused_with_its_line_and_the_nearest_name(old, new, message, load, tmp_path):
    with pytest.raises(ConfigError) as refused:
        build_fitness(load(TEXT.replace(old, new))).close()
    assert str(refused.value).startswith(f"{tmp_path}/c.yaml:{message}")


def test_a_function_of_ones_own_needs_permission(load):
    text = TEXT.replace("{of: action, power: 2}", "{of: 'tests.evaluation.test_measuring:whole'}")
    with pytest.raises(UnsuitableEnvironment, match=r"c.yaml:3:12: measures.effort.of: 'tests.evaluation.test_measur"):
        build_fitness(load(text))
    build_fitness(load(text, allow=["tests"])).close()
    with pytest.raises(
        ConfigError, match=r"c.yaml:3:3: the measure 'effort' cannot be taken: 'tests.evaluation.test_m"
    ):
        build_fitness(load(text.replace(":whole", ":hole"), allow=["tests"]))


def test_measures_go_with_an_environment_only(load):
    text = "network: {inputs: 1, outputs: 1}\nfitness: {type: 'a:b'}\nmeasures: {effort: {of: action}}\n"
    with pytest.raises(ConfigError, match=r"c.yaml:3:1: measures must be left out where a function is the fitness"):
        build_fitness(load(text, allow=["a"]))


def test_a_tested_champion_has_the_measures_and_the_fitness_of_its_fresh_episodes(tmp_path, capsys):
    run = run_whole(tmp_path, TEXT, "fitness.weights={effort: -3, return: 2}")
    before = json.loads((run / "run.json").read_text("utf-8"))["champion"]
    assert main(["test", str(run), "--episodes", "2", "--seed", "5"]) == 0
    after, score = (
        json.loads((run / "run.json").read_text("utf-8"))["champion"],
        Champion.load(run / "champion.npz").test,
    )
    assert score.episodes == 2
    assert score.fitness == pytest.approx(2 * score.returns - 3 * score.measures["effort"])
    assert after["measures"]["test"]["effort"] == list(score.measured["effort"]) != before["measures"]["test"]["effort"]
    assert after["fitness"] == {"validation": before["fitness"]["validation"], "test": score.fitness_mean}


def test_a_summary_says_that_a_measure_rules_out_the_kernel(tmp_path):
    text = TEXT.replace("{of: action, power: 2}", "{of: info, key: absent, else: 1}")
    run = load_run(run_whole(tmp_path, text, "stop.generations=1", "environment.max_steps=3"))
    assert run.summary["engine"] == "gymnasium"
    note = "Note: measures.effort rules out the kernel of MountainCarContinuous-v0"
    assert note in run_overview(run).replace("\n", " ")


def test_a_champion_s_file_keeps_measures_and_a_function_of_ones_own_only_with_permission(load, tmp_path):
    text = TEXT.replace("{of: action, power: 2}", "{of: 'tests.evaluation.test_measuring:whole'}")
    fitness = build_fitness(load(text, "fitness.weights={effort: 1}", allow=["tests"]))
    fitness.close()
    genome = np.zeros(fitness.architecture.genome_size)
    path = tmp_path / "own.npz"
    Champion(fitness.architecture, genome, task=fitness.task).save(path)
    strange, allowed = Champion.load(path).task, Champion.load(path, ["tests"]).task
    assert (strange.measures, strange.weights) == ((), ())
    assert (allowed.measures, allowed.weights) == (fitness.task.measures, (0.0, 1.0, 0.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measures": [{"name": "a", "of": "acton"}]}, "Measure.of must be one of observation, action, "),
        ({"measures": [{"name": "a", "of": "action", "index": 7}]}, "the index of the measure 'a' must be less than 1"),
        ({"measures": [{"name": "a", "of": "length"}] * 2}, "measures must have different names, got 'a' twice"),
        ({"measures": [{"name": "a", "of": "length", "more": 1}]}, "measure must have no key 'more'"),
        ({"measures": [{"name": "a", "of": "reward", "when": {}}]}, "Condition.__init__() missing 1 required"),
        ({"measures": [{"name": "a", "of": ["reward"]}]}, "Measure.of must be text, got "),
        ({"weights": [1.0]}, "task.weights must be 3 numbers, got 1"),
        ({"weights": [1.0, "x", 2.0]}, "task.weights.weight must be a finite number, got 'x'"),
    ],
)
def test_forged_measures_of_a_task_are_refused(change, message, whole):
    champion = Champion.load(whole / "champion.npz")
    header, arrays = champion._header, {"genome": champion.genome}
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(message)}"):
        Champion.from_parts(header | {"task": header["task"] | change}, arrays)


def test_a_champion_s_file_with_forged_measures_is_refused(whole):
    champion = Champion.load(whole / "champion.npz")
    header, arrays = champion._header, {"genome": champion.genome, "validation": champion.validation.returns}
    wrong = {
        "validation_measures must have shape (2, 3), got (1, 3)": {"validation_measures": np.zeros((1, 3))},
        "validation_measures must be finite": {"validation_measures": np.full((2, 3), np.inf)},
        "validation_fitness must be float64 of shape (3,), got float64 of shape (2,)": {
            "validation_fitness": np.zeros(2)
        },
        "the file must have no array 'test_measures'": {"test_measures": np.zeros((2, 4))},
    }
    for message, more in wrong.items():
        with pytest.raises(ValueError) as refused:
            Champion.from_parts(header, arrays | more)
        assert str(refused.value) == message
    with pytest.raises(ValueError, match=r"^header.measures must be different names$"):
        Champion.from_parts(header | {"measures": ["a", "a"]}, arrays)
