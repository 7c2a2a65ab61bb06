"""A network and a population as plain numbers, which the page draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evonet.environments.known import Names
from evonet.inspection.phrases import shortened
from evonet.inspection.plots.network import drawn_connections, drawn_neurons
from evonet.network import NeuralNetwork
from evonet.population import Population
from evonet.types import FloatArray
from evonet.watch.curves import rounded

_MAX_NEURONS = 24  # of a layer
_MAX_CONNECTIONS = 300
_BINS = 24


def network_sketch(network: NeuralNetwork, names: Names) -> dict[str, Any]:
    """The neurons of each layer by name, and the strongest connections, weakest first.

    A connection is `[source layer, source, target layer, target, weight]`; source and target are places within the
    drawn layers.
    """
    layers = drawn_neurons(network, _MAX_NEURONS)
    connections = drawn_connections(network, layers, _MAX_CONNECTIONS)
    shape = network.architecture
    return {
        "sizes": [shape.num_inputs, shape.num_hidden, shape.num_outputs],
        "genes": shape.genome_size,
        "layers": [
            [shortened(names.inputs[index]) for index in layers[0]],
            [str(index) for index in layers[1]],
            [shortened(names.outputs[index]) for index in layers[2]],
        ],
        "connections": [[*place, rounded(float(network.genome[gene]))] for gene, *place in connections],
    }


def population_sketch(population: Population, islands: Sequence[Population]) -> dict[str, Any] | None:
    """The spread of a population's fitness, as counts in bins, and of each island's, as five quantiles.

    Returns:
        None before the population is scored, or if no individual could be scored.
    """
    scores = _scores(population)
    if not scores.size:
        return None
    low, high = float(scores.min()), float(scores.max())
    places = (scores / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)  # halves, whose difference is always finite
    counts = np.bincount(np.minimum((places * _BINS).astype(np.int64), _BINS - 1), minlength=_BINS)
    return {
        "size": len(population),
        "failed": len(population) - len(scores),
        "counts": counts.tolist(),
        "low": rounded(low),
        "high": rounded(high),
        "islands": [_five_numbers(_scores(island)) for island in islands],
    }


def _scores(population: Population) -> FloatArray:
    """The finite fitness values, `(n,)`."""
    fitness = np.empty(0) if population.fitness is None else population.fitness
    return fitness[np.isfinite(fitness)]


@np.errstate(over="ignore", invalid="ignore")  # a quantile between two enormous numbers
def _five_numbers(scores: FloatArray) -> list[float | None]:
    """Least, lower quartile, median, upper quartile and greatest; an empty list without scores."""
    return [rounded(value) for value in np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).tolist()] if scores.size else []
