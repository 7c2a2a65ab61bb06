"""Figures of a network: its neurons and connections, and its weights as maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonet.environments.names import Names, names_for
from evonet.inspection.analysis.influence import NeuronState
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    Axes,
    axes_for,
    diverging,
    mark,
    plain,
    shortened,
    title,
)
from evonet.network import Architecture, NeuralNetwork
from evonet.types import FloatArray, IntArray

WIDEST = 4.5
"""Points that the strongest connection is wide."""

_STATE_LOOKS = {"active": ("#ffffff", "-"), "dead": ("#c9cdd2", ":"), "saturated": ("#f2d36b", "--")}
_COLUMNS = (0.0, 1.0, 2.0)


def network_diagram(
    network: NeuralNetwork,
    names: Names | None = None,
    states: Sequence[NeuronState] | None = None,
    most_neurons: int = 32,
    most_connections: int = 400,
    ax: Axes | None = None,
) -> Axes:
    """Neurons and connections: blue for positive weights, orange for negative ones, wider for stronger ones.

    Args:
        network: to be drawn.
        names: of its inputs and outputs; by default their numbers.
        states: of its hidden neurons, as `neuron_states` finds them; dead and saturated ones are marked.
        most_neurons: in a layer; of more, those with the strongest connections are drawn.
        most_connections: likewise.
        ax: to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    shape = network.architecture
    names = names or names_for(None, shape.num_inputs, shape.num_outputs)
    layers = _drawn(network, most_neurons)
    ax = axes_for(ax, 8.6, max(3.2, 0.27 * max(map(len, layers)) + 0.4))
    places = [_places(column, len(layer)) for column, layer in zip(_COLUMNS, layers, strict=True)]
    _connections(ax, network, names, layers, places, most_connections)
    inputs = [names.inputs[index] for index in layers[0]]
    outputs = [names.outputs[index] for index in layers[2]]
    _neurons(ax, "input", layers[0], places[0], inputs, ["active"] * len(inputs))
    hidden_states = ["active"] * shape.num_hidden if states is None else list(states)
    told = [f"hidden {index}" for index in layers[1]]
    _neurons(ax, "hidden", layers[1], places[1], told, [hidden_states[index] for index in layers[1]])
    _neurons(ax, "output", layers[2], places[2], outputs, ["active"] * len(outputs))
    for name, (x, y) in zip(inputs, places[0], strict=True):
        ax.text(x - 0.05, y, shortened(name), ha="right", va="center", fontsize="small")
    for name, (x, y) in zip(outputs, places[2], strict=True):
        ax.text(x + 0.05, y, shortened(name), ha="left", va="center", fontsize="small")
    if len(layers[1]) <= 24:
        for index, (x, y) in zip(layers[1], places[1], strict=True):
            ax.text(x, y, str(index), ha="center", va="center", fontsize="x-small", color="#1b1f24", zorder=4)
    ax.set_xlim(-0.75, 2.65)
    ax.set_ylim(-0.04, 1.04)
    plain(ax)
    return ax


def _drawn(network: NeuralNetwork, most: int) -> tuple[IntArray, IntArray, IntArray]:
    """Which neurons of each layer are drawn."""
    incoming, outgoing = np.abs(network.input_hidden_weights), np.abs(network.hidden_output_weights)
    return (
        _strongest(incoming.sum(axis=1), most),
        _strongest(incoming.sum(axis=0) * outgoing.sum(axis=1), most),
        _strongest(outgoing.sum(axis=0), most),
    )


def _strongest(strength: FloatArray, most: int) -> IntArray:
    return np.sort(np.argsort(-strength, kind="stable")[:most]).astype(np.int64)


def _places(column: float, count: int) -> list[tuple[float, float]]:
    margin = 0.5 / max(count, 4)
    heights = np.linspace(1 - margin, margin, count) if count > 1 else np.array([0.5])
    return [(column, float(height)) for height in heights]


def _connections(
    ax: Axes,
    network: NeuralNetwork,
    names: Names,
    layers: tuple[IntArray, IntArray, IntArray],
    places: Sequence[Sequence[tuple[float, float]]],
    most: int,
) -> None:
    shape = network.architecture
    lower, upper = (shape.slices[name].start for name in ("input_hidden_weights", "hidden_output_weights"))
    found = []
    for (i, source), start in zip(enumerate(layers[0]), places[0], strict=True):
        for (j, target), end in zip(enumerate(layers[1]), places[1], strict=True):
            gene = lower + int(source) * shape.num_hidden + int(target)
            found.append((gene, start, end, f"{names.inputs[layers[0][i]]} → hidden {layers[1][j]}"))
    for (j, source), start in zip(enumerate(layers[1]), places[1], strict=True):
        for (k, target), end in zip(enumerate(layers[2]), places[2], strict=True):
            gene = upper + int(source) * shape.num_outputs + int(target)
            found.append((gene, start, end, f"hidden {layers[1][j]} → {names.outputs[layers[2][k]]}"))
    strongest = np.abs(connection_genes(network)).max(initial=0.0) or 1.0
    found.sort(key=lambda connection: -abs(network.genome[connection[0]]))
    for gene, (x, y), (to_x, to_y), words in reversed(found[:most]):
        weight = float(network.genome[gene])
        share = abs(weight) / strongest
        (line,) = ax.plot(
            [x, to_x], [y, to_y], color=POSITIVE if weight >= 0 else NEGATIVE, linewidth=max(0.15, WIDEST * share),
            alpha=0.25 + 0.65 * share, solid_capstyle="round", zorder=1,
        )  # fmt: skip
        mark(line, f"gene-{gene}", words)


def connection_genes(network: NeuralNetwork) -> FloatArray:
    """The weights between the layers, `(n,)`, without biases and recurrent ones."""
    return np.concatenate([network.input_hidden_weights.ravel(), network.hidden_output_weights.ravel()])


def _neurons(
    ax: Axes,
    layer: str,
    numbers: IntArray,
    places: Sequence[tuple[float, float]],
    names: Sequence[str],
    states: Sequence[str],
) -> None:
    size = min(190.0, 2600.0 / max(len(numbers), 1))
    for number, (x, y), name, state in zip(numbers, places, names, states, strict=True):
        face, style = _STATE_LOOKS[state]
        spot = ax.scatter([x], [y], s=size, facecolor=face, edgecolor=MUTED, linewidth=1.3, linestyle=style, zorder=3)
        mark(spot, f"neuron-{layer}-{number}", name if state == "active" else f"{name} ({state})")


def weight_maps(network: NeuralNetwork, names: Names | None = None, ax: Axes | None = None) -> Axes:
    """All weights as one heat map: a row for each hidden neuron, a column for each that it hears or tells.

    From the left: weights from the inputs, bias, weights from the hidden neurons' last outputs if the network is
    recurrent, and weights to the outputs.
    """
    shape = network.architecture
    names = names or names_for(None, shape.num_inputs, shape.num_outputs)
    blocks = _blocks(network, names)
    widths = [len(labels) for _, labels, _ in blocks]
    ax = axes_for(ax, 4.6, 4.2)
    matrix = np.concatenate([values for _, _, values in blocks], axis=1)
    strongest = float(np.abs(matrix).max()) or 1.0
    mesh = ax.pcolormesh(
        np.arange(matrix.shape[1] + 1) - 0.5, np.arange(matrix.shape[0] + 1) - 0.5, matrix,
        cmap=diverging(), vmin=-strongest, vmax=strongest, rasterized=True,
    )  # fmt: skip
    for edge in np.cumsum(widths)[:-1]:
        ax.axvline(edge - 0.5, color="#1b1f24", linewidth=1.2)
    ax.invert_yaxis()
    labels = [label for _, part, _ in blocks for label in part]
    _label_some(ax, labels)
    ax.set_ylabel("hidden neuron")
    ax.figure.colorbar(mesh, ax=ax, label="weight", shrink=0.9, pad=0.02)
    title(ax, " | ".join(name for name, _, _ in blocks))
    return ax


def _blocks(network: NeuralNetwork, names: Names) -> list[tuple[str, list[str], FloatArray]]:
    shape: Architecture = network.architecture
    blocks = [("from inputs", list(names.inputs), network.input_hidden_weights.T)]
    if shape.bias:
        blocks.append(("bias", ["bias"], network.hidden_bias[:, None]))
    if shape.recurrent:
        blocks.append(("memory", [f"hidden {i}" for i in range(shape.num_hidden)], network.hidden_hidden_weights.T))
    return [*blocks, ("to outputs", list(names.outputs), network.hidden_output_weights)]


def _label_some(ax: Axes, labels: Sequence[str]) -> None:
    every = -(-len(labels) // 24)
    ticks = list(range(0, len(labels), every))
    ax.set_xticks(ticks, [shortened(labels[tick], 18) for tick in ticks], rotation=45, ha="right", fontsize="small")
