"""A champion's ancestors, and how often each combination of operators improved a child."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonet.inspection.lineage import Ancestor, Lineage
from evonet.population import NO_PARENT
from evonet.types import IntArray

_MAX_COMBINATIONS = 12


@dataclass(frozen=True)
class Family:
    """A champion's ancestors: its line of first parents, and the second parents with their ancestors.

    Attributes:
        line: ancestors by first parents, from the first generation to the champion.
        others: second parents of the line, and their own parents, by id.
        edges: ids `(parent, child)` of each parent in the family and its child.
    """

    line: Sequence[Ancestor]
    others: dict[int, Ancestor]
    edges: Sequence[tuple[int, int]]


def family(lineage: Lineage, line: Sequence[Ancestor], most: int = 240) -> Family:
    """The family of the last individual of `line`.

    Parents are followed back generation by generation, up to `most` individuals outside the line.
    """
    in_line = {ancestor.individual for ancestor in line}
    others: dict[int, Ancestor] = {}
    edges = [(parent, child.individual) for child in line for parent in child.parents]
    frontier = [parent for parent, _ in edges if parent not in in_line]
    while frontier and len(others) < most:
        parents: list[int] = []
        for individual in dict.fromkeys(frontier):
            row = lineage.row(individual)
            if individual in in_line or individual in others or row is None or len(others) >= most:
                continue
            found = others[individual] = lineage.individual(row)
            edges += [(parent, individual) for parent in found.parents]
            parents += found.parents
        frontier = parents
    return Family(line, others, [edge for edge in edges if edge[0] in in_line or edge[0] in others])


@dataclass(frozen=True)
class Payoff:
    """Statistics of the children that one combination of operators made.

    Attributes:
        operators: names of the operators.
        births: number of children whose own fitness and first parent's fitness are known.
        improved: share of the children that were fitter at birth than their first parent at its birth.
        median_gain: median of the child's fitness less the first parent's.
        in_line: number of the children in the champion's line.
    """

    operators: tuple[str, ...]
    births: int
    improved: float
    median_gain: float
    in_line: int


def payoffs(lineage: Lineage, line: Sequence[Ancestor]) -> list[Payoff]:
    """The payoffs of the twelve most frequent combinations of operators, the most frequent first.

    A child and its parent were evaluated on different episodes, so a single gain is partly luck.
    """
    parent = _rows_of(lineage, lineage.parents[:, 0])
    child = np.flatnonzero((parent >= 0) & np.isfinite(lineage.fitness))
    child = child[np.isfinite(lineage.fitness[parent[child]])]
    if not child.size:
        return []
    gains = lineage.fitness[child] - lineage.fitness[parent[child]]
    combinations, combination = np.unique(lineage.made_by[child], axis=0, return_inverse=True)
    in_line = np.isin(lineage.individuals[child], [ancestor.individual for ancestor in line])
    found = []
    for number, made_by in enumerate(combinations):
        chosen = combination.ravel() == number
        found.append(
            Payoff(
                operators=tuple(itertools.compress(lineage.operators, made_by)),
                births=int(chosen.sum()),
                improved=float((gains[chosen] > 0).mean()),
                median_gain=float(np.sort(gains[chosen])[chosen.sum() // 2]),
                in_line=int((chosen & in_line).sum()),
            )
        )
    return sorted(found, key=lambda payoff: -payoff.births)[:_MAX_COMBINATIONS]


def _rows_of(lineage: Lineage, individuals: IntArray) -> IntArray:
    """Rows of individuals in the lineage, -1 for unknown ones."""
    if not len(lineage):
        return np.zeros(0, dtype=np.int64)
    rows = np.searchsorted(lineage.individuals, individuals).clip(max=len(lineage) - 1)
    known = (individuals != NO_PARENT) & (lineage.individuals[rows] == individuals)
    return np.where(known, rows, -1)
