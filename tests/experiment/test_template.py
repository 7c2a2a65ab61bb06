"""`evonet init` writes a commented config that fits an environment, and that `evonet check` finds fit to run."""

import re

import gymnasium as gym
import numpy as np
import pytest

from evonet.cli import main
from evonet.experiment.config import Config
from evonet.experiment.config.template import template
from evonet.fitness import EpisodeReturn
from tests.own_parts import MODULE, Line


class Wide(Line):
    """A hundred inputs of bytes."""

    observation_space = gym.spaces.Box(0, 255, (100,), np.uint8)

    def reset(self, *, seed=None, options=None):
        return np.zeros(100, np.uint8), super().reset(seed=seed)[1]

    def step(self, action):
        return np.zeros(100, np.uint8), *super().step(action)[1:]


class Scaled(Wide):
    """A hundred inputs from -1 to 1."""

    observation_space = gym.spaces.Box(-1, 1, (100,), np.float32)

    def reset(self, *, seed=None, options=None):
        return np.zeros(100, np.float32), super().reset(seed=seed)[1]

    def step(self, action):
        return np.zeros(100, np.float32), *super().step(action)[1:]


class Remembering(Line):
    """Every episode depends on how many there were before it."""

    episodes = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episodes += 0.25
        self.place = self.place + self.episodes
        return self.place.copy(), {}


def written(tmp_path, environment, *more):
    path = tmp_path / "c.yaml"
    assert main(["init", environment, str(path), *more]) == 0
    return Config.load(str(path), allow_imports=[MODULE, __name__]).settings


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1", "evonet/DoublePole-v0"])
def test_a_written_config_is_fit_to_run_and_has_the_environment_s_sizes(environment, tmp_path, capsys):
    settings = written(tmp_path, environment)
    check = re.search(r"^check it: evonet (check \S+)$", capsys.readouterr().out, re.MULTILINE)
    assert main(check[1].split()) == 0
    shape = EpisodeReturn(environment, hidden=settings.network.hidden).architecture
    text = (tmp_path / "c.yaml").read_text()
    sizes = f"{shape.num_inputs}-{shape.num_hidden}-{shape.num_outputs}, {shape.genome_size:,} weights"
    assert text.startswith(f"# {environment}, network {sizes}.\n")
    assert settings.stop.confident == ("  target: auto" in text)
    assert text.count("#") > 12


def test_a_class_of_the_user_s_own_gets_a_config_whose_commands_have_the_flag(tmp_path, capsys):
    settings = written(tmp_path, f"{MODULE}:Line")  # its module is allowed by being typed
    path = tmp_path / "c.yaml"
    assert f"\nrun it: evonet run {path} --allow-import {MODULE}\n" in capsys.readouterr().out
    assert f"# Run it:   evonet run {path} --allow-import {MODULE}\n" in path.read_text()
    assert (settings.environment.max_steps, settings.network.hidden) == (1000, 4)
    assert "input_names" not in path.read_text()  # its metadata has them


def test_many_inputs_of_bytes_are_normalised_and_get_a_strategy_for_many_weights(tmp_path):
    settings = written(tmp_path, f"{__name__}:Wide", "--allow-import", __name__)
    assert (settings.network.hidden, settings.evaluation.normalise_observations) == (32, True)
    assert settings.algorithm.type == "snes"
    assert "normalise_observations: false" in template(f"{__name__}:Scaled", "c.yaml", [__name__])


def test_an_environment_whose_state_survives_resets_gets_hard_resets(tmp_path):
    assert written(tmp_path, f"{__name__}:Remembering", "--allow-import", __name__).environment.hard_reset
    assert "hard_reset" not in template(f"{MODULE}:Line", "c.yaml", [MODULE])


def test_nothing_is_overwritten_and_the_file_s_name_comes_from_the_environment_s(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "CartPole-v1"]) == 0
    assert (tmp_path / "cart_pole.yaml").exists()
    capsys.readouterr()
    assert main(["init", "CartPole-v1"]) == 2
    assert capsys.readouterr().err == "evonet: cart_pole.yaml exists already; name another FILE, or remove it\n"
    assert main(["init", "CartPole-v1", "-"]) == 0
    assert capsys.readouterr().out == template("CartPole-v1", "FILE")
    assert main(["init", "CartPole-v1", "no/such/folder.yaml"]) == 2
    assert capsys.readouterr().err == "evonet: no/such/folder.yaml: cannot be written: No such file or directory\n"
    assert main(["init", "CartPol-v1"]) == 2
    assert "did you mean 'CartPole-v1'?" in capsys.readouterr().err
