"""Exports leave out hidden neurons that lead nowhere."""

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.export.compact import compact
from evonet.network import NeuralNetwork
from evonet.operators.structure import Structure


def sparse(density, seed, **settings):
    architecture = Architecture(4, 10, 3, "tanh", "identity", **settings)
    masks = Structure("full", density=density).first(np.random.default_rng(seed), 1, architecture)
    genome = np.random.default_rng(seed).standard_normal(architecture.genome_size)
    return NeuralNetwork.from_genome(architecture, np.where(masks[0], genome, 0.0))


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("density", [0.05, 0.2, 0.5])
def test_a_compact_network_has_the_same_outputs_over_ten_thousand_observations(density, bias, recurrent):
    network = sparse(density, 3, skip=True, bias=bias, recurrent=recurrent)
    small = compact(NeuralNetwork.from_genome(network.architecture, network.genome.copy()))
    observations = np.random.default_rng(1).standard_normal((2, 5000, 4))
    for batch in observations:
        network.reset()
        small.reset()
        assert np.allclose(network.predict(batch), small.predict(batch), rtol=0, atol=1e-12)
    assert small.architecture.num_hidden < 10 or density == 0.5


def test_a_network_in_which_every_neuron_leads_somewhere_is_left_alone():
    network = NeuralNetwork(2, 3, 1, seed=1)
    assert compact(network) is network


def test_a_neuron_that_is_silenced_by_hand_is_left_out():
    network = NeuralNetwork(2, 3, 1, seed=1)
    network.neuron("hidden", 1).outgoing[:] = 0.0
    small = compact(network)
    assert small.architecture.num_hidden == 2
    assert np.allclose(small.predict([0.3, 0.4]), network.predict([0.3, 0.4]))
    network.hidden_output_weights = 0.0
    assert compact(network).architecture.num_hidden == 1  # a network without skip connections has at least one
