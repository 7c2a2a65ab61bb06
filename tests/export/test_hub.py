import json
import shutil

import pytest
from ruamel.yaml import YAML

from evonet.champion import Champion
from evonet.cli import main
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.export import export
from evonet.inspection.loaded_run import load_run
from tests.export.champions import champion


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("hub") / "card"
    export(champion(), "hub", path)
    return path


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory):
    """A run that was stopped when it had written its last checkpoint, but nothing of its end."""
    path = tmp_path_factory.mktemp("stopped")
    (path / "config.yaml").write_text(
        "environment: {id: CartPole-v1, max_steps: 20}\nalgorithm: {population_size: 4, elites: 1}\n"
        "evaluation: {workers: 1}\nvalidation: {episodes: 5}\ntest: {episodes: 2}\nstop: {generations: 2}\n"
    )
    run(Config.load(str(path / "config.yaml")), path / "run")
    for end in ("run.json", "champion.npz"):
        (path / "run" / end).unlink()
    return path / "run"


@pytest.fixture
def small_run_under_way(stopped_run, tmp_path):
    return shutil.copytree(stopped_run, tmp_path / "run")


def test_the_card_begins_with_data_that_the_hub_reads(folder):
    _, front, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    data = YAML(typ="safe").load(front)
    (result,) = data["model-index"][0]["results"]
    assert data["tags"] == ["reinforcement-learning", "neuroevolution", "CartPole-v1"]
    assert result["metrics"][0] == {
        "type": "mean_reward",
        "value": "10.00 +/- 1.00",
        "name": "mean_reward",
        "verified": False,
    }
    assert "# A champion for CartPole-v1" in text
    assert "test: mean return 10 (9 to 11) over 2 episodes" in text


def test_the_folder_holds_the_champion_in_the_forms_that_the_card_names(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    for name in ("champion.npz", "policy.json"):
        assert f"`{name}`" in card
    assert Champion.load(folder / "champion.npz").test.mean == 10.0
    assert json.loads((folder / "policy.json").read_text())["environment"]["id"] == "CartPole-v1"
    assert ("`policy.onnx`" in card) == (folder / "policy.onnx").exists()


def test_without_a_test_no_score_is_claimed(tmp_path):
    import dataclasses

    export(dataclasses.replace(champion(), test=None), "hub", tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert "model-index" not in card
    assert "- test: not tested\n" in card


def test_the_command_writes_a_champion_s_file(folder, tmp_path, capsys):
    assert main(["export", str(folder / "champion.npz"), "--to", "json", str(tmp_path / "p.json")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'p.json'}\n"


def test_of_a_run_under_way_the_champion_so_far_is_exported_and_called_so(small_run_under_way, tmp_path, capsys):
    assert main(["export", str(small_run_under_way), "--to", "json", str(tmp_path / "p.json")]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'p.json'}\n"
    so_far = load_run(small_run_under_way).champion
    assert captured.err == (
        f"evonet: {small_run_under_way} is unfinished: exported its current best (individual {so_far.id} of "
        f"generation {so_far.generation}, validation {so_far.validation.mean:.4g}, not tested)\n"
    )
    assert json.loads((tmp_path / "p.json").read_text())["individual"] == so_far.id


def test_where_there_is_no_champion_the_command_says_so(small_run_under_way, tmp_path, capsys):
    for checkpoint in (small_run_under_way / "checkpoints").iterdir():
        checkpoint.unlink()
    wrong = {
        small_run_under_way: "has no champion yet: the first checkpoint will have it",
        tmp_path: "is not a run directory: it has no config.yaml",
        tmp_path / "nowhere": "holds no champion: there is no such file or directory",
    }
    for source, message in wrong.items():
        assert main(["export", str(source), "--to", "json", str(tmp_path / "p.json")]) == 2
        assert capsys.readouterr().err == f"evonet: {source} {message}\n"


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path, capsys):
    target = tmp_path / "missing" / "p.json"
    assert main(["export", str(folder), "--to", "json", str(target)]) == 74
    assert capsys.readouterr().err == f"evonet: {target}: cannot be written: No such file or directory\n"
