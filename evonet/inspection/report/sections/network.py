"""The section on the champion's network: neurons, connections, and their change over generations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from evonet.champion import Champion
from evonet.inspection.phrases import counted, first_few
from evonet.inspection.plots import network_diagram, weight_maps
from evonet.inspection.plots.network import MAX_MAPPED, WIDEST, connection_genes, shown_genes
from evonet.inspection.report.figure import Figure, draw_figure
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.section import Section
from evonet.inspection.table import Table
from evonet.operators.structure import inputs_left_out
from evonet.types import FloatArray

_MAX_SNAPSHOTS = 60
_MAX_NEURONS = 32
_MAX_GENES = 12_000  # genes in tables
_LARGEST = 1.797e308  # the largest number with four digits
_WIDEST_TABLE = 24  # columns; instead of a wider table, each neuron has its own


def network(data: ReportData) -> Section:
    """The diagram with a slider over generations, weights as a map, and each neuron's weights as tables."""
    champion = data.champion
    if champion is None:
        return Section("network", "Network", notices=["Left out: there is no champion."])
    shape = champion.architecture
    widest = max(shape.num_inputs, shape.num_hidden, shape.num_outputs)
    rows = min(_MAX_NEURONS, widest)
    diagram = draw_figure(
        "network", "Neurons and connections",
        "Blue: the weight is positive; orange: it is negative; the wider, the stronger. " + _marks(data)
        + (" Recurrent weights are in the map of all weights." if shape.recurrent else ""),
        lambda ax: network_diagram(champion.network, data.names, data.states, _MAX_NEURONS, ax=ax),
        alternative=f"Diagram of a network with {_sizes(champion)}, and the weights of its strongest connections.",
        size=(8.4, max(3.6, 0.26 * rows + 0.4)),
    )  # fmt: skip
    maps = draw_figure(
        "weights", "Strongest weights" if widest > MAX_MAPPED else "All weights",
        "A row for each hidden neuron: incoming weights on the left, outgoing weights on the right.",
        lambda ax: weight_maps(champion.network, data.names, ax), size=_map_size(champion),
    )  # fmt: skip
    notices = []
    if data.states is None:
        notices.append(f"Dead and saturated neurons are not marked: {data.why_no_episodes}")
    if widest > _MAX_NEURONS:
        notices.append(f"The diagram shows the {_MAX_NEURONS} neurons of each layer with the strongest connections.")
    if widest > MAX_MAPPED:
        notices.append(f"The map shows the {MAX_MAPPED} neurons of each layer with the strongest connections.")
    if shape.genome_size > _MAX_GENES:
        notices.append("There are too many weights for tables here: evonet inspect --json has all of them.")
    return Section(
        "network", "Network", [_lead(data, champion)], [diagram, maps], _tables(data, champion), notices,
        {"generations": _generations(data, champion, diagram)},
    )  # fmt: skip


def _sizes(champion: Champion) -> str:
    shape = champion.architecture
    sizes = ((shape.num_inputs, "input"), (shape.num_hidden, "hidden neuron"), (shape.num_outputs, "output"))
    return ", ".join(counted(size, noun) for size, noun in sizes)


def _lead(data: ReportData, champion: Champion) -> str:
    shape = champion.architecture
    marks = [f"{shape.hidden_activation} and {shape.output_activation}"]
    marks += ["recurrent"] if shape.recurrent else []
    marks += ["skip connections"] if shape.skip else []
    marks += [] if shape.bias else ["no bias"]
    lead = f"{_sizes(champion)}: {counted(shape.genome_size, 'gene')} ({', '.join(marks)})."
    connections = int(np.count_nonzero(champion.genome))
    if connections < shape.genome_size:
        lead += f" {counted(connections, 'connection')} exist{'s' if connections == 1 else ''}."
    missing = [data.names.inputs[index] for index in inputs_left_out(champion.genome != 0, shape)]
    if missing:
        lead += f" Left out: the input{'s' if len(missing) > 1 else ''} {first_few(missing)}."
    if data.states is None:
        return lead
    counts = Counter(data.states)
    inactive = [
        f"{counts[state]:,} {'is' if counts[state] == 1 else 'are'} {state}"
        for state in ("dead", "saturated")
        if counts[state]
    ]
    return (
        f"{lead} Of the hidden neurons, {' and '.join(inactive)}."
        if inactive
        else f"{lead} All hidden neurons are active."
    )


def _marks(data: ReportData) -> str:
    if data.states is None:
        return "Point at a connection for its weight."
    return "Hidden neurons: grey and dotted if dead, yellow and dashed if saturated, in the episodes shown below."


def _map_size(champion: Champion) -> tuple[float, float]:
    shape = champion.architecture
    columns = shape.num_inputs + shape.num_outputs + 1 + shape.recurrent * shape.num_hidden
    wide = columns > 26
    return (8.4 if wide else 4.0, min(7.0, max(3.6, 0.2 * shape.num_hidden + 1.8)))


def _generations(data: ReportData, champion: Champion, diagram: Figure) -> dict[str, Any]:
    """Weights of the drawn connections in each of the run's recorded fittest individuals, and in the champion."""
    genes = shown_genes(champion.network, _MAX_NEURONS)
    frames = [
        {
            "label": f"generation {each.generation} · individual {each.id}, fitness {each.training_fitness:.5g}",
            "weights": _short(each.genome[genes]),
        }
        for each in data.run.some_fittest(_MAX_SNAPSHOTS)
    ]
    label = f"the champion: individual {champion.id}, chosen in generation {champion.generation}"
    frames.append({"label": label, "weights": _short(champion.genome[genes])})
    strongest = float(np.abs(connection_genes(champion.network)).max(initial=0.0)) or 1.0
    return {"figure": diagram.key, "frames": frames, "strongest": strongest, "widest": WIDEST}


def _short(weights: FloatArray) -> list[float]:
    """Weights with four significant digits, none of which is infinite."""
    return [float(f"{weight:.4g}") for weight in np.clip(weights, -_LARGEST, _LARGEST).tolist()]


def _tables(data: ReportData, champion: Champion) -> list[Table]:
    shape, names = champion.architecture, data.names
    if shape.genome_size > _MAX_GENES:
        return []
    sources = [*names.inputs, *(["bias"] if shape.bias else [])]
    sources += [f"memory of {index}" for index in range(shape.num_hidden)] if shape.recurrent else []
    targets = list(names.outputs)
    rows: list[tuple[int, list[float], list[float]]] = []
    for index in range(shape.num_hidden):
        neuron = champion.network.neuron("hidden", index)
        rows.append((index, [*neuron.incoming, *neuron.bias, *neuron.recurrent], neuron.outgoing.tolist()))
    states: list[str] = list(data.states) if data.states else ["–"] * shape.num_hidden
    if not rows:
        tables = []
    elif len(sources) + len(targets) <= _WIDEST_TABLE:
        head = ["hidden neuron", "state", *(f"from {name}" for name in sources), *(f"to {name}" for name in targets)]
        body = [
            [str(index), states[index], *map(_weight, incoming), *map(_weight, outgoing)]
            for index, incoming, outgoing in rows
        ]
        tables = [Table("Every neuron's incoming and outgoing weights", head, body)]
    else:
        tables = [
            Table(
                f"Hidden neuron {index}" + (f" ({states[index]})" if states[index] not in {"–", "active"} else ""),
                ["from or to", "weight"],
                [[f"from {name}", _weight(weight)] for name, weight in zip(sources, incoming, strict=True)]
                + [[f"to {name}", _weight(weight)] for name, weight in zip(targets, outgoing, strict=True)],
            )
            for index, incoming, outgoing in rows
        ]
    return [*tables, _outputs(data, champion, targets)]


def _outputs(data: ReportData, champion: Champion, targets: list[str]) -> Table:
    shape = champion.architecture
    head = ["output neuron", *(["bias"] if shape.bias else []), *(f"from hidden {i}" for i in range(shape.num_hidden))]
    head += [f"from {name}" for name in data.names.inputs] if shape.skip else []
    body = []
    for index, name in enumerate(targets):
        neuron = champion.network.neuron("output", index)
        body.append([name, *map(_weight, [*neuron.bias, *neuron.incoming, *neuron.skip])])
    return Table("Every output's weights", head, body)


def _weight(weight: float) -> str:
    return f"{weight:+.4f}"
