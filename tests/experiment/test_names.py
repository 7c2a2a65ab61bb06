"""Inputs and outputs go by the names in the config, else in the environment's metadata, else by known names."""

import json

import gymnasium as gym
import numpy as np
import pytest

from evonet.champion import Champion
from evonet.cli import main
from evonet.environments.known import Names
from evonet.errors import ConfigError
from evonet.evaluation.task_descriptions import describe_task, task_from
from evonet.experiment.build import build_fitness
from evonet.experiment.config import Config
from evonet.fitness import EpisodeReturn
from evonet.inspection.loaded_run import load_run
from tests.own_parts import MODULE, Line

REST = "network: {hidden: 2}\nalgorithm: {population_size: 4}\nevaluation: {episodes: 1, workers: 1}\n"
REST += "validation: {episodes: 2}\ntest: {episodes: 2}\nstop: {generations: 2}\n"
LINE = f"environment: {{id: '{MODULE}:Line', max_steps: 9}}\n"
FUNCTION = f"fitness: {{type: '{MODULE}:nearness'}}\nnetwork: {{hidden: 2, inputs: 2, outputs: 1"


class Numbered(Line):
    """Its metadata name another number of inputs, and an action that is no text."""

    metadata = Line.metadata | {"observation_names": ["a", "b"], "action_names": ["left", 3]}


def run(tmp_path, text, name="run"):
    (tmp_path / "c.yaml").write_text(text)
    paths = [str(tmp_path / "c.yaml"), "--output", str(tmp_path / name)]
    assert main(["run", *paths, "--quiet", "--allow-import", MODULE]) == 0
    return load_run(tmp_path / name, [MODULE])


def test_the_names_in_the_metadata_are_in_the_summary_the_champion_s_file_and_exports(tmp_path, capsys):
    found = run(tmp_path, LINE + REST)
    assert found.names == Names(("place",), ("left", "right"))
    assert Champion.load(tmp_path / "run/champion.npz").names == found.names
    assert main(["inspect", str(tmp_path / "run"), "--weights"]) == 0
    out = capsys.readouterr().out
    assert "place" in out
    assert "right" in out
    assert main(["export", str(tmp_path / "run"), "--to", "json", str(tmp_path / "c.json")]) == 0
    about = json.loads((tmp_path / "c.json").read_text())
    assert (about["inputs"], about["outputs"]) == (["place"], ["left", "right"])
    assert main(["export", str(tmp_path / "run"), "--to", "c", str(tmp_path / "c.h")]) == 0
    assert " *   0  place\n" in (tmp_path / "c.h").read_text()


def test_the_config_s_names_come_before_those_of_the_metadata_and_known_ones_come_last(tmp_path):
    text = REST.replace("hidden: 2", "hidden: 2, output_names: [west, east]")
    assert run(tmp_path, LINE + text).names == Names(("place",), ("west", "east"))
    known = EpisodeReturn("CartPole-v1", input_names=["x", "v", "angle", "w"]).task.names
    assert known == Names(("x", "v", "angle", "w"), ("push left", "push right"))


def test_names_in_metadata_that_do_not_fit_are_left_out():
    assert EpisodeReturn(Numbered).task.names == Names(["input 0"], ["output 0", "output 1"])
    wrapped = EpisodeReturn(lambda: gym.wrappers.FrameStackObservation(Line(), 2)).task.names
    assert wrapped == Names(["input 0", "input 1"], ("left", "right"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("input_names: [a, b]", "input_names must be 1 name, because the network has 1 input, got 2"),
        ("output_names: [a]", "output_names must be 2 names, because the network has 2 outputs, got 1"),
        ("input_names: ['']", "input_names must be names of 1 to 100 printable characters, got ['']"),
        (
            r'output_names: [a, "\e[2J"]',
            r"output_names must be names of 1 to 100 printable characters, got ['a', '\x1b[2J']",
        ),
    ],
)
def test_names_that_do_not_fit_the_network_are_refused_with_their_place(names, message, tmp_path):
    (tmp_path / "c.yaml").write_text(LINE + REST.replace("hidden: 2", f"hidden: 2, {names}"))
    with pytest.raises(ConfigError) as refused:
        build_fitness(Config.load(str(tmp_path / "c.yaml"), allow_imports=[MODULE]))
    assert str(refused.value) == f"{tmp_path / 'c.yaml'}:2:22: network.{message}"


def test_a_fitness_function_without_an_environment_has_the_config_s_names(tmp_path):
    rest = REST.replace("network: {hidden: 2}\n", "")
    assert run(tmp_path, f"{FUNCTION}, input_names: [a, b]}}\n{rest}").names == Names(("a", "b"), ["output 0"])
    (tmp_path / "c.yaml").write_text(f"{FUNCTION}, input_names: [a]}}\n{rest}")
    with pytest.raises(ConfigError, match=r"network.input_names must be 2 names, because the network has 2 inputs"):
        build_fitness(Config.load(str(tmp_path / "c.yaml"), allow_imports=[MODULE]))


@pytest.mark.parametrize("names", [["a", "b"], ["\x1b[2J"], [""], ["x" * 101], [3], "a", {}])
def test_a_stranger_s_names_are_checked_and_a_task_without_names_is_described_as_before(names):
    task = EpisodeReturn(Line).task
    description = json.loads(json.dumps(describe_task(task)))
    assert description["input_names"] == ["place"]
    with pytest.raises((TypeError, ValueError), match="input_names"):
        task_from(description | {"input_names": names}, task.architecture, ())
    assert not {"input_names", "output_names"} & set(describe_task(EpisodeReturn("CartPole-v1").task))


def test_names_change_no_result(tmp_path):
    plain, named = (run(tmp_path, LINE + REST.replace("hidden: 2", f"hidden: 2{more}"), name) for name, more in
                    (("plain", ""), ("named", ", input_names: [x]")))  # fmt: skip
    assert np.array_equal(plain.champion.genome, named.champion.genome)
    assert plain.champion.test.mean == named.champion.test.mean
