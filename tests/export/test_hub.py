import json

import pytest
from ruamel.yaml import YAML

from evonet.champion import Champion
from evonet.cli import main
from evonet.export import export
from tests.export.champions import champion


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("hub") / "card"
    export(champion(), "hub", path)
    return path


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
    assert "test: mean return 10.00 over 2 episodes" in text


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
    assert "model-index" not in (tmp_path / "README.md").read_text()


def test_the_command_writes_a_champion_s_file(folder, tmp_path, capsys):
    assert main(["export", str(folder / "champion.npz"), "--to", "json", str(tmp_path / "p.json")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'p.json'}\n"


def test_where_there_is_no_champion_the_command_says_so(tmp_path, capsys):
    assert main(["export", str(tmp_path), "--to", "json", str(tmp_path / "p.json")]) == 2
    assert capsys.readouterr().err == (
        f"evonet: {tmp_path} holds no champion: there is no file {tmp_path / 'champion.npz'}\n"
    )


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path, capsys):
    target = tmp_path / "missing" / "p.json"
    assert main(["export", str(folder), "--to", "json", str(target)]) == 74
    assert capsys.readouterr().err == f"evonet: {target}: cannot be written: No such file or directory\n"
