"""HTML for notebooks: runs, populations and networks as short text and Matplotlib figures.

Without Matplotlib, a notebook shows an object's plain text instead.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from evonet.champion import Champion
from evonet.generation import Generation
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.phrases import number, scores, title, verdict_sentence
from evonet.inspection.plots import histogram, learning_curve, network_diagram
from evonet.inspection.svg import new_axes, page_style, svg
from evonet.network import NeuralNetwork
from evonet.population import NO_PARENT, Population

_FITTEST = 5
_CELL = 'style="text-align:left;padding:1px 12px 1px 0"'


def to_html(value: LoadedRun | Generation | Champion | Population | NeuralNetwork) -> str | None:
    """What evonet draws in a notebook as HTML; None without Matplotlib, so that a notebook shows plain text."""
    if find_spec("matplotlib") is None:
        return None
    if isinstance(value, Generation):
        return generation_html(value)
    if isinstance(value, Champion):
        return champion_html(value)
    if isinstance(value, LoadedRun):
        return run_html(value)
    return population_html(value) if isinstance(value, Population) else network_html(value)


def run_html(run: LoadedRun) -> str:
    """A run's verdict, learning curve, scores and champion's network."""
    parts = [_paragraph(verdict_sentence(run.summary))]
    if len(run.metrics.get("generation", ())):
        parts.append(figure_html(lambda axes: learning_curve(run, ax=axes)))
    if run.champion is not None:
        shape = run.champion.architecture
        names, network = run.names, run.champion.network
        parts += [
            _table(("score", "value", "of"), scores(run.summary)),
            _paragraph(f"champion: network {shape}, {shape.genome_size} genes"),
            figure_html(lambda axes: network_diagram(network, names, ax=axes), width=7.0, height=4.0),
        ]
    return _block(title(run.summary), parts)


def generation_html(generation: Generation) -> str:
    """A generation's number, its champion's scores, and its population."""
    steps = f"{generation.evaluations:,} evaluations and {generation.environment_steps:,} environment steps so far"
    parts = [_paragraph(steps)]
    parts += [] if generation.champion is None else [_scores_html(generation.champion)]
    return _block(f"Generation {generation.number}", [*parts, population_html(generation.population)])


def champion_html(champion: Champion) -> str:
    """A champion's scores and its network."""
    place = "" if champion.task is None else f" in {champion.task.environment_name}"
    figure = figure_html(lambda axes: network_diagram(champion.network, champion.names, ax=axes), width=7.0, height=4.0)
    return _block(f"Champion {champion.id}{place}: {champion.architecture}", [_scores_html(champion), figure])


def _scores_html(champion: Champion) -> str:
    known = (("test", champion.test), ("validation", champion.validation))
    rows = [(name, number(each.mean, 3), str(each.episodes)) for name, each in known if each is not None]
    return _table(("champion", "mean", "episodes"), rows) if rows else _paragraph("no scores")


def population_html(population: Population) -> str:
    """A population's fitness, its fittest individuals, and the network of the fittest."""
    shape, fitness = population.architecture, population.fitness
    heading = f"Population of {len(population)} networks {shape}, {shape.genome_size} genes each"
    if fitness is None:
        return _block(heading, [_paragraph("not evaluated")])
    known = fitness[np.isfinite(fitness)]
    if not known.size:
        return _block(heading, [_paragraph("no individual could be scored")])
    spread = (
        f"fitness: best {number(known.max(), 4)}, median {number(float(np.median(known)), 4)}, "
        f"worst {number(known.min(), 4)}"
    )
    failed = len(population) - len(known)
    order = np.argsort(-np.where(np.isfinite(fitness), fitness, -np.inf), kind="stable")[:_FITTEST]
    rows = [
        (str(population.ids[row]), number(fitness[row], 4), _parents(population, row), _operators(population, row))
        for row in order
    ]
    parts = [
        _paragraph(spread + (f"; {failed} could not be scored" if failed else "")),
        figure_html(lambda axes: histogram(known, "fitness", ax=axes).set_ylabel("individuals"), height=2.0),
        _table(("individual", "fitness", "parents", "made by"), rows),
        figure_html(lambda axes: network_diagram(population.best, ax=axes), width=7.0, height=4.0),
    ]
    return _block(heading, parts)


def network_html(network: NeuralNetwork) -> str:
    """A network's neurons and connections."""
    heading = f"NeuralNetwork {network.architecture}, {network.architecture.genome_size} genes"
    return _block(heading, [figure_html(lambda axes: network_diagram(network, ax=axes), width=7.0, height=4.0)])


def _parents(population: Population, row: int) -> str:
    return ", ".join(str(parent) for parent in population.parents[row] if parent != NO_PARENT) or "–"


def _operators(population: Population, row: int) -> str:
    return ", ".join(population.operators_of(row)) or "–"


def figure_html(draw: Callable[[Any], object], width: float = 5.0, height: float = 2.6) -> str:
    """A figure of `width` times `height` inches as SVG; Matplotlib escapes the names in the SVG."""
    with page_style():
        axes = new_axes(width, height)
        draw(axes)
        return f'<div style="max-width:{width * 100:.0f}px">{svg(axes.figure)}</div>'


def _block(heading: str, parts: Sequence[str]) -> str:
    body = "".join(f'<div style="margin:.4em 0;overflow-x:auto">{part}</div>' for part in parts)
    return f'<div style="font-family:sans-serif;font-size:13px"><strong>{html.escape(heading)}</strong>{body}</div>'


def _paragraph(text: str) -> str:
    return f"<div>{html.escape(text)}</div>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th {_CELL}>{html.escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td {_CELL}>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table style="color:inherit;font-size:inherit"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
