"""The overview of a run or a champion that `evonet inspect` prints: as text and as data."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.champion import Champion
from evonet.environments.known import Names
from evonet.evaluation.kernels.task import why_no_kernel
from evonet.experiment.config.permissions import flags_for
from evonet.experiment.run_files.journal_lines import VALIDATION_FITNESS
from evonet.files.text import Paint
from evonet.inspection.analysis.front import Front, front_of
from evonet.inspection.analysis.search import Search, search_of
from evonet.inspection.archives import archive_text
from evonet.inspection.chart import chart
from evonet.inspection.lineage import Ancestor
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import counted, first_few, made_by, number, shortened, where_scored
from evonet.inspection.policy_text import policy_text
from evonet.inspection.verdict import COLUMNS, champion_verdict, plain, run_verdict
from evonet.inspection.weights import weight_tables
from evonet.network import LayerName, NeuralNetwork
from evonet.operators.structure import inputs_left_out
from evonet.shell import command

_SHOWN_ANCESTORS = 8
_SHOWN_INPUTS = 8
_SHORTEST_CURVE = 10  # generations
_CURVE_COLUMNS = 60
_LEARNING = ("generation", "environment_steps", "best", "median", "validation_mean")


def run_overview_data(run: LoadedRun) -> dict[str, Any]:
    """A run's overview as plain data: the content of `run_overview`, with all weights, ancestors and generations."""
    champion = run.champion
    data = dict(run.summary)
    if champion is not None:
        names = run.names
        network = champion.network
        data["architecture"] = champion.architecture.to_dict()
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


def run_overview(run: LoadedRun, *, weights: bool = False, paint: Paint = plain) -> str:
    """A run's overview as text of at most 80 columns, unless names are longer: the verdict, then how it came about.

    Args:
        run: the run.
        weights: whether all weights of the champion follow.
        paint: colours the verdict.
    """
    sections = [run_verdict(run.summary, paint)]
    if not run.finished:
        sections.append(_unfinished(run))
    if run.champion is not None and run.champion.task is not None and (why := why_no_kernel(run.champion.task)):
        sections.append(textwrap.fill(f"Note: {why}.", COLUMNS))
    if where := where_scored(run.settings):
        sections.append(textwrap.fill(where, COLUMNS))
    if run.champion is not None and (measured := _measures(run.champion)):
        sections.append(measured)
    front = front_of(run)
    if front is not None:
        sections.append(_front(front))
    if "archive" in run.summary:
        sections.append(archive_text(run.summary["archive"]))
    if len(run.metrics.get("generation", ())) >= _SHORTEST_CURVE:
        sections.append(_curve(run.metrics))
    if run.champion is not None:
        names = run.names
        sections += [_what_it_does(run.champion, names), _origin(run)]
        sections += _network(run.champion, names, weights=weights)
    return "\n\n".join(sections)


def champion_overview(champion: Champion, path: str | Path, *, weights: bool = False, paint: Paint = plain) -> str:
    """A champion's overview, without a run; the arguments are those of `run_overview`."""
    names = champion.names
    head = champion_verdict(champion, path, champion.target, paint)
    measured = [_measures(champion)] if _measures(champion) else []
    network = _network(champion, names, weights=weights)
    return "\n\n".join([head, *measured, _what_it_does(champion, names), *network])


def influence(network: NeuralNetwork) -> list[float]:
    """Each input's share of the absolute weights on all paths to the outputs (after Olden et al. 2004).

    The weights of two inputs are comparable only if the inputs' values are, as they are in normalised observations.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # products of the largest weights are infinite
        paths = np.abs(network.input_hidden_weights) @ np.abs(network.hidden_output_weights)
        strength = paths.sum(axis=1)
        if network.architecture.skip:
            strength = strength + np.abs(network.input_output_weights).sum(axis=1)
        total = strength.sum()
        shares: list[float] = np.nan_to_num(strength / total if total > 0 else strength).tolist()
    return shares


def _unfinished(run: LoadedRun) -> str:
    resume = command("evonet", "resume", run.path, *flags_for(run.path, run.imports))
    return f"Last written {run.idle_seconds:,.0f} s ago. If it is no longer running, resume with:\n  {resume}"


def _measures(champion: Champion) -> str:
    """Mean and spread of the champion's measures in its test, or in the validation; "" where there are none."""
    scores = {"fresh": champion.test, "held-out": champion.validation}
    kind, score = next(((kind, each) for kind, each in scores.items() if each and each.measures), ("", None))
    if score is None:
        return ""
    means = {shortened(name, 28): (number(mean, 4), number(sd, 3)) for name, (mean, sd) in score.measured.items()}
    width, digits = max(map(len, means)), max(len(mean) for mean, _ in means.values())
    rows = [f"  {name:<{width}}  {mean:>{digits}}  ± {spread}" for name, (mean, spread) in means.items()]
    episodes = counted(score.episodes, f"{kind} episode")
    return "\n".join([f"Measures (mean and standard deviation over {episodes})", *rows])


def _front(front: Front) -> str:
    """The Pareto front of the last population, from one end to the other."""
    best = np.flatnonzero(front.best)
    rows = best[np.unique(front.values[best], axis=0, return_index=True)[1]]  # one of those that are equal, in order
    shown = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SHOWN_ANCESTORS)).round().astype(int)]
    heads = [f"{shortened(name, 20)} ({direction})" for name, direction in front.directions.items()]
    lines = [f"Pareto front ({len(best)} of {counted(len(front.ids), 'individual')}, on training episodes)"]
    lines.append("  id        " + "  ".join(f"{head:>12}" for head in heads))
    for row in shown:
        numbers = [number(value, 4) for value in front.values[row].tolist()]
        cells = [f"{text:>{max(12, len(head))}}" for text, head in zip(numbers, heads, strict=True)]
        lines.append(f"  {front.ids[row]:<8}  " + "  ".join(cells))
    return "\n".join(lines)


def _curve(metrics: Mapping[str, NDArray[Any]]) -> str:
    validation = (
        VALIDATION_FITNESS if VALIDATION_FITNESS in metrics else "validation_mean"
    )  # of the same kind as the fitness beside it
    curves = {"validation": validation, "best": "best", "median": "median"}
    series = {name: metrics[column].tolist() for name, column in curves.items() if column in metrics}
    return f"Learning curve (over generations)\n{chart(series, _CURVE_COLUMNS, stretch=True)}"


def _what_it_does(champion: Champion, names: Names) -> str:
    return policy_text(champion, names) or _inputs(champion.network, names)


def _inputs(network: NeuralNetwork, names: Names) -> str:
    shares = influence(network)
    order = np.argsort(-np.array(shares), kind="stable")[:_SHOWN_INPUTS]
    shown = [shortened(names.inputs[i], 28) for i in order]
    width = max(map(len, shown))
    rows = zip(shown, order, strict=True)
    lines = [f"  {name:<{width}} {shares[i]:6.1%} {'#' * round(40 * shares[i])}" for name, i in rows]
    more = len(shares) - len(order)
    return "\n".join(
        ["Strongest inputs (share of the absolute weights on all paths to the outputs)", *lines]
        + ([f"  … and {more} more"] if more else [])
    )


def _network(champion: Champion, names: Names, *, weights: bool) -> list[str]:
    shape = champion.architecture
    heading = f"Network {shape}, {counted(shape.genome_size, 'weight')}"
    connections = np.count_nonzero(champion.genome)
    if connections < shape.genome_size:
        heading += f", {connections:,} of them not 0"
    missing = [names.inputs[index] for index in inputs_left_out(champion.genome != 0, shape)]
    if missing:
        heading += "\n" + textwrap.fill(f"Inputs left out: {first_few(missing)}", COLUMNS)
    return [heading, weight_tables(champion.network, names)] if weights else [heading]


def _origin(run: LoadedRun) -> str:
    """The champion's ancestry, or what an algorithm did that names no parents."""
    search = search_of(run.settings, run.metrics, run.lineage)
    return _descent(run.descent) if search is None else _search(search, run)


def _search(search: Search, run: LoadedRun) -> str:
    assert run.champion is not None
    lines = [f"Search by {search.algorithm}, which samples without parents"]
    if search.sigma is not None and search.mean_distance is not None:
        lines += [
            (
                f"  step size      {number(float(search.sigma[0]), 3)} after the first generation, "
                f"{number(float(search.sigma[-1]), 3)} after the last"
            ),
            f"  mean           {number(float(search.mean_distance[-1]), 3)} from where it began",
        ]
    lines += [
        (
            f"  improvements   the best fitness rose in {search.rises} of {search.generations - 1} generations; "
            f"{counted(search.champions, 'champion')}"
        ),
        f"  this champion  sampled in generation {_birth(run)}",
    ]
    return "\n".join(lines)


def _birth(run: LoadedRun) -> int:
    return run.descent[-1].generation if run.descent else run.champion.generation if run.champion is not None else 0


def _descent(line: Sequence[Ancestor]) -> str:
    lines = [f"Ancestry ({counted(len(line), 'individual')}, first parents; fitness in the generation of birth)"]
    hidden = len(line) - _SHOWN_ANCESTORS
    shown = [*line[:1], *line[-_SHOWN_ANCESTORS + 1 :]] if hidden > 0 else list(line)
    for place, ancestor in enumerate(shown):
        if place == 1 and hidden > 0:
            lines.append(f"  … {hidden} more, all of them with --json")
        gain = "" if ancestor.gain is None else f"({ancestor.gain:+.4g})"
        mate = f" (with {ancestor.parents[1]})" if len(ancestor.parents) > 1 else ""
        birth = f"  generation {ancestor.generation:>4}  id {ancestor.individual:<7}"
        fitness = f"{number(-math.inf if ancestor.fitness is None else ancestor.fitness, 4):>8} {gain:<9}"
        room = COLUMNS - len(birth) - len(fitness) - len(mate) - 2
        lines.append(f"{birth} {fitness} {shortened(made_by(ancestor, ', '), room)}{mate}")
    return "\n".join(lines)


def _neurons(network: NeuralNetwork) -> list[tuple[LayerName, int]]:
    architecture = network.architecture
    sizes: dict[LayerName, int] = {"hidden": architecture.num_hidden, "output": architecture.num_outputs}
    return [(layer, index) for layer, size in sizes.items() for index in range(size)]
