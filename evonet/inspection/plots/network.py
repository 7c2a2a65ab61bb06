"""Figures of a network: its neurons and connections, and its weights as maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evonet.architecture import Architecture
from evonet.environments.known import Names, names_for
from evonet.inspection.analysis.influence import NeuronState
from evonet.inspection.phrases import shortened
from evonet.inspection.plots.palette import (
    MUTED,
    NEGATIVE,
    POSITIVE,
    Axes,
    axes_for,
    colour_range,
    diverging,
    mark_each,
    package,
    plain,
    title,
)
from evonet.network import NeuralNetwork
from evonet.types import FloatArray, IntArray

WIDEST = 4.5
"""Width of the strongest connection in points."""

MAX_MAPPED = 256
"""Neurons of a layer in a map of weights: those with the strongest connections."""

_STATE_STYLES = {"active": ("#ffffff", "-"), "dead": ("#c9cdd2", ":"), "saturated": ("#f2d36b", "--")}
_COLUMNS = (0.0, 1.0, 2.0)
_LAYERS_OF = {"input_hidden_weights": (0, 1), "hidden_output_weights": (1, 2), "input_output_weights": (0, 2)}


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
        network: the network.
        names: names of inputs and outputs; by default their indices.
        states: states of the hidden neurons from `neuron_states`; dead and saturated neurons are marked.
        most_neurons: greatest number of neurons drawn in each layer; those with the strongest connections are chosen.
        most_connections: greatest number of connections drawn; the strongest are chosen.
        ax: axes to draw on; by default new ones.

    Returns:
        The axes.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    shape = network.architecture
    names = names or names_for(None, shape.num_inputs, shape.num_outputs)
    layers = drawn_neurons(network, most_neurons)
    ax = axes_for(ax, 8.6, max(3.2, 0.27 * max(map(len, layers)) + 0.4))
    places = [_places(column, len(layer)) for column, layer in zip(_COLUMNS, layers, strict=True)]
    inputs = [names.inputs[index] for index in layers[0]]
    hidden = [f"hidden {index}" for index in layers[1]]
    outputs = [names.outputs[index] for index in layers[2]]
    _connections(ax, network, (inputs, hidden, outputs), layers, places, most_connections)
    _neurons(ax, "input", places[0], inputs)
    _neurons(ax, "hidden", places[1], hidden, None if states is None else [states[index] for index in layers[1]])
    _neurons(ax, "output", places[2], outputs)
    for name, (x, y) in zip(inputs, places[0], strict=True):
        ax.text(x - 0.05, y, shortened(name), ha="right", va="center", fontsize="small")
    for name, (x, y) in zip(outputs, places[2], strict=True):
        ax.text(x + 0.05, y, shortened(name), ha="left", va="center", fontsize="small")
    if len(layers[1]) <= 24:
        for index, (x, y) in zip(layers[1], places[1], strict=True):
            ax.text(x, y, str(index), ha="center", va="center", fontsize="small", color="#1b1f24", zorder=4)
    ax.set_xlim(-0.75, 2.65)
    ax.set_ylim(-0.04, 1.04)
    plain(ax)
    return ax


def drawn_neurons(network: NeuralNetwork, most: int) -> tuple[IntArray, IntArray, IntArray]:
    """Indices of the neurons of each layer that are drawn."""
    incoming, outgoing = np.abs(network.input_hidden_weights), np.abs(network.hidden_output_weights)
    shape = network.architecture
    direct = np.abs(network.input_output_weights) if shape.skip else np.zeros((shape.num_inputs, shape.num_outputs))
    with np.errstate(over="ignore", invalid="ignore"):  # sums of the largest weights are infinite
        strength = incoming.sum(axis=0) * outgoing.sum(axis=1)
        used = int(np.count_nonzero(strength)) if shape.skip else most  # a structure that evolves has free places
        return (
            _strongest(incoming.sum(axis=1) + direct.sum(axis=1), most),
            _strongest(strength, min(most, used)),
            _strongest(outgoing.sum(axis=0) + direct.sum(axis=0), most),
        )


def _strongest(strength: FloatArray, most: int) -> IntArray:
    return np.sort(np.argsort(-strength, kind="stable")[:most]).astype(np.int64)


def _places(column: float, count: int) -> list[tuple[float, float]]:
    margin = 0.5 / max(count, 4)
    heights = np.linspace(1 - margin, margin, count) if count != 1 else np.array([0.5])
    return [(column, float(height)) for height in heights]


def shown_genes(network: NeuralNetwork, most_neurons: int = 32, most_connections: int = 400) -> list[int]:
    """Indices of the genes whose connections `network_diagram` draws, in its drawing order: the weakest first."""
    drawn = drawn_connections(network, drawn_neurons(network, most_neurons), most_connections)
    return [connection.gene for connection in drawn]


class Connection(NamedTuple):
    """A connection in a diagram.

    Attributes:
        gene: index of its weight in the genome.
        source_layer: 0 for the inputs, 1 for the hidden layer.
        source: position of the neuron where it begins, among those that are drawn in its layer.
        target_layer: 1 for the hidden layer, 2 for the outputs.
        target: position of the neuron where it ends.
    """

    gene: int
    source_layer: int
    source: int
    target_layer: int
    target: int


def drawn_connections(
    network: NeuralNetwork, layers: tuple[IntArray, IntArray, IntArray], most: int
) -> list[Connection]:
    """The connections that are drawn, the weakest first; those of skip networks only where the weight is not 0."""
    shape = network.architecture
    found = []
    for block, (source, target) in _LAYERS_OF.items():
        if block in shape.slices:
            genes = shape.slices[block].start + layers[source][:, None] * shape.shapes[block][1] + layers[target]
            found += [Connection(int(gene), source, i, target, j) for (i, j), gene in np.ndenumerate(genes)]
    if shape.skip:
        found = [connection for connection in found if network.genome[connection.gene]]
    return sorted(found, key=lambda connection: abs(network.genome[connection.gene]))[-most:]


def _connections(
    ax: Axes,
    network: NeuralNetwork,
    labels: Sequence[Sequence[str]],
    layers: tuple[IntArray, IntArray, IntArray],
    places: Sequence[Sequence[tuple[float, float]]],
    most: int,
) -> None:
    drawn = drawn_connections(network, layers, most)
    weights = network.genome[[connection.gene for connection in drawn]]
    share = np.abs(weights) / (np.abs(connection_genes(network)).max(initial=0.0) or 1.0)
    colours = package("matplotlib.colors").to_rgba_array(np.where(weights >= 0, POSITIVE, NEGATIVE).tolist())
    colours[:, 3] = 0.25 + 0.65 * share
    lines = package("matplotlib.collections").LineCollection(
        [(places[layer][i], places[to][j]) for _, layer, i, to, j in drawn], colors=colours, capstyle="round",
        linewidths=np.maximum(0.15, WIDEST * share), zorder=1,
    )  # fmt: skip
    ax.add_collection(lines)
    mark_each(lines, "connections", [f"{labels[layer][i]} → {labels[to][j]}" for _, layer, i, to, j in drawn])


def connection_genes(network: NeuralNetwork) -> FloatArray:
    """The weights between layers, `(n,)`."""
    return np.concatenate([network.blocks[block].ravel() for block in _LAYERS_OF if block in network.blocks])


def _neurons(
    ax: Axes,
    layer: str,
    places: Sequence[tuple[float, float]],
    names: Sequence[str],
    states: Sequence[NeuronState] | None = None,
) -> None:
    states = states or ["active"] * len(names)
    styles = [_STATE_STYLES[state] for state in states]
    spots = ax.scatter(
        [x for x, _ in places], [y for _, y in places], s=min(190.0, 2600.0 / max(len(places), 1)),
        facecolor=[face for face, _ in styles], linestyle=[line for _, line in styles], edgecolor=MUTED, linewidth=1.3,
        zorder=3,
    )  # fmt: skip
    named = zip(names, states, strict=True)
    mark_each(spots, f"{layer}-neurons", [name if state == "active" else f"{name} ({state})" for name, state in named])


def weight_maps(network: NeuralNetwork, names: Names | None = None, ax: Axes | None = None) -> Axes:
    """All weights as one heat map: a row for each hidden neuron, a column for each of its connections.

    With skip connections there is a row for each output too.

    From the left: weights from the inputs, bias, weights from the hidden neurons' last outputs if the network is
    recurrent, and weights to the outputs. Of each layer, at most 256 neurons are shown, those with the strongest
    connections.
    """
    shape = network.architecture
    names = names or names_for(None, shape.num_inputs, shape.num_outputs)
    blocks = _blocks(network, names)
    widths = [len(labels) for _, labels, _ in blocks]
    ax = axes_for(ax, 4.6, 4.2)
    matrix, strongest = colour_range(np.concatenate([values for _, _, values in blocks], axis=1))
    mesh = ax.pcolormesh(
        np.arange(matrix.shape[1] + 1) - 0.5, np.arange(matrix.shape[0] + 1) - 0.5, np.ma.masked_invalid(matrix),
        cmap=diverging(), vmin=-strongest, vmax=strongest, rasterized=True,
    )  # fmt: skip
    for edge in np.cumsum(widths)[:-1]:
        ax.axvline(edge - 0.5, color="#1b1f24", linewidth=1.2)
    ax.invert_yaxis()
    _, rows, outputs = (layer.tolist() for layer in drawn_neurons(network, MAX_MAPPED))
    if shape.skip:
        labelled = [*map(str, rows), *(shortened(names.outputs[index], 16) for index in outputs)]
        every = -(-len(labelled) // 32)
        ax.set_yticks(range(0, len(labelled), every), labelled[::every])
    elif len(rows) < shape.num_hidden:
        ax.set_yticks(range(0, len(rows), 32), [str(row) for row in rows[::32]])
    labels = [label for _, part, _ in blocks for label in part]
    _label_some(ax, labels)
    ax.set_ylabel("hidden neuron, output" if shape.skip else "hidden neuron")
    ax.figure.colorbar(mesh, ax=ax, label="weight", shrink=0.9, pad=0.02)
    title(ax, " | ".join(name for name, _, _ in blocks))
    return ax


def _blocks(network: NeuralNetwork, names: Names) -> list[tuple[str, list[str], FloatArray]]:
    shape: Architecture = network.architecture
    inputs, hidden, outputs = drawn_neurons(network, MAX_MAPPED)
    incoming = network.input_hidden_weights[inputs][:, hidden].T
    blocks = [("from inputs", [names.inputs[i] for i in inputs], incoming)]
    if shape.bias:
        hidden_bias = network.hidden_bias[hidden, None] if shape.num_hidden else np.zeros((0, 1))
        blocks.append(("bias", ["bias"], hidden_bias))
    if shape.recurrent:
        memory = network.hidden_hidden_weights[hidden][:, hidden].T
        blocks.append(("memory", [f"hidden {i}" for i in hidden], memory))
    outgoing = network.hidden_output_weights[hidden][:, outputs]
    if shape.num_hidden:
        blocks.append(("to outputs", [names.outputs[i] for i in outputs], outgoing))
    if not shape.skip:
        return blocks
    of_outputs = {"from inputs": network.input_output_weights[inputs][:, outputs].T}
    of_outputs |= {"bias": network.output_bias[outputs, None]} if shape.bias else {}
    blank = np.full(len(outputs), np.nan)
    return [
        (name, labels, np.concatenate([values, of_outputs.get(name, np.tile(blank[:, None], values.shape[1]))]))
        for name, labels, values in blocks
    ]


def _label_some(ax: Axes, labels: Sequence[str]) -> None:
    every = -(-len(labels) // 24)
    ticks = list(range(0, len(labels), every))
    ax.set_xticks(ticks, [shortened(labels[tick], 22) for tick in ticks], rotation=45, ha="right", fontsize="small")
