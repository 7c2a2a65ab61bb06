"""The summary of a run that `evonet inspect` prints: as text and as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.champion import Champion
from evonet.environments.known import Names, names_for
from evonet.inspection.chart import chart
from evonet.inspection.lineage import Ancestor
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import counted, made_by, score, scores, title, verdict
from evonet.network import LayerName, NeuralNetwork
from evonet.shell import allowing, command
from evonet.types import FloatArray

_SHOWN_ANCESTORS = 12
_SHOWN_WEIGHTS = 12
_COLUMNS = 120
_LEARNING = ("generation", "environment_steps", "best", "median", "validation_mean")


def account_data(run: LoadedRun) -> dict[str, Any]:
    """A run's summary as plain data: the content of `account`, with all weights, ancestors and generations."""
    champion = run.champion
    data = dict(run.summary)
    if champion is not None:
        names = _names(run, champion)
        network = champion.network
        data["architecture"] = asdict(champion.architecture)
        data["inputs"] = [
            {"name": name, "influence": share} for name, share in zip(names.inputs, influence(network), strict=True)
        ]
        data["outputs"] = list(names.outputs)
        data["neurons"] = [
            {"layer": layer, "index": index}
            | {name: values.tolist() for name, values in network.neuron(layer, index)._asdict().items()}
            for layer, index in _neurons(network)
        ]
        data["ancestors"] = [asdict(ancestor) for ancestor in run.descent]
    columns = {key: run.metrics[key].tolist() for key in _LEARNING if key in run.metrics}
    data["learning_curve"] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return data


def account(run: LoadedRun) -> str:
    """A run's summary as text of at most 120 columns, unless names are longer."""
    sections = [_head(run.summary), _effort(run), _curve(run.metrics)]
    if run.champion is not None:
        names = _names(run, run.champion)
        sections += [
            _inputs(run.champion.network, names),
            _network(run.champion.network, names),
            _descent(run.descent),
        ]
    return "\n\n".join(sections)


def influence(network: NeuralNetwork) -> list[float]:
    """Each input's share of the absolute weights on all paths to the outputs (after Olden et al. 2004).

    The weights of two inputs are comparable only if the inputs' values are, as they are in normalised observations.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # products of the largest weights are infinite
        paths = np.abs(network.input_hidden_weights) @ np.abs(network.hidden_output_weights)
        strength = paths.sum(axis=1)
        total = strength.sum()
        shares: list[float] = np.nan_to_num(strength / total if total > 0 else strength).tolist()
    return shares


def _names(run: LoadedRun, champion: Champion) -> Names:
    architecture = champion.architecture
    return names_for(run.summary["environment"], architecture.num_inputs, architecture.num_outputs)


def _head(summary: Mapping[str, Any]) -> str:
    lines = [title(summary), "", verdict(summary)]
    if summary["champion"] is not None:
        lines += ["", *(f"  {name:<10} {score(mean):>10}  {what}" for name, mean, what in scores(summary))]
    return "\n".join(lines)


def _effort(run: LoadedRun) -> str:
    summary = run.summary
    effort = (
        f"{counted(summary['generations'], 'generation')}, {counted(summary['evaluations'], 'evaluation')}, "
        f"{summary['environment_steps']:,} environment steps in training and {summary['validation_steps']:,} in "
        f"validation,\n{summary['seconds']:g} s{_held_out_time(summary)}"
    )
    if summary["finished"]:
        return f"{effort} on the {summary['engine']} engine; stopped by: {summary['stopped_by']}."
    resume = command("evonet", "resume", run.path, *allowing(run.imports))
    return (
        f"{effort} so far; last written {run.idle_seconds:,.0f} s ago.\n"
        f"If the run has been interrupted, continue it with: {resume}"
    )


def _held_out_time(summary: Mapping[str, Any]) -> str:
    """The part of a run's time that its validations and its test took."""
    validation, test = summary.get("validation_seconds"), summary.get("test_seconds")
    if validation is None or test is None:
        return ""
    return f" ({validation:.3g} s of it for validations, {test:.3g} s for the test)"


def _curve(metrics: Mapping[str, NDArray[Any]]) -> str:
    curves = {"validation": "validation_mean", "best": "best", "median": "median"}
    series = {name: metrics[column].tolist() for name, column in curves.items() if column in metrics}
    return "Learning curve (over generations)\n" + (chart(series) if series else "  (no values)")


def _inputs(network: NeuralNetwork, names: Names) -> str:
    shares = influence(network)
    order = np.argsort(-np.array(shares), kind="stable")[:_SHOWN_WEIGHTS]
    width = max(len(names.inputs[i]) for i in order)
    lines = [f"  {names.inputs[i]:<{width}} {shares[i]:6.1%} {'#' * round(40 * shares[i])}" for i in order]
    more = len(shares) - len(order)
    return "\n".join(
        ["Strongest inputs (share of the absolute weights on all paths to the outputs)", *lines]
        + ([f"  … and {more} more"] if more else [])
    )


def _network(network: NeuralNetwork, names: Names) -> str:
    shape = network.architecture
    heading = f"Network {shape}, {shape.genome_size} genes"
    narrow = not shape.recurrent and 10 * (shape.num_inputs + shape.num_outputs) <= _COLUMNS  # ten columns a weight
    table = _weight_table(network, names) if narrow else []
    if not table or max(map(len, table)) > _COLUMNS:
        table = _weight_list(network, names)
    return "\n".join([heading, *table])


def _weight_table(network: NeuralNetwork, names: Names) -> list[str]:
    """A row for each hidden neuron with its incoming weights, bias and outgoing weights; output biases below."""
    bias = network.architecture.bias
    heads = [*names.inputs, *(["bias"] if bias else []), *names.outputs]
    widths = [max(8, len(head)) for head in heads]
    rows = []
    for index in range(network.architecture.num_hidden):
        neuron = network.neuron("hidden", index)
        rows.append((f"hidden {index}", np.concatenate([neuron.incoming, neuron.bias, neuron.outgoing])))
    lines = [f"  {'':<12}" + "  ".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True))]
    for label, values in rows:
        cells = "  ".join(f"{value:>+{width}.3f}" for value, width in zip(values, widths, strict=True))
        lines.append(f"  {label:<12}{cells}")
    if bias:
        blank = " " * (sum(width + 2 for width in widths[: len(names.inputs) + 1]))
        ends = zip(network.output_bias, widths[len(names.inputs) + 1 :], strict=True)
        lines.append(f"  {'output bias':<12}{blank}" + "  ".join(f"{value:>+{width}.3f}" for value, width in ends))
    return lines


def _weight_list(network: NeuralNetwork, names: Names) -> list[str]:
    """A paragraph for each neuron, for networks whose table would be too wide."""
    lines = []
    for layer, index in _neurons(network):
        lines.append(f"  hidden {index}" if layer == "hidden" else f"  {names.outputs[index]}")
        neuron = network.neuron(layer, index)
        lines += [f"    {what:<9} {_weights(values)}" for what, values in neuron._asdict().items() if values.size]
    return lines


def _weights(values: FloatArray) -> str:
    shown = values[: 10 * _SHOWN_WEIGHTS]
    rows = [
        " ".join(f"{value:+8.3f}" for value in shown[start : start + _SHOWN_WEIGHTS])
        for start in range(0, len(shown), _SHOWN_WEIGHTS)
    ]
    text = ("\n" + " " * 14).join(rows)
    return text if len(values) <= 10 * _SHOWN_WEIGHTS else f"{text} … ({len(values)}, all of them with --json)"


def _descent(line: Sequence[Ancestor]) -> str:
    lines = [f"Line of descent ({len(line)} individuals by first parents; fitness in the generation of birth)"]
    hidden = len(line) - _SHOWN_ANCESTORS
    shown = [*line[:1], *line[-_SHOWN_ANCESTORS + 1 :]] if hidden > 0 else list(line)
    for place, ancestor in enumerate(shown):
        if place == 1 and hidden > 0:
            lines.append(f"  … {hidden} more, all of them with --json")
        gain = "" if ancestor.gain is None else f" ({ancestor.gain:+.6g})"
        mate = f" (with {ancestor.parents[1]})" if len(ancestor.parents) > 1 else ""
        made = made_by(ancestor, ", ")
        fitness = score(ancestor.fitness) + gain
        birth = f"generation {ancestor.generation:>4}  individual {ancestor.individual:<7}"
        lines.append(f"  {birth} fitness {fitness:<22} {made}{mate}")
    return "\n".join(lines)


def _neurons(network: NeuralNetwork) -> list[tuple[LayerName, int]]:
    architecture = network.architecture
    sizes: dict[LayerName, int] = {"hidden": architecture.num_hidden, "output": architecture.num_outputs}
    return [(layer, index) for layer, size in sizes.items() for index in range(size)]
