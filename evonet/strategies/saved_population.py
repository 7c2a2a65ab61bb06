"""The population in an algorithm's saved state, read without making the algorithm: nothing that a file names is run.

A state that holds `genomes`, `ids` and `fitness` is a population, as the genetic algorithm and every `Strategy` save
it. Algorithms that run others save the states of those; islands and restarts also ids that are unique in the whole run,
and novelty search the fitness, in place of which the other algorithm has the novelty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evonet.architecture import Architecture
from evonet.operators.structure import enlarged, masked, smaller, thresholded
from evonet.population import Population


def population_of(state: Mapping[str, Any], architecture: Architecture) -> Population:
    """The population in `state`, an algorithm's `state()` or what a file holds of it: genomes, ids and fitness.

    Raises:
        KeyError, TypeError, ValueError: the state holds no population of such networks.
    """
    if "islands" in state:
        return _of_islands(state, architecture)
    if "first_id" in state:
        return _of_restarts(state, architecture)
    if _is_of_novelty_search(state):
        inner = population_of(state["algorithm"], architecture)
        return Population(architecture, inner.genomes, fitness=state.get("fitness"), ids=inner.ids)
    return Population(architecture, state["genomes"], fitness=state.get("fitness"), ids=state["ids"])


def islands_of(state: Mapping[str, Any], architecture: Architecture) -> list[Population]:
    """The population of each island in `state`, each under ids of its own; an empty list if there are no islands.

    Raises:
        KeyError, TypeError, ValueError: an island's state holds no population of such networks.
    """
    if "first_id" in state or _is_of_novelty_search(state):
        return islands_of(state["algorithm"], architecture)
    states = state.get("islands", {})
    return [population_of(states[str(place)], architecture) for place in range(len(states))]


def _is_of_novelty_search(state: Mapping[str, Any]) -> bool:
    return "archive" in state and "algorithm" in state


def _of_islands(state: Mapping[str, Any], architecture: Architecture) -> Population:
    """The populations of all islands in one, under the ids of the whole run."""
    islands = islands_of(state, architecture)
    fitness = [island.fitness for island in islands if island.fitness is not None]
    return Population(
        architecture,
        np.concatenate([island.genomes for island in islands]),
        fitness=np.concatenate(fitness) if len(fitness) == len(islands) else None,
        ids=state["ids"],
    )


def _of_restarts(state: Mapping[str, Any], architecture: Architecture) -> Population:
    """The population of the algorithm that runs now; ids count on from restart to restart."""
    searched = smaller(architecture, int(state.get("hidden", architecture.num_hidden)))  # that of a growing network
    inner = population_of(state["algorithm"], searched)
    exists = np.array(state.get("exists", True), np.bool_)
    genomes = enlarged(thresholded(inner.genomes, float(state.get("threshold", 0.0))), searched, architecture)
    genomes = masked(genomes, exists)
    return Population(architecture, genomes, fitness=inner.fitness, ids=inner.ids + int(state["first_id"]))
