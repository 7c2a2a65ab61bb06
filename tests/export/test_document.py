import json

import numpy as np

from evonet.champion import Champion
from evonet.export import EXPORTERS, export
from evonet.network import Architecture, NeuralNetwork
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


def test_the_command_line_knows_every_format():
    from evonet.cli.export import FORMATS

    assert tuple(EXPORTERS) == FORMATS
