"""Figures for programs and notebooks: `evonet.plot.learning_curve(history)`, `network(champion)`, `ancestry(run)`.

Each draws on Matplotlib axes and returns them; without `ax` it makes a new figure, `axes.figure`. Nothing touches
pyplot. All figures of the report are functions in `evonet.inspection.plots`. An example:

    axes = evonet.plot.learning_curve(history)
    axes.figure.savefig("learning.pdf")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.champion import Champion
from evonet.errors import EvonetError
from evonet.experiment.run_files.generation_log import metrics_of
from evonet.generation import Generation
from evonet.inspection.analysis.ancestry import family
from evonet.inspection.loaded_run import LoadedRun
from evonet.inspection.plots import descent_tree, network_diagram
from evonet.inspection.plots import learning_curve as draw_learning_curve
from evonet.inspection.plots.learning import Over
from evonet.inspection.plots.palette import Axes
from evonet.network import NeuralNetwork

_NOTHING = "learning_curve.history must have at least one generation, got none"


@dataclass(frozen=True)
class _History:
    metrics: dict[str, NDArray[Any]]
    summary: dict[str, Any]


def learning_curve(
    history: LoadedRun | Iterable[Generation],
    over: Over = "evaluations",
    target: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Best, median and quartiles of the training fitness and the champion's validation mean, over generations.

    Args:
        history: the generations that `evolve` yielded, in a list, or a loaded run.
        over: unit of the horizontal axis.
        target: a line to draw; by default a run's own.
        ax: axes to draw on; by default new ones.

    Raises:
        EvonetError: Matplotlib is not installed.
        ValueError: there are no generations.
    """
    if not isinstance(history, LoadedRun):
        return draw_metrics([metrics_of(generation) for generation in history], over, target, ax)
    if not history.metrics:
        raise ValueError(_NOTHING)
    return draw_learning_curve(history if target is None else _History(history.metrics, {"target": target}), over, ax)


def draw_metrics(
    lines: Sequence[Mapping[str, Any]],
    over: Over = "evaluations",
    target: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The learning curve of `metrics_of` each generation.

    Raises:
        ValueError: there are no generations.
    """
    if not lines:
        raise ValueError(_NOTHING)
    metrics = {name: np.array([line[name] for line in lines], np.float64) for name in lines[0]}
    return draw_learning_curve(_History(metrics, {"target": target}), over, ax)


def network(network: NeuralNetwork | Champion, ax: Axes | None = None) -> Axes:
    """Neurons and connections: blue for positive weights, orange for negative ones, wider for stronger ones.

    Args:
        network: a network, or a champion, whose inputs and outputs have their names.
        ax: axes to draw on; by default new ones.

    Raises:
        EvonetError: Matplotlib is not installed.
    """
    if isinstance(network, Champion):
        return network_diagram(network.network, network.names, ax=ax)
    return network_diagram(network, ax=ax)


def ancestry(run: LoadedRun, ax: Axes | None = None) -> Axes:
    """The champion's ancestors over generation and fitness, with a thick line through the first parents.

    Args:
        run: a loaded run.
        ax: axes to draw on; by default new ones.

    Raises:
        EvonetError: the run has no champion, or Matplotlib is not installed.
    """
    if run.champion is None:
        raise EvonetError(f"{run.path} has no champion, so no ancestry can be drawn")
    return descent_tree(family(run.lineage, run.descent), ax=ax)
