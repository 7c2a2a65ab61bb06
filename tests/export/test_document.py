import json

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.cli import main
from evonet.export import EXPORTERS, export
from evonet.network import NeuralNetwork
from tests.export.champions import champion


def test_the_document_holds_every_weight_to_the_last_bit(tmp_path):
    winner = champion(recurrent=True, normalised=True)
    document = json.loads(export(winner, "json", tmp_path / "policy.json")[0].read_text())
    blocks = [np.ravel(block) for block in document["weights"].values()]
    assert np.array_equal(np.concatenate(blocks), winner.genome)
    assert document["normaliser"]["mean"] == winner.normaliser.mean.tolist()
    again = NeuralNetwork.from_genome(Architecture(**document["architecture"]), np.concatenate(blocks))
    assert np.array_equal(again.genome, winner.genome)
    assert document["scores"]["test"]["mean"] == 10.0


def test_what_json_cannot_say_is_null(tmp_path):
    winner = champion()
    assert winner.training_fitness == -np.inf
    text = export(winner, "json", tmp_path / "policy.json")[0].read_text()
    assert json.loads(text, parse_constant=lambda name: 1 / 0)["training_fitness"] is None


def test_a_champion_of_a_function_has_a_document_too(tmp_path):
    architecture = Architecture(2, 3, 1)
    winner = Champion(architecture, np.zeros(architecture.genome_size))
    assert json.loads(export(winner, "json", tmp_path / "p.json")[0].read_text())["observation_space"] is None


@pytest.mark.parametrize("to", ["json", "hub", "c", "safetensors", "onnx"])
def test_no_format_claims_a_score_for_a_network_that_was_changed_by_hand(to, tmp_path):
    winner = champion()
    winner.network.neuron("hidden", 1).outgoing[:] = 0.0
    content = b"".join(path.read_bytes() for path in export(winner, to, tmp_path / "policy"))
    assert b"not tested: its weights were changed after it was scored" in content
    assert b"mean return" not in content
    assert b"mean_reward" not in content


def test_options_of_onnx_are_refused_for_other_formats(tmp_path, capsys):
    champion().save(tmp_path / "c.npz")
    for option in ("--raw", "--float32"):
        assert main(["export", str(tmp_path / "c.npz"), "--to", "json", str(tmp_path / "p.json"), option]) == 2
        assert capsys.readouterr().err == f"evonet: {option} must be left out with --to json: only onnx has it\n"
    assert main(["export", str(tmp_path / "c.npz"), "--to", "onnx", str(tmp_path / "p.onnx"), "--raw"]) == 0


def test_the_command_line_knows_every_format():
    from evonet.cli.export import FORMATS

    assert tuple(EXPORTERS) == FORMATS
