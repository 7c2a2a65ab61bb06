"""Export as safetensors, with weights that `torch.nn.Sequential` loads.

    Sequential(Linear(inputs, hidden), Tanh(), Linear(hidden, outputs), …)

A normaliser becomes two layers before these, `Linear(inputs, inputs)` and `Hardtanh(-10, 10)`. The file's metadata name
the layers, and describe how an action is decoded from the outputs.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from evonet.activations import LEAK
from evonet.champion import Champion
from evonet.environments.normaliser import LIMIT
from evonet.export.compact import compact
from evonet.export.policy import NotExportable, description, package
from evonet.files.directory import write_atomically
from evonet.types import FloatArray

_LAYERS = {
    "identity": "Identity()",
    "tanh": "Tanh()",
    "sigmoid": "Sigmoid()",
    "relu": "ReLU()",
    "leaky_relu": f"LeakyReLU({LEAK})",
}


def export_safetensors(champion: Champion, path: Path) -> list[Path]:
    """Write the weights in float64.

    Raises:
        NotExportable: the network is recurrent, torch has no layer for an activation, or safetensors is not installed.
    """
    safetensors = package("safetensors.numpy")
    network = compact(champion.network)
    architecture = network.architecture
    if architecture.recurrent:
        raise NotExportable("safetensors is written for torch.nn.Sequential, which has no recurrent network; onnx has")
    if architecture.skip and architecture.num_hidden:
        raise NotExportable("safetensors is written for torch.nn.Sequential, which has no skip connections; onnx has")
    for name in (architecture.hidden_activation, architecture.output_activation):
        if name not in _LAYERS:
            raise NotExportable(f"safetensors is written for torch.nn.Sequential, and torch has no layer {name!r}")
    layers: list[str] = []
    tensors: dict[str, FloatArray] = {}

    def linear(weights: FloatArray, bias: FloatArray | None) -> None:
        tensors[f"{len(layers)}.weight"] = np.ascontiguousarray(weights.T)
        if bias is not None:
            tensors[f"{len(layers)}.bias"] = np.ascontiguousarray(bias)
        layers.append(f"Linear({weights.shape[0]}, {weights.shape[1]}{'' if bias is not None else ', bias=False'})")

    if champion.normaliser is not None:
        deviation = champion.normaliser.deviation
        linear(np.diag(1.0 / deviation), -champion.normaliser.mean / deviation)
        layers.append(f"Hardtanh({-LIMIT:g}, {LIMIT:g})")
    if architecture.num_hidden:
        linear(network.input_hidden_weights, network.hidden_bias if architecture.bias else None)
        layers.append(_LAYERS[architecture.hidden_activation])
    last = network.hidden_output_weights if architecture.num_hidden else network.input_output_weights
    linear(last, network.output_bias if architecture.bias else None)
    layers.append(_LAYERS[architecture.output_activation])
    about = {"layers": ", ".join(layers), "evonet": json.dumps(description(champion), sort_keys=True)}
    write_atomically(path, safetensors.save(tensors, metadata=about))
    return [path]
