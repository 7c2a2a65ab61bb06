"""Pruning: the inputs that a network can do without are removed one by one (backward elimination)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonet.architecture import Architecture
from evonet.operators.structure import inputs_of, masked, without_each_input
from evonet.population import NO_PARENT, Population
from evonet.settings import Natural, check
from evonet.statistics import standard_error
from evonet.strategies.warm_start import Start, starting_genomes
from evonet.types import BoolArray, FloatArray

OPERATOR = "remove_input"
"""The name of the operator that the lineage has for a network from which an input was removed."""


class Pruning:
    """Removes the inputs of a network one by one, as long as a smaller network is as fit.

    Each generation scores, on the same episodes, the network that it began with and every network with one input less
    than the last. The fittest of these is the next one, if it is as fit as the first network, or less fit by at most
    one standard error of the mean of the episodes' differences; else the pruning is finished. Hidden neurons that no
    input reaches any more go with the input, and one input stays.

    Args:
        architecture: architecture of the network.
        initial: genome of the network, or what has one, see `evonet.strategies.warm_start`; its genes of 0 are
            connections that do not exist.
        individual: id of the network.
        first_id: id of the first smaller network.
        seed: seed of the run; a pruning draws no random numbers.

    Attributes:
        finished: whether no further input is removed.

    Raises:
        TypeError, ValueError: a setting has the wrong type, or the network does not fit the architecture.
    """

    def __init__(
        self,
        architecture: Architecture,
        initial: Start,
        *,
        individual: Natural = 0,
        first_id: Natural = 1,
        seed: Natural = 0,
    ) -> None:
        check(Pruning, {"individual": individual, "first_id": first_id, "seed": seed})
        if first_id <= individual:
            raise ValueError(f"Pruning.first_id must be above individual ({individual}), got {first_id}")
        self.architecture, self.seed = architecture, seed
        self._genomes = starting_genomes("Pruning.initial", initial, architecture, most=1)
        self._ids, self._fitness = np.array([individual]), np.array([-np.inf])  # of the first and the smaller networks
        self._next_id = int(first_id)
        self.finished = self._has_one_input()
        self.population = self._next_population()

    @property
    def smaller(self) -> Population:
        """The network after each removal with its fitness, the one with the fewest inputs first."""
        order = np.arange(len(self._ids) - 1, 0, -1)
        return Population(self.architecture, self._genomes[order], fitness=self._fitness[order], ids=self._ids[order])

    def ask(self) -> FloatArray:
        """The first network, and all networks with one input less than the last, `(n, genome_size)`."""
        if self.population.fitness is not None:
            self.population = self._next_population()
        return self.population.genomes

    def tell(self, fitness: ArrayLike, returns: ArrayLike | None = None) -> None:
        """Remove an input, or finish.

        Args:
            fitness: of the genomes last asked for, `(n,)`; higher is fitter.
            returns: what each of their episodes is worth, `(n, episodes)`; without it the fitness may not fall at all.

        Raises:
            ValueError: `fitness` or `returns` has the wrong shape.
        """
        n = len(self.ask())
        scores = np.array(fitness, np.float64)
        if scores.shape != (n,):
            raise ValueError(f"Pruning.tell must get fitness of shape ({n},), got {scores.shape}")
        scores[~np.isfinite(scores)] = -np.inf
        worth = scores[:, None] if returns is None else np.asarray(returns, np.float64)
        if worth.ndim != 2 or len(worth) != n:
            raise ValueError(f"Pruning.tell must get returns of shape ({n}, episodes), got {worth.shape}")
        self.population.fitness = scores
        self._next_id += len(scores) - 1
        row = 1 + int(scores[1:].argmax()) if len(scores) > 1 else 0
        with np.errstate(invalid="ignore"):  # infinity minus infinity
            as_fit = row and scores[row] >= scores[0] - standard_error(worth[row] - worth[0])
        if as_fit:
            self._genomes = np.concatenate([self._genomes, self.population.genomes[[row]]])
            self._ids = np.append(self._ids, self.population.ids[row])
            self._fitness = np.append(self._fitness, scores[row])
        self.finished = not as_fit or self._has_one_input()

    def __repr__(self) -> str:
        state = ", finished" if self.finished else ""
        return f"<Pruning: {len(self._ids) - 1} inputs removed from {self.architecture}{state}>"

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to continue bit for bit: arrays and numbers."""
        return {
            "genomes": self._genomes,
            "ids": self._ids,
            "fitness": self._fitness,
            "next_id": self._next_id,
            "finished": self.finished,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`, which is copied; the network must be the one of the state."""
        self._genomes = np.array(state["genomes"], np.float64)
        self._ids, self._fitness = np.array(state["ids"], np.int64), np.array(state["fitness"], np.float64)
        self._next_id = int(state["next_id"])
        self.finished = bool(state["finished"]) or self._has_one_input()
        self.population = self._next_population()

    def _has_one_input(self) -> bool:
        """Whether the last network has one input with connections, or none."""
        return int(inputs_of(self._genomes[-1] != 0.0, self.architecture).sum()) < 2

    def _next_population(self) -> Population:
        """The first network, and those with one input less than the last.

        Of these there are none if the pruning is finished, or if one input is left.
        """
        last = self._genomes[-1]
        fewer = without_each_input(last != 0.0, self.architecture)[: 0 if self.finished else None]
        genomes = np.concatenate([self._genomes[:1], masked(np.tile(last, (len(fewer), 1)), fewer)])
        masks: BoolArray = np.concatenate([self._genomes[:1] != 0.0, fewer])
        removed = np.arange(len(masks)) > 0
        return Population(
            self.architecture,
            genomes,
            ids=np.append(self._ids[0], self._next_id + np.arange(len(fewer))),
            parents=np.column_stack([np.where(removed, self._ids[-1], NO_PARENT), np.full(len(masks), NO_PARENT)]),
            operators=removed.astype(np.int64),
            operator_names=(OPERATOR,),
            masks=masks,
        )
