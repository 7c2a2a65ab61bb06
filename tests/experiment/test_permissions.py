"""What a person allowed a run to import is remembered outside of the run directory, for this directory alone."""

import json
import os
import shutil
import stat
import sys

import pytest

from evonet.cli import main
from evonet.experiment.config.permissions import flags_for, remember_permissions, restore_permissions

CONFIG = (
    "environment: {id: 'game_of_ones_own:Game'}\nalgorithm: {population_size: 4}\nnetwork: {hidden: 2}\n"
    "evaluation: {episodes: 1, workers: 1}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\nstop: {generations: 2}\n"
)
GAME = """
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv

class Game(CartPoleEnv):
    pass
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The folder of a person's settings, which does not exist yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path / "settings"


@pytest.fixture
def game(settings, tmp_path, monkeypatch):
    """A run of an environment of the user's own, whose module was forgotten since."""
    folder = tmp_path / "game"
    folder.mkdir()
    (folder / "game_of_ones_own.py").write_text(GAME)
    (folder / "game.yaml").write_text(CONFIG)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget = lambda: sys.modules.pop("game_of_ones_own", None)
    arguments = ["run", "game.yaml", "--output", "run", "--quiet", "--no-check", "--allow-import", "game_of_ones_own"]
    assert main(arguments) == 0
    forget()
    sys.path.remove(str(folder))
    yield folder
    forget()


def test_later_commands_import_what_was_allowed_for_the_run_from_where_it_was_also_in_another_folder(
    game, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["replay", str(game / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"][0]["steps"] > 0
    assert main(["replay", str(game / "run/champion.npz"), "--json"]) == 0
    assert main(["resume", str(game / "run"), "--quiet", "--set", "stop.generations=3"]) == 0
    assert main(["inspect", str(game / "run"), "--json"]) == 0


def test_commands_that_are_printed_carry_only_the_flags_that_are_not_remembered(game, capsys):
    changed = ["--set", "stop.generations=3", "--allow-import", "game_of_ones_own"]
    assert main(["resume", str(game / "run"), *changed]) == 0
    printed = capsys.readouterr().err
    assert f"evonet replay {game / 'run'}\n" in printed
    assert "--allow-import" not in printed
    assert flags_for(game / "run", ["game_of_ones_own.parts", "json"]) == ["--allow-import", "json"]
    shutil.rmtree(os.environ["XDG_CONFIG_HOME"])
    assert flags_for(game / "run", ["game_of_ones_own"]) == ["--allow-import", "game_of_ones_own"]


def test_a_run_that_is_moved_copied_or_replaced_needs_the_permission_again(game, tmp_path):
    assert restore_permissions(game / "run") == ["game_of_ones_own"]
    shutil.copytree(game / "run", tmp_path / "copy")
    assert restore_permissions(tmp_path / "copy") == []
    assert main(["replay", str(tmp_path / "copy"), "--json"]) == 2
    (game / "run").rename(tmp_path / "moved")
    (tmp_path / "copy").rename(game / "run")  # a stranger's, in the same place
    assert restore_permissions(game / "run") == []
    assert restore_permissions(tmp_path / "moved") == []


def test_nothing_in_a_run_directory_allows_an_import(game):
    shutil.rmtree(os.environ["XDG_CONFIG_HOME"])
    assert restore_permissions(game / "run") == []
    assert main(["replay", str(game / "run"), "--json"]) == 2
    assert "game_of_ones_own" not in sys.modules


def test_only_the_user_can_read_what_was_allowed(game, settings):
    (file,) = (settings / "evonet/allowed-imports").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_file_that_others_may_write_or_that_is_damaged_allows_nothing(game, settings):
    (file,) = (settings / "evonet/allowed-imports").iterdir()
    text = file.read_text()
    for mode in (0o620, 0o602):
        file.chmod(mode)
        assert restore_permissions(game / "run") == []
    file.chmod(0o600)
    for damaged in (
        "",
        "[]",
        "{}",
        text[:-3],
        text.replace("{", '{"modules": 3, "x": {', 1),
        text.replace('": "', '": 3, "'),
    ):
        file.write_text(damaged)
        assert restore_permissions(game / "run") == []
    file.write_text(text)
    assert restore_permissions(game / "run") == ["game_of_ones_own"]


@pytest.mark.parametrize("home", ["/dev/null/none", "missing home", "read only"])
def test_where_nothing_can_be_remembered_nothing_is_and_no_error_is_raised(home, tmp_path, monkeypatch):
    if home == "missing home":
        monkeypatch.delenv("XDG_CONFIG_HOME")
        monkeypatch.setenv("HOME", "/dev/null")
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", home if home.startswith("/") else "/proc")
    remember_permissions(tmp_path, ["json"])
    assert restore_permissions(tmp_path) == []


def test_a_study_s_permission_holds_for_its_runs_and_not_for_its_neighbours(settings, tmp_path):
    for folder in ("study/seed-0", "studyx"):
        (tmp_path / folder).mkdir(parents=True)
    remember_permissions(tmp_path / "study", ["json"])
    remember_permissions(tmp_path / "study/seed-0", ["json"])  # is allowed already
    assert len(list((settings / "evonet/allowed-imports").iterdir())) == 1
    assert restore_permissions(tmp_path / "study/seed-0/champion.npz") == ["json"]
    assert restore_permissions(tmp_path / "studyx") == restore_permissions(tmp_path) == []


def test_permissions_add_up_and_those_of_removed_runs_are_forgotten(settings, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    remember_permissions(tmp_path / "one", ["json"])
    remember_permissions(tmp_path / "one", ["html"])
    remember_permissions(tmp_path / "one", [])
    assert restore_permissions(tmp_path / "one") == ["json", "html"]
    (tmp_path / "one").rmdir()
    remember_permissions(tmp_path / "two", ["json"])
    assert len(list((settings / "evonet/allowed-imports").iterdir())) == 1


def test_a_relative_folder_of_settings_is_not_the_folder_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    remember_permissions(tmp_path, ["json"])
    assert not (tmp_path / "here").exists()
    assert restore_permissions(tmp_path) == ["json"]
