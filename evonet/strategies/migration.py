"""Migrants: copies of individuals that islands send each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from evonet.population import NO_PARENT, Population
from evonet.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Migrants:
    """Copies of individuals on their way to another population.

    Attributes:
        rows: their rows in the population that they come from, `(m,)`.
        genomes: `(m, genome_size)`.
        fitness: `(m,)`.
        step_sizes: `(m, sizes)`, by the number of the mutation.
        returns: return of each episode, `(m, episodes)`; None if their algorithm does not know them.
        masks: which connections exist, `(m, genome_size)`; None if all do.
    """

    rows: IntArray
    genomes: FloatArray
    fitness: FloatArray
    step_sizes: Mapping[int, FloatArray] = field(default_factory=dict)
    returns: FloatArray | None = None
    masks: BoolArray | None = None

    @classmethod
    def fittest(cls, population: Population, returns: FloatArray | None, count: int) -> Migrants:
        """Copies of the fittest `count` individuals; fewer if fewer have a score."""
        assert population.fitness is not None
        fitness = population.fitness
        rows = np.argsort(-fitness, kind="stable")[:count]
        rows = rows[np.isfinite(fitness[rows])]
        return cls(
            rows,
            population.genomes[rows],
            fitness[rows],
            {number: sizes[rows] for number, sizes in population.step_sizes.items()},
            None if returns is None else returns[rows],
            None if population.masks is None else population.masks[rows],
        )

    def settle(
        self, population: Population, returns: FloatArray | None
    ) -> tuple[Population, FloatArray | None, IntArray]:
        """A population in which the migrants, without parents, have taken the places of the least fit.

        A migrant without fitting step sizes takes those of the individual that it replaces; a migrant without fitting
        returns gets its fitness as the return of each episode.

        Args:
            population: with its fitness; it is not written, because others may hold it.
            returns: return of each episode, `(n, episodes)`, or None.

        Returns:
            The new population, its returns, and the rows of the migrants, `(m,)`.
        """
        assert population.fitness is not None
        fitness = population.fitness.copy()
        rows = np.argsort(fitness, kind="stable")[: len(self.genomes)]
        genomes, ids = population.genomes.copy(), population.ids.copy()
        parents, operators = population.parents.copy(), population.operators.copy()
        genomes[rows], fitness[rows] = self.genomes, self.fitness
        ids[rows] = population.ids.max() + 1 + np.arange(len(rows))
        parents[rows], operators[rows] = NO_PARENT, 0
        step_sizes = {number: sizes.copy() for number, sizes in population.step_sizes.items()}
        for number, sizes in step_sizes.items():
            if number in self.step_sizes and self.step_sizes[number].shape[1:] == sizes.shape[1:]:
                sizes[rows] = self.step_sizes[number]
        masks = None if population.masks is None else population.masks.copy()
        if masks is not None:
            masks[rows] = True if self.masks is None else self.masks
        if returns is not None:
            fits = self.returns is not None and self.returns.shape[1:] == returns.shape[1:]
            returns = returns.copy()
            returns[rows] = self.returns if fits else self.fitness[:, None]
        settled = Population(
            population.architecture,
            genomes,
            fitness=fitness,
            ids=ids,
            parents=parents,
            operators=operators,
            operator_names=population.operator_names,
            step_sizes=step_sizes,
            masks=masks,
        )
        return settled, returns, rows
