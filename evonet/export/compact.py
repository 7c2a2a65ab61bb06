"""Networks without the hidden neurons that lead nowhere, for exports."""

from __future__ import annotations

import numpy as np

from evonet.network import NeuralNetwork
from evonet.operators.structure import leading_to_output, smaller


def compact(network: NeuralNetwork) -> NeuralNetwork:
    """The network without hidden neurons from which no path leads to an output; its outputs differ by rounding only.

    The same object is returned if nothing is left out; otherwise the network has a genome of its own.
    """
    architecture = network.architecture
    if not architecture.num_hidden:
        return network
    reaches_output = leading_to_output(network.genome != 0, architecture)
    if not reaches_output.any() and not architecture.skip:
        reaches_output[0] = True  # without skip connections there must be one
    if reaches_output.all():
        return network
    small = smaller(architecture, int(reaches_output.sum()))
    found = NeuralNetwork.from_genome(small, np.zeros(small.genome_size))
    for name, block in found.blocks.items():
        values = network.blocks[name]
        if name in {"hidden_bias", "hidden_hidden_weights", "hidden_output_weights"}:
            values = values[reaches_output]
        if name in {"input_hidden_weights", "hidden_hidden_weights"}:
            values = values[:, reaches_output]
        block[...] = values
    return found
