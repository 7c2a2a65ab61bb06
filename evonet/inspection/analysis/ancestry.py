"""Where a champion came from, and which operators paid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonet.inspection.lineage import Ancestor, Lineage
from evonet.population import NO_PARENT
from evonet.types import IntArray

_MOST_COMBINATIONS = 12


@dataclass(frozen=True)
class Family:
    """A champion's ancestors: its line of first parents, and the second parents with their ancestors.

    Attributes:
        line: from the first generation to the champion.
        others: second parents of the line, and their own parents, by id.
        bonds: `(parent, child)` ids of all of them.
    """

    line: Sequence[Ancestor]
    others: dict[int, Ancestor]
    bonds: Sequence[tuple[int, int]]


def family(lineage: Lineage, line: Sequence[Ancestor], most: int = 240) -> Family:
    """The family of the last individual of `line`.

    Parents are followed back generation by generation, up to `most` individuals outside the line.
    """
    own = {ancestor.individual for ancestor in line}
    others: dict[int, Ancestor] = {}
    bonds = [(parent, child.individual) for child in line for parent in child.parents]
    edge = [parent for parent, _ in bonds if parent not in own]
    while edge and len(others) < most:
        parents: list[int] = []
        for individual in dict.fromkeys(edge):
            row = lineage.row(individual)
            if individual in own or individual in others or row is None or len(others) >= most:
                continue
            found = others[individual] = lineage.individual(row)
            bonds += [(parent, individual) for parent in found.parents]
            parents += found.parents
        edge = parents
    return Family(line, others, [bond for bond in bonds if bond[0] in own or bond[0] in others])


@dataclass(frozen=True)
class Payoff:
    """What came of a combination of operators, over all individuals that it made.

    Attributes:
        operators: their names.
        births: individuals that they made, and whose fitness and first parent's are known.
        improved: share of them that were fitter at birth than their first parent at its own.
        median_gain: median of the difference.
        in_line: how many of them are in the champion's line.
    """

    operators: tuple[str, ...]
    births: int
    improved: float
    median_gain: float
    in_line: int


def payoffs(lineage: Lineage, line: Sequence[Ancestor]) -> list[Payoff]:
    """What came of each combination of operators, the most frequent first; at most twelve.

    Fitness is that at birth. A child and its parent ran on different episodes, so a single gain is luck as well.
    """
    parent = _rows_of(lineage, lineage.parents[:, 0])
    child = np.flatnonzero((parent >= 0) & np.isfinite(lineage.fitness))
    child = child[np.isfinite(lineage.fitness[parent[child]])]
    if not child.size:
        return []
    gains = lineage.fitness[child] - lineage.fitness[parent[child]]
    sorts, sort = np.unique(lineage.made_by[child], axis=0, return_inverse=True)
    lined = np.isin(lineage.individuals[child], [ancestor.individual for ancestor in line])
    found = []
    for number, made_by in enumerate(sorts):
        mine = sort.ravel() == number
        found.append(
            Payoff(
                operators=tuple(itertools.compress(lineage.operators, made_by)),
                births=int(mine.sum()),
                improved=float((gains[mine] > 0).mean()),
                median_gain=float(np.sort(gains[mine])[mine.sum() // 2]),
                in_line=int((mine & lined).sum()),
            )
        )
    return sorted(found, key=lambda payoff: -payoff.births)[:_MOST_COMBINATIONS]


def _rows_of(lineage: Lineage, individuals: IntArray) -> IntArray:
    """Where individuals stand, -1 for those that are unknown."""
    if not len(lineage):
        return np.zeros(0, dtype=np.int64)
    rows = np.searchsorted(lineage.individuals, individuals).clip(max=len(lineage) - 1)
    known = (individuals != NO_PARENT) & (lineage.individuals[rows] == individuals)
    return np.where(known, rows, -1)
