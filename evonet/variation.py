"""Variation: how the children of selected parents get their genomes, by crossover and then by mutations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from evonet.operators.bounds import Bounds
from evonet.operators.crossover import Crossover
from evonet.operators.mutation import Mutation, SelfAdapting, inherited_step_sizes
from evonet.operators.parents import Parents, checked_genomes
from evonet.operators.structural_mutation import StructuralMutation
from evonet.operators.structure import masked
from evonet.population import NO_PARENT, Population
from evonet.types import BoolArray, FloatArray, IntArray

_BLOCK_GENES = 1 << 17  # children are bred in blocks of a megabyte, which stay in the processor's cache
_FIRST_GENES = 64  # compared before the rest of a row

AnyMutation: TypeAlias = Mutation | StructuralMutation


@dataclass(frozen=True)
class Variation:
    """The operators that make the children of one generation, with their settings in that generation.

    Attributes:
        crossover: how two parents' genomes are combined.
        mutations: the mutations in the order in which they are applied, each by the number of its bit in
            `Population.operators`.
        bounds: range that genes stay in; None without one.
    """

    crossover: Crossover
    mutations: Mapping[int, AnyMutation]
    bounds: Bounds | None

    def breed(
        self,
        rng: np.random.Generator,
        structure_rng: np.random.Generator,
        parents: Parents,
        old: Population,
        pairs: IntArray,
        children: Population,
    ) -> None:
        """Fill `children` with the offspring of the pairs, and record which operators changed each child.

        Args:
            rng: generator of the crossover and of the mutations of weights.
            structure_rng: generator of the mutations of the structure.
            parents: the parents.
            old: the population of the parents, which has their ids and step sizes.
            pairs: rows of each child's parents, `(m, 2)`.
            children: m individuals with ids; everything else is written.
        """
        rows = max(1, _BLOCK_GENES // parents.architecture.genome_size)
        for start in range(0, len(pairs), rows):
            block = slice(start, start + rows)
            self._breed_block(rng, structure_rng, parents, old, pairs[block], children[block])

    def _breed_block(
        self,
        rng: np.random.Generator,
        structure_rng: np.random.Generator,
        parents: Parents,
        old: Population,
        pairs: IntArray,
        children: Population,
    ) -> None:
        pairs = _fitter_first(parents, pairs)
        first, second = parents.genomes.take(pairs[:, 0], axis=0), parents.genomes.take(pairs[:, 1], axis=0)
        masks = None
        if parents.masks is not None:  # connections of the fitter; genes of either where both have the connection
            masks = parents.masks[pairs[:, 0]]
            second = np.where(parents.masks[pairs[:, 1]] & masks, second, first)
        genomes = checked_genomes(self.crossover(rng, first, second, parents.architecture), first, self.crossover)
        crossed = _changed(first, genomes)
        children.operators[:] = crossed
        for number, mutation in self.mutations.items():
            before = genomes
            if isinstance(mutation, StructuralMutation):
                assert masks is not None
                genomes, masks = mutation(structure_rng, before, masks, parents.architecture)
            elif number in old.step_sizes:
                assert isinstance(mutation, SelfAdapting)
                inherited = inherited_step_sizes(old.step_sizes[number], pairs, crossed)
                genomes, children.step_sizes[number][:] = mutation.mutate(rng, before, parents, inherited)
            else:
                genomes = checked_genomes(mutation(rng, before, parents), before, mutation)
            genomes = masked(genomes, masks)
            children.operators |= _changed(before, genomes).astype(np.int64) << number
        children.genomes[:] = genomes if self.bounds is None else masked(self.bounds(genomes), masks)
        if masks is not None:
            assert children.masks is not None
            children.masks[:] = masks
        children.parents[:] = old.ids[pairs]
        children.parents[~crossed, 1] = NO_PARENT


def _changed(before: FloatArray, after: FloatArray) -> BoolArray:
    """Whether each row differs, `(m,)`; most differ in their first genes, and only the others are compared whole."""
    changed: BoolArray = (before[:, :_FIRST_GENES] != after[:, :_FIRST_GENES]).any(axis=1)
    if not changed.all():
        alike = np.flatnonzero(~changed)
        changed[alike] = (before[alike] != after[alike]).any(axis=1)
    return changed


def _fitter_first(parents: Parents, pairs: IntArray) -> IntArray:
    """The pairs `(m, 2)`; of two parents with different structures, the fitter is the first."""
    if parents.masks is None:
        return pairs
    first, second = pairs.T
    swapped = parents.fitness[second] > parents.fitness[first]
    rows = np.flatnonzero(swapped)
    swapped[rows] = (parents.masks[first[rows]] != parents.masks[second[rows]]).any(axis=1)
    return np.where(swapped[:, None], pairs[:, ::-1], pairs)
