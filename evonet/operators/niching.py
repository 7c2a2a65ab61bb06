"""Niching: chooses pairs of parents so that the population stays diverse.

A niching maps `(rng, parents, count, selection)` to rows of the parents of `count` children, `(2 * count,)`; neighbours
are paired. It calls the genetic algorithm's own selection, with some of the parents or with another fitness. To add
one, write a class and enter it in `NICHINGS`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Protocol

import numpy as np
from annotated_types import Ge

from evonet.arithmetic import power
from evonet.operators.fitness_scaling import lead
from evonet.operators.parents import Parents
from evonet.operators.selection import Selection
from evonet.settings import Count, Operator, PositiveFloat, frozen
from evonet.types import BoolArray, FloatArray, IntArray


class Niching(Protocol):
    """Chooses pairs of parents so that the population stays diverse."""

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int, selection: Selection) -> IntArray:
        """Rows of the parents of `count` children, `(2 * count,)`; neighbours are paired."""
        ...


@frozen
class NoNiching(Operator):
    """Pairs of parents as the selection chooses them, by the plain fitness."""

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int, selection: Selection) -> IntArray:
        return selection(rng, parents, 2 * count)


@frozen
class FitnessSharing(Operator):
    """Divides the lead over the least fit by the number of similar individuals (Goldberg and Richardson 1987).

    The niche count of an individual is the sum of 1 - (distance / radius) ** alpha over all nearer than the radius.
    Distances are root mean squares of the differences of genes, so that a radius means the same for all networks.

    Attributes:
        radius: distance from which individuals do not share fitness.
        alpha: shape of the sharing function; 1 makes it a triangle.
    """

    radius: PositiveFloat = 0.5
    alpha: PositiveFloat = 1.0

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int, selection: Selection) -> IntArray:
        near = np.minimum(distances(parents.genomes, parents.genomes) / self.radius, 1.0)
        niche_count = (1.0 - power(near, self.alpha)).sum(axis=1)
        shared = replace(parents, fitness=lead(parents.fitness) / niche_count, returns=None)  # returns are not shared
        return selection(rng, shared, 2 * count)


@frozen
class Speciation(Operator):
    """Individuals mate within their species; its mean fitness sets its number of children (Stanley, Miikkulainen 2002).

    The fittest individual founds a species of all that are nearer to it than the radius, the fittest of the rest the
    next, and so on. A species has children in proportion to its mean lead over the least fit of all. This is
    explicit fitness sharing: because the mean counts, a species gains nothing by its size.

    Attributes:
        radius: distance from the founder (root mean square of the differences of genes) where its species ends.
        most: greatest number of species; beyond it, individuals join the nearest.
        disjoint: where the structure evolves, how much the share of connections that only one of two networks has adds
            to their distance (Stanley and Miikkulainen 2002, equation 1).
    """

    radius: PositiveFloat = 0.5
    most: Count = 8
    disjoint: Annotated[float, Ge(0)] = 0.0

    def __call__(self, rng: np.random.Generator, parents: Parents, count: int, selection: Selection) -> IntArray:
        species = self.species(parents.genomes, parents.fitness, parents.masks)
        sizes = np.bincount(species)
        shares = np.bincount(species, weights=lead(parents.fitness)) / sizes
        children = _shared_out(count, shares if shares.any() else sizes.astype(np.float64))
        rows = []
        for number, born in enumerate(children.tolist()):
            if born:
                members = np.flatnonzero(species == number)
                rows.append(members[selection(rng, parents[members], 2 * born)])
        return np.concatenate(rows)

    def species(self, genomes: FloatArray, fitness: FloatArray, masks: BoolArray | None = None) -> IntArray:
        """The number of each individual's species, `(m,)`, from 0 for that of the fittest.

        Args:
            genomes: `(m, genome_size)`.
            fitness: `(m,)`.
            masks: which connections exist, `(m, genome_size)`; None if all do.
        """
        species = np.full(len(genomes), -1)
        founders: list[int] = []
        while (free := np.flatnonzero(species < 0)).size:
            if len(founders) == self.most:
                species[free] = self._distances(genomes, masks, free, np.array(founders)).argmin(axis=1)
                break
            founder = int(free[fitness[free].argmax()])
            near = self._distances(genomes, masks, free, np.array([founder]))[:, 0] < self.radius
            species[free[near]] = len(founders)
            species[founder] = len(founders)
            founders.append(founder)
        return species

    def _distances(self, genomes: FloatArray, masks: BoolArray | None, some: IntArray, others: IntArray) -> FloatArray:
        """Distances `(k, l)` between the individuals in rows `some (k,)` and `others (l,)`, with those of structure."""
        apart = distances(genomes[some], genomes[others])
        if masks is None or not self.disjoint:
            return apart
        first, second = masks[some].astype(np.float64), masks[others].astype(np.float64)
        shared = first @ second.T  # sums of whole numbers, exact in any order
        sizes = first.sum(axis=1)[:, None] + second.sum(axis=1)
        parted: FloatArray = apart + self.disjoint * (sizes - 2 * shared) / np.maximum(sizes - shared, 1)
        return parted


NICHINGS: dict[str, type[Niching]] = {"none": NoNiching, "sharing": FitnessSharing, "species": Speciation}


def distances(first: FloatArray, second: FloatArray) -> FloatArray:
    """Root mean squares of the differences of genes, `(m, k)`, between `(m, genome_size)` and `(k, genome_size)`."""
    if len(first) > len(second):
        return distances(second, first).T
    squares = np.empty((len(first), len(second)))
    with np.errstate(over="ignore", invalid="ignore"):  # genomes may hold any number
        for row, genome in zip(squares, first, strict=True):
            differences = second - genome
            np.multiply(differences, differences, out=differences)
            differences.sum(axis=1, out=row)
    squares[~np.isfinite(squares)] = np.inf
    apart: FloatArray = np.sqrt(squares / first.shape[1])
    return apart


def _shared_out(count: int, shares: FloatArray) -> IntArray:
    """Whole numbers in proportion to `shares` that add up to `count`; the largest remainders are rounded up."""
    wanted = count * (shares / shares.max() / (shares / shares.max()).sum())
    whole: IntArray = np.floor(wanted).astype(np.int64)
    missing = count - int(whole.sum())
    whole[np.argsort(whole - wanted, kind="stable")[:missing]] += 1
    return whole
