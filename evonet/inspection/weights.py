"""A network's weights as text tables, with the names of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evonet.environments.known import Names
from evonet.inspection.phrases import shortened
from evonet.network import NeuralNetwork
from evonet.operators.structure import neurons_of
from evonet.types import FloatArray

_COLUMNS = 80
_CELL = 9
_LONGEST_NAME = 24


def weight_tables(network: NeuralNetwork, names: Names) -> str:
    """All weights in tables of at most 80 columns: a column for each hidden neuron, then the biases of the outputs.

    A weight of 0 is a dot: where the structure evolves, the connection does not exist. Hidden neurons without
    connections are left out there.
    """
    shape = network.architecture
    rows = _rows(network, names)
    margin = max(len(name) for name, _ in rows)
    count = (_COLUMNS - 2 - margin) // _CELL
    blocks = []
    shown = neurons_of(network.genome != 0, shape) if shape.skip else np.ones(shape.num_hidden)
    neurons = np.flatnonzero(shown).tolist()
    for start in range(0, len(neurons), count):
        chosen = neurons[start : start + count]
        head = f"  {'hidden neuron':<{margin}}" + "".join(f"{index:>{_CELL}}" for index in chosen)
        lines = [f"  {name:<{margin}}" + _cells(values[chosen]) for name, values in rows]
        blocks.append("\n".join([head, *lines]))
    if shape.skip:
        blocks += _skip_tables(network, names)
    if shape.bias:
        ends = [f"  {_name(name):<{margin}}{value:>+{_CELL}.3f}" for name, value in _pairs(names, network)]
        blocks.append("\n".join(["  bias of the outputs", *ends]))
    return "\n\n".join(blocks)


def _skip_tables(network: NeuralNetwork, names: Names) -> Iterator[str]:
    """The weights of skip connections: a row for each input, a column for each output."""
    labels = [_name(name) for name in names.inputs]
    margin = max(map(len, ["from inputs to outputs", *labels]))
    count = max(1, (_COLUMNS - 2 - margin) // _CELL)
    for start in range(0, network.architecture.num_outputs, count):
        outputs = names.outputs[start : start + count]
        head = f"  {'from inputs to outputs':<{margin}}" + "".join(f"{name[: _CELL - 1]:>{_CELL}}" for name in outputs)
        weights = network.input_output_weights[:, start : start + count]
        lines = [f"  {label:<{margin}}{_cells(row)}" for label, row in zip(labels, weights, strict=True)]
        yield "\n".join([head, *lines])


def _rows(network: NeuralNetwork, names: Names) -> list[tuple[str, FloatArray]]:
    """Label and weights `(hidden,)` of each row: from inputs and last hidden outputs, bias, to outputs."""
    shape = network.architecture
    rows = [(f"from {_name(name)}", row) for name, row in zip(names.inputs, network.input_hidden_weights, strict=True)]
    if shape.recurrent:
        rows += [(f"from hidden {index}", row) for index, row in enumerate(network.hidden_hidden_weights)]
    if shape.bias and shape.num_hidden:
        rows.append(("bias", network.hidden_bias))
    columns = np.transpose(network.hidden_output_weights)
    return rows + [(f"to {_name(name)}", row) for name, row in zip(names.outputs, columns, strict=True)]


def _pairs(names: Names, network: NeuralNetwork) -> Iterator[tuple[str, float]]:
    return zip(names.outputs, network.output_bias.tolist(), strict=True)


def _name(name: str) -> str:
    return shortened(name, _LONGEST_NAME)


def _cells(values: Sequence[float] | FloatArray) -> str:
    return "".join(f"{value:>+{_CELL}.3f}" if value else f"{'.':>{_CELL}}" for value in values)
